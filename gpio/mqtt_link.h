/**
 * What the owner's thread and the MQTT thread share; inside gpio/ only.
 *
 * mqtt.c is the owner's half, mqtt_link.c the thread, mqtt_queue.c what waits
 * between them. Everything below `lock`
 * is touched with it held. The object lives until both halves let go: a name
 * server that does not answer can hold the thread for half a minute, and
 * mqtt_free() must not wait for that.
 */
#ifndef TOCSIN_MQTT_LINK_H
#define TOCSIN_MQTT_LINK_H

#include "controller/base/reason.h"
#include "gpio/mqtt.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/** How long the farewell may take at mqtt_free(). */
#define MQTT_FAREWELL_MS 300
/** Time for resolving, for each address, and for the broker's CONNACK. */
#define MQTT_CONNECT_MS 10000
/** Own messages the broker has not confirmed yet, at most. */
#define MQTT_UNCONFIRMED 64

struct mqueue;
struct mosquitto_message;

/** The spec, owned. */
struct mqtt_own_spec {
	char *host;
	uint16_t port;
	bool tls;
	char *user, *password_file, *ca, *cert, *key, *client_id;
	uint32_t keepalive_s;
	char *will_topic, *will_payload, *birth_payload;
};

/** A message or a change of state on its way up. */
struct mqtt_up {
	TAILQ_ENTRY(mqtt_up) le;
	bool is_state;
	bool connected; /**< of a state */
	char *text;     /**< of a state: inside this block */
	size_t size;    /**< bytes counted against MQTT_QUEUE_BYTES */
	struct mqtt_message msg;
};
TAILQ_HEAD(mqtt_up_list, mqtt_up);

/** An own message on its way to the broker. */
struct mqtt_down {
	TAILQ_ENTRY(mqtt_down) le;
	char *topic, *payload; /**< inside this block */
	size_t len;
	int qos;
	bool retain;
	int mid; /**< libmosquitto's number once handed over */
};
TAILQ_HEAD(mqtt_down_list, mqtt_down);

struct mqtt_filter {
	TAILQ_ENTRY(mqtt_filter) le;
	bool sent; /**< on this connection */
	int mid;
	char text[];
};
TAILQ_HEAD(mqtt_filter_list, mqtt_filter);

struct mqtt_link {
	struct mqtt_own_spec spec; /**< never changes */
	int wakefd;                /**< eventfd: something to do */

	pthread_mutex_t lock;
	unsigned refs;
	bool stop;
	bool ended; /**< the thread touches nothing but its reference any more
		     */
	pthread_cond_t end; /**< told when ended becomes true */
	struct mqueue *mq;  /**< the owner's; NULL once it is gone */
	bool woken;         /**< a wake-up is in mq */
	struct mqtt_up_list up;
	size_t n_up, up_bytes;
	struct mqtt_down_list down;
	size_t n_down;
	struct mqtt_filter_list filters;
	struct mqtt_counters count;
};

/** The thread. arg: one reference to a struct mqtt_link. */
void *mqtt_link_main(void *arg);

/** Gives one reference back; the last one frees. */
void mqtt_link_unref(struct mqtt_link *l);

/** Wakes the thread; any thread. */
void mqtt_link_wake(struct mqtt_link *l);

/**
 * Puts a message behind those that wait; takes it. A retained one replaces
 * the waiting one of its topic; the oldest goes when there are too many.
 * Lock held. Returns true when one was dropped.
 */
bool mqtt_down_add(struct mqtt_link *l, struct mqtt_down *d);

/** Makes one, NULL on ENOMEM. */
struct mqtt_down *mqtt_down_new(const char *topic, const char *payload, int qos,
				bool retain);

/** The next to send, the caller's to free; NULL = none. */
struct mqtt_down *mqtt_down_take(struct mqtt_link *l);

/** What a lost broker had not confirmed waits again, before what came later;
 *  a newer retained message of its topic has made one pointless. Empties list.
 */
void mqtt_down_give_back(struct mqtt_link *l, struct mqtt_down_list *list);

/** A state on its way up: never dropped; one right behind its like takes its
 *  place. */
void mqtt_up_state(struct mqtt_link *l, bool connected, const char *text);

/** A message on its way up, dropped and counted when too many wait. */
void mqtt_up_message(struct mqtt_link *l, const struct mosquitto_message *mm);

/**
 * Waits for events on fd (-1 = none) or for mqtt_link_wake(), at most ms.
 * The thread only.
 *
 * @param got gets what poll() says of fd
 * @return false when it is time to stop
 */
bool mqtt_link_wait(struct mqtt_link *l, int fd, short events, int ms,
		    short *got);

/**
 * Finds an address of the broker that takes a TCP connection.
 *
 * @param target gets what to connect to: the host's name, or the first address
 *               that answered when it was not the host's first
 * @return 0, ECANCELED when it is time to stop, or errno with the reason
 */
int mqtt_dial(struct mqtt_link *l, char *target, size_t size,
	      struct reason *why);

/**
 * First line of the password file without its end of line.
 *
 * @return 0, or errno with the reason
 */
int mqtt_password(const char *path, char *buf, size_t size, struct reason *why);

/**
 * A client context as the spec wants it: TLS 1.2 or newer, the broker's
 * certificate checked against ca (or the system's) and against the host.
 *
 * @param verdict gets the certificate check's refusal when a handshake fails;
 *                must outlive the context
 * @return the context, or NULL with the reason
 */
SSL_CTX *mqtt_tls(const struct mqtt_own_spec *spec, struct reason *verdict,
		  struct reason *why);

/** "mqtts://host:port" as texts name the broker. */
char *mqtt_broker_name(char *buf, size_t size, const struct mqtt_own_spec *s);

/** Why a CONNECT was refused (MQTT v5 3.2.2.2), and what to do. */
void mqtt_text_connack(struct reason *r, const struct mqtt_own_spec *s,
		       int code);

/**
 * Why a connection could not be made or was lost, and what to do.
 *
 * @param rc    MOSQ_ERR_* or, above 127, the broker's DISCONNECT reason
 * @param err   errno that goes with MOSQ_ERR_ERRNO
 * @param up    true: it had been up
 * @param tls   the certificate check's verdict, "" = none
 */
void mqtt_text_lost(struct reason *r, const struct mqtt_own_spec *s, int rc,
		    int err, bool up, const char *tls);

/** Why no TCP connection came about: err from connect or the time-out. */
void mqtt_text_unreached(struct reason *r, const struct mqtt_own_spec *s,
			 int err);

/** Why the name could not be resolved: EAI_* from getaddrinfo. */
void mqtt_text_unresolved(struct reason *r, const struct mqtt_own_spec *s,
			  int eai);

#endif
