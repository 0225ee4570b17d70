#include "zones/engine/playout.h"

#include "zones/engine/track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS INT64_C(1000000)
/* The wait of the fastest and of the slowest packet is remembered for
 * BUCKETS times BUCKET_US. */
#define BUCKETS 5
#define BUCKET_US 1000000
/* How much nearer the schedule may come with one packet: half a percent of
 * 20 ms in the long run, more while a stream is young or far behind. */
#define CREEP_NS (MS_NS / 10)
#define CREEP_YOUNG_NS MS_NS
#define CREEP_FAR_NS (MS_NS / 2)
#define FAR_NS (20 * MS_NS)
#define YOUNG_PACKETS 25
/* A packet that others overtook moves the schedule back this far at most: one
 * straggler is not worth the delay of all that follows. */
#define STRAGGLER_NS (60 * MS_NS)
/* RFC 3550 A.1: sequence numbers further away are another stream. */
#define MAX_DROPOUT 3000
#define MAX_MISORDER 100
/* So many frames in a row are waited for before one is made up. */
#define REPEATS 3
#define REPHASE_US 500000

struct bucket {
	uint64_t since_us;
	int64_t min_ns, max_ns; /**< by how much packets came before time */
};

struct playout {
	uint32_t clock; /**< ticks a second; positions count them */

	uint32_t epoch; /**< 0 = nothing came yet */
	int64_t start;  /**< its first position */
	bool restart;   /**< what comes next begins an epoch */
	uint32_t ssrc, ts;
	int64_t ts_x;  /**< position of timestamp ts */
	uint16_t step; /**< ticks of the newest packet */

	/* The schedule: position due_x is due at due_ns. */
	int64_t due_x, due_ns;
	struct bucket bucket[BUCKETS];
	uint32_t young; /**< packets of this epoch, up to YOUNG_PACKETS */

	uint16_t seq;  /**< newest */
	uint64_t seen; /**< bit i: seq - i came */
	int64_t transit_us;
	int64_t jitter_16us; /**< jitter in 1/16 us */
	uint32_t expected, unique;
	struct playout_stats stats;

	struct track *track;
};

int playout_alloc(struct playout **pp, const struct format *f)
{
	struct playout *p;
	int err;

	if (!pp || !f)
		return EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return ENOMEM;
	err = track_alloc(&p->track, f->codec, f->rate, f->clock);
	if (err) {
		playout_free(p);
		return err;
	}
	p->clock = f->clock;
	*pp = p;
	return 0;
}

struct playout *playout_free(struct playout *p)
{
	if (!p)
		return NULL;
	track_free(p->track);
	free(p);
	return NULL;
}

void playout_inherit(struct playout *p, const struct playout *from)
{
	playout_stats(from, &p->stats);
}

/* ----------------------------------------------------------- the schedule */

static int64_t span_ns(const struct playout *p, int64_t ticks)
{
	return ticks * 1000 * MS_NS / p->clock;
}

static int64_t due_ns(const struct playout *p, int64_t x)
{
	return p->due_ns + span_ns(p, x - p->due_x);
}

static int64_t fastest_ns(const struct playout *p)
{
	int64_t max = INT64_MIN;

	for (unsigned i = 0; i < BUCKETS; i++)
		if (p->bucket[i].since_us && p->bucket[i].max_ns > max)
			max = p->bucket[i].max_ns;
	return max == INT64_MIN ? PLAYOUT_MARGIN_US * 1000 : max;
}

static int64_t slowest_ns(const struct playout *p)
{
	int64_t min = INT64_MAX;

	for (unsigned i = 0; i < BUCKETS; i++)
		if (p->bucket[i].since_us && p->bucket[i].min_ns < min)
			min = p->bucket[i].min_ns;
	return min == INT64_MAX ? PLAYOUT_MARGIN_US * 1000 : min;
}

static void note_slack(struct playout *p, int64_t slack, uint64_t now)
{
	struct bucket *b = &p->bucket[0];

	if (!b->since_us || now - b->since_us > BUCKET_US) {
		memmove(p->bucket + 1, p->bucket,
			sizeof(p->bucket) - sizeof(p->bucket[0]));
		*b = (struct bucket){now ? now : 1, slack, slack};
	}
	if (slack < b->min_ns)
		b->min_ns = slack;
	if (slack > b->max_ns)
		b->max_ns = slack;
}

/** Moves the schedule; what is remembered moves along. */
static void move(struct playout *p, int64_t by_ns)
{
	p->due_ns += by_ns;
	for (unsigned i = 0; i < BUCKETS; i++) {
		p->bucket[i].min_ns += by_ns;
		p->bucket[i].max_ns += by_ns;
	}
}

/** Another stream, or the same after a jump: it goes on behind what is here,
 *  with the delay that was found necessary. */
static void begin_epoch(struct playout *p, uint32_t ts, uint64_t now)
{
	int64_t delay = fastest_ns(p);

	if (delay < PLAYOUT_MARGIN_US * 1000)
		delay = PLAYOUT_MARGIN_US * 1000;
	if (delay > PLAYOUT_MAX_DELAY_US * INT64_C(1000))
		delay = PLAYOUT_MAX_DELAY_US * INT64_C(1000);
	p->stats.resyncs += p->epoch != 0;
	if (!++p->epoch)
		p->epoch = 1;
	p->start = track_end(p->track);
	track_rewind(p->track, p->start);
	p->ts = ts;
	p->ts_x = p->due_x = p->start;
	p->due_ns = (int64_t)now * 1000 + delay;
	memset(p->bucket, 0, sizeof(p->bucket));
	p->young = 0;
}

/** Brings the wait of the slowest recent packet to the margin, gently. */
static void creep(struct playout *p)
{
	int64_t over = slowest_ns(p) - PLAYOUT_MARGIN_US * 1000;
	int64_t step = p->young < YOUNG_PACKETS ? CREEP_YOUNG_NS
		       : over > FAR_NS          ? CREEP_FAR_NS
						: CREEP_NS;

	if (over > step)
		move(p, -step);
	else if (over > CREEP_NS)
		move(p, -over);
	else if (over < -CREEP_NS)
		move(p, CREEP_NS);
}

/* --------------------------------------------------------------- counting */

/** @return false for a packet that came before */
static bool count_seq(struct playout *p, uint16_t seq)
{
	uint16_t ahead = (uint16_t)(seq - p->seq);
	uint16_t behind = (uint16_t)(p->seq - seq);

	if (!p->unique || (ahead >= MAX_DROPOUT && behind >= MAX_MISORDER)) {
		p->seq = seq;
		p->seen = 1;
		p->expected++;
	} else if (ahead && ahead < MAX_DROPOUT) {
		p->seen = ahead < 64 ? p->seen << ahead | 1 : 1;
		p->seq = seq;
		p->expected += ahead;
	} else if (behind < 64) {
		if (p->seen >> behind & 1) {
			p->stats.duplicate++;
			return false;
		}
		p->seen |= UINT64_C(1) << behind;
	}
	p->unique++;
	return true;
}

static void count_jitter(struct playout *p, uint32_t ts, uint64_t now)
{
	int64_t transit =
		(int64_t)now - (int64_t)((uint64_t)ts * 1000000u / p->clock);
	int64_t d = transit - p->transit_us;

	p->transit_us = transit;
	if (p->unique <= 1 || d > 1000000 || d < -1000000)
		return;
	if (d < 0)
		d = -d;
	p->jitter_16us += d - ((p->jitter_16us + 8) >> 4);
}

void playout_stats(const struct playout *p, struct playout_stats *s)
{
	int64_t delay = p->epoch ? fastest_ns(p) / 1000 : 0;

	*s = p->stats;
	s->lost += p->expected > p->unique ? p->expected - p->unique : 0;
	s->jitter_us = (uint32_t)(p->jitter_16us >> 4);
	s->delay_us = delay > 0 ? (uint32_t)delay : 0;
}

/* ---------------------------------------------------------------- writing */

/** Is this packet no part of the running epoch? */
static bool is_jump(const struct playout *p, uint32_t ssrc, int64_t x,
		    bool newest, uint64_t now)
{
	int64_t slack = due_ns(p, x) - (int64_t)now * 1000;

	if (!p->epoch || p->restart || ssrc != p->ssrc)
		return true;
	/* Too early to be kept: the sender's clock jumped forward. */
	if (slack > (PLAYOUT_MAX_DELAY_US + 100000) * INT64_C(1000))
		return true;
	if (!newest)
		return false;
	/* In order, but older than what came before, or later than the
	 * schedule can be moved back. */
	if (x + (int64_t)p->step <=
		    track_end(p->track) - (int64_t)(p->clock / 5) ||
	    -slack + fastest_ns(p) > PLAYOUT_MAX_DELAY_US * INT64_C(1000))
		return true;
	/* After a pause nothing is lost by starting afresh. */
	return (int64_t)now * 1000 - due_ns(p, track_end(p->track)) >
	       PLAYOUT_PAUSE_US * INT64_C(1000);
}

bool playout_put(struct playout *p, uint32_t ssrc, uint16_t seq, uint32_t ts,
		 const uint8_t *payload, size_t bytes, uint64_t now_us)
{
	int64_t now_ns = (int64_t)now_us * 1000, x, slack;
	uint32_t n = track_ticks(p->track, payload, bytes);
	bool newest;

	if (!n)
		return false;
	p->stats.received++;
	if (p->epoch && (p->restart || ssrc != p->ssrc))
		p->seen = 0, p->seq = (uint16_t)(seq - 1);
	if (!count_seq(p, seq))
		return true;
	newest = p->seq == seq;
	count_jitter(p, ts, now_us);
	x = p->ts_x + (int32_t)(ts - p->ts);
	if (is_jump(p, ssrc, x, newest, now_us)) {
		begin_epoch(p, ts, now_us);
		x = p->start;
	}
	p->ssrc = ssrc;
	p->restart = false;
	if (newest) {
		/* Kept near, so that neither 32 bits of timestamp nor the
		 * rounding of a long way matter. */
		p->due_ns = due_ns(p, x);
		p->due_x = x;
		p->ts = ts;
		p->ts_x = x;
		p->step = (uint16_t)n;
	}
	slack = due_ns(p, x) - now_ns;
	if (slack < -PLAYOUT_WAIT_US * INT64_C(1000))
		p->stats.late++;
	if (newest || slack > -STRAGGLER_NS)
		note_slack(p, slack, now_us);
	if (slack < 0 && (newest || slack > -STRAGGLER_NS))
		move(p, -slack + PLAYOUT_MARGIN_US * 1000);
	else
		creep(p);
	if (p->young < YOUNG_PACKETS)
		p->young++;
	if (x >= p->start)
		track_put(p->track, x, n, payload, bytes);
	return true;
}

void playout_restart(struct playout *p)
{
	p->restart = true;
}

/* ---------------------------------------------------------------- reading */

void playout_reader_init(struct playout_reader *r, uint32_t n,
			 uint64_t period_us, uint64_t now_us)
{
	*r = (struct playout_reader){
		.n = n,
		.period_us = period_us,
		.last_us = now_us - period_us,
	};
}

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t t = a % b;

		a = b;
		b = t;
	}
	return a;
}

/** When position x may be read: when the packet that holds the last sample of
 *  any frame of this reader is due. Frames longer than the caller's packets,
 *  or lying across two of them, are complete that much later. */
static uint64_t reader_us(const struct playout *p,
			  const struct playout_reader *r, int64_t x)
{
	int64_t g = gcd(r->n, p->step ? p->step : r->n);
	int64_t phase = (x - p->ts_x) % g;
	int64_t shift;

	if (phase <= 0)
		phase += g;
	shift = r->n - phase;
	return (uint64_t)((due_ns(p, x + shift) + 999) / 1000);
}

/** Goes to a new epoch: to its start, or where it has got to by now. */
static void enter(const struct playout *p, struct playout_reader *r)
{
	bool fresh = r->epoch != 0 || p->young <= 1;
	uint64_t due;

	r->epoch = p->epoch;
	r->waiting = false;
	r->x = p->start;
	due = reader_us(p, r, r->x);
	if (due < r->last_us)
		r->x += (int64_t)((r->last_us - due) / r->period_us + 1) * r->n;
	/* Once in a while the phase may leap to the caller's, so that his
	 * first word does not wait for our old one. */
	if (fresh && r->last_us - r->rephase_us > REPHASE_US) {
		due = reader_us(p, r, r->x);
		if (due < r->last_us + r->period_us) {
			r->rephase_us = r->last_us;
			r->last_us = due - r->period_us;
		}
	}
}

uint64_t playout_due(const struct playout *p, struct playout_reader *r)
{
	uint64_t next, due, lo, hi;

	if (p->epoch && r->epoch != p->epoch)
		enter(p, r);
	next = r->last_us + r->period_us;
	if (!p->epoch)
		return next;
	due = reader_us(p, r, r->x);
	if (r->waiting && !track_complete(p->track, r->x, r->n))
		due += PLAYOUT_WAIT_US;
	lo = next - r->period_us / 8;
	hi = next + PLAYOUT_WAIT_US;
	return due < lo ? lo : due > hi ? hi : due;
}

enum playout_frame playout_take(struct playout *p, struct playout_reader *r,
				uint64_t now_us)
{
	uint64_t due = playout_due(p, r), at;
	bool whole;

	r->frame.epoch = p->epoch;
	r->frame.extended = 0;
	if (!p->epoch) {
		r->last_us = due + PLAYOUT_MAX_DELAY_US < now_us ? now_us : due;
		return PLAYOUT_MADE_UP;
	}
	at = reader_us(p, r, r->x);
	/* Far behind (we were stopped, or the schedule came nearer at once):
	 * what was missed is not caught up with. */
	if (at + PLAYOUT_MAX_DELAY_US / 2 + r->period_us < due ||
	    at + PLAYOUT_MAX_DELAY_US + r->period_us < now_us) {
		uint64_t ref = due > now_us ? due : now_us;

		r->x += (int64_t)((ref - at) / r->period_us) * r->n;
		due = at = reader_us(p, r, r->x);
	}
	whole = track_complete(p->track, r->x, r->n);
	if (at > due + 1000) {
		/* The schedule moved back by more than a wait: something must
		 * sound meanwhile, and nothing of the caller's is skipped. */
		r->frame.x = r->x;
		r->frame.extended = ++r->made_up;
		r->last_us = due;
		return PLAYOUT_MADE_UP;
	}
	if (!whole && !r->waiting &&
	    track_end(p->track) < r->x + (int64_t)r->n &&
	    r->made_up <= REPEATS) {
		r->waiting = true;
		if (playout_due(p, r) > now_us)
			return PLAYOUT_WAIT;
	}
	r->frame.x = r->x;
	r->waiting = false;
	r->made_up = whole ? 0 : r->made_up + 1;
	r->x += r->n;
	r->last_us = due;
	return whole ? PLAYOUT_SOUND : PLAYOUT_MADE_UP;
}

void playout_follow(struct playout *p, struct playout_reader *r,
		    uint64_t now_us)
{
	int64_t off;

	r->frame.epoch = p->epoch;
	r->frame.extended = 0;
	r->last_us = now_us;
	if (!p->epoch)
		return;
	if (r->epoch != p->epoch)
		enter(p, r);
	/* A step aside is a click: only when it has drifted by a frame. */
	off = (int64_t)reader_us(p, r, r->x) - (int64_t)now_us;
	if (off > 0 || off < -2 * (int64_t)r->period_us) {
		int64_t frames = off / (int64_t)r->period_us;

		r->x -= (frames + (off > 0)) * r->n;
	}
	r->frame.x = r->x;
	r->x += r->n;
}

bool playout_coded(const struct playout *p, const struct playout_reader *r,
		   uint8_t *dst, size_t *bytes)
{
	return r->frame.epoch && !r->frame.extended &&
	       track_coded(p->track, r->frame.x, r->n, dst, bytes);
}

void playout_pcm(struct playout *p, const struct playout_reader *r,
		 uint32_t history, int16_t *dst)
{
	if (!r->frame.epoch)
		memset(dst, 0,
		       (history + r->n * track_per_tick(p->track)) *
			       sizeof(*dst));
	else if (r->frame.extended)
		track_extend(p->track, r->frame.x, r->n, r->frame.extended,
			     history, dst);
	else
		track_pcm(p->track, r->frame.x, r->n, history, dst);
}
