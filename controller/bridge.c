#include "bridge.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "gpio/command.h"
#include "gpio/mqtt.h"
#include "mqtt/discovery.h"
#include "mqtt/retained.h"
#include "text_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** States that are looked at in one turn: a large site must not hold the
 *  control thread up. */
#define STATES_A_TURN 40
#define TURN_MS 20
/** Faults that <prefix>/faults lists; it counts all. */
#define FAULTS_LISTED 50

struct bridge {
	const struct command_scope *scope;
	struct faults *faults;
	struct mqtt *mqtt;
	char *signature; /**< of the mqtt section in force */
	char prefix[96]; /**< "tocsin/<site>" */
	char will[128];
	bool up;
	unsigned broker; /**< connected to */
	unsigned kept;   /**< events since the broker is away */
	struct command_guard guard;
	char **zone_state; /**< last published, by zone index */
	size_t n_zones, cursor, todo;
	struct retained *retained;
	size_t pass; /**< next thing to be said of all, see say_next() */
	bool passing;
	struct tmr tmr;
};

int bridge_alloc(struct bridge **bp, const struct command_scope *scope,
		 struct faults *f)
{
	struct bridge *b = calloc(1, sizeof(*b));

	if (!b)
		return ENOMEM;
	if (retained_alloc(&b->retained)) {
		free(b);
		return ENOMEM;
	}
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
	b->passing = false;
	tmr_cancel(&b->tmr);
}

struct bridge *bridge_free(struct bridge *b)
{
	if (!b)
		return NULL;
	tmr_cancel(&b->tmr);
	b->mqtt = mqtt_free(b->mqtt);
	forget_zones(b);
	retained_free(b->retained);
	free(b->signature);
	free(b);
	return NULL;
}

/* --------------------------------------------------------------- publishing */

static void publish_retained(struct bridge *b, const char *topic,
			     const char *payload)
{
	retained_said(b->retained, topic, !*payload);
	mqtt_publish(b->mqtt, topic, payload, 1, true);
}

static void topic_of(const struct bridge *b, char topic[320], const char *what,
		     const char *name, const char *leaf)
{
	snprintf(topic, 320, "%s/%s%s%s%s", b->prefix, what, *name ? "/" : "",
		 name, leaf);
}

/** Takes o. */
static void publish_state(struct bridge *b, const char *what, const char *name,
			  const char *leaf, json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	char topic[320];

	topic_of(b, topic, what, name, leaf);
	if (text)
		publish_retained(b, topic, text);
	free(text);
	json_decref(o);
}

static void publish_zone(struct bridge *b, size_t i)
{
	const struct config_zone *z = &b->scope->config->zones[i];
	json_t *o = json_pack("{s:s}", "name", z->name);
	char topic[320], *text;

	broadcasts_zone_json(b->scope->broadcasts, (int)i, o);
	stored_zone_json(b->scope->stored, (int)i, o);
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
	topic_of(b, topic, "zone", z->name, "/state");
	publish_retained(b, topic, text);
}

static void say_next(struct bridge *b);

static void on_turn(void *arg)
{
	struct bridge *b = arg;
	size_t n = STATES_A_TURN;

	for (; n && b->passing; n--)
		say_next(b);
	for (; n && b->todo; n--, b->todo--) {
		publish_zone(b, b->cursor);
		b->cursor = (b->cursor + 1) % b->n_zones;
	}
	if (b->passing || b->todo)
		tmr_start(&b->tmr, TURN_MS, on_turn, b);
}

static void look_at_zones(struct bridge *b)
{
	b->todo = b->n_zones;
	if (b->todo && !tmr_isrunning(&b->tmr))
		tmr_start(&b->tmr, 0, on_turn, b);
}

/** A name that is one level of a topic. */
static void topic_name(char *dst, size_t size, const char *src)
{
	size_t i = 0;

	for (; src[i] && i + 1 < size; i++)
		dst[i] = strchr("/+# ", src[i]) ? '_' : src[i];
	dst[i] = '\0';
}

static void on_entity(const char *topic, json_t *o, void *arg)
{
	struct bridge *b = arg;
	char *text = json_dumps(o, JSON_COMPACT);

	if (text)
		publish_retained(b, topic, text);
	free(text);
}

static struct discovery discovery_of(const struct bridge *b)
{
	return (struct discovery){.config = b->scope->config,
				  .base = b->prefix};
}

static void publish_fault(struct bridge *b, const char *key)
{
	const struct fault *f = fault_find(b->faults, key);
	struct discovery d = discovery_of(b);
	char name[96], since[CLOCK_TEXT_SIZE], topic[320];

	topic_name(name, sizeof(name), key);
	if (!f) {
		topic_of(b, topic, "fault", name, "");
		publish_retained(b, topic, "");
		return;
	}
	/* Its entity stays until the next reload: it is seen to clear. */
	if (d.config->mqtt.discovery)
		discovery_fault(&d, name, on_entity, b);
	publish_state(b, "fault", name, "",
		      json_pack("{s:s,s:s,s:s,s:s}", "fault", f->key, "text",
				f->text, "remedy", f->remedy, "since",
				clock_format(since, f->since_wall_us)));
}

static void publish_faults(struct bridge *b)
{
	json_t *all = faults_json(b->faults);
	size_t n = json_array_size(all);

	while (json_array_size(all) > FAULTS_LISTED)
		json_array_remove(all, FAULTS_LISTED);
	publish_state(b, "faults", "", "",
		      json_pack("{s:i,s:i,s:o}", "count",
				(int)fault_count(b->faults), "warnings",
				(int)(n - fault_count(b->faults)), "faults",
				all));
}

static void publish_alarm(struct bridge *b, int i)
{
	publish_state(b, "alarm", b->scope->config->alarms[i].name, "/state",
		      alarm_json(b->scope->alarms, i));
}

static void publish_mode(struct bridge *b)
{
	publish_state(b, "mode", "", "",
		      modes_json(alarms_modes(b->scope->alarms)));
}

static void publish_input(struct bridge *b, int i)
{
	publish_state(b, "input", b->scope->config->inputs[i].name, "/state",
		      field_input_json(b->scope->field, i));
}

static void publish_output(struct bridge *b, int i)
{
	publish_state(b, "output", b->scope->config->outputs[i].name, "/state",
		      field_output_json(b->scope->field, i));
}

/* ------------------------------------------------------- all there is to say
 */

static void say_alarm(struct bridge *b, const struct discovery *d, size_t i)
{
	publish_alarm(b, (int)i);
	if (d->config->mqtt.discovery)
		discovery_alarm(d, i, on_entity, b);
}

static void say_input(struct bridge *b, const struct discovery *d, size_t i)
{
	publish_input(b, (int)i);
	if (d->config->mqtt.discovery)
		discovery_input(d, i, on_entity, b);
}

static void say_output(struct bridge *b, const struct discovery *d, size_t i)
{
	publish_output(b, (int)i);
	if (d->config->mqtt.discovery)
		discovery_output(d, i, on_entity, b);
}

static void say_zone(struct bridge *b, const struct discovery *d, size_t i)
{
	publish_zone(b, i);
	if (d->config->mqtt.discovery)
		discovery_zone(d, i, on_entity, b);
}

static void take_back(const char *topic, void *arg)
{
	struct bridge *b = arg;

	mqtt_publish(b->mqtt, topic, "", 1, true);
}

/** The next thing of a pass; at its end what is no more is taken back. */
static void say_next(struct bridge *b)
{
	const struct discovery d = discovery_of(b);
	const struct config *c = d.config;
	const struct {
		size_t n;
		void (*say)(struct bridge *b, const struct discovery *d,
			    size_t i);
	} part[] = {
		{c->n_alarms, say_alarm},
		{c->n_inputs, say_input},
		{c->n_outputs, say_output},
		{b->n_zones, say_zone},
	};
	size_t i = b->pass++;

	for (size_t k = 0; k < sizeof(part) / sizeof(part[0]); k++) {
		if (i < part[k].n) {
			part[k].say(b, &d, i);
			return;
		}
		i -= part[k].n;
	}
	b->passing = false;
	retained_sweep(b->retained, take_back, b);
}

static void publish_all(struct bridge *b)
{
	const struct discovery d = discovery_of(b);
	json_t *faults = faults_json(b->faults), *f;
	size_t k;

	forget_zones(b);
	b->zone_state = calloc(d.config->n_zones + 1, sizeof(*b->zone_state));
	b->n_zones = b->zone_state ? d.config->n_zones : 0;
	retained_begin(b->retained);
	publish_retained(b, b->will, "online");
	publish_mode(b);
	publish_faults(b);
	json_array_foreach(faults, k, f) publish_fault(
		b, json_string_value(json_object_get(f, "fault")));
	json_decref(faults);
	if (d.config->mqtt.discovery)
		discovery_site(&d, on_entity, b);
	b->pass = 0;
	b->passing = true;
	tmr_start(&b->tmr, 0, on_turn, b);
}

static void publish_event(struct bridge *b, const struct event *e)
{
	json_t *o = event_json(e);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	char topic[320];

	topic_of(b, topic, "event", "", "");
	if (text)
		mqtt_publish_event(b->mqtt, topic, text);
	b->kept += !b->up;
	free(text);
	json_decref(o);
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
	publish_event(b, e);
	/* Between two configurations: all is said when it is in force. */
	if (!b->up || b->scope->changing)
		return;
	name = name ? name + 1 : "";
	if (!strncmp(type, "broadcast.", 10) || !strncmp(type, "zone.", 5)) {
		look_at_zones(b);
	} else if (!strncmp(type, "alarm.", 6)) {
		i = config_alarm_find(b->scope->config, name);
		if (i >= 0)
			publish_alarm(b, i);
	} else if (e->type == EVENT_MODE_CHANGED) {
		publish_mode(b);
	} else if (!strncmp(type, "input.", 6)) {
		i = config_input_find(b->scope->config, name);
		if (i >= 0)
			publish_input(b, i);
	} else if (!strncmp(type, "output.", 7)) {
		i = config_output_find(b->scope->config, name);
		if (i >= 0)
			publish_output(b, i);
	} else if (!strncmp(type, "fault.", 6)) {
		publish_fault(b, name);
		publish_faults(b);
	}
}

void bridge_publish(const char *topic, const char *payload, void *arg)
{
	struct bridge *b = arg;

	if (b && b->mqtt)
		mqtt_publish(b->mqtt, topic, payload, 1, true);
}

void bridge_send(const char *topic, const char *payload, bool retain, void *arg)
{
	struct bridge *b = arg;

	if (b && b->mqtt)
		mqtt_publish(b->mqtt, topic, payload, 1, retain);
}

/* ----------------------------------------------------------------- commands */

static void reply(struct bridge *b, const char *id, int status, json_t *result,
		  const struct refusal *no)
{
	char name[80], topic[320], *text;
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
	topic_of(b, topic, "reply", name, "");
	text = json_dumps(o, JSON_COMPACT);
	if (text && b->mqtt)
		mqtt_publish(b->mqtt, topic, text, 1, false);
	free(text);
	json_decref(o);
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

/** Something that the broker retains: ours from before, perhaps. */
static void on_found(struct bridge *b, const char *topic)
{
	struct discovery d = discovery_of(b);
	size_t n = strlen(b->prefix);
	char filter[320];

	discovery_filter(&d, filter, sizeof(filter));
	if (mqtt_topic_match(filter, topic) ||
	    (!strncmp(topic, b->prefix, n) && topic[n] == '/'))
		retained_found(b->retained, topic);
	if (!b->passing)
		retained_sweep(b->retained, take_back, b);
}

static void on_message(const struct mqtt_message *m, void *arg)
{
	struct bridge *b = arg;
	size_t n = strlen(b->prefix);

	if (!strncmp(m->topic, b->prefix, n) &&
	    !strncmp(m->topic + n, "/command/", 9)) {
		on_command(b, m->topic + n + 9, m);
		return;
	}
	if (m->retain && m->len)
		on_found(b, m->topic);
	field_mqtt(b->scope->field, m->topic, m->payload, m->len, m->retain,
		   m->at_us);
}

static char *broker_name(char buf[300], const struct bridge *b, unsigned i)
{
	const struct config_broker *k = &b->scope->config->mqtt.broker[i];

	snprintf(buf, 300, "%s:%u", k->host, k->port);
	return buf;
}

static void on_connected(struct bridge *b, unsigned broker)
{
	struct mqtt_counters count;
	char name[300], late[120] = "", key[32];

	b->up = true;
	b->broker = broker;
	snprintf(key, sizeof(key), "mqtt:broker-%u", broker + 1);
	fault_clear(b->faults, key);
	fault_clear(b->faults, "mqtt");
	fault_clear(b->faults, "mqtt:refused");
	fault_clear(b->faults, "mqtt:unread");
	mqtt_counters(b->mqtt, &count);
	if (b->kept)
		snprintf(late, sizeof(late),
			 "; %u events of the time without it follow late, "
			 "%u were too many to keep",
			 count.kept,
			 b->kept > count.kept ? b->kept - count.kept : 0);
	b->kept = 0;
	record(b->scope->recorder, EVENT_MQTT_CONNECTED, 0, "mqtt", NULL, NULL,
	       "connected to MQTT broker %s%s", broker_name(name, b, broker),
	       late);
	publish_all(b);
	field_mqtt_state(b->scope->field, true);
}

static void on_away(struct bridge *b, const char *text)
{
	const struct config_mqtt *c = &b->scope->config->mqtt;
	bool was = b->up;

	b->up = false;
	fault_clear(b->faults, "mqtt:refused");
	fault_clear(b->faults, "mqtt:unread");
	fault_raise(b->faults, "mqtt", c->keepalive_s * 2000,
		    "Check the broker, the network to it and the mqtt section; "
		    "inputs and commands over MQTT do not work meanwhile.",
		    "MQTT broker %s", text);
	if (was)
		record(b->scope->recorder, EVENT_MQTT_LOST, 0, "mqtt", NULL,
		       NULL, "lost MQTT broker %s", text);
	field_mqtt_state(b->scope->field, false);
}

static void on_other(struct bridge *b, unsigned broker, const char *text)
{
	const struct config_mqtt *c = &b->scope->config->mqtt;
	char key[32];

	snprintf(key, sizeof(key), "mqtt:broker-%u", broker + 1);
	if (*text)
		fault_raise(b->faults, key, c->fail_back_s * 1000,
			    "Check this broker and the network to it: there is "
			    "one less to fall back on.",
			    "MQTT broker %s", text);
	else
		fault_clear(b->faults, key);
}

/** There, but it turned something of ours away. */
static void on_refused(struct bridge *b, const char *key, const char *text)
{
	char name[300];

	if (*text)
		fault_raise(b->faults, key, 0,
			    "Correct the broker's access list for our user; "
			    "what it refuses does not work meanwhile.",
			    "MQTT broker %s: %s",
			    broker_name(name, b, b->broker), text);
	else
		fault_clear(b->faults, key);
}

static void on_state(enum mqtt_news news, unsigned broker, const char *text,
		     void *arg)
{
	struct bridge *b = arg;

	switch (news) {
	case MQTT_CONNECTED:
		on_connected(b, broker);
		break;
	case MQTT_AWAY:
		on_away(b, text);
		break;
	case MQTT_OTHER:
		on_other(b, broker, text);
		break;
	case MQTT_NO_WRITE:
		on_refused(b, "mqtt:refused", text);
		if (!*text)
			publish_all(b);
		break;
	case MQTT_NO_READ:
		on_refused(b, "mqtt:unread", text);
		break;
	}
}

/* ------------------------------------------------------------ configuration */

/** All that makes a new connection necessary, as one text. */
static char *signature(const struct config *c)
{
	const struct config_mqtt *m = &c->mqtt;
	const char *const part[] = {
		c->site, m->user, m->password_file, m->ca,
		m->cert, m->key,  m->client_id,     m->discovery_prefix};
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		return NULL;
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		fprintf(f, "%s\n", part[i] ? part[i] : "");
	for (size_t i = 0; i < m->n_brokers; i++)
		fprintf(f, "%s %u %d\n", m->broker[i].host, m->broker[i].port,
			m->broker[i].tls);
	fprintf(f, "%u %u %d\n", m->keepalive_s, m->fail_back_s, m->commands);
	for (size_t i = 0; i < c->n_inputs; i++)
		if (c->inputs[i].kind == INPUT_MQTT)
			fprintf(f, "%s\n", c->inputs[i].topic);
	for (size_t i = 0; i < c->n_outputs; i++)
		if (c->outputs[i].confirm)
			fprintf(f, "%s\n", c->outputs[i].confirm);
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
	static const char *const own[] = {"zone/+/state", "alarm/+/state",
					  "input/+/state", "output/+/state",
					  "fault/+"};
	const struct discovery d = discovery_of(b);
	char client[128], filter[320];
	struct mqtt_spec spec = {
		.n_brokers = (unsigned)m->n_brokers,
		.probe_s = m->fail_back_s,
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

	for (size_t i = 0; i < m->n_brokers; i++)
		spec.broker[i] = (struct mqtt_broker){
			.host = m->broker[i].host,
			.port = m->broker[i].port,
			.tls = m->broker[i].tls,
		};
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
	for (size_t i = 0; i < c->n_outputs; i++)
		if (c->outputs[i].confirm)
			mqtt_subscribe(b->mqtt, c->outputs[i].confirm);
	/* What a process that was killed, or an older configuration, left. */
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		topic_of(b, filter, own[i], "", "");
		mqtt_subscribe_others(b->mqtt, filter);
	}
	discovery_filter(&d, filter, sizeof(filter));
	mqtt_subscribe_others(b->mqtt, filter);
	return 0;
}

int bridge_configure(struct bridge *b, struct reason *why)
{
	const struct config *c = b->scope->config;
	char *now = c->mqtt.present ? signature(c) : NULL;
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
	b->mqtt = mqtt_free(b->mqtt);
	b->up = false;
	fault_clear(b->faults, "mqtt");
	fault_clear_prefix(b->faults, "mqtt:", NULL, NULL);
	free(b->signature);
	b->signature = now;
	/* At the start nothing is lost yet: a broker that cannot be reached
	 * will be told of. */
	if (was)
		field_mqtt_state(b->scope->field, false);
	if (!now)
		return 0;
	err = connect_broker(b, why);
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

void bridge_broker(const struct bridge *b, char name[300])
{
	name[0] = '\0';
	if (b->up)
		broker_name(name, b, b->broker);
}

void bridge_metrics(const struct bridge *b, FILE *out)
{
	struct mqtt_counters c;

	if (!b->mqtt)
		return;
	mqtt_counters(b->mqtt, &c);
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} row[] = {
		{"connected", "gauge", "1 while a broker serves us.", b->up},
		{"received_total", "counter", "Messages received.", c.received},
		{"cut_total", "counter",
		 "Of them, those too long to be looked at.", c.cut},
		{"published_total", "counter",
		 "Own messages that the broker confirmed.", c.published},
		{"lost_total", "counter",
		 "Own messages dropped, or refused by the broker.", c.lost},
		{"late_total", "counter", "Events sent after an outage.",
		 c.late},
		{"kept", "gauge", "Events that wait for a broker.", c.kept},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		fprintf(out,
			"# HELP tocsin_mqtt_%s %s\n# TYPE tocsin_mqtt_%s %s\n"
			"tocsin_mqtt_%s %llu\n",
			row[i].name, row[i].help, row[i].name, row[i].type,
			row[i].name, (unsigned long long)row[i].value);
}
