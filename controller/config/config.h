/**
 * The configuration as the daemon uses it: checked as a whole, then immutable.
 *
 * Everything here is filled by config_load() from one table of keys
 * (controller/config/schema.c), from which the reference page and
 * --dump-config come too. All strings and arrays belong to struct config.
 * References between sections are indices into the arrays here, -1 = none.
 */
#ifndef TOCSIN_CONFIG_H
#define TOCSIN_CONFIG_H

#include "controller/base/reason.h"
#include "gpio/lines.h"
#include "gpio/loop.h"
#include "gpio/modbus/bus.h"
#include "scheduler/quiet.h"
#include "scheduler/window.h"
#include "zones/media.h"
#include "zones/watch/querier.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Limits, each in the reference page. */
#define CONFIG_MAX_ZONES 1000
#define CONFIG_MAX_ENDPOINTS 1000
#define CONFIG_MAX_NAME 64

/** Where something stands: for messages long after parsing. */
struct config_where {
	const char *file;
	int line;
};

/** Priority classes, DESIGN section 1; levels in config_levels. */
enum config_class {
	CLASS_EVACUATE,
	CLASS_ALERT,
	CLASS_EMERGENCY,
	CLASS_URGENT,
	CLASS_PAGE,
	CLASS_BELL,
	CLASS_MUSIC,
	CLASS_COUNT
};

enum config_transport { TRANSPORT_UDP, TRANSPORT_TCP, TRANSPORT_TLS };

struct config_listen {
	enum config_transport transport;
	char host[64]; /**< literal address */
	uint16_t port;
};

enum config_preempted {
	PREEMPTED_WAIT, /**< the caller stays up, hears why, and is resumed */
	PREEMPTED_END,  /**< BYE at once, with the Reason */
};

/** What endpoints may prove their password with. */
enum config_digest {
	DIGEST_BOTH, /**< SHA-256 is asked for first */
	DIGEST_SHA256,
	DIGEST_MD5,
};

struct config_sip {
	struct config_listen *listen;
	size_t n_listen;
	uint16_t rtp_min, rtp_max;
	uint32_t rtp_timeout_ms; /**< BYE when a talker sends nothing for this
				    long */
	uint32_t max_page_ms;    /**< longest live page, 0 = no end */
	enum config_preempted preempted;
	uint32_t preempt_wait_ms; /**< patience of a preempted caller */
	char *preempted_message;  /**< message or tone that he hears */
	char *go_ahead; /**< tone before a caller may talk, "" = none */
	char *chime;    /**< heard before a live page, "" = none */
	struct config_where chime_at;
	uint8_t dscp_rtp;
	uint32_t max_calls;
	char *realm; /**< of the registrar's challenges */
	enum config_digest digest;
	uint32_t register_min_ms, register_max_ms;
	uint32_t session_expires_ms; /**< RFC 4028, 0 = no session timers */
	char *tls_cert;    /**< certificate and key; needed to listen by TLS */
	char *tls_ca;      /**< whom we trust, NULL = whom the system does */
	uint8_t srtp_keys; /**< enum config_srtp_keys */
};

/** Is the sound of a call encrypted (SRTP)? */
enum config_srtp {
	SRTP_NO,      /**< neither offered nor taken */
	SRTP_OFFER,   /**< if the other side can */
	SRTP_REQUIRE, /**< else there is no call */
	SRTP_DTLS,    /**< else there is no call, and its keys are by DTLS */
	SRTP_AUTO,    /**< of a speaker: as who it is found by says */
};

/** Over what the keys of SRTP may go (SDES, RFC 4568). */
enum config_srtp_keys { SRTP_KEYS_TLS, SRTP_KEYS_ANY };

/** In the words of which network we say how urgent our calls are
 *  (Resource-Priority, RFC 4412 10 and RFC 7135). */
enum config_respri {
	RESPRI_OFF,
	RESPRI_ESNET,
	RESPRI_ETS,
	RESPRI_WPS,
	RESPRI_Q735,
	RESPRI_DSN,
	RESPRI_DRSN,
};

/** Who is trusted by address. */
struct config_peer {
	struct config_where at;
	char *name; /**< as written: "10.7.1.0/24" */
	struct sockaddr_storage net;
	unsigned prefix;
	bool page, help, alarm; /**< allow */
	uint8_t max_level;
	uint8_t srtp;   /**< enum config_srtp: of calls from and to it */
	bool trusted;   /**< what it says of who calls and how urgently is so */
	uint8_t respri; /**< enum config_respri: of calls to it */
	int *zones;     /**< the only ones it may page; n_zones = 0: all */
	size_t n_zones;
};

/** Who registers here. */
struct config_endpoint {
	struct config_peer may; /**< name, and what it may do; no network */
	char *user;             /**< of its credentials, NULL = its name */
	char *extension;        /**< it is called by too, NULL = none */
	char *password_file;
	char password[128]; /**< what is in it */
	bool supervised;    /**< not registered is a fault */
};

#define CONFIG_MAX_ACCOUNTS 64
/** Registrars of an account. */
#define CONFIG_MAX_REGISTRARS 8

/** A SIP URI that an account has: what may be written there. */
struct config_sip_uri {
	char user[64];  /**< "" = none */
	char host[256]; /**< a name or an address, without brackets */
	uint16_t port;  /**< 0 = not written */
	enum config_transport transport; /**< UDP when none is written */
};

/** An extension of a PBX that we are. */
struct config_account {
	struct config_peer may; /**< name, and what its callers may do */
	char *aor;
	struct config_sip_uri address;                      /**< of `aor` */
	char **registrars;                                  /**< as written */
	size_t n_registrars;                                /**< 1 and more */
	struct config_sip_uri where[CONFIG_MAX_REGISTRARS]; /**< the same */
	char *auth_user; /**< NULL = the user of its aor */
	char *password_file;
	char password[128]; /**< what is in it */
	char *extension;    /**< what a call to its number calls, or NULL */
	uint32_t expires_ms, ask_ms;
	bool supervised; /**< not registered is a fault */
};

/** Digits of a PIN. */
#define CONFIG_MIN_PIN 4
#define CONFIG_MAX_PIN 12

struct config_pin {
	char *file;                      /**< NULL = none */
	char digits[CONFIG_MAX_PIN + 1]; /**< what is in it */
};

#define CONFIG_MAX_CODES 100

enum config_code_kind { CODE_ALARM, CODE_MENU };

/** A number that is dialled for something else than a zone: it triggers an
 *  alarm, or asks which zone. */
struct config_code {
	struct config_where at;
	char *name; /**< what is dialled */
	enum config_code_kind kind;
	int alarm;
	int *zones; /**< of the menu; n_zones = 0: all that have an extension */
	size_t n_zones;
	struct config_pin pin;
};

/** A message or tone that is heard before a live page, at most. */
#define CONFIG_CHIME_MAX_MS 10000

/** How a page gets into a zone. */
enum config_page_mode {
	PAGE_MODE_AUTO, /**< recorded if it is in any zone contained, else live
			 */
	PAGE_MODE_LIVE,
	PAGE_MODE_RECORD, /**< recorded first, played when it is over */
};

struct config_zone {
	struct config_where at;
	char *name;
	char *extension; /**< NULL = cannot be dialled */
	/** Own outputs and those of contained zones, except taken off. */
	struct media_set outputs;
	size_t n_outputs; /**< members of that set */
	int *own;         /**< indices into config.outputs: its own */
	size_t n_own;
	int *zones; /**< contained zones, after "*" and except */
	size_t n_zones;
	bool all;    /**< "*" was among the zones */
	int *except; /**< as configured */
	size_t n_except;
	int16_t gain_cb;
	uint32_t lead_ms; /**< silence first, to wake amplifiers */
	int *relays;      /**< field outputs that are on while it sounds */
	size_t n_relays;
	uint32_t relay_hold_ms; /**< and for so long after it */
	uint8_t min_level;      /**< lowest level accepted, 0 = any */
	uint32_t max_page_ms;   /**< 0 = sip.max_page_ms */
	char *chime;            /**< message or tone; NULL = sip.chime */
	struct config_where chime_at;
	struct quiet *quiet; /**< quiet hours; none overlap */
	size_t n_quiet;
	char *timezone;    /**< of them; NULL = the site's */
	uint8_t page_mode; /**< enum config_page_mode */
	uint32_t max_recording_ms, min_recording_ms;
	uint32_t recording_wait_ms; /**< how long a recorded page may wait */
	struct config_pin pin;      /**< asked of who pages it by telephone */
};

enum config_sound_kind { SOUND_RTP, SOUND_POLYCOM, SOUND_SPEAKER };

/** How a SIP loudspeaker is asked to answer by itself (FIELD 2.3). */
enum config_answer {
	ANSWER_ALL, /**< the three that most devices know together */
	ANSWER_CALL_INFO,
	ANSWER_ALERT_INFO,
	ANSWER_RING_ANSWER,
	ANSWER_AUTO_ANSWER,
	ANSWER_INTERCOM,
	ANSWER_MODE,
	ANSWER_P_AUTO,
	ANSWER_NONE,
};

/** A SIP loudspeaker's call. */
struct config_speaker {
	uint8_t answer;              /**< enum config_answer */
	uint8_t srtp;                /**< enum config_srtp */
	uint8_t codecs[CODEC_COUNT]; /**< the best first */
	size_t n_codecs;
	bool keep; /**< the call stays up between pages */
	uint32_t wait_ms, within_ms, linger_ms, check_ms;
	char *user, *password_file;
	char password[128]; /**< what is in it */
};

/** One multicast, unicast or Polycom output of sound, or a SIP loudspeaker. */
struct config_sound {
	struct config_where at;
	enum config_sound_kind kind;
	int zone;        /**< whose it is */
	char *name;      /**< "239.192.7.1:5004", as written */
	char *interface; /**< name; NULL only on loopback tests and unicast */
	bool hear_back;  /**< of a multicast: is it seen on the wire? */
	bool foreign_talkers;    /**< others who send to it are a fault */
	struct media_output out; /**< ifindex is looked up at start, not here */
	uint8_t redundancy;      /**< 1: each packet leaves twice */
	uint16_t redundancy_ms;  /**< the second time after this */
	struct sockaddr_storage *fan; /**< out.fan */
	size_t n_fan;
	uint8_t group, channel;        /**< Polycom: one of them, the other 0 */
	char *key_file;                /**< SRTP key, NULL = not encrypted */
	uint8_t suite;                 /**< 0: tag of 80 bits, 1: 32 */
	uint8_t phone_codec;           /**< Polycom: 0 = PCMU, 1 = G.722 */
	char *caller;                  /**< NULL = the zone's name */
	struct config_speaker speaker; /**< out.dst and port come by SIP */
};

enum config_source_kind { SOURCE_MULTICAST, SOURCE_UNICAST, SOURCE_POLYCOM };

/** A stream of others that is heard in zones. */
struct config_source {
	struct config_where at;
	char *name;
	enum config_source_kind kind;
	char *place; /**< "239.1.2.3:5004", as written */
	struct sockaddr_storage addr;
	char *interface; /**< joined on; NULL for unicast */
	uint8_t group;   /**< polycom: channel 1-25 or group 26-50 */
	struct format fmt;
	struct media_net *from; /**< n_from = 0: anybody */
	size_t n_from;
	int *zones;
	size_t n_zones;
	uint8_t level;
	uint32_t hang_ms;
	uint32_t max_ms; /**< 0 = no end */
	bool record;     /**< first recorded, played when he is over */
};

/** Streams listened to; the engine's other legs beside calls are music's. */
#define CONFIG_MAX_SOURCES 48
#define CONFIG_MAX_MUSICS (MEDIA_MAX_SOURCES - CONFIG_MAX_SOURCES)
/** Words of a command. */
#define CONFIG_MAX_COMMAND 32

/** Background music. */
struct config_player {
	struct config_where at;
	char *name;
	char **files; /**< absolute paths */
	size_t n_files;
	char *folder, *stream; /**< NULL = not this */
	char **command;
	size_t n_command;
	bool shuffle;
	uint32_t rate; /**< of what the command writes */
	int *zones;
	size_t n_zones;
	uint8_t level;
	int16_t volume_cb;
	bool pause; /**< else ducked */
	bool autostart;
	struct window *hours; /**< plays within these; n_hours = 0: by hand */
	size_t n_hours;
	char *timezone;      /**< of them; NULL = the site's */
	uint32_t silence_ms; /**< 0 = may be silent */
};

/** No alignment: a source keeps the level it has. */
#define CONFIG_LOUDNESS_OFF 1

/** One of a message's parts in turn: a file or a text to be spoken. */
struct config_part {
	struct config_where at;
	char *name;  /**< its title: for people, or CONFIG_ATTENTION */
	char *file;  /**< absolute path, or */
	char *text;  /**< words */
	char *voice; /**< NULL = the speech section's */
};

/** Title of a first part that stands for the tone. */
#define CONFIG_ATTENTION "attention"
/** How long what comes before an emergency's words should be (ISO 7240-16
 *  7.2.2), in ms. */
#define CONFIG_ATTENTION_MIN_MS 3000
#define CONFIG_ATTENTION_MAX_MS 10000

/** Sounds as: chime, tone, files, text, parts; then the gap. */
struct config_message {
	struct config_where at;
	char *name;
	char *chime;      /**< name of a tone, sounded once; NULL = none */
	char *tone;       /**< NULL = none */
	uint32_t tone_ms; /**< how long, 0 = one cycle */
	char **files;     /**< absolute paths, in order */
	size_t n_files;
	char *text, *voice;
	bool upload;               /**< its words are uploaded */
	struct config_part *parts; /**< say sections, in order */
	size_t n_parts;
	uint32_t pause_ms; /**< between the pieces of one cycle */
	uint32_t gap_ms;
	bool gap_tone;    /**< the tone again where the gap were too silent */
	int16_t loudness; /**< LUFS * 10, or CONFIG_LOUDNESS_OFF */
	int16_t gain_cb;  /**< over that */
	uint32_t cycles;  /**< 0 = until stopped / reset */
	uint32_t for_ms;  /**< repeat = "10m": at least that long; else 0 */
	bool emergency;   /**< an alarm broadcasts it at level 200 or above */
	bool attention;   /**< its first part stands for the tone */
};

/** How texts are spoken. */
struct config_speech {
	struct config_where at;
	char **command; /**< as given, "%v" = voice; empty: what is installed */
	size_t n_command;
	char *voice; /**< where none is named */
	uint32_t limit_ms;
	uint32_t cache_mb;
};

/** How the points of a Modbus bus are asked for. */
struct config_bus {
	struct config_where at;
	char *name; /**< in full, as points have it: "tcp:10.7.2.9:502" */
	struct mbus_timing timing;
};

/** Most buses: each has a thread. */
#define CONFIG_MAX_BUSES 16

/** A point's place on a Modbus bus. */
struct config_modbus {
	char *bus; /**< in full; NULL = not on one */
	uint8_t unit;
	uint16_t address[4]; /**< as written, by table */
	bool has_address[4];
	enum mbus_table table;     /**< the one that was written */
	struct mbus_format format; /**< of registers */
	bool has_bit, has_mask, has_equals;
	uint8_t bit;
	uint32_t mask, equals;
	uint32_t poll_ms;
	uint16_t on, off; /**< of a register that is written */
	bool readback;
};

enum config_input_kind {
	INPUT_VIRTUAL,
	INPUT_MQTT,
	INPUT_GPIO,
	INPUT_MODBUS,
	INPUT_PAIR,
	INPUT_WEBHOOK,
};

struct config_input {
	struct config_where at;
	char *name;
	enum config_input_kind kind;
	char *webhook; /**< whose requests tell its value */
	/* mqtt */
	char *topic; /**< filter, may hold + and # */
	char *json;  /**< path "a.b.0", NULL = the payload itself */
	char *match; /**< active when the text equals this; NULL = by number */
	bool has_above, has_below; /**< active when value > above / < below */
	double above, clear_below; /**< hysteresis: normal again below this */
	double below, clear_above;
	uint32_t max_age_ms; /**< no message for this long: stale; 0 = never */
	/* (those from json on: webhook too) */
	/* gpio */
	char *chip, *line; /**< "gpiochip0", "17" or a line's name */
	bool active_low;
	enum line_bias bias;
	uint32_t debounce_ms;
	struct config_modbus modbus;
	/* pair, and loops on modbus */
	int *pair; /**< two inputs */
	size_t n_pair;
	char **window[4]; /**< as written, by enum loop_state */
	size_t n_window[4];
	struct loop_rule loop; /**< hold times without windows too */
};

enum config_output_kind {
	OUTPUT_VIRTUAL,
	OUTPUT_MQTT,
	OUTPUT_GPIO,
	OUTPUT_MODBUS,
};
enum config_role { ROLE_PLAIN, ROLE_FAULT };

/** What an output follows. */
enum config_follow_kind {
	FOLLOW_INPUT,
	FOLLOW_ALARM,
	FOLLOW_ZONE,
	FOLLOW_FAULT,
};

struct config_follow {
	enum config_follow_kind kind;
	int index; /**< of an input, alarm or zone */
};

/** How an output is left when the daemon ends. */
enum config_exit { EXIT_OFF, EXIT_ON, EXIT_KEEP };

/** Most outputs of one interlock group. */
#define CONFIG_MAX_INTERLOCK 16

/** A field output (relay, beacon): not sound. */
struct config_output {
	struct config_where at;
	char *name;
	enum config_output_kind kind;
	enum config_role role;  /**< ROLE_FAULT: energised while all is well */
	char *topic, *on, *off; /**< mqtt */
	char *confirm, *confirm_json, *confirm_on, *confirm_off;
	uint32_t confirm_ms;
	char *chip, *line; /**< gpio */
	bool active_low;
	struct config_modbus modbus;
	uint32_t pulse_ms, min_on_ms, min_off_ms;
	char *interlock; /**< name of its group, NULL = none */
	enum config_exit on_exit;
	char **follow_texts; /**< as written */
	size_t n_follow_texts;
	struct config_follow *follow;
	size_t n_follow;
};

/** Numbers that ring together. */
struct config_stage {
	struct config_where at;
	char *name;
	char **ring; /**< SIP URIs */
	size_t n_ring;
	uint32_t for_ms;
	bool confirm; /**< only a key takes the call */
};

/** People to call, in stages. */
struct config_operators {
	struct config_where at;
	char *name;
	struct config_stage *stages;
	size_t n_stages;
	uint32_t rounds;  /**< 0 = without end */
	uint32_t hear_ms; /**< longest a call that was taken goes on */
	char *user, *password_file;
	char password[128];
};

/** How a help point is known. */
enum config_from {
	FROM_ANYBODY,  /**< who dials its extension and may ask for help */
	FROM_ENDPOINT, /**< by its password */
	FROM_USER,     /**< by the user part of its From */
	FROM_URI,      /**< by that and its address */
	FROM_NET,      /**< by its address */
};

/** A station that calls for help. */
/** Longest sequence of an operator's keys. */
#define CONFIG_MAX_KEYS 6

/** What an operator opens for a help point by keys. */
struct config_door {
	struct config_where at;
	char *name;
	char *keys;
	int output;
	uint32_t for_ms;
};

struct config_helppoint {
	struct config_where at;
	char *name;
	char *from; /**< as written */
	enum config_from kind;
	char *user;                  /**< FROM_URI: its user part */
	struct sockaddr_storage net; /**< FROM_URI, FROM_NET */
	unsigned prefix;
	char *extension; /**< number it dials, NULL = any */
	int operators;
	uint8_t level;
	char *location, *camera; /**< NULL = not told */
	char *comfort;           /**< message or tone it hears while it waits */
	char *announce;          /**< what hears who must press a key */
	/** When its operator is needed by a more urgent call. */
	enum config_preempted preempted;
	char *yield;     /**< message or tone that both hear then */
	int *unanswered; /**< alarms */
	size_t n_unanswered;
	char *end_keys; /**< its operator types them to end the call, or NULL */
	struct config_door *doors;
	size_t n_doors;
};

/** What the site is in: the first holds when nothing says otherwise. */
struct config_mode {
	struct config_where at;
	char *name;
	struct window *hours;
	size_t n_hours;
	int *input; /**< key switch: none or one */
	size_t n_input;
};

/** Most modes of a site. */
#define CONFIG_MAX_MODES 16

/** When something may begin: n = 0: in any mode, at any hour. */
struct config_gate {
	int *modes;
	size_t n_modes;
	struct window *hours;
	size_t n_hours;
};

enum config_effect_kind {
	EFFECT_BROADCAST,
	EFFECT_DRIVE,
	EFFECT_PUBLISH,
	EFFECT_HOOK,
	EFFECT_CALL,
	EFFECT_NOTIFY,
	EFFECT_DISPLAY,
	EFFECT_KINDS
};

enum config_until { UNTIL_RESET, UNTIL_ACK, UNTIL_TIME };

enum config_drive { DRIVE_ON, DRIVE_OFF, DRIVE_PULSE };

/** Most effects and phases of one alarm. */
#define CONFIG_MAX_EFFECTS 64
#define CONFIG_MAX_PHASES 16

/** Most phones that one effect is shown on. */
#define CONFIG_MAX_PHONES 32
/** Most windows of one list of hours. */
#define CONFIG_MAX_HOURS 20

/** One thing that an alarm does. */
struct config_effect {
	struct config_where at;
	enum config_effect_kind kind;
	uint32_t after_ms;
	enum config_until until;
	uint32_t until_ms; /**< of UNTIL_TIME */
	struct config_gate gate;
	char **phases; /**< names; none = in all */
	size_t n_phases;
	uint32_t phase_bits; /**< the same, 0 = in all */
	/* broadcast */
	int message;
	int *zones;
	size_t n_zones;
	uint8_t level;
	/* drive */
	int output;
	enum config_drive drive;
	uint32_t pulse_ms;
	/* publish */
	char *topic, *payload, *end_payload;
	bool retain;
	int operators; /**< call; its message is above, -1 = a tone */
	/* hook */
	char **command;
	size_t n_command;
	uint32_t limit_ms;
	/* notify */
	int *to;
	size_t n_to;
	char *text; /**< NULL = the alarm's state; of a display too */
	/* display */
	char **phones; /**< endpoints and SIP URIs */
	size_t n_phones;
	char *end_text; /**< NULL = that it is over, "" = nothing */
};

/** One step of a phased evacuation. */
struct config_phase {
	struct config_where at;
	char *name;
	uint32_t for_ms; /**< then the next; 0 = not by time */
	uint16_t votes;  /**< so many inputs move on; 0 = not */
	int *inputs;     /**< any of these moves on */
	size_t n_inputs;
};

struct config_alarm {
	struct config_where at;
	char *name;
	int *inputs;
	size_t n_inputs;
	bool when_all;
	uint16_t votes; /**< of the inputs; 0 = as when_all says */
	bool has_votes;
	uint32_t within_ms, delay_ms;
	uint16_t storm; /**< activations in storm_ms, 0 = no limit */
	uint32_t storm_ms;
	uint32_t re_alarm_ms; /**< 0 = never */
	bool latch;
	struct config_gate gate;
	struct config_effect *effects; /**< in order */
	size_t n_effects;
	struct config_phase *phases; /**< in order */
	size_t n_phases;
	int *outputs; /**< field outputs held while it is not normal */
	size_t n_outputs;
};

#define CONFIG_MAX_BROKERS 4

struct config_broker {
	char *host;
	uint16_t port;
	bool tls;
};

struct config_mqtt {
	bool present;
	struct config_where at;
	struct config_broker broker[CONFIG_MAX_BROKERS]; /**< as wanted */
	size_t n_brokers;
	uint32_t fail_back_s; /**< 0 = never */
	char *user, *password_file, *ca, *cert, *key, *client_id;
	uint32_t keepalive_s;
	uint32_t command_max_age_ms; /**< older commands start nothing */
	bool commands;               /**< accept tocsin/<site>/command/<verb> */
	bool discovery;              /**< of Home Assistant */
	char *discovery_prefix;
};

/** A network of addresses. */
struct config_net {
	char *name; /**< as written */
	struct sockaddr_storage net;
	unsigned prefix;
};

/** The Modbus server that a PLC reads; the lists make its map. */
struct config_plc {
	bool present;
	struct config_where at;
	char *host;
	uint16_t port;
	uint8_t unit;
	struct config_net *allow;
	size_t n_allow;
	int *zones, *alarms, *inputs;
	size_t n_zones, n_alarms, n_inputs;
	int *trigger, *reset; /**< alarms it may trigger, may reset */
	size_t n_trigger, n_reset;
};

struct config_web {
	struct config_where at;
	char *host; /**< NULL = no TCP listener */
	uint16_t port;
	char *tls_cert; /**< PEM with key; required unless the address is
			   loopback */
	char *socket;   /**< Unix socket, "" = none */
	char *group;    /**< its group */
};

/** How requests of a webhook are signed; see web/sign.h. */
enum config_scheme { SCHEME_SHA256, SCHEME_STANDARD };

/** Most of them. */
#define CONFIG_MAX_WEBHOOKS 50

/** Longest secret that requests are signed with. */
#define CONFIG_MAX_SECRET 255

/** Requests of machines, let in by their signature. */
struct config_webhook {
	struct config_where at;
	char *name;
	char *secret_file;
	char secret[CONFIG_MAX_SECRET + 1];
	enum config_scheme scheme;
	uint32_t window_ms; /**< how old, or how far ahead, one may be */
	uint32_t rate;      /**< requests a second */
	char **allow;       /**< verbs */
	size_t n_allow;
	int *trigger; /**< alarms that each request triggers */
	size_t n_trigger;
	int *zones; /**< the only ones its verbs are about; n_zones = 0: all */
	size_t n_zones;
	uint8_t max_level; /**< of what it pages */
};

enum config_cap_kind { CAP_FOLDER, CAP_URL };

/** Most of them: each has a thread; and most areas of one. */
#define CONFIG_MAX_CAPS 8
#define CONFIG_MAX_CAP_AREAS 100
/** Levels of the five severities, see controller/cap/cap.h. */
#define CONFIG_CAP_SEVERITIES 5
#define CONFIG_CAP_OFF (-1)

/** Where alerts are heard that are for a place. */
struct config_cap_area {
	struct config_where at;
	char *name;
	char **geocodes, **match; /**< "NAME=VALUE"; patterns of areaDesc */
	size_t n_geocodes, n_match;
	bool has_location;
	double latitude, longitude;
	int *zones; /**< none: the section's */
	size_t n_zones;
};

/** Public alerts by the Common Alerting Protocol. */
struct config_cap {
	struct config_where at;
	char *name;
	enum config_cap_kind kind;
	char *folder, *url, *ca;
	uint32_t poll_s, max_age_s;
	int *zones;
	size_t n_zones;
	struct config_cap_area *areas;
	size_t n_areas;
	char **senders, **status, **urgency, **certainty, **languages;
	size_t n_senders, n_status, n_urgency, n_certainty, n_languages;
	int16_t level[CONFIG_CAP_SEVERITIES]; /**< or CONFIG_CAP_OFF */
	int *message; /**< none or one: else it is spoken */
	size_t n_message;
	char *tone; /**< before the words */
	uint32_t repeat;
	char *exercise; /**< said first of what is not actual */
};

enum config_notify_kind { NOTIFY_URL, NOTIFY_MAIL, NOTIFY_SYSLOG };

/** Most of them: each has a thread. */
#define CONFIG_MAX_NOTIFY 16

/** Who is told of events. */
struct config_notify {
	struct config_where at;
	char *name;
	enum config_notify_kind kind;
	char **events; /**< patterns of event types */
	size_t n_events;
	char *ca;
	/* url */
	char *url, *secret_file;
	char secret[CONFIG_MAX_SECRET + 1];
	enum config_scheme scheme;
	/* mail */
	char **to;
	size_t n_to;
	char *from, *subject, *line;
	char **command;
	size_t n_command;
	uint32_t interval_s;
	/* syslog */
	char *syslog; /**< as written; "" = none */
	char *host;
	uint16_t port;
	enum config_transport transport;
	uint8_t facility;
	char *cert, *key;
};

enum config_user_role { USER_VIEWER, USER_OPERATOR, USER_ADMIN };

struct config_user {
	struct config_where at;
	char *name, *password_hash;
	enum config_user_role role;
	int *zones; /**< n_zones = 0: all */
	size_t n_zones;
	int *messages; /**< the only ones to start; n_messages = 0: all */
	size_t n_messages;
};

/** A machine that may use the API. */
struct config_token {
	struct config_where at;
	char *name;
	char *hash;        /**< "sha256:" and 64 hex digits, "*" = of none */
	unsigned scopes;   /**< enum scope */
	int64_t expires_s; /**< from then on invalid; 0 = never */
	int *zones;        /**< as of a user */
	size_t n_zones;
	int *messages;
	size_t n_messages;
};

/** Days (civil_day()), both included; every year: of that year's dates. */
struct config_days {
	int64_t first, last;
	bool yearly;
};

struct config_calendar {
	struct config_where at;
	char *name;
	char *ics; /**< file, NULL = none */
	char *url; /**< the same from the network */
	uint32_t poll_s;
	char **match; /**< only events that fit one of these */
	size_t n_match;
	struct config_days *dates;
	size_t n_dates;
	char *day_type; /**< of the days its events touch, NULL = none */
};

/** Which events of a calendar ring what. */
struct config_event {
	struct config_where at;
	char *pattern;
	int *message; /**< none or one */
	size_t n_message;
	int *zones;
	size_t n_zones;
	uint8_t level; /**< 0 = the schedule's */
};

/** What happens to local times in a gap and in a fold, as enum rule_gap and
 *  enum rule_fold say. */
enum config_busy { BUSY_WAIT, BUSY_DROP };

struct config_schedule {
	struct config_where at;
	char *name;
	uint8_t days;   /**< bit 0 = Monday */
	int32_t *times; /**< seconds of the day, ascending: at, and every */
	size_t n_times;
	int32_t *at_times; /**< "at" as written */
	size_t n_at_times;
	uint32_t every_s; /**< 0 = not */
	int32_t from, to; /**< of every; to may be on the next day */
	char *rrule;      /**< NULL = none */
	int64_t start;    /**< local time, 0 = not given */
	struct config_days *dates;
	size_t n_dates;
	int *events; /**< calendar, none or one */
	size_t n_events;
	struct config_event *rules; /**< event { } */
	size_t n_rules;
	int *except, *only_on; /**< calendars */
	size_t n_except, n_only_on;
	char **day_types; /**< none: "normal" */
	size_t n_day_types;
	int *message; /**< none or one */
	size_t n_message;
	int *zones;
	size_t n_zones;
	uint8_t level;
	uint32_t grace_ms, for_ms;
	struct quiet *quiet; /**< quiet hours; none overlap */
	size_t n_quiet;
	char *timezone; /**< NULL = the site's */
	uint8_t gap, fold, busy;
};

enum config_music {
	MUSIC_DUCK,  /**< softer under something more urgent */
	MUSIC_PAUSE, /**< held, and goes on where it was */
};

struct config_media {
	unsigned rt_priority;
	uint32_t tail_ms;
	int16_t duck_cb;                /**< music under a page */
	uint32_t ramp_ms, ramp_back_ms; /**< how music goes down, comes back */
	enum config_music music;
	uint32_t queue_ms;   /**< how long a recorded one waits by default */
	bool packet_sockets; /**< for multicast outputs without loop */
	int16_t loudness;    /**< of sources: LUFS * 10, CONFIG_LOUDNESS_OFF */
};

/** Proof that what is to sound does: see proof.h. */
struct config_proof {
	bool hear_back;
	uint32_t hear_within_ms;
	enum querier_mode querier;
	uint32_t querier_patience_ms;
	char **querier_ignore; /**< interfaces where none is expected */
	size_t n_querier_ignore;
};

struct config {
	char *site, *timezone, *state_dir;
	char *log_level;
	bool tie_last;
	bool wait_for_sync;
	uint8_t levels[CLASS_COUNT];
	struct config_sip sip;
	struct config_media media;
	struct config_proof proof;
	struct config_speech speech;
	struct config_mqtt mqtt;
	struct config_plc plc;
	struct config_web web;

	struct config_peer *peers;
	size_t n_peers;
	struct config_endpoint *endpoints;
	size_t n_endpoints;
	struct config_account *accounts;
	size_t n_accounts;
	struct config_code *codes;
	size_t n_codes;
	struct config_zone *zones;
	size_t n_zones;
	struct config_sound
		*sounds; /**< outputs of sound; index = arbiter's and media's */
	size_t n_sounds;
	struct config_source *sources;
	size_t n_sources;
	struct config_player *musics;
	size_t n_musics;
	struct config_message *messages;
	size_t n_messages;
	struct config_mode *modes;
	size_t n_modes;
	struct config_input *inputs;
	size_t n_inputs;
	struct config_output *outputs;
	size_t n_outputs;
	struct config_alarm *alarms;
	size_t n_alarms;
	struct config_operators *operators;
	size_t n_operators;
	struct config_helppoint *helppoints;
	size_t n_helppoints;
	struct config_bus *buses;
	size_t n_buses;
	struct config_bus bus_default; /**< of buses without a section */
	struct config_user *users;
	size_t n_users;
	struct config_token *tokens;
	size_t n_tokens;

	struct config_cap *caps;
	size_t n_caps;
	struct config_notify *notifies;
	size_t n_notifies;
	struct config_webhook *webhooks;
	size_t n_webhooks;
	struct config_calendar *calendars;
	size_t n_calendars;
	struct config_schedule *schedules;
	size_t n_schedules;

	/** Files it was read from, in order. */
	char **files;
	size_t n_files;
};

/**
 * Called for every problem found, in order of file and line.
 *
 * A text that begins with "warning: " tells of something that works but is
 * probably not meant; config_load() does not fail for it.
 */
typedef void(config_error_h)(const struct config_where *at, const char *text,
			     void *arg);

/**
 * Reads `path`, then conf.d/ *.conf beside it in order of name, and checks all.
 *
 * Every error of one run is reported, not only the first. Files that messages
 * and secrets name are checked to be there and readable.
 *
 * @param cp where the configuration is put on success
 * @return 0, EINVAL (errors were reported), ENOENT/EACCES (the file itself,
 *         reported too) or ENOMEM
 */
int config_load(struct config **cp, const char *path, config_error_h *h,
		void *arg);

/** Frees it; NULL is fine. Returns NULL. */
struct config *config_free(struct config *c);

/** Frees what a message holds, not the struct itself. */
void config_message_reset(struct config_message *m);

/** Frees what it holds, not the struct itself. */
void config_notify_reset(struct config_notify *n);

/** Prints what is in force with all defaults, as a configuration that loads
 *  to the same. No secret is in it. */
void config_dump(const struct config *c, FILE *f);

/** Prints the reference of all keys (roff, section 5), from the same table. */
void config_reference(FILE *f);

/** Index by name, -1 when there is none. */
int config_zone_find(const struct config *c, const char *name);
/** Are all the named zones among these? With n_among 0 there is no limit. */
bool config_zones_within(const struct config *c, char (*names)[CONFIG_MAX_NAME],
			 size_t n, const int *among, size_t n_among);
/** Is a page to this zone recorded first? By its page-mode, else by those of
 *  the zones it contains. */
bool config_zone_records(const struct config *c, int zone);
/** By its name or its extension. */
int config_endpoint_find(const struct config *c, const char *name);
/** The account whose domain that host is, -1 when none. */
int config_account_of(const struct config *c, const char *host);
int config_source_find(const struct config *c, const char *name);
int config_music_find(const struct config *c, const char *name);
int config_operators_find(const struct config *c, const char *name);
int config_helppoint_find(const struct config *c, const char *name);
int config_message_find(const struct config *c, const char *name);
int config_input_find(const struct config *c, const char *name);
int config_alarm_find(const struct config *c, const char *name);
int config_mode_find(const struct config *c, const char *name);
int config_output_find(const struct config *c, const char *name);
int config_cap_find(const struct config *c, const char *name);
int config_notify_find(const struct config *c, const char *name);
int config_webhook_find(const struct config *c, const char *name);
int config_calendar_find(const struct config *c, const char *name);
int config_schedule_find(const struct config *c, const char *name);

/** How a bus is asked: by its section, else by default. */
const struct mbus_timing *config_bus_timing(const struct config *c,
					    const char *bus);

/** A copy without its zones; 0, or ENOMEM and then reset it all the same. */
int config_music_copy(struct config_player *to,
		      const struct config_player *from);
void config_music_reset(struct config_player *m);

/** Do both play the same in the same way? Zones are not compared. */
bool config_music_same(const struct config_player *a,
		       const struct config_player *b);

/** Longest text that is spoken, in bytes. */
#define CONFIG_MAX_SPOKEN 1000

/** May it be spoken: UTF-8 of at most CONFIG_MAX_SPOKEN bytes, no control
 *  characters, a letter or digit among them? */
bool config_text_good(const char *text);

/** Is it the form of a voice's name? It becomes an argument of a program, so
 *  it never begins with "-". */
bool config_voice_good(const char *voice);

/** May a master at this address connect? */
bool config_plc_allows(const struct config_plc *p, const struct sockaddr *sa);

/** Zone that is dialled by this extension, -1 when none. */
int config_extension_find(const struct config *c, const char *extension);

/** The code that is dialled so, -1 when none. */
int config_code_find(const struct config *c, const char *number);

/** Can that zone be named in the menu of a code? By an extension of 1 to
 *  CONFIG_MAX_PIN digits. */
bool config_code_offers(const struct config *c, const struct config_code *x,
			int zone);

/** Level of "evacuate", "page", ... or of a number "0".."255"; -1 otherwise. */
int config_level(const struct config *c, const char *text);

/** Name of the class a level belongs to (the highest class not above it). */
const char *config_level_name(const struct config *c, uint8_t level);

/** Is an address in a network? Never for one of another family. */
bool config_net_has(const struct sockaddr_storage *net, unsigned prefix,
		    const struct sockaddr *sa);

/** The most particular peer entry an address falls into, NULL = stranger. */
const struct config_peer *config_peer_match(const struct config *c,
					    const struct sockaddr *sa);

#endif
