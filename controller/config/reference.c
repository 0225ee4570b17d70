/* The manual page tocsin.conf(5), from the table. */
#include "load.h"
#include "zones/sound/tone.h"

#include <string.h>

/** Text with what roff would take for itself escaped. */
static void put(FILE *f, const char *s)
{
	/* A control line begins with one of these. */
	if (*s == '.' || *s == '\'')
		fputs("\\&", f);
	for (; *s; s++) {
		switch (*s) {
		case '\\':
			fputs("\\e", f);
			break;
		case '-':
			fputs("\\-", f);
			break;
		case '"':
			fputs("\\(dq", f);
			break;
		case '\'':
			fputs("\\(aq", f);
			break;
		default:
			fputc(*s, f);
		}
	}
}

static void line(FILE *f, const char *s)
{
	put(f, s);
	fputc('\n', f);
}

/** Marks of everything that is no bare word in a configuration. */
static bool is_bare(const struct config_key *k)
{
	return k->type == TYPE_FLAG || k->type == TYPE_NUMBER ||
	       k->type == TYPE_REAL || k->type == TYPE_GAIN ||
	       (k->type == TYPE_SPECIAL && k->def && *k->def >= '0' &&
		*k->def <= '9' && !strchr(k->def, '-'));
}

static void key(FILE *f, const struct config_key *k)
{
	char allowed[512];

	fputs(".TP\n.B ", f);
	line(f, k->name);
	line(f, k->help);
	fputs(".br\nAllowed: ", f);
	put(f, schema_allowed(k, allowed, sizeof(allowed)));
	fputs(".\n.br\n", f);
	if (k->required) {
		fputs("Must be given.\n", f);
	} else if (k->def) {
		fputs("Default: ", f);
		if (!is_bare(k))
			fputs("\\(dq", f);
		put(f, k->def);
		if (!is_bare(k))
			fputs("\\(dq", f);
		fputs(".\n", f);
	} else {
		fputs("Default: ", f);
		put(f, k->defaults ? k->defaults : "none");
		fputs(".\n", f);
	}
}

static void section(FILE *f, const struct config_section *s, const char *parent)
{
	fprintf(f, ".%s \"%s%s%s", *parent ? "SS" : "SH", parent,
		*parent ? " / " : "", s->name);
	if (s->title) {
		fputs(" \\(dq", f);
		put(f, s->title);
		fputs("\\(dq", f);
	}
	fputs(" { ... }\"\n", f);
	line(f, s->help);
	if (s->place == PLACE_ARRAY)
		fprintf(f, "There may be %zu of them.\n", s->max);
	for (const struct config_key *k = s->keys; k->name; k++)
		key(f, k);
	for (const struct config_section *x = s->subs; x && x->name; x++)
		section(f, x, s->name);
}

static const char head[] =
	".TH TOCSIN.CONF 5 \"\" \"Tocsin\" \"File formats\"\n"
	".SH NAME\n"
	"tocsin.conf \\- configuration of the Tocsin paging controller\n"
	".SH SYNOPSIS\n"
	".I /etc/tocsin/tocsin.conf\n"
	".br\n"
	".I /etc/tocsin/conf.d/*.conf\n"
	".SH DESCRIPTION\n"
	"The main file is read first, then the files of\n"
	".I conf.d\n"
	"beside it in order of their names, as if they were one. Everything "
	"is\n"
	"checked before any of it is used;\n"
	".B tocsind \\-\\-check\n"
	"prints every error as file:line: what is wrong, and what is allowed.\n"
	".PP\n"
	"A statement is\n"
	".IR \"key = value\" ,\n"
	"or a section in braces, some with a name:\n"
	".PP\n"
	".nf\n"
	"zone \\(dqplatform\\-2\\(dq {\n"
	"    extension = \\(dq702\\(dq\n"
	"    multicast \\(dq239.192.7.2:5004\\(dq { codec = \\(dqpcma\\(dq"
	"  interface = \\(dqeth1\\(dq }\n"
	"}\n"
	".fi\n"
	".PP\n"
	"Texts stand in double or single quotes, on one line, with a "
	"backslash\n"
	"before a quote or a backslash in them; words and numbers need none.\n"
	"Lists stand in braces with commas; a list of one needs no braces.\n"
	"Comments begin with # or // or stand between /* and */. Variables of\n"
	"the environment are not replaced, and files are not included.\n"
	".PP\n"
	"Durations carry their unit: \\(dq250ms\\(dq, \\(dq5s\\(dq, "
	"\\(dq10m\\(dq, \\(dq2h\\(dq.\n"
	"Gains are decibels. Paths are relative to the file they stand in.\n"
	"Names are 1 to 63 of letters, digits, \\(dq.\\(dq, \\(dq_\\(dq and "
	"\\(dq\\-\\(dq; they may be\n"
	"used before they are defined. Priorities are names of classes or 0 "
	"to\n"
	"255, higher is more urgent; 200 and above is emergency: never "
	"refused,\n"
	"never made to wait, never ducked.\n"
	".SH \"KEYS OF THE TOP\"\n";

static void tail(FILE *f)
{
	fputs(".SH TONES\n", f);
	for (size_t i = 0; tone_name(i); i++) {
		fputs(".TP\n.B ", f);
		line(f, tone_name(i));
		line(f, tone_title(tone_name(i)));
	}
	fprintf(f,
		".SH LIMITS\n"
		"A file has at most %u bytes, a text %d, a list %d values "
		"unless its\n"
		"key says less; conf.d has at most %d files. There are at most "
		"%d outputs\n"
		"of sound in all. Of one run %d problems are shown.\n"
		".SH SEE ALSO\n"
		".BR tocsind (8),\n"
		".BR tocsinctl (1)\n",
		LOAD_MAX_FILE, SCAN_MAX_VALUE, LOAD_MAX_LIST, LOAD_MAX_DROPINS,
		MEDIA_MAX_OUTPUTS, PROBLEMS_MAX);
}

void config_reference(FILE *f)
{
	fputs(head, f);
	for (const struct config_key *k = config_schema.keys; k->name; k++)
		key(f, k);
	for (const struct config_section *s = config_schema.subs; s->name; s++)
		section(f, s, "");
	tail(f);
}
