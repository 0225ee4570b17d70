/* Tapes: a bounded ring of frames, and the deck that plays one in the engine.
 */
#include "tests/unit/zones/media_util.h"
#include "zones/tape.h"

#define RATE 8000
#define FRAME (RATE / 50)

static void fill(int16_t *frame, int number)
{
	for (int i = 0; i < FRAME; i++)
		frame[i] = (int16_t)(number * 100 + i);
}

static int16_t first_of(const uint8_t *l16)
{
	return (int16_t)(l16[0] << 8 | l16[1]);
}

static void frames_come_out_in_order(void **state)
{
	struct tape_stats st;
	struct tape *t = NULL;
	uint8_t out[2 * FRAME];
	int16_t in[FRAME];
	(void)state;

	assert_int_equal(tape_alloc(&t, RATE), 0);
	assert_int_equal(tape_rate(t), RATE);
	assert_int_equal(tape_samples(RATE), FRAME);
	assert_int_equal(tape_room(t), TAPE_FRAMES);
	assert_false(tape_take(t, out));
	for (int i = 0; i < TAPE_FRAMES; i++) {
		fill(in, i);
		assert_true(tape_put(t, in));
	}
	assert_int_equal(tape_room(t), 0);
	assert_false(tape_put(t, in));
	for (int i = 0; i < TAPE_FRAMES; i++) {
		assert_true(tape_take(t, out));
		assert_int_equal(first_of(out), i * 100);
	}
	assert_false(tape_take(t, out));
	tape_stats(t, &st);
	assert_int_equal(st.played, TAPE_FRAMES);
	assert_int_equal(st.empty, 2);
	assert_null(tape_free(t));
	assert_null(tape_free(NULL));
}

static void what_was_flushed_is_not_played(void **state)
{
	struct tape *t = NULL;
	uint8_t out[2 * FRAME];
	int16_t in[FRAME];
	(void)state;

	assert_int_equal(tape_alloc(&t, RATE), 0);
	for (int i = 0; i < 5; i++) {
		fill(in, i);
		tape_put(t, in);
	}
	assert_true(tape_take(t, out));
	tape_flush(t);
	fill(in, 7);
	tape_put(t, in);
	assert_true(tape_take(t, out));
	assert_int_equal(first_of(out), 700);
	assert_false(tape_take(t, out));
	tape_free(t);
}

static void bad_rates_are_refused(void **state)
{
	struct tape *t = NULL;
	(void)state;

	assert_int_equal(tape_alloc(&t, 7950), EINVAL);
	assert_int_equal(tape_alloc(&t, 48050), EINVAL);
	assert_int_equal(tape_alloc(&t, 11025), EINVAL);
	assert_null(t);
}

static bool sounding(const struct media *m)
{
	struct media_output_stats s;

	media_output_stats(m, 0, &s);
	return s.sounding;
}

/* A deck plays at its own pace, holds its place while it is paused, and goes
 * on behind it. */
static void deck_holds_its_place(void **state)
{
	struct media_set one = {{1}};
	struct media_output o;
	struct format f;
	struct receiver r;
	struct world w;
	struct tape *t = NULL;
	int16_t in[FRAME];
	struct tape_stats st, later;
	(void)state;

	format_default(&f, CODEC_L16, RATE);
	assert_int_equal(tape_alloc(&t, RATE), 0);
	for (int i = 1; i <= 60; i++) {
		fill(in, i);
		tape_put(t, in);
	}
	receiver_open(&r);
	world_begin(&w, 20, 0);
	media_begin(w.m);
	o = output_to(&r, &f);
	media_output_set(w.m, 0, &o);
	media_tape_open(w.m, MEDIA_CALL_LEGS, t);
	media_live(w.m, 0, MEDIA_CALL_LEGS, 1);
	media_route(w.m, &one, 0, -1, 0);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, &r, 1, r.n >= 15);
	media_begin(w.m);
	media_pause(w.m, 0, true);
	media_commit(w.m);
	await(&w, &r, 1, !sounding(w.m));
	tape_stats(t, &st);
	assert_in_range(st.played, 10, 40);
	/* However long it takes, nothing is taken from it. */
	media_begin(w.m);
	media_pause(w.m, 0, false);
	media_commit(w.m);
	await(&w, &r, 1, (tape_stats(t, &later), later.played >= 55));
	assert_int_equal(later.empty, 0);
	media_begin(w.m);
	media_stop(w.m, 0);
	media_leg_close(w.m, MEDIA_CALL_LEGS);
	media_commit(w.m);
	await(&w, &r, 1, reports(&w, MEDIA_LEG_CLOSED, MEDIA_CALL_LEGS));
	/* Each frame once and in order. */
	for (unsigned i = 0, next = 100; i < r.n; i++) {
		int16_t v = first_of(r.v[i].p.payload);

		if (v < 100 || v % 100)
			continue;
		assert_true(v >= (int)next);
		next = (unsigned)v + 100;
	}
	world_end(&w);
	receiver_close(&r);
	tape_free(t);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_out_in_order),
		cmocka_unit_test(what_was_flushed_is_not_played),
		cmocka_unit_test(bad_rates_are_refused),
		cmocka_unit_test(deck_holds_its_place),
	};
	(void)argc;

	return media_run_tests(tests, argv);
}
