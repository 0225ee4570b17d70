/* The MQTT thread: the only one that touches libmosquitto.
 *
 * Its rules: it may block (resolver, disk), the owner never waits for it; it
 * shares nothing but struct mqtt_link, under its lock, and never holds the lock
 * while it calls libmosquitto.
 *
 * Each connection is a new struct mosquitto, for libmosquitto's own
 * reconnecting has three traps (TESTING.md section 4), and each begins clean:
 * no session is kept at the broker, so that a command sent while we were away
 * is not played to us when we come back (DESIGN rule 4: nothing old fires).
 * What was lost meanwhile on state topics comes back as the broker's retained
 * messages.
 */
#include "gpio/mqtt_link.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"

#include <errno.h>
#include <fcntl.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 30000
/* A connection that lasted this long was a good one: next time begin anew. */
#define GOOD_MS 10000

/* One attempt, from resolving to the loss of the connection. */
struct session {
	struct mqtt_link *link;
	struct mosquitto *mosq;
	bool up;           /* CONNACK said yes */
	bool ended;        /* refused or lost: text says why */
	bool told_refusal; /* of a subscription or publication */
	int rc;            /* why libmosquitto says it ended */
	struct reason text;
	struct reason verdict; /* of the certificate check */
	struct mqtt_down_list unconfirmed;
	size_t n_unconfirmed;
	struct addrinfo *addrs;
};

/* ------------------------------------------------------------ shared */

void mqtt_link_wake(struct mqtt_link *l)
{
	uint64_t one = 1;
	ssize_t n = write(l->wakefd, &one, sizeof(one));

	(void)n; /* full means it is awake */
}

static void free_spec(struct mqtt_own_spec *s)
{
	free(s->host);
	free(s->user);
	free(s->password_file);
	free(s->ca);
	free(s->cert);
	free(s->key);
	free(s->client_id);
	free(s->will_topic);
	free(s->will_payload);
	free(s->birth_payload);
}

void mqtt_link_unref(struct mqtt_link *l)
{
	struct mqtt_filter *f;
	struct mqtt_down *d;
	struct mqtt_up *u;
	unsigned refs;

	pthread_mutex_lock(&l->lock);
	refs = --l->refs;
	pthread_mutex_unlock(&l->lock);
	if (refs)
		return;
	while ((u = TAILQ_FIRST(&l->up))) {
		TAILQ_REMOVE(&l->up, u, le);
		free(u);
	}
	while ((d = TAILQ_FIRST(&l->down))) {
		TAILQ_REMOVE(&l->down, d, le);
		free(d);
	}
	while ((f = TAILQ_FIRST(&l->filters))) {
		TAILQ_REMOVE(&l->filters, f, le);
		free(f);
	}
	if (l->wakefd >= 0)
		close(l->wakefd);
	pthread_cond_destroy(&l->end);
	pthread_mutex_destroy(&l->lock);
	free_spec(&l->spec);
	free(l);
}

static bool stopping(struct mqtt_link *l)
{
	bool stop;

	pthread_mutex_lock(&l->lock);
	stop = l->stop;
	pthread_mutex_unlock(&l->lock);
	return stop;
}

/* --------------------------------------------------------------- up */

/* One wake-up at a time is in the owner's pipe, so it never fills. Lock held.
 */
static void wake_owner(struct mqtt_link *l)
{
	if (!l->mq || l->woken)
		return;
	l->woken = !mqueue_push(l->mq, 0, NULL);
}

/* A state is never dropped; one right behind its like takes its place. */
static void tell_state(struct mqtt_link *l, bool connected, const char *text)
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

static void message_handler(struct mosquitto *mosq, void *arg,
			    const struct mosquitto_message *mm,
			    const mosquitto_property *props)
{
	struct session *s = arg;
	struct mqtt_link *l = s->link;
	size_t len = (size_t)mm->payloadlen, tsize = strlen(mm->topic) + 1;
	struct mqtt_up *u = NULL;
	char *p;

	(void)mosq;
	(void)props;
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

/* ------------------------------------------------------------- down */

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
		TAILQ_FOREACH(old, &l->down, le)
		{
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

static struct mqtt_down *take_down(struct mqtt_link *l)
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

/* What the broker did not confirm goes again, before what came later; a newer
 * retained message of the same topic has made it pointless. */
static void give_back(struct session *s)
{
	struct mqtt_link *l = s->link;
	struct mqtt_down *d, *newer;

	pthread_mutex_lock(&l->lock);
	while ((d = TAILQ_LAST(&s->unconfirmed, mqtt_down_list))) {
		TAILQ_REMOVE(&s->unconfirmed, d, le);
		newer = NULL;
		if (d->retain) {
			TAILQ_FOREACH(newer, &l->down, le)
			{
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
	s->n_unconfirmed = 0;
}

/* Once a connection: an owner that publishes all anew at each news would be
 * refused, and told, without end. */
static void tell_refusal(struct session *s, const char *text)
{
	if (!s->told_refusal)
		tell_state(s->link, true, text);
	s->told_refusal = true;
}

static void publish_handler(struct mosquitto *mosq, void *arg, int mid,
			    int code, const mosquitto_property *props)
{
	struct session *s = arg;
	struct mqtt_down *d;
	char text[256];

	(void)mosq;
	(void)props;
	TAILQ_FOREACH(d, &s->unconfirmed, le)
	{
		if (d->mid == mid)
			break;
	}
	if (!d)
		return;
	TAILQ_REMOVE(&s->unconfirmed, d, le);
	s->n_unconfirmed--;
	pthread_mutex_lock(&s->link->lock);
	if (code >= 128)
		s->link->count.lost++;
	else
		s->link->count.published++;
	pthread_mutex_unlock(&s->link->lock);
	if (code >= 128) {
		snprintf(text, sizeof(text),
			 "the broker refuses what we publish on \"%.100s\" "
			 "(%s): give our user write access there",
			 d->topic, mosquitto_reason_string(code));
		tell_refusal(s, text);
	}
	free(d);
}

static void hand_over(struct session *s, struct mqtt_down *d)
{
	int rc;

	/* Linked before it is handed over: for QoS 0 the confirmation comes
	 * from within mosquitto_publish_v5(), after it has set mid. */
	TAILQ_INSERT_TAIL(&s->unconfirmed, d, le);
	s->n_unconfirmed++;
	rc = mosquitto_publish_v5(s->mosq, &d->mid, d->topic, (int)d->len,
				  d->payload, d->qos, d->retain, NULL);
	if (rc == MOSQ_ERR_SUCCESS || rc == MOSQ_ERR_NO_CONN ||
	    rc == MOSQ_ERR_CONN_LOST || rc == MOSQ_ERR_ERRNO)
		return; /* the loop sees a lost connection and gives it back */
	TAILQ_REMOVE(&s->unconfirmed, d, le);
	s->n_unconfirmed--;
	pthread_mutex_lock(&s->link->lock);
	s->link->count.lost++;
	pthread_mutex_unlock(&s->link->lock);
	free(d);
}

static void send_waiting(struct session *s)
{
	struct mqtt_down *d;

	while (s->up && !s->ended && s->n_unconfirmed < MQTT_UNCONFIRMED) {
		d = take_down(s->link);
		if (!d)
			return;
		hand_over(s, d);
	}
}

/* -------------------------------------------------- subscriptions */

/* The next filter not yet sent on this connection, copied out of the lock. */
static char *next_filter(struct mqtt_link *l)
{
	struct mqtt_filter *f;
	char *text = NULL;

	pthread_mutex_lock(&l->lock);
	TAILQ_FOREACH(f, &l->filters, le)
	{
		if (!f->sent) {
			f->sent = true;
			f->mid = 0;
			text = strdup(f->text);
			break;
		}
	}
	pthread_mutex_unlock(&l->lock);
	return text;
}

static void note_mid(struct mqtt_link *l, const char *filter, int mid)
{
	struct mqtt_filter *f;

	pthread_mutex_lock(&l->lock);
	TAILQ_FOREACH(f, &l->filters, le)
	{
		if (!strcmp(f->text, filter))
			f->mid = mid;
	}
	pthread_mutex_unlock(&l->lock);
}

/* Retain-as-published is left off: a message whose retain flag arrives set is
 * old, whatever its sender asked for. */
static void subscribe_waiting(struct session *s)
{
	char *filter;
	int mid = 0;

	while (s->up && !s->ended && (filter = next_filter(s->link))) {
		if (!mosquitto_subscribe_v5(s->mosq, &mid, filter, 1, 0, NULL))
			note_mid(s->link, filter, mid);
		free(filter);
	}
}

static void subscribe_handler(struct mosquitto *mosq, void *arg, int mid, int n,
			      const int *granted,
			      const mosquitto_property *props)
{
	struct session *s = arg;
	struct mqtt_filter *f;
	char text[256] = "";

	(void)mosq;
	(void)props;
	if (n < 1 || granted[0] < 128)
		return;
	pthread_mutex_lock(&s->link->lock);
	TAILQ_FOREACH(f, &s->link->filters, le)
	{
		if (f->mid == mid)
			snprintf(text, sizeof(text),
				 "the broker refuses our subscription to "
				 "\"%.100s\" (%s): give our user read access "
				 "there",
				 f->text, mosquitto_reason_string(granted[0]));
	}
	pthread_mutex_unlock(&s->link->lock);
	if (text[0])
		tell_refusal(s, text);
}

static void forget_sent(struct mqtt_link *l)
{
	struct mqtt_filter *f;

	pthread_mutex_lock(&l->lock);
	TAILQ_FOREACH(f, &l->filters, le)
	{
		f->sent = false;
		f->mid = 0;
	}
	pthread_mutex_unlock(&l->lock);
}

/* ---------------------------------------------------- one connection */

static void connect_handler(struct mosquitto *mosq, void *arg, int code,
			    int flags, const mosquitto_property *props)
{
	struct session *s = arg;

	(void)mosq;
	(void)flags;
	(void)props;
	if (code) {
		mqtt_text_connack(&s->text, &s->link->spec, code);
		s->ended = true;
		return;
	}
	s->up = true;
}

static void disconnect_handler(struct mosquitto *mosq, void *arg, int rc,
			       const mosquitto_property *props)
{
	struct session *s = arg;
	int err = errno;

	(void)mosq;
	(void)props;
	if (s->ended)
		return; /* the CONNACK has already said why */
	mqtt_text_lost(&s->text, &s->link->spec, rc, err, s->up,
		       s->verdict.text);
	s->ended = true;
}

/* After a call into libmosquitto: did it end the connection? */
static void check_rc(struct session *s, int rc)
{
	int err = errno;

	if (s->ended || rc == MOSQ_ERR_SUCCESS)
		return;
	mqtt_text_lost(&s->text, &s->link->spec, rc, err, s->up,
		       s->verdict.text);
	s->ended = true;
}

static int make(struct session *s)
{
	const struct mqtt_own_spec *spec = &s->link->spec;
	char secret[512];
	SSL_CTX *ctx;
	int rc = 0;

	s->mosq = mosquitto_new(spec->client_id, true, s);
	if (!s->mosq)
		return reason_set(&s->text, ENOMEM, "mqtt: %s",
				  strerror(errno));
	mosquitto_int_option(s->mosq, MOSQ_OPT_PROTOCOL_VERSION,
			     MQTT_PROTOCOL_V5);
	mosquitto_connect_v5_callback_set(s->mosq, connect_handler);
	mosquitto_disconnect_v5_callback_set(s->mosq, disconnect_handler);
	mosquitto_message_v5_callback_set(s->mosq, message_handler);
	mosquitto_publish_v5_callback_set(s->mosq, publish_handler);
	mosquitto_subscribe_v5_callback_set(s->mosq, subscribe_handler);
	if (spec->user) {
		secret[0] = '\0';
		/* Read anew each time: a corrected file needs no restart. */
		if (spec->password_file &&
		    mqtt_password(spec->password_file, secret, sizeof(secret),
				  &s->text))
			return EINVAL;
		rc = mosquitto_username_pw_set(s->mosq, spec->user,
					       spec->password_file ? secret
								   : NULL);
		explicit_bzero(secret, sizeof(secret));
	}
	if (!rc && spec->will_topic)
		rc = mosquitto_will_set_v5(
			s->mosq, spec->will_topic,
			spec->will_payload ? (int)strlen(spec->will_payload)
					   : 0,
			spec->will_payload, 1, true, NULL);
	if (!rc && spec->tls) {
		ctx = mqtt_tls(spec, &s->verdict, &s->text);
		if (!ctx)
			return EINVAL;
		mosquitto_int_option(s->mosq, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS,
				     0);
		rc = mosquitto_void_option(s->mosq, MOSQ_OPT_SSL_CTX, ctx);
		SSL_CTX_free(ctx); /* libmosquitto took its own reference */
	}
	if (rc)
		return reason_set(&s->text, EINVAL, "mqtt: %s",
				  mosquitto_strerror(rc));
	return 0;
}

/* Waits for fd or for being woken to stop; ms < 0 = without end. False when it
 * is time to stop. */
static bool wait_fd(struct mqtt_link *l, int fd, short events, int ms,
		    short *got)
{
	struct pollfd p[2] = {{.fd = l->wakefd, .events = POLLIN},
			      {.fd = fd, .events = events}};
	uint64_t drained;
	ssize_t n;

	(void)poll(p, fd >= 0 ? 2 : 1, ms);
	if (p[0].revents) {
		n = read(l->wakefd, &drained, sizeof(drained));
		(void)n;
	}
	*got = fd >= 0 ? p[1].revents : 0;
	return !stopping(l);
}

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
		if (!wait_fd(l, fd, POLLOUT, (int)(until - now), &got)) {
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

/*
 * Finds an address that answers, before libmosquitto connects: its blocking
 * connect would sit in an unanswered SYN for two minutes and could not be
 * stopped, its asynchronous one takes no properties and tells no cause.
 *
 * @param target gets what to connect to: the host's name, or the first address
 *               that answered when it was not the host's first
 */
static int find_address(struct session *s, char *target, size_t size)
{
	const struct mqtt_own_spec *spec = &s->link->spec;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICSERV};
	struct addrinfo *all, *ai;
	char port[8];
	int err;

	snprintf(port, sizeof(port), "%u", spec->port);
	err = getaddrinfo(spec->host, port, &hints, &all);
	if (err) {
		mqtt_text_unresolved(&s->text, spec, err);
		return EINVAL;
	}
	for (ai = all; ai; ai = ai->ai_next) {
		err = try_address(s->link, ai);
		if (!err || err == ECANCELED)
			break;
	}
	if (err)
		mqtt_text_unreached(&s->text, spec, err);
	else if (ai == all)
		snprintf(target, size, "%s", spec->host);
	else
		(void)getnameinfo(ai->ai_addr, ai->ai_addrlen, target,
				  (socklen_t)size, NULL, 0, NI_NUMERICHOST);
	freeaddrinfo(all);
	return err;
}

static int begin(struct session *s)
{
	const struct mqtt_own_spec *spec = &s->link->spec;
	unsigned timeout = spec->keepalive_s * 1000;
	mosquitto_property *props = NULL;
	char target[256];
	int err, rc;

	err = find_address(s, target, sizeof(target));
	if (!err)
		err = make(s);
	if (err)
		return err;
	mosquitto_property_add_int32(&props, MQTT_PROP_MAXIMUM_PACKET_SIZE,
				     MQTT_MAX_PACKET);
	rc = mosquitto_connect_bind_v5(s->mosq, target, spec->port,
				       (int)spec->keepalive_s, NULL, props);
	check_rc(s, rc);
	mosquitto_property_free_all(&props);
	if (!s->ended)
		/* A cut cable is noticed even while we are sending. */
		(void)setsockopt(mosquitto_socket(s->mosq), IPPROTO_TCP,
				 TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
	return s->ended ? ECONNABORTED : 0;
}

/* One turn: waits at most ms, moves bytes both ways. False: time to stop. */
static bool turn(struct session *s, int ms)
{
	short events = POLLIN, got = 0;
	bool go_on;
	SSL *ssl;

	if (mosquitto_want_write(s->mosq))
		events |= POLLOUT;
	go_on = wait_fd(s->link, mosquitto_socket(s->mosq), events, ms, &got);
	if (got & ~POLLOUT) {
		do {
			check_rc(s, mosquitto_loop_read(s->mosq, 1));
			ssl = s->ended ? NULL : mosquitto_ssl_get(s->mosq);
		} while (ssl && SSL_pending(ssl) > 0);
	}
	if (!s->ended && mosquitto_want_write(s->mosq))
		check_rc(s, mosquitto_loop_write(s->mosq, 1));
	if (!s->ended)
		check_rc(s, mosquitto_loop_misc(s->mosq));
	return go_on;
}

/* What was published before the end, then the will by the broker's hand, so
 * that nobody takes a stop for a crash or a crash for silence. */
static void farewell(struct session *s)
{
	uint64_t until = clock_mono_ms() + MQTT_FAREWELL_MS, now;
	int code = s->link->spec.will_topic ? MQTT_RC_DISCONNECT_WITH_WILL_MSG
					    : MQTT_RC_NORMAL_DISCONNECTION;

	send_waiting(s);
	while (!s->ended && s->n_unconfirmed &&
	       (now = clock_mono_ms()) < until) {
		(void)turn(s, (int)(until - now));
		send_waiting(s);
	}
	if (s->ended)
		return;
	mosquitto_disconnect_v5(s->mosq, code, NULL);
	while (mosquitto_socket(s->mosq) >= 0 &&
	       mosquitto_want_write(s->mosq) && (now = clock_mono_ms()) < until)
		(void)turn(s, (int)(until - now));
}

static void birth(struct session *s)
{
	const struct mqtt_own_spec *spec = &s->link->spec;
	struct mqtt_down *d;

	forget_sent(s->link);
	subscribe_waiting(s);
	if (spec->birth_payload && spec->will_topic) {
		d = mqtt_down_new(spec->will_topic, spec->birth_payload, 1,
				  true);
		if (d)
			hand_over(s, d);
	}
	tell_state(s->link, true, "");
}

static void serve(struct session *s)
{
	uint64_t until = clock_mono_ms() + MQTT_CONNECT_MS;
	bool born = false;

	while (!s->ended) {
		if (!turn(s, 500)) {
			if (s->up)
				farewell(s);
			return;
		}
		if (s->up && !s->ended && !born) {
			birth(s);
			born = true;
		}
		subscribe_waiting(s);
		send_waiting(s);
		if (!s->up && !s->ended && clock_mono_ms() > until) {
			reason_set(&s->text, 0,
				   "%s: connected, but no answer to the MQTT "
				   "greeting: is this its MQTT port?",
				   mqtt_broker_name((char[300]){""}, 300,
						    &s->link->spec));
			return;
		}
	}
}

/* ---------------------------------------------------------- thread */

/* Spread evenly from 1 s to twice as far each time, 30 s at most, so that a
 * whole site does not fall upon a broker that has just come back. */
static int backoff_ms(unsigned failures)
{
	unsigned span = BACKOFF_MIN_MS / 2, random = 0;

	while (failures-- > 1 && span < BACKOFF_MAX_MS)
		span *= 2;
	if (span > BACKOFF_MAX_MS - BACKOFF_MIN_MS)
		span = BACKOFF_MAX_MS - BACKOFF_MIN_MS;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (unsigned)clock_mono_us();
	return (int)(BACKOFF_MIN_MS + random % span);
}

/* False: time to stop. */
static bool pause_ms(struct mqtt_link *l, int ms)
{
	uint64_t until = clock_mono_ms() + (uint64_t)ms, now;
	short got;

	while ((now = clock_mono_ms()) < until) {
		if (!wait_fd(l, -1, 0, (int)(until - now), &got))
			return false;
	}
	return true;
}

void *mqtt_link_main(void *arg)
{
	struct mqtt_link *l = arg;
	char told[sizeof(((struct reason *)0)->text)] = "";
	unsigned failures = 0;
	uint64_t since;

	while (!stopping(l)) {
		struct session s = {.link = l};

		TAILQ_INIT(&s.unconfirmed);
		since = clock_mono_ms();
		if (!begin(&s))
			serve(&s);
		if (s.mosq)
			mosquitto_destroy(s.mosq);
		give_back(&s);
		if (stopping(l))
			break;
		/* The same refusal every few seconds is told once. */
		if (s.up || strcmp(told, s.text.text))
			tell_state(l, false, s.text.text);
		snprintf(told, sizeof(told), "%s", s.text.text);
		if (s.up && clock_mono_ms() - since > GOOD_MS)
			failures = 0;
		failures++;
		if (!pause_ms(l, backoff_ms(failures)))
			break;
	}
	pthread_mutex_lock(&l->lock);
	l->ended = true;
	pthread_cond_signal(&l->end);
	pthread_mutex_unlock(&l->lock);
	mqtt_link_unref(l);
	return NULL;
}
