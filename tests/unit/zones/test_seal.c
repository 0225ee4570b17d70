/* Our SRTP against libre's, which is another's work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/base/compat.h"
#include "zones/engine/packet.h"
#include "zones/engine/seal.h"

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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(libre_opens_what_we_seal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
