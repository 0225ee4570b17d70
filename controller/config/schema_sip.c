/* Telephones: sip and peer. */
#include "rows.h"

static const char *const digests[] = {"both", "sha-256", "md5", NULL};
const char *const schema_preempteds[] = {"wait", "end", NULL};
/* In the orders of enum config_srtp_keys, config_respri and config_srtp. */
static const char *const srtp_keys[] = {"tls", "any", NULL};
const char *const schema_respris[] = {"off",  "esnet", "ets",  "wps",
				      "q735", "dsn",   "drsn", NULL};
const char *const schema_srtps[] = {"no", "offer", "require", "dtls", NULL};

const struct config_key schema_sip[] = {
	{.name = "listen",
	 .type = TYPE_SPECIALS,
	 FIELD(config_sip, listen),
	 OTHER(config_sip, n_listen),
	 .max = 8,
	 .set = set_listen,
	 .show = show_listen,
	 .allowed = "\"udp:ADDRESS:PORT\", \"tcp:ADDRESS:PORT\" or "
		    "\"tls:ADDRESS:PORT\" with a literal address of this host "
		    "(not 0.0.0.0), like "
		    "\"udp:10.7.0.2:5060\"; at most 8",
	 .help = "Where SIP is listened for. An empty list, or no sip "
		 "section: SIP is off."},
	{.name = "tls-cert",
	 .type = TYPE_FILE,
	 FIELD(config_sip, tls_cert),
	 .help = "Our certificate for SIP over TLS, those that lead up to its "
		 "authority, and its private key: one PEM file. A \"tls:\" "
		 "entry of listen needs it. Read again at each reload."},
	{.name = "tls-ca",
	 .type = TYPE_FILE,
	 FIELD(config_sip, tls_ca),
	 .defaults = "the authorities that the system trusts",
	 .help = "Authorities whose certificates are trusted, in PEM form. A "
		 "registrar must prove its name by one (RFC 5922): that in "
		 "registrars, or where that is an address, the host of aor."},
	{.name = "srtp-keys",
	 .type = TYPE_CHOICE,
	 FIELD(config_sip, srtp_keys),
	 .choices = srtp_keys,
	 .def = "tls",
	 .help = "What SIP may go by for the keys of encrypted calls to go "
		 "with it (SDES, RFC 4568). They stand in it as they are: who "
		 "can read it can decrypt the call, so that it must go by TLS. "
		 "any: also by UDP and TCP, for networks that are protected by "
		 "other means. That it is TLS beyond a PBX is the PBX's "
		 "affair. Keys by DTLS need none of this."},
	{.name = "rtp-ports",
	 .type = TYPE_SPECIAL,
	 FIELD(config_sip, rtp_min),
	 .def = "16384-32767",
	 .set = set_rtp_ports,
	 .show = show_rtp_ports,
	 .allowed = "\"FIRST-LAST\" with 1024 <= FIRST < LAST <= 65535, like "
		    "\"16384-32767\"",
	 .help = "Ports of calls' sound. Each call takes an even port and the "
		 "odd one above it."},
	{.name = "rtp-timeout",
	 .type = TYPE_DURATION,
	 FIELD(config_sip, rtp_timeout_ms),
	 .min = 1e3,
	 .max = HOUR,
	 .def = "10s",
	 .help = "A talker that sends nothing for this long is hung up on."},
	{.name = "max-page",
	 .type = TYPE_DURATION,
	 FIELD(config_sip, max_page_ms),
	 .max = DAY,
	 .def = "10m",
	 .help = "Longest live page, 0 = no end."},
	{.name = "preempted",
	 .type = TYPE_CHOICE,
	 FIELD(config_sip, preempted),
	 .choices = schema_preempteds,
	 .def = "wait",
	 .help = "What becomes of a caller whose page is displaced: he stays "
		 "up, hears why and is resumed (wait), or is hung up on with "
		 "the reason (end)."},
	{.name = "preempt-wait",
	 .type = TYPE_DURATION,
	 FIELD(config_sip, preempt_wait_ms),
	 .max = HOUR,
	 .def = "10s",
	 .help = "How long a displaced caller waits before he is hung up "
		 "on."},
	{.name = "preempted-message",
	 .type = TYPE_SPECIAL,
	 FIELD(config_sip, preempted_message),
	 .def = "preempted",
	 .set = set_heard,
	 .allowed = "the name of a message or tone",
	 .help = "What a displaced caller hears: over and over while he waits, "
		 "or once, for up to 2 s, before he is hung up on."},
	{.name = "go-ahead",
	 .type = TYPE_SPECIAL,
	 FIELD(config_sip, go_ahead),
	 .def = "go-ahead",
	 .set = set_tone,
	 .allowed = "the name of a tone, or \"\" for none",
	 .help = "Tone a caller hears when he may talk."},
	{.name = "chime",
	 .type = TYPE_SPECIAL,
	 FIELD(config_sip, chime),
	 .def = "",
	 .set = set_chime,
	 .allowed = "the name of a message or tone of at most 10s, or \"\" for "
		    "none",
	 .help = "What zones hear once when a live page begins, unless their "
		 "own chime says otherwise. The caller hears the go-ahead "
		 "when it is over; what he says before is not heard. From "
		 "priority 200 on there is none. It counts for max-page."},
	{.name = "session-expires",
	 .type = TYPE_DURATION,
	 FIELD(config_sip, session_expires_ms),
	 .max = DAY,
	 .def = "30m",
	 .help = "Session timers (RFC 4028): how long a call may last without "
		 "a "
		 "refresh, in calls from and to those who support them; they "
		 "may ask for less, down to 90s. We refresh a call that we "
		 "made, at half of it; one that nobody refreshes is hung up "
		 "on. 0 = none. Less than 90s counts as 90s."},
	{.name = "dscp",
	 .type = TYPE_NUMBER,
	 FIELD(config_sip, dscp_rtp),
	 .max = 63,
	 .def = "46",
	 .help = "DSCP of the sound sent to callers."},
	{.name = "max-calls",
	 .type = TYPE_NUMBER,
	 FIELD(config_sip, max_calls),
	 .min = 1,
	 .max = MEDIA_CALL_LEGS,
	 .def = "200",
	 .help = "Calls at once; more are refused. Left out, it is at most "
		 "what rtp-ports has room for."},
	{.name = "realm",
	 .type = TYPE_NAME,
	 FIELD(config_sip, realm),
	 .def = "tocsin",
	 .help = "Realm in which endpoints prove their passwords."},
	{.name = "digest",
	 .type = TYPE_CHOICE,
	 FIELD(config_sip, digest),
	 .choices = digests,
	 .def = "both",
	 .help = "How endpoints prove their passwords (RFC 8760): SHA-256 is "
		 "asked for first and MD5 second (both), or one alone. Some "
		 "devices give up when SHA-256 is asked for at all: they need "
		 "md5."},
	{.name = "register-min",
	 .type = TYPE_DURATION,
	 FIELD(config_sip, register_min_ms),
	 .min = 10e3,
	 .max = HOUR,
	 .def = "30s",
	 .help = "Shortest registration granted; who asks for less is told "
		 "(423)."},
	{.name = "register-max",
	 .type = TYPE_DURATION,
	 FIELD(config_sip, register_max_ms),
	 .min = 30e3,
	 .max = DAY,
	 .def = "60s",
	 .help = "Longest registration granted, and what is granted to who "
		 "names none. An endpoint that is gone is noticed when its "
		 "registration ends: above 90s that is later than a fault "
		 "should be known."},
	{0},
};

const char *const schema_code_kinds[] = {
	[CODE_ALARM] = "alarm", [CODE_MENU] = "zones", NULL};

const struct config_key schema_code[] = {
	{.name = "alarm",
	 .type = TYPE_REF,
	 FIELD(config_code, alarm),
	 .variants = 1u << CODE_ALARM,
	 .kind = KIND_ALARM,
	 .help = "Triggered by a call to this number, from peers and endpoints "
		 "with allow = { \"alarm\" }. The caller hears that it was."},
	{.name = "zones",
	 .type = TYPE_REFS,
	 FIELD(config_code, zones),
	 OTHER(config_code, n_zones),
	 .variants = 1u << CODE_MENU,
	 .kind = KIND_ZONE,
	 .star = true,
	 .help = "Zones one of which the caller names by its extension and #; "
		 "\"*\": all that have one."},
	{.name = "pin-file",
	 .type = TYPE_FILE,
	 FIELD(config_code, pin.file),
	 .help = "PIN that is asked first, as that of a zone."},
	{0},
};

const struct config_key schema_peer[] = {
	{.name = "allow",
	 .type = TYPE_SPECIALS,
	 FIELD(config_peer, page),
	 .required = true,
	 .set = set_allow,
	 .show = show_allow,
	 .max = 3,
	 .allowed = "\"page\", \"help\" and \"alarm\"",
	 .help = "What callers from there may do."},
	{.name = "max-priority",
	 .type = TYPE_LEVEL,
	 FIELD(config_peer, max_level),
	 .def = "page",
	 .help = "The most urgent they may be."},
	{.name = "srtp",
	 .type = TYPE_CHOICE,
	 FIELD(config_peer, srtp),
	 .choices = schema_srtps,
	 .def = "no",
	 .help = SRTP_HELP},
	{.name = "trusted",
	 .type = TYPE_FLAG,
	 FIELD(config_peer, trusted),
	 .def = "false",
	 .help = TRUSTED_HELP},
	{.name = "resource-priority",
	 .type = TYPE_CHOICE,
	 FIELD(config_peer, respri),
	 .choices = schema_respris,
	 .def = "off",
	 .help = RESPRI_HELP},
	{.name = "zones",
	 .type = TYPE_REFS,
	 FIELD(config_peer, zones),
	 OTHER(config_peer, n_zones),
	 .kind = KIND_ZONE,
	 .star = true,
	 .help = "The only zones they may page; all when it is left out."},
	{0},
};

const struct config_key schema_endpoint[] = {
	{.name = "password-file",
	 .type = TYPE_FILE,
	 FIELD(config_endpoint, password_file),
	 .required = true,
	 .help = "File whose first line is the password; nobody but owner and "
		 "group may read it."},
	{.name = "user",
	 .type = TYPE_TEXT,
	 FIELD(config_endpoint, user),
	 .max = 63,
	 .defaults = "its name",
	 .help = "User name that goes with the password."},
	{.name = "extension",
	 .type = TYPE_SPECIAL,
	 FIELD(config_endpoint, extension),
	 .set = set_extension,
	 .allowed = EXTENSION_ALLOWED,
	 .help = "Number by which it is called too."},
	{.name = "supervised",
	 .type = TYPE_FLAG,
	 FIELD(config_endpoint, supervised),
	 .def = "true",
	 .help = "That it is not registered is a fault."},
	{.name = "allow",
	 .type = TYPE_SPECIALS,
	 FIELD(config_endpoint, may.page),
	 .set = set_allow,
	 .show = show_allow,
	 .max = 3,
	 .allowed = "\"page\", \"help\" and \"alarm\"",
	 .help = "What it may do; nothing when it is left out."},
	{.name = "max-priority",
	 .type = TYPE_LEVEL,
	 FIELD(config_endpoint, may.max_level),
	 .def = "page",
	 .help = "The most urgent its pages may be."},
	{.name = "srtp",
	 .type = TYPE_CHOICE,
	 FIELD(config_endpoint, may.srtp),
	 .choices = schema_srtps,
	 .def = "no",
	 .help = SRTP_HELP},
	{.name = "zones",
	 .type = TYPE_REFS,
	 FIELD(config_endpoint, may.zones),
	 OTHER(config_endpoint, may.n_zones),
	 .kind = KIND_ZONE,
	 .star = true,
	 .help = "The only zones it may page; all when it is left out."},
	{0},
};
