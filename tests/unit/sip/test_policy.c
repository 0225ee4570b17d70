/* What is done with a request before a session sees it. */
#include "controller/sip/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct policy_text t(const char *s)
{
	return (struct policy_text){s, s ? strlen(s) : 0};
}

/* A new call in order. */
static struct policy_request request(const char *method)
{
	return (struct policy_request){
		.method = t(method),
		.scheme = t("sip"),
		.content_type = t("application/sdp"),
		.has_via = true,
		.has_contact = true,
		.has_tag = true,
		.body = 200,
		.has_length = true,
		.length = 200,
		.datagram = true,
		.may_call = true,
		.max_calls = 10,
	};
}

static struct policy_verdict decide(struct policy_request r)
{
	struct policy_verdict v;

	policy_decide(&r, &v);
	return v;
}

static void assert_status(struct policy_request r, int status, const char *line)
{
	const struct policy_verdict v = decide(r);

	assert_int_equal(v.act, POLICY_REPLY);
	assert_int_equal(v.status, status);
	assert_true(v.reason && v.reason[0]);
	if (line)
		assert_string_equal(v.header, line);
	/* whole lines */
	if (v.header[0])
		assert_string_equal(v.header + strlen(v.header) - 2, "\r\n");
}

static void test_methods(void **state)
{
	static const char *const pass[] = {"INVITE", "BYE", "INFO", "ACK",
					   "SUBSCRIBE"};
	static const char *const known[] = {"REGISTER", "NOTIFY", "MESSAGE",
					    "PUBLISH",  "UPDATE", "PRACK",
					    "REFER"};
	const char *allow = "Allow: " POLICY_ALLOW "\r\n";
	struct policy_request r;
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_int_equal(decide(request(pass[i])).act, POLICY_PASS);
	for (i = 0; i < 7; i++)
		assert_status(request(known[i]), 405, allow);
	assert_status(request("FROBNICATE"), 501, allow);
	assert_status(request("invite"), 501, allow); /* case matters */
	assert_status(request("CANCEL"), 481, NULL);
	assert_status(request("OPTIONS"), 200, NULL);
	assert_non_null(strstr(decide(request("OPTIONS")).header, allow));

	/* the session layer declines a transfer of its calls */
	r = request("REFER");
	r.in_dialog = true;
	assert_int_equal(decide(r).act, POLICY_PASS);
}

static void test_malformed(void **state)
{
	struct policy_request r = request("INVITE");

	(void)state;
	r.bad = "Missing Call-ID header";
	r.bad_status = 400;
	assert_status(r, 400, "");
	assert_string_equal(decide(r).reason, r.bad);
	r.has_via = false;
	assert_int_equal(decide(r).act, POLICY_DROP);

	r = request("OPTIONS");
	r.multicast_via = true;
	assert_int_equal(decide(r).act, POLICY_DROP);

	r = request("OPTIONS");
	r.bad = "Version Not Supported";
	r.bad_status = 505;
	assert_status(r, 505, "");

	r = request("INVITE");
	r.has_contact = false;
	assert_status(r, 400, "");
	r = request("SUBSCRIBE");
	r.has_tag = false;
	assert_status(r, 400, "");

	r = request("INVITE");
	r.no_sdp = true;
	assert_status(r, 406, "Accept: application/sdp\r\n");
	/* what is renegotiated was taken once */
	r.in_dialog = true;
	assert_int_equal(decide(r).act, POLICY_PASS);

	r = request("INVITE");
	r.length = 201;
	assert_status(r, 400, "");
	r.datagram = false; /* a stream waits for the rest by itself */
	assert_int_equal(decide(r).act, POLICY_PASS);
}

static void test_extensions(void **state)
{
	struct policy_request r = request("INVITE");
	char many[400];

	(void)state;
	r.require = t("100rel, foo");
	assert_status(r, 420, "Unsupported: 100rel, foo\r\n");
	r = request("OPTIONS");
	r.require = t("foo");
	assert_status(r, 420, "Unsupported: foo\r\n");
	r = request("ACK");
	r.require = t("foo");
	assert_int_equal(decide(r).act, POLICY_PASS);

	r = request("INVITE");
	r.unknown_priority = true;
	assert_status(r, 417, NULL);
	assert_non_null(strstr(decide(r).header,
			       "Accept-Resource-Priority: esnet.0, esnet.1, "));
	assert_non_null(
		strstr(decide(r).header, ", drsn.flash-override-override\r\n"));

	/* nobody writes header lines of their own through us */
	r = request("INVITE");
	r.require = t("a\r\nX-Evil: 1");
	assert_status(r, 420, "Unsupported: a  X-Evil: 1\r\n");
	memset(many, 'y', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	r.require = t(many);
	assert_status(r, 420, NULL);
}

static void test_bodies(void **state)
{
	struct policy_request r = request("INVITE");

	(void)state;
	r.body = r.length = POLICY_MAX_BODY;
	assert_int_equal(decide(r).act, POLICY_PASS);
	r.body = r.length = POLICY_MAX_BODY + 1;
	assert_status(r, 413, NULL);
	r = request("INFO");
	r.body = r.length = POLICY_MAX_BODY + 1;
	assert_status(r, 413, NULL);

	r = request("INVITE");
	r.content_type = t("text/plain");
	assert_status(r, 415, "Accept: application/sdp\r\n");
	r.in_dialog = true;
	assert_status(r, 415, "Accept: application/sdp\r\n");
	r.content_type = t(NULL);
	assert_status(r, 415, "Accept: application/sdp\r\n");
	r.body = r.length = 0; /* offer in our 200 */
	assert_int_equal(decide(r).act, POLICY_PASS);
	r = request("INVITE");
	r.content_type = t("Application/SDP");
	assert_int_equal(decide(r).act, POLICY_PASS);
	r.content_encoding = t("gzip");
	assert_status(r, 415, "Accept-Encoding: identity\r\n");
	r.content_encoding = t("identity");
	assert_int_equal(decide(r).act, POLICY_PASS);

	r = request("OPTIONS");
	r.scheme = t("tel");
	assert_status(r, 416, NULL);
	r.scheme = t("sips");
	assert_status(r, 200, NULL);
}

static void test_load(void **state)
{
	struct policy_request r = request("INVITE");

	(void)state;
	r.calls = 9;
	assert_int_equal(decide(r).act, POLICY_PASS);
	r.calls = 10;
	assert_status(r, 503, "Retry-After: 10\r\n");
	r.in_dialog = true; /* hold and resume of a call that is up */
	assert_int_equal(decide(r).act, POLICY_PASS);

	r = request("INVITE");
	r.over_rate = true;
	assert_status(r, 503, "Retry-After: 2\r\n");
	r = request("INVITE");
	r.may_call = false;
	assert_status(r, 403, "");

	r = request("SUBSCRIBE");
	r.over_rate = true;
	assert_status(r, 503, "Retry-After: 2\r\n");
	r = request("INVITE");
	r.in_dialog = true;
	r.over_rate = true;
	assert_status(r, 503, "Retry-After: 2\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
