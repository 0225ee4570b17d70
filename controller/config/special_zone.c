/* Zones: interfaces, extensions, members. */
#include "load.h"
#include "values.h"

#include <ctype.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

static bool is_interface(const char *v)
{
	bool good = *v && strlen(v) < IF_NAMESIZE && strcmp(v, ".") &&
		    strcmp(v, "..");

	for (const char *p = v; *p; p++)
		good = good && isgraph((unsigned char)*p) && *p != '/' &&
		       *p != ':';
	return good;
}

void set_interface(struct load *l, void *obj, const struct config_value *val)
{
	const char *v = val->v[0];

	if (is_interface(v))
		load_text(l, (char **)((char *)obj + val->key->offset), v);
	else
		load_refuse(l, val, v);
}

/** Is it the address and port of one device? */
static bool is_device(const char *s, struct sockaddr_storage *ss)
{
	bool all = true;
	const uint8_t *a;
	size_t n;

	if (!value_endpoint(s, ss) || value_is_multicast(ss) ||
	    value_is_any(ss))
		return false;
	a = value_bytes(ss, &n);
	for (size_t i = 0; i < n; i++)
		all = all && a[i] == 0xff;
	return !all;
}

void set_fan(struct load *l, void *obj, const struct config_value *val)
{
	struct config_sound *s = obj;

	s->fan = load_calloc(l, val->n + 1, sizeof(*s->fan));
	for (size_t i = 0; s->fan && i < val->n; i++) {
		if (is_device(val->v[i], &s->fan[s->n_fan]))
			s->n_fan++;
		else
			load_refuse(l, val, val->v[i]);
	}
	s->out.fan = s->fan;
	s->out.n_fan = (unsigned)s->n_fan;
}

bool show_fan(const struct config *c, const void *obj, FILE *f)
{
	const struct config_sound *s = obj;

	(void)c;
	for (size_t i = 0; i < s->n_fan; i++) {
		char text[VALUE_ENDPOINT_SIZE];

		fprintf(f, "%s \"%s\"", i ? "," : "{",
			value_endpoint_text(text, &s->fan[i]));
	}
	if (s->n_fan)
		fputs(" }", f);
	return s->n_fan > 0;
}

void set_querier_ignore(struct load *l, void *obj,
			const struct config_value *val)
{
	struct config_proof *p = obj;

	p->querier_ignore = load_calloc(l, val->n, sizeof(char *));
	for (size_t i = 0; p->querier_ignore && i < val->n; i++) {
		if (!is_interface(val->v[i]))
			load_refuse(l, val, val->v[i]);
		else
			load_text(l, &p->querier_ignore[p->n_querier_ignore++],
				  val->v[i]);
	}
}

bool show_querier_ignore(const struct config *c, const void *obj, FILE *f)
{
	const struct config_proof *p = obj;

	(void)c;
	for (size_t i = 0; i < p->n_querier_ignore; i++) {
		fputs(i ? ", " : "{ ", f);
		schema_quote(f, p->querier_ignore[i]);
	}
	if (p->n_querier_ignore)
		fputs(" }", f);
	return p->n_querier_ignore > 0;
}

void set_serial(struct load *l, void *obj, const struct config_value *val)
{
	struct config_sound *s = obj;
	const char *v = val->v[0];
	uint32_t serial = 0;
	size_t n = strspn(v, "0123456789abcdefABCDEF");

	if (n != 8 || v[n])
		load_refuse(l, val, v);
	else
		serial = (uint32_t)strtoul(v, NULL, 16);
	if (n == 8 && !v[n] && !serial)
		load_refuse(l, val, v);
	s->out.polycom.serial = serial;
}

bool show_serial(const struct config *c, const void *obj, FILE *f)
{
	const struct config_sound *s = obj;

	(void)c;
	if (s->out.polycom.serial)
		fprintf(f, "\"%08x\"", s->out.polycom.serial);
	return s->out.polycom.serial;
}

bool show_group(const struct config *c, const void *obj, FILE *f)
{
	const struct config_sound *s = obj;

	(void)c;
	if (s->group)
		fprintf(f, "%u", s->group);
	return s->group;
}

bool show_channel(const struct config *c, const void *obj, FILE *f)
{
	const struct config_sound *s = obj;

	(void)c;
	if (s->channel)
		fprintf(f, "%u", s->channel);
	return s->channel;
}

void set_caller(struct load *l, void *obj, const struct config_value *val)
{
	struct config_sound *s = obj;
	const char *v = val->v[0];
	bool good = *v && strlen(v) < sizeof(s->out.polycom.caller);

	for (const char *p = v; *p; p++)
		good = good && *p >= ' ' && *p <= '~';
	if (good)
		load_text(l, &s->caller, v);
	else
		load_refuse(l, val, v);
}

void set_codecs(struct load *l, void *obj, const struct config_value *val)
{
	struct config_speaker *s = &((struct config_sound *)obj)->speaker;

	for (size_t i = 0; i < val->n; i++) {
		const int codec = codec_by_name(val->v[i]);
		bool twice = false;

		for (size_t k = 0; k < s->n_codecs; k++)
			twice = twice || s->codecs[k] == codec;
		if (codec < 0 || twice)
			load_refuse(l, val, val->v[i]);
		else
			s->codecs[s->n_codecs++] = (uint8_t)codec;
	}
}

bool show_codecs(const struct config *c, const void *obj, FILE *f)
{
	const struct config_speaker *s =
		&((const struct config_sound *)obj)->speaker;

	(void)c;
	for (size_t i = 0; i < s->n_codecs; i++)
		fprintf(f, "%s \"%s\"", i ? "," : "{",
			codec_name(s->codecs[i]));
	if (s->n_codecs)
		fputs(" }", f);
	return s->n_codecs > 0;
}

bool load_is_extension(const char *s)
{
	bool good = *s && strlen(s) < CONFIG_MAX_NAME;

	for (; *s; s++)
		good = good &&
		       (isalnum((unsigned char)*s) || strchr("._-+*#", *s));
	return good;
}

void set_extension(struct load *l, void *obj, const struct config_value *val)
{
	const char *v = val->v[0];

	if (load_is_extension(v))
		load_text(l, (char **)((char *)obj + val->key->offset), v);
	else
		load_refuse(l, val, v);
}

void set_zones(struct load *l, void *obj, const struct config_value *val)
{
	struct config_zone *z = obj;
	int *v = load_calloc(l, val->n, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; v && i < val->n; i++) {
		int x;

		if (!strcmp(val->v[i], "*")) {
			z->all = true;
			continue;
		}
		x = load_refer(l, KIND_ZONE, val->v[i], val);
		if (x >= 0)
			v[n++] = x;
		else
			l->zone_broken[z - l->c->zones] = true;
	}
	z->zones = v;
	z->n_zones = v ? n : 0;
}

bool show_zones(const struct config *c, const void *obj, FILE *f)
{
	const struct config_zone *z = obj;

	if (z->all) {
		fputs("{ \"*\" }", f);
		return true;
	}
	for (size_t i = 0; i < z->n_zones; i++)
		fprintf(f, "%s \"%s\"", i ? "," : "{",
			c->zones[z->zones[i]].name);
	if (z->n_zones)
		fputs(" }", f);
	return z->n_zones > 0;
}
