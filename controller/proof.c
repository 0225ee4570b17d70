/* What is watched: outputs, the interfaces that carry them, and what is seen
 * there. */
#include "proof_internal.h"

#include "controller/base/clock.h"
#include "controller/base/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/** While something sounds, and else. */
#define POLL_MS 200
#define IDLE_MS 1000
#define LINK_US 1000000
/** Samples a second of one interface, at most. */
#define SAMPLES 400
/** By a tap, which sees all packets for a moment, every so many looks. */
#define WAIT_MIN 2
#define WAIT_MAX 16
/** Longer than a packet time, so that each stream is seen every time. */
#define SEE_MORE_MS 5
/** By a loop, which sees one packet in so many. */
#define EVERY_MIN 8
#define EVERY_MAX 256
/** Packets taken from a tap at one go: some ten times what our own outputs
 *  give. */
#define READ_MOST 1024

#define RTP_MIN 12
/** Packets of G.722 and Opus that are decoded a second, of all outputs in turn:
 *  some 50 us and 250 us each. */
#define DECODES 50

static bool is_multicast(const struct sockaddr_storage *ss)
{
	if (ss->ss_family == AF_INET6)
		return IN6_IS_ADDR_MULTICAST(
			&((const struct sockaddr_in6 *)ss)->sin6_addr);
	return ss->ss_family == AF_INET &&
	       IN_MULTICAST(ntohl(
		       ((const struct sockaddr_in *)ss)->sin_addr.s_addr));
}

/* ------------------------------------------------------------ finding one */

struct place {
	int link;
	sa_family_t family;
	const void *addr;
	uint16_t port; /**< host order */
};

static size_t address_bytes(sa_family_t family)
{
	return family == AF_INET6 ? 16 : 4;
}

static struct place place_of(const struct proof_output *o)
{
	const struct sockaddr_storage *ss = &o->out.dst;
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)ss;
	const struct sockaddr_in *a4 = (const struct sockaddr_in *)ss;

	if (ss->ss_family == AF_INET6)
		return (struct place){o->link, AF_INET6, &a6->sin6_addr,
				      ntohs(a6->sin6_port)};
	return (struct place){o->link, AF_INET, &a4->sin_addr,
			      ntohs(a4->sin_port)};
}

static unsigned hash(const struct place *k)
{
	const uint8_t *a = k->addr;
	uint32_t h = 2166136261u ^ (unsigned)k->link; /* FNV-1a */

	for (size_t i = 0; i < address_bytes(k->family); i++)
		h = (h ^ a[i]) * 16777619u;
	h = (h ^ (k->port & 0xffu)) * 16777619u;
	h = (h ^ k->port >> 8) * 16777619u;
	return (h ^ h >> 16) & (PROOF_PLACES - 1);
}

/** The first output at a place, or (h: where the last was) the next. */
static struct proof_output *find(struct proof *p, const struct place *k,
				 unsigned *h)
{
	while (p->place[*h]) {
		struct proof_output *o = &p->output[p->place[*h] - 1];
		const struct place x = place_of(o);

		*h = (*h + 1) & (PROOF_PLACES - 1);
		if (x.link == k->link && x.family == k->family &&
		    x.port == k->port &&
		    !memcmp(x.addr, k->addr, address_bytes(k->family)))
			return o;
	}
	return NULL;
}

static void index_outputs(struct proof *p)
{
	memset(p->place, 0, sizeof(p->place));
	for (unsigned i = 0; i < p->n; i++) {
		struct place k;
		unsigned h;

		if (!p->output[i].used)
			continue;
		k = place_of(&p->output[i]);
		h = hash(&k);
		while (p->place[h])
			h = (h + 1) & (PROOF_PLACES - 1);
		p->place[h] = (uint16_t)(i + 1);
	}
}

/* --------------------------------------------------------- what was seen */

/** Is it this output's turn to have a sample decoded? */
static bool meter_due(const struct proof *p, struct proof_output *o)
{
	const uint64_t every = (1 + p->stateful / DECODES) * UINT64_C(1000000);

	if (!codec_stateful(o->out.fmt.codec))
		return true;
	if (o->metered_us && p->now - o->metered_us < every)
		return false;
	o->metered_us = p->now;
	return true;
}

/** One of our own packets was seen. */
static void on_own(struct proof *p, struct proof_output *o,
		   const struct frame *f)
{
	const bool opens = o->seal || !o->out.srtp.on;
	uint8_t packet[FILTER_SNAP];
	size_t len = f->len;

	if (len > sizeof(packet))
		len = sizeof(packet);
	memcpy(packet, f->data, len);
	if (o->seal) {
		len = seal_open(o->seal, packet, len, 0);
		if (!len) {
			heard_locked(&o->heard, p->now);
			return;
		}
	}
	heard_sample(&o->heard,
		     opens && meter_due(p, o)
			     ? meter_level(p->meter, o->out.fmt.codec,
					   packet + RTP_MIN, len - RTP_MIN)
			     : HEARD_NO_LEVEL,
		     p->now);
}

/** own: this host sent it, and it was seen to leave or come back. */
static void on_datagram(struct proof *p, struct proof_output *o,
			const struct frame *f, bool own)
{
	struct wire w = wire_reader(f->data, f->len);
	const bool rtp = f->len >= RTP_MIN && f->data[0] >> 6 == 2;
	uint8_t pt;
	uint32_t ssrc;

	if (!rtp) {
		if (own)
			heard_sample(&o->heard, HEARD_NO_LEVEL, p->now);
		return;
	}
	wire_u8(&w);
	pt = wire_u8(&w) & 0x7f;
	wire_take(&w, 6);
	ssrc = wire_u32(&w);
	/* Packet types of RTCP, RFC 5761 4. */
	if (pt >= 72 && pt <= 76)
		return;
	if (ssrc == o->ssrc || ssrc == o->old_ssrc) {
		/* What comes from outside with our name is our own sound on
		 * its way round: no proof that it left. */
		if (own || p->link[o->link].means == PROOF_LOOP)
			on_own(p, o, f);
		return;
	}
	if (!o->foreign)
		return;
	o->foreign_packets++;
	talker_heard(&o->talker, f, ssrc, p->now);
}

/** Does a Polycom output talk there? Of those that share a channel one does
 *  for all. */
static bool is_channel(const struct media_polycom *c, uint8_t channel)
{
	return channel == c->channel ||
	       (c->priority_from &&
		channel == ptt_channel(c, c->priority_from)) ||
	       (c->emergency_from &&
		channel == ptt_channel(c, c->emergency_from));
}

/** A packet of a Polycom talk. The phones' own are theirs by right. */
static void on_polycom(struct proof *p, struct proof_output *o,
		       const struct frame *f, bool own)
{
	const struct media_polycom *c = &o->out.polycom;
	uint8_t level = HEARD_NO_LEVEL;
	struct polycom k;

	if (polycom_decode(&k, f->data, f->len) || !is_channel(c, k.channel) ||
	    !(own ||
	      (p->link[o->link].means == PROOF_LOOP && k.serial == c->serial)))
		return;
	if (k.op == POLYCOM_TRANSMIT && meter_due(p, o)) {
		const uint8_t *prev;
		size_t n;
		const uint8_t *sound =
			polycom_frame(&k, o->out.fmt.ptime_ms * 8u, &prev, &n);

		level = meter_level(p->meter, o->out.fmt.codec, sound, n);
	}
	heard_sample(&o->heard, level, p->now);
}

static void on_frame(const struct frame *f, bool own, void *arg)
{
	struct proof *p = arg;
	const struct place k = {p->at, f->family, f->dst, f->dport};
	struct proof_output *o;
	unsigned h;

	if (f->kind == FRAME_QUERY) {
		querier_heard(&p->link[p->at].querier[f->family == AF_INET6], f,
			      p->now);
		return;
	}
	h = hash(&k);
	while ((o = find(p, &k, &h)))
		if (o->out.polycom.channel)
			on_polycom(p, o, f, own);
		else
			on_datagram(p, o, f, own);
}

static void read_link(struct proof *p, int i)
{
	struct proof_link *l = &p->link[i];
	uint64_t drops = l->drops;

	p->at = i;
	if (l->sent >= 0)
		tap_read(l->sent, READ_MOST, on_frame, p, &l->drops);
	if (l->loop)
		loop_read(l->loop, READ_MOST, on_frame, p, &l->drops);
	for (unsigned k = 0; k < 2; k++)
		if (l->others[k] >= 0)
			tap_read(l->others[k], READ_MOST, on_frame, p, NULL);
	if (l->drops == drops)
		return;
	for (unsigned k = 0; k < p->n; k++)
		if (p->output[k].used && p->output[k].link == i)
			heard_blind(&p->output[k].heard);
}

/* A stream that begins anew has another name; the media thread gives it before
 * the first packet, and packets of the old may still wait. */
static void read_names(struct proof *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		struct proof_output *o = &p->output[i];
		struct media_output_stats s;

		if (!o->used)
			continue;
		media_output_stats(p->media, i, &s);
		if (s.ssrc == o->ssrc)
			continue;
		o->old_ssrc = o->ssrc ? o->ssrc : s.ssrc;
		o->ssrc = s.ssrc;
	}
}

static void on_shut(void *arg)
{
	struct proof *p = arg;

	for (int i = 0; i < PROOF_LINKS; i++)
		if (p->link[i].sent >= 0)
			tap_look(p->link[i].sent, false);
}

/** Taps see for a moment, now and then: to show each packet to a tap costs the
 *  kernel a tenth of what sending it does. */
static void see(struct proof *p, bool sounding)
{
	unsigned ms = 0;

	for (int i = 0; i < PROOF_LINKS; i++) {
		struct proof_link *l = &p->link[i];

		if (l->sent < 0 || (sounding && l->due && --l->due))
			continue;
		l->due = l->wait;
		tap_look(l->sent, true);
		if (l->see_ms > ms)
			ms = l->see_ms;
	}
	if (ms)
		tmr_start(&p->shut, ms, on_shut, p);
}

static void on_poll(void *arg)
{
	struct proof *p = arg;
	bool sounding;

	p->now = clock_mono_us();
	read_names(p);
	for (int i = 0; i < PROOF_LINKS; i++)
		if (*p->link[i].name)
			read_link(p, i);
	sounding = proof_judge_outputs(p);
	if (p->now - p->looked_us >= LINK_US) {
		p->looked_us = p->now;
		for (int i = 0; i < PROOF_LINKS; i++)
			if (*p->link[i].name)
				proof_judge_link(p, &p->link[i]);
	}
	see(p, sounding);
	tmr_start(&p->tmr, sounding ? POLL_MS : IDLE_MS, on_poll, p);
}

/* ------------------------------------------------------------- interfaces */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void link_close(struct proof_link *l)
{
	close_fd(&l->sent);
	close_fd(&l->others[0]);
	close_fd(&l->others[1]);
	l->loop = loop_free(l->loop);
	l->members = members_free(l->members);
	l->means = PROOF_OFF;
	l->err = l->join_err = 0;
	l->drops = 0;
}

static void link_clear(struct proof_link *l)
{
	*l = (struct proof_link){.sent = -1, .others = {-1, -1}};
}

static bool is_loopback(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq rq = {0};
	bool yes;

	snprintf(rq.ifr_name, sizeof(rq.ifr_name), "%s", name);
	yes = fd >= 0 && !ioctl(fd, SIOCGIFFLAGS, &rq) &&
	      rq.ifr_flags & IFF_LOOPBACK;
	if (fd >= 0)
		close(fd);
	return yes;
}

/** The link of that name, made where there is none; -1 = no room. */
static int link_of(struct proof *p, const char *name, unsigned ifindex)
{
	int room = -1;
	struct proof_link *l;

	for (int i = 0; i < PROOF_LINKS; i++) {
		l = &p->link[i];
		if (!strcmp(l->name, name)) {
			if (l->ifindex != ifindex) {
				link_close(l);
				l->ifindex = ifindex;
				l->alone = is_loopback(name);
				querier_begin(&l->querier[0], p->now);
				querier_begin(&l->querier[1], p->now);
			}
			return i;
		}
		if (!*l->name && room < 0)
			room = i;
	}
	if (room < 0)
		return -1;
	l = &p->link[room];
	link_clear(l);
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->ifindex = ifindex;
	l->alone = is_loopback(name);
	querier_begin(&l->querier[0], p->now);
	querier_begin(&l->querier[1], p->now);
	return room;
}

/** How often a tap sees, and for how long. */
static void measure_sight(struct proof_link *l, unsigned rate, unsigned least,
			  unsigned most)
{
	l->see_ms = most + SEE_MORE_MS;
	for (l->wait = WAIT_MIN; l->wait < WAIT_MAX; l->wait *= 2)
		if (rate * l->see_ms <= SAMPLES * l->wait * POLL_MS)
			break;
	l->due = 0;
	l->every = l->wait * POLL_MS / least;
}

/** Which of the packets of its outputs are samples, and what is let in. */
static void measure(struct proof *p, int i, struct filter_want *want)
{
	struct proof_link *l = &p->link[i];
	uint32_t addr[PROOF_OUTPUTS];
	unsigned n = 0, rate = 0, least = UINT16_MAX, most = 1;

	*want = (struct filter_want){0};
	l->outputs = 0;
	l->family[0] = l->family[1] = false;
	for (unsigned k = 0; k < p->n; k++) {
		const struct proof_output *o = &p->output[k];
		const struct sockaddr_in *a =
			(const struct sockaddr_in *)&o->out.dst;
		const unsigned ms =
			o->out.fmt.ptime_ms ? o->out.fmt.ptime_ms : 20;

		if (!o->used || o->link != i)
			continue;
		l->outputs++;
		rate += 1000u / ms;
		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
		l->family[o->out.dst.ss_family == AF_INET6] = true;
		if (o->out.dst.ss_family == AF_INET)
			addr[n++] = ntohl(a->sin_addr.s_addr);
	}
	filter_ranges(want, addr, n);
	want->v6 = l->family[1];
	l->sparse = EVERY_MIN;
	while (l->sparse < EVERY_MAX && rate / l->sparse > SAMPLES)
		l->sparse *= 2;
	measure_sight(l, rate, least, most);
}

/** Opens a tap, or gives an open one another filter; 0 or errno. */
static int open_tap(int *fd, enum tap_kind kind, const struct proof_link *l,
		    struct filter_want *want)
{
	if (*fd >= 0)
		return tap_filter(*fd, want);
	*fd = tap_open(kind, l->ifindex, want);
	return *fd < 0 ? errno : 0;
}

/** The second best, without a packet socket. */
static int open_loop(struct proof *p, int i)
{
	struct proof_link *l = &p->link[i];
	struct loop *fresh = NULL;
	int err = loop_alloc(&fresh, l->ifindex);

	for (unsigned k = 0; k < p->n && !err; k++) {
		const struct proof_output *o = &p->output[k];

		if (o->used && o->link == i && o->out.loop)
			err = loop_add(fresh, &o->out.dst);
	}
	if (err) {
		loop_free(fresh);
		return err;
	}
	l->every = l->sparse;
	loop_sample(fresh, (uint16_t)(l->every - 1));
	loop_free(l->loop);
	l->loop = fresh;
	l->means = PROOF_LOOP;
	return 0;
}

static void hear(struct proof *p, int i, struct filter_want want)
{
	struct proof_link *l = &p->link[i];
	bool any = false;

	for (unsigned k = 0; k < p->n && !any; k++)
		any = p->output[k].used && p->output[k].link == i &&
		      p->output[k].hear;
	if (!any) {
		close_fd(&l->sent);
		l->loop = loop_free(l->loop);
		l->means = PROOF_OFF;
		return;
	}
	want.outgoing = true;
	l->err = open_tap(&l->sent, TAP_SENT, l, &want);
	if (!l->err)
		l->means = PROOF_WIRE;
	else if (open_loop(p, i))
		l->means = PROOF_OFF;
}

/** Members of all groups anew, before the old ones go: what is in both is not
 *  left. */
static void join(struct proof *p, int i)
{
	struct proof_link *l = &p->link[i];
	struct members *fresh = NULL;
	int err = members_alloc(&fresh, l->name, l->ifindex);
	uint8_t mac[6];

	l->join_err = err;
	for (unsigned k = 0; k < p->n && !err; k++) {
		const struct proof_output *o = &p->output[k];

		if (!o->used || o->link != i)
			continue;
		err = members_join(fresh, &o->out.dst);
		if (err)
			l->join_err = err;
		/* The others may still do. */
		err = 0;
	}
	for (unsigned k = 0; k < 2 && fresh; k++) {
		const sa_family_t family = k ? AF_INET6 : AF_INET;

		if (l->family[k] && l->others[k] >= 0 &&
		    proof_querier_mode(p, l) == QUERIER_ASK &&
		    !members_join_probe(fresh, family, mac))
			(void)tap_accept_group(l->others[k], l->ifindex, mac);
	}
	members_free(l->members);
	l->members = fresh;
}

static void watch_link(struct proof *p, int i)
{
	struct proof_link *l = &p->link[i];
	struct filter_want want;
	bool others = proof_querier_mode(p, l) != QUERIER_IGNORE;

	measure(p, i, &want);
	if (!l->ifindex)
		return;
	hear(p, i, want);
	/* On lo everything is outgoing; there is nobody to be a member for. */
	if (l->alone)
		return;
	for (unsigned k = 0; k < p->n && !others; k++)
		others = p->output[k].used && p->output[k].link == i &&
			 p->output[k].foreign;
	want.queries = true;
	for (unsigned k = 0; k < 2; k++) {
		int err = 0;

		if (others && l->family[k])
			err = open_tap(&l->others[k],
				       k ? TAP_OTHERS6 : TAP_OTHERS, l, &want);
		else
			close_fd(&l->others[k]);
		if (err)
			l->err = err;
	}
	if (others || l->means != PROOF_OFF)
		join(p, i);
	else
		l->members = members_free(l->members);
}

/* ---------------------------------------------------------------- outputs */

static void forget(struct proof_output *o)
{
	seal_free(o->seal);
	o->seal = NULL;
	o->used = false;
}

/** The key it is sealed with from now on. Without memory for it packets are
 *  seen, and their level is not told. */
static void take_key(struct proof_output *o, const struct media_srtp *key)
{
	if (o->seal && !memcmp(&o->out.srtp, key, sizeof(*key)))
		return;
	seal_free(o->seal);
	o->seal = NULL;
	o->heard.locked = 0;
	if (key->on)
		(void)seal_alloc(&o->seal, key);
}

static void watch_output(struct proof *p, unsigned i)
{
	struct proof_output *o = &p->output[i];
	struct sound_view v;
	int link;

	if (!sounds_view(p->sounds, i, &v) || !is_multicast(&v.out->dst) ||
	    !*v.interface) {
		forget(o);
		return;
	}
	link = link_of(p, v.interface, v.out->ifindex);
	if (link < 0) {
		forget(o);
		return;
	}
	p->link[link].wanted = true;
	/* Another stream at this index, or the same as before. */
	if (!o->used || o->link != link || strcmp(o->name, v.name) ||
	    memcmp(&o->out.dst, &v.out->dst, sizeof(o->out.dst))) {
		forget(o);
		*o = (struct proof_output){
			.heard.level = HEARD_NO_LEVEL,
		};
	}
	take_key(o, &v.out->srtp);
	p->stateful += codec_stateful(v.out->fmt.codec);
	o->used = true;
	o->link = link;
	o->out = *v.out;
	o->out.fan = NULL;
	if (o->out.polycom.channel)
		o->out.polycom.serial = sounds_serial(p->sounds, i);
	o->hear = v.hear_back && p->config->proof.hear_back;
	o->foreign = v.foreign_talkers;
	snprintf(o->name, sizeof(o->name), "%s", v.name);
}

void proof_configure(struct proof *p, const struct config *c)
{
	p->config = c;
	proof_renew(p);
}

void proof_renew(struct proof *p)
{
	const unsigned before = p->n;

	p->now = clock_mono_us();
	p->n = sounds_count(p->sounds);
	p->stateful = 0;
	for (int i = 0; i < PROOF_LINKS; i++)
		p->link[i].wanted = false;
	for (unsigned i = 0; i < before || i < p->n; i++)
		watch_output(p, i);
	for (int i = 0; i < PROOF_LINKS; i++)
		if (*p->link[i].name && !p->link[i].wanted) {
			link_close(&p->link[i]);
			link_clear(&p->link[i]);
		}
	index_outputs(p);
	for (int i = 0; i < PROOF_LINKS; i++)
		if (*p->link[i].name)
			watch_link(p, i);
	proof_judge_gone(p);
	p->looked_us = 0;
	tmr_start(&p->tmr, 0, on_poll, p);
}

int proof_alloc(struct proof **pp, struct media *m, const struct sounds *s,
		struct faults *f)
{
	struct proof *p = calloc(1, sizeof(*p));

	if (!p || meter_alloc(&p->meter)) {
		free(p);
		return ENOMEM;
	}
	p->media = m;
	p->sounds = s;
	p->faults = f;
	tmr_init(&p->tmr);
	tmr_init(&p->shut);
	for (int i = 0; i < PROOF_LINKS; i++)
		link_clear(&p->link[i]);
	*pp = p;
	return 0;
}

struct proof *proof_free(struct proof *p)
{
	if (!p)
		return NULL;
	tmr_cancel(&p->tmr);
	tmr_cancel(&p->shut);
	for (int i = 0; i < PROOF_LINKS; i++)
		link_close(&p->link[i]);
	for (unsigned i = 0; i < PROOF_OUTPUTS; i++)
		forget(&p->output[i]);
	meter_free(p->meter);
	free(p);
	return NULL;
}
