/**
 * What stands between an output's stream and the wire where a plain output has
 * nothing: packets that leave later, leave twice, or leave to more addresses.
 *
 * Made and freed by the control side; used by the media thread alone while an
 * output has it. A ring holds each packet until it has left for the last time.
 */
#ifndef TOCSIN_LINE_H
#define TOCSIN_LINE_H

#include "zones/engine/ptt.h"
#include "zones/engine/seal.h"
#include "zones/media.h"

/** A place in the ring. */
struct line_packet {
	uint64_t due; /**< first time out */
	uint16_t len;
};

/** One more address of the output's stream. */
struct line_fan {
	struct sockaddr_storage dst;
	int fd; /**< shared, -1 = none could be made */
	int err, told;
	uint64_t err_us; /**< when it was last unreachable */
};

struct line {
	uint32_t delay_us, copy_us; /**< copy_us 0 = no second time */
	unsigned n_fan;
	struct line_fan *fan;
	struct ptt *ptt;   /**< NULL = RTP */
	struct seal *seal; /**< NULL = not encrypted */
	/* Numbers of packets: put in, out for the first and the second time;
	 * place = number % size. */
	uint32_t size, stride, put, sent, copied;
	struct line_packet *packet;
	uint8_t *bytes;
	const uint8_t *out; /**< on its way to all addresses */
	size_t out_len;
};

/** Does an output need a line? */
bool line_needed(const struct media_output *o);

/** Makes one, its fan without sockets yet; 0 or ENOMEM. */
int line_alloc(struct line **lp, const struct media_output *o);

/** Frees it; NULL is fine. */
void line_free(struct line *l);

/** Do two lines hold the same packets, whatever their addresses? */
bool line_alike(const struct line *a, const struct line *b);

/** Lets the seal of `with` go on where that of `keep` is, if it is of the same
 *  key: before line_take(), or before `with` takes the place of `keep`. */
void line_keep_seal(struct line *keep, struct line *with);

/** `keep` takes over addresses and key of `with`, which is left with its own.
 */
void line_take(struct line *keep, struct line *with);

/** Room for the next packet: stride bytes. When the ring is full the oldest
 *  packet is given up. */
uint8_t *line_room(struct line *l);

/** What was written there is a packet, first due at `due` + delay. */
void line_put(struct line *l, size_t len, uint64_t due);

/** When the next packet leaves, UINT64_MAX = none waits. */
uint64_t line_due(const struct line *l);

/**
 * Takes the packet that is due, in order of time.
 *
 * @param len set to its bytes
 * @return the packet, valid until the ring has gone round; NULL when none is
 *         due
 */
const uint8_t *line_next(struct line *l, uint64_t horizon, size_t *len);

#endif
