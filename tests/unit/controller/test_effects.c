/* matrix/: effects in their order, modes, phases, walk tests and outputs, as
 * they work on a real site. What is due when is in tests/model/. */
#include "site_plan.h"
#include "site_util.h"

#define POINTS                                                                 \
	"input \"i\" { virtual = true }\ninput \"j\" { virtual = true }\n"     \
	"input \"key\" { virtual = true }\n"                                   \
	"output \"x\" { virtual = true }\noutput \"y\" { virtual = true }\n"   \
	"output \"up\" { virtual = true interlock = \"gate\" }\n"              \
	"output \"down\" { virtual = true interlock = \"gate\" }\n"            \
	"output \"short\" { virtual = true pulse = \"40ms\" }\n"               \
	"mode \"day\" { }\nmode \"night\" { input = \"key\" }\n"
#define ALARM(more) PLAN_BASE POINTS "alarm \"a\" { " more " }\n"

static void move(struct site *s, const char *input, bool active)
{
	assert_int_equal(field_input_set(s->field,
					 config_input_find(s->config, input),
					 active, "user:x", 0, clock_mono_us()),
			 0);
}

static int act(struct site *s, enum alarm_event ev)
{
	struct reason why;

	return alarms_command(s->alarms, config_alarm_find(s->config, "a"), ev,
			      60000, "user:x", 0, clock_mono_us(), &why);
}

static bool is_on(struct site *s, const char *output)
{
	json_t *o = field_output_json(s->field,
				      config_output_find(s->config, output));
	bool on = json_is_true(json_object_get(o, "active"));

	json_decref(o);
	return on;
}

/** State of the n-th effect of alarm a, or a member of its phase. */
static const char *look(struct site *s, int n, const char *of_phase)
{
	static char text[64];
	json_t *o = alarm_json(s->alarms, config_alarm_find(s->config, "a"));
	json_t *v =
		of_phase
			? json_object_get(json_object_get(o, "phase"), of_phase)
			: json_object_get(
				  json_array_get(json_object_get(o, "effects"),
						 (size_t)n),
				  "state");

	snprintf(text, sizeof(text), "%s",
		 json_is_string(v) ? json_string_value(v) : "none");
	json_decref(o);
	return text;
}

static void test_until_ack_and_again(void **state)
{
	struct site *s = site_begin(
		NULL, false,
		ALARM("inputs = { \"i\", \"j\" } drive { output = \"x\" } "
		      "drive { output = \"y\" after = \"30ms\" until = \"ack\" "
		      "}"));

	(void)state;
	move(s, "i", true);
	assert_true(is_on(s, "x"));
	assert_false(is_on(s, "y"));
	assert_string_equal(look(s, 1, NULL), "waiting");
	site_await(s, is_on(s, "y"));
	assert_int_equal(act(s, ALARM_EV_ACK), 0);
	assert_true(is_on(s, "x"));
	assert_false(is_on(s, "y"));
	assert_string_equal(look(s, 1, NULL), "over");
	/* A new cause asks for a person again, after its time again. */
	move(s, "i", false);
	move(s, "i", true);
	assert_string_equal(look(s, 1, NULL), "waiting");
	/* Acknowledged before its time: it does not come. */
	assert_int_equal(act(s, ALARM_EV_ACK), 0);
	assert_string_equal(look(s, 1, NULL), "over");
	move(s, "i", false);
	assert_int_equal(act(s, ALARM_EV_RESET), 0);
	assert_false(is_on(s, "x"));
	assert_string_equal(look(s, 1, NULL), "idle");
	site_end(s, false);
}

static void test_an_effect_of_its_own_time(void **state)
{
	struct site *s = site_begin(
		NULL, false,
		ALARM("drive { output = \"x\" until = \"100ms\" } drive { "
		      "output = \"short\" to = \"pulse\" pulse = \"100ms\" }"));

	(void)state;
	assert_int_equal(act(s, ALARM_EV_TRIGGER), 0);
	assert_true(is_on(s, "x") && is_on(s, "short"));
	site_await(s, !is_on(s, "x") && !is_on(s, "short"));
	assert_string_equal(look(s, 0, NULL), "over");
	assert_int_equal(site_count(s, EVENT_OUTPUT_CHANGED, "output:x"), 2);
	assert_int_equal(site_count(s, EVENT_OUTPUT_CHANGED, "output:short"),
			 2);
	site_end(s, false);
}

static void test_hooks(void **state)
{
	struct site *s = site_begin(
		NULL, false,
		ALARM("inputs = { \"i\" } hook { command = { \"/bin/sh\", "
		      "\"-c\", \"test $TOCSIN_ALARM:$TOCSIN_ACTOR = "
		      "a:input:i\" "
		      "} } hook { command = { \"/bin/sh\", \"-c\", \"echo it "
		      "is broken; exit 3\" } } hook { command = { \"sleep\", "
		      "\"60\" } limit = \"100ms\" }"));

	(void)state;
	move(s, "i", true);
	site_await(s, site_count(s, EVENT_ALARM_EFFECT, "alarm:a") == 4);
	site_await(s, site_count(s, EVENT_ALARM_EFFECT_FAILED, "alarm:a") == 2);
	assert_non_null(fault_find(s->faults, "hook:a"));
	for (size_t i = 0, seen = 0; i < s->n_events; i++)
		if (s->event[i].type == EVENT_ALARM_EFFECT_FAILED) {
			seen++;
			assert_true(strstr(s->event[i].text, "it is broken") ||
				    strstr(s->event[i].text, "within 0.1 s"));
			assert_true(seen <= 2);
		}
	move(s, "i", false);
	assert_int_equal(act(s, ALARM_EV_RESET), 0);
	assert_null(fault_find(s->faults, "hook:a"));
	/* One that hangs ends with the daemon. */
	move(s, "i", true);
	site_end(s, false);
}

static void test_a_reload_keeps_what_is_the_same(void **state)
{
	const char *more = "inputs = { \"i\" } drive { output = \"x\" } "
			   "broadcast { message = \"siren\" zones = { \"a\" } "
			   "priority = \"evacuate\" }";
	char text[4000];
	struct site *s;

	(void)state;
	snprintf(text, sizeof(text),
		 "%s%salarm \"a\" { %s hook { command = { "
		 "\"true\" } } }\n",
		 PLAN_BASE, POINTS, more);
	s = site_begin(NULL, false, text);
	move(s, "i", true);
	site_await(s, site_count(s, EVENT_ALARM_EFFECT, "alarm:a") == 2);
	snprintf(text, sizeof(text),
		 "%s%salarm \"a\" { drive { output = \"y\" } hook { command = "
		 "{ \"true\" } } %s }\n",
		 PLAN_BASE, POINTS, more);
	site_configure(s, text);
	/* The new one begins; the program does not run again. */
	assert_true(is_on(s, "x") && is_on(s, "y"));
	assert_int_equal(site_count(s, EVENT_ALARM_EFFECT, "alarm:a"), 2);
	assert_int_equal(site_count(s, EVENT_BROADCAST_STARTED, ""), 1);
	snprintf(text, sizeof(text),
		 "%s%salarm \"a\" { drive { output = "
		 "\"y\" } }\n",
		 PLAN_BASE, POINTS);
	site_configure(s, text);
	assert_false(is_on(s, "x"));
	assert_int_equal(broadcast_count(s->broadcasts), 0);
	site_end(s, false);
}

static void test_modes_gate_and_do_not_reset(void **state)
{
	struct site *s =
		site_begin(NULL, true,
			   ALARM("inputs = { \"i\" } modes = \"night\" outputs "
				 "= { \"x\" } drive { output = \"y\" modes = "
				 "\"day\" }"));
	struct modes *m = alarms_modes(s->alarms);
	struct reason why;
	char dir[64];

	(void)state;
	assert_string_equal(modes_now(m), "day");
	move(s, "i", true);
	assert_false(is_on(s, "x"));
	for (int n = 0; n < 5; n++) {
		move(s, "i", false);
		move(s, "i", true);
	}
	assert_int_equal(site_count(s, EVENT_ALARM_HELD, "alarm:a"), 1);
	move(s, "key", true);
	assert_string_equal(modes_now(m), "night");
	assert_true(is_on(s, "x"));
	assert_false(is_on(s, "y"));
	/* The later hand counts, and what has begun goes on. */
	assert_int_equal(modes_set(m, "day", 0, "user:x", &why), 0);
	assert_string_equal(modes_now(m), "day");
	assert_true(is_on(s, "x") && is_on(s, "y"));
	move(s, "i", false);
	assert_int_equal(alarms_active(s->alarms), 1);
	assert_int_equal(modes_set(m, "dusk", 0, "user:x", &why), ENOENT);
	assert_non_null(strstr(why.text, "day, night, auto"));
	/* An end, and a restart before and after it. */
	assert_int_equal(modes_set(m, "day", 3600000, "user:x", &why), 0);
	snprintf(dir, sizeof(dir), "%s", s->dir);
	site_end(s, true);
	s = site_begin(dir, true,
		       ALARM("outputs = { \"x\" } modes = "
			     "\"night\""));
	alarms_restore(s->alarms);
	m = alarms_modes(s->alarms);
	move(s, "key", true);
	assert_string_equal(modes_now(m), "night");
	assert_int_equal(modes_set(m, "day", 20, "user:x", &why), 0);
	assert_string_equal(modes_now(m), "day");
	site_await(s,
		   (alarms_watch(s->alarms), !strcmp(modes_now(m), "night")));
	site_end(s, false);
}

static void test_interlocked_outputs(void **state)
{
	struct site *s =
		site_begin(NULL, false, ALARM("drive { output = \"down\" }"));
	int up = config_output_find(s->config, "up"),
	    down = config_output_find(s->config, "down");

	(void)state;
	assert_int_equal(field_output_set(s->field, up, true, "user:x", 0), 0);
	assert_int_equal(field_output_set(s->field, down, true, "user:x", 0),
			 0);
	assert_true(is_on(s, "up") && !is_on(s, "down"));
	/* An alarm goes before a hand, and gives way when it is over. */
	assert_int_equal(act(s, ALARM_EV_TRIGGER), 0);
	assert_true(!is_on(s, "up") && is_on(s, "down"));
	assert_int_equal(act(s, ALARM_EV_RESET), 0);
	assert_true(!is_on(s, "up") && is_on(s, "down"));
	assert_int_equal(field_output_set(s->field, down, false, "user:x", 0),
			 0);
	assert_true(is_on(s, "up") && !is_on(s, "down"));
	site_end(s, false);
}

static void test_driven_off(void **state)
{
	struct site *s = site_begin(
		NULL, false,
		ALARM("drive { output = \"x\" to = \"off\" until = \"ack\" }"));

	(void)state;
	field_output_set(s->field, config_output_find(s->config, "x"), true,
			 "user:x", 0);
	assert_true(is_on(s, "x"));
	assert_int_equal(act(s, ALARM_EV_TRIGGER), 0);
	assert_false(is_on(s, "x"));
	assert_int_equal(act(s, ALARM_EV_ACK), 0);
	assert_true(is_on(s, "x"));
	/* Once for each wish, by whoever. */
	for (int i = 0; i < 2; i++) {
		field_output_set(s->field,
				 config_output_find(s->config, "short"), true,
				 "user:x", 0);
		assert_true(is_on(s, "short"));
		site_await(s, !is_on(s, "short"));
	}
	site_end(s, false);
}

static void test_walk_test(void **state)
{
	struct site *s = site_begin(
		NULL, true,
		ALARM("inputs = { \"i\", \"j\" } outputs = { \"x\" }"));
	struct walk *w = alarms_walk(s->alarms);
	int in[] = {config_input_find(s->config, "i")};
	int zones[] = {config_zone_find(s->config, "b")};
	struct walk_request rq = {
		.scope = "inputs",
		.inputs = in,
		.n_inputs = 1,
		.for_ms = 40,
		.zones = zones,
		.n_zones = 1,
		.actor = "user:x",
	};
	struct reason why;
	uint64_t id, none;

	(void)state;
	rq.for_ms = 0;
	assert_int_equal(walk_start(w, &rq, &id, &why), EINVAL);
	rq.for_ms = WALK_MAX_MS + 1;
	assert_int_equal(walk_start(w, &rq, &id, &why), EINVAL);
	rq.for_ms = 60000;
	assert_int_equal(walk_start(w, &rq, &id, &why), 0);
	assert_int_equal(walk_start(w, &rq, &none, &why), EBUSY);
	assert_non_null(fault_find(s->faults, "walk-test:1"));
	assert_int_equal(fault_count(s->faults), 0);
	for (int n = 0; n < 3; n++) {
		move(s, "i", true);
		move(s, "i", false);
	}
	assert_false(is_on(s, "x"));
	assert_int_equal(site_count(s, EVENT_WALKTEST_TESTED, ""), 1);
	assert_int_equal(broadcast_count(s->broadcasts), 1);
	/* The other detector alarms as ever. */
	move(s, "j", true);
	assert_true(is_on(s, "x"));
	move(s, "j", false);
	assert_int_equal(act(s, ALARM_EV_RESET), 0);
	move(s, "i", true);
	assert_false(is_on(s, "x"));
	/* What is active when it ends alarms. */
	assert_int_equal(walk_stop(w, id, "user:x"), 0);
	assert_true(is_on(s, "x"));
	assert_int_equal(walk_stop(w, id, "user:x"), ENOENT);
	move(s, "i", false);
	assert_int_equal(act(s, ALARM_EV_RESET), 0);
	/* And it ends by itself. */
	rq.for_ms = 30;
	assert_int_equal(walk_start(w, &rq, &id, &why), 0);
	assert_true(walk_tests(w, in[0]));
	site_await(s, (alarms_watch(s->alarms), !walk_tests(w, in[0])));
	assert_int_equal(walk_count(w), 0);
	site_end(s, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_until_ack_and_again),
		cmocka_unit_test(test_an_effect_of_its_own_time),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_a_reload_keeps_what_is_the_same),
		cmocka_unit_test(test_modes_gate_and_do_not_reset),
		cmocka_unit_test(test_interlocked_outputs),
		cmocka_unit_test(test_driven_off),
		cmocka_unit_test(test_walk_test),
	};
	int err;

	log_init(LOG_LEVEL_ERROR);
	assert_int_equal(libre_init(), 0);
	err = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return err;
}
