/**
 * One typed record for everything that happens: who, what, why, since which
 * cause. It feeds the log, the live view, MQTT and the journal.
 *
 * Records are plain values of fixed size: copied between threads, never shared.
 */
#ifndef TOCSIN_EVENT_H
#define TOCSIN_EVENT_H

#include <jansson.h>
#include <stdint.h>

/** name in the log, API and MQTT; priority of its log line */
#define EVENT_TYPES(X)                                                         \
	X(DAEMON_STARTED, "daemon.started", NOTICE)                            \
	X(DAEMON_STOPPING, "daemon.stopping", NOTICE)                          \
	X(CONFIG_LOADED, "config.loaded", NOTICE)                              \
	X(CONFIG_REFUSED, "config.refused", ERROR)                             \
	X(CLOCK_STEPPED, "clock.stepped", WARN)                                \
	X(COMMAND, "command", INFO)                                            \
	X(COMMAND_REFUSED, "command.refused", WARN)                            \
	X(BROADCAST_RECORDING, "broadcast.recording", INFO)                    \
	X(BROADCAST_RECORDED, "broadcast.recorded", INFO)                      \
	X(BROADCAST_DROPPED, "broadcast.dropped", NOTICE)                      \
	X(BROADCAST_REQUESTED, "broadcast.requested", INFO)                    \
	X(BROADCAST_STARTED, "broadcast.started", INFO)                        \
	X(BROADCAST_SOUNDING, "broadcast.sounding", INFO)                      \
	X(BROADCAST_WAITING, "broadcast.waiting", INFO)                        \
	X(BROADCAST_PREEMPTED, "broadcast.preempted", NOTICE)                  \
	X(BROADCAST_RESUMED, "broadcast.resumed", INFO)                        \
	X(BROADCAST_ENDED, "broadcast.ended", INFO)                            \
	X(BROADCAST_REFUSED, "broadcast.refused", WARN)                        \
	X(ALARM_ACTIVE, "alarm.active", WARN)                                  \
	X(ALARM_STATE, "alarm.state", NOTICE)                                  \
	X(ALARM_ACKNOWLEDGED, "alarm.acknowledged", NOTICE)                    \
	X(ALARM_RESET, "alarm.reset", NOTICE)                                  \
	X(ALARM_INHIBITED, "alarm.inhibited", WARN)                            \
	X(ALARM_ENABLED, "alarm.enabled", NOTICE)                              \
	X(ALARM_RESTORED, "alarm.restored", WARN)                              \
	X(ALARM_EXCLUDED, "alarm.excluded", INFO)                              \
	X(ALARM_ADMITTED, "alarm.admitted", INFO)                              \
	X(ALARM_HELD, "alarm.held", WARN)                                      \
	X(ALARM_PHASE, "alarm.phase", WARN)                                    \
	X(ALARM_EFFECT, "alarm.effect", INFO)                                  \
	X(ALARM_EFFECT_FAILED, "alarm.effect-failed", WARN)                    \
	X(MODE_CHANGED, "mode.changed", NOTICE)                                \
	X(WALKTEST_STARTED, "walktest.started", WARN)                          \
	X(WALKTEST_TESTED, "walktest.tested", NOTICE)                          \
	X(WALKTEST_ENDED, "walktest.ended", NOTICE)                            \
	X(ZONE_VOLUME, "zone.volume", NOTICE)                                  \
	X(ZONE_QUIET, "zone.quiet", INFO)                                      \
	X(INPUT_CHANGED, "input.changed", INFO)                                \
	X(INPUT_QUALITY, "input.quality", WARN)                                \
	X(INPUT_IGNORED, "input.ignored", NOTICE)                              \
	X(OUTPUT_CHANGED, "output.changed", INFO)                              \
	X(FAULT_RAISED, "fault.raised", WARN)                                  \
	X(FAULT_CLEARED, "fault.cleared", NOTICE)                              \
	X(SESSION_OPENED, "session.opened", NOTICE)                            \
	X(SESSION_REFUSED, "session.refused", WARN)                            \
	X(SESSION_CLOSED, "session.closed", NOTICE)                            \
	X(ACCESS_REFUSED, "access.refused", WARN)                              \
	X(CALL_ANSWERED, "call.answered", INFO)                                \
	X(CALL_REFUSED, "call.refused", WARN)                                  \
	X(CALL_PIN_WRONG, "call.pin-wrong", WARN)                              \
	X(CALL_PIN_LOCKED, "call.pin-locked", WARN)                            \
	X(CALL_HELD, "call.held", INFO)                                        \
	X(CALL_ENDED, "call.ended", INFO)                                      \
	X(HELP_OFFERED, "help.offered", NOTICE)                                \
	X(HELP_QUEUED, "help.queued", INFO)                                    \
	X(HELP_RINGING, "help.ringing", INFO)                                  \
	X(HELP_ANSWERED, "help.answered", NOTICE)                              \
	X(HELP_TALKING, "help.talking", INFO)                                  \
	X(HELP_LOST, "help.lost", WARN)                                        \
	X(HELP_PREEMPTED, "help.preempted", NOTICE)                            \
	X(HELP_UNANSWERED, "help.unanswered", WARN)                            \
	X(HELP_ABANDONED, "help.abandoned", WARN)                              \
	X(HELP_ENDED, "help.ended", NOTICE)                                    \
	X(HELP_CUT, "help.cut", WARN)                                          \
	X(HELP_DOOR, "help.door", NOTICE)                                      \
	X(ENDPOINT_REGISTERED, "endpoint.registered", NOTICE)                  \
	X(ENDPOINT_UNREGISTERED, "endpoint.unregistered", NOTICE)              \
	X(ENDPOINT_EXPIRED, "endpoint.expired", WARN)                          \
	X(ENDPOINT_REFUSED, "endpoint.refused", WARN)                          \
	X(SIP_BANNED, "sip.banned", WARN)                                      \
	X(ACCOUNT_REGISTERED, "account.registered", NOTICE)                    \
	X(ACCOUNT_LOST, "account.lost", WARN)                                  \
	X(ACCOUNT_FAILED, "account.failed", WARN)                              \
	X(MUSIC_STARTED, "music.started", INFO)                                \
	X(MUSIC_STOPPED, "music.stopped", INFO)                                \
	X(SOURCE_BEGAN, "source.began", INFO)                                  \
	X(SOURCE_ENDED, "source.ended", INFO)                                  \
	X(MESSAGE_UPLOADED, "message.uploaded", NOTICE)                        \
	X(MESSAGE_ROLLED_BACK, "message.rolled-back", NOTICE)                  \
	X(MESSAGE_DELETED, "message.deleted", NOTICE)                          \
	X(SCHEDULE_DUE, "schedule.due", INFO)                                  \
	X(SCHEDULE_MISSED, "schedule.missed", WARN)                            \
	X(SCHEDULE_SKIPPED, "schedule.skipped", NOTICE)                        \
	X(SCHEDULE_CHANGED, "schedule.changed", NOTICE)                        \
	X(CALENDAR_LOADED, "calendar.loaded", INFO)                            \
	X(MQTT_CONNECTED, "mqtt.connected", NOTICE)                            \
	X(MQTT_LOST, "mqtt.lost", WARN)                                        \
	X(ALARM_TOLD, "alarm.told", NOTICE)                                    \
	X(CAP_ALERT, "cap.alert", WARN)                                        \
	X(CAP_IGNORED, "cap.ignored", INFO)                                    \
	X(CAP_ENDED, "cap.ended", NOTICE)

enum event_type {
#define X(id, name, level) EVENT_##id,
	EVENT_TYPES(X)
#undef X
		EVENT_TYPE_COUNT
};

struct event {
	uint64_t id;    /**< journal number; grows, also over restarts */
	uint64_t cause; /**< id of the event that led to this one; 0 = none */
	int64_t wall_us;
	uint64_t mono_us;
	enum event_type type;
	char subject[80]; /**< "broadcast:17", "alarm:gas", "zone:all", ... */
	char actor[80]; /**< who: "input:gate-2", "sip:201@10.7.0.10", "user:x",
			   "system" */
	char text[256]; /**< one plain sentence: what, and why */
	char data[512]; /**< a JSON object with more fields, or "" */
};

/** "broadcast.started" and so on. */
const char *event_type_name(enum event_type t);

/** Back from the name; -1 when unknown. */
int event_type_by_name(const char *name);

/** Log priority of a type (enum log_level). */
int event_type_level(enum event_type t);

/** The record as the API and MQTT show it (new reference), NULL on ENOMEM:
 *  {id, time, type, subject, actor, text, cause?, data?}. */
json_t *event_json(const struct event *e);

#endif
