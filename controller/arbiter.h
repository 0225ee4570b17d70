/**
 * Who sounds where: DESIGN rules 1 and 2, as a pure function.
 *
 * A snapshot of all that is wanted goes in; what each output carries and what
 * becomes of each broadcast comes out. No clock, no I/O, no allocation; the
 * same snapshot always gives the same verdict, whatever the order of its rows.
 *
 * Rank: higher level first; at equal level live beats recorded; then who came
 * first (arb_world.tie_last: who came last). On each output the highest ranked
 * foreground broadcast that wants it is the one foreground; the highest ranked
 * background one is ducked or paused beneath it.
 *
 * A broadcast that has no output at all waits while its deadline allows, else
 * it ends. Background sound always may wait: it comes back when it can, and
 * only who started it ends it. Emergencies (level >= ARB_EMERGENCY) never wait
 * and never end by arbitration, and are foreground whatever `background` says:
 * beaten by a yet higher emergency they are ARB_OVERRIDDEN and come back by
 * themselves. Only a wish for no existing output ends any of them.
 *
 * Each loser has one cause. It is PREEMPTED if it had sounded, however long it
 * waited then: a more urgent one cut it short. If it never began it is EXPIRED
 * when it ends after a deadline, else OUTRANKED.
 */
#ifndef TOCSIN_ARBITER_H
#define TOCSIN_ARBITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARB_MAX_OUTPUTS 1024
#define ARB_MAX_BROADCASTS 512

/** From this level on a broadcast is an emergency (DESIGN section 1). */
#define ARB_EMERGENCY 200

struct arb_set {
	uint64_t w[ARB_MAX_OUTPUTS / 64];
};

/** What happens to background sound under a foreground that is no emergency;
 *  under an emergency it is always paused. */
enum arb_background {
	ARB_FOREGROUND, /**< not background sound */
	ARB_DUCK,
	ARB_PAUSE,
};

/** One broadcast that is wanted, as the arbiter sees it. */
struct arb_broadcast {
	uint64_t id;       /**< unique, never 0 */
	uint64_t seq;      /**< order of arrival, unique */
	uint64_t deadline; /**< monotonic us up to which it may be without any
				output; 0 = not at all */
	bool forever;      /**< may wait without end (music, emergencies) */
	uint8_t level;
	bool live;
	bool started; /**< had an output before: loss is preemption, not refusal
		       */
	enum arb_background background;
	struct arb_set outputs;
};

struct arb_world {
	uint64_t now; /**< monotonic us */
	bool tie_last;
	unsigned n_outputs; /**< <= ARB_MAX_OUTPUTS */
	size_t n;           /**< <= ARB_MAX_BROADCASTS */
	const struct arb_broadcast *b;
};

enum arb_state {
	ARB_PLAY,       /**< has all its outputs */
	ARB_PARTIAL,    /**< has some; the others are a more urgent one's */
	ARB_OVERRIDDEN, /**< an emergency beaten everywhere by a higher one */
	ARB_WAIT,       /**< beaten everywhere, waits */
	ARB_END,        /**< beaten everywhere, may not wait (any longer) */
};

/** The one honest reason why a broadcast does not have all it wants. */
enum arb_cause {
	ARB_CAUSE_NONE,
	ARB_CAUSE_PREEMPTED, /**< was sounding; a more urgent one came */
	ARB_CAUSE_OUTRANKED, /**< had not begun; a more urgent one is there */
	ARB_CAUSE_EXPIRED,   /**< waited until its deadline */
	ARB_CAUSE_NO_OUTPUT, /**< wants no output that exists */
};

struct arb_row {
	enum arb_state state;
	enum arb_cause cause;
	uint64_t
		by; /**< id of the highest ranked one that beats it; 0 = none */
	struct arb_set
		granted; /**< outputs where it is heard (for background: as
			      foreground-free, ducked or paused background) */
};

/** What one output carries; indices into arb_world.b, -1 = nothing. */
struct arb_output {
	int16_t fg, bg;
	enum arb_background bg_how; /**< ARB_FOREGROUND: plain, at full level */
};

struct arb_verdict {
	struct arb_row row[ARB_MAX_BROADCASTS]; /**< one per arb_world.b */
	struct arb_output out[ARB_MAX_OUTPUTS]; /**< one per output */
	uint64_t wake; /**< earliest deadline of what waits; 0 = none */
};

/** Decides. v is written whole (its first n rows, n_outputs outputs). */
void arbiter_decide(const struct arb_world *w, struct arb_verdict *v);

/** Sentence for a cause: "preempted by a more urgent broadcast" and so on. */
const char *arbiter_cause(enum arb_cause cause);

static inline bool arb_set_has(const struct arb_set *s, unsigned i)
{
	return s->w[i / 64] >> i % 64 & 1;
}

static inline void arb_set_add(struct arb_set *s, unsigned i)
{
	s->w[i / 64] |= UINT64_C(1) << i % 64;
}

static inline bool arb_set_empty(const struct arb_set *s)
{
	for (size_t i = 0; i < ARB_MAX_OUTPUTS / 64; i++)
		if (s->w[i])
			return false;
	return true;
}

#endif
