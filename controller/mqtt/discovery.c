#include "discovery.h"

#include "controller/broadcast.h"
#include "controller/text_json.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* New with each press, and true when it is sent. */
#define ID_AND_TIME                                                            \
	"\"id\":\"ha-{{ (now().timestamp() * 1000000) | int }}-"               \
	"{{ range(1000, 9999) | random }}\","                                  \
	"\"time\":{{ now().timestamp() }}"

#define MAX_ID 96

/* Home Assistant takes letters, digits, _ and - only. What needs another
 * character gets a number made of all of them, so that two never meet. */
static void make_id(char id[MAX_ID], const char *name)
{
	uint32_t sum = 2166136261u; /* FNV-1a */
	bool plain = true;
	size_t n = 0;

	for (; name[n]; n++)
		sum = (sum ^ (unsigned char)name[n]) * 16777619u;
	plain = n < MAX_ID - 10;
	n = 0;
	for (size_t i = 0; name[i] && n < MAX_ID - 10; i++) {
		const bool ok = isalnum((unsigned char)name[i]) ||
				strchr("_-", name[i]);

		id[n++] = ok ? name[i] : '_';
		plain = plain && ok;
	}
	id[n] = '\0';
	if (!plain)
		snprintf(id + n, MAX_ID - n, "_%08x", sum);
}

static void node(const struct discovery *d, char buf[MAX_ID + 8])
{
	char id[MAX_ID];

	make_id(id, d->config->site);
	snprintf(buf, MAX_ID + 8, "tocsin_%s", id);
}

void discovery_filter(const struct discovery *d, char *buf, size_t size)
{
	char id[MAX_ID + 8];

	node(d, id);
	snprintf(buf, size, "%s/+/%s/+/config",
		 d->config->mqtt.discovery_prefix, id);
}

static json_t *device(const struct discovery *d)
{
	char id[MAX_ID + 8], name[80];

	node(d, id);
	snprintf(name, sizeof(name), "Tocsin %s", d->config->site);
	return json_pack("{s:[s],s:s,s:s,s:s,s:s}", "identifiers", id, "name",
			 name, "manufacturer", "Tocsin", "model",
			 "Paging and emergency intercom controller",
			 "sw_version", TOCSIN_VERSION);
}

/* Adds what all entities have, and hands the entity out. Takes o. */
static void entity(const struct discovery *d, const char *component,
		   const char *what, const char *thing, const char *suffix,
		   const char *label, json_t *o, discovery_h *h, void *arg)
{
	char id[MAX_ID], site[MAX_ID + 8], object[MAX_ID * 2], text[320];
	json_t *status;

	make_id(id, thing);
	node(d, site);
	snprintf(object, sizeof(object), "%s%s%s%s%s", what, *thing ? "_" : "",
		 *thing ? id : "", *suffix ? "_" : "", suffix);
	snprintf(text, sizeof(text), "%s_%s", site, object);
	json_object_set_new(o, "unique_id", json_string(text));
	json_object_set_new(o, "object_id", json_string(text));
	json_object_set_new(o, "name", text_json(label));
	json_object_set_new(o, "device", device(d));
	json_object_set_new(
		o, "origin",
		json_pack("{s:s,s:s}", "name", "tocsin", "sw", TOCSIN_VERSION));
	snprintf(text, sizeof(text), "%s/status", d->base);
	status = json_pack("{s:s,s:s,s:s}", "topic", text, "payload_available",
			   "online", "payload_not_available", "offline");
	if (json_object_get(o, "availability"))
		json_array_insert_new(json_object_get(o, "availability"), 0,
				      status);
	else
		json_object_set_new(o, "availability",
				    json_pack("[o]", status));
	json_object_set_new(o, "availability_mode", json_string("all"));
	snprintf(text, sizeof(text), "%s/%s/%s/%s/config",
		 d->config->mqtt.discovery_prefix, component, site, object);
	h(text, o, arg);
	json_decref(o);
}

/* An entity that is ON or OFF by a JSON state. */
static json_t *on_off(const struct discovery *d, const char *what,
		      const char *thing, const char *leaf, const char *when_on,
		      const char *class)
{
	char topic[200], template[160];

	snprintf(topic, sizeof(topic), "%s/%s%s%s%s", d->base, what,
		 *thing ? "/" : "", thing, leaf);
	snprintf(template, sizeof(template), "{{ 'ON' if %s else 'OFF' }}",
		 when_on);
	return json_pack("{s:s,s:s,s:s,s:s*}", "state_topic", topic,
			 "value_template", template, "json_attributes_topic",
			 topic, "device_class", class);
}

/* Lets an entity command; body: the members beside id and time. */
static void command(const struct discovery *d, json_t *o, const char *verb,
		    const char *body)
{
	char topic[160], template[512];

	snprintf(topic, sizeof(topic), "%s/command/%s", d->base, verb);
	snprintf(template, sizeof(template), "{" ID_AND_TIME "%s}", body);
	json_object_set_new(o, "command_topic", json_string(topic));
	json_object_set_new(o, "command_template", json_string(template));
	json_object_set_new(o, "qos", json_integer(1));
}

static void make_switch(const struct discovery *d, json_t *o, const char *verb,
			const char *name)
{
	char body[160];

	snprintf(body, sizeof(body), ",\"name\":\"%s\",\"active\":{{ value }}",
		 name);
	command(d, o, verb, body);
	json_object_set_new(o, "payload_on", json_string("true"));
	json_object_set_new(o, "payload_off", json_string("false"));
	json_object_set_new(o, "state_on", json_string("ON"));
	json_object_set_new(o, "state_off", json_string("OFF"));
}

static void mode(const struct discovery *d, discovery_h *h, void *arg)
{
	const bool can = d->config->mqtt.commands;
	json_t *o, *names = json_array();
	char topic[160];

	for (size_t i = 0; i < d->config->n_modes; i++)
		json_array_append_new(names,
				      json_string(d->config->modes[i].name));
	snprintf(topic, sizeof(topic), "%s/mode", d->base);
	o = json_pack("{s:s,s:s,s:o}", "state_topic", topic, "value_template",
		      "{{ value_json.mode }}", "options", names);
	if (can)
		command(d, o, "mode", ",\"mode\":{{ value | tojson }}");
	else
		json_object_set_new(o, "device_class", json_string("enum"));
	entity(d, can ? "select" : "sensor", "mode", "", "", "Mode", o, h, arg);
}

void discovery_site(const struct discovery *d, discovery_h *h, void *arg)
{
	json_t *o = on_off(d, "faults", "", "", "value_json.count", "problem");

	json_object_set_new(o, "entity_category", json_string("diagnostic"));
	entity(d, "binary_sensor", "faults", "", "", "Faults", o, h, arg);
	if (d->config->n_modes)
		mode(d, h, arg);
}

void discovery_zone(const struct discovery *d, size_t zone, discovery_h *h,
		    void *arg)
{
	const char *name = d->config->zones[zone].name;
	char label[100], body[160], topic[160];
	json_t *o;

	snprintf(label, sizeof(label), "Zone %s", name);
	entity(d, "binary_sensor", "zone", name, "", label,
	       on_off(d, "zone", name, "/state", "value_json.playing", "sound"),
	       h, arg);
	if (!d->config->mqtt.commands)
		return;

	snprintf(topic, sizeof(topic), "%s/zone/%s/state", d->base, name);
	o = json_pack("{s:s,s:s,s:i,s:i,s:i,s:s,s:s,s:s}", "state_topic", topic,
		      "value_template",
		      "{{ value_json.volume_db | default(0, true) }}", "min",
		      BROADCAST_MIN_VOLUME_CB / 10, "max",
		      BROADCAST_MAX_VOLUME_CB / 10, "step", 1,
		      "unit_of_measurement", "dB", "mode", "slider", "icon",
		      "mdi:volume-high");
	snprintf(body, sizeof(body), ",\"name\":\"%s\",\"db\":{{ value }}",
		 name);
	command(d, o, "volume", body);
	snprintf(label, sizeof(label), "Zone %s volume", name);
	entity(d, "number", "zone", name, "volume", label, o, h, arg);

	o = json_object();
	snprintf(body, sizeof(body),
		 ",\"zones\":[\"%s\"],\"text\":{{ value | tojson }}", name);
	command(d, o, "page", body);
	snprintf(label, sizeof(label), "Zone %s announcement", name);
	entity(d, "notify", "zone", name, "text", label, o, h, arg);
}

void discovery_alarm(const struct discovery *d, size_t alarm, discovery_h *h,
		     void *arg)
{
	static const char *const verbs[] = {"ack", "reset", "trigger"};
	static const char *const labels[] = {"acknowledge", "reset", "trigger"};
	const char *name = d->config->alarms[alarm].name;
	char label[120], body[120];
	json_t *o;

	snprintf(label, sizeof(label), "Alarm %s", name);
	entity(d, "binary_sensor", "alarm", name, "", label,
	       on_off(d, "alarm", name, "/state",
		      "value_json.state != 'normal'", "safety"),
	       h, arg);
	for (size_t i = 0; i < 3 && d->config->mqtt.commands; i++) {
		o = json_object();
		snprintf(body, sizeof(body), ",\"name\":\"%s\"", name);
		command(d, o, verbs[i], body);
		/* Nobody evacuates a site by a wrong click. */
		if (i == 2)
			json_object_set_new(o, "enabled_by_default",
					    json_false());
		snprintf(label, sizeof(label), "Alarm %s %s", name, labels[i]);
		entity(d, "button", "alarm", name, verbs[i], label, o, h, arg);
	}
}

void discovery_input(const struct discovery *d, size_t input, discovery_h *h,
		     void *arg)
{
	const struct config_input *in = &d->config->inputs[input];
	const bool can = in->kind == INPUT_VIRTUAL && d->config->mqtt.commands;
	json_t *o = on_off(d, "input", in->name, "/state", "value_json.active",
			   NULL);
	char label[100];

	json_object_set_new(
		o, "availability",
		json_pack("[{s:O,s:s,s:s,s:s}]", "topic",
			  json_object_get(o, "state_topic"), "value_template",
			  "{{ 'good' if value_json.quality == 'good' else "
			  "'fault' }}",
			  "payload_available", "good", "payload_not_available",
			  "fault"));
	snprintf(label, sizeof(label), "Input %s", in->name);
	if (can)
		make_switch(d, o, "input", in->name);
	entity(d, can ? "switch" : "binary_sensor", "input", in->name, "",
	       label, o, h, arg);
}

void discovery_output(const struct discovery *d, size_t output, discovery_h *h,
		      void *arg)
{
	const struct config_output *out = &d->config->outputs[output];
	const bool fault = out->role == ROLE_FAULT;
	const bool can = !fault && d->config->mqtt.commands;
	json_t *o =
		on_off(d, "output", out->name, "/state",
		       fault ? "not value_json.active" : "value_json.active",
		       fault ? "problem" : NULL);
	char label[100];

	snprintf(label, sizeof(label), "Output %s", out->name);
	if (can)
		make_switch(d, o, "output", out->name);
	entity(d, can ? "switch" : "binary_sensor", "output", out->name, "",
	       label, o, h, arg);
}

void discovery_fault(const struct discovery *d, const char *topic,
		     discovery_h *h, void *arg)
{
	json_t *o = on_off(d, "fault", topic, "", "value", "problem");
	char label[120];

	json_object_set_new(o, "entity_category", json_string("diagnostic"));
	snprintf(label, sizeof(label), "Fault %s", topic);
	entity(d, "binary_sensor", "fault", topic, "", label, o, h, arg);
}
