#include "speaker.h"

#define MS UINT64_C(1000)

static bool is_needed(const struct speaker *s, const struct speaker_rule *r)
{
	return s->wanted || r->keep;
}

static unsigned idle(struct speaker *s, const struct speaker_rule *r,
		     uint64_t now)
{
	s->state = SPEAKER_IDLE;
	s->due = now + r->check_ms * MS;
	return 0;
}

static unsigned call(struct speaker *s, const struct speaker_rule *r,
		     uint64_t now)
{
	s->state = SPEAKER_CALLING;
	s->due = now + r->within_ms * MS;
	return SPEAKER_DO_CALL;
}

/** 1, 2, 4 s and so on to the longest. */
static unsigned retry(struct speaker *s, const struct speaker_rule *r,
		      uint64_t now)
{
	uint64_t most = s->wanted ? SPEAKER_RETRY_MS : SPEAKER_RETRY_IDLE_MS;
	uint64_t ms = 1000;

	if (!is_needed(s, r)) {
		s->tries = 0;
		/* Whether it is there is to be known soon. */
		s->state = SPEAKER_IDLE;
		s->due = now + SPEAKER_ASK_AGAIN_MS * MS;
		return 0;
	}
	for (unsigned i = 0; i < s->tries && ms < most; i++)
		ms *= 2;
	s->tries++;
	s->state = SPEAKER_RETRY;
	s->due = now + (ms < most ? ms : most) * MS;
	return 0;
}

unsigned speaker_init(struct speaker *s, const struct speaker_rule *r,
		      uint64_t now)
{
	*s = (struct speaker){.state = SPEAKER_IDLE, .due = now};
	return r->keep ? call(s, r, now) : 0;
}

static unsigned want(struct speaker *s, const struct speaker_rule *r,
		     uint64_t now)
{
	s->wanted = true;
	switch (s->state) {
	case SPEAKER_IDLE:
	case SPEAKER_RETRY: /* what failed a while ago may work now */
		s->tries = 0;
		return call(s, r, now);
	case SPEAKER_UP:
		s->due = now + r->check_ms * MS;
		return 0;
	case SPEAKER_CALLING:
		return 0;
	}
	return 0;
}

static unsigned unwant(struct speaker *s, const struct speaker_rule *r,
		       uint64_t now)
{
	s->wanted = false;
	if (r->keep)
		return 0;
	switch (s->state) {
	case SPEAKER_CALLING:
		idle(s, r, now);
		return SPEAKER_DO_HANG_UP;
	case SPEAKER_RETRY:
		return retry(s, r, now);
	case SPEAKER_UP:
		s->due = now + r->linger_ms * MS;
		return 0;
	case SPEAKER_IDLE:
		return 0;
	}
	return 0;
}

static unsigned due(struct speaker *s, const struct speaker_rule *r,
		    uint64_t now)
{
	switch (s->state) {
	case SPEAKER_IDLE:
		s->due = now + r->check_ms * MS;
		return SPEAKER_DO_ASK;
	case SPEAKER_CALLING:
		retry(s, r, now);
		return SPEAKER_DO_HANG_UP | SPEAKER_DO_LATE;
	case SPEAKER_RETRY:
		return call(s, r, now);
	case SPEAKER_UP:
		if (is_needed(s, r)) {
			s->due = now + r->check_ms * MS;
			return SPEAKER_DO_REFRESH;
		}
		idle(s, r, now);
		return SPEAKER_DO_HANG_UP;
	}
	return 0;
}

static unsigned failed(struct speaker *s, const struct speaker_rule *r,
		       uint64_t now)
{
	switch (s->state) {
	case SPEAKER_UP:
		/* It hung up, or was restarted: at once again, if need be. */
		if (now - s->up_us < SPEAKER_SHORT_MS * MS)
			return retry(s, r, now);
		s->tries = 0;
		return is_needed(s, r) ? call(s, r, now) : idle(s, r, now);
	case SPEAKER_CALLING:
		return retry(s, r, now);
	case SPEAKER_IDLE:
	case SPEAKER_RETRY:
		return 0;
	}
	return 0;
}

unsigned speaker_step(struct speaker *s, const struct speaker_rule *r,
		      enum speaker_event ev, uint64_t now)
{
	switch (ev) {
	case SPEAKER_EV_WANT:
		return want(s, r, now);
	case SPEAKER_EV_UNWANT:
		return unwant(s, r, now);
	case SPEAKER_EV_ANSWERED:
		if (s->state != SPEAKER_CALLING)
			return 0;
		s->state = SPEAKER_UP;
		s->missed = 0;
		s->up_us = now;
		s->due = now +
			 (is_needed(s, r) ? r->check_ms : r->linger_ms) * MS;
		return 0;
	case SPEAKER_EV_FAILED:
		return failed(s, r, now);
	case SPEAKER_EV_REACHED:
		s->missed = 0;
		return 0;
	case SPEAKER_EV_MISSED:
		if (s->state != SPEAKER_IDLE)
			return 0;
		s->due = now + SPEAKER_ASK_AGAIN_MS * MS;
		return ++s->missed == 2 ? SPEAKER_DO_GONE : 0;
	case SPEAKER_EV_DUE:
		return due(s, r, now);
	}
	return 0;
}
