/**
 * What people and machines may ask for, through whichever door: the API, the
 * Unix socket and MQTT use the same verbs with the same checks.
 * Control thread.
 */
#ifndef TOCSIN_COMMANDS_H
#define TOCSIN_COMMANDS_H

#include "alarms.h"
#include "announce.h"
#include "broadcast.h"
#include "field.h"
#include "library.h"
#include "paging.h"
#include "schedule/schedules.h"
#include "source/music.h"
#include "stored.h"
#include "web/web.h"

#include <jansson.h>

/** Where the verbs act. All in force; changed by a reload. */
struct command_scope {
	const struct config *config;
	struct library *library;
	struct broadcasts *broadcasts;
	struct alarms *alarms;
	struct schedules *schedules;
	struct field *field;
	struct paging *paging;
	struct help *help;
	struct stored *stored;
	struct musics *musics;
	struct recorder *recorder;
	struct announce *announce; /**< NULL: nothing speaks */
	bool changing; /**< parts are between two configurations: numbers of
			    one mean nothing in the other */
};

/** Who asks. */
struct caller {
	const char *actor; /**< "user:x", "unix:root", "mqtt:<id>" */
	enum web_role role;
	const int *zones; /**< the only ones allowed; n_zones 0 = all */
	size_t n_zones;
	const int *messages; /**< the only ones he may start; 0 = all */
	size_t n_messages;
	uint64_t at_us; /**< monotonic, when the request came in */
};

/** Why not. */
struct refusal {
	const char *code;  /**< "not-found", "bad-request", ... */
	const char *field; /**< member of the arguments at fault, or NULL */
	struct reason why;
};

/**
 * Carries out a verb.
 *
 * page {zones, message|tone|text, voice, priority, repeat, wait_ms} ->
 *     {id, state, ..., warning}; a tone with a text sounds before it
 * stop {broadcast} · trigger, ack, reset, enable {name}
 * inhibit {name, for|until} · input {name, active} · output {name, active}
 * advance, hold, release {name}: the phases of an alarm
 * mode {mode, for|until}; mode "auto" ends what was set by hand
 * walk-test {inputs|alarm|zone, for|until, zones, message} -> its report
 * walk-test-stop {walk_test} · output {name, active, for}: a pulse
 * hangup {call} · skip {name, count|until} · run {name} (schedules)
 * bell {at, message, zones, priority, for} · move {name, from, to} (a bell of a
 * schedule) · day-type {type, first, last} · unchange {change}: one-off changes
 * of the plan
 * music-start, music-stop, music-next {name}
 *
 * Any of them may carry "id" and "time": an MQTT command's own.
 *
 * Who is limited to zones may act on what lies wholly within them: an input or
 * output by the alarms that name it; what belongs to no zone is not his.
 * Who is limited to messages may start no other sound: no tone, no text, and no
 * alarm, schedule or walk test that sounds another; he may end what sounds.
 *
 * @param name  from the path; NULL: taken from args ("name", or the number)
 * @param args  object, may be NULL
 * @param reply gets a new reference on success, may be left NULL
 * @return HTTP status: 200, 201; or 400, 403, 404, 409, 503 with *no filled.
 *         A text is refused with 503: it takes commands_ask()
 */
int commands_run(const struct command_scope *s, const struct caller *who,
		 const char *verb, const char *name, json_t *args,
		 json_t **reply, struct refusal *no);

/** The answer, whenever it comes. reply: a new reference or NULL. */
typedef void(command_done_h)(int status, json_t *reply,
			     const struct refusal *no, void *arg);

/**
 * As commands_run(), and for a text that must be spoken first the answer comes
 * when it is: checked again then, by what is in force then. args and who are
 * kept meanwhile; *s must stay where it is.
 */
void commands_ask(const struct command_scope *s, const struct caller *who,
		  const char *verb, const char *name, json_t *args,
		  command_done_h *h, void *arg);

/** Is i among the n indices at v? */
bool command_among(const int *v, size_t n, int i);

/** Is this one of the verbs? */
bool commands_known(const char *verb);

#endif
