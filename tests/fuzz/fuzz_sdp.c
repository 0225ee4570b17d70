/*
 * Any bytes as their offer, as their next offer, and as the answer to ours,
 * under each rule about encryption. What is agreed on must be usable by the
 * media engine, and encrypted where that is required.
 */
#include "controller/base/compat.h"
#include "controller/sip/nego.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	enum config_srtp srtp;
	bool exposed;
} rules[] = {{SRTP_NO, false},
	     {SRTP_OFFER, false},
	     {SRTP_REQUIRE, false},
	     {SRTP_REQUIRE, true},
	     {SRTP_DTLS, false}};

static void check(const struct nego_result *r, unsigned rule)
{
	const enum config_srtp srtp = rules[rule].srtp;

	if (r->fmt.codec >= CODEC_COUNT || !format_valid(&r->fmt) ||
	    r->fmt.ptime_ms < 10 || r->fmt.ptime_ms > 60 ||
	    r->fmt.ptime_ms % 10 || r->fmt.pt > 127 ||
	    sa_af(&r->remote) != AF_INET || !sa_port(&r->remote))
		abort();
	if (r->in.on != r->out.on || (r->dtls && (r->in.on || !r->theirs.hash)))
		abort();
	if (srtp == SRTP_NO && (r->dtls || r->in.on))
		abort();
	if (srtp == SRTP_REQUIRE && !r->dtls && !r->in.on)
		abort();
	if ((srtp == SRTP_DTLS || rules[rule].exposed) && !r->dtls)
		abort();
}

static void offer(struct nego *n, struct mbuf *mb, unsigned rule)
{
	struct nego_result r;
	struct reason why;
	struct mbuf *answer;
	int err = nego_answer(n, mb, &answer, &r, &why);

	if (!err) {
		check(&r, rule);
		mem_deref(answer);
	} else if (err != EPROTO) {
		abort();
	}
}

static void call(struct mbuf *mb, unsigned rule)
{
	static const struct fingerprint us = {.hash = "sha-256", .len = 32};
	struct nego_result r;
	struct reason why;
	struct nego *n;
	struct sa laddr;
	struct mbuf *ours;
	int err;

	(void)sa_set_str(&laddr, "10.0.0.2", 16384);
	if (nego_alloc(&n, &laddr) ||
	    nego_secure(n, rules[rule].srtp, rules[rule].exposed, &us, &why))
		abort();
	offer(n, mb, rule);
	offer(n, mb, rule);
	if (nego_offer(n, &ours))
		abort();
	mem_deref(ours);
	err = nego_answered(n, mb, &r, &why);
	if (!err)
		check(&r, rule);
	else if (err != EPROTO)
		abort();
	mem_deref(n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mbuf *mb = mbuf_alloc(size ? size : 1);

	if (!mb || mbuf_write_mem(mb, data, size))
		abort();
	mb->pos = 0;
	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		call(mb, i);
	mem_deref(mb);
	return 0;
}
