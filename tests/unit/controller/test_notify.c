/* What others are told: records of syslog, mails, and the queue between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/base/clock.h"
#include "controller/config/template.h"
#include "controller/notify/mail_text.h"
#include "controller/notify/syslog_text.h"
#include "controller/notify/target.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WALL INT64_C(1795416900123456) /* 2026-11-23T06:55:00.123456Z */

static struct event event(enum event_type type, const char *text)
{
	struct event e = {.id = 17,
			  .cause = 16,
			  .wall_us = WALL,
			  .mono_us = clock_mono_us(),
			  .type = type};

	strcpy(e.subject, "alarm:gas");
	strcpy(e.actor, "input:gas");
	snprintf(e.text, sizeof(e.text), "%s", text);
	return e;
}

/* -------------------------------------------------------------------- syslog
 */

static void test_syslog(void **state)
{
	const struct syslog_from from = {16, "box 1", "plant", 42};
	struct event e = event(EVENT_ALARM_ACTIVE, "alarm gas is active");
	char buf[SYSLOG_MAX];
	size_t n;

	(void)state;
	n = syslog_write(buf, &from, &e);
	assert_int_equal(n, strlen(buf));
	assert_string_equal(
		buf, "<129>1 2026-11-23T06:55:00.123456Z box_1 tocsind 42 "
		     "alarm.active [tocsin@32473 id=\"17\" site=\"plant\" "
		     "subject=\"alarm:gas\" actor=\"input:gas\" cause=\"16\"] "
		     "\xef\xbb\xbf"
		     "alarm gas is active");
	/* RFC 5424 6.3.3: quote, backslash and bracket are escaped. */
	strcpy(e.subject, "a\"b\\c]d\xc3\xa4");
	e.cause = 0;
	syslog_write(buf, &(struct syslog_from){13, "", "plant", 42}, &e);
	assert_non_null(strstr(buf, "Z - tocsind"));
	assert_non_null(strstr(buf, "subject=\"a\\\"b\\\\c\\]d\xc3\xa4\""));
	assert_null(strstr(buf, "cause="));
}

static void test_syslog_severity(void **state)
{
	struct event e = event(EVENT_FAULT_RAISED, "");

	(void)state;
	assert_int_equal(syslog_severity(&e), 3);
	e.type = EVENT_FAULT_CLEARED;
	assert_int_equal(syslog_severity(&e), 5);
	e.type = EVENT_BROADCAST_STARTED;
	assert_int_equal(syslog_severity(&e), 6);
	e.type = EVENT_CONFIG_REFUSED;
	assert_int_equal(syslog_severity(&e), 3);
}

static void test_syslog_longest(void **state)
{
	static char host[400];
	struct event e = event(EVENT_ALARM_ACTIVE, "");
	char buf[SYSLOG_MAX];

	(void)state;
	memset(host, 'h', sizeof(host) - 1);
	memset(e.subject, '"', sizeof(e.subject) - 1);
	memset(e.actor, ']', sizeof(e.actor) - 1);
	memset(e.text, 'x', sizeof(e.text) - 1);
	/* All of it fits: nothing is cut. */
	assert_true(syslog_write(buf, &(struct syslog_from){16, host, "s", 1},
				 &e) < SYSLOG_MAX - 1);
	assert_int_equal(buf[strlen(buf) - 1], 'x');
}

/* ---------------------------------------------------------------------- mail
 */

static char *mail(const struct config_notify *c, const struct event *const *e,
		  size_t n)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	mail_write(f, c, "plant", e, n, WALL);
	fclose(f);
	return text;
}

static void test_mail(void **state)
{
	char *to[] = {(char[]){"a@x.example"}, (char[]){"b@x.example"}};
	const struct config_notify c = {
		.to = to,
		.n_to = 2,
		.from = (char[]){"t@x.example"},
		.subject = (char[]){"[{site}] {text}{more}"},
		.line = (char[]){"{time} {type} {subject}: {text}"},
	};
	const struct event a = event(EVENT_ALARM_ACTIVE, "gas"),
			   b = event(EVENT_ALARM_RESET, "over");
	const struct event *const v[] = {&a, &b};
	char *text = mail(&c, v, 2);

	(void)state;
	assert_string_equal(
		text,
		"From: t@x.example\n"
		"To: a@x.example,\n b@x.example\n"
		"Subject: [plant] gas (and 1 more)\n"
		"Date: Mon, 23 Nov 2026 06:55:00 +0000\n"
		"Message-ID: <1795416900123456.17@plant.tocsin.invalid>\n"
		"Auto-Submitted: auto-generated\n"
		"MIME-Version: 1.0\n"
		"Content-Type: text/plain; charset=utf-8\n"
		"Content-Transfer-Encoding: 8bit\n\n"
		"2026-11-23T06:55:00.123456Z alarm.active alarm:gas: gas\n"
		"2026-11-23T06:55:00.123456Z alarm.reset alarm:gas: over\n");
	free(text);
}

static void test_mail_header(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	mail_header(f, "Subject", "K\xc3\xa4lte");
	/* No character is split between two words. */
	mail_header(f, "Subject",
		    "0123456789012345678901234567890123456789abcd\xc3\xa4z");
	fclose(f);
	assert_string_equal(
		text,
		"Subject: =?UTF-8?B?S8OkbHRl?=\n"
		"Subject: =?UTF-8?B?"
		"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OWFiY2Q="
		"?=\n =?UTF-8?B?w6R6?=\n");
	free(text);
}

static void test_template(void **state)
{
	static const char *const value[TEMPLATE_PLACES] = {
		"s", "1", "t", "ty", "su", "a", "{text}\xc3\xa4", ""};
	char buf[32], small[9];

	(void)state;
	assert_true(template_good("{site}: {text}{more}"));
	assert_false(template_good("{what}"));
	assert_false(template_good("{"));
	assert_false(template_good("{site"));
	assert_false(template_good("}"));
	assert_false(template_good("a\nBcc: x"));
	/* What is filled in is not filled again. */
	assert_string_equal(
		template_fill("{site}-{text}{more}", value, buf, 32),
		"s-{text}\xc3\xa4");
	assert_string_equal(template_fill("{text}{text}", value, small, 8),
			    "{text}");
}

/* --------------------------------------------------------------------- queue
 */

static void wait_for(struct target *t, uint64_t sent, size_t waiting,
		     struct target_state *s)
{
	const uint64_t end = clock_mono_us() + 60000000;

	do {
		nanosleep(&(struct timespec){0, 2000000}, NULL);
		target_state(t, s);
	} while ((s->sent != sent || s->waiting != waiting) &&
		 clock_mono_us() < end);
	assert_true(s->sent == sent);
	assert_int_equal(s->waiting, waiting);
}

/** More than it keeps while it cannot be reached: the oldest are lost; at the
 *  end nobody waits for it. */
static void test_queue(void **state)
{
	struct config_notify c = {
		.name = (char[]){"siem"},
		.kind = NOTIFY_SYSLOG,
		.syslog = (char[]){"tcp:127.0.0.1:9"},
		.host = (char[]){"127.0.0.1"},
		.port = 9,
		.transport = TRANSPORT_TCP,
	};
	struct event e = event(EVENT_ALARM_ACTIVE, "x");
	struct target_state s;
	struct target *t;
	const uint64_t began = clock_mono_us();

	(void)state;
	assert_int_equal(target_alloc(&t, &c, "plant"), 0);
	assert_true(target_same(t, &c, "plant"));
	assert_false(target_same(t, &c, "other"));
	c.facility = 3;
	assert_false(target_same(t, &c, "plant"));
	do {
		nanosleep(&(struct timespec){0, 2000000}, NULL);
		target_state(t, &s);
	} while (!*s.error && clock_mono_us() - began < 60000000);
	assert_non_null(strstr(s.error, "refused"));
	for (int i = 0; i < TARGET_QUEUE + 500; i++)
		target_put(t, &e);
	target_state(t, &s);
	/* A batch may have been taken out to be tried. */
	assert_in_range(s.waiting, TARGET_QUEUE, TARGET_QUEUE + 64);
	assert_in_range(s.lost, 500 - 64, 500);
	assert_true(s.sent == 0);
	target_free(t);
}

/** A mail program that takes it: the events of one second are one mail. */
static void test_mail_once(void **state)
{
	char dir[] = "/tmp/tocsin-notify-XXXXXX", file[64], command[128];
	char *argv[] = {(char[]){"tee"}, file};
	char *to[] = {(char[]){"a@x.example"}};
	struct config_notify c = {
		.name = (char[]){"duty"},
		.kind = NOTIFY_MAIL,
		.to = to,
		.n_to = 1,
		.subject = (char[]){"{text}{more}"},
		.line = (char[]){"{text}"},
		.command = argv,
		.n_command = 2,
		.interval_s = 3600,
	};
	struct event e = event(EVENT_ALARM_ACTIVE, "x");
	struct target_state s;
	struct target *t;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/mail", dir);
	assert_int_equal(target_alloc(&t, &c, "plant"), 0);
	for (int i = 0; i < 3; i++)
		target_put(t, &e);
	wait_for(t, 3, 0, &s);
	assert_int_equal(stat(file, &st), 0);
	/* The next waits for its time, but not beyond our end. */
	assert_int_equal(unlink(file), 0);
	target_put(t, &e);
	target_state(t, &s);
	assert_int_equal(s.waiting, 1);
	target_free(t);
	assert_int_equal(stat(file, &st), 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syslog),
		cmocka_unit_test(test_syslog_severity),
		cmocka_unit_test(test_syslog_longest),
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_mail_header),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_mail_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
