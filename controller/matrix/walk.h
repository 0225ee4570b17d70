/**
 * Walk tests: detectors are set off one after another, and nothing alarms.
 *
 * An input under test raises no alarm and moves no phase; when it becomes
 * active it is ticked off, recorded, and answered by a short sound if one was
 * asked for. A test always has an end, which comes by itself, and stands as a
 * warning until then. Inputs that are not under test alarm as ever. Tests
 * outlive a restart. Control thread.
 */
#ifndef TOCSIN_WALK_H
#define TOCSIN_WALK_H

#include "controller/broadcast.h"
#include "controller/config/config.h"
#include "controller/fault.h"
#include "controller/journal.h"
#include "controller/library.h"
#include "controller/recorder.h"

#include <jansson.h>
#include <stdio.h>

struct walk;

/** Tests that run at once; as many ended ones are kept for their report. */
#define WALK_MAX 16
/** Longest test: 24 h. */
#define WALK_MAX_MS (24u * 3600 * 1000)

/** Other inputs are under test than before. */
typedef void(walk_change_h)(void *arg);

int walk_alloc(struct walk **wp, struct broadcasts *b, struct recorder *r,
	       struct faults *f, struct journal *j, walk_change_h *h,
	       void *arg);

struct walk *walk_free(struct walk *w);

/** Takes a new configuration; inputs stay by name, those that are gone leave
 *  their test. */
void walk_configure(struct walk *w, const struct config *c, struct library *l);

/** Tests that had not ended go on. Once, after the first walk_configure(). */
void walk_restore(struct walk *w);

struct walk_request {
	const char *scope; /**< "alarm gas", for people */
	const int *inputs;
	size_t n_inputs;
	uint32_t for_ms;  /**< 1 .. WALK_MAX_MS */
	const int *zones; /**< where an input is answered; none = nowhere */
	size_t n_zones;
	const char *message; /**< what answers; NULL = a short tone */
	const char *actor;
};

/** 0 with its id; EINVAL, EBUSY (too many, or an input is under test), ENOMEM
 *  with the reason. */
int walk_start(struct walk *w, const struct walk_request *rq, uint64_t *id,
	       struct reason *why);

/** Ends one now; ENOENT when it is not running. */
int walk_stop(struct walk *w, uint64_t id, const char *actor);

/** Is the input under test? */
bool walk_tests(const struct walk *w, int input);

/** An input changed: one under test is ticked off when it is active. */
void walk_input(struct walk *w, int input, bool active, uint64_t event);

/** Ends tests whose time has come; about once a second. */
void walk_watch(struct walk *w);

/** Tests that run. */
size_t walk_count(const struct walk *w);

/** Who may touch it: its inputs' indices; 0 when it is not known. */
size_t walk_inputs(const struct walk *w, uint64_t id, int *v, size_t max);

/** The report of one, NULL; of all, those that run first. */
json_t *walk_json(const struct walk *w, uint64_t id);
json_t *walks_json(const struct walk *w);

void walk_metrics(const struct walk *w, FILE *out);

#endif
