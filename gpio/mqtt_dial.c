/* Finds an address of the broker that answers, before libmosquitto connects:
 * its blocking connect would sit in an unanswered SYN for two minutes and could
 * not be stopped, its asynchronous one takes no properties and tells no cause.
 * The price is one more TCP connection for each MQTT connection. */
#include "controller/base/clock.h"
#include "gpio/mqtt_link.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Tries one address; 0, errno, or ECANCELED when it is time to stop. */
static int try_address(struct mqtt_link *l, const struct addrinfo *ai)
{
	uint64_t now = clock_mono_ms(), until = now + MQTT_CONNECT_MS;
	socklen_t size = sizeof(int);
	short got = 0;
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
		if (!mqtt_link_wait(l, fd, POLLOUT, (int)(until - now), &got)) {
			err = ECANCELED;
			break;
		}
		if (!got)
			continue;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size))
			err = errno;
		break;
	}
out:
	close(fd);
	return err;
}

int mqtt_dial(struct mqtt_link *l, char *target, size_t size,
	      struct reason *why)
{
	const struct mqtt_own_spec *spec = &l->spec;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICSERV};
	struct addrinfo *all, *ai;
	char port[8];
	int err;

	snprintf(port, sizeof(port), "%u", spec->port);
	err = getaddrinfo(spec->host, port, &hints, &all);
	if (err) {
		mqtt_text_unresolved(why, spec, err);
		return EINVAL;
	}
	for (ai = all; ai; ai = ai->ai_next) {
		err = try_address(l, ai);
		if (!err || err == ECANCELED)
			break;
	}
	if (err)
		mqtt_text_unreached(why, spec, err);
	else if (ai == all)
		snprintf(target, size, "%s", spec->host);
	else
		(void)getnameinfo(ai->ai_addr, ai->ai_addrlen, target,
				  (socklen_t)size, NULL, 0, NI_NUMERICHOST);
	freeaddrinfo(all);
	return err;
}
