/* Why nothing is heard: each cause from what was agreed and seen; and the
 * faults of callers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/base/compat.h"
#include "controller/config/values.h"
#include "controller/oneway.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct sockaddr_storage at(const char *text)
{
	struct sockaddr_storage ss;

	assert_true(value_endpoint(text, &ss));
	return ss;
}

static struct oneway_facts facts(const char *sip, const char *sdp,
				 const char *ours)
{
	struct oneway_facts f = {
		.sip = at(sip), .sdp = at(sdp), .ours = at(ours)};

	format_default(&f.fmt, CODEC_PCMA, 8000);
	f.fmt.pt = 8;
	f.seen.wrong_pt = MEDIA_NO_TYPE;
	return f;
}

static void is(const struct oneway_facts *f, enum oneway_cause cause,
	       const char *text)
{
	struct oneway_verdict v;

	oneway_judge(f, &v);
	assert_string_equal(v.text, text);
	assert_int_equal(v.cause, cause);
	assert_ptr_equal(v.remedy, oneway_remedy(cause));
}

static void test_nothing(void **state)
{
	struct oneway_facts f =
		facts("10.0.0.5:5060", "10.0.0.5:4000", "10.0.0.1:20000");

	(void)state;
	is(&f, ONEWAY_NO_RTP, "no RTP came at all to 10.0.0.1:20000");
	f.sdp = at("10.0.0.6:4000");
	is(&f, ONEWAY_NO_RTP,
	   "no RTP came at all to 10.0.0.1:20000 from 10.0.0.6:4000, another "
	   "host than its SIP");
	f.seen.unreachable = ECONNREFUSED;
	is(&f, ONEWAY_UNREACHABLE,
	   "no RTP came, and 10.0.0.6:4000 cannot be reached: Connection "
	   "refused");
	f.seen.heard = true;
	is(&f, ONEWAY_UNREACHABLE,
	   "10.0.0.6:4000 cannot be reached: Connection refused");
	f.seen.unreachable = 0;
	is(&f, ONEWAY_STOPPED, "its RTP from 10.0.0.6:4000 stopped");
}

static void test_addresses(void **state)
{
	static const struct {
		const char *sip, *sdp, *kind;
	} wrong[] = {
		{"203.0.113.9:5060", "192.168.1.20:4000", "a private network"},
		{"203.0.113.9:5060", "172.16.0.1:4000", "a private network"},
		{"203.0.113.9:5060", "100.64.0.1:4000", "a private network"},
		{"10.0.0.5:5060", "127.0.0.1:4000", "the device itself"},
		{"10.0.0.5:5060", "169.254.7.7:4000", "one link only"},
		{"[2001:db8::5]:5060", "[fd00::5]:4000", "a private network"},
		{"[fd00::5]:5060", "[fe80::5]:4000", "one link only"},
		{"[fd00::5]:5060", "[::1]:4000", "the device itself"},
	};
	static const char *const right[][2] = {
		{"203.0.113.9:5060", "198.51.100.1:4000"},
		{"10.0.0.5:5060", "203.0.113.9:4000"},
		{"10.0.0.5:5060", "192.168.1.1:4000"},
		{"127.0.0.1:5060", "127.0.0.1:4000"},
		{"169.254.1.1:5060", "169.254.1.2:4000"},
		{"10.0.0.5:5060", "0.0.0.0:4000"}, /* a hold */
		{"203.0.113.9:5060", "172.32.0.1:4000"},
	};
	struct oneway_verdict v;
	char text[160];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct oneway_facts f =
			facts(wrong[i].sip, wrong[i].sdp, "10.0.0.1:20000");

		snprintf(text, sizeof(text),
			 "its SDP names %s, good for %s, but its SIP is from "
			 "%s",
			 wrong[i].sdp, wrong[i].kind, wrong[i].sip);
		f.seen.unreachable = EHOSTUNREACH; /* by that */
		is(&f, ONEWAY_ADDRESS, text);
		assert_true(oneway_address_wrong(&f, &v));
	}
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		struct oneway_facts f =
			facts(right[i][0], right[i][1], "10.0.0.1:20000");

		assert_false(oneway_address_wrong(&f, &v));
	}
}

static void test_ours(void **state)
{
	struct oneway_facts f =
		facts("203.0.113.9:5060", "203.0.113.9:4000", "10.0.0.1:20000");

	(void)state;
	is(&f, ONEWAY_OURS,
	   "no RTP came at all, and it was told to send to 10.0.0.1:20000");
}

static void test_foreign(void **state)
{
	struct oneway_facts f =
		facts("10.0.0.5:5060", "10.0.0.5:4000", "10.0.0.1:20000");

	(void)state;
	f.seen.foreign = 7;
	f.seen.foreign_by.sin6_family = AF_INET6;
	f.seen.foreign_by.sin6_port = htons(4002);
	inet_pton(AF_INET6, "::ffff:10.0.0.9", &f.seen.foreign_by.sin6_addr);
	is(&f, ONEWAY_FOREIGN,
	   "packets come from 10.0.0.9:4002, but 10.0.0.5:4000 was negotiated");
	/* also where another took over */
	f.seen.heard = true;
	inet_pton(AF_INET6, "fd00::9", &f.seen.foreign_by.sin6_addr);
	is(&f, ONEWAY_FOREIGN,
	   "packets come from [fd00::9]:4002, but 10.0.0.5:4000 was "
	   "negotiated");
}

static void test_type(void **state)
{
	struct oneway_facts f =
		facts("10.0.0.5:5060", "10.0.0.5:4000", "10.0.0.1:20000");

	(void)state;
	f.seen.unsealed = 1;
	is(&f, ONEWAY_KEY,
	   "its packets do not open with the SRTP key that was agreed");
	f.seen.unsealed = 0;
	f.seen.wrong_type = 1;
	is(&f, ONEWAY_TYPE, "what it sends is no RTP");
	f.seen.wrong_pt = 18;
	is(&f, ONEWAY_TYPE,
	   "it sends payload type 18, but 8 (pcma) was agreed");
	f.seen.heard = true;
	is(&f, ONEWAY_STOPPED, "its RTP from 10.0.0.5:4000 stopped");
}

/* ------------------------------------------------------------------ callers */

static unsigned raised, cleared;

static void on_change(const struct fault *f, bool up, void *arg)
{
	(void)f;
	(void)arg;
	raised += up;
	cleared += !up;
}

static void test_callers(void **state)
{
	const struct oneway_facts f =
		facts("10.0.0.5:5060", "127.0.0.1:4000", "10.0.0.1:20000");
	const struct fault *fault;
	struct oneway_verdict v;
	struct faults *faults;
	struct oneway *o;
	char caller[160];

	(void)state;
	assert_int_equal(libre_init(), 0);
	assert_int_equal(faults_alloc(&faults, on_change, NULL), 0);
	assert_int_equal(oneway_alloc(&o, faults), 0);
	oneway_judge(&f, &v);
	oneway_heard(o, "sip:201@10.0.0.5");
	oneway_silent(o, "sip:201@10.0.0.5", &v, 5000);
	oneway_silent(o, "sip:201@10.0.0.5", &v, 5000);
	assert_int_equal(fault_count(faults), 1);
	fault = fault_find(faults, "caller:sip:201@10.0.0.5");
	assert_non_null(fault);
	assert_string_equal(
		fault->text,
		"nothing is heard of caller sip:201@10.0.0.5: its SDP names "
		"127.0.0.1:4000, good for the device itself, but its SIP is "
		"from 10.0.0.5:5060");
	assert_int_equal(fault->detect_ms, 5000);
	assert_string_equal(fault->remedy, v.remedy);
	oneway_heard(o, "sip:202@10.0.0.5");
	assert_int_equal(fault_count(faults), 1);
	oneway_heard(o, "sip:201@10.0.0.5");
	assert_int_equal(fault_count(faults), 0);
	assert_int_equal(raised, 1);
	assert_int_equal(cleared, 1);

	/* however many there are */
	for (unsigned i = 0; i < 100; i++) {
		snprintf(caller, sizeof(caller), "sip:%0120u@h", i);
		caller[4] = (char)('A' + i % 26);
		caller[5] = (char)('a' + i / 26);
		oneway_silent(o, caller, &v, 5000);
	}
	assert_int_equal(fault_count(faults), ONEWAY_CALLERS);
	oneway_heard(o, caller);
	assert_int_equal(fault_count(faults), ONEWAY_CALLERS - 1);
	oneway_free(o);
	faults_free(faults);
	libre_close();
}

static void test_agreed(void **state)
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	struct oneway_facts f = {.fmt = {0}};
	struct media_leg l = {.remote = at("10.0.0.5:4000")};

	(void)state;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l.fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_true(l.fd >= 0);
	assert_int_equal(bind(l.fd, (struct sockaddr *)&here, sizeof(here)), 0);
	format_default(&l.fmt, CODEC_PCMU, 8000);
	oneway_agreed(&f, &l);
	close(l.fd);
	assert_memory_equal(&f.sdp, &l.remote, sizeof(f.sdp));
	assert_int_equal(((struct sockaddr_in *)&f.ours)->sin_addr.s_addr,
			 htonl(INADDR_LOOPBACK));
	/* later the socket is the engine's: where we wait stays */
	l.fd = -1;
	oneway_agreed(&f, &l);
	assert_true(((struct sockaddr_in *)&f.ours)->sin_port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_type),

		cmocka_unit_test(test_callers),
		cmocka_unit_test(test_agreed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
