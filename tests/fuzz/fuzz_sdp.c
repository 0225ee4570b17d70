/*
 * Any bytes as their offer, as their next offer, and as the answer to ours.
 * What is agreed on must be usable by the media engine.
 */
#include "controller/base/compat.h"
#include "controller/sip/nego.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct nego_result *r)
{
	if (r->fmt.codec >= CODEC_COUNT || !format_valid(&r->fmt) ||
	    r->fmt.ptime_ms < 10 || r->fmt.ptime_ms > 60 ||
	    r->fmt.ptime_ms % 10 || r->fmt.pt > 127 ||
	    sa_af(&r->remote) != AF_INET || !sa_port(&r->remote))
		abort();
}

static void offer(struct nego *n, struct mbuf *mb)
{
	struct nego_result r;
	struct reason why;
	struct mbuf *answer;
	int err = nego_answer(n, mb, &answer, &r, &why);

	if (!err) {
		check(&r);
		mem_deref(answer);
	} else if (err != EPROTO) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nego_result r;
	struct reason why;
	struct nego *n;
	struct sa laddr;
	struct mbuf *mb, *ours;
	int err;

	mb = mbuf_alloc(size ? size : 1);
	(void)sa_set_str(&laddr, "10.0.0.2", 16384);
	if (!mb || mbuf_write_mem(mb, data, size) || nego_alloc(&n, &laddr))
		abort();
	mb->pos = 0;
	offer(n, mb);
	offer(n, mb);
	if (nego_offer(n, &ours))
		abort();
	mem_deref(ours);
	err = nego_answered(n, mb, &r, &why);
	if (!err)
		check(&r);
	else if (err != EPROTO)
		abort();
	mem_deref(n);
	mem_deref(mb);
	return 0;
}
