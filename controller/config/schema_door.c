/* Doors beside MQTT and the API. */
#include "rows.h"
#include "template.h"

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

const char *const schema_notify_kinds[] = {[NOTIFY_URL] = "url",
					   [NOTIFY_MAIL] = "mail-to",
					   [NOTIFY_SYSLOG] = "syslog",
					   NULL};

/* RFC 5424, table 1. */
static const char *const facilities[] = {
	"kern",   "user",   "mail",   "daemon",   "auth",   "syslog", "lpr",
	"news",   "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",
	"alert",  "clock",  "local0", "local1",   "local2", "local3", "local4",
	"local5", "local6", "local7", NULL};

const struct config_key schema_notify[] = {
	{.name = "url",
	 .type = TYPE_SPECIAL,
	 FIELD(config_notify, url),
	 .variants = ~0u,
	 .set = set_notify_url,
	 .allowed = "an address that begins with https:// or http://",
	 .help = "Each event is sent there by POST, as JSON like that of GET "
		 "/journal with the site's name and, once it is older than "
		 "10 s, its age as late_s. The answer must be 2xx within 10 s; "
		 "408, 425, 429 and 5xx are tried again, an event refused with "
		 "any other is given up. No redirection is followed. A notify "
		 "has exactly one of url, mail-to and syslog."},
	{.name = "secret-file",
	 .type = TYPE_FILE,
	 FIELD(config_notify, secret_file),
	 .variants = 1u << NOTIFY_URL,
	 .help = "File whose first line is the secret that requests are "
		 "signed with, 16 to 255 bytes; only its owner and group may "
		 "read it (chmod 640)."},
	{.name = "scheme",
	 .type = TYPE_CHOICE,
	 FIELD(config_notify, scheme),
	 .variants = 1u << NOTIFY_URL,
	 .choices = schemes,
	 .def = "sha256",
	 .help = "How they are signed. " SCHEME_HELP},
	{.name = "mail-to",
	 .type = TYPE_SPECIALS,
	 FIELD(config_notify, to),
	 OTHER(config_notify, n_to),
	 .variants = ~0u,
	 .set = set_notify_to,
	 .max = 20,
	 .allowed = "addresses like \"duty@plant.example\"",
	 .help = "Events are written to these by e-mail: the first at once, "
		 "what follows together after `interval`."},
	{.name = "mail-from",
	 .type = TYPE_TEXT,
	 FIELD(config_notify, from),
	 .variants = 1u << NOTIFY_MAIL,
	 .min = 3,
	 .max = 254,
	 .defaults = "what the command puts in",
	 .help = "Sender of the mails."},
	{.name = "subject",
	 .type = TYPE_SPECIAL,
	 FIELD(config_notify, subject),
	 .variants = 1u << NOTIFY_MAIL,
	 .set = set_template,
	 .allowed = TEMPLATE_ALLOWED,
	 .defaults = "\"[{site}] {text}{more}\"",
	 .help = "Subject of a mail, of its first event; {more} is \" (and N "
		 "more)\" when it tells of several."},
	{.name = "line",
	 .type = TYPE_SPECIAL,
	 FIELD(config_notify, line),
	 .variants = 1u << NOTIFY_MAIL,
	 .set = set_template,
	 .allowed = TEMPLATE_ALLOWED,
	 .defaults = "\"{time} {type} {subject}: {text}\"",
	 .help = "The line of each event in a mail."},
	{.name = "command",
	 .type = TYPE_SPECIALS,
	 FIELD(config_notify, command),
	 OTHER(config_notify, n_command),
	 .variants = 1u << NOTIFY_MAIL,
	 .set = set_list,
	 .max = CONFIG_MAX_COMMAND,
	 .allowed = "a program and its arguments, like { "
		    "\"/usr/sbin/sendmail\", \"-t\", \"-oi\" }",
	 .defaults = "{ \"/usr/sbin/sendmail\", \"-t\", \"-oi\" }",
	 .help = "Takes a mail with its headers on standard input, run "
		 "without a shell; it must have queued or sent it and ended "
		 "with 0 within 30 s."},
	{.name = "interval",
	 .type = TYPE_DURATION,
	 FIELD(config_notify, interval_s),
	 .variants = 1u << NOTIFY_MAIL,
	 .unit_ms = 1000,
	 .min = 10e3,
	 .max = DAY,
	 .def = "5m",
	 .help = "Least time between two mails. One tells of at most 500 "
		 "events."},
	{.name = "syslog",
	 .type = TYPE_SPECIAL,
	 FIELD(config_notify, syslog),
	 .variants = ~0u,
	 .set = set_notify_syslog,
	 .allowed = "\"udp:HOST\", \"tcp:HOST\" or \"tls:HOST\", with :PORT "
		    "unless it is 514, 601 or 6514",
	 .help = "A syslog server: RFC 5424 over UDP (RFC 5426, at most 2048 "
		 "bytes), TCP with counted frames (RFC 6587) or TLS (RFC "
		 "5425). What a lost connection had not acknowledged is sent "
		 "again."},
	{.name = "facility",
	 .type = TYPE_CHOICE,
	 FIELD(config_notify, facility),
	 .variants = 1u << NOTIFY_SYSLOG,
	 .choices = facilities,
	 .def = "local0",
	 .help = "Facility of the records. Their severity: an alarm that "
		 "becomes active 1 (alert), a fault that is raised and a "
		 "refused configuration 3 (error), all else as in the log: 4 "
		 "(warning), 5 (notice) or 6 (informational)."},
	{.name = "ca",
	 .type = TYPE_FILE,
	 FIELD(config_notify, ca),
	 .variants = 1u << NOTIFY_URL | 1u << NOTIFY_SYSLOG,
	 .defaults = "the system's",
	 .help = "Authorities (PEM) that the server's certificate is checked "
		 "against; it must be for the name given."},
	{.name = "cert",
	 .type = TYPE_FILE,
	 FIELD(config_notify, cert),
	 .variants = 1u << NOTIFY_SYSLOG,
	 .help = "Own certificate (PEM) for tls; needs key."},
	{.name = "key",
	 .type = TYPE_FILE,
	 FIELD(config_notify, key),
	 .variants = 1u << NOTIFY_SYSLOG,
	 .help = "Its private key (PEM)."},
	{.name = "events",
	 .type = TYPE_SPECIALS,
	 FIELD(config_notify, events),
	 OTHER(config_notify, n_events),
	 .set = set_list,
	 .max = 32,
	 .allowed = "types of events like \"alarm.active\", * and ? as in "
		    "file names",
	 .defaults = "{ \"alarm.*\", \"fault.*\", \"daemon.*\", "
		     "\"config.refused\" }",
	 .help = "Which events are told. The journal shows the types."},
	{0},
};
