/* field.c: inputs with their quality, outputs with their role. */
#include "gpio/input_many.h"
#include "site_plan.h"
#include "site_util.h"

#define MQTT "mqtt { broker = \"mqtt://127.0.0.1:1\" }\n"
#define GAS                                                                    \
	"input \"gas\" { mqtt = \"plant/+/gas\" above = 40 clear-below = 30 "  \
	"max-age = \"10s\" }\n"
#define DOOR "input \"door\" { mqtt = \"door\" }\n"
#define FAULT_OUT                                                              \
	"output \"relay\" { mqtt = \"relay\" on = \"ON\" off = \"OFF\" role "  \
	"= \"fault\" }\n"
#define LAMP(topic)                                                            \
	"output \"lamp\" { mqtt = \"" topic "\" on = \"1\" off = \"0\" }\n"
#define PLAN PLAN_BASE MQTT GAS DOOR FAULT_OUT LAMP("lamp")

static const struct input_value *value(struct site *s, const char *name)
{
	return field_input(s->field, config_input_find(s->config, name));
}

static void hear(struct site *s, const char *topic, const char *text,
		 bool retain)
{
	field_mqtt(s->field, topic, text, strlen(text), retain,
		   clock_mono_us());
}

static bool was_published(struct site *s, const char *text)
{
	return s->n_published &&
	       !strcmp(s->published[(s->n_published - 1) % 64], text);
}

static bool relay(struct site *s)
{
	json_t *o = field_output_json(s->field,
				      config_output_find(s->config, "relay"));
	bool on = json_is_true(json_object_get(o, "active"));

	json_decref(o);
	return on;
}

static void test_value_by_rule(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);

	(void)state;
	assert_int_equal(value(s, "gas")->quality, INPUT_UNKNOWN);
	assert_int_equal(fault_count(s->faults), 0);
	hear(s, "plant/1/gas", "35", false);
	assert_int_equal(value(s, "gas")->quality, INPUT_GOOD);
	assert_false(value(s, "gas")->active);
	hear(s, "plant/1/gas", "41", false);
	assert_true(value(s, "gas")->active);
	hear(s, "plant/1/gas", "35", false);
	assert_true(value(s, "gas")->active);
	hear(s, "plant/1/other", "5", false);
	assert_true(value(s, "gas")->active);
	hear(s, "plant/1/gas", "29", false);
	assert_false(value(s, "gas")->active);
	assert_int_equal(site_count(s, EVENT_INPUT_CHANGED, "input:gas"), 2);
	site_end(s, false);
}

static void test_unreadable_keeps_its_value(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	json_t *o;

	(void)state;
	hear(s, "plant/1/gas", "50", false);
	hear(s, "plant/1/gas", "\xff\xfe much", false);
	assert_int_equal(value(s, "gas")->quality, INPUT_FAULT);
	assert_true(value(s, "gas")->active);
	assert_non_null(fault_find(s->faults, "input:gas"));
	o = field_inputs_json(s->field);
	assert_int_equal(json_array_size(o), 2);
	json_decref(o);
	hear(s, "plant/1/gas", "10", false);
	assert_null(fault_find(s->faults, "input:gas"));
	site_end(s, false);
}

static void test_retained_starts_nothing(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);

	(void)state;
	hear(s, "door", "1", true);
	assert_false(value(s, "door")->active);
	assert_int_equal(site_count(s, EVENT_INPUT_IGNORED, "input:door"), 1);
	/* But it is not passed over in silence. */
	assert_non_null(fault_find(s->faults, "input:door"));
	hear(s, "door", "1", false);
	assert_true(value(s, "door")->active);
	assert_null(fault_find(s->faults, "input:door"));
	hear(s, "door", "0", true);
	assert_false(value(s, "door")->active);
	assert_int_equal(value(s, "door")->quality, INPUT_GOOD);
	site_end(s, false);
}

static void test_broker_away(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);

	(void)state;
	hear(s, "door", "1", false);
	field_mqtt_state(s->field, false);
	assert_true(value(s, "door")->active);
	assert_int_equal(value(s, "door")->quality, INPUT_FAULT);
	assert_non_null(fault_find(s->faults, "input:door"));
	assert_false(relay(s));
	/* Back: no fault any more, but nobody knows until it speaks. */
	field_mqtt_state(s->field, true);
	assert_null(fault_find(s->faults, "input:door"));
	assert_true(value(s, "door")->active);
	assert_int_equal(value(s, "door")->quality, INPUT_UNKNOWN);
	hear(s, "door", "0", false);
	assert_int_equal(value(s, "door")->quality, INPUT_GOOD);
	assert_false(value(s, "door")->active);
	assert_true(relay(s));
	site_end(s, false);
}

/* Each topic of a filter has a value of its own: what is normal in one room
 * clears nothing in another, and one sensor that is lost is a fault. */
static void test_wildcard(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	char topic[32];
	json_t *o;

	(void)state;
	hear(s, "plant/1/gas", "50", false);
	hear(s, "plant/2/gas", "10", false);
	assert_true(value(s, "gas")->active);
	assert_string_equal(value(s, "gas")->raw, "50");
	hear(s, "plant/2/gas", "60", false);
	hear(s, "plant/1/gas", "10", false);
	assert_true(value(s, "gas")->active);
	/* unreadable: a fault that names its topic, and clears nothing */
	hear(s, "plant/2/gas", "NaN", false);
	assert_true(value(s, "gas")->active);
	assert_int_equal(value(s, "gas")->quality, INPUT_FAULT);
	assert_non_null(strstr(value(s, "gas")->why, "plant/2/gas: "));
	hear(s, "plant/1/gas", "10", false);
	assert_int_equal(value(s, "gas")->quality, INPUT_FAULT);
	/* a reload keeps them apart, too */
	site_configure(s, PLAN);
	hear(s, "plant/1/gas", "11", false);
	assert_true(value(s, "gas")->active);
	hear(s, "plant/2/gas", "20", false);
	assert_false(value(s, "gas")->active);
	assert_int_equal(value(s, "gas")->quality, INPUT_GOOD);
	assert_int_equal(site_count(s, EVENT_INPUT_CHANGED, "input:gas"), 2);
	/* one of them falls silent */
	field_mqtt(s->field, "plant/3/gas", "5", 1, false,
		   clock_mono_us() - 11000000);
	field_watch(s->field);
	assert_int_equal(value(s, "gas")->quality, INPUT_STALE);
	assert_non_null(strstr(value(s, "gas")->why, "plant/3/gas: "));
	/* a retained one that says active starts nothing, a retained one that
	 * says normal clears its own topic only */
	hear(s, "plant/3/gas", "99", true);
	assert_false(value(s, "gas")->active);
	assert_int_equal(value(s, "gas")->quality, INPUT_FAULT);
	hear(s, "plant/3/gas", "99", false);
	hear(s, "plant/1/gas", "1", true);
	assert_true(value(s, "gas")->active);
	hear(s, "plant/3/gas", "1", true);
	assert_false(value(s, "gas")->active);
	/* the broker is back: nothing is known of any */
	field_mqtt_state(s->field, false);
	assert_int_equal(value(s, "gas")->quality, INPUT_FAULT);
	field_mqtt_state(s->field, true);
	assert_int_equal(value(s, "gas")->quality, INPUT_UNKNOWN);
	hear(s, "plant/1/gas", "1", false);
	assert_int_equal(value(s, "gas")->quality, INPUT_UNKNOWN);
	hear(s, "plant/2/gas", "1", false);
	hear(s, "plant/3/gas", "1", false);
	assert_int_equal(value(s, "gas")->quality, INPUT_GOOD);
	/* whoever may publish cannot make us grow */
	for (unsigned i = 0; i < 2 * INPUT_MANY_MAX; i++) {
		snprintf(topic, sizeof(topic), "plant/x%u/gas", i);
		hear(s, topic, "1", false);
	}
	assert_int_equal(value(s, "gas")->quality, INPUT_FAULT);
	assert_non_null(strstr(value(s, "gas")->why, "more than 256"));
	o = field_input_json(s->field, config_input_find(s->config, "gas"));
	assert_int_equal(json_integer_value(json_object_get(o, "topics")),
			 INPUT_MANY_MAX);
	json_decref(o);
	site_end(s, false);
}

/* The alarms hear of each change, journal and broker of some. */
static void test_burst(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	uint64_t until = clock_mono_us() + PATIENCE_US;
	unsigned n;

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		hear(s, "door", i % 2 ? "0" : "1", false);
	hear(s, "door", "1", false);
	assert_true(value(s, "door")->active);
	n = site_count(s, EVENT_INPUT_CHANGED, "input:door");
	assert_in_range(n, 1, 200); /* 20 a second; the machine is slow */
	while (site_count(s, EVENT_INPUT_CHANGED, "input:door") == n &&
	       clock_mono_us() < until)
		field_watch(s->field);
	assert_non_null(
		strstr(s->event[s->n_events - 1].text, "door is active"));
	assert_non_null(strstr(s->event[s->n_events - 1].text, "more changes"));
	site_end(s, false);
}

#define HORN                                                                   \
	"output \"horn\" { mqtt = \"cmnd/horn\" confirm = \"stat/horn\" "      \
	"confirm-json = \"relay.0\" confirm-on = \"closed\" confirm-off = "    \
	"\"open\" confirm-within = \"100ms\" }\n"

static bool horn_fault(struct site *s)
{
	return fault_find(s->faults, "point:horn");
}

static void watch_until(struct site *s, bool fault)
{
	uint64_t until = clock_mono_us() + PATIENCE_US;

	while (horn_fault(s) != fault && clock_mono_us() < until)
		field_watch(s->field);
	assert_int_equal(horn_fault(s), fault);
}

static void test_confirmed_output(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN_BASE MQTT HORN);
	int horn = config_output_find(s->config, "horn");

	(void)state;
	/* nobody is asked before there is a broker */
	field_mqtt_state(s->field, false);
	field_watch(s->field);
	assert_false(horn_fault(s));
	field_mqtt_state(s->field, true);
	assert_true(was_published(s, "cmnd/horn OFF"));
	watch_until(s, true);
	assert_non_null(strstr(fault_find(s->faults, "point:horn")->text,
			       "stat/horn says nothing"));
	hear(s, "stat/horn", "{\"relay\":[\"open\"]}", true);
	assert_false(horn_fault(s));
	field_output_set(s->field, horn, true, "user:x", 0);
	watch_until(s, true);
	assert_non_null(strstr(fault_find(s->faults, "point:horn")->text,
			       "says \"open\""));
	hear(s, "stat/horn", "{\"relay\":[\"closed\"]}", false);
	assert_false(horn_fault(s));
	/* somebody switches it at the device */
	hear(s, "stat/horn", "{\"relay\":[\"stuck\"]}", false);
	assert_false(horn_fault(s));
	watch_until(s, true);
	assert_non_null(strstr(fault_find(s->faults, "point:horn")->text,
			       "says \"stuck\""));
	/* a reload forgets nothing of it */
	site_configure(s, PLAN_BASE MQTT HORN);
	assert_true(horn_fault(s));
	hear(s, "stat/horn", "{\"relay\":[\"closed\"]}", false);
	assert_false(horn_fault(s));
	site_end(s, false);
}

static void test_stale(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	const char *text = "50";

	(void)state;
	/* Received 11 s ago, with a max-age of 10 s. */
	field_mqtt(s->field, "plant/1/gas", text, 2, false,
		   clock_mono_us() - 11000000);
	assert_int_equal(value(s, "gas")->quality, INPUT_GOOD);
	field_watch(s->field);
	assert_int_equal(value(s, "gas")->quality, INPUT_STALE);
	assert_true(value(s, "gas")->active);
	assert_non_null(fault_find(s->faults, "input:gas"));
	hear(s, "plant/1/gas", text, false);
	assert_null(fault_find(s->faults, "input:gas"));
	site_end(s, false);
}

static void test_outputs(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	int lamp = config_output_find(s->config, "lamp"),
	    out = config_output_find(s->config, "relay");
	unsigned changes;

	(void)state;
	assert_true(relay(s));
	assert_int_equal(field_output_set(s->field, out, false, "user:x", 0),
			 EINVAL);
	field_output_drive(s->field, lamp, true, false, 0);
	assert_true(was_published(s, "lamp 1"));
	field_output_set(s->field, lamp, true, "user:x", 0);
	field_output_drive(s->field, lamp, false, false, 0);
	assert_true(was_published(s, "lamp 1"));
	field_output_set(s->field, lamp, false, "user:x", 0);
	assert_true(was_published(s, "lamp 0"));
	fault_raise(s->faults, "x", 0, "do", "broken");
	assert_true(was_published(s, "relay OFF"));
	fault_clear(s->faults, "x");
	assert_true(was_published(s, "relay ON"));
	/* Said again to a broker that is back, but nothing has happened. */
	changes = site_count(s, EVENT_OUTPUT_CHANGED, "");
	s->n_published = 0;
	field_mqtt_state(s->field, true);
	assert_int_equal(s->n_published, 2);
	assert_int_equal(site_count(s, EVENT_OUTPUT_CHANGED, ""), changes);
	site_end(s, false);
}

static void test_reload(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	bool off = false;

	(void)state;
	hear(s, "plant/1/gas", "50", false);
	hear(s, "door", "?", false);
	assert_non_null(fault_find(s->faults, "input:door"));
	field_output_set(s->field, config_output_find(s->config, "lamp"), true,
			 "user:x", 0);
	/* Another order: each keeps its own. */
	site_configure(s, PLAN_BASE MQTT DOOR GAS LAMP("lamp") FAULT_OUT);
	assert_true(value(s, "gas")->active);
	assert_int_equal(value(s, "gas")->quality, INPUT_GOOD);
	assert_non_null(fault_find(s->faults, "input:door"));
	/* Another source: the value stands, of unknown quality. */
	s->n_published = 0;
	site_configure(s, PLAN_BASE MQTT FAULT_OUT LAMP(
				  "light") "input \"gas\" { mqtt = \"new\" "
					   "above = 40 clear-below = 30 }\n");
	assert_true(value(s, "gas")->active);
	assert_int_equal(value(s, "gas")->quality, INPUT_UNKNOWN);
	assert_null(fault_find(s->faults, "input:door"));
	for (size_t i = 0; i < s->n_published; i++)
		off = off || !strcmp(s->published[i], "lamp 0");
	assert_true(off);
	/* Another kind: nothing of the old. */
	hear(s, "new", "?", false);
	assert_non_null(fault_find(s->faults, "input:gas"));
	site_configure(s, PLAN_BASE "input \"gas\" { virtual = true }\n");
	assert_null(fault_find(s->faults, "input:gas"));
	assert_int_equal(value(s, "gas")->quality, INPUT_GOOD);
	site_end(s, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_value_by_rule),
		cmocka_unit_test(test_unreadable_keeps_its_value),
		cmocka_unit_test(test_retained_starts_nothing),
		cmocka_unit_test(test_broker_away),
		cmocka_unit_test(test_wildcard),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_confirmed_output),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_outputs),
		cmocka_unit_test(test_reload),
	};
	int err;

	log_init(LOG_LEVEL_ERROR);
	if (libre_init())
		return 1;
	err = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return err;
}
