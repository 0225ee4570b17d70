#include "bridge.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "gpio/command.h"
#include "gpio/mqtt.h"
#include "text_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Zones whose state is looked at in one turn: a large site must not hold the
 *  control thread up. */
#define ZONES_A_TURN 40
#define ZONE_TURN_MS 20

struct bridge {
	const struct command_scope *scope;
	struct faults *faults;
	struct mqtt *mqtt;
	char *signature; /**< of the mqtt section in force */
	char prefix[96]; /**< "tocsin/<site>" */
	char will[128];
	bool up;
	struct command_guard guard;
	char **zone_state; /**< last published, by zone index */
	size_t n_zones, cursor, todo;
	char **kept; /**< topics below the prefix that the broker retains */
	size_t n_kept, max_kept;
	struct tmr tmr;
};

int bridge_alloc(struct bridge **bp, const struct command_scope *scope,
		 struct faults *f)
{
	struct bridge *b = calloc(1, sizeof(*b));

	if (!b)
		return ENOMEM;
	b->scope = scope;
	b->faults = f;
	tmr_init(&b->tmr);
	*bp = b;
	return 0;
}

static void forget_zones(struct bridge *b)
{
	for (size_t i = 0; i < b->n_zones; i++)
		free(b->zone_state[i]);
	free(b->zone_state);
	b->zone_state = NULL;
	b->n_zones = b->cursor = b->todo = 0;
	tmr_cancel(&b->tmr);
}

/** Notes that a topic is retained now, or not any more. Without memory it is
 *  not noted: its topic may then outlive what it tells of. */
static void note_kept(struct bridge *b, const char *topic, bool kept)
{
	char **v;
	size_t i = 0;

	while (i < b->n_kept && strcmp(b->kept[i], topic))
		i++;
	if (i < b->n_kept && !kept) {
		free(b->kept[i]);
		b->kept[i] = b->kept[--b->n_kept];
	}
	if (i < b->n_kept || !kept)
		return;
	if (b->n_kept == b->max_kept) {
		v = realloc(b->kept, (b->max_kept + 256) * sizeof(*v));
		if (!v)
			return;
		b->kept = v;
		b->max_kept += 256;
	}
	b->kept[b->n_kept] = strdup(topic);
	if (b->kept[b->n_kept])
		b->n_kept++;
}

static void forget_kept(struct bridge *b)
{
	for (size_t i = 0; i < b->n_kept; i++)
		free(b->kept[i]);
	b->n_kept = 0;
}

struct bridge *bridge_free(struct bridge *b)
{
	if (!b)
		return NULL;
	tmr_cancel(&b->tmr);
	b->mqtt = mqtt_free(b->mqtt);
	forget_zones(b);
	forget_kept(b);
	free(b->kept);
	free(b->signature);
	free(b);
	return NULL;
}

/* --------------------------------------------------------------- publishing */

static void publish(struct bridge *b, const char *what, const char *name,
		    const char *leaf, const char *payload, bool retain)
{
	char topic[320];
	int n;

	if (!b->mqtt)
		return;
	n = snprintf(topic, sizeof(topic), "%s/", b->prefix);
	snprintf(topic + n, sizeof(topic) - (size_t)n, "%s%s%s%s", what,
		 *name ? "/" : "", name, leaf);
	if (retain && *name)
		note_kept(b, topic + n, *payload != '\0');
	mqtt_publish(b->mqtt, topic, payload, 1, retain);
}

static void publish_json(struct bridge *b, const char *what, const char *name,
			 const char *leaf, json_t *o, bool retain)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	if (text)
		publish(b, what, name, leaf, text, retain);
	free(text);
	json_decref(o);
}

static void publish_zone(struct bridge *b, size_t i)
{
	const struct config_zone *z = &b->scope->config->zones[i];
	json_t *o = json_pack("{s:s}", "name", z->name);
	char *text;

	broadcasts_zone_json(b->scope->broadcasts, (int)i, o);
	/* The level changes with every packet; here is what sounds. */
	json_object_del(o, "level_dbfs");
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (!text || (b->zone_state[i] && !strcmp(b->zone_state[i], text))) {
		free(text);
		return;
	}
	free(b->zone_state[i]);
	b->zone_state[i] = text;
	publish(b, "zone", z->name, "/state", text, true);
}

static void on_zones(void *arg)
{
	struct bridge *b = arg;

	for (size_t i = 0; i < ZONES_A_TURN && b->todo; i++, b->todo--) {
		publish_zone(b, b->cursor);
		b->cursor = (b->cursor + 1) % b->n_zones;
	}
	if (b->todo)
		tmr_start(&b->tmr, ZONE_TURN_MS, on_zones, b);
}

static void look_at_zones(struct bridge *b)
{
	b->todo = b->n_zones;
	if (b->todo && !tmr_isrunning(&b->tmr))
		tmr_start(&b->tmr, 0, on_zones, b);
}

/** A name that is one level of a topic. */
static void topic_name(char *dst, size_t size, const char *src)
{
	size_t i = 0;

	for (; src[i] && i + 1 < size; i++)
		dst[i] = strchr("/+# ", src[i]) ? '_' : src[i];
	dst[i] = '\0';
}

static void publish_fault(struct bridge *b, const char *key)
{
	const struct fault *f = fault_find(b->faults, key);
	char name[96], since[CLOCK_TEXT_SIZE];

	topic_name(name, sizeof(name), key);
	if (f)
		publish_json(b, "fault", name, "",
			     json_pack("{s:s,s:s,s:s,s:s}", "fault", f->key,
				       "text", f->text, "remedy", f->remedy,
				       "since",
				       clock_format(since, f->since_wall_us)),
			     true);
	else
		publish(b, "fault", name, "", "", true);
}

static void publish_alarm(struct bridge *b, int i)
{
	publish_json(b, "alarm", b->scope->config->alarms[i].name, "/state",
		     alarm_json(b->scope->alarms, i), true);
}

static void publish_input(struct bridge *b, int i)
{
	publish_json(b, "input", b->scope->config->inputs[i].name, "/state",
		     field_input_json(b->scope->field, i), true);
}

/** Does what a retained topic tells of still exist? */
static bool still_there(const struct bridge *b, const char *topic,
			const json_t *faults)
{
	const struct config *c = b->scope->config;
	char name[CONFIG_MAX_NAME] = "", key[96];
	const json_t *f;
	size_t k;

	if (!strncmp(topic, "fault/", 6)) {
		json_array_foreach(faults, k, f)
		{
			topic_name(
				key, sizeof(key),
				json_string_value(json_object_get(f, "fault")));
			if (!strcmp(key, topic + 6))
				return true;
		}
		return false;
	}
	sscanf(topic, "%*[^/]/%63[^/]", name);
	return *topic == 'z'   ? config_zone_find(c, name) >= 0
	       : *topic == 'a' ? config_alarm_find(c, name) >= 0
			       : config_input_find(c, name) >= 0;
}

/** Takes back what the broker retains of things that are no more. */
static void take_back(struct bridge *b, const json_t *faults)
{
	char topic[320];

	for (size_t i = b->n_kept; i-- > 0;)
		if (!still_there(b, b->kept[i], faults)) {
			snprintf(topic, sizeof(topic), "%s", b->kept[i]);
			publish(b, topic, "", "", "", true);
			note_kept(b, topic, false);
		}
}

static void publish_all(struct bridge *b)
{
	const struct config *c = b->scope->config;
	json_t *faults = faults_json(b->faults), *f;
	size_t k;

	take_back(b, faults);

	publish(b, "status", "", "", "online", true);
	for (size_t i = 0; i < c->n_alarms; i++)
		publish_alarm(b, (int)i);
	for (size_t i = 0; i < c->n_inputs; i++)
		publish_input(b, (int)i);
	json_array_foreach(faults, k, f) publish_fault(
		b, json_string_value(json_object_get(f, "fault")));
	json_decref(faults);
	forget_zones(b);
	b->zone_state = calloc(c->n_zones + 1, sizeof(*b->zone_state));
	b->n_zones = b->zone_state ? c->n_zones : 0;
	b->cursor = 0;
	look_at_zones(b);
}

void bridge_event(const struct event *e, void *arg)
{
	struct bridge *b = arg;
	const char *type = event_type_name(e->type);
	const char *name = strchr(e->subject, ':');
	int i;

	/* While the broker is away only events are kept for it; states are
	 * said again when it is back. */
	if (!b->mqtt)
		return;
	publish_json(b, "event", "", "", event_json(e), false);
	/* Between two configurations: all is said when it is in force. */
	if (!b->up || b->scope->changing)
		return;
	name = name ? name + 1 : "";
	if (!strncmp(type, "broadcast.", 10)) {
		look_at_zones(b);
	} else if (!strncmp(type, "alarm.", 6)) {
		i = config_alarm_find(b->scope->config, name);
		if (i >= 0)
			publish_alarm(b, i);
	} else if (!strncmp(type, "input.", 6)) {
		i = config_input_find(b->scope->config, name);
		if (i >= 0)
			publish_input(b, i);
	} else if (!strncmp(type, "fault.", 6)) {
		publish_fault(b, name);
	}
}

void bridge_publish(const char *topic, const char *payload, void *arg)
{
	struct bridge *b = arg;

	if (b && b->mqtt)
		mqtt_publish(b->mqtt, topic, payload, 1, true);
}

/* ----------------------------------------------------------------- commands */

static void reply(struct bridge *b, const char *id, int status, json_t *result,
		  const struct refusal *no)
{
	char name[80];
	json_t *o = json_pack("{s:i}", "status", status);

	if (!*id) {
		json_decref(result);
		json_decref(o);
		return;
	}
	if (result)
		json_object_set_new(o, "result", result);
	if (no)
		json_object_set_new(
			o, "error",
			json_pack("{s:s,s:o,s:o*}", "code", no->code, "message",
				  text_json(no->why.text), "field",
				  no->field ? text_json(no->field) : NULL));
	topic_name(name, sizeof(name), id);
	publish_json(b, "reply", name, "", o, false);
}

/** A command whose answer may come later. */
struct asked {
	struct bridge *b;
	char id[64];
};

static void on_done(int status, json_t *result, const struct refusal *no,
		    void *arg)
{
	struct asked *d = arg;

	reply(d->b, d->id, status, result, status >= 300 ? no : NULL);
	free(d);
}

static void on_command(struct bridge *b, const char *verb,
		       const struct mqtt_message *m)
{
	const struct command_scope *s = b->scope;
	struct refusal no = {0};
	char id[64] = "", actor[80];
	struct asked *d;
	json_t *args;

	if (!s->config->mqtt.commands)
		return;
	if (command_check(&b->guard, m->payload, m->len, m->retain,
			  clock_wall_us(), m->at_us,
			  s->config->mqtt.command_max_age_ms, id, &no.why)) {
		record(s->recorder, EVENT_COMMAND_REFUSED, 0, "command", "mqtt",
		       json_pack("{s:o,s:b}", "verb", text_json(verb),
				 "retained", m->retain),
		       "MQTT command %.40s ignored: %s", verb, no.why.text);
		/* Not a word to a retained one: it comes again with each
		 * connection. */
		no.code = "ignored";
		if (!m->retain)
			reply(b, id, 400, NULL, &no);
		return;
	}
	args = json_loadb(m->payload, m->len, 0, NULL);
	snprintf(actor, sizeof(actor), "mqtt:%s", id);
	struct caller who = {
		.actor = actor,
		.role = WEB_OPERATOR,
		.at_us = m->at_us,
	};

	d = malloc(sizeof(*d));
	if (d) {
		d->b = b;
		snprintf(d->id, sizeof(d->id), "%s", id);
		commands_ask(s, &who, verb, NULL, args, on_done, d);
	}
	json_decref(args);
}

static void on_message(const struct mqtt_message *m, void *arg)
{
	struct bridge *b = arg;
	size_t n = strlen(b->prefix);

	if (!strncmp(m->topic, b->prefix, n) &&
	    !strncmp(m->topic + n, "/command/", 9))
		on_command(b, m->topic + n + 9, m);
	else
		field_mqtt(b->scope->field, m->topic, m->payload, m->len,
			   m->retain, m->at_us);
}

static void on_state(bool connected, const char *text, void *arg)
{
	struct bridge *b = arg;
	const struct config_mqtt *c = &b->scope->config->mqtt;
	bool was = b->up;

	b->up = connected;
	if (connected && *text) {
		/* There, but it turned something of ours away: to say all
		 * states again would only be refused again. */
		fault_raise(b->faults, "mqtt:refused", 0,
			    "Correct the broker's access list for our user; "
			    "what it refuses does not work meanwhile.",
			    "MQTT broker %s:%u: %s", c->host, c->port, text);
		return;
	}
	fault_clear(b->faults, "mqtt:refused");
	if (connected) {
		fault_clear(b->faults, "mqtt");
		record(b->scope->recorder, EVENT_MQTT_CONNECTED, 0, "mqtt",
		       NULL, NULL, "connected to MQTT broker %s:%u", c->host,
		       c->port);
		publish_all(b);
	} else {
		fault_raise(b->faults, "mqtt", c->keepalive_s * 1500,
			    "Check the broker, the network to it and the mqtt "
			    "section; inputs and commands over MQTT do not "
			    "work meanwhile.",
			    "MQTT broker %s:%u: %s", c->host, c->port, text);
		if (was)
			record(b->scope->recorder, EVENT_MQTT_LOST, 0, "mqtt",
			       NULL, NULL, "lost MQTT broker %s:%u: %s",
			       c->host, c->port, text);
	}
	field_mqtt_state(b->scope->field, connected);
}

/* ------------------------------------------------------------ configuration */

/** All that makes a new connection necessary, as one text. */
static char *signature(const struct config *c)
{
	const struct config_mqtt *m = &c->mqtt;
	const char *const part[] = {c->site, m->host, m->user, m->password_file,
				    m->ca,   m->cert, m->key,  m->client_id};
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		return NULL;
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		fprintf(f, "%s\n", part[i] ? part[i] : "");
	fprintf(f, "%u %d %u %d\n", m->port, m->tls, m->keepalive_s,
		m->commands);
	for (size_t i = 0; i < c->n_inputs; i++)
		if (c->inputs[i].kind == INPUT_MQTT)
			fprintf(f, "%s\n", c->inputs[i].topic);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

static int connect_broker(struct bridge *b, struct reason *why)
{
	const struct config *c = b->scope->config;
	const struct config_mqtt *m = &c->mqtt;
	char client[128], filter[128];
	struct mqtt_spec spec = {
		.host = m->host,
		.port = m->port,
		.tls = m->tls,
		.user = m->user,
		.password_file = m->password_file,
		.ca = m->ca,
		.cert = m->cert,
		.key = m->key,
		.client_id = m->client_id,
		.keepalive_s = m->keepalive_s,
		.will_topic = b->will,
		.will_payload = "offline",
	};
	int err;

	snprintf(b->prefix, sizeof(b->prefix), "tocsin/%.60s", c->site);
	snprintf(b->will, sizeof(b->will), "%s/status", b->prefix);
	if (!spec.client_id || !*spec.client_id) {
		snprintf(client, sizeof(client), "tocsin-%.60s", c->site);
		spec.client_id = client;
	}
	err = mqtt_alloc(&b->mqtt, &spec, on_message, on_state, b, why);
	if (err)
		return err;
	if (m->commands) {
		snprintf(filter, sizeof(filter), "%s/command/+", b->prefix);
		mqtt_subscribe(b->mqtt, filter);
	}
	for (size_t i = 0; i < c->n_inputs; i++)
		if (c->inputs[i].kind == INPUT_MQTT)
			mqtt_subscribe(b->mqtt, c->inputs[i].topic);
	return 0;
}

int bridge_configure(struct bridge *b, struct reason *why)
{
	const struct config *c = b->scope->config;
	char *now = c->mqtt.present ? signature(c) : NULL;
	char prefix[sizeof(b->prefix)];
	bool was;
	int err = 0;

	if (c->mqtt.present && !now)
		return reason_set(why, ENOMEM, "not enough memory");
	/* Numbered by the old configuration. */
	forget_zones(b);
	if (b->mqtt && now && !strcmp(now, b->signature)) {
		free(now);
		if (b->up)
			publish_all(b);
		return 0;
	}
	was = b->mqtt != NULL;
	snprintf(prefix, sizeof(prefix), "%s", b->prefix);
	b->mqtt = mqtt_free(b->mqtt);
	b->up = false;
	fault_clear(b->faults, "mqtt");
	fault_clear(b->faults, "mqtt:refused");
	free(b->signature);
	b->signature = now;
	/* At the start nothing is lost yet: a broker that cannot be reached
	 * will be told of. */
	if (was)
		field_mqtt_state(b->scope->field, false);
	if (!now)
		return 0;
	err = connect_broker(b, why);
	if (strcmp(prefix, b->prefix))
		forget_kept(b);
	if (err)
		fault_raise(b->faults, "mqtt", 0, "Correct the mqtt section.",
			    "MQTT cannot start: %s", why->text);
	return err;
}

bool bridge_configured(const struct bridge *b)
{
	return b->mqtt != NULL;
}

bool bridge_connected(const struct bridge *b)
{
	return b->up;
}
