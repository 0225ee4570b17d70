/** A mail about events (RFC 5322), as sendmail takes it: lines end in LF.
 *  Pure; any thread. */
#ifndef TOCSIN_MAIL_TEXT_H
#define TOCSIN_MAIL_TEXT_H

#include "controller/config/config.h"
#include "controller/event.h"

#include <stdio.h>

/** Writes it. e: n >= 1 events; date: wall clock, us. */
void mail_write(FILE *f, const struct config_notify *c, const char *site,
		const struct event *const *e, size_t n, int64_t date);

/** Writes text as a header's value: in encoded words (RFC 2047) when it is not
 *  plain ASCII. */
void mail_header(FILE *f, const char *name, const char *text);

#endif
