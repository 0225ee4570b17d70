/* Values as they are written. */
#include "config_util.h"
#include "controller/config/values.h"

#include <arpa/inet.h>

static void test_durations(void **state)
{
	static const struct {
		const char *s;
		int64_t ms; /* -1 = none */
	} list[] = {
		{"250ms", 250},
		{"5s", 5000},
		{"10m", 600000},
		{"2h", 7200000},
		{"1.5s", 1500},
		{"0", 0},
		{"0s", 0},
		{"0.25h", 900000},
		{"8760h", 31536000000},
		{"8761h", -1},
		{"5", -1},
		{"5 s", -1},
		{" 5s", -1},
		{"-5s", -1},
		{"+5s", -1},
		{"5S", -1},
		{"5sec", -1},
		{"s", -1},
		{"", -1},
		{"1.5ms", -1},
		{"1..5s", -1},
		{"0x5s", -1},
		{"1e3s", -1},
		{"5s ", -1},
		{"infs", -1},
		{"nans", -1},
		{"1.0004s", -1},
		{"99999999999999999999999999h", -1},
		{".s", -1},
	};
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		const bool good = value_duration(list[i].s, &ms);

		if (good != (list[i].ms >= 0) ||
		    (good && ms != (uint64_t)list[i].ms))
			fail_msg("\"%s\"", list[i].s);
	}
}

static void test_duration_texts(void **state)
{
	static const uint64_t list[] = {0,       1,        999,        1000,
					1500,    60000,    61000,      3600000,
					5400000, 86400000, 31536000000};
	char text[VALUE_DURATION_SIZE];
	uint64_t back;

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		value_duration_text(text, list[i]);
		assert_true(value_duration(text, &back));
		assert_int_equal(back, list[i]);
	}
	assert_string_equal(value_duration_text(text, 90000), "90s");
	assert_string_equal(value_duration_text(text, 600000), "10m");
	assert_string_equal(value_duration_text(text, 0), "0s");
}

static void test_numbers(void **state)
{
	double d;
	long n;
	int cb;
	bool b;

	(void)state;
	assert_true(value_number("-3", &n) && n == -3);
	assert_true(value_number("0123", &n) && n == 123);
	assert_false(value_number("0x10", &n));
	assert_false(value_number("3.0", &n));
	assert_false(value_number("", &n));
	assert_false(value_number("-", &n));
	assert_false(value_number("99999999999999999999", &n));
	assert_true(value_real("-0.5", &d) && d == -0.5);
	assert_true(value_real("40", &d) && d == 40);
	assert_true(value_real("0.1", &d) && d == 0.1);
	assert_true(value_real(".5", &d) && d == 0.5);
	assert_false(value_real("inf", &d));
	assert_false(value_real("nan", &d));
	assert_false(value_real("1e3", &d));
	assert_false(value_real("1,5", &d));
	assert_true(value_gain("-3.0", &cb) && cb == -30);
	assert_true(value_gain("+1.5", &cb) && cb == 15);
	assert_true(value_gain("0", &cb) && cb == 0);
	assert_false(value_gain("1.25", &cb));
	assert_false(value_gain("3dB", &cb));
	assert_true(value_flag("TRUE", &b) && b);
	assert_true(value_flag("off", &b) && !b);
	assert_false(value_flag("1", &b));
}

static void test_names(void **state)
{
	char name[65];

	(void)state;
	assert_true(value_name("boiler-house_2.a"));
	assert_false(value_name(""));
	assert_false(value_name("a b"));
	assert_false(value_name("a/b"));
	assert_false(value_name("+"));
	assert_false(value_name("h\xc3\xa4user"));
	memset(name, 'x', sizeof(name));
	name[63] = '\0';
	assert_true(value_name(name));
	name[63] = 'x';
	name[64] = '\0';
	assert_false(value_name(name));
}

static void test_addresses(void **state)
{
	static const char *const bad[] = {"",
					  "10.7.0.2",
					  "10.7.0.2:",
					  "10.7.0.2:0",
					  "10.7.0.2:+5",
					  "10.7.0.2:65536",
					  "10.7.0:5060",
					  "host:5060",
					  "::1:5060",
					  "[::1]",
					  "[::1:5060",
					  "10.7.0.02:1x",
					  ":5060",
					  " 10.7.0.2:5060",
					  "[10.7.0.2]:5060"};
	struct sockaddr_storage ss;
	uint16_t a, b;

	(void)state;
	assert_true(value_endpoint("10.7.0.2:5060", &ss));
	assert_int_equal(ss.ss_family, AF_INET);
	assert_int_equal(value_port(&ss), 5060);
	assert_true(value_endpoint("[fd00::1]:5062", &ss));
	assert_int_equal(ss.ss_family, AF_INET6);
	assert_int_equal(value_port(&ss), 5062);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (value_endpoint(bad[i], &ss))
			fail_msg("\"%s\"", bad[i]);
	assert_true(value_sip("sip:horn-3@10.7.3.9", &ss));
	assert_int_equal(value_port(&ss), 5060);
	assert_true(value_sip("SIP:10.7.3.9:5080;transport=tcp", &ss));
	assert_int_equal(value_port(&ss), 5080);
	assert_true(value_sip("sip:a@[fd00::1]", &ss));
	assert_int_equal(ss.ss_family, AF_INET6);
	assert_false(value_sip("sip:@10.7.3.9", &ss));
	assert_false(value_sip("sip:a@horn.example", &ss));
	assert_false(value_sip("sips:a@10.7.3.9", &ss));
	assert_false(value_sip("10.7.3.9", &ss));
	assert_false(value_sip("sip:a@10.7.3.9\r\nX: y", &ss));
	assert_false(value_sip("sip:a@10.7.3.9:0", &ss));
	assert_true(value_endpoint("127.9.9.9:1", &ss));
	assert_true(value_is_loopback(&ss));
	assert_true(value_endpoint("[::1]:1", &ss));
	assert_true(value_is_loopback(&ss));
	assert_true(value_endpoint("239.1.1.1:1", &ss));
	assert_true(value_is_multicast(&ss));
	assert_true(value_endpoint("[ff15::1]:1", &ss));
	assert_true(value_is_multicast(&ss));
	assert_true(value_endpoint("223.255.255.255:1", &ss));
	assert_false(value_is_multicast(&ss) || value_is_any(&ss));
	assert_true(value_endpoint("240.0.0.1:1", &ss));
	assert_false(value_is_multicast(&ss));
	assert_true(value_endpoint("[::]:1", &ss));
	assert_true(value_is_any(&ss));
	assert_true(value_port_range("16384-32767", &a, &b));
	assert_int_equal(a, 16384);
	assert_int_equal(b, 32767);
	assert_false(value_port_range("2-1", &a, &b));
	assert_false(value_port_range("1-", &a, &b));
	assert_false(value_port_range("1", &a, &b));
	assert_false(value_port_range("1-2-3", &a, &b));
}

static void test_nets(void **state)
{
	struct sockaddr_storage ss;
	unsigned prefix;

	(void)state;
	assert_true(value_net("10.7.1.0/24", &ss, &prefix));
	assert_int_equal(prefix, 24);
	assert_true(value_net("10.7.1.9", &ss, &prefix));
	assert_int_equal(prefix, 32);
	assert_true(value_net("fd00:7::/64", &ss, &prefix));
	assert_int_equal(prefix, 64);
	assert_true(value_net("::/0", &ss, &prefix));
	assert_int_equal(prefix, 0);
	assert_false(value_net("10.7.1.0/33", &ss, &prefix));
	assert_false(value_net("10.7.1.0/-1", &ss, &prefix));
	assert_false(value_net("10.7.1.0/", &ss, &prefix));
	assert_false(value_net("10.7.1/24", &ss, &prefix));
	assert_false(value_net("fd00::/129", &ss, &prefix));
}

static const char *names(size_t i, const void *arg)
{
	static const char *const list[] = {"zone", "zones", "message",
					   "extension"};

	(void)arg;
	return i < 4 ? list[i] : NULL;
}

static void test_nearest(void **state)
{
	(void)state;
	assert_string_equal(value_nearest("zoen", names, NULL), "zone");
	assert_string_equal(value_nearest("mesage", names, NULL), "message");
	assert_string_equal(value_nearest("MESSAGE", names, NULL), "message");
	assert_string_equal(value_nearest("extention", names, NULL),
			    "extension");
	assert_null(value_nearest("qqqq", names, NULL));
	assert_null(value_nearest("gain", names, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_duration_texts),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_nets),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
