/* What the decode guard lets pass, and that it looks at each byte once. */
#include "controller/sip/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define LINE "OPTIONS sip:7@10.0.0.1 SIP/2.0\r\n"
#define VIA "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1\r\n"
#define FROM "From: \"A, B\" <sip:a@b>;tag=1\r\n"
#define TO "To: <sip:7@b>\r\n"
#define ID "Call-ID: x@y\r\n"
#define CSEQ "CSeq: 1 OPTIONS\r\n"
#define ALL VIA FROM TO ID CSEQ
#define END "\r\n"

static enum guard_verdict look(const char *s)
{
	return guard_inspect((const uint8_t *)s, strlen(s));
}

struct row {
	const char *text;
	enum guard_verdict verdict;
	const char *why;
};

static void test_table(void **state)
{
	static const struct row rows[] = {
		{LINE ALL END, GUARD_PASS, NULL},
		{LINE ALL "Content-Length: 3\r\n" END "abc", GUARD_PASS, NULL},
		{LINE ALL "l: 16384\r\n" END, GUARD_PASS, NULL},
		/* RFC 3261 7.3.3 compact names, 7.3.1 any case and folding */
		{LINE "v: SIP/2.0/UDP h\r\nf: <sip:a@b>\r\nt: <sip:a@b>\r\n"
		      "i: x\r\nCSEQ: 1 OPTIONS\r\n" END,
		 GUARD_PASS, NULL},
		{LINE VIA FROM TO ID "CSeq : 1\r\n  OPTIONS\r\n" END,
		 GUARD_PASS, NULL},
		{LINE VIA VIA VIA FROM TO ID CSEQ END, GUARD_PASS, NULL},
		{"OPTIONS sip:a SIP/2.0\nVia: v\nFrom: f\nTo: t\nCall-ID: i\n"
		 "CSeq: 1 OPTIONS\n\n",
		 GUARD_PASS, NULL},
		{"SIP/2.0 200 OK\r\n" ALL END, GUARD_PASS, NULL},
		{"SIP/2.0 200 \r\n" ALL END, GUARD_PASS, NULL},
		{"SIP/2.0 200 OK\r\n" VIA FROM TO ID "CSeq: 9 INVITE\r\n" END,
		 GUARD_PASS, NULL},

		{LINE FROM TO ID CSEQ END, GUARD_BAD, "Missing Via header"},
		{LINE VIA TO ID CSEQ END, GUARD_BAD, "Missing From header"},
		{LINE VIA FROM ID CSEQ END, GUARD_BAD, "Missing To header"},
		{LINE VIA FROM TO CSEQ END, GUARD_BAD,
		 "Missing Call-ID header"},
		{LINE VIA FROM TO ID END, GUARD_BAD, "Missing CSeq header"},
		{LINE VIA FROM TO "Call-ID: \r\n" CSEQ END, GUARD_BAD,
		 "Missing Call-ID header"},
		{LINE ALL FROM END, GUARD_BAD, "More than one From header"},
		{LINE ALL "f: <sip:c@d>\r\n" END, GUARD_BAD,
		 "More than one From header"},
		{LINE ALL TO END, GUARD_BAD, "More than one To header"},
		{LINE ALL "i: z\r\n" END, GUARD_BAD,
		 "More than one Call-ID header"},
		{LINE ALL CSEQ END, GUARD_BAD, "More than one CSeq header"},
		{LINE VIA FROM TO ID "CSeq: 1 INVITE\r\n" END, GUARD_BAD,
		 "CSeq does not match the method"},
		{LINE VIA FROM TO ID "CSeq: 1 options\r\n" END, GUARD_BAD,
		 "CSeq does not match the method"},
		{LINE VIA FROM TO ID "CSeq: OPTIONS\r\n" END, GUARD_BAD,
		 "Malformed CSeq header"},
		{LINE VIA FROM TO ID "CSeq: 99999999999 OPTIONS\r\n" END,
		 GUARD_BAD, "Malformed CSeq header"},
		{LINE ALL "Content-Length: -1\r\n" END, GUARD_BAD,
		 "Malformed Content-Length header"},
		{LINE ALL "Content-Length: 1x\r\n" END, GUARD_BAD,
		 "Malformed Content-Length header"},
		{LINE ALL "l: 0\r\nContent-Length: 0\r\n" END, GUARD_BAD,
		 "More than one Content-Length header"},
		{"SIP/2.0 200 OK\r\n" VIA FROM TO ID END, GUARD_BAD,
		 "Missing CSeq header"},

		{"OPTIONS  SIP/2.0\r\n" ALL END, GUARD_BAD,
		 "Malformed request line"},
		{"OPTIONS sip:a SIP/2.0 \r\n" ALL END, GUARD_BAD,
		 "Malformed request line"},
		{"OPTIONS  sip:a SIP/2.0\r\n" ALL END, GUARD_BAD,
		 "Malformed Request-URI"},
		{"OPTIONS <sip:a> SIP/2.0\r\n" ALL END, GUARD_BAD,
		 "Malformed Request-URI"},
		{"OPTIONS sip:\xc3\xa4 SIP/2.0\r\n" ALL END, GUARD_BAD,
		 "Malformed Request-URI"},
		{"OPTIONS sip:a?b=c SIP/2.0\r\n" ALL END, GUARD_BAD,
		 "Headers in the Request-URI"},
		{"OPTIONS sip:a?b@c SIP/2.0\r\n" ALL END, GUARD_PASS, NULL},
		{"OPTIONS sip:a SIP/3.0\r\n" ALL END, GUARD_BAD,
		 "Version Not Supported"},
		{LINE ALL "Max-Forwards: 255\r\n" END, GUARD_PASS, NULL},
		{LINE ALL "Max-Forwards: 256\r\n" END, GUARD_BAD,
		 "Malformed Max-Forwards header"},
		{LINE ALL "Max-Forwards: x\r\n" END, GUARD_BAD,
		 "Malformed Max-Forwards header"},
		{LINE ALL "Max-Forwards: 1\r\nMax-Forwards: 1\r\n" END,
		 GUARD_BAD, "More than one Max-Forwards header"},
		{LINE ALL "m: \"a;;\\\"b\" <sip:a;;b>;c=d;\r\n" END, GUARD_PASS,
		 NULL},
		{LINE ALL "m: <sip:a>;;c\r\n" END, GUARD_BAD,
		 "Malformed Contact header"},
		{LINE ALL "m: <sip:a>,\t,<sip:b>\r\n" END, GUARD_BAD,
		 "Malformed Contact header"},
		{LINE FROM TO ID CSEQ "v: SIP/2.0/UDP h;branch=1 ,\r\n" END,
		 GUARD_BAD, "Malformed Via header"},
		{LINE ALL "Contact: <sip:a\r\n" END, GUARD_BAD,
		 "Malformed Contact header"},
		{LINE VIA TO ID CSEQ "From: \"A <sip:a@b>;tag=1\r\n" END,
		 GUARD_BAD, "Malformed From header"},

		{LINE ALL, GUARD_INCOMPLETE, NULL},
		{LINE, GUARD_INCOMPLETE, NULL},
		{"", GUARD_INCOMPLETE, NULL},
		{"OPT", GUARD_INCOMPLETE, NULL},
		{"SIP/2", GUARD_INCOMPLETE, NULL},
		{"OPTIONS sip:7@10.0.0.1 SIP/2.0", GUARD_INCOMPLETE, NULL},

		{LINE ALL "Content-Length: 16385\r\n" END, GUARD_JUNK, NULL},
		{LINE ALL "Content-Length: 4294967297\r\n" END, GUARD_JUNK,
		 NULL},
		{LINE "no header at all\r\n" ALL END, GUARD_JUNK, NULL},
		{LINE ": x\r\n" ALL END, GUARD_JUNK, NULL},
		{LINE "a b: x\r\n" ALL END, GUARD_JUNK, NULL},
		{LINE "  folded onto nothing\r\n" ALL END, GUARD_JUNK, NULL},
		{"GET / HTTP/1.1\r\n" ALL END, GUARD_JUNK, NULL},
		{"OPTIONS\r\n" ALL END, GUARD_JUNK, NULL},
		{"OPTIONS sip:a\r\n" ALL END, GUARD_JUNK, NULL},
		{"OPTIONS sip:a SIP/2.10\r\n" ALL END, GUARD_JUNK, NULL},
		{"OPT{ONS sip:a SIP/2.0\r\n" ALL END, GUARD_JUNK, NULL},
		{" OPTIONS sip:a SIP/2.0\r\n" ALL END, GUARD_JUNK, NULL},
		{"SIP/2.0 20 OK\r\n" ALL END, GUARD_JUNK, NULL},
		{"SIP/2.0 700 OK\r\n" ALL END, GUARD_JUNK, NULL},
		{"SIP/2.0 200\r\n" ALL END, GUARD_JUNK, NULL},
		{"\r\n\r\n", GUARD_JUNK, NULL},
		{"\x80\x01\x02", GUARD_JUNK, NULL},
		{"waytoolongforanymethodnameofthisworld"
		 "waytoolongforanymethodnameofthisworld",
		 GUARD_JUNK, NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		const struct guard_finding f = guard_examine(
			(const uint8_t *)r->text, strlen(r->text));

		if (f.verdict != r->verdict)
			fail_msg("row %zu: verdict %d: %s", i, f.verdict,
				 r->text);
		if (r->why)
			assert_string_equal(f.why, r->why);
		else
			assert_null(f.why);
	}
}

/* A stream that comes byte by byte is never taken for anything else. */
static void test_prefixes(void **state)
{
	static const char text[] = LINE ALL "X: y\r\n z\r\n" END;
	const size_t len = strlen(text);
	size_t i;

	(void)state;
	for (i = 0; i < len; i++)
		if (guard_inspect((const uint8_t *)text, i) != GUARD_INCOMPLETE)
			fail_msg("%zu bytes", i);
	assert_int_equal(look(text), GUARD_PASS);
}

static void test_nul(void **state)
{
	static const char line[] = "OPTIONS si\0:a SIP/2.0\r\n" ALL END;
	static const char head[] = LINE ALL "X: a\0b\r\n" END;

	(void)state;
	assert_int_equal(guard_inspect((const uint8_t *)line, sizeof(line) - 1),
			 GUARD_JUNK);
	assert_int_equal(guard_inspect((const uint8_t *)head, sizeof(head) - 1),
			 GUARD_JUNK);
}

static char big[70000];

static size_t fill(const char *head, const char *unit, size_t n,
		   const char *tail)
{
	size_t at = strlen(head);

	memcpy(big, head, at);
	while (n--) {
		memcpy(big + at, unit, strlen(unit));
		at += strlen(unit);
	}
	memcpy(big + at, tail, strlen(tail) + 1);
	return at + strlen(tail);
}

static enum guard_verdict filled(const char *head, const char *unit, size_t n,
				 const char *tail)
{
	const size_t len = fill(head, unit, n, tail);

	return guard_inspect((const uint8_t *)big, len);
}

static void test_limits(void **state)
{
	(void)state;
	/* 5 headers are there already */
	assert_int_equal(
		filled(LINE ALL, "X: y\r\n", GUARD_MAX_HEADERS - 5, END),
		GUARD_PASS);
	assert_int_equal(
		filled(LINE ALL, "X: y\r\n", GUARD_MAX_HEADERS - 4, END),
		GUARD_JUNK);
	/* one comma is in FROM */
	assert_int_equal(
		filled(LINE ALL "Allow: ", "a,", GUARD_MAX_COMMAS - 1, END END),
		GUARD_PASS);
	assert_int_equal(
		filled(LINE ALL "Allow: ", "a,", GUARD_MAX_COMMAS, END END),
		GUARD_JUNK);
	assert_int_equal(filled(LINE ALL "X: ", "y", 2000, END END),
			 GUARD_PASS);
	assert_int_equal(filled(LINE ALL "X: ", "y", 2100, END END),
			 GUARD_JUNK);
	/* folded lines count together */
	assert_int_equal(filled(LINE ALL "X: y\r\n", " y\r\n", 600, END),
			 GUARD_JUNK);
	assert_int_equal(
		filled("OPTIONS sip:", "y", 2000, " SIP/2.0\r\n" ALL END),
		GUARD_PASS);
	assert_int_equal(
		filled("OPTIONS sip:", "y", 2040, " SIP/2.0\r\n" ALL END),
		GUARD_JUNK);
	/* no end of the start line, no end of the headers */
	assert_int_equal(filled("OPTIONS sip:", "y", 1000, ""),
			 GUARD_INCOMPLETE);
	assert_int_equal(filled("OPTIONS sip:", "y", 2100, ""), GUARD_JUNK);
	assert_int_equal(filled(LINE, "X: 12345678901234567890\r\n", 90, ""),
			 GUARD_INCOMPLETE);
	assert_int_equal(filled(LINE, "Xyz: 345678901234567890\r\n", 660, ""),
			 GUARD_JUNK);
	/* behind the headers any length is no matter: more messages */
	assert_int_equal(filled(LINE ALL END, "z", 60000, ""), GUARD_PASS);
}

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Best of several: the least disturbed. */
static double cost(size_t len)
{
	double best = 1e9;
	int i, k;

	for (i = 0; i < 7; i++) {
		double t = cpu();

		for (k = 0; k < 40; k++)
			(void)guard_inspect((const uint8_t *)big, len);
		t = cpu() - t;
		if (t < best)
			best = t;
	}
	return best;
}

/* Twice the bytes cost about twice, not four times (libre: B2). */
static void test_linear(void **state)
{
	static const char *const heads[] = {
		LINE ALL, LINE ALL "X: ", "OPTIONS sip:a SIP/2.0\r\n"};
	static const char *const units[] = {"a:\r\n", "a a ", "X: a a a\r\n "};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		double half, whole;

		(void)fill(heads[i], units[i], 4200, "");
		half = cost(8000);
		whole = cost(16000);
		if (whole > 3.2 * half + 1e-5)
			fail_msg("row %zu: %.0f us, %.0f us", i, half * 1e6,
				 whole * 1e6);
	}
}

/* Nothing beyond the given length is read (ASan sees it). */
static void test_bounds(void **state)
{
	static const char text[] = LINE ALL END;
	size_t len;

	(void)state;
	for (len = 0; len <= strlen(text); len++) {
		uint8_t *copy = malloc(len ? len : 1);

		memcpy(copy, text, len);
		(void)guard_inspect(copy, len);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),  cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_nul),    cmocka_unit_test(test_limits),
		cmocka_unit_test(test_linear), cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
