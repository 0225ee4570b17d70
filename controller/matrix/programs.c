#include "programs.h"

#include "controller/base/compat.h"
#include "controller/base/text.h"
#include "controller/message/child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <unistd.h>

/** Of what it says, more than enough for the journal. */
#define MAX_OUTPUT 65536

struct job {
	TAILQ_ENTRY(job) le;
	struct programs *owner;
	pthread_t thread;
	char subject[96];
	char **argv, **env;
	uint32_t limit_ms;
	int err;
	struct reason why;
};

TAILQ_HEAD(jobs, job);

struct programs {
	struct mqueue *mq;
	programs_done_h *h;
	void *arg;
	struct jobs running, waiting;
	unsigned n_running, n_waiting;
	int cancel; /**< readable: all end */
};

static void free_texts(char **v)
{
	for (size_t i = 0; v && v[i]; i++)
		free(v[i]);
	free(v);
}

static void job_free(struct job *j)
{
	free_texts(j->argv);
	free_texts(j->env);
	free(j);
}

static char **copy_texts(char *const *v, size_t n)
{
	char **d = calloc(n + 1, sizeof(*d));

	for (size_t i = 0; d && i < n; i++) {
		d[i] = strdup(v[i]);
		if (!d[i]) {
			free_texts(d);
			return NULL;
		}
	}
	return d;
}

/** The first line of what it said joins the reason. */
static void add_output(struct job *j, int fd)
{
	size_t used = strlen(j->why.text);
	char line[120];
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);

	if (n <= 0)
		return;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	snprintf(j->why.text + used, sizeof(j->why.text) - used, ": %s", line);
	text_clean(j->why.text);
}

static void *work(void *arg)
{
	struct job *j = arg;
	const struct child_limits limits = {
		.ms = j->limit_ms,
		.bytes = MAX_OUTPUT,
		.cancel = j->owner->cancel,
		.env = j->env,
	};
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out = memfd_create("hook", MFD_CLOEXEC);

	if (in < 0 || out < 0) {
		j->err = reason_set(&j->why, errno, "%s: %s", j->argv[0],
				    strerror(errno));
	} else {
		j->err = child_run(j->argv, in, out, out, &limits, &j->why);
		if (j->err)
			add_output(j, out);
	}
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	mqueue_push(j->owner->mq, 0, j);
	return NULL;
}

static void run_next(struct programs *h)
{
	struct job *j;

	while (h->n_running < PROGRAMS_RUNNING &&
	       (j = TAILQ_FIRST(&h->waiting))) {
		TAILQ_REMOVE(&h->waiting, j, le);
		h->n_waiting--;
		if (pthread_create(&j->thread, NULL, work, j)) {
			h->h(j->subject, j->argv[0], ENOMEM,
			     "not enough memory", h->arg);
			job_free(j);
			continue;
		}
		TAILQ_INSERT_TAIL(&h->running, j, le);
		h->n_running++;
	}
}

static void on_done(int id, void *data, void *arg)
{
	struct programs *h = arg;
	struct job *j = data;

	(void)id;
	pthread_join(j->thread, NULL);
	TAILQ_REMOVE(&h->running, j, le);
	h->n_running--;
	h->h(j->subject, j->argv[0], j->err, j->why.text, h->arg);
	job_free(j);
	run_next(h);
}

int programs_alloc(struct programs **hp, programs_done_h *done, void *arg)
{
	struct programs *h = calloc(1, sizeof(*h));

	if (!h)
		return ENOMEM;
	TAILQ_INIT(&h->running);
	TAILQ_INIT(&h->waiting);
	h->h = done;
	h->arg = arg;
	h->cancel = eventfd(0, EFD_CLOEXEC);
	if (h->cancel < 0 || mqueue_alloc(&h->mq, on_done, h)) {
		programs_free(h);
		return ENOMEM;
	}
	*hp = h;
	return 0;
}

struct programs *programs_free(struct programs *h)
{
	const uint64_t one = 1;
	struct job *j;

	if (!h)
		return NULL;
	if (h->cancel >= 0 && write(h->cancel, &one, sizeof(one)) < 0)
		abort(); /* an eventfd takes its first 1 */
	while ((j = TAILQ_FIRST(&h->running))) {
		TAILQ_REMOVE(&h->running, j, le);
		pthread_join(j->thread, NULL);
		job_free(j);
	}
	while ((j = TAILQ_FIRST(&h->waiting))) {
		TAILQ_REMOVE(&h->waiting, j, le);
		job_free(j);
	}
	mem_deref(h->mq);
	if (h->cancel >= 0)
		close(h->cancel);
	free(h);
	return NULL;
}

int programs_run(struct programs *h, const char *subject, char *const *argv,
		 size_t n_argv, char *const *env, size_t n_env,
		 uint32_t limit_ms)
{
	struct job *j;

	if (h->n_waiting >= PROGRAMS_WAITING)
		return EAGAIN;
	j = calloc(1, sizeof(*j));
	if (!j)
		return ENOMEM;
	j->owner = h;
	j->limit_ms = limit_ms;
	snprintf(j->subject, sizeof(j->subject), "%s", subject);
	j->argv = copy_texts(argv, n_argv);
	j->env = copy_texts(env, n_env);
	if (!j->argv || !j->env) {
		job_free(j);
		return ENOMEM;
	}
	TAILQ_INSERT_TAIL(&h->waiting, j, le);
	h->n_waiting++;
	run_next(h);
	return 0;
}
