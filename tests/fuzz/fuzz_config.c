/* Any text: read or refused with a reason, never worse; and what is read is
 * printed such that it reads as the same. */
#include "controller/config/config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_problem(const struct config_where *at, const char *text,
		       void *arg)
{
	if (!at->file || at->line < 1 || !*text)
		abort();
	++*(size_t *)arg;
}

/** Loads bytes as a file without a file system. */
static struct config *load(const void *data, size_t size)
{
	struct config *c = NULL;
	const int fd = memfd_create("config", MFD_CLOEXEC);
	size_t told = 0;
	char path[32];
	int err;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = config_load(&c, path, on_problem, &told);
	close(fd);
	if (err && !told)
		abort(); /* refused without a word */
	if (!err != (c != NULL))
		abort();
	return c;
}

static char *dump(const struct config *c, size_t *size)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, size);

	if (!f)
		abort();
	config_dump(c, f);
	fclose(f);
	return text;
}

/** Behind the comments that name the files. */
static const char *body(const char *text)
{
	while (*text == '#')
		text = strchr(text, '\n') + 1;
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c = load(data, size), *d;
	char *first, *second;
	size_t n, m;

	if (!c)
		return 0;
	first = dump(c, &n);
	d = load(first, n);
	if (!d) {
		fputs(first, stderr);
		abort();
	}
	second = dump(d, &m);
	if (strcmp(body(first), body(second))) {
		fprintf(stderr, "%s\n---\n%s", first, second);
		abort();
	}
	free(first);
	free(second);
	config_free(c);
	config_free(d);
	return 0;
}
