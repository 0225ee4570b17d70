/** What the files of the verbs share: commands.c and commands_*.c. */
#ifndef TOCSIN_COMMANDS_INTERNAL_H
#define TOCSIN_COMMANDS_INTERNAL_H

#include "commands.h"

/** No HTTP status: the text must be spoken first. */
#define COMMAND_LATER 102

/** A cause-and-effect turn of one verb. */
struct turn {
	const struct command_scope *s;
	const struct caller *who;
	const char *verb, *name;
	json_t *args;
	json_t **reply;
	struct refusal *no;
	const struct announced *said; /**< its text, spoken; NULL = not yet */
	struct announce_text *later;  /**< what to speak; points into args */
};

/** Says why not; returns the status. */
int command_refuse(struct turn *t, int status, const char *code,
		   const char *field, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/** Refuses any member not in the space-separated list. 0 when all are. */
int command_only(struct turn *t, const char *allowed);

/** May the caller act in all of these zones? */
bool command_within(const struct caller *who, const int *zones, size_t n);

/** Refuses (403) unless the caller may start all these messages; -1 among them
 *  stands for a sound that is none. 0 or the status. */
int command_sounds(struct turn *t, const int *messages, size_t n);

/** A list of names at a member as indices, each once; 0 or the status.
 *  `find` knows them, `what` is "zone" or the like. */
int command_list(struct turn *t, const char *member, const char *what,
		 int (*find)(const struct config *c, const char *name),
		 size_t max, int *v, size_t *n);

/** "for" or "until" as ms from now, 1 s to max_ms; without both 0, or refused
 *  when an end is needed. 0 or the status. */
int command_end(struct turn *t, uint64_t max_ms, bool needed, uint64_t *ms);

/** Is all that an alarm sounds in within the caller's zones? */
bool command_alarm_within(const struct caller *who,
			  const struct config_alarm *a);

/** Refuses (403) unless the caller may start all that an alarm sounds. */
int command_alarm_sounds(struct turn *t, const struct config_alarm *a);

/* The verbs: HTTP status. */
int command_alarm(struct turn *t);
int command_phase(struct turn *t);
int command_mode(struct turn *t);
int command_walk(struct turn *t);
int command_walk_stop(struct turn *t);
int command_point(struct turn *t);

#endif
