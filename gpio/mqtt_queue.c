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

/* A state is never dropped; one right behind its like takes its place. */
void mqtt_up_state(struct mqtt_link *l, bool connected, const char *text)
{
	size_t size = strlen(text) + 1;
	struct mqtt_up *u = calloc(1, sizeof(*u) + size), *last;

	if (!u)
		return;
	u->is_state = true;
	u->connected = connected;
	u->text = (char *)(u + 1);
	memcpy(u->text, text, size);
	pthread_mutex_lock(&l->lock);
	last = TAILQ_LAST(&l->up, mqtt_up_list);
	if (last && last->is_state && last->connected == connected) {
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
	struct mqtt_up *u = NULL;
	char *p;

	if (len <= MQTT_LARGEST_PAYLOAD)
		u = calloc(1, sizeof(*u) + tsize + len + 1);
	if (u) {
		p = (char *)(u + 1);
		memcpy(p, mm->topic, tsize);
		if (len)
			memcpy(p + tsize, mm->payload, len);
		u->size = tsize + len;
		u->msg = (struct mqtt_message){
			.topic = p,
			.payload = p + tsize,
			.len = len,
			.retain = mm->retain,
			.qos = (uint8_t)mm->qos,
			.at_us = clock_mono_us(),
		};
	}
	pthread_mutex_lock(&l->lock);
	if (u && l->n_up < MQTT_QUEUE &&
	    l->up_bytes + u->size <= MQTT_QUEUE_BYTES) {
		TAILQ_INSERT_TAIL(&l->up, u, le);
		l->n_up++;
		l->up_bytes += u->size;
		u = NULL;
	} else {
		l->count.dropped++;
	}
	wake_owner(l);
	pthread_mutex_unlock(&l->lock);
	free(u);
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

bool mqtt_down_add(struct mqtt_link *l, struct mqtt_down *d)
{
	struct mqtt_down *old;
	bool dropped = false;

	if (d->retain) {
		for (old = TAILQ_FIRST(&l->down); old;
		     old = TAILQ_NEXT(old, le)) {
			if (old->retain && !strcmp(old->topic, d->topic))
				break;
		}
		if (old) {
			TAILQ_REMOVE(&l->down, old, le);
			l->n_down--;
			free(old);
		}
	}
	if (l->n_down >= MQTT_OFFLINE_QUEUE) {
		old = TAILQ_FIRST(&l->down);
		TAILQ_REMOVE(&l->down, old, le);
		l->n_down--;
		l->count.lost++;
		free(old);
		dropped = true;
	}
	TAILQ_INSERT_TAIL(&l->down, d, le);
	l->n_down++;
	return dropped;
}

struct mqtt_down *mqtt_down_take(struct mqtt_link *l)
{
	struct mqtt_down *d;

	pthread_mutex_lock(&l->lock);
	d = TAILQ_FIRST(&l->down);
	if (d) {
		TAILQ_REMOVE(&l->down, d, le);
		l->n_down--;
	}
	pthread_mutex_unlock(&l->lock);
	return d;
}

void mqtt_down_give_back(struct mqtt_link *l, struct mqtt_down_list *list)
{
	struct mqtt_down *d, *newer;

	pthread_mutex_lock(&l->lock);
	while ((d = TAILQ_LAST(list, mqtt_down_list))) {
		TAILQ_REMOVE(list, d, le);
		newer = NULL;
		if (d->retain) {
			for (newer = TAILQ_FIRST(&l->down); newer;
			     newer = TAILQ_NEXT(newer, le)) {
				if (newer->retain &&
				    !strcmp(newer->topic, d->topic))
					break;
			}
		}
		if (newer || l->n_down >= MQTT_OFFLINE_QUEUE) {
			l->count.lost += !newer;
			free(d);
			continue;
		}
		TAILQ_INSERT_HEAD(&l->down, d, le);
		l->n_down++;
	}
	pthread_mutex_unlock(&l->lock);
}
