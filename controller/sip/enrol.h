/**
 * An account's registration at a PBX: with which registrar, when, and what an
 * event does to that. Pure: no clock, no I/O, no names.
 *
 * Registrars are tried in order; what answers first has the registration. One
 * that stands before it is tried again and again and gets it back. Silence is
 * noticed by OPTIONS long before the registration ends.
 */
#ifndef TOCSIN_ENROL_H
#define TOCSIN_ENROL_H

#include <stdbool.h>
#include <stdint.h>

#define ENROL_REGISTRARS 8

/** Shortest and longest time before a registrar that refused is tried again,
 *  and the longest for one that could not be reached. Jittered. */
#define ENROL_BACK_OFF_MS 5000
#define ENROL_BACK_OFF_MAX_MS 60000
#define ENROL_UNREACHED_MAX_MS 20000
/** Questions in a row that go unanswered before a registrar is given up. */
#define ENROL_MISSES 2

enum enrol_do {
	ENROL_DO_NOTHING,
	ENROL_DO_REGISTER,
	ENROL_DO_ASK,   /**< OPTIONS */
	ENROL_DO_LEAVE, /**< REGISTER with Expires: 0 */
};

enum enrol_event {
	ENROL_EV_DUE,       /**< `due` has come, or the start */
	ENROL_EV_GRANTED,   /**< of REGISTER: for so long */
	ENROL_EV_REFUSED,   /**< of REGISTER: a final answer that is none */
	ENROL_EV_UNREACHED, /**< of anything: no answer */
	ENROL_EV_ALIVE,     /**< of OPTIONS: answered; of LEAVE: whatever */
	ENROL_EV_ANEW,      /**< of OPTIONS: answered, late or on another
			       connection: it may have forgotten us */
	ENROL_EV_STOP,
};

enum enrol_told {
	ENROL_SAME,
	ENROL_REGISTERED,
	ENROL_MOVED, /**< registered with another registrar than before */
	ENROL_LOST,
};

struct enrol_rule {
	unsigned registrars; /**< 1 to ENROL_REGISTRARS */
	uint32_t ask_ms;     /**< between two questions */
};

struct enrol {
	int with;            /**< registered with, -1 = nobody */
	enum enrol_do doing; /**< is out; its event is waited for */
	unsigned registrar;  /**< of what is out */
	unsigned missed;
	uint64_t renew_at, ask_at; /**< monotonic us, while registered */
	uint64_t until;            /**< the registration ends */
	uint64_t due;              /**< of ENROL_EV_DUE; 0 = an event first */
	bool stopped;
	struct {
		unsigned fails; /**< in a row */
		uint64_t at;    /**< not before */
	} v[ENROL_REGISTRARS];
};

/** What came with an event. */
struct enrol_news {
	uint32_t granted_ms; /**< of ENROL_EV_GRANTED */
	uint32_t hold_ms;    /**< Retry-After of a refusal */
	uint32_t random;
};

struct enrol_act {
	enum enrol_do act;
	unsigned registrar;
	enum enrol_told told;
};

void enrol_init(struct enrol *e);

/** Takes an event; an action that is returned is out from now on. */
struct enrol_act enrol_step(struct enrol *e, const struct enrol_rule *r,
			    enum enrol_event ev, const struct enrol_news *news,
			    uint64_t now);

#endif
