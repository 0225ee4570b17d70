/**
 * One run of config_load(): what its files share. Nobody else includes this.
 *
 *  file.c    reads the files      scan.c    finds the statements
 *  parse.c   libconfuse, names    fill.c    values into fields, by the table
 *  special_*.c values of their own kind     titles.c  titles that say more
 *  zones.c   nested zones         check*.c  what no single value shows
 */
#ifndef TOCSIN_CONFIG_LOAD_H
#define TOCSIN_CONFIG_LOAD_H

#include "controller/config/problems.h"
#include "controller/config/scan.h"
#include "controller/config/schema.h"

#include <confuse.h>

/** Largest file read, bytes. */
#define LOAD_MAX_FILE (1u << 20)
/** Most files in conf.d. */
#define LOAD_MAX_DROPINS 64

#define SPEAKER_ALLOWED                                                        \
	"\"sip:horn-3@10.7.3.9\", with \";transport=tcp\" behind it for "      \
	"TCP (names of hosts are not looked up, but that of an account's aor " \
	"goes through that account), or give the name of an endpoint section"
/** Most values of a list, unless its row says less. */
#define LOAD_MAX_LIST 1024
/** Emergency begins here (DESIGN section 1). */
#define EMERGENCY_LEVEL 200

struct load_file {
	char *name; /**< as shown: c->files[] */
	char *dir;  /**< absolute: relative paths start here */
	struct scan scan;
};

struct load_name {
	const char *name;
	int index;
};

struct load {
	struct config *c;
	struct problems *p;
	struct load_file file[1 + LOAD_MAX_DROPINS];
	size_t n_files;
	/** Statement of each object, by kind and index. */
	const struct scan_node **node[KIND_COUNT];
	/** Names in order of name, for look-ups. */
	struct load_name *names[KIND_COUNT];
	size_t n_names[KIND_COUNT];
	const struct scan_node **sound_node; /**< of each c->sounds[] */
	size_t max_sounds;
	/** Zones that are not whole: no more is said about them. */
	bool *zone_broken;
	/** Statements of the sections that exist once, NULL = not given. */
	const struct scan_node *sip, *mqtt, *plc, *web, *priorities, *site;
};

/** Reads the main file and its drop-ins; 0, ENOENT, EACCES, EINVAL, ENOMEM. */
int load_files(struct load *l, const char *path);

/** Looks all texts over, counts and names the objects. */
void load_declare(struct load *l);

/** Hands every statement to libconfuse and its values to the table. */
void load_parse(struct load *l);

/** A section that libconfuse has read, and its statement. */
struct load_section {
	const struct config_section *s;
	const struct scan_node *n;
	cfg_t *cfg;
	const char *where; /**< "zone \"hall\": " */
};

/** Reports a key or section that the table does not have there. */
void load_unknown(struct load *l, const struct config_section *s,
		  const struct scan_node *n, const char *where);

/** Has it a title as the table wants? Else reported. */
bool load_title_fits(struct load *l, const struct config_section *s,
		     const struct scan_node *n, const char *where);

/** Sets one key from its statement, or by default (n = NULL). */
void load_fill_key(struct load *l, const struct load_section *ls,
		   const struct config_key *k, const struct scan_node *n,
		   void *obj);

/** Sets every key of an object from its statement or by default. */
void load_fill(struct load *l, const struct load_section *ls, void *obj);

/** Gives an object the table's defaults (a section that was not written). */
void load_defaults(struct load *l, const struct config_section *s, void *obj);

/** Resolves the zones: outputs, contained zones, circles. */
void load_zones(struct load *l);

/** Checks what no single value shows. */
void load_check(struct load *l);
void load_check_sounds(struct load *l);
void load_check_sources(struct load *l);
/** May sound of this codec have that rate? */
bool load_is_rate(const struct format *f, uint32_t rate);
/** Reads the SRTP key of output i, if it has one. */
void load_srtp(struct load *l, size_t i, struct config_where at);
void load_check_musics(struct load *l);
void load_check_field(struct load *l);
void load_check_modbus(struct load *l);
void load_check_plc(struct load *l);
void load_check_loop(struct load *l, size_t input);
void load_check_messages(struct load *l);
void load_check_alarms(struct load *l);
void load_check_output(struct load *l, size_t i);
void load_check_effects(struct load *l, size_t alarm);
void load_check_matrix(struct load *l);
void load_check_modes(struct load *l);
void load_check_schedules(struct load *l);
void load_check_doors(struct load *l);
void load_check_operators(struct load *l);
void load_check_helppoints(struct load *l);
void load_check_caps(struct load *l);

/** Numbers that are dialled, and PINs. */
void load_check_codes(struct load *l);

/** Endpoints, and their passwords. */
void load_check_endpoints(struct load *l);

/** Accounts: their passwords, and that their registrars can be reached. */
void load_check_accounts(struct load *l);

/** Can that SIP URI be called: its host is an address, or an account's domain?
 */
bool load_can_call(const struct config *c, const char *uri);

/** Index by name while loading, -1. */
int load_find(const struct load *l, enum config_kind kind, const char *name);

/** As load_find(), an unknown name is reported. */
int load_refer(struct load *l, enum config_kind kind, const char *name,
	       const struct config_value *val);

/** Place of a key of an object, else of the object itself. */
struct config_where load_at(const struct load *l, enum config_kind kind,
			    size_t index, const char *key);

/** Was the key written? */
bool load_given(const struct load *l, enum config_kind kind, size_t index,
		const char *key);

/** Has the object exactly one of the keys that make its kind, and no key that
 *  has no meaning with it? Else reported; false without one kind. */
bool load_one_kind(struct load *l, enum config_kind kind, size_t index,
		   unsigned variant);

/** Fills a list of texts that was not given. */
void load_default_list(struct load *l, char ***v, size_t *n,
		       const char *const *from, size_t count);

/** strdup() and calloc() that note in the problems when they fail. */
char *load_strdup(struct load *l, const char *s);
void *load_calloc(struct load *l, size_t n, size_t size);

/** Is it the form of a number that is dialled (EXTENSION_ALLOWED)? */
bool load_is_extension(const char *s);

/** Replaces a text; the old one is freed. */
void load_text(struct load *l, char **field, const char *s);

/** A path made absolute by the directory of its file; NULL on ENOMEM. */
char *load_path(struct load *l, const char *path, struct config_where at);

/** Reports a value that does not fit, saying what is allowed. */
void load_refuse(struct load *l, const struct config_value *val,
		 const char *text);

/* special_*.c and titles.c: named in the table. */
config_set_h set_timezone, set_log_level, set_listen, set_rtp_ports, set_tone,
	set_chime, set_zone_chime, set_heard, set_keys, set_allow,
	set_interface, set_fan, set_extension, set_zones, set_repeat,
	set_virtual, set_mqtt_input, set_mqtt_output, set_gpio_input,
	set_gpio_output, set_querier_ignore, set_broker, set_confirm,
	set_discovery_prefix, set_web_listen, set_group, set_hash,
	set_token_hash, set_scopes, set_expires;
config_show_h show_listen, show_rtp_ports, show_allow, show_fan, show_zones,
	show_repeat, show_virtual, show_mqtt, show_gpio, show_output_virtual,
	show_output_mqtt, show_output_gpio, show_broker, show_web_listen,
	show_when, show_hash, show_scopes, show_expires, show_querier_ignore,
	show_clear_below, show_clear_above;
config_set_h set_text_spoken, set_voice, set_loudness, set_command;
config_show_h show_loudness, show_message_loudness, show_command;
/** Stores "ADDRESS:PORT" of something to listen on, refuses anything else. */
void load_endpoint(struct load *l, const struct config_value *val, char **host,
		   uint16_t *port);
/** Writes it as it would be configured; false when there is no host. */
bool show_endpoint(FILE *f, const char *host, uint16_t port);
/* special_schedule.c */
config_set_h set_url, set_match, set_calendar_dates, set_schedule_dates,
	set_days, set_times, set_clock, set_rrule, set_start, set_day_types,
	set_own_timezone, set_zone_quiet, set_schedule_quiet;
config_show_h show_match, show_zone_quiet, show_schedule_quiet,
	show_calendar_dates, show_schedule_dates, show_days, show_times,
	show_every, show_every_from, show_every_to, show_start, show_day_types,
	show_event_level;
config_open_h open_event;
config_nth_h nth_event;
config_title_h title_event;

/* special_helppoint.c */
config_set_h set_point_from;

/* special_operators.c */
config_set_h set_ring;
config_show_h show_ring;
config_open_h open_stage, open_door;
config_nth_h nth_stage, nth_door;

/** Verbs that a webhook may be allowed. */
#define WEBHOOK_VERBS                                                          \
	"\"page\", \"stop\", \"trigger\", \"ack\", \"reset\", \"input\", "     \
	"\"output\", \"run\""
/* special_door.c */
config_set_h set_webhook_input, set_notify_url, set_notify_to,
	set_notify_syslog, set_template, set_cap_folder, set_cap_url,
	set_cap_level, set_location;
config_show_h show_location, show_extreme, show_severe, show_moderate,
	show_minor, show_unknown;
config_open_h open_cap_area;
config_nth_h nth_cap_area;
config_show_h show_webhook_input;

config_title_h title_code, title_peer, title_multicast, title_unicast;
config_set_h set_music_command;
config_show_h show_music_command;
config_set_h set_source_multicast, set_source_unicast, set_source_polycom,
	set_from;
config_show_h show_source_multicast, show_source_unicast, show_source_polycom,
	show_from;
config_set_h set_modbus_input, set_modbus_output, set_word;
/** A list of texts as they are, at `offset` and `other`. */
config_set_h set_list;
config_show_h show_modbus, show_output_modbus, show_mask, show_equals;
config_set_h set_plc_listen, set_plc_allow;
config_show_h show_plc_listen, show_plc_allow;
config_title_h title_bus;
config_open_h open_sound, open_say;
config_nth_h nth_multicast, nth_unicast, nth_say;
/* special_alarm.c */
config_set_h set_follow, set_until, set_names, set_effect_topic,
	set_hook_command;
config_show_h show_until, show_effect_topic;
config_open_h open_broadcast, open_drive, open_publish, open_hook, open_notify,
	open_display, open_call, open_phase;
config_nth_h nth_broadcast, nth_drive, nth_publish, nth_hook, nth_notify,
	nth_display, nth_call, nth_phase;
config_set_h set_serial, set_caller;
config_show_h show_group, show_channel, show_serial;
config_title_h title_polycom, title_speaker;
config_nth_h nth_polycom, nth_speaker;
config_set_h set_codecs;
config_show_h show_codecs;

#endif
