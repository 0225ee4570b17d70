/**
 * Inside the media engine: what its files share. Nobody else includes this.
 *
 * Everything in struct engine belongs to the media thread, but for the
 * counters marked _Atomic, which any thread may read. Allocation, sockets and
 * tables are made by the control side (media.c, socket.c) and come in with
 * commands; what is no longer needed goes back with a report.
 *
 *  engine.c   the thread's loop     source.c  slots: what sounds, and when
 *  command.c  carries batches out   feed.c    packets made once for many
 *  route.c    who hears what        output.c  streams, sendmmsg
 *  line.c     what leaves later     report.c  what the control side is told
 *  leg.c      a call's RTP          hear.c    streams listened to
 *  fade.c     the packet at a switch track.c   a caller's sound
 *  coders.c   encoders, decoders    deck.c    tapes (music)
 *  record.c   what a talker says  room.c     calls that hear one another
 */
#ifndef TOCSIN_ENGINE_H
#define TOCSIN_ENGINE_H

#include "controller/base/ring.h"
#include "zones/engine/callseal.h"
#include "zones/engine/endpoint.h"
#include "zones/engine/frame.h"
#include "zones/engine/keys.h"
#include "zones/engine/line.h"
#include "zones/engine/listen.h"
#include "zones/engine/packet.h"
#include "zones/engine/playout.h"
#include "zones/engine/polyphase.h"
#include "zones/engine/unreach.h"
#include "zones/media.h"
#include "zones/reel.h"
#include "zones/sound/coder.h"
#include "zones/tape.h"

#include <linux/if_packet.h>
#include <stdatomic.h>

#define ENGINE_NEVER UINT64_MAX
/** Everything due within this time is sent with one wake-up. */
#define ENGINE_COALESCE_US 500
/** Sources and calls of different beginnings come to share wake-ups: after
 *  the first packet, which never waits, each moves to this grid, a little
 *  earlier with every packet. */
#define ENGINE_GRID_US 20000
#define ENGINE_GATHER_US 250
#define ENGINE_SKIP_MS 100
#define ENGINE_MAX_MS 60
#define ENGINE_MAX_SAMPLES (48 * ENGINE_MAX_MS)
#define ENGINE_MAX_PAYLOAD (2 * ENGINE_MAX_SAMPLES)
/** Sample rates that formats may have. */
#define ENGINE_RATES 5
#define ENGINE_COMMANDS 8192
#define ENGINE_REPORTS 4096
/** Gains: UNITY is 0 dB. */
#define ENGINE_UNITY (1 << 24)
/** Until media_ramps() says otherwise. */
#define ENGINE_RAMP_MS 100
/** What is cut off in the middle dies away within one packet, in this time;
 *  what begins in the middle comes up in it. */
#define FADE_MS 8
#define FADE_MAX (48 * FADE_MS)
/** Sounds that may be cut off with one batch and still fade; what is beyond is
 *  cut hard. */
#define FADES 256

/** Index of a rate among the supported ones, -1 for another. */
int engine_rate(uint32_t rate);

/** Our own RTP stream: where it begins, and what comes next. The timestamp is
 *  kept in 64 bits so that a silence of days is still measured right. */
struct stream {
	uint32_t ssrc;
	uint16_t seq;
	uint64_t ts, base_ts, base_us;
	bool mark; /**< next packet: marker, and timestamp by real time */
};

/** A gain on its way: from one sample to the next it goes on by `step` until
 *  it is at its target. */
struct ramp {
	int32_t now, target, step;
};

static inline int32_t ramp_next(struct ramp *r)
{
	int32_t left = r->target - r->now;

	if (left > r->step)
		r->now += r->step;
	else if (left < -r->step)
		r->now -= r->step;
	else
		r->now = r->target;
	return r->now;
}

static inline bool ramp_is(const struct ramp *r, int32_t gain)
{
	return r->now == gain && r->target == gain;
}

static inline bool ramp_equal(const struct ramp *a, const struct ramp *b)
{
	return a->now == b->now && a->target == b->target &&
	       (a->step == b->step || a->now == a->target);
}

enum { /* output.fade, beside the number of a fade */
       FADE_NONE = -1,
       FADE_IN = -2, /**< nothing was cut off, but it begins in the middle */
       FADE_UNKNOWN = -3, /**< of a feed: not cut in this batch */
       FADE_REST = -4,    /**< silence first, for CODER_REST_MS: its receivers'
			     decoders are elsewhere, and no encoder is free */
};

/** The way of an output that leaves by a packet socket. */
struct way {
	int fd; /**< shared, -1 = the output has none: it uses its socket */
	struct sockaddr_ll to;
	uint8_t head[FRAME_HEAD];
};

struct output {
	bool used;
	bool fresh;         /**< its feed has not sent it anything yet */
	int16_t fade;       /**< how the feed's first packet is faded */
	uint16_t rested_ms; /**< FADE_REST: how long it has been silent so far
			     */
	int fd;             /**< shared, -1 = none could be made */
	union endpoint dst;
	struct way way;
	struct format fmt;
	int fg, bg; /**< slots as routed, -1 = none */
	int32_t duck;
	int32_t volume; /**< set at run time, over the format's gain */
	struct stream stream;
	int feed, prev, next; /**< place in a feed, -1 = silent */
	int lead_slot;        /**< what is heard, and which playing of it */
	uint32_t lead_play;
	uint8_t urgency;  /**< level of what is, or was last, heard */
	uint64_t beat_us; /**< silent for so long: a packet of silence; 0 = none
			   */
	uint64_t sent_us; /**< when it was last seen to carry something */
	int err, err_told;
	uint64_t err_us;      /**< of an error that came later, else 0 */
	struct line *line;    /**< NULL = packets leave as they are made */
	struct line *garbage; /**< to be freed by the control side */
	_Atomic uint64_t packets, errors;
	_Atomic uint8_t level;
	_Atomic bool sounding, open;
	_Atomic uint32_t ssrc; /**< stream.ssrc, for other threads */
};

enum slot_kind { SLOT_FREE, SLOT_CLIP, SLOT_LIVE };

enum { /* reports owed for a slot */
       OWE_FIRST = 1,
       OWE_FINISHED = 2,
       OWE_FREE = 4,
};

struct slot {
	enum slot_kind kind;
	const struct clip *clip;
	uint64_t tag, old_tag;
	int leg;
	uint32_t cycles, play; /**< play numbers the sounding in this slot */
	uint8_t level;
	uint64_t quiet_us; /**< live: silent before this */
	bool paused, finished, gathered, first_sent;
	/* Microseconds since t0: end of the lead silence, one cycle, end. */
	uint64_t t0, gather_us, paused_us, grid_us, lead_us, cycle_us, end_us;
	uint64_t first_us;
	unsigned first_n, owed;
};

/** Where one feed has got to in one slot. */
struct cursor {
	int idx;     /**< encoding of the clip, -1 = it has none */
	int64_t pos; /**< next packet of the clip, counted from t0 */
	struct playout_reader reader;
	/* Of a clip whose packets do not stand for themselves. */
	struct decoder *dec;
	int64_t dec_pos; /**< packet it would take next */
	bool continued;  /**< was sent as it is, up to here */
};

/** What is said of a payload. */
struct made {
	size_t bytes;
	uint8_t level; /**< -dBFS */
	bool wait;     /**< none yet: a live source's packet is waited for */
};

/** One combination of sound and format: its packet is made once and sent to
 *  every output of its list. */
struct feed {
	bool used;
	int fg, bg; /**< slots that run, -1 = none; both -1: the tail */
	struct format fmt;
	uint32_t n, ticks; /**< of one packet: samples, RTP clock */
	size_t most_bytes; /**< of its payload */
	uint64_t period_us, last_us;
	struct ramp gain;   /**< of the background */
	struct ramp volume; /**< of all of it */
	uint32_t tail;      /**< packets of silence left */
	bool joined;        /**< some output is fresh */
	bool kept;          /**< its last packet's end is in engine.kept */
	struct cursor fgc, bgc;
	struct encoder *enc; /**< while it mixes or transcodes */
	int16_t bridge; /**< the fade its first packet, and its encoder, begin
			   with; FADE_NONE */
	bool carry;     /**< its encoder goes on: its receivers' decoders are
			   where only that leads them on from */
	bool merge;     /**< it need not be apart from its like any more */
	uint32_t carried_ms; /**< with nothing else to need it */
	uint8_t level;       /**< of its last packet, -dBFS */
	uint8_t quiet; /**< packets in a row that were too soft to matter */
	int first, last;
	unsigned n_outputs;
};

/** Keys pressed faster than they are told. */
#define LEG_KEYS 16

struct leg {
	bool used, latched, heard, recv, send;
	int fd;
	uint32_t opened; /**< numbers the use of this index */
	union endpoint remote;
	struct format fmt;
	uint8_t event_pt;
	struct playout *playout;
	struct playout *garbage; /**< to be freed by the control side */
	struct callseal *seal;   /**< NULL = not encrypted */
	struct callseal *waste;  /**< as garbage */
	struct listen *listen; /**< not a call's; belongs to the control side */
	struct tape *tape;     /**< the same: what is played instead of heard */
	uint16_t tape_seq;
	uint32_t tape_ts;
	uint64_t tape_us;             /**< when its next frame is due */
	struct reel *reel;            /**< the same: what keeps its sound */
	struct playout_reader reader; /**< of that */
	uint64_t rx_us, silent_us;
	bool silent;
	/* Of a leg that listens: */
	bool talks;
	uint32_t talker, streams; /**< his SSRC; how many began */
	bool told_talks;          /**< as the control side knows it */
	uint32_t told_streams;
	struct stream stream;
	uint64_t last_us, beat_us; /**< beat: next packet made of its sound */
	const struct clip *prompt;
	int prompt_idx;
	uint32_t prompt_cycles;
	uint64_t prompt_pos;
	unsigned room; /**< number + 1 of the conference it is in, 0 = none */
	struct playout_reader ear[MEDIA_ROOM_LEGS]; /**< of each seat there */
	struct encoder *enc; /**< lent for what it is sent from there */
	const void *sent;    /**< what it was last sent the sound of */
	uint32_t rested_ms;  /**< silence since then */
	uint32_t foreign, wrong_type, unsealed;
	union endpoint foreign_by; /**< the last one */
	uint16_t wrong_pt;         /**< the last one */
	struct unreach unreach;    /**< where it is sent to */
	struct keys keys;
	/* Reports owed. */
	char pressed[LEG_KEYS];
	uint8_t n_pressed;
	bool owe_rtp, owe_silent, owe_closed, owe_recorded, owe_unreach;
	unsigned owe_prompt;
	int prompt_err;
};

/** Calls that hear one another. */
struct room {
	uint16_t seat[MEDIA_ROOM_LEGS]; /**< leg + 1, 0 = free */
};

/** What an output would have heard next, had it not been cut off. */
struct fade {
	unsigned refs;
	bool ended; /**< it came to its own end: there is nothing to hear */
	enum codec codec;
	struct encoder *enc; /**< where its receivers' decoders are */
	int16_t pcm[FADE_MAX];
};

/** Most messages handed to the kernel in one call: with more the buffers fall
 *  out of the first cache. Payloads up to BATCH_INLINE bytes are copied behind
 *  their header, which the kernel takes in sooner than two pieces; both were
 *  measured at 500 outputs. */
#define BATCH_MESSAGES 64
#define BATCH_INLINE 1024
/** Bytes of payload made for one batch. */
#define BATCH_ARENA 65536

struct batch {
	int fd;
	unsigned n;
	size_t arena_used;
	struct mmsghdr msg[BATCH_MESSAGES];
	struct iovec iov[BATCH_MESSAGES][2];
	uint8_t packet[BATCH_MESSAGES]
		      [FRAME_HEAD + PACKET_HEADER + BATCH_INLINE];
	bool framed; /**< by a packet socket: each begins with a frame's head */
	uint16_t output[BATCH_MESSAGES];
	uint8_t target[BATCH_MESSAGES]; /**< 0 = its own address, else fan */
	uint8_t arena[BATCH_ARENA];
	/* Slots whose very first packet is in here. */
	unsigned n_first;
	uint16_t first[MEDIA_MAX_SLOTS];
};

enum command_type {
	COMMAND_OUTPUT,
	COMMAND_OUTPUT_OFF,
	COMMAND_CLOSE, /**< a socket no output uses any more */
	COMMAND_PLAY,
	COMMAND_SLOT,
	COMMAND_LIVE,
	COMMAND_RESTART,
	COMMAND_PAUSE,
	COMMAND_STOP,
	COMMAND_ROUTE,
	COMMAND_VOLUME,
	COMMAND_RAMPS,
	COMMAND_LEG_OPEN,
	COMMAND_LEG_UPDATE,
	COMMAND_LEG_PROMPT,
	COMMAND_LEG_CLOSE,
	COMMAND_LEG_ROOM,
	COMMAND_RECORD,
	COMMAND_RATE,
	COMMAND_CODER,
};

struct command {
	enum command_type type;
	unsigned index;
	union {
		struct {
			int fd, err;
			union endpoint dst;
			struct way way;
			struct format fmt;
			uint32_t ssrc, ts, beat_ms;
			uint16_t seq;
			struct line *line;
		} output;
		struct {
			const struct clip *clip;
			uint32_t cycles, lead_ms;
			uint64_t tag;
		} play;
		struct {
			unsigned leg;
			uint64_t tag;
		} live;
		struct {
			uint8_t level;
			uint32_t quiet_ms;
		} slot;
		struct {
			struct media_set set;
			int fg, bg;
			int32_t duck;
		} route;
		struct {
			struct media_set set;
			int32_t gain;
		} volume;
		struct {
			uint32_t down_ms, back_ms;
		} ramps;
		struct {
			int fd;
			union endpoint remote;
			struct format fmt;
			uint8_t event_pt;
			bool send, recv;
			uint32_t ssrc, ts;
			uint16_t seq;
			struct playout *playout; /**< NULL: keep the old */
			struct callseal *seal;   /**< NULL: none */
			struct listen *listen;
			struct tape *tape;
		} leg;
		struct {
			const struct clip *clip;
			uint32_t cycles;
		} prompt;
		struct reel *reel;
		int room;
		struct {
			int from, to;
			struct polyphase *table;
		} rate;
		struct {
			enum codec codec;
			struct encoder *enc;
			struct decoder *dec;
		} coder;
		int fd;
		bool paused;
	};
};

/** A report and what the control side frees with it. */
struct report {
	struct media_report r;
	bool internal; /**< nothing to tell, only to free */
	struct playout *garbage;
	struct callseal *waste;
	struct line *line;
};

/** Encoders, and decoders, of one codec at most. Of Opus there are fewer: one
 *  takes 43 kB and, live, some 1 % of a core. */
#define ENGINE_CODERS 256
#define ENGINE_OPUS_ENCODERS 64
#define ENGINE_OPUS_DECODERS 32

struct coders {
	struct encoder *enc[ENGINE_CODERS];
	struct decoder *dec[ENGINE_CODERS];
	unsigned n_enc, n_dec;
};

#define RX_MESSAGES 8
#define RX_BYTES (ENGINE_MAX_PAYLOAD + 512)

struct engine {
	uint32_t tail_ms;
	uint64_t leg_silence_us, skip_us;
	struct ring *commands, *reports;
	int command_fd, report_fd, epoll_fd, timer_fd;
	uint64_t armed_us;

	uint64_t feed_due[MEDIA_MAX_OUTPUTS];
	uint64_t line_due[MEDIA_MAX_OUTPUTS];
	uint64_t slot_due[MEDIA_MAX_SLOTS];
	uint64_t leg_due[MEDIA_MAX_LEGS];
	unsigned n_feeds;  /**< highest feed in use + 1 */
	unsigned n_lines;  /**< highest output with a line + 1 */
	uint64_t beats_us; /**< next look for outputs that need a beat */

	uint64_t dirty[MEDIA_MAX_OUTPUTS / 64]; /**< outputs to be placed */
	bool is_dirty;
	bool firsts; /**< a slot's first packets are on their way */
	bool owing;  /**< some report could not be, or is not yet, made */
	bool told;   /**< the control side is to be woken */
	uint64_t late_told_us;
	uint32_t late_us; /**< owed, 0 = none */

	uint32_t ramp_down_ms, ramp_back_ms;
	struct fade fade[FADES];
	/** Feeds cut in this batch, and the fade of each. */
	uint16_t cut[MEDIA_MAX_OUTPUTS];
	int16_t cut_fade[MEDIA_MAX_OUTPUTS];
	unsigned n_cut;
	int16_t kept[MEDIA_MAX_OUTPUTS][FADE_MAX]; /**< of feeds: their last
						      samples */
	int16_t fade_out[FADE_MAX]; /**< half a cosine, 32767 to 0 */
	uint8_t faded[ENGINE_MAX_PAYLOAD];

	struct polyphase *rate[ENGINE_RATES][ENGINE_RATES];
	struct coders coders[CODEC_COUNT];
	uint8_t silence[CODEC_COUNT][ENGINE_MAX_PAYLOAD];
	/** Opus: by ptime / 10; the length first. */
	uint8_t opus_silence[ENGINE_MAX_MS / 10 + 1][16];
	int16_t pcm[3][ENGINE_MAX_SAMPLES + POLYPHASE_MAX_TAPS];
	uint8_t spare[ENGINE_MAX_PAYLOAD]; /**< encoded for nobody */
	struct mmsghdr rx_msg[RX_MESSAGES];
	struct iovec rx_iov[RX_MESSAGES];
	union endpoint rx_from[RX_MESSAGES];
	uint8_t rx[RX_MESSAGES][RX_BYTES];
	uint8_t tape_frame[2 * TAPE_MAX_SAMPLES];
	int32_t sum[ENGINE_MAX_SAMPLES];    /**< of those who speak in a room */
	uint8_t summed[ENGINE_MAX_PAYLOAD]; /**< encoded for one of them */

	struct output output[MEDIA_MAX_OUTPUTS];
	struct slot slot[MEDIA_MAX_SLOTS];
	struct feed feed[MEDIA_MAX_OUTPUTS];
	struct leg leg[MEDIA_MAX_LEGS];
	struct room room[MEDIA_MAX_ROOMS];
	struct batch batch;

	_Atomic bool quit;
	_Atomic uint64_t heartbeat_us;
	_Atomic uint64_t ticks, late_ticks, packets, send_calls, encodes,
		uncoded;
	_Atomic uint32_t max_late_us;
};

/** Event of the engine's epoll: a unicast socket has news of its datagrams. */
#define ENGINE_EVENT_SOCKET (UINT64_C(1) << 63)

/* engine.c */
int engine_alloc(struct engine **ep, const struct media_options *opt);
void engine_free(struct engine *e);
void *engine_thread(void *engine);

/** A packet of silence; it lives as long as the engine. */
const uint8_t *engine_silence(const struct engine *e, const struct format *f,
			      size_t *bytes);

/** Softer packets (-dBFS) leave a decoder where any stream may begin. */
#define FEED_QUIET 50

/** Adds to a counter only the media thread writes. */
static inline void engine_count(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c,
			      atomic_load_explicit(c, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/* command.c */
void command_run(struct engine *e, uint64_t now);

/* route.c */
void route_dirty_output(struct engine *e, unsigned i);
/** Marks every output that is routed to a slot. */
void route_dirty_slot(struct engine *e, unsigned slot);
/** Brings every marked output to the feed it belongs to. */
void route_settle(struct engine *e, uint64_t now);
/** Lets the outputs of a feed join another that plays the same. */
void route_merge(struct engine *e, unsigned feed);
/** Takes an output out of its feed, if it is in one. */
void route_leave(struct engine *e, unsigned i);

/* source.c */
void slot_play(struct engine *e, unsigned i, const struct command *c,
	       uint64_t now);
void slot_live(struct engine *e, unsigned i, const struct command *c,
	       uint64_t now);
void slot_restart(struct engine *e, unsigned i, uint64_t now);
void slot_pause(struct engine *e, unsigned i, bool paused, uint64_t now);
void slot_stop(struct engine *e, unsigned i, uint64_t now);
/** Ends the slots whose clips have run out. */
void slot_ends(struct engine *e, uint64_t horizon);
/** Does the slot sound (not free, paused or finished)? */
bool slot_runs(const struct engine *e, int i);
/** Would a feed that joins it now begin in the middle of its sound? */
bool slot_mid(const struct engine *e, int i, uint64_t now);
/** Playout buffer behind a live slot, NULL = none. */
struct playout *slot_playout(const struct engine *e, const struct slot *s);
/** The leg of live slots has another buffer, or is gone. */
void slots_leg_changed(struct engine *e, unsigned leg, uint64_t now);
void slots_leg_gone(struct engine *e, unsigned leg);
/** After a packet: one step nearer to the common grid; true when its feeds are
 *  to be scheduled anew. */
bool slot_gather(struct engine *e, unsigned i, uint64_t now);

/** Puts a cursor where the slot is now. */
void cursor_init(struct engine *e, struct cursor *c, int slot,
		 const struct feed *f, uint64_t now);
/** When the slot's next packet is due for this feed. */
uint64_t cursor_due(struct engine *e, struct cursor *c, int slot,
		    const struct feed *f);

/**
 * The next packet's payload as a foreground (or alone).
 *
 * @param dst  room for it where it is not at hand already
 * @return the payload; NULL with made->wait
 */
const uint8_t *cursor_payload(struct engine *e, struct cursor *c, int slot,
			      struct feed *f, uint8_t *dst, struct made *made,
			      uint64_t now);

/** The same as samples in the feed's rate; false = wait. `follow`: as a
 *  background, at another source's times. */
bool cursor_samples(struct engine *e, struct cursor *c, int slot,
		    struct feed *f, int16_t *dst, bool follow, uint64_t now);

/** RMS level of samples in -dBFS. */
uint8_t level_of(const int16_t *s, size_t n);

/* feed.c */
void feed_init(struct engine *e, unsigned i, int fg, int bg,
	       const struct format *fmt, uint64_t now);
/** Recomputes when the feed's next packet is due. */
void feed_schedule(struct engine *e, unsigned i);
/** A leg got something: feeds that play it may be due sooner. */
void feed_schedule_leg(struct engine *e, unsigned leg);
void feeds_run(struct engine *e, uint64_t horizon, uint64_t now);

/** Encodes one packet of the feed; silence when no encoder is left. Returns
 *  dst. */
const uint8_t *feed_encode(struct engine *e, struct feed *f, uint8_t *dst,
			   const int16_t *pcm, struct made *made);

/** Lets a feed that does not encode yet hear a packet's worth of what its
 *  receivers heard last, so that its first packet goes on from there. */
void feed_prime(struct engine *e, struct feed *f, const int16_t *pcm);
/** A feed goes on with what another is doing. */
void feed_take_over(struct engine *e, struct feed *f, const struct feed *old,
		    bool fg, bool bg);
/** Its packets go on from where another encoder has got to. */
void feed_carry(struct engine *e, struct feed *f, const struct encoder *from);
/** Are its receivers' decoders where any stream may begin? */
bool feed_rests(const struct feed *f);
/** Gives back what was lent to it. */
void feed_release(struct engine *e, struct feed *f);

/* coders.c */
/** Lends one; NULL when all are in use. */
struct encoder *coders_encoder(struct engine *e, enum codec codec);
struct decoder *coders_decoder(struct engine *e, enum codec codec);
/** Takes back (or, from the control side, gets) what is not NULL. */
void coders_put(struct engine *e, enum codec codec, struct encoder *enc,
		struct decoder *dec);

/* fade.c */
void fades_init(struct engine *e);
/**
 * Makes the fade of a feed that is about to lose what it sounds: before its
 * slots change. Once per batch; later calls give the same.
 *
 * @return its number, without a reference; FADE_NONE when nothing is cut off
 */
int fade_cut(struct engine *e, unsigned feed, uint64_t now);
/** The same for every feed of a slot. */
void fade_cut_slot(struct engine *e, unsigned slot, uint64_t now);
/** The batch has been carried out: fades no output took are given back. */
void fade_settle(struct engine *e);
/** Sets what an output's next packet is faded with; holds a reference. */
void fade_take(struct engine *e, unsigned output, int fade);
/** Keeps the end of a packet that was made from samples. */
void fade_keep(struct engine *e, unsigned feed, const int16_t *pcm);
/** Makes an output's faded payload in e->faded, from the plain one. */
/** Blends a fade into a packet of samples. */
void fade_pcm(const struct engine *e, const struct feed *f, int fade,
	      int16_t *s);
void fade_payload(struct engine *e, const struct feed *f, int fade,
		  const uint8_t *payload);

/* output.c */
void stream_begin(struct stream *s, uint32_t ssrc, uint16_t seq, uint32_t ts,
		  uint64_t now);
/** Writes the stream's next header and goes on by n ticks of its clock. */
void stream_header(struct stream *s, uint8_t *dst, uint8_t pt, uint32_t clock,
		   uint32_t n, uint64_t now);
/** One packet of an output, due at `due`: queued, or put into its line. The
 *  payload must stay until batch_flush(). */
void output_send(struct engine *e, unsigned i, const uint8_t *payload,
		 size_t bytes, uint32_t n, uint64_t due, uint64_t now);
/** Looks anew when something of an output's line is due. */
void output_schedule(struct engine *e, unsigned i);
/** Gives an output its line (NULL = none); the old one goes back. */
void output_line(struct engine *e, unsigned i, struct line *l);
/** Queues what is due of every line. */
void lines_run(struct engine *e, uint64_t horizon);
/** Sends a packet of silence on outputs that have been silent for their
 *  beat; looks once a second while there are such outputs. */
void outputs_beat(struct engine *e, uint64_t now);
/** Room in the batch's arena, valid until batch_flush(). */
uint8_t *batch_room(struct engine *e, size_t bytes);
void batch_flush(struct engine *e);
/** Notes that the next packet added is the slot's very first. */
void batch_first(struct engine *e, unsigned slot);
/** Notes the outcome of sending (0 or errno) to the output's own address
 *  (target 0) or its fan, to be reported on a change. */
void output_outcome(struct engine *e, unsigned i, unsigned target, int err);
/** Takes what the network said about datagrams of a unicast socket. */
void output_errors(struct engine *e, int fd, uint64_t now);

/* leg.c */
void leg_open(struct engine *e, unsigned i, const struct command *c,
	      uint64_t now);
void leg_update(struct engine *e, unsigned i, const struct command *c,
		uint64_t now);
void leg_prompt(struct engine *e, unsigned i, const struct clip *clip,
		uint32_t cycles, uint64_t now);
void leg_close(struct engine *e, unsigned i);
void leg_record(struct engine *e, unsigned i, struct reel *reel, uint64_t now);
void leg_receive(struct engine *e, unsigned i);
/** Its socket has something to say about where it is sent to. */
void leg_errors(struct engine *e, unsigned i, uint64_t now);
/** Sends what is due to callers, and notices the silent. */
void legs_run(struct engine *e, uint64_t horizon, uint64_t now);
void leg_stats(const struct leg *l, struct media_leg_stats *s, uint64_t now);

/* hear.c */
/** Takes one datagram of a leg that listens. */
void hear(struct engine *e, unsigned leg, const union endpoint *from,
	  const uint8_t *buf, size_t len, uint64_t now);
/** The same of a leg that listens to Polycom phones: hear_polycom.c. */
void hear_polycom(struct engine *e, unsigned leg, const union endpoint *from,
		  const uint8_t *buf, size_t len, uint64_t now);
/** Nothing came for so long: he is over. */
void hear_end(struct engine *e, unsigned leg);

/* deck.c */
/** The slot that plays a leg's tape runs from now on, or does not. */
void deck_run(struct engine *e, int leg, bool on, uint64_t now);
/** The next frame is due. */
void deck_turn(struct engine *e, unsigned leg, uint64_t now);

/* report.c */
/** Hands a buffer back to be freed. */
void report_garbage(struct engine *e, unsigned leg, struct playout *p);

/** The same for a seal that is not used any more; NULL is fine. */
void report_waste(struct engine *e, unsigned leg, struct callseal *c);
/** The same for an output's line. */
void report_line(struct engine *e, unsigned output, struct line *l);
/** Makes every report that is owed; what does not fit stays owed. */
void reports_make(struct engine *e, uint64_t now);

/* record.c */
void record_begin(struct engine *e, unsigned leg, struct reel *reel,
		  uint64_t now);
/** When the next frame is to be kept, ENGINE_NEVER = none. */
uint64_t record_due(struct leg *l);
void record_turn(struct engine *e, unsigned leg, uint64_t now);
void record_end(struct engine *e, unsigned leg);
/** Goes on from here: what came before is passed over. */
void record_rejoin(struct leg *l, uint64_t now);

/* room.c */
/** Puts a leg into a room, out of the one it was in; -1 = only out. */
void room_join(struct engine *e, unsigned leg, int room, uint64_t now);
/** A leg's format or buffer is another: all begin anew with it. */
void room_changed(struct engine *e, unsigned leg, uint64_t now);
/** Gives back the encoder a leg was lent; before its format changes. */
void room_release(struct engine *e, struct leg *l);
/** The leg's next packet out of its room; NULL when nobody else is there. It
 *  stays until the next call. */
const uint8_t *room_payload(struct engine *e, struct leg *l, size_t *bytes,
			    uint64_t now);

#endif
