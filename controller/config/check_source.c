/* Sources: one kind each, its keys, and none of them an output of ours. */
#include "load.h"
#include "values.h"

#include <string.h>

/** The codec's own for what was not given. */
static void set_format(struct load *l, size_t i)
{
	struct config_source *x = &l->c->sources[i];
	const struct format given = x->fmt;

	format_default(&x->fmt, given.codec, 16000);
	if (load_given(l, KIND_SOURCE, i, "rate")) {
		if (load_is_rate(&x->fmt, given.rate))
			format_default(&x->fmt, given.codec, given.rate);
		else if (given.codec == CODEC_L16)
			problem_add(l->p, load_at(l, KIND_SOURCE, i, "rate"),
				    "source \"%s\": rate %u; allowed for l16: "
				    "8000, 16000, 32000, 44100 and 48000",
				    x->name, given.rate);
		else
			problem_add(l->p, load_at(l, KIND_SOURCE, i, "rate"),
				    "source \"%s\": rate %u; %s has %u only",
				    x->name, given.rate,
				    codec_name(given.codec), x->fmt.rate);
	}
	if (load_given(l, KIND_SOURCE, i, "payload-type"))
		x->fmt.pt = given.pt;
}

static void check_polycom(struct load *l, size_t i)
{
	const struct config_source *x = &l->c->sources[i];

	if (x->kind != SOURCE_POLYCOM)
		return;
	if (!x->group && !load_given(l, KIND_SOURCE, i, "group"))
		problem_add(l->p, x->at,
			    "source \"%s\": \"group\" is missing: 26 to 50 for "
			    "a page group, 1 to 25 for a push-to-talk channel",
			    x->name);
	if (x->fmt.codec == CODEC_L16 || x->fmt.codec == CODEC_OPUS)
		problem_add(l->p, load_at(l, KIND_SOURCE, i, "codec"),
			    "source \"%s\": Polycom phones send no %s; "
			    "allowed: pcmu, pcma and g722",
			    x->name, codec_name(x->fmt.codec));
}

static void check_recorded(struct load *l, size_t i)
{
	const struct config_source *x = &l->c->sources[i];

	if (x->record && (x->level <= l->c->levels[CLASS_MUSIC] ||
			  x->level >= EMERGENCY_LEVEL))
		problem_add(l->p, load_at(l, KIND_SOURCE, i, "page-mode"),
			    "source \"%s\": at priority %u it cannot be "
			    "record-then-play, which goes with those over "
			    "music and below 200: background sound has no end, "
			    "and an emergency is not kept waiting",
			    x->name, x->level);
}

static bool same_place(const struct sockaddr_storage *a,
		       const struct sockaddr_storage *b)
{
	size_t n = 0, m = 0;
	const uint8_t *x = value_bytes(a, &n), *y = value_bytes(b, &m);

	return x && y && n == m && !memcmp(x, y, n) &&
	       value_port(a) == value_port(b);
}

/** Whatever the interface: bridged or looped back, it would feed itself. */
static void check_loop(struct load *l, size_t i)
{
	const struct config *c = l->c;
	const struct config_source *x = &c->sources[i];

	for (size_t k = 0; k < c->n_sounds; k++) {
		const struct config_sound *o = &c->sounds[k];

		if (!same_place(&x->addr, &o->out.dst))
			continue;
		/* All groups and channels of a site share one address. */
		if (x->kind == SOURCE_POLYCOM && o->out.polycom.channel &&
		    o->out.polycom.channel != x->group)
			continue;
		problem_add(l->p, x->at,
			    "source \"%s\": %s is an output of zone \"%s\" "
			    "(%s:%d): it would hear ourselves; give one of "
			    "them another group or port",
			    x->name, x->place, c->zones[o->zone].name,
			    o->at.file, o->at.line);
		return;
	}
}

static void check_twice(struct load *l, size_t i)
{
	const struct config_source *x = &l->c->sources[i], *y;

	for (size_t k = 0; k < i; k++) {
		y = &l->c->sources[k];
		if (!same_place(&x->addr, &y->addr) || x->group != y->group ||
		    strcmp(x->interface ? x->interface : "",
			   y->interface ? y->interface : ""))
			continue;
		problem_add(l->p, x->at,
			    "source \"%s\": %s is that of source \"%s\" "
			    "(%s:%d); name all zones in one of them",
			    x->name, x->place, y->name, y->at.file, y->at.line);
		return;
	}
}

void load_check_sources(struct load *l)
{
	for (size_t i = 0; i < l->c->n_sources; i++) {
		struct config_source *x = &l->c->sources[i];

		if (l->node[KIND_SOURCE][i]->damaged ||
		    !load_one_kind(l, KIND_SOURCE, i, x->kind))
			continue;
		set_format(l, i);
		check_polycom(l, i);
		check_recorded(l, i);
		/* Its place was refused. */
		if (!x->addr.ss_family)
			continue;
		if (x->kind != SOURCE_UNICAST && !x->interface &&
		    !load_given(l, KIND_SOURCE, i, "interface"))
			problem_add(l->p, x->at,
				    "source \"%s\": \"interface\" is missing: "
				    "name the network interface the group is "
				    "joined on, like interface = \"eth1\"",
				    x->name);
		check_loop(l, i);
		check_twice(l, i);
	}
}
