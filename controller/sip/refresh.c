#include "refresh.h"

#include "controller/base/clock.h"

void refresh_init(struct refresh *r, uint32_t ours_s, void (*due)(void *arg),
		  void (*over)(void *arg), void *arg)
{
	*r = (struct refresh){
		.ours_s = GUARD_LINES ? ours_s : 0,
		.due = due,
		.over = over,
		.arg = arg,
	};
	tmr_init(&r->tmr);
}

void refresh_close(struct refresh *r)
{
	tmr_cancel(&r->tmr);
	guard_lines_close(&r->lines);
}

static void look(void *arg)
{
	struct refresh *r = arg;
	uint64_t wait_ms;
	const enum session_act act = session_next(
		&r->terms, clock_mono_ms() - r->since_ms, r->tries, &wait_ms);

	if (wait_ms)
		tmr_start(&r->tmr, wait_ms, look, r);
	else
		tmr_cancel(&r->tmr);
	if (act == SESSION_REFRESH) {
		r->tries++;
		r->due(r->arg);
	} else if (act == SESSION_END) {
		r->over(r->arg);
	}
}

static void start(struct refresh *r)
{
	r->since_ms = clock_mono_ms();
	r->tries = 0;
	look(r);
}

void refresh_read(struct session_said *said, const struct sip_msg *msg)
{
	const struct sip_hdr *h = sip_msg_hdr(msg, SIP_HDR_SESSION_EXPIRES);

	*said = (struct session_said){
		.timer = sip_msg_hdr_has_value(msg, SIP_HDR_SUPPORTED,
					       "timer") ||
			 sip_msg_hdr_has_value(msg, SIP_HDR_REQUIRE, "timer"),
	};
	if (h)
		(void)session_read_expires(said, h->val.p, h->val.l);
	h = sip_msg_hdr(msg, SIP_HDR_MIN_SE);
	if (h)
		(void)session_read_min(said, h->val.p, h->val.l);
}

uint16_t refresh_answer(struct refresh *r, const struct sip_msg *msg,
			char lines[SESSION_LINES_SIZE])
{
	struct session_terms t;
	struct session_said said;
	uint16_t status;

	refresh_read(&said, msg);
	status = session_answer(&said, r->ours_s, &t, lines);
	if (status != 200)
		return status; /* what held before still does */
	r->terms = t;
	start(r);
	return 200;
}

void refresh_offer(const struct refresh *r, char lines[SESSION_LINES_SIZE])
{
	session_offer(&r->terms, r->ours_s, r->min_s, lines);
}

void refresh_agreed(struct refresh *r, const struct sip_msg *msg)
{
	struct session_said said;

	if (!r->ours_s)
		return;
	refresh_read(&said, msg);
	session_agreed(&said, &r->terms);
	start(r);
}

static void write_lines(char *lines, size_t size, void *arg)
{
	char text[SESSION_LINES_SIZE];

	refresh_offer(arg, text);
	(void)re_snprintf(lines, size, "%s", text);
}

void refresh_dialog(struct refresh *r, const struct sip_dialog *dlg)
{
	if (r->ours_s)
		guard_lines_open(&r->lines, dlg, write_lines, r);
}

bool refresh_too_small(struct refresh *r, const struct sip_msg *msg)
{
	struct session_said said;

	refresh_read(&said, msg);
	if (msg->scode != 422 || !r->ours_s || r->min_s || !said.min_s)
		return false;
	r->min_s = said.min_s;
	return true;
}

void refresh_send(struct sipsess *sess, struct nego *nego)
{
	struct mbuf *offer = NULL;

	if (!nego_offer(nego, &offer))
		(void)sipsess_modify(sess, offer);
	mem_deref(offer);
}
