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
/** Time for a name and the addresses behind it. */
#define MQTT_DIAL_MS 5000
/** Time for TLS and the broker's CONNACK. */
#define MQTT_CONNECT_MS 10000
/** What the broker refused is tried again after this. */
#define MQTT_REFUSED_MS 5000
/** Own messages the broker has not confirmed yet, at most. */
#define MQTT_UNCONFIRMED 64

struct mqueue;
struct mosquitto_message;

struct mqtt_own_broker {
	char *host;
	uint16_t port;
	bool tls;
};

/** The spec, owned. */
struct mqtt_own_spec {
	struct mqtt_own_broker broker[MQTT_MAX_BROKERS];
	unsigned n_brokers;
	uint32_t probe_s;
	char *user, *password_file, *ca, *cert, *key, *client_id;
	uint32_t keepalive_s;
	char *will_topic, *will_payload, *birth_payload;
};

/** A message or a change of state on its way up. */
struct mqtt_up {
	TAILQ_ENTRY(mqtt_up) le;
	bool is_state;
	enum mqtt_news news; /**< of a state */
	unsigned broker;
	char *text;  /**< of a state: inside this block */
	size_t size; /**< bytes counted against MQTT_QUEUE_BYTES */
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
	bool event;     /**< kept while no broker is there */
	bool late;      /**< it was kept, or may have come before */
	uint64_t at_ms; /**< monotonic, when it was published */
	int mid;        /**< libmosquitto's number once handed over */
};
TAILQ_HEAD(mqtt_down_list, mqtt_down);

struct mqtt_filter {
	TAILQ_ENTRY(mqtt_filter) le;
	bool others;  /**< no-local, and quiet when refused */
	bool sent;    /**< on this connection */
	bool refused; /**< likewise */
	int mid;
	char text[];
};
TAILQ_HEAD(mqtt_filter_list, mqtt_filter);

/** One attempt to reach a broker's port; see mqtt_dial_begin(). */
struct mqtt_dial {
	struct mqtt_link *link; /**< with a reference */
	unsigned broker;
	bool resolved;     /**< the name server has answered */
	bool done;         /**< nothing changes any more */
	bool abandoned;    /**< nobody waits for it: its thread frees it */
	int err;           /**< 0 or errno */
	char address[64];  /**< that took the connection */
	struct reason why; /**< of err */
};

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
	bool full;     /**< nothing is read until the owner has caught up */
	bool attached; /**< a broker takes what is published */
	struct mqtt_down_list down;
	size_t n_down, n_kept, kept_bytes; /**< n_kept of n_down are events */
	struct mqtt_dial *dial[MQTT_MAX_BROKERS]; /**< on its way, or NULL */
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
 * the waiting one of its topic; of events the oldest goes when there are too
 * many. Lock held.
 *
 * @return 0, ENOBUFS (something was dropped), ENOTCONN (it was)
 */
int mqtt_down_add(struct mqtt_link *l, struct mqtt_down *d);

/** Makes one, NULL on ENOMEM. */
struct mqtt_down *mqtt_down_new(const char *topic, const char *payload, int qos,
				bool retain);

/** The next to send, the caller's to free; NULL = none. Events that are too old
 *  by now are dropped. */
struct mqtt_down *mqtt_down_take(struct mqtt_link *l, uint64_t now_ms);

/** What a lost broker had not confirmed waits again, before what came later;
 *  a newer retained message of its topic has made one pointless. Empties list.
 */
void mqtt_down_give_back(struct mqtt_link *l, struct mqtt_down_list *list);

/** A state on its way up: never dropped; one right behind its like takes its
 *  place. */
void mqtt_up_state(struct mqtt_link *l, enum mqtt_news news, unsigned broker,
		   const char *text);

/** A message on its way up. */
void mqtt_up_message(struct mqtt_link *l, const struct mosquitto_message *mm);

/** Takes the next thing that came up, the caller's to free; NULL = nothing. */
struct mqtt_up *mqtt_up_take(struct mqtt_link *l);

/** Do so many wait that nothing more should be read? */
bool mqtt_up_full(struct mqtt_link *l);

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
 * Sees to it that a thread is finding an address of a broker that takes a TCP
 * connection: a name server that does not answer holds up nobody else. There is
 * one for each broker at most, however long it hangs.
 *
 * @return 0 or errno
 */
int mqtt_dial_begin(struct mqtt_link *l, unsigned broker);

/**
 * Takes what came of it; it is over then.
 *
 * @param address gets the address, as digits
 * @return 0, EAGAIN (not yet), or errno with the reason
 */
int mqtt_dial_take(struct mqtt_link *l, unsigned broker, char address[64],
		   struct reason *why);

/**
 * Both, and waits for it: at most MQTT_DIAL_MS. The thread only.
 *
 * @return 0, ECANCELED when it is time to stop, or errno with the reason
 */
int mqtt_dial(struct mqtt_link *l, unsigned broker, char address[64],
	      struct reason *why);

/**
 * First line of the password file without its end of line.
 *
 * @return 0, or errno with the reason
 */
int mqtt_password(const char *path, char *buf, size_t size, struct reason *why);

/** Whom a TLS context is for, and what it found. */
struct mqtt_tls_peer {
	const char *host;
	struct reason verdict; /**< of the certificate check, when it refused */
};

/**
 * A client context as the spec wants it: TLS 1.2 or newer, the broker's
 * certificate checked against ca (or the system's) and against the host, whose
 * name goes into the greeting though libmosquitto is given an address.
 *
 * @param peer must outlive the context
 * @return the context, or NULL with the reason
 */
SSL_CTX *mqtt_tls(const struct mqtt_own_spec *spec, struct mqtt_tls_peer *peer,
		  struct reason *why);

/** "mqtts://host:port" as texts name the broker. */
char *mqtt_broker_name(char *buf, size_t size, const struct mqtt_own_broker *b);

/** Why a CONNECT was refused (MQTT v5 3.2.2.2), and what to do. */
void mqtt_text_connack(struct reason *r, const struct mqtt_own_spec *s,
		       unsigned broker, int code);

/**
 * Why a connection could not be made or was lost, and what to do.
 *
 * @param rc    MOSQ_ERR_* or, above 127, the broker's DISCONNECT reason
 * @param err   errno that goes with MOSQ_ERR_ERRNO
 * @param up    true: it had been up
 * @param tls   the certificate check's verdict, "" = none
 */
void mqtt_text_lost(struct reason *r, const struct mqtt_own_spec *s,
		    unsigned broker, int rc, int err, bool up, const char *tls);

/** Why no TCP connection came about: err from connect or the time-out. */
void mqtt_text_unreached(struct reason *r, const struct mqtt_own_broker *b,
			 int err);

/** Why the name could not be resolved: EAI_* from getaddrinfo, 0 = there was no
 *  answer at all. */
void mqtt_text_unresolved(struct reason *r, const struct mqtt_own_broker *b,
			  int eai);

#endif
