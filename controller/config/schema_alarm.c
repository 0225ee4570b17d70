/* From cause to effect: modes, alarms, what they do and in which phases. */
#include "rows.h"

#include "controller/cause.h"

static const char *const whens[] = {"any", "all", NULL};
static const char *const drives[] = {
	[DRIVE_ON] = "on", [DRIVE_OFF] = "off", [DRIVE_PULSE] = "pulse", NULL};

const struct config_key schema_mode[] = {
	{.name = "hours",
	 .type = TYPE_HOURS,
	 FIELD(config_mode, hours),
	 OTHER(config_mode, n_hours),
	 .max = CONFIG_MAX_HOURS,
	 .help = "The site is in this mode then, in the site's time zone."},
	{.name = "input",
	 .type = TYPE_REFS,
	 FIELD(config_mode, input),
	 OTHER(config_mode, n_input),
	 .max = 1,
	 .kind = KIND_INPUT,
	 .help = "A key switch: the site is in this mode while the input is "
		 "active, whatever the hours are."},
	{0},
};

/** The keys that say in which modes and at which hours something begins. */
#define GATE_MODES(of)                                                         \
	{                                                                      \
		.name = "modes", .type = TYPE_REFS, FIELD(of, gate.modes),     \
		OTHER(of, gate.n_modes), .kind = KIND_MODE, .defaults = "all", \
		.help = "Only in these modes of the site does it begin. What " \
			"has begun goes on when the mode changes."             \
	}
#define GATE_HOURS(of)                                                         \
	{                                                                      \
		.name = "hours", .type = TYPE_HOURS, FIELD(of, gate.hours),    \
		OTHER(of, gate.n_hours), .max = CONFIG_MAX_HOURS,              \
		.defaults = "all",                                             \
		.help = "Only at these hours does it begin, in the site's "    \
			"time zone. What has begun goes on after them."        \
	}

/** The keys of every effect. */
#define EFFECT_KEYS                                                            \
	{.name = "after",                                                      \
	 .type = TYPE_DURATION,                                                \
	 FIELD(config_effect, after_ms),                                       \
	 .max = DAY,                                                           \
	 .def = "0s",                                                          \
	 .help = "It begins so long after the alarm, or after its phase; "     \
		 "until ack it counts again when an acknowledged alarm is "    \
		 "active again."},                                             \
		{.name = "until",                                              \
		 .type = TYPE_SPECIAL,                                         \
		 FIELD(config_effect, until),                                  \
		 .def = "reset",                                               \
		 .set = set_until,                                             \
		 .show = show_until,                                           \
		 .allowed = "\"reset\", \"ack\", or how long, 100ms to "       \
			    "24h",                                             \
		 .help = "What ends it, or keeps it from beginning. What has " \
			 "a length ends sooner with a reset."},                \
		GATE_MODES(config_effect), GATE_HOURS(config_effect),          \
	{                                                                      \
		.name = "phases", .type = TYPE_SPECIALS,                       \
		FIELD(config_effect, phases), OTHER(config_effect, n_phases),  \
		.max = CONFIG_MAX_PHASES, .set = set_names, .defaults = "all", \
		.allowed = "names of phases of this alarm",                    \
		.help = "Only in these phases. In phases that follow one "     \
			"another it goes on."                                  \
	}

static const struct config_key broadcast_keys[] = {
	{.name = "message",
	 .type = TYPE_REF,
	 FIELD(config_effect, message),
	 .required = true,
	 .kind = KIND_MESSAGE,
	 .help = "What sounds."},
	{.name = "zones",
	 .type = TYPE_REFS,
	 FIELD(config_effect, zones),
	 OTHER(config_effect, n_zones),
	 .required = true,
	 .kind = KIND_ZONE,
	 .help = "Where."},
	{.name = "priority",
	 .type = TYPE_LEVEL,
	 FIELD(config_effect, level),
	 .def = "emergency",
	 .help = "How urgent. From level 200 on it is never refused or made "
		 "to wait."},
	EFFECT_KEYS,
	{0},
};

static const struct config_key drive_keys[] = {
	{.name = "output",
	 .type = TYPE_REF,
	 FIELD(config_effect, output),
	 .required = true,
	 .kind = KIND_OUTPUT,
	 .help = "Which output."},
	{.name = "to",
	 .type = TYPE_CHOICE,
	 FIELD(config_effect, drive),
	 .choices = drives,
	 .def = "on",
	 .help = "On, or off whoever else wants it on, or a pulse: on once and "
		 "off again."},
	{.name = "pulse",
	 .type = TYPE_DURATION,
	 FIELD(config_effect, pulse_ms),
	 .min = 20,
	 .max = HOUR,
	 .def = "1s",
	 .help = "How long the pulse is. It is not cut short by until."},
	EFFECT_KEYS,
	{0},
};

static const struct config_key publish_keys[] = {
	{.name = "topic",
	 .type = TYPE_SPECIAL,
	 FIELD(config_effect, topic),
	 .required = true,
	 .set = set_effect_topic,
	 .show = show_effect_topic,
	 .allowed = "an MQTT topic without \"+\" and \"#\"",
	 .help = "Where it is published; needs the mqtt section."},
	{.name = "payload",
	 .type = TYPE_TEXT,
	 FIELD(config_effect, payload),
	 .max = 1000,
	 .def = "ON",
	 .help = "What is published when it begins."},
	{.name = "end-payload",
	 .type = TYPE_TEXT,
	 FIELD(config_effect, end_payload),
	 .max = 1000,
	 .defaults = "nothing is published",
	 .help = "What is published when it ends."},
	{.name = "retain",
	 .type = TYPE_FLAG,
	 FIELD(config_effect, retain),
	 .def = "false",
	 .help = "Does the broker keep it for those who come later? Wants an "
		 "end-payload."},
	EFFECT_KEYS,
	{0},
};

static const struct config_key hook_keys[] = {
	{.name = "command",
	 .type = TYPE_SPECIALS,
	 FIELD(config_effect, command),
	 OTHER(config_effect, n_command),
	 .required = true,
	 .set = set_hook_command,
	 .max = CONFIG_MAX_COMMAND,
	 .allowed = "a program and its arguments, each a text of its own",
	 .help = "Run once when it begins, without a shell. Its environment "
		 "is PATH, LANG, HOME and TOCSIN_SITE, TOCSIN_ALARM, "
		 "TOCSIN_STATE, TOCSIN_PHASE, TOCSIN_ACTOR (who or which input "
		 "began it), TOCSIN_EVENT (its number in the journal) and "
		 "TOCSIN_TIME."},
	{.name = "limit",
	 .type = TYPE_DURATION,
	 FIELD(config_effect, limit_ms),
	 .min = 100,
	 .max = 10 * MINUTE,
	 .def = "30s",
	 .help = "It is killed after this, with all it started. What fails is "
		 "a fault until the alarm is reset."},
	EFFECT_KEYS,
	{0},
};

static const struct config_key call_keys[] = {
	{.name = "operators",
	 .type = TYPE_REF,
	 FIELD(config_effect, operators),
	 .required = true,
	 .kind = KIND_OPERATORS,
	 .help = "Who is called, in stages until somebody takes the call."},
	{.name = "message",
	 .type = TYPE_REF,
	 FIELD(config_effect, message),
	 .kind = KIND_MESSAGE,
	 .defaults = "that of the alarm's first broadcast, else a tone",
	 .help = "What they hear over and over."},
	EFFECT_KEYS,
	{0},
};

static const struct config_key notify_keys[] = {
	{.name = "to",
	 .type = TYPE_REFS,
	 FIELD(config_effect, to),
	 OTHER(config_effect, n_to),
	 .required = true,
	 .kind = KIND_NOTIFY,
	 .max = 5,
	 .help = "Who is told (notify sections: HTTP, e-mail or syslog), "
		 "whatever their `events` are. The event has the type "
		 "alarm.told."},
	{.name = "text",
	 .type = TYPE_TEXT,
	 FIELD(config_effect, text),
	 .min = 1,
	 .max = 200,
	 .defaults = "the alarm's state, and since when by whom",
	 .help = "What they are told."},
	EFFECT_KEYS,
	{0},
};

static const struct config_key display_keys[] = {
	{.name = "phones",
	 .type = TYPE_SPECIALS,
	 FIELD(config_effect, phones),
	 OTHER(config_effect, n_phones),
	 .required = true,
	 .set = set_list,
	 .max = CONFIG_MAX_PHONES,
	 .allowed = "names of endpoints, and SIP URIs whose host is an address "
		    "or that of an account's aor",
	 .help = "Telephones that show it: each is sent a SIP MESSAGE (RFC "
		 "3428), three times at most."},
	{.name = "text",
	 .type = TYPE_TEXT,
	 FIELD(config_effect, text),
	 .min = 1,
	 .max = 200,
	 .defaults = "the alarm's name and state, and by whom",
	 .help = "What they show when it begins."},
	{.name = "end-text",
	 .type = TYPE_TEXT,
	 FIELD(config_effect, end_text),
	 .max = 200,
	 .defaults = "that the alarm is over, and why",
	 .help = "What they show when it ends; \"\": nothing."},
	EFFECT_KEYS,
	{0},
};

static const struct config_key phase_keys[] = {
	{.name = "for",
	 .type = TYPE_DURATION,
	 FIELD(config_phase, for_ms),
	 .max = DAY,
	 .def = "0s",
	 .help = "The next phase follows after this. 0 = not by time."},
	{.name = "votes",
	 .type = TYPE_NUMBER,
	 FIELD(config_phase, votes),
	 .max = 1000,
	 .def = "0",
	 .help = "The next phase follows when so many inputs of the alarm "
		 "count. 0 = not by votes."},
	{.name = "inputs",
	 .type = TYPE_REFS,
	 FIELD(config_phase, inputs),
	 OTHER(config_phase, n_inputs),
	 .kind = KIND_INPUT,
	 .help = "The next phase follows when one of these inputs is "
		 "active; they need not be the alarm's."},
	{0},
};

#define AN_EFFECT(key, what, text)                                             \
	{                                                                      \
		.name = key, .place = PLACE_NESTED,                            \
		.size = sizeof(struct config_effect),                          \
		.at = offsetof(struct config_effect, at), .open = open_##what, \
		.nth = nth_##what, .keys = what##_keys,                        \
		.max = CONFIG_MAX_EFFECTS, .help = text                        \
	}

const struct config_section schema_alarm_subs[] = {
	AN_EFFECT("broadcast", broadcast,
		  "A broadcast the alarm starts. An alarm may have 64 effects; "
		  "of those due together broadcasts begin first."),
	AN_EFFECT("drive", drive, "An output the alarm drives."),
	AN_EFFECT("publish", publish, "An MQTT message the alarm sends."),
	AN_EFFECT("hook", hook, "A program the alarm runs."),
	AN_EFFECT("call", call,
		  "People the alarm calls. What ends it ends the ringing; a "
		  "call that was taken goes on."),
	AN_EFFECT("notify", notify, "Somebody the alarm tells."),
	AN_EFFECT("display", display, "Telephones that show the alarm."),
	{.name = "phase",
	 .title = "NAME",
	 .place = PLACE_NESTED,
	 .size = sizeof(struct config_phase),
	 .at = offsetof(struct config_phase, at),
	 .name_at = offsetof(struct config_phase, name),
	 .open = open_phase,
	 .nth = nth_phase,
	 .keys = phase_keys,
	 .max = CONFIG_MAX_PHASES,
	 .help = "A step of a phased evacuation; an alarm may have 16, in this "
		 "order. Without for, votes and inputs only the command "
		 "advance moves on; it may at any time. The command hold stops "
		 "the time, release lets it go on."},
	{0},
};

const struct config_key schema_alarm[] = {
	{.name = "inputs",
	 .type = TYPE_REFS,
	 FIELD(config_alarm, inputs),
	 OTHER(config_alarm, n_inputs),
	 .kind = KIND_INPUT,
	 .help = "These inputs raise it. Without, it is triggered by hand "
		 "only. An input whose quality is not good never raises it, "
		 "and never ends what it raised."},
	{.name = "when",
	 .type = TYPE_CHOICE,
	 FIELD(config_alarm, when_all),
	 .choices = whens,
	 .show = show_when,
	 .def = "any",
	 .help = "Is one active input enough, or must all be?"},
	{.name = "votes",
	 .type = TYPE_NUMBER,
	 FIELD(config_alarm, votes),
	 OTHER(config_alarm, has_votes),
	 .min = 1,
	 .max = 1000,
	 .help = "Instead of when: so many of the inputs must be active."},
	{.name = "within",
	 .type = TYPE_DURATION,
	 FIELD(config_alarm, within_ms),
	 .max = HOUR,
	 .def = "0s",
	 .help = "An input counts while it is active and for this long from "
		 "its activation on, though it is normal again: two knocks "
		 "within a time. 0 = only while it is active. A reset forgets "
		 "what is normal again."},
	{.name = "delay",
	 .type = TYPE_DURATION,
	 FIELD(config_alarm, delay_ms),
	 .max = HOUR,
	 .def = "0s",
	 .help = "The cause must last this long. A trigger by hand does not "
		 "wait."},
	{.name = "re-alarm",
	 .type = TYPE_DURATION,
	 FIELD(config_alarm, re_alarm_ms),
	 .max = DAY,
	 .def = "0s",
	 .help = "An acknowledged alarm whose cause is still there is active "
		 "again after this, and its messages that have ended sound "
		 "again. 0 = never."},
	{.name = "storm-limit",
	 .type = TYPE_NUMBER,
	 FIELD(config_alarm, storm),
	 .max = CAUSE_MAX_STORM,
	 .def = "0",
	 .help = "More activations than this within storm-within are a fault, "
		 "and the alarm stays active instead of coming and going, "
		 "until its inputs have been quiet for storm-within or it is "
		 "reset. 0 = no limit."},
	{.name = "storm-within",
	 .type = TYPE_DURATION,
	 FIELD(config_alarm, storm_ms),
	 .min = 1000,
	 .max = DAY,
	 .def = "10m",
	 .help = "See storm-limit."},
	{.name = "latch",
	 .type = TYPE_FLAG,
	 FIELD(config_alarm, latch),
	 .def = "true",
	 .help = "It stays until somebody resets it, also when its inputs "
		 "are normal again."},
	GATE_MODES(config_alarm),
	GATE_HOURS(config_alarm),
	{.name = "outputs",
	 .type = TYPE_REFS,
	 FIELD(config_alarm, outputs),
	 OTHER(config_alarm, n_outputs),
	 .kind = KIND_OUTPUT,
	 .help = "Outputs that are on while it is not normal."},
	{0},
};
