/**
 * One Polycom output's talk: alerts, sound with the previous frame repeated,
 * ends (Engineering Advisory 70568). It says which packet is due when; nothing
 * is sent from here. Pure: times come in, packets go out; media thread.
 *
 *   31 alerts, 30 ms apart; sound from 0.969 s on; 50 ms of pause; 12 ends
 */
#ifndef TOCSIN_PTT_H
#define TOCSIN_PTT_H

#include "zones/engine/polycom.h"
#include "zones/media.h"

#define PTT_ALERTS 31
#define PTT_ENDS 12
#define PTT_EVERY_US 30000
#define PTT_PAUSE_US 50000
#define PTT_MAX_FRAME 240
#define PTT_MAX_PACKET (POLYCOM_SOUND + 2 * PTT_MAX_FRAME)

enum ptt_state { PTT_IDLE, PTT_ALERT, PTT_TALK };

struct ptt {
	struct media_polycom cfg;
	uint8_t codec;
	enum ptt_state state;
	uint8_t channel; /**< of this talk */
	unsigned alerts; /**< sent */
	uint64_t begin_us, last_us;
	/* The end of the last talk goes on beside the next one's alerts. */
	uint8_t end_channel;
	unsigned ends; /**< left to send */
	uint64_t end_us;
	uint8_t prev[PTT_MAX_FRAME];
	size_t prev_len;
};

void ptt_init(struct ptt *p, const struct media_polycom *cfg, uint8_t codec);

/** The channel that a broadcast of this level is heard on. */
uint8_t ptt_channel(const struct media_polycom *c, uint8_t level);

/**
 * A frame is there, at `due`. Begins a talk, or another one when the channel
 * changed; within one, another broadcast goes on without new alerts.
 *
 * @return true when it is to be sent; false while alerts go before it
 */
bool ptt_frame(struct ptt *p, uint8_t level, uint64_t due);

/** Writes a frame's packet, the previous frame before it unless `fresh` says
 *  that there was none directly before. dst has PTT_MAX_PACKET bytes, n is at
 *  most PTT_MAX_FRAME. Returns its length. */
size_t ptt_sound(struct ptt *p, uint8_t *dst, const uint8_t *frame, size_t n,
		 uint32_t ts, bool fresh);

/** Ends the talk now: its channel is another's. */
void ptt_hush(struct ptt *p, uint64_t now);

/** When the next alert or end is due, UINT64_MAX = none. fed: frames come. */
uint64_t ptt_due(const struct ptt *p, bool fed);

/** Writes the alert or end due by `horizon` and sets *due; false = none. */
bool ptt_next(struct ptt *p, bool fed, uint64_t horizon,
	      uint8_t dst[POLYCOM_HEADER], uint64_t *due);

#endif
