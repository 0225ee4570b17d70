/*
 * getaddrinfo() may take many seconds and cannot be stopped: each name has a
 * detached thread. It shares `struct answer` with us, which who lets go of it
 * last frees; an answer is handed over by an mqueue while we still want it.
 */
#include "lookup.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct answer {
	pthread_mutex_t mutex;
	unsigned holders;
	struct mqueue *to; /* NULL: nobody wants it any more */
	char host[256];
	struct sa v[LOOKUP_MAX];
	size_t n;
	int err;
};

struct lookup {
	struct answer *answer;
	struct mqueue *mq;
	lookup_h *h;
	void *arg;
};

static void let_go(struct answer *a)
{
	bool last;

	pthread_mutex_lock(&a->mutex);
	last = !--a->holders;
	pthread_mutex_unlock(&a->mutex);
	if (!last)
		return;
	pthread_mutex_destroy(&a->mutex);
	free(a);
}

static void *run(void *arg)
{
	struct answer *a = arg;
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *list = NULL, *i;

	a->err = getaddrinfo(a->host, NULL, &hints, &list);
	for (i = a->err ? NULL : list; i && a->n < LOOKUP_MAX; i = i->ai_next)
		if (!sa_set_sa(&a->v[a->n], i->ai_addr))
			a->n++;
	if (list)
		freeaddrinfo(list);
	pthread_mutex_lock(&a->mutex);
	if (a->to)
		(void)mqueue_push(a->to, 0, NULL);
	pthread_mutex_unlock(&a->mutex);
	let_go(a);
	return NULL;
}

static void destructor(void *arg)
{
	struct lookup *l = arg;

	if (l->answer) {
		pthread_mutex_lock(&l->answer->mutex);
		l->answer->to = NULL;
		pthread_mutex_unlock(&l->answer->mutex);
		let_go(l->answer);
	}
	mem_deref(l->mq);
}

static void on_answer(int id, void *data, void *arg)
{
	struct lookup *l = arg;
	struct answer *a = l->answer;

	(void)id;
	(void)data;
	l->h(a->v, a->n, a->err ? gai_strerror(a->err) : "it has no address",
	     l->arg);
	mem_deref(l);
}

static int spawn(struct answer *a)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	sigfillset(&all);
	err = pthread_attr_init(&attr);
	if (err)
		return err;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, 256 << 10);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, &attr, run, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return err;
}

int lookup_start(struct lookup **lp, const char *host, lookup_h *h, void *arg)
{
	struct lookup *l = mem_zalloc(sizeof(*l), destructor);
	int err = ENOMEM;

	if (!l)
		return ENOMEM;
	l->h = h;
	l->arg = arg;
	l->answer = calloc(1, sizeof(*l->answer));
	if (l->answer) {
		pthread_mutex_init(&l->answer->mutex, NULL);
		l->answer->holders = 1;
		(void)re_snprintf(l->answer->host, sizeof(l->answer->host),
				  "%s", host);
		err = mqueue_alloc(&l->mq, on_answer, l);
	}
	if (!err) {
		l->answer->to = l->mq;
		l->answer->holders = 2;
		err = spawn(l->answer);
		if (err)
			l->answer->holders = 1;
	}
	if (err)
		mem_deref(l);
	else
		*lp = l;
	return err;
}

void lookup_end(struct lookup *l)
{
	mem_deref(l);
}
