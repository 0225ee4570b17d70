/* Who calls and how urgently, at the running stack: believed of who is trusted,
 * and said to who is to know. */
#include "peer.h"

#include "controller/sip/dial.h"
#include "controller/sip/respri.h"

#define SAID                                                                   \
	"P-Asserted-Identity: \"Gate\" <sip:hp-2@pbx.example>\r\n"             \
	"Resource-Priority: esnet.3\r\n"

static struct world w;
static struct peer p;

static int setup(void **state)
{
	(void)state;
	world_init(&w);
	w.config.levels[CLASS_PAGE] = 100;
	w.config.levels[CLASS_URGENT] = 150;
	w.config.levels[CLASS_EMERGENCY] = 200;
	w.config.levels[CLASS_ALERT] = 220;
	w.config.levels[CLASS_EVACUATE] = 250;
	world_open(&w);
	peer_open(&p, FRIEND, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	peer_close(&p);
	world_close(&w);
	return 0;
}

static void called(void)
{
	w.answer.status = 480;
	p.to_tag[0] = '\0';
	peer_request(&p, "INVITE", "701", SAID, "");
	expect(&p, "SIP/2.0 480 ");
	peer_request(&p, "ACK", "701", "", "");
}

static void test_in(void **state)
{
	(void)state;
	called();
	assert_int_equal(w.rank, RESPRI_NONE);
	assert_null(strstr(w.caller, "hp-2"));
	w.peers[0].trusted = true;
	called();
	assert_int_equal(w.rank, 3);
	assert_string_equal(w.caller, "sip:hp-2@" FRIEND);
	assert_string_equal(w.display, "Gate");
	assert_int_equal(w.pages, 2);
}

static void invited(uint8_t level, const char *said)
{
	static const struct dial_handlers h = {.media = NULL};
	static const uint8_t codecs[] = {CODEC_PCMU};
	struct dial *d = NULL;
	struct reason why = {""};
	char uri[64];
	const struct dial_request rq = {
		.uri = uri,
		.user = "tocsin",
		.codecs = codecs,
		.n_codecs = 1,
		.srtp = SRTP_AUTO,
		.level = level,
	};

	peer_close(&p);
	peer_open(&p, FRIEND, false);
	snprintf(uri, sizeof(uri), "sip:desk@%s:%u", FRIEND, p.port);
	assert_int_equal(dial_start(&d, w.stack, &rq, &h, NULL, &why), 0);
	expect(&p, "INVITE ");
	assert_string_equal(peer_header(&p, "Resource-Priority"), said);
	dial_end(d, NULL);
}

static void test_out(void **state)
{
	(void)state;
	invited(250, "");
	w.peers[0].respri = RESPRI_WPS;
	invited(250, "wps.0");
	invited(199, "wps.3");
	invited(99, "");
	invited(0, "");
	w.peers[0].respri = RESPRI_DSN;
	invited(220, "dsn.flash");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out, setup, teardown),
	};

	return cmocka_run_group_tests(tests, world_libre, world_no_libre);
}
