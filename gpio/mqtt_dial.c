/* Finds an address of a broker that answers, before libmosquitto connects: its
 * blocking connect would sit in the resolver or in an unanswered SYN for
 * minutes and could not be stopped, its asynchronous one takes no properties
 * and tells no cause. In a thread of its own, for nothing stops getaddrinfo().
 * The price is one more TCP connection for each MQTT connection. */
#include "controller/base/clock.h"
#include "gpio/mqtt_link.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Tries one address; 0 or errno. */
static int try_address(const struct addrinfo *ai)
{
	uint64_t now = clock_mono_ms(), until = now + MQTT_DIAL_MS;
	socklen_t size = sizeof(int);
	int err = 0, fd;

	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		return errno;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen))
		err = errno;
	if (err != EINPROGRESS)
		goto out;
	err = ETIMEDOUT;
	for (; now < until; now = clock_mono_ms()) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};

		if (poll(&p, 1, (int)(until - now)) <= 0)
			continue;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size))
			err = errno;
		break;
	}
out:
	close(fd);
	return err;
}

static int find(struct mqtt_dial *d, char address[64], struct reason *why)
{
	const struct mqtt_own_broker *b = &d->link->spec.broker[d->broker];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICSERV};
	struct addrinfo *all, *ai;
	char port[8];
	int err;

	snprintf(port, sizeof(port), "%u", b->port);
	err = getaddrinfo(b->host, port, &hints, &all);
	if (err) {
		mqtt_text_unresolved(why, b, err);
		return EINVAL;
	}
	pthread_mutex_lock(&d->link->lock);
	d->resolved = true;
	pthread_mutex_unlock(&d->link->lock);
	for (ai = all; ai; ai = ai->ai_next) {
		err = try_address(ai);
		if (!err)
			break;
	}
	if (err)
		mqtt_text_unreached(why, b, err);
	else
		(void)getnameinfo(ai->ai_addr, ai->ai_addrlen, address, 64,
				  NULL, 0, NI_NUMERICHOST);
	freeaddrinfo(all);
	return err;
}

static void *dial_main(void *arg)
{
	struct mqtt_dial *d = arg;
	struct mqtt_link *l = d->link;
	struct reason why = {""};
	char address[64] = "";
	bool abandoned;
	int err = find(d, address, &why);

	pthread_mutex_lock(&l->lock);
	d->err = err;
	d->why = why;
	snprintf(d->address, sizeof(d->address), "%s", address);
	d->done = true;
	abandoned = d->abandoned;
	pthread_mutex_unlock(&l->lock);
	if (abandoned)
		free(d);
	mqtt_link_wake(l);
	mqtt_link_unref(l);
	return NULL;
}

int mqtt_dial_begin(struct mqtt_link *l, unsigned broker)
{
	struct mqtt_dial *d;
	pthread_t thread;
	int err;

	/* Only the link's own thread makes and takes them. */
	if (l->dial[broker])
		return 0;
	d = calloc(1, sizeof(*d));
	if (!d)
		return ENOMEM;
	d->link = l;
	d->broker = broker;
	pthread_mutex_lock(&l->lock);
	l->refs++;
	l->dial[broker] = d;
	pthread_mutex_unlock(&l->lock);
	err = pthread_create(&thread, NULL, dial_main, d);
	if (err) {
		l->dial[broker] = NULL;
		free(d);
		mqtt_link_unref(l);
		return err;
	}
	pthread_setname_np(thread, "mqtt-dial");
	pthread_detach(thread);
	return 0;
}

int mqtt_dial_take(struct mqtt_link *l, unsigned broker, char address[64],
		   struct reason *why)
{
	struct mqtt_dial *d = l->dial[broker];
	bool done;
	int err;

	pthread_mutex_lock(&l->lock);
	done = d && d->done;
	pthread_mutex_unlock(&l->lock);
	if (!done)
		return EAGAIN;
	snprintf(address, 64, "%s", d->address);
	*why = d->why;
	err = d->err;
	l->dial[broker] = NULL;
	free(d);
	return err;
}

int mqtt_dial(struct mqtt_link *l, unsigned broker, char address[64],
	      struct reason *why)
{
	uint64_t now = clock_mono_ms(), until = now + MQTT_DIAL_MS;
	bool resolved;
	short got;
	int err = mqtt_dial_begin(l, broker);

	if (err)
		return reason_set(why, err, "mqtt: no thread to connect with");
	while ((err = mqtt_dial_take(l, broker, address, why)) == EAGAIN) {
		now = clock_mono_ms();
		if (now >= until)
			break;
		if (!mqtt_link_wait(l, -1, 0, (int)(until - now), &got))
			return ECANCELED;
	}
	if (err != EAGAIN)
		return err;
	/* It goes on; the next attempt finds what came of it. */
	pthread_mutex_lock(&l->lock);
	resolved = l->dial[broker]->resolved;
	pthread_mutex_unlock(&l->lock);
	if (resolved)
		mqtt_text_unreached(why, &l->spec.broker[broker], ETIMEDOUT);
	else
		mqtt_text_unresolved(why, &l->spec.broker[broker], 0);
	return ETIMEDOUT;
}
