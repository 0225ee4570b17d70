/**
 * Supervised loops, and states that must stand before they count: pure.
 *
 * A loop with end-of-line resistors, or a pair of contacts of which one is
 * closed while the other is open, tells alarm and normal from a cut or shorted
 * cable. Which value means what is said by windows that meet without a hole.
 * No clock, no I/O.
 */
#ifndef TOCSIN_LOOP_H
#define TOCSIN_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum loop_state { LOOP_NORMAL, LOOP_ALARM, LOOP_SHORT, LOOP_OPEN };

/** "normal", "alarm", "short", "open". */
const char *loop_state_name(enum loop_state s);

#define LOOP_MAX_WINDOWS 16

/** From low on, up to but without high. */
struct loop_window {
	double low, high;
	enum loop_state state;
};

struct loop_rule {
	/** In order; the first begins at -infinity, the last ends at infinity,
	 *  each begins where the one before ends. n = 0: there are none. */
	struct loop_window window[LOOP_MAX_WINDOWS];
	size_t n;
	double hysteresis; /**< how far beyond its window a value must go */
	uint32_t hold_ms;  /**< how long normal or alarm must stand */
	uint32_t fault_hold_ms; /**< and short or open */
};

/** What is known of one loop; zero to begin with. */
struct loop {
	bool known; /**< state is one that stood */
	enum loop_state state;
	bool pending; /**< next is there, since since_us */
	enum loop_state next;
	uint64_t since_us;
	bool placed; /**< the last value was in window[place] */
	size_t place;
	uint32_t glitches; /**< states that did not stand long enough */
};

/** Takes a value that is no NaN; true when a state has come to count. */
bool loop_take(struct loop *l, const struct loop_rule *r, double x,
	       uint64_t now_us);

/** Takes a state that was found in another way; the same. */
bool loop_take_state(struct loop *l, const struct loop_rule *r,
		     enum loop_state s, uint64_t now_us);

/** Whether what is pending has stood long enough, with nothing new; the same.
 */
bool loop_settle(struct loop *l, const struct loop_rule *r, uint64_t now_us);

/** When to ask loop_settle(); 0 = nothing is pending. */
uint64_t loop_due(const struct loop *l, const struct loop_rule *r);

/** The value is not known any more: the next one must stand anew. */
void loop_lost(struct loop *l);

#endif
