#include "nego.h"

#include "sdes.h"

#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* In the order we like them. RFC 3551 table 4: G722 has an 8000 clock. RFC 7587
 * 6.1: opus is always 48000/2, whatever is in it; 7: what we like to receive.
 */
static const struct {
	enum codec codec;
	const char *id, *name;
	uint32_t clock;
	uint8_t channels;
	const char *fmtp;
} codecs[] = {
	{CODEC_OPUS, "111", "opus", 48000, 2,
	 "stereo=0;sprop-stereo=0;useinbandfec=1;minptime=10"},
	{CODEC_G722, "9", "G722", 8000, 1, NULL},
	{CODEC_PCMU, "0", "PCMU", 8000, 1, NULL},
	{CODEC_PCMA, "8", "PCMA", 8000, 1, NULL},
	{CODEC_L16, "96", "L16", 16000, 1, NULL},
};

#define CODECS (sizeof(codecs) / sizeof(codecs[0]))
#define EVENT "telephone-event"
#define DEFAULT_PTIME 20
/* RTP payload that fits into 1,500 bytes with IPv6, UDP and RTP headers. */
#define MAX_PAYLOAD 1440

struct nego {
	struct sdp_session *session;
	struct sdp_media *media;
	struct sdp_format *format[CODECS];
	struct sdp_format *event;
	uint8_t order[CODECS]; /* indices of what we offer and take */
	size_t n_order;
	struct sa laddr;
	enum config_srtp srtp;
	bool sdes;                      /* its keys may go with the SDP */
	const struct fingerprint *dtls; /* our certificate's, NULL = no DTLS */
	struct sdes mine[SDES_SUITES];  /* our keys, once there are any */
	bool agreed;     /* once; from then on it is DTLS, or it is not */
	bool up, active; /* agreed: it is, and we began */
	struct fingerprint theirs; /* then: their certificate's */
};

#define PLAIN "RTP/AVP"
#define SEALED "RTP/SAVP"
#define DTLS "UDP/TLS/RTP/SAVP"
/* With feedback by RTCP, of which none is asked. */
#define DTLS_F "UDP/TLS/RTP/SAVPF"

static void forget_formats(struct nego *n)
{
	size_t i;

	for (i = 0; i < CODECS; i++)
		n->format[i] = mem_deref(n->format[i]);
	n->event = mem_deref(n->event);
}

static void destructor(void *arg)
{
	struct nego *n = arg;

	forget_formats(n);
	mem_deref(n->media);
	mem_deref(n->session);
	OPENSSL_cleanse(n->mine, sizeof(n->mine));
}

/* Everything we can, again: an earlier round has taken formats away and
 * changed payload types. */
static int all_formats(struct nego *n)
{
	size_t k;
	int err = 0;

	forget_formats(n);
	for (k = 0; k < n->n_order && !err; k++) {
		const size_t i = n->order[k];

		err = sdp_format_add(
			&n->format[i], n->media, false, codecs[i].id,
			codecs[i].name, codecs[i].clock, codecs[i].channels,
			NULL, NULL, NULL, false, codecs[i].fmtp ? "%s" : NULL,
			codecs[i].fmtp);
	}
	if (!err)
		err = sdp_format_add(&n->event, n->media, false, "101", EVENT,
				     8000, 1, NULL, NULL, NULL, false, "0-15");
	return err;
}

/* Its session with one stream; an earlier one is forgotten. */
static int begin(struct nego *n, const char *profile)
{
	int err;

	n->media = mem_deref(n->media);
	n->session = mem_deref(n->session);
	err = sdp_session_alloc(&n->session, &n->laddr);
	return err ? err
		   : sdp_media_add(&n->media, n->session, sdp_media_audio,
				   sa_port(&n->laddr), profile);
}

int nego_alloc(struct nego **np, const struct sa *laddr)
{
	struct nego *n = mem_zalloc(sizeof(*n), destructor);
	int err;

	if (!n)
		return ENOMEM;
	for (n->n_order = 0; n->n_order < CODECS; n->n_order++)
		n->order[n->n_order] = (uint8_t)n->n_order;
	n->laddr = *laddr;
	err = begin(n, PLAIN);
	if (err)
		mem_deref(n);
	else
		*np = n;
	return err;
}

/* What our offers are then. */
static const char *profile_of(const struct nego *n)
{
	if (n->srtp == SRTP_DTLS || (n->srtp == SRTP_REQUIRE && !n->sdes))
		return DTLS;
	return n->srtp == SRTP_REQUIRE ? SEALED : PLAIN;
}

int nego_secure(struct nego *n, enum config_srtp srtp, bool exposed,
		const struct fingerprint *dtls, struct reason *why)
{
	const char *profile;
	int err;

	n->srtp = srtp;
	n->sdes = !exposed && srtp != SRTP_DTLS;
	n->dtls = dtls;
	if (!n->sdes && !dtls) {
		if (srtp == SRTP_REQUIRE)
			return reason_set(why, EPROTO,
					  "srtp = require takes and gives keys "
					  "over TLS only (see srtp-keys of "
					  "sip)");
		n->srtp = SRTP_NO;
	}
	if (n->srtp == SRTP_NO)
		return 0;
	profile = profile_of(n);
	err = strcmp(profile, PLAIN) ? begin(n, profile) : 0;
	if (!err)
		sdp_media_set_alt_protos(n->media, 4, PLAIN, SEALED, DTLS,
					 DTLS_F);
	return err;
}

void nego_limit(struct nego *n, const uint8_t *wanted, size_t count,
		bool sendonly)
{
	size_t i, k;

	n->n_order = 0;
	for (k = 0; k < count; k++)
		for (i = 0; i < CODECS; i++)
			if (codecs[i].codec == wanted[k] && n->n_order < CODECS)
				n->order[n->n_order++] = (uint8_t)i;
	if (sendonly)
		sdp_media_set_ldir(n->media, SDP_SENDONLY);
}

/* libre searches each line with backtracking patterns, quadratic in the line,
 * and keeps an object for every attribute. */
static bool within_limits(const struct mbuf *mb)
{
	const char *p = (const char *)mbuf_buf(mb);
	const size_t n = mbuf_get_left(mb);
	size_t i, line = 0, lines = 0, streams = 0;

	if (!n || n > NEGO_MAX_BYTES)
		return false;
	for (i = 0; i < n; i++) {
		if (!p[i])
			return false;
		if (p[i] == '\n') {
			line = 0;
			continue;
		}
		if (!line) {
			lines++;
			streams += p[i] == 'm';
		}
		line++;
		if (line > NEGO_MAX_LINE || lines > NEGO_MAX_LINES ||
		    streams > NEGO_MAX_STREAMS)
			return false;
	}
	return true;
}

/* libre leaves 0.0.0.0 for an address it cannot read, which would then look
 * like a call on hold: "c=IN IP4 host" is found here. */
static bool numeric_addresses(const struct mbuf *mb)
{
	const char *p = (const char *)mbuf_buf(mb);
	const char *end = p + mbuf_get_left(mb), *eol, *at;
	bool any = false;
	struct sa sa;
	struct pl pl;

	for (; p < end; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			eol = end;
		if (eol - p < 2 || p[0] != 'c' || p[1] != '=')
			continue;
		at = memrchr(p, ' ', (size_t)(eol - p));
		if (!at)
			return false;
		pl.p = at + 1;
		pl.l = (size_t)(eol - pl.p);
		if (pl.l && pl.p[pl.l - 1] == '\r')
			pl.l--;
		if (sa_set(&sa, &pl, 0))
			return false;
		any = true;
	}
	return any;
}

/* Some phones leave out the last line's end, on which libre insists. */
static int decode(struct nego *n, const struct mbuf *body, bool offer,
		  struct reason *why)
{
	struct mbuf *mb;
	int err;

	if (!within_limits(body))
		return reason_set(why, EPROTO,
				  "SDP is beyond %d bytes, %d "
				  "lines of %d or %d streams",
				  NEGO_MAX_BYTES, NEGO_MAX_LINES, NEGO_MAX_LINE,
				  NEGO_MAX_STREAMS);
	if (!numeric_addresses(body))
		return reason_set(why, EPROTO,
				  "c= must give one numeric unicast address");
	mb = mbuf_alloc(mbuf_get_left(body) + 2);
	if (!mb)
		return ENOMEM;
	err = mbuf_write_mem(mb, mbuf_buf(body), mbuf_get_left(body));
	if (!err)
		err = mbuf_write_str(mb, "\r\n");
	mb->pos = 0;
	if (!err)
		err = sdp_decode(n->session, mb, offer);
	mem_deref(mb);
	if (err == ENOTSUP || err == EPROTO)
		err = reason_set(why, EPROTO,
				 "Streams are not those agreed before");
	else if (err && err != ENOMEM)
		err = reason_set(why, EPROTO, "SDP cannot be read");
	return err;
}

/* Theirs if it is one the media engine packs: 10, 20 ... 60 ms, as the codec
 * has them and as fits into a packet. */
static void set_packet_time(const struct nego *n, struct format *f)
{
	const char *s = sdp_media_session_rattr(n->media, n->session, "ptime");
	const long ms = s ? strtol(s, NULL, 10) : 0;

	if (ms >= 10 && ms <= 60 && ms % 10 == 0)
		f->ptime_ms = (uint16_t)ms;
	if (!format_valid(f) || format_bytes(f) > MAX_PAYLOAD)
		f->ptime_ms = DEFAULT_PTIME;
}

/* RFC 7587 6.1: the most they want to get, on average. */
static void set_bitrate(struct format *f, const char *fmtp)
{
	static const char key[] = "maxaveragebitrate=";
	const char *s = fmtp ? strstr(fmtp, key) : NULL;
	const unsigned long most =
		s ? strtoul(s + sizeof(key) - 1, NULL, 10) : f->bitrate;

	if (most < f->bitrate)
		f->bitrate = most > CODEC_OPUS_MIN_BITRATE
				     ? (uint32_t)most
				     : CODEC_OPUS_MIN_BITRATE;
}

/* Their first codec that is ours too; index, or -1, and their fmtp. */
static int choose(const struct nego *n, const char **fmtp)
{
	const struct list *theirs = sdp_media_format_lst(n->media, false);
	struct le *le;
	size_t i;

	for (le = list_head(theirs); le; le = le->next) {
		const struct sdp_format *f = le->data;

		for (i = 0; f->sup && i < CODECS; i++)
			if (n->format[i] && f->pt == n->format[i]->pt) {
				*fmtp = f->params;
				return (int)i;
			}
	}
	return -1;
}

/* ------------------------------------------------------------------- keys */

/* Ours; an encryption that was off gets new ones, so that none is ever used
 * twice from its beginning. */
static bool make_keys(struct nego *n)
{
	bool ok = true;

	for (unsigned i = 0; i < SDES_SUITES && ok; i++)
		if (!n->mine[i].key.on)
			ok = sdes_make(&n->mine[i], (enum sdes_suite)i, i + 1);
	return ok;
}

static int tell_key(struct nego *n, const struct sdes *key, bool first)
{
	char text[SDES_SIZE];
	int err;

	sdes_print(text, key);
	err = sdp_media_set_lattr(n->media, first, "crypto", "%s", text);
	OPENSSL_cleanse(text, sizeof(text));
	return err;
}

static bool is_dtls(const struct nego *n)
{
	const char *proto = sdp_media_proto(n->media);

	return !strcmp(proto, DTLS) || !strcmp(proto, DTLS_F);
}

static int tell_dtls(struct nego *n, const char *setup)
{
	char text[FINGERPRINT_SIZE];
	int err;

	fingerprint_print(text, n->dtls);
	err = sdp_media_set_lattr(n->media, true, "fingerprint", "%s", text);
	if (!err)
		err = sdp_media_set_lattr(n->media, true, "setup", "%s", setup);
	/* We have no second port, with keys of its own. */
	if (!err)
		err = sdp_media_set_lattr(n->media, true, "rtcp-mux", NULL);
	return err;
}

static void tell_nothing(struct nego *n)
{
	static const char *const all[] = {"crypto", "fingerprint", "setup",
					  "rtcp-mux"};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		sdp_media_del_lattr(n->media, all[i]);
}

static int offer_keys(struct nego *n)
{
	int err = 0;

	tell_nothing(n);
	if (n->srtp == SRTP_NO)
		return 0;
	if (is_dtls(n))
		return tell_dtls(n, "actpass");
	if (!n->sdes)
		return 0;
	if (!make_keys(n))
		return EIO;
	for (unsigned i = 0; i < SDES_SUITES && !err; i++) {
		n->mine[i].tag = i + 1;
		err = tell_key(n, &n->mine[i], !i);
	}
	return err;
}

/* Looks for the first of their keys that can be used. */
struct key_search {
	const struct nego *n;
	bool offer;
	struct sdes found;
	unsigned seen;
	const char *why;
};

static bool key_next(const char *name, const char *value, void *arg)
{
	struct key_search *k = arg;
	const char *why = sdes_read(&k->found, value ? value : "");

	(void)name;
	k->seen++;
	/* An answer takes up one of ours, by its tag. */
	if (!why && !k->offer &&
	    (k->found.tag != k->n->mine[k->found.suite].tag))
		why = "a=crypto of the answer was not offered";
	if (!why)
		return true;
	k->why = why;
	k->found.key.on = false;
	return false;
}

/* The first of their fingerprints that can be used. */
static bool fingerprint_next(const char *name, const char *value, void *arg)
{
	(void)name;
	return fingerprint_read(arg, value ? value : "");
}

/* RFC 4145 4: who begins. False when it cannot be. */
static bool who_begins(const struct nego *n, bool offer, bool *active)
{
	const char *setup =
		sdp_media_session_rattr(n->media, n->session, "setup");

	/* An answer that does not say takes what the offer let it. */
	if (!setup)
		setup = "active";
	*active = !strcasecmp(setup, "passive") ||
		  (offer && !strcasecmp(setup, "actpass"));
	return *active || !strcasecmp(setup, "active");
}

/* Who they are and who begins; the keys come of the handshake. */
static int agree_dtls(struct nego *n, bool offer, struct nego_result *r,
		      struct reason *why)
{
	static const char name[] = "fingerprint";

	if (!sdp_media_rattr_apply(n->media, name, fingerprint_next,
				   &r->theirs))
		(void)sdp_session_rattr_apply(n->session, name,
					      fingerprint_next, &r->theirs);
	if (!r->theirs.hash)
		return reason_set(
			why, EPROTO,
			"There is no a=fingerprint of " FINGERPRINT_ALLOWED);
	if (!who_begins(n, offer, &r->active))
		return reason_set(why, EPROTO,
				  "a=setup says of nobody that he begins");
	if (n->up && !fingerprint_equal(&n->theirs, &r->theirs))
		return reason_set(why, EPROTO,
				  "Another certificate is not taken in the "
				  "middle of a call");
	if (!n->up) {
		n->theirs = r->theirs;
		n->active = r->active;
	}
	r->active = n->active;
	r->dtls = n->up = true;
	return offer ? tell_dtls(n, n->active ? "active" : "passive") : 0;
}

static int agree_sdes(struct nego *n, bool offer, struct nego_result *r,
		      struct reason *why)
{
	const bool profile =
		offer && !strcmp(sdp_media_proto(n->media), SEALED);
	struct key_search k = {.n = n, .offer = offer};
	int err = 0;

	if (!n->sdes && (profile || n->srtp != SRTP_OFFER))
		return reason_set(
			why, EPROTO, "%s",
			n->srtp == SRTP_DTLS
				? "This call must be encrypted with keys by "
				  "DTLS (srtp = dtls)"
			: profile ? "Keys in SDP are taken over TLS only (see "
				    "srtp-keys of sip); else by DTLS"
				  : "This call must be encrypted (srtp = "
				    "require): by DTLS, or over TLS");
	if (n->sdes)
		(void)sdp_media_rattr_apply(n->media, "crypto", key_next, &k);
	if (k.found.key.on && !make_keys(n)) {
		err = EIO;
	} else if (k.found.key.on) {
		r->in = k.found.key;
		r->out = n->mine[k.found.suite].key;
		n->mine[k.found.suite].tag = k.found.tag;
		if (offer)
			err = tell_key(n, &n->mine[k.found.suite], true);
	} else if (profile || n->srtp == SRTP_REQUIRE) {
		err = reason_set(why, EPROTO, "%s%s",
				 k.seen ? k.why : "There is no a=crypto",
				 profile ? ""
					 : ": this call must be encrypted "
					   "(srtp = require)");
	} else {
		tell_nothing(n);
		OPENSSL_cleanse(n->mine, sizeof(n->mine));
	}
	OPENSSL_cleanse(&k.found, sizeof(k.found));
	return err;
}

/* Fills the keys in *r, or how they come about, or leaves them off where that
 * is allowed. */
static int agree_keys(struct nego *n, bool offer, struct nego_result *r,
		      struct reason *why)
{
	const bool dtls = n->srtp != SRTP_NO && is_dtls(n);
	int err = 0;

	r->out.on = r->in.on = r->dtls = r->active = false;
	r->theirs.hash = NULL;
	if (dtls && !n->dtls)
		err = reason_set(why, EPROTO,
				 "Keys by DTLS are not for loudspeakers");
	else if (n->agreed && dtls != n->up)
		err = reason_set(why, EPROTO,
				 "DTLS neither begins nor ends in the middle "
				 "of a call");
	else if (dtls)
		err = agree_dtls(n, offer, r, why);
	else if (n->srtp != SRTP_NO)
		err = agree_sdes(n, offer, r, why);
	n->agreed |= !err;
	return err;
}

/* What they offer that we do not take, for people. */
static int no_stream(const struct nego *n, const struct mbuf *body,
		     struct reason *why)
{
	static const char sealed[] = "RTP/SAVP";
	const bool theirs = memmem(mbuf_buf(body), mbuf_get_left(body), sealed,
				   sizeof(sealed) - 1);

	return reason_set(why, EPROTO, "No audio stream over RTP/AVP%s",
			  n->srtp != SRTP_NO ? ", RTP/SAVP or UDP/TLS/RTP/SAVP"
			  : theirs ? "; RTP/SAVP is not taken here (srtp = no, "
				     "or not over TLS)"
				   : "");
}

/* Fills *r and leaves the codec's index in *chosen. */
static int agree(struct nego *n, const struct mbuf *body, bool offer,
		 int *chosen, struct nego_result *r, struct reason *why)
{
	const struct sa *remote = sdp_media_raddr(n->media);
	const enum sdp_dir dir = sdp_media_dir(n->media);
	const struct sdp_format *event;
	const char *fmtp = NULL;
	char host[64] = "";

	if (!sa_port(remote))
		return no_stream(n, body, why);
	*chosen = choose(n, &fmtp);
	if (*chosen < 0)
		return reason_set(why, EPROTO, "No codec in common");
	if (sa_af(remote) != sa_af(sdp_media_laddr(n->media)))
		return reason_set(why, EPROTO,
				  "c= is of another address family than ours");
	if (sa_af(remote) == AF_INET && sa_in(remote) >= 0xe0000000u) {
		(void)sa_ntop(remote, host, sizeof(host));
		return reason_set(why, EPROTO,
				  "c= must be a unicast address, not %s", host);
	}

	format_default(&r->fmt, codecs[*chosen].codec, codecs[*chosen].clock);
	r->fmt.pt = (uint8_t)n->format[*chosen]->pt;
	set_packet_time(n, &r->fmt);
	if (r->fmt.codec == CODEC_OPUS)
		set_bitrate(&r->fmt, fmtp);
	r->remote = *remote;
	r->send = dir & SDP_SENDONLY;
	r->recv = dir & SDP_RECVONLY;
	event = sdp_media_rformat(n->media, EVENT);
	r->event_pt = event && event->pt > 0 ? (uint8_t)event->pt : 0;
	return agree_keys(n, offer, r, why);
}

int nego_answer(struct nego *n, const struct mbuf *body, struct mbuf **answer,
		struct nego_result *r, struct reason *why)
{
	size_t i;
	int err, chosen;

	err = all_formats(n);
	if (!err)
		err = decode(n, body, true, why);
	if (!err)
		err = agree(n, body, true, &chosen, r, why);
	if (err)
		return err;

	/* One codec in the answer: no switching without a new offer. */
	for (i = 0; i < CODECS; i++)
		if ((int)i != chosen)
			n->format[i] = mem_deref(n->format[i]);
	err = sdp_media_set_lattr(n->media, true, "ptime", "%u",
				  r->fmt.ptime_ms);
	if (!err)
		err = sdp_encode(answer, n->session, false);
	return err;
}

int nego_offer(struct nego *n, struct mbuf **offer)
{
	int err = all_formats(n);

	if (!err)
		err = offer_keys(n);
	if (!err)
		err = sdp_media_set_lattr(n->media, true, "ptime", "%u",
					  DEFAULT_PTIME);
	if (!err)
		err = sdp_encode(offer, n->session, true);
	return err;
}

int nego_answered(struct nego *n, const struct mbuf *body,
		  struct nego_result *r, struct reason *why)
{
	int chosen, err = decode(n, body, false, why);

	return err ? err : agree(n, body, false, &chosen, r, why);
}
