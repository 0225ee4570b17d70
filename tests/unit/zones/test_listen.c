/* Who is heard of all that send: one talker, begun by two packets. */
#include "tests/unit/zones/media_util.h"

#include "zones/engine/listen.h"

static struct listen *l;
static uint64_t now;

static int setup(void **state)
{
	(void)state;
	l = calloc(1, sizeof(*l));
	format_default(&l->fmt, CODEC_PCMU, 8000);
	l->hang_us = 500000;
	now = 1000000;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(l);
	return 0;
}

static union endpoint at(const char *ip, uint16_t port)
{
	struct sockaddr_storage ss = addr_of(ip, port);
	union endpoint e;

	endpoint_set(&e, &ss);
	return e;
}

static enum listen_verdict heard(const char *ip, uint32_t ssrc, uint16_t seq,
				 uint8_t pt, size_t len)
{
	static const uint8_t sound[1000];
	union endpoint from = at(ip, 4000);
	struct packet p = {
		.pt = pt,
		.seq = seq,
		.ssrc = ssrc,
		.payload = sound,
		.len = len,
	};

	now += 20000;
	return listen_judge(l, &from, &p, now);
}

static struct media_listen_stats stats(void)
{
	struct media_listen_stats s;

	listen_stats(l, &s);
	return s;
}

static void test_two_in_order_begin(void **state)
{
	(void)state;
	assert_int_equal(heard("10.0.0.1", 1, 65535, 0, 160), LISTEN_KEPT);
	assert_int_equal(stats().heard, 0);
	assert_int_equal(stats().from.sin6_family, 0);
	assert_int_equal(heard("10.0.0.1", 1, 0, 0, 160), LISTEN_BEGINS);
	assert_int_equal(l->first.seq, 65535);
	assert_int_equal(heard("10.0.0.1", 1, 1, 0, 160), LISTEN_GOES_ON);
	assert_int_equal(stats().heard, 3);
	assert_int_equal(stats().from.sin6_port, htons(4000));
}

static void test_stragglers_begin_nothing(void **state)
{
	(void)state;
	/* The same twice; far apart; another SSRC; much later. */
	assert_int_equal(heard("10.0.0.1", 1, 5, 0, 160), LISTEN_KEPT);
	assert_int_equal(heard("10.0.0.1", 1, 5, 0, 160), LISTEN_KEPT);
	assert_int_equal(heard("10.0.0.1", 1, 500, 0, 160), LISTEN_KEPT);
	assert_int_equal(heard("10.0.0.1", 1, 499, 0, 160), LISTEN_KEPT);
	assert_int_equal(heard("10.0.0.1", 2, 500, 0, 160), LISTEN_KEPT);
	now += LISTEN_KEEP_US;
	assert_int_equal(heard("10.0.0.1", 2, 501, 0, 160), LISTEN_KEPT);
	assert_int_equal(heard("10.0.0.1", 2, 502, 0, 160), LISTEN_BEGINS);
}

static void test_second_talker(void **state)
{
	(void)state;
	/* Who begins at the same moment does not keep the first from it. */
	assert_int_equal(heard("10.0.0.1", 1, 1, 0, 160), LISTEN_KEPT);
	assert_int_equal(heard("10.0.0.2", 2, 1, 0, 160), LISTEN_NOT);
	assert_int_equal(heard("10.0.0.1", 1, 2, 0, 160), LISTEN_BEGINS);
	assert_int_equal(heard("10.0.0.2", 2, 2, 0, 160), LISTEN_NOT);
	assert_int_equal(stats().unheard[UNHEARD_SECOND].n, 2);
	assert_int_equal(
		stats().unheard[UNHEARD_SECOND].by.sin6_addr.s6_addr[15], 2);
	/* The first one started anew is the first one. */
	assert_int_equal(heard("10.0.0.1", 9, 77, 0, 160), LISTEN_GOES_ON);
	listen_end(l);
	assert_int_equal(heard("10.0.0.2", 2, 3, 0, 160), LISTEN_KEPT);
	assert_int_equal(heard("10.0.0.2", 2, 4, 0, 160), LISTEN_BEGINS);
}

static void test_wrong_types_and_sizes(void **state)
{
	(void)state;
	assert_int_equal(heard("10.0.0.1", 1, 1, 8, 160), LISTEN_NOT);
	assert_int_equal(stats().last_type, 8);
	assert_int_equal(heard("10.0.0.1", 1, 1, 0, 0), LISTEN_NOT);
	assert_int_equal(heard("10.0.0.1", 1, 1, 0, 39), LISTEN_NOT);
	assert_int_equal(heard("10.0.0.1", 1, 1, 0, 481), LISTEN_NOT);
	assert_int_equal(stats().last_size, 481);
	assert_int_equal(heard("10.0.0.1", 1, 1, 0, 40), LISTEN_KEPT);
	assert_int_equal(heard("10.0.0.1", 1, 2, 0, 480), LISTEN_BEGINS);
	assert_int_equal(stats().unheard[UNHEARD_TYPE].n, 1);
	assert_int_equal(stats().unheard[UNHEARD_SIZE].n, 3);

	listen_end(l);
	format_default(&l->fmt, CODEC_L16, 16000);
	assert_int_equal(heard("10.0.0.1", 1, 1, l->fmt.pt, 161), LISTEN_NOT);
	assert_int_equal(heard("10.0.0.1", 1, 1, l->fmt.pt, 158), LISTEN_NOT);
	assert_int_equal(heard("10.0.0.1", 1, 1, l->fmt.pt, 160), LISTEN_KEPT);
}

static void test_allowed_senders(void **state)
{
	union endpoint a = at("10.7.6.255", 1), b = at("10.7.7.1", 1), six;
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	(void)state;
	assert_true(listen_allowed(l, &b));
	l->n_allow = 2;
	l->allow[0] = (struct media_net){
		{[10] = 0xff, [11] = 0xff, [12] = 10, [13] = 7, [14] = 6}, 120};
	l->allow[1] = (struct media_net){{0xfd, 0x00, 0x80}, 17};
	assert_true(listen_allowed(l, &a));
	assert_false(listen_allowed(l, &b));
	assert_int_equal(stats().unheard[UNHEARD_FOREIGN].n, 1);
	in6.sin6_addr.s6_addr[0] = 0xfd;
	in6.sin6_addr.s6_addr[2] = 0xff;
	six.in6 = in6;
	assert_true(listen_allowed(l, &six));
	six.in6.sin6_addr.s6_addr[2] = 0x7f;
	assert_false(listen_allowed(l, &six));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_two_in_order_begin, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_stragglers_begin_nothing,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_second_talker, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_wrong_types_and_sizes,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_allowed_senders, setup,
						teardown),
	};

	(void)argc;
	return media_run_tests(tests, argv);
}
