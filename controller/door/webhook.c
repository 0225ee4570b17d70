#include "webhook.h"

#include "controller/base/clock.h"
#include "controller/base/log.h"
#include "controller/text_json.h"
#include "gpio/command.h"
#include "gpio/payload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What became of signed requests. */
enum outcome { TAKEN, STALE, REPEATED, HURRIED, UNFIT, OUTCOMES };

static const char *const outcome_name[OUTCOMES] = {
	[TAKEN] = "taken",  [STALE] = "stale",   [REPEATED] = "repeated",
	[HURRIED] = "rate", [UNFIT] = "refused",
};

struct hook {
	char name[CONFIG_MAX_NAME];
	const struct config_webhook *conf;
	struct command_guard guard;
	uint64_t ahead_us; /**< of the rate: how far requests run ahead */
	int64_t floor_us;  /**< latest time from ahead of us before the start */
	int64_t kept_us;   /**< the same since, kept in the journal */
	int64_t last_wall_us; /**< of the last that was taken */
	uint64_t n[OUTCOMES];
};

struct webhooks {
	const struct command_scope *scope;
	struct faults *faults;
	struct journal *journal;
	uint64_t start_us;
	struct hook **v;
	size_t count;
	struct log_rate quiet;
};

int webhooks_alloc(struct webhooks **wp, const struct command_scope *scope,
		   struct faults *f, struct journal *j)
{
	struct webhooks *h = calloc(1, sizeof(*h));

	if (!h)
		return ENOMEM;
	h->scope = scope;
	h->faults = f;
	h->journal = j;
	h->start_us = clock_mono_us();
	h->quiet = (struct log_rate){.burst = 3, .per_ms = 60000};
	*wp = h;
	return 0;
}

static void free_all(struct hook **v, size_t n)
{
	for (size_t i = 0; v && i < n; i++)
		free(v[i]);
	free(v);
}

struct webhooks *webhooks_free(struct webhooks *h)
{
	if (!h)
		return NULL;
	free_all(h->v, h->count);
	free(h);
	return NULL;
}

static struct hook *find(const struct webhooks *h, const char *name)
{
	for (size_t i = 0; i < h->count; i++)
		if (h->v[i] && !strcmp(h->v[i]->name, name))
			return h->v[i];
	return NULL;
}

/* ------------------------------------------------------------ configuration */

static void on_kept(const char *key, const char *value, void *arg)
{
	struct hook *x = arg;

	if (!strcmp(strchr(key, ':') + 1, x->name))
		x->floor_us = x->kept_us = strtoll(value, NULL, 10);
}

static struct hook *make(const struct webhooks *h,
			 const struct config_webhook *c)
{
	struct hook *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	snprintf(x->name, sizeof(x->name), "%s", c->name);
	if (h->journal)
		journal_state_load(h->journal, "webhook:", on_kept, x);
	return x;
}

static int tell_web(struct web *web, const struct config *c)
{
	struct web_hook *v = calloc(c->n_webhooks + 1, sizeof(*v));
	struct sign_key *key = calloc(c->n_webhooks + 1, sizeof(*key));
	int err = v && key ? 0 : ENOMEM;
	size_t n = 0;

	for (size_t i = 0; !err && i < c->n_webhooks; i++) {
		const struct config_webhook *w = &c->webhooks[i];

		/* Without a key nobody comes in. */
		if (!sign_key(&key[n],
			      w->scheme == SCHEME_STANDARD ? SIGN_STANDARD
							   : SIGN_SHA256,
			      w->secret))
			continue;
		v[n].name = w->name;
		v[n].key = &key[n];
		n++;
	}
	if (!err)
		err = web_set_hooks(web, v, n);
	free(v);
	free(key);
	return err;
}

int webhooks_configure(struct webhooks *h, struct web *web)
{
	const struct config *c = h->scope->config;
	struct hook **v = calloc(c->n_webhooks + 1, sizeof(struct hook *));
	int err = v ? 0 : ENOMEM;

	for (size_t i = 0; !err && i < c->n_webhooks; i++)
		if (!find(h, c->webhooks[i].name)) {
			v[i] = make(h, &c->webhooks[i]);
			err = v[i] ? 0 : ENOMEM;
		}
	if (!err && web)
		err = tell_web(web, c);
	if (err) {
		free_all(v, c->n_webhooks);
		/* They point into a configuration that goes. */
		free_all(h->v, h->count);
		h->v = NULL;
		h->count = 0;
		return err;
	}
	for (size_t i = 0; i < c->n_webhooks; i++) {
		for (size_t k = 0; k < h->count && !v[i]; k++)
			if (h->v[k] &&
			    !strcmp(h->v[k]->name, c->webhooks[i].name)) {
				v[i] = h->v[k];
				h->v[k] = NULL;
			}
		v[i]->conf = &c->webhooks[i];
	}
	free_all(h->v, h->count);
	h->v = v;
	h->count = c->n_webhooks;
	return 0;
}

/* ------------------------------------------------------------------- is it new
 */

/** At most so many within a second, also at once. */
static bool within_rate(struct hook *x, uint64_t now)
{
	const uint64_t step = UINT64_C(1000000) / x->conf->rate;
	const uint64_t t = x->ahead_us > now ? x->ahead_us : now;

	if (t - now > UINT64_C(1000000) - step)
		return false;
	x->ahead_us = t + step;
	return true;
}

/** Signed before we began: whether it came then is forgotten. */
static int check_floor(const struct webhooks *h, const struct hook *x,
		       const struct web_signed *s, int64_t wall, uint64_t now,
		       struct reason *why)
{
	/* In terms of the clock as it is set now. */
	int64_t floor = wall - (int64_t)(now - h->start_us);

	if (x->floor_us > floor)
		floor = x->floor_us;
	if (s->time_us > floor)
		return 0;
	return reason_set(why, ESTALE,
			  "it was signed before tocsind started, so it may be "
			  "a repetition: sign it anew");
}

static int check_new(struct webhooks *h, struct hook *x,
		     const struct web_signed *s, uint64_t now,
		     struct reason *why)
{
	const int64_t wall = clock_wall_us();
	const struct fault *clock = fault_find(h->faults, "clock");
	char key[96], text[24];
	int err;

	if (clock)
		return reason_set(why, ESTALE,
				  "whether it is new cannot be told: %.100s",
				  clock->text);
	err = command_pass(&x->guard, s->id, s->time_us, wall, now,
			   x->conf->window_ms, why);
	if (!err)
		err = check_floor(h, x, s, wall, now, why);
	/* Who is ahead of us could be repeated after a restart. */
	if (!err && s->time_us > wall && s->time_us > x->kept_us &&
	    h->journal) {
		x->kept_us = s->time_us;
		snprintf(key, sizeof(key), "webhook:%s", x->name);
		snprintf(text, sizeof(text), "%" PRId64, s->time_us);
		journal_state(h->journal, key, text);
	}
	return err;
}

/* --------------------------------------------------------------- what it does
 */

static void refuse(struct webhooks *h, struct hook *x, struct web_request *r,
		   enum outcome o, int status, const char *code,
		   const char *text)
{
	char subject[80];

	x->n[o]++;
	snprintf(subject, sizeof(subject), "webhook:%s", x->name);
	/* Whose rate is exceeded must not fill the journal. */
	if (o == HURRIED)
		log_rated(&h->quiet, LOG_LEVEL_WARN, subject,
			  "webhook %s: more than %u requests a second: %s",
			  x->name, x->conf->rate, "refused");
	else
		record(h->scope->recorder, EVENT_COMMAND_REFUSED, 0, subject,
		       r->actor, json_pack("{s:s}", "from", r->from),
		       "webhook %s refused: %s", x->name, text);
	web_reply_error(r, status, code, NULL, "%s", text);
}

struct asked {
	struct webhooks *h;
	char name[CONFIG_MAX_NAME];
	struct web_request *r;
	json_t *told;
};

static void on_done(int status, json_t *reply, const struct refusal *no,
		    void *arg)
{
	struct asked *a = arg;
	/* A reload may have come in between. */
	struct hook *x = find(a->h, a->name);

	if (x)
		x->n[status < 300 ? TAKEN : UNFIT]++;
	if (status >= 300) {
		web_reply_error(a->r, status, no->code, no->field, "%s",
				no->why.text);
		json_decref(a->told);
	} else {
		if (reply)
			json_object_set_new(a->told, "result", reply);
		web_reply(a->r, status, a->told);
	}
	free(a);
}

/** Pages of too high a priority are refused here: callers of the other doors
 *  have no such limit. */
static bool too_urgent(const struct config *c, const struct config_webhook *w,
		       const char *verb, const json_t *args)
{
	const json_t *p = json_object_get(args, "priority");
	char number[24];
	int level = c->levels[CLASS_PAGE];

	if (strcmp(verb, "page") != 0)
		return false;
	if (json_is_string(p))
		level = config_level(c, json_string_value(p));
	else if (json_is_integer(p)) {
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(p));
		level = config_level(c, number);
	}
	return level > w->max_level;
}

static bool may(const struct config_webhook *w, const char *verb)
{
	for (size_t i = 0; i < w->n_allow; i++)
		if (!strcmp(w->allow[i], verb))
			return true;
	return false;
}

/** Takes the reference to args, and told. */
static void run_verb(struct webhooks *h, struct hook *x, struct web_request *r,
		     json_t *args, json_t *told)
{
	const json_t *member = json_object_get(args, "verb");
	const char *text = json_string_value(member);
	struct caller who = {
		.actor = r->actor,
		.role = WEB_OPERATOR,
		.zones = x->conf->zones,
		.n_zones = x->conf->n_zones,
		.at_us = r->at_us,
	};
	struct asked *a = malloc(sizeof(*a));
	char verb[32], name[CONFIG_MAX_NAME] = "", said[128] = "";

	snprintf(verb, sizeof(verb), "%s", text ? text : "");
	if (!a || !may(x->conf, verb))
		snprintf(said, sizeof(said),
			 "the verb must be one of those that webhook \"%.63s\" "
			 "is allowed",
			 x->name);
	else if (too_urgent(h->scope->config, x->conf, verb, args))
		snprintf(said, sizeof(said),
			 "this webhook may page up to priority %u only",
			 x->conf->max_level);
	if (*said) {
		free(a);
		json_decref(args);
		json_decref(told);
		refuse(h, x, r, UNFIT, 403, "forbidden", said);
		return;
	}
	json_object_del(args, "verb");
	a->h = h;
	snprintf(a->name, sizeof(a->name), "%s", x->name);
	a->r = r;
	a->told = told;
	snprintf(name, sizeof(name), "%.63s",
		 json_string_value(json_object_get(args, "name"))
			 ? json_string_value(json_object_get(args, "name"))
			 : "");
	commands_ask(h->scope, &who, verb, *name ? name : NULL, args, on_done,
		     a);
	json_decref(args);
}

static void trigger_all(struct webhooks *h, const struct hook *x,
			const struct web_request *r, json_t *told)
{
	json_t *list = json_array();

	for (size_t i = 0; i < x->conf->n_trigger; i++) {
		const int alarm = x->conf->trigger[i];
		struct reason why = {""};

		alarms_command(h->scope->alarms, alarm, ALARM_EV_TRIGGER, 0,
			       r->actor, 0, r->at_us, &why);
		json_array_append_new(
			list,
			json_pack("{s:s,s:o*}", "alarm",
				  h->scope->config->alarms[alarm].name, "why",
				  *why.text ? text_json(why.text) : NULL));
	}
	if (json_array_size(list))
		json_object_set(told, "triggered", list);
	json_decref(list);
}

static void act(struct webhooks *h, struct hook *x, struct web_request *r)
{
	json_t *inputs = json_array(), *told = json_object(), *args = NULL;
	struct reason why = {""};

	x->last_wall_us = clock_wall_us();
	trigger_all(h, x, r, told);
	if (field_webhook(h->scope->field, x->name, r->raw, r->len, r->actor,
			  r->at_us, inputs))
		json_object_set(told, "inputs", inputs);
	json_decref(inputs);
	if (x->conf->n_allow)
		args = payload_json(r->raw, r->len, JSON_REJECT_DUPLICATES,
				    &why);
	if (json_object_get(args, "verb")) {
		run_verb(h, x, r, args, told);
		return;
	}
	json_decref(args);
	if (!json_object_size(told)) {
		json_decref(told);
		refuse(h, x, r, UNFIT, 400, "bad-request",
		       *why.text ? why.text
				 : "the body must be a JSON object with "
				   "\"verb\"");
		return;
	}
	x->n[TAKEN]++;
	web_reply(r, 200, told);
}

void webhooks_request(struct webhooks *h, struct web_request *r)
{
	const char *name = r->path + strlen("/hooks/");
	struct hook *x = r->signed_ ? find(h, name) : NULL;
	const uint64_t now = clock_mono_us();
	struct reason why = {""};
	int err;

	/* It was let in, but a reload took it away. */
	if (!x) {
		web_reply_error(r, 401, "unauthorised", NULL, "log in");
		return;
	}
	if (!within_rate(x, now)) {
		refuse(h, x, r, HURRIED, 429, "rate",
		       "more requests than its rate allows; wait a second");
		return;
	}
	err = check_new(h, x, r->signed_, now, &why);
	if (err)
		refuse(h, x, r, err == EALREADY ? REPEATED : STALE, 409,
		       err == EALREADY ? "repeated" : "stale",
		       err == EALREADY ? "it came already: nothing is done a "
					 "second time"
				       : why.text);
	else
		act(h, x, r);
}

/* ------------------------------------------------------------------- views */

json_t *webhooks_json(const struct webhooks *h)
{
	json_t *a = json_array();

	for (size_t i = 0; i < h->count; i++) {
		const struct hook *x = h->v[i];
		json_t *o = json_pack("{s:s,s:s}", "name", x->name, "scheme",
				      x->conf->scheme == SCHEME_STANDARD
					      ? "standard-webhooks"
					      : "sha256");
		json_t *allow = json_array();
		char last[CLOCK_TEXT_SIZE];

		for (size_t k = 0; k < x->conf->n_allow; k++)
			json_array_append_new(allow,
					      text_json(x->conf->allow[k]));
		json_object_set_new(o, "allow", allow);
		for (size_t k = 0; k < OUTCOMES; k++)
			json_object_set_new(o, outcome_name[k],
					    json_integer((json_int_t)x->n[k]));
		if (x->last_wall_us)
			json_object_set_new(o, "last",
					    json_string(clock_format(
						    last, x->last_wall_us)));
		json_array_append_new(a, o);
	}
	return a;
}

void webhooks_metrics(const struct webhooks *h, FILE *f)
{
	fputs("# HELP tocsin_webhook_requests_total Signed requests of a "
	      "webhook, by what became of them.\n"
	      "# TYPE tocsin_webhook_requests_total counter\n",
	      f);
	for (size_t i = 0; i < h->count; i++)
		for (size_t k = 0; k < OUTCOMES; k++)
			fprintf(f,
				"tocsin_webhook_requests_total{webhook=\"%s\","
				"outcome=\"%s\"} %" PRIu64 "\n",
				h->v[i]->name, outcome_name[k], h->v[i]->n[k]);
}
