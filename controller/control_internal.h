/** The parts of the daemon, shared by control.c, reload.c, api.c, metrics.c. */
#ifndef TOCSIN_CONTROL_INTERNAL_H
#define TOCSIN_CONTROL_INTERNAL_H

#include "accounts.h"
#include "alarms.h"
#include "announce.h"
#include "bridge.h"
#include "broadcast.h"
#include "cap/caps.h"
#include "commands.h"
#include "control.h"
#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "controller/base/log.h"
#include "displays.h"
#include "door/webhook.h"
#include "endpoints.h"
#include "fault.h"
#include "field.h"
#include "help/help.h"
#include "journal.h"
#include "lamps.h"
#include "library.h"
#include "matrix/follow.h"
#include "message/uploads.h"
#include "notify/notify.h"
#include "operators/summons.h"
#include "paging.h"
#include "plc.h"
#include "proof.h"
#include "recorder.h"
#include "reload.h"
#include "restore.h"
#include "schedule/music_hours.h"
#include "schedule/quiets.h"
#include "schedule/schedules.h"
#include "sip/stack.h"
#include "sounds.h"
#include "source/music.h"
#include "source/sources.h"
#include "stored.h"
#include "web/web.h"

struct control {
	char *path;
	struct config *config;
	struct command_scope scope;
	struct journal *journal;
	struct recorder *recorder;
	struct faults *faults;
	struct media *media;
	struct tc_fd media_fd;
	struct library *library;
	struct announce *announce;
	struct uploads *uploads;
	struct sounds *sounds;
	struct speakers *speakers;
	struct summons *summons;
	struct help *help;
	struct proof *proof;
	struct broadcasts *broadcasts;
	struct field *field;
	struct follow *follow;
	struct amps *amps;
	struct alarms *alarms;
	struct schedules *schedules;
	struct quiets *quiets;
	struct music_hours *music_hours;
	struct stored *stored;
	struct paging *paging;
	struct sources *sources;
	struct musics *musics;
	struct stack *stack;
	struct endpoints *endpoints;
	struct accounts *accounts;
	struct lamps_seen *lamps;
	struct displays *displays;
	struct bridge *bridge;
	struct plc *plc;
	struct webhooks *webhooks;
	struct notify *notify;
	struct caps *caps;
	struct web *web;
	struct reload *reload;
	struct clock_watch clock;
	struct tmr tmr;
	uint64_t started_us, next_look_us, max_lag_us;
	uint64_t journal_dropped;
	uint32_t late_reports;
	struct log_rate late;
	bool debug; /**< log all */
};

/** Answers one HTTP request: a web_request_h. */
void api_request(struct web_request *r, void *arg);

/** Answers a request for /messages and what is below it, cut at its slashes;
 *  false when there is no such. */
bool messages_request(struct control *c, struct web_request *r,
		      const char *const *part, size_t n);

/** The same for /sip and what is below it. */
bool api_sip(struct control *c, struct web_request *r, const char *const *part,
	     size_t n);

/** Answers a request for /session; false for a method that it has not. */
bool session_request(struct control *c, struct web_request *r);

/** All tokens, with what they may and when they were used. */
json_t *tokens_json(const struct control *c);

/** Answers GET /journal in a web thread: a web_blocking_h. */
int api_blocking(const struct web_request *r, json_t **body, void *arg);

/** Paths answered by api_blocking(). */
extern const char *const api_blocking_paths[];

/** The metrics in Prometheus' text format; free() it. NULL on ENOMEM. */
char *metrics_text(struct control *c);

/** Users of a configuration as web wants them; *n of them, free() the array. */
struct web_user *control_users(const struct config *c, size_t *n);

/** Is the media thread alive? */
bool control_healthy(const struct control *c);

#endif
