#include "zones/engine/listen.h"

#include "zones/sound/coder.h"

#include <string.h>

static void count(_Atomic uint64_t *n)
{
	atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

static void note(_Atomic uint64_t word[3], const union endpoint *e)
{
	struct sockaddr_in6 a;
	uint64_t w[2];

	if (!endpoint_in6(e, &a))
		return;
	memcpy(w, &a.sin6_addr, sizeof(w));
	atomic_store_explicit(&word[0], w[0], memory_order_relaxed);
	atomic_store_explicit(&word[1], w[1], memory_order_relaxed);
	atomic_store_explicit(&word[2], UINT64_C(1) << 32 | a.sin6_port,
			      memory_order_relaxed);
}

static void read_note(const _Atomic uint64_t word[3], struct sockaddr_in6 *a)
{
	uint64_t w[2], port;

	*a = (struct sockaddr_in6){0};
	port = atomic_load_explicit(&word[2], memory_order_relaxed);
	if (!port)
		return;
	w[0] = atomic_load_explicit(&word[0], memory_order_relaxed);
	w[1] = atomic_load_explicit(&word[1], memory_order_relaxed);
	a->sin6_family = AF_INET6;
	a->sin6_port = (in_port_t)(port & 0xffff);
	memcpy(&a->sin6_addr, w, sizeof(w));
}

void listen_drop(struct listen *l, enum media_unheard why,
		 const union endpoint *from)
{
	count(&l->unheard[why]);
	note(l->by_word[why], from);
}

static bool within(const struct media_net *net, const uint8_t *addr)
{
	unsigned whole = net->prefix / 8, rest = net->prefix % 8;

	return !memcmp(net->addr, addr, whole) &&
	       (!rest || !((net->addr[whole] ^ addr[whole]) >> (8 - rest)));
}

bool listen_allowed(struct listen *l, const union endpoint *from)
{
	struct sockaddr_in6 a;

	if (!l->n_allow)
		return true;
	if (endpoint_in6(from, &a))
		for (unsigned i = 0; i < l->n_allow; i++)
			if (within(&l->allow[i], a.sin6_addr.s6_addr))
				return true;
	listen_drop(l, UNHEARD_FOREIGN, from);
	return false;
}

static bool size_fits(const struct format *f, const struct packet *p)
{
	uint32_t n = coder_samples(f->codec, p->payload, p->len);

	return n >= f->rate * LISTEN_MIN_MS / 1000 &&
	       n <= f->rate * LISTEN_MAX_MS / 1000;
}

static void keep(struct listen *l, const union endpoint *from,
		 const struct packet *p, uint64_t now)
{
	l->from = *from;
	l->ssrc = p->ssrc;
	l->first.there = true;
	l->first.at_us = now;
	l->first.seq = p->seq;
	l->first.ts = p->ts;
	l->first.len = p->len;
	memcpy(l->first.payload, p->payload, p->len);
}

enum listen_verdict listen_judge(struct listen *l, const union endpoint *from,
				 const struct packet *p, uint64_t now_us)
{
	uint16_t step = (uint16_t)(p->seq - l->first.seq);
	bool same = endpoint_equal(&l->from, from), recent;

	if (p->pt != l->fmt.pt) {
		atomic_store_explicit(&l->last_type, p->pt,
				      memory_order_relaxed);
		listen_drop(l, UNHEARD_TYPE, from);
		return LISTEN_NOT;
	}
	if (p->len > sizeof(l->first.payload) || !size_fits(&l->fmt, p)) {
		atomic_store_explicit(&l->last_size, (uint16_t)p->len,
				      memory_order_relaxed);
		listen_drop(l, UNHEARD_SIZE, from);
		return LISTEN_NOT;
	}
	if (l->talks) {
		/* Another SSRC from the same place is he, started anew. */
		if (!same) {
			listen_drop(l, UNHEARD_SECOND, from);
			return LISTEN_NOT;
		}
		l->ssrc = p->ssrc;
		count(&l->heard);
		return LISTEN_GOES_ON;
	}
	recent = l->first.there && now_us - l->first.at_us <= LISTEN_KEEP_US;
	/* Two that begin at once must not keep each other from it. */
	if (recent && !same) {
		listen_drop(l, UNHEARD_SECOND, from);
		return LISTEN_NOT;
	}
	if (!recent || l->ssrc != p->ssrc || !step || step > LISTEN_MAX_STEP) {
		keep(l, from, p, now_us);
		return LISTEN_KEPT;
	}
	listen_begin(l, from, p->ssrc);
	count(&l->heard);
	count(&l->heard);
	return LISTEN_BEGINS;
}

void listen_begin(struct listen *l, const union endpoint *from, uint32_t id)
{
	l->talks = true;
	l->from = *from;
	l->ssrc = id;
	l->first.there = false;
	note(l->from_word, from);
}

void listen_end(struct listen *l)
{
	l->talks = false;
	l->first.there = false;
}

void listen_stats(const struct listen *l, struct media_listen_stats *s)
{
	*s = (struct media_listen_stats){
		.heard = atomic_load_explicit(&l->heard, memory_order_relaxed),
		.last_type = atomic_load_explicit(&l->last_type,
						  memory_order_relaxed),
		.last_size = atomic_load_explicit(&l->last_size,
						  memory_order_relaxed),
	};
	for (int i = 0; i < UNHEARD_COUNT; i++) {
		s->unheard[i].n = atomic_load_explicit(&l->unheard[i],
						       memory_order_relaxed);
		read_note(l->by_word[i], &s->unheard[i].by);
	}
	read_note(l->from_word, &s->from);
}
