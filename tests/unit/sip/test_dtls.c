/* Handshakes of DTLS over a path that loses, repeats and lies. */
#include "controller/base/clock.h"
#include "controller/sip/dtls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 30000

static struct dtls_identity *id[2];

struct end {
	struct dtls *dtls;
	int fd;
	struct sa at;
	unsigned called;
	char why[200];
	struct media_srtp out, in;
	struct sa from;
	bool drop;       /**< the object goes in its handler */
	bool loses_last; /**< what it said last never arrives */
};

/* Between the ends: what comes to side[i] goes to end[i ^ 1] from the other
 * side. */
static struct {
	int fd[2];
	struct sa at[2];
	struct tc_fd watch[2];
	uint32_t lose[2]; /* bit n: the n-th datagram of end i */
	unsigned n[2];
	bool twice;
} path;

static struct end end[2];

static int bound(struct sa *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(sa_set_str(at, "127.0.0.1", 0), 0);
	assert_int_equal(bind(fd, &at->u.sa, at->len), 0);
	at->len = sizeof(at->u);
	assert_int_equal(getsockname(fd, &at->u.sa, &at->len), 0);
	return fd;
}

static void relay(int flags, void *arg)
{
	const unsigned i = (unsigned)(uintptr_t)arg;
	const struct sa *to = &end[!i].at;
	char b[2048];
	ssize_t n;

	(void)flags;
	while ((n = recv(path.fd[i], b, sizeof(b), MSG_DONTWAIT)) > 0) {
		const unsigned k = path.n[i]++;

		if (k < 32 && path.lose[i] >> k & 1)
			continue;
		for (int c = 0; c <= path.twice; c++)
			(void)sendto(path.fd[!i], b, (size_t)n, 0, &to->u.sa,
				     to->len);
	}
}

static int setup(void **state)
{
	(void)state;
	memset(&path, 0, sizeof(path));
	memset(end, 0, sizeof(end));
	for (unsigned i = 0; i < 2; i++) {
		end[i].fd = bound(&end[i].at);
		path.fd[i] = bound(&path.at[i]);
		path.watch[i].fd = -1;
		assert_int_equal(tc_fd_listen(&path.watch[i], path.fd[i],
					      FD_READ, relay,
					      (void *)(uintptr_t)i),
				 0);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		end[i].dtls = mem_deref(end[i].dtls);
		tc_fd_close(&path.watch[i]);
		close(path.fd[i]);
		close(end[i].fd);
	}
	return 0;
}

static void turn_over(void *arg)
{
	(void)arg;
	re_cancel();
}

static void turn(void)
{
	struct tmr tmr = TC_TMR_INIT;

	tmr_init(&tmr);
	tmr_start(&tmr, 2, turn_over, NULL);
	assert_int_equal(re_main(NULL), 0);
	tmr_cancel(&tmr);
}

#define wait_until(cond)                                                       \
	do {                                                                   \
		const uint64_t end_ms = clock_mono_ms() + PATIENCE_MS;         \
		while (!(cond)) {                                              \
			turn();                                                \
			if (clock_mono_ms() > end_ms)                          \
				fail_msg("never: " #cond);                     \
		}                                                              \
	} while (0)

static void on_over(const struct dtls_result *r, void *arg)
{
	struct end *e = arg;
	char b[2048];

	e->called++;
	snprintf(e->why, sizeof(e->why), "%s", r->why ? r->why : "");
	e->out = r->out;
	e->in = r->in;
	e->from = r->from;
	if (e->loses_last)
		while (recv(path.fd[e - end], b, sizeof(b), MSG_DONTWAIT) > 0)
			;
	if (e->drop)
		e->dtls = mem_deref(e->dtls);
}

/** End i begins, expecting the certificate of identity `whose`. */
static void begin_at(unsigned i, bool active, unsigned whose,
		     const struct sa *remote, unsigned within_ms)
{
	const struct dtls_request rq = {
		.fd = end[i].fd,
		.remote = *remote,
		.active = active,
		.theirs = *dtls_identity_fingerprint(id[whose]),
		.within_ms = within_ms,
	};

	assert_int_equal(dtls_start(&end[i].dtls, id[i], &rq, on_over, &end[i]),
			 0);
	assert_int_equal(end[i].called, 0);
}

static void begin(unsigned i, bool active)
{
	begin_at(i, active, !i, &path.at[i], 20000);
}

static void have_the_same_keys(void)
{
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(end[i].called, 1);
		assert_string_equal(end[i].why, "");
		assert_true(end[i].out.on && end[i].out.rolls);
		assert_int_equal(end[i].out.tag, 10);
		assert_memory_equal(end[i].out.key, end[!i].in.key, 30);
	}
	assert_memory_not_equal(end[0].out.key, end[1].out.key, 16);
}

static void both_have_keys(void **state)
{
	uint8_t first[30];
	(void)state;

	begin(0, false);
	begin(1, true);
	wait_until(end[0].called && end[1].called);
	have_the_same_keys();
	assert_true(sa_cmp(&end[0].from, &path.at[0], SA_ALL));
	memcpy(first, end[0].out.key, sizeof(first));
	/* another call has others */
	end[0].dtls = mem_deref(end[0].dtls);
	end[1].dtls = mem_deref(end[1].dtls);
	end[0].called = end[1].called = 0;
	begin(0, true);
	begin(1, false);
	wait_until(end[0].called && end[1].called);
	have_the_same_keys();
	assert_memory_not_equal(first, end[0].out.key, sizeof(first));
}

/* Every single datagram of the first, and some of what replaces them. */
static void what_is_lost_is_sent_again(void **state)
{
	static const uint32_t lost[] = {0x1, 0x2, 0x4, 0x8, 0x3, 0x5};

	for (unsigned side = 0; side < 2; side++) {
		for (size_t k = 0; k < sizeof(lost) / sizeof(*lost); k++) {
			if (side || k) {
				teardown(state);
				setup(state);
			}
			path.lose[side] = lost[k];
			path.twice = k & 1;
			begin(0, false);
			begin(1, true);
			wait_until(end[0].called && end[1].called);
			have_the_same_keys();
		}
	}
}

/* The server is through with its Finished, which is lost: it goes out again
 * though nobody reads there what the client has to say. */
static void the_last_word_is_repeated(void **state)
{
	(void)state;
	end[0].loses_last = true;
	begin(0, false);
	begin(1, true);
	wait_until(end[0].called);
	wait_until(end[1].called);
	have_the_same_keys();
}

static void another_certificate_is_not_taken(void **state)
{
	(void)state;
	begin_at(0, false, 0, &path.at[0], 20000);
	begin(1, true);
	wait_until(end[0].called);
	assert_non_null(strstr(end[0].why, "a=fingerprint"));
	assert_non_null(strstr(end[0].why, "127.0.0.1:"));
	assert_false(end[0].out.on || end[0].in.on);
}

static void nobody_there(void **state)
{
	(void)state;
	end[0].drop = end[1].drop = true;
	path.lose[0] = path.lose[1] = UINT32_MAX;
	begin_at(0, true, 1, &path.at[0], 700);
	begin_at(1, false, 0, &path.at[1], 700);
	wait_until(end[0].called && end[1].called);
	assert_non_null(strstr(end[0].why, "nothing came"));
	assert_non_null(strstr(end[1].why, "nothing came"));
}

/* A NAT between: they come from where nobody said they would. */
static void from_another_address(void **state)
{
	struct sa elsewhere;
	const int fd = bound(&elsewhere);
	(void)state;

	begin_at(0, false, 1, &elsewhere, 20000);
	begin(1, true);
	wait_until(end[0].called && end[1].called);
	have_the_same_keys();
	assert_true(sa_cmp(&end[0].from, &path.at[0], SA_ALL));
	close(fd);
}

/* A stranger begins first, well or with rubbish: who was agreed on is heard
 * all the same. */
static void strangers_do_not_matter(void **state)
{
	static const uint8_t rubbish[] = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0,
					  0,  0,    0,    0, 9, 1, 2, 3};
	static const uint8_t rtp[40] = {0x80};
	struct end third = {.fd = -1};
	struct sa at;
	struct dtls_request rq = {
		.fd = bound(&at),
		.remote = end[0].at,
		.active = true,
		.theirs = *dtls_identity_fingerprint(id[0]),
		.within_ms = 20000,
	};
	(void)state;

	begin(0, false);
	(void)sendto(rq.fd, rtp, sizeof(rtp), 0, &end[0].at.u.sa,
		     end[0].at.len);
	(void)sendto(rq.fd, rubbish, sizeof(rubbish), 0, &end[0].at.u.sa,
		     end[0].at.len);
	(void)sendto(rq.fd, rtp, 0, 0, &end[0].at.u.sa, end[0].at.len);
	/* with the identity that end 1 has not */
	assert_int_equal(dtls_start(&third.dtls, id[0], &rq, on_over, &third),
			 0);
	wait_until(third.called);
	assert_int_equal(end[0].called, 0);
	begin(1, true);
	wait_until(end[0].called && end[1].called);
	have_the_same_keys();
	mem_deref(third.dtls);
	close(rq.fd);
}

/* The same while one of the agreed address is at it. */
static void rubbish_in_the_middle(void **state)
{
	uint8_t b[64];
	(void)state;

	path.lose[1] = 0x2; /* it lasts for a while */
	begin(0, false);
	begin(1, true);
	for (unsigned k = 0; !end[0].called || !end[1].called; k++) {
		memset(b, 0, sizeof(b));
		b[0] = (uint8_t)(20 + k % 44);
		b[1] = 0xfe;
		b[2] = 0xfd;
		b[12] = (uint8_t)(k % 60);
		(void)sendto(path.fd[0], b, 1 + k % sizeof(b), 0,
			     &end[0].at.u.sa, end[0].at.len);
		(void)sendto(path.fd[1], b, 1 + k % sizeof(b), 0,
			     &end[1].at.u.sa, end[1].at.len);
		turn();
		assert_true(k < 5000);
	}
	print_message("%s %s\n", end[0].why, end[1].why);
}

static int group_setup(void **state)
{
	(void)state;
	assert_int_equal(libre_init(), 0);
	assert_int_equal(dtls_identity_alloc(&id[0]), 0);
	assert_int_equal(dtls_identity_alloc(&id[1]), 0);
	assert_false(fingerprint_equal(dtls_identity_fingerprint(id[0]),
				       dtls_identity_fingerprint(id[1])));
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	mem_deref(id[0]);
	mem_deref(id[1]);
	libre_close();
	return 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(both_have_keys),
		T(what_is_lost_is_sent_again),
		T(the_last_word_is_repeated),
		T(another_certificate_is_not_taken),
		T(nobody_there),
		T(from_another_address),
		T(strangers_do_not_matter),
		T(rubbish_in_the_middle),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
