#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define MAX_COLUMNS 12
#define MAX_CELL 200

/** Colours help eyes, not pipes (and https://no-color.org). */
static bool colours(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && *no);
}

static void clean(char *dst, size_t size, const char *src)
{
	size_t i = 0;

	for (; src[i] && i + 1 < size; i++)
		dst[i] = (unsigned char)src[i] < 0x20 || src[i] == 0x7f
				 ? '?'
				 : src[i];
	dst[i] = '\0';
}

void table_text(const char *s)
{
	for (; *s; s++)
		putchar((unsigned char)*s < 0x20 && *s != '\n' && *s != '\t'
				? '?'
				: *s);
}

/** Columns a text takes on the terminal. */
static int width(const char *s)
{
	wchar_t w[MAX_CELL + 1];
	size_t n = mbstowcs(w, s, MAX_CELL);
	int cells = n == (size_t)-1 ? -1 : wcswidth(w, n);

	return cells < 0 ? (int)strlen(s) : cells;
}

/** A value as one cell: lists with commas, null as "-". */
static void cell(const json_t *v, char *buf, size_t size)
{
	char part[MAX_CELL];
	size_t i, used = 0;
	json_t *x;

	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_STRING:
		clean(buf, size, json_string_value(v));
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
			if (used + strlen(part) + 3 > size)
				break;
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

void table_print(const json_t *rows, const struct column *columns)
{
	int w[MAX_COLUMNS] = {0}, n = 0;
	char text[MAX_CELL];
	bool colour = colours();
	json_t *row;
	size_t i;

	for (; n < MAX_COLUMNS && columns[n].head; n++)
		w[n] = width(columns[n].head);
	json_array_foreach(rows, i, row) for (int k = 0; k < n; k++)
	{
		cell(member(row, columns[k].member), text, sizeof(text));
		if (width(text) > w[k])
			w[k] = width(text);
	}
	if (colour)
		fputs("\033[1m", stdout);
	for (int k = 0; k < n; k++)
		printf("%s%*s", columns[k].head,
		       k + 1 < n ? w[k] - width(columns[k].head) + 2 : 0, "");
	puts(colour ? "\033[0m" : "");
	json_array_foreach(rows, i, row)
	{
		const char *on = colour ? row_colour(row) : "";

		fputs(on, stdout);
		for (int k = 0; k < n; k++) {
			cell(member(row, columns[k].member), text,
			     sizeof(text));
			printf("%s%*s", text,
			       k + 1 < n ? w[k] - width(text) + 2 : 0, "");
		}
		puts(*on ? "\033[0m" : "");
	}
}

void table_object(const json_t *o)
{
	const char *key;
	json_t *v;
	char text[MAX_CELL];

	json_object_foreach((json_t *)o, key, v)
	{
		if (json_is_object(v) || json_is_null(v))
			continue;
		cell(v, text, sizeof(text));
		printf("%-16s %s\n", key, text);
	}
}

void table_event(const json_t *e)
{
	const char *type = json_string_value(json_object_get(e, "type"));
	const char *time = json_string_value(json_object_get(e, "time"));
	const char *text = json_string_value(json_object_get(e, "text"));
	const char *actor = json_string_value(json_object_get(e, "actor"));
	bool red = colours() && type &&
		   (!strcmp(type, "alarm.active") ||
		    !strcmp(type, "fault.raised"));

	printf("%s%.23s  %-20s ", red ? "\033[31m" : "", time ? time : "",
	       type ? type : "");
	table_text(text ? text : "");
	printf("  [%lld",
	       (long long)json_integer_value(json_object_get(e, "id")));
	if (json_object_get(e, "cause"))
		printf(" <- %lld", (long long)json_integer_value(
					   json_object_get(e, "cause")));
	fputs(", ", stdout);
	table_text(actor ? actor : "");
	printf("]%s\n", red ? "\033[0m" : "");
}
