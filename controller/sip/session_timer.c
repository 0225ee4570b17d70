#include "session_timer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Leading digits; false for none, or for more than blanks and parameters
 * behind them. */
static bool read_seconds(const char *p, size_t len, uint32_t *s, size_t *used)
{
	uint64_t n = 0;
	size_t i = 0;

	for (; i < len && p[i] >= '0' && p[i] <= '9'; i++)
		if (n <= SESSION_MAX_S)
			n = n * 10 + (uint64_t)(p[i] - '0');
	*s = n > SESSION_MAX_S ? SESSION_MAX_S : (uint32_t)n;
	*used = i;
	return i && (i == len || strchr(" \t;", p[i]));
}

static bool is(const char *p, size_t len, const char *word)
{
	return len == strlen(word) && !strncasecmp(p, word, len);
}

/* ";refresher=uac", among others that are none of ours */
static void read_refresher(struct session_said *said, const char *p, size_t len)
{
	size_t at = 0;

	while (at < len) {
		char word[24];
		size_t n = 0;

		for (; at < len && p[at] != ';'; at++)
			if (p[at] != ' ' && p[at] != '\t' &&
			    n < sizeof(word) - 1)
				word[n++] = p[at];
		at++;
		if (is(word, n, "refresher=uac"))
			said->refresher = SESSION_UAC;
		else if (is(word, n, "refresher=uas"))
			said->refresher = SESSION_UAS;
	}
}

bool session_read_expires(struct session_said *said, const char *p, size_t len)
{
	size_t used;

	if (!read_seconds(p, len, &said->expires_s, &used) ||
	    !said->expires_s) {
		said->expires_s = 0;
		said->malformed = true;
		return false;
	}
	read_refresher(said, p + used, len - used);
	return true;
}

bool session_read_min(struct session_said *said, const char *p, size_t len)
{
	size_t used;

	if (read_seconds(p, len, &said->min_s, &used))
		return true;
	said->min_s = 0;
	said->malformed = true;
	return false;
}

static uint32_t at_least(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Ours, unless they want it shorter; never below what anybody on the way can
 * bear. Never longer than they say (section 9). */
static uint32_t choose(const struct session_said *said, uint32_t ours_s)
{
	const uint32_t least = at_least(said->min_s, SESSION_MIN_S);
	uint32_t s = at_least(ours_s, least);

	if (said->expires_s && s > said->expires_s)
		s = said->expires_s;
	return s;
}

uint16_t session_answer(const struct session_said *said, uint32_t ours_s,
			struct session_terms *t, char lines[SESSION_LINES_SIZE])
{
	*t = (struct session_terms){0};
	lines[0] = '\0';
	if (!ours_s)
		return 200;
	if (said->malformed)
		return 400;
	/* Who knows nothing of timers could do nothing about a 422. */
	if (said->timer && said->expires_s && said->expires_s < SESSION_MIN_S) {
		snprintf(lines, SESSION_LINES_SIZE, "Min-SE: %u\r\n",
			 SESSION_MIN_S);
		return 422;
	}
	/* Neither the caller nor a proxy on the way wants one. */
	if (!said->timer && !said->expires_s)
		return 200;
	t->interval_s = choose(said, ours_s);
	/* Who named an interval refreshes it, unless he wants us to or cannot
	 * (table 2 of section 9); one that only we want is ours. */
	t->we_refresh = !said->timer || !said->expires_s ||
			said->refresher == SESSION_UAS;
	snprintf(lines, SESSION_LINES_SIZE,
		 "%sSupported: timer\r\nSession-Expires: %u;refresher=%s\r\n",
		 t->we_refresh ? "" : "Require: timer\r\n", t->interval_s,
		 t->we_refresh ? "uas" : "uac");
	return 200;
}

void session_offer(const struct session_terms *now, uint32_t ours_s,
		   uint32_t min_s, char lines[SESSION_LINES_SIZE])
{
	const uint32_t wanted = now->interval_s ? now->interval_s : ours_s;
	const bool theirs = now->interval_s && !now->we_refresh;
	char min[24] = "";

	lines[0] = '\0';
	if (!ours_s)
		return;
	if (min_s)
		snprintf(min, sizeof(min), "Min-SE: %u\r\n", min_s);
	snprintf(lines, SESSION_LINES_SIZE,
		 "Supported: timer\r\nSession-Expires: %u;refresher=%s\r\n%s",
		 at_least(wanted, at_least(min_s, SESSION_MIN_S)),
		 theirs ? "uas" : "uac", min);
}

void session_agreed(const struct session_said *said, struct session_terms *t)
{
	/* Less was not theirs to say, and would have us send without end. */
	t->interval_s =
		said->expires_s ? at_least(said->expires_s, SESSION_MIN_S) : 0;
	t->we_refresh = said->refresher != SESSION_UAS;
}

/* When to try for the n-th time, the first being 0; the last is the end. */
static uint64_t moment(uint64_t half, uint64_t end, unsigned n)
{
	return n == 0 ? half : n == 1 ? half + (end - half) / 2 : end;
}

enum session_act session_next(const struct session_terms *t, uint64_t since_ms,
			      unsigned tries, uint64_t *wait_ms)
{
	const uint64_t all = (uint64_t)t->interval_s * 1000;
	const uint64_t third = all / 3;
	const uint64_t end = all - (third < 32000 ? third : 32000);
	uint64_t at = end;
	bool now = false;

	*wait_ms = 0;
	if (!t->interval_s)
		return SESSION_WAIT;
	if (since_ms >= end)
		return SESSION_END;
	if (t->we_refresh) {
		now = since_ms >= moment(all / 2, end, tries);
		at = moment(all / 2, end, tries + now);
	}
	*wait_ms = at > since_ms ? at - since_ms : 1;
	return now ? SESSION_REFRESH : SESSION_WAIT;
}
