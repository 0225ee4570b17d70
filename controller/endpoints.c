#include "endpoints.h"

#include "controller/base/clock.h"
#include "text_json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_PREFIX "endpoint:"

struct one {
	char name[CONFIG_MAX_NAME];
	uint64_t since_us; /**< registered, or away, since then */
	uint64_t due_us;   /**< away is a fault from then on; 0 = told */
	bool registered;
};

struct endpoints {
	struct recorder *recorder;
	struct faults *faults;
	struct journal *journal;
	const struct config *config;
	struct stack *stack;
	struct one *v; /**< as config.endpoints */
	size_t n;
};

int endpoints_alloc(struct endpoints **ep, struct recorder *r, struct faults *f,
		    struct journal *j)
{
	struct endpoints *e = calloc(1, sizeof(*e));

	if (!e)
		return ENOMEM;
	e->recorder = r;
	e->faults = f;
	e->journal = j;
	*ep = e;
	return 0;
}

struct endpoints *endpoints_free(struct endpoints *e)
{
	static const struct location_handlers nobody;

	if (!e)
		return NULL;
	if (e->stack)
		location_handle(e->stack, &nobody, NULL);
	free(e->v);
	free(e);
	return NULL;
}

static struct one *find(const struct endpoints *e, const char *name)
{
	for (size_t i = 0; i < e->n; i++)
		if (!strcmp(e->v[i].name, name))
			return &e->v[i];
	return NULL;
}

static void address_text(char buf[INET6_ADDRSTRLEN],
			 const struct sockaddr_storage *ss)
{
	const void *a =
		ss->ss_family == AF_INET6
			? (const void *)&((const struct sockaddr_in6 *)ss)
				  ->sin6_addr
			: (const void *)&((const struct sockaddr_in *)ss)
				  ->sin_addr;

	if (!inet_ntop(ss->ss_family, a, buf, INET6_ADDRSTRLEN))
		buf[0] = '\0';
}

/* ------------------------------------------------------------------- faults */

static void fault_key(const char *name, char key[96])
{
	snprintf(key, 96, "endpoint:%.80s", name);
}

static const struct config_endpoint *config_of(const struct endpoints *e,
					       const struct one *x)
{
	return &e->config->endpoints[x - e->v];
}

static void tell_away(struct endpoints *e, struct one *x, uint32_t detect_ms,
		      const char *how)
{
	char key[96];

	x->due_us = 0;
	if (!config_of(e, x)->supervised)
		return;
	fault_key(x->name, key);
	fault_raise(e->faults, key, detect_ms,
		    "Look at its power, its cable, and the registrar address "
		    "and password in it.",
		    "endpoint %s is not registered: %s", x->name, how);
}

void endpoints_watch(struct endpoints *e)
{
	const uint64_t now = clock_mono_us();

	for (size_t i = 0; i < e->n; i++) {
		struct one *x = &e->v[i];

		if (!x->registered && x->due_us && now >= x->due_us)
			tell_away(e, x, ENDPOINTS_GRACE_MS,
				  "it has not come yet");
	}
}

/* -------------------------------------------------------------- persistence */

static json_t *binding_json(const struct binding *b)
{
	char from[INET6_ADDRSTRLEN];

	address_text(from, &b->from);
	return json_pack("{s:o,s:o,s:o,s:I,s:o,s:s}", "uri", text_json(b->uri),
			 "reach", text_json(b->reach), "call_id",
			 text_json(b->call_id), "cseq", (json_int_t)b->cseq,
			 "agent", text_json(b->agent), "from", from);
}

static void keep(struct endpoints *e, const char *name,
		 const struct bindings *b)
{
	char key[96];
	json_t *a;
	char *text;

	if (!e->journal)
		return;
	snprintf(key, sizeof(key), STATE_PREFIX "%.80s", name);
	if (!b->n) {
		journal_state(e->journal, key, NULL);
		return;
	}
	a = json_array();
	for (size_t i = 0; i < b->n; i++)
		json_array_append_new(a, binding_json(&b->v[i]));
	text = json_dumps(a, JSON_COMPACT);
	if (text)
		journal_state(e->journal, key, text);
	free(text);
	json_decref(a);
}

static bool read_address(struct sockaddr_storage *ss, const char *text)
{
	struct sockaddr_in *four = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1)
		ss->ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1)
		ss->ss_family = AF_INET6;
	return ss->ss_family;
}

static bool put(char *to, size_t size, const char *text)
{
	return text && (size_t)snprintf(to, size, "%s", text) < size;
}

/* A connection does not outlive the daemon: only UDP comes back. */
static bool read_binding(struct binding *b, const json_t *o)
{
	const char *uri, *reach, *call_id, *agent, *from;
	json_int_t cseq;

	memset(b, 0, sizeof(*b));
	if (json_unpack((json_t *)(uintptr_t)o, "{s:s,s:s,s:s,s:I,s:s,s:s}",
			"uri", &uri, "reach", &reach, "call_id", &call_id,
			"cseq", &cseq, "agent", &agent, "from", &from) ||
	    cseq < 0 || cseq > UINT32_MAX)
		return false;
	b->cseq = (uint32_t)cseq;
	return put(b->uri, sizeof(b->uri), uri) &&
	       put(b->reach, sizeof(b->reach), reach) &&
	       put(b->call_id, sizeof(b->call_id), call_id) &&
	       put(b->agent, sizeof(b->agent), agent) &&
	       read_address(&b->from, from) && !strstr(reach, "transport=");
}

static void restore(const char *key, const char *value, void *arg)
{
	struct endpoints *e = arg;
	const char *name = key + strlen(STATE_PREFIX);
	json_t *a = json_loads(value, 0, NULL), *o;
	struct bindings b = {.n = 0};
	struct one *x = find(e, name);
	size_t i;

	json_array_foreach(a, i, o)
	{
		struct binding *to = &b.v[b.n];

		if (b.n == REGISTER_CONTACTS || !read_binding(to, o))
			continue;
		/* It renews within this, or is gone. */
		to->until_ms = clock_mono_ms() + e->config->sip.register_max_ms;
		b.n++;
	}
	json_decref(a);
	if (x && b.n && location_restore(e->stack, name, &b)) {
		x->registered = true;
		x->due_us = 0;
	} else {
		journal_state(e->journal, key, NULL);
	}
}

/* ----------------------------------------------------------------- handlers */

static void on_changed(const char *name, enum location_change how,
		       const struct bindings *b, void *arg)
{
	struct endpoints *e = arg;
	struct one *x = find(e, name);
	char subject[80], key[96], from[INET6_ADDRSTRLEN] = "";

	snprintf(subject, sizeof(subject), "endpoint:%.64s", name);
	fault_key(name, key);
	keep(e, name, b);
	if (!x)
		return;
	if (b->n)
		address_text(from, &b->v[b->n - 1].from);
	if (x->registered != (b->n > 0))
		x->since_us = clock_mono_us();
	x->registered = b->n > 0;
	switch (how) {
	case LOCATION_REGISTERED:
	case LOCATION_MOVED:
		x->due_us = 0;
		record(e->recorder, EVENT_ENDPOINT_REGISTERED, 0, subject,
		       subject,
		       json_pack("{s:i,s:o}", "contacts", (int)b->n, "contact",
				 text_json(b->v[b->n - 1].uri)),
		       "%s has registered from %s", name, from);
		fault_clear(e->faults, key);
		break;
	case LOCATION_LEFT:
		record(e->recorder, EVENT_ENDPOINT_UNREGISTERED, 0, subject,
		       subject, NULL, "%s has taken its registration back",
		       name);
		tell_away(e, x, 0, "it has taken its registration back");
		break;
	case LOCATION_EXPIRED:
		record(e->recorder, EVENT_ENDPOINT_EXPIRED, 0, subject, NULL,
		       NULL, "%s has not renewed its registration", name);
		tell_away(e, x, e->config->sip.register_max_ms,
			  "it has not renewed its registration");
		break;
	}
}

static void on_wrong(const struct sockaddr_storage *from, const char *claimed,
		     void *arg)
{
	struct endpoints *e = arg;
	char text[INET6_ADDRSTRLEN], subject[80];

	address_text(text, from);
	snprintf(subject, sizeof(subject), "address:%s", text);
	record(e->recorder, EVENT_ENDPOINT_REFUSED, 0, subject, NULL, NULL,
	       "wrong password or unknown user \"%.64s\" from %s", claimed,
	       text);
}

static void on_banned(const struct sockaddr_storage *from, uint32_t ms,
		      void *arg)
{
	struct endpoints *e = arg;
	char text[INET6_ADDRSTRLEN], subject[80];

	address_text(text, from);
	snprintf(subject, sizeof(subject), "address:%s", text);
	record(e->recorder, EVENT_SIP_BANNED, 0, subject, NULL,
	       json_pack("{s:i}", "ban_ms", (int)ms),
	       "%d wrong passwords from %s within %d s: it is not listened to "
	       "for %u s",
	       BAN_TRIES, text, BAN_WINDOW_MS / 1000, ms / 1000);
}

static const struct location_handlers handlers = {
	.changed = on_changed,
	.wrong = on_wrong,
	.banned = on_banned,
};

static bool is_configured(const char *key, void *arg)
{
	const struct endpoints *e = arg;
	const struct one *x = find(e, key + strlen("endpoint:"));

	return x && config_of(e, x)->supervised;
}

int endpoints_configure(struct endpoints *e, const struct config *c,
			struct stack *s)
{
	struct one *v = calloc(c->n_endpoints + 1, sizeof(*v));
	const bool is_new = s && s != e->stack;
	const uint64_t now = clock_mono_us();

	if (!v)
		return ENOMEM;
	for (size_t i = 0; i < c->n_endpoints; i++) {
		const struct one *old = find(e, c->endpoints[i].may.name);

		if (old) {
			v[i] = *old;
			/* Supervised from now on, perhaps. */
			if (!old->registered && !old->due_us)
				v[i].due_us = now;
			continue;
		}
		snprintf(v[i].name, sizeof(v[i].name), "%s",
			 c->endpoints[i].may.name);
		v[i].since_us = now;
		v[i].due_us = now + ENDPOINTS_GRACE_MS * UINT64_C(1000);
	}
	free(e->v);
	e->v = v;
	e->n = c->n_endpoints;
	e->config = c;
	e->stack = s;
	fault_clear_prefix(e->faults, "endpoint:", is_configured, e);
	if (is_new) {
		location_handle(s, &handlers, e);
		if (e->journal)
			journal_state_load(e->journal, STATE_PREFIX, restore,
					   e);
	}
	return 0;
}

/* ---------------------------------------------------------------------- API */

static json_t *contact_json(const struct binding *b)
{
	const uint64_t now = clock_mono_ms();
	json_t *o = json_object();
	char from[INET6_ADDRSTRLEN];

	address_text(from, &b->from);
	json_object_set_new(o, "uri", text_json(b->uri));
	json_object_set_new(o, "from", text_json(from));
	json_object_set_new(
		o, "transport",
		json_string(strstr(b->reach, "transport=tcp") ? "tcp" : "udp"));
	json_object_set_new(o, "agent", text_json(b->agent));
	json_object_set_new(
		o, "expires_s",
		json_integer(b->until_ms > now
				     ? (json_int_t)((b->until_ms - now) / 1000)
				     : 0));
	return o;
}

json_t *endpoints_json(const struct endpoints *e)
{
	json_t *a = json_array();

	for (size_t i = 0; i < e->n; i++) {
		const struct config_endpoint *c = &e->config->endpoints[i];
		const struct one *x = &e->v[i];
		json_t *contacts = json_array(), *o;
		struct bindings b = {.n = 0};

		if (e->stack)
			(void)location_find(e->stack, x->name, &b);
		for (size_t k = 0; k < b.n; k++)
			json_array_append_new(contacts, contact_json(&b.v[k]));
		o = json_pack(
			"{s:s,s:s*,s:s,s:b,s:I,s:s,s:o}", "name", x->name,
			"extension", c->extension, "state",
			b.n ? "registered" : "away", "supervised",
			c->supervised, "since_s",
			(json_int_t)((clock_mono_us() - x->since_us) / 1000000),
			"contact", b.n ? b.v[0].uri : "", "contacts", contacts);
		json_array_append_new(a, o);
	}
	return a;
}

static void add_ban(const struct sockaddr_storage *ss, uint64_t left_ms,
		    void *arg)
{
	char text[INET6_ADDRSTRLEN];

	address_text(text, ss);
	json_array_append_new(arg,
			      json_pack("{s:s,s:I}", "address", text, "left_s",
					(json_int_t)(left_ms / 1000)));
}

json_t *endpoints_sip_json(const struct endpoints *e)
{
	struct stack_counters n = {0};
	json_t *bans = json_array();
	unsigned registered = 0;

	for (size_t i = 0; i < e->n; i++)
		registered += e->v[i].registered;
	if (e->stack) {
		stack_counters(e->stack, &n);
		location_bans(e->stack, add_ban, bans);
	}
	return json_pack("{s:b,s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:o}",
			 "listening", e->stack != NULL, "calls",
			 e->stack ? (int)stack_calls(e->stack) : 0, "endpoints",
			 (int)e->n, "registered", (int)registered, "requests",
			 (json_int_t)n.requests, "refused",
			 (json_int_t)n.refused, "strangers",
			 (json_int_t)n.strangers, "limited",
			 (json_int_t)n.limited, "junk",
			 (json_int_t)n.guard_dropped, "bans", bans);
}
