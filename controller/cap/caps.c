#include "caps.h"

#include "choose.h"
#include "controller/base/clock.h"
#include "controller/base/text.h"
#include "controller/text_json.h"
#include "inbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** A broadcast waits so long for its zones at most. */
#define MAX_WAIT_MS 3600000

struct seen {
	char key[CAP_KEY_SIZE];
	int64_t sent_us, expires_us;
	bool on; /**< in force: it was heard, and has not ended */
	char what[128];
};

struct feed {
	struct caps *caps;
	char name[CONFIG_MAX_NAME];
	const struct config_cap *conf;
	struct inbox *inbox;
	struct seen seen[CAPS_SEEN];
	size_t n_seen;
	int64_t floor_us; /**< what was sent before is forgotten */
	bool known;       /**< looked at before, now or before a restart */
	struct cap_alert *pending[CAPS_PENDING];
	size_t n_pending;
	int64_t looked_wall_us;
	char error[256], bad[256];
	uint64_t heard, ignored, ended;
};

struct caps {
	const struct command_scope *scope;
	struct faults *faults;
	struct journal *journal;
	struct feed **v;
	size_t n;
	struct inbox **leaving;
	size_t n_leaving;
	bool begun; /**< not the first configuration any more */
};

/* ------------------------------------------------------------------ memory */

static struct seen *find_seen(struct feed *f, const char *key)
{
	for (size_t i = 0; i < f->n_seen; i++)
		if (!strcmp(f->seen[i].key, key))
			return &f->seen[i];
	return NULL;
}

static void keep(const struct feed *f)
{
	json_t *list = json_array(), *o;
	char key[96], *text;

	for (size_t i = 0; i < f->n_seen; i++) {
		const struct seen *s = &f->seen[i];

		json_array_append_new(
			list, json_pack("[s,I,I,b,o]", s->key,
					(json_int_t)(s->sent_us / 1000000),
					(json_int_t)(s->expires_us / 1000000),
					s->on, text_json(s->what)));
	}
	o = json_pack("{s:o,s:I}", "seen", list, "floor",
		      (json_int_t)(f->floor_us / 1000000));
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	snprintf(key, sizeof(key), "cap:%s", f->name);
	if (text && f->caps->journal)
		journal_state(f->caps->journal, key, text);
	free(text);
	json_decref(o);
}

static void on_kept(const char *key, const char *value, void *arg)
{
	struct feed *f = arg;
	json_t *o, *list, *x;
	json_int_t floor = 0;
	size_t i;

	if (strcmp(strchr(key, ':') + 1, f->name) != 0)
		return;
	o = json_loads(value, 0, NULL);
	if (json_unpack(o, "{s:o,s:I}", "seen", &list, "floor", &floor)) {
		json_decref(o);
		return;
	}
	f->known = true;
	f->floor_us = floor * 1000000;
	json_array_foreach(list, i, x)
	{
		struct seen *s = &f->seen[f->n_seen];
		const char *k, *what;
		json_int_t sent, expires;
		int on;

		if (f->n_seen == CAPS_SEEN ||
		    json_unpack(x, "[s,I,I,b,s]", &k, &sent, &expires, &on,
				&what))
			continue;
		snprintf(s->key, sizeof(s->key), "%s", k);
		snprintf(s->what, sizeof(s->what), "%s", what);
		s->sent_us = sent * 1000000;
		s->expires_us = expires * 1000000;
		s->on = on;
		f->n_seen++;
	}
	json_decref(o);
}

/** Room for one more: the longest gone is forgotten, and with it all that was
 *  sent before. */
static struct seen *remember(struct feed *f, const char *key, int64_t sent_us)
{
	struct seen *s = find_seen(f, key), *oldest = NULL;

	if (!s && f->n_seen < CAPS_SEEN)
		s = &f->seen[f->n_seen++];
	for (size_t i = 0; !s && i < f->n_seen; i++)
		if (!f->seen[i].on &&
		    (!oldest || f->seen[i].sent_us < oldest->sent_us))
			oldest = &f->seen[i];
	if (oldest && oldest->sent_us > f->floor_us)
		f->floor_us = oldest->sent_us;
	if (!s)
		s = oldest ? oldest : &f->seen[0];
	*s = (struct seen){.sent_us = sent_us};
	snprintf(s->key, sizeof(s->key), "%s", key);
	return s;
}

/* ----------------------------------------------------------- start and stop */

static void actor_of(const struct feed *f, const char *key, char actor[80])
{
	snprintf(actor, 80, "cap:%.40s:%s", f->name, key);
}

static void subject_of(const struct feed *f, char subject[80])
{
	snprintf(subject, 80, "cap:%.63s", f->name);
}

/** Ends what sounds or waits for it. */
static void silence(const struct feed *f, const char *key, const char *why)
{
	struct broadcasts *b = f->caps->scope->broadcasts;
	json_t *all = broadcasts_json(b), *x;
	char actor[80];
	size_t i;

	actor_of(f, key, actor);
	json_array_foreach(all, i, x)
	{
		const char *by = json_string_value(json_object_get(x, "actor"));

		if (by && !strcmp(by, actor))
			broadcast_stop(b,
				       (uint64_t)json_integer_value(
					       json_object_get(x, "id")),
				       actor, 0, why);
	}
	json_decref(all);
}

static void end(struct feed *f, struct seen *s, const char *why)
{
	char subject[80], actor[80];

	s->on = false;
	f->ended++;
	subject_of(f, subject);
	actor_of(f, s->key, actor);
	record(f->caps->scope->recorder, EVENT_CAP_ENDED, 0, subject, actor,
	       json_pack("{s:s}", "key", s->key), "alert \"%s\" %s", s->what,
	       why);
	silence(f, s->key, why);
}

struct asked {
	struct caps *caps;
	char name[CONFIG_MAX_NAME], key[CAP_KEY_SIZE];
};

static struct feed *find_feed(const struct caps *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i] && !strcmp(c->v[i]->name, name))
			return c->v[i];
	return NULL;
}

/** It may have been cancelled while its words were made. */
static void on_done(int status, json_t *reply, const struct refusal *no,
		    void *arg)
{
	struct asked *a = arg;
	struct feed *f = find_feed(a->caps, a->name);
	const struct seen *s = f ? find_seen(f, a->key) : NULL;

	(void)no;
	json_decref(reply);
	if (status < 300 && f && (!s || !s->on))
		silence(f, a->key, "it was cancelled meanwhile");
	free(a);
}

static json_t *page_args(const struct feed *f, const struct cap_choice *o,
			 int64_t now_us)
{
	const struct config *c = f->caps->scope->config;
	const int64_t left_ms = (o->expires_us - now_us) / 1000;
	json_t *zones = json_array(), *args;

	for (size_t i = 0; i < o->n_zones; i++)
		json_array_append_new(zones,
				      json_string(c->zones[o->zones[i]].name));
	args = json_pack(
		"{s:o,s:i,s:i,s:I}", "zones", zones, "priority", (int)o->level,
		"repeat", (int)f->conf->repeat, "wait_ms",
		(json_int_t)(left_ms < MAX_WAIT_MS ? left_ms : MAX_WAIT_MS));
	if (f->conf->n_message) {
		json_object_set_new(
			args, "message",
			json_string(c->messages[f->conf->message[0]].name));
		return args;
	}
	if (f->conf->tone)
		json_object_set_new(args, "tone", json_string(f->conf->tone));
	if (config_text_good(o->text))
		json_object_set_new(args, "text", json_string(o->text));
	if (*o->voice && json_object_get(args, "text"))
		json_object_set_new(args, "voice", json_string(o->voice));
	return args;
}

static void start(struct feed *f, const struct cap_choice *o, const char *key,
		  int64_t now_us)
{
	char actor[80];
	struct caller who = {
		.actor = actor, .role = WEB_OPERATOR, .at_us = clock_mono_us()};
	struct asked *a = malloc(sizeof(*a));
	json_t *args = page_args(f, o, now_us);

	if (a && args) {
		actor_of(f, key, actor);
		a->caps = f->caps;
		snprintf(a->name, sizeof(a->name), "%s", f->name);
		snprintf(a->key, sizeof(a->key), "%s", key);
		commands_ask(f->caps->scope, &who, "page", NULL, args, on_done,
			     a);
	} else {
		free(a);
	}
	json_decref(args);
}

/* ---------------------------------------------------------- what an alert does
 */

static const char *words_of(const struct cap_alert *a)
{
	const struct cap_info *i = a->n_infos ? a->infos : NULL;

	return i && i->headline ? i->headline
	       : i && i->event  ? i->event
				: a->identifier;
}

static void forget_pending(struct feed *f, const char *key)
{
	char have[CAP_KEY_SIZE];

	for (size_t i = f->n_pending; i-- > 0;) {
		cap_key(f->pending[i]->sender, f->pending[i]->identifier, have);
		if (strcmp(have, key) != 0)
			continue;
		cap_alert_free(f->pending[i]);
		f->pending[i] = f->pending[--f->n_pending];
	}
}

/** Ends all that it refers to. */
static void end_references(struct feed *f, const struct cap_alert *a)
{
	const char *s = a->references;
	char key[CAP_KEY_SIZE];

	if (a->type != CAP_CANCEL && a->type != CAP_UPDATE)
		return;
	for (int i = 0; i < CAPS_SEEN && cap_reference(&s, key); i++) {
		struct seen *old = find_seen(f, key);

		forget_pending(f, key);
		if (old && old->on)
			end(f, old,
			    a->type == CAP_CANCEL ? "was cancelled"
						  : "was replaced");
		/* It may come late, and must not sound then. */
		else if (!old)
			remember(f, key, a->sent_us);
	}
}

static void ignore(struct feed *f, const struct cap_alert *a, const char *why)
{
	char subject[80];

	f->ignored++;
	subject_of(f, subject);
	record(f->caps->scope->recorder, EVENT_CAP_IGNORED, 0, subject, NULL,
	       NULL, "alert \"%.80s\" of %.60s is not heard: %s", words_of(a),
	       a->sender, why);
}

/** Begins an alert that is to be heard. */
static void hear(struct feed *f, const struct cap_alert *a,
		 const struct cap_choice *o, const char *key, int64_t now_us)
{
	struct seen *s = remember(f, key, a->sent_us);
	char subject[80], actor[80];

	s->on = true;
	s->expires_us = o->expires_us;
	snprintf(s->what, sizeof(s->what), "%.100s", words_of(a));
	text_clean(s->what);
	f->heard++;
	subject_of(f, subject);
	actor_of(f, key, actor);
	record(f->caps->scope->recorder, EVENT_CAP_ALERT, 0, subject, actor,
	       json_pack("{s:s,s:o,s:s,s:i}", "key", key, "sender",
			 text_json(a->sender), "severity",
			 cap_severities[o->info->severity], "priority",
			 (int)o->level),
	       "%s \"%.120s\" of %.60s", cap_types[a->type], words_of(a),
	       a->sender);
	/* On the disk before it sounds, so that it never does so again. */
	keep(f);
	start(f, o, key, now_us);
}

/** Returns false when it is to be looked at again later. */
static bool consider(struct feed *f, const struct cap_alert *a, bool first)
{
	struct cap_choice *o = malloc(sizeof(*o));
	const int64_t now = clock_wall_us();
	char key[CAP_KEY_SIZE];
	bool done = true;

	if (!o)
		return false;
	cap_key(a->sender, a->identifier, key);
	if (find_seen(f, key))
		goto out;
	cap_choose(f->conf, a, now, o);
	if (o->verdict == CAP_NOT_YET && !first) {
		done = false;
		goto out;
	}
	if (cap_admitted(f->conf, a, o->why))
		end_references(f, a);
	if (first) {
		remember(f, key, a->sent_us);
		f->ignored++;
	} else if (a->sent_us <= f->floor_us && o->verdict == CAP_HEARD) {
		ignore(f, a, "more alerts came since than are remembered");
	} else if (o->verdict == CAP_HEARD) {
		hear(f, a, o, key, now);
	} else {
		remember(f, key, a->sent_us);
		if (a->type != CAP_CANCEL)
			ignore(f, a, o->why);
	}
out:
	free(o);
	return done;
}

static bool clock_good(const struct caps *c)
{
	return !fault_find(c->faults, "clock");
}

/** Those that wait for their time, or for the clock. */
static void try_pending(struct feed *f)
{
	const size_t n = f->n_pending;
	struct cap_alert *waiting[CAPS_PENDING];
	bool changed = false;

	/* An Update among them may take another away. */
	memcpy(waiting, f->pending, n * sizeof(waiting[0]));
	f->n_pending = 0;
	for (size_t i = 0; i < n; i++) {
		if (!consider(f, waiting[i], false)) {
			f->pending[f->n_pending++] = waiting[i];
		} else {
			cap_alert_free(waiting[i]);
			changed = true;
		}
	}
	if (changed)
		keep(f);
}

static void set_pending(struct feed *f, struct cap_alert *a)
{
	char key[CAP_KEY_SIZE];

	cap_key(a->sender, a->identifier, key);
	forget_pending(f, key);
	if (f->n_pending == CAPS_PENDING) {
		ignore(f, a, "too many wait for their time");
		cap_alert_free(a);
	} else {
		f->pending[f->n_pending++] = a;
	}
}

static void say_first(const struct feed *f, size_t n)
{
	char subject[80];

	subject_of(f, subject);
	record(f->caps->scope->recorder, EVENT_CAP_IGNORED, 0, subject, NULL,
	       json_pack("{s:i}", "count", (int)n),
	       "first look at %s: %zu alerts were there before and start "
	       "nothing",
	       f->name, n);
}

static void take_batch(struct feed *f, struct inbox_batch *b)
{
	const bool first = !f->known;
	bool changed = false;

	f->looked_wall_us = clock_wall_us();
	snprintf(f->error, sizeof(f->error), "%s", b->error);
	if (!*b->error)
		snprintf(f->bad, sizeof(f->bad), "%s", b->bad);
	for (size_t i = 0; i < b->n_alerts; i++) {
		char key[CAP_KEY_SIZE];

		cap_key(b->alerts[i]->sender, b->alerts[i]->identifier, key);
		if (find_seen(f, key))
			continue;
		/* The first look needs no clock: it starts nothing. */
		if ((!clock_good(f->caps) && !first) ||
		    !consider(f, b->alerts[i], first)) {
			set_pending(f, b->alerts[i]);
			b->alerts[i] = NULL;
		} else {
			changed = true;
		}
	}
	if (first && !*b->error) {
		f->known = true;
		changed = true;
		say_first(f, b->n_alerts);
	}
	if (changed)
		keep(f);
}

static void tell(struct caps *c, const char *prefix, const struct feed *f,
		 const char *text, const char *remedy)
{
	char key[96];

	snprintf(key, sizeof(key), "%s:%s", prefix, f->name);
	if (!*text)
		fault_clear(c->faults, key);
	else if (!fault_find(c->faults, key))
		fault_raise(c->faults, key, f->conf->poll_s * 1000, remedy,
			    "cap %s: %s", f->name, text);
}

static void on_batch(struct inbox *i, void *arg)
{
	struct feed *f = arg;
	struct inbox_batch *b;

	/* Alerts mean nothing between two configurations. */
	while (!f->caps->scope->changing && (b = inbox_next(i))) {
		take_batch(f, b);
		inbox_batch_free(b);
		tell(f->caps, "cap", f, f->error,
		     "See to the folder or server; no alerts come from there "
		     "meanwhile.");
		tell(f->caps, "cap-document", f, f->bad,
		     "Correct the document or tell who made it; what is in it "
		     "is not heard.");
	}
}

/* ------------------------------------------------------------ configuration */

int caps_alloc(struct caps **cp, const struct command_scope *scope,
	       struct faults *f, struct journal *j)
{
	struct caps *c = calloc(1, sizeof(*c));

	if (!c)
		return ENOMEM;
	c->scope = scope;
	c->faults = f;
	c->journal = j;
	*cp = c;
	return 0;
}

static void feed_free(struct feed *f)
{
	if (!f)
		return;
	inbox_free(f->inbox);
	for (size_t i = 0; i < f->n_pending; i++)
		cap_alert_free(f->pending[i]);
	free(f);
}

struct caps *caps_free(struct caps *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i] && c->v[i]->inbox)
			inbox_close(c->v[i]->inbox);
	for (size_t i = 0; i < c->n; i++)
		feed_free(c->v[i]);
	for (size_t i = 0; i < c->n_leaving; i++)
		inbox_free(c->leaving[i]);
	free(c->v);
	free(c->leaving);
	free(c);
	return NULL;
}

static struct feed *feed_new(struct caps *c, const struct config_cap *conf)
{
	struct feed *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->caps = c;
	snprintf(f->name, sizeof(f->name), "%s", conf->name);
	if (c->journal)
		journal_state_load(c->journal, "cap:", on_kept, f);
	/* That is as it was at the start: what came since is not in it. */
	if (c->begun)
		f->known = false;
	return f;
}

/** Gives an inbox up without waiting for it. */
static void leave(struct caps *c, struct feed *f)
{
	struct inbox **v;

	if (!f->inbox)
		return;
	inbox_close(f->inbox);
	v = realloc(c->leaving, (c->n_leaving + 1) * sizeof(*v));
	if (v) {
		c->leaving = v;
		v[c->n_leaving++] = f->inbox;
	} else {
		inbox_free(f->inbox);
	}
	f->inbox = NULL;
}

static bool still_there(const char *key, void *arg)
{
	return config_cap_find(arg, strchr(key, ':') + 1) >= 0;
}

static int drop_all(struct caps *c)
{
	for (size_t i = 0; i < c->n; i++)
		feed_free(c->v[i]);
	c->n = 0;
	return ENOMEM;
}

int caps_configure(struct caps *c)
{
	const struct config *conf = c->scope->config;
	struct feed **v = calloc(conf->n_caps + 1, sizeof(struct feed *));
	int err = 0;

	if (!v)
		return drop_all(c);
	for (size_t i = 0; i < conf->n_caps; i++) {
		const struct config_cap *x = &conf->caps[i];

		for (size_t k = 0; k < c->n && !v[i]; k++)
			if (c->v[k] && !strcmp(c->v[k]->name, x->name)) {
				v[i] = c->v[k];
				c->v[k] = NULL;
			}
		if (!v[i])
			v[i] = feed_new(c, x);
		if (!v[i]) {
			err = ENOMEM;
			continue;
		}
		v[i]->conf = x;
		if (v[i]->inbox && !inbox_same(v[i]->inbox, x))
			leave(c, v[i]);
		if (!v[i]->inbox &&
		    inbox_alloc(&v[i]->inbox, x, on_batch, v[i]))
			err = ENOMEM;
	}
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i]) {
			leave(c, c->v[i]);
			feed_free(c->v[i]);
		}
	free(c->v);
	c->v = v;
	c->n = conf->n_caps;
	c->begun = true;
	fault_clear_prefix(c->faults, "cap:", still_there, (void *)conf);
	fault_clear_prefix(c->faults, "cap-document:", still_there,
			   (void *)conf);
	return err;
}

void caps_watch(struct caps *c)
{
	const int64_t now = clock_wall_us();

	for (size_t i = c->n_leaving; i-- > 0;)
		if (inbox_gone(c->leaving[i]))
			c->leaving[i] = c->leaving[--c->n_leaving];
	for (size_t i = 0; i < c->n; i++) {
		struct feed *f = c->v[i];
		bool changed = false;

		if (!f)
			continue;
		/* What came while a configuration changed. */
		if (f->inbox)
			on_batch(f->inbox, f);
		if (!clock_good(c))
			continue;
		for (size_t k = 0; k < f->n_seen; k++)
			if (f->seen[k].on && f->seen[k].expires_us <= now) {
				end(f, &f->seen[k], "has expired");
				changed = true;
			}
		if (changed)
			keep(f);
		if (f->n_pending)
			try_pending(f);
	}
}

/* ------------------------------------------------------------------- views */

json_t *caps_json(const struct caps *c)
{
	json_t *a = json_array();

	for (size_t i = 0; i < c->n; i++) {
		const struct feed *f = c->v[i];
		json_t *active = json_array();
		char at[CLOCK_TEXT_SIZE];

		if (!f)
			continue;
		for (size_t k = 0; k < f->n_seen; k++)
			if (f->seen[k].on)
				json_array_append_new(
					active,
					json_pack(
						"{s:o,s:s,s:s}", "alert",
						text_json(f->seen[k].what),
						"key", f->seen[k].key,
						"expires",
						clock_format(
							at,
							f->seen[k]
								.expires_us)));
		json_array_append_new(
			a,
			json_pack("{s:s,s:o,s:i,s:o,s:i,s:I,s:I,s:I,s:s*,s:o*}",
				  "name", f->name, "from",
				  text_json(f->conf->folder ? f->conf->folder
							    : f->conf->url),
				  "active", (int)json_array_size(active),
				  "alerts", active, "pending",
				  (int)f->n_pending, "heard",
				  (json_int_t)f->heard, "ignored",
				  (json_int_t)f->ignored, "ended",
				  (json_int_t)f->ended, "looked",
				  f->looked_wall_us
					  ? clock_format(at, f->looked_wall_us)
					  : NULL,
				  "error",
				  *f->error ? text_json(f->error)
				  : *f->bad ? text_json(f->bad)
					    : NULL));
	}
	return a;
}

void caps_metrics(const struct caps *c, FILE *f)
{
	static const char *const outcome[] = {"heard", "ignored", "ended"};

	fputs("# HELP tocsin_cap_alerts_total Public alerts of a feed, by what "
	      "became of them.\n"
	      "# TYPE tocsin_cap_alerts_total counter\n",
	      f);
	for (size_t i = 0; i < c->n; i++) {
		const struct feed *x = c->v[i];
		const uint64_t v[] = {x ? x->heard : 0, x ? x->ignored : 0,
				      x ? x->ended : 0};

		for (size_t k = 0; x && k < 3; k++)
			fprintf(f,
				"tocsin_cap_alerts_total{cap=\"%s\",outcome="
				"\"%s\"} %" PRIu64 "\n",
				x->name, outcome[k], v[k]);
	}
}
