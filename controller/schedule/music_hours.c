#include "music_hours.h"

#include "controller/base/clock.h"
#include "hours.h"
#include "zonefile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct player {
	struct tz *tz; /**< NULL = it has no hours */
	bool within;
};

struct music_hours {
	struct musics *musics;
	struct schedules *schedules;
	const struct config *config;
	struct player *v; /**< one per music of the configuration */
	size_t n;
	struct hours_look look;
};

int music_hours_alloc(struct music_hours **mp, struct musics *m,
		      struct schedules *s)
{
	struct music_hours *h = calloc(1, sizeof(*h));

	if (!h)
		return ENOMEM;
	h->musics = m;
	h->schedules = s;
	*mp = h;
	return 0;
}

static void drop(struct player *v, size_t n)
{
	for (size_t i = 0; v && i < n; i++)
		tz_free(v[i].tz);
	free(v);
}

struct music_hours *music_hours_free(struct music_hours *m)
{
	if (!m)
		return NULL;
	drop(m->v, m->n);
	free(m);
	return NULL;
}

/** Was it within its hours under the configuration of before? Then it is not
 *  started again: somebody may have stopped it. */
static bool was_within(const struct music_hours *m, const char *name)
{
	int i = m->config ? config_music_find(m->config, name) : -1;

	return i >= 0 && m->v[i].within;
}

int music_hours_configure(struct music_hours *m, const struct config *c,
			  struct reason *why)
{
	struct player *v = calloc(c->n_musics + 1, sizeof(*v));
	int err = v ? 0 : reason_set(why, ENOMEM, "not enough memory");

	for (size_t i = 0; !err && i < c->n_musics; i++) {
		const struct config_player *p = &c->musics[i];

		if (!p->n_hours)
			continue;
		v[i].within = was_within(m, p->name);
		v[i].tz = zonefile_load(p->timezone ? p->timezone : c->timezone,
					why);
		err = v[i].tz ? 0 : ENOENT;
	}
	if (err) {
		drop(v, c->n_musics);
		return err;
	}
	drop(m->v, m->n);
	m->v = v;
	m->n = c->n_musics;
	m->config = c;
	m->look.next = 0;
	music_hours_watch(m);
	return 0;
}

static const char *on_type(int64_t day, void *arg)
{
	const struct music_hours *m = arg;

	return schedules_day_type(m->schedules, day);
}

static void look(struct music_hours *m, size_t i)
{
	const struct config_player *p = &m->config->musics[i];
	struct player *x = &m->v[i];
	struct reason why;
	bool within;

	if (!x->tz)
		return;
	for (size_t k = 0; k < p->n_hours; k++)
		hours_until(&m->look, &p->hours[k], x->tz);
	within = window_find(p->hours, p->n_hours, x->tz, m->look.seen, on_type,
			     m, NULL) >= 0;
	if (within == x->within)
		return;
	x->within = within;
	/* By hand it may be so already. */
	(void)music_do(m->musics, p->name, within ? MUSIC_START : MUSIC_STOP,
		       "clock", &why);
}

void music_hours_watch(struct music_hours *m)
{
	const int64_t now = clock_wall_us() / 1000000;

	/* By a clock that cannot be right nothing begins and nothing ends. */
	if (!m->config || !m->n || !schedules_clock_good(m->schedules) ||
	    !hours_due(&m->look, now))
		return;
	for (size_t i = 0; i < m->n; i++)
		look(m, i);
}
