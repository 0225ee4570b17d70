/* Public alerts: what a document says, and what it is to us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/cap/cap.h"
#include "controller/cap/choose.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S INT64_C(1000000)
/* 2026-11-23T06:55:00Z, when the alert below was sent. */
#define SENT (INT64_C(1795416900) * S)

#define HEAD                                                                   \
	"<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">"               \
	"<identifier>id-1</identifier><sender>x@y</sender>"                    \
	"<sent>2026-11-23T07:55:00+01:00</sent>"
#define KIND "<status>Actual</status><msgType>Alert</msgType>"
#define INFO(more)                                                             \
	"<info><category>Met</category><event>Storm</event>"                   \
	"<urgency>Immediate</urgency><severity>Severe</severity>"              \
	"<certainty>Observed</certainty>" more "</info>"
#define AREA(more) "<area><areaDesc>Munich</areaDesc>" more "</area>"
#define TAIL "</alert>"

static struct cap_doc read_good(const char *text)
{
	struct reason why = {""};
	struct cap_doc d;

	if (cap_read(&d, text, strlen(text), &why))
		fail_msg("%s", why.text);
	return d;
}

static void read_bad(const char *text, size_t len, const char *says)
{
	struct reason why = {""};
	struct cap_doc d;

	assert_int_equal(cap_read(&d, text, len, &why), EINVAL);
	if (!strstr(why.text, says))
		fail_msg("%s", why.text);
	assert_int_equal(d.n_alerts + d.n_links, 0);
}

#define BAD(text, says) read_bad(text, strlen(text), says)

static void test_alert(void **state)
{
	struct cap_doc d = read_good(
		"\xef\xbb\xbf<?xml version=\"1.0\"?>" HEAD KIND
		"<references>x@y,id-0,2026-11-23T06:00:00-00:00</"
		"references>" INFO(
			"<language>de-DE</language>"
			"<headline> Sturm &amp; Flut </headline>"
			"<expires>2026-11-23T08:55:00Z</expires>" AREA(
				"<polygon>48,11 48,12 49,12 48,11</polygon>"
				"<circle>48.1,11.5 20.5</circle>"
				"<geocode><valueName>SAME</valueName>"
				"<value>006109</value></geocode>")) TAIL);
	const struct cap_alert *a = d.alerts[0];
	const struct cap_info *i = a->infos;

	(void)state;
	assert_int_equal(d.n_alerts, 1);
	assert_string_equal(a->identifier, "id-1");
	assert_string_equal(a->sender, "x@y");
	assert_true(a->sent_us == SENT);
	assert_int_equal(a->status, CAP_ACTUAL);
	assert_int_equal(a->type, CAP_ALERT);
	assert_int_equal(a->n_infos, 1);
	assert_string_equal(i->language, "de-DE");
	assert_string_equal(i->headline, "Sturm & Flut");
	assert_int_equal(i->severity, CAP_SEVERE);
	assert_true(i->expires_us == SENT + 7200 * S);
	assert_int_equal(i->n_areas, 1);
	assert_string_equal(i->areas[0].geocodes[0], "SAME=006109");
	assert_int_equal(i->areas[0].n_shapes, 2);
	assert_int_equal(i->areas[0].shapes[0].n, 4);
	assert_true(i->areas[0].shapes[1].radius_km == 20.5);
	cap_doc_reset(&d);
}

static void test_feeds(void **state)
{
	struct cap_doc d = read_good(
		"<feed xmlns=\"http://www.w3.org/2005/Atom\">"
		"<link href=\"https://self\" rel=\"self\"/>"
		"<entry><link href=\"/page\"/>"
		"<link href=\"/a.cap\" type=\"application/cap+xml\"/></entry>"
		"<entry><link href=\"/b\"/></entry>"
		"<entry><link href=\"/c\"/><content>" HEAD KIND TAIL
		"</content></entry></feed>");

	(void)state;
	assert_int_equal(d.n_links, 2);
	assert_string_equal(d.links[0], "/a.cap");
	assert_string_equal(d.links[1], "/b");
	assert_int_equal(d.n_alerts, 1);
	cap_doc_reset(&d);
	d = read_good("<rss><channel><link>https://self</link><item><title>x"
		      "</title><link>\nhttps://h/1.xml </link></item>"
		      "</channel></rss>");
	assert_int_equal(d.n_links, 1);
	assert_string_equal(d.links[0], "https://h/1.xml");
	cap_doc_reset(&d);
	d = read_good("# alerts\nhttps://h/1.xml\r\n\nhttps://h/2.xml");
	assert_int_equal(d.n_links, 2);
	assert_string_equal(d.links[1], "https://h/2.xml");
	cap_doc_reset(&d);
	d = read_good(" \n");
	assert_int_equal(d.n_links + d.n_alerts, 0);
	cap_doc_reset(&d);
	BAD("hello world", "neither XML nor a list");
}

/** Ten of ten of ten ...: refused before it is thought of. */
static void test_bombs(void **state)
{
	char *deep = calloc(1, 2000), *big = malloc(CAP_MAX_BYTES + 1);

	(void)state;
	assert_non_null(deep);
	assert_non_null(big);
	BAD("<!DOCTYPE a [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">"
	    "<!ENTITY c \"&b;&b;&b;&b;\">]><alert>&c;</alert>",
	    "line 1: it has a document type");
	BAD("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "document type");
	BAD(HEAD "&undefined;" TAIL, "undefined entity");
	for (int i = 0; i < CAP_MAX_DEPTH + 1; i++)
		strcat(deep, "<a>");
	BAD(deep, "deeper than 32 levels");
	memset(big, ' ', CAP_MAX_BYTES + 1);
	read_bad(big, CAP_MAX_BYTES + 1, "larger than 1048576 bytes");
	memcpy(big, "<a>", 3);
	memset(big + 3, 'x', CAP_MAX_TEXT + 1);
	read_bad(big, CAP_MAX_TEXT + 4, "more than 65536 bytes");
	free(deep);
	free(big);
}

static void test_bad(void **state)
{
	(void)state;
	BAD("<alert>", "no good XML");
	BAD(HEAD "<status>Actual</status>" TAIL, "lacks one of identifier");
	BAD(HEAD "<status>Real</status><msgType>Alert</msgType>" TAIL,
	    "<status> is \"Real\", which CAP does not know");
	BAD("<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\n"
	    "<sent>yesterday</sent>" TAIL,
	    "line 2: <sent> is \"yesterday\", no time");
	BAD("<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">"
	    "<identifier>a b</identifier><sender>x</sender>"
	    "<sent>2026-11-23T07:55:00Z</sent>" KIND TAIL,
	    "without blanks and commas");
	BAD(HEAD KIND INFO(AREA("<polygon>48,11 48,12</polygon>")) TAIL,
	    "<polygon> is not as CAP has it");
	BAD(HEAD KIND INFO(AREA("<polygon>98,11 48,12 1,1</polygon>")) TAIL,
	    "<polygon>");
	BAD(HEAD KIND INFO(AREA("<circle>48,11</circle>")) TAIL, "<circle>");
	BAD(HEAD KIND INFO(AREA("<circle>48,11 nan</circle>")) TAIL,
	    "<circle>");
	/* One bad alert of several: none is taken by half. */
	BAD("<x>" HEAD KIND TAIL HEAD TAIL "</x>", "lacks");
	/* Of another namespace it is none. */
	struct cap_doc d =
		read_good("<alert xmlns=\"urn:x\"><identifier/></alert>");

	assert_int_equal(d.n_alerts, 0);
	cap_doc_reset(&d);
}

static void test_shapes(void **state)
{
	double box[] = {48, 11, 48, 12, 49, 12, 49, 11, 48, 11};
	double date_line[] = {-10, 179, -10, -179, 10, -179, 10, 179};
	double centre[] = {48.1, 11.5};
	struct cap_shape s = {box, 5, false, 0};

	(void)state;
	assert_true(cap_within(&s, 48.5, 11.5));
	assert_false(cap_within(&s, 49.5, 11.5));
	assert_false(cap_within(&s, 47.5, 11.5));
	assert_false(cap_within(&s, 48.5, 12.5));
	assert_false(cap_within(&s, 48.5, -168.5));
	s = (struct cap_shape){date_line, 4, false, 0};
	assert_true(cap_within(&s, 0, 179.5));
	assert_true(cap_within(&s, 0, -179.5));
	assert_false(cap_within(&s, 0, 0));
	assert_false(cap_within(&s, 0, 178));
	/* A degree of latitude is 111.2 km. */
	s = (struct cap_shape){centre, 1, true, 111};
	assert_false(cap_within(&s, 49.1, 11.5));
	s.radius_km = 112;
	assert_true(cap_within(&s, 49.1, 11.5));
	assert_false(cap_within(&s, 48.1, 13.2));
}

static void test_references(void **state)
{
	const char *s = " a@b,id-1,2026-01-01T00:00:00Z\n junk x,y "
			"a@b,id-2,2026-01-01T00:00:00Z";
	char key[CAP_KEY_SIZE], want[CAP_KEY_SIZE];

	(void)state;
	cap_key("a@b", "id-1", want);
	assert_true(cap_reference(&s, key));
	assert_string_equal(key, want);
	cap_key("a@b", "id-2", want);
	assert_true(cap_reference(&s, key));
	assert_string_equal(key, want);
	assert_false(cap_reference(&s, key));
}

/* -------------------------------------------------------------- what it is to
 * us
 */

static int hall[] = {3}, yard[] = {5, 3};
static char *actual[] = {(char[]){"actual"}, (char[]){"exercise"}};
static char *soon[] = {(char[]){"immediate"}};
static char *sure[] = {(char[]){"observed"}};
static char exercise[] = "This is an exercise.";
static char *languages[] = {(char[]){"de=anna"}, (char[]){"en"}};

static struct config_cap conf(void)
{
	return (struct config_cap){
		.max_age_s = 1800,
		.zones = hall,
		.n_zones = 1,
		.status = actual,
		.n_status = 1,
		.urgency = soon,
		.n_urgency = 1,
		.certainty = sure,
		.n_certainty = 1,
		.languages = languages,
		.n_languages = 2,
		.level = {220, 150, 100, CONFIG_CAP_OFF, CONFIG_CAP_OFF},
		.exercise = exercise,
	};
}

static struct cap_choice out;

static enum cap_verdict choose(const struct config_cap *c, const char *text,
			       int64_t now_us)
{
	struct cap_doc d = read_good(text);

	cap_choose(c, d.alerts[0], now_us, &out);
	cap_doc_reset(&d);
	return out.verdict;
}

static void test_heard(void **state)
{
	struct config_cap c = conf();

	(void)state;
	assert_int_equal(
		choose(&c,
		       HEAD KIND INFO("<headline>Storm</headline>"
				      "<instruction>Stay\n in</instruction>")
			       INFO("<language>de-AT</language>"
				    "<headline>Sturm!</headline>"
				    "<description>Es weht</description>") TAIL,
		       SENT + S),
		CAP_HEARD);
	assert_string_equal(out.text, "Sturm! Es weht.");
	assert_string_equal(out.voice, "anna");
	assert_int_equal(out.level, 150);
	assert_int_equal(out.n_zones, 1);
	assert_true(out.expires_us == SENT + CAP_DEFAULT_LIFE_US);
	c.n_languages = 0;
	choose(&c, HEAD KIND INFO("<instruction>Stay\n in</instruction>") TAIL,
	       SENT);
	assert_string_equal(out.text, "Storm. Stay in.");
	assert_string_equal(out.voice, "");
}

static void test_not_heard(void **state)
{
	struct config_cap c = conf();
	char *senders[] = {(char[]){"other"}};

	(void)state;
#define WITH(kind, info)                                                       \
	HEAD kind INFO(info)                                                   \
	TAIL
	assert_int_equal(choose(&c,
				WITH("<status>Test</status><msgType>Alert"
				     "</msgType>",
				     ""),
				SENT),
			 CAP_NOT_OURS);
	assert_string_equal(out.why, "its status is test");
	assert_int_equal(choose(&c,
				WITH("<status>Actual</status><msgType>Ack"
				     "</msgType>",
				     ""),
				SENT),
			 CAP_NOT_OURS);
	assert_int_equal(choose(&c, HEAD KIND TAIL, SENT), CAP_NOT_OURS);
	assert_int_equal(
		choose(&c,
		       HEAD KIND
		       "<info><urgency>Future</urgency><severity>Severe"
		       "</severity><certainty>Observed</certainty></info>" TAIL,
		       SENT),
		CAP_NOT_OURS);
	assert_int_equal(
		choose(&c,
		       HEAD KIND
		       "<info><urgency>Immediate</urgency><severity>Minor"
		       "</severity><certainty>Observed</certainty></info>" TAIL,
		       SENT),
		CAP_NOT_OURS);
	c.senders = senders;
	c.n_senders = 1;
	assert_int_equal(choose(&c, WITH(KIND, ""), SENT), CAP_NOT_OURS);
	assert_string_equal(out.why, "x@y is none of the senders");
}

static void test_times(void **state)
{
	struct config_cap c = conf();

	(void)state;
	assert_int_equal(choose(&c, WITH(KIND, ""), SENT + 1800 * S),
			 CAP_HEARD);
	assert_int_equal(choose(&c, WITH(KIND, ""), SENT + 1801 * S),
			 CAP_TOO_LATE);
	assert_int_equal(choose(&c,
				WITH(KIND, "<expires>2026-11-23T06:56:00Z"
					   "</expires>"),
				SENT + 60 * S),
			 CAP_TOO_LATE);
	/* Our clock behind the sender's, a little and much. */
	assert_int_equal(choose(&c, WITH(KIND, ""), SENT - 60 * S), CAP_HEARD);
	assert_int_equal(choose(&c, WITH(KIND, ""), SENT - 3600 * S),
			 CAP_NOT_YET);
	/* It takes effect two hours later: max-age runs from then. */
#define LATER WITH(KIND, "<effective>2026-11-23T08:55:00Z</effective>")
	assert_int_equal(choose(&c, LATER, SENT), CAP_NOT_YET);
	assert_int_equal(choose(&c, LATER, SENT + 7200 * S), CAP_HEARD);
	assert_int_equal(choose(&c, LATER, SENT + 9001 * S), CAP_TOO_LATE);
}

static void test_areas(void **state)
{
	char *match[] = {(char[]){"mun*"}};
	char *codes[] = {(char[]){"SAME=0061*"}};
	struct config_cap_area areas[] = {
		{.match = match, .n_match = 1, .zones = yard, .n_zones = 2},
		{.geocodes = codes, .n_geocodes = 1},
		{.has_location = true, .latitude = 48.5, .longitude = 11.5},
	};
	struct config_cap c = conf();

	(void)state;
	c.areas = areas;
	c.n_areas = 3;
	assert_int_equal(choose(&c, WITH(KIND, AREA("")), SENT), CAP_HEARD);
	assert_int_equal(out.n_zones, 2);
	assert_int_equal(choose(&c, WITH(KIND, ""), SENT), CAP_NOT_OURS);
	assert_string_equal(out.why, "it is for other areas");
	c.areas++;
	c.n_areas = 2;
	assert_int_equal(choose(&c, WITH(KIND, AREA("")), SENT), CAP_NOT_OURS);
	assert_int_equal(
		choose(&c,
		       WITH(KIND, AREA("<geocode><valueName>SAME"
				       "</valueName><value>006109</value>"
				       "</geocode>")),
		       SENT),
		CAP_HEARD);
	assert_int_equal(out.zones[0], 3);
	assert_int_equal(choose(&c,
				WITH(KIND, AREA("<circle>48.4,11.5 20"
						"</circle>")),
				SENT),
			 CAP_HEARD);
}

static void test_words(void **state)
{
	struct config_cap c = conf();
	char *text = malloc(20000), *p = text;

	(void)state;
	assert_non_null(text);
	c.n_status = 2;
	assert_int_equal(choose(&c,
				WITH("<status>Exercise</status><msgType>"
				     "Alert</msgType>",
				     ""),
				SENT),
			 CAP_HEARD);
	assert_string_equal(out.text, "This is an exercise. Storm.");
	/* Too long to be spoken: whole sentences. */
	p += sprintf(p, "%s",
		     HEAD KIND
		     "<info><urgency>Immediate</urgency>"
		     "<severity>Extreme</severity><certainty>Observed"
		     "</certainty><headline>H</headline><instruction>");
	for (int i = 0; i < 100; i++)
		p += sprintf(p, "Sentence %d is here. ", i);
	strcpy(p, "</instruction></info>" TAIL);
	assert_int_equal(choose(&c, text, SENT), CAP_HEARD);
	assert_true(config_text_good(out.text));
	assert_in_range(strlen(out.text), 900, CONFIG_MAX_SPOKEN);
	assert_string_equal(out.text + strlen(out.text) - 5, "here.");
	assert_int_equal(out.level, 220);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alert),
		cmocka_unit_test(test_feeds),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_heard),
		cmocka_unit_test(test_not_heard),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_areas),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
