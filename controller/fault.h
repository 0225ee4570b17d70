/**
 * What would stop a broadcast or an alarm from working: one list.
 *
 * Every part only raises and clears; the list tells its owner what changed.
 * Control thread.
 */
#ifndef TOCSIN_FAULT_H
#define TOCSIN_FAULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most faults kept; beyond it one fault says that more stand. */
#define FAULT_MAX 1024

struct fault {
	char key[96];     /**< what is broken, unique: "mqtt",
			     "output:239.1.1.1:5004" */
	char text[256];   /**< what is wrong, where */
	char remedy[256]; /**< what to do about it */
	bool warning;     /**< something is known less well, or works less well;
			     nothing that sounds or alarms is in doubt */
	int64_t since_wall_us;
	uint64_t since_us;  /**< monotonic */
	uint32_t detect_ms; /**< how long it may have lasted before it was seen
			     */
};

struct faults;

/** raised: true when f is new or its text changed, false when it cleared. */
typedef void(fault_change_h)(const struct fault *f, bool raised, void *arg);

/** Makes an empty list; 0 or ENOMEM. */
int faults_alloc(struct faults **fp, fault_change_h *h, void *arg);

/** Frees the list without telling anybody. Returns NULL. */
struct faults *faults_free(struct faults *f);

/** Raises a fault, or renews the text of one that stands. */
void fault_raise(struct faults *f, const char *key, uint32_t detect_ms,
		 const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/** As fault_raise(), for a warning: it is shown like a fault, but does not
 *  count as one and drops no fault output. */
void fault_warn(struct faults *f, const char *key, const char *remedy,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/** Clears it; nothing happens when it does not stand. */
void fault_clear(struct faults *f, const char *key);

/** Clears every fault whose key begins with prefix and for which keep (may be
 *  NULL) returns false: after a reload. */
void fault_clear_prefix(struct faults *f, const char *prefix,
			bool (*keep)(const char *key, void *arg), void *arg);

/** The standing fault with this key, or NULL. */
const struct fault *fault_find(const struct faults *f, const char *key);

/** How many stand, without warnings. */
size_t fault_count(const struct faults *f);

/** All of them, oldest first, as a JSON array (new reference). */
json_t *faults_json(const struct faults *f);

#endif
