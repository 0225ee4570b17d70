/* stored.c: pages recorded first and played afterwards, on the real engine;
 * its talker sends RTP. */
#include "site_plan.h"
#include "site_util.h"

#include "tests/unit/zones/socket_util.h"
#include "zones/engine/packet.h"
#include "zones/reel.h"

#define LEG 3
#define PACKET_MS 20
#define PACKET_BYTES 160
#define SILENCE 0xff

#define ROOM(name, group, more)                                                \
	"zone \"" name "\" { multicast \"239.192.9." group                     \
	":24004\" { codec = \"pcmu\" interface = \"lo\" } max-recording = "    \
	"\"5s\" min-recording = \"200ms\" " more " }\n"
#define PLAN                                                                   \
	PLAN_HEAD PLAN_MESSAGES PLAN_ZONE_A ROOM("shed", "4",                  \
						 "recording-wait = \"1s\"")    \
		ROOM("hall", "5", "chime = \"chime-1\"") ROOM("long", "6", "")

struct talker {
	int fd;
	struct sockaddr_storage leg;
	struct packet next;
	unsigned full, dropped; /**< what he was told */
};

static void on_news(struct stored_page *x, enum stored_news news, void *arg)
{
	struct talker *t = arg;

	(void)x;
	t->full += news == STORED_FULL;
	t->dropped += news == STORED_DROPPED;
}

static void open_leg(struct site *s, struct talker *t)
{
	struct media_leg l = {.fd = udp_socket(), .recv = true};

	memset(t, 0, sizeof(*t));
	t->fd = udp_socket();
	t->leg = addr_of("127.0.0.1", port_of(l.fd));
	t->next = (struct packet){.seq = 7, .ts = 1600, .ssrc = 5};
	l.remote = addr_of("127.0.0.1", port_of(t->fd));
	format_default(&l.fmt, CODEC_PCMU, 8000);
	media_begin(s->media);
	media_leg_open(s->media, LEG, &l);
	assert_int_equal(media_commit(s->media), 0);
}

/** Sends so many packets at their pace: sound, or silence. */
static void say(struct site *s, struct talker *t, unsigned packets, bool sound)
{
	uint64_t at = clock_mono_us();

	for (unsigned i = 0; i < packets; i++) {
		uint8_t buf[PACKET_HEADER + PACKET_BYTES];

		packet_header(buf, &t->next);
		/* A square of 200 Hz at half of full scale. */
		for (unsigned k = 0; k < PACKET_BYTES; k++)
			buf[PACKET_HEADER + k] = !sound       ? SILENCE
						 : k / 20 % 2 ? 0x0f
							      : 0x8f;
		sendto(t->fd, buf, sizeof(buf), 0, (struct sockaddr *)&t->leg,
		       sizeof(struct sockaddr_in));
		t->next.seq++;
		t->next.ts += PACKET_BYTES;
		at += PACKET_MS * 1000;
		site_await(s, clock_mono_us() >= at);
	}
}

static struct stored_request request(struct site *s, const int *zone,
				     struct talker *t)
{
	(void)s;
	return (struct stored_request){
		.what = "recorded page",
		.leg = LEG,
		.rate = 8000,
		.level = 100,
		.zones = zone,
		.n_zones = 1,
		.actor = "sip:201",
		.h = on_news,
		.arg = t,
	};
}

/** A page of this zone, its recording on when run. */
static struct stored_page *begin(struct site *s, struct talker *t,
				 const char *zone, bool run)
{
	int z = config_zone_find(s->config, zone);
	struct stored_request rq = request(s, &z, t);
	struct stored_page *x = NULL;
	struct reason why = {""};

	assert_int_equal(stored_probe(s->stored, &rq, &why), 0);
	assert_int_equal(stored_begin(&x, s->stored, &rq, &why), 0);
	if (run)
		stored_run(x);
	return x;
}

static void close_leg(struct site *s, struct talker *t)
{
	media_begin(s->media);
	media_leg_close(s->media, LEG);
	assert_int_equal(media_commit(s->media), 0);
	close(t->fd);
}

/** "recording", "preparing", or "" when it is no page of these any more. */
static const char *state_of(struct site *s, uint64_t id)
{
	static char text[32];
	json_t *o = stored_json(s->stored, id);

	snprintf(text, sizeof(text), "%s",
		 o ? json_string_value(json_object_get(o, "state")) : "");
	json_decref(o);
	return text;
}

/** The text of the last event of a type; fails when there is none. */
static const char *told(struct site *s, enum event_type type)
{
	recorder_flush(s->recorder);
	for (size_t i = s->n_events; i > 0; i--)
		if (s->event[i - 1].type == type)
			return s->event[i - 1].text;
	fail_msg("no such event");
	return "";
}

#define assert_told(s, type, part)                                             \
	do {                                                                   \
		const char *t_ = told(s, type);                                \
		if (!strstr(t_, part))                                         \
			fail_msg("\"%s\" lacks \"%s\"", t_, part);             \
	} while (0)

static size_t listed(struct site *s, const char *zone)
{
	json_t *list = json_array(), *o = json_object();
	size_t n;

	stored_list_json(s->stored, list);
	stored_zone_json(s->stored, config_zone_find(s->config, zone), o);
	n = json_array_size(list);
	assert_int_equal(json_array_size(json_object_get(o, "recording")), n);
	json_decref(list);
	json_decref(o);
	return n;
}

static void test_recorded_then_played(void **state)
{
	struct site *s = site_begin(NULL, true, PLAN);
	struct stored_page *x;
	struct talker t;
	uint64_t id;
	int a, shed;

	(void)state;
	open_leg(s, &t);
	x = begin(s, &t, "shed", false);
	id = stored_id(x);
	assert_string_equal(state_of(s, id), "recording");
	assert_int_equal(listed(s, "shed"), 1);
	a = config_zone_find(s->config, "a");
	shed = config_zone_find(s->config, "shed");
	assert_true(stored_within(s->stored, id, NULL, 0));
	assert_true(stored_within(s->stored, id, &shed, 1));
	assert_false(stored_within(s->stored, id, &a, 1));
	assert_false(stored_within(s->stored, id + 1000, NULL, 0));
	/* What is said before he is told to speak is not kept. */
	say(s, &t, 10, true);
	stored_run(x);
	say(s, &t, 10, false);
	say(s, &t, 30, true);
	say(s, &t, 5, false);
	assert_int_equal(site_packets(s, "shed"), 0);
	stored_end(x, true, "he hung up");
	assert_int_equal(stored_drop(s->stored, id + 1000, "user:x"), ENOENT);
	site_await(s, site_count(s, EVENT_BROADCAST_RECORDED, ""));
	assert_told(s, EVENT_BROADCAST_RECORDED, "(he hung up)");
	/* One number from the first word to the last. */
	assert_string_equal(site_state(s, id), "playing");
	assert_string_equal(state_of(s, id), "");
	assert_int_equal(listed(s, "shed"), 0);
	assert_int_equal(stored_drop(s->stored, id, "user:x"), ENOENT);
	site_await(s, !strcmp(site_state(s, id), "gone"));
	/* 0.6 s, and what is kept around it: 0.9 s. A machine that stops for a
	 * moment makes it a little less. */
	assert_in_range(site_packets(s, "shed"), 15, 50);
	assert_int_equal(site_count(s, EVENT_BROADCAST_DROPPED, ""), 0);
	assert_int_equal(t.full + t.dropped, 0);
	close_leg(s, &t);
	site_end(s, false);
}

/** Cut off by something more urgent it begins again, and with its chime. */
static void test_preempted(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	struct broadcast_result r;
	struct stored_page *x;
	struct talker t;
	uint64_t id, before;
	int hall = config_zone_find(s->config, "hall");
	struct broadcast_request rq = {
		.what = "siren",
		.message = "siren",
		.level = 250,
		.zones = &hall,
		.n_zones = 1,
		.clip = library_message(s->library, "siren"),
	};

	(void)state;
	open_leg(s, &t);
	x = begin(s, &t, "hall", true);
	id = stored_id(x);
	say(s, &t, 60, true);
	stored_end(x, true, "he hung up");
	/* chime-1 lasts 1.5 s; what he said comes after it. */
	site_await(s, site_packets(s, "hall") > 85);
	assert_false(broadcast_chimes(s->broadcasts, id));
	assert_int_equal(broadcast_start(s->broadcasts, &rq, &r), 0);
	assert_string_equal(site_state(s, id), "waiting");
	broadcast_stop(s->broadcasts, r.id, "x", 0, "x");
	assert_true(broadcast_chimes(s->broadcasts, id));
	before = site_packets(s, "hall");
	site_await(s, !strcmp(site_state(s, id), "gone"));
	assert_true(site_packets(s, "hall") >= before + 125);
	close_leg(s, &t);
	site_end(s, false);
}

/** Waits as long as it may behind something more urgent, and no longer. */
static void test_waits_and_expires(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	struct broadcast_result r;
	struct stored_page *x;
	struct talker t;
	uint64_t id;
	int shed = config_zone_find(s->config, "shed");
	struct broadcast_request rq = {
		.what = "siren",
		.message = "siren",
		.level = 250,
		.zones = &shed,
		.n_zones = 1,
		.clip = library_message(s->library, "siren"),
	};

	(void)state;
	assert_int_equal(broadcast_start(s->broadcasts, &rq, &r), 0);
	open_leg(s, &t);
	x = begin(s, &t, "shed", true);
	id = stored_id(x);
	say(s, &t, 30, true);
	stored_end(x, true, "he hung up");
	site_await(s, !strcmp(site_state(s, id), "waiting"));
	site_await(s, !strcmp(site_state(s, id), "gone"));
	assert_int_equal(site_count(s, EVENT_BROADCAST_RECORDED, ""), 1);
	/* Its place is free again. */
	x = begin(s, &t, "shed", false);
	stored_end(x, false, "no more");
	close_leg(s, &t);
	site_end(s, false);
}

static void test_not_played(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	struct stored_page *x;
	struct talker t;
	uint64_t id;

	(void)state;
	open_leg(s, &t);
	/* Ended before it began. */
	x = begin(s, &t, "shed", false);
	stored_end(x, true, "he hung up early");
	assert_told(s, EVENT_BROADCAST_DROPPED, "he hung up early");
	assert_int_equal(listed(s, "shed"), 0);
	/* Discarded. */
	x = begin(s, &t, "shed", true);
	say(s, &t, 5, true);
	stored_end(x, false, "discarded by key *");
	assert_told(s, EVENT_BROADCAST_DROPPED, "key *");
	/* Nothing in it; too little in it. */
	x = begin(s, &t, "shed", true);
	say(s, &t, 15, false);
	stored_end(x, true, "he hung up");
	site_await(s, site_count(s, EVENT_BROADCAST_DROPPED, "") == 3);
	assert_told(s, EVENT_BROADCAST_DROPPED, "nothing was said in it");
	x = begin(s, &t, "shed", true);
	say(s, &t, 6, true);
	say(s, &t, 15, false);
	stored_end(x, true, "he hung up");
	site_await(s, site_count(s, EVENT_BROADCAST_DROPPED, "") == 4);
	assert_told(s, EVENT_BROADCAST_DROPPED, "s of speech");
	/* Taken away from him: he is told, once, and still ends it. */
	x = begin(s, &t, "shed", true);
	id = stored_id(x);
	assert_int_equal(stored_drop(s->stored, id, "user:x"), 0);
	assert_int_equal(stored_drop(s->stored, id, "user:x"), ENOENT);
	assert_int_equal(t.dropped, 1);
	assert_string_equal(state_of(s, id), "");
	assert_told(s, EVENT_BROADCAST_DROPPED, "stopped by user:x");
	stored_end(x, true, "he hung up");
	site_turn(s);
	assert_int_equal(site_count(s, EVENT_BROADCAST_DROPPED, ""), 5);
	assert_int_equal(site_count(s, EVENT_BROADCAST_RECORDED, ""), 0);
	assert_int_equal(site_packets(s, "shed"), 0);
	close_leg(s, &t);
	site_end(s, false);
}

/** As long as it may be: he is told, what fits is played. */
static void test_full(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	struct stored_page *x;
	struct talker t;
	uint64_t id;

	(void)state;
	open_leg(s, &t);
	x = begin(s, &t, "long", true);
	id = stored_id(x);
	for (int i = 0; i < 400 && !t.full; i++)
		say(s, &t, 1, true);
	assert_int_equal(t.full, 1);
	assert_string_equal(state_of(s, id), "recording");
	stored_end(x, true, "longest");
	site_await(s, site_count(s, EVENT_BROADCAST_RECORDED, ""));
	assert_told(s, EVENT_BROADCAST_RECORDED, "5.0 s recorded");
	broadcast_stop(s->broadcasts, id, "x", 0, "x");
	close_leg(s, &t);
	site_end(s, false);
}

static void test_limits(void **state)
{
	struct site *s = site_begin(
		NULL, false,
		PLAN "zone \"big\" { max-recording = \"180s\" multicast "
		     "\"239.192.9.7:24004\" { interface = \"lo\" } }\n");
	struct stored_page *x[STORED_MAX + 1] = {NULL};
	int z = config_zone_find(s->config, "shed");
	struct stored_request rq = request(s, &z, NULL);
	struct reason why = {""};
	size_t n = 0;

	(void)state;
	while (n < STORED_MAX)
		assert_int_equal(stored_begin(&x[n++], s->stored, &rq, &why),
				 0);
	assert_int_equal(stored_begin(&x[n], s->stored, &rq, &why), ENOSPC);
	assert_non_null(strstr(why.text, "16 recorded pages"));
	assert_int_equal(stored_probe(s->stored, &rq, &why), ENOSPC);
	while (n)
		stored_end(x[--n], false, "no more");
	/* Few that are long. */
	z = config_zone_find(s->config, "big");
	rq.rate = 48000;
	while (!stored_begin(&x[n], s->stored, &rq, &why))
		n++;
	assert_int_equal(n, STORED_MAX_BYTES / reel_bytes(48000, 180000));
	assert_non_null(strstr(why.text, "64 MiB"));
	stored_end(x[--n], false, "no more");
	assert_int_equal(stored_probe(s->stored, &rq, &why), 0);
	while (n)
		stored_end(x[--n], false, "no more");
	site_end(s, false);
}

/** Its zone goes with a reload while he speaks. */
static void test_zone_taken_out(void **state)
{
	struct site *s = site_begin(NULL, false, PLAN);
	struct stored_page *x;
	struct talker t;

	(void)state;
	open_leg(s, &t);
	x = begin(s, &t, "shed", true);
	say(s, &t, 25, true);
	site_configure(s, PLAN_BASE);
	assert_int_equal(stored_within(s->stored, stored_id(x), &(int){0}, 1),
			 0);
	stored_end(x, true, "he hung up");
	site_await(s, site_count(s, EVENT_BROADCAST_DROPPED, ""));
	assert_told(s, EVENT_BROADCAST_DROPPED,
		    "taken out of the configuration");
	close_leg(s, &t);
	site_end(s, false);
}

/** Nothing old fires: what a kill left is told, once. */
static void test_restart(void **state)
{
	struct site *s = site_begin(NULL, true, PLAN);
	struct stored_page *x;
	struct talker t;
	char dir[64], subject[40];

	(void)state;
	open_leg(s, &t);
	x = begin(s, &t, "shed", true);
	snprintf(subject, sizeof(subject), "broadcast:%llu",
		 (unsigned long long)stored_id(x));
	snprintf(dir, sizeof(dir), "%s", s->dir);
	close_leg(s, &t);
	site_end(s, true);
	for (unsigned run = 0; run < 2; run++) {
		s = site_begin(dir, true, PLAN);
		stored_restore(s->stored);
		assert_int_equal(
			site_count(s, EVENT_BROADCAST_DROPPED, subject), !run);
		if (!run)
			assert_told(s, EVENT_BROADCAST_DROPPED,
				    "recorded page of shed by sip:201 was not "
				    "played: the daemon was restarted");
		site_end(s, !run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_then_played),
		cmocka_unit_test(test_preempted),
		cmocka_unit_test(test_waits_and_expires),
		cmocka_unit_test(test_not_played),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_zone_taken_out),
		cmocka_unit_test(test_restart),
	};
	int err;

	log_init(LOG_LEVEL_ERROR);
	if (libre_init())
		return 1;
	err = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return err;
}
