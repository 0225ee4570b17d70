/* Every mistake is told once, at its line, saying what is allowed. */
#include "config_util.h"

#include <errno.h>
#include <sys/stat.h>

/** A mistake: the text, the line it is told at, and a part of what is said. */
struct mistake {
	const char *text;
	int line;
	const char *part;
};

#define MC(addr, more) "multicast \"" addr "\" { interface = \"lo\" " more "}"
#define ZONE "zone \"z\" { " MC("239.1.1.1:5004", "") " }\n"

static void one_each(const struct mistake *m, size_t n)
{
	for (size_t i = 0; i < n; i++, m++) {
		struct world *w = world_new();
		struct config *c;
		int err;

		world_write(w, "tocsin.conf", m->text);
		c = world_load_err(w, &err);
		if (c || w->n != 1 || w->said[0].line != m->line ||
		    !strstr(w->said[0].text, m->part)) {
			print_error("text: %s\nwanted %d: %s\n", m->text,
				    m->line, m->part);
			for (size_t k = 0; k < w->n; k++)
				print_error("got %d: %s\n", w->said[k].line,
					    w->said[k].text);
			fail();
		}
		assert_int_equal(err, EINVAL);
		world_free(w);
	}
}

#define EACH(...)                                                              \
	do {                                                                   \
		static const struct mistake list[] = {__VA_ARGS__};            \
		one_each(list, sizeof(list) / sizeof(*list));                  \
	} while (0)

static void test_shape(void **state)
{
	(void)state;
	EACH({ZONE "\nzone \"y\" {\n unicast \"1.2.3.4:5004\" {}\n", 3,
	      "zone \"y\" is not closed"},
	     {"zone \"y\" {\n unicast \"1.2.3.4:5004\" {}\n\n" ZONE, 4,
	      "section zone \"y\" of line 1 is not closed"},
	     {"media { tail = \"1s\" }\n}\n", 2, "closes nothing"},
	     {"\n/* open\n\n", 2, "comment that begins here"},
	     {"site = \"x\n", 1, "closing quote is missing"},
	     {"site =\n\n", 1, "a value is expected"},
	     {"site =\nmedia { }\n", 1, "a value is expected"},
	     {"site = \"a\" \"b\"\n", 1, "a key or a section"},
	     {"sip { listen += { \"udp:1.2.3.4:5060\" } }\n", 1, "\"+=\""},
	     {"\nsite = \"${HOME}\"\n", 2, "single quotes"},
	     {"site = ${HOME}\n", 1, "quotes"},
	     {"site = \"a\\n\"\n", 1, "backslash"},
	     {"site = { \"a\" }\n", 1, "one value, not a list"},
	     {"include \"x\"\n", 1, "not included"},
	     {"sip { listen = { \"udp:1.2.3.4:5060\" \"x\" } }\n", 1, "comma"},
	     {"media { media { } }\n", 1, "unknown section \"media\""},
	     {"media {\n  sip { dscp = 1 }\n", 2,
	      "section media of line 1 is not closed"},
	     {"zone { }\n", 1, "needs a title"},
	     {"media \"x\" { }\n", 1, "has no title"},
	     {"zone \"a b\" { }\n", 1, "may not hold ' '"},
	     {"zone \"a/b\" { " MC("239.1.1.1:5004", "") " }", 1,
	      "a name is 1 to 63"},
	     {"site = \"a\" # ok\n@@@\n", 2, "not expected here"});
}

/** Neither depth nor length makes it fall over. */
static void test_deep(void **state)
{
	struct world *w = world_new();
	char *text = malloc(300001);
	int err;

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		memcpy(text + 3 * i, "a {", 3);
	text[300000] = '\0';
	world_write(w, "tocsin.conf", text);
	assert_null(world_load_err(w, &err));
	assert_int_equal(err, EINVAL);
	assert_non_null(strstr(w->said[0].text, "nested 4 deep"));
	free(text);
	world_free(w);
}

static void test_names(void **state)
{
	(void)state;
	EACH({"\nsitee = \"x\"\n", 2, "did you mean \"site\""},
	     {"zones \"x\" { }\n", 1, "did you mean \"zone\""},
	     {"media {\n\n tale = \"1s\"\n}\n", 3,
	      "did you mean \"tail\"?); allowed here: realtime-priority, "
	      "tail, duck, music"},
	     {"media = 3\n", 1, "\"media\" is a section: write media { ... }"},
	     {"site { }\n", 1, "is a key"},
	     {"tie = \"last\"\n\ntie = \"first\"\n", 3, "given twice"},
	     {"media { }\nmedia { }\n", 2, "given twice"},
	     {"media { tail = \"1s\"\n tail = \"2s\" }\n", 2, "given twice"},
	     {ZONE "\nzone \"z\" { unicast \"1.2.3.4:5004\" { } }", 3,
	      "is there already"},
	     {"zone \"z\" { " MC("239.1.1.1:5004", "") "\n" MC("239.1.1.1:5004",
							       "") " }",
	      2, "given twice"},
	     {"message \"m\" { tone = \"test\" }\n"
	      "message \"m\" { tone = \"test\" }\n",
	      2, "is there already"},
	     {"zone \"z\" { extension = \"1\" " MC(
		      "239.1.1.1:5004",
		      "") " }\nzone \"y\" {\n extension = \"1\"\n" MC("239.1.1."
								      "2:5004",
								      "") " }",
	      3, "extension \"1\" is that of zone \"z\""});
}

static void test_values(void **state)
{
	(void)state;
	EACH({"media { tail = \"300\" }", 1, "from 0s to 5s"},
	     {"media { tail = \"6s\" }", 1, "from 0s to 5s"},
	     {"media { duck = -61 }", 1, "decibels from -60.0 to 0.0"},
	     {"media { duck = \"-3dB\" }", 1, "no unit"},
	     {"media { realtime-priority = 100 }", 1, "from 0 to 99"},
	     {"media { realtime-priority = -1 }", 1, "from 0 to 99"},
	     {"media { realtime-priority = 1e1 }", 1, "from 0 to 99"},
	     {"site = \"a b\"", 1, "1 to 63 of letters"},
	     {"tie = \"middle\"", 1, "\"first\" or \"last\""},
	     {"log-level = \"loud\"", 1,
	      "\"error\", \"warn\", \"notice\", \"info\" or \"debug\""},
	     {"timezone = \"Mars/Olympus\"", 1, "zoneinfo"},
	     {"timezone = \"../../../etc/passwd\"", 1, "zoneinfo"},
	     {"sip { listen = \"udp:0.0.0.0:5060\" }", 1, "not 0.0.0.0"},
	     {"sip { listen = \"wss:1.2.3.4:5061\" }", 1, "tcp:ADDRESS"},
	     {"sip { listen = \"udp:host:5060\" }", 1, "literal address"},
	     {"sip { listen = \"udp:1.2.3.4:70000\" }", 1, "literal address"},
	     {"sip { rtp-ports = \"30000-20000\" }", 1, "FIRST < LAST"},
	     {"sip { rtp-ports = \"20001-20002\" }", 1, "FIRST < LAST"},
	     {"sip { rtp-ports = \"20000-20003\" max-calls = 3 }", 1,
	      "room for 2 calls"},
	     {"sip { go-ahead = \"goahead\" }", 1, "did you mean \"go-ahead\""},
	     {"sip { chime = \"chime2\" }", 1,
	      "no message or tone \"chime2\"; did you mean \"chime-2\""},
	     {"priorities { page = 300 }", 1, "0 to 255"},
	     {"priorities {\n page = 150\n}", 2, "not less than urgent"},
	     {"priorities { emergency = 199 }", 1, "200 to 255"},
	     {"priorities { urgent = 200 emergency = 210 }", 1, "0 to 199"},
	     {"peer \"10.7.1.0/33\" { allow = \"page\" }", 1, "no network"},
	     {"peer \"10.7.1.1/24\" { allow = \"page\" }", 1,
	      "did you mean \"10.7.1.0/24\""},
	     {"peer \"10.7.1.0/24\" { }", 1, "\"allow\" is missing"},
	     {"peer \"10.7.1.0/24\" { allow = \"all\" }", 1, "\"help\""},
	     {"peer \"10.7.1.0/24\" { allow = \"page\" max-priority = \"x\" }",
	      1, "evacuate, alert"},
	     {"peer \"10.7.1.0/24\" { allow = \"page\" zones = { } }", 1,
	      "the list is empty"},
	     {"token \"t\" { hash = \"tocsin_secret\" scopes = view }", 1,
	      "tocsinctl token"},
	     {"token \"t\" { hash = \"*\" scopes = { view, king } }", 1,
	      "metrics, view, page"},
	     {"token \"t\" { hash = \"*\" }", 1, "scopes"},
	     {"token \"t\" { hash = \"*\" scopes = view expires = soon }", 1,
	      "2027-01-31"},
	     {"user \"u\" { password-hash = \"*\" messages = { nil } }", 1,
	      "message"},
	     {"user \"u\" { password-hash = \"secret\" }", 1,
	      "tocsinctl passwd"},
	     {"user \"u\" { password-hash = '$1$abcdefgh$"
	      "0123456789012345678901' }",
	      1, "tocsinctl passwd"});
}

/** A mistyped password must not come back in an error. */
static void test_no_secret(void **state)
{
	struct world *w = world_new();
	int err;

	(void)state;
	world_write(w, "tocsin.conf",
		    "user \"u\" { password-hash = \"hunter2\" }");
	assert_null(world_load_err(w, &err));
	for (size_t i = 0; i < w->n; i++)
		assert_null(strstr(w->said[i].text, "hunter2"));
	world_free(w);
}

#define PHONES(more)                                                           \
	"zone \"z\" {\n polycom \"224.0.1.116:5001\" { interface = "           \
	"\"lo\" " more "} }"

static void test_phones(void **state)
{
	(void)state;
	EACH({PHONES(""), 2, "give it one of"},
	     {PHONES("group = 26 channel = 1"), 2, "give it one of"},
	     {PHONES("group = 25"), 2, "from 26 to 50"},
	     {PHONES("channel = 26"), 2, "from 1 to 25"},
	     {PHONES("group = 26 ptime = 25"), 2, "phones take 20 and 30"},
	     {PHONES("group = 26 codec = \"pcma\""), 2, "\"pcmu\" or \"g722\""},
	     {PHONES("group = 26 caller-id = \"fourteen chars\""), 2,
	      "1 to 13 printable"},
	     {PHONES("group = 26 serial = \"1\""), 2, "eight hexadecimal"},
	     {PHONES("group = 26 serial = \"00000000\""), 2,
	      "eight hexadecimal"},
	     {PHONES("group = 26 redundancy = 1"), 2, "redundancy"},
	     {PHONES("group = 26") "\nzone \"y\" {\n polycom "
				   "\"224.0.1.116:5001\" { interface = \"lo\" "
				   "group = 26 } }",
	      4, "two streams on one address"},
	     {"zone \"y\" {\n polycom \"10.0.0.1:5001\" { interface = \"lo\" "
	      "group = 26 } }",
	      2, "224.0.1.116:5001"},
	     {"zone \"y\" {\n polycom \"224.0.1.116:5001\" { group = 26 } }", 2,
	      "polycom \"224.0.1.116:5001\": \"interface\" is missing"});
}

static void test_outputs_of_sound(void **state)
{
	(void)state;
	EACH({"zone \"z\" {\n" MC("239.1.1.1:5005", "") " }", 2,
	      "port 5005 is odd"},
	     {"zone \"z\" { " MC("10.1.1.1:5004", "") " }", 1,
	      "write unicast instead"},
	     {"zone \"z\" { " MC("224.0.0.9:5004", "") " }", 1, "224.0.0.0/24"},
	     {"zone \"z\" { " MC("232.1.1.1:5004", "") " }", 1,
	      "source-specific"},
	     {"zone \"z\" { " MC("[ff02::1]:5004", "") " }", 1, "scope"},
	     {"zone \"z\" { " MC("[ff35::1]:5004", "") " }", 1,
	      "source-specific"},
	     {"zone \"z\" { " MC("239.1.1.1", "") " }", 1, "no group and port"},
	     {"zone \"z\" { multicast \"239.1.1.1:5004\" { } }", 1,
	      "\"interface\" is missing"},
	     {"zone \"z\" { unicast \"239.1.1.1:5004\" { } }", 1,
	      "write multicast"},
	     {"zone \"z\" { unicast \"0.0.0.0:5004\" { } }", 1, "one device"},
	     {"zone \"z\" { unicast \"255.255.255.255:5004\" { } }", 1,
	      "one device"},
	     {"zone \"z\" { unicast \"1.2.3.4:5004\" { interface = \"a/b\" } "
	      "}",
	      1, "network interface"},
	     {"zone \"z\" { unicast \"1.2.3.4:5004\" { interface = "
	      "\"sixteencharacter\" } }",
	      1, "network interface"},
	     {"zone \"z\" { " MC("239.1.1.1:5004", "codec = \"mp3\"") " }", 1,
	      "\"pcmu\", \"pcma\", \"l16\", \"g722\" or \"opus\""},
	     {"zone \"z\" { " MC("239.1.1.1:5004",
				 "codec = \"opus\"\nptime = 30") " }",
	      2, "use 10, 20, 40 or 60"},
	     {"zone \"z\" { " MC("239.1.1.1:5004",
				 "codec = \"opus\"\npayload-type = 9") " }",
	      2, "96 to 127"},
	     {"zone \"z\" { " MC("239.1.1.1:5004",
				 "codec = \"opus\"\nrate = 16000") " }",
	      2, "opus has 48000 only"},
	     {"zone \"z\" { " MC("239.1.1.1:5004",
				 "codec = \"opus\"\nbitrate = 500000") " }",
	      2, "to 128000"},
	     {"zone \"z\" { " MC("239.1.1.1:5004",
				 "codec = \"opus\"\nbitrate = 6000") " }",
	      2, "12000 to 128000"},
	     {"zone \"z\" { " MC("239.1.1.1:5004",
				 "codec = \"g722\"\nbitrate = 48000") " }",
	      2, "no choice of bitrate"},
	     {"zone \"z\" { " MC("239.1.1.1:5004",
				 "codec = \"g722\"\nptime = 25") " }",
	      2, "25 ms"},
	     {"zone \"z\" { " MC("239.1.1.1:5004", "ttl = 0") " }", 1,
	      "from 1 to 255"},
	     {"zone \"z\" { " MC("239.1.1.1:5004", "dscp = 64") " }", 1,
	      "from 0 to 63"},
	     {"zone \"z\" { " MC("239.1.1.1:5004", "redundancy = 2") " }", 1,
	      "from 0 to 1"},
	     {"zone \"z\" { " MC("239.1.1.1:5004",
				 "redundancy-after = \"101ms\"") " }",
	      1, "100ms"},
	     {"zone \"z\" { " MC("239.1.1.1:5004", "delay = \"2001ms\"") " }",
	      1, "2s"},
	     {"zone \"z\" { " MC("239.1.1.1:5004",
				 "unicast = { \"239.1.1.2:5004\" }") " }",
	      1, "of one device"},
	     {"zone \"z\" { " MC("239.1.1.1:5004",
				 "unicast = { \"1.2.3.4\" }") " }",
	      1, "of one device"},
	     {"zone \"z\" { " MC("239.1.1.1:5004",
				 "\nunicast = { \"1.2.3.4:5\", "
				 "\"1.2.3.4:5\" }") " }",
	      2, "two streams on one address"},
	     {"zone \"z\" { unicast \"1.2.3.4:6\" { }\n" MC(
		      "239.1.1.1:5004", "unicast = { \"1.2.3.4:6\" }") " }",
	      2, "1.2.3.4:6 gets"},
	     {"zone \"z\" { " MC("239.1.1.1:5004", "rate = 16000") " }", 1,
	      "pcmu has 8000 only"},
	     {"zone \"z\" { " MC("239.1.1.1:5004", "payload-type = 73") " }", 1,
	      "RTCP"},
	     {"zone \"z\" { " MC("239.1.1.1:5004",
				 "codec = \"l16\" rate = 44100 ptime = "
				 "11") " }",
	      1, "whole number of samples"},
	     {"zone \"z\" { " MC("239.1.1.1:5004",
				 "codec = \"l16\" rate = 48000 ptime = "
				 "20") " }",
	      1, "use a shorter ptime"},
	     {ZONE "zone \"y\" { " MC("239.1.1.1:5004", "") " }", 2,
	      "is an output of zone \"z\" already"},
	     {"zone \"z\" { unicast \"1.2.3.4:5004\" { } }\n"
	      "zone \"y\" { unicast \"1.2.3.4:5004\" { interface = \"lo\" } }",
	      2, "already"});
}

static void test_zones(void **state)
{
	(void)state;
	EACH({"zone \"z\" {\n}", 1, "has no output"},
	     {ZONE "zone \"a\" {\n zones = { \"zz\" } }", 3,
	      "there is no zone \"zz\"; did you mean \"z\""},
	     {"zone \"a\" { zones = { \"nowhere\" } }", 1, "add a section"},
	     {ZONE "zone \"a\" {\n zones = { \"b\" } }\n"
		   "zone \"b\" { zones = { \"c\" } }\n"
		   "zone \"c\" { zones = { \"a\", \"z\" } }",
	      3, "\"a\" -> \"b\" -> \"c\" -> \"a\""},
	     {ZONE "zone \"a\" { zones = { \"a\" } }", 2, "\"a\" -> \"a\""},
	     {ZONE "zone \"a\" { zones = { \"*\" } except = { \"b\" } }\n"
		   "zone \"b\" { zones = { \"a\" } }",
	      2, "circle"},
	     {ZONE "zone \"a\" { zones = { \"z\" } except = { \"z\" } }", 2,
	      "has no output"},
	     {"zone \"z\" { " MC("239.1.1.1:5004",
				 "") " except = { \"z2\" } }\n"
				     "zone \"z2\" { " MC("239.1.1.2:5004",
							 "") " }",
	      1, "\"except\" needs \"zones\""});
}

static void test_messages(void **state)
{
	(void)state;
	EACH({"message \"m\" {\n}", 1, "has no sound"},
	     {"message \"m\" { file = { } }", 1, "list of files is empty"},
	     {"message \"m\" {\n file = \"missing.wav\" }", 2,
	      "missing.wav cannot be read: No such file"},
	     {"message \"m\" { file = \"/\" }", 1, "no regular file"},
	     {"message \"m\" { file = \"/dev/zero\" }", 1, "no regular file"},
	     {"message \"m\" { tone = \"din-3340-3\" }", 1,
	      "did you mean \"din-33404-3\""},
	     {"message \"m\" { tone = \"\" }", 1, "there is no tone"},
	     {"message \"m\" { file = \"tocsin.conf\" tone-for = \"3s\" }", 1,
	      "\"tone-for\" needs \"tone\""},
	     {"message \"m\" { tone = \"test\" repeat = 0 }", 1, "until-reset"},
	     {"message \"m\" { tone = \"test\" repeat = \"soon\" }", 1,
	      "a count from 1 to 100000"},
	     {"message \"m\" { tone = \"test\" gap = \"2 s\" }", 1,
	      "a duration from 0s to 1h"});
}

#define INPUT(more) "input \"i\" { " more " }\n"
#define MQTT "site = \"s\"\nmqtt { broker = \"mqtt://h\" }\n"

static void test_field(void **state)
{
	(void)state;
	EACH({INPUT(""), 1, "no kind"},
	     {INPUT("virtual = true gpio = \"a:1\""), 1, "more than one kind"},
	     {INPUT("virtual = false"), 1, "allowed: true"},
	     {INPUT("virtual = true\n debounce = \"1s\""), 2,
	      "\"debounce\" has no meaning with \"virtual\""},
	     {INPUT("mqtt = \"a\""), 1, "needs a broker"},
	     {MQTT INPUT("mqtt = \"a/#/b\""), 3, "topic filter"},
	     {MQTT INPUT("mqtt = \"\""), 3, "topic filter"},
	     {MQTT "output \"o\" { mqtt = \"a/+\" }", 3, "without \"+\""},
	     {MQTT INPUT("mqtt = \"a\" above = 3 clear-below = 4"), 3,
	      "active and normal at once"},
	     {MQTT INPUT("mqtt = \"a\" below = 3 clear-above = 2"), 3,
	      "active and normal at once"},
	     {MQTT INPUT("mqtt = \"a\" clear-below = 4"), 3,
	      "\"clear-below\" needs \"above\""},
	     {MQTT INPUT("mqtt = \"a\" match = \"x\" above = 1"), 3,
	      "use one way"},
	     {MQTT INPUT("mqtt = \"a\" above = 1 below = 2"), 3,
	      "every value would be active"},
	     {MQTT INPUT("mqtt = \"a\" above = nan"), 3, "a number"},
	     {MQTT INPUT("mqtt = \"a\" above = 0x10"), 3, "a number"},
	     {INPUT("gpio = \"gpiochip0\""), 1, "CHIP:LINE"},
	     {INPUT("gpio = \"c:1\"") "output \"o\" { gpio = \"c:1\" }", 2,
	      "is taken by input \"i\""},
	     {MQTT "output \"o\" { mqtt = \"a\" on = \"x\" off = \"x\" }", 3,
	      "the same text"},
	     {MQTT "output \"o\" { mqtt = \"a\" confirm = \"a\" }", 3,
	      "confirms nothing"},
	     {MQTT "output \"o\" { mqtt = \"a\" confirm = \"b/#\" }", 3,
	      "without \"+\""},
	     {MQTT "output \"o\" { mqtt = \"a\" confirm-on = \"x\" }", 3,
	      "need \"confirm\""},
	     {MQTT "output \"o\" { mqtt = \"a\" confirm = \"b\" confirm-on = "
		   "\"OFF\" }",
	      3, "the same text"},
	     {MQTT "output \"o\" { mqtt = \"a\" }\n"
		   "output \"p\" { mqtt = \"a\" }",
	      4, "is taken by output \"o\""});
}

#define ALARM_A                                                                \
	"output \"o\" { virtual = true }\nalarm \"a\" { outputs = \"o\" }\n"
#define PLC(more) ALARM_A "plc { " more " }\n"

static void test_plc(void **state)
{
	(void)state;
	EACH({PLC("listen = \"127.0.0.1:502\""), 3, "\"allow\" is missing"},
	     {PLC("allow = \"10.0.0.1\""), 3, "\"listen\" is missing"},
	     {PLC("listen = \"host:502\" allow = \"10.0.0.1\""), 3,
	      "a literal address"},
	     {PLC("listen = \"127.0.0.1:502\" allow = \"plc-1\""), 3,
	      "addresses and networks"},
	     {PLC("listen = \"127.0.0.1:502\" allow = {}"), 3,
	      "nobody may connect"},
	     {PLC("listen = \"127.0.0.1:502\" allow = \"::/0\" alarms = { a, a "
		  "}"),
	      3, "\"a\" is named twice"},
	     {PLC("listen = \"127.0.0.1:502\" allow = \"::/0\" trigger = a"), 3,
	      "alarm \"a\" has no address"});
}

#define BUS(more) INPUT("modbus = \"tcp:h\" " more)
#define OUT(more) "output \"o\" { modbus = \"tcp:h\" " more " }\n"

#define LOOP(more) BUS("holding = 1 normal = \"5..9\" alarm = \"2..5\" " more)
#define PAIR(more)                                                             \
	INPUT("virtual = true")                                                \
	"input \"j\" { virtual = true }\ninput \"p\" { " more " }\n"

static void test_loops(void **state)
{
	(void)state;
	EACH({LOOP("short = \"..2\""), 1,
	      "nothing says what from 9 to inf means"},
	     {LOOP("open = \"9..\""), 1,
	      "nothing says what from -inf to 2 means"},
	     {LOOP("open = { \"..1.5\", \"9..\" }"), 1,
	      "nothing says what from 1.5 to 2 means"},
	     {LOOP("short = \"..2.5\" open = \"9..\""), 1,
	      "short and alarm overlap: from 2 to 2.5 is in both"},
	     {LOOP("short = \"..2\" open = \"8..\""), 1,
	      "normal and open overlap: from 8 to 9 is in both"},
	     {BUS("holding = 1 normal = \"5..\" alarm = \"..5\""), 1,
	      "is not supervised"},
	     {BUS("holding = 1 normal = \"5..\" open = \"..5\""), 1,
	      "the loop needs \"alarm\""},
	     {LOOP("short = \"2\" open = \"9..\""), 1, "a range with its"},
	     {LOOP("short = \"2..1\" open = \"9..\""), 1, "a range with its"},
	     {LOOP("short = \"..2\" open = \"9..\" hysteresis = 3"), 1,
	      "not less than the width of alarm from 2 to 5"},
	     {LOOP("short = \"..2\" open = \"9..\" bit = 1"), 1,
	      "do not go with them"},
	     {BUS("coil = 1 normal = \"5..9\""), 1,
	      "\"normal\" is about registers"},
	     {PAIR("pair = { \"i\", \"j\" } normal = \"01\" alarm = \"10\" "
		   "open = \"00\""),
	      3, "nothing says what \"11\" means"},
	     {PAIR("pair = { \"i\", \"j\" } normal = \"01\" alarm = \"10\" "
		   "open = { \"00\", \"11\" } short = \"11\""),
	      3, "overlap: \"11\" is in both"},
	     {PAIR("pair = { \"i\", \"j\" } normal = \"1\" alarm = \"10\" "
		   "open = \"00\""),
	      3, "two of 0 and 1"},
	     {PAIR("pair = { \"i\" } normal = \"01\" alarm = \"10\" open = "
		   "{ \"00\", \"11\" }"),
	      3, "two different inputs"},
	     {PAIR("pair = { \"i\", \"p\" } normal = \"01\" alarm = \"10\" "
		   "open = { \"00\", \"11\" }"),
	      3, "is a pair itself"});
}

static void test_modbus(void **state)
{
	(void)state;
	EACH({INPUT("modbus = \"h:502\" coil = 1"), 1, "rtu:DEVICE"},
	     {BUS(""), 1, "no address"},
	     {BUS("coil = 1 input = 2 bit = 0"), 1, "more than one address"},
	     {BUS("coil = 65536"), 1, "0 to 65535"},
	     {BUS("coil = 1 unit = 256"), 1, "0 to 255"},
	     {INPUT("modbus = \"rtu:/dev/x:9600\" coil = 1 unit = 248"), 1,
	      "1 to 247"},
	     {BUS("holding = 1"), 1, "nothing says when"},
	     {BUS("coil = 1 above = 1"), 1, "\"above\" is about registers"},
	     {BUS("coil = 1 type = u32"), 1, "\"type\" is about registers"},
	     {BUS("holding = 1 type = u64 bit = 1"), 1, "\"f32\""},
	     {BUS("holding = 1 bit = 16"), 1, "0 to 15"},
	     {BUS("holding = 1 type = u32 bit = 32"), 1, "0 to 31"},
	     {BUS("holding = 1 bit = 1 mask = 2"), 1, "use \"bit\", or"},
	     {BUS("holding = 1 bit = 1 above = 2"), 1, "use one way"},
	     {BUS("holding = 1 mask = 0x10000"), 1, "more bits than"},
	     {BUS("holding = 1 mask = 0"), 1, "lets no bit count"},
	     {BUS("holding = 1 mask = 0x100000000"), 1, "at most 32 bits"},
	     {BUS("holding = 1 mask = 0xg"), 1, "at most 32 bits"},
	     {BUS("holding = 1 mask = 1 equals = 2"), 1, "can never be"},
	     {BUS("holding = 1 equals = 70000"), 1, "can never be"},
	     {BUS("holding = 1 type = f32 bit = 1"), 1, "mean nothing"},
	     {BUS("holding = 1 word-order = cdab bit = 1"), 1,
	      "is about two registers"},
	     {BUS("holding = 65535 type = u32 bit = 1"), 1,
	      "does not begin at 65535"},
	     {BUS("holding = 1 scale = 0 above = 1"), 1, "every value"},
	     {BUS("holding = 1 above = 1 active = low"), 1,
	      "thresholds say themselves"},
	     {BUS("holding = 1 above = 1 clear-below = 2"), 1,
	      "active and normal at once"},
	     {BUS("coil = 1 poll = 5ms"), 1, "a duration from 10ms to 1h"},
	     {BUS("coil = 1 debounce = 5ms"), 1, "has no meaning"},
	     {OUT("discrete = 1"), 1, "unknown key"},
	     {OUT(""), 1, "no address"},
	     {OUT("coil = 1 on-value = 2"), 1, "a coil is 1 or 0"},
	     {OUT("holding = 1 on-value = 0"), 1, "are the same"},
	     {OUT("coil = 1") "output \"p\" { modbus = \"tcp:h:502\" coil = "
			      "1 }",
	      2, "is written by output \"o\""},
	     {BUS("coil = 1") "bus \"tcp:h\" { timeout = 1ms }", 2,
	      "a duration from 10ms to 10s"},
	     {BUS("coil = 1") "bus \"h\" { }", 2, "is no Modbus bus"},
	     {BUS("coil = 1") "bus \"tcp:h\" { }\nbus \"tcp:h:502\" { }", 3,
	      "is given twice"},
	     {BUS("coil = 1") "bus \"tcp:h\" { back-off = 1m }", 2,
	      "\"max-back-off\" is less"},
	     {"input a { modbus = \"rtu:/dev/x:9600\" coil = 1 }\n"
	      "input b { modbus = \"rtu:/dev/x:19200\" coil = 1 }",
	      2, "one serial line"});
}

#define MESSAGE(more) "message \"m\" { tone = \"test\" " more " }\n"
#define ALARM(more) "alarm \"a\" { " more " }\n"
#define POINTS                                                                 \
	"input \"i\" { virtual = true } input \"j\" { virtual = true }\n"      \
	"output \"o\" { virtual = true }\n"
#define ALARM_IJ(more)                                                         \
	POINTS ALARM("inputs = { \"i\", \"j\" } outputs = { \"o\" } " more)

static void test_alarms(void **state)
{
	(void)state;
	EACH({ALARM(""), 1, "has no effect"},
	     {ALARM_IJ("\nvotes = 3"), 4, "votes and has 2 inputs"},
	     {ALARM_IJ("\nvotes = 0"), 4, "1 to 1000"},
	     {ALARM_IJ("votes = 2\nwhen = \"all\""), 4, "keep one of them"},
	     {ALARM_IJ("\nwhen = \"most\""), 4, "any"},
	     {ALARM_IJ("\nstorm-limit = 101"), 4, "0 to 100"},
	     {POINTS ALARM("inputs = { \"i\", \"i\" } outputs = { \"o\" }"), 3,
	      "named twice"},
	     {POINTS ALARM("outputs = { \"o\" }\ndelay = \"5s\""), 4,
	      "it has none"},
	     {ALARM("inputs = { \"x\" } outputs = { \"o\" }") "output \"o\" { "
							      "virtual = true "
							      "}",
	      1, "there is no input \"x\""},
	     {ALARM("outputs = { \"o\" }") "output \"o\" { virtual = true role "
					   "= \"fault\" }",
	      1, "which only faults drive"},
	     {ZONE MESSAGE("") ALARM("\nbroadcast { zones = { \"z\" } }"), 4,
	      "\"message\" is missing"},
	     {ZONE MESSAGE("") ALARM("broadcast { message = \"m\" }"), 3,
	      "\"zones\" is missing"},
	     {ZONE MESSAGE("")
		      ALARM("broadcast { message = \"n\" zones = { \"z\" } }"),
	      3, "there is no message \"n\"; did you mean \"m\""},
	     {ZONE MESSAGE("") ALARM("broadcast { message = \"m\" zones = { "
				     "\"*\" } }"),
	      3, "\"*\" is not allowed here"},
	     {ZONE MESSAGE("") ALARM("broadcast { message = \"m\" zones = { "
				     "\"z\" } priority = 256 }"),
	      3, "0 to 255"},
	     {ZONE MESSAGE("\ngap = \"31s\" repeat = 2")
		      ALARM("broadcast { message = \"m\" zones = { \"z\" } "
			    "priority = 200 }"),
	      3, "ISO 7240-16"},
	     {"zone \"z\" { min-priority = \"alert\" " MC("239.1.1.1:5004",
							  "") " }\n" MESSAGE("")
		      ALARM("broadcast { message = "
			    "\"m\" zones = { \"z\" } "
			    "priority = 200 }"),
	      3, "not let into zone \"z\""});
}

#define MATRIX(more)                                                           \
	"input \"i\" { virtual = true }\ninput \"j\" { virtual = true }\n"     \
	"output \"o\" { virtual = true }\noutput \"p\" { virtual = true "      \
	"}\n" more
#define MQTT_ON "mqtt { broker = \"mqtt://127.0.0.1\" }\nsite = \"s\"\n"

/* What could never begin, and what says two things at once. */
static void test_matrix(void **state)
{
	(void)state;
	EACH({MATRIX("alarm \"a\" { inputs = \"i\" outputs = \"o\" within = "
		     "\"5s\"\ndelay = \"5s\" }"),
	      6, "delay must be shorter than within"},
	     {MATRIX("mode \"d\" { }\nmode \"n\" { hours = \"20:00-06:00\" }\n"
		     "alarm \"a\" { outputs = \"o\" modes = \"n\"\nhours = "
		     "\"08:00-12:00\" }"),
	      8, "alarm \"a\" can never fire: its hours"},
	     {MATRIX("alarm \"a\" { modes = \"night\"\ndrive { output = \"o\" "
		     "modes = \"day\" } }"),
	      5, "does nothing when it fires"},
	     {MATRIX("mode \"d\" { }\nmode \"n\" { hours = \"20:00-06:00\" }\n"
		     "alarm \"a\" { outputs = \"o\"\ndrive { output = \"p\" "
		     "modes = \"n\" hours = \"07:00-08:00\" } }"),
	      8, "this never begins: its hours"},
	     {MATRIX("alarm \"a\" { outputs = \"o\" hours = \"mon on exam\" "
		     "}"),
	      5, "know no types of day"},
	     {MATRIX("alarm \"a\" { outputs = \"o\" hours = \"25:00\" }"), 5,
	      "alarm \"a\": hours: "},
	     {MATRIX("alarm \"a\" { outputs = \"o\" modes = \"nigth\" }"), 5,
	      "did you mean \"night\"?"},
	     {MATRIX("mode \"d\" { input = \"i\" }\nmode \"n\" {\ninput = "
		     "\"i\" }"),
	      7, "is the key of mode \"d\""},
	     {MATRIX("alarm \"a\" { outputs = \"o\" }\nalarm \"b\" {\ndrive { "
		     "output = \"o\" to = \"off\" } }"),
	      7, "at once it cannot be both"},
	     {MATRIX("alarm \"a\" { drive { output = \"o\" to = \"pulse\" }\n"
		     "drive { output = \"o\" to = \"off\" } }"),
	      6, "and alarm \"a\" drives it on"},
	     {MATRIX("alarm \"a\" { outputs = \"o\" call = \"desk\" }"), 5,
	      "\"call\" is a section"},
	     {MATRIX("alarm \"a\" { publish { topic = \"t\" } }"), 5,
	      "needs a broker"},
	     {MATRIX(MQTT_ON "alarm \"a\" {\npublish { topic = \"t\" retain = "
			     "true } }"),
	      8, "must be taken back"},
	     {MATRIX(MQTT_ON "alarm \"a\" {\npublish { topic = \"t/+\" } }"), 8,
	      "without \"+\" and \"#\""},
	     {MATRIX("alarm \"a\" { hook { command = \"/no/such\" } }"), 5,
	      "/no/such is no program"},
	     {MATRIX("alarm \"a\" { drive { output = \"o\"\nuntil = \"later\" "
		     "} "
		     "}"),
	      6, "\"reset\", \"ack\", or how long"},
	     {MATRIX("output \"f\" { virtual = true role = \"fault\" }\n"
		     "alarm \"a\" { drive { output = \"f\" } }"),
	      6, "which only faults drive"});
}

static void test_phases(void **state)
{
	(void)state;
	EACH({MATRIX("alarm \"a\" { drive { output = \"o\" phases = \"x\" } }"),
	      5, "has no phase \"x\""},
	     {MATRIX("alarm \"a\" { outputs = \"o\" phase \"1\" { }\n"
		     "phase \"2\" { for = \"5s\" } }"),
	      6, "is the last one"},
	     {MATRIX("alarm \"a\" { inputs = { i, j } outputs = \"o\"\nphase "
		     "\"1\" { votes = 3 }\nphase \"2\" { } }"),
	      6, "they never come"},
	     {MATRIX("alarm \"a\" { inputs = { i, j } when = \"all\" outputs = "
		     "\"o\"\nphase \"1\" { votes = 2 }\nphase \"2\" { } }"),
	      6, "would be over at once"},
	     {MATRIX("alarm \"a\" { phase \"1\" { for = \"5s\" }\nphase \"2\" "
		     "{ "
		     "}\ndrive { output = \"o\" phases = \"1\" after = "
		     "\"5s\" } }"),
	      7, "this never begins: its phases"});
}

/* An alarm that would hold its own cause could never be reset. */
static void test_circles(void **state)
{
	(void)state;
	EACH({MQTT_ON "input \"i\" { mqtt = \"x/+\" }\noutput \"o\" { mqtt = "
		      "\"x/y\" }\nalarm \"a\" { inputs = \"i\" outputs = "
		      "\"o\" }",
	      5,
	      "never be reset: alarm \"a\" -> output \"o\" -> input \"i\" -> "
	      "alarm \"a\""},
	     {MQTT_ON "input \"i\" { mqtt = \"x/y\" }\nalarm \"a\" { inputs = "
		      "\"i\" publish { topic = \"x/y\" } }",
	      4, "alarm \"a\" -> input \"i\" -> alarm \"a\""},
	     {MQTT_ON
	      "input \"i\" { mqtt = \"x/y\" }\ninput \"j\" { mqtt = "
	      "\"tocsin/s/alarm/a/state\" }\noutput \"o\" { virtual = true }\n"
	      "alarm \"a\" { inputs = \"i\" outputs = \"o\" }\n"
	      "alarm \"b\" { inputs = \"j\" publish { topic = \"x/y\" } }",
	      6, "alarm \"b\""},
	     {MQTT_ON
	      "input \"i\" { mqtt = \"x/y\" }\noutput \"o\" { mqtt = "
	      "\"x/y\" follow = \"alarm:a\" }\noutput \"p\" { virtual = "
	      "true }\nalarm \"a\" { inputs = \"i\" outputs = \"p\" }",
	      6, "its own cause"});
}

#define DIALLED                                                                \
	"sip { listen = \"udp:127.0.0.1:5060\" }\nzone \"z\" { extension = "   \
	"\"701\" unicast \"1.2.3.4:5004\" {} }\n"

static void test_codes(void **state)
{
	(void)state;
	EACH({DIALLED "code \"9/9\" { zones = \"*\" }", 3, "cannot be dialled"},
	     {DIALLED "code \"99\" { }", 3, "exactly one of"},
	     {DIALLED "code \"99\" { alarm = \"a\" }", 3, "no alarm \"a\""},
	     {DIALLED "code \"701\" { zones = \"*\" }", 3,
	      "that is the extension of zone \"z\""},
	     {DIALLED "code \"99\" { zones = \"*\" }\ncode \"99\" { zones = "
		      "\"*\" }",
	      4, "\"99\""},
	     {DIALLED "zone \"y\" { unicast \"1.2.3.5:5004\" {} }\ncode "
		      "\"99\" {\nzones = \"y\" }",
	      5, "zone \"y\" cannot be named with keys"},
	     {"zone \"z\" { extension = \"hall\" unicast \"1.2.3.4:5004\" {} "
	      "}\n"
	      "sip { listen = \"udp:127.0.0.1:5060\" }\ncode \"99\" { zones = "
	      "\"*\" }",
	      3, "no zone has an extension of 1 to 12 digits"},
	     {"zone \"z\" { extension = \"1\" unicast \"1.2.3.4:5004\" {} }\n"
	      "code \"99\" { zones = \"*\" }",
	      2, "without SIP"},
	     {DIALLED "code \"99\" { zones = \"*\"\npin-file = \"none\" }", 4,
	      "none"});
}

/** A PIN is read, and what is none is told without it. */
static void test_pins(void **state)
{
	static const struct {
		const char *pin;
		bool good;
	} pins[] = {{"2468\n", true}, {"123456789012", true},
		    {"246", false},   {"1234567890123", false},
		    {"24a8", false},  {"24 68", false}};

	(void)state;
	for (size_t i = 0; i < sizeof(pins) / sizeof(*pins); i++) {
		struct world *w = world_new();
		struct config *c;
		int err;

		world_write(w, "pin", pins[i].pin);
		assert_int_equal(chmod(world_path(w, "pin"), 0600), 0);
		world_write(
			w, "tocsin.conf",
			"zone \"z\" { extension = \"1\"\npin-file = \"pin\" "
			"unicast \"1.2.3.4:5004\" {} }");
		c = world_load_err(w, &err);
		assert_int_equal(!!c, pins[i].good);
		if (c) {
			assert_int_equal(
				strncmp(c->zones[0].pin.digits, pins[i].pin, 4),
				0);
			config_free(c);
		} else {
			assert_int_equal(w->n, 1);
			assert_int_equal(w->said[0].line, 2);
			assert_non_null(strstr(w->said[0].text, "4 to 12"));
			assert_null(strstr(w->said[0].text, pins[i].pin));
		}
		world_free(w);
	}
}

static void test_outputs(void **state)
{
	(void)state;
	EACH({"output \"o\" { virtual = true\ninterlock = \"g\" }", 2,
	      "is alone in the interlock group"},
	     {"output \"o\" { virtual = true\nfollow = \"alarm\" }", 2,
	      "\"input:NAME\""},
	     {"output \"o\" { virtual = true\nfollow = \"alarm:x\" }", 2,
	      "there is no alarm \"x\""},
	     {"output \"o\" { virtual = true role = \"fault\"\npulse = \"1s\" "
	      "}",
	      2, "no meaning with the role \"fault\""},
	     {"output \"o\" { virtual = true pulse = \"1s\"\nmin-on = \"2s\" }",
	      2, "longer than its \"pulse\""},
	     {"output \"o\" { virtual = true\non-exit = \"on\" }", 2,
	      "no meaning with \"virtual\""},
	     {"output \"o\" { modbus = \"tcp:127.0.0.1\" coil = 1\non-exit = "
	      "\"keep\" }",
	      2, "is \"off\" or \"on\""});
}

static void test_outside(void **state)
{
	(void)state;
	EACH({"mqtt { broker = \"mqtt://h\" }", 1, "\"site\" is missing"},
	     {"site = \"s\"\nmqtt { }", 2, "\"broker\" is missing"},
	     {"site = \"s\"\nmqtt { broker = \"http://h\" }", 2, "mqtts://"},
	     {"site = \"s\"\nmqtt { broker = \"mqtt://h:0\" }", 2, "mqtts://"},
	     {"site = \"s\"\nmqtt { broker = { \"mqtt://h\", \"mqtt://H\" } }",
	      2, "twice"},
	     {"site = \"s\"\nmqtt { broker = { \"mqtt://a\", \"mqtt://b\", "
	      "\"mqtt://c\", \"mqtt://d\", \"mqtt://e\" } }",
	      2, "4"},
	     {"site = \"s\"\nmqtt { broker = \"mqtt://h\" discovery-prefix = "
	      "\"a/+\" }",
	      2, "without \"+\""},
	     {"site = \"s\"\nmqtt { broker = \"mqtts://h\" user = \"u\" "
	      "password-file = \"no\" }",
	      2, "cannot be read"},
	     {"site = \"s\"\nmqtt { broker = \"mqtts://h\" password-file = "
	      "\"tocsin.conf\" }",
	      2, "needs \"user\""},
	     {"site = \"s\"\nmqtt { broker = \"mqtts://h\" key = "
	      "\"tocsin.conf\" }",
	      2, "need each other"},
	     {"site = \"s\"\nmqtt { broker = \"mqtt://h\" ca = "
	      "\"tocsin.conf\" }",
	      2, "without TLS"},
	     {"web { listen = \"10.0.0.1:80\" }", 1, "\"tls-cert\" is needed"},
	     {"web { listen = \"[::]:80\" }", 1, "\"tls-cert\" is needed"},
	     {"web { listen = \"localhost:80\" }", 1, "literal address"},
	     {"sip { listen = \"udp:10.0.0.9:5060\" }\nzone \"z\" { speaker "
	      "\"sip:horn@10.0.0.1;transport=tls\" { srtp = \"require\" } }",
	      2, "a \"tls:...\" entry of listen"},
	     {"sip { listen = { \"tls:10.0.0.9:5061\" } tls-cert = "
	      "\"tocsin.conf\" }\nzone \"z\" { speaker "
	      "\"sip:horn@10.0.0.1\" { srtp = \"dtls\" } }",
	      2, "needs \";transport=tls\""},
	     {"peer \"10.0.0.1\" { allow = \"page\" srtp = \"yes\" }", 1,
	      "\"no\", \"offer\", \"require\" or \"dtls\""},
	     {"web { tls-cert = \"tocsin.conf\" }", 1, "needs \"listen\""},
	     {"web { socket = \"/12345678901234567890123456789012345678901234"
	      "5678901234567890123456789012345678901234567890123456789012345"
	      "678901\" }",
	      1, "at most 107 bytes"});
}

/** One broken section hides nothing in the others, nor in other files. */
static void test_all_at_once(void **state)
{
	struct world *w = world_new();
	static const struct {
		const char *file;
		int line;
	} wanted[] = {{"tocsin.conf", 2}, {"tocsin.conf", 3},
		      {"tocsin.conf", 5}, {"tocsin.conf", 7},
		      {"a.conf", 1},      {"b.conf", 2}};
	int err;

	(void)state;
	assert_int_equal(mkdir(world_path(w, "conf.d"), 0700), 0);
	world_write(w, "tocsin.conf",
		    "media {\n"
		    "  tail = = 3\n"
		    "  duck = 7\n"
		    "}\n"
		    "zone \"open\" {\n"
		    "  unicast \"1.2.3.4:5004\" { }\n"
		    "wrong = 1\n");
	world_write(w, "conf.d/b.conf", "\nsip { dscp = 99 }");
	world_write(w, "conf.d/a.conf", "message \"m\" { }");
	assert_null(world_load_err(w, &err));
	assert_int_equal(err, EINVAL);
	assert_int_equal(w->n, sizeof(wanted) / sizeof(*wanted));
	for (size_t i = 0; i < w->n; i++) {
		assert_string_equal(strrchr(w->said[i].file, '/') + 1,
				    wanted[i].file);
		assert_int_equal(w->said[i].line, wanted[i].line);
	}
	world_free(w);
}

static void test_warnings(void **state)
{
	struct world *w = world_new();
	struct config *c;

	(void)state;
	c = world_load(
		w, "zone \"z\" { " MC("239.1.1.1:5004",
				      "") " }\n"
					  "zone \"y\" { " MC("239.129.1.1:5004",
							     "") " }\n");
	assert_int_equal(w->n, 1);
	assert_int_equal(w->said[0].line, 2);
	assert_ptr_equal(strstr(w->said[0].text, "warning: "), w->said[0].text);
	assert_non_null(strstr(w->said[0].text, "same MAC"));
	config_free(c);
	world_write(w, "f.wav", "x");
	c = world_load(w, ZONE "message \"m\" { tone = \"test\" tone-for = "
			       "\"1s\" file = \"f.wav\" }\n" ALARM(
				       "broadcast { message = \"m\" zones = { "
				       "\"z\" } priority = 200 }"));
	assert_int_equal(w->n, 1);
	assert_non_null(strstr(w->said[0].text, "warning: message \"m\""));
	config_free(c);
	world_free(w);
}

static void test_unreadable(void **state)
{
	struct world *w = world_new();
	struct config *c = NULL;
	int err;

	(void)state;
	assert_null(world_load_err(w, &err));
	assert_int_equal(err, ENOENT);
	assert_int_equal(w->n, 1);
	/* A FIFO must not hold the loader. */
	assert_int_equal(mkfifo(world_path(w, "tocsin.conf"), 0600), 0);
	assert_null(world_load_err(w, &err));
	assert_int_equal(err, EINVAL);
	w->n = 0;
	assert_int_equal(config_load(&c, w->dir, world_hear, w), EINVAL);
	assert_int_equal(w->n, 1);
	world_free(w);
}

/** Text with `line` n times, %zu replaced by the number. */
static char *many(const char *before, const char *line, size_t n)
{
	char *text = malloc(strlen(before) + n * (strlen(line) + 30) + 1);
	size_t used;

	assert_non_null(text);
	used = (size_t)sprintf(text, "%s", before);
	for (size_t i = 0; i < n; i++) {
		char at[24];
		const char *mark = strchr(line, '@');

		snprintf(at, sizeof(at), "%zu", i);
		used += (size_t)sprintf(text + used, "%.*s%s%s\n",
					(int)(mark - line), line, at, mark + 1);
	}
	return text;
}

static void limit(const char *before, const char *line, size_t most,
		  const char *part)
{
	struct world *w = world_new();
	char *text = many(before, line, most);
	struct config *c = world_load(w, text);
	int err;

	config_free(c);
	free(text);
	text = many(before, line, most + 2);
	world_write(w, "tocsin.conf", text);
	assert_null(world_load_err(w, &err));
	assert_int_equal(w->n, 1);
	if (!strstr(w->said[0].text, part))
		fail_msg("%s", w->said[0].text);
	free(text);
	world_free(w);
}

static void test_limits(void **state)
{
	(void)state;
	limit(ZONE, "zone \"n@\" { zones = { \"z\" } }", CONFIG_MAX_ZONES - 1,
	      "more than 1000 zone");
	limit("", "message \"m@\" { tone = \"test\" }", 500,
	      "more than 500 message");
	limit("", "input \"i@\" { virtual = true }", 1000,
	      "more than 1000 input");
	limit("", "output \"o@\" { virtual = true }", 1000,
	      "more than 1000 output");
	limit("output \"o\" { virtual = true }\n",
	      "alarm \"a@\" { outputs = { \"o\" } }", 500,
	      "more than 500 alarm");
	limit("", "user \"u@\" { password-hash = \"*\" }", 200,
	      "more than 200 user");
}

static void test_most_sounds(void **state)
{
	struct world *w = world_new();
	char *whole = malloc(1 << 20);
	size_t used = 0;
	int err;

	(void)state;
	/* 1,025 of them on different ports in one zone. */
	used += (size_t)sprintf(whole, "zone \"z\" {\n");
	for (unsigned i = 0; i < 1025; i++)
		used += (size_t)sprintf(whole + used,
					"unicast \"10.0.0.1:%u\" { }\n",
					2000 + i);
	strcpy(whole + used, "}\n");
	world_write(w, "tocsin.conf", whole);
	assert_null(world_load_err(w, &err));
	assert_int_equal(w->n, 1);
	assert_int_equal(w->said[0].line, 1026);
	assert_non_null(strstr(w->said[0].text, "more than 1024 outputs"));
	free(whole);
	world_free(w);
}

static void test_large(void **state)
{
	struct world *w = world_new();
	char *text = malloc((1 << 20) + 2);
	struct config *c;
	int err;

	(void)state;
	memset(text, '\n', (1 << 20) + 1);
	text[(1 << 20) + 1] = '\0';
	text[1 << 20] = '\0';
	c = world_load(w, text);
	config_free(c);
	text[1 << 20] = '\n';
	world_write(w, "tocsin.conf", text);
	assert_null(world_load_err(w, &err));
	assert_non_null(strstr(w->said[0].text, "1 MiB"));
	/* More problems than are kept: the first are told, the rest counted. */
	text[0] = '\0';
	for (size_t i = 0; i < 2000; i++)
		strcpy(text + i * 6, "x = 1\n");
	world_write(w, "tocsin.conf", text);
	assert_null(world_load_err(w, &err));
	assert_int_equal(w->n, 1001);
	assert_int_equal(w->said[0].line, 1);
	assert_int_equal(w->said[999].line, 1000);
	assert_non_null(strstr(w->said[1000].text, "1000 more"));
	free(text);
	world_free(w);
}

static void test_many_dropins(void **state)
{
	struct world *w = world_new();
	char name[32];
	int err;

	(void)state;
	world_write(w, "tocsin.conf", "");
	assert_int_equal(mkdir(world_path(w, "conf.d"), 0700), 0);
	for (int i = 0; i < 65; i++) {
		snprintf(name, sizeof(name), "conf.d/%03d.conf", i);
		world_write(w, name, "");
	}
	assert_null(world_load_err(w, &err));
	assert_int_equal(w->n, 1);
	assert_non_null(strstr(w->said[0].text, "65 files, 64 are the most"));
	world_free(w);
}

#define M "message \"m\" { tone = \"test\" }\n"
#define SITE ZONE M
#define WHAT " message = \"m\" zones = { \"z\" } "

/** A schedule with these keys, on line 3. */
#define BELL(keys) SITE "schedule \"s\" { " keys WHAT "}"

static void test_schedules(void **state)
{
	(void)state;
	EACH({BELL(""), 3, "never sounds: give it \"at\", \"every\""},
	     {BELL("at = \"8:00\""), 3, "07:55"},
	     {BELL("at = \"24:00\""), 3, "07:55"},
	     {BELL("at = { }"), 3, "07:55"}, {BELL("at = \"08\""), 3, "07:55"},
	     {BELL("at = \"08:00\" days = \"mo-fr\""), 3,
	      "ranges like mon-fri"},
	     {BELL("at = \"08:00\" days = \"\""), 3, "ranges like mon-fri"},
	     {BELL("every = \"30s\""), 3, "every"},
	     {BELL("every = \"2d\""), 3, "every"},
	     {BELL("at = \"08:00\" from = \"08:00\""), 3,
	      "\"from\" and \"to\" need \"every\""},
	     {BELL("every = \"10m\" from = \"8\""), 3, "a time like"},
	     {BELL("rrule = \"FREQ=DAILY\""), 3, "need each other"},
	     {BELL("at = \"08:00\" start = \"2026-01-05 07:55\""), 3,
	      "need each other"},
	     {BELL("rrule = \"FREQ=DAILY\" start = \"tomorrow\""), 3,
	      "a local time like"},
	     {BELL("rrule = \"FREQ=NEVER\" start = \"2026-01-05 07:55\""), 3,
	      "FREQ"},
	     {BELL("rrule = \"FREQ=SECONDLY\" start = \"2026-01-05 07:55\""), 3,
	      "SECONDLY"},
	     {BELL("at = \"08:00\" dates = \"2026-02-29\""), 3, "dates like"},
	     {BELL("at = \"08:00\" dates = \"2026-12-24..2026-12-20\""), 3,
	      "dates like"},
	     {BELL("at = \"08:00\" dates = \"12-24..2027-01-06\""), 3,
	      "dates like"},
	     {BELL("at = \"08:00\" except = { \"x\" }"), 3, "calendar"},
	     {BELL("at = \"08:00\" only-on = { \"x\" }"), 3, "calendar"},
	     {BELL("events = \"x\""), 3, "calendar"},
	     {BELL("at = \"08:00\" event \"Drill\" { }"), 3,
	      "an event section needs \"events\""},
	     {BELL("at = \"08:00\" day-type = \"a b\""), 3, "types that"},
	     {BELL("at = \"08:00\" priority = \"loud\""), 3, "priority"},
	     {BELL("at = \"08:00\" grace = \"2d\""), 3, "grace"},
	     {BELL("at = \"08:00\" busy = \"yes\""), 3, "wait"},
	     {BELL("at = \"08:00\" gap = \"last\""), 3, "next"},
	     {BELL("at = \"08:00\" fold = \"none\""), 3, "first"},
	     {BELL("at = \"08:00\" timezone = \"Europe/Nowhere\""), 3,
	      "/usr/share/zoneinfo"},
	     {BELL("at = \"08:00\" timezone = \"../../etc/passwd\""), 3,
	      "/usr/share/zoneinfo"},
	     {SITE "schedule \"s\" { at = \"08:00\" zones = { \"z\" } }", 3,
	      "\"message\" is missing"},
	     {SITE "schedule \"s\" { at = \"08:00\" message = \"m\" }", 3,
	      "\"zones\" is missing"},
	     {SITE "schedule \"s\" { at = \"08:00\" message = \"x\" zones = "
		   "{ \"z\" } }",
	      3, "message"},
	     {ZONE "message \"m\" { tone = \"test\" repeat = "
		   "\"until-reset\" }\nschedule \"s\" { at = \"08:00\"" WHAT
		   "}",
	      3, "repeats without end"},
	     {"zone \"z\" { min-priority = \"page\" " MC(
		      "239.1.1.1:5004",
		      "") " }\n" M "schedule \"s\" { at = \"08:00\"" WHAT "}",
	      3, "is not let into zone \"z\""});
}

static void test_calendars(void **state)
{
	(void)state;
	EACH({ZONE "calendar \"c\" { }", 2, "calendar \"c\""},
	     {ZONE "calendar \"c\" { url = \"ftp://x/y\" }", 2, "https://"},
	     {ZONE "calendar \"c\" { url = \"https:///y\" }", 2, "https://"},
	     {ZONE "calendar \"c\" { dates = \"13-01\" }", 2, "dates like"},
	     {ZONE "calendar \"c\" { dates = \"02-30\" }", 2, "dates like"},
	     {ZONE "calendar \"c\" { dates = \"12-24\" match = \"\" }", 2,
	      "texts with"},
	     {ZONE "calendar \"c\" { url = \"https://x/y\" poll = \"1s\" }", 2,
	      "poll"},
	     {ZONE "calendar \"c\" { dates = \"12-24\" day-type = \"a b\" }", 2,
	      "day-type"});
}

#define QUIET(list)                                                            \
	"zone \"z\" { " MC("239.1.1.1:5004", "") "\nquiet = " list " }\n"

static void test_quiet_hours(void **state)
{
	(void)state;
	EACH({QUIET("\"22:00-06:00\""), 2, "mon-fri 22:00-06:00 -12dB"},
	     {QUIET("\"22:00-06:00 -50dB\""), 2, "-40dB to 12dB"},
	     {QUIET("{ \"mon-fri 22:00-06:00 -12dB\", \"sat max -20dB\" }"), 2,
	      "quiet hours \"mon-fri 22:00-06:00 -12dB\" and \"sat max "
	      "-20dB\" overlap"},
	     {QUIET("{ \"on exam -12dB\", \"mon 08:00-09:00 -6dB\" }"), 2,
	      "overlap"},
	     {ZONE "zone \"y\" { zones = { \"z\" }\nquiet = \"sun -6dB\" }", 3,
	      "it has none; give it to the zones"},
	     {"zone \"z\" { timezone = \"Mars/Base\" " MC("239.1.1.1:5004",
							  "") " }",
	      1, "/usr/share/zoneinfo"},
	     {ZONE "music \"m\" { stream = \"http://x/y\" zones = { \"z\" }\n"
		   "hours = \"8-18\" }",
	      3, "windows like"},
	     {ZONE "music \"m\" { stream = \"http://x/y\" zones = { \"z\" }\n"
		   "hours = { } }",
	      3, "the list is empty"},
	     {ZONE "music \"m\" { stream = \"http://x/y\" zones = { \"z\" }\n"
		   "hours = \"08:00-18:00\" autostart = true }",
	      3, "leave \"autostart\" out"},
	     {BELL("at = \"08:00\" quiet = { \"mon -6dB\", \"mon-fri -3dB\" "
		   "}"),
	      3, "schedule \"s\": quiet hours"});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_no_secret),
		cmocka_unit_test(test_outputs_of_sound),
		cmocka_unit_test(test_phones),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_field),
		cmocka_unit_test(test_modbus),
		cmocka_unit_test(test_plc),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_alarms),
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_phases),
		cmocka_unit_test(test_circles),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_outputs),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_most_sounds),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_schedules),
		cmocka_unit_test(test_calendars),
		cmocka_unit_test(test_quiet_hours),
		cmocka_unit_test(test_many_dropins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
