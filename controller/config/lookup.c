/* Rows of the table by name, and what they say about themselves. */
#include "load.h"
#include "values.h"

#include <stdio.h>
#include <string.h>

const struct config_key *schema_key(const struct config_section *s,
				    const char *name)
{
	for (const struct config_key *k = s->keys; k && k->name; k++)
		if (!strcmp(k->name, name))
			return k;
	return NULL;
}

const struct config_section *schema_section(const struct config_section *s,
					    const char *name)
{
	for (const struct config_section *x = s->subs; x && x->name; x++)
		if (!strcmp(x->name, name))
			return x;
	return NULL;
}

const struct config_section *schema_kind(enum config_kind kind)
{
	const struct config_section *s = config_schema.subs;

	while (s->name && s->kind != kind)
		s++;
	return s->name ? s : NULL;
}

bool schema_is_list(const struct config_key *k)
{
	return k->type == TYPE_FILES || k->type == TYPE_REFS ||
	       k->type == TYPE_SPECIALS || k->type == TYPE_HOURS;
}

void *schema_object(const struct config *c, const struct config_section *s,
		    size_t index)
{
	char *array;

	memcpy(&array, (const char *)c + s->offset, sizeof(array));
	return array + index * s->size;
}

size_t schema_count(const struct config *c, const struct config_section *s)
{
	size_t n;

	memcpy(&n, (const char *)c + s->count, sizeof(n));
	return n;
}

static void choices(const struct config_key *k, char *buf, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; k->choices[i] && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s\"%s\"",
					 !i                  ? ""
					 : k->choices[i + 1] ? ", "
							     : " or ",
					 k->choices[i]);
}

char *schema_allowed(const struct config_key *k, char *buf, size_t size)
{
	char a[VALUE_DURATION_SIZE], b[VALUE_DURATION_SIZE];
	const char *unit = k->unit ? k->unit : "", *space = k->unit ? " " : "";

	buf[0] = '\0';
	if (k->choices) {
		choices(k, buf, size);
		return buf;
	}
	if (k->allowed) {
		snprintf(buf, size, "%s", k->allowed);
		return buf;
	}
	switch (k->type) {
	case TYPE_TEXT:
		if (k->min > 0)
			snprintf(buf, size, "a text of %.0f to %.0f bytes",
				 k->min, k->max);
		else
			snprintf(buf, size, "a text of at most %.0f bytes",
				 k->max);
		break;
	case TYPE_NAME:
		snprintf(buf, size,
			 "1 to 63 of letters, digits, \".\", \"_\" and \"-\"");
		break;
	case TYPE_FLAG:
		snprintf(buf, size, "true or false");
		break;
	case TYPE_NUMBER:
		snprintf(buf, size, "a whole number from %.0f to %.0f%s%s",
			 k->min, k->max, space, unit);
		break;
	case TYPE_REAL:
		snprintf(buf, size, "a number, like 40 or -0.5");
		break;
	case TYPE_DURATION:
		value_duration_text(a, (uint64_t)k->min);
		value_duration_text(b, (uint64_t)k->max);
		snprintf(buf, size,
			 "a duration from %s to %s, with its unit (ms, s, m, "
			 "h), like \"%s\"",
			 a, b, k->def ? k->def : "5s");
		break;
	case TYPE_GAIN:
		snprintf(buf, size,
			 "decibels from %.1f to %.1f, with at most one decimal "
			 "and no unit",
			 k->min, k->max);
		break;
	case TYPE_LEVEL:
		snprintf(buf, size,
			 "evacuate, alert, emergency, urgent, page, bell, "
			 "music, or 0 to 255");
		break;
	case TYPE_PATH:
		snprintf(buf, size, "a path%s%s",
			 k->max ? " of at most 107 bytes" : "",
			 k->min ? "" : ", or \"\" for none");
		break;
	case TYPE_FILE:
		snprintf(buf, size, "the path of a readable file");
		break;
	case TYPE_HOURS:
		snprintf(buf, size, "%s", WINDOW_ALLOWED);
		break;
	case TYPE_REF:
		snprintf(buf, size, "the name of %s",
			 schema_kind_name(k->kind));
		break;
	case TYPE_REFS:
		snprintf(buf, size, "a list of names of %ss%s",
			 schema_kind(k->kind)->name,
			 k->star ? ", or \"*\" for all" : "");
		break;
	default:
		break;
	}
	return buf;
}

const char *schema_kind_name(enum config_kind kind)
{
	static const char *const names[] = {
		[KIND_PEER] = "a peer",
		[KIND_ZONE] = "a zone",
		[KIND_SOURCE] = "a source",
		[KIND_MESSAGE] = "a message",
		[KIND_INPUT] = "an input",
		[KIND_OUTPUT] = "an output",
		[KIND_ALARM] = "an alarm",
		[KIND_USER] = "a user",
		[KIND_TOKEN] = "a token",
		[KIND_WEBHOOK] = "a webhook",
		[KIND_NOTIFY] = "a notify",
		[KIND_MODE] = "a mode",
		[KIND_BUS] = "a bus",
		[KIND_CALENDAR] = "a calendar",
		[KIND_SCHEDULE] = "a schedule",
		[KIND_MUSIC] = "a music",
		[KIND_OPERATORS] = "operators",
		[KIND_CAP] = "a cap section",
		[KIND_ENDPOINT] = "an endpoint",
		[KIND_CODE] = "a code",
		[KIND_ACCOUNT] = "an account",
		[KIND_HELPPOINT] = "a helppoint",
	};

	return names[kind];
}
