/* Our SRTP against libre's, which is another's work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/base/compat.h"
#include "zones/engine/engine.h"
#include "zones/engine/packet.h"
#include "zones/engine/seal.h"

#define SSRC 0xdeadbeef

/** What was sealed opens with its key, and with nothing changed. */
static void opens_its_own(void **state)
{
	struct media_srtp key = {
		.on = true, .tag = 10, .mki_len = 2, .mki = {7, 8}};
	struct packet p = {.seq = 40000, .ts = 1600, .ssrc = SSRC};
	uint8_t b[PACKET_HEADER + 160 + SEAL_ROOM], was[sizeof(b)];
	struct seal *s = NULL, *other = NULL;
	size_t len;
	(void)state;

	assert_int_equal(seal_alloc(&s, &key), 0);
	key.key[3] ^= 1;
	assert_int_equal(seal_alloc(&other, &key), 0);
	packet_header(b, &p);
	memset(b + PACKET_HEADER, 0x55, 160);
	memcpy(was, b, sizeof(b));
	len = seal_packet(s, b, PACKET_HEADER + 160);
	assert_memory_not_equal(b, was, PACKET_HEADER + 160);
	assert_int_equal(seal_open(other, b, len, 0), 0);
	assert_int_equal(seal_open(s, b, len - 1, 0), 0);
	assert_int_equal(seal_open(s, b, PACKET_HEADER, 0), 0);
	b[20] ^= 1;
	assert_int_equal(seal_open(s, b, len, 0), 0);
	b[20] ^= 1;
	assert_int_equal(seal_open(s, b, len, 0), PACKET_HEADER + 160);
	assert_memory_equal(b, was, PACKET_HEADER + 160);
	seal_free(other);
	seal_free(s);
}

static void libre_opens_what_we_seal(void **state)
{
	static const struct {
		uint8_t tag, mki;
		enum srtp_suite suite;
	} v[] = {{10, 0, SRTP_AES_CM_128_HMAC_SHA1_80},
		 {4, 0, SRTP_AES_CM_128_HMAC_SHA1_32},
		 {10, 4, SRTP_AES_CM_128_HMAC_SHA1_80}};
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct media_srtp key = {.on = true,
					 .tag = v[i].tag,
					 .mki_len = v[i].mki,
					 .mki = {1, 2, 3, 4}};
		struct seal *s = NULL;
		struct srtp *peer = NULL;
		struct mbuf *mb = mbuf_alloc(400);

		for (uint8_t k = 0; k < sizeof(key.key); k++)
			key.key[k] = (uint8_t)(k * 7 + 1);
		assert_int_equal(seal_alloc(&s, &key), 0);
		assert_int_equal(srtp_alloc(&peer, v[i].suite, key.key,
					    sizeof(key.key), 0),
				 0);
		for (uint16_t n = 0; n < 40; n++) {
			struct packet p = {.seq = (uint16_t)(0x7ff0 + n),
					   .ts = n * 160u,
					   .ssrc = 0xdeadbeef};
			uint8_t b[PACKET_HEADER + 160 + SEAL_ROOM];
			size_t len;

			packet_header(b, &p);
			memset(b + PACKET_HEADER, n, 160);
			len = seal_packet(s, b, PACKET_HEADER + 160);
			assert_int_equal(len, PACKET_HEADER + 160 + v[i].mki +
						      v[i].tag);
			assert_memory_equal(b + PACKET_HEADER + 160, key.mki,
					    v[i].mki);
			/* libre knows no key identifier: without it. */
			memmove(b + PACKET_HEADER + 160,
				b + PACKET_HEADER + 160 + v[i].mki, v[i].tag);
			mbuf_rewind(mb);
			mbuf_write_mem(mb, b, len - v[i].mki);
			mbuf_set_pos(mb, 0);
			assert_int_equal(srtp_decrypt(peer, mb), 0);
			assert_int_equal(mb->end, PACKET_HEADER + 160);
			for (size_t k = PACKET_HEADER; k < mb->end; k++)
				assert_int_equal(mb->buf[k], n);
		}
		seal_free(s);
		mem_deref(peer);
		mem_deref(mb);
	}
}

/** An engine without its thread, and in it one encrypted output whose stream
 *  goes on with `seq`; nothing leaves it but by receive(). */
static struct engine *output_at(uint16_t seq, const struct media_srtp *key)
{
	const struct media_options opt = {.tail_ms = 0};
	struct media_output m = {.srtp = *key};
	struct engine *e = NULL;
	struct output *o;

	format_default(&m.fmt, CODEC_PCMU, 8000);
	assert_int_equal(engine_alloc(&e, &opt), 0);
	o = &e->output[0];
	o->used = true;
	o->fmt = m.fmt;
	assert_int_equal(line_alloc(&o->line, &m), 0);
	stream_begin(&o->stream, SSRC, seq, 1000, 0);
	atomic_store(&o->ssrc, SSRC);
	return e;
}

/** Sends one packet; a receiver that knows the key alone must open it. */
static struct packet receive(struct engine *e, struct srtp *peer, bool begins,
			     uint64_t now)
{
	struct output *o = &e->output[0];
	struct mbuf *mb = mbuf_alloc(400);
	uint8_t payload[160];
	const uint8_t *sealed;
	struct packet p;
	size_t len = 0;

	memset(payload, 0x5a, sizeof(payload));
	o->stream.mark = begins;
	output_send(e, 0, payload, sizeof(payload), 160, now, now);
	sealed = line_next(o->line, now, &len);
	assert_non_null(sealed);
	mbuf_write_mem(mb, sealed, len);
	mbuf_set_pos(mb, 0);
	assert_int_equal(srtp_decrypt(peer, mb), 0);
	assert_int_equal(packet_decode(&p, mb->buf, mb->end), 0);
	assert_int_equal(p.len, sizeof(payload));
	assert_memory_equal(p.payload, payload, sizeof(payload));
	/* Proof of sound goes by this name. */
	assert_int_equal(atomic_load(&o->ssrc), p.ssrc);
	p.payload = NULL;
	mem_deref(mb);
	return p;
}

/** The rollover counter is 0 for good: the numbers never wrap under one SSRC,
 *  so that who joins now opens the next packet, whoever was there before. */
static void renewed_before_the_numbers_wrap(void **state)
{
	/* Where a sound begins, and its first numbers of which SSRC. */
	static const struct {
		uint16_t from;
		bool begins;     /**< another sound begins in the middle */
		unsigned before; /**< packets that keep the old SSRC */
	} v[] = {
		{0xfff0, false, 15}, /* to the end of the numbers */
		{0x7ffb, false, 40}, /* the upper half alone renews nothing */
		{0x7ff0, true, 40},  /* begun below it: kept */
		{0x7ff6, true, 20},  /* begun in it: renewed there */
	};
	const struct media_srtp key = {.on = true, .tag = 10, .key = {1, 2, 3}};
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct engine *e = output_at(v[i].from, &key);
		struct srtp *peer = NULL, *late = NULL;
		uint32_t fresh = 0;
		struct packet last = {0};

		assert_int_equal(srtp_alloc(&peer, SRTP_AES_CM_128_HMAC_SHA1_80,
					    key.key, sizeof(key.key), 0),
				 0);
		for (unsigned n = 0; n < 40; n++) {
			/* The sound of the last case begins at its 20th. */
			bool begins = v[i].begins && n == (i == 2 ? 8 : 20);
			struct packet p = receive(e, peer, begins, n * 20000u);

			if (n < v[i].before) {
				assert_int_equal(p.ssrc, SSRC);
				assert_int_equal(p.seq, v[i].from + n);
			} else if (n == v[i].before) {
				fresh = p.ssrc;
				assert_true(fresh != SSRC);
				/* A new stream, with room before it. */
				assert_true(p.marker);
				assert_true(p.seq < 0x8000);
				srtp_alloc(&late, SRTP_AES_CM_128_HMAC_SHA1_80,
					   key.key, sizeof(key.key), 0);
			} else {
				assert_int_equal(p.ssrc, fresh);
				assert_int_equal(p.seq, last.seq + 1);
				assert_int_equal(p.ts - last.ts, 160);
			}
			last = p;
		}
		/* One who joined after the renewal knows no more than the key.
		 */
		if (late)
			receive(e, late, false, 41 * 20000u);
		mem_deref(peer);
		mem_deref(late);
		engine_free(e);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_its_own),
		cmocka_unit_test(libre_opens_what_we_seal),
		cmocka_unit_test(renewed_before_the_numbers_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
