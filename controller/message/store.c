#include "store.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define INDEX "index.json"
#define MAX_NAME 63

bool store_name(const char *name)
{
	const size_t n = strlen(name);

	return n && n <= MAX_NAME && *name != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
			    "YZ0123456789._-") == n;
}

char *store_dir(char buf[STORE_PATH], const char *state_dir)
{
	snprintf(buf, STORE_PATH, "%.480s/messages", state_dir);
	return buf;
}

static char *path_of(char buf[STORE_PATH], const char *state_dir,
		     const char *name, const char *file)
{
	snprintf(buf, STORE_PATH, "%.480s/messages/%.63s%s%.63s", state_dir,
		 name, *file ? "/" : "", file);
	return buf;
}

char *store_path(char buf[STORE_PATH], const char *state_dir, const char *name,
		 uint32_t number)
{
	char file[24];

	snprintf(file, sizeof(file), "%u.wav", number);
	return path_of(buf, state_dir, name, file);
}

/* ------------------------------------------------------------------- index */

static const char *text_of(const json_t *o, const char *member)
{
	const char *s = json_string_value(json_object_get(o, member));

	return s ? s : "";
}

static double level_of(const json_t *o, const char *member)
{
	const json_t *v = json_object_get(o, member);

	return json_is_number(v) ? json_number_value(v) : -HUGE_VAL;
}

static bool read_version(struct store_version *v, const json_t *o)
{
	const json_int_t number =
		json_integer_value(json_object_get(o, "version"));

	*v = (struct store_version){
		.number = (uint32_t)number,
		.time_us = json_integer_value(json_object_get(o, "time_us")),
		.bytes = (uint64_t)json_integer_value(
			json_object_get(o, "bytes")),
		.ms = (uint32_t)json_integer_value(
			json_object_get(o, "duration_ms")),
		.lufs = level_of(o, "lufs"),
		.peak_db = level_of(o, "peak_dbfs"),
	};
	snprintf(v->hash, sizeof(v->hash), "%s", text_of(o, "hash"));
	snprintf(v->actor, sizeof(v->actor), "%s", text_of(o, "actor"));
	snprintf(v->from, sizeof(v->from), "%s", text_of(o, "from"));
	return number > 0 && number <= UINT32_MAX && *v->hash;
}

static bool read_index(struct store_item *i, const char *state_dir,
		       const char *name)
{
	char path[STORE_PATH];
	json_t *o =
		json_load_file(path_of(path, state_dir, name, INDEX), 0, NULL);
	json_t *v;
	size_t k;

	*i = (struct store_item){.n = 0};
	snprintf(i->name, sizeof(i->name), "%s", name);
	i->current =
		(uint32_t)json_integer_value(json_object_get(o, "current"));
	json_array_foreach(json_object_get(o, "versions"), k, v)
	{
		if (i->n == STORE_MAX_VERSIONS || !read_version(&i->v[i->n], v))
			break;
		if (i->v[i->n].number > i->last)
			i->last = i->v[i->n].number;
		i->n++;
	}
	json_decref(o);
	return store_version(i, 0);
}

int store_load(struct store *s, const char *state_dir)
{
	char dir[STORE_PATH];
	DIR *d = opendir(store_dir(dir, state_dir));
	struct dirent *e;

	*s = (struct store){.n = 0};
	s->v = calloc(STORE_MAX_ITEMS, sizeof(*s->v));
	while (d && s->v && s->n < STORE_MAX_ITEMS && (e = readdir(d)))
		if (store_name(e->d_name) &&
		    read_index(&s->v[s->n], state_dir, e->d_name))
			s->n++;
	if (d)
		closedir(d);
	return s->v ? 0 : ENOMEM;
}

void store_reset(struct store *s)
{
	free(s->v);
	*s = (struct store){.n = 0};
}

struct store_item *store_find(const struct store *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].name, name))
			return &s->v[i];
	return NULL;
}

const struct store_version *store_version(const struct store_item *i,
					  uint32_t number)
{
	for (size_t k = 0; i && k < i->n; k++)
		if (i->v[k].number == (number ? number : i->current))
			return &i->v[k];
	return NULL;
}

uint64_t store_bytes(const struct store *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->v[i].n; k++)
			n += s->v[i].v[k].bytes;
	return n;
}

void store_add(struct store_item *i, const struct store_version *v,
	       uint32_t *gone)
{
	*gone = 0;
	if (i->n == STORE_MAX_VERSIONS) {
		/* Never the one in force: it may be older than others. */
		const size_t k = i->v[0].number == i->current;

		*gone = i->v[k].number;
		memmove(&i->v[k], &i->v[k + 1],
			(i->n - k - 1) * sizeof(i->v[0]));
		i->n--;
	}
	i->v[i->n++] = *v;
	i->current = i->last = v->number;
}

/* ----------------------------------------------------------------- writing */

/** Makes what was renamed or removed in a folder last through a power cut. */
static int sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return errno;
	if (fsync(fd))
		err = errno;
	close(fd);
	return err;
}

static int sync_parent(char path[STORE_PATH])
{
	char *slash = strrchr(path, '/');
	int err;

	*slash = '\0';
	err = sync_dir(path);
	*slash = '/';
	return err;
}

static int put_in_place(char tmp[STORE_PATH], char path[STORE_PATH])
{
	if (rename(tmp, path))
		return errno;
	return sync_parent(path);
}

static json_t *level_json(double v)
{
	return isfinite(v) ? json_real(round(v * 10) / 10) : json_null();
}

static json_t *version_json(const struct store_version *v)
{
	return json_pack("{s:I,s:s,s:s,s:s,s:I,s:I,s:o,s:o}", "version",
			 (json_int_t)v->number, "hash", v->hash, "actor",
			 v->actor, "from", v->from, "bytes",
			 (json_int_t)v->bytes, "duration_ms", (json_int_t)v->ms,
			 "lufs", level_json(v->lufs), "peak_dbfs",
			 level_json(v->peak_db));
}

json_t *store_version_json(const struct store_version *v)
{
	char time[CLOCK_TEXT_SIZE];
	json_t *o = version_json(v);

	json_object_set_new(o, "time",
			    json_string(clock_format(time, v->time_us)));
	return o;
}

int store_commit(const char *state_dir, const struct store_item *i,
		 struct reason *why)
{
	char tmp[STORE_PATH], path[STORE_PATH];
	json_t *versions = json_array(), *o;
	char *text;
	FILE *f;
	int err = 0;

	for (size_t k = 0; k < i->n; k++) {
		json_t *v = version_json(&i->v[k]);

		json_object_set_new(v, "time_us",
				    json_integer(i->v[k].time_us));
		json_array_append_new(versions, v);
	}
	o = json_pack("{s:I,s:o}", "current", (json_int_t)i->current,
		      "versions", versions);
	text = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
	json_decref(o);
	path_of(path, state_dir, i->name, INDEX);
	path_of(tmp, state_dir, i->name, INDEX ".new");
	f = text ? fopen(tmp, "wbe") : NULL;
	if (!text)
		err = ENOMEM;
	else if (!f)
		err = errno;
	else if (fputs(text, f) < 0 || fflush(f) || fsync(fileno(f)))
		err = errno ? errno : EIO;
	if (f && fclose(f) && !err)
		err = errno;
	if (!err)
		err = put_in_place(tmp, path);
	if (err)
		unlink(tmp);
	free(text);
	return err ? reason_set(why, err, "%s: %s", path, strerror(err)) : 0;
}

static void hash(const struct pcm *p, char hex[65])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char sum[EVP_MAX_MD_SIZE] = {0};

	if (md && EVP_DigestInit_ex(md, EVP_sha256(), NULL)) {
		EVP_DigestUpdate(md, &p->rate, sizeof(p->rate));
		EVP_DigestUpdate(md, p->v, p->n * sizeof(*p->v));
		EVP_DigestFinal_ex(md, sum, NULL);
	}
	EVP_MD_CTX_free(md);
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
}

/** Leaves the disk enough for the journal? */
static bool has_room(const char *dir, uint64_t bytes)
{
	struct statvfs s;

	return statvfs(dir, &s) ||
	       (uint64_t)s.f_bavail * s.f_frsize > bytes + STORE_SPARE_BYTES;
}

int store_write(const char *state_dir, const char *name,
		struct store_version *v, const struct pcm *p,
		struct reason *why)
{
	char dir[STORE_PATH], tmp[STORE_PATH], path[STORE_PATH];
	int fd, err = 0;

	v->bytes = p->n * sizeof(*p->v) + 44;
	v->ms = (uint32_t)((uint64_t)p->n * 1000 / p->rate);
	hash(p, v->hash);
	path_of(dir, state_dir, name, "");
	if (mkdir(dir, 0750) && errno != EEXIST)
		return reason_set(why, errno, "%s: %s", dir, strerror(errno));
	if (!has_room(dir, v->bytes))
		return reason_set(why, ENOSPC,
				  "the disk that holds state-dir is nearly "
				  "full: %u MB of it stay free",
				  (unsigned)(STORE_SPARE_BYTES >> 20));
	store_path(path, state_dir, name, v->number);
	path_of(tmp, state_dir, name, "new.wav");
	fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return reason_set(why, errno, "%s: %s", tmp, strerror(errno));
	err = pcm_save_fd(p, fd, why);
	if (!err && fsync(fd))
		err = reason_set(why, errno, "%s: %s", tmp, strerror(errno));
	close(fd);
	if (!err) {
		err = put_in_place(tmp, path);
		if (!err)
			err = sync_parent(dir);
		if (err)
			reason_set(why, err, "%s: %s", path, strerror(err));
	}
	if (err) {
		unlink(tmp);
		unlink(path);
	}
	return err;
}

void store_drop(const char *state_dir, const char *name, uint32_t number)
{
	char path[STORE_PATH];

	unlink(store_path(path, state_dir, name, number));
	/* Of a message that has nothing else; else it stays. */
	rmdir(path_of(path, state_dir, name, ""));
}

/** Is this file one of an item's? */
static bool belongs(const struct store_item *i, const char *file)
{
	char own[24];

	if (!strcmp(file, INDEX))
		return true;
	for (size_t k = 0; k < i->n; k++) {
		snprintf(own, sizeof(own), "%u.wav", i->v[k].number);
		if (!strcmp(own, file))
			return true;
	}
	return false;
}

/** Removes the files of a message that it does not name, all with none; and
 *  the folder when that leaves nothing. */
static void clean(const char *state_dir, const char *name,
		  const struct store_item *keep)
{
	char dir[STORE_PATH], path[STORE_PATH];
	DIR *d = opendir(path_of(dir, state_dir, name, ""));
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (*e->d_name != '.' && (!keep || !belongs(keep, e->d_name)))
			unlink(path_of(path, state_dir, name, e->d_name));
	if (d)
		closedir(d);
	rmdir(dir);
}

int store_remove(const char *state_dir, const char *name, struct reason *why)
{
	char path[STORE_PATH];
	int err = 0;

	if (unlink(path_of(path, state_dir, name, INDEX)) && errno != ENOENT)
		err = errno;
	if (!err)
		err = sync_parent(path);
	if (err)
		return reason_set(why, err, "%s: %s", path, strerror(err));
	clean(state_dir, name, NULL);
	return 0;
}

void store_clean(const char *state_dir)
{
	char dir[STORE_PATH];
	struct store_item *i = malloc(sizeof(*i));
	struct dirent *e;
	DIR *d;

	if (mkdir(store_dir(dir, state_dir), 0750) && errno != EEXIST) {
		free(i);
		return;
	}
	d = opendir(dir);
	while (d && i && (e = readdir(d))) {
		char index[STORE_PATH];

		if (!store_name(e->d_name))
			continue;
		/* A damaged index is no reason to lose the sound as well. */
		if (read_index(i, state_dir, e->d_name))
			clean(state_dir, e->d_name, i);
		else if (access(path_of(index, state_dir, e->d_name, INDEX),
				F_OK) &&
			 errno == ENOENT)
			clean(state_dir, e->d_name, NULL);
	}
	if (d)
		closedir(d);
	free(i);
}
