/* Conferences: everybody hears all others and not himself, each in his own
 * codec; who leaves, or is on hold, is heard no more. */
#include "tests/unit/zones/media_util.h"
#include "tests/unit/zones/sound_util.h"
#include "zones/sound/coder.h"

#define LEGS 3
#define FIRST 20
#define PACKETS 60
/** Judged: the middle of what was heard. */
#define JUDGED 20

static const double pitch[LEGS] = {440, 1000, 1750};

struct talker {
	struct media_leg l;
	struct sockaddr_storage leg;
	struct packet next;
	struct pcm said;
	struct encoder *enc;
	unsigned at; /* packets said */
};

static void open_leg(struct world *w, struct receiver *rx, struct talker *t,
		     unsigned i, enum codec codec)
{
	int fd = udp_socket();
	const uint32_t rate = codec == CODEC_PCMU ? 8000 : 16000;

	receiver_open(rx);
	t->leg = addr_of("127.0.0.1", port_of(fd));
	t->l = (struct media_leg){
		.fd = fd, .recv = true, .send = true, .remote = rx->addr};
	format_default(&t->l.fmt, codec, rate);
	t->next = (struct packet){
		.pt = t->l.fmt.pt, .seq = 7, .ts = 1600, .ssrc = 5 + i};
	t->said = sine(pitch[i], PACKETS * 20, 6000, rate);
	t->at = 0;
	assert_int_equal(encoder_alloc(&t->enc, codec), 0);
	encoder_reset(t->enc, &t->l.fmt, EFFORT_LIVE);
	media_leg_open(w->m, FIRST + i, &t->l);
}

/** One packet of what it says. */
static void say(struct receiver *rx, struct talker *t)
{
	uint8_t buf[PACKET_HEADER + 1280];
	const uint32_t n = format_samples(&t->l.fmt);
	size_t bytes;

	packet_header(buf, &t->next);
	bytes = encoder_run(t->enc, buf + PACKET_HEADER,
			    t->said.v + (size_t)t->at++ * n);
	sendto(rx->fd, buf, PACKET_HEADER + bytes, 0,
	       (struct sockaddr *)&t->leg, sizeof(struct sockaddr_in));
	t->next.seq++;
	t->next.ts += format_ticks(&t->l.fmt);
}

/** All say everything they have, at their pace. */
static void all_say(struct world *w, struct receiver *rx, struct talker *t)
{
	uint64_t at = clock_mono_us();

	for (unsigned k = 0; k < PACKETS; k++) {
		for (unsigned i = 0; i < LEGS; i++)
			say(&rx[i], &t[i]);
		at += 20000;
		await(w, rx, LEGS, clock_mono_us() >= at);
		media_note_own(at);
	}
}

/** How loud leg `by` is in what leg `i` was sent last, as an amplitude. */
static double heard(const struct receiver *rx, const struct talker *t,
		    unsigned by)
{
	const uint32_t n = format_samples(&t->l.fmt);
	static int16_t v[JUDGED * 320];
	struct decoder *d = NULL;
	unsigned from = rx->n - JUDGED - 8;

	assert_true(rx->n > JUDGED + 8);
	assert_int_equal(decoder_alloc(&d, t->l.fmt.codec, t->l.fmt.rate), 0);
	for (unsigned k = 0; k < JUDGED; k++)
		assert_int_equal(decoder_run(d, v + (size_t)k * n, n,
					     rx->v[from + k].p.payload,
					     rx->v[from + k].p.len),
				 n);
	decoder_free(d);
	return sound_at(v, (size_t)JUDGED * n, t->l.fmt.rate, pitch[by]);
}

static void begin(struct world *w, struct receiver *rx, struct talker *t,
		  enum codec third)
{
	static const enum codec codec[] = {CODEC_PCMU, CODEC_L16};

	world_begin(w, 100, 0);
	media_begin(w->m);
	for (unsigned i = 0; i < LEGS; i++)
		open_leg(w, &rx[i], &t[i], i, i < 2 ? codec[i] : third);
	for (unsigned i = 0; i < LEGS; i++)
		media_leg_room(w->m, FIRST + i, 4);
	assert_int_equal(media_commit(w->m), 0);
}

static void end(struct world *w, struct receiver *rx, struct talker *t)
{
	world_end(w);
	for (unsigned i = 0; i < LEGS; i++) {
		receiver_close(&rx[i]);
		encoder_free(t[i].enc);
		free(t[i].said.v);
	}
}

static void all_but_himself(void **state)
{
	static struct world w;
	struct receiver rx[LEGS];
	struct talker t[LEGS];
	(void)state;

	begin(&w, rx, t, CODEC_G722);
	all_say(&w, rx, t);
	for (unsigned i = 0; i < LEGS; i++)
		for (unsigned by = 0; by < LEGS; by++) {
			double a = heard(&rx[i], &t[i], by);

			if (i == by)
				assert_true(a < 300);
			else
				assert_true(a > 5000 && a < 7000);
		}
	end(&w, rx, t);
}

static void who_is_on_hold_or_has_left_is_not_heard(void **state)
{
	static struct world w;
	struct receiver rx[LEGS];
	struct talker t[LEGS];
	(void)state;

	begin(&w, rx, t, CODEC_PCMA);
	media_begin(w.m);
	t[1].l.recv = t[1].l.send = false;
	media_leg_update(w.m, FIRST + 1, &t[1].l);
	media_leg_room(w.m, FIRST + 2, -1);
	assert_int_equal(media_commit(w.m), 0);
	all_say(&w, rx, t);
	for (unsigned by = 0; by < LEGS; by++)
		assert_true(heard(&rx[0], &t[0], by) < 300);
	/* Who has left is sent silence. */
	for (unsigned by = 0; by < LEGS; by++)
		assert_true(heard(&rx[2], &t[2], by) < 300);
	/* Back again, in another codec: heard again. */
	media_begin(w.m);
	t[1].l.recv = t[1].l.send = true;
	media_leg_update(w.m, FIRST + 1, &t[1].l);
	media_leg_close(w.m, FIRST + 2);
	assert_int_equal(media_commit(w.m), 0);
	for (unsigned i = 0; i < LEGS; i++)
		t[i].at = 0;
	all_say(&w, rx, t);
	assert_true(heard(&rx[0], &t[0], 1) > 5000);
	assert_true(heard(&rx[1], &t[1], 0) > 5000);
	end(&w, rx, t);
}

static void too_many_are_refused(void **state)
{
	static struct world w;
	struct receiver rx[LEGS];
	struct talker t[LEGS];
	(void)state;

	begin(&w, rx, t, CODEC_PCMU);
	/* A leg that is not open, a room there is not. */
	media_begin(w.m);
	media_leg_room(w.m, FIRST + 9, 4);
	assert_int_equal(media_commit(w.m), EINVAL);
	media_begin(w.m);
	media_leg_room(w.m, FIRST, MEDIA_MAX_ROOMS);
	assert_int_equal(media_commit(w.m), EINVAL);
	for (unsigned i = LEGS; i <= MEDIA_ROOM_LEGS; i++) {
		struct media_leg l = t[0].l;

		l.fd = udp_socket();
		media_begin(w.m);
		media_leg_open(w.m, FIRST + i, &l);
		assert_int_equal(media_commit(w.m), 0);
		media_begin(w.m);
		media_leg_room(w.m, FIRST + i, 4);
		assert_int_equal(media_commit(w.m),
				 i < MEDIA_ROOM_LEGS ? 0 : EINVAL);
	}
	/* One leaves, and there is room. */
	media_begin(w.m);
	media_leg_close(w.m, FIRST);
	media_leg_room(w.m, FIRST + MEDIA_ROOM_LEGS, 4);
	assert_int_equal(media_commit(w.m), 0);
	end(&w, rx, t);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_but_himself),
		cmocka_unit_test(who_is_on_hold_or_has_left_is_not_heard),
		cmocka_unit_test(too_many_are_refused),
	};

	(void)argc;
	return media_run_tests(tests, argv);
}
