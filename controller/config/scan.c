#include "scan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum token_type {
	END,
	WORD,   /**< bare: true, -3.0, 20 */
	STRING, /**< quoted */
	OPEN,
	CLOSE,
	EQUAL,
	COMMA,
	BAD, /**< reported already */
};

struct token {
	enum token_type type;
	size_t begin, end;
	int line;
};

struct scanner {
	struct scan *s;
	const char *file;
	scan_top_h *toph;
	struct problems *p;
	size_t pos;
	int line;
	struct token tok;  /**< the one looked at */
	bool closed_early; /**< a brace was forgotten: back to the top */
	bool quiet;        /**< after a mistake: its rest is not told */
};

static struct config_where at(const struct scanner *x, int line)
{
	return (struct config_where){x->file, line};
}

static void blank(struct scan *s, size_t begin, size_t end)
{
	for (size_t i = begin; i < end; i++)
		if (s->text[i] != '\n')
			s->text[i] = ' ';
}

static char look(const struct scanner *x, size_t ahead)
{
	return x->pos + ahead < x->s->len ? x->s->text[x->pos + ahead] : '\0';
}

static void skip_comment(struct scanner *x, bool block)
{
	const size_t begin = x->pos;
	const int line = x->line;

	if (!block) {
		while (x->pos < x->s->len && look(x, 0) != '\n')
			x->pos++;
	} else {
		x->pos += 2;
		while (x->pos < x->s->len &&
		       !(look(x, 0) == '*' && look(x, 1) == '/'))
			if (x->s->text[x->pos++] == '\n')
				x->line++;
		if (x->pos < x->s->len)
			x->pos += 2;
		else
			problem_add(x->p, at(x, line),
				    "the comment that begins here is not "
				    "closed: \"*/\" is missing");
	}
	blank(x->s, begin, x->pos);
}

static void skip_space(struct scanner *x)
{
	for (;;) {
		const char c = look(x, 0);

		if (x->pos >= x->s->len) {
			return;
		} else if (c == '\n') {
			x->line++;
			x->pos++;
		} else if (c == ' ' || c == '\t' || c == '\r') {
			x->pos++;
		} else if (c == '#' || (c == '/' && look(x, 1) == '/')) {
			skip_comment(x, false);
		} else if (c == '/' && look(x, 1) == '*') {
			skip_comment(x, true);
		} else {
			return;
		}
	}
}

/** Checks the inside of a quoted string; pos stands on the opening quote. */
static void lex_string(struct scanner *x)
{
	const char quote = look(x, 0);
	const char *wrong = NULL;

	x->pos++;
	for (;;) {
		const char c = look(x, 0);

		if (x->pos >= x->s->len || c == '\n') {
			wrong = "the text that begins here is not closed on "
				"this line: the closing quote is missing";
			break;
		}
		x->pos++;
		if (c == quote)
			break;
		if (c == '\\') {
			const char e = look(x, 0);

			if (e != '\\' && e != quote)
				wrong = "a backslash may stand only before a "
					"quote or another backslash";
			else
				x->pos++;
		} else if ((unsigned char)c < ' ' || c == 127) {
			wrong = "there is a control character in a text";
		} else if (c == '$' && look(x, 0) == '{' && quote == '"') {
			wrong = "\"${...}\" is not replaced here; put a text "
				"that holds it in single quotes";
		}
	}
	if (!wrong && x->pos - x->tok.begin > SCAN_MAX_VALUE + 2)
		wrong = "a text may have 1024 bytes";
	x->tok.type = wrong ? BAD : STRING;
	if (wrong && !x->quiet)
		problem_add(x->p, at(x, x->tok.line), "%s", wrong);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("._-", c));
}

static void lex_other(struct scanner *x)
{
	const unsigned char c = (unsigned char)look(x, 0);
	size_t n = 0;

	/* One report for a run of them: it is one mistake. */
	x->tok.type = BAD;
	while (x->pos < x->s->len && !isspace((unsigned char)look(x, 0)) &&
	       !strchr("{}=,\"'", look(x, 0) ? look(x, 0) : 1)) {
		x->pos++;
		n++;
	}
	if (!n)
		x->pos++;
	if (x->quiet)
		return;
	if (c == '+' && look(x, 0) == '=')
		problem_add(x->p, at(x, x->tok.line),
			    "\"+=\" is not known: give the whole list after "
			    "\"=\"");
	else if (c < ' ' || c >= 127)
		problem_add(x->p, at(x, x->tok.line),
			    "there is a byte 0x%02x here, which is no text "
			    "outside quotes",
			    c);
	else
		problem_add(x->p, at(x, x->tok.line),
			    "\"%c\" is not expected here; texts other than "
			    "words and numbers stand in quotes",
			    c);
}

static void next(struct scanner *x)
{
	skip_space(x);
	x->tok = (struct token){.type = END, .begin = x->pos, .line = x->line};
	if (x->pos >= x->s->len) {
		x->tok.end = x->pos;
		return;
	}
	switch (look(x, 0)) {
	case '{':
		x->tok.type = OPEN;
		x->pos++;
		break;
	case '}':
		x->tok.type = CLOSE;
		x->pos++;
		break;
	case '=':
		x->tok.type = EQUAL;
		x->pos++;
		break;
	case ',':
		x->tok.type = COMMA;
		x->pos++;
		break;
	case '"':
	case '\'':
		lex_string(x);
		break;
	default:
		if (!is_word(look(x, 0))) {
			lex_other(x);
			break;
		}
		x->tok.type = WORD;
		while (is_word(look(x, 0)))
			x->pos++;
		if (x->pos - x->tok.begin > SCAN_MAX_VALUE) {
			x->tok.type = BAD;
			problem_add(x->p, at(x, x->tok.line),
				    "a word may have 1024 bytes");
		}
	}
	x->tok.end = x->pos;
}

/** Texts without their quotes. Titles hold no escapes: see parse_title(). */
static char *token_text(struct scanner *x)
{
	const size_t q = x->tok.type == STRING;
	char *s = strndup(x->s->text + x->tok.begin + q,
			  x->tok.end - x->tok.begin - 2 * q);

	if (!s)
		x->p->nomem = true;
	return s;
}

/** After a mistake: to the end of its line, or of the braces opened there. */
static void recover(struct scanner *x)
{
	const int line = x->tok.line;
	int depth = 0;

	x->quiet = true;
	while (x->tok.type != END) {
		if (!depth && (x->tok.type == CLOSE || x->tok.line > line))
			break;
		if (x->tok.type == OPEN)
			depth++;
		else if (x->tok.type == CLOSE)
			depth--;
		next(x);
	}
	x->quiet = false;
	if (x->tok.type == BAD) {
		/* That is the next mistake: look again, aloud. */
		x->pos = x->tok.begin;
		x->line = x->tok.line;
		next(x);
	}
}

static void expected(struct scanner *x, const struct scan_node *n,
		     const char *what)
{
	/* A bad token has been reported by itself. */
	if (x->tok.type != BAD)
		problem_add(x->p, at(x, x->tok.line), "\"%s\": %s", n->name,
			    what);
}

static bool parse_list(struct scanner *x, const struct scan_node *n)
{
	bool want = true;

	next(x);
	while (x->tok.type != CLOSE) {
		if (want ? x->tok.type != WORD && x->tok.type != STRING
			 : x->tok.type != COMMA) {
			expected(x, n,
				 want ? "a value is expected here in the list"
				      : "a comma, or \"}\" at the end of the "
					"list, is expected here");
			/* The rest of the list belongs to it. */
			while (x->tok.type != CLOSE && x->tok.type != END &&
			       x->tok.type != OPEN && x->tok.type != EQUAL)
				next(x);
			if (x->tok.type == CLOSE)
				next(x);
			else
				recover(x);
			return false;
		}
		want = !want;
		next(x);
	}
	next(x);
	return true;
}

static bool parse_value(struct scanner *x, struct scan_node *n)
{
	const int line = x->tok.line;

	next(x);
	if (x->tok.type == OPEN) {
		n->list = true;
		return parse_list(x, n);
	}
	if (x->tok.type == STRING ||
	    (x->tok.type == WORD && x->tok.line == line)) {
		next(x);
		return true;
	}
	if (x->tok.type != BAD)
		problem_add(x->p, at(x, line),
			    "\"%s\": a value is expected after \"=\"", n->name);
	/* What stands on a later line is the next statement. */
	if (x->tok.line == line)
		recover(x);
	return false;
}

/** Titles are names and addresses, so their text needs no escapes. */
static bool parse_title(struct scanner *x, struct scan_node *n)
{
	n->title = token_text(x);
	if (!n->title)
		return false;
	for (const char *c = n->title; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-:/[]%*+@", *c)) {
			problem_add(x->p, at(x, x->tok.line),
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
	next(x);
	if (depth == SCAN_MAX_DEPTH) {
		problem_add(x->p, n->at,
			    "sections may be nested %d deep, this one is "
			    "deeper",
			    SCAN_MAX_DEPTH);
		for (int d = 1; d && x->tok.type != END; next(x))
			d += (x->tok.type == OPEN) - (x->tok.type == CLOSE);
		return false;
	}
	parse_statements(x, n, &n->child, depth + 1);
	if (x->closed_early)
		return true;
	if (x->tok.type != CLOSE) {
		problem_add(x->p, n->at,
			    "section %s%s%s%s is not closed: \"}\" is missing",
			    n->name, n->title ? " \"" : "",
			    n->title ? n->title : "", n->title ? "\"" : "");
		return true;
	}
	next(x);
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
	while (i && (x->s->text[i - 1] == ' ' || x->s->text[i - 1] == '\t'))
		i--;
	if (i && x->s->text[i - 1] != '\n')
		return false;
	return x->tok.type == OPEN || x->tok.type == STRING;
}

/** One statement; NULL when it was malformed, which was reported. */
static struct scan_node *
parse_statement(struct scanner *x, const struct scan_node *parent, int depth)
{
	const struct token name = x->tok;
	struct scan_node *n = calloc(1, sizeof(*n));
	const size_t back = x->pos;
	bool titled = true, good;

	if (n)
		n->name = token_text(x);
	if (!n || !n->name) {
		x->p->nomem = true;
		free(n);
		x->tok.type = END; /* cannot go on */
		return NULL;
	}
	n->at = at(x, name.line);
	n->begin = name.begin;
	next(x);
	if (misplaced(x, parent, n)) {
		problem_add(x->p, n->at,
			    "section %s%s%s%s of line %d is not closed before "
			    "this %s: \"}\" is missing",
			    parent->name, parent->title ? " \"" : "",
			    parent->title ? parent->title : "",
			    parent->title ? "\"" : "", parent->at.line,
			    n->name);
		x->closed_early = true;
		x->pos = back;
		x->line = name.line;
		x->tok = name;
		free_nodes(n);
		return NULL;
	}
	if (x->tok.type == EQUAL) {
		good = parse_value(x, n);
	} else {
		n->section = true;
		if (x->tok.type == STRING || x->tok.type == WORD) {
			titled = parse_title(x, n);
			next(x);
		}
		if (x->tok.type == OPEN) {
			good = parse_section(x, n, depth) && titled;
		} else {
			if (!strcmp(n->name, "include"))
				problem_add(x->p, n->at,
					    "files are not included; those "
					    "in conf.d beside the main file "
					    "are read");
			else
				expected(x, n,
					 "\"= value\" or \"{\" is expected "
					 "after it");
			recover(x);
			good = false;
		}
	}
	/* The next token has been looked at already; up to there it is ours. */
	n->end = x->tok.begin;
	if (good)
		return n;
	blank(x->s, n->begin, n->end);
	free_nodes(n);
	return NULL;
}

static void parse_statements(struct scanner *x, struct scan_node *parent,
			     struct scan_node **tail, int depth)
{
	while (x->tok.type != END && !x->p->nomem) {
		struct scan_node *n;

		if (x->tok.type == CLOSE && parent)
			return;
		if (x->tok.type != WORD) {
			const size_t begin = x->tok.begin;

			if (x->tok.type == CLOSE)
				problem_add(x->p, at(x, x->tok.line),
					    "this \"}\" closes nothing");
			else if (x->tok.type != BAD)
				problem_add(x->p, at(x, x->tok.line),
					    "a key or a section is expected "
					    "here");
			next(x);
			/* A stray brace ends nothing but itself. */
			if (x->s->text[begin] != '}')
				recover(x);
			blank(x->s, begin, x->tok.begin);
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
	struct scanner x = {.s = s, .file = file, .toph = toph, .p = p};

	*s = (struct scan){.text = text, .len = len};
	x.line = 1;
	/* The mark some editors begin a UTF-8 file with. */
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		blank(s, 0, 3);
	next(&x);
	parse_statements(&x, NULL, &s->first, 0);
}

void scan_blank(struct scan *s, struct scan_node *n)
{
	blank(s, n->begin, n->end);
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
