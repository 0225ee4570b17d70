#include "fault.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Says that the list is full. */
#define OVERFLOW_KEY "faults:more"

struct faults {
	fault_change_h *h;
	void *arg;
	size_t n;
	struct fault v[FAULT_MAX];
};

int faults_alloc(struct faults **fp, fault_change_h *h, void *arg)
{
	struct faults *f = calloc(1, sizeof(*f));

	if (!f)
		return ENOMEM;
	f->h = h;
	f->arg = arg;
	*fp = f;
	return 0;
}

struct faults *faults_free(struct faults *f)
{
	free(f);
	return NULL;
}

static struct fault *find(const struct faults *f, const char *key)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->v[i].key, key))
			return (struct fault *)&f->v[i];
	return NULL;
}

const struct fault *fault_find(const struct faults *f, const char *key)
{
	return find(f, key);
}

size_t fault_count(const struct faults *f)
{
	return f->n;
}

static void tell(struct faults *f, const struct fault *x, bool raised)
{
	/* A copy: the handler may raise and clear. */
	struct fault copy = *x;

	if (f->h)
		f->h(&copy, raised, f->arg);
}

static struct fault *add(struct faults *f, const char *key)
{
	struct fault *x;

	if (f->n == FAULT_MAX - 1 && strcmp(key, OVERFLOW_KEY)) {
		fault_raise(f, OVERFLOW_KEY, 0,
			    "Deal with the faults listed first.",
			    "more than %d faults stand; further ones are not "
			    "listed",
			    FAULT_MAX - 1);
		return NULL;
	}
	if (f->n == FAULT_MAX)
		return NULL;
	x = &f->v[f->n++];
	memset(x, 0, sizeof(*x));
	snprintf(x->key, sizeof(x->key), "%s", key);
	x->since_wall_us = clock_wall_us();
	x->since_us = clock_mono_us();
	return x;
}

void fault_raise(struct faults *f, const char *key, uint32_t detect_ms,
		 const char *remedy, const char *fmt, ...)
{
	struct fault *x = find(f, key);
	char text[sizeof(x->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_clean(text);
	if (x && !strcmp(x->text, text))
		return;
	if (!x)
		x = add(f, key);
	if (!x)
		return;
	x->detect_ms = detect_ms;
	snprintf(x->text, sizeof(x->text), "%s", text);
	snprintf(x->remedy, sizeof(x->remedy), "%s", remedy ? remedy : "");
	tell(f, x, true);
}

static void drop(struct faults *f, struct fault *x)
{
	struct fault was = *x;

	memmove(x, x + 1, (size_t)(&f->v[f->n] - (x + 1)) * sizeof(*x));
	f->n--;
	tell(f, &was, false);
}

void fault_clear(struct faults *f, const char *key)
{
	struct fault *x = find(f, key);

	if (!x)
		return;
	drop(f, x);
	if (f->n < FAULT_MAX - 1 && strcmp(key, OVERFLOW_KEY))
		fault_clear(f, OVERFLOW_KEY);
}

void fault_clear_prefix(struct faults *f, const char *prefix,
			bool (*keep)(const char *key, void *arg), void *arg)
{
	for (size_t i = 0; i < f->n;) {
		struct fault *x = &f->v[i];

		if (strncmp(x->key, prefix, strlen(prefix)) ||
		    (keep && keep(x->key, arg)))
			i++;
		else
			drop(f, x);
	}
}

json_t *faults_json(const struct faults *f)
{
	json_t *a = json_array();
	char since[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < f->n; i++) {
		const struct fault *x = &f->v[i];
		json_t *o =
			json_pack("{s:s,s:s,s:s,s:s,s:i}", "fault", x->key,
				  "text", x->text, "remedy", x->remedy, "since",
				  clock_format(since, x->since_wall_us),
				  "detect_ms", (int)x->detect_ms);

		if (o)
			json_array_append_new(a, o);
	}
	return a;
}
