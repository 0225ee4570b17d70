/* What waits between the two threads: bounded both ways, dropping what can best
 * be missed and counting it. */
#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "gpio/mqtt_link.h"

#include <mosquitto.h>
#include <stdlib.h>
#include <string.h>

/* One wake-up at a time is in the owner's pipe, so it never fills. Lock held.
 */
static void wake_owner(struct mqtt_link *l)
{
	if (!l->mq || l->woken)
		return;
	l->woken = !mqueue_push(l->mq, 0, NULL);
}

void mqtt_up_state(struct mqtt_link *l, enum mqtt_news news, unsigned broker,
		   const char *text)
{
	size_t size = strlen(text) + 1;
	struct mqtt_up *u = calloc(1, sizeof(*u) + size), *last;

	if (!u)
		return;
	u->is_state = true;
	u->news = news;
	u->broker = broker;
	u->text = (char *)(u + 1);
	memcpy(u->text, text, size);
	pthread_mutex_lock(&l->lock);
	last = TAILQ_LAST(&l->up, mqtt_up_list);
	if (last && last->is_state && last->news == news &&
	    last->broker == broker) {
		TAILQ_REMOVE(&l->up, last, le);
		free(last);
	}
	TAILQ_INSERT_TAIL(&l->up, u, le);
	wake_owner(l);
	pthread_mutex_unlock(&l->lock);
}

void mqtt_up_message(struct mqtt_link *l, const struct mosquitto_message *mm)
{
	size_t len = (size_t)mm->payloadlen, tsize = strlen(mm->topic) + 1;
	bool cut = len > MQTT_LARGEST_PAYLOAD;
	size_t kept = cut ? 64 : len;
	struct mqtt_up *u = calloc(1, sizeof(*u) + tsize + kept + 1);
	char *p;

	if (!u)
		return;
	p = (char *)(u + 1);
	memcpy(p, mm->topic, tsize);
	if (kept)
		memcpy(p + tsize, mm->payload, kept);
	u->size = tsize + kept;
	u->msg = (struct mqtt_message){
		.topic = p,
		.payload = p + tsize,
		.len = len,
		.retain = mm->retain,
		.qos = (uint8_t)mm->qos,
		.at_us = clock_mono_us(),
	};
	pthread_mutex_lock(&l->lock);
	TAILQ_INSERT_TAIL(&l->up, u, le);
	l->n_up++;
	l->up_bytes += u->size;
	l->count.cut += cut;
	if (l->n_up > l->count.most_waiting)
		l->count.most_waiting = (unsigned)l->n_up;
	wake_owner(l);
	pthread_mutex_unlock(&l->lock);
}

struct mqtt_up *mqtt_up_take(struct mqtt_link *l)
{
	bool wake = false;
	struct mqtt_up *u;

	pthread_mutex_lock(&l->lock);
	u = TAILQ_FIRST(&l->up);
	if (u) {
		TAILQ_REMOVE(&l->up, u, le);
		l->up_bytes -= u->size;
		if (!u->is_state) {
			l->n_up--;
			l->count.received++;
		}
		wake = l->full && l->n_up < MQTT_QUEUE / 2 &&
		       l->up_bytes < MQTT_QUEUE_BYTES / 2;
		if (wake)
			l->full = false;
	} else {
		/* With the lock held: whoever adds now pushes a new wake-up. */
		l->woken = false;
	}
	pthread_mutex_unlock(&l->lock);
	if (wake)
		mqtt_link_wake(l);
	return u;
}

bool mqtt_up_full(struct mqtt_link *l)
{
	bool full;

	pthread_mutex_lock(&l->lock);
	if (l->n_up >= MQTT_QUEUE || l->up_bytes >= MQTT_QUEUE_BYTES)
		l->full = true;
	full = l->full;
	pthread_mutex_unlock(&l->lock);
	return full;
}

struct mqtt_down *mqtt_down_new(const char *topic, const char *payload, int qos,
				bool retain)
{
	size_t tsize = strlen(topic) + 1, psize = strlen(payload) + 1;
	struct mqtt_down *d = calloc(1, sizeof(*d) + tsize + psize);

	if (!d)
		return NULL;
	d->topic = (char *)(d + 1);
	d->payload = d->topic + tsize;
	memcpy(d->topic, topic, tsize);
	memcpy(d->payload, payload, psize);
	d->len = psize - 1;
	d->qos = qos;
	d->retain = retain;
	return d;
}

static void count_in(struct mqtt_link *l, const struct mqtt_down *d)
{
	l->n_down++;
	l->n_kept += d->event;
	l->kept_bytes += d->event ? d->len : 0;
	l->count.kept = (unsigned)l->n_kept;
}

static void take_out(struct mqtt_link *l, struct mqtt_down *d)
{
	TAILQ_REMOVE(&l->down, d, le);
	l->n_down--;
	l->n_kept -= d->event;
	l->kept_bytes -= d->event ? d->len : 0;
	l->count.kept = (unsigned)l->n_kept;
}

static void drop(struct mqtt_link *l, struct mqtt_down *d)
{
	l->count.lost++;
	free(d);
}

static struct mqtt_down *find_retained(const struct mqtt_link *l,
				       const char *topic)
{
	struct mqtt_down *d;

	for (d = TAILQ_FIRST(&l->down); d; d = TAILQ_NEXT(d, le)) {
		if (d->retain && !strcmp(d->topic, topic))
			break;
	}
	return d;
}

/* Makes room for one more event. Returns whether an older one went for it. */
static bool shorten_events(struct mqtt_link *l)
{
	struct mqtt_down *d;
	bool dropped = false;

	while (l->n_kept &&
	       (l->n_kept >= MQTT_KEPT || l->kept_bytes >= MQTT_KEPT_BYTES)) {
		d = TAILQ_FIRST(&l->down);
		while (!d->event)
			d = TAILQ_NEXT(d, le);
		take_out(l, d);
		drop(l, d);
		dropped = true;
	}
	return dropped;
}

int mqtt_down_add(struct mqtt_link *l, struct mqtt_down *d)
{
	struct mqtt_down *old;
	bool dropped = false;

	d->at_ms = clock_mono_ms();
	if (d->event) {
		d->late = !l->attached;
		dropped = shorten_events(l);
	} else if (!d->retain && !l->attached) {
		drop(l, d);
		return ENOTCONN;
	}
	old = d->retain ? find_retained(l, d->topic) : NULL;
	if (old) {
		take_out(l, old);
		free(old);
	}
	if (!d->event && l->n_down - l->n_kept >= MQTT_WAITING) {
		drop(l, d);
		return ENOBUFS;
	}
	TAILQ_INSERT_TAIL(&l->down, d, le);
	count_in(l, d);
	return dropped ? ENOBUFS : 0;
}

struct mqtt_down *mqtt_down_take(struct mqtt_link *l, uint64_t now_ms)
{
	struct mqtt_down *d;

	pthread_mutex_lock(&l->lock);
	while ((d = TAILQ_FIRST(&l->down))) {
		take_out(l, d);
		if (!d->event ||
		    now_ms - d->at_ms <= MQTT_KEPT_AGE_S * UINT64_C(1000))
			break;
		drop(l, d);
	}
	if (d)
		l->count.late += d->late;
	pthread_mutex_unlock(&l->lock);
	return d;
}

void mqtt_down_give_back(struct mqtt_link *l, struct mqtt_down_list *list)
{
	struct mqtt_down *d;

	pthread_mutex_lock(&l->lock);
	while ((d = TAILQ_LAST(list, mqtt_down_list))) {
		TAILQ_REMOVE(list, d, le);
		d->late = d->event;
		if (d->retain && find_retained(l, d->topic)) {
			free(d);
		} else if (!d->event && !d->retain) {
			drop(l, d);
		} else {
			TAILQ_INSERT_HEAD(&l->down, d, le);
			count_in(l, d);
		}
	}
	/* They were on their way when those that wait came. */
	for (d = TAILQ_FIRST(&l->down); d; d = TAILQ_NEXT(d, le))
		d->late = d->event;
	pthread_mutex_unlock(&l->lock);
}
