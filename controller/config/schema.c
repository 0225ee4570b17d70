#include "rows.h"

static const char *const log_levels[] = {"error", "warn",  "notice",
					 "info",  "debug", NULL};
static const char *const ties[] = {"first", "last", NULL};

static const struct config_key top_keys[] = {
	{.name = "site",
	 .type = TYPE_NAME,
	 FIELD(config, site),
	 .def = "tocsin",
	 .help = "Name of this site: in the log, in the journal and in MQTT "
		 "topics. Must be given when there is an mqtt section."},
	{.name = "timezone",
	 .type = TYPE_SPECIAL,
	 FIELD(config, timezone),
	 .set = set_timezone,
	 .defaults = "the system's",
	 .allowed = "a name below /usr/share/zoneinfo, like \"Europe/Berlin\"",
	 .help = "Time zone of schedules; the system's when it is left out."},
	{.name = "wait-for-clock-sync",
	 .type = TYPE_FLAG,
	 FIELD(config, wait_for_sync),
	 .def = "false",
	 .help = "Schedules wait until the kernel says that NTP (or the like) "
		 "has set the clock: for boxes without a clock of their own."},
	{.name = "state-dir",
	 .type = TYPE_PATH,
	 FIELD(config, state_dir),
	 .min = 1,
	 .def = "/var/lib/tocsin",
	 .help = "Directory of the journal and of what must survive a "
		 "restart."},
	{.name = "log-level",
	 .type = TYPE_SPECIAL,
	 FIELD(config, log_level),
	 .choices = log_levels,
	 .def = "info",
	 .set = set_log_level,
	 .help = "Least important lines that are logged."},
	{.name = "tie",
	 .type = TYPE_CHOICE,
	 FIELD(config, tie_last),
	 .choices = ties,
	 .def = "first",
	 .help = "Which of two equally urgent broadcasts has an output: the "
		 "one that came first, or the last one."},
	{0},
};

#define PRIORITY(n, class, value, text)                                        \
	{                                                                      \
		.name = n, .type = TYPE_NUMBER, FIELD(config, levels[class]),  \
		.min = 0, .max = 255, .def = value, .help = text               \
	}
static const struct config_key priority_keys[] = {
	PRIORITY("evacuate", CLASS_EVACUATE, "250", "Leave the place."),
	PRIORITY("alert", CLASS_ALERT, "220", "Be ready, wait for more."),
	PRIORITY("emergency", CLASS_EMERGENCY, "200",
		 "Help calls, emergency microphone."),
	PRIORITY("urgent", CLASS_URGENT, "150", "Urgent operation."),
	PRIORITY("page", CLASS_PAGE, "100", "Live pages and announcements."),
	PRIORITY("bell", CLASS_BELL, "60", "Bells of a schedule."),
	PRIORITY("music", CLASS_MUSIC, "10", "Background music."),
	{0},
};

static const char *const musics[] = {"duck", "pause", NULL};

static const struct config_key media_keys[] = {
	{.name = "realtime-priority",
	 .type = TYPE_NUMBER,
	 FIELD(config_media, rt_priority),
	 .max = 99,
	 .def = "50",
	 .help = "SCHED_FIFO priority of the media thread, 0 = none. The "
		 "service must be allowed to use it (LimitRTPRIO)."},
	{.name = "tail",
	 .type = TYPE_DURATION,
	 FIELD(config_media, tail_ms),
	 .max = 5e3,
	 .def = "300ms",
	 .help = "Silence sent after the last word, so that receivers with a "
		 "deep buffer play it; G.722 and Opus: at least 100ms."},
	{.name = "duck",
	 .type = TYPE_GAIN,
	 FIELD(config_media, duck_cb),
	 .min = -60,
	 .max = 0,
	 .def = "-15.0",
	 .help = "Gain of background music under something more urgent."},
	{.name = "music",
	 .type = TYPE_CHOICE,
	 FIELD(config_media, music),
	 .choices = musics,
	 .def = "duck",
	 .help = "What becomes of background music under something more "
		 "urgent, of music sections that have no under-page of their "
		 "own, and of messages and sources at priority music: it is "
		 "softer by duck, or pauses and goes on where it "
		 "was once no zone of it sounds anything else; until then a "
		 "zone comes back in step with the others. Under an emergency "
		 "it always pauses."},
	{.name = "ramp",
	 .type = TYPE_DURATION,
	 FIELD(config_media, ramp_ms),
	 .max = MEDIA_MAX_RAMP_MS,
	 .def = "100ms",
	 .help = "How long music takes to go down, and a zone's volume to "
		 "change."},
	{.name = "ramp-back",
	 .type = TYPE_DURATION,
	 FIELD(config_media, ramp_back_ms),
	 .max = MEDIA_MAX_RAMP_MS,
	 .def = "500ms",
	 .help = "How long music takes to come back, and a zone's volume to "
		 "rise."},
	{.name = "queue",
	 .type = TYPE_DURATION,
	 FIELD(config_media, queue_ms),
	 .max = DAY,
	 .def = "60s",
	 .help = "How long a recorded announcement waits for its outputs "
		 "before it is dropped."},
	{.name = "packet-sockets",
	 .type = TYPE_FLAG,
	 FIELD(config_media, packet_sockets),
	 .def = "false",
	 .help = "IPv4 multicast outputs with \"loop = false\" on Ethernet "
		 "leave as frames made here, for two thirds of the work: "
		 "worth it from some hundred outputs on. They do not pass the "
		 "host's own firewall. The service must be allowed to "
		 "(CAP_NET_RAW); else, and where the interface has no IPv4 "
		 "address, ordinary sockets are used."},
	{.name = "loudness",
	 .type = TYPE_SPECIAL,
	 FIELD(config_media, loudness),
	 .def = "-18.0",
	 .set = set_loudness,
	 .show = show_loudness,
	 .allowed = LOUDNESS_ALLOWED,
	 .help = "Loudness (EBU R128) that the files and texts of messages are "
		 "brought to when they are loaded, by at most 24 dB up; peaks "
		 "are limited to -1 dBTP. Tones stay as their table has "
		 "them."},
	{0},
};

static const struct config_section sections[] = {
	{.name = "priorities",
	 .place = PLACE_SINGLE,
	 .keys = priority_keys,
	 .help = "Levels of the priority classes, 0 to 255, the higher the "
		 "more urgent. Their order cannot be changed; evacuate, alert "
		 "and emergency are 200 or more, the others less."},
	{.name = "media",
	 ONE(media),
	 .keys = media_keys,
	 .help = "The media engine."},
	{.name = "proof",
	 ONE(proof),
	 .keys = schema_proof,
	 .help = "Whether what is to sound can be heard: multicasts are heard "
		 "back on the wire, others who talk on our groups and "
		 "networks without an IGMP querier are faults. Needs "
		 "CAP_NET_RAW."},
	{.name = "sip", ONE(sip), .keys = schema_sip, .help = "SIP calls."},
	{.name = "peer",
	 .title = "NETWORK",
	 .kind = KIND_PEER,
	 MANY(config_peer, peers),
	 .max = 256,
	 .titleh = title_peer,
	 .keys = schema_peer,
	 .help = "Callers trusted by their address, like \"10.7.1.0/24\". The "
		 "most particular entry counts. Nobody else is answered."},
	{.name = "endpoint",
	 .title = "NAME",
	 .kind = KIND_ENDPOINT,
	 .place = PLACE_ARRAY,
	 .offset = offsetof(struct config, endpoints),
	 .count = offsetof(struct config, n_endpoints),
	 .size = sizeof(struct config_endpoint),
	 .at = offsetof(struct config_endpoint, may.at),
	 .name_at = offsetof(struct config_endpoint, may.name),
	 .max = CONFIG_MAX_ENDPOINTS,
	 .keys = schema_endpoint,
	 .help = "A phone, speaker or help point that registers here with "
		 "its name and a password, from any address and at up to 4 "
		 "at once. It may call zones without a peer section, with "
		 "its password. Its name is the user of its SIP address."},
	{.name = "account",
	 .title = "NAME",
	 .kind = KIND_ACCOUNT,
	 .place = PLACE_ARRAY,
	 .offset = offsetof(struct config, accounts),
	 .count = offsetof(struct config, n_accounts),
	 .size = sizeof(struct config_account),
	 .at = offsetof(struct config_account, may.at),
	 .name_at = offsetof(struct config_account, may.name),
	 .max = CONFIG_MAX_ACCOUNTS,
	 .keys = schema_account,
	 .help = "An extension of a PBX that this controller is: it registers "
		 "there. Calls from the PBX to it may do what is allowed here; "
		 "calls of ours to the domain of aor go through it, with its "
		 "name and password."},
	{.name = "code",
	 .title = "NUMBER",
	 .kind = KIND_CODE,
	 MANY(config_code, codes),
	 .max = CONFIG_MAX_CODES,
	 .titleh = title_code,
	 .variant_at = offsetof(struct config_code, kind),
	 .variants = schema_code_kinds,
	 .keys = schema_code,
	 .help = "A number that is dialled for something else than one zone: "
		 "with alarm it triggers that, with zones it asks for the "
		 "extension of one of them, by keys and #. "
		 "Title: 1 to 63 of letters, "
		 "digits, \".\", \"_\", \"-\", \"+\" and \"*\"."},
	{.name = "zone",
	 .title = "NAME",
	 .kind = KIND_ZONE,
	 MANY(config_zone, zones),
	 .max = CONFIG_MAX_ZONES,
	 .keys = schema_zone,
	 .subs = schema_zone_subs,
	 .help = "Outputs of sound, or other zones, under one name. A zone "
		 "has at least one output in the end."},
	{.name = "source",
	 .title = "NAME",
	 .kind = KIND_SOURCE,
	 MANY(config_source, sources),
	 .max = CONFIG_MAX_SOURCES,
	 .keys = schema_source,
	 .variant_at = offsetof(struct config_source, kind),
	 .variants = schema_source_kinds,
	 .help = "A stream that others send, like a legacy paging gateway's: "
		 "while somebody talks it is a live broadcast in its zones. "
		 "One talker at a time; what is not heard is counted and "
		 "shown."},
	{.name = "music",
	 .title = "NAME",
	 .kind = KIND_MUSIC,
	 MANY(config_player, musics),
	 .max = CONFIG_MAX_MUSICS,
	 .keys = schema_music,
	 .help = "Background music, made by a program of its own that is "
		 "started anew when it dies, hangs for 10 s or is silent: "
		 "after 1 s, then twice as long each time, at most 30 s. It "
		 "may have 1 GB of memory and 64 open files, and writes no "
		 "file. About 2.5 s are kept ahead."},
	{.name = "message",
	 .title = "NAME",
	 .kind = KIND_MESSAGE,
	 MANY(config_message, messages),
	 .max = 500,
	 .keys = schema_message,
	 .subs = schema_message_subs,
	 .help = "Recorded, spoken or generated sound: chime, tone, files, "
		 "text and say sections sound in this order."},
	{.name = "bus",
	 .title = "ADDRESS",
	 .kind = KIND_BUS,
	 MANY(config_bus, buses),
	 .max = CONFIG_MAX_BUSES,
	 .titleh = title_bus,
	 .keys = schema_bus,
	 .help = "How a Modbus bus is asked: its title is what points have as "
		 "modbus. Without it the defaults hold. Each bus that has a "
		 "point takes a thread."},
	{.name = "speech",
	 ONE(speech),
	 .keys = schema_speech,
	 .help = "How texts are spoken: before they are needed, by a program "
		 "of its own."},
	{.name = "mode",
	 .title = "NAME",
	 .kind = KIND_MODE,
	 MANY(config_mode, modes),
	 .max = CONFIG_MAX_MODES,
	 .keys = schema_mode,
	 .help = "A mode of the site, which alarms and their effects may "
		 "depend on. It is what was set by hand; else that of the "
		 "first key switch that is on; else the first whose hours it "
		 "is; else the first. Turning a key ends what was set by hand. "
		 "Without any mode section there are day, night and "
		 "maintenance, set by hand."},
	{.name = "input",
	 .title = "NAME",
	 .kind = KIND_INPUT,
	 MANY(config_input, inputs),
	 .max = 1000,
	 .keys = schema_input,
	 .variant_at = offsetof(struct config_input, kind),
	 .variants = schema_input_kinds,
	 .help = "A field input."},
	{.name = "output",
	 .title = "NAME",
	 .kind = KIND_OUTPUT,
	 MANY(config_output, outputs),
	 .max = 1000,
	 .keys = schema_output,
	 .variant_at = offsetof(struct config_output, kind),
	 .variants = schema_output_kinds,
	 .help = "A field output (relay, beacon): not sound."},
	{.name = "alarm",
	 .title = "NAME",
	 .kind = KIND_ALARM,
	 MANY(config_alarm, alarms),
	 .max = 500,
	 .keys = schema_alarm,
	 .subs = schema_alarm_subs,
	 .help = "From cause to effect: at least one effect or output."},
	{.name = "operators",
	 .title = "NAME",
	 .kind = KIND_OPERATORS,
	 MANY(config_operators, operators),
	 .max = 50,
	 .keys = schema_operators,
	 .subs = schema_operators_subs,
	 .help = "People to call, in stages until one of them takes the call."},
	{.name = "helppoint",
	 .title = "NAME",
	 .kind = KIND_HELPPOINT,
	 MANY(config_helppoint, helppoints),
	 .max = 1000,
	 .keys = schema_helppoint,
	 .subs = schema_helppoint_subs,
	 .help = "A station that calls for help. Its call is answered at "
		 "once, waits its turn (priority first, then age), and rings "
		 "its operators in their stages, round after round, until one "
		 "of them takes it. At most 128 at once."},
	{.name = "calendar",
	 .title = "NAME",
	 .kind = KIND_CALENDAR,
	 MANY(config_calendar, calendars),
	 .max = 50,
	 .keys = schema_calendar,
	 .help = "Days and hours under a name: holidays, exam days, events. "
		 "From an ICS file, a URL, or dates written here."},
	{.name = "schedule",
	 .title = "NAME",
	 .kind = KIND_SCHEDULE,
	 MANY(config_schedule, schedules),
	 .max = 500,
	 .keys = schema_schedule,
	 .subs = schema_schedule_subs,
	 .help = "A bell, an announcement or music by the clock. Local times "
		 "that a change of clocks leaves out or repeats follow gap and "
		 "fold."},
	{.name = "mqtt",
	 ONE(mqtt),
	 .keys = schema_mqtt,
	 .help = "Connection to an MQTT broker; none without this section."},
	{.name = "plc",
	 ONE(plc),
	 .keys = schema_plc,
	 .help = "A Modbus TCP server for PLCs: they read zones, alarms, "
		 "inputs and faults, and may give the commands listed here. "
		 "tocsind --modbus-map prints its addresses. None without "
		 "this section."},
	{.name = "webhook",
	 .title = "NAME",
	 .kind = KIND_WEBHOOK,
	 MANY(config_webhook, webhooks),
	 .max = CONFIG_MAX_WEBHOOKS,
	 .keys = schema_webhook,
	 .help = "POST /hooks/NAME: signed requests of other machines, at most "
		 "65536 bytes. They tell the value of inputs, trigger alarms "
		 "or "
		 "carry a verb of the API. One whose signature is not right is "
		 "answered 401 and told nothing; a signed one that is late, "
		 "early or a repetition does nothing and is told why."},
	{.name = "cap",
	 .title = "NAME",
	 .kind = KIND_CAP,
	 MANY(config_cap, caps),
	 .max = CONFIG_MAX_CAPS,
	 .keys = schema_cap,
	 .subs = schema_cap_subs,
	 .variant_at = offsetof(struct config_cap, kind),
	 .variants = schema_cap_kinds,
	 .help = "Public alerts (CAP 1.2, and 1.1) from a folder or a server. "
		 "An Alert or Update that fits is heard until it expires, at "
		 "most `repeat` times; a Cancel or an Update stops what it "
		 "refers to, and the same alert never sounds twice, also after "
		 "a restart. What is there at the very first look starts "
		 "nothing. XML signatures are not verified: take alerts over "
		 "https from who you trust. A document of more than 1 MB, with "
		 "a document type (DTD) or deeper than 32 levels is refused."},
	{.name = "notify",
	 .title = "NAME",
	 .kind = KIND_NOTIFY,
	 MANY(config_notify, notifies),
	 .max = CONFIG_MAX_NOTIFY,
	 .keys = schema_notify,
	 .variant_at = offsetof(struct config_notify, kind),
	 .variants = schema_notify_kinds,
	 .help = "Who is told of events: a server by HTTP, people by e-mail, "
		 "or a syslog server. Up to 1000 events are kept while one "
		 "cannot be reached, which is a fault; then the oldest are "
		 "lost. It is tried again after 1 s, then twice as long each "
		 "time, at most 60 s."},
	{.name = "web",
	 ONE(web),
	 .keys = schema_web,
	 .help = "The HTTP API and the console."},
	{.name = "user",
	 .title = "NAME",
	 .kind = KIND_USER,
	 MANY(config_user, users),
	 .max = 200,
	 .keys = schema_user,
	 .help = "Who may log in over HTTP."},
	{.name = "token",
	 .title = "NAME",
	 .kind = KIND_TOKEN,
	 MANY(config_token, tokens),
	 .max = 200,
	 .keys = schema_token,
	 .help = "A machine that may use the API, with a token in place of a "
		 "password. `tocsinctl token` makes the section; taken out "
		 "and reloaded, the token is revoked."},
	{0},
};

const struct config_section config_schema = {
	.name = "", .keys = top_keys, .subs = sections};
