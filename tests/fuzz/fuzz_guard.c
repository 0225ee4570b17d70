/*
 * Any bytes through the decode guard and, when they pass, through libre's
 * decoder behind it. A verdict must not depend on what follows the headers, and
 * a message that libre hands out has what the guard promises.
 */
#include "controller/base/compat.h"
#include "controller/sip/caller.h"
#include "controller/sip/guard.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct sip_msg *msg)
{
	const char *bad = guard_bad_reason(msg);
	struct caller c;

	if (!msg->req && bad)
		abort();
	if (bad)
		return;
	if (!msg->callid.p || !msg->cseq.met.p || !msg->via.val.p ||
	    !msg->from.auri.p || !msg->to.auri.p)
		abort();
	if (msg->req) {
		if (pl_cmp(&msg->met, &msg->cseq.met))
			abort();
		caller_identify(&c, msg, true);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct guard_finding f = guard_examine(data, size);
	struct sip_msg *msg = NULL;
	struct mbuf *mb;
	int err;

	if ((f.verdict == GUARD_BAD) != (f.why != NULL))
		abort();
	mb = mbuf_alloc(size ? size : 1);
	if (!mb || mbuf_write_mem(mb, data, size))
		abort();
	mb->pos = 0;
	err = sip_msg_decode(&msg, mb);
	if ((f.verdict == GUARD_INCOMPLETE) != (err == ENODATA))
		abort();
	if (!err) {
		if (f.verdict == GUARD_JUNK)
			abort();
		check(msg);
		mem_deref(msg);
	}
	mem_deref(mb);
	return 0;
}
