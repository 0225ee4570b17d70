#include "inbox.h"

#include "controller/base/compat.h"
#include "controller/base/text.h"
#include "controller/fetch.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/** A file that changed less than this ago and is no good is still being
 *  written, s. */
#define SETTLE_S 2
/** Alerts of one look that are passed on. */
#define MAX_BATCH 2000

struct inbox {
	struct config_cap conf; /**< folder, url, ca, poll_s: own copies */
	inbox_h *h;
	void *arg;
	struct mqueue *mq;
	pthread_t thread;
	pthread_mutex_t lock;
	struct inbox_batch *first, **last; /**< lock held */
	_Atomic bool stop;
	int wake; /**< eventfd: the end */
	/* the thread's */
	int watch; /**< inotify, -1 = none */
	bool soon; /**< something was being written */
	struct fetch_memory memory;
	char **read; /**< links that were read well */
	size_t n_read;
};

/* ------------------------------------------------------------------ batches */

void inbox_batch_free(struct inbox_batch *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_alerts; i++)
		cap_alert_free(b->alerts[i]);
	free(b->alerts);
	free(b);
}

/** Moves a document's alerts into the batch. */
static void take(struct inbox_batch *b, struct cap_doc *d)
{
	struct cap_alert **v = realloc(
		b->alerts, (b->n_alerts + d->n_alerts + 1) * sizeof(*v));

	if (!v)
		return;
	b->alerts = v;
	for (size_t i = 0; i < d->n_alerts && b->n_alerts < MAX_BATCH; i++) {
		v[b->n_alerts++] = d->alerts[i];
		d->alerts[i] = NULL;
	}
}

static void note_bad(struct inbox_batch *b, const char *where, const char *why)
{
	if (*b->bad)
		return;
	snprintf(b->bad, sizeof(b->bad), "%.120s: %.120s", where, why);
	text_clean(b->bad);
}

/* ------------------------------------------------------------------ a folder
 */

static char *slurp(int dir, const char *name, size_t *size, struct stat *st)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = NULL;
	ssize_t n = -1;

	if (fd < 0)
		return NULL;
	if (fstat(fd, st))
		goto out;
	if (!S_ISREG(st->st_mode)) {
		errno = EINVAL;
		goto out;
	}
	if (st->st_size > (off_t)CAP_MAX_BYTES) {
		errno = EFBIG;
		goto out;
	}
	text = malloc((size_t)st->st_size + 1);
	if (text)
		n = read(fd, text, (size_t)st->st_size);
	if (n < 0) {
		free(text);
		text = NULL;
	}
out:
	close(fd);
	*size = n > 0 ? (size_t)n : 0;
	return text;
}

static void read_file(struct inbox *i, int dir, const char *name,
		      struct inbox_batch *b)
{
	struct reason why = {""};
	struct cap_doc d = {0};
	struct stat st = {0};
	size_t size = 0;
	char *text = slurp(dir, name, &size, &st);

	/* It may have gone since the folder was listed. */
	if (!text && errno == ENOENT)
		return;
	if (!text)
		note_bad(b, name, strerror(errno));
	else if (!cap_read(&d, text, size, &why) && d.n_alerts)
		take(b, &d);
	else if (labs((long)(time(NULL) - st.st_mtime)) < SETTLE_S)
		i->soon = true;
	else
		note_bad(b, name,
			 *why.text ? why.text : "there is no alert in it");
	cap_doc_reset(&d);
	free(text);
}

static bool is_document(const char *name)
{
	const char *dot = strrchr(name, '.');

	return *name != '.' && dot &&
	       (!strcasecmp(dot, ".xml") || !strcasecmp(dot, ".cap"));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_entry(const struct dirent *e)
{
	return is_document(e->d_name);
}

static void look_at_folder(struct inbox *i, struct inbox_batch *b)
{
	const char *path = i->conf.folder;
	struct dirent **names = NULL;
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n = dir < 0 ? -1 : scandir(path, &names, is_entry, by_name);

	i->soon = false;
	if (n < 0)
		snprintf(b->error, sizeof(b->error), "%.180s: %s", path,
			 strerror(errno));
	for (int k = 0; k < n; k++) {
		if (k < INBOX_MAX_FILES && !i->stop)
			read_file(i, dir, names[k]->d_name, b);
		free(names[k]);
	}
	if (n > INBOX_MAX_FILES)
		snprintf(b->error, sizeof(b->error),
			 "%.180s: more than %d files: the others are not read",
			 path, INBOX_MAX_FILES);
	free(names);
	if (dir >= 0)
		close(dir);
	/* Watched anew each time: the folder may be another one now. */
	if (i->watch >= 0)
		inotify_add_watch(i->watch, path, IN_CLOSE_WRITE | IN_MOVED_TO);
}

/* ------------------------------------------------------------------ a server
 */

static bool was_read(const struct inbox *i, const char *link)
{
	for (size_t k = 0; k < i->n_read; k++)
		if (!strcmp(i->read[k], link))
			return true;
	return false;
}

/** An address in the feed, made whole; NULL when it is none. */
static char *resolve(const struct inbox *i, const char *link)
{
	CURLU *u = curl_url();
	char *whole = NULL, *own = NULL;

	if (u && !curl_url_set(u, CURLUPART_URL, i->conf.url, 0) &&
	    !curl_url_set(u, CURLUPART_URL, link, 0) &&
	    !curl_url_get(u, CURLUPART_URL, &whole, 0) &&
	    (!strncmp(whole, "https://", 8) || !strncmp(whole, "http://", 7)))
		own = strdup(whole);
	curl_free(whole);
	curl_url_cleanup(u);
	return own;
}

/** True when it need not be asked for again. */
static bool follow(struct inbox *i, const char *url, struct inbox_batch *b)
{
	const struct fetch_ask q = {.url = url,
				    .ca = i->conf.ca,
				    .max = CAP_MAX_BYTES,
				    .what = "alert",
				    .stop = &i->stop};
	struct reason why = {""};
	struct cap_doc d = {0};
	struct fetch_answer a;
	bool good = false;

	fetch(&q, &a);
	if (*a.error) {
		note_bad(b, a.error, "");
	} else if (cap_read(&d, a.text, a.size, &why)) {
		note_bad(b, url, why.text);
		/* It will not get better. */
		good = true;
	} else {
		take(b, &d);
		good = true;
	}
	cap_doc_reset(&d);
	free(a.text);
	return good;
}

static void free_texts(char **v, size_t n)
{
	for (size_t k = 0; k < n; k++)
		free(v[k]);
	free(v);
}

/** Reads the links that are new, and forgets those that are gone. False when
 *  one must be tried again. */
static bool follow_all(struct inbox *i, const struct cap_doc *d,
		       struct inbox_batch *b)
{
	char **known = calloc(d->n_links + 1, sizeof(*known));
	bool all = known;
	size_t n = 0;

	for (size_t k = 0; known && k < d->n_links && !i->stop; k++) {
		char *url = resolve(i, d->links[k]);

		if (!url) {
			note_bad(b, d->links[k], "this is no http address");
		} else if (was_read(i, url) || follow(i, url, b)) {
			known[n++] = url;
			url = NULL;
		} else {
			all = false;
		}
		free(url);
	}
	if (known) {
		free_texts(i->read, i->n_read);
		i->read = known;
		i->n_read = n;
	}
	return all;
}

static void look_at_server(struct inbox *i, struct inbox_batch *b)
{
	const struct fetch_ask q = {.url = i->conf.url,
				    .ca = i->conf.ca,
				    .max = CAP_MAX_BYTES,
				    .what = "document",
				    .since = &i->memory,
				    .stop = &i->stop};
	struct reason why = {""};
	struct cap_doc d = {0};
	struct fetch_answer a;

	fetch(&q, &a);
	if (*a.error) {
		snprintf(b->error, sizeof(b->error), "%.250s", a.error);
		text_clean(b->error);
	} else if (a.text && cap_read(&d, a.text, a.size, &why)) {
		note_bad(b, i->conf.url, why.text);
	} else if (a.text) {
		take(b, &d);
		/* Else it is all looked at again. */
		if (follow_all(i, &d, b))
			i->memory = a.memory;
		else
			i->memory = (struct fetch_memory){0};
	}
	cap_doc_reset(&d);
	free(a.text);
}

/* ---------------------------------------------------------------- the thread
 */

static void pass_on(struct inbox *i, struct inbox_batch *b)
{
	pthread_mutex_lock(&i->lock);
	*i->last = b;
	i->last = &b->next;
	pthread_mutex_unlock(&i->lock);
	mqueue_push(i->mq, 0, NULL);
}

/** Until the next look is due, the folder changes, or the end. */
static void rest(struct inbox *i)
{
	char events[4096];
	struct pollfd p[2] = {{i->wake, POLLIN, 0}, {i->watch, POLLIN, 0}};
	const int ms = i->soon ? SETTLE_S * 500 : (int)i->conf.poll_s * 1000;

	poll(p, 2, ms);
	/* What it was is seen by looking. */
	while (i->watch >= 0 && read(i->watch, events, sizeof(events)) > 0)
		;
}

static void *run(void *arg)
{
	struct inbox *i = arg;

	pthread_setname_np(pthread_self(), "cap");
	if (i->watch >= 0)
		inotify_add_watch(i->watch, i->conf.folder,
				  IN_CLOSE_WRITE | IN_MOVED_TO);
	while (!i->stop) {
		struct inbox_batch *b = calloc(1, sizeof(*b));

		if (b && i->conf.folder)
			look_at_folder(i, b);
		else if (b)
			look_at_server(i, b);
		if (b && !i->stop)
			pass_on(i, b);
		else
			inbox_batch_free(b);
		if (!i->stop)
			rest(i);
	}
	return NULL;
}

static void on_message(int id, void *data, void *arg)
{
	struct inbox *i = arg;

	(void)id;
	(void)data;
	if (!i->stop)
		i->h(i, i->arg);
}

/* --------------------------------------------------------------- its owner */

static char *copy(const char *s, bool *fine)
{
	char *d = s ? strdup(s) : NULL;

	*fine &= !s || d;
	return d;
}

static void release(struct inbox *i)
{
	struct inbox_batch *b;

	while ((b = inbox_next(i)))
		inbox_batch_free(b);
	free_texts(i->read, i->n_read);
	free(i->conf.folder);
	free(i->conf.url);
	free(i->conf.ca);
	mem_deref(i->mq);
	if (i->wake >= 0)
		close(i->wake);
	if (i->watch >= 0)
		close(i->watch);
	pthread_mutex_destroy(&i->lock);
	free(i);
}

int inbox_alloc(struct inbox **ip, const struct config_cap *c, inbox_h *h,
		void *arg)
{
	struct inbox *i = calloc(1, sizeof(*i));
	sigset_t all, old;
	bool fine = true;
	int err;

	if (!i)
		return ENOMEM;
	pthread_mutex_init(&i->lock, NULL);
	i->last = &i->first;
	i->h = h;
	i->arg = arg;
	i->conf.folder = copy(c->folder, &fine);
	i->conf.url = copy(c->url, &fine);
	i->conf.ca = copy(c->ca, &fine);
	i->conf.poll_s = c->poll_s;
	i->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	i->watch = c->folder ? inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1;
	err = !fine || i->wake < 0 ? ENOMEM
				   : mqueue_alloc(&i->mq, on_message, i);
	if (!err) {
		/* Signals are the main thread's alone. */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		err = pthread_create(&i->thread, NULL, run, i);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	if (err)
		release(i);
	else
		*ip = i;
	return err;
}

struct inbox_batch *inbox_next(struct inbox *i)
{
	struct inbox_batch *b;

	pthread_mutex_lock(&i->lock);
	b = i->first;
	if (b)
		i->first = b->next;
	if (!i->first)
		i->last = &i->first;
	pthread_mutex_unlock(&i->lock);
	return b;
}

bool inbox_same(const struct inbox *i, const struct config_cap *c)
{
	return text_same(i->conf.folder, c->folder) &&
	       text_same(i->conf.url, c->url) && text_same(i->conf.ca, c->ca) &&
	       i->conf.poll_s == c->poll_s;
}

void inbox_close(struct inbox *i)
{
	i->stop = true;
	(void)eventfd_write(i->wake, 1);
}

bool inbox_gone(struct inbox *i)
{
	if (pthread_tryjoin_np(i->thread, NULL))
		return false;
	release(i);
	return true;
}

struct inbox *inbox_free(struct inbox *i)
{
	if (!i)
		return NULL;
	inbox_close(i);
	pthread_join(i->thread, NULL);
	release(i);
	return NULL;
}
