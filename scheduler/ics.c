#include "ics.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_LINES (ICS_MAX_COMPONENT / 8)

struct cut {
	const char *p, *end;
	int number; /**< of the line at p, from 1 */
	char *piece;
	size_t used;
	int line[MAX_LINES];
	int n_lines;
	char name[32]; /**< of the component that is open */
	int begin;     /**< its line */
	int depth;     /**< nesting within it */
	size_t count;
	bool in, any; /**< within a VCALENDAR; has there been one? */
	ics_piece_h *h;
	ics_problem_h *problem;
	void *arg;
};

static int bad(struct cut *c, int line, const char *text)
{
	c->problem(line, text, c->arg);
	return EBADMSG;
}

/** The next line, its continuations (RFC 5545 3.1) joined, into buf. */
static int next(struct cut *c, char *buf, size_t size, size_t *n, int *number)
{
	*n = 0;
	*number = c->number;
	do {
		const char *nl = memchr(c->p, '\n', (size_t)(c->end - c->p));
		const char *stop = nl ? nl : c->end;
		size_t len = (size_t)(stop - c->p);

		while (len && c->p[len - 1] == '\r')
			len--;
		if (*n + len + 1 > size)
			return bad(c, *number,
				   "this line is longer than 64 KB");
		if (memchr(c->p, '\0', len))
			return bad(c, c->number, "a NUL byte: this is no text");
		memcpy(buf + *n, c->p, len);
		*n += len;
		c->p = nl ? nl + 1 : c->end;
		c->number++;
		if (c->p == c->end || (*c->p != ' ' && *c->p != '\t'))
			break;
		c->p++;
	} while (c->p < c->end);
	buf[*n] = '\0';
	return 0;
}

/** The name behind "BEGIN:" or "END:", NULL when the line is none. */
static const char *mark(const char *line, const char *word)
{
	const size_t n = strlen(word);

	return strncasecmp(line, word, n) ? NULL : line + n;
}

static int keep(struct cut *c, const char *line, size_t n, int number)
{
	if (c->used + n + 2 > ICS_MAX_COMPONENT || c->n_lines == MAX_LINES)
		return bad(c, c->begin,
			   "this component is larger than 64 KB or 8192 "
			   "lines");
	memcpy(c->piece + c->used, line, n);
	c->used += n;
	c->piece[c->used++] = '\n';
	c->piece[c->used] = '\0';
	c->line[c->n_lines++] = number;
	return 0;
}

static int finish(struct cut *c)
{
	struct ics_piece p = {
		.text = c->piece, .line = c->line, .n_lines = c->n_lines};

	snprintf(p.name, sizeof(p.name), "%s", c->name);
	c->used = 0;
	c->n_lines = 0;
	*c->name = '\0';
	return c->h(&p, c->arg);
}

static int open_component(struct cut *c, const char *name, int number)
{
	if (++c->count > ICS_MAX_COMPONENTS)
		return bad(c, number, "more than 20000 components");
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->begin = number;
	c->depth = 0;
	return 0;
}

/** A line outside of any component. */
static int outside(struct cut *c, const char *line, int number)
{
	const char *begin = mark(line, "BEGIN:"), *end = mark(line, "END:");

	if (begin && !c->in) {
		if (strcasecmp(begin, "VCALENDAR"))
			return bad(c, number,
				   "BEGIN:VCALENDAR is expected here");
		c->in = c->any = true;
	} else if (begin) {
		return open_component(c, begin, number);
	} else if (end) {
		if (!c->in || strcasecmp(end, "VCALENDAR"))
			return bad(c, number, "END without its BEGIN");
		c->in = false;
	} else if (!c->in && *line) {
		return bad(c, number,
			   c->any ? "text behind END:VCALENDAR"
				  : "this is no ICS calendar: it does not "
				    "begin with BEGIN:VCALENDAR");
	}
	return 0;
}

static int take(struct cut *c, const char *line, size_t n, int number)
{
	const char *begin = mark(line, "BEGIN:"), *end = mark(line, "END:");
	int err;

	if (!*c->name) {
		err = outside(c, line, number);
		return err || !*c->name ? err : keep(c, line, n, number);
	}
	if (!n)
		return 0;
	err = keep(c, line, n, number);
	if (err)
		return err;
	if (begin) {
		if (!strcasecmp(begin, "VEVENT") ||
		    !strcasecmp(begin, "VCALENDAR"))
			return bad(c, c->begin,
				   "this component has no END before the next "
				   "one begins");
		c->depth++;
	} else if (end && c->depth) {
		c->depth--;
	} else if (end) {
		if (strcasecmp(end, c->name))
			return bad(c, number,
				   "END of another component than was begun");
		return finish(c);
	}
	return 0;
}

int ics_cut(const char *text, size_t size, ics_piece_h *h,
	    ics_problem_h *problem, void *arg)
{
	struct cut *c = calloc(1, sizeof(*c));
	char *buf = malloc(ICS_MAX_COMPONENT);
	int err = 0;

	if (c)
		c->piece = malloc(ICS_MAX_COMPONENT + 1);
	if (!c || !buf || !c->piece) {
		err = ENOMEM;
		goto out;
	}
	c->h = h;
	c->problem = problem;
	c->arg = arg;
	c->number = 1;
	c->p = text;
	c->end = text + size;
	if (size > ICS_MAX_TEXT)
		err = bad(c, 1, "the calendar is larger than 8 MB");
	/* A byte order mark, as Windows programs write it. */
	else if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		c->p += 3;
	while (!err && c->p < c->end) {
		size_t n;
		int number;

		err = next(c, buf, ICS_MAX_COMPONENT, &n, &number);
		if (!err)
			err = take(c, buf, n, number);
	}
	if (!err && *c->name)
		err = bad(c, c->begin,
			  "the text ends before this component does");
	else if (!err && c->in)
		err = bad(c, c->number,
			  "the text ends without END:VCALENDAR: it was cut");
	else if (!err && !c->any)
		err = bad(c, 1, "this is no ICS calendar: it is empty");
out:
	if (c)
		free(c->piece);
	free(c);
	free(buf);
	return err;
}

/** Number of the line that is the n-th property of a name, -1 = none. */
static int find(const struct ics_piece *p, const char *property, int n)
{
	const size_t len = strlen(property);
	const char *s = p->text;

	for (int i = 0; i < p->n_lines && s; i++) {
		if (!strncasecmp(s, property, len) &&
		    (s[len] == ':' || s[len] == ';') && !n--)
			return i;
		s = strchr(s, '\n');
		s = s ? s + 1 : NULL;
	}
	return -1;
}

int ics_line(const struct ics_piece *p, const char *property)
{
	const int i = find(p, property, 0);

	return i >= 0 ? p->line[i] : p->n_lines ? p->line[0] : 1;
}

int ics_count(const struct ics_piece *p, const char *property)
{
	int n = 0;

	while (find(p, property, n) >= 0)
		n++;
	return n;
}
