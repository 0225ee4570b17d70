/** What the files of controller/help/ share. */
#ifndef TOCSIN_HELP_INTERNAL_H
#define TOCSIN_HELP_INTERNAL_H

#include "controller/base/compat.h"
#include "controller/help/flow.h"
#include "controller/help/help.h"
#include "controller/help/keypad.h"
#include "controller/oneway.h"

#define HELP_BUCKETS 8

struct help_call {
	struct help *owner;
	struct help_flow flow;
	struct page_call *call; /**< NULL until its sound is there */
	uint64_t id;            /**< of its first record: its name in the API */
	unsigned i;             /**< its leg, less MEDIA_FIRST_HELP_LEG */
	bool leg_open, held, encrypted;
	bool unreached;            /**< what we send does not get there */
	struct oneway_facts sound; /**< where it is to come from, and to */
	struct clip
		*prompt; /**< a reference until the engine is done with it */
	struct format fmt;
	/* Of the help point, as it was when it called. */
	char point[CONFIG_MAX_NAME], operators[CONFIG_MAX_NAME];
	char comfort[CONFIG_MAX_NAME], announce[CONFIG_MAX_NAME];
	char yield[CONFIG_MAX_NAME]; /**< heard when its operator is needed */
	enum config_preempted preempted;
	char location[101], camera[101];
	uint8_t level;
	char caller[128];
	char operator[200]; /**< who has it, or had it last */
	char stage[CONFIG_MAX_NAME];
	unsigned round;
	uint64_t since_us, taken_us; /**< monotonic; 0 = not taken yet */
	int64_t since_wall_us;
	char why[160];      /**< how it ends */
	char actor[80];     /**< who ends it, "" = nobody from here */
	const char *header; /**< of the BYE that ends it, NULL = none */
	struct tmr end, ring, yields;
	struct keypad keypad; /**< of who has it */
};

struct help {
	struct media *media;
	struct recorder *recorder;
	struct faults *faults;
	struct alarms *alarms;
	struct journal *journal;
	struct field *field;
	struct summons *summons;
	const struct config *config;
	struct library *library;
	struct help_call *call[HELP_MAX];
	bool closing[HELP_MAX];        /**< its leg, of a call that is over */
	struct clip *prompt[HELP_MAX]; /**< of such a leg */
	uint64_t total, abandoned, unanswered, lost, preempted;
	uint64_t answered, bucket[HELP_BUCKETS]; /**< time to answer */
	double answer_s;
};

/** Key of its summons, and subject of its records. */
char *help_key(const struct help_call *x, char buf[80]);

/** The fields that every record of a call carries (new reference). */
json_t *help_fields(const struct help_call *x);

/** Whole seconds since it came in, until it was taken. */
unsigned help_waited_s(const struct help_call *x);

/** Another configuration: faults of points that are gone are over. */
void help_hear_configure(struct help *h);

/** Nothing is heard from the point. Its call stays: somebody may need help who
 *  cannot be heard. */
void help_silent(struct help_call *x, const struct media_leg_stats *seen);

/** It is heard. */
void help_heard(struct help_call *x);

/** What we send does not reach the point, or does again (err 0). */
void help_unreachable(struct help_call *x, int err);

/** The call is over. If nobody said that it cannot be reached, and there was
 *  time to, then it can. */
void help_reached(struct help_call *x);

/** Counts one that was answered after so many seconds. */
void help_count_answer(struct help *h, double s);

/** Who has it pressed a key. x may be gone after it. */
void help_operate(struct help_call *x, char key);

#endif
