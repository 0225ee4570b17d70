/* Texts for phones: sent, answered, tried again, and never out of order. */
#include "controller/displays.h"
#include "controller/sip/ask.h"
#include "tests/unit/sip/peer.h"

static struct world w;
static struct peer p;
static struct recorder *recorder;
static struct displays *displays;
static unsigned shown, not_shown;
static char said[256];
static unsigned answers;
static uint16_t status;

static void on_event(const struct event *e, void *arg)
{
	(void)arg;
	shown += e->type == EVENT_ALARM_EFFECT;
	not_shown += e->type == EVENT_ALARM_EFFECT_FAILED;
	snprintf(said, sizeof(said), "%s", e->text);
}

static int setup(void **state)
{
	(void)state;
	shown = not_shown = answers = 0;
	world_init(&w);
	world_open(&w);
	peer_open(&p, FRIEND, false);
	assert_int_equal(recorder_alloc(&recorder, NULL), 0);
	recorder_sink(recorder, on_event, NULL);
	assert_int_equal(displays_alloc(&displays, recorder), 0);
	displays_stack(displays, w.stack);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	displays = displays_free(displays);
	world_close(&w);
	peer_close(&p);
	recorder_free(recorder);
	return 0;
}

static char *uri(void)
{
	static char text[64];

	snprintf(text, sizeof(text), "sip:201@%s:%u", p.host, p.port);
	return text;
}

static void show(const char *text)
{
	char *phone = uri();

	displays_show(displays, &phone, 1, text, "alarm:gas", 0);
}

static void expect_text(const char *text)
{
	expect(&p, "MESSAGE ");
	assert_string_equal(strstr(p.msg, "\r\n\r\n") + 4, text);
}

static void test_shown(void **state)
{
	(void)state;
	show("Gas: leave the hall");
	assert_int_equal(shown, 0);
	expect_text("Gas: leave the hall");
	assert_string_equal(peer_header(&p, "Content-Type"),
			    "text/plain;charset=UTF-8");
	assert_string_equal(peer_header(&p, "Content-Length"), "19");
	peer_reply(&p, "200 OK");
	wait_until(shown);
	assert_non_null(strstr(said, "shows \"Gas: leave the hall\""));
	assert_int_equal(not_shown, 0);
}

static void test_refused_for_good(void **state)
{
	(void)state;
	show("Gas");
	expect_text("Gas");
	peer_reply(&p, "405 Method Not Allowed");
	wait_until(not_shown);
	assert_non_null(strstr(said, "405 (it takes no messages)"));
}

/* Busy now: asked again, in a request of its own. */
static void test_again(void **state)
{
	char first[128];

	(void)state;
	show("Gas");
	expect_text("Gas");
	snprintf(first, sizeof(first), "%s", peer_header(&p, "Call-ID"));
	peer_reply(&p, "480 Away");
	wait_until((expect_text("Gas"),
		    strcmp(peer_header(&p, "Call-ID"), first)));
	peer_reply(&p, "200 OK");
	wait_until(shown);
	assert_int_equal(not_shown, 0);
}

/* That it is over must not be followed by that it is active. */
static void test_newer(void **state)
{
	(void)state;
	show("active");
	expect_text("active");
	peer_reply(&p, "503 Busy");
	settle();
	show("over");
	wait_until(not_shown);
	assert_non_null(strstr(said, "something newer"));
	expect_text("over");
	peer_reply(&p, "200 OK");
	wait_until(shown);
	assert_int_equal(not_shown, 1);
}

static void test_unknown_phone(void **state)
{
	char *phone = (char *)(uintptr_t) "nobody";

	(void)state;
	displays_show(displays, &phone, 1, "Gas", "alarm:gas", 0);
	displays_stack(displays, NULL);
	turn();
	/* forgotten while it waits for its next attempt */
	displays = displays_free(displays);
	assert_int_equal(shown + not_shown, 0);
}

static void test_bound(void **state)
{
	static char names[DISPLAYS_MAX + 1][24];
	static char *phones[DISPLAYS_MAX + 1];

	(void)state;
	for (unsigned i = 0; i <= DISPLAYS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "phone-%u", i);
		phones[i] = names[i];
	}
	displays_show(displays, phones, DISPLAYS_MAX + 1, "Gas", "alarm:gas",
		      0);
	wait_until(not_shown);
	assert_int_equal(not_shown, 1);
	assert_non_null(strstr(said, "on their way already"));
}

static void on_answer(struct ask *a, uint16_t s, void *arg)
{
	(void)a;
	(void)arg;
	answers++;
	status = s;
}

static void test_ask(void **state)
{
	static char text[ASK_MAX_TEXT + 2];
	struct reason why;
	struct ask *a;

	(void)state;
	memset(text, 'x', ASK_MAX_TEXT + 1);
	assert_int_equal(ask_message(&a, w.stack, uri(), text, 100, on_answer,
				     NULL, &why),
			 EMSGSIZE);
	text[ASK_MAX_TEXT] = '\0';
	assert_int_equal(ask_message(&a, w.stack, uri(), text, PATIENCE_MS,
				     on_answer, NULL, &why),
			 0);
	expect_text(text);
	/* A challenge without a password to answer it with is an answer. */
	peer_reply(&p, "401 Unauthorized");
	wait_until(answers);
	assert_int_equal(status, 401);
	assert_int_equal(
		ask_message(&a, w.stack, uri(), "x", 20, on_answer, NULL, &why),
		0);
	wait_until(answers == 2);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_shown), T(test_refused_for_good), T(test_again),
		T(test_newer), T(test_unknown_phone),    T(test_bound),
		T(test_ask),
#undef T
	};

	return cmocka_run_group_tests(tests, world_libre, world_no_libre);
}
