/* Reads the main file and its drop-ins whole, within limits. */
#include "load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** Directory a file is in, absolute; NULL on ENOMEM. */
static char *directory(struct load *l, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir =
		slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	char *real = dir ? realpath(dir, NULL) : NULL;

	/* A directory that may not be looked into from above: as given. */
	if (dir && !real)
		return dir;
	free(dir);
	if (!real)
		l->p->nomem = true;
	return real;
}

/** Whole regular file with a NUL behind it; 0 or errno. */
static int slurp(const char *path, char **text, size_t *len)
{
	/* Non-blocking: a FIFO would hold us here for ever. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	char *buf;
	ssize_t n;
	int err = 0;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st))
		err = errno;
	else if (!S_ISREG(st.st_mode))
		err = S_ISDIR(st.st_mode) ? EISDIR : ENOTSUP;
	buf = err ? NULL : malloc(LOAD_MAX_FILE + 2);
	if (!err && !buf)
		err = ENOMEM;
	*len = 0;
	while (!err && *len <= LOAD_MAX_FILE) {
		n = read(fd, buf + *len, LOAD_MAX_FILE + 1 - *len);
		if (n < 0)
			err = errno;
		else if (!n)
			break;
		else
			*len += (size_t)n;
	}
	if (!err && *len > LOAD_MAX_FILE)
		err = EFBIG;
	close(fd);
	if (err) {
		free(buf);
		return err;
	}
	buf[*len] = '\0';
	*text = buf;
	return 0;
}

static const char *cause(int err)
{
	switch (err) {
	case ENOTSUP:
		return "it is no regular file";
	case EFBIG:
		return "it is larger than 1 MiB";
	default:
		return strerror(err);
	}
}

static bool is_scope_section(const char *parent, const char *name)
{
	const struct config_section *p = schema_section(&config_schema, parent);

	/* Inside an unknown section nothing can be said. */
	return p && schema_section(&config_schema, name) &&
	       !schema_section(p, name);
}

static int load_file(struct load *l, const char *path)
{
	struct load_file *f = &l->file[l->n_files];
	struct config *c = l->c;
	char *text = NULL;
	size_t len = 0;
	int err;

	f->name = load_strdup(l, path);
	if (!f->name)
		return ENOMEM;
	c->files[c->n_files++] = f->name;
	l->n_files++;
	err = slurp(path, &text, &len);
	if (err) {
		problem_add(l->p, (struct config_where){f->name, 1},
			    "cannot be read: %s", cause(err));
		return err;
	}
	f->dir = directory(l, path);
	scan_text(&f->scan, f->name, text, len, is_scope_section, l->p);
	return 0;
}

static int is_dropin(const struct dirent *d)
{
	const size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 &&
	       !strcmp(d->d_name + n - 5, ".conf");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_dropins(struct load *l, const char *path)
{
	const char *slash = strrchr(path, '/');
	const int base = slash ? (int)(slash - path) + 1 : 0;
	const struct config_where at = {l->file[0].name, 1};
	struct dirent **list;
	char *dir, *name;
	int n;

	if (asprintf(&dir, "%.*sconf.d", base, path) < 0) {
		l->p->nomem = true;
		return;
	}
	n = scandir(dir, &list, is_dropin, by_name);
	if (n < 0 && errno != ENOENT)
		problem_add(l->p, at, "%s: cannot be read: %s", dir,
			    strerror(errno));
	if (n > LOAD_MAX_DROPINS)
		problem_add(l->p, at,
			    "%s holds %d files, %d are the most: join some",
			    dir, n, LOAD_MAX_DROPINS);
	for (int i = 0; i < n; i++) {
		if (i < LOAD_MAX_DROPINS) {
			if (asprintf(&name, "%s/%s", dir, list[i]->d_name) <
			    0) {
				l->p->nomem = true;
			} else {
				load_file(l, name);
				free(name);
			}
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	free(dir);
}

int load_files(struct load *l, const char *path)
{
	int err;

	l->c->files = load_calloc(l, 1 + LOAD_MAX_DROPINS, sizeof(char *));
	if (!l->c->files)
		return ENOMEM;
	err = load_file(l, path);
	if (err)
		return err == ENOENT || err == EACCES || err == ENOMEM ? err
								       : EINVAL;
	load_dropins(l, path);
	return 0;
}
