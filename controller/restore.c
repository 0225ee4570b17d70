#include "restore.h"

#include <stdlib.h>
#include <string.h>

struct restore {
	const struct command_scope *s;
	struct journal *journal;
};

/** A broadcast whose words are spoken anew. */
struct late {
	struct broadcasts *broadcasts;
	uint64_t id;
	struct clip *tone; /**< what sounds until then */
	uint32_t cycles;
};

static void on_spoken(const struct announced *said, void *arg)
{
	struct late *l = arg;

	/* Without them the tone goes on, but no longer than was asked for. */
	(void)broadcast_replace(l->broadcasts, l->id,
				said->clip ? said->clip : l->tone, l->cycles);
	clip_unref(l->tone);
	free(l);
}

/** Has its words spoken anew while its tone goes round. */
static void speak(const struct command_scope *s, const struct announce_text *t,
		  uint64_t id, struct clip *tone, uint32_t cycles)
{
	struct late *l = malloc(sizeof(*l));
	struct reason why;

	if (!l)
		return;
	*l = (struct late){s->broadcasts, id, clip_ref(tone), cycles};
	if (!announce_say(s->announce, t, on_spoken, l, &why))
		return;
	on_spoken(&(const struct announced){.clip = NULL}, l);
}

/** Another sound, when its message is gone, is better than none. */
static struct clip *sound_of(struct library *l, const char *message,
			     uint32_t cycles)
{
	struct clip *c = library_message(l, message);

	if (!c && cycles != 1)
		c = library_tone_loop(l, message, &(uint32_t){0});
	if (!c)
		c = library_tone(l, message);
	return c ? c : library_tone(l, LIBRARY_FALLBACK_TONE);
}

static void start(const struct restore *r, struct broadcast_request *rq)
{
	const struct command_scope *s = r->s;
	const uint32_t cycles = rq->cycles;
	struct announce_text t = {.urgent = true};
	struct clip *said = NULL;
	struct broadcast_result res;
	bool words = true;

	if (rq->words &&
	    !json_unpack(rq->words, "{s:s,s?s,s?s}", "text", &t.text, "voice",
			 &t.voice, "tone", &t.tone))
		said = announce_again(s->announce, &t, &words);
	rq->clip = said ? said : sound_of(s->library, rq->message, cycles);
	if (!words)
		rq->cycles = 0;
	if (rq->clip && !broadcast_start(s->broadcasts, rq, &res) && !words)
		speak(s, &t, res.id, rq->clip, cycles);
	clip_unref(said);
}

static void restore(const char *key, const char *value, void *arg)
{
	const struct restore *r = arg;
	const struct command_scope *s = r->s;
	json_t *o = json_loads(value, 0, NULL), *zones = NULL, *z;
	int level = 0, cycles = 0;
	int found[CONFIG_MAX_ZONES];
	struct broadcast_request rq = {
		.message = "",
		.what = "",
		.actor = "system",
		.zones = found,
		.persist = true,
	};
	size_t i;

	if (!o || json_unpack(o, "{s:s,s:s,s:i,s:i,s:s,s:o,s?o}", "message",
			      &rq.message, "what", &rq.what, "level", &level,
			      "cycles", &cycles, "actor", &rq.actor, "zones",
			      &zones, "words", &rq.words))
		goto out;
	json_array_foreach(zones, i, z)
	{
		const char *name = json_string_value(z);
		int k = name ? config_zone_find(s->config, name) : -1;

		if (k >= 0 && rq.n_zones < CONFIG_MAX_ZONES)
			found[rq.n_zones++] = k;
	}
	rq.level = (uint8_t)level;
	rq.cycles = (uint32_t)cycles;
	if (rq.n_zones && level >= 0 && level <= 255)
		start(r, &rq);
	else
		record(s->recorder, EVENT_BROADCAST_REFUSED, 0, key, NULL, NULL,
		       "%s was on when the daemon ended, but none of its zones "
		       "exist any more",
		       rq.what);
out:
	/* Only now: the new one is queued for the disk before this goes. */
	journal_state(r->journal, key, NULL);
	json_decref(o);
}

void restore_broadcasts(const struct command_scope *s, struct journal *j)
{
	struct restore r = {s, j};

	journal_state_load(j, "broadcast:", restore, &r);
}
