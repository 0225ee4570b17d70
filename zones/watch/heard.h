/**
 * What was heard of one output, against what should be: is each of its sounds
 * seen to leave, is it sound, and is nobody else talking there?
 *
 * Pure; times are monotonic microseconds, levels -dBFS.
 */
#ifndef TOCSIN_WATCH_HEARD_H
#define TOCSIN_WATCH_HEARD_H

#include "zones/sound/codec.h"
#include "zones/watch/frame.h"

/** Level that was not looked at, or cannot be told. */
#define HEARD_NO_LEVEL 255
/** Below it nobody hears anything. */
#define HEARD_SILENCE 70

enum heard_verdict {
	HEARD_QUIET,  /**< nothing is to sound */
	HEARD_WAIT,   /**< it is to sound, for too short a time to tell */
	HEARD_OK,     /**< seen */
	HEARD_UNSENT, /**< nothing is handed to the kernel */
	HEARD_LOST,   /**< handed to the kernel, but not seen to leave */
	HEARD_SILENT, /**< seen, but silence where there should be sound */
	HEARD_LOCKED, /**< seen, but encrypted with another key than ours */
};

/** What the engine says of the output at one look. */
struct heard_look {
	bool sounding;
	uint64_t sent; /**< packets in its life */
	uint8_t level;
};

struct heard {
	uint64_t samples; /**< in its life */
	uint64_t seen_us; /**< the last, 0 = never */
	uint8_t level;   /**< of the last that had one, HEARD_NO_LEVEL = none */
	uint64_t due_us; /**< since when one is due, 0 = none is */
	uint64_t sent;   /**< when the last was seen, or the first was due */
	uint64_t moved_us, moved; /**< when `sent` of a look last grew */
	unsigned loud;      /**< looks that told of sound since it was heard */
	unsigned silent;    /**< samples of silence since then */
	unsigned locked;    /**< samples that did not open, in a row */
	uint64_t locked_us; /**< the first of these */
};

/** A sample was seen; HEARD_NO_LEVEL proves that it left, and no more. */
void heard_sample(struct heard *h, uint8_t level, uint64_t now);

/** A sample was seen that our key does not open. */
void heard_locked(struct heard *h, uint64_t now);

/** Packets were lost on their way to us: begins to wait anew. */
void heard_blind(struct heard *h);

/**
 * Looks at it, some times a second.
 *
 * @param every     packets between two samples
 * @param within_us patience
 */
enum heard_verdict heard_judge(struct heard *h, const struct heard_look *look,
			       unsigned every, uint64_t within_us,
			       uint64_t now);

/** Somebody else who sends to one of our groups. */
struct talker {
	sa_family_t family; /**< 0 = none */
	uint8_t addr[16];
	uint16_t port;
	uint32_t ssrc;
	uint32_t n; /**< packets, of this talker */
	uint64_t last_us;
};

/** A foreign packet. The first talker is kept while he talks. */
void talker_heard(struct talker *t, const struct frame *f, uint32_t ssrc,
		  uint64_t now);

/** Does somebody talk? He must have sent a few packets, and not been silent
 *  for ten seconds: then *t is empty again. */
bool talker_present(struct talker *t, uint64_t now);

#endif
