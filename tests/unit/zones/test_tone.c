/* Every tone's pitch, sweep and cadence, measured from its samples. */
#include "sound_util.h"
#include "zones/sound/tone.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/** What is heard in a stretch of a tone, as the standards write it. hz 0 is
 *  silence; hz2 != hz is a linear sweep. */
struct heard {
	const char *tone;
	unsigned from_ms, to_ms;
	double hz, hz2;
};

static const struct heard table[] = {
	{"iso-8201", 0, 500, 520, 520},
	{"iso-8201", 500, 1000, 0, 0},
	{"iso-8201", 1000, 1500, 520, 520},
	{"iso-8201", 2000, 2500, 520, 520},
	{"iso-8201", 2500, 4000, 0, 0},
	{"iso-8201-520", 0, 500, 520, 520},
	{"iso-8201-520", 500, 1000, 0, 0},
	{"iso-8201-520", 2000, 2500, 520, 520},
	{"iso-8201-520", 2500, 4000, 0, 0},
	{"t4", 0, 100, 3100, 3100},
	{"t4", 100, 200, 0, 0},
	{"t4", 600, 700, 3100, 3100},
	{"t4", 700, 5800, 0, 0},
	{"din-33404-3", 0, 1000, 1200, 500},
	{"nen-2575", 0, 3500, 500, 1200},
	{"nen-2575", 3500, 4000, 0, 0},
	{"slow-whoop", 0, 3500, 500, 1200},
	{"slow-whoop", 3500, 4000, 0, 0},
	{"as-2220-action", 0, 3750, 500, 1200},
	{"as-2220-action", 3750, 4000, 0, 0},
	{"as-2220-alert", 0, 600, 420, 420},
	{"as-2220-alert", 600, 1250, 0, 0},
	{"as-1670-alert", 0, 600, 420, 420},
	{"as-1670-alert", 600, 1200, 0, 0},
	{"as-1670-evacuate", 0, 500, 500, 1200},
	{"as-1670-evacuate", 500, 1000, 0, 0},
	{"as-1670-evacuate", 2000, 2500, 500, 1200},
	{"as-1670-evacuate", 2500, 4000, 0, 0},
	{"nf-s-32-001", 0, 100, 560, 560},
	{"nf-s-32-001", 100, 500, 440, 440},
	{"bs-5839-1-evacuate", 0, 1000, 970, 970},
	{"bs-5839-1-alert", 0, 1000, 950, 950},
	{"bs-5839-1-alert", 1000, 2000, 0, 0},
	{"ss-03-17-11-imminent", 0, 150, 500, 500},
	{"ss-03-17-11-imminent", 150, 250, 0, 0},
	{"ss-03-17-11-local", 0, 150, 500, 500},
	{"ss-03-17-11-local", 150, 750, 0, 0},
	{"ss-03-17-11-all-clear", 0, 30000, 500, 500},
	{"nfpa-whoop", 0, 850, 422, 775},
	{"nfpa-whoop", 850, 1850, 0, 0},
	{"industrial", 0, 10000, 150, 1000},
	{"industrial", 10000, 50000, 1000, 1000},
	{"industrial", 50000, 60000, 1000, 150},
	{"pfeer-general", 0, 1000, 1000, 1000},
	{"pfeer-general", 1000, 2000, 0, 0},
	{"pfeer-abandon", 0, 1000, 1200, 500},
	{"pfeer-gas", 0, 1000, 1000, 1000},
	{"chime-1", 0, 1500, 523.25, 523.25},
	{"chime-3", 0, 500, 523.25, 523.25},
	{"chime-3", 500, 1000, 659.26, 659.26},
	{"chime-3", 1000, 2400, 783.99, 783.99},
	{"chime-2", 0, 700, 659.26, 659.26},
	{"chime-2", 700, 2000, 523.25, 523.25},
	{"chime-4", 0, 450, 392, 392},
	{"chime-4", 450, 900, 523.25, 523.25},
	{"chime-4", 900, 1350, 659.26, 659.26},
	{"chime-4", 1350, 2700, 783.99, 783.99},
	{"test", 0, 1000, 1000, 1000},
	{"go-ahead", 0, 100, 660, 660},
	{"go-ahead", 100, 140, 0, 0},
	{"go-ahead", 140, 250, 880, 880},
	{"enter", 0, 80, 880, 880},
	{"enter", 80, 160, 0, 0},
	{"enter", 160, 240, 880, 880},
	{"enter", 240, 2240, 0, 0},
	{"wrong", 0, 150, 320, 320},
	{"wrong", 150, 230, 0, 0},
	{"wrong", 230, 380, 320, 320},
	{"accepted", 0, 120, 660, 660},
	{"accepted", 120, 240, 880, 880},
	{"accepted", 240, 480, 1100, 1100},
	{"accepted", 480, 680, 0, 0},
	{"ringing", 0, 1000, 425, 425},
	{"ringing", 1000, 3000, 0, 0},
	{"preempted", 0, 200, 480, 480},
	{"preempted", 200, 400, 400, 400},
	{"preempted", 400, 700, 320, 320},
	{"preempted", 700, 2000, 0, 0},
};

/** Cycle, and peak in dBFS: alarms at -3, chimes at -6, what a caller has at
 *  the ear at -12. */
static const struct {
	const char *name;
	unsigned ms;
	double db;
} whole[] = {
	{"iso-8201", 4000, -3},
	{"iso-8201-520", 4000, -3},
	{"t4", 5800, -3},
	{"din-33404-3", 1000, -3},
	{"nen-2575", 4000, -3},
	{"slow-whoop", 4000, -3},
	{"as-2220-action", 4000, -3},
	{"as-2220-alert", 1250, -3},
	{"as-1670-alert", 1200, -3},
	{"as-1670-evacuate", 4000, -3},
	{"nf-s-32-001", 500, -3},
	{"bs-5839-1-evacuate", 1000, -3},
	{"bs-5839-1-alert", 2000, -3},
	{"ss-03-17-11-imminent", 250, -3},
	{"ss-03-17-11-local", 750, -3},
	{"ss-03-17-11-all-clear", 30000, -3},
	{"nfpa-whoop", 1850, -3},
	{"industrial", 60000, -3},
	{"pfeer-general", 2000, -3},
	{"pfeer-abandon", 1000, -3},
	{"pfeer-gas", 1000, -3},
	{"chime-1", 1500, -6},
	{"chime-2", 2000, -6},
	{"chime-3", 2400, -6},
	{"chime-4", 2700, -6},
	{"test", 1000, -20},
	{"go-ahead", 250, -12},
	{"enter", 2240, -12},
	{"wrong", 500, -12},
	{"accepted", 680, -12},
	{"ringing", 3000, -12},
	{"preempted", 2000, -12},
};

#define N_WHOLE (sizeof(whole) / sizeof(whole[0]))

static const uint32_t rates[] = {8000, 16000, 44100, 48000};

static void check(const struct heard *h, const struct pcm *p)
{
	size_t a = (size_t)h->from_ms * p->rate / 1000;
	size_t b = (size_t)h->to_ms * p->rate / 1000;
	size_t w = p->rate / 25; /* 40 ms windows */

	if (!(h->hz > 0)) {
		assert_true(sound_rms(p->v + a, b - a) < 0.5);
		return;
	}
	for (size_t i = a + p->rate / 100; i + w + p->rate / 100 < b;
	     i += (b - a) / 7 + 1) {
		double mid = ((double)i + (double)w / 2 - (double)a) /
			     (double)(b - a);
		double want = h->hz + (h->hz2 - h->hz) * mid;
		double got = sound_pitch(p->v + i, w, p->rate);

		if (fabs(got - want) > want * 0.02 + 2)
			fail_msg("%s at %u Hz: %.1f Hz, not %.1f, after %.3f s",
				 h->tone, p->rate, got, want,
				 (double)i / p->rate);
	}
}

static void test_table(void **state)
{
	(void)state;
	for (size_t r = 0; r < 4; r++)
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
			struct pcm p = {0};

			assert_int_equal(
				tone_make(&p, table[i].tone, rates[r], 0), 0);
			assert_int_equal(
				p.n, (uint64_t)tone_cycle_ms(table[i].tone) *
					     rates[r] / 1000);
			check(&table[i], &p);
			pcm_reset(&p);
		}
}

/* No tone clicks: neighbouring samples never differ by more than its highest
 * pitch explains, also where one cycle joins the next. */
static void test_no_click(void **state)
{
	(void)state;
	for (size_t i = 0; tone_name(i); i++) {
		const char *name = tone_name(i);
		uint32_t ms = tone_cycle_ms(name) > 10000
				      ? 0
				      : 3 * tone_cycle_ms(name);
		double top = !strcmp(name, "t4") ? 3100 : 1200;

		/* A square's edges are the steeper the more the rate carries.
		 */
		if (!strcmp(name, "iso-8201-520"))
			top = 520 * 8;
		struct pcm p = {0};
		double most;

		assert_int_equal(tone_make(&p, name, 16000, ms), 0);
		most = pcm_peak(&p) * 2 * M_PI * top / 16000 * 1.1 + 50;
		if (sound_jump(p.v, p.n) > most)
			fail_msg("%s jumps by %d", name, sound_jump(p.v, p.n));
		pcm_reset(&p);
	}
}

/* A message's tone is looped as a clip of one cycle: its end must meet its
 * beginning where the pattern goes on without a pause. */
static void test_loop_joins(void **state)
{
	static const char *const through[] = {"bs-5839-1-evacuate",
					      "nf-s-32-001", "din-33404-3",
					      "industrial", "test"};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct pcm p = {0};
		int jump;

		assert_int_equal(tone_make(&p, through[i], 8000, 0), 0);
		jump = abs(p.v[0] - p.v[p.n - 1]);
		assert_true(jump < pcm_peak(&p) * 2 * M_PI * 1200 / 8000);
		pcm_reset(&p);
	}
}

/* Every tone there is has its cycle and its level written down here. */
static void test_cycles_and_levels(void **state)
{
	size_t n = 0;

	(void)state;
	while (tone_name(n))
		n++;
	assert_int_equal(n, N_WHOLE);
	for (size_t i = 0; i < N_WHOLE; i++) {
		struct pcm p = {0};
		double db;

		assert_int_equal(tone_cycle_ms(whole[i].name), whole[i].ms);
		assert_int_equal(tone_make(&p, whole[i].name, 48000, 0), 0);
		db = 20 * log10(pcm_peak(&p) / 32768.0);
		/* A struck bell has faded a little by its first crest. */
		if (db > whole[i].db + 0.01 || db < whole[i].db - 0.15)
			fail_msg("%s peaks at %.2f dBFS, not %.2f",
				 whole[i].name, db, whole[i].db);
		pcm_reset(&p);
	}
}

/* Edges take 5 ms: softly enough not to click, and no longer. */
static void test_edges(void **state)
{
	struct pcm p = {0};

	(void)state;
	assert_int_equal(tone_make(&p, "bs-5839-1-alert", 48000, 0), 0);
	/* 1 ms in, the raised cosine is at a tenth; at 5 ms all is there. */
	assert_true(sound_rms(p.v, 48) < 0.1 * 23197);
	assert_true(sound_rms(p.v + 48, 144) < 0.7 * 23197 / sqrt(2));
	assert_true(sound_rms(p.v + 240, 101) > 0.95 * 23197 / sqrt(2));
	assert_true(sound_rms(p.v + 48000 - 341, 101) > 0.95 * 23197 / sqrt(2));
	assert_true(sound_rms(p.v + 48000 - 48, 48) < 0.1 * 23197);
	pcm_reset(&p);
}

/* A struck bell decays: to 1/e in 450 ms. */
static void test_bell(void **state)
{
	struct pcm p = {0};
	double first, later;

	(void)state;
	assert_int_equal(tone_make(&p, "chime-2", 16000, 0), 0);
	first = sound_rms(p.v + 16 * 750, 16 * 100);
	later = sound_rms(p.v + 16 * 1200, 16 * 100);
	assert_true(fabs(later / first - exp(-1)) < 0.02);
	pcm_reset(&p);
}

/* Never cut within a beat: whole cycles, rounded up. */
static void test_whole_cycles(void **state)
{
	struct pcm p = {0};

	(void)state;
	assert_int_equal(tone_make(&p, "iso-8201", 8000, 4001), 0);
	assert_int_equal(p.n, 2 * 4 * 8000);
	pcm_reset(&p);
}

static void test_unknown(void **state)
{
	struct pcm p = {0};

	(void)state;
	assert_int_equal(tone_make(&p, "no-such", 8000, 0), ENOENT);
	assert_null(p.v);
	assert_null(tone_title("no-such"));
	assert_int_equal(tone_cycle_ms("no-such"), 0);
	for (size_t i = 0; tone_name(i); i++)
		assert_non_null(tone_title(tone_name(i)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_no_click),
		cmocka_unit_test(test_loop_joins),
		cmocka_unit_test(test_cycles_and_levels),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_bell),
		cmocka_unit_test(test_whole_cycles),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
