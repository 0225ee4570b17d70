/**
 * Header lines of ours in what libre's sessions send by themselves: INVITEs in
 * a dialog, and the 2xx to one, have no place for them in libre's calls.
 *
 * Where libre is one that is not interposed for this (3 and later), nothing is
 * added: GUARD_LINES says so at compile time. Control thread.
 */
#ifndef TOCSIN_GUARD_LINES_H
#define TOCSIN_GUARD_LINES_H

#include "controller/base/compat.h"

#define GUARD_LINES (TC_RE_VER < 30000)

/** Writes whole lines with CRLF, or "". */
typedef void(guard_lines_h)(char *lines, size_t size, void *arg);

/** In each INVITE of a dialog from now on; zeroed before its first use. */
struct guard_lines {
	struct le le;
	const struct sip_dialog *dlg;
	guard_lines_h *h;
	void *arg;
};

/** dlg: outlives it. */
void guard_lines_open(struct guard_lines *g, const struct sip_dialog *dlg,
		      guard_lines_h *h, void *arg);

/** Not open is fine. */
void guard_lines_close(struct guard_lines *g);

/** In the next answer made with a transaction, if it is to this request. The
 *  lines are copied. */
void guard_lines_answer(const struct sip_msg *msg, const char *lines);

/** How often libre came by here: the self-test looks. */
unsigned guard_lines_passed(void);

#endif
