/*
 * Live events as Server-Sent Events: one ring that the control thread fills,
 * and for each client its own place in it.
 *
 * A stream with nothing to send is suspended; publishing resumes it. A client
 * that falls behind the ring is told of the gap and goes on with the oldest
 * event there is; nobody else notices.
 */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct live {
	uint64_t id;
	char type[32];
	char *json;
};

struct stream {
	struct streams *owner;
	struct stream *next;
	struct MHD_Connection *connection;
	char type[32];
	uint64_t at;    /**< number of the next event to look at */
	bool waiting;   /**< suspended */
	bool beat, gap; /**< owes a sign of life, a notice */
	char *text;     /**< being sent */
	size_t len, sent;
};

struct streams {
	pthread_mutex_t lock;
	struct live ring[WEB_EVENT_MEMORY];
	uint64_t n; /**< events ever published: the next one's number */
	struct stream *first;
	_Atomic uint64_t count;
	bool stop;
};

int streams_alloc(struct streams **sp)
{
	struct streams *s = calloc(1, sizeof(*s));

	if (!s)
		return ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	*sp = s;
	return 0;
}

struct streams *streams_free(struct streams *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < WEB_EVENT_MEMORY; i++)
		free(s->ring[i].json);
	pthread_mutex_destroy(&s->lock);
	free(s);
	return NULL;
}

/** Resumes all that wait. Lock held. */
static void wake(struct streams *s)
{
	for (struct stream *x = s->first; x; x = x->next)
		if (x->waiting) {
			x->waiting = false;
			MHD_resume_connection(x->connection);
		}
}

void streams_stop(struct streams *s)
{
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	wake(s);
	pthread_mutex_unlock(&s->lock);
}

void streams_beat(struct streams *s)
{
	pthread_mutex_lock(&s->lock);
	for (struct stream *x = s->first; x; x = x->next)
		x->beat = true;
	wake(s);
	pthread_mutex_unlock(&s->lock);
}

void streams_publish(struct streams *s, uint64_t id, const char *type,
		     const char *json)
{
	char *copy = strdup(json);
	struct live *e;

	if (!copy)
		return;
	pthread_mutex_lock(&s->lock);
	e = &s->ring[s->n % WEB_EVENT_MEMORY];
	free(e->json);
	e->json = copy;
	e->id = id;
	snprintf(e->type, sizeof(e->type), "%s", type);
	s->n++;
	wake(s);
	pthread_mutex_unlock(&s->lock);
}

uint64_t streams_count(const struct streams *s)
{
	return s->count;
}

static uint64_t oldest(const struct streams *s)
{
	return s->n > WEB_EVENT_MEMORY ? s->n - WEB_EVENT_MEMORY : 0;
}

/** The next piece of text for a stream, NULL when it must wait. Lock held. */
static char *next_text(struct stream *x)
{
	struct streams *s = x->owner;
	char *text = NULL;

	if (x->at < oldest(s)) {
		x->at = oldest(s);
		x->gap = true;
	}
	if (x->gap) {
		x->gap = false;
		if (asprintf(&text, "event: gap\ndata: {\"text\":\"events "
				    "were missed; GET /journal has them\"}"
				    "\n\n") < 0)
			text = NULL;
		return text;
	}
	while (x->at < s->n) {
		const struct live *e = &s->ring[x->at++ % WEB_EVENT_MEMORY];

		if (strncmp(e->type, x->type, strlen(x->type)))
			continue;
		if (asprintf(&text, "id: %llu\nevent: %s\ndata: %s\n\n",
			     (unsigned long long)e->id, e->type, e->json) < 0)
			text = NULL;
		return text;
	}
	if (x->beat)
		text = strdup(":\n\n");
	x->beat = false;
	return text;
}

static ssize_t reader(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct stream *x = cls;
	struct streams *s = x->owner;
	size_t n;

	(void)pos;
	pthread_mutex_lock(&s->lock);
	if (!x->text) {
		if (s->stop) {
			pthread_mutex_unlock(&s->lock);
			return MHD_CONTENT_READER_END_OF_STREAM;
		}
		x->text = next_text(x);
		x->len = x->text ? strlen(x->text) : 0;
		x->sent = 0;
	}
	if (!x->text) {
		/* Under the lock: no event can come between looking and
		 * sleeping. */
		x->waiting = true;
		MHD_suspend_connection(x->connection);
		pthread_mutex_unlock(&s->lock);
		return 0;
	}
	n = x->len - x->sent < max ? x->len - x->sent : max;
	memcpy(buf, x->text + x->sent, n);
	x->sent += n;
	if (x->sent == x->len) {
		free(x->text);
		x->text = NULL;
	}
	pthread_mutex_unlock(&s->lock);
	return (ssize_t)n;
}

static void on_end(void *cls)
{
	struct stream *x = cls;
	struct streams *s = x->owner;
	struct stream **p;

	pthread_mutex_lock(&s->lock);
	for (p = &s->first; *p; p = &(*p)->next)
		if (*p == x) {
			*p = x->next;
			break;
		}
	pthread_mutex_unlock(&s->lock);
	s->count--;
	free(x->text);
	free(x);
}

/** Where a client that saw event `last` goes on. Lock held. */
static void find_place(struct streams *s, struct stream *x, const char *last)
{
	uint64_t id = strtoull(last, NULL, 10);

	x->at = s->n;
	if (!*last)
		return;
	while (x->at > oldest(s) &&
	       s->ring[(x->at - 1) % WEB_EVENT_MEMORY].id > id)
		x->at--;
	/* Ids are without holes: the oldest kept one tells what is lost. */
	x->gap = x->at == oldest(s) && x->at < s->n &&
		 s->ring[x->at % WEB_EVENT_MEMORY].id > id + 1;
}

struct MHD_Response *streams_open(struct streams *s, struct MHD_Connection *c,
				  const char *last, const char *type)
{
	struct stream *x = calloc(1, sizeof(*x));
	struct MHD_Response *r;

	if (!x || s->count >= WEB_MAX_STREAMS) {
		free(x);
		return NULL;
	}
	x->owner = s;
	x->connection = c;
	/* A sign of life at once, so that the client sees the answer. */
	x->beat = true;
	snprintf(x->type, sizeof(x->type), "%s", type);
	r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, reader, x,
					      on_end);
	if (!r) {
		free(x);
		return NULL;
	}
	s->count++;
	pthread_mutex_lock(&s->lock);
	find_place(s, x, last);
	x->next = s->first;
	s->first = x;
	pthread_mutex_unlock(&s->lock);
	return r;
}
