#include "fault.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"
#include "text_json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Key of the fault that says that more stand than are listed. */
#define MORE_KEY "faults"
/** Keys of faults beyond the list that are remembered, to know when the last
 *  of them cleared. */
#define HIDDEN_MAX 4096

#define SLOTS (FAULT_MAX + 1) /* and the one that says that more stand */

struct faults {
	fault_change_h *h;
	void *arg;
	size_t n;
	size_t warnings;       /**< of n */
	uint16_t order[SLOTS]; /**< slots in use, oldest first, then the free */
	uint32_t hash[SLOTS];  /**< of the key, by place in order */
	struct {
		char key[sizeof(((struct fault *)0)->key)];
	} * hidden;
	size_t n_hidden;
	bool uncounted; /**< more than HIDDEN_MAX were hidden */
	/* Raising must not fail for want of memory. */
	struct fault slot[SLOTS];
};

int faults_alloc(struct faults **fp, fault_change_h *h, void *arg)
{
	struct faults *f = calloc(1, sizeof(*f));

	if (!f)
		return ENOMEM;
	f->hidden = calloc(HIDDEN_MAX, sizeof(*f->hidden));
	if (!f->hidden) {
		free(f);
		return ENOMEM;
	}
	f->h = h;
	f->arg = arg;
	for (size_t i = 0; i < SLOTS; i++)
		f->order[i] = (uint16_t)i;
	*fp = f;
	return 0;
}

struct faults *faults_free(struct faults *f)
{
	if (!f)
		return NULL;
	free(f->hidden);
	free(f);
	return NULL;
}

/* A key counts up to what struct fault keeps of it. */
static bool same_key(const char *kept, const char *key)
{
	return !strncmp(kept, key, sizeof(((struct fault *)0)->key) - 1);
}

static uint32_t hash_of(const char *key)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < sizeof(((struct fault *)0)->key) - 1 && key[i];
	     i++)
		h = (h ^ (unsigned char)key[i]) * 16777619u;
	return h;
}

/* The place in order, or n. Parts clear what does not stand once a second:
 * the hashes keep that from walking through all the texts. */
static size_t place_of(const struct faults *f, const char *key)
{
	uint32_t h = hash_of(key);
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->hash[i] == h && same_key(f->slot[f->order[i]].key, key))
			break;
	return i;
}

static size_t hidden_place(const struct faults *f, const char *key)
{
	size_t i;

	for (i = 0; i < f->n_hidden; i++)
		if (same_key(f->hidden[i].key, key))
			break;
	return i;
}

/* The handler gets a copy, last: it may raise and clear itself. */
static void tell(struct faults *f, const struct fault *x, bool raised)
{
	struct fault copy = *x;

	if (f->h)
		f->h(&copy, raised, f->arg);
}

static void add(struct faults *f, const char *key, bool warning,
		uint32_t detect_ms, const char *remedy, const char *text)
{
	struct fault *x = &f->slot[f->order[f->n]];

	f->hash[f->n++] = hash_of(key);
	snprintf(x->key, sizeof(x->key), "%s", key);
	snprintf(x->text, sizeof(x->text), "%s", text);
	snprintf(x->remedy, sizeof(x->remedy), "%s", remedy);
	x->since_wall_us = clock_wall_us();
	x->since_us = clock_mono_us();
	x->detect_ms = detect_ms;
	x->warning = warning;
	f->warnings += warning;
	tell(f, x, true);
}

static void remove_at(struct faults *f, size_t i)
{
	uint16_t slot = f->order[i];

	f->n--;
	f->warnings -= f->slot[slot].warning;
	memmove(&f->order[i], &f->order[i + 1],
		(f->n - i) * sizeof(f->order[0]));
	memmove(&f->hash[i], &f->hash[i + 1], (f->n - i) * sizeof(f->hash[0]));
	f->order[f->n] = slot;
	tell(f, &f->slot[slot], false);
}

/* Listed ones, without the one that says that more stand. */
static size_t listed(const struct faults *f)
{
	return f->n - (place_of(f, MORE_KEY) < f->n);
}

static void hide(struct faults *f, const char *key)
{
	char text[sizeof(((struct fault *)0)->text)];

	if (hidden_place(f, key) == f->n_hidden) {
		if (f->n_hidden < HIDDEN_MAX)
			snprintf(f->hidden[f->n_hidden++].key,
				 sizeof(f->hidden[0].key), "%s", key);
		else
			f->uncounted = true;
	}
	if (place_of(f, MORE_KEY) < f->n)
		return;
	/* No count in it: each change of the text is an event. */
	snprintf(text, sizeof(text),
		 "more faults stand than the %d that are listed", FAULT_MAX);
	add(f, MORE_KEY, false, 0,
	    "Clear the listed faults; look for a cause they share, such as a "
	    "switch or a broker that is away.",
	    text);
}

/* Without their keys only an empty list proves that they have cleared. */
static void unhide(struct faults *f)
{
	size_t i = place_of(f, MORE_KEY);

	if (f->uncounted && !f->n_hidden && !listed(f))
		f->uncounted = false;
	if (!f->n_hidden && !f->uncounted && i < f->n)
		remove_at(f, i);
}

static void hidden_remove(struct faults *f, size_t i)
{
	f->hidden[i] = f->hidden[--f->n_hidden];
}

static void put(struct faults *f, const char *key, bool warning,
		uint32_t detect_ms, const char *remedy, const char *fmt,
		va_list ap)
{
	char text[sizeof(((struct fault *)0)->text)];
	size_t i = place_of(f, key), k;
	struct fault *x;

	vsnprintf(text, sizeof(text), fmt, ap);
	/* It may name what strangers named. */
	text_clean(text);
	if (i < f->n) {
		x = &f->slot[f->order[i]];
		f->warnings += (size_t)warning - x->warning;
		x->warning = warning;
		snprintf(x->remedy, sizeof(x->remedy), "%s", remedy);
		if (!strcmp(x->text, text))
			return;
		snprintf(x->text, sizeof(x->text), "%s", text);
		tell(f, x, true);
		return;
	}
	if (listed(f) == FAULT_MAX) {
		hide(f, key);
		return;
	}
	k = hidden_place(f, key);
	if (k < f->n_hidden)
		hidden_remove(f, k);
	add(f, key, warning, detect_ms, remedy, text);
	unhide(f);
}

void fault_raise(struct faults *f, const char *key, uint32_t detect_ms,
		 const char *remedy, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(f, key, false, detect_ms, remedy, fmt, ap);
	va_end(ap);
}

void fault_warn(struct faults *f, const char *key, const char *remedy,
		const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(f, key, true, 0, remedy, fmt, ap);
	va_end(ap);
}

void fault_clear(struct faults *f, const char *key)
{
	size_t i = place_of(f, key), k = hidden_place(f, key);

	if (k < f->n_hidden)
		hidden_remove(f, k);
	if (i < f->n)
		remove_at(f, i);
	unhide(f);
}

void fault_clear_prefix(struct faults *f, const char *prefix,
			bool (*keep)(const char *key, void *arg), void *arg)
{
	size_t len = strlen(prefix);

	for (size_t i = f->n_hidden; i-- > 0;)
		if (!strncmp(f->hidden[i].key, prefix, len) &&
		    !(keep && keep(f->hidden[i].key, arg)))
			hidden_remove(f, i);
	/* From the end: what the handler adds or removes meanwhile shifts only
	 * what was looked at. */
	for (size_t i = f->n; i-- > 0;) {
		const struct fault *x;

		if (i >= f->n)
			continue;
		x = &f->slot[f->order[i]];
		if (!strncmp(x->key, prefix, len) &&
		    !same_key(x->key, MORE_KEY) && !(keep && keep(x->key, arg)))
			remove_at(f, i);
	}
	unhide(f);
}

const struct fault *fault_find(const struct faults *f, const char *key)
{
	size_t i = place_of(f, key);

	return i < f->n ? &f->slot[f->order[i]] : NULL;
}

size_t fault_count(const struct faults *f)
{
	return f->n - f->warnings;
}

json_t *faults_json(const struct faults *f)
{
	json_t *a = json_array();

	for (size_t i = 0; a && i < f->n; i++) {
		const struct fault *x = &f->slot[f->order[i]];
		char since[CLOCK_TEXT_SIZE];
		json_t *o = json_pack(
			"{s:o,s:s,s:o,s:o,s:s,s:I}", "fault", text_json(x->key),
			"grade", x->warning ? "warning" : "fault", "text",
			text_json(x->text), "remedy", text_json(x->remedy),
			"since", clock_format(since, x->since_wall_us),
			"detect_ms", (json_int_t)x->detect_ms);

		if (json_array_append_new(a, o)) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}
