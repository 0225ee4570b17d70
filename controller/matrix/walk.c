#include "walk.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"
#include "controller/text_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** What answers unless a message was named. */
#define ANSWER_TONE "go-ahead"

struct tested {
	char name[CONFIG_MAX_NAME];
	int input; /**< -1: no longer configured */
	uint32_t times;
	int64_t wall_us; /**< first time */
};

struct test {
	uint64_t id; /**< 0 = free */
	bool ended;
	char scope[160], actor[80], message[CONFIG_MAX_NAME];
	struct tested *input;
	size_t n_inputs;
	char (*zone)[CONFIG_MAX_NAME];
	size_t n_zones;
	uint64_t until_us;
	int64_t until_wall_us, since_wall_us;
};

struct walk {
	struct broadcasts *broadcasts;
	struct recorder *recorder;
	struct faults *faults;
	struct journal *journal;
	walk_change_h *h;
	void *arg;
	const struct config *config;
	struct library *library;
	struct test test[2 * WALK_MAX];
	uint64_t last;
};

int walk_alloc(struct walk **wp, struct broadcasts *b, struct recorder *r,
	       struct faults *f, struct journal *j, walk_change_h *h, void *arg)
{
	struct walk *w = calloc(1, sizeof(*w));

	if (!w)
		return ENOMEM;
	w->broadcasts = b;
	w->recorder = r;
	w->faults = f;
	w->journal = j;
	w->h = h;
	w->arg = arg;
	*wp = w;
	return 0;
}

static void reset(struct test *t)
{
	free(t->input);
	free(t->zone);
	*t = (struct test){0};
}

struct walk *walk_free(struct walk *w)
{
	if (!w)
		return NULL;
	for (size_t i = 0; i < 2 * WALK_MAX; i++)
		reset(&w->test[i]);
	free(w);
	return NULL;
}

static bool runs(const struct test *t)
{
	return t->id && !t->ended;
}

size_t walk_count(const struct walk *w)
{
	size_t n = 0;

	for (size_t i = 0; i < 2 * WALK_MAX; i++)
		n += runs(&w->test[i]);
	return n;
}

static size_t n_tested(const struct test *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_inputs; i++)
		n += t->input[i].times > 0;
	return n;
}

static struct test *find(const struct walk *w, uint64_t id)
{
	for (size_t i = 0; id && i < 2 * WALK_MAX; i++)
		if (w->test[i].id == id)
			return (struct test *)&w->test[i];
	return NULL;
}

/** One that is free, else the oldest that has ended. */
static struct test *room(struct walk *w)
{
	struct test *t = NULL;

	if (walk_count(w) >= WALK_MAX)
		return NULL;
	for (size_t i = 0; i < 2 * WALK_MAX; i++) {
		struct test *x = &w->test[i];

		if (!runs(x) && (!t || x->id < t->id))
			t = x;
	}
	reset(t);
	return t;
}

static void subject_of(const struct test *t, char buf[48])
{
	snprintf(buf, 48, "walk-test:%llu", (unsigned long long)t->id);
}

/* ------------------------------------------------------------------- state */

static json_t *inputs_json(const struct test *t)
{
	json_t *v = json_array();

	for (size_t i = 0; i < t->n_inputs; i++) {
		const struct tested *x = &t->input[i];
		char at[CLOCK_TEXT_SIZE];

		json_array_append_new(
			v, json_pack("{s:s,s:b,s:I,s:s*}", "name", x->name,
				     "tested", x->times > 0, "times",
				     (json_int_t)x->times, "at",
				     x->times ? clock_format(at, x->wall_us)
					      : NULL));
	}
	return v;
}

static void keep(const struct walk *w, const struct test *t)
{
	json_t *o, *inputs = json_array(), *zones = json_array();
	char key[48], *text;

	if (!w->journal) {
		json_decref(inputs);
		json_decref(zones);
		return;
	}
	subject_of(t, key);
	for (size_t i = 0; i < t->n_inputs; i++)
		json_array_append_new(
			inputs, json_pack("[s,i,I]", t->input[i].name,
					  (int)t->input[i].times,
					  (json_int_t)t->input[i].wall_us));
	for (size_t i = 0; i < t->n_zones; i++)
		json_array_append_new(zones, json_string(t->zone[i]));
	o = json_pack("{s:s,s:s,s:s,s:I,s:I,s:o,s:o}", "scope", t->scope,
		      "actor", t->actor, "message", t->message, "until",
		      (json_int_t)t->until_wall_us, "since",
		      (json_int_t)t->since_wall_us, "inputs", inputs, "zones",
		      zones);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	if (text)
		journal_state(w->journal, key, text);
	free(text);
	json_decref(o);
}

/** Nobody may overlook it. */
static void show(const struct walk *w, const struct test *t)
{
	char key[48], until[CLOCK_TEXT_SIZE];

	subject_of(t, key);
	fault_warn(w->faults, key,
		   "It ends by itself then; stop it sooner when the work is "
		   "done (tocsinctl walk-test stop).",
		   "walk test of %s until %s by %s: its %zu inputs raise no "
		   "alarm; %zu have reacted",
		   t->scope, clock_format(until, t->until_wall_us), t->actor,
		   t->n_inputs, n_tested(t));
}

static void end(struct walk *w, struct test *t, const char *actor)
{
	char key[48], missing[120] = "";
	size_t used = 0;

	subject_of(t, key);
	t->ended = true;
	t->until_wall_us = clock_wall_us();
	for (size_t i = 0; i < t->n_inputs && used < sizeof(missing); i++)
		if (!t->input[i].times)
			used += (size_t)snprintf(
				missing + used, sizeof(missing) - used, "%s%s",
				used ? ", " : "; not: ", t->input[i].name);
	record(w->recorder, EVENT_WALKTEST_ENDED, 0, key, actor,
	       json_pack("{s:i,s:i}", "inputs", (int)t->n_inputs, "tested",
			 (int)n_tested(t)),
	       "walk test of %s is over: %zu of %zu inputs reacted%s", t->scope,
	       n_tested(t), t->n_inputs, missing);
	fault_clear(w->faults, key);
	if (w->journal)
		journal_state(w->journal, key, NULL);
	/* Whatever is active now alarms. */
	w->h(w->arg);
}

/* ---------------------------------------------------------------- commands */

bool walk_tests(const struct walk *w, int input)
{
	for (size_t i = 0; i < 2 * WALK_MAX; i++)
		for (size_t k = 0; runs(&w->test[i]) && k < w->test[i].n_inputs;
		     k++)
			if (w->test[i].input[k].input == input)
				return true;
	return false;
}

static int make_lists(struct test *t, size_t n_inputs, size_t n_zones)
{
	t->input = calloc(n_inputs + 1, sizeof(*t->input));
	t->zone = calloc(n_zones + 1, sizeof(*t->zone));
	t->n_inputs = n_inputs;
	t->n_zones = n_zones;
	if (t->input && t->zone)
		return 0;
	reset(t);
	return ENOMEM;
}

int walk_start(struct walk *w, const struct walk_request *rq, uint64_t *id,
	       struct reason *why)
{
	struct test *t;
	char key[48], until[CLOCK_TEXT_SIZE];

	if (!rq->for_ms || rq->for_ms > WALK_MAX_MS)
		return reason_set(why, EINVAL,
				  "a walk test needs an end: 1 s to 24 h from "
				  "now");
	if (!rq->n_inputs)
		return reason_set(why, EINVAL, "there is no input to test");
	for (size_t i = 0; i < rq->n_inputs; i++)
		if (walk_tests(w, rq->inputs[i]))
			return reason_set(
				why, EBUSY, "input %s is under test already",
				w->config->inputs[rq->inputs[i]].name);
	t = room(w);
	if (!t)
		return reason_set(why, EBUSY,
				  "%d walk tests run: that is the most",
				  WALK_MAX);
	if (make_lists(t, rq->n_inputs, rq->n_zones))
		return reason_set(why, ENOMEM, "not enough memory");
	for (size_t i = 0; i < rq->n_inputs; i++) {
		snprintf(t->input[i].name, CONFIG_MAX_NAME, "%s",
			 w->config->inputs[rq->inputs[i]].name);
		t->input[i].input = rq->inputs[i];
	}
	for (size_t i = 0; i < rq->n_zones; i++)
		snprintf(t->zone[i], CONFIG_MAX_NAME, "%s",
			 w->config->zones[rq->zones[i]].name);
	t->id = ++w->last;
	snprintf(t->scope, sizeof(t->scope), "%s", rq->scope);
	snprintf(t->actor, sizeof(t->actor), "%s", rq->actor);
	text_clean(t->actor);
	snprintf(t->message, sizeof(t->message), "%s",
		 rq->message ? rq->message : "");
	t->since_wall_us = clock_wall_us();
	t->until_us = clock_mono_us() + rq->for_ms * UINT64_C(1000);
	t->until_wall_us = t->since_wall_us + rq->for_ms * INT64_C(1000);
	subject_of(t, key);
	record(w->recorder, EVENT_WALKTEST_STARTED, 0, key, t->actor, NULL,
	       "walk test of %s until %s: %zu inputs raise no alarm", t->scope,
	       clock_format(until, t->until_wall_us), t->n_inputs);
	show(w, t);
	keep(w, t);
	*id = t->id;
	w->h(w->arg);
	return 0;
}

int walk_stop(struct walk *w, uint64_t id, const char *actor)
{
	struct test *t = find(w, id);

	if (!t || t->ended)
		return ENOENT;
	end(w, t, actor);
	return 0;
}

void walk_watch(struct walk *w)
{
	for (size_t i = 0; i < 2 * WALK_MAX; i++)
		if (runs(&w->test[i]) && w->test[i].until_us <= clock_mono_us())
			end(w, &w->test[i], "system");
}

/* ------------------------------------------------------------------ answers */

static void answer(const struct walk *w, const struct test *t, uint64_t event)
{
	const char *message = *t->message ? t->message : ANSWER_TONE;
	struct broadcast_result res;
	char subject[48], what[80];
	int *zones = calloc(t->n_zones + 1, sizeof(*zones));
	struct broadcast_request rq = {
		.what = what,
		.message = message,
		.level = w->config->levels[CLASS_PAGE],
		.zones = zones,
		.clip = *t->message ? library_message(w->library, message)
				    : library_tone(w->library, message),
		.cycles = 1,
		.wait_ms = w->config->media.queue_ms,
		.lost_ms = w->config->media.queue_ms,
		.actor = subject,
		.cause = event,
	};

	subject_of(t, subject);
	snprintf(what, sizeof(what), "answer to a walk test");
	for (size_t i = 0; zones && i < t->n_zones; i++) {
		const int z = config_zone_find(w->config, t->zone[i]);

		if (z >= 0)
			zones[rq.n_zones++] = z;
	}
	/* One that cannot sound is in the journal, as any broadcast. */
	if (zones && rq.n_zones && rq.clip)
		broadcast_start(w->broadcasts, &rq, &res);
	free(zones);
}

static void tick(struct walk *w, struct test *t, struct tested *x,
		 uint64_t event)
{
	char key[48];

	if (!x->times)
		x->wall_us = clock_wall_us();
	x->times += x->times < UINT32_MAX;
	subject_of(t, key);
	/* A contact that flaps is not worth a record each time. */
	if (x->times > 1)
		return;
	record(w->recorder, EVENT_WALKTEST_TESTED, event, key, NULL,
	       json_pack("{s:s,s:i,s:i}", "input", x->name, "tested",
			 (int)n_tested(t), "of", (int)t->n_inputs),
	       "walk test of %s: input %s reacted, %zu of %zu", t->scope,
	       x->name, n_tested(t), t->n_inputs);
	answer(w, t, event);
	show(w, t);
	keep(w, t);
}

void walk_input(struct walk *w, int input, bool active, uint64_t event)
{
	for (size_t i = 0; active && i < 2 * WALK_MAX; i++)
		for (size_t k = 0; runs(&w->test[i]) && k < w->test[i].n_inputs;
		     k++)
			if (w->test[i].input[k].input == input)
				tick(w, &w->test[i], &w->test[i].input[k],
				     event);
}

/* ----------------------------------------------------------- configuration */

void walk_configure(struct walk *w, const struct config *c, struct library *l)
{
	w->config = c;
	w->library = l;
	for (size_t i = 0; i < 2 * WALK_MAX; i++) {
		struct test *t = &w->test[i];

		for (size_t k = 0; k < t->n_inputs; k++)
			t->input[k].input =
				config_input_find(c, t->input[k].name);
		if (*t->message && config_message_find(c, t->message) < 0)
			*t->message = '\0';
	}
}

static void restore(const char *key, const char *value, void *arg)
{
	struct walk *w = arg;
	json_t *o = json_loads(value, 0, NULL), *inputs = NULL, *zones = NULL;
	const char *scope, *actor, *message;
	json_int_t until, since;
	struct test *t = NULL;
	int64_t left;

	if (o &&
	    !json_unpack(o, "{s:s,s:s,s:s,s:I,s:I,s:o,s:o}", "scope", &scope,
			 "actor", &actor, "message", &message, "until", &until,
			 "since", &since, "inputs", &inputs, "zones", &zones)) {
		left = until - clock_wall_us();
		/* After a clock that lost its time the end may seem far. */
		if (left > 0 && left <= WALK_MAX_MS * INT64_C(1000))
			t = room(w);
	}
	if (!t ||
	    make_lists(t, json_array_size(inputs), json_array_size(zones))) {
		journal_state(w->journal, key, NULL);
		json_decref(o);
		return;
	}
	t->id = strtoull(strchr(key, ':') + 1, NULL, 10);
	w->last = t->id > w->last ? t->id : w->last;
	snprintf(t->scope, sizeof(t->scope), "%s", scope);
	snprintf(t->actor, sizeof(t->actor), "%s", actor);
	snprintf(t->message, sizeof(t->message), "%s", message);
	for (size_t i = 0; i < t->n_inputs; i++) {
		const char *name = "";
		int times = 0;
		json_int_t at = 0;

		json_unpack(json_array_get(inputs, i), "[s,i,I]", &name, &times,
			    &at);
		snprintf(t->input[i].name, CONFIG_MAX_NAME, "%s", name);
		t->input[i].times = (uint32_t)times;
		t->input[i].wall_us = at;
	}
	for (size_t i = 0; i < t->n_zones; i++)
		snprintf(t->zone[i], CONFIG_MAX_NAME, "%s",
			 json_string_value(json_array_get(zones, i)));
	t->since_wall_us = since;
	t->until_wall_us = until;
	t->until_us = clock_mono_us() + (uint64_t)(until - clock_wall_us());
	show(w, t);
	json_decref(o);
}

void walk_restore(struct walk *w)
{
	if (!w->journal)
		return;
	journal_state_load(w->journal, "walk-test:", restore, w);
	walk_configure(w, w->config, w->library);
}

/* ------------------------------------------------------------------- views */

size_t walk_inputs(const struct walk *w, uint64_t id, int *v, size_t max)
{
	const struct test *t = find(w, id);
	size_t n = 0;

	for (size_t i = 0; t && i < t->n_inputs && n < max; i++)
		v[n++] = t->input[i].input;
	return n;
}

static json_t *test_json(const struct test *t)
{
	char since[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	json_t *zones = json_array(), *missing = json_array();

	for (size_t i = 0; i < t->n_zones; i++)
		json_array_append_new(zones, json_string(t->zone[i]));
	for (size_t i = 0; i < t->n_inputs; i++)
		if (!t->input[i].times)
			json_array_append_new(missing,
					      json_string(t->input[i].name));
	return json_pack("{s:I,s:o,s:s,s:o,s:s,s:s,s:i,s:i,s:o,s:o,s:o}", "id",
			 (json_int_t)t->id, "scope", text_json(t->scope),
			 "state", t->ended ? "ended" : "running", "actor",
			 text_json(t->actor), "since",
			 clock_format(since, t->since_wall_us), "until",
			 clock_format(until, t->until_wall_us), "tested",
			 (int)n_tested(t), "of", (int)t->n_inputs, "missing",
			 missing, "zones", zones, "inputs", inputs_json(t));
}

json_t *walk_json(const struct walk *w, uint64_t id)
{
	const struct test *t = find(w, id);

	return t ? test_json(t) : NULL;
}

json_t *walks_json(const struct walk *w)
{
	json_t *v = json_array();

	for (int ended = 0; ended < 2; ended++)
		for (size_t i = 0; i < 2 * WALK_MAX; i++)
			if (w->test[i].id && w->test[i].ended == ended)
				json_array_append_new(v,
						      test_json(&w->test[i]));
	return v;
}

void walk_metrics(const struct walk *w, FILE *out)
{
	size_t inputs = 0, left = 0;

	for (size_t i = 0; i < 2 * WALK_MAX; i++)
		if (runs(&w->test[i])) {
			inputs += w->test[i].n_inputs;
			left += w->test[i].n_inputs - n_tested(&w->test[i]);
		}
	fprintf(out,
		"# HELP tocsin_walk_tests Walk tests that run.\n"
		"# TYPE tocsin_walk_tests gauge\n"
		"tocsin_walk_tests %zu\n"
		"# HELP tocsin_walk_test_inputs Inputs that raise no alarm "
		"because they are under test.\n"
		"# TYPE tocsin_walk_test_inputs gauge\n"
		"tocsin_walk_test_inputs %zu\n"
		"# HELP tocsin_walk_test_untested Those that have not "
		"reacted.\n"
		"# TYPE tocsin_walk_test_untested gauge\n"
		"tocsin_walk_test_untested %zu\n",
		walk_count(w), inputs, left);
}
