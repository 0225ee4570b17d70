/**
 * The media engine: its own thread, all sound in and out.
 *
 * The control thread is the only caller of everything below unless a function
 * says otherwise. Calls between media_begin() and media_commit() are staged
 * and reach the media thread as one batch, which it carries out between two
 * packets: on one address the lower stream has stopped before the higher one
 * starts (DESIGN rule 2), and a half-done switch is never heard.
 *
 * The media thread allocates nothing, locks nothing and logs nothing; it is
 * woken at once by a commit, so the first packet does not wait for a tick.
 * What it has to say comes back as reports.
 *
 * Words: a *source* is something that sounds (a clip being played, or a call's
 * sound) in a slot the caller numbers; an *output* is a place sound leaves to,
 * with one RTP stream for life (same SSRC, sequence and clock); a *leg* is a
 * call's RTP socket.
 */
#ifndef TOCSIN_MEDIA_H
#define TOCSIN_MEDIA_H

#include "sound/clip.h"
#include "sound/codec.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define MEDIA_MAX_OUTPUTS 1024
#define MEDIA_MAX_SLOTS 512
/** Addresses one output's stream is sent to beside its own. */
#define MEDIA_MAX_FAN 64
#define MEDIA_MAX_DELAY_MS 2000
#define MEDIA_MAX_COPY_US 100000
/** Legs 0 to MEDIA_CALL_LEGS - 1 are for calls, the others for what is
 *  listened to. */
#define MEDIA_CALL_LEGS 256
#define MEDIA_MAX_SOURCES 64
/** And the last for calls that we make. */
#define MEDIA_OWN_LEGS 64
#define MEDIA_FIRST_OWN_LEG (MEDIA_CALL_LEGS + MEDIA_MAX_SOURCES)
/** Behind them those of calls for help. */
#define MEDIA_HELP_LEGS 128
#define MEDIA_FIRST_HELP_LEG (MEDIA_FIRST_OWN_LEG + MEDIA_OWN_LEGS)
#define MEDIA_MAX_LEGS (MEDIA_FIRST_HELP_LEG + MEDIA_HELP_LEGS)
/** Conferences at once, and legs in one. */
#define MEDIA_MAX_ROOMS 128
#define MEDIA_ROOM_LEGS 8

/** A set of outputs by index. */
struct media_set {
	uint64_t w[MEDIA_MAX_OUTPUTS / 64];
};

static inline void media_set_add(struct media_set *s, unsigned i)
{
	s->w[i / 64] |= UINT64_C(1) << i % 64;
}

static inline bool media_set_has(const struct media_set *s, unsigned i)
{
	return s->w[i / 64] >> i % 64 & 1;
}

struct media;

struct media_options {
	unsigned rt_priority;    /**< SCHED_FIFO priority wanted, 0 = none */
	uint32_t tail_ms;        /**< silence after the last word (FIELD 2.4) */
	uint32_t leg_silence_ms; /**< no RTP from a call for this long: reported
				  */
	uint32_t skip_ms; /**< a source further behind (we were stopped) leaves
			     out what it missed; 0 = 100 */
};

/** What cannot be reached is told when the network has said so for this long.
 */
#define MEDIA_UNREACHABLE_MS 3000

enum media_report_type {
	MEDIA_FIRST_SENT, /**< slot: its first packets left; at_us = before the
			     first send, n = outputs */
	MEDIA_FINISHED,   /**< slot: a clip has played all its cycles */
	MEDIA_SLOT_FREE,  /**< slot: nothing refers to its clip any more */
	MEDIA_LEG_RTP,    /**< leg: its first RTP packet came, or one after
			     MEDIA_LEG_SILENT */
	MEDIA_LEG_SILENT, /**< leg: no RTP for leg_silence_ms (once, until it
			     comes again); stats filled */
	MEDIA_LEG_UNREACHABLE, /**< leg: the network says for seconds that its
			      peer cannot be reached (err); 0 = no longer */
	MEDIA_LEG_KEY,         /**< leg: key n was pressed ('0'-'9', '*', '#',
				  'A'-'D'), once for each press (RFC 4733) */
	MEDIA_LEG_CLOSED,      /**< leg: closed, its socket too; stats filled */
	MEDIA_PROMPT_DONE,     /**< leg: the prompt has been sent */
	MEDIA_RECORDED,        /**< leg: its reel is not touched any more: full,
				  taken away, or the leg was closed */
	MEDIA_STREAM_BEGAN, /**< leg that listens: somebody talks; n = his SSRC
			     */
	MEDIA_STREAM_ENDED, /**< leg that listens: he is over */
	MEDIA_OUTPUT_ERROR, /**< output: sending fails with err (once per
			       change); n = 0: to its own address, else to the
			       n-th of its fan */
	MEDIA_OUTPUT_OK,    /**< the same: sending works again */
	MEDIA_LATE, /**< a tick was late by n microseconds (rate-limited) */
};

#define MEDIA_NO_TYPE 256

/** What was received on a leg, in packets unless said otherwise. */
struct media_leg_stats {
	bool heard;        /**< something came from its peer */
	uint16_t wrong_pt; /**< payload type that was wrong last, MEDIA_NO_TYPE
				= not RTP */
	int unreachable;   /**< errno: what the network said about its peer in
				the last 10 s, 0 = nothing */
	uint32_t received, lost, late, duplicate, foreign, wrong_type;
	uint32_t unsealed; /**< of its peer, and not of the agreed SRTP key, or
			      played again */
	struct sockaddr_in6 foreign_by; /**< whose was the last foreign one;
					   IPv4 mapped, family 0 = nobody */
	uint32_t jitter_us;             /**< RFC 3550 interarrival jitter */
	uint32_t delay_us;              /**< playout delay in force */
};

struct media_report {
	enum media_report_type type;
	unsigned index; /**< slot, leg or output */
	uint64_t tag;   /**< as given with the source */
	uint64_t at_us; /**< monotonic */
	uint32_t n;
	int err;
	struct media_leg_stats stats;
};

/** Called by media_poll() in the control thread for each report. */
typedef void(media_report_h)(const struct media_report *r, void *arg);

/**
 * Starts the engine and its thread (all signals blocked in it).
 *
 * @return 0 or errno. A refused SCHED_FIFO is no error: see media_realtime().
 */
int media_alloc(struct media **mp, const struct media_options *opt,
		media_report_h *h, void *arg);

/** Stops the thread, closes its sockets, frees it. Returns NULL. */
struct media *media_free(struct media *m);

/** Does the thread run with SCHED_FIFO? */
bool media_realtime(const struct media *m);

/** Descriptor that is readable when reports wait. */
int media_report_fd(const struct media *m);

/** Hands every waiting report to the handler; never blocks. */
void media_poll(struct media *m);

/** When the media thread last turned its loop (it does at least once a
 *  second), monotonic microseconds: for the watchdog. */
uint64_t media_heartbeat(const struct media *m);

/** Alerts go before the sound of a Polycom page for this long. */
#define MEDIA_POLYCOM_ALERT_US 969000

/** What makes an output a Polycom group page or push-to-talk channel. */
struct media_polycom {
	uint8_t channel; /**< 1-25 push-to-talk, 26-50 page groups; 0 = RTP */
	/** From these levels on broadcasts go to the priority (24, 49) and the
	 *  emergency channel (25, 50); 0 = never. */
	uint8_t priority_from, emergency_from;
	uint32_t serial; /**< of the sender */
	char caller[14]; /**< id shown on the phones, NUL padded */
};

#define MEDIA_SRTP_MAX_MKI 4

/** SRTP with AES-128 in counter mode and HMAC-SHA1 (RFC 3711). */
struct media_srtp {
	bool on;
	uint8_t tag;     /**< bytes of the tag: 10 or 4 */
	uint8_t mki_len; /**< bytes of the key identifier, 0 = none is sent */
	uint8_t mki[MEDIA_SRTP_MAX_MKI];
	uint8_t key[30]; /**< master key and master salt */
	/** A call's: its receiver was there from the beginning, and the
	 * rollover counter runs. Else the stream has another SSRC before it
	 * would. */
	bool rolls;
};

/** One place sound leaves to. */
struct media_output {
	struct sockaddr_storage dst; /**< group or unicast address and port */
	unsigned ifindex; /**< egress interface; 0 only for unicast */
	uint8_t ttl;      /**< multicast TTL / hop limit */
	uint8_t dscp;     /**< 0..63 */
	bool loop; /**< multicast is seen by listeners on this host too */
	uint16_t source_port; /**< shared by all outputs that name it; 0 = an
				   even one of the kernel's */
	struct format fmt;
	uint16_t delay_ms; /**< everything leaves later by this much */
	uint32_t copy_us;  /**< each packet once more after this; 0 = once */
	uint32_t beat_ms;  /**< while nothing sounds, a packet of silence this
				often, which keeps the path open; 0 = none */
	/** The same packets go here too; copied. Unicast, by route. */
	const struct sockaddr_storage *fan;
	unsigned n_fan;
	/** IPv4 multicast without loop, on Ethernet: frames of our own making
	 *  leave by a packet socket where that is permitted (CAP_NET_RAW), else
	 *  all is as without. Past the host's firewall. */
	bool link;
	uint8_t link_mac[6];          /**< of the interface */
	struct in_addr link_addr;     /**< of the interface */
	struct media_polycom polycom; /**< PCMU or G.722, 20 or 30 ms */
	struct media_srtp srtp;       /**< not of Polycom */
};

/* Everything from here on is staged: call between begin and commit. */

/** Begins a batch; within a batch it changes nothing. */
void media_begin(struct media *m);

/** Carries the batch out and wakes the media thread; 0, or errno and then none
 *  of it is done (a leg's fd stays the caller's): ENOBUFS when the batch did
 *  not fit, ENOMEM, EINVAL for an index, format or address out of range. A
 *  socket that cannot be made is no such error but MEDIA_OUTPUT_ERROR. */
int media_commit(struct media *m);

/** Puts, changes or (o = NULL) removes output `index`. An output that changes
 *  nothing but its interface, TTL, DSCP, loop, delay, copies, fan or key keeps
 * its stream; another delay drops what it had not sent yet. */
void media_output_set(struct media *m, unsigned index,
		      const struct media_output *o);

/** How a clip is played. */
struct media_play {
	const struct clip *clip; /**< must live until MEDIA_SLOT_FREE */
	uint32_t cycles;         /**< 0 = until media_stop() */
	uint32_t lead_ms;        /**< silence first, to wake amplifiers */
	uint64_t tag;            /**< comes back in reports */
};

/** Begins to play a clip in a free slot. It runs, heard or not, from now on. */
void media_play(struct media *m, unsigned slot, const struct media_play *p);

/** Begins a live source in a free slot from leg `leg`: silence until sound
 *  comes. Encoded data passes untouched to outputs of the same codec. */
void media_live(struct media *m, unsigned slot, unsigned leg, uint64_t tag);

/** What a slot's broadcast is: its level, and for how long a live source just
 *  begun is kept silent, so that outputs that wake slowly miss nothing. */
void media_slot(struct media *m, unsigned slot, uint8_t level,
		uint32_t quiet_ms);

/** Plays a clip's slot again from its beginning, or holds it where it is. */
void media_restart(struct media *m, unsigned slot);
void media_pause(struct media *m, unsigned slot, bool paused);

/** Ends a source; outputs still routed to it fall silent. MEDIA_SLOT_FREE
 *  follows. */
void media_stop(struct media *m, unsigned slot);

/**
 * Says what outputs carry from now on. A slot that is free at this point of
 * the batch counts as none: start sources first.
 *
 * @param set  the outputs
 * @param fg   slot of the foreground, -1 for none
 * @param bg   slot of the background, -1 for none
 * @param duck_cb gain of the background in centibels while a foreground
 *             sounds; MEDIA_BG_PAUSED leaves it out
 *
 * What is cut off by it dies away within the next packet, what begins in the
 * middle of its sound comes up in it; a background comes and goes by the ramps.
 * A sound that begins at its beginning goes out as it was encoded.
 */
#define MEDIA_BG_PAUSED INT16_MIN
void media_route(struct media *m, const struct media_set *set, int fg, int bg,
		 int16_t duck_cb);

/** Says how loud outputs are, in centibels over their format's gain; 0 until
 *  then and for new outputs. It gets there by the ramps, but at once when
 *  what they carry changes in the same batch. Sound is decoded and encoded for
 *  it: 0 costs nothing. */
#define MEDIA_MIN_VOLUME_CB (-600)
#define MEDIA_MAX_VOLUME_CB 200
void media_volume(struct media *m, const struct media_set *set, int16_t cb);

/** How long a background, or a volume, takes to go down and to come back
 *  (100 ms each until said otherwise). */
#define MEDIA_MAX_RAMP_MS 10000
void media_ramps(struct media *m, uint32_t down_ms, uint32_t back_ms);

/** A call's RTP. */
struct media_leg {
	int fd; /**< bound UDP socket, the engine owns and closes it */
	struct sockaddr_storage
		remote;    /**< negotiated peer; only it is heard */
	struct format fmt; /**< codec, payload type and ptime, both ways */
	uint8_t event_pt;  /**< telephone-event (keys), 0 = none */
	bool send, recv;   /**< direction as negotiated; hold = neither */
	uint8_t dscp;
	/** SRTP: what we send it with, and they; both on or both off. Keys that
	 *  stay the same in an update go on where they are. */
	struct media_srtp out, in;
};

/** Opens leg `leg`. While it may send, it sends silence or the prompt, so
 *  that the path stays open. */
void media_leg_open(struct media *m, unsigned leg, const struct media_leg *l);

/** Renegotiated: new peer, format or direction. l->fd is ignored. */
void media_leg_update(struct media *m, unsigned leg, const struct media_leg *l);

/** Plays a clip to the caller (go-ahead or preempted tone), cycles as in
 *  struct media_play; clip NULL ends it. MEDIA_PROMPT_DONE follows, and the
 *  clip must live until then. */
void media_leg_prompt(struct media *m, unsigned leg, const struct clip *clip,
		      uint32_t cycles);

struct reel;

/** Keeps what comes in on a leg from now on, heard in a zone or not. With NULL
 *  it ends; what has come by then is kept. MEDIA_RECORDED follows when it is
 *  over in whatever way, and the reel must live until then. One at a time. */
void media_record(struct media *m, unsigned leg, struct reel *reel);

/**
 * Puts an open leg into a conference, out of the one it was in; room -1 takes
 * it out only. While it is in one it is sent what all others there say, in its
 * own codec, and they are sent what it says; a prompt goes before. EINVAL when
 * MEDIA_ROOM_LEGS are in it already. A leg that closes has left.
 */
void media_leg_room(struct media *m, unsigned leg, int room);

/** Closes the leg and its socket; MEDIA_LEG_CLOSED follows. */
void media_leg_close(struct media *m, unsigned leg);

/** Senders by network: an IPv4 one in its IPv6-mapped form, prefix + 96. */
struct media_net {
	uint8_t addr[16];
	uint8_t prefix;
};
#define MEDIA_MAX_ALLOW 32

/** A stream that others send to a group or to us, whenever they like. */
struct media_listen {
	int fd; /**< bound (to the group itself, so that no other group on the
		     port leaks in) and joined; the engine owns and closes it */
	struct format fmt; /**< what is heard; ptime does not matter */
	/** 0: RTP; else Polycom phones on this channel or group (1-50), their
	 *  payload type and ptime do not matter. */
	uint8_t polycom;
	uint32_t hang_ms; /**< so long without a packet: he is over */
	unsigned n_allow; /**< 0 = anybody */
	struct media_net allow[MEDIA_MAX_ALLOW];
};

/**
 * Opens leg `leg`, which must not be in use up to MEDIA_LEG_CLOSED, to listen.
 *
 * A stream begins with its second packet in order, the first one being kept,
 * and MEDIA_STREAM_BEGAN follows; one who begins meanwhile is not heard, nor
 * are packets of another payload type or size. A stream that carries an SSRC
 * of our own outputs, as its source or a contributing one, never begins.
 *
 * Of Polycom phones the first sound after an alert begins, or the second
 * without one; their ends end it. Of two that talk the lower serial is heard.
 */
void media_listen_open(struct media *m, unsigned leg,
		       const struct media_listen *l);

struct tape;

/** Opens leg `leg`, which must not be in use up to MEDIA_LEG_CLOSED, to play a
 *  tape to the live source made of it. The tape must live until then. */
void media_tape_open(struct media *m, unsigned leg, struct tape *tape);

/* Not staged: readings, any thread. */

/** Why packets are not heard. */
enum media_unheard {
	UNHEARD_OWN,     /**< our own outputs' sound: a loop */
	UNHEARD_SECOND,  /**< of one who talks into another's stream */
	UNHEARD_FOREIGN, /**< of senders that are not allowed */
	UNHEARD_TYPE,    /**< not the protocol, or of another payload type */
	UNHEARD_SIZE,    /**< no whole samples, under 5 or over 60 ms */
	UNHEARD_COUNT
};

/** What a leg that listens has heard, in packets since it was opened. */
struct media_listen_stats {
	uint64_t heard; /**< taken as sound */
	struct {
		uint64_t n;
		struct sockaddr_in6 by; /**< whose was the last */
	} unheard[UNHEARD_COUNT];
	uint16_t last_type; /**< payload type (Polycom: codec) that was wrong,
				 MEDIA_NO_TYPE = not the protocol */
	uint16_t last_size; /**< bytes that were wrong */
	struct sockaddr_in6 from; /**< who talks, or talked last; IPv4
				       mapped, family 0 = nobody yet */
};

/** Reads them; all zero for a leg that does not listen. Control thread. */
void media_listen_stats(const struct media *m, unsigned leg,
			struct media_listen_stats *s);

/** Level of digital silence, in -dBFS. */
#define MEDIA_SILENT 127

struct media_output_stats {
	uint64_t packets; /**< sent in its life */
	uint64_t errors;
	uint8_t level; /**< now, -dBFS, up to MEDIA_SILENT */
	bool sounding;
	uint32_t ssrc; /**< of its stream */
	bool open; /**< Polycom: alerts are behind it, sound is heard at once */
};

/** Does the output leave by a packet socket? Control thread. */
bool media_output_link(const struct media *m, unsigned index);

/** Reads one output's counters. */
void media_output_stats(const struct media *m, unsigned index,
			struct media_output_stats *s);

struct media_stats {
	uint64_t ticks, late_ticks; /**< late: over 1 ms behind its deadline */
	uint32_t max_late_us;
	uint64_t packets, send_calls;
	uint64_t encodes; /**< packets encoded at run time: of live and mixed
			     sound, never of a message alone */
	uint64_t uncoded; /**< packets that were silent, or left a message out,
			     because every encoder or decoder was in use */
};

/** Reads the engine's counters. */
void media_stats(const struct media *m, struct media_stats *s);

#endif
