#include "zones/watch/filter.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdlib.h>

#define IGMP_QUERY 0x11
#define MLD_QUERY 130

/** Jumps are written with a name for where they go, and given their distance
 *  when all is there: they only go forward. */
enum { NEXT, DROP, UDP6, V6, KEEP, NAMES };

struct program {
	struct sock_filter *p;
	unsigned n;
	uint8_t yes[FILTER_MAX], no[FILTER_MAX];
	unsigned at[NAMES];
};

static void put(struct program *g, uint16_t code, uint32_t k)
{
	g->yes[g->n] = g->no[g->n] = NEXT;
	g->p[g->n++] = (struct sock_filter){.code = code, .k = k};
}

static void jump(struct program *g, uint16_t op, uint32_t k, uint8_t yes,
		 uint8_t no)
{
	put(g, BPF_JMP | op | BPF_K, k);
	g->yes[g->n - 1] = yes;
	g->no[g->n - 1] = no;
}

static void byte_at(struct program *g, uint32_t at)
{
	put(g, BPF_LD | BPF_B | BPF_ABS, at);
}

static void half_at(struct program *g, uint32_t at)
{
	put(g, BPF_LD | BPF_H | BPF_ABS, at);
}

static void here(struct program *g, unsigned name)
{
	g->at[name] = g->n;
}

static int by_value(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void filter_ranges(struct filter_want *w, uint32_t *addr, unsigned n)
{
	uint32_t gap = 1;

	qsort(addr, n, sizeof(*addr), by_value);
	/* Twice as wide until they fit: at most 32 rounds. */
	for (;;) {
		w->n = 0;
		for (unsigned i = 0; i < n; i++) {
			struct filter_range *last =
				w->n ? &w->range[w->n - 1] : NULL;

			if (last && addr[i] - last->hi <= gap)
				last->hi = addr[i];
			else if (w->n < FILTER_RANGES)
				w->range[w->n++] =
					(struct filter_range){addr[i], addr[i]};
			else
				break;
			if (i == n - 1)
				return;
		}
		if (!n)
			return;
		gap = gap > UINT32_MAX / 2 ? UINT32_MAX : gap * 2;
	}
}

static void v4(struct program *g, const struct filter_want *w)
{
	byte_at(g, 9);
	if (w->queries) {
		put(g, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_IGMP);
		g->p[g->n - 1].jf = 3;
		/* X = length of the IPv4 header. */
		put(g, BPF_LDX | BPF_B | BPF_MSH, 0);
		put(g, BPF_LD | BPF_B | BPF_IND, 0);
		jump(g, BPF_JEQ, IGMP_QUERY, KEEP, DROP);
	}
	jump(g, BPF_JEQ, IPPROTO_UDP, NEXT, DROP);
	half_at(g, 6);
	jump(g, BPF_JSET, 0x3fff, DROP, NEXT);
	put(g, BPF_LD | BPF_W | BPF_ABS, 16);
	for (unsigned i = 0; i < w->n; i++) {
		jump(g, BPF_JGE, w->range[i].lo, NEXT, DROP);
		jump(g, BPF_JGT, w->range[i].hi, NEXT, KEEP);
	}
	jump(g, BPF_JA, 0, DROP, DROP);
}

static void v6(struct program *g, const struct filter_want *w)
{
	byte_at(g, 6);
	jump(g, BPF_JEQ, IPPROTO_UDP, UDP6, NEXT);
	if (w->queries) {
		/* Behind a hop-by-hop header with the router alert. */
		jump(g, BPF_JEQ, IPPROTO_HOPOPTS, NEXT, DROP);
		byte_at(g, 40);
		jump(g, BPF_JEQ, IPPROTO_ICMPV6, NEXT, DROP);
		byte_at(g, 48);
		jump(g, BPF_JEQ, MLD_QUERY, KEEP, DROP);
	} else {
		jump(g, BPF_JA, 0, DROP, DROP);
	}
	here(g, UDP6);
	byte_at(g, 24);
	jump(g, BPF_JEQ, 0xff, KEEP, DROP);
}

/** Distances in place of names. */
static void link_up(struct program *g)
{
	for (unsigned i = 0; i < g->n; i++) {
		struct sock_filter *s = &g->p[i];

		if (s->code == (BPF_JMP | BPF_JA | BPF_K)) {
			s->k = g->at[g->yes[i]] - i - 1;
			continue;
		}
		if (g->yes[i] != NEXT)
			s->jt = (uint8_t)(g->at[g->yes[i]] - i - 1);
		if (g->no[i] != NEXT)
			s->jf = (uint8_t)(g->at[g->no[i]] - i - 1);
	}
}

unsigned filter_build(struct sock_filter prog[FILTER_MAX],
		      const struct filter_want *w)
{
	struct program g = {.p = prog};

	put(&g, BPF_LD | BPF_W | BPF_ABS,
	    (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
	jump(&g, BPF_JEQ, PACKET_OUTGOING, w->outgoing ? NEXT : DROP,
	     w->outgoing ? DROP : NEXT);
	put(&g, BPF_LD | BPF_W | BPF_ABS,
	    (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
	if (w->v6)
		jump(&g, BPF_JEQ, ETH_P_IPV6, V6, NEXT);
	jump(&g, BPF_JEQ, ETH_P_IP, NEXT, DROP);
	v4(&g, w);
	if (w->v6) {
		here(&g, V6);
		v6(&g, w);
	}
	here(&g, KEEP);
	put(&g, BPF_RET | BPF_K, FILTER_SNAP);
	here(&g, DROP);
	put(&g, BPF_RET | BPF_K, 0);
	link_up(&g);
	return g.n;
}
