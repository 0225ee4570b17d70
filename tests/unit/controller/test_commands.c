/* commands.c: every verb, every refusal with its status, code and field. */
#include "site_plan.h"
#include "site_util.h"

#define PLAN                                                                   \
	PLAN_BASE                                                              \
	"mqtt { broker = \"mqtt://127.0.0.1:1\" }\n"                           \
	"zone \"strict\" { min-priority = \"urgent\" multicast "               \
	"\"239.192.9.9:24004\" { interface = \"lo\" } }\n"                     \
	"input \"i\" { virtual = true }\ninput \"j\" { virtual = true }\n"     \
	"input \"free\" { virtual = true }\ninput \"m\" { mqtt = \"x\" }\n"    \
	"output \"beacon\" { virtual = true }\n"                               \
	"output \"fault\" { virtual = true role = \"fault\" }\n"               \
	"alarm \"gas\" { inputs = { \"i\" } latch = true outputs = { "         \
	"\"beacon\" } broadcast { message = \"siren\" zones = { \"a\" } "      \
	"priority = \"evacuate\" } }\n"                                        \
	"alarm \"fire\" { inputs = { \"j\" } latch = true broadcast { "        \
	"message = \"siren\" zones = { \"b\" } priority = \"evacuate\" } }\n"

static struct site *s;
static json_t *reply;
static struct refusal no;

static int setup(void **state)
{
	(void)state;
	s = site_begin(NULL, false, PLAN);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_decref(reply);
	reply = NULL;
	site_end(s, false);
	return 0;
}

static int ask(const struct caller *who, const char *verb, const char *name,
	       const char *args)
{
	/* The last one is kept: no.field may point into it. */
	static json_t *o;
	int status;

	json_decref(o);
	json_decref(reply);
	o = args ? json_loads(args, 0, NULL) : NULL;
	assert_true(!args || o);
	status = commands_run(&s->scope, who, verb, name, o, &reply, &no);
	if (status >= 300) {
		assert_null(reply);
		assert_non_null(no.code);
		assert_true(*no.why.text);
	}
	if (!args) /* leak nothing at the end */
		o = NULL;
	return status;
}

static const struct caller boss = {.actor = "user:boss", .role = WEB_ADMIN};

#define refused(who, verb, name, args, status, want_code, want_field)          \
	do {                                                                   \
		const char *f_ = want_field;                                   \
		assert_int_equal(ask(who, verb, name, args), status);          \
		assert_string_equal(no.code, want_code);                       \
		if (f_)                                                        \
			assert_string_equal(no.field ? no.field : "", f_);     \
		else                                                           \
			assert_null(no.field);                                 \
	} while (0)

static json_int_t member(const char *name)
{
	return json_integer_value(json_object_get(reply, name));
}

static void test_page(void **state)
{
	(void)state;
	assert_int_equal(ask(&boss, "page", NULL,
			     "{\"zones\":[\"ab\",\"ab\"],\"message\":\"siren\","
			     "\"priority\":\"urgent\",\"repeat\":2}"),
			 201);
	assert_int_equal(member("level"), 150);
	assert_int_equal(json_array_size(json_object_get(reply, "zones")), 1);
	assert_string_equal(site_member(s, (uint64_t)member("id"), "actor"),
			    "user:boss");
	assert_int_equal(ask(&boss, "page", NULL,
			     "{\"id\":\"m1\",\"time\":1,\"zones\":[\"c\"],"
			     "\"tone\":\"chime-2\",\"priority\":77}"),
			 201);
	assert_int_equal(member("level"), 77);
	/* Outranked: says by what. */
	refused(&boss, "page", NULL,
		"{\"zones\":[\"a\"],\"message\":\"blip\",\"wait_ms\":0}", 409,
		"outranked", NULL);
	assert_non_null(strstr(no.why.text, "siren"));
	assert_int_equal(site_count(s, EVENT_COMMAND_REFUSED, ""), 1);
}

static void test_page_refused(void **state)
{
	(void)state;
#define Z "\"zones\":[\"a\"],"
#define M "\"message\":\"blip\""
	refused(&boss, "page", NULL, NULL, 400, "bad-request", "zones");
	refused(&boss, "page", NULL, "[1]", 400, "bad-request", NULL);
	refused(&boss, "page", NULL, "{\"zones\":[]," M "}", 400, "bad-request",
		"zones");
	refused(&boss, "page", NULL, "{\"zones\":[\"no\"]," M "}", 404,
		"not-found", "zones");
	refused(&boss, "page", NULL, "{\"zones\":[7]," M "}", 404, "not-found",
		"zones");
	refused(&boss, "page", NULL, "{" Z M ",\"zone\":1}", 400, "bad-request",
		"zone");
	assert_non_null(strstr(no.why.text, "priority"));
	refused(&boss, "page", NULL, "{" Z "\"message\":\"no\"}", 404,
		"not-found", "message");
	refused(&boss, "page", NULL, "{" Z "\"tone\":\"no\"}", 404, "not-found",
		"tone");
	refused(&boss, "page", NULL, "{" Z M ",\"tone\":\"test\"}", 400,
		"bad-request", "message");
	refused(&boss, "page", NULL, "{\"zones\":[\"a\"]}", 400, "bad-request",
		"message");
	refused(&boss, "page", NULL, "{" Z M ",\"repeat\":0}", 400,
		"bad-request", "repeat");
	refused(&boss, "page", NULL, "{" Z M ",\"repeat\":\"always\"}", 400,
		"bad-request", "repeat");
	refused(&boss, "page", NULL, "{" Z M ",\"priority\":256}", 400,
		"bad-request", "priority");
	refused(&boss, "page", NULL, "{" Z M ",\"priority\":-1}", 400,
		"bad-request", "priority");
	refused(&boss, "page", NULL, "{" Z M ",\"priority\":\"loud\"}", 400,
		"bad-request", "priority");
	refused(&boss, "page", NULL, "{" Z M ",\"priority\":true}", 400,
		"bad-request", "priority");
	refused(&boss, "page", NULL, "{" Z M ",\"wait_ms\":-1}", 400,
		"bad-request", "wait_ms");
	refused(&boss, "page", NULL, "{\"zones\":[\"strict\"]," M "}", 403,
		"forbidden", "priority");
	refused(&boss, "sing", NULL, NULL, 404, "not-found", NULL);
	assert_int_equal(broadcast_count(s->broadcasts), 0);
	assert_false(commands_known("sing"));
	assert_true(commands_known("hangup"));
}

static void test_stop(void **state)
{
	char text[64], other[64];

	(void)state;
	refused(&boss, "stop", "17", NULL, 404, "not-found", "broadcast");
	refused(&boss, "stop", "-1", NULL, 404, "not-found", "broadcast");
	refused(&boss, "stop", "1x", NULL, 404, "not-found", "broadcast");
	refused(&boss, "stop", NULL, "{\"id\":\"x\"}", 404, "not-found",
		"broadcast");
	assert_int_equal(ask(&boss, "page", NULL,
			     "{\"zones\":[\"c\"],\"message\":\"siren\"}"),
			 201);
	snprintf(text, sizeof(text), "%lld", (long long)member("id"));
	assert_int_equal(ask(&boss, "page", NULL,
			     "{\"zones\":[\"b\"],\"message\":\"siren\"}"),
			 201);
	snprintf(other, sizeof(other), "{\"broadcast\":%lld}",
		 (long long)member("id"));
	refused(&boss, "stop", text, "{\"brodcast\":1}", 400, "bad-request",
		"brodcast");
	/* The path says which, whatever the body says. */
	assert_int_equal(ask(&boss, "stop", text, other), 200);
	assert_string_equal(site_state(s, strtoull(text, NULL, 10)), "gone");
	assert_int_equal(broadcast_count(s->broadcasts), 1);
	assert_int_equal(ask(&boss, "stop", NULL, other), 200);
	assert_int_equal(broadcast_count(s->broadcasts), 0);
	/* An alarm's own ends with its alarm alone. */
	assert_int_equal(ask(&boss, "trigger", "gas", NULL), 200);
	snprintf(text, sizeof(text), "%lld",
		 (long long)json_integer_value(json_array_get(
			 json_object_get(reply, "broadcasts"), 0)));
	refused(&boss, "stop", text, NULL, 409, "alarm", NULL);
}

static void test_alarm_verbs(void **state)
{
	char text[64], now[CLOCK_TEXT_SIZE];

	(void)state;
	refused(&boss, "ack", "gas", NULL, 409, "refused", NULL);
	refused(&boss, "trigger", "no", NULL, 404, "not-found", "name");
	refused(&boss, "trigger", NULL, NULL, 404, "not-found", "name");
	refused(&boss, "trigger", "gas", "{\"for\":\"2h\"}", 400, "bad-request",
		"for");
	assert_int_equal(ask(&boss, "trigger", NULL, "{\"name\":\"gas\"}"),
			 200);
	assert_string_equal(json_string_value(json_object_get(reply, "state")),
			    "active");
	assert_int_equal(ask(&boss, "ack", "gas", NULL), 200);
	refused(&boss, "inhibit", "gas", "{\"for\":\"1h\"}", 409, "refused",
		NULL);
	assert_int_equal(ask(&boss, "reset", "gas", "{}"), 200);
	static const char *const bad[] = {"{}",
					  "{\"for\":\"2\"}",
					  "{\"for\":2}",
					  "{\"for\":\"0s\"}",
					  "{\"for\":\"32d\"}",
					  "{\"for\":\"inf h\"}",
					  "{\"for\":\"nan\"}",
					  "{\"for\":\"-1h\"}"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(&boss, "inhibit", "gas", bad[i], 400, "bad-request",
			"for");
	refused(&boss, "inhibit", "gas", "{\"until\":\"soon\"}", 400,
		"bad-request", "until");
	refused(&boss, "inhibit", "gas", "{\"until\":\"2001-01-01T00:00:00Z\"}",
		400, "bad-request", "until");
	assert_int_equal(ask(&boss, "inhibit", "gas", "{\"for\":\"2h\"}"), 200);
	assert_true(json_is_true(json_object_get(reply, "inhibited")) ||
		    json_object_get(reply, "inhibited_until"));
	refused(&boss, "trigger", "gas", NULL, 409, "refused", NULL);
	assert_int_equal(ask(&boss, "enable", "gas", NULL), 200);
	snprintf(text, sizeof(text), "{\"until\":\"%s\"}",
		 clock_format(now, clock_wall_us() + 3600 * 1000000LL));
	assert_int_equal(ask(&boss, "inhibit", "gas", text), 200);
}

static void test_points(void **state)
{
	(void)state;
	refused(&boss, "input", "no", "{\"active\":true}", 404, "not-found",
		"name");
	refused(&boss, "input", "i", "{}", 400, "bad-request", "active");
	refused(&boss, "input", "i", "{\"active\":1}", 400, "bad-request",
		"active");
	refused(&boss, "input", "i", "{\"activ\":true}", 400, "bad-request",
		"activ");
	refused(&boss, "input", "m", "{\"active\":true}", 409, "refused",
		"name");
	refused(&boss, "output", "fault", "{\"active\":true}", 409, "refused",
		"name");
	refused(&boss, "output", "i", "{\"active\":true}", 404, "not-found",
		"name");
	assert_int_equal(ask(&boss, "input", "i", "{\"active\":true}"), 200);
	assert_int_equal(alarms_active(s->alarms), 1);
	assert_int_equal(ask(&boss, "output", "beacon", "{\"active\":true}"),
			 200);
	refused(&boss, "hangup", "5", NULL, 404, "not-found", "id");
	refused(&boss, "hangup", "0", NULL, 404, "not-found", "id");
}

static void test_who_may(void **state)
{
	int a = config_zone_find(s->config, "a");
	struct caller viewer = {.actor = "user:v", .role = WEB_VIEWER};
	struct caller local = {.actor = "user:l",
			       .role = WEB_OPERATOR,
			       .zones = &a,
			       .n_zones = 1};
	char text[64];

	(void)state;
	refused(&viewer, "page", NULL, "{" Z M "}", 403, "forbidden", NULL);
	refused(&viewer, "reset", "gas", NULL, 403, "forbidden", NULL);
	refused(&viewer, "hangup", "1", NULL, 403, "forbidden", NULL);
	refused(&local, "page", NULL, "{\"zones\":[\"ab\"]," M "}", 403,
		"forbidden", "zones");
	refused(&local, "trigger", "fire", NULL, 403, "forbidden", NULL);
	refused(&local, "input", "j", "{\"active\":true}", 403, "forbidden",
		NULL);
	refused(&local, "input", "free", "{\"active\":true}", 403, "forbidden",
		NULL);
	assert_int_equal(ask(&boss, "page", NULL,
			     "{\"zones\":[\"ab\"],\"message\":\"siren\"}"),
			 201);
	snprintf(text, sizeof(text), "%lld", (long long)member("id"));
	refused(&local, "stop", text, NULL, 403, "forbidden", NULL);
	assert_int_equal(broadcast_count(s->broadcasts), 1);
	assert_int_equal(ask(&boss, "stop", text, NULL), 200);
	assert_int_equal(ask(&local, "page", NULL, "{" Z M "}"), 201);
	assert_int_equal(ask(&local, "input", "i", "{\"active\":true}"), 200);
	assert_int_equal(ask(&local, "output", "beacon", "{\"active\":true}"),
			 200);
	assert_int_equal(ask(&local, "ack", "gas", NULL), 200);
}

/** Who may start certain messages only starts nothing else by any door; and
 *  ends what there is. */
static void test_which_messages(void **state)
{
	const int blip = config_message_find(s->config, "blip");
	const int siren = config_message_find(s->config, "siren");
	struct caller bell = {.actor = "user:bell",
			      .role = WEB_OPERATOR,
			      .messages = &blip,
			      .n_messages = 1};
	char text[64];

	(void)state;
	refused(&bell, "page", NULL, "{" Z "\"message\":\"siren\"}", 403,
		"forbidden", "message");
	assert_non_null(strstr(no.why.text, "user:bell may not start the "
					    "message \"siren\""));
	refused(&bell, "page", NULL, "{" Z "\"tone\":\"test\"}", 403,
		"forbidden", "message");
	refused(&bell, "page", NULL, "{" Z "\"text\":\"words\"}", 403,
		"forbidden", "message");
	refused(&bell, "bell", NULL,
		"{" Z "\"message\":\"siren\",\"at\":\"2030-01-01T10:00\"}", 403,
		"forbidden", "message");
	refused(&bell, "trigger", "gas", NULL, 403, "forbidden", "message");
	refused(&bell, "input", "i", "{\"active\":true}", 403, "forbidden",
		"message");
	assert_int_equal(alarms_active(s->alarms), 0);
	assert_int_equal(broadcast_count(s->broadcasts), 0);
	assert_int_equal(ask(&bell, "page", NULL, "{" Z M "}"), 201);
	snprintf(text, sizeof(text), "%lld", (long long)member("id"));
	assert_int_equal(ask(&bell, "stop", text, NULL), 200);
	assert_int_equal(ask(&bell, "input", "i", "{\"active\":false}"), 200);
	assert_int_equal(ask(&boss, "trigger", "gas", NULL), 200);
	assert_int_equal(ask(&bell, "ack", "gas", NULL), 200);
	assert_int_equal(ask(&bell, "reset", "gas", NULL), 200);
	bell.messages = &siren;
	assert_int_equal(ask(&bell, "trigger", "gas", NULL), 200);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_page),           T(test_page_refused), T(test_stop),
		T(test_alarm_verbs),    T(test_points),       T(test_who_may),
		T(test_which_messages),
	};
	int err;

	log_init(LOG_LEVEL_ERROR);
	if (libre_init())
		return 1;
	err = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return err;
}
