#include "zones/watch/querier.h"

#include <string.h>

#define LONGEST_US UINT64_C(600000000)

void querier_begin(struct querier *q, uint64_t now)
{
	*q = (struct querier){
		.begun_us = now,
		.interval_ms = QUERIER_INTERVAL_MS,
		.response_ms = QUERIER_RESPONSE_MS,
	};
}

void querier_heard(struct querier *q, const struct frame *f, uint64_t now)
{
	q->sign_us = now;
	q->version = f->version;
	memcpy(q->addr, f->src, sizeof(q->addr));
	if (!f->general)
		return;
	/* Old versions do not tell it. What lay between two is taken only when
	 * it is longer than the standard's: a querier that starts asks four
	 * times as often at first (RFC 3376 8.6). */
	if (f->interval_ms)
		q->interval_ms = f->interval_ms;
	else if (q->general_us && now - q->general_us < LONGEST_US)
		q->interval_ms = (uint32_t)((now - q->general_us) / 1000);
	if (!f->interval_ms && q->interval_ms < QUERIER_INTERVAL_MS)
		q->interval_ms = QUERIER_INTERVAL_MS;
	if (f->response_ms)
		q->response_ms = f->response_ms;
	q->general_us = now;
}

uint32_t querier_limit_ms(const struct querier *q)
{
	return 2 * q->interval_ms + q->response_ms;
}

static uint64_t since(uint64_t at, uint64_t begun, uint64_t now)
{
	if (at < begun)
		at = begun;
	return now > at ? (now - at) / 1000 : 0;
}

enum querier_verdict querier_judge(struct querier *q, enum querier_mode mode,
				   uint32_t patience_ms, uint64_t now,
				   bool *ask)
{
	const uint64_t quiet = since(q->sign_us, q->begun_us, now);
	const uint64_t general = since(q->general_us, q->begun_us, now);
	/* IGMPv1 has no leaving, so nobody would answer. */
	const bool asks = mode == QUERIER_ASK && q->version != 1;
	const uint32_t pause = patience_ms / (quiet < patience_ms ? 10 : 3);

	*ask = asks && quiet >= patience_ms / 10 * UINT64_C(6) &&
	       since(q->asked_us, 0, now) >= pause;
	if (*ask)
		q->asked_us = now;
	if (general > querier_limit_ms(q))
		return q->sign_us && quiet <= querier_limit_ms(q)
			       ? QUERIER_HALF
			       : QUERIER_MISSING;
	if (asks && quiet >= patience_ms)
		return QUERIER_MISSING;
	return q->sign_us ? QUERIER_PRESENT : QUERIER_UNSURE;
}
