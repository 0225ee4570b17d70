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

#define MAX_METHOD 32
#define MAX_NAME 64

static const char sip_version[] = "SIP/2.0";
#define VERSION_LEN (sizeof(sip_version) - 1)

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

/* "METHOD URI SIP/2.0" or "SIP/2.0 200 Text"; the method is left in *method. */
static bool start_line(struct span line, struct span *method, bool *request)
{
	struct span first, second;
	size_t i;

	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	if (memchr(line.p, 0, line.len) || memchr(line.p, '\r', line.len) ||
	    memchr(line.p, '\t', line.len))
		return false;
	if (!cut(&line, ' ', &first) || !cut(&line, ' ', &second) ||
	    !first.len || !second.len)
		return false;

	*request = !equal(first, sip_version);
	if (!*request)
		return second.len == 3 && second.p[0] >= '1' &&
		       second.p[0] <= '6' && second.p[1] >= '0' &&
		       second.p[1] <= '9' && second.p[2] >= '0' &&
		       second.p[2] <= '9';
	if (!equal(line, sip_version) || first.len > MAX_METHOD)
		return false;
	for (i = 0; i < first.len; i++)
		if (!is_token(first.p[i]))
			return false;
	*method = first;
	return true;
}

/* Headers that are counted. */
enum { VIA, FROM, TO, CALL_ID, CSEQ, LENGTH, KNOWN };

static const struct {
	const char *name;
	char compact;
	bool mandatory, many;
	const char *missing, *doubled;
} known[KNOWN] = {
	[VIA] = {"Via", 'v', true, true, "Missing Via header", NULL},
	[FROM] = {"From", 'f', true, false, "Missing From header",
		  "More than one From header"},
	[TO] = {"To", 't', true, false, "Missing To header",
		"More than one To header"},
	[CALL_ID] = {"Call-ID", 'i', true, false, "Missing Call-ID header",
		     "More than one Call-ID header"},
	[CSEQ] = {"CSeq", 0, true, false, "Missing CSeq header",
		  "More than one CSeq header"},
	[LENGTH] = {"Content-Length", 'l', false, false, NULL,
		    "More than one Content-Length header"},
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

	for (i = 0; i < s->len && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
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
	bool huge; /* Content-Length beyond what is looked at */
	const char *why;
};

static void scan_cseq(struct scan *s, struct span value)
{
	const size_t n = number(&value);

	if (n == SIZE_MAX || !value.len || !is_space(value.p[0])) {
		s->why = "Malformed CSeq header";
		return;
	}
	value = trim(value);
	if (!value.len)
		s->why = "Malformed CSeq header";
	else if (s->request && (value.len != s->method.len ||
				memcmp(value.p, s->method.p, value.len)))
		s->why = "CSeq does not match the method";
}

static void scan_length(struct scan *s, struct span value)
{
	const size_t n = number(&value);

	if (n == SIZE_MAX && value.len && value.p[0] >= '0' &&
	    value.p[0] <= '9')
		s->huge = true;
	else if (n == SIZE_MAX || value.len)
		s->why = "Malformed Content-Length header";
	else if (n > GUARD_MAX_MESSAGE)
		s->huge = true;
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
					   : "Malformed Content-Length header";
	else if (id == CSEQ)
		scan_cseq(s, value);
	else if (id == LENGTH)
		scan_length(s, value);
	return true;
}

static struct guard_finding finding(enum guard_verdict v, const struct scan *s)
{
	struct guard_finding f = {.verdict = v, .request = s->request};
	int i;

	if (v != GUARD_PASS)
		return f;
	f.why = s->why;
	for (i = 0; i < KNOWN && !f.why; i++)
		if (known[i].mandatory && !s->seen[i])
			f.why = known[i].missing;
	if (s->huge)
		f.verdict = GUARD_JUNK;
	else if (f.why)
		f.verdict = GUARD_BAD;
	if (f.verdict != GUARD_BAD)
		f.why = NULL;
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
	if (!start_line(line, &s.method, &s.request))
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
