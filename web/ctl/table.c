#include "ctl.h"

#include <string.h>

#define MAX_COLUMNS 12
#define MAX_CELL 200

/** A value as one cell: lists with commas, null as "-". */
static void cell(const json_t *v, char *buf, size_t size)
{
	char part[MAX_CELL];
	size_t i, used = 0;
	json_t *x;

	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_STRING:
		text_safe(buf, size,
			  *json_string_value(v) ? json_string_value(v) : "-",
			  false);
		break;
	case JSON_INTEGER:
		snprintf(buf, size, "%lld", (long long)json_integer_value(v));
		break;
	case JSON_REAL:
		snprintf(buf, size, "%g", json_real_value(v));
		break;
	case JSON_TRUE:
		snprintf(buf, size, "yes");
		break;
	case JSON_FALSE:
		snprintf(buf, size, "no");
		break;
	case JSON_ARRAY:
		snprintf(buf, size, "-");
		json_array_foreach(v, i, x)
		{
			cell(x, part, sizeof(part));
			if (used + strlen(part) + sizeof(",...") > size) {
				snprintf(buf + used, size - used, ",...");
				break;
			}
			used += (size_t)snprintf(buf + used, size - used,
						 "%s%s", i ? "," : "", part);
		}
		break;
	default:
		snprintf(buf, size, "-");
		break;
	}
}

static const json_t *member(const json_t *o, const char *path)
{
	char name[64];
	size_t n = strcspn(path, ".");

	snprintf(name, sizeof(name), "%.*s", (int)n, path);
	o = json_object_get(o, name);
	return path[n] ? member(o, path + n + 1) : o;
}

/** Colour of a row by what it says. */
static const char *row_colour(const json_t *o)
{
	const char *state = json_string_value(json_object_get(o, "state"));
	const char *quality = json_string_value(json_object_get(o, "quality"));

	if (json_object_get(o, "fault"))
		return "\033[31m";
	if (state && (!strcmp(state, "active") || !strcmp(state, "latched")))
		return "\033[1;31m";
	if (quality && strcmp(quality, "good"))
		return "\033[33m";
	return "";
}

/** A cell and the blanks up to the next column; none at a line's end. */
static void put(const char *text, int width, bool last)
{
	fputs(text, stdout);
	if (!last)
		printf("%*s", width - text_width(text) + 2, "");
}

void table_print(const json_t *rows, const struct column *columns)
{
	int w[MAX_COLUMNS] = {0}, n = 0;
	char text[MAX_CELL];
	bool colour = text_colours();
	json_t *row;
	size_t i;

	for (; n < MAX_COLUMNS && columns[n].head; n++)
		w[n] = text_width(columns[n].head);
	json_array_foreach(rows, i, row) for (int k = 0; k < n; k++)
	{
		cell(member(row, columns[k].member), text, sizeof(text));
		if (text_width(text) > w[k])
			w[k] = text_width(text);
	}
	fputs(colour ? "\033[1m" : "", stdout);
	for (int k = 0; k < n; k++)
		put(columns[k].head, w[k], k + 1 == n);
	puts(colour ? "\033[0m" : "");
	json_array_foreach(rows, i, row)
	{
		const char *on = colour ? row_colour(row) : "";

		fputs(on, stdout);
		for (int k = 0; k < n; k++) {
			cell(member(row, columns[k].member), text,
			     sizeof(text));
			put(text, w[k], k + 1 == n);
		}
		puts(*on ? "\033[0m" : "");
	}
}

void table_object(const json_t *o)
{
	const char *key;
	json_t *v;
	char name[64], text[MAX_CELL];

	json_object_foreach((json_t *)o, key, v)
	{
		if (json_is_object(v) || json_is_null(v) ||
		    json_is_object(json_array_get(v, 0)) ||
		    (json_is_array(v) && !json_array_size(v)))
			continue;
		text_safe(name, sizeof(name), key, false);
		cell(v, text, sizeof(text));
		put(name, 14, false);
		puts(text);
	}
}

static const char *string_of(const json_t *e, const char *name)
{
	const char *s = json_string_value(json_object_get(e, name));

	return s ? s : "";
}

void table_event(const json_t *e)
{
	const char *type = string_of(e, "type");
	const json_t *cause = json_object_get(e, "cause");
	bool red = text_colours() && (!strcmp(type, "alarm.active") ||
				      !strcmp(type, "fault.raised"));
	char time[24], name[32];

	/* To the millisecond. */
	snprintf(time, sizeof(time), "%.23s", string_of(e, "time"));
	fputs(red ? "\033[31m" : "", stdout);
	text_print(stdout, time, false);
	fputs("  ", stdout);
	text_safe(name, sizeof(name), type, false);
	put(name, 20, false);
	text_print(stdout, string_of(e, "text"), false);
	printf("  [%lld",
	       (long long)json_integer_value(json_object_get(e, "id")));
	if (cause)
		printf(" <- %lld", (long long)json_integer_value(cause));
	fputs(", ", stdout);
	text_print(stdout, string_of(e, "actor"), false);
	printf("]%s\n", red ? "\033[0m" : "");
}
