/* Programs that make sound: what they write, what they say, how they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/source/feeder.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/** Milliseconds a condition is waited for. */
#define PATIENCE 20000

#define await(cond)                                                            \
	do {                                                                   \
		int left_ = PATIENCE;                                          \
		while (!(cond)) {                                              \
			if (!left_--)                                          \
				fail_msg("waited in vain for: %s", #cond);     \
			poll(NULL, 0, 1);                                      \
		}                                                              \
	} while (0)

static void start(struct feeder *f, const char *script)
{
	char *argv[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
			(char *)(uintptr_t)script, NULL};

	assert_int_equal(feeder_start(f, argv), 0);
	assert_true(f->pid > 0);
}

/** Reads up to the end of its output. */
static void read_all(struct feeder *f, char *buf, size_t size)
{
	size_t n = 0;

	for (;;) {
		struct pollfd p = {.fd = f->out, .events = POLLIN};
		ssize_t got;

		assert_int_equal(poll(&p, 1, PATIENCE), 1);
		got = read(f->out, buf + n, size - 1 - n);
		assert_true(got >= 0);
		if (!got)
			break;
		n += (size_t)got;
	}
	buf[n] = '\0';
}

static void output_and_last_words(void **state)
{
	struct feeder f;
	char out[64];
	int status = 0;
	(void)state;

	start(&f, "printf 'some sound'; echo first >&2; echo 'no such file' "
		  ">&2; exit 3");
	read_all(&f, out, sizeof(out));
	assert_string_equal(out, "some sound");
	await(feeder_ended(&f, &status));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	feeder_listen(&f);
	assert_string_equal(f.line, "no such file");
	assert_int_equal(f.pid, 0);
	assert_false(feeder_ended(&f, &status));
	feeder_end(&f);
	assert_int_equal(f.out, -1);
	feeder_end(&f);
}

static void program_that_is_not_there(void **state)
{
	char *argv[] = {(char *)(uintptr_t) "/nonexistent/player", NULL};
	struct feeder f;
	int status = 0;
	(void)state;

	assert_int_equal(feeder_start(&f, argv), 0);
	await(feeder_ended(&f, &status));
	assert_int_equal(WEXITSTATUS(status), 127);
	feeder_end(&f);
}

/* What it started ends with it, killed or not. */
static void its_whole_group_ends(void **state)
{
	struct feeder f;
	char out[64] = "";
	pid_t child, group;
	struct pollfd p;
	(void)state;

	start(&f, "sleep 1000 & echo $!; wait");
	group = f.pid;
	p = (struct pollfd){.fd = f.out, .events = POLLIN};
	assert_int_equal(poll(&p, 1, PATIENCE), 1);
	assert_true(read(f.out, out, sizeof(out) - 1) > 0);
	child = (pid_t)atoi(out);
	assert_int_equal(getpgid(child), group);
	feeder_end(&f);
	assert_int_equal(f.pid, 0);
	await((feeder_reap(), kill(group, 0) && errno == ESRCH));
	await(kill(-group, 0) && errno == ESRCH);
}

static void has_nothing_of_ours(void **state)
{
	struct feeder f;
	char out[256];
	sigset_t usr1, old;
	int status, extra = dup(1);
	(void)state;

	assert_true(extra > 2);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, &old);
	/* Nothing but the shell itself: one that waits for a program has
	 * signals blocked, one with a pipe has its ends open. */
	start(&f, "i=0; while [ $i -lt 64 ]; do "
		  "[ -e /proc/$$/fd/$i ] && echo $i; i=$((i + 1)); done; "
		  "ulimit -n; ulimit -c; while read -r k v; do "
		  "[ $k != SigBlk: ] || echo $k $v; done < /proc/$$/status; "
		  "exec cat");
	read_all(&f, out, sizeof(out));
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_non_null(
		strstr(out, "0\n1\n2\n64\n0\nSigBlk: 0000000000000000"));
	await(feeder_ended(&f, &status));
	feeder_end(&f);
	close(extra);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_and_last_words),
		cmocka_unit_test(program_that_is_not_there),
		cmocka_unit_test(its_whole_group_ends),
		cmocka_unit_test(has_nothing_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
