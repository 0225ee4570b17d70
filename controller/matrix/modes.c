#include "modes.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"
#include "controller/schedule/zonefile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY "mode:site"

struct modes {
	struct field *field;
	struct recorder *recorder;
	struct journal *journal;
	modes_change_h *h;
	void *arg;
	const struct config *config;
	struct tz *tz;
	struct mode_choice now;
	char name[CONFIG_MAX_NAME]; /**< of now: numbers change in a reload */
	char hand[CONFIG_MAX_NAME]; /**< "" = nothing set */
	uint64_t until_us;          /**< monotonic, 0 = no end */
	int64_t until_wall_us;
	char actor[80]; /**< who set it, turned the key */
	int64_t since_wall_us;
	bool key[CONFIG_MAX_MODES]; /**< how they were */
};

int modes_alloc(struct modes **mp, struct field *f, struct recorder *r,
		struct journal *j, modes_change_h *h, void *arg)
{
	struct modes *m = calloc(1, sizeof(*m));

	if (!m)
		return ENOMEM;
	m->field = f;
	m->recorder = r;
	m->journal = j;
	m->h = h;
	m->arg = arg;
	m->now.mode = -1;
	*mp = m;
	return 0;
}

struct modes *modes_free(struct modes *m)
{
	if (!m)
		return NULL;
	tz_free(m->tz);
	free(m);
	return NULL;
}

static bool in_hours(const struct modes *m, const struct window *v, size_t n)
{
	return window_find(v, n, m->tz ? m->tz : tz_of_utc(),
			   clock_wall_us() / 1000000, NULL, NULL, NULL) >= 0;
}

static void keep(const struct modes *m)
{
	char *text;
	json_t *o;

	if (!m->journal)
		return;
	o = json_pack("{s:s,s:s,s:s,s:I,s:s,s:I}", "mode", m->name, "by",
		      mode_by_name(m->now.by), "hand", m->hand, "until",
		      (json_int_t)m->until_wall_us, "actor", m->actor, "since",
		      (json_int_t)m->since_wall_us);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	if (text)
		journal_state(m->journal, KEY, text);
	free(text);
	json_decref(o);
}

static void who(struct modes *m, const char *actor)
{
	snprintf(m->actor, sizeof(m->actor), "%s", actor);
	text_clean(m->actor);
}

static struct mode_choice choose(const struct modes *m)
{
	const struct config *c = m->config;
	struct mode_view v[CONFIG_MAX_MODES] = {0};

	for (size_t i = 0; i < c->n_modes; i++) {
		const struct config_mode *x = &c->modes[i];
		const struct input_value *in =
			x->n_input ? field_input(m->field, x->input[0]) : NULL;

		v[i].has_key = in;
		v[i].key = in && in->active;
		v[i].known = in && in->quality != INPUT_UNKNOWN;
		v[i].hours = x->n_hours && in_hours(m, x->hours, x->n_hours);
	}
	return mode_decide(v, c->n_modes,
			   *m->hand ? config_mode_find(c, m->hand) : -1,
			   m->now);
}

/** Says what is in force when that is another; returns its record, or 0. */
static uint64_t look(struct modes *m, const char *actor, uint64_t cause)
{
	static const char *const why[] = {
		[MODE_BY_DEFAULT] = "nothing says otherwise",
		[MODE_BY_HOURS] = "by its hours",
		[MODE_BY_KEY] = "by its key switch",
		[MODE_BY_HAND] = "set by hand",
	};
	const struct mode_choice x = choose(m);
	const char *name = m->config->modes[x.mode].name;
	const bool other = strcmp(m->name, name) != 0;
	char end[CLOCK_TEXT_SIZE];
	uint64_t event;

	if (!other && x.by == m->now.by) {
		m->now = x;
		return 0;
	}
	m->now = x;
	if (!*m->name && m->journal) {
		/* The first look: what the journal kept comes after it. */
		snprintf(m->name, sizeof(m->name), "%s", name);
		m->since_wall_us = clock_wall_us();
		return 0;
	}
	snprintf(m->name, sizeof(m->name), "%s", name);
	who(m, actor);
	if (other)
		m->since_wall_us = clock_wall_us();
	event = record(
		m->recorder, EVENT_MODE_CHANGED, cause, "mode", actor,
		json_pack("{s:s,s:s}", "mode", name, "by", mode_by_name(x.by)),
		"the site is in mode %s: %s%s%s", name, why[x.by],
		x.by == MODE_BY_HAND && m->until_us ? ", until " : "",
		x.by == MODE_BY_HAND && m->until_us
			? clock_format(end, m->until_wall_us)
			: "");
	keep(m);
	return other ? event : 0;
}

static void tell(struct modes *m, const char *actor, uint64_t cause)
{
	const uint64_t event = look(m, actor, cause);

	if (event)
		m->h(event, m->arg);
}

int modes_configure(struct modes *m, const struct config *c)
{
	struct reason why;

	m->config = c;
	tz_free(m->tz);
	/* A site whose zone is not there goes by UTC, which the schedules
	 * refuse; so this is never seen. */
	m->tz = zonefile_load(c->timezone, &why);
	if (*m->hand && config_mode_find(c, m->hand) < 0)
		*m->hand = '\0';
	m->now.mode = config_mode_find(c, m->name);
	for (size_t i = 0; i < c->n_modes; i++)
		m->key[i] = c->modes[i].n_input &&
			    field_input(m->field, c->modes[i].input[0])->active;
	look(m, "system", 0);
	return 0;
}

static void restore(const char *key, const char *value, void *arg)
{
	struct modes *m = arg;
	json_t *o = json_loads(value, 0, NULL);
	const char *mode = "", *by = "", *hand = "", *actor = "system";
	json_int_t until = 0, since = 0;
	int64_t left;

	(void)key;
	if (!o || json_unpack(o, "{s:s,s:s,s:s,s:I,s:s,s:I}", "mode", &mode,
			      "by", &by, "hand", &hand, "until", &until,
			      "actor", &actor, "since", &since)) {
		json_decref(o);
		return;
	}
	left = until - clock_wall_us();
	if (config_mode_find(m->config, hand) >= 0 && (!until || left > 0)) {
		snprintf(m->hand, sizeof(m->hand), "%s", hand);
		if (until && left > (int64_t)(MODES_MAX_MS * 1000))
			left = (int64_t)(MODES_MAX_MS * 1000);
		m->until_us = until ? clock_mono_us() + (uint64_t)left : 0;
		m->until_wall_us = until;
	}
	if (!strcmp(by, mode_by_name(MODE_BY_KEY)) &&
	    config_mode_find(m->config, mode) >= 0)
		m->now = (struct mode_choice){config_mode_find(m->config, mode),
					      MODE_BY_KEY};
	/* Nobody did anything: it is what it was. */
	snprintf(m->name, sizeof(m->name), "%s", mode);
	m->since_wall_us = since;
	look(m, *m->hand ? actor : "system", 0);
	if (*m->hand)
		who(m, actor);
	m->h(0, m->arg);
	json_decref(o);
}

void modes_restore(struct modes *m)
{
	if (m->journal)
		journal_state_load(m->journal, KEY, restore, m);
}

void modes_input(struct modes *m, int input, uint64_t event)
{
	const struct config *c = m->config;
	char actor[80];
	bool mine = false;

	for (size_t i = 0; i < c->n_modes; i++) {
		bool is;

		if (!c->modes[i].n_input || c->modes[i].input[0] != input)
			continue;
		is = field_input(m->field, input)->active;
		if (is != m->key[i])
			*m->hand = '\0'; /* a key is a hand, and the later one
					  */
		m->key[i] = is;
		mine = true;
	}
	if (!mine)
		return;
	snprintf(actor, sizeof(actor), "input:%s", c->inputs[input].name);
	tell(m, actor, event);
}

void modes_watch(struct modes *m)
{
	if (*m->hand && m->until_us && m->until_us <= clock_mono_us()) {
		*m->hand = '\0';
		m->until_us = 0;
		m->until_wall_us = 0;
		keep(m);
	}
	tell(m, "system", 0);
}

int modes_set(struct modes *m, const char *name, uint64_t for_ms,
	      const char *actor, struct reason *why)
{
	const bool none = !strcmp(name, "auto");
	char list[256] = "";
	size_t used = 0;

	if (!none && config_mode_find(m->config, name) < 0) {
		for (size_t i = 0;
		     i < m->config->n_modes && used < sizeof(list); i++)
			used += (size_t)snprintf(list + used,
						 sizeof(list) - used, "%s, ",
						 m->config->modes[i].name);
		return reason_set(why, ENOENT,
				  "there is no mode \"%.63s\"; allowed: "
				  "%.150sauto",
				  name, list);
	}
	snprintf(m->hand, sizeof(m->hand), "%s", none ? "" : name);
	m->until_us = none || !for_ms ? 0 : clock_mono_us() + for_ms * 1000;
	m->until_wall_us =
		none || !for_ms ? 0 : clock_wall_us() + (int64_t)for_ms * 1000;
	record(m->recorder, EVENT_COMMAND, 0, "mode", actor, NULL,
	       "mode set by %s: %s", actor,
	       none ? "what keys and hours say" : name);
	tell(m, actor, 0);
	/* The same mode, but another hand or another end. */
	who(m, actor);
	keep(m);
	return 0;
}

const char *modes_now(const struct modes *m)
{
	return m->name;
}

bool modes_admit(const struct modes *m, const struct config_gate *g)
{
	bool mode = !g->n_modes;

	for (size_t i = 0; i < g->n_modes && !mode; i++)
		mode = g->modes[i] == m->now.mode;
	return mode && (!g->n_hours || in_hours(m, g->hours, g->n_hours));
}

json_t *modes_json(const struct modes *m)
{
	char since[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	json_t *names = json_array();

	for (size_t i = 0; i < m->config->n_modes; i++)
		json_array_append_new(names,
				      json_string(m->config->modes[i].name));
	return json_pack(
		"{s:s,s:s,s:s*,s:s,s:s*,s:o}", "mode", m->name, "by",
		mode_by_name(m->now.by), "since",
		m->since_wall_us ? clock_format(since, m->since_wall_us) : NULL,
		"actor", m->actor, "until",
		*m->hand && m->until_us ? clock_format(until, m->until_wall_us)
					: NULL,
		"modes", names);
}

void modes_metrics(const struct modes *m, FILE *out)
{
	fputs("# HELP tocsin_mode 1 for the mode that the site is in.\n"
	      "# TYPE tocsin_mode gauge\n",
	      out);
	for (size_t i = 0; i < m->config->n_modes; i++)
		fprintf(out, "tocsin_mode{mode=\"%s\"} %d\n",
			m->config->modes[i].name, (int)i == m->now.mode);
}
