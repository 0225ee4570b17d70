/*
 * Live events as Server-Sent Events: one ring that the control thread fills,
 * and for each client its own place in it.
 *
 * A stream with nothing to send is suspended; publishing resumes it. Events
 * are numbered without holes, so a hole is what a client missed: by being away
 * too long, by reading too slowly. It is told of the gap and goes on with the
 * oldest event there is; nobody else notices.
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
	char type[256];
	uint64_t at;   /**< place of the next event to look at */
	uint64_t seen; /**< id of the last one looked at */
	bool placed;   /**< seen is known */
	bool waiting;  /**< suspended */
	bool beat;     /**< owes a sign of life */
	char *text;    /**< being sent */
	size_t len, sent;
};

struct streams {
	pthread_mutex_t lock;
	struct live ring[WEB_EVENT_MEMORY];
	uint64_t n; /**< events ever published: the next one's place */
	struct stream *first;
	_Atomic uint64_t count;
	bool stop;
};

static const char greeting[] = "retry: 1000\n\n";
static const char heartbeat[] = ":\n\n";
static const char gap_notice[] =
	"event: gap\ndata: {\"type\":\"gap\",\"text\":\"events were missed; "
	"GET /journal has them\"}\n\n";

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
	char *copy = strdup(json), *old;
	struct live *e;

	if (!copy)
		return; /* seen as a gap */
	pthread_mutex_lock(&s->lock);
	e = &s->ring[s->n % WEB_EVENT_MEMORY];
	old = e->json;
	e->json = copy;
	e->id = id;
	snprintf(e->type, sizeof(e->type), "%s", type);
	s->n++;
	wake(s);
	pthread_mutex_unlock(&s->lock);
	free(old);
}

uint64_t streams_count(const struct streams *s)
{
	return s->count;
}

static uint64_t oldest(const struct streams *s)
{
	return s->n > WEB_EVENT_MEMORY ? s->n - WEB_EVENT_MEMORY : 0;
}

static char *event_text(const struct live *e)
{
	char *text;

	if (asprintf(&text, "id: %llu\nevent: %s\ndata: %s\n\n",
		     (unsigned long long)e->id, e->type, e->json) < 0)
		return NULL;
	return text;
}

/** The next piece of text for a stream, NULL when it must wait. Lock held. */
static char *next_text(struct stream *x)
{
	const struct streams *s = x->owner;

	if (x->at < oldest(s))
		x->at = oldest(s);
	while (x->at < s->n) {
		const struct live *e = &s->ring[x->at % WEB_EVENT_MEMORY];
		bool gap = x->placed && e->id != x->seen + 1;

		if (gap) {
			x->seen = e->id - 1;
			return strdup(gap_notice);
		}
		x->seen = e->id;
		x->placed = true;
		x->at++;
		if (!strncmp(e->type, x->type, strlen(x->type)))
			return event_text(e);
	}
	if (!x->beat)
		return NULL;
	x->beat = false;
	return strdup(heartbeat);
}

static ssize_t reader(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct stream *x = cls;
	struct streams *s = x->owner;
	size_t used = 0;
	bool stop;

	(void)pos;
	pthread_mutex_lock(&s->lock);
	while (used < max) {
		size_t n;

		if (!x->text) {
			x->text = next_text(x);
			x->len = x->text ? strlen(x->text) : 0;
			x->sent = 0;
		}
		if (!x->text)
			break;
		n = x->len - x->sent < max - used ? x->len - x->sent
						  : max - used;
		memcpy(buf + used, x->text + x->sent, n);
		used += n;
		x->sent += n;
		if (x->sent == x->len) {
			free(x->text);
			x->text = NULL;
		}
	}
	stop = s->stop;
	if (!used && !stop) {
		/* Under the lock: no event can come between looking and
		 * sleeping. */
		x->waiting = true;
		MHD_suspend_connection(x->connection);
	}
	pthread_mutex_unlock(&s->lock);
	return !used && stop ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)used;
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

/** Where a client goes on that saw the event `after`. Lock held. */
static void find_place(const struct streams *s, struct stream *x,
		       const uint64_t *after)
{
	x->at = s->n;
	x->placed = after || s->n;
	if (!after) {
		if (s->n)
			x->seen = s->ring[(s->n - 1) % WEB_EVENT_MEMORY].id;
		return;
	}
	/* A number that is not given out yet is another life's: whatever comes
	 * next is a gap. */
	x->seen = *after;
	while (x->at > oldest(s) &&
	       s->ring[(x->at - 1) % WEB_EVENT_MEMORY].id > *after)
		x->at--;
}

struct MHD_Response *streams_open(struct streams *s, struct MHD_Connection *c,
				  const uint64_t *after, const char *type)
{
	struct stream *x = calloc(1, sizeof(*x));
	struct MHD_Response *r;

	if (!x)
		return NULL;
	x->owner = s;
	x->connection = c;
	snprintf(x->type, sizeof(x->type), "%s", type);
	/* Something at once, so that the client sees the answer. */
	x->text = strdup(greeting);
	x->len = x->text ? sizeof(greeting) - 1 : 0;
	if (++s->count > WEB_MAX_STREAMS || !x->text)
		r = NULL;
	else
		r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096,
						      reader, x, on_end);
	if (!r) {
		s->count--;
		free(x->text);
		free(x);
		return NULL;
	}
	pthread_mutex_lock(&s->lock);
	find_place(s, x, after);
	x->next = s->first;
	s->first = x;
	pthread_mutex_unlock(&s->lock);
	return r;
}
