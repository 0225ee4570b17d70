#include "lex.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct config_where lex_at(const struct lex *x, int line)
{
	return (struct config_where){x->file, line};
}

void lex_blank(struct scan *s, size_t begin, size_t end)
{
	for (size_t i = begin; i < end; i++)
		if (s->text[i] != '\n')
			s->text[i] = ' ';
}

static char look(const struct lex *x, size_t ahead)
{
	return x->pos + ahead < x->s->len ? x->s->text[x->pos + ahead] : '\0';
}

static void skip_comment(struct lex *x, bool block)
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
			problem_add(x->p, lex_at(x, line),
				    "the comment that begins here is not "
				    "closed: \"*/\" is missing");
	}
	lex_blank(x->s, begin, x->pos);
}

static void skip_space(struct lex *x)
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
static void lex_string(struct lex *x)
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
	x->tok.type = wrong ? TOKEN_BAD : TOKEN_STRING;
	if (wrong && !x->quiet)
		problem_add(x->p, lex_at(x, x->tok.line), "%s", wrong);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("._-", c));
}

static void lex_other(struct lex *x)
{
	const unsigned char c = (unsigned char)look(x, 0);
	size_t n = 0;

	/* One report for a run of them: it is one mistake. */
	x->tok.type = TOKEN_BAD;
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
		problem_add(x->p, lex_at(x, x->tok.line),
			    "\"+=\" is not known: give the whole list after "
			    "\"=\"");
	else if (c < ' ' || c >= 127)
		problem_add(x->p, lex_at(x, x->tok.line),
			    "there is a byte 0x%02x here, which is no text "
			    "outside quotes",
			    c);
	else
		problem_add(x->p, lex_at(x, x->tok.line),
			    "\"%c\" is not expected here; texts other than "
			    "words and numbers stand in quotes",
			    c);
}

void lex_next(struct lex *x)
{
	skip_space(x);
	x->tok = (struct token){
		.type = TOKEN_END, .begin = x->pos, .line = x->line};
	if (x->pos >= x->s->len) {
		x->tok.end = x->pos;
		return;
	}
	switch (look(x, 0)) {
	case '{':
		x->tok.type = TOKEN_OPEN;
		x->pos++;
		break;
	case '}':
		x->tok.type = TOKEN_CLOSE;
		x->pos++;
		break;
	case '=':
		x->tok.type = TOKEN_EQUAL;
		x->pos++;
		break;
	case ',':
		x->tok.type = TOKEN_COMMA;
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
		x->tok.type = TOKEN_WORD;
		while (is_word(look(x, 0)))
			x->pos++;
		if (x->pos - x->tok.begin > SCAN_MAX_VALUE) {
			x->tok.type = TOKEN_BAD;
			problem_add(x->p, lex_at(x, x->tok.line),
				    "a word may have 1024 bytes");
		}
	}
	x->tok.end = x->pos;
}

char *lex_text(struct lex *x)
{
	const size_t q = x->tok.type == TOKEN_STRING;
	char *s = strndup(x->s->text + x->tok.begin + q,
			  x->tok.end - x->tok.begin - 2 * q);

	if (!s)
		x->p->nomem = true;
	return s;
}

void lex_recover(struct lex *x)
{
	const int line = x->tok.line;
	int depth = 0;

	x->quiet = true;
	while (x->tok.type != TOKEN_END) {
		if (!depth &&
		    (x->tok.type == TOKEN_CLOSE || x->tok.line > line))
			break;
		if (x->tok.type == TOKEN_OPEN)
			depth++;
		else if (x->tok.type == TOKEN_CLOSE)
			depth--;
		lex_next(x);
	}
	x->quiet = false;
	if (x->tok.type == TOKEN_BAD) {
		/* That is the next mistake: look again, aloud. */
		x->pos = x->tok.begin;
		x->line = x->tok.line;
		lex_next(x);
	}
}
