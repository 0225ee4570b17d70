/* Stations that call for help. */
#include "rows.h"

#define KEYS_ALLOWED "1 to 6 of 0 to 9, * and #"

static const struct config_key door_keys[] = {
	{.name = "keys",
	 .type = TYPE_SPECIAL,
	 FIELD(config_door, keys),
	 .required = true,
	 .set = set_keys,
	 .allowed = KEYS_ALLOWED,
	 .help = "What its operator types, with 4 s at most between two keys. "
		 "No sequence of a point may be the beginning of another."},
	{.name = "output",
	 .type = TYPE_REF,
	 FIELD(config_door, output),
	 .required = true,
	 .kind = KIND_OUTPUT,
	 .help = "What opens it."},
	{.name = "for",
	 .type = TYPE_DURATION,
	 FIELD(config_door, for_ms),
	 .min = 50,
	 .max = HOUR,
	 .def = "3s",
	 .help = "How long the output is on."},
	{0},
};

const struct config_section schema_helppoint_subs[] = {
	{.name = "door",
	 .title = "NAME",
	 .place = PLACE_NESTED,
	 .size = sizeof(struct config_door),
	 .at = offsetof(struct config_door, at),
	 .name_at = offsetof(struct config_door, name),
	 .open = open_door,
	 .nth = nth_door,
	 .keys = door_keys,
	 .max = 8,
	 .help = "A door, gate or barrier that the operator who talks with "
		 "the point opens by keys of his telephone (RFC 4733 or SIP "
		 "INFO; a key told in both ways is one). Each time is in the "
		 "journal with who it was."},
	{0},
};

const struct config_key schema_helppoint[] = {
	{.name = "from",
	 .type = TYPE_SPECIAL,
	 FIELD(config_helppoint, from),
	 .set = set_point_from,
	 .defaults = "anybody who may ask for help and dials the extension",
	 .allowed = "the name of an endpoint, the user part of a peer's "
		    "address, \"sip:USER@ADDRESS\", or an address or network "
		    "like \"10.7.1.0/24\"",
	 .help = "Who it is: an endpoint, which its password proves, or what "
		 "calls from a peer. Either must be allowed \"help\". Where "
		 "several help points fit the most particular one counts."},
	{.name = "extension",
	 .type = TYPE_SPECIAL,
	 FIELD(config_helppoint, extension),
	 .set = set_extension,
	 .defaults = "whatever it dials",
	 .allowed = EXTENSION_ALLOWED,
	 .help = "Number that is dialled for help. Without \"from\" it is that "
		 "of all who may ask for help."},
	{.name = "operators",
	 .type = TYPE_REF,
	 .required = true,
	 FIELD(config_helppoint, operators),
	 .kind = KIND_OPERATORS,
	 .help = "Whom it rings. Their \"rounds\" and \"hear\" are for alarms: "
		 "a call for help rings until somebody takes it, and lasts "
		 "until somebody hangs up."},
	{.name = "priority",
	 .type = TYPE_LEVEL,
	 FIELD(config_helppoint, level),
	 .def = "emergency",
	 .help = "The more urgent call rings first, and takes an operator from "
		 "a less urgent one when nobody else rings. A peer's "
		 "max-priority does not lower it."},
	{.name = "location",
	 .type = TYPE_TEXT,
	 FIELD(config_helppoint, location),
	 .max = 100,
	 .help = "Where it is, in words: shown to who is called, and in every "
		 "event."},
	{.name = "camera",
	 .type = TYPE_TEXT,
	 FIELD(config_helppoint, camera),
	 .max = 100,
	 .help = "Name of the camera that sees it, carried in every event for "
		 "the video system."},
	{.name = "comfort",
	 .type = TYPE_SPECIAL,
	 FIELD(config_helppoint, comfort),
	 .def = "ringing",
	 .set = set_heard,
	 .allowed = "the name of a message or tone",
	 .help = "What it hears, over and over, until somebody takes its "
		 "call."},
	{.name = "announce",
	 .type = TYPE_SPECIAL,
	 FIELD(config_helppoint, announce),
	 .def = "go-ahead",
	 .set = set_heard,
	 .allowed = "the name of a message or tone",
	 .help = "What an operator of a stage with \"confirm\" hears, over and "
		 "over, until he presses a key."},
	{.name = "preempted",
	 .type = TYPE_CHOICE,
	 FIELD(config_helppoint, preempted),
	 .choices = schema_preempteds,
	 .def = "wait",
	 .help = "What becomes of its call when a more urgent one needs its "
		 "operator: it waits at its place and is given to the next "
		 "who is free (wait), or is hung up on with the reason "
		 "(end)."},
	{.name = "preempted-message",
	 .type = TYPE_SPECIAL,
	 FIELD(config_helppoint, yield),
	 .def = "preempted",
	 .set = set_heard,
	 .allowed = "the name of a message or tone",
	 .help = "What the point and its operator hear then, for up to 2 s, "
		 "before they are parted."},
	{.name = "unanswered",
	 .type = TYPE_REFS,
	 FIELD(config_helppoint, unanswered),
	 OTHER(config_helppoint, n_unanswered),
	 .kind = KIND_ALARM,
	 .max = 8,
	 .help = "Alarms triggered when nobody has taken its call in a whole "
		 "round of its operators' stages."},
	{.name = "end-keys",
	 .type = TYPE_SPECIAL,
	 FIELD(config_helppoint, end_keys),
	 .set = set_keys,
	 .allowed = KEYS_ALLOWED,
	 .help = "An operator who types them ends its call: the point is hung "
		 "up on too."},
	{0},
};
