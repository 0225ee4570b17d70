#include "spoken.h"

#include "controller/base/compat.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job {
	struct job *next;           /**< in the queue; lock held */
	struct job *before, *after; /**< of all; control thread */
	struct spoken *owner;
	struct config_message m;
	struct message_kit kit;
	struct pcm speech; /**< recorded; v NULL = none: it is to be made */
	uint32_t min_ms;   /**< of that */
	bool urgent, queued;
	struct tmr tmr;
	spoken_h *h; /**< NULL = answered already */
	void *arg;
	struct clip *clip;
	struct message_facts facts;
	struct reason why;
};

struct spoken {
	struct mqueue *mq;
	pthread_t thread;
	bool runs;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct job *queue; /**< urgent ones first */
	bool stop;
	int cancel; /**< eventfd, readable when it is to end */
	struct job *all;
	size_t n;
};

static void job_free(struct job *j)
{
	struct spoken *s = j->owner;

	tmr_cancel(&j->tmr);
	if (j->before)
		j->before->after = j->after;
	else
		s->all = j->after;
	if (j->after)
		j->after->before = j->before;
	s->n--;
	clip_unref(j->clip);
	config_message_reset(&j->m);
	pcm_reset(&j->speech);
	speech_unref(j->kit.speech);
	free(j);
}

/** Once; the clip goes with it. */
static void answer(struct job *j, const struct reason *why)
{
	spoken_h *h = j->h;
	struct clip *clip = j->clip;

	j->h = NULL;
	j->clip = NULL;
	if (h)
		h(clip, &j->facts, why, j->arg);
	else
		clip_unref(clip);
}

static void make(struct job *j)
{
	int err;

	if (j->speech.v) {
		err = message_of_speech(&j->clip, &j->facts, &j->m, &j->kit,
					&j->speech, j->min_ms, &j->why);
	} else {
		err = message_make(&j->clip, &j->facts, &j->m, &j->kit, false,
				   &j->why);
		speech_prune(j->kit.speech);
	}
	if (err)
		j->clip = NULL;
}

static void *worker(void *arg)
{
	struct spoken *s = arg;

	pthread_setname_np(pthread_self(), "speech");
	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		struct job *j = s->queue;

		if (!j) {
			pthread_cond_wait(&s->work, &s->lock);
			continue;
		}
		s->queue = j->next;
		j->queued = false;
		pthread_mutex_unlock(&s->lock);
		make(j);
		mqueue_push(s->mq, 0, j);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void on_done(int id, void *data, void *arg)
{
	struct job *j = data;

	(void)id;
	(void)arg;
	tmr_cancel(&j->tmr);
	answer(j, &j->why);
	job_free(j);
}

/** Takes it out of the queue; false when the worker has it. */
static bool take_back(struct job *j)
{
	struct spoken *s = j->owner;
	bool queued;

	pthread_mutex_lock(&s->lock);
	queued = j->queued;
	for (struct job **p = &s->queue; queued && *p; p = &(*p)->next)
		if (*p == j) {
			*p = j->next;
			break;
		}
	pthread_mutex_unlock(&s->lock);
	return queued;
}

static void on_deadline(void *arg)
{
	struct job *j = arg;
	struct reason why = {"it was not spoken in time"};
	spoken_h *h = j->h;
	const struct message_facts none = {0};

	/* The worker may be writing its result: that is not looked at. */
	j->h = NULL;
	if (h)
		h(NULL, &none, &why, j->arg);
	if (take_back(j))
		job_free(j);
}

int spoken_alloc(struct spoken **sp)
{
	struct spoken *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return ENOMEM;
	s->cancel = eventfd(0, EFD_CLOEXEC);
	err = s->cancel < 0 ? errno : mqueue_alloc(&s->mq, on_done, s);
	if (err) {
		if (s->cancel >= 0)
			close(s->cancel);
		free(s);
		return err;
	}
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->work, NULL);
	*sp = s;
	return 0;
}

struct spoken *spoken_free(struct spoken *s)
{
	const struct reason why = {"the daemon stops"};

	if (!s)
		return NULL;
	if (s->runs) {
		pthread_mutex_lock(&s->lock);
		s->stop = true;
		pthread_cond_signal(&s->work);
		pthread_mutex_unlock(&s->lock);
		(void)eventfd_write(s->cancel, 1);
		pthread_join(s->thread, NULL);
	}
	while (s->all) {
		struct job *j = s->all;

		j->clip = clip_unref(j->clip);
		answer(j, &why);
		job_free(j);
	}
	mem_deref(s->mq);
	close(s->cancel);
	pthread_cond_destroy(&s->work);
	pthread_mutex_destroy(&s->lock);
	free(s);
	return NULL;
}

static void enqueue(struct spoken *s, struct job *j)
{
	struct job **p = &s->queue;

	pthread_mutex_lock(&s->lock);
	while (*p && (*p)->urgent >= j->urgent)
		p = &(*p)->next;
	j->next = *p;
	*p = j;
	j->queued = true;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
}

/** A job that is not queued yet, its handler unset. */
static int job_alloc(struct job **jp, struct spoken *s,
		     const struct config_message *m,
		     const struct message_kit *kit)
{
	struct job *j;

	if (s->n >= SPOKEN_MAX_JOBS)
		return ENOSPC;
	if (!s->runs && pthread_create(&s->thread, NULL, worker, s))
		return EAGAIN;
	s->runs = true;
	j = calloc(1, sizeof(*j));
	if (!j || message_copy(&j->m, m)) {
		free(j);
		return ENOMEM;
	}
	j->owner = s;
	j->kit = *kit;
	j->kit.speech = speech_ref(kit->speech);
	j->kit.how = SPEECH_RENDER;
	j->kit.cancel = s->cancel;
	tmr_init(&j->tmr);
	j->after = s->all;
	if (s->all)
		s->all->before = j;
	s->all = j;
	s->n++;
	*jp = j;
	return 0;
}

static void begin(struct job *j, uint32_t wait_ms, spoken_h *h, void *arg)
{
	j->h = h;
	j->arg = arg;
	tmr_start(&j->tmr, wait_ms, on_deadline, j);
	enqueue(j->owner, j);
}

int spoken_make(struct spoken *s, const struct config_message *m,
		const struct message_kit *kit, bool urgent, uint32_t wait_ms,
		spoken_h *h, void *arg)
{
	struct job *j = NULL;
	int err = job_alloc(&j, s, m, kit);

	if (err)
		return err;
	j->urgent = urgent;
	begin(j, wait_ms, h, arg);
	return 0;
}

int spoken_record(struct spoken *s, const struct config_message *m,
		  const struct message_kit *kit, struct pcm *p, uint32_t min_ms,
		  uint32_t wait_ms, spoken_h *h, void *arg)
{
	struct job *j = NULL;
	int err = p->v ? job_alloc(&j, s, m, kit) : EINVAL;

	if (err)
		return err;
	j->speech = *p;
	*p = (struct pcm){0};
	j->min_ms = min_ms;
	begin(j, wait_ms, h, arg);
	return 0;
}
