/* tocsinctl itself, run against a server that answers from a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/ctl/text.c"
#include "web_util.h"

#include <libgen.h>
#include <locale.h>
#include <signal.h>
#include <sys/wait.h>

static char program[512];

/* -------------------------------------------------------------- the server */

static pthread_mutex_t asked_lock = PTHREAD_MUTEX_INITIALIZER;
static char asked[1024]; /**< last request: method, path, body */

static void note(const char *text)
{
	pthread_mutex_lock(&asked_lock);
	snprintf(asked, sizeof(asked), "%s", text);
	pthread_mutex_unlock(&asked_lock);
}

static bool was_asked(const char *text)
{
	bool yes;

	pthread_mutex_lock(&asked_lock);
	yes = !strcmp(asked, text);
	pthread_mutex_unlock(&asked_lock);
	return yes;
}

static const struct {
	const char *method, *path;
	int status;
	const char *json;
} table[] = {
	{"GET", "/zones", 200,
	 "[{\"name\":\"hall\",\"extension\":\"701\",\"outputs\":1,"
	 "\"playing\":{\"what\":\"chime\",\"priority\":\"page\"},"
	 "\"waiting\":[3,4]},"
	 "{\"name\":\"\\u65e5\\u672c\",\"outputs\":20,\"playing\":null,"
	 "\"waiting\":[]},"
	 "{\"name\":\"g\\u00e4\\u0308\\u001b[2J\\u009b\\u202ex\","
	 "\"outputs\":3}]"},
	{"GET", "/status", 200,
	 "{\"site\":\"test\",\"realtime\":true,\"sip\":{\"calls\":0},"
	 "\"worst_fault\":{\"since\":\"now\",\"text\":\"media \\u001bdead\"}}"},
	{"GET", "/alarms", 200, "[]"},
	{"GET", "/config", 200, "{\"config\":\"a = 1\\n\\tb\\u001b\\n\"}"},
	{"POST", "/broadcasts", 201,
	 "{\"id\":17,\"state\":\"waiting\",\"cause\":\"outranked\"}"},
	{"POST", "/alarms/gas/trigger", 200, "{\"state\":\"active\"}"},
	{"POST", "/alarms/a b%/ack", 200, "{\"state\":\"acknowledged\"}"},
	{"POST", "/alarms/gas/inhibit", 200,
	 "{\"inhibited_until\":\"2026-11-23T10:00:00Z\"}"},
	{"POST", "/inputs/door", 200, "{\"active\":true}"},
	{"DELETE", "/broadcasts/17", 200, NULL},
	{"POST", "/reload", 202, "{\"state\":\"loading\"}"},
};

static void answer(struct web_request *r, void *arg)
{
	char *body =
		r->body ? json_dumps(r->body, JSON_COMPACT | JSON_SORT_KEYS)
			: NULL;
	char line[1024];

	(void)arg;
	snprintf(line, sizeof(line), "%s %s %s", r->method, r->path,
		 body ? body : "");
	note(line);
	free(body);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(r->path, table[i].path) &&
		    !strcmp(r->method, table[i].method)) {
			web_reply(r, table[i].status,
				  table[i].json
					  ? json_loads(table[i].json, 0, NULL)
					  : NULL);
			return;
		}
	web_reply_error(r, 404, "not-found", NULL, "there is no %s; do %s",
			r->path, "something\x1b[31m else");
}

/** Whole events, as the daemon's. */
static json_t *event(uint64_t id, const char *type)
{
	return json_pack("{s:I,s:s,s:s,s:s,s:s,s:s}", "id", (json_int_t)id,
			 "time", "2026-11-23T10:00:00.123456Z", "type", type,
			 "subject", id & 1 ? "alarm:gas" : "alarm:fire",
			 "actor", "user:x", "text", "it \x1b[1mhappened");
}

/** Newest first, as the daemon's; two more are written between the question
 *  for the newest and the next one. */
static int journal(const struct web_request *r, json_t **body, void *arg)
{
	const char *limit = web_query(r, "limit");
	const char *subject = web_query(r, "subject");
	uint64_t newest = limit ? 5 : 7;
	uint64_t least = limit ? newest + 1 - strtoull(limit, NULL, 10) : 1;

	(void)arg;
	*body = json_array();
	for (uint64_t i = newest; i >= least; i--)
		if (!subject || (i & 1))
			json_array_append_new(*body, event(i, "alarm.state"));
	return 200;
}

static void publish_event(struct env *e, uint64_t id, const char *type)
{
	json_t *o = event(id, type);
	char *text = json_dumps(o, JSON_COMPACT);

	CHECK(text);
	web_publish(e->web, id, type, text);
	free(text);
	json_decref(o);
}

/* ------------------------------------------------------------- the program */

static char said[20000];

static FILE *start(const struct env *e, const char *arguments)
{
	char command[1200];
	FILE *f;

	snprintf(command, sizeof(command),
		 "LC_ALL=C; export LC_ALL; exec %s -s %s %s 2>&1", program,
		 e->path, arguments);
	f = popen(command, "r");
	CHECK(f);
	return f;
}

static int finish(FILE *f)
{
	int status = pclose(f);

	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/** Runs it; all it said is in `said`. */
static int ctl(const struct env *e, const char *arguments)
{
	FILE *f = start(e, arguments);
	size_t n = fread(said, 1, sizeof(said) - 1, f);

	said[n] = '\0';
	return finish(f);
}

static const char zones_table[] =
	"ZONE       DIAL  OUTPUTS  SOUNDS  PRIORITY  BY  WAITING  LEVEL  "
	"VOLUME  QUIET\n"
	"hall       701   1        chime   page      -   3,4      -      -     "
	"  -\n"
	"\xe6\x97\xa5\xe6\x9c\xac       "
	"-     20       -       -         -   -        -      -       -\n"
	"g\xc3\xa4\xcc\x88?[2J??x  "
	"-     3        -       -         -   -        -      -       -\n";

static void looking(struct env *e)
{
	CHECK(ctl(e, "zones") == 0);
	/* Aligned by what one sees; nothing steers the terminal. */
	CHECK(!strcmp(said, zones_table));
	CHECK(ctl(e, "--json zones") == 0);
	CHECK(strstr(said, "\"extension\": \"701\"") && *said == '[');
	CHECK(ctl(e, "zones --json") == 0 && *said == '[');
	CHECK(ctl(e, "alarms") == 0 && !strcmp(said, "no alarms\n"));
	CHECK(ctl(e, "status") == 0);
	CHECK(strstr(said, "site            test\n"));
	CHECK(strstr(said, "realtime        yes\n"));
	CHECK(strstr(said, "worst fault     media ?dead, since now\n"));
	CHECK(!strchr(said, 0x1b));
	CHECK(ctl(e, "config") == 0 && !strcmp(said, "a = 1\n\tb?\n"));
	CHECK(ctl(e, "journal --limit 2 --type alarm.") == 0);
	CHECK(!strcmp(said, "2026-11-23T10:00:00.123  alarm.state           it "
			    "?[1mhappened  [4, user:x]\n"
			    "2026-11-23T10:00:00.123  alarm.state           it "
			    "?[1mhappened  [5, user:x]\n"));
}

static void doing(struct env *e)
{
	CHECK(ctl(e,
		  "page hall yard --message bell --priority 60 --repeat=3") ==
	      0);
	CHECK(!strcmp(said, "broadcast 17 is waiting: outranked\n"));
	CHECK(was_asked("POST /broadcasts {\"message\":\"bell\","
			"\"priority\":60,\"repeat\":3,\"zones\":[\"hall\","
			"\"yard\"]}"));
	CHECK(ctl(e, "page --tone=\"din 1\" --priority page -- --x") == 0);
	CHECK(was_asked("POST /broadcasts {\"priority\":\"page\","
			"\"tone\":\"din 1\",\"zones\":[\"--x\"]}"));
	CHECK(ctl(e, "trigger gas") == 0 && !strcmp(said, "gas is active\n"));
	CHECK(ctl(e, "ack 'a b%'") == 0);
	CHECK(!strcmp(said, "a b% is acknowledged\n"));
	CHECK(ctl(e, "inhibit --for 2h gas") == 0);
	CHECK(was_asked("POST /alarms/gas/inhibit {\"for\":\"2h\"}"));
	CHECK(strstr(said, "starts nothing until 2026-11-23T10:00:00Z"));
	CHECK(ctl(e, "input door on") == 0);
	CHECK(was_asked("POST /inputs/door {\"active\":true}"));
	CHECK(!strcmp(said, "door is active\n"));
	CHECK(ctl(e, "stop 17") == 0 && !strcmp(said, "stopped\n"));
	CHECK(ctl(e, "--json stop 17") == 0 && !*said);
	CHECK(ctl(e, "reload --json") == 0 && strstr(said, "\"loading\""));
}

static void refused(struct env *e)
{
	static const char *const wrong[] = {
		"",
		"nonsense",
		"--nonsense",
		"zones x",
		"page",
		"page hall",
		"page hall --tone",
		"page hall --tone a --message b",
		"page --tone a",
		"page hall --tone a --loud 1",
		"stop",
		"stop x",
		"stop 1 2",
		"trigger",
		"trigger a b",
		"trigger ''",
		"inhibit gas",
		"inhibit gas --for",
		"input door",
		"input door maybe",
		"journal x",
		"journal --since",
		"watch x",
		"reload now",
		"-s",
		"page hall --message \"$(printf '\\377')\"",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		note("");
		CHECK(ctl(e, wrong[i]) == 2);
		CHECK(strstr(said, "tocsinctl"));
		CHECK(was_asked(""));
	}
	CHECK(ctl(e, "trigger fire") == 1);
	CHECK(!strcmp(said, "tocsinctl: refused (404): there is no "
			    "/alarms/fire/trigger; do something?[31m else\n"));
	CHECK(ctl(e, "--json trigger fire") == 1);
	CHECK(strstr(said, "\"code\": \"not-found\""));
	CHECK(ctl(e, "--help") == 0 && strstr(said, "journal"));
	CHECK(ctl(e, "page --help") == 0 && strstr(said, "ZONE..."));
	CHECK(ctl(e, "--version") == 0 && strstr(said, TOCSIN_VERSION));
}

static void nobody(struct env *e)
{
	order_now(e, ORDER_FREE, 0);
	CHECK(ctl(e, "zones") == 3);
	CHECK(strstr(said, e->path) && strstr(said, "systemctl start tocsin"));
	CHECK(ctl(e, "watch") == 3);
	CHECK(strstr(said, e->path));
	CHECK(ctl(e, "-s /a/path/that/is/too/long/for/a/socket/"
		     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		     "aaaaaaaaaaaaaaaaaaa zones") == 3);
	CHECK(strstr(said, "too long"));
	order_now(e, ORDER_START, 0);
}

/** The number at the end of an event's line. */
static uint64_t next_event(FILE *f)
{
	char line[512], *p;

	do
		CHECK(fgets(line, sizeof(line), f));
	while (!strstr(line, "happened"));
	p = strrchr(line, '[');
	CHECK(p);
	return strtoull(p + 1, NULL, 10);
}

static void await_stream(const struct env *e)
{
	struct web_counters c;

	AWAIT((web_counters(e->web, &c), c.streams == 1));
}

/** Ends the program that is the only client. */
static void interrupt(FILE *f)
{
	/* popen() has a shell exec it: its child is the program. */
	char command[128];
	int pid = 0;
	FILE *p;

	snprintf(command, sizeof(command), "pgrep -P %d tocsinctl",
		 (int)getpid());
	p = popen(command, "r");
	CHECK(p && fscanf(p, "%d", &pid) == 1 && pid > 0);
	pclose(p);
	CHECK(!kill(pid, SIGINT));
	CHECK(finish(f) == 0);
}

static void watching(struct env *e)
{
	char line[256];
	FILE *f = start(e, "watch --type alarm.");

	await_stream(e);
	publish_event(e, 1, "alarm.active");
	publish_event(e, 2, "zone.state");
	publish_event(e, 3, "alarm.state");
	CHECK(next_event(f) == 1 && next_event(f) == 3);
	/* It outlives a daemon, and misses nothing and says nothing twice. */
	order_now(e, ORDER_FREE, 0);
	CHECK(fgets(line, sizeof(line), f) && strstr(line, "away"));
	order_now(e, ORDER_START, 0);
	publish_event(e, 4, "alarm.state");
	publish_event(e, 5, "alarm.state");
	CHECK(next_event(f) == 4);
	CHECK(next_event(f) == 5);
	interrupt(f);
}

static void following(struct env *e)
{
	FILE *f;

	for (uint64_t i = 1; i <= 9; i++)
		publish_event(e, i, "alarm.state");
	/* 9 is not on record yet; the even ones are another's. */
	f = start(e, "journal --follow --subject alarm:gas");
	for (uint64_t i = 1; i <= 9; i += 2)
		CHECK(next_event(f) == i);
	publish_event(e, 10, "alarm.state");
	publish_event(e, 11, "alarm.state");
	CHECK(next_event(f) == 11);
	interrupt(f);
}

static void serve_table(void (*client)(struct env *e))
{
	struct env e;

	env_init(&e, false);
	e.request = answer;
	e.blocking = journal;
	CHECK(!env_start(&e, NULL));
	env_run(&e, client);
	env_end(&e);
}

static void test_looking(void **state)
{
	(void)state;
	serve_table(looking);
}

static void test_doing(void **state)
{
	(void)state;
	serve_table(doing);
}

static void test_refused(void **state)
{
	(void)state;
	serve_table(refused);
}

static void test_no_daemon(void **state)
{
	(void)state;
	serve_table(nobody);
}

/** What a command that asks no daemon says of a line of input. */
static int hashed(const char *input, const char *arguments)
{
	char command[400];
	FILE *f;
	size_t n;

	snprintf(command, sizeof(command), "printf '%s' | %s %s 2>&1", input,
		 program, arguments);
	f = popen(command, "r");
	assert_non_null(f);
	n = fread(said, 1, sizeof(said) - 1, f);
	said[n] = '\0';
	return finish(f);
}

static void test_passwd(void **state)
{
	const char *hash;
	char line[200];
	(void)state;

	assert_int_equal(hashed("long enough\\n", "passwd shift"), 0);
	assert_memory_equal(said, "user \"shift\" { password-hash = '$y$", 35);
	hash = strchr(said, '$');
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(hash, "'"), hash);
	assert_string_equal(crypt("long enough", line), line);
	assert_string_not_equal(crypt("long enoug", line), line);
	assert_int_equal(hashed("long enough", "passwd --json shift"), 0);
	assert_memory_equal(said, "\"$y$", 4);
	assert_int_equal(hashed("too short", "passwd shift"), 1);
	assert_non_null(strstr(said, "at least 10 bytes"));
	assert_int_equal(hashed("", "passwd shift"), 1);
	assert_int_equal(hashed("long enough", "passwd"), 2);
	assert_int_equal(hashed("long enough", "passwd \"a:b\""), 2);
}

static void test_token(void **state)
{
	(void)state;
	assert_int_equal(
		hashed("", "token scada --scope page --scope=view --zone hall "
			   "--message shift --expires 2030-01-01"),
		0);
	assert_memory_equal(said, "token \"scada\" { hash = \"sha256:", 31);
	assert_non_null(strstr(
		said,
		"\"  scopes = { \"page\", \"view\" }  zones = { \"hall\" }  "
		"messages = { \"shift\" }  expires = \"2030-01-01\" }\n"));
	assert_non_null(strstr(said, "this once:\ntocsin_"));
	assert_int_equal(hashed("", "--json token a --scope metrics"), 0);
	assert_non_null(strstr(said, "\"token\": \"tocsin_"));
	assert_int_equal(hashed("", "token a"), 2);
	assert_int_equal(hashed("", "token --scope view"), 2);
	assert_int_equal(hashed("", "token a b --scope view"), 2);
	assert_int_equal(hashed("", "token a --scope king"), 2);
	assert_non_null(strstr(said, "metrics, view, page"));
}

static void test_watch(void **state)
{
	(void)state;
	serve_table(watching);
}

static void test_follow(void **state)
{
	(void)state;
	serve_table(following);
}

static void check_safe(const char *in, const char *out, size_t size, int width)
{
	char buf[64];

	text_safe(buf, size, in, false);
	assert_string_equal(buf, out);
	assert_int_equal(text_width(buf), width);
}

static void test_safe_text(void **state)
{
	(void)state;
	check_safe("", "", 64, 0);
	check_safe("a\nb\tc\x1b[0m\x7f", "a?b?c?[0m?", 64, 10);
	check_safe("\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac", 64, 2);
	check_safe("\xe6\x97\xa5", "\xe6\x97\xa5", 64, 2);
	check_safe("\xc2\x9b\xe2\x80\xae\xef\xbb\xbf", "???", 64, 3);
	check_safe("\xff\xc3-\xed\xa0\x80\xc0\xaf\xf5",
		   "?"
		   "?-?????"
		   "?",
		   64, 9);
	check_safe("\xe6\x97", "??", 64, 2);
	check_safe("abcdefg", "abcdefg", 8, 7);
	check_safe("abcdefgh", "abcd...", 8, 7);
	/* Never half a character. */
	check_safe("abc\xc3\xa4\xc3\xa4\xc3\xa4", "abc...", 8, 6);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_safe_text),
		cmocka_unit_test(test_looking),
		cmocka_unit_test(test_doing),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_daemon),
		cmocka_unit_test(test_passwd),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_follow),
	};
	char *self = realpath("/proc/self/exe", NULL);

	(void)argc;
	(void)argv;
	CHECK(self);
	/* BUILD/tests/unit/web/test_ctl: beside it is BUILD/tocsinctl. */
	for (int i = 0; i < 4; i++)
		dirname(self);
	snprintf(program, sizeof(program), "%s/tocsinctl", self);
	free(self);
	CHECK(!access(program, X_OK));
	setlocale(LC_CTYPE, "C.UTF-8");
	control_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
