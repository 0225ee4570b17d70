/* Sources: where they listen and whom they hear. */
#include "load.h"
#include "values.h"

#include <arpa/inet.h>
#include <string.h>

static void set_place(struct load *l, struct config_source *s,
		      const struct config_value *val,
		      enum config_source_kind kind)
{
	const char *v = val->v[0];

	s->kind = kind;
	load_text(l, &s->place, v);
	if (!value_endpoint(v, &s->addr))
		load_refuse(l, val, v);
	else if (value_is_multicast(&s->addr) != (kind != SOURCE_UNICAST))
		problem_add(l->p, val->at,
			    kind == SOURCE_UNICAST
				    ? "%s: this is a multicast group; write "
				      "multicast instead of unicast"
				    : "%s: this is no multicast group "
				      "(224.0.0.0/4); for an address of this "
				      "machine write unicast",
			    val->where);
	else
		return;
	s->addr = (struct sockaddr_storage){0};
}

void set_source_multicast(struct load *l, void *obj,
			  const struct config_value *val)
{
	set_place(l, obj, val, SOURCE_MULTICAST);
}

void set_source_unicast(struct load *l, void *obj,
			const struct config_value *val)
{
	set_place(l, obj, val, SOURCE_UNICAST);
}

void set_source_polycom(struct load *l, void *obj,
			const struct config_value *val)
{
	set_place(l, obj, val, SOURCE_POLYCOM);
}

static bool show_place(const struct config_source *s,
		       enum config_source_kind kind, FILE *f)
{
	if (s->kind == kind)
		schema_quote(f, s->place);
	return s->kind == kind;
}

bool show_source_multicast(const struct config *c, const void *obj, FILE *f)
{
	(void)c;
	return show_place(obj, SOURCE_MULTICAST, f);
}

bool show_source_unicast(const struct config *c, const void *obj, FILE *f)
{
	(void)c;
	return show_place(obj, SOURCE_UNICAST, f);
}

bool show_source_polycom(const struct config *c, const void *obj, FILE *f)
{
	(void)c;
	return show_place(obj, SOURCE_POLYCOM, f);
}

void set_from(struct load *l, void *obj, const struct config_value *val)
{
	struct config_source *s = obj;

	s->from = load_calloc(l, val->n, sizeof(*s->from));
	for (size_t i = 0; s->from && i < val->n; i++) {
		struct media_net *net = &s->from[s->n_from];
		struct sockaddr_storage ss;
		unsigned prefix;
		const uint8_t *a;
		size_t n;

		if (!value_net(val->v[i], &ss, &prefix)) {
			load_refuse(l, val, val->v[i]);
			continue;
		}
		a = value_bytes(&ss, &n);
		memset(net, 0, sizeof(*net));
		if (n == 4)
			net->addr[10] = net->addr[11] = 0xff;
		memcpy(net->addr + 16 - n, a, n);
		net->prefix = (uint8_t)(prefix + (16 - n) * 8);
		s->n_from++;
	}
}

bool show_from(const struct config *c, const void *obj, FILE *f)
{
	const struct config_source *s = obj;
	char text[INET6_ADDRSTRLEN];

	(void)c;
	for (size_t i = 0; i < s->n_from; i++) {
		const struct media_net *net = &s->from[i];
		struct in6_addr a;
		bool v4;

		memcpy(&a, net->addr, sizeof(a));
		v4 = IN6_IS_ADDR_V4MAPPED(&a) && net->prefix >= 96;
		inet_ntop(v4 ? AF_INET : AF_INET6, net->addr + (v4 ? 12 : 0),
			  text, sizeof(text));
		fprintf(f, "%s \"%s/%u\"", i ? "," : "{", text,
			net->prefix - (v4 ? 96u : 0u));
	}
	if (s->n_from)
		fputs(" }", f);
	return s->n_from > 0;
}
