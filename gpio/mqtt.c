/* The owner's half of an MQTT connection: what is called from, and delivered
 * in, the thread that made it. Nothing here waits for the network. */
#include "gpio/mqtt.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "gpio/mqtt_link.h"

#include <errno.h>
#include <mosquitto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Messages handled in one wake-up: a flood must not keep the loop from its
 * timers and sockets; the rest waits for the next turn. */
#define BATCH 64

struct mqtt {
	struct mqtt_link *link;
	struct mqueue *mq;
	pthread_t thread;
	mqtt_message_h *msgh;
	mqtt_state_h *stateh;
	void *arg;
	bool connected; /* as last told to stateh */
	bool *gone;     /* set when mqtt_free() is called by a handler */
};

static void deliver(struct mqtt *m, const struct mqtt_up *u)
{
	if (!u->is_state) {
		m->msgh(&u->msg, m->arg);
		return;
	}
	if (u->news == MQTT_AWAY || u->news == MQTT_CONNECTED)
		m->connected = u->news == MQTT_CONNECTED;
	m->stateh(u->news, u->broker, u->text, m->arg);
}

static void wake_handler(int id, void *data, void *arg)
{
	struct mqtt *m = arg;
	struct mqtt_up *u;
	bool gone = false;

	(void)id;
	(void)data;
	m->gone = &gone;
	for (int i = 0; i < BATCH; i++) {
		u = mqtt_up_take(m->link);
		if (!u)
			goto out;
		deliver(m, u);
		free(u);
		if (gone)
			return;
	}
	/* `woken` stays set: this is the one wake-up in the pipe. */
	if (mqueue_push(m->mq, 0, NULL)) {
		pthread_mutex_lock(&m->link->lock);
		m->link->woken = false;
		pthread_mutex_unlock(&m->link->lock);
	}
out:
	m->gone = NULL;
}

static void library_init(void)
{
	mosquitto_lib_init();
}

static int copy(char **to, const char *from)
{
	*to = NULL;
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : ENOMEM;
}

static int copy_spec(struct mqtt_own_spec *to, const struct mqtt_spec *from)
{
	unsigned random = (unsigned)getpid();
	char id[32];

	/* A process number is not enough: in containers all are the same, and
	 * two clients of one id throw each other out without end. */
	(void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
	snprintf(id, sizeof(id), "tocsin-%08x", random);
	for (unsigned i = 0; i < from->n_brokers; i++) {
		const struct mqtt_broker *b = &from->broker[i];

		to->broker[i].port = b->port ? b->port : (b->tls ? 8883 : 1883);
		to->broker[i].tls = b->tls;
		if (copy(&to->broker[i].host, b->host))
			return ENOMEM;
	}
	to->n_brokers = from->n_brokers;
	to->probe_s = from->probe_s;
	to->keepalive_s = from->keepalive_s ? from->keepalive_s : 10;
	return copy(&to->user, from->user) ||
			       copy(&to->password_file, from->password_file) ||
			       copy(&to->ca, from->ca) ||
			       copy(&to->cert, from->cert) ||
			       copy(&to->key, from->key) ||
			       copy(&to->client_id,
				    from->client_id ? from->client_id : id) ||
			       copy(&to->will_topic, from->will_topic) ||
			       copy(&to->will_payload, from->will_payload) ||
			       copy(&to->birth_payload, from->birth_payload)
		       ? ENOMEM
		       : 0;
}

int mqtt_password(const char *path, char *buf, size_t size, struct reason *why)
{
	FILE *f = fopen(path, "re");
	int err = 0;

	if (!f)
		return reason_set(why, errno, "mqtt: password-file \"%s\": %s",
				  path, strerror(errno));
	if (!fgets(buf, (int)size, f) || !buf[strcspn(buf, "\r\n")])
		/* no end of line: cut, unless the file just ends there */
		err = ferror(f) || fgetc(f) != EOF ? EINVAL : 0;
	if (!err && ftell(f) == 0)
		err = EINVAL;
	fclose(f);
	if (err)
		return reason_set(why, EINVAL,
				  "mqtt: password-file \"%s\": its first line "
				  "must be the password, at most %zu bytes",
				  path, size - 2);
	buf[strcspn(buf, "\r\n")] = '\0';
	return 0;
}

/* What can be known to be wrong before connecting. */
static int check_spec(const struct mqtt_own_spec *s, struct reason *why)
{
	char secret[512];
	struct mqtt_tls_peer peer;
	SSL_CTX *ctx;
	int err;

	if (s->will_topic && mosquitto_pub_topic_check(s->will_topic))
		return reason_set(why, EINVAL,
				  "mqtt: topic \"%s\": + and # are not allowed",
				  s->will_topic);
	if (s->password_file) {
		err = mqtt_password(s->password_file, secret, sizeof(secret),
				    why);
		explicit_bzero(secret, sizeof(secret));
		if (err)
			return EINVAL;
	}
	for (unsigned i = 0; i < s->n_brokers; i++) {
		if (!s->broker[i].tls)
			continue;
		peer.host = s->broker[i].host;
		ctx = mqtt_tls(s, &peer, why);
		if (!ctx)
			return EINVAL;
		SSL_CTX_free(ctx);
	}
	return 0;
}

static int link_alloc(struct mqtt_link **lp, const struct mqtt_spec *spec,
		      struct reason *why)
{
	struct mqtt_link *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;
	int err;

	if (!l)
		return ENOMEM;
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->end, &attr);
	pthread_condattr_destroy(&attr);
	TAILQ_INIT(&l->up);
	TAILQ_INIT(&l->down);
	TAILQ_INIT(&l->filters);
	l->refs = 1;
	l->wakefd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	err = l->wakefd < 0 ? errno : copy_spec(&l->spec, spec);
	if (!err)
		err = check_spec(&l->spec, why);
	if (err) {
		mqtt_link_unref(l);
		return err;
	}
	*lp = l;
	return 0;
}

/* Signals belong to the control thread. */
static int start_thread(struct mqtt *m)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	m->link->refs++;
	err = pthread_create(&m->thread, NULL, mqtt_link_main, m->link);
	if (err)
		m->link->refs--;
	else
		pthread_setname_np(m->thread, "mqtt");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

int mqtt_alloc(struct mqtt **mp, const struct mqtt_spec *spec,
	       mqtt_message_h *msgh, mqtt_state_h *stateh, void *arg,
	       struct reason *why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct mqtt *m;
	int err;

	if (!mp || !spec || !spec->n_brokers ||
	    spec->n_brokers > MQTT_MAX_BROKERS || !msgh || !stateh)
		return reason_set(why, EINVAL, "mqtt: no broker is given");
	for (unsigned i = 0; i < spec->n_brokers; i++)
		if (!spec->broker[i].host || !spec->broker[i].host[0])
			return reason_set(why, EINVAL,
					  "mqtt: no broker is given");
	pthread_once(&once, library_init);
	m = calloc(1, sizeof(*m));
	if (!m)
		return reason_set(why, ENOMEM, "mqtt: out of memory");
	m->msgh = msgh;
	m->stateh = stateh;
	m->arg = arg;
	err = link_alloc(&m->link, spec, why);
	if (err)
		goto out;
	err = mqueue_alloc(&m->mq, wake_handler, m);
	if (err)
		goto out;
	m->link->mq = m->mq;
	err = start_thread(m);
out:
	if (err) {
		if (err == ENOMEM || err == EAGAIN || err == EMFILE)
			reason_set(why, err, "mqtt: cannot start: %s",
				   strerror(err));
		mem_deref(m->mq);
		if (m->link)
			mqtt_link_unref(m->link);
		free(m);
		return err;
	}
	*mp = m;
	return 0;
}

struct mqtt *mqtt_free(struct mqtt *m)
{
	struct timespec until;
	struct mqtt_link *l;
	int err = 0;

	if (!m)
		return NULL;
	l = m->link;
	if (m->gone)
		*m->gone = true;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (MQTT_FAREWELL_MS + 100) * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;

	/* Long enough for the farewell; a thread that sits in the resolver is
	 * left to end by itself with its own reference. */
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	l->mq = NULL;
	mqtt_link_wake(l);
	while (!l->ended && !err)
		err = pthread_cond_timedwait(&l->end, &l->lock, &until);
	pthread_mutex_unlock(&l->lock);
	if (err)
		pthread_detach(m->thread);
	else
		pthread_join(m->thread, NULL);
	mem_deref(m->mq);
	mqtt_link_unref(m->link);
	free(m);
	return NULL;
}

static int subscribe(struct mqtt *m, const char *filter, bool others)
{
	struct mqtt_filter *f, *have;
	size_t size = strlen(filter) + 1;

	if (mosquitto_sub_topic_check(filter))
		return EINVAL;
	f = calloc(1, sizeof(*f) + size);
	if (!f)
		return ENOMEM;
	f->others = others;
	memcpy(f->text, filter, size);
	pthread_mutex_lock(&m->link->lock);
	for (have = TAILQ_FIRST(&m->link->filters); have;
	     have = TAILQ_NEXT(have, le)) {
		if (!strcmp(have->text, filter))
			break;
	}
	if (!have)
		TAILQ_INSERT_TAIL(&m->link->filters, f, le);
	pthread_mutex_unlock(&m->link->lock);
	if (have)
		free(f);
	else
		mqtt_link_wake(m->link);
	return 0;
}

int mqtt_subscribe(struct mqtt *m, const char *filter)
{
	return subscribe(m, filter, false);
}

int mqtt_subscribe_others(struct mqtt *m, const char *filter)
{
	return subscribe(m, filter, true);
}

static int publish(struct mqtt *m, const char *topic, const char *payload,
		   int qos, bool retain, bool event)
{
	struct mqtt_down *d;
	int err;

	if (mosquitto_pub_topic_check(topic) || qos < 0 || qos > 2)
		return EINVAL;
	if (strlen(payload) > MQTT_LARGEST_PAYLOAD)
		return EMSGSIZE;
	d = mqtt_down_new(topic, payload, qos, retain);
	if (!d)
		return ENOMEM;
	d->event = event;
	pthread_mutex_lock(&m->link->lock);
	err = mqtt_down_add(m->link, d);
	pthread_mutex_unlock(&m->link->lock);
	mqtt_link_wake(m->link);
	return err;
}

int mqtt_publish(struct mqtt *m, const char *topic, const char *payload,
		 int qos, bool retain)
{
	return publish(m, topic, payload, qos, retain, false);
}

int mqtt_publish_event(struct mqtt *m, const char *topic, const char *payload)
{
	size_t len = strlen(payload);

	if (len < 3 || payload[0] != '{' || payload[len - 1] != '}')
		return EINVAL;
	return publish(m, topic, payload, 1, false, true);
}

bool mqtt_connected(const struct mqtt *m)
{
	return m && m->connected;
}

void mqtt_counters(const struct mqtt *m, struct mqtt_counters *c)
{
	pthread_mutex_lock(&m->link->lock);
	*c = m->link->count;
	pthread_mutex_unlock(&m->link->lock);
}
