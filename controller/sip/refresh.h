/**
 * The session timer of one dialog (RFC 4028) at work: reads what the other side
 * says, writes our lines, asks for a refresh in time and for the end when there
 * is none. What it decides is in session_timer.h. Control thread.
 */
#ifndef TOCSIN_REFRESH_H
#define TOCSIN_REFRESH_H

#include "controller/base/compat.h"
#include "controller/sip/guard_lines.h"
#include "controller/sip/nego.h"
#include "controller/sip/session_timer.h"

/** What the BYE of an expired session says (RFC 3326). */
#define REFRESH_EXPIRED "Reason: SIP;cause=408;text=\"Session Not Refreshed\""

struct refresh {
	struct session_terms terms;
	uint32_t ours_s; /**< 0 = no session timers */
	uint32_t min_s;  /**< that a 422 told, 0 = none */
	uint64_t since_ms;
	unsigned tries;
	struct tmr tmr;
	struct guard_lines lines;
	/** A re-INVITE is due. */
	void (*due)(void *arg);
	/** Nobody refreshed it: it is to be ended. */
	void (*over)(void *arg);
	void *arg;
};

void refresh_init(struct refresh *r, uint32_t ours_s, void (*due)(void *arg),
		  void (*over)(void *arg), void *arg);

/** Stops it; may be called again, and on one that is zeroed. */
void refresh_close(struct refresh *r);

/** What a message says of session timers. */
void refresh_read(struct session_said *said, const struct sip_msg *msg);

/** An INVITE of theirs that is about to be answered: the status, and the lines
 *  for it. The clock runs from here. */
uint16_t refresh_answer(struct refresh *r, const struct sip_msg *msg,
			char lines[SESSION_LINES_SIZE]);

/** The lines for the first INVITE of ours. */
void refresh_offer(const struct refresh *r, char lines[SESSION_LINES_SIZE]);

/** The 2xx to an INVITE of ours. The clock runs anew. */
void refresh_agreed(struct refresh *r, const struct sip_msg *msg);

/** The dialog is there: our later INVITEs in it carry our lines. */
void refresh_dialog(struct refresh *r, const struct sip_dialog *dlg);

/** Sends a re-INVITE with our offer. */
void refresh_send(struct sipsess *sess, struct nego *nego);

/** A 422: true when the INVITE is to be sent again, with the Min-SE it told,
 *  which is done once. */
bool refresh_too_small(struct refresh *r, const struct sip_msg *msg);

#endif
