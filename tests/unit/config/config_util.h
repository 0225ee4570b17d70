/* A configuration from a text: a directory of its own, and what was said. */
#ifndef TOCSIN_TEST_CONFIG_UTIL_H
#define TOCSIN_TEST_CONFIG_UTIL_H

#include "controller/config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct said {
	char file[256];
	int line;
	char text[1200];
};

struct world {
	char dir[64];
	struct said said[1100];
	size_t n;
};

static inline void world_hear(const struct config_where *at, const char *text,
			      void *arg)
{
	struct world *w = arg;
	struct said *s = &w->said[w->n++];

	assert_non_null(at->file);
	snprintf(s->file, sizeof(s->file), "%s", at->file);
	s->line = at->line;
	snprintf(s->text, sizeof(s->text), "%s", text);
}

static inline struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	strcpy(w->dir, "/tmp/tocsin-config-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	return w;
}

static inline const char *world_path(const struct world *w, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	return path;
}

static inline void world_write_n(const struct world *w, const char *name,
				 const char *text, size_t n)
{
	FILE *f = fopen(world_path(w, name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static inline void world_write(const struct world *w, const char *name,
			       const char *text)
{
	world_write_n(w, name, text, strlen(text));
}

/** A password file. */
static inline void world_key(const struct world *w, const char *name,
			     mode_t mode)
{
	world_write(w, name, "a-very-secret-thing\n");
	assert_int_equal(chmod(world_path(w, name), mode), 0);
}

/** Loads tocsin.conf; NULL when it was refused, *err says how. */
static inline struct config *world_load_err(struct world *w, int *err)
{
	struct config *c = NULL;
	char path[128];

	w->n = 0;
	snprintf(path, sizeof(path), "%s/tocsin.conf", w->dir);
	*err = config_load(&c, path, world_hear, w);
	assert_int_equal(!*err, c != NULL);
	return c;
}

/** Loads a text that must be good. */
static inline struct config *world_load(struct world *w, const char *text)
{
	struct config *c;
	int err;

	world_write(w, "tocsin.conf", text);
	c = world_load_err(w, &err);
	if (err)
		for (size_t i = 0; i < w->n; i++)
			print_error("%s:%d: %s\n", w->said[i].file,
				    w->said[i].line, w->said[i].text);
	assert_int_equal(err, 0);
	return c;
}

static inline void world_free(struct world *w)
{
	char command[160];

	snprintf(command, sizeof(command), "rm -rf %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
}

#endif
