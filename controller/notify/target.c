#include "target.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/** The end of the daemon waits so long for what is to be said. */
#define LAST_WORDS_US 1000000
#define LOOK_US 1000000

struct item {
	struct item *next;
	struct event e;
};

struct target {
	struct config_notify conf; /**< own copy */
	char *site;
	const struct target_kind *kind;
	pthread_t thread;
	pthread_mutex_t lock; /**< for all down to state */
	pthread_cond_t work;
	struct item *first, **last;
	size_t waiting; /**< in the list */
	bool closing;
	uint64_t closing_us; /**< control thread */
	struct target_state state;
	_Atomic bool stop;
	int cancel;
	/* the thread's */
	struct item *batch;
	size_t n_batch;
	uint64_t not_before_us;
	uint32_t retry_ms;
};

double target_age_s(const struct event *e)
{
	return (double)(clock_mono_us() - e->mono_us) / 1e6;
}

/* -------------------------------------------------------------- the thread */

static void wait_until(struct target *t, uint64_t at_us)
{
	const struct timespec at = {(time_t)(at_us / 1000000),
				    (long)(at_us % 1000000) * 1000};

	pthread_cond_timedwait(&t->work, &t->lock, &at);
}

/** When the next batch is due. Lock held. */
static uint64_t due(const struct target *t)
{
	uint64_t at = t->not_before_us;

	if (!t->n_batch && t->first) {
		const uint64_t gathered = t->first->e.mono_us +
					  t->kind->gather_ms * UINT64_C(1000);

		if (gathered > at)
			at = gathered;
	}
	/* Now or never. */
	return t->closing ? 0 : at;
}

/** Moves what is sent next out of the queue: it cannot be lost any more. */
static void fill_batch(struct target *t)
{
	struct item **end = &t->batch;

	while (*end)
		end = &(*end)->next;
	while (t->first && t->n_batch < t->kind->batch) {
		*end = t->first;
		t->first = t->first->next;
		end = &(*end)->next;
		*end = NULL;
		t->n_batch++;
		t->waiting--;
	}
	if (!t->first)
		t->last = &t->first;
}

static void drop_batch(struct target *t, size_t n)
{
	while (n-- && t->batch) {
		struct item *x = t->batch;

		t->batch = x->next;
		t->n_batch--;
		free(x);
	}
}

/** What came of an attempt. Lock held. */
static void note(struct target *t, int err, size_t done,
		 const struct reason *why)
{
	const uint64_t now = clock_mono_us();
	struct target_state *s = &t->state;

	drop_batch(t, done);
	if (err == EACCES)
		s->refused += done;
	else
		s->sent += done;
	if (!err) {
		s->last_wall_us = clock_wall_us();
		s->error[0] = '\0';
		t->retry_ms = TARGET_RETRY_MS;
		t->not_before_us =
			t->kind->spaced
				? now + t->conf.interval_s * UINT64_C(1000000)
				: 0;
		return;
	}
	snprintf(s->error, sizeof(s->error), "%s", why->text);
	t->not_before_us = now + t->retry_ms * UINT64_C(1000);
	t->retry_ms = t->retry_ms > TARGET_MAX_RETRY_MS / 2
			      ? TARGET_MAX_RETRY_MS
			      : t->retry_ms * 2;
}

static void attempt(struct target *t, void *link)
{
	const struct event *v[512];
	struct reason why = {""};
	size_t n = 0;
	int err;

	fill_batch(t);
	for (const struct item *x = t->batch; x; x = x->next)
		v[n++] = &x->e;
	pthread_mutex_unlock(&t->lock);
	err = t->kind->send(link, v, &n, &why);
	pthread_mutex_lock(&t->lock);
	note(t, err, n, &why);
}

static void look(struct target *t, void *link)
{
	struct reason why = {""};
	int err;

	pthread_mutex_unlock(&t->lock);
	err = t->kind->look(link, &why);
	pthread_mutex_lock(&t->lock);
	if (err > 0 || (!err && *t->state.error))
		note(t, err, 0, &why);
}

static void *run(void *arg)
{
	struct target *t = arg;
	const struct target_conf conf = {&t->conf, t->site, &t->stop,
					 t->cancel};
	void *link = t->kind->open(&conf);
	uint64_t look_us = 0;

	pthread_setname_np(pthread_self(), "notify");
	pthread_mutex_lock(&t->lock);
	while (link && !t->stop) {
		const uint64_t now = clock_mono_us(), at = due(t);
		const bool some = t->first || t->n_batch;

		if (some && at <= now) {
			attempt(t, link);
			/* One last try each. */
			if (t->closing && *t->state.error)
				break;
		} else if (t->closing) {
			break;
		} else if (t->kind->look && !some && look_us <= now &&
			   t->not_before_us <= now) {
			look(t, link);
			look_us = clock_mono_us() + LOOK_US;
		} else {
			wait_until(t, some && at < now + LOOK_US
					      ? at
					      : now + LOOK_US);
		}
	}
	if (!link)
		snprintf(t->state.error, sizeof(t->state.error),
			 "not enough memory");
	pthread_mutex_unlock(&t->lock);
	if (link)
		t->kind->close(link);
	return NULL;
}

/* ---------------------------------------------------------- the settings */

static char *copy(const char *s, bool *fine)
{
	char *d = s ? strdup(s) : NULL;

	*fine &= !s || d;
	return d;
}

static char **copy_list(char *const *v, size_t n, bool *fine)
{
	char **d = calloc(n + 1, sizeof(*d));

	*fine &= d != NULL;
	for (size_t i = 0; d && i < n; i++)
		d[i] = copy(v[i], fine);
	return d;
}

static bool copy_conf(struct config_notify *to, const struct config_notify *c)
{
	bool fine = true;

	*to = *c;
	to->name = copy(c->name, &fine);
	to->events = copy_list(c->events, c->n_events, &fine);
	to->ca = copy(c->ca, &fine);
	to->url = copy(c->url, &fine);
	to->secret_file = copy(c->secret_file, &fine);
	to->to = copy_list(c->to, c->n_to, &fine);
	to->from = copy(c->from, &fine);
	to->subject = copy(c->subject, &fine);
	to->line = copy(c->line, &fine);
	to->command = copy_list(c->command, c->n_command, &fine);
	to->syslog = copy(c->syslog, &fine);
	to->host = copy(c->host, &fine);
	to->cert = copy(c->cert, &fine);
	to->key = copy(c->key, &fine);
	return fine;
}

static bool same_list(char *const *a, size_t n, char *const *b, size_t m)
{
	bool same = n == m;

	for (size_t i = 0; same && i < n; i++)
		same = !strcmp(a[i], b[i]);
	return same;
}

/* Which events, is asked of the configuration in force. */
bool target_same(const struct target *t, const struct config_notify *c,
		 const char *site)
{
	const struct config_notify *o = &t->conf;

	return !strcmp(t->site, site) && !strcmp(o->name, c->name) &&
	       o->kind == c->kind && text_same(o->ca, c->ca) &&
	       text_same(o->url, c->url) && !strcmp(o->secret, c->secret) &&
	       o->scheme == c->scheme &&
	       same_list(o->to, o->n_to, c->to, c->n_to) &&
	       text_same(o->from, c->from) &&
	       text_same(o->subject, c->subject) &&
	       text_same(o->line, c->line) &&
	       same_list(o->command, o->n_command, c->command, c->n_command) &&
	       o->interval_s == c->interval_s &&
	       text_same(o->syslog, c->syslog) && o->facility == c->facility &&
	       text_same(o->cert, c->cert) && text_same(o->key, c->key);
}

/* -------------------------------------------------------------- its owner */

static void release(struct target *t)
{
	config_notify_reset(&t->conf);
	free(t->site);
	if (t->cancel >= 0)
		close(t->cancel);
	pthread_cond_destroy(&t->work);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

int target_alloc(struct target **tp, const struct config_notify *c,
		 const char *site)
{
	static const struct target_kind *const kinds[] = {
		[NOTIFY_URL] = &target_post,
		[NOTIFY_MAIL] = &target_mail,
		[NOTIFY_SYSLOG] = &target_syslog,
	};
	struct target *t = calloc(1, sizeof(*t));
	pthread_condattr_t attr;
	sigset_t all, old;
	bool fine;
	int err;

	if (!t)
		return ENOMEM;
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->work, &attr);
	pthread_condattr_destroy(&attr);
	t->last = &t->first;
	t->kind = kinds[c->kind];
	t->retry_ms = TARGET_RETRY_MS;
	t->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fine = copy_conf(&t->conf, c) && t->cancel >= 0;
	t->site = copy(site, &fine);
	/* Signals are the main thread's alone. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = !fine ? ENOMEM : pthread_create(&t->thread, NULL, run, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		release(t);
		return err;
	}
	*tp = t;
	return 0;
}

static void stop(struct target *t)
{
	t->stop = true;
	(void)eventfd_write(t->cancel, 1);
	pthread_mutex_lock(&t->lock);
	pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);
}

static void free_all(struct target *t)
{
	drop_batch(t, t->n_batch);
	while (t->first) {
		struct item *x = t->first;

		t->first = x->next;
		free(x);
	}
	release(t);
}

void target_close(struct target *t)
{
	pthread_mutex_lock(&t->lock);
	t->closing = true;
	t->closing_us = clock_mono_us();
	pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);
}

bool target_gone(struct target *t)
{
	if (pthread_tryjoin_np(t->thread, NULL)) {
		if (clock_mono_us() - t->closing_us > LAST_WORDS_US)
			stop(t);
		return false;
	}
	free_all(t);
	return true;
}

struct target *target_free(struct target *t)
{
	struct timespec end;

	if (!t)
		return NULL;
	if (!t->closing)
		target_close(t);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += LAST_WORDS_US / 1000000;
	if (pthread_timedjoin_np(t->thread, NULL, &end)) {
		stop(t);
		pthread_join(t->thread, NULL);
	}
	free_all(t);
	return NULL;
}

void target_put(struct target *t, const struct event *e)
{
	struct item *x = malloc(sizeof(*x)), *old = NULL;

	pthread_mutex_lock(&t->lock);
	if (!x || t->waiting == TARGET_QUEUE) {
		t->state.lost++;
		old = x ? t->first : NULL;
		if (old) {
			t->first = old->next;
			t->waiting--;
		}
	}
	if (x) {
		x->e = *e;
		x->next = NULL;
		if (!t->first)
			t->last = &t->first;
		*t->last = x;
		t->last = &x->next;
		t->waiting++;
		pthread_cond_signal(&t->work);
	}
	pthread_mutex_unlock(&t->lock);
	free(old);
}

void target_state(struct target *t, struct target_state *s)
{
	pthread_mutex_lock(&t->lock);
	*s = t->state;
	s->waiting = t->waiting + t->n_batch;
	pthread_mutex_unlock(&t->lock);
}
