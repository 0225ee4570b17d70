/**
 * A Modbus server over TCP, in the thread that made it (which must run libre's
 * loop): connections are few, requests are short, so it needs no thread.
 *
 * Who is not allowed is closed at once without a word. A connection that is
 * idle, that floods, or that does not take its answers is dealt with by the
 * limits below.
 */
#ifndef TOCSIN_MODBUS_SERVER_H
#define TOCSIN_MODBUS_SERVER_H

#include "controller/base/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/** Connections at once; more are closed. */
#define MBUS_SERVER_MAX 8
/** Requests of a connection in a second; the rest waits for the next. */
#define MBUS_SERVER_RATE 50
/** A connection is closed after so long without a request. */
#define MBUS_SERVER_IDLE_S 60
/** Coils a master may write, from this address on. */
#define MBUS_SERVER_COILS_AT 8000
#define MBUS_SERVER_COILS 1000

struct mbus_server;

struct mbus_server_handlers {
	/** May this address connect? */
	bool (*allowed)(const struct sockaddr *from, void *arg);
	/** As struct mbus_image; without the coils that can be written. */
	int (*bit)(uint16_t address, void *arg);
	int32_t (*word)(uint16_t address, void *arg);
	/** Coil MBUS_SERVER_COILS_AT + i went from 0 to 1: 0, or the exception
	 *  it is answered with; then it counts as 0. */
	uint8_t (*command)(unsigned i, const char *peer, void *arg);
	/** Is there such a coil? */
	bool (*coil)(unsigned i, void *arg);
};

/**
 * Listens; 0 or errno with the reason.
 *
 * A coil is a command when it goes from 0 to 1 within a connection. The first
 * thing written to it must be 0: a 1 that a master has written all along (it
 * connects anew, or we were restarted) is answered MBUS_ILLEGAL_VALUE and
 * starts nothing.
 */
int mbus_server_alloc(struct mbus_server **sp, const char *host, uint16_t port,
		      uint8_t unit, const struct mbus_server_handlers *h,
		      void *arg, struct reason *why);

/** Closes all. Returns NULL. */
struct mbus_server *mbus_server_free(struct mbus_server *s);

struct mbus_server_counters {
	uint64_t requests, refused, strangers;
	unsigned connections;
};

void mbus_server_counters(const struct mbus_server *s,
			  struct mbus_server_counters *c);

#endif
