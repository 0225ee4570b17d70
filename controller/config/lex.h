/**
 * The words of a configuration text: what libconfuse would see, but with
 * strict rules where it is generous, and with places. scan.c alone uses it.
 */
#ifndef TOCSIN_CONFIG_LEX_H
#define TOCSIN_CONFIG_LEX_H

#include "controller/config/scan.h"

enum token_type {
	TOKEN_END,
	TOKEN_WORD,   /**< bare: true, -3.0, 20 */
	TOKEN_STRING, /**< quoted */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_EQUAL,
	TOKEN_COMMA,
	TOKEN_BAD, /**< reported already */
};

struct token {
	enum token_type type;
	size_t begin, end; /**< in the text; pos stands on end */
	int line;
};

struct lex {
	struct scan *s;
	const char *file;
	struct problems *p;
	size_t pos;
	int line;
	struct token tok; /**< the one looked at */
	bool quiet;       /**< after a mistake: its rest is not told */
};

/** A place in this file. */
struct config_where lex_at(const struct lex *x, int line);

/** Goes to the next token; comments on the way are blanked. */
void lex_next(struct lex *x);

/** A copy of the token without its quotes, NULL on ENOMEM. Escapes stay. */
char *lex_text(struct lex *x);

/** After a mistake: to the end of its line, or of the braces opened there. */
void lex_recover(struct lex *x);

/** Overwrites with spaces; lines stay. */
void lex_blank(struct scan *s, size_t begin, size_t end);

#endif
