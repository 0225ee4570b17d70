/**
 * Packets of Polycom group paging and push-to-talk (Engineering Advisory
 * 70568): alerts, sound with the previous frame repeated, ends. Both ways.
 * Pure; any thread.
 *
 *   0  op            6  length of the caller id, always 13
 *   1  channel       7  caller id, 13 bytes, NUL padded
 *   2  host serial
 *  a transmit goes on:
 *  20  codec        22  sample count, as an RTP timestamp
 *  21  flags        26  [previous frame] current frame
 */
#ifndef TOCSIN_POLYCOM_H
#define TOCSIN_POLYCOM_H

#include <stddef.h>
#include <stdint.h>

#define POLYCOM_CALLER 13
#define POLYCOM_HEADER 20 /**< an alert or end is no more */
#define POLYCOM_SOUND 26  /**< where the sound of a transmit begins */
/** Push-to-talk channels are 1-25, page groups 26-50. */
#define POLYCOM_MAX_CHANNEL 50

enum polycom_op {
	POLYCOM_ALERT = 0x0f,
	POLYCOM_TRANSMIT = 0x10,
	POLYCOM_END = 0xff,
};

enum polycom_codec {
	POLYCOM_PCMU = 0x00,
	POLYCOM_PCMA = 0x08, /**< of third parties, not in the advisory */
	POLYCOM_G722 = 0x09,
	POLYCOM_G726 = 0xfd, /**< G.726QI: 90 bytes are 30 ms */
};

struct polycom {
	enum polycom_op op;
	uint8_t channel; /**< 1-50 */
	uint32_t serial; /**< of the sender; the lowest keeps talking */
	char caller[POLYCOM_CALLER + 1];
	/* Of a transmit: */
	uint8_t codec; /**< enum polycom_codec, or unknown to us */
	uint8_t flags;
	uint32_t ts;          /**< of the current frame */
	const uint8_t *sound; /**< inside the decoded bytes */
	size_t len;           /**< one frame, or the previous one and it */
};

/**
 * Decodes one datagram. What follows an alert or end is not looked at. Bytes
 * of the caller id that are no printable ASCII become "?".
 *
 * @return 0, or EBADMSG: another op, channel or caller-id length, cut short, or
 *         a transmit without sound
 */
int polycom_decode(struct polycom *p, const void *buf, size_t len);

/**
 * Finds the current frame of a transmit, and the previous one if it is there.
 *
 * The packet does not say whether it holds one frame or two. Between
 * neighbouring packets the sample count grows by one frame, which decides; the
 * first packet is taken by the lengths in use: 10, 20 or 30 ms alone, 40 or
 * 60 ms as two.
 *
 * @param step samples of one frame (8000/s) as seen before, 0 = not known
 * @param prev set to the previous frame, NULL when it is not there
 * @param len  set to the bytes of one frame
 * @return the current frame
 */
const uint8_t *polycom_frame(const struct polycom *p, uint32_t step,
			     const uint8_t **prev, size_t *len);

/** Bytes that `samples` (8000/s) take in a codec, 0 = unknown codec, or they
 *  are no whole bytes. */
size_t polycom_bytes(uint8_t codec, uint32_t samples);

/** Writes the first 20 bytes: all of an alert or end. Longer caller ids are
 *  cut, shorter padded. */
void polycom_header(uint8_t dst[POLYCOM_HEADER], const struct polycom *p);

/** Writes a transmit up to its sound; p->sound and p->len are not looked at.
 */
void polycom_transmit(uint8_t dst[POLYCOM_SOUND], const struct polycom *p);

#endif
