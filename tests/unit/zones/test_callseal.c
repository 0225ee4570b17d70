/* SRTP of a call in both directions, against libre's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/base/compat.h"
#include "zones/engine/callseal.h"
#include "zones/engine/packet.h"

#define SSRC 0x1234abcd
#define SOUND 160

static struct media_srtp key_of(uint8_t seed, uint8_t tag)
{
	struct media_srtp k = {.on = true, .tag = tag, .rolls = true};

	for (uint8_t i = 0; i < sizeof(k.key); i++)
		k.key[i] = (uint8_t)(seed + i * 11);
	return k;
}

static struct callseal *call_of(uint8_t out, uint8_t in)
{
	const struct media_srtp a = key_of(out, 10), b = key_of(in, 10);
	struct callseal *c = NULL;

	assert_int_equal(callseal_alloc(&c, &a, &b), 0);
	return c;
}

/** A packet, sealed by whoever `from` is; returns its length. */
static size_t sealed(struct callseal *from, uint32_t ssrc, uint16_t seq,
		     uint8_t b[400])
{
	const struct packet p = {.seq = seq, .ts = seq * 160u, .ssrc = ssrc};

	packet_header(b, &p);
	memset(b + PACKET_HEADER, seq & 0xff, SOUND);
	return callseal_send(from, b, PACKET_HEADER + SOUND);
}

static bool arrives(struct callseal *to, const uint8_t *packet, size_t len)
{
	uint8_t b[400];

	memcpy(b, packet, len);
	len = callseal_receive(to, b, len);
	if (!len)
		return false;
	assert_int_equal(len, PACKET_HEADER + SOUND);
	for (size_t i = PACKET_HEADER; i < len; i++)
		assert_int_equal(b[i], b[3]);
	return true;
}

static bool sent(struct callseal *from, struct callseal *to, uint16_t seq)
{
	uint8_t b[400];
	const size_t n = sealed(from, SSRC, seq, b);

	return arrives(to, b, n);
}

/** 3 times around all numbers: libre opens what we send, we what it sends. */
static void counters_roll_as_libres_do(void **state)
{
	static const struct {
		uint8_t tag;
		enum srtp_suite suite;
	} v[] = {{10, SRTP_AES_CM_128_HMAC_SHA1_80},
		 {4, SRTP_AES_CM_128_HMAC_SHA1_32}};
	(void)state;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		const struct media_srtp a = key_of(1, v[i].tag),
					b = key_of(2, v[i].tag);
		struct callseal *c = NULL;
		struct srtp *rx = NULL, *tx = NULL;
		struct mbuf *mb = mbuf_alloc(400);

		assert_int_equal(callseal_alloc(&c, &a, &b), 0);
		assert_int_equal(srtp_alloc(&rx, v[i].suite, a.key, 30, 0), 0);
		assert_int_equal(srtp_alloc(&tx, v[i].suite, b.key, 30, 0), 0);
		/* Steps of 1000 are well within half of the numbers. */
		for (uint32_t n = 60000; n < 4 * 65536; n += 1000) {
			uint8_t packet[400];
			size_t len = sealed(c, SSRC, (uint16_t)n, packet);

			mbuf_rewind(mb);
			mbuf_write_mem(mb, packet, len);
			mbuf_set_pos(mb, 0);
			assert_int_equal(srtp_decrypt(rx, mb), 0);
			assert_int_equal(mb->end, PACKET_HEADER + SOUND);
			mbuf_set_pos(mb, 0);
			assert_int_equal(srtp_encrypt(tx, mb), 0);
			assert_true(arrives(c, mb->buf, mb->end));
		}
		callseal_free(c);
		mem_deref(mb);
		mem_deref(rx);
		mem_deref(tx);
	}
}

/** Lost, late and out of order is well; twice is not (RFC 3711 3.3.2). */
static void nothing_comes_twice(void **state)
{
	struct callseal *a = call_of(1, 2), *b = call_of(2, 1);
	uint8_t first[400], late[400], old[400], after[400];
	size_t n;
	(void)state;

	n = sealed(a, SSRC, 65500, first);
	assert_true(arrives(b, first, n));
	assert_false(arrives(b, first, n));
	sealed(a, SSRC, 65530, late);
	sealed(a, SSRC, 65535, old);
	sealed(a, SSRC, 3, after);
	assert_true(arrives(b, after, n));
	assert_false(arrives(b, after, n));
	/* Before the numbers began anew, and yet in time. */
	assert_true(arrives(b, late, n));
	assert_false(arrives(b, late, n));
	assert_true(sent(a, b, 3 + CALLSEAL_WINDOW - 4));
	/* 65535 is CALLSEAL_WINDOW behind now. */
	assert_false(arrives(b, old, n));
	callseal_free(a);
	callseal_free(b);
}

/** A wrong key, a changed byte, a cut packet: nothing, and nothing moved. */
static void only_theirs_is_opened(void **state)
{
	struct callseal *a = call_of(1, 2), *b = call_of(2, 1),
			*other = call_of(3, 2);
	uint8_t p[400];
	size_t n;
	(void)state;

	assert_true(sent(a, b, 100));
	assert_false(sent(other, b, 101));
	n = sealed(a, SSRC, 101, p);
	p[n - 1] ^= 1;
	assert_false(arrives(b, p, n));
	p[n - 1] ^= 1;
	for (size_t i = 0; i < n; i++)
		assert_false(arrives(b, p, i));
	assert_true(arrives(b, p, n));
	callseal_free(a);
	callseal_free(b);
	callseal_free(other);
}

/** Another SSRC is another stream; the first one's packets stay known. */
static void streams_are_told_apart(void **state)
{
	struct callseal *a = call_of(1, 2), *b = call_of(2, 1);
	uint8_t p[400], q[400];
	size_t n;
	(void)state;

	n = sealed(a, SSRC, 100, p);
	assert_true(arrives(b, p, n));
	for (uint32_t i = 1; i < CALLSEAL_STREAMS; i++) {
		sealed(a, SSRC + i, 40000, q);
		assert_true(arrives(b, q, n));
	}
	assert_false(arrives(b, p, n));
	callseal_free(a);
	callseal_free(b);
}

/** A CSRC list and an extension are not encrypted, padding is. */
static void long_headers_are_opened(void **state)
{
	const struct media_srtp k = key_of(2, 10);
	struct callseal *c = call_of(1, 2);
	struct srtp *tx = NULL;
	struct mbuf *mb = mbuf_alloc(400);
	struct packet p;
	(void)state;

	assert_int_equal(
		srtp_alloc(&tx, SRTP_AES_CM_128_HMAC_SHA1_80, k.key, 30, 0), 0);
	mbuf_write_mem(mb,
		       (const uint8_t *)"\xb1\x00\x00\x07"
					"\0\0\0\1" /* time */
					"\0\0\0\2" /* SSRC */
					"\0\0\0\3" /* CSRC */
					"\xbe\xde\0\1"
					"\x10\xff\0\0"
					"sound\0\0\3",
		       32);
	mbuf_set_pos(mb, 0);
	assert_int_equal(srtp_encrypt(tx, mb), 0);
	assert_int_equal(callseal_receive(c, mb->buf, mb->end), 32);
	assert_int_equal(packet_decode(&p, mb->buf, 32), 0);
	assert_int_equal(p.len, 5);
	assert_memory_equal(p.payload, "sound", 5);
	callseal_free(c);
	mem_deref(tx);
	mem_deref(mb);
}

/** Renewed with the same keys it goes on where it was; with another one of
 *  theirs that begins anew, and ours does not. */
static void goes_on_where_it_was(void **state)
{
	struct callseal *a = call_of(1, 2), *b = call_of(2, 1), *next;
	uint8_t p[400];
	size_t n;
	(void)state;

	assert_true(sent(a, b, 65535));
	n = sealed(a, SSRC, 0, p); /* the counter is 1 */
	assert_true(arrives(b, p, n));
	next = call_of(1, 9);
	callseal_inherit(next, a);
	callseal_free(a);
	a = next;
	next = call_of(2, 1);
	callseal_inherit(next, b);
	callseal_free(b);
	b = next;
	assert_false(arrives(b, p, n));
	assert_true(sent(a, b, 1));
	next = call_of(9, 1);
	callseal_inherit(next, b);
	callseal_free(b);
	b = next;
	assert_true(sent(a, b, 2));
	assert_true(sent(b, a, 7));
	callseal_free(a);
	callseal_free(b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_roll_as_libres_do),
		cmocka_unit_test(nothing_comes_twice),
		cmocka_unit_test(only_theirs_is_opened),
		cmocka_unit_test(streams_are_told_apart),
		cmocka_unit_test(long_headers_are_opened),
		cmocka_unit_test(goes_on_where_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
