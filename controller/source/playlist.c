#include "playlist.h"

#include "controller/base/clock.h"
#include "music.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

void playlist_reset(struct playlist *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i]);
	free(p->v);
	p->v = NULL;
	p->n = p->at = 0;
}

/** Notes it, for the log. Returns false. */
static bool leave_out(struct playlist *p, const char *name)
{
	if (!p->left_out++)
		snprintf(p->first_out, sizeof(p->first_out), "%s", name);
	return false;
}

static int add(struct playlist *p, const char *dir, const char *name)
{
	char *s = NULL;

	if (asprintf(&s, "%s%s%s", dir, *dir ? "/" : "", name) < 0)
		return ENOMEM;
	p->v[p->n++] = s;
	return 0;
}

/** Hidden files are no music, nor are folders; what else is none the player
 *  will say. */
static bool wanted(struct playlist *p, DIR *dir, const struct dirent *e)
{
	struct stat st;

	if (*e->d_name == '.' || e->d_type == DT_DIR)
		return false;
	if (e->d_type == DT_REG)
		return p->n < MUSIC_MAX_FILES || leave_out(p, e->d_name);
	/* A link that goes round, a FIFO, a device: nothing to play. */
	if ((e->d_type != DT_LNK && e->d_type != DT_UNKNOWN) ||
	    fstatat(dirfd(dir), e->d_name, &st, 0) ||
	    (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return leave_out(p, e->d_name);
	if (S_ISDIR(st.st_mode))
		return false;
	return p->n < MUSIC_MAX_FILES || leave_out(p, e->d_name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/** Of a folder without end only so much is looked at: it is read by the thread
 *  that must not be held up. */
static int read_folder(struct playlist *p, const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *e;
	int err = 0;

	if (!dir)
		return errno;
	p->left_out = 0;
	p->v = calloc(MUSIC_MAX_FILES, sizeof(*p->v));
	if (!p->v)
		err = ENOMEM;
	for (size_t i = 0; !err && i < 2 * MUSIC_MAX_FILES; i++) {
		e = readdir(dir);
		if (!e)
			break;
		if (wanted(p, dir, e))
			err = add(p, folder, e->d_name);
	}
	closedir(dir);
	if (!err)
		qsort(p->v, p->n, sizeof(*p->v), by_name);
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
