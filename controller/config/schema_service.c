/* The outside world: broker, web, users. */
#include "rows.h"

#include "controller/base/scope.h"

#define ZONES_HELP "The only zones it is about; all when it is left out."
#define MESSAGES_HELP                                                          \
	"The only messages it may start, by themselves or through an alarm "   \
	"or a schedule; then it may start no tone, no spoken text and no "     \
	"walk "                                                                \
	"test either. All when it is left out."

static const char *const user_roles[] = {"viewer", "operator", "admin", NULL};

const struct config_key schema_mqtt[] = {
	{.name = "broker",
	 .type = TYPE_SPECIALS,
	 FIELD(config_mqtt, broker),
	 .required = true,
	 .max = CONFIG_MAX_BROKERS,
	 .set = set_broker,
	 .show = show_broker,
	 .allowed = "\"mqtt://HOST:PORT\", or \"mqtts://HOST:PORT\" for TLS; "
		    "without a port 1883 and 8883",
	 .help = "The broker; or up to four in the order in which they are "
		 "wanted: when one is lost the next takes over, and what is "
		 "read from the lost one is unknown until it is published "
		 "anew."},
	{.name = "fail-back",
	 .type = TYPE_DURATION,
	 FIELD(config_mqtt, fail_back_s),
	 .unit_ms = 1000,
	 .max = DAY,
	 .def = "60s",
	 .help = "How often the other brokers are looked at: one that is away "
		 "is a fault, and one wanted more than the present one is gone "
		 "back to. 0 = never."},
	{.name = "user",
	 .type = TYPE_TEXT,
	 FIELD(config_mqtt, user),
	 .min = 1,
	 .max = 255,
	 .help = "User name at the broker."},
	{.name = "password-file",
	 .type = TYPE_FILE,
	 FIELD(config_mqtt, password_file),
	 .help = "File whose first line is the password."},
	{.name = "ca",
	 .type = TYPE_FILE,
	 FIELD(config_mqtt, ca),
	 .defaults = "the system's",
	 .help = "Authorities (PEM) that the broker's certificate is checked "
		 "against."},
	{.name = "cert",
	 .type = TYPE_FILE,
	 FIELD(config_mqtt, cert),
	 .help = "Own certificate (PEM); needs key."},
	{.name = "key",
	 .type = TYPE_FILE,
	 FIELD(config_mqtt, key),
	 .help = "Its private key (PEM)."},
	{.name = "client-id",
	 .type = TYPE_TEXT,
	 FIELD(config_mqtt, client_id),
	 .min = 1,
	 .max = 64,
	 .defaults = "tocsin-SITE",
	 .help = "Client identifier; every client of a broker needs its own."},
	{.name = "keepalive",
	 .type = TYPE_DURATION,
	 FIELD(config_mqtt, keepalive_s),
	 .unit_ms = 1000,
	 .min = 5e3,
	 .max = HOUR,
	 .def = "10s",
	 .help = "A broker that has been silent for twice this is "
		 "gone."},
	{.name = "command-max-age",
	 .type = TYPE_DURATION,
	 FIELD(config_mqtt, command_max_age_ms),
	 .min = 1e3,
	 .max = HOUR,
	 .def = "10s",
	 .help = "Older commands start nothing."},
	{.name = "commands",
	 .type = TYPE_FLAG,
	 FIELD(config_mqtt, commands),
	 .def = "true",
	 .help = "Commands are taken from tocsin/SITE/command/VERB. Whoever "
		 "may publish there may page: see to the broker's access "
		 "list."},
	{.name = "discovery",
	 .type = TYPE_FLAG,
	 FIELD(config_mqtt, discovery),
	 .def = "false",
	 .help = "Zones, alarms, inputs, outputs, faults and the mode "
		 "appear in Home Assistant by themselves, with their commands "
		 "if commands "
		 "are on."},
	{.name = "discovery-prefix",
	 .type = TYPE_SPECIAL,
	 FIELD(config_mqtt, discovery_prefix),
	 .set = set_discovery_prefix,
	 .def = "homeassistant",
	 .allowed = "an MQTT topic without \"+\" and \"#\", of at most 64 "
		    "bytes",
	 .help = "Where Home Assistant looks for them."},
	{0},
};

const struct config_key schema_web[] = {
	{.name = "listen",
	 .type = TYPE_SPECIAL,
	 FIELD(config_web, host),
	 .set = set_web_listen,
	 .show = show_web_listen,
	 .allowed = "\"ADDRESS:PORT\" with a literal address, like "
		    "\"127.0.0.1:8080\"",
	 .help = "Where HTTP is served over TCP; nowhere when it is left "
		 "out."},
	{.name = "tls-cert",
	 .type = TYPE_FILE,
	 FIELD(config_web, tls_cert),
	 .help = "Certificate and private key in one PEM file. Must be given "
		 "unless listen is a loopback address."},
	{.name = "socket",
	 .type = TYPE_PATH,
	 FIELD(config_web, socket),
	 .def = "/run/tocsin/tocsin.sock",
	 .max = 107,
	 .help = "Unix socket of the API, \"\" = none. Whoever may open it is "
		 "an admin."},
	{.name = "group",
	 .type = TYPE_SPECIAL,
	 FIELD(config_web, group),
	 .def = "tocsin",
	 .set = set_group,
	 .allowed = "the name of a group",
	 .help = "Group that may open the socket."},
	{0},
};

const struct config_key schema_user[] = {
	{.name = "password-hash",
	 .type = TYPE_SPECIAL,
	 FIELD(config_user, password_hash),
	 .required = true,
	 .set = set_hash,
	 .show = show_hash,
	 .allowed = "what `tocsinctl passwd` prints, or \"*\" for no "
		    "log-in",
	 .help = "Hash of the password, as crypt(5)."},
	{.name = "role",
	 .type = TYPE_CHOICE,
	 FIELD(config_user, role),
	 .choices = user_roles,
	 .def = "viewer",
	 .help = "A viewer sees, an operator pages and resets, an admin does "
		 "all."},
	{.name = "zones",
	 .type = TYPE_REFS,
	 FIELD(config_user, zones),
	 OTHER(config_user, n_zones),
	 .kind = KIND_ZONE,
	 .star = true,
	 .help = ZONES_HELP},
	{.name = "messages",
	 .type = TYPE_REFS,
	 FIELD(config_user, messages),
	 OTHER(config_user, n_messages),
	 .kind = KIND_MESSAGE,
	 .star = true,
	 .help = MESSAGES_HELP},
	{0},
};

const struct config_key schema_token[] = {
	{.name = "hash",
	 .type = TYPE_SPECIAL,
	 FIELD(config_token, hash),
	 .required = true,
	 .set = set_token_hash,
	 .show = show_hash,
	 .allowed = "what `tocsinctl token` prints, \"sha256:\" and 64 hex "
		    "digits, or \"*\" for no token",
	 .help = "SHA-256 of the token. It is 256 random bits, which no guess "
		 "finds, so it needs no slow hash."},
	{.name = "scopes",
	 .type = TYPE_SPECIALS,
	 FIELD(config_token, scopes),
	 .required = true,
	 .set = set_scopes,
	 .show = show_scopes,
	 .max = 10,
	 .allowed = "a list of " SCOPE_NAMES,
	 .help = "What it may do. metrics: GET /metrics; view: all else that "
		 "is read (and metrics); page: broadcasts; alarms: alarms, "
		 "mode and walk tests; points: inputs and outputs; schedules: "
		 "bells; sound: volumes and music; calls: calls; messages: "
		 "the library; admin: all. The role viewer is metrics and "
		 "view, operator all but admin."},
	{.name = "zones",
	 .type = TYPE_REFS,
	 FIELD(config_token, zones),
	 OTHER(config_token, n_zones),
	 .kind = KIND_ZONE,
	 .star = true,
	 .help = ZONES_HELP},
	{.name = "messages",
	 .type = TYPE_REFS,
	 FIELD(config_token, messages),
	 OTHER(config_token, n_messages),
	 .kind = KIND_MESSAGE,
	 .star = true,
	 .help = MESSAGES_HELP},
	{.name = "expires",
	 .type = TYPE_SPECIAL,
	 FIELD(config_token, expires_s),
	 .set = set_expires,
	 .show = show_expires,
	 .allowed = "a date like \"2027-01-31\"",
	 .help = "The first day, in UTC, on which it is no longer taken; never "
		 "when it is left out."},
	{0},
};
