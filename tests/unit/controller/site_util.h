/**
 * What the tests of the controller's glue share: a site read from a real
 * configuration, on a real media engine, journal and libre loop. Its zones are
 * groups on lo; nothing leaves it.
 */
#ifndef TOCSIN_TEST_SITE_UTIL_H
#define TOCSIN_TEST_SITE_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/alarms.h"
#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "controller/base/log.h"
#include "controller/commands.h"
#include "controller/reload.h"
#include "controller/sounds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_US 10000000
#define MAX_EVENTS 2000

struct site {
	char dir[64];
	struct config *config;
	struct library *library;
	struct journal *journal;
	struct recorder *recorder;
	struct faults *faults;
	struct media *media;
	struct sounds *sounds;
	struct broadcasts *broadcasts;
	struct field *field;
	struct alarms *alarms;
	struct paging *paging;
	struct stored *stored;
	struct command_scope scope;
	bool changing;
	struct event *event;
	size_t n_events;
	char published[64][160]; /**< "topic payload" */
	size_t n_published;
	char said[2048]; /**< errors of the last load */
};

static inline void site_on_report(const struct media_report *r, void *arg)
{
	struct site *s = arg;

	if (r->type == MEDIA_FIRST_SENT || r->type == MEDIA_FINISHED ||
	    r->type == MEDIA_SLOT_FREE)
		broadcasts_report(s->broadcasts, r);
	else if (r->type == MEDIA_RECORDED)
		stored_report(s->stored, r);
}

static inline void site_on_event(const struct event *e, void *arg)
{
	struct site *s = arg;

	assert_true(s->n_events < MAX_EVENTS);
	s->event[s->n_events++] = *e;
}

static inline void site_on_fault(const struct fault *f, bool raised, void *arg)
{
	struct site *s = arg;

	(void)f;
	(void)raised;
	if (s->field)
		field_fault_outputs(s->field);
}

static inline void site_on_input(int input, uint64_t event, uint64_t at_us,
				 void *arg)
{
	struct site *s = arg;

	if (s->alarms && !s->changing)
		alarms_input(s->alarms, input, event, at_us);
}

static inline void site_on_publish(const char *topic, const char *payload,
				   void *arg)
{
	struct site *s = arg;

	snprintf(s->published[s->n_published++ % 64], 160, "%s %s", topic,
		 payload);
}

static inline void site_on_error(const struct config_where *at,
				 const char *text, void *arg)
{
	struct site *s = arg;
	size_t n = strlen(s->said);

	(void)at;
	snprintf(s->said + n, sizeof(s->said) - n, "%s\n", text);
}

static inline void site_write(const struct site *s, const char *name,
			      const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/** Puts a configuration in force as the daemon does, and frees the old. */
static inline void site_configure(struct site *s, const char *text)
{
	struct config *old = s->config;
	struct library *old_library = s->library;
	char path[128];

	snprintf(path, sizeof(path), "%s/tocsin.conf", s->dir);
	site_write(s, "tocsin.conf", text);
	*s->said = '\0';
	if (reload_now(path, LIBRARY_START, &s->config, &s->library,
		       site_on_error, s))
		fail_msg("%s", s->said);
	s->changing = true;
	assert_int_equal(sounds_apply(s->sounds, s->config), 0);
	broadcasts_configure(s->broadcasts, s->config);
	stored_configure(s->stored, s->config, s->library);
	paging_configure(s->paging, s->config, s->library);
	assert_int_equal(field_configure(s->field, s->config), 0);
	assert_int_equal(alarms_configure(s->alarms, s->config, s->library), 0);
	s->changing = false;
	s->scope = (struct command_scope){
		.config = s->config,
		.library = s->library,
		.broadcasts = s->broadcasts,
		.alarms = s->alarms,
		.field = s->field,
		.paging = s->paging,
		.stored = s->stored,
		.recorder = s->recorder,
	};
	library_free(old_library);
	config_free(old);
}

/** Makes the parts; dir may hold a journal of before, NULL = a new one. */
static inline struct site *site_begin(const char *dir, bool journal,
				      const char *text)
{
	struct site *s = calloc(1, sizeof(*s));
	struct media_options opt = {.tail_ms = 20, .leg_silence_ms = 5000};
	struct reason why = {""};

	assert_non_null(s);
	s->event = calloc(MAX_EVENTS, sizeof(*s->event));
	assert_non_null(s->event);
	strcpy(s->dir, "/tmp/tocsin-site-XXXXXX");
	if (dir)
		snprintf(s->dir, sizeof(s->dir), "%s", dir);
	else
		assert_non_null(mkdtemp(s->dir));
	if (journal)
		assert_int_equal(journal_open(&s->journal, s->dir, &why), 0);
	assert_int_equal(recorder_alloc(&s->recorder, s->journal), 0);
	recorder_sink(s->recorder, site_on_event, s);
	assert_int_equal(faults_alloc(&s->faults, site_on_fault, s), 0);
	assert_int_equal(media_alloc(&s->media, &opt, site_on_report, s), 0);
	assert_int_equal(sounds_alloc(&s->sounds, s->media, s->faults), 0);
	assert_int_equal(broadcasts_alloc(&s->broadcasts, s->media, s->sounds,
					  s->recorder, s->journal),
			 0);
	assert_int_equal(field_alloc(&s->field, s->recorder, s->faults,
				     site_on_input, site_on_publish, s),
			 0);
	assert_int_equal(alarms_alloc(&s->alarms, s->broadcasts, s->field,
				      s->recorder, s->faults, s->journal),
			 0);
	assert_int_equal(stored_alloc(&s->stored, s->media, s->broadcasts,
				      s->recorder, s->journal),
			 0);
	assert_int_equal(paging_alloc(&s->paging, s->media, s->broadcasts,
				      s->stored, s->alarms, s->recorder,
				      s->faults),
			 0);
	site_configure(s, text);
	return s;
}

/** Ends it as a kill would: no farewell. keep: the directory stays. */
static inline void site_end(struct site *s, bool keep)
{
	char command[160];

	s->alarms = alarms_free(s->alarms);
	s->field = field_free(s->field);
	s->media = media_free(s->media);
	paging_free(s->paging);
	stored_free(s->stored);
	broadcasts_free(s->broadcasts);
	sounds_free(s->sounds);
	library_free(s->library);
	faults_free(s->faults);
	recorder_free(s->recorder);
	journal_close(s->journal);
	config_free(s->config);
	snprintf(command, sizeof(command), "rm -rf %s", s->dir);
	if (!keep)
		assert_int_equal(system(command), 0);
	free(s->event);
	free(s);
}

static inline void site_slice_over(void *arg)
{
	(void)arg;
	re_cancel();
}

/** Turns the loop for about 2 ms. */
static inline void site_turn(struct site *s)
{
	struct tmr t;

	media_poll(s->media);
	tmr_init(&t);
	tmr_start(&t, 2, site_slice_over, NULL);
	re_main(NULL);
	tmr_cancel(&t);
	media_poll(s->media);
}

/** Turns the loop until the condition holds. */
#define site_await(s, cond)                                                    \
	do {                                                                   \
		uint64_t until_ = clock_mono_us() + PATIENCE_US;               \
		while (site_turn(s), !(cond))                                  \
			if (clock_mono_us() > until_)                          \
				fail_msg("waited in vain for: %s", #cond);     \
	} while (0)

/** How many events of a type about a subject ("" = any) were recorded. */
static inline unsigned site_count(struct site *s, enum event_type type,
				  const char *subject)
{
	unsigned n = 0;

	recorder_flush(s->recorder);
	for (size_t i = 0; i < s->n_events; i++)
		n += s->event[i].type == type &&
		     (!*subject || !strcmp(s->event[i].subject, subject));
	return n;
}

/** A member of one broadcast as text; "gone" when it is not known. */
static inline const char *site_member(struct site *s, uint64_t id,
				      const char *member)
{
	static char text[256];
	json_t *o = broadcast_json(s->broadcasts, id), *v;

	if (!o)
		return "gone";
	v = json_object_get(o, member);
	snprintf(text, sizeof(text), "%s",
		 json_is_string(v) ? json_string_value(v) : "");
	json_decref(o);
	return text;
}

static inline const char *site_state(struct site *s, uint64_t id)
{
	return site_member(s, id, "state");
}

/** Packets that the first output of a zone has sent. */
static inline uint64_t site_packets(struct site *s, const char *zone)
{
	const struct arb_set *set =
		sounds_zone(s->sounds, config_zone_find(s->config, zone));
	struct media_output_stats st = {0};

	for (unsigned i = 0; i < sounds_count(s->sounds); i++)
		if (arb_set_has(set, i)) {
			media_output_stats(s->media, i, &st);
			break;
		}
	return st.packets;
}

#endif
