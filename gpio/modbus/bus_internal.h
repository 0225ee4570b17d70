/** What the owner's half (bus.c) and the thread (bus_thread.c) share. */
#ifndef TOCSIN_MODBUS_BUS_INTERNAL_H
#define TOCSIN_MODBUS_BUS_INTERNAL_H

#include "gpio/modbus/bus.h"

#include <pthread.h>

struct mqueue;

/** A text for the owner: long enough for every reason. */
struct mbus_note {
	struct mbus_reading r;
	unsigned plan; /**< of which plan the point is */
	bool is_state, connected;
	char text[160];
};

/** Points with what is wanted of the outputs among them. */
struct mbus_work {
	unsigned number;
	struct mbus_timing timing;
	size_t n;
	struct mbus_point *p;
	uint16_t *want;
	bool *known; /**< something is wanted */
	bool *dirty; /**< and not written yet */
};

struct mbus_link {
	pthread_mutex_t lock; /**< of all below it */
	pthread_cond_t end;
	unsigned refs;
	bool stop, ended;
	struct mbus_work *next; /**< for the thread to take over */
	unsigned number;        /**< of the newest plan */
	/** Writes since the thread looked last, by point of that plan. */
	uint16_t *want;
	bool *dirty;
	size_t n;
	struct mqueue *mq; /**< NULL once the owner is gone */
	bool woken;
	struct mbus_note *up; /**< ring of MBUS_QUEUE */
	size_t up_first, up_n;
	struct mbus_note *latest; /**< by point, when the ring is full */
	bool *is_late;
	size_t n_late;
	struct mbus_note state; /**< the last, when the ring was full */
	bool state_late;
	struct mbus_counters count;

	struct mbus_address address; /**< constant */
	int wakefd;                  /**< the thread is to look up */
	int stopfd;                  /**< and to stop waiting for an answer */
};

/** The thread; arg is a referenced link. */
void *mbus_main(void *arg);

void mbus_link_unref(struct mbus_link *l);
struct mbus_work *mbus_work_free(struct mbus_work *w);

/** Hands a note to the owner. The thread's. */
void mbus_tell(struct mbus_link *l, const struct mbus_note *note);

#endif
