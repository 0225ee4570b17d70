#include "lex.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct scanner {
	struct lex lex;
	scan_top_h *toph;
	bool closed_early; /**< a brace was forgotten: back to the top */
};

static void expected(struct scanner *x, const struct scan_node *n,
		     const char *what)
{
	/* A bad token has been reported by itself. */
	if (x->lex.tok.type != TOKEN_BAD)
		problem_add(x->lex.p, lex_at(&x->lex, x->lex.tok.line),
			    "\"%s\": %s", n->name, what);
}

static bool parse_list(struct scanner *x, const struct scan_node *n)
{
	bool want = true;

	lex_next(&x->lex);
	while (x->lex.tok.type != TOKEN_CLOSE) {
		if (want ? x->lex.tok.type != TOKEN_WORD &&
				    x->lex.tok.type != TOKEN_STRING
			 : x->lex.tok.type != TOKEN_COMMA) {
			expected(x, n,
				 want ? "a value is expected here in the list"
				      : "a comma, or \"}\" at the end of the "
					"list, is expected here");
			/* The rest of the list belongs to it. */
			while (x->lex.tok.type != TOKEN_CLOSE &&
			       x->lex.tok.type != TOKEN_END &&
			       x->lex.tok.type != TOKEN_OPEN &&
			       x->lex.tok.type != TOKEN_EQUAL)
				lex_next(&x->lex);
			if (x->lex.tok.type == TOKEN_CLOSE)
				lex_next(&x->lex);
			else
				lex_recover(&x->lex);
			return false;
		}
		want = !want;
		lex_next(&x->lex);
	}
	lex_next(&x->lex);
	return true;
}

static bool parse_value(struct scanner *x, struct scan_node *n)
{
	const int line = x->lex.tok.line;

	lex_next(&x->lex);
	if (x->lex.tok.type == TOKEN_OPEN) {
		n->list = true;
		return parse_list(x, n);
	}
	if (x->lex.tok.type == TOKEN_STRING ||
	    (x->lex.tok.type == TOKEN_WORD && x->lex.tok.line == line)) {
		lex_next(&x->lex);
		return true;
	}
	if (x->lex.tok.type != TOKEN_BAD)
		problem_add(x->lex.p, lex_at(&x->lex, line),
			    "\"%s\": a value is expected after \"=\"", n->name);
	/* What stands on a later line is the next statement. */
	if (x->lex.tok.line == line)
		lex_recover(&x->lex);
	return false;
}

/** Titles are names and addresses, so their text needs no escapes. */
static bool parse_title(struct scanner *x, struct scan_node *n)
{
	n->title = lex_text(&x->lex);
	if (!n->title)
		return false;
	for (const char *c = n->title; *c; c++)
		if (!isalnum((unsigned char)*c) &&
		    !strchr("._-:/[]%*+@;=", *c)) {
			problem_add(x->lex.p, lex_at(&x->lex, x->lex.tok.line),
				    "%s \"%.80s\": a name may not hold '%c'; "
				    "allowed are letters, digits, \".\", "
				    "\"_\" and \"-\"",
				    n->name, n->title, *c);
			return false;
		}
	return true;
}

static void parse_statements(struct scanner *x, struct scan_node *parent,
			     struct scan_node **tail, int depth);

static bool parse_section(struct scanner *x, struct scan_node *n, int depth)
{
	lex_next(&x->lex);
	if (depth == SCAN_MAX_DEPTH) {
		problem_add(x->lex.p, n->at,
			    "sections may be nested %d deep, this one is "
			    "deeper",
			    SCAN_MAX_DEPTH);
		for (int d = 1; d && x->lex.tok.type != TOKEN_END;
		     lex_next(&x->lex))
			d += (x->lex.tok.type == TOKEN_OPEN) -
			     (x->lex.tok.type == TOKEN_CLOSE);
		return false;
	}
	parse_statements(x, n, &n->child, depth + 1);
	if (x->closed_early)
		return true;
	if (x->lex.tok.type != TOKEN_CLOSE) {
		problem_add(x->lex.p, n->at,
			    "section %s%s%s%s is not closed: \"}\" is missing",
			    n->name, n->title ? " \"" : "",
			    n->title ? n->title : "", n->title ? "\"" : "");
		return true;
	}
	lex_next(&x->lex);
	return true;
}

static void free_nodes(struct scan_node *n)
{
	while (n) {
		struct scan_node *after = n->next;

		free_nodes(n->child);
		free(n->name);
		free(n->title);
		free(n);
		n = after;
	}
}

/** Is this, on a line of its own, the start of a section that only the top
 *  may hold? Then a brace was forgotten before it. */
static bool misplaced(const struct scanner *x, const struct scan_node *parent,
		      const struct scan_node *n)
{
	size_t i = n->begin;

	if (!parent || !x->toph(parent->name, n->name))
		return false;
	while (i &&
	       (x->lex.s->text[i - 1] == ' ' || x->lex.s->text[i - 1] == '\t'))
		i--;
	if (i && x->lex.s->text[i - 1] != '\n')
		return false;
	return x->lex.tok.type == TOKEN_OPEN || x->lex.tok.type == TOKEN_STRING;
}

/** One statement; NULL when it was malformed, which was reported. */
static struct scan_node *
parse_statement(struct scanner *x, const struct scan_node *parent, int depth)
{
	const struct token name = x->lex.tok;
	struct scan_node *n = calloc(1, sizeof(*n));
	const size_t back = x->lex.pos;
	bool titled = true, good;

	if (n)
		n->name = lex_text(&x->lex);
	if (!n || !n->name) {
		x->lex.p->nomem = true;
		free(n);
		x->lex.tok.type = TOKEN_END; /* cannot go on */
		return NULL;
	}
	n->at = lex_at(&x->lex, name.line);
	n->begin = name.begin;
	lex_next(&x->lex);
	if (misplaced(x, parent, n)) {
		problem_add(x->lex.p, n->at,
			    "section %s%s%s%s of line %d is not closed before "
			    "this %s: \"}\" is missing",
			    parent->name, parent->title ? " \"" : "",
			    parent->title ? parent->title : "",
			    parent->title ? "\"" : "", parent->at.line,
			    n->name);
		x->closed_early = true;
		x->lex.pos = back;
		x->lex.line = name.line;
		x->lex.tok = name;
		free_nodes(n);
		return NULL;
	}
	if (x->lex.tok.type == TOKEN_EQUAL) {
		good = parse_value(x, n);
	} else {
		n->section = true;
		if (x->lex.tok.type == TOKEN_STRING ||
		    x->lex.tok.type == TOKEN_WORD) {
			titled = parse_title(x, n);
			lex_next(&x->lex);
		}
		if (x->lex.tok.type == TOKEN_OPEN) {
			good = parse_section(x, n, depth) && titled;
		} else {
			if (!strcmp(n->name, "include"))
				problem_add(x->lex.p, n->at,
					    "files are not included; those "
					    "in conf.d beside the main file "
					    "are read");
			else
				expected(x, n,
					 "\"= value\" or \"{\" is expected "
					 "after it");
			lex_recover(&x->lex);
			good = false;
		}
	}
	/* The next token has been looked at already; up to there it is ours. */
	n->end = x->lex.tok.begin;
	if (good)
		return n;
	lex_blank(x->lex.s, n->begin, n->end);
	free_nodes(n);
	return NULL;
}

static void parse_statements(struct scanner *x, struct scan_node *parent,
			     struct scan_node **tail, int depth)
{
	while (x->lex.tok.type != TOKEN_END && !x->lex.p->nomem) {
		struct scan_node *n;

		if (x->lex.tok.type == TOKEN_CLOSE && parent)
			return;
		if (x->lex.tok.type != TOKEN_WORD) {
			const size_t begin = x->lex.tok.begin;

			if (x->lex.tok.type == TOKEN_CLOSE)
				problem_add(x->lex.p,
					    lex_at(&x->lex, x->lex.tok.line),
					    "this \"}\" closes nothing");
			else if (x->lex.tok.type != TOKEN_BAD)
				problem_add(x->lex.p,
					    lex_at(&x->lex, x->lex.tok.line),
					    "a key or a section is expected "
					    "here");
			lex_next(&x->lex);
			/* A stray brace ends nothing but itself. */
			if (x->lex.s->text[begin] != '}')
				lex_recover(&x->lex);
			lex_blank(x->lex.s, begin, x->lex.tok.begin);
			continue;
		}
		n = parse_statement(x, parent, depth);
		if (n) {
			*tail = n;
			tail = &n->next;
		} else if (parent && !x->closed_early) {
			parent->damaged = true;
		}
		if (x->closed_early) {
			if (parent)
				return;
			x->closed_early = false;
		}
	}
}

void scan_text(struct scan *s, const char *file, char *text, size_t len,
	       scan_top_h *toph, struct problems *p)
{
	struct scanner x = {.lex = {.s = s, .file = file, .p = p, .line = 1},
			    .toph = toph};

	*s = (struct scan){.text = text, .len = len};
	/* The mark some editors begin a UTF-8 file with. */
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		lex_blank(s, 0, 3);
	lex_next(&x.lex);
	parse_statements(&x, NULL, &s->first, 0);
}

void scan_blank(struct scan *s, struct scan_node *n)
{
	lex_blank(s, n->begin, n->end);
	n->dead = true;
}

const struct scan_node *scan_child(const struct scan_node *n, const char *name)
{
	for (const struct scan_node *c = n ? n->child : NULL; c; c = c->next)
		if (!c->dead && !strcmp(c->name, name))
			return c;
	return NULL;
}

void scan_reset(struct scan *s)
{
	free_nodes(s->first);
	free(s->text);
	*s = (struct scan){0};
}
