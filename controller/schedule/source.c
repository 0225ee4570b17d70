#include "source.h"

#include "controller/base/text.h"
#include "days.h"
#include "zonefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int source_init(struct source *s, const struct config_calendar *c,
		const char *state_dir)
{
	*s = (struct source){.mtime_ns = -1};
	s->name = strdup(c->name);
	s->ics = c->ics ? strdup(c->ics) : NULL;
	s->url = c->url ? strdup(c->url) : NULL;
	if (state_dir && (c->ics || c->url) &&
	    asprintf(&s->cache, "%s/calendars/%s.ics", state_dir, c->name) < 0)
		s->cache = NULL;
	s->dates = calloc(c->n_dates + 1, sizeof(*s->dates));
	if (!s->name || !s->dates || (c->ics && !s->ics) ||
	    (c->url && !s->url)) {
		source_reset(s);
		return ENOMEM;
	}
	if (c->n_dates)
		memcpy(s->dates, c->dates, c->n_dates * sizeof(*s->dates));
	s->n_dates = c->n_dates;
	return 0;
}

void source_reset(struct source *s)
{
	free(s->name);
	free(s->ics);
	free(s->url);
	free(s->cache);
	free(s->dates);
	*s = (struct source){0};
}

/* ------------------------------------------------------------------ parsing */

struct hearing {
	const char *file;
	struct source_result *r;
	size_t n;
};

static void on_problem(int line, const char *text, void *arg)
{
	struct hearing *h = arg;

	if (!h->n++)
		snprintf(h->r->error, sizeof(h->r->error), "%s:%d: %s", h->file,
			 line, text);
	text_clean(h->r->error);
}

static struct tz *on_zone(const char *name, void *arg)
{
	(void)arg;
	return zonefile_load(name, NULL);
}

static int add_dates(const struct source *s, struct calendar *c)
{
	struct rule_range piece[DAYS_PIECES];
	int err = 0;

	for (size_t i = 0; i < s->n_dates && !err; i++) {
		const struct config_days *d = &s->dates[i];
		const size_t n = d->yearly ? days_pieces(d, piece) : 0;

		if (!d->yearly)
			err = calendar_add_days(c, d->first, d->last, false,
						s->name);
		for (size_t k = 0; k < n && !err; k++)
			err = calendar_add_days(c, piece[k].first,
						piece[k].last, true, s->name);
	}
	return err;
}

/** text NULL: the dates alone. */
static void make(const struct source *s, const char *file, const char *text,
		 size_t size, struct source_result *r)
{
	struct hearing h = {file, r, 0};
	struct calendar *c = NULL;
	int err = calendar_alloc(&c);

	if (!err && text)
		err = calendar_read(c, text, size, on_zone, on_problem, &h,
				    &r->bad);
	if (!err)
		err = add_dates(s, c);
	if (err) {
		calendar_free(c);
		if (err == ENOMEM)
			snprintf(r->error, sizeof(r->error),
				 "not enough memory");
		return;
	}
	r->calendar = c;
}

/* -------------------------------------------------------------------- files */

/** A whole file of at most ICS_MAX_TEXT; NULL with errno. */
static char *slurp(const char *path, size_t *size, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *data = NULL;
	FILE *f;

	if (fd < 0)
		return NULL;
	if (fstat(fd, st) || !S_ISREG(st->st_mode) ||
	    st->st_size > (off_t)ICS_MAX_TEXT) {
		errno = S_ISREG(st->st_mode) ? EFBIG : EINVAL;
		close(fd);
		return NULL;
	}
	f = fdopen(fd, "rb");
	if (f)
		data = malloc((size_t)st->st_size + 1);
	if (data)
		*size = fread(data, 1, (size_t)st->st_size, f);
	if (f)
		fclose(f);
	else
		close(fd);
	return data;
}

static int64_t stamp(const struct stat *st)
{
	return st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec;
}

/** Puts the copy in place as a whole or not at all. */
static void save(const struct source *s, const char *text, size_t size)
{
	char path[1024], *slash;
	FILE *f;
	bool good;

	if (!s->cache)
		return;
	snprintf(path, sizeof(path), "%s", s->cache);
	slash = strrchr(path, '/');
	*slash = '\0';
	if (mkdir(path, 0750) && errno != EEXIST)
		return;
	snprintf(path, sizeof(path), "%s.new", s->cache);
	f = fopen(path, "wbe");
	if (!f)
		return;
	good = fwrite(text, 1, size, f) == size && !fflush(f) &&
	       !fsync(fileno(f));
	if (fclose(f) || !good || rename(path, s->cache))
		unlink(path);
}

static void read_file(struct source *s, bool if_changed, bool keep,
		      struct source_result *r)
{
	struct stat st;
	size_t size = 0;
	char *text;

	if (if_changed && !stat(s->ics, &st) && stamp(&st) == s->mtime_ns &&
	    st.st_size == s->size)
		return;
	text = slurp(s->ics, &size, &st);
	if (!text) {
		snprintf(r->error, sizeof(r->error), "%s: %s", s->ics,
			 strerror(errno));
		s->mtime_ns = -1;
		return;
	}
	/* Also of a bad one: it is told once, not every 10 s. */
	s->mtime_ns = stamp(&st);
	s->size = st.st_size;
	make(s, s->ics, text, size, r);
	if (r->calendar && keep)
		save(s, text, size);
	free(text);
}

/* ------------------------------------------------------------------ servers */

static void ask(struct source *s, bool if_changed, bool keep,
		struct source_result *r)
{
	const struct fetch_ask q = {
		.url = s->url,
		.max = ICS_MAX_TEXT,
		.what = "calendar",
		.since = if_changed ? &s->memory : NULL,
	};
	struct fetch_answer a;

	fetch(&q, &a);
	if (*a.error)
		memcpy(r->error, a.error, sizeof(r->error));
	else if (a.text)
		make(s, s->url, a.text, a.size, r);
	if (r->calendar) {
		s->memory = a.memory;
		if (keep)
			save(s, a.text, a.size);
	}
	free(a.text);
}

void source_read(struct source *s, bool if_changed, bool keep,
		 struct source_result *r)
{
	*r = (struct source_result){0};
	if (s->ics)
		read_file(s, if_changed, keep, r);
	else if (s->url)
		ask(s, if_changed, keep, r);
	else if (!if_changed)
		make(s, s->name, NULL, 0, r);
}

void source_cached(struct source *s, struct source_result *r)
{
	struct stat st;
	size_t size = 0;
	char *text = s->cache ? slurp(s->cache, &size, &st) : NULL;

	*r = (struct source_result){0};
	if (text)
		make(s, s->cache, text, size, r);
	if (!r->calendar)
		make(s, s->name, NULL, 0, r);
	free(text);
}
