/* Public alerts: values of their own kind. */
#include "load.h"
#include "values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void set_cap_folder(struct load *l, void *obj, const struct config_value *val)
{
	struct config_cap *c = obj;

	c->kind = CAP_FOLDER;
	free(c->folder);
	c->folder = load_path(l, val->v[0], val->at);
}

void set_cap_url(struct load *l, void *obj, const struct config_value *val)
{
	((struct config_cap *)obj)->kind = CAP_URL;
	set_url(l, obj, val);
}

void set_cap_level(struct load *l, void *obj, const struct config_value *val)
{
	int16_t level = CONFIG_CAP_OFF;

	if (strcmp(val->v[0], "off")) {
		level = (int16_t)config_level(l->c, val->v[0]);
		if (level < 0)
			load_refuse(l, val, val->v[0]);
	}
	memcpy((char *)obj + val->key->offset, &level, sizeof(level));
}

static bool show_level(const struct config *c, int16_t level, FILE *f)
{
	const char *name;

	if (level == CONFIG_CAP_OFF) {
		schema_quote(f, "off");
		return true;
	}
	name = config_level_name(c, (uint8_t)level);
	if (config_level(c, name) == level)
		schema_quote(f, name);
	else
		fprintf(f, "%d", level);
	return true;
}

#define SHOW(word, index)                                                      \
	bool show_##word(const struct config *c, const void *obj, FILE *f)     \
	{                                                                      \
		return show_level(                                             \
			c, ((const struct config_cap *)obj)->level[index], f); \
	}
SHOW(extreme, 0)
SHOW(severe, 1)
SHOW(moderate, 2)
SHOW(minor, 3)
SHOW(unknown, 4)

void set_location(struct load *l, void *obj, const struct config_value *val)
{
	struct config_cap_area *a = obj;
	const char *comma = strchr(val->v[0], ',');
	char first[32] = "";

	if (comma)
		snprintf(first, sizeof(first), "%.*s", (int)(comma - val->v[0]),
			 val->v[0]);
	a->has_location = comma && value_real(first, &a->latitude) &&
			  value_real(comma + 1, &a->longitude) &&
			  fabs(a->latitude) <= 90 && fabs(a->longitude) <= 180;
	if (!a->has_location)
		load_refuse(l, val, val->v[0]);
}

bool show_location(const struct config *c, const void *obj, FILE *f)
{
	const struct config_cap_area *a = obj;

	(void)c;
	if (!a->has_location)
		return false;
	fputc('"', f);
	schema_real(f, a->latitude);
	fputc(',', f);
	schema_real(f, a->longitude);
	fputc('"', f);
	return true;
}

void *open_cap_area(struct load *l, void *parent, const struct scan_node *n)
{
	struct config_cap *c = parent;
	struct config_cap_area *a;

	if (c->n_areas == CONFIG_MAX_CAP_AREAS) {
		problem_add(l->p, n->at,
			    "cap \"%s\" has more than %d area sections: that "
			    "is the most",
			    c->name, CONFIG_MAX_CAP_AREAS);
		return NULL;
	}
	if (!c->areas)
		c->areas = load_calloc(l, CONFIG_MAX_CAP_AREAS, sizeof(*a));
	if (!c->areas)
		return NULL;
	a = &c->areas[c->n_areas++];
	a->at = n->at;
	a->name = load_strdup(l, n->title);
	return a;
}

const void *nth_cap_area(const struct config *c, const void *parent, size_t i)
{
	const struct config_cap *x = parent;

	(void)c;
	return i < x->n_areas ? &x->areas[i] : NULL;
}
