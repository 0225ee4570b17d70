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
	schema_token[], schema_speech[];
extern const struct config_key schema_source[], schema_music[];
extern const char *const schema_source_kinds[];
/** In the order of enum config_srtp, and what it does for who has it. */
extern const char *const schema_srtps[];
#define SRTP_HELP                                                              \
	"Whether the sound of calls from and to there is encrypted (SRTP; "    \
	"its keys by SDES, RFC 4568, or DTLS, RFC 5764). no: never. offer: "   \
	"if the other side can. require: a call that is not encrypted is "     \
	"refused (488) or not made. dtls: the same, and its keys are by "      \
	"DTLS; to loudspeakers as require. See srtp-keys of sip."
/** In the order of enum config_respri. */
extern const char *const schema_respris[];
#define RESPRI_HELP                                                            \
	"How urgent a call of ours to there is, is said in the words of that " \
	"network (Resource-Priority, RFC 4412, RFC 7135): page, urgent, "      \
	"emergency, alert and evacuate are its five values from the lowest "   \
	"to the highest."
#define TRUSTED_HELP                                                           \
	"What it says of its callers is believed: who it is "                  \
	"(P-Asserted-Identity, RFC 3325) and how urgent (Resource-Priority): " \
	"a page has that priority then, up to max-priority, and a call for "   \
	"help never less than its own. Of others neither is heeded."
/** Codecs by name, in the order of enum codec. */
extern const char *const schema_codecs[];
extern const struct config_key schema_bus[], schema_plc[];
extern const struct config_key schema_proof[];
extern const struct config_section schema_zone_subs[], schema_alarm_subs[],
	schema_message_subs[];
extern const struct config_key schema_calendar[], schema_schedule[];
extern const struct config_section schema_schedule_subs[];
extern const char *const schema_preempteds[]; /**< enum config_preempted */
extern const struct config_key schema_operators[];
extern const struct config_section schema_operators_subs[];
extern const struct config_key schema_helppoint[];
extern const struct config_section schema_helppoint_subs[];
extern const struct config_key schema_webhook[], schema_notify[];
extern const char *const schema_notify_kinds[], *const schema_cap_kinds[];
extern const struct config_key schema_cap[];
extern const struct config_section schema_cap_subs[];
/** The key that makes each kind of input and output. */
extern const char *const schema_input_kinds[], *const schema_output_kinds[];

#endif
