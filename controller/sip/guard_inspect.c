/*
 * Is this SIP, and are its mandatory headers there? One pass over the bytes.
 *
 * libre's decoder searches with an unanchored backtracking pattern: 8 KiB of
 * "a a a" cost it half a second (LIBRE.md B2), and it takes requests without
 * Via, From, To, Call-ID or CSeq (B8). What passes here is cheap for it.
 */
#include "guard.h"

#include <string.h>
#include <strings.h>

/* Longer than the longest of RFC 4475. */
#define MAX_METHOD 64
#define MAX_NAME 128

static const char sip_version[] = "SIP/2.0";
const char guard_other_version[] = "Version Not Supported";

struct span {
	const uint8_t *p;
	size_t len;
};

/* RFC 3261 25.1 token */
static bool is_token(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("-.!%*_+`'~", c));
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool equal(struct span s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.p, text, s.len);
}

static bool equal_nocase(struct span s, const char *text)
{
	return s.len == strlen(text) &&
	       !strncasecmp((const char *)s.p, text, s.len);
}

/* Cuts the text before `end`, which must be there; false otherwise. */
static bool cut(struct span *rest, uint8_t end, struct span *word)
{
	const uint8_t *e = memchr(rest->p, end, rest->len);

	if (!e)
		return false;
	word->p = rest->p;
	word->len = (size_t)(e - rest->p);
	rest->p = e + 1;
	rest->len -= word->len + 1;
	return true;
}

/* Could these first bytes, without a line end yet, become a start line? */
static bool may_begin(struct span s)
{
	size_t i;

	for (i = 0; i < s.len && i <= MAX_METHOD; i++) {
		if (s.p[i] == ' ')
			return i > 0;
		if (!is_token(s.p[i]) && s.p[i] != '/')
			return false;
	}
	return i <= MAX_METHOD;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* "SIP/2.0 200 Text", less its first word */
static bool status_line(struct span rest)
{
	struct span code;

	return cut(&rest, ' ', &code) && code.len == 3 && code.p[0] >= '1' &&
	       code.p[0] <= '6' && is_digit(code.p[1]) && is_digit(code.p[2]);
}

bool guard_uri_legal(const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] <= ' ' || p[i] > '~' || strchr("<>\"{}|\\^", p[i]))
			return false;
	return true;
}

/* What is wrong with a Request-URI, else NULL. Headers have no place in one
 * (RFC 3261 19.1.1). */
static const char *check_uri(struct span uri)
{
	const char *p = (const char *)uri.p;
	const char *host = memrchr(p, '@', uri.len);
	const size_t at = host ? (size_t)(host - p) : 0;

	if (!guard_uri_legal(p, uri.len))
		return "Malformed Request-URI";
	if (uri.len > 4 && !strncasecmp(p, "sip", 3) &&
	    memchr(p + at, '?', uri.len - at))
		return "Headers in the Request-URI";
	return NULL;
}

/* The version at the end of a request line: is it one, and is it ours? */
static bool any_version(struct span line, bool *ours)
{
	const size_t len = sizeof(sip_version) - 1;
	const uint8_t *v = line.p + line.len - len;

	if (line.len < len || strncasecmp((const char *)v, "SIP/", 4) ||
	    !is_digit(v[4]) || v[5] != '.' || !is_digit(v[6]))
		return false;
	*ours = v[4] == '2' && v[6] == '0';
	return true;
}

/* "METHOD URI SIP/2.0". False: nothing like it. Else *why when it is not quite
 * that. */
static bool request_line(struct span line, struct span method, const char **why)
{
	const size_t tail = sizeof(sip_version); /* and its space */
	struct span rest = line;
	bool ours;
	size_t i;

	if (method.len > MAX_METHOD)
		return false;
	for (i = 0; i < method.len; i++)
		if (!is_token(method.p[i]))
			return false;
	while (rest.len && rest.p[rest.len - 1] == ' ')
		rest.len--;
	if (!any_version(rest, &ours))
		return false;
	if (rest.len != line.len || rest.len <= tail ||
	    rest.p[rest.len - tail] != ' ')
		*why = "Malformed request line";
	else if (!ours)
		*why = guard_other_version;
	else
		*why = check_uri((struct span){rest.p, rest.len - tail});
	return true;
}

/* A status line, or a request line; the method is left in *method, and in *why
 * what a request is refused for. */
static bool start_line(struct span line, struct span *method, bool *request,
		       const char **why)
{
	struct span first;

	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	if (memchr(line.p, 0, line.len) || memchr(line.p, '\r', line.len) ||
	    memchr(line.p, '\t', line.len))
		return false;
	if (!cut(&line, ' ', &first) || !first.len)
		return false;
	*request = !equal(first, sip_version);
	if (!*request)
		return status_line(line);
	*method = first;
	return request_line(line, first, why);
}

/* Headers that are counted. */
enum { VIA, FROM, TO, CONTACT, CALL_ID, CSEQ, FORWARDS, LENGTH, KNOWN };

static const struct {
	const char *name;
	char compact;
	bool mandatory, many;
	const char *missing, *doubled, *malformed;
} known[KNOWN] = {
	[VIA] = {"Via", 'v', true, true, "Missing Via header", NULL,
		 "Malformed Via header"},
	[FROM] = {"From", 'f', true, false, "Missing From header",
		  "More than one From header", "Malformed From header"},
	[TO] = {"To", 't', true, false, "Missing To header",
		"More than one To header", "Malformed To header"},
	[CONTACT] = {"Contact", 'm', false, true, NULL, NULL,
		     "Malformed Contact header"},
	[CALL_ID] = {"Call-ID", 'i', true, false, "Missing Call-ID header",
		     "More than one Call-ID header", NULL},
	[CSEQ] = {"CSeq", 0, true, false, "Missing CSeq header",
		  "More than one CSeq header", "Malformed CSeq header"},
	[FORWARDS] = {"Max-Forwards", 0, false, false, NULL,
		      "More than one Max-Forwards header",
		      "Malformed Max-Forwards header"},
	[LENGTH] = {"Content-Length", 'l', false, false, NULL,
		    "More than one Content-Length header",
		    "Malformed Content-Length header"},
};

static int known_find(struct span name)
{
	char c[2] = {0};
	int i;

	for (i = 0; i < KNOWN; i++) {
		c[0] = known[i].compact;
		if (equal_nocase(name, known[i].name) ||
		    (c[0] && equal_nocase(name, c)))
			return i;
	}
	return -1;
}

static struct span trim(struct span s)
{
	while (s.len && is_space(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len && is_space(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* Leading digits as a number; SIZE_MAX when none or beyond 2^31 - 1. */
static size_t number(struct span *s)
{
	size_t n = 0, i;

	for (i = 0; i < s->len && is_digit(s->p[i]); i++) {
		n = n * 10 + (size_t)(s->p[i] - '0');
		if (n > 0x7fffffff)
			return SIZE_MAX;
	}
	if (!i)
		return SIZE_MAX;
	s->p += i;
	s->len -= i;
	return n;
}

struct scan {
	struct span method;
	bool request;
	unsigned seen[KNOWN];
	unsigned headers;
	size_t commas;
	bool huge;            /* Content-Length beyond what is looked at */
	const char *line_why; /* what is wrong with the request line */
	const char *why;
};

static void scan_cseq(struct scan *s, struct span value)
{
	const size_t n = number(&value);

	if (n == SIZE_MAX || !value.len || !is_space(value.p[0])) {
		s->why = known[CSEQ].malformed;
		return;
	}
	value = trim(value);
	if (!value.len)
		s->why = known[CSEQ].malformed;
	else if (s->request && (value.len != s->method.len ||
				memcmp(value.p, s->method.p, value.len)))
		s->why = "CSeq does not match the method";
}

static void scan_length(struct scan *s, struct span value)
{
	const size_t n = number(&value);

	if (n == SIZE_MAX && value.len && is_digit(value.p[0]))
		s->huge = true;
	else if (n == SIZE_MAX || value.len)
		s->why = known[LENGTH].malformed;
	else if (n > GUARD_MAX_MESSAGE)
		s->huge = true;
}

/* RFC 3261 20.22: 0-255. */
static void scan_forwards(struct scan *s, struct span value)
{
	if (number(&value) > 255 || value.len)
		s->why = known[FORWARDS].malformed;
}

/* Do quotes and brackets close, and stands something between separators? A
 * semicolon at the end is let be: it misleads nobody. Of a comma there libre
 * makes one header more, an empty one, and repeats it in our answers. */
static bool well_shaped(struct span v)
{
	bool quoted = false, bracket = false, empty = true;
	uint8_t last = ';';
	size_t i;

	for (i = 0; i < v.len; i++) {
		const uint8_t c = v.p[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else
				quoted = c != '"';
		} else if (bracket) {
			bracket = c != '>';
		} else if (c == ';' || c == ',') {
			if (empty)
				return false;
			empty = true;
			last = c;
		} else if (!is_space(c)) {
			quoted = c == '"';
			bracket = c == '<';
			empty = false;
		}
	}
	return !quoted && !bracket && !(empty && last == ',');
}

/* One header with its folded lines; false when it is no header at all. */
static bool scan_header(struct scan *s, struct span h)
{
	struct span name, value = h;
	size_t i;
	int id;

	if (h.len > GUARD_MAX_START_LINE || ++s->headers > GUARD_MAX_HEADERS)
		return false;
	for (i = 0; i < h.len; i++) {
		if (!h.p[i])
			return false;
		s->commas += h.p[i] == ',';
	}
	if (s->commas > GUARD_MAX_COMMAS)
		return false;
	if (!cut(&value, ':', &name))
		return false;
	name = trim(name);
	value = trim(value);
	if (!name.len || name.len > MAX_NAME)
		return false;
	for (i = 0; i < name.len; i++)
		if (!is_token(name.p[i]))
			return false;

	id = known_find(name);
	if (id < 0)
		return true;
	if (++s->seen[id] > 1 && !known[id].many)
		s->why = known[id].doubled;
	else if (!value.len)
		s->why = known[id].missing ? known[id].missing
					   : known[id].malformed;
	else if (id == CSEQ)
		scan_cseq(s, value);
	else if (id == FORWARDS)
		scan_forwards(s, value);
	else if (id == LENGTH)
		scan_length(s, value);
	else if (id != CALL_ID && !well_shaped(value))
		s->why = known[id].malformed;
	return true;
}

static struct guard_finding finding(enum guard_verdict v, const struct scan *s)
{
	struct guard_finding f = {.verdict = v, .request = s->request};
	int i;

	if (v != GUARD_PASS)
		return f;
	f.why = s->line_why ? s->line_why : s->why;
	f.bad_line = s->line_why;
	for (i = 0; i < KNOWN && !f.why; i++)
		if (known[i].mandatory && !s->seen[i])
			f.why = known[i].missing;
	if (s->huge)
		f.verdict = GUARD_JUNK;
	else if (f.why)
		f.verdict = GUARD_BAD;
	if (f.verdict != GUARD_BAD) {
		f.why = NULL;
		f.bad_line = false;
	}
	return f;
}

struct guard_finding guard_examine(const uint8_t *p, size_t len)
{
	/* A longer stream may hold further messages: not looked at here. */
	const bool cut_off = len > GUARD_MAX_MESSAGE;
	struct span rest = {p, cut_off ? GUARD_MAX_MESSAGE : len};
	struct span line, header = {NULL, 0};
	struct span first = {rest.p, rest.len > GUARD_MAX_START_LINE
					     ? GUARD_MAX_START_LINE
					     : rest.len};
	struct scan s = {.why = NULL};

	if (!cut(&first, '\n', &line)) {
		if (rest.len >= GUARD_MAX_START_LINE || !may_begin(first))
			return finding(GUARD_JUNK, &s);
		return finding(GUARD_INCOMPLETE, &s);
	}
	if (!start_line(line, &s.method, &s.request, &s.line_why))
		return finding(GUARD_JUNK, &s);
	rest.p += line.len + 1;
	rest.len -= line.len + 1;

	while (cut(&rest, '\n', &line)) {
		if (line.len && (line.p[0] == ' ' || line.p[0] == '\t')) {
			if (!header.p)
				return finding(GUARD_JUNK, &s);
			header.len = (size_t)(line.p + line.len - header.p);
			continue;
		}
		if (header.p && !scan_header(&s, header))
			return finding(GUARD_JUNK, &s);
		if (!trim(line).len)
			return finding(GUARD_PASS, &s);
		header = line;
	}
	if (cut_off || rest.len > GUARD_MAX_START_LINE ||
	    len == GUARD_MAX_MESSAGE)
		return finding(GUARD_JUNK, &s);
	return finding(GUARD_INCOMPLETE, &s);
}

enum guard_verdict guard_inspect(const uint8_t *p, size_t len)
{
	return guard_examine(p, len).verdict;
}
