/**
 * When one effect of an alarm begins and ends. Pure: no clock, no I/O.
 *
 * An effect waits for its time after the alarm (or after the phase it belongs
 * to), begins when its modes and hours let it, and ends with the reset, the
 * acknowledgement or its own time. What has begun does not end because the mode
 * changes. A spell begins with the alarm, and again each time an acknowledged
 * alarm becomes active: effects that an acknowledgement or their own time ended
 * have another turn in it.
 */
#ifndef TOCSIN_EFFECT_H
#define TOCSIN_EFFECT_H

#include <stdbool.h>
#include <stdint.h>

/** Nothing to wake for. */
#define EFFECT_NEVER UINT64_MAX

enum effect_end { EFFECT_TO_RESET, EFFECT_TO_ACK, EFFECT_TO_TIME };

struct effect_rule {
	enum effect_end end;
	uint32_t after_ms;
	uint32_t for_ms; /**< of EFFECT_TO_TIME */
	uint32_t phases; /**< bits; 0 = whatever the phase is */
};

/** The alarm as it stands. Times are monotonic. */
struct effect_view {
	bool on; /**< not normal */
	bool acked;
	uint32_t spell; /**< counts from 1 */
	uint64_t spell_us;
	uint8_t phase;
	uint64_t phase_us;
};

enum effect_state {
	EFFECT_IDLE,    /**< alarm normal, or not in its phases */
	EFFECT_WAITING, /**< its time or its mode has not come */
	EFFECT_ON,
	EFFECT_OVER, /**< done with until the next spell */
	EFFECT_STATES
};

/** Zero at first; then only effect_step() changes it. */
struct effect {
	enum effect_state state;
	uint32_t spell;    /**< its turn in this one came */
	uint64_t due_us;   /**< of waiting */
	uint64_t until_us; /**< of on, when it has a time of its own */
};

enum effect_do { EFFECT_NOTHING, EFFECT_BEGIN, EFFECT_END };

/**
 * Brings an effect to what the alarm says now.
 *
 * @param admitted its modes and hours let it begin
 * @param wake_us  filled: when to look again though nothing changed
 * @return what is to be done; at most one thing: begin and end alternate
 */
enum effect_do effect_step(struct effect *e, const struct effect_rule *r,
			   const struct effect_view *a, bool admitted,
			   uint64_t now_us, uint64_t *wake_us);

/** "idle", "waiting", "on", "over". */
const char *effect_state_name(enum effect_state s);

/** Back from the name; -1 when unknown. */
int effect_state_by_name(const char *name);

#endif
