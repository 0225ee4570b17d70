#include "mail_text.h"

#include "controller/base/clock.h"
#include "controller/config/template.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>
#include <time.h>

/** An encoded word has 75 characters at most, 12 of them around the text. */
#define WORD 45

static bool is_plain(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

/** Bytes of s, up to most, that end with a whole character. */
static size_t whole(const char *s, size_t most)
{
	size_t n = strlen(s);

	if (n <= most)
		return n;
	n = most;
	while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n ? n : most;
}

void mail_header(FILE *f, const char *name, const char *text)
{
	unsigned char coded[(WORD + 2) / 3 * 4 + 1];

	fprintf(f, "%s:", name);
	if (is_plain(text)) {
		fprintf(f, " %.900s\n", text);
		return;
	}
	while (*text) {
		const size_t n = whole(text, WORD);

		EVP_EncodeBlock(coded, (const unsigned char *)text, (int)n);
		fprintf(f, " =?UTF-8?B?%s?=\n", (char *)coded);
		text += n;
	}
}

static void fill(const char *template, const struct event *e, const char *site,
		 size_t more, char *buf, size_t size)
{
	char id[24], at[CLOCK_TEXT_SIZE], rest[32] = "";
	const char *const value[TEMPLATE_PLACES] = {
		[TEMPLATE_SITE] = site,
		[TEMPLATE_ID] = id,
		[TEMPLATE_TIME] = at,
		[TEMPLATE_TYPE] = event_type_name(e->type),
		[TEMPLATE_SUBJECT] = e->subject,
		[TEMPLATE_ACTOR] = e->actor,
		[TEMPLATE_TEXT] = e->text,
		[TEMPLATE_MORE] = rest,
	};

	snprintf(id, sizeof(id), "%" PRIu64, e->id);
	clock_format(at, e->wall_us);
	if (more)
		snprintf(rest, sizeof(rest), " (and %zu more)", more);
	template_fill(template, value, buf, size);
}

static void write_date(FILE *f, int64_t date)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed",
					   "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr",
					     "May", "Jun", "Jul", "Aug",
					     "Sep", "Oct", "Nov", "Dec"};
	const time_t t = (time_t)(date / 1000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	fprintf(f, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\n",
		days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
		tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void mail_write(FILE *f, const struct config_notify *c, const char *site,
		const struct event *const *e, size_t n, int64_t date)
{
	char text[1000];

	if (c->from)
		fprintf(f, "From: %s\n", c->from);
	for (size_t i = 0; i < c->n_to; i++)
		fprintf(f, "%s%s%s", i ? "," : "To:", i ? "\n " : " ",
			c->to[i]);
	fputc('\n', f);
	fill(c->subject, e[0], site, n - 1, text, sizeof(text));
	mail_header(f, "Subject", text);
	write_date(f, date);
	fprintf(f,
		"Message-ID: <%" PRId64 ".%" PRIu64 "@%s.tocsin.invalid>\n"
		"Auto-Submitted: auto-generated\n"
		"MIME-Version: 1.0\n"
		"Content-Type: text/plain; charset=utf-8\n"
		"Content-Transfer-Encoding: 8bit\n\n",
		date, e[0]->id, site);
	for (size_t i = 0; i < n; i++) {
		fill(c->line, e[i], site, 0, text, sizeof(text) - 2);
		fprintf(f, "%s\n", text);
	}
}
