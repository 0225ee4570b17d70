/**
 * One-off changes of the plan, made while it runs: an extra bell, a bell that
 * is moved, days that are of another type. They outlive a restart and end by
 * themselves. Pure, but for the memory they take. Control thread.
 */
#ifndef TOCSIN_CHANGES_H
#define TOCSIN_CHANGES_H

#include "controller/config/config.h"
#include "scheduler/tz.h"

#include <jansson.h>

/** Most at a time, zones of one bell, days of one other type, days ahead. */
#define CHANGES_MAX 200
#define CHANGES_MAX_ZONES 100
#define CHANGES_MAX_DAYS 366
/** An extra bell that was missed by no more than this still sounds, and waits
 *  so long for zones that are taken. */
#define CHANGES_GRACE_MS 60000

enum change_kind { CHANGE_BELL, CHANGE_MOVE, CHANGE_DAY_TYPE };

struct change {
	uint32_t id; /**< from 1 */
	enum change_kind kind;
	char actor[80];
	int64_t made; /**< UTC seconds */
	/* CHANGE_BELL, CHANGE_MOVE; names, for numbers change with reloads */
	int64_t at;                     /**< UTC seconds */
	char schedule[CONFIG_MAX_NAME]; /**< MOVE: whose bell */
	int64_t from;                   /**< MOVE: when it was */
	char message[CONFIG_MAX_NAME];  /**< may be one that is uploaded */
	char (*zones)[CONFIG_MAX_NAME];
	size_t n_zones;
	uint8_t level;
	uint32_t for_ms;
	/* CHANGE_DAY_TYPE */
	char day_type[CONFIG_MAX_NAME];
	int64_t first, last; /**< civil_day(), both included */

	/* What the names are in the configuration in force. */
	int schedule_i; /**< -1 = none (any more) */
	int *zone_i;
	size_t n_zone_i;
};

struct changes {
	struct change *v[CHANGES_MAX]; /**< oldest first */
	size_t n;
	uint32_t last; /**< highest id ever given */
};

/** A new one, empty; NULL on ENOMEM. */
struct change *change_alloc(enum change_kind kind, size_t n_zones);

/** Frees it; NULL is fine. Returns NULL. */
struct change *change_free(struct change *c);

/** Looks its names up. */
void change_resolve(struct change *c, const struct config *config);

/** From what the journal keeps; NULL when it is none. */
struct change *change_read(const char *text);

/** As the journal keeps it; free() it. NULL on ENOMEM. */
char *change_write(const struct change *c);

/** As people see it (new reference). tz: of the site. */
json_t *change_json(const struct change *c, const struct tz *tz);

/** When it is over: UTC seconds. */
int64_t change_end(const struct change *c, const struct tz *tz);

/** Puts it behind the others; its id must be set. false: there are too many. */
bool changes_put(struct changes *s, struct change *c);

/** Its place, -1 = there is none. */
int changes_find(const struct changes *s, uint32_t id);

/** Takes one out and frees it. */
void changes_drop(struct changes *s, size_t i);

void changes_reset(struct changes *s);

#endif
