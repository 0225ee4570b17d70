/* Titles that are addresses, and the objects of nested sections. */
#include "load.h"
#include "values.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

void title_bus(struct load *l, void *obj, const struct config_value *title)
{
	struct config_bus *b = obj;
	struct mbus_address a;
	char text[MBUS_ADDRESS_SIZE];

	if (mbus_address_read(&a, title->v[0]))
		load_text(l, &b->name, mbus_address_text(text, &a));
	else
		problem_add(l->p, title->at,
			    "%s\"%.80s\" is no Modbus bus; write it like %s",
			    title->where, title->v[0], MBUS_ADDRESS_ALLOWED);
}

void title_code(struct load *l, void *obj, const struct config_value *title)
{
	struct config_code *c = obj;

	if (load_is_extension(title->v[0]))
		load_text(l, &c->name, title->v[0]);
	else
		problem_add(l->p, title->at,
			    "%s\"%.80s\" cannot be dialled; allowed: 1 to 63 "
			    "of letters, digits and ._-+*",
			    title->where, title->v[0]);
}

void title_peer(struct load *l, void *obj, const struct config_value *title)
{
	struct config_peer *p = obj;
	const char *s = title->v[0];
	uint8_t *a;
	size_t n;
	bool beyond = false;

	if (!value_net(s, &p->net, &p->prefix)) {
		problem_add(l->p, title->at,
			    "%s\"%.80s\" is no network; write it like "
			    "\"10.7.1.0/24\", \"10.7.1.9\" or \"fd00:7::/64\"",
			    title->where, s);
		return;
	}
	a = (uint8_t *)(uintptr_t)value_bytes(&p->net, &n);
	for (unsigned bit = p->prefix; bit < n * 8; bit++) {
		beyond |= a[bit / 8] >> (7 - bit % 8) & 1;
		a[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	}
	if (beyond) {
		char net[INET6_ADDRSTRLEN];

		inet_ntop(p->net.ss_family, a, net, sizeof(net));
		problem_add(l->p, title->at,
			    "%sthe address has bits beyond its prefix; did you "
			    "mean \"%s/%u\"?",
			    title->where, net, p->prefix);
	}
}

void *open_sound(struct load *l, void *parent, const struct scan_node *n)
{
	const struct config_zone *zone = parent;
	struct config *c = l->c;
	struct config_sound *s;

	if (c->n_sounds == l->max_sounds) {
		problem_add(l->p, n->at,
			    "more than %d outputs of sound: that is the most",
			    MEDIA_MAX_OUTPUTS);
		return NULL;
	}
	l->sound_node[c->n_sounds] = n;
	s = &c->sounds[c->n_sounds++];
	s->at = n->at;
	s->zone = (int)(zone - c->zones);
	s->name = load_strdup(l, n->title);
	return s;
}

/** Why a group is none for us, NULL when it is good. */
static const char *bad_group(const struct sockaddr_storage *ss)
{
	size_t n;
	const uint8_t *a = value_bytes(ss, &n);

	if (!value_is_multicast(ss))
		return "this is no multicast group (224.0.0.0/4); for one "
		       "device write unicast instead of multicast";
	if (n == 4) {
		if (a[0] == 224 && !a[1] && !a[2])
			return "224.0.0.0/24 is for routing protocols, and "
			       "switches flood it everywhere; use one of "
			       "239.0.0.0/8";
		if (a[0] == 232)
			return "232.0.0.0/8 is source-specific: receivers that "
			       "do not name the source hear nothing; use one "
			       "of 239.0.0.0/8";
		return NULL;
	}
	if (a[1] >> 4 == 3)
		return "ff30::/12 is source-specific: receivers that do not "
		       "name the source hear nothing; use one of ff15::/16";
	if ((a[1] & 15) < 3)
		return "this IPv6 scope does not leave the link; use one of "
		       "ff15::/16";
	return NULL;
}

void title_multicast(struct load *l, void *obj,
		     const struct config_value *title)
{
	struct config_sound *s = obj;
	const char *why;

	if (!value_endpoint(title->v[0], &s->out.dst)) {
		problem_add(l->p, title->at,
			    "%s\"%.80s\" is no group and port; write it like "
			    "\"239.192.7.1:5004\"",
			    title->where, title->v[0]);
		return;
	}
	why = bad_group(&s->out.dst);
	if (why) {
		problem_add(l->p, title->at, "%s%s", title->where, why);
		s->out.dst = (struct sockaddr_storage){0};
		return;
	}
	if (value_port(&s->out.dst) % 2)
		problem_add(l->p, title->at,
			    "%sport %u is odd: RTP has even ports (RFC 3550 "
			    "11), the odd one above is RTCP's; use %u",
			    title->where, value_port(&s->out.dst),
			    value_port(&s->out.dst) - 1);
}

void title_polycom(struct load *l, void *obj, const struct config_value *title)
{
	struct config_sound *s = obj;

	s->kind = SOUND_POLYCOM;
	if (!value_endpoint(title->v[0], &s->out.dst) ||
	    !value_is_multicast(&s->out.dst)) {
		problem_add(l->p, title->at,
			    "%s\"%.80s\" is no group and port; phones listen "
			    "to \"224.0.1.116:5001\" unless told otherwise",
			    title->where, title->v[0]);
		s->out.dst = (struct sockaddr_storage){0};
	}
}

void title_speaker(struct load *l, void *obj, const struct config_value *title)
{
	struct config_sound *s = obj;
	struct config_sip_uri uri;

	s->kind = SOUND_SPEAKER;
	if (load_find(l, KIND_ENDPOINT, title->v[0]) >= 0)
		return;
	if (!value_sip_uri(title->v[0], &uri))
		problem_add(l->p, title->at,
			    "%s\"%.80s\" cannot be called; write it "
			    "like " SPEAKER_ALLOWED,
			    title->where, title->v[0]);
}

void title_unicast(struct load *l, void *obj, const struct config_value *title)
{
	struct config_sound *s = obj;
	const uint8_t *a;
	bool all = true, none = true;
	size_t n;

	if (!value_endpoint(title->v[0], &s->out.dst)) {
		problem_add(l->p, title->at,
			    "%s\"%.80s\" is no address and port; write it like "
			    "\"10.7.3.20:5004\"",
			    title->where, title->v[0]);
		return;
	}
	a = value_bytes(&s->out.dst, &n);
	for (size_t i = 0; i < n; i++) {
		all = all && a[i] == 0xff;
		none = none && !a[i];
	}
	if (value_is_multicast(&s->out.dst)) {
		problem_add(l->p, title->at,
			    "%sthis is a multicast group; write multicast "
			    "instead of unicast",
			    title->where);
		s->out.dst = (struct sockaddr_storage){0};
	} else if (all || none) {
		problem_add(l->p, title->at,
			    "%sthis is not the address of one device",
			    title->where);
	}
}

static const void *nth_sound(const struct config *c, const void *zone, size_t i,
			     enum config_sound_kind kind, bool multicast)
{
	const struct config_zone *z = zone;

	for (size_t k = 0; k < z->n_own; k++) {
		const struct config_sound *s = &c->sounds[z->own[k]];

		if (s->kind == kind &&
		    value_is_multicast(&s->out.dst) == multicast && !i--)
			return s;
	}
	return NULL;
}

const void *nth_multicast(const struct config *c, const void *parent, size_t i)
{
	return nth_sound(c, parent, i, SOUND_RTP, true);
}

const void *nth_unicast(const struct config *c, const void *parent, size_t i)
{
	return nth_sound(c, parent, i, SOUND_RTP, false);
}

const void *nth_polycom(const struct config *c, const void *parent, size_t i)
{
	return nth_sound(c, parent, i, SOUND_POLYCOM, true);
}

const void *nth_speaker(const struct config *c, const void *parent, size_t i)
{
	return nth_sound(c, parent, i, SOUND_SPEAKER, false);
}
