/* Calendars in the shapes of those who write them, and broken ones by line. */
#include "sched_util.h"

#include <errno.h>

#define MAX 64

struct heard {
	int line[64];
	char text[64][256];
	size_t n, bad;
};

static void hear(int line, const char *text, void *arg)
{
	struct heard *h = arg;

	if (h->n < 64) {
		h->line[h->n] = line;
		snprintf(h->text[h->n++], 256, "%s", text);
	}
}

static struct calendar *read_ics(const char *text, struct heard *h, int want)
{
	struct calendar *c = NULL;

	*h = (struct heard){0};
	assert_int_equal(calendar_alloc(&c), 0);
	assert_int_equal(
		calendar_read(c, text, strlen(text), zone_h, hear, h, &h->bad),
		want);
	return c;
}

/** "begin text; ..." of what is between two times, in Berlin. */
static const char *look(const struct calendar *c, const char *from,
			const char *to)
{
	static char text[8192];
	struct calendar_span v[MAX];
	struct tz *z = zone_of("Europe/Berlin");
	char one[CIVIL_TEXT];
	size_t n, used = 0;

	assert_int_equal(calendar_expand(c, z, at(from), at(to), v, MAX, &n),
			 0);
	*text = '\0';
	for (size_t i = 0; i < n; i++) {
		if (v[i].whole)
			snprintf(one, sizeof(one), "%.10s+%d",
				 civil_text((char[CIVIL_TEXT]){0},
					    v[i].day * CIVIL_DAY),
				 (int)v[i].days);
		else
			civil_text(one, v[i].begin);
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%s %s", i ? "; " : "", one,
					 calendar_text(c, v[i].event));
	}
	tz_free(z);
	return text;
}

/* Google: CRLF, TZID by tzdata, EXDATE, an occurrence moved. */
static const char google[] =
	"BEGIN:VCALENDAR\r\nPRODID:-//Google Inc//Google Calendar "
	"70.9054//EN\r\n"
	"VERSION:2.0\r\nCALSCALE:GREGORIAN\r\nMETHOD:PUBLISH\r\n"
	"X-WR-CALNAME:Bells\r\nX-WR-TIMEZONE:Europe/Berlin\r\n"
	"BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nX-LIC-LOCATION:Europe/"
	"Berlin\r\n"
	"BEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nTZNAME:"
	"CEST\r\n"
	"DTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n"
	"END:DAYLIGHT\r\nBEGIN:STANDARD\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+"
	"0100\r\n"
	"TZNAME:CET\r\nDTSTART:19701025T030000\r\n"
	"RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:"
	"VTIMEZONE\r\n"
	"BEGIN:VEVENT\r\nDTSTART;TZID=Europe/Berlin:20270104T075500\r\n"
	"DTEND;TZID=Europe/Berlin:20270104T080000\r\n"
	"RRULE:FREQ=WEEKLY;WKST=MO;UNTIL=20270201T225959Z;BYDAY=MO\r\n"
	"EXDATE;TZID=Europe/"
	"Berlin:20270118T075500\r\nDTSTAMP:20261101T120000Z\r\n"
	"UID:abc123@google.com\r\nCREATED:20261101T120000Z\r\nSEQUENCE:1\r\n"
	"STATUS:CONFIRMED\r\nSUMMARY:First lesson\\, all \r\n classes\r\n"
	"TRANSP:OPAQUE\r\nEND:VEVENT\r\n"
	"BEGIN:VEVENT\r\nDTSTART;TZID=Europe/Berlin:20270125T093000\r\n"
	"DTEND;TZID=Europe/Berlin:20270125T093500\r\nUID:abc123@google.com\r\n"
	"RECURRENCE-ID;TZID=Europe/Berlin:20270125T075500\r\n"
	"SUMMARY:First lesson late\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

static void test_google(void **state)
{
	struct heard h;
	struct calendar *c = read_ics(google, &h, 0);

	(void)state;
	assert_int_equal(h.n, 0);
	assert_string_equal(look(c, "2027-01-01", "2027-12-31"),
			    "2027-01-04 06:55 First lesson, all classes; "
			    "2027-01-11 06:55 First lesson, all classes; "
			    "2027-01-25 08:30 First lesson late; "
			    "2027-02-01 06:55 First lesson, all classes");
	assert_int_equal(calendar_line(c, 0), 26);
	calendar_free(c);
}

/* Outlook: a zone of its own name that begins in 1601, days from midnight. */
static const char outlook[] =
	"BEGIN:VCALENDAR\nPRODID:-//Microsoft Corporation//Outlook 16.0 "
	"MIMEDIR//EN\n"
	"VERSION:2.0\nMETHOD:PUBLISH\nX-MS-OLK-FORCEINSPECTOROPEN:TRUE\n"
	"BEGIN:VTIMEZONE\nTZID:W. Europe Standard Time\nBEGIN:STANDARD\n"
	"DTSTART:16011028T030000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\n"
	"TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nEND:STANDARD\nBEGIN:DAYLIGHT\n"
	"DTSTART:16010325T020000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\n"
	"TZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nEND:DAYLIGHT\nEND:VTIMEZONE\n"
	"BEGIN:VEVENT\nCATEGORIES:Drill,Red Category\nCLASS:PUBLIC\n"
	"DESCRIPTION:\\n\nDTEND;TZID=\"W. Europe Standard "
	"Time\":20270702T101500\n"
	"DTSTAMP:20261101T120000Z\n"
	"DTSTART;TZID=\"W. Europe Standard Time\":20270702T100000\n"
	"SUMMARY;LANGUAGE=de:Probealarm\nUID:040000008200E00074C5B7101A82E008\n"
	"X-MICROSOFT-CDO-BUSYSTATUS:BUSY\nBEGIN:VALARM\nTRIGGER:-PT15M\n"
	"ACTION:DISPLAY\nDESCRIPTION:Reminder\nEND:VALARM\nEND:VEVENT\n"
	"BEGIN:VEVENT\nDTSTART;VALUE=DATE:20271224\nDTEND;VALUE=DATE:20271227\n"
	"SUMMARY:Weihnachten\nUID:2\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE\n"
	"END:VEVENT\nEND:VCALENDAR\n";

static void test_outlook(void **state)
{
	struct heard h;
	struct calendar *c = read_ics(outlook, &h, 0);

	(void)state;
	assert_int_equal(h.n, 0);
	assert_string_equal(look(c, "2027-01-01", "2027-12-31"),
			    "2027-07-02 08:00 Probealarm; 2027-12-24+3 "
			    "Weihnachten");
	/* Its last day, but not the one behind. */
	assert_string_equal(look(c, "2027-12-26 12:00", "2027-12-26 13:00"),
			    "2027-12-24+3 Weihnachten");
	assert_string_equal(look(c, "2027-12-27 00:00", "2027-12-28 00:00"),
			    "");
	assert_true(calendar_fits(c, 0, "drill"));
	assert_true(calendar_fits(c, 0, "red*"));
	assert_true(calendar_fits(c, 0, "PROBE*"));
	assert_false(calendar_fits(c, 0, "category"));
	calendar_free(c);
}

/* Nextcloud: a zone behind the events, UTC, DURATION, RDATE, cancelled. */
static const char nextcloud[] =
	"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//IDN nextcloud.com//Calendar "
	"app 4.7.6//EN\n"
	"CALSCALE:GREGORIAN\nBEGIN:VEVENT\nCREATED:20261101T120000Z\n"
	"DTSTAMP:20261101T120001Z\nUID:u1\nDTSTART:20270301T090000Z\nDURATION:"
	"PT5M\n"
	"SUMMARY:Test\nRDATE:20270315T090000Z,20270320T100000Z\nEND:VEVENT\n"
	"BEGIN:VEVENT\nUID:u2\nDTSTART;TZID=/citadel.org/20210210_1/Europe/"
	"Paris:20270302T120000\n"
	"SUMMARY:Midi\nSTATUS:TENTATIVE\nRRULE:FREQ=DAILY;COUNT=3\nEND:VEVENT\n"
	"BEGIN:VEVENT\nUID:u2\nRECURRENCE-ID;TZID=Europe/"
	"Paris:20270303T120000\n"
	"DTSTART;TZID=Europe/"
	"Paris:20270303T120000\nSTATUS:CANCELLED\nSUMMARY:Midi\n"
	"END:VEVENT\nBEGIN:VEVENT\nUID:u3\nDTSTART:20270310T080000\nSUMMARY:"
	"Floating\n"
	"END:VEVENT\nEND:VCALENDAR\n";

static void test_nextcloud(void **state)
{
	struct heard h;
	struct calendar *c = read_ics(nextcloud, &h, 0);

	(void)state;
	assert_int_equal(h.n, 0);
	assert_string_equal(look(c, "2027-01-01", "2027-12-31"),
			    "2027-03-01 09:00 Test; 2027-03-02 11:00 Midi; "
			    "2027-03-04 11:00 Midi; 2027-03-10 07:00 Floating; "
			    "2027-03-15 09:00 Test; 2027-03-20 10:00 Test");
	calendar_free(c);
}

/* A holiday service: yearly days, no end given, two files joined. */
static const char holidays[] =
	"\xef\xbb\xbf"
	"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//holidays//EN\n"
	"BEGIN:VEVENT\nUID:a\nDTSTART;VALUE=DATE:20200101\nSUMMARY:Neujahr\n"
	"RRULE:FREQ=YEARLY\nEND:VEVENT\nEND:VCALENDAR\n"
	"BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:b\n"
	"DTSTART;VALUE=DATE:20271018\nDTEND;VALUE=DATE:20271030\n"
	"SUMMARY:Herbstferien\nEND:VEVENT\nEND:VCALENDAR\n";

static void test_holidays(void **state)
{
	struct heard h;
	struct calendar *c = read_ics(holidays, &h, 0);

	(void)state;
	assert_int_equal(h.n, 0);
	assert_string_equal(look(c, "2026-12-01", "2028-01-31"),
			    "2027-01-01+1 Neujahr; 2027-10-18+12 "
			    "Herbstferien; 2028-01-01+1 Neujahr");
	calendar_free(c);
}

#define HEAD "BEGIN:VCALENDAR\nVERSION:2.0\n"
#define EVENT "BEGIN:VEVENT\nUID:x\nDTSTART:20270301T090000Z\n"
#define TAIL "END:VEVENT\nEND:VCALENDAR\n"

static void test_bad_events(void **state)
{
	static const struct {
		const char *text, *why;
		int line;
	} t[] = {
		{HEAD EVENT "RRULE:FREQ=SECONDLY\n" TAIL, "HOURLY", 6},
		{HEAD EVENT "RRULE:FREQ=DAILY;COUNT=100000000\n" TAIL, "10000",
		 6},
		{HEAD EVENT "SUMMARY:a\n b\nRRULE:FREQ=DAILY\n"
			    "RRULE:FREQ=WEEKLY\n" TAIL,
		 "more than one RRULE", 8},
		{HEAD EVENT "EXRULE:FREQ=DAILY\n" TAIL, "EXRULE", 6},
		{HEAD "BEGIN:VEVENT\nUID:x\nSUMMARY:nothing\n" TAIL,
		 "no DTSTART", 3},
		{HEAD "BEGIN:VEVENT\nUID:x\nDTSTART:tomorrow\n" TAIL,
		 "DTSTART cannot", 5},
		{HEAD EVENT "EXDATE:never\n" TAIL, "EXDATE cannot", 6},
		{HEAD EVENT "RDATE:20270302T090000Z\nRDATE:soon\n" TAIL,
		 "RDATE cannot", 6},
		{HEAD "BEGIN:VEVENT\nUID:x\nDTSTART:00010101T000000Z\n" TAIL,
		 "1900", 5},
		{HEAD
		 "BEGIN:VEVENT\nDTSTART;TZID=Mars/Olympus:20270301T090000\n"
		 "UID:x\n" TAIL,
		 "Mars/Olympus", 4},
		{HEAD EVENT "DTEND:20270228T090000Z\n" TAIL, "ends before", 6},
		{HEAD EVENT "DTEND:20370228T090000Z\n" TAIL, "366", 6},
		{HEAD
		 "BEGIN:VEVENT\nUID:x\nDTSTART:20270301T090000Z\n"
		 "RECURRENCE-ID;RANGE=THISANDFUTURE:20270301T090000Z\n" TAIL,
		 "THISANDFUTURE", 6},
	};
	struct heard h;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct calendar *c = read_ics(t[i].text, &h, 0);

		if (h.n != 1 || h.line[0] != t[i].line ||
		    !strstr(h.text[0], t[i].why))
			fail_msg("%zu: %zu told, line %d: %s", i, h.n,
				 h.line[0], h.text[0]);
		assert_int_equal(h.bad, 1);
		assert_int_equal(calendar_size(c), 0);
		calendar_free(c);
	}
}

static void test_bad_texts(void **state)
{
	static const struct {
		const char *text, *why;
		int line;
	} t[] = {
		{"", "empty", 1},
		{"<html>\n<body>\n", "BEGIN:VCALENDAR", 1},
		{HEAD EVENT, "before this component", 3},
		{HEAD EVENT "END:VEVENT\n", "cut", 7},
		{HEAD "END:VEVENT\n", "without its BEGIN", 3},
		{HEAD EVENT "BEGIN:VEVENT\n" TAIL, "no END", 3},
		{HEAD EVENT "END:VTODO\nEND:VCALENDAR\n", "another", 6},
		{HEAD EVENT TAIL "more\n", "behind", 8},
	};
	struct heard h;
	char *big;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct calendar *c = read_ics(t[i].text, &h, EBADMSG);

		if (h.n != 1 || h.line[0] != t[i].line ||
		    !strstr(h.text[0], t[i].why))
			fail_msg("%zu: %zu told, line %d: %s", i, h.n,
				 h.line[0], h.text[0]);
		assert_int_equal(calendar_size(c), 0);
		calendar_free(c);
	}
	/* One component without end. */
	big = malloc(200000);
	assert_non_null(big);
	strcpy(big, HEAD EVENT);
	for (size_t k = strlen(big); k < 190000; k = strlen(big + k) + k)
		strcpy(big + k, "DESCRIPTION:and so on and so on and so on\n");
	calendar_free(read_ics(big, &h, EBADMSG));
	assert_non_null(strstr(h.text[0], "64 KB"));
	free(big);
}

static void test_plain_days(void **state)
{
	struct calendar *c = NULL;
	struct calendar_span v[2];
	size_t n;

	(void)state;
	assert_int_equal(calendar_alloc(&c), 0);
	assert_int_equal(calendar_add_days(c, civil_day(2026, 12, 24),
					   civil_day(2027, 1, 6), false,
					   "winter"),
			 0);
	assert_int_equal(calendar_add_days(c, civil_day(1972, 2, 29),
					   civil_day(1972, 2, 29), true,
					   "leap"),
			 0);
	assert_string_equal(look(c, "2026-01-01", "2029-01-01"),
			    "2026-12-24+14 winter; 2028-02-29+1 leap");
	/* More than there is room for is told. */
	assert_int_equal(
		calendar_expand(c, tz_of_utc(), 0, at("2190-01-01"), v, 2, &n),
		E2BIG);
	assert_int_equal(n, 2);
	calendar_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_google),
		cmocka_unit_test(test_outlook),
		cmocka_unit_test(test_nextcloud),
		cmocka_unit_test(test_holidays),
		cmocka_unit_test(test_bad_events),
		cmocka_unit_test(test_bad_texts),
		cmocka_unit_test(test_plain_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
