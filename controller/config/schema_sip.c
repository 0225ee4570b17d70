/* Telephones: sip and peer. */
#include "rows.h"

static const char *const preempteds[] = {"wait", "end", NULL};

const struct config_key schema_sip[] = {
	{.name = "listen",
	 .type = TYPE_SPECIALS,
	 FIELD(config_sip, listen),
	 OTHER(config_sip, n_listen),
	 .max = 8,
	 .set = set_listen,
	 .show = show_listen,
	 .allowed = "\"udp:ADDRESS:PORT\" or \"tcp:ADDRESS:PORT\" with a "
		    "literal address of this host (not 0.0.0.0), like "
		    "\"udp:10.7.0.2:5060\"; at most 8",
	 .help = "Where SIP is listened for. An empty list, or no sip "
		 "section: SIP is off."},
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
	 .choices = preempteds,
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
	{0},
};

const struct config_key schema_peer[] = {
	{.name = "allow",
	 .type = TYPE_SPECIALS,
	 FIELD(config_peer, page),
	 .required = true,
	 .set = set_allow,
	 .show = show_allow,
	 .max = 2,
	 .allowed = "\"page\", \"help\", or both",
	 .help = "What callers from there may do."},
	{.name = "max-priority",
	 .type = TYPE_LEVEL,
	 FIELD(config_peer, max_level),
	 .def = "page",
	 .help = "The most urgent they may be."},
	{.name = "zones",
	 .type = TYPE_REFS,
	 FIELD(config_peer, zones),
	 OTHER(config_peer, n_zones),
	 .kind = KIND_ZONE,
	 .star = true,
	 .help = "The only zones they may page; all when it is left out."},
	{0},
};
