/**
 * Sound as samples, at load time: reading files, resampling, joining.
 *
 * Mono 16 bit. Allocates; never called from the media thread.
 */
#ifndef TOCSIN_PCM_H
#define TOCSIN_PCM_H

#include "controller/base/reason.h"

#include <stddef.h>
#include <stdint.h>

/** Longest audio file accepted, in seconds. */
#define PCM_MAX_SECONDS 600
/** Most samples of one, of all channels together: 10 minutes of 4 channels at
 *  48 kHz. A small file may hold far more, and take minutes to read. */
#define PCM_MAX_SAMPLES (PCM_MAX_SECONDS * 48000ll * 4)
/** Largest audio file read, in bytes. */
#define PCM_MAX_FILE_BYTES (200u << 20)

struct pcm {
	int16_t *v;
	size_t n;
	uint32_t rate;
};

/** Frees the samples; *p is empty afterwards. NULL is fine. */
void pcm_reset(struct pcm *p);

/**
 * Reads an audio file (WAV, RF64, AIFF, AU, FLAC, Ogg, MP3), all channels mixed
 * to one. The bytes say what it is, not the name: a file
 * without a header is never taken for sound.
 *
 * @return 0, or errno with the reason: missing, not readable, not audio,
 *         empty, truncated, longer than PCM_MAX_SECONDS or PCM_MAX_SAMPLES,
 * silent (peak below -50 dBFS), clipped (over 1 % of all channels' samples at
 * full scale)
 */
int pcm_load(struct pcm *p, const char *path, struct reason *why);

/**
 * Opens a regular file of 1 to max bytes; nothing else makes us wait, a FIFO
 * neither. 0, or errno with the reason.
 */
int pcm_open(int *fdp, const char *path, int64_t max, struct reason *why);

/** pcm_load() from an open file, read from where it stands; `name` is for the
 *  reason. The descriptor stays open. */
int pcm_load_fd(struct pcm *p, int fd, const char *name, struct reason *why);

/** Writes it as WAV, 16 bit, into an open file from where it stands. 0 or errno
 *  with the reason. */
int pcm_save_fd(const struct pcm *p, int fd, struct reason *why);

/** Resamples into *dst (speexdsp, quality 8); 0 or ENOMEM. */
int pcm_resample(struct pcm *dst, const struct pcm *src, uint32_t rate);

/** Appends src (resampled to dst's rate when they differ); 0 or ENOMEM. */
int pcm_append(struct pcm *dst, const struct pcm *src);

/** Appends ms of silence. */
int pcm_append_silence(struct pcm *dst, uint32_t ms);

/** Highest absolute sample. */
int pcm_peak(const struct pcm *p);

#endif
