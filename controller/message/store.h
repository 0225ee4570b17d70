/**
 * Uploaded sounds on disk: state-dir/messages/NAME/ holds 1.wav, 2.wav ... and
 * index.json, which says which there are and which is in force.
 *
 * A version's file is written and synced before the index names it, and the
 * index is replaced as a whole: after a power cut either the old or the new
 * state is there. What no index names is removed at start.
 *
 * Functions here wait for the disk. One thread writes at a time.
 */
#ifndef TOCSIN_MESSAGE_STORE_H
#define TOCSIN_MESSAGE_STORE_H

#include "zones/sound/pcm.h"

#include <jansson.h>
#include <stdbool.h>

/** Most messages that have uploads, versions of each, bytes of all. */
#define STORE_MAX_ITEMS 200
#define STORE_MAX_VERSIONS 10
#define STORE_MAX_BYTES (UINT64_C(512) << 20)
/** Stays free on the disk, for the journal. */
#define STORE_SPARE_BYTES (UINT64_C(32) << 20)
/** Sound is kept as WAV, mono, 16 bit, of at most this rate. */
#define STORE_MAX_RATE 48000

struct store_version {
	uint32_t number;
	char hash[65]; /**< SHA-256 of its rate and samples */
	int64_t time_us;
	char actor[80], from[64];
	uint64_t bytes;
	uint32_t ms;
	double lufs, peak_db; /**< as uploaded */
};

struct store_item {
	char name[64];
	uint32_t current; /**< number in force */
	uint32_t last;    /**< highest number ever given */
	struct store_version v[STORE_MAX_VERSIONS]; /**< oldest first */
	size_t n;
};

struct store {
	struct store_item *v;
	size_t n;
};

/** May it be a message that has uploads? A name, not beginning with ".". */
bool store_name(const char *name);

/** Room for store_path(). */
#define STORE_PATH 640

/** Folder of all; file of a version. Return buf. */
char *store_dir(char buf[STORE_PATH], const char *state_dir);
char *store_path(char buf[STORE_PATH], const char *state_dir, const char *name,
		 uint32_t number);

/** Reads all indexes; what cannot be read is left out. 0 or ENOMEM. */
int store_load(struct store *s, const char *state_dir);

void store_reset(struct store *s);

/** NULL when nothing was uploaded for it. */
struct store_item *store_find(const struct store *s, const char *name);

/** A version by its number, 0 = that in force; NULL. */
const struct store_version *store_version(const struct store_item *i,
					  uint32_t number);

/** Makes the folder and removes what no index names. At start. */
void store_clean(const char *state_dir);

/** Bytes of all versions. */
uint64_t store_bytes(const struct store *s);

/** Writes the file of v->number, and fills hash, bytes and ms. 0, ENOSPC or
 *  another errno with the reason; then nothing of it is left. */
int store_write(const char *state_dir, const char *name,
		struct store_version *v, const struct pcm *p,
		struct reason *why);

/** Adds a version that was written and puts it in force: the oldest gives way
 *  (*gone = its number, 0 = none). The item alone is changed. */
void store_add(struct store_item *i, const struct store_version *v,
	       uint32_t *gone);

/** Replaces the index by this item's. 0 or errno with the reason. */
int store_commit(const char *state_dir, const struct store_item *i,
		 struct reason *why);

/** Removes one version's file. */
void store_drop(const char *state_dir, const char *name, uint32_t number);

/** Removes a message: its index first. 0 or errno with the reason. */
int store_remove(const char *state_dir, const char *name, struct reason *why);

/** A version as people see it (new reference). */
json_t *store_version_json(const struct store_version *v);

#endif
