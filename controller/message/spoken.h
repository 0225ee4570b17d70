/**
 * Messages made in a thread of their own, for what has to be spoken first:
 * texts of the moment, and those whose rendering failed before; and recorded
 * speech.
 *
 * All functions and handlers: control thread.
 */
#ifndef TOCSIN_SPOKEN_H
#define TOCSIN_SPOKEN_H

#include "controller/message/make.h"

/** Jobs at once, the running one included. */
#define SPOKEN_MAX_JOBS 600

struct spoken;

/** What came of it. clip NULL: nothing in time, *why tells. Else a reference
 *  that the handler keeps or gives back. */
typedef void(spoken_h)(struct clip *clip, const struct message_facts *f,
		       const struct reason *why, void *arg);

/** Makes the thread's way back; the thread starts with the first job. */
int spoken_alloc(struct spoken **sp);

/** Ends what runs; every handler not called yet is called without a clip. */
struct spoken *spoken_free(struct spoken *s);

/**
 * Makes a message.
 *
 * @param m    copied
 * @param kit  copied; its `cancel` is not used
 * @param urgent before all that are not
 * @param wait_ms the handler is called after so long at the latest
 * @return 0, ENOSPC (too many jobs), ENOMEM, EAGAIN (no thread)
 */
int spoken_make(struct spoken *s, const struct config_message *m,
		const struct message_kit *kit, bool urgent, uint32_t wait_ms,
		spoken_h *h, void *arg);

/** The same of recorded speech, as message_of_speech(). The samples are taken
 *  over when it returns 0. */
int spoken_record(struct spoken *s, const struct config_message *m,
		  const struct message_kit *kit, struct pcm *p, uint32_t min_ms,
		  uint32_t wait_ms, spoken_h *h, void *arg);

#endif
