/* What is kept of spoken texts stays within its bound. */
#include "speech.h"
#include "speech_internal.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** Files looked at in one go; the rest waits for the next. */
#define MAX_FILES 20000

struct kept {
	char name[SPEECH_KEY_SIZE + 16];
	uint64_t bytes;
	struct timespec used;
};

static int by_use(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	return x->used.tv_nsec < y->used.tv_nsec   ? -1
	       : x->used.tv_nsec > y->used.tv_nsec ? 1
						   : 0;
}

static size_t look(DIR *d, struct kept *v, uint64_t *sum)
{
	const struct dirent *e;
	size_t n = 0;

	*sum = 0;
	while (n < MAX_FILES && (e = readdir(d))) {
		struct stat st;

		if (*e->d_name == '.' || strlen(e->d_name) >= sizeof(v->name) ||
		    fstatat(dirfd(d), e->d_name, &st, 0) ||
		    !S_ISREG(st.st_mode))
			continue;
		strcpy(v[n].name, e->d_name);
		v[n].bytes = (uint64_t)st.st_size;
		v[n].used = st.st_mtim;
		*sum += v[n++].bytes;
	}
	return n;
}

void speech_prune(const struct speech *s)
{
	DIR *d = s->keep ? opendir(s->dir) : NULL;
	struct kept *v = d ? calloc(MAX_FILES, sizeof(*v)) : NULL;
	uint64_t sum;
	size_t n;

	if (v) {
		n = look(d, v, &sum);
		qsort(v, n, sizeof(*v), by_use);
		for (size_t i = 0; i < n && sum > s->cache; i++)
			if (!unlinkat(dirfd(d), v[i].name, 0))
				sum -= v[i].bytes;
	}
	free(v);
	if (d)
		closedir(d);
}
