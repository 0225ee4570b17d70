/* amps.c: relays of amplifiers by what sounds, and how long they still need to
 * wake. */
#include "site_plan.h"
#include "site_util.h"

#include "controller/amps.h"

/* A group on lo each; none of them sounds here. */
#define ZONE(name, group, more)                                                \
	"zone \"" name "\" { multicast \"239.192.9." group                     \
	":24004\" { interface = \"lo\" } " more " }\n"
#define OUT(name) "output \"" name "\" { virtual = true }\n"
#define REST                                                                   \
	ZONE("none", "12", "lead = \"2s\"")                                    \
	ZONE("plain", "13", "")                                                \
	ZONE("two", "14",                                                      \
	     "relay = { \"amp\", \"fan\" } relay-hold = \"0s\" lead "          \
	     "= \"10s\"")
#define PLAN                                                                   \
	PLAN_HEAD OUT("amp") OUT("fan") OUT("lamp")                            \
		ZONE("one", "11",                                              \
		     "relay = \"amp\" relay-hold = \"200ms\" lead = \"10s\"")  \
			REST

enum { ONE, NONE, PLAIN, TWO, ZONES };

struct bench {
	struct site *s;
	struct amps *a;
	bool sounds[ZONES];
};

static void begin(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->s = site_begin(NULL, false, PLAN);
	assert_int_equal(amps_alloc(&b->a, b->s->field), 0);
	assert_int_equal(amps_configure(b->a, b->s->config), 0);
}

static void end(struct bench *b)
{
	assert_null(amps_free(b->a));
	assert_null(amps_free(NULL));
	site_end(b->s, false);
}

static void sound(struct bench *b, int zone, bool on)
{
	b->sounds[zone] = on;
	amps_update(b->a, b->sounds, 0);
}

static bool on(struct bench *b, const char *output)
{
	json_t *o = field_output_json(b->s->field,
				      config_output_find(b->s->config, output));
	bool active = json_is_true(json_object_get(o, "active"));

	json_decref(o);
	return active;
}

/** On with the first sound of any zone, off so long after the last. */
static void test_on_and_held(void **state)
{
	struct bench b;
	uint64_t ended;

	(void)state;
	begin(&b);
	assert_false(on(&b, "amp") || on(&b, "fan") || on(&b, "lamp"));
	sound(&b, ONE, true);
	assert_true(on(&b, "amp"));
	assert_false(on(&b, "fan") || on(&b, "lamp"));
	/* Two zones share it; the other one has no hold. */
	sound(&b, TWO, true);
	assert_true(on(&b, "amp") && on(&b, "fan"));
	sound(&b, TWO, false);
	assert_true(on(&b, "amp"));
	assert_false(on(&b, "fan"));
	ended = clock_mono_us();
	sound(&b, ONE, false);
	assert_true(on(&b, "amp"));
	site_await(b.s, !on(&b, "amp"));
	assert_true(clock_mono_us() - ended >= 200000);
	/* Sound within the hold: it stays on, though its end was awaited. */
	sound(&b, ONE, true);
	sound(&b, ONE, false);
	sound(&b, ONE, true);
	ended = clock_mono_us();
	site_await(b.s, clock_mono_us() - ended >= 400000);
	assert_true(on(&b, "amp"));
	/* Zones without relays switch none. */
	sound(&b, PLAIN, true);
	sound(&b, NONE, true);
	assert_false(on(&b, "lamp") || on(&b, "fan"));
	end(&b);
}

/** Less and less while they wake; nothing once they are awake. */
static void test_lead(void **state)
{
	struct bench b;
	uint32_t left;
	uint64_t at;

	(void)state;
	begin(&b);
	assert_int_equal(amps_lead(b.a, ONE), 10000);
	assert_int_equal(amps_lead(b.a, PLAIN), 0);
	assert_int_equal(amps_lead(b.a, -1), 0);
	assert_int_equal(amps_lead(b.a, ZONES), 0);
	sound(&b, ONE, true);
	at = clock_mono_us();
	site_await(b.s, clock_mono_us() - at > 30000);
	left = amps_lead(b.a, ONE);
	assert_in_range(left, 1, 9970);
	/* The last of its relays to go on counts. */
	assert_int_equal(amps_lead(b.a, TWO), 10000);
	sound(&b, TWO, true);
	left = amps_lead(b.a, TWO);
	assert_true(left > amps_lead(b.a, ONE));
	/* Without a relay its own sound wakes it, and is all that does. */
	assert_int_equal(amps_lead(b.a, NONE), 2000);
	sound(&b, NONE, true);
	site_await(b.s, !amps_lead(b.a, NONE));
	sound(&b, NONE, false);
	assert_int_equal(amps_lead(b.a, NONE), 2000);
	end(&b);
}

/** Known again by name, at another place; what is not wanted goes off. */
static void test_reload(void **state)
{
	struct bench b;
	bool moved[ZONES] = {false};

	(void)state;
	begin(&b);
	sound(&b, ONE, true);
	sound(&b, TWO, true);
	assert_true(on(&b, "amp") && on(&b, "fan"));
	/* "one" is the last now, its relay the first output still. */
	site_configure(b.s,
		       PLAN_HEAD OUT("fan") OUT("amp") REST ZONE(
			       "one", "11",
			       "relay = \"amp\" relay-hold = \"1h\" lead = "
			       "\"10s\""));
	assert_int_equal(amps_configure(b.a, b.s->config), 0);
	assert_true(on(&b, "amp") && on(&b, "fan"));
	assert_true(amps_lead(b.a, 3) <= 10000);
	moved[3] = true;
	amps_update(b.a, moved, 0);
	assert_true(on(&b, "amp"));
	assert_false(on(&b, "fan"));
	/* Nobody's relay any more, though its zone sounds on. */
	site_configure(b.s, PLAN_HEAD OUT("amp") OUT("fan")
				    ZONE("one", "11", "relay = \"fan\""));
	assert_int_equal(amps_configure(b.a, b.s->config), 0);
	assert_false(on(&b, "amp"));
	assert_true(on(&b, "fan"));
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_on_and_held),
		cmocka_unit_test(test_lead),
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
