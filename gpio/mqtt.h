/**
 * One MQTT v5 connection: libmosquitto in its own thread, handlers in ours.
 *
 * libmosquitto's thread hands everything to the thread that made the object
 * (which must run libre's loop) through an mqueue. Connects and reconnects by
 * our own timer with jittered back-off of 1 to 30 s, because libmosquitto does
 * not retry a refused first connect (TESTING.md section 4).
 */
#ifndef TOCSIN_MQTT_H
#define TOCSIN_MQTT_H

#include "controller/base/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Largest payload handed up whole; of a larger one the first bytes come, with
 * its true length. (libmosquitto has a MQTT_MAX_PAYLOAD of its own.) */
#define MQTT_LARGEST_PAYLOAD 65536
/** Messages waiting for our thread; beyond it nothing is read from the broker
 * until half of them are handled, so that a burst waits there and none is lost
 * here. */
#define MQTT_QUEUE 2000
/** The same in bytes of payload and topic. */
#define MQTT_QUEUE_BYTES (8 * 1024 * 1024)
/** Largest packet the broker is told it may send us. */
#define MQTT_MAX_PACKET (1024 * 1024)
/** Events kept in memory while no broker is there: so many, so many bytes, so
 * old; the oldest are dropped and counted. */
#define MQTT_KEPT 1000
#define MQTT_KEPT_BYTES (2 * 1024 * 1024)
#define MQTT_KEPT_AGE_S 86400u
/** Other messages on their way to the broker, retained ones included. */
#define MQTT_WAITING 20000
/** Brokers of one connection, in the order in which they are wanted. */
#define MQTT_MAX_BROKERS 4

struct mqtt;

struct mqtt_broker {
	const char *host;
	uint16_t port; /**< 0 = 1883, with TLS 8883 */
	bool tls;
};

struct mqtt_spec {
	struct mqtt_broker broker[MQTT_MAX_BROKERS];
	unsigned n_brokers;
	uint32_t probe_s; /**< how often those not connected to are looked at,
			       and a more wanted one is gone back to; 0 =
			       never */
	const char *user, *password_file, *ca, *cert, *key; /**< NULL = none */
	const char *client_id; /**< NULL = a random one */
	uint32_t keepalive_s;
	const char *will_topic, *will_payload; /**< retained, QoS 1 */
	/** Published on will_topic, retained, first after every connect; NULL =
	 *  the owner does it. */
	const char *birth_payload;
};

struct mqtt_message {
	const char *topic;
	const char *payload; /**< NUL-terminated behind len bytes */
	size_t len;
	bool retain, dup;
	uint8_t qos;
	uint64_t at_us; /**< monotonic, when libmosquitto gave it to us */
};

/** A message came on a subscribed topic. */
typedef void(mqtt_message_h)(const struct mqtt_message *msg, void *arg);

enum mqtt_news {
	MQTT_AWAY,      /**< no broker takes us */
	MQTT_CONNECTED, /**< a new connection, perhaps to another broker */
	MQTT_NO_WRITE,  /**< connected, but it refuses what we publish */
	MQTT_NO_READ,   /**< connected, but it refuses a subscription */
	MQTT_OTHER, /**< of a broker that we are not connected to, when there
			 are several */
};

/**
 * What became of the connection, told at every change.
 *
 * @param broker which one of the spec
 * @param text   why, and what to do; "" = it is well (again). A refusal is
 *               tried again every 5 s.
 */
typedef void(mqtt_state_h)(enum mqtt_news news, unsigned broker,
			   const char *text, void *arg);

/**
 * Begins to connect; returns at once.
 *
 * @return 0, EINVAL (bad spec: unreadable file), ENOMEM
 */
int mqtt_alloc(struct mqtt **mp, const struct mqtt_spec *spec,
	       mqtt_message_h *msgh, mqtt_state_h *stateh, void *arg,
	       struct reason *why);

/** Publishes "offline"-style farewell if given in the spec's will, disconnects,
 *  joins the thread. Returns NULL. */
struct mqtt *mqtt_free(struct mqtt *m);

/** Subscribes now and after every reconnect (QoS 1). Handler owner's thread. */
int mqtt_subscribe(struct mqtt *m, const char *filter);

/** Likewise, for what others left retained: what we publish there ourselves
 * does not come back, and it is no news when the broker refuses it. */
int mqtt_subscribe_others(struct mqtt *m, const char *filter);

/** Publishes; a retained one waits while the broker is away, and a newer one of
 *  its topic takes its place; others are dropped then. Handler owner's thread.
 *  0, EINVAL, EMSGSIZE, ENOTCONN, ENOBUFS (MQTT_WAITING wait already) */
int mqtt_publish(struct mqtt *m, const char *topic, const char *payload,
		 int qos, bool retain);

/**
 * Publishes an event, a JSON object, with QoS 1. While no broker is there it is
 * kept (MQTT_KEPT and so on); what is sent after that, or a second time, gets
 * "late": true at its end. Order is kept. What is kept dies with us.
 *
 * @return 0, EINVAL, EMSGSIZE, ENOBUFS (an older one was dropped for it)
 */
int mqtt_publish_event(struct mqtt *m, const char *topic, const char *payload);

bool mqtt_connected(const struct mqtt *m);

struct mqtt_counters {
	uint64_t received;
	uint64_t cut; /**< of them, those longer than MQTT_LARGEST_PAYLOAD */
	uint64_t published;
	uint64_t lost;         /**< own ones dropped or refused */
	uint64_t late;         /**< events sent late */
	unsigned kept;         /**< events that wait now */
	unsigned most_waiting; /**< of received ones, ever */
};

void mqtt_counters(const struct mqtt *m, struct mqtt_counters *c);

/** Does a topic fall under a filter with + and #? Pure. */
bool mqtt_topic_match(const char *filter, const char *topic);

#endif
