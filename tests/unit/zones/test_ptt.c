/* A Polycom talk on a clock of its own: what is due when, in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zones/engine/ptt.h"

#include <string.h>

#define MS UINT64_C(1000)
#define BEGIN (5000 * MS)

static struct ptt fresh(void)
{
	const struct media_polycom cfg = {
		.channel = 26,
		.priority_from = 150,
		.emergency_from = 200,
		.serial = 0xf2111511,
		.caller = "Hall",
	};
	struct ptt p;

	ptt_init(&p, &cfg, POLYCOM_PCMU);
	return p;
}

/** Takes what is due by then: ops and channels as text, "a26 a26 e50". */
static unsigned take(struct ptt *p, bool fed, uint64_t horizon, char op,
		     uint8_t channel, uint64_t *first, uint64_t *last)
{
	uint8_t b[POLYCOM_HEADER];
	unsigned n = 0;
	uint64_t due;

	while (ptt_due(p, fed) <= horizon &&
	       ptt_next(p, fed, horizon, b, &due)) {
		struct polycom k;

		assert_int_equal(polycom_decode(&k, b, sizeof(b)), 0);
		assert_int_equal(k.serial, 0xf2111511);
		assert_string_equal(k.caller, "Hall");
		if ((k.op == POLYCOM_ALERT ? 'a' : 'e') != op ||
		    k.channel != channel)
			continue;
		if (!n++)
			*first = due;
		*last = due;
	}
	return n;
}

/** Feeds frames of 20 ms from `at` until before `end`; counts those sent. */
static unsigned frames(struct ptt *p, uint8_t level, uint64_t at, uint64_t end,
		       uint64_t *first)
{
	uint64_t a, b;
	unsigned n = 0;

	for (; at < end; at += 20 * MS) {
		if (ptt_frame(p, level, at) && !n++)
			*first = at;
		if (p->state == PTT_ALERT)
			take(p, true, at, 'a', p->channel, &a, &b);
	}
	return n;
}

static void a_talk_goes_as_the_advisory_says(void **state)
{
	struct ptt p = fresh();
	uint64_t first, last;
	unsigned n;
	(void)state;

	assert_true(ptt_due(&p, false) == UINT64_MAX);
	assert_false(ptt_frame(&p, 100, BEGIN));
	n = take(&p, true, BEGIN + 968 * MS, 'a', 26, &first, &last);
	assert_int_equal(n, 31);
	assert_true(first == BEGIN && last == BEGIN + 900 * MS);
	n = frames(&p, 100, BEGIN + 20 * MS, BEGIN + 2000 * MS, &first);
	assert_true(first == BEGIN + 980 * MS);
	assert_int_equal(n, 51);
	assert_true(ptt_due(&p, true) == UINT64_MAX);
	/* The frames have ended: the last was at 1980. */
	n = take(&p, false, BEGIN + 2029 * MS, 'e', 26, &first, &last);
	assert_int_equal(n, 0);
	n = take(&p, false, BEGIN + 9000 * MS, 'e', 26, &first, &last);
	assert_int_equal(n, 12);
	assert_true(first == BEGIN + 2030 * MS);
	assert_true(last == first + 11 * 30 * MS);
	assert_true(ptt_due(&p, false) == UINT64_MAX);
}

static void sound_carries_the_frame_before(void **state)
{
	struct ptt p = fresh();
	uint8_t b[PTT_MAX_PACKET], one[160], two[160];
	uint64_t first;
	(void)state;

	memset(one, 1, sizeof(one));
	memset(two, 2, sizeof(two));
	frames(&p, 100, BEGIN, BEGIN + 1000 * MS, &first);
	assert_int_equal(ptt_sound(&p, b, one, 160, 77, true),
			 POLYCOM_SOUND + 160);
	assert_memory_equal(b + POLYCOM_SOUND, one, 160);
	assert_int_equal(ptt_sound(&p, b, two, 160, 77 + 160, false),
			 POLYCOM_SOUND + 320);
	assert_memory_equal(b + POLYCOM_SOUND, one, 160);
	assert_memory_equal(b + POLYCOM_SOUND + 160, two, 160);
	assert_memory_equal(b + 22, "\0\0\0\xed", 4);
	/* Where something else begins there is no frame before. */
	assert_int_equal(ptt_sound(&p, b, one, 160, 999, true),
			 POLYCOM_SOUND + 160);
	/* Nor at the beginning of the next talk. */
	ptt_hush(&p, BEGIN + 1000 * MS);
	frames(&p, 100, BEGIN + 9000 * MS, BEGIN + 10000 * MS, &first);
	assert_int_equal(ptt_sound(&p, b, one, 160, 5, false),
			 POLYCOM_SOUND + 160);
}

static void another_broadcast_goes_on_in_the_talk(void **state)
{
	struct ptt p = fresh();
	uint64_t first, last;
	(void)state;

	frames(&p, 60, BEGIN, BEGIN + 2000 * MS, &first);
	assert_true(ptt_frame(&p, 100, BEGIN + 2000 * MS));
	/* Within the pause too. */
	assert_int_equal(
		take(&p, false, BEGIN + 2040 * MS, 'e', 26, &first, &last), 0);
	assert_true(ptt_frame(&p, 60, BEGIN + 2040 * MS));
	assert_int_equal(
		take(&p, true, BEGIN + 4000 * MS, 'a', 26, &first, &last), 0);
}

static void levels_have_their_channels(void **state)
{
	struct ptt p = fresh();
	(void)state;

	assert_int_equal(ptt_channel(&p.cfg, 0), 26);
	assert_int_equal(ptt_channel(&p.cfg, 149), 26);
	assert_int_equal(ptt_channel(&p.cfg, 150), 49);
	assert_int_equal(ptt_channel(&p.cfg, 199), 49);
	assert_int_equal(ptt_channel(&p.cfg, 200), 50);
	p.cfg.channel = 25;
	assert_int_equal(ptt_channel(&p.cfg, 100), 25);
	assert_int_equal(ptt_channel(&p.cfg, 150), 24);
	assert_int_equal(ptt_channel(&p.cfg, 255), 25);
	p.cfg.priority_from = p.cfg.emergency_from = 0;
	p.cfg.channel = 3;
	assert_int_equal(ptt_channel(&p.cfg, 255), 3);
}

/** The old channel's ends do not hold up the new one's alerts. */
static void an_emergency_leaves_for_its_own_channel(void **state)
{
	struct ptt p = fresh();
	uint64_t at = BEGIN + 2000 * MS, first, last;
	struct ptt copy;
	(void)state;

	frames(&p, 60, BEGIN, at, &first);
	assert_false(ptt_frame(&p, 250, at));
	copy = p;
	assert_int_equal(take(&p, true, at + 969 * MS, 'a', 50, &first, &last),
			 31);
	assert_true(first == at);
	assert_int_equal(
		take(&copy, true, at + 969 * MS, 'e', 26, &first, &last), 12);
	assert_true(first == at && last == at + 330 * MS);
	assert_true(ptt_frame(&p, 250, at + 980 * MS));
}

/** Too short to be heard at all, its phones are freed all the same; and one
 *  that begins during the ends begins anew, without an end behind it. */
static void short_ones_and_quick_ones(void **state)
{
	struct ptt p = fresh();
	uint64_t first, last;
	(void)state;

	assert_int_equal(frames(&p, 250, BEGIN, BEGIN + 300 * MS, &first), 0);
	assert_int_equal(
		take(&p, false, BEGIN + 500 * MS, 'e', 50, &first, &last), 6);
	assert_true(first == BEGIN + 330 * MS);
	assert_false(ptt_frame(&p, 250, BEGIN + 500 * MS));
	assert_int_equal(
		take(&p, true, BEGIN + 2000 * MS, 'a', 50, &first, &last), 31);
	assert_int_equal(p.ends, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_talk_goes_as_the_advisory_says),
		cmocka_unit_test(sound_carries_the_frame_before),
		cmocka_unit_test(another_broadcast_goes_on_in_the_talk),
		cmocka_unit_test(levels_have_their_channels),
		cmocka_unit_test(an_emergency_leaves_for_its_own_channel),
		cmocka_unit_test(short_ones_and_quick_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
