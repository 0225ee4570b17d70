#include "enrol.h"

void enrol_init(struct enrol *e)
{
	*e = (struct enrol){.with = -1};
}

static uint64_t us(uint32_t ms)
{
	return ms * UINT64_C(1000);
}

/* Doubles with each failure; anywhere between the shortest and that, so that
 * the gateways of a site do not all come at once when their PBX is back. */
static void put_off(struct enrol *e, unsigned i, enum enrol_event why,
		    const struct enrol_news *news, uint64_t now)
{
	const uint32_t most = why == ENROL_EV_UNREACHED ? ENROL_UNREACHED_MAX_MS
							: ENROL_BACK_OFF_MAX_MS;
	uint32_t top, ms;

	if (e->v[i].fails < 8)
		e->v[i].fails++;
	top = ENROL_BACK_OFF_MS << e->v[i].fails;
	if (top > most)
		top = most;
	ms = ENROL_BACK_OFF_MS + news->random % (top - ENROL_BACK_OFF_MS + 1);
	if (news->hold_ms > ms)
		ms = news->hold_ms < ENROL_BACK_OFF_MAX_MS
			     ? news->hold_ms
			     : ENROL_BACK_OFF_MAX_MS;
	e->v[i].at = now + us(ms);
}

static void lose(struct enrol *e, struct enrol_act *a)
{
	e->with = -1;
	e->missed = 0;
	a->told = ENROL_LOST;
}

static void granted(struct enrol *e, const struct enrol_rule *r, uint32_t ms,
		    uint64_t now, struct enrol_act *a)
{
	const int before = e->with;

	e->with = (int)e->registrar;
	e->v[e->registrar].fails = 0;
	e->v[e->registrar].at = 0;
	e->missed = 0;
	e->renew_at = now + us(ms) / 2;
	e->until = now + us(ms);
	e->ask_at = now + us(r->ask_ms);
	if (before == e->with)
		return;
	a->told = before < 0 ? ENROL_REGISTERED : ENROL_MOVED;
	if (before >= 0) {
		a->act = ENROL_DO_LEAVE;
		a->registrar = (unsigned)before;
	}
}

static void failed(struct enrol *e, enum enrol_event ev,
		   const struct enrol_news *news, uint64_t now,
		   struct enrol_act *a)
{
	put_off(e, e->registrar, ev, news, now);
	if (e->with == (int)e->registrar)
		lose(e, a);
}

static void asked(struct enrol *e, const struct enrol_rule *r,
		  enum enrol_event ev, const struct enrol_news *news,
		  uint64_t now, struct enrol_act *a)
{
	if (ev == ENROL_EV_UNREACHED) {
		e->ask_at = now;
		if (++e->missed >= ENROL_MISSES)
			failed(e, ev, news, now, a);
		return;
	}
	if (ev == ENROL_EV_ANEW || e->missed)
		e->renew_at = now;
	e->missed = 0;
	e->ask_at = now + us(r->ask_ms);
}

/* The first registrar that may be tried, among the first n; the next time one
 * may goes into *due. */
static int first(const struct enrol *e, unsigned n, uint64_t now, uint64_t *due)
{
	for (unsigned i = 0; i < n; i++) {
		if (e->v[i].at <= now)
			return (int)i;
		if (e->v[i].at < *due)
			*due = e->v[i].at;
	}
	return -1;
}

static void next(struct enrol *e, const struct enrol_rule *r, uint64_t now,
		 struct enrol_act *a)
{
	uint64_t due = UINT64_MAX;
	const unsigned n = e->with < 0 ? r->registrars : (unsigned)e->with;
	int i;

	if (e->with >= 0 && e->renew_at <= now) {
		a->act = ENROL_DO_REGISTER;
		a->registrar = (unsigned)e->with;
		return;
	}
	i = first(e, n, now, &due);
	if (i >= 0) {
		a->act = ENROL_DO_REGISTER;
		a->registrar = (unsigned)i;
		return;
	}
	if (e->with >= 0 && e->ask_at <= now) {
		a->act = ENROL_DO_ASK;
		a->registrar = (unsigned)e->with;
		return;
	}
	if (e->with >= 0 && e->ask_at < due)
		due = e->ask_at;
	if (e->with >= 0 && e->renew_at < due)
		due = e->renew_at;
	e->due = due;
}

static void stop(struct enrol *e, struct enrol_act *a)
{
	e->stopped = true;
	e->doing = ENROL_DO_NOTHING;
	if (e->with >= 0) {
		a->act = ENROL_DO_LEAVE;
		a->registrar = (unsigned)e->with;
		lose(e, a);
	}
}

struct enrol_act enrol_step(struct enrol *e, const struct enrol_rule *r,
			    enum enrol_event ev, const struct enrol_news *news,
			    uint64_t now)
{
	struct enrol_act a = {.act = ENROL_DO_NOTHING};
	const enum enrol_do was = e->doing;

	if (ev == ENROL_EV_STOP) {
		if (!e->stopped)
			stop(e, &a);
	} else if ((was == ENROL_DO_NOTHING) != (ev == ENROL_EV_DUE)) {
		return a; /* of something that is over */
	} else if (was == ENROL_DO_REGISTER && ev == ENROL_EV_GRANTED) {
		granted(e, r, news->granted_ms, now, &a);
	} else if (was == ENROL_DO_REGISTER) {
		failed(e, ev, news, now, &a);
	} else if (was == ENROL_DO_ASK) {
		asked(e, r, ev, news, now, &a);
	}
	e->doing = ENROL_DO_NOTHING;
	e->due = 0;
	if (a.act == ENROL_DO_NOTHING && !e->stopped)
		next(e, r, now, &a);
	e->doing = a.act;
	e->registrar = a.registrar;
	return a;
}
