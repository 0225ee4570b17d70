/* Sound: outputs and zones. */
#include "rows.h"

#include "zones/reel.h"

const char *const schema_codecs[] = {"pcmu", "pcma", "l16",
				     "g722", "opus", NULL};

#define KEY_INTERFACE                                                          \
	{                                                                      \
		.name = "interface", .type = TYPE_SPECIAL,                     \
		FIELD(config_sound, interface), .set = set_interface,          \
		.allowed = "the name of a network interface, like \"eth1\"; "  \
			   "it need "                                          \
			   "not exist yet",                                    \
		.help = "Interface it leaves by. Must be given for "           \
			"multicast: the "                                      \
			"routing table's choice would change with the cables." \
	}
#define KEY_TTL                                                                \
	{                                                                      \
		.name = "ttl", .type = TYPE_NUMBER,                            \
		FIELD(config_sound, out.ttl), .min = 1, .max = 255,            \
		.def = "1", .help = "Routers it may cross, plus one."          \
	}
#define KEY_DSCP                                                               \
	{                                                                      \
		.name = "dscp", .type = TYPE_NUMBER,                           \
		FIELD(config_sound, out.dscp), .max = 63, .def = "46",         \
		.help = "DSCP of its packets."                                 \
	}
#define KEY_LOOP                                                               \
	{                                                                      \
		.name = "loop", .type = TYPE_FLAG,                             \
		FIELD(config_sound, out.loop), .def = "true",                  \
		.help = "Listeners on this host hear the multicast too."       \
	}
#define KEY_HEAR_BACK                                                          \
	{                                                                      \
		.name = "hear-back", .type = TYPE_FLAG,                        \
		FIELD(config_sound, hear_back), .def = "true",                 \
		.help = "Of a multicast: a fault when it is to sound but is "  \
			"not seen to leave the interface. Only where "         \
			"hear-back of the proof section is on."                \
	}
#define KEY_DELAY                                                              \
	{                                                                      \
		.name = "delay", .type = TYPE_DURATION,                        \
		FIELD(config_sound, out.delay_ms), .max = MEDIA_MAX_DELAY_MS,  \
		.def = "0s",                                                   \
		.help = "Everything on this output leaves later by this "      \
			"much, "                                               \
			"emergencies too: brings receivers with less delay "   \
			"of their "                                            \
			"own into step with the others."                       \
	}

static const char *const suites[] = {"AES_CM_128_HMAC_SHA1_80",
				     "AES_CM_128_HMAC_SHA1_32", NULL};

static const struct config_key sound_keys[] = {
	{.name = "srtp-key-file",
	 .type = TYPE_FILE,
	 FIELD(config_sound, key_file),
	 .help = "SRTP with the key in this file: master key and salt, 30 "
		 "bytes "
		 "in base64 as in SDP (RFC 4568), with |NUMBER:LENGTH behind "
		 "them where receivers want a key identifier. Nobody but owner "
		 "and group may read it."},
	{.name = "srtp-suite",
	 .type = TYPE_CHOICE,
	 FIELD(config_sound, suite),
	 .choices = suites,
	 .def = "AES_CM_128_HMAC_SHA1_80",
	 .help = "Of srtp-key-file."},
	{.name = "codec",
	 .type = TYPE_CHOICE,
	 FIELD(config_sound, out.fmt.codec),
	 .choices = schema_codecs,
	 .def = "pcmu",
	 .help = "G.711 mu-law or A-law (telephone sound), 16 bit linear, "
		 "G.722 (sound up to 7 kHz at G.711's 64 kbit/s) or Opus "
		 "(mono, all of the sound). Receivers must be set to the "
		 "same, and for opus and l16 to the payload type."},
	KEY_INTERFACE,
	KEY_TTL,
	KEY_DSCP,
	{.name = "ptime",
	 .type = TYPE_NUMBER,
	 FIELD(config_sound, out.fmt.ptime_ms),
	 .min = 10,
	 .max = 60,
	 .unit = "ms",
	 .defaults = "20; 10 for l16 above 32000",
	 .help = "Sound in one packet. It must be a whole number of samples, "
		 "and fit into a packet of 1,500 bytes; g722: 10, 20, 30, 40, "
		 "50 or 60; opus: 10, 20, 40 or 60."},
	{.name = "rate",
	 .type = TYPE_NUMBER,
	 FIELD(config_sound, out.fmt.rate),
	 .min = 8000,
	 .max = 48000,
	 .unit = "Hz",
	 .defaults = "8000; 16000 for l16 and g722, 48000 for opus",
	 .help = "Samples per second; l16 has a choice: 8000, 16000, 32000, "
		 "44100 or 48000."},
	{.name = "bitrate",
	 .type = TYPE_NUMBER,
	 FIELD(config_sound, out.fmt.bitrate),
	 .max = CODEC_OPUS_MAX_BITRATE,
	 .unit = "bit/s",
	 .defaults = "48000 for opus",
	 .help = "Of opus, on average, from 12000; 0 for other codecs. Speech "
		 "is clear from 16000, tones and "
		 "music from 32000. Each packet adds 40 bytes of headers."},
	{.name = "payload-type",
	 .type = TYPE_NUMBER,
	 FIELD(config_sound, out.fmt.pt),
	 .max = 127,
	 .defaults = "the codec's own",
	 .help = "RTP payload type: 0 for pcmu, 8 for pcma, 9 for g722, 111 "
		 "for opus, 96 for l16 (11 at 44100) unless given. Receivers "
		 "of multicast are not told, so it never changes by itself. "
		 "72 to 76 would be taken for RTCP."},
	KEY_LOOP,
	{.name = "unicast",
	 .type = TYPE_SPECIALS,
	 FIELD(config_sound, fan),
	 OTHER(config_sound, n_fan),
	 .max = MEDIA_MAX_FAN,
	 .set = set_fan,
	 .show = show_fan,
	 .allowed = "at most 64 of ADDRESS:PORT, each of one device",
	 .help = "The same packets go to these addresses too, by route: for "
		 "Wi-Fi, where multicast is lost. A zone without a group has "
		 "its first device as a unicast section, the others here."},
	{.name = "redundancy",
	 .type = TYPE_NUMBER,
	 FIELD(config_sound, redundancy),
	 .max = 1,
	 .def = "0",
	 .help = "1: each packet is sent twice. Receivers drop the second by "
		 "its sequence number."},
	{.name = "redundancy-after",
	 .type = TYPE_DURATION,
	 FIELD(config_sound, redundancy_ms),
	 .min = 1,
	 .max = 100,
	 .defaults = "half a packet time",
	 .help = "When the second comes: longer than the losses last, shorter "
		 "than the receivers' buffers."},
	KEY_DELAY,
	KEY_HEAR_BACK,
	{.name = "foreign-talkers",
	 .type = TYPE_FLAG,
	 FIELD(config_sound, foreign_talkers),
	 .def = "true",
	 .help = "Of a multicast: a fault when somebody else sends RTP to its "
		 "group and port. Turn it off where that is meant, as with "
		 "a second pager that knows no priorities."},
	{0},
};

static const char *const phone_codecs[] = {"pcmu", "g722", NULL};

static const struct config_key polycom_keys[] = {
	{.name = "group",
	 .type = TYPE_NUMBER,
	 FIELD(config_sound, group),
	 .min = 26,
	 .max = 50,
	 .show = show_group,
	 .help = "Page group, as in the protocol: the phones' group 1 is 26, "
		 "their priority group 24 is 49, their emergency group 25 is "
		 "50."},
	{.name = "channel",
	 .type = TYPE_NUMBER,
	 FIELD(config_sound, channel),
	 .min = 1,
	 .max = 25,
	 .show = show_channel,
	 .help = "Push-to-talk channel in place of a group; 24 is priority, 25 "
		 "emergency."},
	{.name = "priority-from",
	 .type = TYPE_LEVEL,
	 FIELD(config_sound, out.polycom.priority_from),
	 .def = "0",
	 .help = "Broadcasts from this priority on go to the priority group "
		 "(49) or channel (24); 0 = never."},
	{.name = "emergency-from",
	 .type = TYPE_LEVEL,
	 FIELD(config_sound, out.polycom.emergency_from),
	 .def = "0",
	 .help = "Broadcasts from this priority on go to the emergency group "
		 "(50) or channel (25), which phones play through Do Not "
		 "Disturb; 0 = never. All phones that subscribe to it hear it, "
		 "whatever their group."},
	{.name = "codec",
	 .type = TYPE_CHOICE,
	 FIELD(config_sound, phone_codec),
	 .choices = phone_codecs,
	 .def = "pcmu",
	 .help = "As the phones' group paging codec."},
	{.name = "ptime",
	 .type = TYPE_NUMBER,
	 FIELD(config_sound, out.fmt.ptime_ms),
	 .min = 20,
	 .max = 30,
	 .def = "20",
	 .unit = "ms",
	 .help = "20 or 30: sound in one frame. A packet has the frame before "
		 "in it too."},
	{.name = "caller-id",
	 .type = TYPE_SPECIAL,
	 FIELD(config_sound, caller),
	 .set = set_caller,
	 .allowed = "1 to 13 printable ASCII characters",
	 .defaults = "the zone's name, cut to 13",
	 .help = "What the phones show."},
	{.name = "serial",
	 .type = TYPE_SPECIAL,
	 FIELD(config_sound, out.polycom.serial),
	 .set = set_serial,
	 .show = show_serial,
	 .allowed = "eight hexadecimal digits other than \"00000000\"",
	 .defaults = "the last four bytes of the interface's MAC address",
	 .help = "The sender's number, unlike that of any phone. When two talk "
		 "at once phones keep to the lowest: \"00000001\" wins over "
		 "every phone."},
	{.name = "source-port",
	 .type = TYPE_NUMBER,
	 FIELD(config_sound, out.source_port),
	 .min = 1,
	 .max = 65535,
	 .defaults = "the group's port",
	 .help = "Port it is sent from; outputs share it."},
	KEY_INTERFACE,
	KEY_TTL,
	KEY_DSCP,
	KEY_LOOP,
	KEY_DELAY,
	KEY_HEAR_BACK,
	{0},
};

/* In the order of enum config_answer. */
static const char *const answers[] = {
	"all",         "call-info", "alert-info",  "ring-answer",
	"auto-answer", "intercom",  "answer-mode", "p-auto-answer",
	"none",        NULL};

/* In the order of enum config_srtp. */
static const char *const speaker_srtps[] = {"no",   "offer", "require",
					    "dtls", "auto",  NULL};

static const struct config_key speaker_keys[] = {
	{.name = "answer",
	 .type = TYPE_CHOICE,
	 FIELD(config_sound, speaker.answer),
	 .choices = answers,
	 .def = "all",
	 .help = "What makes it answer by itself. all: Alert-Info: Ring "
		 "Answer, Call-Info: answer-after=0 and ;intercom=true in the "
		 "address, which most know. call-info (Snom, Grandstream, "
		 "Gigaset, Cisco, AudioCodes): answer-after=0; alert-info "
		 "(Yealink, Mitel, Unify): info=alert-autoanswer;delay=0; "
		 "ring-answer (Digium, Sangoma); auto-answer (Poly): "
		 "info=Auto Answer; intercom (Panasonic); answer-mode (RFC "
		 "5373, baresip); p-auto-answer (Nortel, PJSIP); none: it "
		 "answers every call."},
	{.name = "codec",
	 .type = TYPE_SPECIALS,
	 FIELD(config_sound, speaker.codecs),
	 OTHER(config_sound, speaker.n_codecs),
	 .max = CODEC_COUNT,
	 .set = set_codecs,
	 .show = show_codecs,
	 .allowed = "each once of \"pcmu\", \"pcma\", \"l16\", \"g722\" "
		    "and \"opus\", the best first",
	 .defaults = "{ \"g722\", \"pcmu\", \"pcma\" }",
	 .help = "What it is offered. Messages are kept encoded in each. Sound "
		 "leaves in packets of 20 ms; l16 is of 16 kHz."},
	{.name = "srtp",
	 .type = TYPE_CHOICE,
	 FIELD(config_sound, speaker.srtp),
	 .choices = speaker_srtps,
	 .def = "auto",
	 .help = "Whether its sound is encrypted: see srtp of a peer. auto: as "
		 "the endpoint it is says, the account it is called through, "
		 "or the peer section its address is in."},
	{.name = "keep",
	 .type = TYPE_FLAG,
	 FIELD(config_sound, speaker.keep),
	 .def = "false",
	 .help = "The call stays up between broadcasts, so that sound is there "
		 "with its first packet, and a speaker that is gone is a "
		 "fault within `check`. A packet of silence goes there every "
		 "10 s."},
	{.name = "wait",
	 .type = TYPE_DURATION,
	 FIELD(config_sound, speaker.wait_ms),
	 .max = 5e3,
	 .def = "400ms",
	 .help = "A broadcast below priority 200 waits this long, in all its "
		 "zones, for speakers that are called and are not known to be "
		 "dead; an emergency never waits."},
	{.name = "answer-within",
	 .type = TYPE_DURATION,
	 FIELD(config_sound, speaker.within_ms),
	 .min = 500,
	 .max = 30e3,
	 .def = "4s",
	 .help = "A call that is not answered within this is given up and is a "
		 "fault; others do not wait for it. It is tried again while "
		 "something is to sound there."},
	{.name = "hang-up-after",
	 .type = TYPE_DURATION,
	 FIELD(config_sound, speaker.linger_ms),
	 .max = 600e3,
	 .def = "3s",
	 .help = "How long the call stays after the last sound, for what may "
		 "follow."},
	{.name = "check",
	 .type = TYPE_DURATION,
	 FIELD(config_sound, speaker.check_ms),
	 .min = 5e3,
	 .max = 90e3,
	 .def = "30s",
	 .help = "How often it is asked whether it is there: by OPTIONS while "
		 "it is not called, by a re-INVITE in a call. Two questions "
		 "without an answer are a fault."},
	{.name = "user",
	 .type = TYPE_TEXT,
	 FIELD(config_sound, speaker.user),
	 .max = 63,
	 .help = "For a speaker that asks who calls (digest)."},
	{.name = "password-file",
	 .type = TYPE_FILE,
	 FIELD(config_sound, speaker.password_file),
	 .help = "File whose first line is the password; nobody but owner and "
		 "group may read it."},
	KEY_DSCP,
	KEY_DELAY,
	{0},
};

#define SOUND                                                                  \
	.place = PLACE_NESTED, .size = sizeof(struct config_sound),            \
	.at = offsetof(struct config_sound, at),                               \
	.name_at = offsetof(struct config_sound, name), .open = open_sound,    \
	.max = MEDIA_MAX_OUTPUTS
const struct config_section schema_zone_subs[] = {
	{.name = "multicast",
	 .title = "GROUP:PORT",
	 SOUND,
	 .keys = sound_keys,
	 .titleh = title_multicast,
	 .nth = nth_multicast,
	 .help = "An output of the zone: RTP to a multicast group. Use "
		 "239.0.0.0/8 (RFC 2365) and an even port. No two outputs may "
		 "have the same group, port and interface."},
	{.name = "unicast",
	 .title = "ADDRESS:PORT",
	 SOUND,
	 .keys = sound_keys,
	 .titleh = title_unicast,
	 .nth = nth_unicast,
	 .help = "An output of the zone: RTP to one device."},
	{.name = "polycom",
	 .title = "GROUP:PORT",
	 SOUND,
	 .keys = polycom_keys,
	 .titleh = title_polycom,
	 .nth = nth_polycom,
	 .help = "An output of the zone: a page group or push-to-talk channel "
		 "of Polycom phones, usually at 224.0.1.116:5001. Alerts go "
		 "before the sound for 0.969 s: below priority 200 all outputs "
		 "of the broadcast wait for it, from 200 on the others sound "
		 "at once and the phones join in step."},
	{.name = "speaker",
	 .title = "sip:USER@ADDRESS:PORT",
	 SOUND,
	 .keys = speaker_keys,
	 .titleh = title_speaker,
	 .nth = nth_speaker,
	 .help = "An output of the zone: a SIP loudspeaker or phone, called "
		 "when something is to sound and heard from the moment it "
		 "answers, in step with all other outputs. All speakers of a "
		 "broadcast are called at once; none waits for another. What "
		 "sounds before it answers is lost there: a chime or `lead` "
		 "goes before words, or `keep` holds the call."},
	{0},
};

static const char *const page_modes[] = {[PAGE_MODE_AUTO] = "auto",
					 [PAGE_MODE_LIVE] = "live",
					 [PAGE_MODE_RECORD] =
						 "record-then-play",
					 NULL};

const struct config_key schema_zone[] = {
	{.name = "extension",
	 .type = TYPE_SPECIAL,
	 FIELD(config_zone, extension),
	 .set = set_extension,
	 .allowed = EXTENSION_ALLOWED,
	 .help = "Dialled to page the zone. Without it, it cannot be "
		 "dialled."},
	{.name = "pin-file",
	 .type = TYPE_FILE,
	 FIELD(config_zone, pin.file),
	 .help = "File whose first line is a PIN of 4 to 12 digits, asked of "
		 "who pages the zone by telephone; nobody but owner and group "
		 "may read it."},
	{.name = "zones",
	 .type = TYPE_SPECIALS,
	 FIELD(config_zone, zones),
	 OTHER(config_zone, n_zones),
	 .kind = KIND_ZONE,
	 .set = set_zones,
	 .show = show_zones,
	 .allowed = "names of zones, or \"*\" for every zone with outputs of "
		    "its own",
	 .help = "Zones it contains; they may stand later or in another "
		 "file."},
	{.name = "except",
	 .type = TYPE_REFS,
	 FIELD(config_zone, except),
	 OTHER(config_zone, n_except),
	 .kind = KIND_ZONE,
	 .help = "Zones whose outputs are taken off again."},
	{.name = "gain",
	 .type = TYPE_GAIN,
	 FIELD(config_zone, gain_cb),
	 .min = -60,
	 .max = 20,
	 .def = "0",
	 .help = "Gain of everything on the zone's own outputs."},
	{.name = "lead",
	 .type = TYPE_DURATION,
	 FIELD(config_zone, lead_ms),
	 .max = 10e3,
	 .def = "0s",
	 .help = "Silence first, to wake amplifiers. What sounds in several "
		 "zones begins in all of them after the longest. Amplifiers "
		 "that have been awake for that long by the zone's relay or "
		 "by sound need none. The caller of a live page hears the "
		 "go-ahead after it."},
	{.name = "relay",
	 .type = TYPE_REFS,
	 FIELD(config_zone, relays),
	 OTHER(config_zone, n_relays),
	 .kind = KIND_OUTPUT,
	 .max = 4,
	 .help = "Field outputs (at most 4) that are on while the zone's own "
		 "outputs sound, to power its amplifiers. Zones may share "
		 "one. One that cannot be switched is a fault and stops no "
		 "sound."},
	{.name = "relay-hold",
	 .type = TYPE_DURATION,
	 FIELD(config_zone, relay_hold_ms),
	 .max = HOUR,
	 .def = "5s",
	 .help = "How long the relay stays on after the last sound."},
	{.name = "min-priority",
	 .type = TYPE_LEVEL,
	 FIELD(config_zone, min_level),
	 .def = "0",
	 .help = "The least urgent that is let in."},
	{.name = "chime",
	 .type = TYPE_SPECIAL,
	 FIELD(config_zone, chime),
	 .set = set_zone_chime,
	 .allowed = "the name of a message or tone of at most 10s, or \"\" for "
		    "none",
	 .defaults = "chime of the sip section",
	 .help = "Heard once when a live page to this extension begins."},
	{.name = "quiet",
	 .type = TYPE_SPECIALS,
	 FIELD(config_zone, quiet),
	 OTHER(config_zone, n_quiet),
	 .set = set_zone_quiet,
	 .show = show_zone_quiet,
	 .max = 20,
	 .allowed = QUIET_ALLOWED,
	 .help = "Quiet hours: how much softer the zone's own outputs are at "
		 "some times, or (max) what their volume may be at most, "
		 "beside what was set by hand. Emergencies, from 200 on, are "
		 "never made softer. A time that goes over midnight belongs "
		 "to the day on which it begins, as its type of day does."},
	{.name = "timezone",
	 .type = TYPE_SPECIAL,
	 FIELD(config_zone, timezone),
	 .set = set_own_timezone,
	 .defaults = "the site's",
	 .allowed = "a name below /usr/share/zoneinfo, like \"Europe/Berlin\"",
	 .help = "Time zone of its quiet hours."},
	{.name = "max-page",
	 .type = TYPE_DURATION,
	 FIELD(config_zone, max_page_ms),
	 .max = DAY,
	 .def = "0s",
	 .help = "Longest live page here, 0 = as in the sip section."},
	{.name = "page-mode",
	 .type = TYPE_CHOICE,
	 FIELD(config_zone, page_mode),
	 .choices = page_modes,
	 .def = "auto",
	 .help = "How a page to this extension gets here. live: as it is "
		 "spoken. record-then-play: it is recorded while nothing of it "
		 "sounds, and played in all outputs in step when the caller "
		 "hangs up or presses #; * discards it. Against feedback where "
		 "the telephone stands among the loudspeakers. auto: so if any "
		 "zone it contains is record-then-play, else live. Pages of "
		 "priority 200 and above are always live."},
	{.name = "max-recording",
	 .type = TYPE_DURATION,
	 FIELD(config_zone, max_recording_ms),
	 .min = 5e3,
	 .max = REEL_MAX_MS,
	 .def = "60s",
	 .help = "Longest page that is recorded; then the caller hears a tone, "
		 "the call ends, and what he said is played."},
	{.name = "min-recording",
	 .type = TYPE_DURATION,
	 FIELD(config_zone, min_recording_ms),
	 .max = 10e3,
	 .def = "1s",
	 .help = "A recording with less speech in it is not played."},
	{.name = "recording-wait",
	 .type = TYPE_DURATION,
	 FIELD(config_zone, recording_wait_ms),
	 .min = 1e3,
	 .max = HOUR,
	 .def = "2m",
	 .help = "How long a recorded page waits while something more urgent "
		 "sounds, before it begins or once it was cut off; then it is "
		 "dropped. What was cut off is played from its beginning."},
	{0},
};
