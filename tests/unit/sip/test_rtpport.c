/* RTP ports for calls: even, in turn, out of the range. */
#include "controller/sip/rtpport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST 41000

static struct sockaddr_in lo = {.sin_family = AF_INET, .sin_port = 0};

static int setup(void **state)
{
	(void)state;
	return inet_pton(AF_INET, "127.0.0.77", &lo.sin_addr) != 1;
}

static int get(int *fd, uint16_t *port, uint16_t min, uint16_t max)
{
	return rtpport_open(fd, port, (struct sockaddr *)&lo, min, max);
}

static void test_in_turn(void **state)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	uint16_t port = 0;
	int fd[4], i;

	(void)state;
	assert_int_equal(get(&fd[0], &port, FIRST - 1, FIRST + 7), 0);
	assert_int_equal(port, FIRST);
	assert_int_equal(getsockname(fd[0], (struct sockaddr *)&a, &len), 0);
	assert_int_equal(ntohs(a.sin_port), FIRST);
	assert_int_equal(a.sin_addr.s_addr, lo.sin_addr.s_addr);
	assert_true(fcntl(fd[0], F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd[0], F_GETFD) & FD_CLOEXEC);
	close(fd[0]);

	/* not the one just given back: late packets would meet a new call */
	assert_int_equal(get(&fd[0], &port, FIRST, FIRST + 7), 0);
	assert_int_equal(port, FIRST + 2);
	assert_int_equal(get(&fd[1], &port, FIRST, FIRST + 7), 0);
	assert_int_equal(port, FIRST + 4);
	assert_int_equal(get(&fd[2], &port, FIRST, FIRST + 7), 0);
	assert_int_equal(port, FIRST + 6);
	assert_int_equal(get(&fd[3], &port, FIRST, FIRST + 7), 0);
	assert_int_equal(port, FIRST);

	/* full; one comes free and is found wherever it is */
	assert_int_equal(get(&fd[0], &port, FIRST, FIRST + 7), EADDRINUSE);
	close(fd[1]);
	assert_int_equal(get(&fd[1], &port, FIRST, FIRST + 7), 0);
	assert_int_equal(port, FIRST + 4);
	for (i = 0; i < 4; i++)
		close(fd[i]);
}

static void test_edges(void **state)
{
	uint16_t port = 0;
	int fd;

	(void)state;
	/* RTP and RTCP both within */
	assert_int_equal(get(&fd, &port, FIRST, FIRST), EINVAL);
	assert_int_equal(get(&fd, &port, FIRST + 1, FIRST + 2), EINVAL);
	assert_int_equal(get(&fd, &port, FIRST, FIRST + 1), 0);
	close(fd);
	port = 9; /* a range that was changed by a reload */
	assert_int_equal(get(&fd, &port, FIRST, FIRST + 1), 0);
	assert_int_equal(port, FIRST);
	close(fd);
	port = 0;
	assert_int_equal(get(&fd, &port, 65534, 65535), 0);
	assert_int_equal(port, 65534);
	close(fd);
}

static void test_foreign_address(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	uint16_t port = 0;
	int fd;

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &a.sin_addr), 1);
	assert_int_equal(rtpport_open(&fd, &port, (struct sockaddr *)&a, FIRST,
				      FIRST + 99),
			 EADDRNOTAVAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_turn),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_foreign_address),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
