#include "tz.h"

#include "civil.h"
#include "tz_posix.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 44
/** No zone differs from UTC by more (RFC 8536 3.2). */
#define MAX_OFFSET (26 * 3600)
/** Two offsets differ by less: Samoa left out a whole day in 2011. */
#define REACH (2 * CIVIL_DAY)

struct tz {
	int32_t before;
	size_t n, room;
	struct tz_change *v;
};

struct tz *tz_free(struct tz *z)
{
	if (z)
		free(z->v);
	free(z);
	return NULL;
}

const struct tz *tz_of_utc(void)
{
	static const struct tz utc;

	return &utc;
}

static int add(struct tz *z, int64_t at, int32_t offset)
{
	if (z->n && z->v[z->n - 1].at >= at)
		return z->v[z->n - 1].at == at
			       ? (z->v[z->n - 1].offset = offset, 0)
			       : EINVAL;
	if (z->n == TZ_MAX_CHANGES)
		return EINVAL;
	if (z->n == z->room) {
		size_t room = z->room ? z->room * 2 : 64;
		void *v = realloc(z->v, room * sizeof(*z->v));

		if (!v)
			return ENOMEM;
		z->v = v;
		z->room = room;
	}
	z->v[z->n++] = (struct tz_change){at, offset};
	return 0;
}

int tz_make(struct tz **zp, int32_t before, const struct tz_change *v, size_t n)
{
	struct tz *z = calloc(1, sizeof(*z));
	int err = z ? 0 : ENOMEM;

	if (z)
		z->before = before;
	for (size_t i = 0; !err && i < n; i++)
		err = v[i].offset < -MAX_OFFSET || v[i].offset > MAX_OFFSET
			      ? EINVAL
			      : add(z, v[i].at, v[i].offset);
	if (err)
		tz_free(z);
	else
		*zp = z;
	return err;
}

/* --------------------------------------------------------------- TZif file */

struct counts {
	uint32_t isut, isstd, leap, time, type, chars;
};

static int64_t be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return n == 4 ? (int32_t)(uint32_t)v : (int64_t)v;
}

static bool header(const uint8_t *p, size_t size, struct counts *c)
{
	uint32_t *const field[] = {&c->isut, &c->isstd, &c->leap,
				   &c->time, &c->type,  &c->chars};

	if (size < HEADER || memcmp(p, "TZif", 4))
		return false;
	for (size_t i = 0; i < 6; i++) {
		*field[i] = (uint32_t)be(p + 20 + 4 * i, 4);
		if (*field[i] > TZ_MAX_FILE)
			return false;
	}
	return c->type > 0;
}

/** Bytes of a data block whose times have `w` bytes. */
static size_t block(const struct counts *c, size_t w)
{
	return c->time * (w + 1) + c->type * 6 + c->chars + c->leap * (w + 4) +
	       c->isstd + c->isut;
}

static int read_block(struct tz *z, const uint8_t *p, const struct counts *c,
		      size_t w)
{
	const uint8_t *index = p + c->time * w, *type = index + c->time;

	for (uint32_t i = 0; i < c->type; i++) {
		const int64_t off = be(type + i * 6, 4);

		if (off < -MAX_OFFSET || off > MAX_OFFSET)
			return EBADMSG;
	}
	z->before = (int32_t)be(type, 4);
	for (uint32_t i = 0; i < c->time; i++) {
		int err;

		if (index[i] >= c->type)
			return EBADMSG;
		err = add(z, be(p + i * w, w),
			  (int32_t)be(type + index[i] * 6, 4));
		if (err)
			return err == ENOMEM ? err : EBADMSG;
	}
	return 0;
}

/** The years behind the table, by the rule in the footer. */
static int read_footer(struct tz *z, const uint8_t *p, size_t size)
{
	char text[128];
	const uint8_t *end;
	struct tz_posix rule;
	struct tz_change two[2];
	int year;

	if (size < 2 || p[0] != '\n')
		return EBADMSG;
	end = memchr(p + 1, '\n', size - 1);
	if (!end || (size_t)(end - p) > sizeof(text))
		return EBADMSG;
	memcpy(text, p + 1, (size_t)(end - p - 1));
	text[end - p - 1] = '\0';
	if (!*text)
		return 0;
	if (!tz_posix_parse(&rule, text))
		return EBADMSG;
	if (!rule.dst) {
		if (!z->n)
			z->before = rule.offset[0];
		return 0;
	}
	year = z->n ? civil_of(z->v[z->n - 1].at).year : 1970;
	for (year = year < 1900 ? 1900 : year; year <= TZ_LAST_YEAR; year++) {
		tz_posix_year(&rule, year, two);
		for (size_t i = 0; i < 2; i++)
			if (!z->n || two[i].at >= z->v[z->n - 1].at) {
				int err = add(z, two[i].at, two[i].offset);

				if (err)
					return err == ENOMEM ? err : EBADMSG;
			}
	}
	return 0;
}

int tz_parse(struct tz **zp, const void *data, size_t size, struct reason *why)
{
	const uint8_t *p = data;
	struct counts c;
	struct tz *z = calloc(1, sizeof(*z));
	size_t w = 4;
	int err = EBADMSG;

	if (!z)
		return reason_set(why, ENOMEM, "not enough memory");
	if (size > TZ_MAX_FILE || !header(p, size, &c))
		goto out;
	if (p[4] >= '2') {
		/* The table before it is for readers of 32 bits. */
		const size_t skip = HEADER + block(&c, 4);

		if (skip > size)
			goto out;
		p += skip;
		size -= skip;
		w = 8;
		if (!header(p, size, &c))
			goto out;
	}
	if (HEADER + block(&c, w) > size)
		goto out;
	err = read_block(z, p + HEADER, &c, w);
	if (!err && w == 8)
		err = read_footer(z, p + HEADER + block(&c, w),
				  size - HEADER - block(&c, w));
out:
	if (err) {
		tz_free(z);
		return reason_set(why, err, "%s",
				  err == ENOMEM ? "not enough memory"
						: "this is no sound TZif file "
						  "(RFC 8536)");
	}
	*zp = z;
	return 0;
}

/* ----------------------------------------------------------------- look-ups */

/** How many changes are at or before utc. */
static size_t behind(const struct tz *z, int64_t utc)
{
	size_t lo = 0, hi = z->n;

	while (lo < hi) {
		const size_t mid = (lo + hi) / 2;

		if (z->v[mid].at <= utc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/** Offset once i changes have happened. */
static int32_t after(const struct tz *z, size_t i)
{
	return i ? z->v[i - 1].offset : z->before;
}

int32_t tz_offset(const struct tz *z, int64_t utc)
{
	return after(z, behind(z, utc));
}

int64_t tz_local(const struct tz *z, int64_t utc)
{
	return utc + tz_offset(z, utc);
}

enum tz_kind tz_utc(const struct tz *z, int64_t local, int64_t at[2])
{
	const size_t first = behind(z, local - REACH);
	const size_t last = behind(z, local + REACH);
	size_t found = 0;

	for (size_t i = first; i <= last; i++) {
		const int64_t u = local - after(z, i);

		if ((i && u < z->v[i - 1].at) || (i < z->n && u >= z->v[i].at))
			continue;
		/* Of three (two changes within hours) the outer ones. */
		at[found ? 1 : 0] = u;
		found++;
	}
	if (found > 1)
		return TZ_FOLD;
	if (found) {
		at[1] = at[0];
		return TZ_ONCE;
	}
	for (size_t i = first; i < last; i++)
		if (local - after(z, i) >= z->v[i].at &&
		    local - after(z, i + 1) < z->v[i].at) {
			at[0] = at[1] = z->v[i].at;
			break;
		}
	return TZ_GAP;
}
