#include "problems.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void add(struct problems *p, struct config_where at, const char *prefix,
		const char *fmt, va_list ap)
{
	char *text, *whole;

	if (p->n == PROBLEMS_MAX) {
		p->dropped++;
		return;
	}
	if (vasprintf(&text, fmt, ap) < 0) {
		p->nomem = true;
		return;
	}
	if (asprintf(&whole, "%s%s", prefix, text) < 0)
		p->nomem = true;
	else
		p->v[p->n++] = (struct problem){at, whole};
	free(text);
}

void problem_add(struct problems *p, struct config_where at, const char *fmt,
		 ...)
{
	va_list ap;

	p->errors++;
	va_start(ap, fmt);
	add(p, at, "", fmt, ap);
	va_end(ap);
}

void problem_warn(struct problems *p, struct config_where at, const char *fmt,
		  ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(p, at, "warning: ", fmt, ap);
	va_end(ap);
}

struct order {
	char *const *files;
	size_t n;
};

static size_t rank(const struct order *o, const char *file)
{
	size_t i;

	/* The strings themselves are shared, so pointers tell files apart. */
	for (i = 0; i < o->n && o->files[i] != file; i++)
		;
	return i;
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct problem *x = *(const struct problem *const *)a;
	const struct problem *y = *(const struct problem *const *)b;
	const size_t i = rank(arg, x->at.file), k = rank(arg, y->at.file);

	if (i != k)
		return i < k ? -1 : 1;
	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	return x < y ? -1 : x > y; /* of one line: as found */
}

void problems_tell(struct problems *p, char *const *files, size_t n_files,
		   config_error_h *h, void *arg)
{
	struct order o = {files, n_files};
	const struct problem *sorted[PROBLEMS_MAX];

	for (size_t i = 0; i < p->n; i++)
		sorted[i] = &p->v[i];
	qsort_r(sorted, p->n, sizeof(*sorted), compare, &o);
	for (size_t i = 0; i < p->n; i++)
		h(&sorted[i]->at, sorted[i]->text, arg);
	if (p->dropped) {
		char text[80];

		snprintf(text, sizeof(text),
			 "%zu more problems are not shown: correct these first",
			 p->dropped);
		h(&sorted[p->n - 1]->at, text, arg);
	}
}

void problems_reset(struct problems *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].text);
	memset(p, 0, sizeof(*p));
}
