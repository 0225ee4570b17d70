#include "trim.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define FADE_MS 5
/** Mean square of 0 dBFS. */
#define FULL_SCALE (32768.0 * 32768.0)

struct steps {
	const struct pcm *p;
	size_t size, n; /**< samples of one; how many */
	double least;   /**< mean square from which it is sound */
};

static double mean_square(const struct steps *s, size_t i)
{
	double sum = 0;

	for (size_t k = i * s->size; k < (i + 1) * s->size; k++)
		sum += (double)s->p->v[k] * s->p->v[k];
	return sum / (double)s->size;
}

/** From which mean square on it is sound: a click or two, however loud, must
 *  not hide quiet words. */
static double least_sound(const struct steps *s)
{
	unsigned of_level[1 - TRIM_FLOOR_DBFS] = {0}, above = 0, louder = 0;
	int level = 0;

	for (size_t i = 0; i < s->n; i++) {
		double db = 10 * log10(mean_square(s, i) / FULL_SCALE);

		if (db < TRIM_FLOOR_DBFS)
			continue;
		of_level[db >= 0 ? 0 : (int)-db]++;
		above++;
	}
	for (; level < -TRIM_FLOOR_DBFS; level++) {
		louder += of_level[level];
		if (louder * 10 > above)
			break;
	}
	level += TRIM_RANGE_DB;
	if (level > -TRIM_FLOOR_DBFS)
		level = -TRIM_FLOOR_DBFS;
	return FULL_SCALE * pow(10, -level / 10.0);
}

/** Sound that is no click begins at *i or later: its first step and the one
 *  behind its last; false when there is none. */
static bool next_sound(const struct steps *s, size_t *i, size_t *end)
{
	const size_t click = TRIM_CLICK_MS / TRIM_STEP_MS;
	const size_t alone = TRIM_ALONE_MS / TRIM_STEP_MS;

	for (size_t at = *i; at < s->n;) {
		size_t last;

		if (mean_square(s, at) < s->least) {
			at++;
			continue;
		}
		/* To where silence begins that parts it from the next. */
		last = at;
		for (size_t k = at; k < s->n && k - last <= alone; k++)
			if (mean_square(s, k) >= s->least)
				last = k;
		*end = last + 1;
		if (*end - at > click) {
			*i = at;
			return true;
		}
		at = *end;
	}
	return false;
}

void trim_find(const struct pcm *p, struct trim_span *s)
{
	struct steps st = {.p = p, .size = p->rate * TRIM_STEP_MS / 1000};
	size_t first, last = 0, i = 0, end, before, after;

	*s = (struct trim_span){0};
	st.n = st.size ? p->n / st.size : 0;
	st.least = least_sound(&st);
	if (!next_sound(&st, &i, &end))
		return;
	first = i;
	do {
		last = end;
		i = end;
	} while (next_sound(&st, &i, &end));
	s->spoken_ms = (uint32_t)((last - first) * TRIM_STEP_MS);
	before = p->rate * TRIM_BEFORE_MS / 1000;
	after = p->rate * TRIM_AFTER_MS / 1000;
	s->from = first * st.size > before ? first * st.size - before : 0;
	s->to = last * st.size + after < p->n ? last * st.size + after : p->n;
}

void trim_cut(struct pcm *p, const struct trim_span *s)
{
	size_t fade = p->rate * FADE_MS / 1000, n = s->to - s->from;
	bool head = s->from > 0, tail = s->to < p->n;

	memmove(p->v, p->v + s->from, n * sizeof(*p->v));
	p->n = n;
	for (size_t i = 0; i < fade && i < n; i++) {
		if (head)
			p->v[i] = (int16_t)(p->v[i] * (double)i / (double)fade);
		if (tail)
			p->v[n - 1 - i] = (int16_t)(p->v[n - 1 - i] *
						    (double)i / (double)fade);
	}
}
