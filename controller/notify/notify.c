#include "notify.h"

#include "controller/base/clock.h"
#include "target.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct notify {
	struct faults *faults;
	const struct config *config;
	struct target **v; /**< by number of the configuration; NULL = none */
	size_t n;
	struct target **leaving; /**< closed, and not ended yet */
	size_t n_leaving;
};

static const char *const kinds[] = {[NOTIFY_URL] = "url",
				    [NOTIFY_MAIL] = "mail",
				    [NOTIFY_SYSLOG] = "syslog"};

int notify_alloc(struct notify **np, struct faults *f)
{
	struct notify *n = calloc(1, sizeof(*n));

	if (!n)
		return ENOMEM;
	n->faults = f;
	*np = n;
	return 0;
}

struct notify *notify_free(struct notify *n)
{
	if (!n)
		return NULL;
	/* All at once: together they take as long as one. */
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i])
			target_close(n->v[i]);
	for (size_t i = 0; i < n->n; i++)
		target_free(n->v[i]);
	for (size_t i = 0; i < n->n_leaving; i++)
		target_free(n->leaving[i]);
	free(n->v);
	free(n->leaving);
	free(n);
	return NULL;
}

static void sweep(struct notify *n)
{
	for (size_t i = n->n_leaving; i-- > 0;)
		if (target_gone(n->leaving[i]))
			n->leaving[i] = n->leaving[--n->n_leaving];
}

static bool still_there(const char *key, void *arg)
{
	return config_notify_find(arg, strchr(key, ':') + 1) >= 0;
}

int notify_configure(struct notify *n, const struct config *c)
{
	struct target **v = calloc(c->n_notifies + 1, sizeof(struct target *));
	struct target **leaving =
		realloc(n->leaving,
			(n->n_leaving + n->n + 1) * sizeof(struct target *));
	int err = 0;

	if (leaving)
		n->leaving = leaving;
	n->config = c;
	if (!v || !leaving) {
		free(v);
		/* Nobody by a number of the old configuration. */
		for (size_t i = 0; i < n->n; i++)
			n->v[i] = target_free(n->v[i]);
		n->n = 0;
		return ENOMEM;
	}
	for (size_t i = 0; i < c->n_notifies; i++) {
		for (size_t k = 0; k < n->n && !v[i]; k++)
			if (n->v[k] &&
			    target_same(n->v[k], &c->notifies[i], c->site)) {
				v[i] = n->v[k];
				n->v[k] = NULL;
			}
		if (!v[i] && target_alloc(&v[i], &c->notifies[i], c->site))
			err = ENOMEM;
	}
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i]) {
			target_close(n->v[i]);
			n->leaving[n->n_leaving++] = n->v[i];
		}
	free(n->v);
	n->v = v;
	n->n = c->n_notifies;
	fault_clear_prefix(n->faults, "notify:", still_there, (void *)c);
	return err;
}

static bool wants(const struct config_notify *c, const char *type)
{
	for (size_t i = 0; i < c->n_events; i++)
		if (!fnmatch(c->events[i], type, 0))
			return true;
	return false;
}

/** Whom an alarm tells; NULL = it is no such event. */
static json_t *told(const struct event *e)
{
	json_t *o = e->type == EVENT_ALARM_TOLD ? json_loads(e->data, 0, NULL)
						: NULL;
	json_t *to = json_incref(json_object_get(o, "to"));

	json_decref(o);
	return to;
}

static bool names(const json_t *list, const char *name)
{
	const json_t *x;
	size_t i;

	json_array_foreach(list, i, x)
	{
		if (!strcmp(json_string_value(x), name))
			return true;
	}
	return false;
}

void notify_event(const struct event *e, void *arg)
{
	struct notify *n = arg;
	const char *type = event_type_name(e->type);
	json_t *to = told(e);

	for (size_t i = 0; i < n->n; i++) {
		const struct config_notify *c = &n->config->notifies[i];

		if (n->v[i] && (wants(c, type) || names(to, c->name)))
			target_put(n->v[i], e);
	}
	json_decref(to);
}

void notify_watch(struct notify *n)
{
	struct target_state s;
	char key[96];

	sweep(n);
	for (size_t i = 0; i < n->n; i++) {
		const char *name = n->config->notifies[i].name;

		if (!n->v[i])
			continue;
		target_state(n->v[i], &s);
		snprintf(key, sizeof(key), "notify:%s", name);
		if (!*s.error)
			fault_clear(n->faults, key);
		else if (!fault_find(n->faults, key))
			fault_raise(n->faults, key, TARGET_TIMEOUT_MS,
				    "See to the server or program and the way "
				    "to it; what waits is sent then.",
				    "notify %s: %s", name, s.error);
	}
}

json_t *notify_json(const struct notify *n)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n->n; i++) {
		const struct config_notify *c = &n->config->notifies[i];
		struct target_state s = {.error = "not enough memory"};
		char last[CLOCK_TEXT_SIZE];

		if (n->v[i])
			target_state(n->v[i], &s);
		json_array_append_new(
			a,
			json_pack("{s:s,s:s,s:i,s:I,s:I,s:I,s:s*,s:s*}", "name",
				  c->name, "kind", kinds[c->kind], "waiting",
				  (int)s.waiting, "sent", (json_int_t)s.sent,
				  "refused", (json_int_t)s.refused, "lost",
				  (json_int_t)s.lost, "last",
				  s.last_wall_us
					  ? clock_format(last, s.last_wall_us)
					  : NULL,
				  "error", *s.error ? s.error : NULL));
	}
	return a;
}

void notify_metrics(const struct notify *n, FILE *f)
{
	static const char *const outcome[] = {"sent", "refused", "lost"};

	fputs("# HELP tocsin_notify_waiting Events that wait for who is told.\n"
	      "# TYPE tocsin_notify_waiting gauge\n",
	      f);
	for (size_t i = 0; i < n->n; i++) {
		struct target_state s = {0};

		if (n->v[i])
			target_state(n->v[i], &s);
		fprintf(f, "tocsin_notify_waiting{notify=\"%s\"} %zu\n",
			n->config->notifies[i].name, s.waiting);
	}
	fputs("# HELP tocsin_notify_events_total Events for who is told, by "
	      "what became of them.\n"
	      "# TYPE tocsin_notify_events_total counter\n",
	      f);
	for (size_t i = 0; i < n->n; i++) {
		struct target_state s = {0};
		uint64_t v[3];

		if (n->v[i])
			target_state(n->v[i], &s);
		v[0] = s.sent;
		v[1] = s.refused;
		v[2] = s.lost;
		for (size_t k = 0; k < 3; k++)
			fprintf(f,
				"tocsin_notify_events_total{notify=\"%s\","
				"outcome=\"%s\"} %" PRIu64 "\n",
				n->config->notifies[i].name, outcome[k], v[k]);
	}
}
