/*
 * A bus's thread: owner of the connection, of the plan and of whose turn it is.
 *
 * It blocks in the bus, never in our own: what it has to say goes into a
 * bounded queue, what it is to do is taken over between two requests. A write
 * is done before the next read; a request under way is not broken off for it,
 * so it waits for one answer, or one time-out, at most.
 *
 * A connection that goes away is opened again at once and without a word: a
 * server may close one that was idle. When that fails, or the new one gives no
 * answer either, every point is told lost and it is tried with back-off.
 */
#include "controller/base/clock.h"
#include "gpio/modbus/bus_internal.h"
#include "gpio/modbus/turns.h"
#include "gpio/modbus/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNITS 256
/** Time-outs in a row, of whichever units, before the connection is thought
 *  dead: it may be half open. */
#define SILENT_MAX 2

struct run {
	struct mbus_link *l;
	struct mbus_work *w;
	struct mbus_wire *wire;
	bool told, up;    /**< what the owner was told last */
	bool proven;      /**< the connection has given an answer */
	unsigned silent;  /**< time-outs since the last answer */
	unsigned refused; /**< connections that failed, in a row */
	bool rewrite;     /**< outputs are written anew once it is back */
	uint64_t connect_at_us;
	char why[160]; /**< it is not connected */
	/* The plan: reads first, then one write for each output. */
	size_t *order, *output;
	struct mbus_read *read;
	size_t n_reads, n_outputs;
	struct turns turns;
	struct turn_unit unit[UNITS];
};

/* ------------------------------------------------------------------ upwards */

static void tell_point(struct run *r, size_t point, enum mbus_status status,
		       const uint16_t *words, uint64_t at_us, const char *text)
{
	struct mbus_note note = {
		.plan = r->w->number,
		.r = {.point = point, .status = status, .at_us = at_us},
	};

	for (size_t i = 0; words && i < r->w->p[point].count; i++)
		note.r.words[i] = words[i];
	snprintf(note.text, sizeof(note.text), "%s", text);
	mbus_tell(r->l, &note);
}

static void tell_state(struct run *r, bool up, const char *text)
{
	struct mbus_note note = {.is_state = true, .connected = up};

	if (r->told && r->up == up && (up || !strcmp(text, r->why)))
		return;
	r->told = true;
	r->up = up;
	snprintf(r->why, sizeof(r->why), "%s", text);
	snprintf(note.text, sizeof(note.text), "%s", text);
	mbus_tell(r->l, &note);
}

static void tell_lost(struct run *r, const char *text)
{
	uint64_t now = clock_mono_us();

	tell_state(r, false, text);
	for (size_t i = 0; i < r->w->n; i++)
		tell_point(r, i, MBUS_LOST, NULL, now, text);
}

static void count(struct run *r, enum mbus_status status)
{
	struct mbus_counters *c = &r->l->count;

	pthread_mutex_lock(&r->l->lock);
	c->requests++;
	c->timeouts += status == MBUS_TIMEOUT;
	c->exceptions += status == MBUS_EXCEPTION;
	c->garbled += status == MBUS_GARBLED;
	pthread_mutex_unlock(&r->l->lock);
}

/* ----------------------------------------------------------------- the plan */

static void plan_free(struct run *r)
{
	free(r->order);
	free(r->output);
	free(r->read);
	free(r->turns.turn);
	r->order = r->output = NULL;
	r->read = NULL;
	r->turns.turn = NULL;
	r->n_reads = r->n_outputs = r->turns.n = 0;
}

/** Plans the work anew; every read is due at once. */
static bool plan(struct run *r)
{
	const struct mbus_work *w = r->w;
	const struct mbus_timing *t = &w->timing;
	uint64_t now = clock_mono_us();

	plan_free(r);
	r->order = calloc(w->n + 1, sizeof(*r->order));
	r->output = calloc(w->n + 1, sizeof(*r->output));
	r->read = calloc(w->n + 1, sizeof(*r->read));
	r->turns.turn = calloc(2 * w->n + 1, sizeof(*r->turns.turn));
	if (!r->order || !r->output || !r->read || !r->turns.turn) {
		plan_free(r);
		return false;
	}
	r->n_reads = mbus_plan(w->p, w->n, &t->limits, r->order, r->read);
	for (size_t i = 0; i < r->n_reads; i++)
		r->turns.turn[i] = (struct turn){
			.unit = r->read[i].unit,
			.due_us = now,
			.period_us = r->read[i].poll_ms * UINT64_C(1000),
		};
	for (size_t i = 0; i < w->n; i++) {
		if (!w->p[i].output)
			continue;
		r->turns.turn[r->n_reads + r->n_outputs] = (struct turn){
			.unit = w->p[i].unit,
			.urgent = true,
			.due_us = w->dirty[i] ? now : TURNS_NEVER,
			.period_us = w->p[i].no_readback
					     ? w->p[i].poll_ms * UINT64_C(1000)
					     : 0,
		};
		r->output[r->n_outputs++] = i;
	}
	r->turns.n = r->n_reads + r->n_outputs;
	r->turns.unit = r->unit;
	r->turns.n_units = UNITS;
	r->turns.retries = t->retries;
	r->turns.back_off_us = t->back_off_ms * UINT64_C(1000);
	r->turns.max_back_off_us = t->max_back_off_ms * UINT64_C(1000);
	return true;
}

static size_t write_turn(const struct run *r, size_t point)
{
	size_t k = 0;

	while (k < r->n_outputs && r->output[k] != point)
		k++;
	return r->n_reads + k;
}

static size_t read_turn(const struct run *r, size_t point)
{
	for (size_t i = 0; i < r->n_reads; i++)
		for (size_t k = 0; k < r->read[i].n; k++)
			if (r->order[r->read[i].first + k] == point)
				return i;
	return r->turns.n;
}

/* ------------------------------------------------------------ a single turn */

static struct mbus_result ask(struct run *r, const struct mbus_request *rq,
			      uint16_t *values)
{
	struct mbus_result res = mbus_wire_ask(
		r->wire, rq, r->w->timing.timeout_ms, r->l->stopfd, values);

	count(r, res.status);
	if (res.status == MBUS_TIMEOUT) {
		r->silent++;
	} else if (res.status != MBUS_LOST) {
		r->silent = 0;
		r->proven = true;
	}
	return res;
}

static enum turn_outcome outcome(const struct mbus_result *res)
{
	if (res->status == MBUS_OK)
		return TURN_GOOD;
	/* A gateway that says its unit is silent has waited for it too. */
	if (res->status == MBUS_TIMEOUT ||
	    (res->status == MBUS_EXCEPTION && res->code >= 10))
		return TURN_SILENT;
	return TURN_REFUSED;
}

static void tell_read(struct run *r, size_t i, const struct mbus_result *res,
		      const char *text)
{
	uint64_t now = clock_mono_us();

	for (size_t k = 0; k < r->read[i].n; k++)
		tell_point(r, r->order[r->read[i].first + k], res->status, NULL,
			   now, text);
}

/** All that hangs on a unit that does not answer. */
static void tell_unit(struct run *r, size_t unit, const struct mbus_result *res,
		      const char *text)
{
	uint64_t now = clock_mono_us();

	for (size_t i = 0; i < r->w->n; i++)
		if (r->w->p[i].unit == unit)
			tell_point(r, i, res->status, NULL, now, text);
}

static void failed(struct run *r, size_t turn, const struct mbus_request *rq,
		   const struct mbus_result *res)
{
	char text[160];

	turns_done(&r->turns, turn, outcome(res), clock_mono_us());
	mbus_result_text(text, sizeof(text), rq, res);
	if (turns_unit_failed(&r->turns, rq->unit))
		tell_unit(r, rq->unit, res, text);
	else if (turns_failed(&r->turns, turn) && turn < r->n_reads)
		tell_read(r, turn, res, text);
	else if (turns_failed(&r->turns, turn))
		tell_point(r, r->output[turn - r->n_reads], res->status, NULL,
			   clock_mono_us(), text);
}

/** One address that does not exist spoils a request for many: from now on each
 *  is asked for alone. False when there is nothing to part. */
static bool part(struct run *r, size_t i, const struct mbus_result *res)
{
	const struct mbus_read *x = &r->read[i];
	bool any = false;

	if (res->status != MBUS_EXCEPTION || (res->code != 2 && res->code != 3))
		return false;
	for (size_t k = 0; k < x->n; k++) {
		struct mbus_point *p = &r->w->p[r->order[x->first + k]];

		any |= !p->alone && p->count < x->count;
		p->alone = true;
	}
	return any && plan(r);
}

static void heard_output(struct run *r, size_t point, const uint16_t *words,
			 uint64_t at_us)
{
	struct mbus_work *w = r->w;
	size_t turn;

	if (!w->known[point] || w->dirty[point])
		return;
	if (words[0] == w->want[point]) {
		tell_point(r, point, MBUS_OK, words, at_us, "");
		return;
	}
	tell_point(r, point, MBUS_MISMATCH, words, at_us,
		   "it does not read as it was written");
	w->dirty[point] = true;
	turn = write_turn(r, point);
	r->turns.turn[turn].due_us = at_us + r->turns.back_off_us;
}

static void do_read(struct run *r, size_t i, struct mbus_result *res)
{
	const struct mbus_read *x = &r->read[i];
	const struct mbus_request rq = {
		.unit = x->unit,
		.table = x->table,
		.address = x->address,
		.count = x->count,
	};
	uint16_t values[MBUS_MAX_BITS];
	uint64_t now;

	*res = ask(r, &rq, values);
	if (res->status == MBUS_LOST || part(r, i, res))
		return;
	if (res->status != MBUS_OK) {
		failed(r, i, &rq, res);
		return;
	}
	now = clock_mono_us();
	turns_done(&r->turns, i, TURN_GOOD, now);
	for (size_t k = 0; k < x->n; k++) {
		size_t point = r->order[x->first + k];
		const struct mbus_point *p = &r->w->p[point];
		const uint16_t *words = values + (p->address - x->address);

		if (p->output)
			heard_output(r, point, words, now);
		else
			tell_point(r, point, MBUS_OK, words, now, "");
	}
}

static struct mbus_request write_request(const struct run *r, size_t point,
					 uint16_t value)
{
	const struct mbus_point *p = &r->w->p[point];

	return (struct mbus_request){
		.unit = p->unit,
		.table = p->table,
		.address = p->address,
		.count = 1,
		.write = true,
		.value = value,
	};
}

static void do_write(struct run *r, size_t turn, struct mbus_result *res)
{
	size_t point = r->output[turn - r->n_reads];
	struct mbus_work *w = r->w;
	const struct mbus_request rq = write_request(r, point, w->want[point]);
	uint64_t now;

	*res = ask(r, &rq, NULL);
	if (res->status == MBUS_LOST)
		return;
	if (res->status != MBUS_OK) {
		failed(r, turn, &rq, res);
		return;
	}
	now = clock_mono_us();
	turns_done(&r->turns, turn, TURN_GOOD, now);
	w->dirty[point] = false;
	if (w->p[point].no_readback)
		tell_point(r, point, MBUS_OK, &w->want[point], now, "");
	else
		turns_urge(&r->turns, read_turn(r, point), now);
}

/* --------------------------------------------------------------- connection */

static void reopen(struct run *r)
{
	r->wire = mbus_wire_close(r->wire);
	r->connect_at_us = 0;
}

static void back_off(struct run *r)
{
	const struct mbus_timing *t = &r->w->timing;
	uint64_t wait = t->back_off_ms;

	for (unsigned i = 0; i < r->refused && wait < t->max_back_off_ms; i++)
		wait *= 2;
	if (wait > t->max_back_off_ms)
		wait = t->max_back_off_ms;
	r->refused++;
	r->connect_at_us = clock_mono_us() + wait * 1000;
}

static void lost(struct run *r, const char *text)
{
	r->wire = mbus_wire_close(r->wire);
	r->rewrite = true;
	back_off(r);
	tell_lost(r, text);
}

/** A device that was away may have forgotten what was written. */
static void write_again(struct run *r)
{
	uint64_t now = clock_mono_us();

	for (size_t k = 0; k < r->n_outputs; k++) {
		size_t point = r->output[k];

		if (r->w->known[point]) {
			r->w->dirty[point] = true;
			turns_urge(&r->turns, r->n_reads + k, now);
		}
	}
}

static void open_wire(struct run *r)
{
	struct reason why = {""};
	uint64_t now;
	int err = mbus_wire_open(&r->wire, &r->l->address,
				 r->w->timing.timeout_ms, r->l->stopfd, &why);

	if (err == ECANCELED)
		return;
	if (err) {
		lost(r, why.text);
		return;
	}
	pthread_mutex_lock(&r->l->lock);
	r->l->count.connects++;
	pthread_mutex_unlock(&r->l->lock);
	r->proven = false;
	r->silent = 0;
	now = clock_mono_us();
	if (!r->up)
		for (size_t i = 0; i < r->n_reads; i++)
			r->turns.turn[i].due_us = now;
	if (r->rewrite)
		write_again(r);
	r->rewrite = false;
}

/** After each request: is the connection still good for the next? */
static void look_at_wire(struct run *r, const struct mbus_result *res)
{
	char text[160];

	if (res->status == MBUS_LOST) {
		if (res->err == ECANCELED)
			return;
		mbus_result_text(text, sizeof(text), &(struct mbus_request){0},
				 res);
		r->rewrite = true;
		if (r->proven)
			reopen(r);
		else
			lost(r, text);
		return;
	}
	if (res->status != MBUS_TIMEOUT) {
		r->refused = 0;
		tell_state(r, true, "");
	} else if (r->silent >= SILENT_MAX && !r->l->address.serial) {
		reopen(r);
	}
}

/* --------------------------------------------------------------------- work */

/** Leaves outputs safe that `keep` does not have; as far as it can be done in
 *  MBUS_FAREWELL_MS. */
static void leave_safe(struct run *r, const struct mbus_work *keep)
{
	uint64_t until = clock_mono_us() + MBUS_FAREWELL_MS * UINT64_C(1000);

	for (size_t k = 0; k < r->n_outputs && r->wire; k++) {
		size_t point = r->output[k], i = 0;
		const struct mbus_point *p = &r->w->p[point];
		const struct mbus_request rq = write_request(r, point, p->safe);
		uint64_t now = clock_mono_us();
		uint32_t ms = r->w->timing.timeout_ms;
		struct mbus_result res;

		while (keep && i < keep->n &&
		       (!keep->p[i].output || keep->p[i].unit != p->unit ||
			keep->p[i].table != p->table ||
			keep->p[i].address != p->address))
			i++;
		if ((keep && i < keep->n) || !r->w->known[point] ||
		    r->w->want[point] == p->safe || r->unit[p->unit].fails ||
		    now >= until)
			continue;
		if (ms > (until - now) / 1000)
			ms = (uint32_t)((until - now) / 1000);
		res = mbus_wire_ask(r->wire, &rq, ms, -1, NULL);
		if (res.status == MBUS_LOST)
			r->wire = mbus_wire_close(r->wire);
		else if (res.status == MBUS_TIMEOUT)
			r->unit[p->unit].fails++;
	}
}

/** What was wanted of outputs that stay is wanted still. */
static void carry_over(const struct mbus_work *from, struct mbus_work *to)
{
	for (size_t i = 0; i < to->n; i++)
		for (size_t k = 0; to->p[i].output && k < from->n; k++)
			if (from->p[k].output && from->known[k] &&
			    from->p[k].unit == to->p[i].unit &&
			    from->p[k].table == to->p[i].table &&
			    from->p[k].address == to->p[i].address) {
				to->want[i] = from->want[k];
				to->known[i] = true;
				to->dirty[i] = true;
			}
}

static void take_over(struct run *r, struct mbus_work *w)
{
	if (r->w) {
		leave_safe(r, w);
		carry_over(r->w, w);
	}
	mbus_work_free(r->w);
	r->w = w;
	if (!plan(r)) {
		/* Nothing can be read without memory; it is told, and tried
		 * again with the next configuration. */
		tell_lost(r, "not enough memory");
		return;
	}
	/* They are told again to those that are new. */
	if (!r->wire && r->told && !r->up)
		tell_lost(r, r->why);
}

/** Takes over what the owner wants; false when it wants an end. */
static bool look_up(struct run *r)
{
	struct mbus_link *l = r->l;
	struct mbus_work *w;
	uint64_t now, gone;
	bool stop;

	(void)!read(l->wakefd, &gone, sizeof(gone));
	pthread_mutex_lock(&l->lock);
	w = l->next;
	l->next = NULL;
	pthread_mutex_unlock(&l->lock);
	if (w)
		take_over(r, w);
	now = clock_mono_us();
	pthread_mutex_lock(&l->lock);
	stop = l->stop;
	/* Newer points may have come meanwhile: then these are theirs. */
	for (size_t i = 0;
	     r->w && r->w->number == l->number && !l->next && i < l->n; i++) {
		if (!l->dirty[i])
			continue;
		l->dirty[i] = false;
		r->w->want[i] = l->want[i];
		r->w->known[i] = r->w->dirty[i] = true;
		if (r->turns.n)
			turns_urge(&r->turns, write_turn(r, i), now);
	}
	pthread_mutex_unlock(&l->lock);
	return !stop;
}

static void idle(struct run *r, uint64_t until_us)
{
	struct pollfd p = {.fd = r->l->wakefd, .events = POLLIN};
	uint64_t now = clock_mono_us();
	struct timespec ts, *wait = NULL;

	if (until_us != TURNS_NEVER) {
		uint64_t us = until_us > now ? until_us - now : 0;

		ts.tv_sec = (time_t)(us / 1000000);
		ts.tv_nsec = (long)(us % 1000000 * 1000);
		wait = &ts;
	}
	ppoll(&p, 1, wait, NULL);
}

static void one_turn(struct run *r)
{
	struct mbus_result res;
	uint64_t when, now = clock_mono_us();
	size_t i;

	if (!r->wire && r->turns.n && now >= r->connect_at_us)
		open_wire(r);
	if (!r->wire) {
		idle(r, r->turns.n ? r->connect_at_us : TURNS_NEVER);
		return;
	}
	i = turns_next(&r->turns, clock_mono_us(), &when);
	if (i == r->turns.n) {
		idle(r, when);
		return;
	}
	if (i < r->n_reads)
		do_read(r, i, &res);
	else
		do_write(r, i, &res);
	look_at_wire(r, &res);
}

void *mbus_main(void *arg)
{
	struct run r = {.l = arg};

	while (look_up(&r))
		one_turn(&r);
	leave_safe(&r, NULL);
	mbus_wire_close(r.wire);
	plan_free(&r);
	mbus_work_free(r.w);
	pthread_mutex_lock(&r.l->lock);
	r.l->ended = true;
	pthread_cond_signal(&r.l->end);
	pthread_mutex_unlock(&r.l->lock);
	mbus_link_unref(r.l);
	return NULL;
}
