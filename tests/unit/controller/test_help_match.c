/* Which help point calls: the most particular that fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/help/match.h"

#include <arpa/inet.h>
#include <string.h>

enum { ANYBODY, ENDPOINT, USER, URI, NET, HOST, NUMBER, POINTS };

static struct config_helppoint points[POINTS];
static struct config plan = {.helppoints = points, .n_helppoints = POINTS};

static void net(struct config_helppoint *p, const char *ip, unsigned prefix)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&p->net;

	in->sin_family = AF_INET;
	inet_pton(AF_INET, ip, &in->sin_addr);
	p->prefix = prefix;
}

static int set_up(void **state)
{
	(void)state;
	memset(points, 0, sizeof(points));
	points[ANYBODY].extension = (char *)"112";
	points[ENDPOINT].kind = FROM_ENDPOINT;
	points[ENDPOINT].from = (char *)"hp";
	points[USER].kind = FROM_USER;
	points[USER].from = (char *)"hp";
	points[URI].kind = FROM_URI;
	points[URI].user = (char *)"hp";
	net(&points[URI], "10.7.1.9", 32);
	points[NET].kind = FROM_NET;
	net(&points[NET], "10.7.1.0", 24);
	points[HOST].kind = FROM_NET;
	net(&points[HOST], "10.7.1.8", 32);
	points[NUMBER] = points[HOST];
	points[NUMBER].extension = (char *)"113";
	return 0;
}

static int match(const char *caller, const char *ip, const char *dialled)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	inet_pton(AF_INET, ip, &in.sin_addr);
	return help_match(&plan, caller, (const struct sockaddr *)&in, dialled);
}

static void the_most_particular(void **state)
{
	(void)state;
	/* A name in From is no proof of an endpoint, and the other way. */
	assert_int_equal(match("endpoint:hp", "10.9.0.1", "1"), ENDPOINT);
	assert_int_equal(match("endpoint:other", "10.9.0.1", "1"), -1);
	assert_int_equal(match("endpoint:other", "10.7.1.9", "1"), -1);
	assert_int_equal(match("endpoint:other", "10.9.0.1", "112"), ANYBODY);
	assert_int_equal(match("sip:hp@10.9.0.1", "10.9.0.1", "1"), USER);
	assert_int_equal(match("sip:hp@10.7.1.9", "10.7.1.9", "1"), URI);
	assert_int_equal(match("sip:hp2@10.7.1.9", "10.7.1.9", "1"), NET);
	assert_int_equal(match("sip:h@10.7.1.9", "10.7.1.9", "112"), NET);
	assert_int_equal(match("sip:x@10.7.1.8", "10.7.1.8", "1"), HOST);
	assert_int_equal(match("sip:x@10.7.1.8", "10.7.1.8", "113"), NUMBER);
	assert_int_equal(match("sip:10.7.1.8", "10.7.1.8", "1"), HOST);
	assert_int_equal(match("sip:x@10.9.0.1", "10.9.0.1", "112"), ANYBODY);
	assert_int_equal(match("sip:x@10.9.0.1", "10.9.0.1", "1"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_most_particular, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
