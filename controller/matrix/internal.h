/**
 * What the files of the alarms share:
 *
 *  controller/alarms.c  causes, steps, commands     effects.c   what they do
 *  configure.c  reloads    keep.c  the journal's state    view.c  JSON
 *  phases.c     phased evacuation
 */
#ifndef TOCSIN_MATRIX_INTERNAL_H
#define TOCSIN_MATRIX_INTERNAL_H

#include "controller/alarms.h"
#include "controller/base/compat.h"
#include "controller/cause.h"
#include "controller/matrix/effect.h"
#include "controller/matrix/phase.h"
#include "controller/matrix/programs.h"
#include "controller/matrix/walk.h"

/** One of an alarm's effects at work. */
struct running {
	struct effect e;
	uint64_t id; /**< of a broadcast; 0 = none: not begun, played to its
			end, or owed */
	bool owed;   /**< wanted, but could not start or lost its zones */
	bool taken;  /**< by the same one of a new configuration */
};

struct item {
	struct alarms *owner;
	const struct config_alarm *conf;
	struct alarm_snapshot s;
	struct cause cause;
	struct cause_input *input; /**< one per conf->inputs */
	uint64_t wake_us;          /**< its cause is to be looked at again */
	uint64_t effects_us;       /**< its effects are */
	uint64_t acked_us;
	uint64_t held_us; /**< when it was told that it starts nothing */
	int64_t since_wall_us;
	uint64_t inhibit_until_us; /**< monotonic */
	int64_t inhibit_until_wall_us;
	char actor[80];
	uint64_t event; /**< record of its last change */
	uint32_t spell; /**< see effect.h */
	uint64_t spell_us;
	struct phase phase;
	struct running *effect; /**< one per conf->effects */
	size_t n_effects;
};

struct alarms {
	struct broadcasts *broadcasts;
	struct field *field;
	struct recorder *recorder;
	struct faults *faults;
	struct summons *summons;
	struct displays *displays;
	struct journal *journal;
	struct modes *modes;
	struct programs *programs;
	struct walk *walk;
	alarms_publish_h *publishh;
	void *arg;
	const struct config *config;
	struct library *library;
	struct item *v;
	size_t n;
	struct tmr tmr; /**< to the next of what waits in the items */
};

/* ---- alarms.c ---- */

/** By name, NULL. */
struct item *matrix_find(const struct alarms *a, const char *name);

void matrix_subject(const struct item *x, char buf[96]);

/** Votes that make its cause. */
size_t matrix_votes(const struct config_alarm *c);

/** Brings an alarm to what its inputs say. */
void matrix_follow(struct item *x, const char *actor, uint64_t cause,
		   uint64_t at_us);

/** Brings an alarm to what mode and hours say. */
void matrix_gate(struct item *x, uint64_t cause);

/** Sets the timer to the next of what waits. */
void matrix_await(struct alarms *a);

/* ---- configure.c ---- */

void matrix_items_free(struct item *v, size_t n);

/* ---- effects.c ---- */

/** Begins and ends what is due; `why` is told of what ends. */
void effects_run(struct item *x, uint64_t at_us, const char *actor,
		 const char *why);

/** What has ended of the broadcasts that are on sounds again. */
void effects_again(struct item *x);

/** Starts the broadcasts that are owed; one fault stands while any is. */
void effects_owed(struct item *x, uint64_t at_us);

/** Brings an output to what all alarms want of it. */
void effects_drive(struct alarms *a, int output, uint64_t cause);

/** Takes back what an alarm of an old configuration left at the broker. */
void effects_left(struct item *old);

/** A hook has ended: a programs_done_h. */
void effects_hooked(const char *subject, const char *program, int err,
		    const char *why, void *arg);

/* ---- phases.c ---- */

/** The lengths of its phases. */
struct phase_plan phases_plan(const struct config_alarm *c);

/** Applies an event and records what came of it; EBUSY with the reason. */
int phases_step(struct item *x, enum phase_event ev, const char *actor,
		uint64_t cause, struct reason *why);

/** Moves on as far as the inputs say. */
void phases_causes(struct item *x, const char *actor, uint64_t cause);

/* ---- keep.c ---- */

/** Puts its state into the journal. */
void matrix_keep(const struct item *x);

#endif
