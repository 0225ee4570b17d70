#include "playlist.h"

#include "controller/base/clock.h"
#include "music.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void playlist_reset(struct playlist *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i]);
	free(p->v);
	p->v = NULL;
	p->n = p->at = 0;
}

/** Hidden files are no music; what else is none the player will say. */
static int wanted(const struct dirent *d)
{
	return d->d_name[0] != '.' &&
	       (d->d_type == DT_REG || d->d_type == DT_LNK ||
		d->d_type == DT_UNKNOWN);
}

static int add(struct playlist *p, const char *dir, const char *name)
{
	char *s = NULL;

	if (asprintf(&s, "%s%s%s", dir, *dir ? "/" : "", name) < 0)
		return ENOMEM;
	p->v[p->n++] = s;
	return 0;
}

static int read_folder(struct playlist *p, const char *dir)
{
	struct dirent **d = NULL;
	int n = scandir(dir, &d, wanted, alphasort), err = 0;

	if (n < 0)
		return errno;
	p->v = calloc((size_t)n + 1, sizeof(*p->v));
	if (!p->v)
		err = ENOMEM;
	for (int i = 0; i < n; i++) {
		if (!err && p->n < MUSIC_MAX_FILES)
			err = add(p, dir, d[i]->d_name);
		free(d[i]);
	}
	free(d);
	return err;
}

static uint64_t next_random(uint64_t *s)
{
	/* xorshift64*: an order, no secret. */
	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * UINT64_C(2685821657736338717);
}

/** Any order, but not the last one of before first. */
static void shuffle(struct playlist *p, const char *last)
{
	if (!p->seed && getrandom(&p->seed, sizeof(p->seed), 0) < 0)
		p->seed = clock_mono_us();
	p->seed |= 1;
	for (size_t i = p->n; i > 1; i--) {
		size_t k = next_random(&p->seed) % i;
		char *t = p->v[i - 1];

		p->v[i - 1] = p->v[k];
		p->v[k] = t;
	}
	if (p->n > 1 && !strcmp(p->v[0], last)) {
		char *t = p->v[0];

		p->v[0] = p->v[p->n - 1];
		p->v[p->n - 1] = t;
	}
}

static int fill(struct playlist *p, const struct config_player *m,
		const char *last)
{
	int err = 0;

	playlist_reset(p);
	if (m->folder) {
		err = read_folder(p, m->folder);
	} else {
		p->v = calloc(m->n_files, sizeof(*p->v));
		if (!p->v)
			err = ENOMEM;
		for (size_t i = 0; !err && i < m->n_files; i++)
			err = add(p, "", m->files[i]);
	}
	if (!err && !p->n)
		err = ENOENT;
	if (!err && m->shuffle)
		shuffle(p, last);
	return err;
}

int playlist_next(struct playlist *p, const struct config_player *m, char *what,
		  size_t size)
{
	int err = 0;

	if (m->stream || (!m->folder && !m->n_files)) {
		snprintf(what, size, "%s",
			 m->stream ? m->stream : m->command[0]);
		return 0;
	}
	if (p->at >= p->n)
		err = fill(p, m, what);
	if (err) {
		snprintf(what, size, "%s", m->folder ? m->folder : m->name);
		return err;
	}
	snprintf(what, size, "%s", p->v[p->at++]);
	return 0;
}

/** A word of the command with what it stands for. */
static char *expand(const char *word, const char *what, const char *rate)
{
	static const char *const names[] = {"{file}", "{url}", "{rate}"};
	const char *const values[] = {what, what, rate};
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		return NULL;
	while (*word) {
		size_t i = 0;

		while (i < 3 && strncmp(word, names[i], strlen(names[i])))
			i++;
		if (i < 3) {
			fputs(values[i], f);
			word += strlen(names[i]);
		} else {
			fputc(*word++, f);
		}
	}
	if (fclose(f)) {
		free(out);
		return NULL;
	}
	return out;
}

int playlist_command(const struct config_player *m, const char *what,
		     char *argv[CONFIG_MAX_COMMAND + 1])
{
	static const char *const decoder[] = {"/proc/self/exe", "--decode",
					      "{rate}", "{file}", NULL};
	static const char *const streamer[] = {
		"ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error",
		"-i",     "{url}",    "-vn",          "-ac",       "1",
		"-ar",    "{rate}",   "-f",           "s16le",     "-",
		NULL,
	};
	const char *const *from = m->n_command ? (const char *const *)m->command
				  : m->stream  ? streamer
					       : decoder;
	size_t n = 0;
	char rate[16];

	memset(argv, 0, (CONFIG_MAX_COMMAND + 1) * sizeof(*argv));
	snprintf(rate, sizeof(rate), "%u", m->rate);
	for (; (!m->n_command || n < m->n_command) && from[n]; n++) {
		argv[n] = expand(from[n], what, rate);
		if (!argv[n])
			return ENOMEM;
	}
	return 0;
}

void playlist_command_free(char *argv[CONFIG_MAX_COMMAND + 1])
{
	for (size_t i = 0; i < CONFIG_MAX_COMMAND; i++) {
		free(argv[i]);
		argv[i] = NULL;
	}
}
