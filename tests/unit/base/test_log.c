/* The log as its reader sees it: stderr is a pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/base/clock.h"
#include "controller/base/log.h"
#include "controller/base/reason.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int pipe_end, stderr_before;

static int redirect(void **state)
{
	int fds[2];

	(void)state;
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_init(LOG_LEVEL_INFO);
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC))
		return -1;
	pipe_end = fds[0];
	stderr_before = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	return 0;
}

static int restore(void **state)
{
	(void)state;
	dup2(stderr_before, STDERR_FILENO);
	close(stderr_before);
	close(pipe_end);
	return 0;
}

/* All that was written since the last look. */
static const char *written(void)
{
	static char buf[65536];
	ssize_t n = read(pipe_end, buf, sizeof(buf) - 1);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static void test_journal_lines(void **state)
{
	(void)state;
	log_error("broadcast=17 zone=all", "no %s", "output");
	assert_string_equal(written(),
			    "<3>no output [broadcast=17 zone=all]\n");
	log_info(NULL, "up");
	assert_string_equal(written(), "<6>up\n");
}

static void test_plain_lines(void **state)
{
	const char *line;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_init(LOG_LEVEL_INFO);
	log_warn("a=1", "careful");
	line = written();
	assert_int_equal(line[4], '-');
	assert_int_equal(line[10], 'T');
	assert_non_null(strstr(line, "Z warning: careful [a=1]\n"));
	log_error(NULL, "x");
	assert_non_null(strstr(written(), "Z error: x\n"));
}

static void test_levels(void **state)
{
	(void)state;
	log_debug(NULL, "unseen");
	assert_string_equal(written(), "");
	log_init(LOG_LEVEL_WARN);
	log_notice(NULL, "unseen");
	log_warn(NULL, "seen");
	assert_string_equal(written(), "<4>seen\n");
	log_init(LOG_LEVEL_DEBUG);
	log_debug(NULL, "seen");
	assert_string_equal(written(), "<7>seen\n");
}

/* A stranger's text is one line and commands no terminal. */
static void test_no_line_can_be_forged(void **state)
{
	(void)state;
	log_info("user=\"x\r\ny\"", "from %s",
		 "a\n<0>tocsind: all alarms reset\x1b[2J\x7f\t.");
	assert_string_equal(written(),
			    "<6>from a?<0>tocsind: all alarms reset?[2J??. "
			    "[user=\"x??y\"]\n");
	log_info(NULL, "%s", "caf\xc3\xa9");
	assert_string_equal(written(), "<6>caf\xc3\xa9\n");
}

static void test_long_lines_are_cut(void **state)
{
	char text[3000];
	const char *line;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info(text, "%s", text);
	line = written();
	assert_int_equal(strlen(line), 1024);
	assert_ptr_equal(strchr(line, '\n'), line + 1023);
	/* What a stranger makes long does not hide what it is about. */
	log_info("peer=10.0.0.1", "%s", text);
	assert_non_null(strstr(written(), "x [peer=10.0.0.1]\n"));
}

static void wait_until_over(const struct log_rate *r)
{
	while (clock_mono_ms() - r->since_ms < r->per_ms)
		usleep(1000);
}

static void test_rate(void **state)
{
	struct log_rate r = {.burst = 3, .per_ms = 200};
	uint64_t began;

	(void)state;
	for (int i = 0; i < 50; i++)
		log_rated(&r, LOG_LEVEL_INFO, NULL, "line %d", i);
	/* Should the machine have slept over the period, say nothing of it. */
	began = r.since_ms;
	if (clock_mono_ms() - began < 200) {
		assert_string_equal(written(), "<6>line 0\n<6>line 1\n<6>line "
					       "2\n");
		assert_int_equal(r.held, 47);
	} else {
		written();
	}
	wait_until_over(&r);
	log_rated(&r, LOG_LEVEL_INFO, "a=1", "next");
	assert_string_equal(written(),
			    "<6>next (47 like it held back) [a=1]\n");
	wait_until_over(&r);
	log_rated(&r, LOG_LEVEL_INFO, NULL, "more");
	assert_string_equal(written(), "<6>more\n");
}

static void test_rate_counts_only_what_would_be_written(void **state)
{
	struct log_rate r = {.burst = 1, .per_ms = 3600000};

	(void)state;
	log_rated(&r, LOG_LEVEL_DEBUG, NULL, "unseen");
	log_rated(&r, LOG_LEVEL_INFO, NULL, "seen");
	assert_string_equal(written(), "<6>seen\n");
	assert_int_equal(r.held, 0);
}

/* ------------------------------------------------------------ several threads
 */

#define LINES 60

static void *write_lines(void *arg)
{
	const char *name = arg;
	char text[101];

	memset(text, name[0], 100);
	text[100] = '\0';
	for (int i = 0; i < LINES; i++)
		log_info(NULL, "%s", text);
	return NULL;
}

static void test_threads_do_not_mix_lines(void **state)
{
	static const char *const name[] = {"a", "b", "c"};
	pthread_t t[3];
	const char *p;
	int lines = 0;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&t[i], NULL, write_lines,
						(void *)(uintptr_t)name[i]),
				 0);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	for (p = written(); *p; p = strchr(p, '\n') + 1, lines++) {
		char all[2] = {p[3], '\0'};

		assert_memory_equal(p, "<6>", 3);
		assert_int_equal(strspn(p + 3, all), 100);
		assert_int_equal(p[103], '\n');
	}
	assert_int_equal(lines, 3 * LINES);
}

static void test_gone_stderr_harms_nobody(void **state)
{
	(void)state;
	close(STDERR_FILENO);
	log_error(NULL, "to nobody");
	dup2(stderr_before, STDERR_FILENO);
}

static void test_reason(void **state)
{
	struct reason r;
	char text[600];

	(void)state;
	assert_int_equal(reason_set(&r, 22, "port %d is odd", 5005), 22);
	assert_string_equal(r.text, "port 5005 is odd");
	assert_int_equal(reason_set(NULL, 5, "unheard"), 5);
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	reason_set(&r, 0, "%s", text);
	assert_int_equal(strlen(r.text), 255);
}

#define T(f) cmocka_unit_test_setup_teardown(f, redirect, restore)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_journal_lines),
		T(test_plain_lines),
		T(test_levels),
		T(test_no_line_can_be_forged),
		T(test_long_lines_are_cut),
		T(test_rate),
		T(test_rate_counts_only_what_would_be_written),
		T(test_threads_do_not_mix_lines),
		T(test_gone_stderr_harms_nobody),
		cmocka_unit_test(test_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
