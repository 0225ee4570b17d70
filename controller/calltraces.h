/**
 * What was said in the last calls, for people: as the API shows it, and as
 * files. Control thread.
 */
#ifndef TOCSIN_CALLTRACES_H
#define TOCSIN_CALLTRACES_H

#include "sip/stack.h"

#include <jansson.h>

/** GET /sip/traces: the newest first; s NULL = none. */
json_t *calltraces_json(const struct stack *s);

/** GET /sip/traces/{call}: with its messages; NULL when there is none. call: as
 *  in calltrace_find(). */
json_t *calltraces_one_json(const struct stack *s, const char *call);

enum calltraces_format { CALLTRACES_TEXT, CALLTRACES_PCAP };

/** One of them as a file without a name, which is the caller's then. 0, ENOENT
 *  (there is none) or another errno. */
int calltraces_file(const struct stack *s, const char *call,
		    enum calltraces_format f, int *fd, uint64_t *size);

#endif
