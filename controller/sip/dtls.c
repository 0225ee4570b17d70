#include "dtls.h"

#include "controller/sip/dtls_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* RFC 7983 7: what a datagram is, by its first byte. */
#define FIRST_BYTE_MIN 20
#define FIRST_BYTE_MAX 63
/* Most datagrams that are read before others have their turn. */
#define READS 16
/* Those of our last flight: it is some 100 bytes in one or two. */
#define LAST 4
/* RFC 5764 4.2: both keys, then both salts. */
#define KEY 16
#define SALT 14
#define LABEL "EXTRACTOR-dtls_srtp"

/* The last flight is answered by none, and who is lost without it repeats his
 * own, which nobody here reads by then: it goes out again after these. */
static const uint64_t again_ms[] = {50, 200, 750};

#define AGAINS (sizeof(again_ms) / sizeof(again_ms[0]))

struct datagram {
	size_t len;
	uint8_t bytes[DTLS_MTU];
};

struct dtls {
	struct dtls_request rq;
	SSL_CTX *ctx;
	SSL *ssl;
	struct tc_fd watched;
	struct tmr flight, limit;
	struct sa peer; /**< who answers us, once one does */
	bool strict;    /**< only the address that was agreed on may */
	bool over;
	struct datagram last[LAST];
	size_t n_last;
	int again_fd;
	size_t agains;
	dtls_h *h;
	void *arg;
	char why[200];
};

static void destructor(void *arg)
{
	struct dtls *d = arg;

	tmr_cancel(&d->flight);
	tmr_cancel(&d->limit);
	tc_fd_close(&d->watched);
	SSL_free(d->ssl);
	if (d->again_fd >= 0)
		close(d->again_fd);
}

/* ------------------------------------------------------ the way to OpenSSL */

static const struct sa *target(const struct dtls *d)
{
	return sa_isset(&d->peer, SA_ALL) ? &d->peer : &d->rq.remote;
}

static void send_to(const struct dtls *d, int fd, const void *p, size_t len)
{
	const struct sa *to = target(d);

	/* Lost is lost: it goes out again. */
	(void)sendto(fd, p, len, MSG_DONTWAIT, &to->u.sa, to->len);
}

static int bio_write(BIO *b, const char *p, int len)
{
	struct dtls *d = BIO_get_data(b);

	if (len <= 0 || len > DTLS_MTU)
		return len;
	send_to(d, d->rq.fd, p, (size_t)len);
	if (d->n_last < LAST) {
		struct datagram *g = &d->last[d->n_last++];

		g->len = (size_t)len;
		memcpy(g->bytes, p, g->len);
	}
	return len;
}

static long bio_ctrl(BIO *b, int cmd, long n, void *p)
{
	(void)b;
	(void)n;
	(void)p;
	return cmd == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method(void)
{
	static BIO_METHOD *m;

	if (m)
		return m;
	m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "call");
	if (m && (!BIO_meth_set_write(m, bio_write) ||
		  !BIO_meth_set_ctrl(m, bio_ctrl))) {
		BIO_meth_free(m);
		m = NULL;
	}
	return m;
}

static unsigned next_wait(SSL *ssl, unsigned us)
{
	const unsigned most = DTLS_AGAIN_MOST_MS * 1000;

	(void)ssl;
	if (!us)
		return DTLS_AGAIN_MS * 1000;
	return us < most / 2 ? us * 2 : most;
}

/* From the beginning, as if nothing had come. */
static int renew(struct dtls *d)
{
	BIO_METHOD *const method = bio_method();
	BIO *in = BIO_new(BIO_s_mem());
	BIO *out = method ? BIO_new(method) : NULL;
	SSL *ssl = in && out ? SSL_new(d->ctx) : NULL;

	if (!ssl) {
		BIO_free(in);
		BIO_free(out);
		return ENOMEM;
	}
	SSL_free(d->ssl);
	d->ssl = ssl;
	(void)BIO_set_mem_eof_return(in, -1);
	BIO_set_data(out, d);
	BIO_set_init(out, 1);
	SSL_set_bio(d->ssl, in, out);
	(void)DTLS_set_link_mtu(d->ssl, DTLS_MTU);
	DTLS_set_timer_cb(d->ssl, next_wait);
	if (d->rq.active)
		SSL_set_connect_state(d->ssl);
	else
		SSL_set_accept_state(d->ssl);
	return 0;
}

/* -------------------------------------------------------------- its end */

static void last_again(void *arg)
{
	struct dtls *d = arg;

	for (size_t i = 0; i < d->n_last; i++)
		send_to(d, d->again_fd, d->last[i].bytes, d->last[i].len);
	if (++d->agains < AGAINS)
		tmr_start(&d->flight, again_ms[d->agains], last_again, d);
}

/* The server's Finished is the last word. */
static void repeat_last(struct dtls *d)
{
	d->again_fd = fcntl(d->rq.fd, F_DUPFD_CLOEXEC, 0);
	if (d->again_fd >= 0)
		tmr_start(&d->flight, again_ms[0], last_again, d);
}

static void finish(struct dtls *d, struct dtls_result *r)
{
	d->over = true;
	tmr_cancel(&d->flight);
	tmr_cancel(&d->limit);
	tc_fd_close(&d->watched);
	if (!r->why && !d->rq.active)
		repeat_last(d);
	r->from = *target(d);
	d->h(r, d->arg); /* the object may be gone after this */
	OPENSSL_cleanse(r, sizeof(*r));
}

/* True when it has begun anew, with the agreed address alone: whoever it was,
 * he did not sit there. */
static bool other_chance(struct dtls *d)
{
	if (d->strict || !sa_isset(&d->peer, SA_ALL) ||
	    sa_cmp(&d->peer, &d->rq.remote, SA_ALL))
		return false;
	d->strict = true;
	sa_init(&d->peer, AF_UNSPEC);
	return !renew(d);
}

static void go_on(struct dtls *d);

static void fail(struct dtls *d, const char *what)
{
	struct dtls_result r = {.why = d->why};

	if (other_chance(d)) {
		go_on(d);
		return;
	}
	re_snprintf(d->why, sizeof(d->why), "DTLS with %J: %s", target(d),
		    what);
	finish(d, &r);
}

static void take_key(struct media_srtp *k, const uint8_t *material, bool client,
		     uint8_t tag)
{
	*k = (struct media_srtp){.on = true, .tag = tag, .rolls = true};
	memcpy(k->key, material + (client ? 0 : KEY), KEY);
	memcpy(k->key + KEY, material + 2 * KEY + (client ? 0 : SALT), SALT);
}

/* NULL, or what is wrong with it. */
static const char *read_keys(struct dtls *d, struct dtls_result *r)
{
	const SRTP_PROTECTION_PROFILE *p =
		SSL_get_selected_srtp_profile(d->ssl);
	uint8_t material[2 * (KEY + SALT)], tag;
	X509 *cert;
	bool fits;

	cert = SSL_get1_peer_certificate(d->ssl);
	fits = cert && fingerprint_fits(&d->rq.theirs, cert);
	X509_free(cert);
	if (!fits)
		return "its certificate is not the one that its SDP names "
		       "(a=fingerprint)";
	if (!p)
		return "it has no SRTP profile of ours: "
		       "SRTP_AES128_CM_SHA1_80 or _32";
	if (SSL_export_keying_material(d->ssl, material, sizeof(material),
				       LABEL, sizeof(LABEL) - 1, NULL, 0,
				       0) != 1)
		return "no keys came of it";
	tag = p->id == SRTP_AES128_CM_SHA1_32 ? 4 : 10;
	take_key(&r->out, material, d->rq.active, tag);
	take_key(&r->in, material, !d->rq.active, tag);
	OPENSSL_cleanse(material, sizeof(material));
	return NULL;
}

static void done(struct dtls *d)
{
	struct dtls_result r = {.why = NULL};
	const char *wrong = read_keys(d, &r);

	if (wrong)
		fail(d, wrong);
	else
		finish(d, &r);
}

/* ------------------------------------------------------------- its course */

static void on_flight(void *arg)
{
	struct dtls *d = arg;

	d->n_last = 0;
	ERR_clear_error();
	if (DTLSv1_handle_timeout(d->ssl) < 0)
		fail(d, "nobody answers");
	else
		go_on(d);
}

/* As far as it gets with what there is. */
static void go_on(struct dtls *d)
{
	struct timeval wait;
	const char *reason;
	int n;

	ERR_clear_error();
	n = SSL_do_handshake(d->ssl);
	if (n == 1) {
		done(d);
		return;
	}
	if (SSL_get_error(d->ssl, n) != SSL_ERROR_WANT_READ) {
		reason = ERR_reason_error_string(ERR_peek_error());
		fail(d, reason ? reason : "it went wrong");
		return;
	}
	if (DTLSv1_get_timeout(d->ssl, &wait))
		tmr_start(&d->flight,
			  (uint64_t)wait.tv_sec * 1000 +
				  (uint64_t)wait.tv_usec / 1000 + 1,
			  on_flight, d);
	else
		tmr_cancel(&d->flight);
}

static void on_limit(void *arg)
{
	struct dtls *d = arg;
	char what[96];

	d->strict = true;
	snprintf(what, sizeof(what), "no handshake within %u s: %s",
		 d->rq.within_ms / 1000,
		 sa_isset(&d->peer, SA_ALL) ? "it was begun, and not finished"
					    : "nothing came");
	fail(d, what);
}

/* May who is there speak? One who is not where he was to be is heard until the
 * one who is does (RFC 4961: a NAT may be between us). */
static bool admit(struct dtls *d, const struct sa *from)
{
	const bool agreed = sa_cmp(from, &d->rq.remote, SA_ALL);

	if (sa_isset(&d->peer, SA_ALL) && sa_cmp(from, &d->peer, SA_ALL))
		return true;
	if (!sa_isset(&d->peer, SA_ALL)) {
		if (!agreed && d->strict)
			return false;
	} else if (!agreed || renew(d)) {
		return false;
	}
	d->peer = *from;
	d->strict |= agreed;
	return true;
}

static void on_datagram(struct dtls *d, const struct sa *from,
			const uint8_t *bytes, size_t len)
{
	if (!len || bytes[0] < FIRST_BYTE_MIN || bytes[0] > FIRST_BYTE_MAX ||
	    !admit(d, from))
		return;
	d->n_last = 0;
	/* One at a time: what it leaves of it was no record. */
	(void)BIO_reset(SSL_get_rbio(d->ssl));
	if (BIO_write(SSL_get_rbio(d->ssl), bytes, (int)len) == (int)len)
		go_on(d);
}

static void on_readable(int flags, void *arg)
{
	struct dtls *d = arg;
	uint8_t bytes[2048];
	struct sa from;

	(void)flags;
	mem_ref(d);
	for (unsigned i = 0; i < READS && !d->over; i++) {
		ssize_t n;

		from.len = sizeof(from.u);
		n = recvfrom(d->rq.fd, bytes, sizeof(bytes),
			     MSG_DONTWAIT | MSG_TRUNC, &from.u.sa, &from.len);
		if (n < 0 && (errno == EAGAIN || errno == EBADF))
			break;
		if (n > 0 && (size_t)n <= sizeof(bytes))
			on_datagram(d, &from, bytes, (size_t)n);
	}
	mem_deref(d);
}

static void begin(void *arg)
{
	go_on(arg);
}

int dtls_start(struct dtls **dp, struct dtls_identity *id,
	       const struct dtls_request *rq, dtls_h *h, void *arg)
{
	struct dtls *d = mem_zalloc(sizeof(*d), destructor);
	int err;

	if (!d)
		return ENOMEM;
	d->rq = *rq;
	d->ctx = dtls_identity_ctx(id);
	d->h = h;
	d->arg = arg;
	d->again_fd = d->watched.fd = -1;
	tmr_init(&d->flight);
	tmr_init(&d->limit);
	sa_init(&d->peer, AF_UNSPEC);
	err = renew(d);
	if (!err)
		err = tc_fd_listen(&d->watched, rq->fd, FD_READ, on_readable,
				   d);
	if (err) {
		mem_deref(d);
		return err;
	}
	tmr_start(&d->limit, rq->within_ms ? rq->within_ms : DTLS_MS, on_limit,
		  d);
	if (rq->active)
		tmr_start(&d->flight, 0, begin, d);
	*dp = d;
	return 0;
}
