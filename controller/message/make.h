/**
 * A message put together: chime, tone, files and spoken words in turn, each
 * brought to its loudness, then encoded for every output's format.
 *
 * Any thread but the media thread; blocks.
 */
#ifndef TOCSIN_MESSAGE_MAKE_H
#define TOCSIN_MESSAGE_MAKE_H

#include "controller/config/config.h"
#include "controller/message/speech.h"
#include "zones/sound/clip.h"

/** What sounds in place of an emergency's words, and of any other's. */
#define MESSAGE_ALARM_TONE "din-33404-3"
#define MESSAGE_PLAIN_TONE "chime-2"

/** How long it sounds in place of an attention that is too long or short. */
#define MESSAGE_ATTENTION_MS 3000

/** Peaks are held below this, in dBTP. */
#define MESSAGE_CEILING_DB (-1.0)

/** What messages are made for and with. */
struct message_kit {
	struct format fmt[CLIP_MAX_FORMATS];
	size_t n_fmt;
	size_t n_outputs; /**< the first of them: what messages are made in */
	uint32_t rate; /**< sound is put together at the highest rate wanted */
	struct speech *speech;
	enum speech_how how;
	uint32_t limit_ms; /**< for each text; 0 = the settings' own */
	int cancel;        /**< readable: give up; -1 = none */
};

enum message_state {
	MESSAGE_READY,
	MESSAGE_PARTIAL, /**< some of its parts are missing */
	MESSAGE_TONE,    /**< its words are: a tone sounds alone */
};

/** What came of it. */
struct message_facts {
	enum message_state state;
	bool unspoken;        /**< a text is missing: worth trying again */
	bool attention;       /**< its first part was too long or too short */
	uint32_t ms;          /**< sound of one cycle, without the gap */
	uint32_t turns;       /**< of a tone alone: its cycles within that */
	uint32_t gap_ms;      /**< silence that is left for the gap */
	double lufs, peak_db; /**< of its words; of its tone when it has none */
	uint32_t silence_ms; /**< longest silence, over the gap if it repeats */
	uint32_t version;    /**< of the upload its words are of, 0 = of none */
	struct reason problem; /**< why it is not whole, "" = it is */
};

/**
 * Makes the clip of one cycle.
 *
 * @param strict a file that cannot be played is an error; else it is left out
 *        and told in f->problem. A text that cannot be spoken is never an
 *        error: it is left out, and where no words are left a tone takes their
 *        place, because an emergency must not be silent
 * @return 0, or EINVAL, EFBIG, ENOMEM with the reason
 */
int message_make(struct clip **cp, struct message_facts *f,
		 const struct config_message *m, const struct message_kit *kit,
		 bool strict, struct reason *why);

/** The same as samples at the kit's rate, with the gap behind it. */
int message_sound(struct pcm *p, struct message_facts *f,
		  const struct config_message *m, const struct message_kit *kit,
		  struct reason *why);

/**
 * A message whose words are an uploaded file's: chime, tone, gap and repeat
 * stay, its own files and texts do not sound.
 *
 * @param base NULL: a message that is only uploaded
 * @return 0 or ENOMEM. Free it by config_message_reset()
 */
int message_uploaded(struct config_message *to, const char *name,
		     const struct config_message *base, int16_t loudness,
		     const char *path);

/**
 * The same of speech that was recorded: what was said in it, brought to the
 * loudness of m. Nothing else of m sounds.
 *
 * @param p      changed, and reset
 * @param min_ms ENODATA with the reason when less than this was said
 */
int message_of_speech(struct clip **cp, struct message_facts *f,
		      const struct config_message *m,
		      const struct message_kit *kit, struct pcm *p,
		      uint32_t min_ms, struct reason *why);

/** A copy that depends on no configuration; 0 or ENOMEM. Free it by
 *  config_message_reset(). */
int message_copy(struct config_message *to, const struct config_message *m);

/** How often a tone of this cycle must go round to end with a packet of every
 *  format: only so its cadence stays exact when it is looped. */
uint32_t message_turns(const struct message_kit *kit, uint32_t cycle_ms);

/** How often its cycle is played: 0 = until stopped. */
uint32_t message_cycles(const struct config_message *m,
			const struct message_facts *f);

#endif
