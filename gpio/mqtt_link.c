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
#include <mosquitto.h>
#include <mqtt_protocol.h>
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
	unsigned broker;
	struct mosquitto *mosq;
	bool up;                   /* CONNACK said yes */
	bool ended;                /* refused or lost: text says why */
	bool yield;                /* a more wanted broker is back */
	bool told_read;            /* that a subscription was refused */
	struct mqtt_down *refused; /* the first refused publication */
	uint64_t again_ms;         /* when to try refused ones again */
	uint64_t probe_ms;         /* when to look at the other brokers */
	struct reason text;
	struct mqtt_tls_peer peer;
	struct mqtt_down_list unconfirmed;
	size_t n_unconfirmed;
};

/* What the owner was told last, over all connections: the same refusal every
 * few seconds is told once. */
struct told {
	bool away_known, other_known[MQTT_MAX_BROKERS];
	char away[sizeof(((struct reason *)0)->text)];
	char other[MQTT_MAX_BROKERS][sizeof(((struct reason *)0)->text)];
	bool yielded;      /* a connection was given up for the first broker */
	unsigned yields;   /* that came to nothing */
	uint64_t yield_ms; /* not before */
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
	for (unsigned i = 0; i < MQTT_MAX_BROKERS; i++)
		free(s->broker[i].host);
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

static void message_handler(struct mosquitto *mosq, void *arg,
			    const struct mosquitto_message *mm,
			    const mosquitto_property *props)
{
	struct session *s = arg;

	(void)mosq;
	(void)props;
	mqtt_up_message(s->link, mm);
}

static const struct mqtt_own_broker *broker_of(const struct session *s)
{
	return &s->link->spec.broker[s->broker];
}

/* Takes d: one that was refused goes again from time to time, which tells when
 * the access list has been corrected. The owner says all anew then. */
static void refused_publication(struct session *s, struct mqtt_down *d,
				int code)
{
	char text[256];

	if (s->refused) {
		free(d);
		return;
	}
	d->late = d->event;
	s->refused = d;
	s->again_ms = clock_mono_ms() + MQTT_REFUSED_MS;
	snprintf(text, sizeof(text),
		 "the broker refuses what we publish on \"%.100s\" (%s): give "
		 "our user write access there",
		 d->topic, mosquitto_reason_string(code));
	mqtt_up_state(s->link, MQTT_NO_WRITE, s->broker, text);
}

static void again_answered(struct session *s, int code)
{
	s->refused->mid = 0;
	if (code >= 128)
		return;
	free(s->refused);
	s->refused = NULL;
	mqtt_up_state(s->link, MQTT_NO_WRITE, s->broker, "");
}

static void publish_handler(struct mosquitto *mosq, void *arg, int mid,
			    int code, const mosquitto_property *props)
{
	struct session *s = arg;
	struct mqtt_down *d;

	(void)mosq;
	(void)props;
	if (s->refused && mid == s->refused->mid) {
		again_answered(s, code);
		return;
	}
	for (d = TAILQ_FIRST(&s->unconfirmed); d; d = TAILQ_NEXT(d, le)) {
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
		d->mid = 0;
		refused_publication(s, d, code);
	} else {
		free(d);
	}
}

/* {"id":1} -> {"id":1,"late":true}. NULL without memory. */
static char *mark_late(const struct mqtt_down *d)
{
	static const char mark[] = ",\"late\":true}";
	char *text = malloc(d->len + sizeof(mark));

	if (text) {
		memcpy(text, d->payload, d->len - 1);
		memcpy(text + d->len - 1, mark, sizeof(mark));
	}
	return text;
}

static int send_one(struct session *s, struct mqtt_down *d)
{
	char *marked = d->late ? mark_late(d) : NULL;
	const char *payload = marked ? marked : d->payload;
	int rc = mosquitto_publish_v5(s->mosq, &d->mid, d->topic,
				      (int)strlen(payload), payload, d->qos,
				      d->retain, NULL);

	free(marked);
	return rc;
}

static void hand_over(struct session *s, struct mqtt_down *d)
{
	int rc;

	/* Linked before it is handed over: for QoS 0 the confirmation comes
	 * from within mosquitto_publish_v5(), after it has set mid. */
	TAILQ_INSERT_TAIL(&s->unconfirmed, d, le);
	s->n_unconfirmed++;
	rc = send_one(s, d);
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
		d = mqtt_down_take(s->link, clock_mono_ms());
		if (!d)
			return;
		hand_over(s, d);
	}
}

/* -------------------------------------------------- subscriptions */

/* The next filter not yet sent on this connection, copied out of the lock. */
static char *next_filter(struct mqtt_link *l, int *options)
{
	struct mqtt_filter *f;
	char *text = NULL;

	pthread_mutex_lock(&l->lock);
	for (f = TAILQ_FIRST(&l->filters); f; f = TAILQ_NEXT(f, le)) {
		if (!f->sent) {
			f->sent = true;
			f->mid = 0;
			*options = f->others ? MQTT_SUB_OPT_NO_LOCAL : 0;
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
	for (f = TAILQ_FIRST(&l->filters); f; f = TAILQ_NEXT(f, le)) {
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
	int mid = 0, options = 0;

	while (s->up && !s->ended &&
	       (filter = next_filter(s->link, &options))) {
		if (!mosquitto_subscribe_v5(s->mosq, &mid, filter, 1, options,
					    NULL))
			note_mid(s->link, filter, mid);
		free(filter);
	}
}

static void subscribe_handler(struct mosquitto *mosq, void *arg, int mid, int n,
			      const int *granted,
			      const mosquitto_property *props)
{
	struct session *s = arg;
	bool refused = n > 0 && granted[0] >= 128, others = false;
	struct mqtt_filter *f;
	char text[256] = "";

	(void)mosq;
	(void)props;
	pthread_mutex_lock(&s->link->lock);
	for (f = TAILQ_FIRST(&s->link->filters); f; f = TAILQ_NEXT(f, le)) {
		if (f->mid == mid && !f->others) {
			f->refused = refused;
			if (refused)
				snprintf(text, sizeof(text),
					 "the broker refuses our subscription "
					 "to \"%.100s\" (%s): give our user "
					 "read access there",
					 f->text,
					 mosquitto_reason_string(granted[0]));
		}
		others = others || f->refused;
	}
	pthread_mutex_unlock(&s->link->lock);
	if (text[0] && !s->told_read) {
		s->told_read = true;
		s->again_ms = clock_mono_ms() + MQTT_REFUSED_MS;
		mqtt_up_state(s->link, MQTT_NO_READ, s->broker, text);
	} else if (s->told_read && !others) {
		s->told_read = false;
		mqtt_up_state(s->link, MQTT_NO_READ, s->broker, "");
	}
}

/* Access lists are corrected while we are connected. */
static void try_refused_again(struct session *s)
{
	struct mqtt_filter *f;

	if ((!s->told_read && !s->refused) || clock_mono_ms() < s->again_ms)
		return;
	s->again_ms = clock_mono_ms() + MQTT_REFUSED_MS;
	pthread_mutex_lock(&s->link->lock);
	for (f = TAILQ_FIRST(&s->link->filters); f; f = TAILQ_NEXT(f, le)) {
		if (f->refused)
			f->sent = false;
	}
	pthread_mutex_unlock(&s->link->lock);
	if (s->refused && !s->refused->mid && send_one(s, s->refused))
		s->refused->mid = 0;
}

static void forget_sent(struct mqtt_link *l)
{
	struct mqtt_filter *f;

	pthread_mutex_lock(&l->lock);
	for (f = TAILQ_FIRST(&l->filters); f; f = TAILQ_NEXT(f, le)) {
		f->sent = f->refused = false;
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
		mqtt_text_connack(&s->text, &s->link->spec, s->broker, code);
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
	mqtt_text_lost(&s->text, &s->link->spec, s->broker, rc, err, s->up,
		       s->peer.verdict.text);
	s->ended = true;
}

/* After a call into libmosquitto: did it end the connection? */
static void check_rc(struct session *s, int rc)
{
	int err = errno;

	if (s->ended || rc == MOSQ_ERR_SUCCESS)
		return;
	mqtt_text_lost(&s->text, &s->link->spec, s->broker, rc, err, s->up,
		       s->peer.verdict.text);
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
	if (!rc && broker_of(s)->tls) {
		s->peer.host = broker_of(s)->host;
		ctx = mqtt_tls(spec, &s->peer, &s->text);
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

bool mqtt_link_wait(struct mqtt_link *l, int fd, short events, int ms,
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

/* A lost connection is cut: what the kernel still holds of it must not reach
 * the broker after all, beside what goes again on the next one. */
static void cut_when_closed(const struct session *s, bool yes)
{
	const struct linger linger = {.l_onoff = yes};

	(void)setsockopt(mosquitto_socket(s->mosq), SOL_SOCKET, SO_LINGER,
			 &linger, sizeof(linger));
}

static int begin(struct session *s)
{
	const struct mqtt_own_spec *spec = &s->link->spec;
	unsigned timeout = spec->keepalive_s * 1000;
	const int yes = 1;
	mosquitto_property *props = NULL;
	char address[64];
	int err, rc;

	err = mqtt_dial(s->link, s->broker, address, &s->text);
	if (!err)
		err = make(s);
	if (err)
		return err;
	mosquitto_property_add_int32(&props, MQTT_PROP_MAXIMUM_PACKET_SIZE,
				     MQTT_MAX_PACKET);
	rc = mosquitto_connect_bind_v5(s->mosq, address, broker_of(s)->port,
				       (int)spec->keepalive_s, NULL, props);
	check_rc(s, rc);
	mosquitto_property_free_all(&props);
	if (!s->ended) {
		cut_when_closed(s, true);
		/* A cut cable is noticed even while we are sending. */
		(void)setsockopt(mosquitto_socket(s->mosq), IPPROTO_TCP,
				 TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
		(void)setsockopt(mosquitto_socket(s->mosq), IPPROTO_TCP,
				 TCP_NODELAY, &yes, sizeof(yes));
	}
	return s->ended ? ECONNABORTED : 0;
}

/* One turn: waits at most ms, moves bytes both ways. False: time to stop. */
static bool turn(struct session *s, int ms)
{
	bool full = mqtt_up_full(s->link), go_on;
	short events = full ? 0 : POLLIN, got = 0;
	SSL *ssl = mosquitto_ssl_get(s->mosq);

	if (mosquitto_want_write(s->mosq))
		events |= POLLOUT;
	/* What OpenSSL has read already, poll() does not see. */
	if (!full && ssl && SSL_pending(ssl) > 0)
		ms = 0;
	go_on = mqtt_link_wait(s->link, mosquitto_socket(s->mosq), events, ms,
			       &got);
	if (!full && (got & ~POLLOUT || (ssl && SSL_pending(ssl) > 0))) {
		do {
			check_rc(s, mosquitto_loop_read(s->mosq, 1));
			ssl = s->ended ? NULL : mosquitto_ssl_get(s->mosq);
		} while (ssl && SSL_pending(ssl) > 0 && !mqtt_up_full(s->link));
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
	cut_when_closed(s, false);
	mosquitto_disconnect_v5(s->mosq, code, NULL);
	while (mosquitto_socket(s->mosq) >= 0 &&
	       mosquitto_want_write(s->mosq) && (now = clock_mono_ms()) < until)
		(void)turn(s, (int)(until - now));
}

static void set_attached(struct mqtt_link *l, bool attached)
{
	pthread_mutex_lock(&l->lock);
	l->attached = attached;
	pthread_mutex_unlock(&l->lock);
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
	s->probe_ms = clock_mono_ms();
	set_attached(s->link, true);
	mqtt_up_state(s->link, MQTT_CONNECTED, s->broker, "");
}

/* What is known of a broker that we are not connected to, told once. */
static void tell_other(struct mqtt_link *l, struct told *told, unsigned broker,
		       const char *text)
{
	if (l->spec.n_brokers < 2 ||
	    (told->other_known[broker] && !strcmp(told->other[broker], text)))
		return;
	told->other_known[broker] = true;
	snprintf(told->other[broker], sizeof(told->other[broker]), "%s", text);
	mqtt_up_state(l, MQTT_OTHER, broker, text);
}

/* Is the reserve there, should it be needed, and the first one again? */
static void look_at_others(struct session *s, struct told *told)
{
	struct mqtt_link *l = s->link;
	uint64_t now = clock_mono_ms();
	bool due = l->spec.probe_s && now >= s->probe_ms;
	struct reason why;
	char address[64];
	int err;

	for (unsigned i = 0; i < l->spec.n_brokers; i++) {
		if (i == s->broker)
			continue;
		err = mqtt_dial_take(l, i, address, &why);
		if (err == EAGAIN && !due)
			continue;
		if (err == EAGAIN && !l->dial[i]) {
			(void)mqtt_dial_begin(l, i);
			continue;
		}
		if (err == EAGAIN) /* it hangs since the last time */
			mqtt_text_unresolved(&why, &l->spec.broker[i], 0);
		if (err)
			tell_other(l, told, i, why.text);
		else if (i > s->broker)
			tell_other(l, told, i, "");
		else
			s->yield = s->yield || now >= told->yield_ms;
	}
	if (due)
		s->probe_ms = now + l->spec.probe_s * UINT64_C(1000);
}

static void serve(struct session *s, struct told *told)
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
		if (born && !s->ended) {
			try_refused_again(s);
			look_at_others(s, told);
		}
		if (s->yield && !s->ended) {
			reason_set(&s->text, 0, "going back to %s",
				   mqtt_broker_name((char[300]){""}, 300,
						    s->link->spec.broker));
			farewell(s);
			return;
		}
		if (!s->up && !s->ended && clock_mono_ms() > until) {
			reason_set(&s->text, 0,
				   "%s: connected, but no answer to the MQTT "
				   "greeting: is this its MQTT port?",
				   mqtt_broker_name((char[300]){""}, 300,
						    broker_of(s)));
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
		if (!mqtt_link_wait(l, -1, 0, (int)(until - now), &got))
			return false;
	}
	return true;
}

/* One connection to one broker, from resolving to its end. */
static void session_run(struct session *s, struct told *told)
{
	struct mqtt_link *l = s->link;

	TAILQ_INIT(&s->unconfirmed);
	if (!begin(s))
		serve(s, told);
	set_attached(l, false);
	if (s->mosq)
		mosquitto_destroy(s->mosq);
	free(s->refused);
	mqtt_down_give_back(l, &s->unconfirmed);
}

/* Nobody takes us: told when the first reason is another one than before. */
static void tell_away(struct mqtt_link *l, struct told *told,
		      const struct reason *first)
{
	struct reason text = *first;

	if (told->away_known && !strcmp(told->away, first->text))
		return;
	told->away_known = true;
	snprintf(told->away, sizeof(told->away), "%s", first->text);
	if (l->spec.n_brokers > 1)
		reason_set(&text, 0, "none of the %u brokers; %s",
			   l->spec.n_brokers, first->text);
	mqtt_up_state(l, MQTT_AWAY, 0, text.text);
}

/* One that can be reached but does not take us is no reason to leave a reserve:
 * not for a while, which is doubled each time. */
static void note_refusal(const struct mqtt_link *l, struct told *told)
{
	told->yield_ms =
		clock_mono_ms() + (l->spec.probe_s * UINT64_C(2000)
				   << (told->yields < 5 ? told->yields : 5));
	told->yields++;
}

/* Tries the brokers from `from` on, all of them once; serves the first that
 * takes us until it ends. Returns where to go on, or -1: none took us. */
static int round_of(struct mqtt_link *l, struct told *told, unsigned from,
		    bool *good)
{
	struct reason first = {""};
	unsigned n = l->spec.n_brokers;

	for (unsigned k = 0; k < n && !stopping(l); k++) {
		struct session s = {.link = l, .broker = (from + k) % n};
		uint64_t since = clock_mono_ms();

		session_run(&s, told);
		if (stopping(l))
			return -1;
		*good = s.up && clock_mono_ms() - since > GOOD_MS;
		told->yielded = false;
		if (!s.broker && *good)
			told->yields = 0;
		else if (s.mosq && !*good)
			note_refusal(l, told);
		if (!s.up) {
			if (!first.text[0])
				first = s.text;
			tell_other(l, told, s.broker, s.text.text);
			continue;
		}
		told->away_known = false;
		told->other_known[s.broker] = false;
		if (s.yield) {
			told->yielded = true;
			return 0;
		}
		mqtt_up_state(l, MQTT_AWAY, s.broker, s.text.text);
		snprintf(told->away, sizeof(told->away), "%s", s.text.text);
		told->away_known = true;
		return (int)((s.broker + 1) % n);
	}
	tell_away(l, told, &first);
	return -1;
}

void *mqtt_link_main(void *arg)
{
	struct mqtt_link *l = arg;
	struct told *told = calloc(1, sizeof(*told));
	unsigned failures = 0;
	int from = 0;

	while (told && !stopping(l)) {
		bool good = false;

		from = round_of(l, told, from > 0 ? (unsigned)from : 0, &good);
		if (stopping(l))
			break;
		if (good)
			failures = 0;
		/* Another broker is asked at once, but not round and round. */
		if (from >= 0 && good && l->spec.n_brokers > 1)
			continue;
		if (told->yielded)
			continue;
		failures++;
		if (!pause_ms(l, backoff_ms(failures)))
			break;
	}
	free(told);
	pthread_mutex_lock(&l->lock);
	for (unsigned i = 0; i < MQTT_MAX_BROKERS; i++) {
		struct mqtt_dial *d = l->dial[i];

		l->dial[i] = NULL;
		if (d && d->done)
			free(d);
		else if (d)
			d->abandoned = true;
	}
	l->ended = true;
	pthread_cond_signal(&l->end);
	pthread_mutex_unlock(&l->lock);
	mqtt_link_unref(l);
	return NULL;
}
