/**
 * What an audio file promises, read from its own structure, where libsndfile
 * passes over a file cut short in silence.
 */
#ifndef TOCSIN_PCM_WALK_H
#define TOCSIN_PCM_WALK_H

#include <stdbool.h>
#include <stdint.h>

/** Of an MPEG stream, frame by frame. */
struct pcm_mp3 {
	uint32_t frames;  /**< whole ones */
	uint64_t samples; /**< of one channel that they hold */
	bool cut;         /**< the last frame is not whole */
};

/**
 * Counts an MP3's frames, past an ID3v2 tag, up to the tags at its end.
 * Reads each byte of the file at most once.
 *
 * @return false when no frame is found: nothing is known then
 */
bool pcm_walk_mp3(int fd, struct pcm_mp3 *m);

/** Does an RF64 file hold fewer bytes of sound than its ds64 chunk says? */
bool pcm_walk_rf64_cut(int fd);

/** Does an Ogg file end before a page that says it is the last? */
bool pcm_walk_ogg_cut(int fd);

#endif
