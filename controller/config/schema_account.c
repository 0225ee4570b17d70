/* Extensions of a PBX that we are. */
#include "rows.h"

const struct config_key schema_account[] = {
	{.name = "aor",
	 .type = TYPE_TEXT,
	 FIELD(config_account, aor),
	 .required = true,
	 .max = 200,
	 .help = "Its address at the PBX, like \"sip:7000@pbx.example\". A "
		 "call of ours to any number at that host goes through this "
		 "account."},
	{.name = "registrars",
	 .type = TYPE_SPECIALS,
	 FIELD(config_account, registrars),
	 OTHER(config_account, n_registrars),
	 .max = CONFIG_MAX_REGISTRARS,
	 .set = set_list,
	 .allowed = "1 to 8 of \"sip:HOST\", with \":PORT\" and "
		    "\";transport=tcp\" or \";transport=tls\" if need be",
	 .defaults = "the host of aor",
	 .help = "Where it registers, in order: like \"sip:10.7.0.10\" or "
		 "\"sip:10.7.0.11;transport=tcp\". It is registered with "
		 "the first that answers, and comes back to an earlier one "
		 "within seconds."},
	{.name = "auth-user",
	 .type = TYPE_TEXT,
	 FIELD(config_account, auth_user),
	 .max = 63,
	 .defaults = "the user of aor",
	 .help = "User name that goes with the password."},
	{.name = "password-file",
	 .type = TYPE_FILE,
	 FIELD(config_account, password_file),
	 .help = "File whose first line is the password; nobody but owner and "
		 "group may read it."},
	{.name = "extension",
	 .type = TYPE_SPECIAL,
	 FIELD(config_account, extension),
	 .set = set_extension,
	 .allowed = EXTENSION_ALLOWED,
	 .defaults = "the number that the caller dialled",
	 .help = "What a call to the number of the account itself calls: the "
		 "extension of a zone or a code. A PBX that sends other "
		 "numbers to this account calls those."},
	{.name = "expires",
	 .type = TYPE_DURATION,
	 FIELD(config_account, expires_ms),
	 .min = 60e3,
	 .max = HOUR,
	 .def = "120s",
	 .help = "For how long it asks to be registered; renewed at half of "
		 "what is granted."},
	{.name = "qualify",
	 .type = TYPE_DURATION,
	 FIELD(config_account, ask_ms),
	 .min = 2e3,
	 .max = 60e3,
	 .def = "8s",
	 .help = "How often the registrar is asked whether it is there "
		 "(OPTIONS). After two questions of 3 s each without an "
		 "answer the next one is taken."},
	{.name = "supervised",
	 .type = TYPE_FLAG,
	 FIELD(config_account, supervised),
	 .def = "true",
	 .help = "That it is not registered is a fault."},
	{.name = "allow",
	 .type = TYPE_SPECIALS,
	 FIELD(config_account, may.page),
	 .set = set_allow,
	 .show = show_allow,
	 .max = 3,
	 .allowed = "\"page\", \"help\" and \"alarm\"",
	 .help = "What callers from the PBX may do; nothing when it is left "
		 "out."},
	{.name = "max-priority",
	 .type = TYPE_LEVEL,
	 FIELD(config_account, may.max_level),
	 .def = "page",
	 .help = "The most urgent their pages may be."},
	{.name = "zones",
	 .type = TYPE_REFS,
	 FIELD(config_account, may.zones),
	 OTHER(config_account, may.n_zones),
	 .kind = KIND_ZONE,
	 .star = true,
	 .help = "The only zones they may page; all when it is left out."},
	{0},
};
