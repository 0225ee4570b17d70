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

/** Largest payload handed up; larger ones are dropped and counted.
 * (libmosquitto has a MQTT_MAX_PAYLOAD of its own.) */
#define MQTT_LARGEST_PAYLOAD 65536
/** Messages waiting for our thread; beyond it they are dropped and counted. */
#define MQTT_QUEUE 2000
/** The same in bytes of payload and topic. */
#define MQTT_QUEUE_BYTES (8 * 1024 * 1024)
/** Largest packet the broker is told it may send us. */
#define MQTT_MAX_PACKET (1024 * 1024)
/** Own messages kept while the broker is away; oldest are dropped. */
#define MQTT_OFFLINE_QUEUE 1000

struct mqtt;

struct mqtt_spec {
	const char *host;
	uint16_t port;
	bool tls;
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

/**
 * Connected (text "") or lost/refused: text says why, and what to do. Called
 * on every change of either. Connected with a text: the broker is there, but
 * turned away a subscription or a publication, which will not heal by itself;
 * told once a connection.
 */
typedef void(mqtt_state_h)(bool connected, const char *text, void *arg);

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

/** Publishes; queued while the broker is away (bounded). Handler owner's
 *  thread. 0, ENOBUFS (an older one was dropped for it), EMSGSIZE */
int mqtt_publish(struct mqtt *m, const char *topic, const char *payload,
		 int qos, bool retain);

bool mqtt_connected(const struct mqtt *m);

struct mqtt_counters {
	uint64_t received, dropped, published, lost;
};

void mqtt_counters(const struct mqtt *m, struct mqtt_counters *c);

/** Does a topic fall under a filter with + and #? Pure. */
bool mqtt_topic_match(const char *filter, const char *topic);

#endif
