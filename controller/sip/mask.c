#include "mask.h"

#include "rawheader.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static void hide(char *p, struct raw_span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (p[s.at + i] != '\r' && p[s.at + i] != '\n')
			p[s.at + i] = '*';
}

static bool equal(const char *p, struct raw_span s, const char *text)
{
	return s.len == strlen(text) && !strncasecmp(p + s.at, text, s.len);
}

static bool begins(const char *p, struct raw_span s, const char *text)
{
	const size_t n = strlen(text);

	return s.len >= n && !strncasecmp(p + s.at, text, n);
}

/** What stands behind the first n bytes. */
static struct raw_span behind(struct raw_span s, size_t n)
{
	return (struct raw_span){s.at + n, s.len - n};
}

/** Where text begins in s, ignoring case; SIZE_MAX = nowhere. */
static size_t find(const char *p, struct raw_span s, const char *text)
{
	for (size_t i = 0; i < s.len; i++)
		if (begins(p, behind(s, i), text))
			return i;
	return SIZE_MAX;
}

/* ------------------------------------------------------------- credentials */

/** Up to a comma that is in no quotes, or to the end. */
static size_t parameter_len(const char *p, struct raw_span s)
{
	bool quoted = false;
	size_t i = 0;

	for (; i < s.len; i++) {
		const char c = p[s.at + i];

		if (quoted && c == '\\' && i + 1 < s.len)
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == ',' && !quoted)
			break;
	}
	return i;
}

/** RFC 7616 3.4: those that say nothing of the password. */
static bool is_harmless(const char *p, struct raw_span name)
{
	static const char *const known[] = {
		"username",  "username*", "realm",  "nonce",   "uri",
		"algorithm", "qop",       "nc",     "cnonce",  "opaque",
		"userhash",  "stale",     "domain", "charset", "nextnonce",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (equal(p, name, known[i]))
			return true;
	return false;
}

static void mask_parameters(char *p, struct raw_span s)
{
	while (s.len) {
		const size_t n = parameter_len(p, s);
		const struct raw_span one = {s.at, n};
		const char *is = memchr(p + one.at, '=', one.len);
		const size_t name_len =
			is ? (size_t)(is - p) - one.at : one.len;
		struct raw_span name =
			raw_trim(p, (struct raw_span){one.at, name_len});

		if (!is)
			hide(p, raw_trim(p, one));
		else if (!is_harmless(p, name))
			hide(p, raw_trim(p, behind(one, name_len + 1)));
		s = behind(s, n < s.len ? n + 1 : n);
	}
}

/** "Digest name=value, ...", or any other scheme. */
static void mask_credentials(char *p, struct raw_span s)
{
	size_t i = 0;

	while (i < s.len && p[s.at + i] != ' ' && p[s.at + i] != '\t' &&
	       p[s.at + i] != '\r' && p[s.at + i] != '\n')
		i++;
	if (equal(p, (struct raw_span){s.at, i}, "Digest"))
		mask_parameters(p, raw_trim(p, behind(s, i)));
	else
		hide(p, i < s.len ? raw_trim(p, behind(s, i)) : s);
}

/* -------------------------------------------------------------------- URIs */

static size_t scheme_len(const char *p, struct raw_span s)
{
	return begins(p, s, "sip:") ? 4 : begins(p, s, "sips:") ? 5 : 0;
}

/* "sip:user:PASSWORD@host" (RFC 3261 19.1.1), anywhere, in one pass. */
void mask_uris(char *p, size_t len)
{
	bool inside = false;
	size_t colon = 0;

	for (size_t i = 0; i < len; i++) {
		const size_t scheme =
			(p[i] | 0x20) == 's'
				? scheme_len(p, (struct raw_span){i, len - i})
				: 0;

		if (scheme) {
			inside = true;
			colon = 0;
			i += scheme - 1;
		} else if (!inside) {
			continue;
		} else if (p[i] == ':' && !colon) {
			colon = i + 1;
		} else if (p[i] == '@') {
			if (colon)
				hide(p, (struct raw_span){colon, i - colon});
			inside = false;
		} else if (strchr(" \t\r\n<>\"", p[i])) {
			inside = false;
		}
	}
}

/* -------------------------------------------------------------------- body */

/** RFC 4568 9.1: inline:KEY|lifetime|MKI, one or more. */
static void mask_inline(char *p, struct raw_span line)
{
	static const char key[] = "inline:";
	size_t i;

	while ((i = find(p, line, key)) != SIZE_MAX) {
		size_t n = 0;

		line = behind(line, i + sizeof(key) - 1);
		while (n < line.len && !strchr("|; \t\r\n", p[line.at + n]))
			n++;
		hide(p, (struct raw_span){line.at, n});
		line = behind(line, n);
	}
}

static void mask_line(char *p, struct raw_span line)
{
	static const char *const whole[] = {"k=", "a=key-mgmt:", "a=ice-pwd:"};
	static const char signal[] = "signal";
	const char *is;

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (begins(p, line, whole[i]))
			hide(p, behind(line, strlen(whole[i])));
	if (begins(p, line, "a=crypto:"))
		mask_inline(p, line);
	if (!begins(p, raw_trim(p, line), signal))
		return;
	/* application/dtmf-relay: "Signal=5" */
	is = memchr(p + line.at, '=', line.len);
	if (is)
		hide(p,
		     raw_trim(p, behind(line, (size_t)(is - p) + 1 - line.at)));
}

static void mask_body(char *p, struct raw_span body)
{
	while (body.len) {
		const char *eol = memchr(p + body.at, '\n', body.len);
		const size_t n =
			eol ? (size_t)(eol - p) + 1 - body.at : body.len;

		mask_line(p, (struct raw_span){body.at, n});
		body = behind(body, n);
	}
}

/** Is a body of this type nothing but keys? That of application/dtmf-relay has
 *  names, see mask_line(). */
static bool is_keys(const char *p, struct raw_span type)
{
	if (find(p, type, "dtmf-relay") != SIZE_MAX)
		return false;
	return find(p, type, "dtmf") != SIZE_MAX ||
	       find(p, type, "digits") != SIZE_MAX ||
	       find(p, type, "kpml") != SIZE_MAX;
}

void mask_secrets(char *p, size_t len)
{
	struct raw_walk w = raw_walk(p, len);
	struct raw_header h;
	bool keys = false;

	while (raw_next(&w, &h)) {
		if (raw_is(&w, &h, "Authorization", 0) ||
		    raw_is(&w, &h, "Proxy-Authorization", 0))
			mask_credentials(p, h.value);
		else if (raw_is(&w, &h, "Authentication-Info", 0) ||
			 raw_is(&w, &h, "Proxy-Authentication-Info", 0))
			mask_parameters(p, h.value);
		else if (raw_is(&w, &h, "Content-Type", 'c'))
			keys |= is_keys(p, h.value);
	}
	if (keys)
		hide(p, (struct raw_span){w.pos, len - w.pos});
	else
		mask_body(p, (struct raw_span){w.pos, len - w.pos});
	mask_uris(p, len);
}
