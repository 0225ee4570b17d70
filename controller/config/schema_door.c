/* Doors beside MQTT and the API. */
#include "rows.h"

static const char *const schemes[] = {[SCHEME_SHA256] = "sha256",
				      [SCHEME_STANDARD] = "standard-webhooks",
				      NULL};

#define SCHEME_HELP                                                            \
	"sha256: X-Timestamp: UNIX-SECONDS and X-Signature: sha256=HEX, the "  \
	"HMAC-SHA256 of the timestamp, a dot and the body. "                   \
	"standard-webhooks: webhook-id, webhook-timestamp and "                \
	"webhook-signature: v1,BASE64 as www.standardwebhooks.com has it; a "  \
	"secret that begins with whsec_ is base64."

const struct config_key schema_webhook[] = {
	{.name = "secret-file",
	 .type = TYPE_FILE,
	 .required = true,
	 FIELD(config_webhook, secret_file),
	 .help = "File whose first line is the secret, 16 to 255 bytes; only "
		 "its owner and group may read it (chmod 640)."},
	{.name = "scheme",
	 .type = TYPE_CHOICE,
	 FIELD(config_webhook, scheme),
	 .choices = schemes,
	 .def = "sha256",
	 .help = "How requests are signed. " SCHEME_HELP},
	{.name = "window",
	 .type = TYPE_DURATION,
	 FIELD(config_webhook, window_ms),
	 .min = 1e3,
	 .max = 10 * MINUTE,
	 .def = "30s",
	 .help = "A request signed longer ago than this, or further ahead, "
		 "does nothing. Within it the same request does nothing a "
		 "second time, nor what was signed before tocsind started."},
	{.name = "rate",
	 .type = TYPE_NUMBER,
	 FIELD(config_webhook, rate),
	 .min = 1,
	 .max = 1000,
	 .unit = "requests a second",
	 .def = "10",
	 .help = "More are answered 429 and do nothing; so many may come at "
		 "once."},
	{.name = "allow",
	 .type = TYPE_SPECIALS,
	 FIELD(config_webhook, allow),
	 OTHER(config_webhook, n_allow),
	 .set = set_list,
	 .max = 16,
	 .allowed = WEBHOOK_VERBS,
	 .help = "Verbs that a JSON body may carry as \"verb\", with what the "
		 "API takes for it as other members. None when it is left "
		 "out."},
	{.name = "zones",
	 .type = TYPE_REFS,
	 FIELD(config_webhook, zones),
	 OTHER(config_webhook, n_zones),
	 .kind = KIND_ZONE,
	 .help = "The only zones that its verbs are about; all when it is "
		 "left out."},
	{.name = "max-priority",
	 .type = TYPE_LEVEL,
	 FIELD(config_webhook, max_level),
	 .def = "page",
	 .help = "The most urgent it may page."},
	{.name = "trigger",
	 .type = TYPE_REFS,
	 FIELD(config_webhook, trigger),
	 OTHER(config_webhook, n_trigger),
	 .kind = KIND_ALARM,
	 .max = 16,
	 .help = "Alarms that each good request triggers, whatever it "
		 "carries."},
	{0},
};
