#include "alarm.h"

#include <stddef.h>
#include <string.h>

/* One cell of the table: changes the snapshot, returns what to do. Nothing
 * changes on ALARM_DO_REFUSE. */
typedef unsigned(cell)(struct alarm_snapshot *s, struct reason *why);

static const char *const state_names[ALARM_STATES] = {
	[ALARM_NORMAL] = "normal",
	[ALARM_ACTIVE] = "active",
	[ALARM_ACKED] = "acknowledged",
	[ALARM_LATCHED] = "latched",
	[ALARM_LATCHED_ACKED] = "latched-acknowledged",
};

static unsigned refuse(struct reason *why, const char *text)
{
	reason_set(why, 0, "%s", text);
	return ALARM_DO_REFUSE;
}

static unsigned enter(struct alarm_snapshot *s, enum alarm_state state)
{
	s->state = state;
	return ALARM_DO_NOTE;
}

static unsigned begin(struct alarm_snapshot *s)
{
	return ALARM_DO_START | enter(s, ALARM_ACTIVE);
}

static unsigned end(struct alarm_snapshot *s)
{
	s->manual = false;
	return ALARM_DO_STOP | enter(s, ALARM_NORMAL);
}

/* ------------------------------------------------------- causes come, go */

static unsigned normal_cause(struct alarm_snapshot *s, struct reason *why)
{
	bool known = s->cause;

	(void)why;
	s->cause = true;
	if (s->inhibited || s->excluded)
		return known ? 0 : ALARM_DO_HOLD;
	return begin(s);
}

/* Known already, or a cause joins what was triggered by hand. */
static unsigned active_cause(struct alarm_snapshot *s, struct reason *why)
{
	bool joins = !s->cause;

	(void)why;
	s->cause = true;
	return joins ? ALARM_DO_NOTE : 0;
}

/* A cause nobody has acknowledged; the effects are running. */
static unsigned new_cause(struct alarm_snapshot *s, struct reason *why)
{
	bool known = s->cause;

	(void)why;
	s->cause = true;
	return known ? 0 : enter(s, ALARM_ACTIVE);
}

static unsigned idle_clear(struct alarm_snapshot *s, struct reason *why)
{
	(void)why;
	s->cause = false;
	return 0;
}

static unsigned clear_to(struct alarm_snapshot *s, enum alarm_state held)
{
	/* What a hand began does not end because no input ever held it. */
	if (!s->cause)
		return 0;
	s->cause = false;
	return s->latch || s->manual ? enter(s, held) : end(s);
}

static unsigned active_clear(struct alarm_snapshot *s, struct reason *why)
{
	(void)why;
	return clear_to(s, ALARM_LATCHED);
}

static unsigned acked_clear(struct alarm_snapshot *s, struct reason *why)
{
	(void)why;
	return clear_to(s, ALARM_LATCHED_ACKED);
}

/* ------------------------------------------------------------ what people do
 */

static unsigned normal_trigger(struct alarm_snapshot *s, struct reason *why)
{
	if (s->inhibited)
		return refuse(why, "the alarm is inhibited: enable it first");
	s->manual = true;
	return begin(s);
}

static unsigned active_trigger(struct alarm_snapshot *s, struct reason *why)
{
	bool again = s->manual;

	(void)why;
	s->manual = true;
	return again ? 0 : ALARM_DO_NOTE;
}

static unsigned new_trigger(struct alarm_snapshot *s, struct reason *why)
{
	(void)why;
	s->manual = true;
	return enter(s, ALARM_ACTIVE);
}

static unsigned active_ack(struct alarm_snapshot *s, struct reason *why)
{
	(void)why;
	return enter(s, ALARM_ACKED);
}

static unsigned latched_ack(struct alarm_snapshot *s, struct reason *why)
{
	(void)why;
	return enter(s, ALARM_LATCHED_ACKED);
}

static unsigned reset(struct alarm_snapshot *s, struct reason *why)
{
	if (s->cause)
		return refuse(why, "an input is still active: the alarm can be "
				   "reset when its cause is gone");
	if (s->unsure)
		return refuse(why,
			      "the quality of an input is not good, so nobody "
			      "knows that the cause is gone: repair the input "
			      "(see the faults), then reset");
	return end(s);
}

static unsigned normal_inhibit(struct alarm_snapshot *s, struct reason *why)
{
	(void)why;
	s->inhibited = true;
	return ALARM_DO_NOTE;
}

static unsigned normal_enable(struct alarm_snapshot *s, struct reason *why)
{
	(void)why;
	if (!s->inhibited)
		return 0;
	s->inhibited = false;
	return s->cause && !s->excluded ? begin(s) : ALARM_DO_NOTE;
}

static unsigned normal_exclude(struct alarm_snapshot *s, struct reason *why)
{
	bool known = s->excluded;

	(void)why;
	s->excluded = true;
	return known ? 0 : ALARM_DO_NOTE;
}

static unsigned normal_admit(struct alarm_snapshot *s, struct reason *why)
{
	(void)why;
	if (!s->excluded)
		return 0;
	s->excluded = false;
	return s->cause && !s->inhibited ? begin(s) : ALARM_DO_NOTE;
}

/* What is not normal goes on, whatever the mode is. */
static unsigned later_exclude(struct alarm_snapshot *s, struct reason *why)
{
	(void)why;
	s->excluded = true;
	return 0;
}

static unsigned later_admit(struct alarm_snapshot *s, struct reason *why)
{
	(void)why;
	s->excluded = false;
	return 0;
}

static unsigned acked_remind(struct alarm_snapshot *s, struct reason *why)
{
	(void)why;
	return ALARM_DO_AGAIN | enter(s, ALARM_ACTIVE);
}

/* What is not normal cannot be inhibited. */
static unsigned nothing(struct alarm_snapshot *s, struct reason *why)
{
	(void)s;
	(void)why;
	return 0;
}

static unsigned not_active(struct alarm_snapshot *s, struct reason *why)
{
	(void)s;
	return refuse(why, "the alarm is not active");
}

static unsigned acked_before(struct alarm_snapshot *s, struct reason *why)
{
	(void)s;
	return refuse(why, "the alarm is already acknowledged");
}

static unsigned no_inhibit(struct alarm_snapshot *s, struct reason *why)
{
	reason_set(why, 0, "the alarm is %s: reset it before it is inhibited",
		   state_names[s->state]);
	return ALARM_DO_REFUSE;
}

/* clang-format off */
static cell *const table[ALARM_STATES][ALARM_EVENTS] = {
	[ALARM_NORMAL] = {
		[ALARM_EV_CAUSE] = normal_cause,
		[ALARM_EV_CLEAR] = idle_clear,
		[ALARM_EV_TRIGGER] = normal_trigger,
		[ALARM_EV_ACK] = not_active,
		[ALARM_EV_RESET] = not_active,
		[ALARM_EV_INHIBIT] = normal_inhibit,
		[ALARM_EV_ENABLE] = normal_enable,
		[ALARM_EV_REMIND] = nothing,
		[ALARM_EV_EXCLUDE] = normal_exclude,
		[ALARM_EV_ADMIT] = normal_admit,
	},
	[ALARM_ACTIVE] = {
		[ALARM_EV_CAUSE] = active_cause,
		[ALARM_EV_CLEAR] = active_clear,
		[ALARM_EV_TRIGGER] = active_trigger,
		[ALARM_EV_ACK] = active_ack,
		[ALARM_EV_RESET] = reset,
		[ALARM_EV_INHIBIT] = no_inhibit,
		[ALARM_EV_ENABLE] = nothing,
		[ALARM_EV_REMIND] = nothing,
		[ALARM_EV_EXCLUDE] = later_exclude,
		[ALARM_EV_ADMIT] = later_admit,
	},
	[ALARM_ACKED] = {
		[ALARM_EV_CAUSE] = new_cause,
		[ALARM_EV_CLEAR] = acked_clear,
		[ALARM_EV_TRIGGER] = new_trigger,
		[ALARM_EV_ACK] = acked_before,
		[ALARM_EV_RESET] = reset,
		[ALARM_EV_INHIBIT] = no_inhibit,
		[ALARM_EV_ENABLE] = nothing,
		[ALARM_EV_REMIND] = acked_remind,
		[ALARM_EV_EXCLUDE] = later_exclude,
		[ALARM_EV_ADMIT] = later_admit,
	},
	[ALARM_LATCHED] = {
		[ALARM_EV_CAUSE] = new_cause,
		[ALARM_EV_CLEAR] = idle_clear,
		[ALARM_EV_TRIGGER] = new_trigger,
		[ALARM_EV_ACK] = latched_ack,
		[ALARM_EV_RESET] = reset,
		[ALARM_EV_INHIBIT] = no_inhibit,
		[ALARM_EV_ENABLE] = nothing,
		[ALARM_EV_REMIND] = nothing,
		[ALARM_EV_EXCLUDE] = later_exclude,
		[ALARM_EV_ADMIT] = later_admit,
	},
	[ALARM_LATCHED_ACKED] = {
		[ALARM_EV_CAUSE] = new_cause,
		[ALARM_EV_CLEAR] = idle_clear,
		[ALARM_EV_TRIGGER] = new_trigger,
		[ALARM_EV_ACK] = acked_before,
		[ALARM_EV_RESET] = reset,
		[ALARM_EV_INHIBIT] = no_inhibit,
		[ALARM_EV_ENABLE] = nothing,
		[ALARM_EV_REMIND] = nothing,
		[ALARM_EV_EXCLUDE] = later_exclude,
		[ALARM_EV_ADMIT] = later_admit,
	},
};
/* clang-format on */

unsigned alarm_step(struct alarm_snapshot *s, enum alarm_event ev,
		    struct reason *why)
{
	return table[s->state][ev](s, why);
}

const char *alarm_state_name(enum alarm_state s)
{
	return state_names[s];
}

int alarm_state_by_name(const char *name)
{
	for (int i = 0; i < ALARM_STATES; i++)
		if (!strcmp(name, state_names[i]))
			return i;
	return -1;
}
