/* Stations that call for help. */
#include "rows.h"

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
	 .help = "The more urgent call rings first. A peer's max-priority does "
		 "not lower it."},
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
	 .set = set_comfort,
	 .allowed = "the name of a message or tone",
	 .help = "What it hears, over and over, until somebody takes its "
		 "call."},
	{.name = "announce",
	 .type = TYPE_SPECIAL,
	 FIELD(config_helppoint, announce),
	 .def = "go-ahead",
	 .set = set_announce,
	 .allowed = "the name of a message or tone",
	 .help = "What an operator of a stage with \"confirm\" hears, over and "
		 "over, until he presses a key."},
	{.name = "unanswered",
	 .type = TYPE_REFS,
	 FIELD(config_helppoint, unanswered),
	 OTHER(config_helppoint, n_unanswered),
	 .kind = KIND_ALARM,
	 .max = 8,
	 .help = "Alarms triggered when nobody has taken its call in a whole "
		 "round of its operators' stages."},
	{0},
};
