/*
 * For tests of calls that we make: a raw peer that is called by the stack of a
 * world.
 */
#ifndef TOCSIN_TEST_CALLEE_H
#define TOCSIN_TEST_CALLEE_H

#include "peer.h"

#include "controller/sip/dial.h"

static struct {
	struct world *w;
	struct peer *p;
	struct dial *dial;
	unsigned medias, closes;
	uint16_t status;
	char why[96];
} callee;

static inline void callee_init(struct world *w, struct peer *p)
{
	memset(&callee, 0, sizeof(callee));
	callee.w = w;
	callee.p = p;
}

static inline void callee_media(struct dial *d, const struct dial_media *m,
				void *arg)
{
	struct world *w = callee.w;

	(void)d;
	(void)arg;
	if (m->leg.fd >= 0)
		w->fds[w->medias++] = m->leg.fd;
	callee.medias++;
}

static inline void callee_closed(struct dial *d, uint16_t status,
				 const char *why, void *arg)
{
	(void)d;
	(void)arg;
	callee.status = status;
	snprintf(callee.why, sizeof(callee.why), "%s", why);
	callee.closes++;
}

/* Up to the INVITE that it gets, with a header of its own. */
static inline void callee_call(void)
{
	static const struct dial_handlers h = {.media = callee_media,
					       .closed = callee_closed};
	static const uint8_t codecs[] = {CODEC_PCMU};
	char uri[64];
	const struct dial_request rq = {
		.uri = uri,
		.user = "tocsin",
		.headers = "X-Mine: 1\r\n",
		.codecs = codecs,
		.n_codecs = 1,
		.talk = true,
	};
	struct reason why = {""};

	snprintf(uri, sizeof(uri), "sip:desk@%s:%u", callee.p->host,
		 callee.p->port);
	if (dial_start(&callee.dial, callee.w->stack, &rq, &h, NULL, &why))
		fail_msg("%s", why.text);
	expect(callee.p, "INVITE ");
	assert_string_equal(peer_header(callee.p, "X-Mine"), "1");
}

#endif
