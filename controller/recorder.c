#include "recorder.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "controller/base/log.h"
#include "controller/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SINKS 4
/** Events of one turn; a turn with more hands out in between. */
#define MAX_PENDING 256
/** Places kept for what the receivers themselves record meanwhile. */
#define SPARE 32

struct recorder {
	struct journal *journal;
	uint64_t last_id; /**< used when there is no journal */
	struct {
		recorder_sink_h *h;
		void *arg;
	} sink[MAX_SINKS];
	size_t n_sinks;
	struct tmr tmr;
	size_t n;
	bool flushing;
	struct event pending[MAX_PENDING];
};

int recorder_alloc(struct recorder **rp, struct journal *journal)
{
	struct recorder *r = calloc(1, sizeof(*r));

	if (!r)
		return ENOMEM;
	r->journal = journal;
	tmr_init(&r->tmr);
	*rp = r;
	return 0;
}

struct recorder *recorder_free(struct recorder *r)
{
	if (!r)
		return NULL;
	recorder_flush(r);
	tmr_cancel(&r->tmr);
	free(r);
	return NULL;
}

void recorder_sink(struct recorder *r, recorder_sink_h *h, void *arg)
{
	if (r->n_sinks == MAX_SINKS)
		return;
	r->sink[r->n_sinks].h = h;
	r->sink[r->n_sinks++].arg = arg;
}

static void write_log(const struct event *e)
{
	char fields[224];

	snprintf(fields, sizeof(fields), "%s %s by=%s event=%llu",
		 event_type_name(e->type), e->subject, e->actor,
		 (unsigned long long)e->id);
	log_write((enum log_level)event_type_level(e->type), fields, "%s",
		  e->text);
}

void recorder_flush(struct recorder *r)
{
	/* A sink may record (MQTT lost while publishing): that waits for the
	 * next round instead of overtaking what is being handed out. */
	if (r->flushing)
		return;
	r->flushing = true;
	for (size_t i = 0; i < r->n; i++) {
		const struct event *e = &r->pending[i];

		write_log(e);
		if (r->journal)
			journal_write(r->journal, e);
		for (size_t k = 0; k < r->n_sinks; k++)
			r->sink[k].h(e, r->sink[k].arg);
	}
	r->n = 0;
	r->flushing = false;
}

static void on_turn_over(void *arg)
{
	recorder_flush(arg);
}

uint64_t record(struct recorder *r, enum event_type type, uint64_t cause,
		const char *subject, const char *actor, json_t *data,
		const char *fmt, ...)
{
	uint64_t id = r->journal ? journal_next_id(r->journal) : ++r->last_id;
	struct event *e;
	va_list ap;

	if (r->n >= MAX_PENDING - SPARE)
		recorder_flush(r);
	if (r->n == MAX_PENDING) {
		/* Only a sink that records without end gets here. Broadcasts
		 * are named by the number, so there must be one. */
		json_decref(data);
		return id;
	}
	e = &r->pending[r->n++];
	memset(e, 0, offsetof(struct event, data) + 1);
	e->id = id;
	e->cause = cause;
	e->wall_us = clock_wall_us();
	e->mono_us = clock_mono_us();
	e->type = type;
	snprintf(e->subject, sizeof(e->subject), "%s", subject);
	snprintf(e->actor, sizeof(e->actor), "%s", actor ? actor : "system");
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	text_clean(e->subject);
	text_clean(e->actor);
	text_clean(e->text);
	if (data) {
		size_t n = json_dumpb(data, e->data, sizeof(e->data) - 1,
				      JSON_COMPACT);

		/* Half an object would be worse than none. */
		if (n < sizeof(e->data))
			e->data[n] = '\0';
		else
			snprintf(e->data, sizeof(e->data), "{\"cut\":true}");
		json_decref(data);
	}
	if (!tmr_isrunning(&r->tmr))
		tmr_start(&r->tmr, 0, on_turn_over, r);
	return e->id;
}
