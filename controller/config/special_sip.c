/* SIP: where it listens, its ports, tones, and who may call. */
#include "load.h"
#include "values.h"
#include "zones/sound/tone.h"

#include <stdlib.h>
#include <string.h>

static const char *const transports[] = {"udp", "tcp", "tls"};

/** "udp:10.7.0.2:5060" */
static bool read_listen(const char *s, struct config_listen *to)
{
	const char *colon = strchr(s, ':');
	struct sockaddr_storage ss;
	size_t n;

	if (!colon || !value_endpoint(colon + 1, &ss))
		return false;
	for (to->transport = TRANSPORT_UDP; to->transport <= TRANSPORT_TLS;
	     to->transport++)
		if (strlen(transports[to->transport]) == (size_t)(colon - s) &&
		    !strncmp(transports[to->transport], s, (size_t)(colon - s)))
			break;
	if (to->transport > TRANSPORT_TLS || value_is_multicast(&ss) ||
	    value_is_any(&ss))
		return false;
	n = (size_t)(strrchr(s, ':') - (colon + 1));
	if (colon[1] == '[') {
		colon++;
		n -= 2;
	}
	if (n >= sizeof(to->host))
		return false;
	memcpy(to->host, colon + 1, n);
	to->host[n] = '\0';
	to->port = value_port(&ss);
	return true;
}

void set_listen(struct load *l, void *obj, const struct config_value *val)
{
	struct config_sip *sip = obj;

	sip->listen = load_calloc(l, val->n, sizeof(*sip->listen));
	for (size_t i = 0; sip->listen && i < val->n; i++) {
		struct config_listen *to = &sip->listen[sip->n_listen];

		if (!read_listen(val->v[i], to)) {
			load_refuse(l, val, val->v[i]);
			continue;
		}
		for (size_t k = 0; k < sip->n_listen; k++)
			if (sip->listen[k].transport == to->transport &&
			    sip->listen[k].port == to->port &&
			    !strcmp(sip->listen[k].host, to->host))
				problem_add(l->p, val->at,
					    "%s: \"%s\" is listed twice",
					    val->where, val->v[i]);
		sip->n_listen++;
	}
}

bool show_listen(const struct config *c, const void *obj, FILE *f)
{
	const struct config_sip *sip = obj;

	(void)c;
	fputs("{", f);
	for (size_t i = 0; i < sip->n_listen; i++) {
		const struct config_listen *x = &sip->listen[i];
		const bool v6 = strchr(x->host, ':');

		fprintf(f, "%s \"%s:%s%s%s:%u\"", i ? "," : "",
			transports[x->transport], v6 ? "[" : "", x->host,
			v6 ? "]" : "", x->port);
	}
	fputs(" }", f);
	return true;
}

void set_rtp_ports(struct load *l, void *obj, const struct config_value *val)
{
	struct config_sip *sip = obj;
	uint16_t first, last;

	/* At least one even port with the odd one above it. */
	if (!value_port_range(val->v[0], &first, &last) || first < 1024 ||
	    (first + 1) / 2 * 2 + 1 > last) {
		load_refuse(l, val, val->v[0]);
		return;
	}
	sip->rtp_min = first;
	sip->rtp_max = last;
}

bool show_rtp_ports(const struct config *c, const void *obj, FILE *f)
{
	const struct config_sip *sip = obj;

	(void)c;
	fprintf(f, "\"%u-%u\"", sip->rtp_min, sip->rtp_max);
	return true;
}

static const char *nth_tone(size_t i, const void *arg)
{
	(void)arg;
	return tone_name(i);
}

void set_tone(struct load *l, void *obj, const struct config_value *val)
{
	char **field = (char **)((char *)obj + val->key->offset);
	const char *s = val->v[0], *near;

	if (val->given && (*s || val->key->min > 0) && !tone_title(s)) {
		near = value_nearest(s, nth_tone, NULL);
		problem_add(l->p, val->at,
			    "%s: there is no tone \"%.80s\"%s%s%s; "
			    "tocsin.conf(5) lists the tones",
			    val->where, s, near ? "; did you mean \"" : "",
			    near ? near : "", near ? "\"?" : "");
	}
	load_text(l, field, s);
}

/** Is it neither a message nor a tone? That is reported. */
static bool no_sound(struct load *l, const struct config_value *val)
{
	const char *s = val->v[0], *near;

	if (load_find(l, KIND_MESSAGE, s) >= 0 || tone_title(s))
		return false;
	near = value_nearest(s, nth_tone, NULL);
	problem_add(l->p, val->at,
		    "%s: there is no message or tone \"%.80s\"%s%s%s; "
		    "tocsin.conf(5) lists the tones",
		    val->where, s, near ? "; did you mean \"" : "",
		    near ? near : "", near ? "\"?" : "");
	return true;
}

/** A message or a tone. The length of a message is known when it is made
 *  (controller/library.c). */
static void chime(struct load *l, char **field, struct config_where *at,
		  const struct config_value *val)
{
	const char *s = val->v[0];

	*at = val->at;
	if (val->given && *s && !no_sound(l, val) &&
	    load_find(l, KIND_MESSAGE, s) < 0 &&
	    tone_cycle_ms(s) > CONFIG_CHIME_MAX_MS)
		problem_add(l->p, val->at,
			    "%s: tone \"%s\" is %u s long; a chime may "
			    "be %u s long, for the caller waits for it",
			    val->where, s, (tone_cycle_ms(s) + 999) / 1000,
			    CONFIG_CHIME_MAX_MS / 1000);
	load_text(l, field, s);
}

void set_heard(struct load *l, void *obj, const struct config_value *val)
{
	(void)no_sound(l, val);
	load_text(l, (char **)((char *)obj + val->key->offset), val->v[0]);
}

void set_chime(struct load *l, void *obj, const struct config_value *val)
{
	struct config_sip *sip = obj;

	chime(l, &sip->chime, &sip->chime_at, val);
}

void set_zone_chime(struct load *l, void *obj, const struct config_value *val)
{
	struct config_zone *z = obj;

	chime(l, &z->chime, &z->chime_at, val);
}

void set_allow(struct load *l, void *obj, const struct config_value *val)
{
	struct config_peer *p = obj;

	for (size_t i = 0; i < val->n; i++) {
		if (!strcmp(val->v[i], "page"))
			p->page = true;
		else if (!strcmp(val->v[i], "help"))
			p->help = true;
		else if (!strcmp(val->v[i], "alarm"))
			p->alarm = true;
		else
			load_refuse(l, val, val->v[i]);
	}
}

bool show_allow(const struct config *c, const void *obj, FILE *f)
{
	const struct config_peer *p = obj;
	const char *const may[] = {p->page ? "page" : NULL,
				   p->help ? "help" : NULL,
				   p->alarm ? "alarm" : NULL};
	const char *between = "{ ";

	(void)c;
	for (size_t i = 0; i < 3; i++)
		if (may[i]) {
			fprintf(f, "%s\"%s\"", between, may[i]);
			between = ", ";
		}
	fputs(*between == '{' ? "{ }" : " }", f);
	return true;
}
