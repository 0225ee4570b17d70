#include "controller/operators/legs.h"

#include "controller/base/compat.h"
#include "controller/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct leg {
	enum { LEG_FREE, LEG_OPEN, LEG_CLOSING } state;
	struct legs *owner;
	void *line;
	struct clip *prompt; /* a reference until the engine is done with it */
	char again[CONFIG_MAX_NAME]; /* said over and over, "" = nothing */
	struct tmr due;
};

struct legs {
	struct media *media;
	struct library *library;
	legs_h *h;
	struct leg v[MEDIA_OWN_LEGS];
};

unsigned legs_number(int leg)
{
	return MEDIA_FIRST_OWN_LEG + (unsigned)leg;
}

static int index_of(const struct leg *g)
{
	return (int)(g - g->owner->v);
}

int legs_alloc(struct legs **lp, struct media *m, legs_h *h)
{
	struct legs *l = calloc(1, sizeof(*l));

	if (!l)
		return ENOMEM;
	l->media = m;
	l->h = h;
	for (unsigned i = 0; i < MEDIA_OWN_LEGS; i++) {
		l->v[i].owner = l;
		tmr_init(&l->v[i].due);
	}
	*lp = l;
	return 0;
}

struct legs *legs_free(struct legs *l)
{
	if (!l)
		return NULL;
	for (unsigned i = 0; i < MEDIA_OWN_LEGS; i++) {
		tmr_cancel(&l->v[i].due);
		clip_unref(l->v[i].prompt);
	}
	free(l);
	return NULL;
}

void legs_library(struct legs *l, struct library *lib)
{
	l->library = lib;
}

static void play(struct leg *g, const char *message)
{
	struct legs *l = g->owner;
	struct clip *clip = library_message(l->library, message);

	if (!clip)
		clip = library_tone(l->library, message);
	if (!clip || g->prompt)
		return;
	media_begin(l->media);
	media_leg_prompt(l->media, legs_number(index_of(g)), clip, 1);
	if (!media_commit(l->media))
		g->prompt = clip_ref(clip);
}

static void play_again(void *arg)
{
	struct leg *g = arg;

	play(g, g->again);
}

void legs_say(struct legs *l, int leg, const char *message, bool over_and_over)
{
	struct leg *g = &l->v[leg];

	snprintf(g->again, sizeof(g->again), "%s",
		 over_and_over ? message : "");
	play(g, message);
}

static void hush(struct leg *g)
{
	tmr_cancel(&g->due);
	g->again[0] = '\0';
}

void legs_quiet(struct legs *l, int leg)
{
	hush(&l->v[leg]);
	media_begin(l->media);
	media_leg_prompt(l->media, legs_number(leg), NULL, 0);
	(void)media_commit(l->media);
}

int legs_open(struct legs *l, const struct media_leg *m, void *line)
{
	int i = 0;

	while (i < MEDIA_OWN_LEGS && l->v[i].state != LEG_FREE)
		i++;
	if (i == MEDIA_OWN_LEGS) {
		close(m->fd);
		return -1;
	}
	media_begin(l->media);
	media_leg_open(l->media, legs_number(i), m);
	if (media_commit(l->media)) {
		close(m->fd);
		return -1;
	}
	l->v[i].state = LEG_OPEN;
	l->v[i].line = line;
	return i;
}

void legs_update(struct legs *l, int leg, const struct media_leg *m)
{
	media_begin(l->media);
	media_leg_update(l->media, legs_number(leg), m);
	(void)media_commit(l->media);
}

void legs_close(struct legs *l, int leg)
{
	if (leg < 0)
		return;
	hush(&l->v[leg]);
	media_begin(l->media);
	media_leg_close(l->media, legs_number(leg));
	(void)media_commit(l->media);
	l->v[leg].state = LEG_CLOSING;
	l->v[leg].line = NULL;
}

void legs_leave_room(struct legs *l, int leg)
{
	media_begin(l->media);
	media_leg_room(l->media, legs_number(leg), -1);
	(void)media_commit(l->media);
}

void legs_report(struct legs *l, const struct media_report *r)
{
	struct leg *g = &l->v[r->index - MEDIA_FIRST_OWN_LEG];

	switch (r->type) {
	case MEDIA_PROMPT_DONE:
		g->prompt = clip_unref(g->prompt);
		if (g->again[0])
			tmr_start(&g->due, LEGS_AGAIN_MS, play_again, g);
		break;
	case MEDIA_LEG_KEY:
		if (g->line)
			l->h(g->line, LEGS_KEY, (char)r->n);
		break;
	case MEDIA_LEG_SILENT:
		if (g->line)
			l->h(g->line, LEGS_SILENT, 0);
		break;
	case MEDIA_LEG_CLOSED:
		g->prompt = clip_unref(g->prompt);
		g->state = LEG_FREE;
		break;
	default:
		break;
	}
}
