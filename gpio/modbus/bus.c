/* The owner's half of a bus: what is called from, and delivered in, the thread
 * that made it. Nothing here waits for the bus, but for the farewell. */
#include "gpio/modbus/bus_internal.h"

#include "controller/base/compat.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* Notes handled in one wake-up; the rest waits for the next turn. */
#define BATCH 256

struct mbus {
	struct mbus_link *link;
	struct mqueue *mq;
	pthread_t thread;
	mbus_reading_h *readingh;
	mbus_state_h *stateh;
	void *arg;
	unsigned number; /* of the plan in force */
	bool *gone;      /* set when mbus_free() is called by a handler */
};

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one));
}

struct mbus_work *mbus_work_free(struct mbus_work *w)
{
	if (!w)
		return NULL;
	free(w->p);
	free(w->want);
	free(w->known);
	free(w->dirty);
	free(w);
	return NULL;
}

void mbus_link_unref(struct mbus_link *l)
{
	unsigned refs;

	pthread_mutex_lock(&l->lock);
	refs = --l->refs;
	pthread_mutex_unlock(&l->lock);
	if (refs)
		return;
	mbus_work_free(l->next);
	free(l->want);
	free(l->dirty);
	free(l->up);
	free(l->latest);
	free(l->is_late);
	if (l->wakefd >= 0)
		close(l->wakefd);
	if (l->stopfd >= 0)
		close(l->stopfd);
	pthread_cond_destroy(&l->end);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* ------------------------------------------------------------------ upwards */

void mbus_tell(struct mbus_link *l, const struct mbus_note *note)
{
	pthread_mutex_lock(&l->lock);
	if (l->up_n < MBUS_QUEUE && !l->n_late && !l->state_late) {
		l->up[(l->up_first + l->up_n++) % MBUS_QUEUE] = *note;
	} else if (note->is_state) {
		l->state_late = true;
		l->state = *note;
	} else if (note->plan == l->number) {
		size_t i = note->r.point;

		l->n_late += !l->is_late[i];
		l->is_late[i] = true;
		l->latest[i] = *note;
	}
	if (!l->woken && l->mq)
		l->woken = !mqueue_push(l->mq, 0, NULL);
	pthread_mutex_unlock(&l->lock);
}

/** The next note; false when there is none. */
static bool take(struct mbus_link *l, struct mbus_note *note)
{
	bool any = true;

	pthread_mutex_lock(&l->lock);
	if (l->up_n) {
		*note = l->up[l->up_first];
		l->up_first = (l->up_first + 1) % MBUS_QUEUE;
		l->up_n--;
	} else if (l->state_late) {
		*note = l->state;
		l->state_late = false;
	} else if (l->n_late) {
		size_t i = 0;

		while (!l->is_late[i])
			i++;
		*note = l->latest[i];
		l->is_late[i] = false;
		l->n_late--;
	} else {
		/* With the lock held: whoever adds now pushes a new wake-up. */
		l->woken = false;
		any = false;
	}
	pthread_mutex_unlock(&l->lock);
	return any;
}

static void deliver(struct mbus *b, struct mbus_note *note)
{
	if (note->is_state) {
		b->stateh(note->connected, note->text, b->arg);
	} else if (note->plan == b->number) {
		note->r.text = note->text;
		b->readingh(&note->r, b->arg);
	}
}

static void on_wake(int id, void *data, void *arg)
{
	struct mbus *b = arg;
	struct mbus_note note;
	bool gone = false;

	(void)id;
	(void)data;
	b->gone = &gone;
	for (int i = 0; i < BATCH; i++) {
		if (!take(b->link, &note))
			goto out;
		deliver(b, &note);
		if (gone)
			return;
	}
	/* `woken` stays set: this is the one wake-up in the pipe. */
	if (mqueue_push(b->mq, 0, NULL)) {
		pthread_mutex_lock(&b->link->lock);
		b->link->woken = false;
		pthread_mutex_unlock(&b->link->lock);
	}
out:
	b->gone = NULL;
}

/* -------------------------------------------------------------------- start */

static struct mbus_link *link_alloc(const struct mbus_address *a)
{
	struct mbus_link *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	if (!l)
		return NULL;
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->end, &attr);
	pthread_condattr_destroy(&attr);
	l->refs = 1;
	l->address = *a;
	l->up = calloc(MBUS_QUEUE, sizeof(*l->up));
	l->wakefd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->stopfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->up && l->wakefd >= 0 && l->stopfd >= 0)
		return l;
	mbus_link_unref(l);
	return NULL;
}

/* Signals belong to the control thread. */
static int start_thread(struct mbus *b)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	b->link->refs++;
	err = pthread_create(&b->thread, NULL, mbus_main, b->link);
	if (err)
		b->link->refs--;
	else
		pthread_setname_np(b->thread, "modbus");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

int mbus_alloc(struct mbus **bp, const struct mbus_address *a,
	       mbus_reading_h *readingh, mbus_state_h *stateh, void *arg)
{
	struct mbus *b = calloc(1, sizeof(*b));
	int err = ENOMEM;

	if (!b)
		return ENOMEM;
	b->readingh = readingh;
	b->stateh = stateh;
	b->arg = arg;
	b->link = link_alloc(a);
	if (!b->link)
		goto out;
	err = mqueue_alloc(&b->mq, on_wake, b);
	if (err)
		goto out;
	b->link->mq = b->mq;
	err = start_thread(b);
out:
	if (err) {
		mem_deref(b->mq);
		if (b->link)
			mbus_link_unref(b->link);
		free(b);
		return err;
	}
	*bp = b;
	return 0;
}

void mbus_stop(struct mbus *b)
{
	struct mbus_link *l = b->link;

	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_mutex_unlock(&l->lock);
	signal_fd(l->stopfd);
	signal_fd(l->wakefd);
}

struct mbus *mbus_free(struct mbus *b, bool wait)
{
	struct timespec until;
	struct mbus_link *l;
	int err = wait ? 0 : ETIMEDOUT;

	if (!b)
		return NULL;
	l = b->link;
	if (b->gone)
		*b->gone = true;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (MBUS_FAREWELL_MS % 1000) * 1000000L;
	until.tv_sec += MBUS_FAREWELL_MS / 1000 + until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;

	mbus_stop(b);
	pthread_mutex_lock(&l->lock);
	l->mq = NULL;
	while (!l->ended && !err)
		err = pthread_cond_timedwait(&l->end, &l->lock, &until);
	pthread_mutex_unlock(&l->lock);
	if (err)
		pthread_detach(b->thread);
	else
		pthread_join(b->thread, NULL);
	mem_deref(b->mq);
	mbus_link_unref(l);
	free(b);
	return NULL;
}

/* --------------------------------------------------------------------- work */

static struct mbus_work *work_alloc(const struct mbus_point *p, size_t n,
				    const struct mbus_timing *t)
{
	struct mbus_work *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->n = n;
	w->timing = *t;
	w->p = calloc(n + 1, sizeof(*w->p));
	w->want = calloc(n + 1, sizeof(*w->want));
	w->known = calloc(n + 1, sizeof(*w->known));
	w->dirty = calloc(n + 1, sizeof(*w->dirty));
	if (!w->p || !w->want || !w->known || !w->dirty)
		return mbus_work_free(w);
	if (n)
		memcpy(w->p, p, n * sizeof(*p));
	return w;
}

int mbus_points(struct mbus *b, const struct mbus_point *p, size_t n,
		const struct mbus_timing *t)
{
	struct mbus_link *l = b->link;
	struct mbus_work *w, *old;
	struct mbus_note *latest;
	uint16_t *want;
	bool *dirty, *late;

	if (n > MBUS_MAX_POINTS)
		return EINVAL;
	w = work_alloc(p, n, t);
	want = calloc(n + 1, sizeof(*want));
	dirty = calloc(n + 1, sizeof(*dirty));
	late = calloc(n + 1, sizeof(*late));
	latest = calloc(n + 1, sizeof(*latest));
	if (!w || !want || !dirty || !late || !latest) {
		mbus_work_free(w);
		free(want);
		free(dirty);
		free(late);
		free(latest);
		return ENOMEM;
	}
	pthread_mutex_lock(&l->lock);
	w->number = b->number = ++l->number;
	old = l->next;
	l->next = w;
	free(l->want);
	free(l->dirty);
	free(l->is_late);
	free(l->latest);
	l->want = want;
	l->dirty = dirty;
	l->is_late = late;
	l->latest = latest;
	l->n = n;
	l->n_late = 0;
	pthread_mutex_unlock(&l->lock);
	signal_fd(l->wakefd);
	mbus_work_free(old);
	return 0;
}

void mbus_write(struct mbus *b, size_t point, uint16_t value)
{
	struct mbus_link *l = b->link;

	pthread_mutex_lock(&l->lock);
	if (point < l->n) {
		l->want[point] = value;
		l->dirty[point] = true;
	}
	pthread_mutex_unlock(&l->lock);
	signal_fd(l->wakefd);
}

void mbus_counters(const struct mbus *b, struct mbus_counters *c)
{
	pthread_mutex_lock(&b->link->lock);
	*c = b->link->count;
	pthread_mutex_unlock(&b->link->lock);
}
