/* People to call. */
#include "rows.h"

#include "controller/operators/stages.h"

static const struct config_key stage_keys[] = {
	{.name = "ring",
	 .type = TYPE_SPECIALS,
	 .required = true,
	 FIELD(config_stage, ring),
	 OTHER(config_stage, n_ring),
	 .max = STAGES_MAX_RING,
	 .set = set_ring,
	 .show = show_ring,
	 .allowed = "at most 8 of sip:USER@HOST:PORT; HOST is a numeric "
		    "address or "
		    "the host of an account's aor",
	 .help = "They ring all at once; who answers first has the call."},
	{.name = "for",
	 .type = TYPE_DURATION,
	 FIELD(config_stage, for_ms),
	 .min = 3e3,
	 .max = 600e3,
	 .def = "20s",
	 .help = "When nobody has taken the call by then the next stage "
		 "rings."},
	{.name = "confirm",
	 .type = TYPE_FLAG,
	 FIELD(config_stage, confirm),
	 .def = "false",
	 .help = "Who answers must press a key to take the call: a mailbox, or "
		 "a telephone in a pocket, takes none."},
	{0},
};

const struct config_section schema_operators_subs[] = {
	{.name = "stage",
	 .title = "LABEL",
	 .place = PLACE_NESTED,
	 .size = sizeof(struct config_stage),
	 .at = offsetof(struct config_stage, at),
	 .name_at = offsetof(struct config_stage, name),
	 .open = open_stage,
	 .nth = nth_stage,
	 .keys = stage_keys,
	 .max = STAGES_MAX,
	 .help = "Numbers that ring together, one stage after the other in the "
		 "order they stand. The label is for people."},
	{0},
};

const struct config_key schema_operators[] = {
	{.name = "rounds",
	 .type = TYPE_NUMBER,
	 FIELD(config_operators, rounds),
	 .max = 100,
	 .def = "0",
	 .help = "How often all stages ring in turn; 0: until somebody takes "
		 "the call or its cause is over. A round in vain is a fault."},
	{.name = "hear",
	 .type = TYPE_DURATION,
	 FIELD(config_operators, hear_ms),
	 .min = 5e3,
	 .max = HOUR,
	 .def = "60s",
	 .help = "Longest time a call that was taken goes on."},
	{.name = "user",
	 .type = TYPE_TEXT,
	 FIELD(config_operators, user),
	 .max = 63,
	 .help = "For a telephone system that asks who calls (digest)."},
	{.name = "password-file",
	 .type = TYPE_FILE,
	 FIELD(config_operators, password_file),
	 .help = "File whose first line is the password; nobody but owner and "
		 "group may read it."},
	{0},
};
