/*
 * The control side of the media engine: checks and stages, makes what the
 * media thread must not make (sockets, buffers, tables), frees what it gives
 * back.
 */
#include "zones/engine/engine.h"
#include "zones/engine/socket.h"

#include "controller/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

/** What was told to the media thread, and is put back when a batch fails. */
struct told {
	struct {
		bool used;
		int16_t socket; /**< place in the pool, -1 = none */
		int16_t fan[2]; /**< of its fan by family, the same */
		int16_t link;   /**< its packet socket, the same */
		uint8_t rate;
		enum codec codec;
	} output[MEDIA_MAX_OUTPUTS];
	struct {
		bool used;
		enum codec codec;
		uint32_t rate;
		uint32_t reel_rate; /**< of what it is recorded at; 0 = not
				     */
		uint16_t room;      /**< number + 1 of its conference */
	} leg[MEDIA_MAX_LEGS];
	unsigned encoders[CODEC_COUNT], decoders[CODEC_COUNT];
	bool rate[ENGINE_RATES][ENGINE_RATES];
};

struct media {
	media_report_h *h;
	void *arg;
	struct engine *engine;
	pthread_t thread;
	bool realtime;

	bool staging;
	int err; /**< of the batch */
	struct told now, before;
	struct socket_pool sockets;
	bool sockets_touched;
	struct polyphase *rate[ENGINE_RATES][ENGINE_RATES];
	struct playout *made[MEDIA_MAX_LEGS]; /**< by this batch */
	unsigned n_made;
	struct callseal *made_seal[MEDIA_MAX_LEGS]; /**< the same */
	unsigned n_made_seals;
	struct line *made_line[MEDIA_MAX_OUTPUTS]; /**< the same */
	unsigned n_made_lines;
	/** Of legs that listen, from opening to MEDIA_LEG_CLOSED. */
	struct {
		struct listen *l;
		bool fresh; /**< of this batch */
	} listen[MEDIA_MAX_LEGS];
	/* Lent to the media thread for good, once it was told of them. */
	struct encoder *encoder[CODEC_COUNT][ENGINE_CODERS];
	struct decoder *decoder[CODEC_COUNT][ENGINE_CODERS];
};

static void forget_output(struct media *m, unsigned i)
{
	m->now.output[i].used = false;
	m->now.output[i].socket = -1;
	m->now.output[i].fan[0] = m->now.output[i].fan[1] = -1;
	m->now.output[i].link = -1;
}

/* --------------------------------------------------------- start and end */

static int start_thread(struct media *m, unsigned priority)
{
	struct sched_param sp = {.sched_priority = (int)priority};
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&m->thread, NULL, engine_thread, m->engine);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return err;
	pthread_setname_np(m->thread, "tocsin-media");
	m->realtime =
		priority && !pthread_setschedparam(m->thread, SCHED_FIFO, &sp);
	return 0;
}

int media_alloc(struct media **mp, const struct media_options *opt,
		media_report_h *h, void *arg)
{
	struct media *m;
	int err;

	if (!mp || !opt || !h)
		return EINVAL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return ENOMEM;
	m->h = h;
	m->arg = arg;
	socket_pool_init(&m->sockets);
	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++)
		forget_output(m, i);
	err = engine_alloc(&m->engine, opt);
	if (!err) {
		err = start_thread(m, opt->rt_priority);
		if (err)
			engine_free(m->engine);
	}
	if (err) {
		free(m);
		return err;
	}
	*mp = m;
	return 0;
}

static void wake(struct media *m)
{
	uint64_t one = 1;
	ssize_t r = write(m->engine->command_fd, &one, sizeof(one));

	/* Only a counter at its limit fails: the thread is awake already. */
	(void)r;
}

static void unmake(struct media *m)
{
	while (m->n_made)
		playout_free(m->made[--m->n_made]);
	while (m->n_made_seals)
		callseal_free(m->made_seal[--m->n_made_seals]);
	while (m->n_made_lines)
		line_free(m->made_line[--m->n_made_lines]);
	for (unsigned i = 0; i < MEDIA_MAX_LEGS; i++)
		if (m->listen[i].fresh) {
			free(m->listen[i].l);
			m->listen[i].l = NULL;
		}
}

struct media *media_free(struct media *m)
{
	if (!m)
		return NULL;
	ring_unstage(m->engine->commands);
	unmake(m);
	atomic_store(&m->engine->quit, true);
	wake(m);
	pthread_join(m->thread, NULL);
	engine_free(m->engine);
	for (unsigned i = 0; i < MEDIA_MAX_LEGS; i++)
		free(m->listen[i].l);
	socket_pool_reset(&m->sockets);
	for (int i = 0; i < ENGINE_RATES; i++)
		for (int k = 0; k < ENGINE_RATES; k++)
			polyphase_free(m->rate[i][k]);
	for (int i = 0; i < CODEC_COUNT; i++)
		for (int k = 0; k < ENGINE_CODERS; k++) {
			encoder_free(m->encoder[i][k]);
			decoder_free(m->decoder[i][k]);
		}
	free(m);
	return NULL;
}

bool media_realtime(const struct media *m)
{
	return m->realtime;
}

int media_report_fd(const struct media *m)
{
	return m->engine->report_fd;
}

void media_poll(struct media *m)
{
	struct report r;
	uint64_t n;
	ssize_t got = read(m->engine->report_fd, &n, sizeof(n));

	(void)got;
	while (ring_pop(m->engine->reports, &r)) {
		playout_free(r.garbage);
		callseal_free(r.waste);
		line_free(r.line);
		if (!r.internal && r.r.type == MEDIA_LEG_CLOSED) {
			free(m->listen[r.r.index].l);
			m->listen[r.r.index].l = NULL;
		}
		if (!r.internal)
			m->h(&r.r, m->arg);
	}
}

uint64_t media_heartbeat(const struct media *m)
{
	return atomic_load_explicit(&m->engine->heartbeat_us,
				    memory_order_relaxed);
}

/* --------------------------------------------------------------- batches */

static void fail(struct media *m, int err)
{
	if (!m->err)
		m->err = err;
}

/** True when the call may go on; else the batch is spoilt. */
static bool check(struct media *m, bool ok)
{
	if (!m->staging || !ok)
		fail(m, EINVAL);
	return !m->err;
}

static void stage(struct media *m, const struct command *c)
{
	if (!m->err && !ring_stage(m->engine->commands, c))
		fail(m, ENOBUFS);
}

void media_begin(struct media *m)
{
	if (m->staging)
		return;
	m->staging = true;
	m->err = 0;
	m->before = m->now;
}

/** Sockets no output needs any more are closed behind the last command that
 *  could use them. */
static void drop_sockets(struct media *m)
{
	bool used[SOCKET_MAX] = {false};

	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++) {
		const int16_t v[] = {
			m->now.output[i].socket, m->now.output[i].fan[0],
			m->now.output[i].fan[1], m->now.output[i].link};

		for (unsigned k = 0; m->now.output[i].used && k < 4; k++)
			if (v[k] >= 0)
				used[v[k]] = true;
	}
	for (unsigned i = 0; i < SOCKET_MAX; i++) {
		struct command c = {
			.type = COMMAND_CLOSE,
			.fd = m->sockets.v[i].fd,
		};

		if (c.fd < 0 || used[i])
			continue;
		if (m->sockets.v[i].fresh)
			close(c.fd);
		else if (!ring_stage(m->engine->commands, &c))
			continue; /* with the next batch */
		m->sockets.v[i].fd = -1;
	}
}

int media_commit(struct media *m)
{
	int err;

	if (!m->staging)
		fail(m, EINVAL);
	err = m->err;
	m->staging = false;
	m->err = 0;
	if (err) {
		ring_unstage(m->engine->commands);
		m->now = m->before;
		unmake(m);
	}
	m->n_made = m->n_made_lines = m->n_made_seals = 0;
	for (unsigned i = 0; i < MEDIA_MAX_LEGS; i++)
		m->listen[i].fresh = false;
	if (m->sockets_touched) {
		drop_sockets(m);
		for (unsigned i = 0; i < SOCKET_MAX; i++)
			m->sockets.v[i].fresh = false;
	}
	m->sockets_touched = false;
	ring_publish(m->engine->commands);
	wake(m);
	return err;
}

/* --------------------------------------------------------------- outputs */

static bool format_ok(const struct format *f)
{
	return f->codec < CODEC_COUNT && f->pt < 128 && f->ptime_ms >= 10 &&
	       f->ptime_ms <= ENGINE_MAX_MS && engine_rate(f->rate) >= 0 &&
	       format_valid(f);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/** As many coders as outputs of a codec with state, and calls in conferences,
 *  could need at once, up to the limit; they stay when these go. */
static void need_coders(struct media *m, enum codec codec, uint32_t rate)
{
	bool opus = codec == CODEC_OPUS;
	unsigned outputs = 0, legs = 0, enc, dec;
	struct command c = {.type = COMMAND_CODER, .coder.codec = codec};

	if (!codec_stateful(codec))
		return;
	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++)
		outputs += m->now.output[i].used &&
			   m->now.output[i].codec == codec;
	for (unsigned i = 0; i < MEDIA_MAX_LEGS; i++)
		legs += m->now.leg[i].used && m->now.leg[i].room &&
			m->now.leg[i].codec == codec;
	/* Where one sound is cut off for another, there are three for a
	 * moment: of the old, of the fade, of the new (fade.c). */
	enc = least(3 * outputs + legs,
		    opus ? ENGINE_OPUS_ENCODERS : ENGINE_CODERS);
	/* A mixed message and its background need one each; and what is cut
	 * off is understood once more. */
	dec = least(3 * outputs, opus ? ENGINE_OPUS_DECODERS : ENGINE_CODERS);
	while (m->now.encoders[codec] < enc || m->now.decoders[codec] < dec) {
		struct encoder **ep =
			&m->encoder[codec][m->now.encoders[codec]];
		struct decoder **dp =
			&m->decoder[codec][m->now.decoders[codec]];
		bool e = m->now.encoders[codec] < enc;
		bool d = m->now.decoders[codec] < dec;
		int err = 0;

		if (e && !*ep)
			err = encoder_alloc(ep, codec);
		if (!err && d && !*dp)
			err = decoder_alloc(dp, codec, rate);
		if (err) {
			fail(m, err);
			return;
		}
		c.coder.enc = e ? *ep : NULL;
		c.coder.dec = d ? *dp : NULL;
		stage(m, &c);
		if (m->err)
			return;
		m->now.encoders[codec] += e;
		m->now.decoders[codec] += d;
	}
}

static bool srtp_ok(const struct media_srtp *s)
{
	return !s->on || ((s->tag == 10 || s->tag == 4) &&
			  s->mki_len <= MEDIA_SRTP_MAX_MKI);
}

static bool kind_ok(const struct media_output *o)
{
	const struct format *f = &o->fmt;

	if (!srtp_ok(&o->srtp) || (o->srtp.on && o->polycom.channel))
		return false;
	return !o->polycom.channel ||
	       (o->polycom.channel <= POLYCOM_MAX_CHANNEL && !o->copy_us &&
		!o->n_fan &&
		(f->codec == CODEC_PCMU || f->codec == CODEC_G722) &&
		(f->ptime_ms == 20 || f->ptime_ms == 30));
}

/** Sees to it that live sound of one rate can be heard at another. */
static void need_rate(struct media *m, uint32_t from, uint32_t to)
{
	int i = engine_rate(from), k = engine_rate(to);
	struct command c = {.type = COMMAND_RATE};

	if (i == k || m->now.rate[i][k])
		return;
	if (!m->rate[i][k]) {
		int err = polyphase_alloc(&m->rate[i][k], from, to);

		if (err) {
			fail(m, err);
			return;
		}
	}
	c.rate.from = i;
	c.rate.to = k;
	c.rate.table = m->rate[i][k];
	stage(m, &c);
	m->now.rate[i][k] = true;
}

static uint32_t rate_of(unsigned index)
{
	static const uint32_t rates[ENGINE_RATES] = {8000, 16000, 32000, 44100,
						     48000};

	return rates[index];
}

/** Beginnings of a stream that nobody can guess (RFC 3550 5.1). */
static void random_start(uint32_t *ssrc, uint32_t *ts, uint16_t *seq)
{
	uint32_t r[3] = {0};

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		r[0] = r[1] = r[2] = (uint32_t)clock_mono_us();
	*ssrc = r[0];
	*ts = r[1];
	*seq = (uint16_t)r[2];
}

/** The shared socket of an output, watched for what the network says about
 *  unicast; -1 and *err when there can be none. */
static int get_socket(struct media *m, const struct media_output *o, int *place,
		      int *err)
{
	struct epoll_event ev = {.events = EPOLLET};
	int fd;

	*err = socket_pool_get(&m->sockets, o, place);
	if (*err)
		return -1;
	fd = m->sockets.v[*place].fd;
	ev.data.u64 = ENGINE_EVENT_SOCKET | (unsigned)fd;
	/* Fails for one that is watched already. */
	if (!m->sockets.v[*place].key.multicast)
		(void)epoll_ctl(m->engine->epoll_fd, EPOLL_CTL_ADD, fd, &ev);
	return fd;
}

/** An output's packet socket, if it is to have one and may. Its port is that
 *  of its ordinary socket, which stays open for it. */
static void get_way(struct media *m, unsigned index,
		    const struct media_output *o, int fd, struct way *w)
{
	struct frame_way f = {
		.source = o->link_addr,
		.ttl = o->ttl,
		.dscp = o->dscp,
	};
	int place;

	w->fd = -1;
	if (!o->link || o->loop || fd < 0 || o->dst.ss_family != AF_INET ||
	    socket_pool_link(&m->sockets, o, &place))
		return;
	memcpy(f.mac, o->link_mac, sizeof(f.mac));
	memcpy(&f.group, &o->dst, sizeof(f.group));
	f.port = socket_port(fd);
	frame_head(w->head, &f);
	w->to = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = (int)o->ifindex,
		.sll_halen = 6,
	};
	memcpy(w->to.sll_addr, w->head, 6);
	w->fd = m->sockets.v[place].fd;
	m->now.output[index].link = (int16_t)place;
}

bool media_output_link(const struct media *m, unsigned index)
{
	return index < MEDIA_MAX_OUTPUTS && m->now.output[index].link >= 0;
}

static struct line *make_line(struct media *m, unsigned index,
			      const struct media_output *o)
{
	struct media_output to = {.dscp = o->dscp};
	struct line *l = NULL;
	int err = m->n_made_lines < MEDIA_MAX_OUTPUTS ? line_alloc(&l, o)
						      : ENOBUFS;

	if (err) {
		fail(m, err);
		return NULL;
	}
	m->made_line[m->n_made_lines++] = l;
	for (unsigned i = 0; i < o->n_fan; i++) {
		int place = -1;

		to.dst = o->fan[i];
		l->fan[i].fd = get_socket(m, &to, &place, &l->fan[i].err);
		if (place >= 0)
			m->now.output[index].fan[to.dst.ss_family == AF_INET6] =
				(int16_t)place;
	}
	return l;
}

void media_output_set(struct media *m, unsigned index,
		      const struct media_output *o)
{
	struct command c = {.type = COMMAND_OUTPUT, .index = index};
	int place = -1;

	if (!check(m, index < MEDIA_MAX_OUTPUTS))
		return;
	m->sockets_touched = true;
	if (!o) {
		c.type = COMMAND_OUTPUT_OFF;
		stage(m, &c);
		forget_output(m, index);
		return;
	}
	if (!check(m, !endpoint_set(&c.output.dst, &o->dst) &&
			      format_ok(&o->fmt) && kind_ok(o) &&
			      o->dscp < 64 && o->n_fan <= MEDIA_MAX_FAN &&
			      o->delay_ms <= MEDIA_MAX_DELAY_MS &&
			      o->copy_us <= MEDIA_MAX_COPY_US))
		return;
	c.output.fd = get_socket(m, o, &place, &c.output.err);
	forget_output(m, index);
	get_way(m, index, o, c.output.fd, &c.output.way);
	if (line_needed(o)) {
		c.output.line = make_line(m, index, o);
		if (!c.output.line)
			return;
	}
	c.output.fmt = o->fmt;
	c.output.beat_ms = o->beat_ms;
	random_start(&c.output.ssrc, &c.output.ts, &c.output.seq);
	if (o->srtp.on && !o->srtp.rolls)
		c.output.seq &= 0x7fff; /* far from its wrap, see seal.h */
	for (unsigned i = 0; i < MEDIA_MAX_LEGS; i++)
		if (m->now.leg[i].used)
			need_rate(m, m->now.leg[i].rate, o->fmt.rate);
	stage(m, &c);
	m->now.output[index].used = true;
	m->now.output[index].socket = (int16_t)place;
	m->now.output[index].rate = (uint8_t)engine_rate(o->fmt.rate);
	m->now.output[index].codec = o->fmt.codec;
	need_coders(m, o->fmt.codec, o->fmt.rate);
}

static int32_t gain_of(int cb)
{
	return (int32_t)lrint(ENGINE_UNITY * pow(10, cb / 200.0));
}

void media_route(struct media *m, const struct media_set *set, int fg, int bg,
		 int16_t duck_cb)
{
	struct command c = {.type = COMMAND_ROUTE};

	if (!check(m, set && fg >= -1 && fg < MEDIA_MAX_SLOTS && bg >= -1 &&
			      bg < MEDIA_MAX_SLOTS))
		return;
	c.route.set = *set;
	c.route.fg = fg;
	c.route.bg = bg;
	if (duck_cb != MEDIA_BG_PAUSED)
		c.route.duck = gain_of(duck_cb < 0 ? duck_cb : 0);
	stage(m, &c);
}

void media_volume(struct media *m, const struct media_set *set, int16_t cb)
{
	struct command c = {.type = COMMAND_VOLUME};

	if (!check(m, set && cb >= MEDIA_MIN_VOLUME_CB &&
			      cb <= MEDIA_MAX_VOLUME_CB))
		return;
	c.volume.set = *set;
	c.volume.gain = gain_of(cb);
	stage(m, &c);
}

void media_ramps(struct media *m, uint32_t down_ms, uint32_t back_ms)
{
	struct command c = {.type = COMMAND_RAMPS};

	if (!check(m, down_ms <= MEDIA_MAX_RAMP_MS &&
			      back_ms <= MEDIA_MAX_RAMP_MS))
		return;
	c.ramps.down_ms = down_ms;
	c.ramps.back_ms = back_ms;
	stage(m, &c);
}

/* --------------------------------------------------------------- sources */

void media_play(struct media *m, unsigned slot, const struct media_play *p)
{
	struct command c = {.type = COMMAND_PLAY, .index = slot};

	if (!check(m, slot < MEDIA_MAX_SLOTS && p && p->clip))
		return;
	c.play.clip = p->clip;
	c.play.cycles = p->cycles;
	c.play.lead_ms = p->lead_ms;
	c.play.tag = p->tag;
	stage(m, &c);
}

void media_slot(struct media *m, unsigned slot, uint8_t level,
		uint32_t quiet_ms)
{
	struct command c = {.type = COMMAND_SLOT, .index = slot};

	if (!check(m, slot < MEDIA_MAX_SLOTS))
		return;
	c.slot.level = level;
	c.slot.quiet_ms = quiet_ms;
	stage(m, &c);
}

void media_live(struct media *m, unsigned slot, unsigned leg, uint64_t tag)
{
	struct command c = {.type = COMMAND_LIVE, .index = slot};

	if (!check(m, slot < MEDIA_MAX_SLOTS && leg < MEDIA_MAX_LEGS))
		return;
	c.live.leg = leg;
	c.live.tag = tag;
	stage(m, &c);
}

static void stage_slot(struct media *m, enum command_type type, unsigned slot,
		       bool paused)
{
	struct command c = {.type = type, .index = slot, .paused = paused};

	if (check(m, slot < MEDIA_MAX_SLOTS))
		stage(m, &c);
}

void media_restart(struct media *m, unsigned slot)
{
	stage_slot(m, COMMAND_RESTART, slot, false);
}

void media_pause(struct media *m, unsigned slot, bool paused)
{
	stage_slot(m, COMMAND_PAUSE, slot, paused);
}

void media_stop(struct media *m, unsigned slot)
{
	stage_slot(m, COMMAND_STOP, slot, false);
}

/* ------------------------------------------------------------------ legs */

/** What the others of its conference say can be sent to a leg, and back. */
static void need_room(struct media *m, unsigned leg)
{
	for (unsigned i = 0; i < MEDIA_MAX_LEGS; i++) {
		if (!m->now.leg[i].used ||
		    m->now.leg[i].room != m->now.leg[leg].room)
			continue;
		need_rate(m, m->now.leg[i].rate, m->now.leg[leg].rate);
		need_rate(m, m->now.leg[leg].rate, m->now.leg[i].rate);
	}
	need_coders(m, m->now.leg[leg].codec, m->now.leg[leg].rate);
}

/** The seal of an encrypted leg; NULL for any other, and when it fails. */
static struct callseal *make_seal(struct media *m, const struct media_leg *l)
{
	struct callseal *c = NULL;
	int err;

	if (!l->out.on)
		return NULL;
	err = m->n_made_seals < MEDIA_MAX_LEGS
		      ? callseal_alloc(&c, &l->out, &l->in)
		      : ENOBUFS;
	if (err) {
		fail(m, err);
		return NULL;
	}
	m->made_seal[m->n_made_seals++] = c;
	return c;
}

static void stage_leg(struct media *m, enum command_type type, unsigned leg,
		      const struct media_leg *l, struct listen *listen,
		      struct tape *tape)
{
	struct command c = {.type = type, .index = leg};
	bool open = type == COMMAND_LEG_OPEN;
	int err;

	if (!check(m, leg < MEDIA_MAX_LEGS && l &&
			      !endpoint_set(&c.leg.remote, &l->remote) &&
			      format_ok(&l->fmt) && l->dscp < 64 &&
			      l->event_pt < 128 && l->out.on == l->in.on &&
			      srtp_ok(&l->out) && srtp_ok(&l->in) &&
			      (!open || tape || l->fd >= 0)))
		return;
	if (open || m->now.leg[leg].codec != l->fmt.codec ||
	    m->now.leg[leg].rate != l->fmt.rate) {
		err = m->n_made < MEDIA_MAX_LEGS
			      ? playout_alloc(&c.leg.playout, &l->fmt)
			      : ENOBUFS;
		if (err) {
			fail(m, err);
			return;
		}
		m->made[m->n_made++] = c.leg.playout;
	}
	c.leg.seal = make_seal(m, l);
	if (l->out.on && !c.leg.seal)
		return;
	/* Marking is a wish; a call without it is still a call. */
	if (open)
		(void)socket_dscp(l->fd, l->remote.ss_family, l->dscp);
	if (open && !listen && !tape)
		(void)socket_hear_errors(l->fd, l->remote.ss_family);
	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++)
		if (m->now.output[i].used)
			need_rate(m, l->fmt.rate,
				  rate_of(m->now.output[i].rate));
	if (open) {
		m->now.leg[leg].reel_rate = 0;
		m->now.leg[leg].room = 0;
	} else if (m->now.leg[leg].reel_rate) {
		need_rate(m, l->fmt.rate, m->now.leg[leg].reel_rate);
	}
	c.leg.fd = l->fd;
	c.leg.fmt = l->fmt;
	c.leg.listen = listen;
	c.leg.tape = tape;
	c.leg.event_pt = l->event_pt;
	c.leg.send = l->send;
	c.leg.recv = l->recv;
	random_start(&c.leg.ssrc, &c.leg.ts, &c.leg.seq);
	m->now.leg[leg].used = true;
	m->now.leg[leg].codec = l->fmt.codec;
	m->now.leg[leg].rate = l->fmt.rate;
	/* Tables before the sound that needs them. */
	if (m->now.leg[leg].room)
		need_room(m, leg);
	stage(m, &c);
}

void media_leg_open(struct media *m, unsigned leg, const struct media_leg *l)
{
	stage_leg(m, COMMAND_LEG_OPEN, leg, l, NULL, NULL);
}

void media_leg_update(struct media *m, unsigned leg, const struct media_leg *l)
{
	/* Without an open leg nothing would own the buffer. */
	if (check(m, leg < MEDIA_MAX_LEGS && m->now.leg[leg].used))
		stage_leg(m, COMMAND_LEG_UPDATE, leg, l, NULL, NULL);
}

void media_leg_prompt(struct media *m, unsigned leg, const struct clip *clip,
		      uint32_t cycles)
{
	struct command c = {.type = COMMAND_LEG_PROMPT, .index = leg};

	if (!check(m, leg < MEDIA_MAX_LEGS && m->now.leg[leg].used))
		return;
	c.prompt.clip = clip;
	c.prompt.cycles = cycles;
	stage(m, &c);
}

void media_record(struct media *m, unsigned leg, struct reel *reel)
{
	struct command c = {.type = COMMAND_RECORD, .index = leg, .reel = reel};

	if (!check(m, leg < MEDIA_MAX_LEGS && m->now.leg[leg].used))
		return;
	m->now.leg[leg].reel_rate = reel ? reel_rate(reel) : 0;
	if (reel)
		need_rate(m, m->now.leg[leg].rate, reel_rate(reel));
	stage(m, &c);
}

void media_leg_room(struct media *m, unsigned leg, int room)
{
	struct command c = {
		.type = COMMAND_LEG_ROOM, .index = leg, .room = room};
	unsigned there = 0;

	if (!check(m, leg < MEDIA_MAX_LEGS && m->now.leg[leg].used &&
			      room >= -1 && room < MEDIA_MAX_ROOMS))
		return;
	for (unsigned i = 0; room >= 0 && i < MEDIA_MAX_LEGS; i++)
		there += i != leg && m->now.leg[i].used &&
			 m->now.leg[i].room == (unsigned)room + 1;
	if (!check(m, there < MEDIA_ROOM_LEGS))
		return;
	m->now.leg[leg].room = (uint16_t)(room + 1);
	if (room >= 0)
		need_room(m, leg);
	stage(m, &c);
}

void media_leg_close(struct media *m, unsigned leg)
{
	struct command c = {.type = COMMAND_LEG_CLOSE, .index = leg};

	if (!check(m, leg < MEDIA_MAX_LEGS && m->now.leg[leg].used))
		return;
	m->now.leg[leg].used = false;
	stage(m, &c);
}

void media_listen_open(struct media *m, unsigned leg,
		       const struct media_listen *l)
{
	/* Nobody is sent anything: any address will do. */
	struct media_leg as_leg = {
		.fd = l->fd,
		.remote = {.ss_family = AF_INET},
		.fmt = l->fmt,
		.recv = true,
	};
	struct listen *s;

	if (!check(m, leg < MEDIA_MAX_LEGS && !m->listen[leg].l &&
			      l->n_allow <= MEDIA_MAX_ALLOW))
		return;
	s = calloc(1, sizeof(*s));
	if (!s) {
		fail(m, ENOMEM);
		return;
	}
	s->fmt = l->fmt;
	s->polycom.channel = l->polycom;
	s->hang_us = l->hang_ms * UINT64_C(1000);
	s->n_allow = l->n_allow;
	memcpy(s->allow, l->allow, sizeof(s->allow));
	m->listen[leg].l = s;
	m->listen[leg].fresh = true;
	stage_leg(m, COMMAND_LEG_OPEN, leg, &as_leg, s, NULL);
}

void media_tape_open(struct media *m, unsigned leg, struct tape *tape)
{
	struct media_leg as_leg = {
		.fd = -1,
		.remote = {.ss_family = AF_INET},
		.recv = true,
	};

	if (!check(m, leg < MEDIA_MAX_LEGS && tape))
		return;
	format_default(&as_leg.fmt, CODEC_L16, tape_rate(tape));
	as_leg.fmt.ptime_ms = TAPE_FRAME_MS;
	stage_leg(m, COMMAND_LEG_OPEN, leg, &as_leg, NULL, tape);
}

/* -------------------------------------------------------------- readings */

void media_listen_stats(const struct media *m, unsigned leg,
			struct media_listen_stats *s)
{
	*s = (struct media_listen_stats){0};
	if (leg < MEDIA_MAX_LEGS && m->listen[leg].l)
		listen_stats(m->listen[leg].l, s);
}

void media_output_stats(const struct media *m, unsigned index,
			struct media_output_stats *s)
{
	const struct output *o;

	*s = (struct media_output_stats){.level = 127};
	if (index >= MEDIA_MAX_OUTPUTS)
		return;
	o = &m->engine->output[index];
	s->packets = atomic_load_explicit(&o->packets, memory_order_relaxed);
	s->errors = atomic_load_explicit(&o->errors, memory_order_relaxed);
	s->level = atomic_load_explicit(&o->level, memory_order_relaxed);
	s->sounding = atomic_load_explicit(&o->sounding, memory_order_relaxed);
	s->ssrc = atomic_load_explicit(&o->ssrc, memory_order_relaxed);
	s->open = atomic_load_explicit(&o->open, memory_order_relaxed);
}

void media_stats(const struct media *m, struct media_stats *s)
{
	const struct engine *e = m->engine;

	s->ticks = atomic_load_explicit(&e->ticks, memory_order_relaxed);
	s->late_ticks =
		atomic_load_explicit(&e->late_ticks, memory_order_relaxed);
	s->max_late_us =
		atomic_load_explicit(&e->max_late_us, memory_order_relaxed);
	s->packets = atomic_load_explicit(&e->packets, memory_order_relaxed);
	s->send_calls =
		atomic_load_explicit(&e->send_calls, memory_order_relaxed);
	s->uncoded = atomic_load_explicit(&e->uncoded, memory_order_relaxed);
	s->encodes = atomic_load_explicit(&e->encodes, memory_order_relaxed);
}
