#include "tone.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** Rise and fall at the edges of sound and silence, against clicks. */
#define RAMP_MS 5
#define MAX_BEATS 20

/** A stretch of one cycle: silence (from = 0), a steady pitch, or a linear
 *  sweep. fade: time constant of a struck bell's decay in ms, 0 = none. */
struct beat {
	uint32_t ms;
	float from, to, fade;
	bool square; /**< odd harmonics as far as the rate carries them */
};

struct tone {
	const char *name, *title;
	float peak_db; /**< dBFS */
	struct beat beat[MAX_BEATS];
};

#define PITCH(ms, hz)                                                          \
	{                                                                      \
		ms, hz, hz, 0, false                                           \
	}
#define SQUARE(ms, hz)                                                         \
	{                                                                      \
		ms, hz, hz, 0, true                                            \
	}
#define SWEEP(ms, a, b)                                                        \
	{                                                                      \
		ms, a, b, 0, false                                             \
	}
#define PAUSE(ms)                                                              \
	{                                                                      \
		ms, 0, 0, 0, false                                             \
	}
#define BELL(ms, hz)                                                           \
	{                                                                      \
		ms, hz, hz, 450, false                                         \
	}

/** Alarm tones peak at -3 dBFS, what callers and idle ears hear at less.
 *  Sources of the figures: FIELD.md 1.3. */
static const struct tone tones[] = {
	{"iso-8201",
	 "evacuation, temporal three (ISO 8201, NFPA 72 T3), 520 Hz",
	 -3,
	 {PITCH(500, 520), PAUSE(500), PITCH(500, 520), PAUSE(500),
	  PITCH(500, 520), PAUSE(1500)}},
	{"iso-8201-520",
	 "evacuation of sleepers, temporal three, 520 Hz square (NFPA 72)",
	 -3,
	 {SQUARE(500, 520), PAUSE(500), SQUARE(500, 520), PAUSE(500),
	  SQUARE(500, 520), PAUSE(1500)}},
	{"t4",
	 "carbon monoxide, temporal four (NFPA 720)",
	 -3,
	 {PITCH(100, 3100), PAUSE(100), PITCH(100, 3100), PAUSE(100),
	  PITCH(100, 3100), PAUSE(100), PITCH(100, 3100), PAUSE(100),
	  PAUSE(5000)}},
	{"din-33404-3",
	 "danger, sweep down 1200 to 500 Hz in 1 s (DIN 33404-3)",
	 -3,
	 {SWEEP(1000, 1200, 500)}},
	{"nen-2575",
	 "slow whoop, 500 to 1200 Hz in 3.5 s, 0.5 s pause (NEN 2575)",
	 -3,
	 {SWEEP(3500, 500, 1200), PAUSE(500)}},
	{"slow-whoop",
	 "slow whoop: another name of nen-2575",
	 -3,
	 {SWEEP(3500, 500, 1200), PAUSE(500)}},
	{"as-2220-action",
	 "evacuate, 500 to 1200 Hz in 3.75 s, 0.25 s pause (AS 2220)",
	 -3,
	 {SWEEP(3750, 500, 1200), PAUSE(250)}},
	{"as-2220-alert",
	 "alert, 420 Hz 0.6 s on, 0.65 s off (AS 2220)",
	 -3,
	 {PITCH(600, 420), PAUSE(650)}},
	{"as-1670-alert",
	 "alert, 420 Hz 0.6 s on, 0.6 s off (AS 1670.4)",
	 -3,
	 {PITCH(600, 420), PAUSE(600)}},
	{"as-1670-evacuate",
	 "evacuate, temporal three of sweeps 500 to 1200 Hz (AS 1670.4)",
	 -3,
	 {SWEEP(500, 500, 1200), PAUSE(500), SWEEP(500, 500, 1200), PAUSE(500),
	  SWEEP(500, 500, 1200), PAUSE(1500)}},
	{"nf-s-32-001",
	 "evacuation, 560 Hz 0.1 s and 440 Hz 0.4 s (NF S 32-001)",
	 -3,
	 {PITCH(100, 560), PITCH(400, 440)}},
	{"bs-5839-1-evacuate",
	 "evacuate, 970 Hz continuous (BS 5839-1)",
	 -3,
	 {PITCH(1000, 970)}},
	{"bs-5839-1-alert",
	 "alert, 950 Hz 1 s on, 1 s off (BS 5839-1)",
	 -3,
	 {PITCH(1000, 950), PAUSE(1000)}},
	{"ss-03-17-11-imminent",
	 "imminent danger, 500 Hz 0.15 s on, 0.1 s off (SS 03 17 11)",
	 -3,
	 {PITCH(150, 500), PAUSE(100)}},
	{"ss-03-17-11-local",
	 "local warning, 500 Hz 0.15 s on, 0.6 s off (SS 03 17 11)",
	 -3,
	 {PITCH(150, 500), PAUSE(600)}},
	{"ss-03-17-11-all-clear",
	 "all clear, 500 Hz 30 s (SS 03 17 11)",
	 -3,
	 {PITCH(30000, 500)}},
	{"nfpa-whoop",
	 "whoop, 422 to 775 Hz in 0.85 s, 1 s pause (NFPA)",
	 -3,
	 {SWEEP(850, 422, 775), PAUSE(1000)}},
	{"industrial",
	 "industrial alarm, 150 to 1000 Hz in 10 s, 40 s, down in 10 s",
	 -3,
	 {SWEEP(10000, 150, 1000), PITCH(40000, 1000),
	  SWEEP(10000, 1000, 150)}},
	{"pfeer-general",
	 "general alarm offshore, 1000 Hz 1 s on, 1 s off (PFEER)",
	 -3,
	 {PITCH(1000, 1000), PAUSE(1000)}},
	{"pfeer-abandon",
	 "prepare to abandon platform, sweep down 1200 to 500 Hz in 1 s "
	 "(PFEER)",
	 -3,
	 {SWEEP(1000, 1200, 500)}},
	{"pfeer-gas",
	 "toxic gas offshore, 1000 Hz continuous (PFEER)",
	 -3,
	 {PITCH(1000, 1000)}},
	{"chime-1", "one-tone chime", -6, {BELL(1500, 523.25f)}},
	{"chime-2",
	 "two-tone chime",
	 -6,
	 {BELL(700, 659.26f), BELL(1300, 523.25f)}},
	{"chime-3",
	 "three-tone chime",
	 -6,
	 {BELL(500, 523.25f), BELL(500, 659.26f), BELL(1400, 783.99f)}},
	{"chime-4",
	 "four-tone chime",
	 -6,
	 {BELL(450, 392), BELL(450, 523.25f), BELL(450, 659.26f),
	  BELL(1350, 783.99f)}},
	{"test", "1 kHz at -20 dBFS", -20, {PITCH(1000, 1000)}},
	{"go-ahead",
	 "for a caller: speak now",
	 -12,
	 {PITCH(100, 660), PAUSE(40), PITCH(110, 880)}},
	{"enter",
	 "for a caller: press keys",
	 -12,
	 {PITCH(80, 880), PAUSE(80), PITCH(80, 880), PAUSE(2000)}},
	{"wrong",
	 "for a caller: that was wrong",
	 -12,
	 {PITCH(150, 320), PAUSE(80), PITCH(150, 320), PAUSE(120)}},
	{"accepted",
	 "for a caller: that was done",
	 -12,
	 {PITCH(120, 660), PITCH(120, 880), PITCH(240, 1100), PAUSE(200)}},
	{"ringing",
	 "for a help point: you were heard, it rings",
	 -12,
	 {PITCH(1000, 425), PAUSE(2000)}},
	{"preempted",
	 "for a caller: something more urgent sounds, wait",
	 -12,
	 {PITCH(200, 480), PITCH(200, 400), PITCH(300, 320), PAUSE(1300)}},
};

#define N_TONES (sizeof(tones) / sizeof(tones[0]))

static const struct tone *find(const char *name)
{
	for (size_t i = 0; name && i < N_TONES; i++)
		if (!strcmp(tones[i].name, name))
			return &tones[i];
	return NULL;
}

const char *tone_name(size_t i)
{
	return i < N_TONES ? tones[i].name : NULL;
}

const char *tone_title(const char *name)
{
	const struct tone *t = find(name);

	return t ? t->title : NULL;
}

static size_t count_beats(const struct tone *t)
{
	size_t n = 0;

	while (n < MAX_BEATS && t->beat[n].ms)
		n++;
	return n;
}

static uint32_t cycle_ms(const struct tone *t)
{
	uint32_t ms = 0;

	for (size_t i = 0; i < count_beats(t); i++)
		ms += t->beat[i].ms;
	return ms;
}

float tone_peak_db(const char *name)
{
	const struct tone *t = find(name);

	return t ? t->peak_db : 0;
}

uint32_t tone_cycle_ms(const char *name)
{
	const struct tone *t = find(name);

	return t ? cycle_ms(t) : 0;
}

/** Raised cosine from 0 to 1 over the ramp, at sample i of it. */
static double ramp(size_t i, size_t n)
{
	return i >= n ? 1 : 0.5 - 0.5 * cos(M_PI * ((double)i + 0.5) / n);
}

/** How far a square of so many harmonics overshoots its plateau: its highest
 *  crest is half a period of the first one left out behind the edge. */
static double crest(unsigned harmonics)
{
	double sum = 0;

	for (unsigned k = 1; k <= harmonics; k++)
		sum += sin((2 * k - 1) * M_PI / (2.0 * harmonics)) /
		       (2 * k - 1);
	return sum;
}

/** Odd harmonics below 0.45 of the rate: more would fold back. */
static unsigned harmonics_of(double hz, uint32_t rate)
{
	double n = 0.45 * rate / hz;

	return n < 1 ? 1 : (unsigned)((n + 1) / 2);
}

/** A square that peaks at 1 and is as steep as the rate allows. */
static double square(double turns, unsigned harmonics)
{
	double sum = 0;

	for (unsigned k = 1; k <= harmonics; k++)
		sum += sin(2 * M_PI * turns * (2 * k - 1)) / (2 * k - 1);
	return sum / crest(harmonics);
}

/** Writes one beat; phase (in turns) goes on from beat to beat. squares: how
 *  many harmonics a square has, 0 = a sine. */
static void render(int16_t *v, size_t n, const struct beat *b, double peak,
		   unsigned squares, uint32_t rate, bool rise, bool fall,
		   double *phase)
{
	size_t edge = rate * RAMP_MS / 1000;

	for (size_t i = 0; i < n; i++) {
		double t = (double)i / rate, a = peak, turns;

		if (!(b->from > 0)) {
			v[i] = 0;
			continue;
		}
		/* The exact integral of a linear sweep. */
		turns = *phase + b->from * t +
			(b->to - b->from) * t * t * rate / (2.0 * (double)n);
		if (b->fade > 0)
			a *= exp(-t * 1000 / b->fade);
		if (rise)
			a *= ramp(i, edge);
		if (fall)
			a *= ramp(n - 1 - i, edge);
		v[i] = (int16_t)lrint(a * (squares ? square(turns, squares)
						   : sin(2 * M_PI * turns)));
	}
	if (b->from > 0)
		*phase = fmod(
			*phase + (b->from + b->to) / 2.0 * (double)n / rate, 1);
}

static bool sounds(const struct tone *t, size_t n, size_t i)
{
	return t->beat[i % n].from > 0;
}

static void render_cycle(int16_t *v, const struct tone *t, uint32_t rate,
			 double *phase)
{
	size_t n = count_beats(t), at = 0;
	double peak = 32767 * pow(10, t->peak_db / 20);
	uint64_t ms = 0;

	for (size_t i = 0; i < n; i++) {
		const struct beat *b = &t->beat[i];
		bool struck = b->fade > 0;
		size_t end;

		ms += b->ms;
		end = (size_t)(ms * rate / 1000);
		/* A struck bell rises and falls on its own; else only where
		 * silence is next to it, also over the end of a cycle. */
		render(v + at, end - at, b, peak,
		       b->square ? harmonics_of(b->from, rate) : 0, rate,
		       struck || !sounds(t, n, i + n - 1),
		       struck || !sounds(t, n, i + 1), phase);
		at = end;
	}
}

int tone_make(struct pcm *p, const char *name, uint32_t rate, uint32_t ms)
{
	const struct tone *t = find(name);
	size_t samples, cycles;
	double phase = 0;

	if (!t)
		return ENOENT;
	cycles = ms ? (ms - 1) / cycle_ms(t) + 1 : 1;
	samples = (size_t)((uint64_t)cycle_ms(t) * rate / 1000);
	p->v = calloc(cycles * samples, sizeof(*p->v));
	if (!p->v)
		return ENOMEM;
	p->n = cycles * samples;
	p->rate = rate;
	for (size_t i = 0; i < cycles; i++)
		render_cycle(p->v + i * samples, t, rate, &phase);
	return 0;
}
