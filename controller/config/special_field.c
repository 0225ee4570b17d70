/* Inputs and outputs: what kind they are, and where. */
#include "load.h"
#include "values.h"

#include <mosquitto.h>
#include <stdlib.h>
#include <string.h>

void set_virtual(struct load *l, void *obj, const struct config_value *val)
{
	bool yes;

	(void)obj; /* virtual is the kind with the number 0 */
	if (!value_flag(val->v[0], &yes) || !yes)
		load_refuse(l, val, val->v[0]);
}

/** Splits "CHIP:LINE" at the last colon. */
static bool split_gpio(struct load *l, const struct config_value *val,
		       char **chip, char **line)
{
	const char *s = val->v[0], *colon = strrchr(s, ':');
	char *name;

	if (!colon || colon == s || !colon[1] || strlen(s) > 128) {
		load_refuse(l, val, s);
		return false;
	}
	name = strndup(s, (size_t)(colon - s));
	if (!name) {
		l->p->nomem = true;
		return false;
	}
	load_text(l, chip, name);
	load_text(l, line, colon + 1);
	free(name);
	return true;
}

void set_gpio_input(struct load *l, void *obj, const struct config_value *val)
{
	struct config_input *i = obj;

	split_gpio(l, val, &i->chip, &i->line);
	i->kind = INPUT_GPIO;
}

void set_gpio_output(struct load *l, void *obj, const struct config_value *val)
{
	struct config_output *o = obj;

	split_gpio(l, val, &o->chip, &o->line);
	o->kind = OUTPUT_GPIO;
}

void set_mqtt_input(struct load *l, void *obj, const struct config_value *val)
{
	struct config_input *i = obj;

	i->kind = INPUT_MQTT;
	if (!*val->v[0] || *val->v[0] == '$' ||
	    mosquitto_sub_topic_check(val->v[0]) != MOSQ_ERR_SUCCESS)
		load_refuse(l, val, val->v[0]);
	load_text(l, &i->topic, val->v[0]);
}

void set_mqtt_output(struct load *l, void *obj, const struct config_value *val)
{
	struct config_output *o = obj;

	o->kind = OUTPUT_MQTT;
	if (!*val->v[0] || *val->v[0] == '$' ||
	    mosquitto_pub_topic_check(val->v[0]) != MOSQ_ERR_SUCCESS)
		load_refuse(l, val, val->v[0]);
	load_text(l, &o->topic, val->v[0]);
}

void set_confirm(struct load *l, void *obj, const struct config_value *val)
{
	struct config_output *o = obj;

	if (!*val->v[0] || *val->v[0] == '$' ||
	    mosquitto_pub_topic_check(val->v[0]) != MOSQ_ERR_SUCCESS)
		load_refuse(l, val, val->v[0]);
	load_text(l, &o->confirm, val->v[0]);
}

static bool read_bus(struct load *l, const struct config_value *val, char **bus)
{
	char text[MBUS_ADDRESS_SIZE];
	struct mbus_address a;

	if (!mbus_address_read(&a, val->v[0])) {
		load_refuse(l, val, val->v[0]);
		return false;
	}
	load_text(l, bus, mbus_address_text(text, &a));
	return true;
}

void set_modbus_input(struct load *l, void *obj, const struct config_value *val)
{
	struct config_input *i = obj;

	i->kind = INPUT_MODBUS;
	read_bus(l, val, &i->modbus.bus);
}

void set_modbus_output(struct load *l, void *obj,
		       const struct config_value *val)
{
	struct config_output *o = obj;

	o->kind = OUTPUT_MODBUS;
	read_bus(l, val, &o->modbus.bus);
}

/** A number of 32 bits, decimal or hexadecimal. */
void set_word(struct load *l, void *obj, const struct config_value *val)
{
	const char *s = val->v[0];
	const bool hex = !strncmp(s, "0x", 2);
	const char *digits = hex ? s + 2 : s;
	const bool yes = true;
	unsigned long long v;
	uint32_t word;

	if (!*digits || strlen(digits) > 10 ||
	    digits[strspn(digits,
			  hex ? "0123456789abcdefABCDEF" : "0123456789")]) {
		load_refuse(l, val, s);
		return;
	}
	v = strtoull(digits, NULL, hex ? 16 : 10);
	if (v > UINT32_MAX) {
		load_refuse(l, val, s);
		return;
	}
	word = (uint32_t)v;
	memcpy((char *)obj + val->key->offset, &word, sizeof(word));
	memcpy((char *)obj + val->key->other, &yes, sizeof(yes));
}

static bool show_topic(const char *topic, FILE *f)
{
	if (topic)
		schema_quote(f, topic);
	return topic;
}

static bool show_line(const char *chip, const char *line, FILE *f)
{
	char text[160];

	if (!chip)
		return false;
	snprintf(text, sizeof(text), "%s:%s", chip, line);
	schema_quote(f, text);
	return true;
}

bool show_virtual(const struct config *c, const void *obj, FILE *f)
{
	const struct config_input *i = obj;

	(void)c;
	if (i->kind != INPUT_VIRTUAL)
		return false;
	fputs("true", f);
	return true;
}

bool show_mqtt(const struct config *c, const void *obj, FILE *f)
{
	(void)c;
	return show_topic(((const struct config_input *)obj)->topic, f);
}

bool show_gpio(const struct config *c, const void *obj, FILE *f)
{
	const struct config_input *i = obj;

	(void)c;
	return show_line(i->chip, i->line, f);
}

bool show_clear_below(const struct config *c, const void *obj, FILE *f)
{
	const struct config_input *i = obj;

	(void)c;
	if (i->has_above)
		schema_real(f, i->clear_below);
	return i->has_above;
}

bool show_clear_above(const struct config *c, const void *obj, FILE *f)
{
	const struct config_input *i = obj;

	(void)c;
	if (i->has_below)
		schema_real(f, i->clear_above);
	return i->has_below;
}

/** "votes" says it instead. */
bool show_when(const struct config *c, const void *obj, FILE *f)
{
	const struct config_alarm *a = obj;

	(void)c;
	if (!a->has_votes)
		schema_quote(f, a->when_all ? "all" : "any");
	return !a->has_votes;
}

bool show_output_virtual(const struct config *c, const void *obj, FILE *f)
{
	const struct config_output *o = obj;

	(void)c;
	if (o->kind != OUTPUT_VIRTUAL)
		return false;
	fputs("true", f);
	return true;
}

bool show_output_mqtt(const struct config *c, const void *obj, FILE *f)
{
	(void)c;
	return show_topic(((const struct config_output *)obj)->topic, f);
}

bool show_output_gpio(const struct config *c, const void *obj, FILE *f)
{
	const struct config_output *o = obj;

	(void)c;
	return show_line(o->chip, o->line, f);
}

bool show_modbus(const struct config *c, const void *obj, FILE *f)
{
	(void)c;
	return show_topic(((const struct config_input *)obj)->modbus.bus, f);
}

bool show_output_modbus(const struct config *c, const void *obj, FILE *f)
{
	(void)c;
	return show_topic(((const struct config_output *)obj)->modbus.bus, f);
}

bool show_mask(const struct config *c, const void *obj, FILE *f)
{
	const struct config_modbus *m =
		&((const struct config_input *)obj)->modbus;

	(void)c;
	if (m->has_mask)
		fprintf(f, "0x%x", m->mask);
	return m->has_mask;
}

bool show_equals(const struct config *c, const void *obj, FILE *f)
{
	const struct config_modbus *m =
		&((const struct config_input *)obj)->modbus;

	(void)c;
	if (m->has_equals)
		fprintf(f, "0x%x", m->equals);
	return m->has_equals;
}
