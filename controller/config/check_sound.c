/* Outputs of sound: what their keys mean together, and beside each other. */
#include "load.h"
#include "secret.h"
#include "values.h"

#include <errno.h>
#include <string.h>

/** RTP payload that fits into 1,500 bytes with IPv6, UDP and RTP headers. */
#define MAX_PAYLOAD 1440

static struct config_where key_at(const struct load *l, size_t i,
				  const char *key)
{
	const struct scan_node *k = scan_child(l->sound_node[i], key);

	return k ? k->at : l->sound_node[i]->at;
}

bool load_is_rate(const struct format *f, uint32_t rate)
{
	return rate == f->rate ||
	       (f->codec == CODEC_L16 &&
		(rate == 8000 || rate == 16000 || rate == 32000 ||
		 rate == 44100 || rate == 48000));
}

/** What is said of an output's key that does not go with its codec. */
#define KEY(key, format, ...)                                                  \
	problem_add(l->p, key_at(l, i, key), "zone \"%s\": \"%s\": " format,   \
		    l->c->zones[l->c->sounds[i].zone].name,                    \
		    l->c->sounds[i].name, __VA_ARGS__)

static void set_payload_type(struct load *l, size_t i, uint8_t pt)
{
	struct format *f = &l->c->sounds[i].out.fmt;

	f->pt = pt;
	if (pt >= 72 && pt <= 76)
		KEY("payload-type",
		    "payload type %u would be taken for RTCP (RFC 3551 6); "
		    "allowed: 0 to 71 and 77 to 127",
		    pt);
	else if (f->codec == CODEC_OPUS && pt < 96)
		KEY("payload-type",
		    "payload type %u stands for another codec (RFC 3551 6); "
		    "allowed for opus: 96 to 127",
		    pt);
}

static void set_ptime(struct load *l, size_t i, uint16_t ms)
{
	struct format *f = &l->c->sounds[i].out.fmt;

	f->ptime_ms = ms;
	if (f->codec == CODEC_OPUS && !format_valid(f))
		KEY("ptime",
		    "opus has no packets of %u ms (RFC 6716 2.1.4); use 10, "
		    "20, 40 or 60",
		    ms);
	else if (f->rate * ms % 1000 || !format_valid(f))
		KEY("ptime",
		    "%u ms at %u Hz is no whole number of samples; use 10 or "
		    "20",
		    ms, f->rate);
	else if (format_bytes(f) > MAX_PAYLOAD)
		KEY("ptime",
		    "%u ms are %zu bytes; %d fit into a packet: use a shorter "
		    "ptime",
		    ms, format_bytes(f), MAX_PAYLOAD);
}

/** The codec's defaults for what was not given; then the rest is checked. */
static void set_format(struct load *l, size_t i)
{
	struct config_sound *s = &l->c->sounds[i];
	const struct scan_node *n = l->sound_node[i];
	const struct format given = s->out.fmt;
	struct format *f = &s->out.fmt;

	format_default(f, given.codec, 16000);
	if (scan_child(n, "rate")) {
		if (load_is_rate(f, given.rate))
			format_default(f, given.codec, given.rate);
		else if (f->codec == CODEC_L16)
			KEY("rate",
			    "rate %u; allowed for l16: 8000, 16000, 32000, "
			    "44100 and 48000",
			    given.rate);
		else
			KEY("rate", "rate %u; %s has %u only", given.rate,
			    codec_name(f->codec), f->rate);
	}
	f->gain_cb = l->c->zones[s->zone].gain_cb;
	if (scan_child(n, "bitrate") && given.bitrate) {
		f->bitrate = given.bitrate;
		if (f->codec != CODEC_OPUS)
			KEY("bitrate", "%s has no choice of bitrate; opus has",
			    codec_name(f->codec));
		else if (f->bitrate < CODEC_OPUS_MIN_BITRATE)
			KEY("bitrate", "%u bit/s; allowed: %d to %d",
			    f->bitrate, CODEC_OPUS_MIN_BITRATE,
			    CODEC_OPUS_MAX_BITRATE);
	}
	if (scan_child(n, "payload-type"))
		set_payload_type(l, i, given.pt);
	if (scan_child(n, "ptime") && given.ptime_ms)
		set_ptime(l, i, given.ptime_ms);
}

/** What a Polycom output's keys mean together. */
static void set_polycom(struct load *l, size_t i)
{
	struct config_sound *s = &l->c->sounds[i];
	struct media_polycom *p = &s->out.polycom;
	const struct config_zone *z = &l->c->zones[s->zone];
	const struct scan_node *n = l->sound_node[i];
	const uint16_t ptime = s->out.fmt.ptime_ms;

	format_default(&s->out.fmt, s->phone_codec ? CODEC_G722 : CODEC_PCMU,
		       s->phone_codec ? 16000 : 8000);
	s->out.fmt.gain_cb = z->gain_cb;
	s->out.fmt.ptime_ms = ptime;
	if (ptime != 20 && ptime != 30)
		problem_add(l->p, key_at(l, i, "ptime"),
			    "zone \"%s\": \"%s\": ptime %u; phones take 20 "
			    "and 30",
			    z->name, s->name, ptime);
	if (!scan_child(n, "group") == !scan_child(n, "channel"))
		problem_add(l->p, s->at,
			    "zone \"%s\": polycom \"%s\": give it one of "
			    "group = 26 to 50 and channel = 1 to 25",
			    z->name, s->name);
	p->channel = s->group ? s->group : s->channel;
	if (!s->out.source_port && s->out.dst.ss_family)
		s->out.source_port = value_port(&s->out.dst);
	snprintf(p->caller, sizeof(p->caller), "%s",
		 s->caller ? s->caller : z->name);
}

static bool same_interface(const struct config_sound *a,
			   const struct config_sound *b)
{
	if (!a->interface || !b->interface)
		return a->interface == b->interface;
	return !strcmp(a->interface, b->interface);
}

/** Groups of different addresses that a switch or a network card cannot tell
 *  apart: only 23 bits of an IPv4 group (32 of IPv6) are in its MAC. */
static bool same_mac(const struct config_sound *a, const struct config_sound *b)
{
	size_t n, m;
	const uint8_t *x = value_bytes(&a->out.dst, &n);
	const uint8_t *y = value_bytes(&b->out.dst, &m);

	if (n != m || !value_is_multicast(&a->out.dst) ||
	    !value_is_multicast(&b->out.dst) || !memcmp(x, y, n))
		return false;
	return n == 4 ? !((x[1] ^ y[1]) & 0x7f) && !memcmp(x + 2, y + 2, 2)
		      : !memcmp(x + 12, y + 12, 4);
}

static bool same_endpoint(const struct sockaddr_storage *a,
			  const struct sockaddr_storage *b)
{
	size_t n, m;
	const uint8_t *x = value_bytes(a, &n);
	const uint8_t *y = value_bytes(b, &m);

	return n == m && !memcmp(x, y, n) && value_port(a) == value_port(b);
}

static bool same_place(const struct config_sound *a,
		       const struct config_sound *b)
{
	return same_endpoint(&a->out.dst, &b->out.dst);
}

/** Addresses that an output has beside its own; k = 0 is its own. */
static const struct sockaddr_storage *nth_place(const struct config_sound *s,
						size_t k)
{
	return k ? &s->fan[k - 1] : &s->out.dst;
}

/** An address of the fan may be in use only once. */
static void compare_fan(struct load *l, size_t i)
{
	const struct config *c = l->c;
	const struct config_sound *s = &c->sounds[i];

	for (size_t k = 0; k <= i; k++) {
		const struct config_sound *o = &c->sounds[k];

		for (size_t x = 0; x <= s->n_fan; x++)
			for (size_t y = 0; y <= o->n_fan; y++) {
				char text[VALUE_ENDPOINT_SIZE];

				if ((!x && !y) || (k == i && y >= x) ||
				    !nth_place(o, y)->ss_family ||
				    !same_endpoint(nth_place(s, x),
						   nth_place(o, y)))
					continue;
				problem_add(
					l->p, key_at(l, i, "unicast"),
					"zone \"%s\": \"%s\": %s gets "
					"\"%s\" of zone \"%s\" (%s:%d) "
					"already: two streams on one address "
					"and port destroy each other; take it "
					"out here",
					c->zones[s->zone].name, s->name,
					value_endpoint_text(text,
							    nth_place(s, x)),
					o->name, c->zones[o->zone].name,
					o->at.file, o->at.line);
				return;
			}
	}
}

static void compare(struct load *l, size_t i)
{
	const struct config *c = l->c;
	const struct config_sound *s = &c->sounds[i];

	for (size_t k = 0; k < i; k++) {
		const struct config_sound *o = &c->sounds[k];
		const bool group = value_is_multicast(&s->out.dst);

		if (!o->out.dst.ss_family || (group && !same_interface(s, o)))
			continue;
		/* Page groups share one address. */
		if (s->kind == SOUND_POLYCOM && o->kind == SOUND_POLYCOM &&
		    s->out.polycom.channel != o->out.polycom.channel)
			continue;
		if (same_place(s, o)) {
			problem_add(l->p, s->at,
				    "zone \"%s\": \"%s\" is an output of zone "
				    "\"%s\" already (%s:%d): two streams on "
				    "one address and port destroy each other; "
				    "put one zone into the other instead",
				    c->zones[s->zone].name, s->name,
				    c->zones[o->zone].name, o->at.file,
				    o->at.line);
			return;
		}
		if (same_mac(s, o)) {
			problem_warn(l->p, s->at,
				     "zone \"%s\": \"%s\" has the same MAC "
				     "address as \"%s\" of zone \"%s\" "
				     "(%s:%d): switches and receivers get "
				     "both; change the last three numbers",
				     c->zones[s->zone].name, s->name, o->name,
				     c->zones[o->zone].name, o->at.file,
				     o->at.line);
			return;
		}
	}
}

/** A loudspeaker's SRTP has its keys by SIP, which must be TLS then. */
static void check_speaker_srtp(struct load *l, const struct config_sound *s)
{
	const struct config *c = l->c;
	const int i = config_endpoint_find(c, s->name);
	const uint8_t srtp = s->speaker.srtp != SRTP_AUTO ? s->speaker.srtp
			     : i >= 0 ? c->endpoints[i].may.srtp
				      : SRTP_AUTO;
	bool tls = false;

	for (size_t k = 0; k < c->sip.n_listen; k++)
		tls |= c->sip.listen[k].transport == TRANSPORT_TLS;
	/* One that registers may do so by TLS. */
	if (i < 0)
		tls &= !!strcasestr(s->name, ";transport=tls");
	if ((srtp == SRTP_REQUIRE || srtp == SRTP_DTLS) && !tls &&
	    c->sip.srtp_keys == SRTP_KEYS_TLS)
		problem_add(l->p, s->at,
			    "zone \"%s\": speaker \"%s\": srtp = \"require\" "
			    "needs \";transport=tls\" in its address and a "
			    "\"tls:...\" entry of listen in sip, since keys go "
			    "by TLS only (or srtp-keys = \"any\" there)",
			    c->zones[s->zone].name, s->name);
}

/** What a SIP loudspeaker's keys mean together. */
static void set_speaker(struct load *l, size_t i)
{
	static const uint8_t codecs[] = {CODEC_G722, CODEC_PCMU, CODEC_PCMA};
	const struct config *c = l->c;
	struct config_sound *s = &c->sounds[i];
	struct config_speaker *k = &s->speaker;
	const char *why = NULL;

	if (!k->n_codecs) {
		memcpy(k->codecs, codecs, sizeof(codecs));
		k->n_codecs = sizeof(codecs);
	}
	format_default(&s->out.fmt, (enum codec)k->codecs[0], 16000);
	s->out.fmt.gain_cb = c->zones[s->zone].gain_cb;
	if (config_endpoint_find(c, s->name) < 0 && !load_can_call(c, s->name))
		problem_add(l->p, s->at,
			    "zone \"%s\": speaker \"%.80s\" cannot be called; "
			    "write it like " SPEAKER_ALLOWED,
			    c->zones[s->zone].name, s->name);
	if (!k->user != !k->password_file)
		problem_add(l->p, s->at,
			    "zone \"%s\": speaker \"%s\": \"user\" and "
			    "\"password-file\" belong together",
			    c->zones[s->zone].name, s->name);
	if (k->password_file &&
	    secret_read(k->password_file, k->password, sizeof(k->password),
			&why) != ENOENT &&
	    why)
		problem_add(l->p, key_at(l, i, "password-file"),
			    "zone \"%s\": speaker \"%s\": password-file %s: %s",
			    c->zones[s->zone].name, s->name, k->password_file,
			    why);
	if (!c->sip.n_listen)
		problem_add(l->p, s->at,
			    "zone \"%s\": speaker \"%s\" cannot be called "
			    "without SIP: give the sip section \"listen\"",
			    c->zones[s->zone].name, s->name);
	check_speaker_srtp(l, s);
	for (size_t j = 0; j < i; j++)
		if (c->sounds[j].kind == SOUND_SPEAKER &&
		    !strcmp(c->sounds[j].name, s->name))
			problem_add(l->p, s->at,
				    "zone \"%s\": speaker \"%s\" is an output "
				    "of zone \"%s\" already (%s:%d): put one "
				    "zone into the other instead",
				    c->zones[s->zone].name, s->name,
				    c->zones[c->sounds[j].zone].name,
				    c->sounds[j].at.file, c->sounds[j].at.line);
}

static void set_copies(struct config_sound *s)
{
	if (!s->redundancy_ms)
		s->redundancy_ms = s->out.fmt.ptime_ms / 2;
	s->out.copy_us = s->redundancy ? s->redundancy_ms * 1000u : 0;
}

void load_check_sounds(struct load *l)
{
	for (size_t i = 0; i < l->c->n_sounds; i++) {
		struct config_sound *s = &l->c->sounds[i];

		if (s->kind == SOUND_SPEAKER) {
			set_speaker(l, i);
			continue;
		}
		if (s->kind == SOUND_POLYCOM)
			set_polycom(l, i);
		else
			set_format(l, i);
		/* Its title was refused. */
		if (!s->out.dst.ss_family)
			continue;
		if (value_is_multicast(&s->out.dst) && !s->interface &&
		    !scan_child(l->sound_node[i], "interface"))
			problem_add(l->p, s->at,
				    "zone \"%s\": %s \"%s\": "
				    "\"interface\" is missing: name the "
				    "network interface it leaves by, like "
				    "interface = \"eth1\" (\"lo\" for this "
				    "host alone)",
				    l->c->zones[s->zone].name,
				    s->kind == SOUND_POLYCOM ? "polycom"
							     : "multicast",
				    s->name);
		compare(l, i);
		compare_fan(l, i);
		set_copies(s);
		load_srtp(l, i, key_at(l, i, "srtp-key-file"));
	}
}
