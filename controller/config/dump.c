/* What is in force, written as a configuration that loads to the same. */
#include "load.h"
#include "values.h"

#include <stdlib.h>
#include <string.h>

void schema_quote(FILE *f, const char *s)
{
	/* In double quotes ${...} would be taken for a variable. */
	const char quote = strstr(s, "${") ? '\'' : '"';

	fputc(quote, f);
	for (; *s; s++) {
		if (*s == quote || *s == '\\')
			fputc('\\', f);
		fputc(*s, f);
	}
	fputc(quote, f);
}

void schema_real(FILE *f, double v)
{
	char text[400];
	double back;

	for (int decimals = 0; decimals < 18; decimals++) {
		snprintf(text, sizeof(text), "%.*f", decimals, v);
		if (value_real(text, &back) && back == v)
			break;
	}
	fputs(text, f);
}

static uint64_t number(const char *field, size_t size)
{
	uint16_t w;
	uint32_t d;

	if (size == 1)
		return (uint8_t)*field;
	if (size == 2) {
		memcpy(&w, field, sizeof(w));
		return w;
	}
	memcpy(&d, field, sizeof(d));
	return d;
}

static const char *text_at(const char *field)
{
	const char *s;

	memcpy(&s, field, sizeof(s));
	return s;
}

static void show_level(const struct config *c, FILE *f, uint8_t level)
{
	const char *name = config_level_name(c, level);

	if (config_level(c, name) == level)
		fprintf(f, "\"%s\"", name);
	else
		fprintf(f, "%u", level);
}

/** Name of an object that a reference points to. */
static const char *name_of(const struct config *c, enum config_kind kind, int i)
{
	const struct config_section *s = schema_kind(kind);
	const char *obj = schema_object(c, s, (size_t)i);

	return text_at(obj + s->name_at);
}

static bool show_list(const struct config *c, const struct config_key *k,
		      const char *obj, FILE *f)
{
	const void *array = text_at(obj + k->offset);
	size_t n;

	memcpy(&n, obj + k->other, sizeof(n));
	if (!n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char hours[WINDOW_TEXT];

		fputs(i ? ", " : "{ ", f);
		schema_quote(
			f,
			k->type == TYPE_REFS
				? name_of(c, k->kind, ((const int *)array)[i])
			: k->type == TYPE_HOURS
				? window_text(hours,
					      (const struct window *)array + i)
				: ((char *const *)array)[i]);
	}
	fputs(" }", f);
	return true;
}

static bool show_text(const char *s, FILE *f)
{
	if (s)
		schema_quote(f, s);
	return s;
}

static bool show_real(const struct config_key *k, const char *obj, FILE *f)
{
	double v;

	if (k->other && !*(const bool *)(obj + k->other))
		return false;
	memcpy(&v, obj + k->offset, sizeof(v));
	schema_real(f, v);
	return true;
}

/** The value of one key; false when there is none to write. */
static bool show(const struct config *c, const struct config_key *k,
		 const char *obj, FILE *f)
{
	const char *field = obj + k->offset;
	char text[VALUE_DURATION_SIZE];
	int16_t cb;

	if (k->show)
		return k->show(c, obj, f);
	switch (k->type) {
	case TYPE_FLAG:
		fputs(*(const bool *)field ? "true" : "false", f);
		return true;
	case TYPE_NUMBER:
		if (k->other && !*(const bool *)(obj + k->other))
			return false;
		fprintf(f, "%u", (unsigned)number(field, k->size));
		return true;
	case TYPE_REAL:
		return show_real(k, obj, f);
	case TYPE_DURATION:
		value_duration_text(text,
				    number(field, k->size) *
					    (k->unit_ms ? k->unit_ms : 1));
		fprintf(f, "\"%s\"", text);
		return true;
	case TYPE_GAIN:
		memcpy(&cb, field, sizeof(cb));
		fprintf(f, "%s%d.%d", cb < 0 ? "-" : "", abs(cb) / 10,
			abs(cb) % 10);
		return true;
	case TYPE_LEVEL:
		show_level(c, f, *(const uint8_t *)field);
		return true;
	case TYPE_CHOICE:
		fprintf(f, "\"%s\"", k->choices[number(field, k->size)]);
		return true;
	case TYPE_REF:
		schema_quote(f, name_of(c, k->kind, *(const int *)field));
		return true;
	case TYPE_FILES:
	case TYPE_SPECIALS:
	case TYPE_REFS:
	case TYPE_HOURS:
		return show_list(c, k, obj, f);
	default:
		return show_text(text_at(field), f);
	}
}

static void dump_key(const struct config *c, const struct config_key *k,
		     const char *obj, const char *indent, FILE *f)
{
	char *text = NULL;
	size_t size = 0;
	FILE *value = open_memstream(&text, &size);
	bool there;

	if (!value)
		return;
	there = show(c, k, obj, value);
	fclose(value);
	if (there && text)
		fprintf(f, "%s%s = %s\n", indent, k->name, text);
	free(text);
}

static bool belongs(const struct config_section *s, const struct config_key *k,
		    const char *obj)
{
	return !k->variants || !s->variant_at ||
	       k->variants >> number(obj + s->variant_at, sizeof(int)) & 1;
}

static void dump_section(const struct config *c, const struct config_section *s,
			 const char *obj, const char *indent, FILE *f)
{
	char deeper[8];
	const char *sub;

	fprintf(f, "%s%s", indent, s->name);
	if (s->title)
		fprintf(f, " \"%s\"", text_at(obj + s->name_at));
	fputs(" {\n", f);
	snprintf(deeper, sizeof(deeper), "%s\t", indent);
	for (const struct config_key *k = s->keys; k->name; k++)
		if (belongs(s, k, obj))
			dump_key(c, k, obj, deeper, f);
	for (const struct config_section *x = s->subs; x && x->name; x++)
		for (size_t i = 0; (sub = x->nth(c, obj, i)); i++)
			dump_section(c, x, sub, deeper, f);
	fprintf(f, "%s}\n", indent);
}

void config_dump(const struct config *c, FILE *f)
{
	for (size_t i = 0; i < c->n_files; i++)
		fprintf(f, "# %s\n", c->files[i]);
	for (const struct config_key *k = config_schema.keys; k->name; k++)
		dump_key(c, k, (const char *)c, "", f);
	for (const struct config_section *s = config_schema.subs; s->name;
	     s++) {
		if (s->place == PLACE_ARRAY) {
			for (size_t i = 0; i < schema_count(c, s); i++)
				dump_section(c, s, schema_object(c, s, i), "",
					     f);
		} else if ((strcmp(s->name, "mqtt") || c->mqtt.present) &&
			   (strcmp(s->name, "plc") || c->plc.present)) {
			dump_section(c, s, (const char *)c + s->offset, "", f);
		}
	}
}
