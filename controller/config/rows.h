/**
 * What the files of the table share: how a row names its field, and the parts
 * of the table. Only schema*.c include this.
 */
#ifndef TOCSIN_CONFIG_ROWS_H
#define TOCSIN_CONFIG_ROWS_H

#include "controller/config/load.h"

#define FIELD(type, member)                                                    \
	.offset = offsetof(struct type, member),                               \
	.size = sizeof(((struct type *)0)->member)
#define OTHER(type, member) .other = offsetof(struct type, member)
#define ONE(member)                                                            \
	.place = PLACE_SINGLE, .offset = offsetof(struct config, member)
#define MANY(type, member)                                                     \
	.place = PLACE_ARRAY, .offset = offsetof(struct config, member),       \
	.count = offsetof(struct config, n_##member),                          \
	.size = sizeof(struct type), .at = offsetof(struct type, at),          \
	.name_at = offsetof(struct type, name)

#define SPOKEN_ALLOWED                                                         \
	"1 to 1000 bytes of UTF-8 without control characters, with at least "  \
	"one letter or digit"
#define EXTENSION_ALLOWED                                                      \
	"1 to 63 of letters, digits, \".\", \"_\", \"-\", \"+\", \"*\" and "   \
	"\"#\""
#define VOICE_ALLOWED                                                          \
	"1 to 31 of letters, digits, \".\", \"_\", \"+\" and \"-\", "          \
	"beginning "                                                           \
	"with a letter or digit"
#define LOUDNESS_ALLOWED                                                       \
	"-40.0 to -8.0 LUFS with at most one decimal, or \"off\" to leave "    \
	"every source as it is"

#define MINUTE 60e3
#define HOUR 3600e3
#define DAY (24 * HOUR)

extern const struct config_key schema_endpoint[], schema_code[],
	schema_account[];
extern const char *const schema_code_kinds[];
extern const struct config_key schema_sip[], schema_peer[], schema_zone[],
	schema_message[], schema_input[], schema_output[], schema_alarm[],
	schema_mode[], schema_mqtt[], schema_web[], schema_user[],
	schema_speech[];
extern const struct config_key schema_source[], schema_music[];
extern const char *const schema_source_kinds[];
/** Codecs by name, in the order of enum codec. */
extern const char *const schema_codecs[];
extern const struct config_key schema_bus[], schema_plc[];
extern const struct config_key schema_proof[];
extern const struct config_section schema_zone_subs[], schema_alarm_subs[],
	schema_message_subs[];
extern const struct config_key schema_calendar[], schema_schedule[];
extern const struct config_section schema_schedule_subs[];
extern const struct config_key schema_operators[];
extern const struct config_section schema_operators_subs[];
extern const struct config_key schema_helppoint[];
extern const struct config_key schema_webhook[], schema_notify[];
extern const char *const schema_notify_kinds[], *const schema_cap_kinds[];
extern const struct config_key schema_cap[];
extern const struct config_section schema_cap_subs[];
/** The key that makes each kind of input and output. */
extern const char *const schema_input_kinds[], *const schema_output_kinds[];

#endif
