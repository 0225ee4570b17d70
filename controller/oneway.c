#include "oneway.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct oneway {
	struct faults *faults;
	struct {
		char key[96];      /**< "" = free */
		uint64_t until_ms; /**< monotonic */
	} v[ONEWAY_CALLERS];
	struct tmr tmr;
};

void oneway_agreed(struct oneway_facts *f, const struct media_leg *l)
{
	socklen_t len = sizeof(f->ours);

	f->sdp = l->remote;
	f->fmt = l->fmt;
	if (l->fd >= 0)
		(void)getsockname(l->fd, (struct sockaddr *)&f->ours, &len);
}

int oneway_alloc(struct oneway **op, struct faults *f)
{
	struct oneway *o = calloc(1, sizeof(*o));

	if (!o)
		return ENOMEM;
	o->faults = f;
	tmr_init(&o->tmr);
	*op = o;
	return 0;
}

struct oneway *oneway_free(struct oneway *o)
{
	if (o)
		tmr_cancel(&o->tmr);
	free(o);
	return NULL;
}

static void key_of(const char *caller, char key[96])
{
	snprintf(key, 96, "caller:%.88s", caller);
}

static int find(const struct oneway *o, const char *key)
{
	for (int i = 0; i < ONEWAY_CALLERS; i++)
		if (!strcmp(o->v[i].key, key))
			return i;
	return -1;
}

static void end(struct oneway *o, int i)
{
	fault_clear(o->faults, o->v[i].key);
	*o->v[i].key = '\0';
}

/** The one that ends first, -1 = there is none. */
static int oldest(const struct oneway *o)
{
	int best = -1;

	for (int i = 0; i < ONEWAY_CALLERS; i++)
		if (*o->v[i].key &&
		    (best < 0 || o->v[i].until_ms < o->v[best].until_ms))
			best = i;
	return best;
}

static void on_due(void *arg)
{
	struct oneway *o = arg;
	const uint64_t now = clock_mono_ms();
	int i;

	while ((i = oldest(o)) >= 0 && o->v[i].until_ms <= now)
		end(o, i);
	if (i >= 0)
		tmr_start(&o->tmr, o->v[i].until_ms - now, on_due, o);
}

void oneway_silent(struct oneway *o, const char *caller,
		   const struct oneway_verdict *v, uint32_t detect_ms)
{
	char key[96];
	int i;

	key_of(caller, key);
	i = find(o, key);
	if (i < 0)
		i = find(o, "");
	if (i < 0) {
		i = oldest(o);
		end(o, i);
	}
	memcpy(o->v[i].key, key, sizeof(key));
	o->v[i].until_ms = clock_mono_ms() + ONEWAY_KEPT_MS;
	fault_raise(o->faults, key, detect_ms, v->remedy,
		    "nothing is heard of caller %.80s: %s", caller, v->text);
	on_due(o);
}

void oneway_heard(struct oneway *o, const char *caller)
{
	char key[96];
	int i;

	key_of(caller, key);
	i = find(o, key);
	if (i >= 0)
		end(o, i);
}
