/* What Home Assistant is told, and which retained topics are ours to take back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/base/compat.h"
#include "controller/mqtt/discovery.h"
#include "controller/mqtt/retained.h"

#include <stdio.h>
#include <string.h>

/* ----------------------------------------------------------------- discovery
 */

static struct {
	char topic[16][200];
	char id[16][200];
	size_t n;
} seen;

static void on_entity(const char *topic, json_t *o, void *arg)
{
	(void)arg;
	assert_true(seen.n < 16);
	snprintf(seen.topic[seen.n], 200, "%s", topic);
	snprintf(seen.id[seen.n], 200, "%s",
		 json_string_value(json_object_get(o, "unique_id")));
	for (const char *p = topic; *p; p++)
		assert_null(strchr(" .:#+", *p));
	seen.n++;
}

static bool told(const char *topic)
{
	for (size_t i = 0; i < seen.n; i++)
		if (!strcmp(seen.topic[i], topic))
			return true;
	return false;
}

/* Names that differ only in what Home Assistant does not take stay apart. */
static void test_ids_never_meet(void **state)
{
	char a[] = "a.b", b[] = "a_b", c[] = "a-b", prefix[] = "homeassistant",
	     site[] = "plant.7";
	struct config_input in[3] = {{.name = a, .kind = INPUT_GPIO},
				     {.name = b, .kind = INPUT_GPIO},
				     {.name = c, .kind = INPUT_GPIO}};
	struct config config = {.site = site, .inputs = in, .n_inputs = 3};
	const struct discovery d = {.config = &config,
				    .base = "tocsin/plant.7"};

	(void)state;
	config.mqtt.discovery_prefix = prefix;
	config.mqtt.commands = true;
	seen.n = 0;
	for (size_t i = 0; i < 3; i++)
		discovery_input(&d, i, on_entity, NULL);
	discovery_fault(&d, "output:239.1.1.1_5004", on_entity, NULL);
	discovery_fault(&d, "output_239_1_1_1_5004", on_entity, NULL);
	assert_int_equal(seen.n, 5);
	for (size_t i = 0; i < seen.n; i++)
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(seen.topic[i], seen.topic[k]);
			assert_string_not_equal(seen.id[i], seen.id[k]);
		}
}

/* Without commands nothing can be pressed or switched. */
static void test_no_commands(void **state)
{
	char name[] = "x", prefix[] = "ha", site[] = "s";
	struct config_input in = {.name = name, .kind = INPUT_VIRTUAL};
	struct config_alarm alarm = {.name = name};
	struct config_zone zone = {.name = name};
	struct config config = {.site = site,
				.inputs = &in,
				.n_inputs = 1,
				.alarms = &alarm,
				.n_alarms = 1,
				.zones = &zone,
				.n_zones = 1};
	const struct discovery d = {.config = &config, .base = "tocsin/s"};

	(void)state;
	config.mqtt.discovery_prefix = prefix;
	for (int with = 0; with < 2; with++) {
		config.mqtt.commands = with;
		seen.n = 0;
		discovery_input(&d, 0, on_entity, NULL);
		discovery_alarm(&d, 0, on_entity, NULL);
		discovery_zone(&d, 0, on_entity, NULL);
		assert_int_equal(seen.n, with ? 8 : 3);
		assert_int_equal(told("ha/switch/tocsin_s/input_x/config"),
				 with);
		assert_int_equal(
			told("ha/button/tocsin_s/alarm_x_reset/config"), with);
		assert_true(told("ha/binary_sensor/tocsin_s/zone_x/config"));
	}
}

/* ------------------------------------------------------------------ retained
 */

static char taken[1024];

static void on_taken(const char *topic, void *arg)
{
	(void)arg;
	strcat(strcat(taken, topic), ";");
}

static const char *sweep(struct retained *r)
{
	taken[0] = '\0';
	retained_sweep(r, on_taken, NULL);
	return taken;
}

static void test_what_is_not_said_is_taken_back(void **state)
{
	struct retained *r;
	char topic[32];

	(void)state;
	assert_int_equal(retained_alloc(&r), 0);
	retained_begin(r);
	retained_found(r, "a");
	retained_said(r, "a", false);
	retained_said(r, "b", false);
	retained_found(r, "old");
	assert_string_equal(sweep(r), "old;");
	assert_string_equal(sweep(r), "");
	/* found after the pass: ours, or not */
	retained_found(r, "a");
	retained_found(r, "older");
	assert_string_equal(sweep(r), "older;");
	/* emptied by ourselves */
	retained_said(r, "b", true);
	retained_begin(r);
	assert_string_equal(sweep(r), "a;");
	assert_int_equal(retained_count(r), 0);
	/* nobody makes us grow without end */
	for (unsigned i = 0; i < RETAINED_MAX + 10; i++) {
		snprintf(topic, sizeof(topic), "t/%u", i);
		retained_found(r, topic);
	}
	assert_int_equal(retained_count(r), RETAINED_MAX);
	retained_free(r);
	assert_null(retained_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_never_meet),
		cmocka_unit_test(test_no_commands),
		cmocka_unit_test(test_what_is_not_said_is_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
