/* gpio/lines.h on libre's loop against the kernel's gpio-sim, inside the
 * virtual machine that tests/gpio-vm/init sets up. */
#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "gpio/lines.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Generous: awaited, never slept. */
#define PATIENCE_MS 20000
#define LABEL "callpoints"

/* -------------------------------------------------------- the simulated chip
 */

static const char *chip(void)
{
	return getenv("GPIO_CHIP");
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void pull(unsigned line, bool up)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/sim_gpio%u/pull", getenv("GPIO_LINES"),
		 line);
	write_file(path, up ? "pull-up" : "pull-down");
}

/* As pull(), and lets the kernel's interrupt thread look: it reads the level
 * when it runs, and two quick ones would look like none. */
static void pull_seen(unsigned line, bool up)
{
	pull(line, up);
	usleep(20000);
}

/* What a meter on the pin would show. */
static int pin(unsigned line)
{
	char path[256];
	FILE *f;
	int v = -1;

	snprintf(path, sizeof(path), "%s/sim_gpio%u/value",
		 getenv("GPIO_LINES"), line);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &v), 1);
	fclose(f);
	return v;
}

/* ------------------------------------------------------------------ the loop
 */

struct seen {
	unsigned n, errors;
	bool level;
	uint64_t at_us, came_us;
	char why[256];
	struct line_in **free; /* within the handler */
};

static void on_line(bool level, uint64_t at_us, int err, const char *why,
		    void *arg)
{
	struct seen *s = arg;

	s->came_us = clock_mono_us();
	s->at_us = at_us;
	if (err) {
		s->errors++;
		snprintf(s->why, sizeof(s->why), "%d %s", err, why);
	} else {
		s->n++;
		s->level = level;
	}
	if (s->free)
		*s->free = line_in_free(*s->free);
}

static struct {
	struct tmr tmr;
	bool (*cond)(const struct seen *s);
	const struct seen *s;
	uint64_t end_us;
} await;

static void look(void *arg)
{
	(void)arg;
	if (await.cond(await.s) || clock_mono_us() > await.end_us)
		re_cancel();
	else
		tmr_start(&await.tmr, 5, look, NULL);
}

static bool run_until(const struct seen *s, bool (*cond)(const struct seen *s))
{
	await.cond = cond;
	await.s = s;
	await.end_us = clock_mono_us() + PATIENCE_MS * UINT64_C(1000);
	tmr_start(&await.tmr, 0, look, NULL);
	re_main(NULL);
	tmr_cancel(&await.tmr);
	return cond(s);
}

static bool told_once(const struct seen *s)
{
	return s->n >= 1;
}

static bool told_twice(const struct seen *s)
{
	return s->n >= 2;
}

static bool is_on(const struct seen *s)
{
	return s->n && s->level;
}

static bool is_off(const struct seen *s)
{
	return s->n && !s->level;
}

static bool failed(const struct seen *s)
{
	return s->errors;
}

/* Two whole re-reading periods later. */
static bool much_later(const struct seen *s)
{
	return clock_mono_us() > s->came_us + 2500000;
}

static struct line_in *input(const char *c, const char *line, bool active_low,
			     uint32_t debounce_ms, struct seen *s)
{
	struct line_in *l = NULL;
	struct reason why = {""};
	int err;

	memset(s, 0, sizeof(*s));
	const struct line_in_spec spec = {.chip = c,
					  .line = line,
					  .active_low = active_low,
					  .debounce_ms = debounce_ms};

	err = line_in_alloc(&l, &spec, on_line, s, &why);
	if (err)
		print_error("%s\n", why.text);
	assert_int_equal(err, 0);
	return l;
}

/* -------------------------------------------------------------------- inputs
 */

static void a_press_is_seen_with_its_time(void **state)
{
	struct seen s;
	struct line_in *l;
	uint64_t before;

	(void)state;
	pull(1, false);
	l = input(chip(), "1", false, 0, &s);
	assert_int_equal(s.n, 0); /* from the loop only */
	assert_true(run_until(&s, told_once));
	assert_false(s.level);

	before = clock_mono_us();
	pull(1, true);
	assert_true(run_until(&s, is_on));
	assert_int_equal(s.n, 2);
	assert_true(s.at_us >= before && s.at_us <= s.came_us);
	print_message("edge -> handler: %u us\n",
		      (unsigned)(s.came_us - s.at_us));

	pull(1, false);
	assert_true(run_until(&s, is_off));
	assert_int_equal(s.n, 3);

	/* Reading it again says nothing new. */
	assert_true(run_until(&s, much_later));
	assert_int_equal(s.n, 3);
	assert_null(line_in_free(l));
}

static void active_low_and_an_initial_level(void **state)
{
	struct seen s;
	struct line_in *l;

	(void)state;
	pull(2, false);
	l = input(chip(), "2", true, 0, &s);
	assert_true(run_until(&s, told_once));
	assert_true(s.level);
	pull(2, true);
	assert_true(run_until(&s, is_off));
	line_in_free(l);
}

/* Nobody drives the pin: the kernel pulls it (gpio-sim moves its own pull). */
static void a_bias_pulls_an_open_contact(void **state)
{
	static const enum line_bias bias[] = {LINE_PULL_UP, LINE_PULL_DOWN,
					      LINE_NO_PULL};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		const struct line_in_spec spec = {
			.chip = chip(), .line = "4", .bias = bias[i]};
		struct seen s = {0};
		struct line_in *l;

		pull(4, bias[i] == LINE_PULL_DOWN);
		assert_int_equal(line_in_alloc(&l, &spec, on_line, &s, NULL),
				 0);
		assert_true(run_until(&s, told_once));
		if (bias[i] != LINE_NO_PULL)
			assert_int_equal(s.level, bias[i] == LINE_PULL_UP);
		line_in_free(l);
	}
}

/* 1 kHz: seen as bouncing, never as a press, and the level is right when it
 * ends; without debouncing every change that is told of is true. */
static void a_contact_that_flaps(void **state)
{
	for (unsigned end = 0; end < 2; end++) {
		struct seen s, raw;
		struct line_in *l, *m;
		unsigned told;

		(void)state;
		pull(1, false);
		pull(2, false);
		l = input(chip(), "1", false, 500, &s);
		m = input(chip(), "2", false, 0, &raw);
		assert_true(run_until(&s, told_once));
		assert_true(run_until(&raw, told_once));
		for (unsigned i = 0; i < 500; i++) {
			pull(1, i % 2);
			pull(2, i % 2);
			usleep(1000);
		}
		pull(1, end);
		pull(2, end);
		told = s.n;
		assert_int_equal(told, 1);
		assert_true(run_until(&raw, end ? is_on : is_off));
		if (end)
			assert_true(run_until(&s, is_on));
		assert_true(run_until(&raw, much_later));
		assert_int_equal(s.level, end);
		assert_int_equal(raw.level, end);
		assert_int_equal(s.n, 1 + end);
		line_in_free(l);
		line_in_free(m);
	}
}

/* Both edges before the loop turns: the press is not lost. */
static void a_short_press_counts(void **state)
{
	struct seen s;
	struct line_in *l;

	(void)state;
	pull(1, false);
	l = input(chip(), "1", false, 0, &s);
	assert_true(run_until(&s, told_once));
	pull_seen(1, true);
	pull_seen(1, false);
	s.n = 0;
	assert_true(run_until(&s, told_twice));
	assert_int_equal(s.n, 2);
	assert_false(s.level);
	line_in_free(l);
}

static void found_by_label_path_and_name(void **state)
{
	char path[64];
	const char *const chips[] = {chip(), path, LABEL};

	(void)state;
	snprintf(path, sizeof(path), "/dev/%s", chip());
	for (size_t i = 0; i < 3; i++) {
		const bool up = i % 2;
		struct seen s;
		struct line_in *l;

		pull(3, up);
		l = input(chips[i], "help-point-1", false, 0, &s);
		assert_true(run_until(&s, told_once));
		assert_int_equal(s.level, up);
		line_in_free(l);
	}
}

static void bouncing_counts_once(void **state)
{
	struct seen s;
	struct line_in *l;

	(void)state;
	pull(1, false);
	l = input(chip(), "1", false, 300, &s);
	assert_true(run_until(&s, told_once));
	/* A glitch, then a press that bounces. */
	pull_seen(1, true);
	pull_seen(1, false);
	pull_seen(1, true);
	pull_seen(1, false);
	pull_seen(1, true);
	assert_true(run_until(&s, is_on));
	assert_int_equal(s.n, 2);
	pull(1, false);
	assert_true(run_until(&s, is_off));
	assert_int_equal(s.n, 3);
	line_in_free(l);
}

/* A control thread that was away finds both edges of a press that held. */
static void a_press_that_held_is_seen_late(void **state)
{
	struct seen s;
	struct line_in *l;

	(void)state;
	pull(1, false);
	l = input(chip(), "1", false, 50, &s);
	assert_true(run_until(&s, told_once));
	pull(1, true);
	usleep(200000); /* what holds is a matter of time */
	pull(1, false);
	usleep(200000);
	s.n = 0;
	assert_true(run_until(&s, told_twice));
	assert_int_equal(s.n, 2);
	assert_false(s.level);
	line_in_free(l);
}

/* More edges than the kernel keeps: whichever it drops, the level is right. */
static void lost_edges_leave_nothing_stuck(void **state)
{
	(void)state;
	for (unsigned last = 0; last < 2; last++) {
		struct seen s;
		struct line_in *l;

		pull(1, !last);
		l = input(chip(), "1", false, 0, &s);
		assert_true(run_until(&s, told_once));
		assert_int_equal(s.level, !last);
		for (unsigned i = 0; i < 24; i++)
			pull_seen(1, i % 2);
		pull_seen(1, last);
		assert_true(run_until(&s, last ? is_on : is_off));
		assert_true(run_until(&s, much_later));
		assert_int_equal(s.level, last);
		line_in_free(l);
	}
}

static void freed_within_its_handler(void **state)
{
	struct seen s;
	struct line_in *l;

	(void)state;
	pull(1, false);
	l = input(chip(), "1", false, 0, &s);
	assert_true(run_until(&s, told_once));
	s.free = &l;
	pull_seen(1, true);
	pull_seen(1, false);
	assert_true(run_until(&s, is_on));
	assert_null(l);
	assert_true(run_until(&s, much_later));
	assert_int_equal(s.n, 2);
	/* It is free again. */
	l = input(chip(), "1", false, 0, &s);
	line_in_free(l);
}

/* ------------------------------------------------------------------- outputs
 */

static struct line_out *output(const char *line, bool active_low, bool level)
{
	struct line_out *l = NULL;
	struct reason why = {""};
	int err = line_out_alloc(&l, chip(), line, active_low, level, &why);

	if (err)
		print_error("%s\n", why.text);
	assert_int_equal(err, 0);
	return l;
}

static void an_output_drives_its_pin(void **state)
{
	(void)state;
	for (unsigned low = 0; low < 2; low++) {
		struct line_out *l = output("8", low, true);

		assert_int_equal(pin(8), !low);
		assert_int_equal(line_out_set(l, false), 0);
		assert_int_equal(pin(8), low);
		assert_int_equal(line_out_set(l, true), 0);
		assert_int_equal(pin(8), !low);
		assert_null(line_out_free(l));
	}
	assert_null(line_out_free(NULL));
}

/* The fault relay when the daemon is killed: the kernel takes the line back,
 * and the pin falls to what the circuit pulls it to. */
static void a_killed_holder_lets_go(void **state)
{
	struct line_out *l = NULL;
	struct reason why;
	int fd[2], status;
	char c;
	pid_t pid;

	(void)state;
	pull(9, false);
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (line_out_alloc(&l, chip(), "9", false, true, NULL) ||
		    write(fd[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(fd[0], &c, 1), 1);
	assert_int_equal(pin(9), 1);
	assert_int_equal(line_out_alloc(&l, chip(), "9", false, true, &why),
			 EBUSY);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	print_message("pin after kill -9 of its holder: %d\n", pin(9));
	assert_int_equal(pin(9), 0);
	l = output("9", false, true);
	assert_int_equal(pin(9), 1);
	line_out_free(l);
	close(fd[0]);
	close(fd[1]);
}

/* ------------------------------------------------------------------- reasons
 */

static void why_not(const char *c, const char *line, int err, const char *part)
{
	struct line_in *in = NULL;
	struct line_out *out = NULL;
	const struct line_in_spec spec = {.chip = c, .line = line};
	struct reason why = {""};
	struct seen s;

	assert_int_equal(line_in_alloc(&in, &spec, on_line, &s, &why), err);
	assert_null(in);
	print_message("%s\n", why.text);
	assert_non_null(strstr(why.text, part));
	why.text[0] = '\0';
	assert_int_equal(line_out_alloc(&out, c, line, false, false, &why),
			 err);
	assert_null(out);
	assert_non_null(strstr(why.text, part));
}

static void a_refusal_says_what_to_do(void **state)
{
	const struct line_in_spec null = {.chip = "/dev/null", .line = "1"};
	struct line_in *in = NULL;
	struct line_out *l;
	struct reason why;
	struct seen s;

	(void)state;
	why_not("gpiochip77", "1", ENOENT, chip());
	assert_true(line_in_alloc(&in, &null, on_line, &s, &why));
	assert_non_null(strstr(why.text, "/dev/null"));
	why_not(chip(), "16", ENOENT, "0 to 15");
	why_not(chip(), "99999999999999", ENOENT, "0 to 15");
	why_not(chip(), "no-such", ENOENT, "no-such");
	why_not(chip(), "", ENOENT, "0 to 15");
	why_not(chip(), "5", EBUSY, "\"amplifier\"");
	l = output("7", false, false);
	why_not(chip(), "7", EBUSY, "\"tocsin\"");
	line_out_free(l);
	in = input(chip(), "7", false, 0, &s);
	why_not(chip(), "7", EBUSY, "\"tocsin\"");
	line_in_free(in);
}

/* ----------------------------------------------------------------- chip gone
 */

/* Last: the chip does not come back. */
static void a_chip_that_is_gone_is_told_once(void **state)
{
	struct seen a, b;
	struct line_in *la, *lb;
	struct line_out *out;
	char path[256];

	(void)state;
	la = input(chip(), "1", false, 0, &a);
	lb = input(chip(), "2", false, 20, &b);
	out = output("8", false, true);
	assert_true(run_until(&a, told_once));
	assert_true(run_until(&b, told_once));
	b.free = &lb;
	snprintf(path, sizeof(path), "%s/live", getenv("GPIO_SIM"));
	write_file(path, "0");
	assert_true(run_until(&a, failed));
	assert_true(run_until(&b, failed));
	print_message("%s\n", a.why);
	assert_non_null(strstr(a.why, "cannot be read any more"));
	assert_null(lb);
	assert_true(run_until(&b, much_later));
	assert_int_equal(a.errors, 1);
	assert_int_equal(b.errors, 1);
	assert_true(line_out_set(out, false) != 0);
	line_in_free(la);
	line_out_free(out);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_press_is_seen_with_its_time),
		cmocka_unit_test(active_low_and_an_initial_level),
		cmocka_unit_test(a_bias_pulls_an_open_contact),
		cmocka_unit_test(a_contact_that_flaps),
		cmocka_unit_test(a_short_press_counts),
		cmocka_unit_test(found_by_label_path_and_name),
		cmocka_unit_test(bouncing_counts_once),
		cmocka_unit_test(a_press_that_held_is_seen_late),
		cmocka_unit_test(lost_edges_leave_nothing_stuck),
		cmocka_unit_test(freed_within_its_handler),
		cmocka_unit_test(an_output_drives_its_pin),
		cmocka_unit_test(a_killed_holder_lets_go),
		cmocka_unit_test(a_refusal_says_what_to_do),
		cmocka_unit_test(a_chip_that_is_gone_is_told_once),
	};
	int n;

	if (argc > 1 && !strcmp(argv[1], "power-off"))
		return reboot(RB_POWER_OFF);
	if (!getenv("GPIO_CHIP") || libre_init()) {
		fputs("needs the machine that tests/gpio-vm/run starts\n",
		      stderr);
		return 2;
	}
	n = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return n ? 1 : 0;
}
