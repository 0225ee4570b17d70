/* alarms.c: cause to effect, kept over kills and reloads. */
#include "site_plan.h"
#include "site_util.h"

#define POINTS                                                                 \
	"input \"i\" { virtual = true }\ninput \"j\" { virtual = true }\n"     \
	"output \"beacon\" { virtual = true }\n"
#define GAS(zone)                                                              \
	"alarm \"gas\" { inputs = { \"i\" } latch = true outputs = { "         \
	"\"beacon\" } broadcast { message = \"siren\" zones = { \"" zone       \
	"\" } priority = \"evacuate\" } }\n"
#define FIRE                                                                   \
	"alarm \"fire\" { inputs = { \"j\" } latch = false outputs = { "       \
	"\"beacon\" } broadcast { message = \"blip\" zones = { \"b\" } "       \
	"priority = \"alert\" } }\n"
#define PLAN PLAN_BASE POINTS GAS("a") FIRE

static void move(struct site *s, const char *input, bool active)
{
	assert_int_equal(field_input_set(s->field,
					 config_input_find(s->config, input),
					 active, "user:x", 0, clock_mono_us()),
			 0);
}

static int act(struct site *s, const char *alarm, enum alarm_event ev,
	       uint32_t ms, struct reason *why)
{
	return alarms_command(s->alarms, config_alarm_find(s->config, alarm),
			      ev, ms, "user:x", 0, clock_mono_us(), why);
}

static const char *state_of(struct site *s, const char *alarm)
{
	static char text[64];
	json_t *o = alarm_json(s->alarms, config_alarm_find(s->config, alarm));

	snprintf(text, sizeof(text), "%s",
		 json_string_value(json_object_get(o, "state")));
	json_decref(o);
	return text;
}

static size_t sounding(struct site *s, const char *alarm)
{
	json_t *o = alarm_json(s->alarms, config_alarm_find(s->config, alarm));
	size_t n = json_array_size(json_object_get(o, "broadcasts"));

	json_decref(o);
	return n;
}

static uint64_t sound_id(struct site *s, const char *alarm)
{
	json_t *o = alarm_json(s->alarms, config_alarm_find(s->config, alarm));
	json_int_t id = json_integer_value(
		json_array_get(json_object_get(o, "broadcasts"), 0));

	json_decref(o);
	return (uint64_t)id;
}

static bool beacon(struct site *s)
{
	json_t *o = field_output_json(s->field,
				      config_output_find(s->config, "beacon"));
	bool on = json_is_true(json_object_get(o, "active"));

	json_decref(o);
	return on;
}

static void test_latch_ack_reset(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	struct reason why;

	(void)state;
	assert_int_equal(act(s, "gas", ALARM_EV_RESET, 0, &why), EBUSY);
	move(s, "i", true);
	assert_string_equal(state_of(s, "gas"), "active");
	assert_int_equal(sounding(s, "gas"), 1);
	assert_true(beacon(s));
	assert_int_equal(act(s, "gas", ALARM_EV_RESET, 0, &why), EBUSY);
	assert_non_null(strstr(why.text, "still active"));
	assert_int_equal(act(s, "gas", ALARM_EV_ACK, 0, &why), 0);
	assert_int_equal(sounding(s, "gas"), 1);
	move(s, "i", false);
	assert_string_equal(state_of(s, "gas"), "latched-acknowledged");
	assert_int_equal(alarms_active(s->alarms), 1);
	assert_int_equal(act(s, "gas", ALARM_EV_RESET, 0, &why), 0);
	assert_string_equal(state_of(s, "gas"), "normal");
	assert_int_equal(broadcast_count(s->broadcasts), 0);
	assert_false(beacon(s));
	assert_int_equal(site_count(s, EVENT_ALARM_ACTIVE, "alarm:gas"), 1);
	assert_int_equal(site_count(s, EVENT_ALARM_RESET, "alarm:gas"), 1);
	site_end(s, false);
}

static void test_shared_output_finite_message(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	struct reason why;

	(void)state;
	move(s, "i", true);
	move(s, "j", true);
	move(s, "i", false);
	assert_int_equal(act(s, "gas", ALARM_EV_RESET, 0, &why), 0);
	assert_true(beacon(s));
	/* Its message plays once; the alarm stays, and is not said again. */
	site_await(s, sounding(s, "fire") == 0);
	alarms_watch(s->alarms);
	site_configure(s, PLAN);
	assert_int_equal(sounding(s, "fire"), 0);
	assert_string_equal(state_of(s, "fire"), "active");
	assert_true(beacon(s));
	move(s, "j", false);
	assert_string_equal(state_of(s, "fire"), "normal");
	assert_false(beacon(s));
	assert_int_equal(fault_count(s->faults), 0);
	site_end(s, false);
}

static void test_inhibit_ends_by_itself(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	struct reason why;

	(void)state;
	assert_int_equal(act(s, "gas", ALARM_EV_INHIBIT, 0, &why), EINVAL);
	assert_int_equal(
		act(s, "gas", ALARM_EV_INHIBIT, ALARM_MAX_INHIBIT_MS + 1, &why),
		EINVAL);
	assert_int_equal(act(s, "gas", ALARM_EV_INHIBIT, 30, &why), 0);
	assert_non_null(fault_find(s->faults, "inhibit:gas"));
	assert_int_equal(fault_count(s->faults), 0);
	move(s, "i", true);
	assert_string_equal(state_of(s, "gas"), "normal");
	assert_int_equal(act(s, "gas", ALARM_EV_TRIGGER, 0, &why), EBUSY);
	site_await(s, (alarms_watch(s->alarms),
		       !strcmp(state_of(s, "gas"), "active")));
	assert_int_equal(sounding(s, "gas"), 1);
	assert_null(fault_find(s->faults, "inhibit:gas"));
	/* It may go with its alarm, and so does its notice. */
	assert_int_equal(act(s, "fire", ALARM_EV_INHIBIT, 3600000, &why), 0);
	assert_non_null(fault_find(s->faults, "inhibit:fire"));
	site_configure(s, PLAN_BASE POINTS GAS("a"));
	assert_null(fault_find(s->faults, "inhibit:fire"));
	site_end(s, false);
}

static void test_comes_back_until_reset(void **state)
{
	struct site *s = site_begin(NULL, true, PLAN);
	struct reason why;
	char dir[64];

	(void)state;
	snprintf(dir, sizeof(dir), "%s", s->dir);
	assert_int_equal(act(s, "gas", ALARM_EV_TRIGGER, 0, &why), 0);
	assert_int_equal(act(s, "gas", ALARM_EV_ACK, 0, &why), 0);
	assert_int_equal(act(s, "fire", ALARM_EV_INHIBIT, 3600000, &why), 0);
	site_end(s, true);

	s = site_begin(dir, true, PLAN);
	alarms_restore(s->alarms);
	assert_string_equal(state_of(s, "gas"), "latched-acknowledged");
	assert_int_equal(sounding(s, "gas"), 1);
	assert_true(beacon(s));
	move(s, "j", true);
	assert_string_equal(state_of(s, "fire"), "normal");
	assert_int_equal(act(s, "gas", ALARM_EV_RESET, 0, &why), 0);
	assert_int_equal(act(s, "fire", ALARM_EV_ENABLE, 0, &why), 0);
	move(s, "j", false);
	site_end(s, true);

	s = site_begin(dir, true, PLAN);
	alarms_restore(s->alarms);
	assert_int_equal(alarms_active(s->alarms), 0);
	assert_int_equal(broadcast_count(s->broadcasts), 0);
	move(s, "j", true);
	assert_string_equal(state_of(s, "fire"), "active");
	site_end(s, false);
}

static void test_reload_of_an_active_alarm(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	struct config *c = NULL;
	struct library *l = NULL;
	struct reason why = {""};
	char path[128];
	uint64_t id;

	(void)state;
	move(s, "i", true);
	id = sound_id(s, "gas");
	/* Without it: refused. */
	site_write(s, "other.conf", PLAN_BASE POINTS FIRE);
	snprintf(path, sizeof(path), "%s/other.conf", s->dir);
	assert_int_equal(
		reload_now(path, LIBRARY_RELOAD, &c, &l, site_on_error, s), 0);
	assert_int_equal(alarms_may_configure(s->alarms, c, &why), EBUSY);
	assert_non_null(strstr(why.text, "gas"));
	library_free(l);
	config_free(c);
	/* Unchanged, in another order: goes on as it was. */
	site_configure(s, PLAN_BASE POINTS FIRE GAS("a"));
	assert_int_equal(sound_id(s, "gas"), id);
	assert_true(beacon(s));
	/* Its zone is another now: there it sounds, and no more here. */
	site_configure(s, PLAN_BASE POINTS FIRE GAS("c"));
	assert_int_equal(sounding(s, "gas"), 1);
	assert_int_not_equal(sound_id(s, "gas"), id);
	assert_string_equal(site_state(s, id), "gone");
	assert_string_equal(site_state(s, sound_id(s, "gas")), "playing");
	assert_int_equal(broadcast_count(s->broadcasts), 1);
	/* An output that no alarm names any more falls. */
	site_configure(s, PLAN_BASE POINTS
		       "alarm \"gas\" { inputs = { \"i\" } latch = true "
		       "broadcast { message = \"siren\" zones = { \"c\" } "
		       "priority = \"evacuate\" } }\n");
	assert_false(beacon(s));
	assert_string_equal(state_of(s, "gas"), "active");
	site_end(s, false);
}

static void test_owed_is_tried_again(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	struct broadcast_result r;
	int z = config_zone_find(s->config, "c");
	struct broadcast_request rq = {
		.what = "x",
		.level = 250,
		.zones = &z,
		.n_zones = 1,
		.clip = library_message(s->library, "siren"),
	};
	unsigned refused;

	(void)state;
	for (int i = 0; i < BROADCAST_MAX; i++)
		assert_int_equal(broadcast_start(s->broadcasts, &rq, &r), 0);
	move(s, "i", true);
	assert_non_null(fault_find(s->faults, "alarm:gas"));
	assert_true(beacon(s));
	refused = site_count(s, EVENT_BROADCAST_REFUSED, "");
	alarms_watch(s->alarms);
	assert_int_equal(site_count(s, EVENT_BROADCAST_REFUSED, ""), refused);
	broadcast_stop(s->broadcasts, r.id, "user:x", 0, "room");
	alarms_watch(s->alarms);
	assert_int_equal(sounding(s, "gas"), 1);
	assert_null(fault_find(s->faults, "alarm:gas"));
	site_end(s, false);
}

static void test_reset_refused_while_unsure(void **state)
{
	struct site *s = site_begin(
		NULL, false,
		PLAN_BASE
		"mqtt { broker = \"mqtt://127.0.0.1:1\" }\n"
		"input \"m\" { mqtt = \"x\" }\n"
		"alarm \"gas\" { inputs = { \"m\" } latch = true broadcast { "
		"message = \"siren\" zones = { \"a\" } priority = \"evacuate\" "
		"} }\n");
	struct reason why = {""};

	(void)state;
	assert_int_equal(act(s, "gas", ALARM_EV_TRIGGER, 0, &why), 0);
	assert_int_equal(act(s, "gas", ALARM_EV_RESET, 0, &why), EBUSY);
	assert_non_null(strstr(why.text, "\"m\""));
	field_mqtt(s->field, "x", "0", 1, false, clock_mono_us());
	assert_int_equal(act(s, "gas", ALARM_EV_RESET, 0, &why), 0);
	site_end(s, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_latch_ack_reset),
		cmocka_unit_test(test_shared_output_finite_message),
		cmocka_unit_test(test_inhibit_ends_by_itself),
		cmocka_unit_test(test_comes_back_until_reset),
		cmocka_unit_test(test_reload_of_an_active_alarm),
		cmocka_unit_test(test_owed_is_tried_again),
		cmocka_unit_test(test_reset_refused_while_unsure),
	};
	int err;

	log_init(LOG_LEVEL_ERROR);
	if (libre_init())
		return 1;
	err = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return err;
}
