/**
 * The alarms in force: inputs in, broadcasts and field outputs out.
 *
 * What an alarm may do is decided by alarm_step() (pure); here its actions are
 * carried out, recorded, and its state kept in the journal, from which it
 * comes back after a kill or a power cut. Control thread.
 */
#ifndef TOCSIN_ALARMS_H
#define TOCSIN_ALARMS_H

#include "alarm.h"
#include "broadcast.h"
#include "displays.h"
#include "field.h"
#include "library.h"
#include "matrix/modes.h"
#include "matrix/phase.h"
#include "matrix/walk.h"
#include "operators/summons.h"

#include <jansson.h>

struct alarms;

/** Longest inhibition, so that none is forgotten: 31 days. */
#define ALARM_MAX_INHIBIT_MS (31u * 24 * 3600 * 1000)

int alarms_alloc(struct alarms **ap, struct broadcasts *b, struct field *f,
		 struct recorder *r, struct faults *fl, struct journal *j);

/** An alarm sends an MQTT message. */
typedef void(alarms_publish_h)(const char *topic, const char *payload,
			       bool retain, void *arg);

/** Who sends them; without, they are only recorded. */
void alarms_publisher(struct alarms *a, alarms_publish_h *h, void *arg);

/** Who calls people for them, NULL = nobody (as at first). Alarms that call
 *  begin to, as after a restart. */
void alarms_caller(struct alarms *a, struct summons *s);

/** Who shows them on phones, NULL = nobody (as at first). */
void alarms_displays(struct alarms *a, struct displays *d);

/** What belongs to the alarms: the site's mode, walk tests. */
struct modes *alarms_modes(const struct alarms *a);
struct walk *alarms_walk(const struct alarms *a);

/** Leaves state in the journal as it is. Returns NULL. */
struct alarms *alarms_free(struct alarms *a);

/** May this configuration take over? Not when it lacks an alarm that is not
 *  normal: EBUSY with the reason. */
int alarms_may_configure(const struct alarms *a, const struct config *c,
			 struct reason *why);

/** Takes a new configuration; states stay by name. 0 or ENOMEM. */
int alarms_configure(struct alarms *a, const struct config *c,
		     struct library *l);

/** Brings back what the journal kept: active alarms sound again, inhibitions
 *  that have not ended go on. Once, after the first alarms_configure(). */
void alarms_restore(struct alarms *a);

/** An input changed: see field_input_h. */
void alarms_input(struct alarms *a, int input, uint64_t event, uint64_t at_us);

/**
 * A person or machine does something to an alarm.
 *
 * @param ev    ALARM_EV_TRIGGER, _ACK, _RESET, _INHIBIT or _ENABLE
 * @param for_ms only for _INHIBIT: how long, 1 .. ALARM_MAX_INHIBIT_MS
 * @return 0, EBUSY (refused by its state) or EINVAL, with the reason
 */
int alarms_command(struct alarms *a, int alarm, enum alarm_event ev,
		   uint32_t for_ms, const char *actor, uint64_t cause,
		   uint64_t at_us, struct reason *why);

/** Moves a phased evacuation: PHASE_EV_ADVANCE, _HOLD or _RELEASE. 0, or EBUSY
 *  with the reason. */
int alarms_phase(struct alarms *a, int alarm, enum phase_event ev,
		 const char *actor, struct reason *why);

/** Ends inhibitions whose time has come, looks at modes and hours; about once
 *  a second. */
void alarms_watch(struct alarms *a);

/** How many are not normal. */
size_t alarms_active(const struct alarms *a);

/** An alarm as it stands. */
const struct alarm_snapshot *alarm_snapshot(const struct alarms *a, int alarm);

json_t *alarms_json(const struct alarms *a);
json_t *alarm_json(const struct alarms *a, int alarm);

#endif
