/*
 * The proof that the media thread allocates nothing, locks nothing and writes
 * no log: this program's own malloc family, mutexes and write() stand before
 * the C library's, and note every call that comes from a thread of that name.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

#include <stdio.h>

/* A sanitizer stands where we would stand. */
int main(void)
{
	puts("left out under a sanitizer");
	return 0;
}

#else

#include "tests/unit/zones/media_util.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>

static _Atomic unsigned calls;
static const char *_Atomic what;
/** The thread the engine made: every thread but the main one. */
static pthread_t main_thread;
static _Atomic bool armed;

static void note(const char *name)
{
	if (!atomic_load(&armed) || pthread_equal(pthread_self(), main_thread))
		return;
	atomic_fetch_add(&calls, 1);
	atomic_store(&what, name);
}

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);
void *__libc_memalign(size_t align, size_t n);
ssize_t __write(int fd, const void *buf, size_t n);

/* The linker must see them, so they are not hidden. */
#define SEEN __attribute__((visibility("default")))

SEEN void *malloc(size_t n)
{
	note("malloc");
	return __libc_malloc(n);
}

SEEN void *calloc(size_t n, size_t size)
{
	note("calloc");
	return __libc_calloc(n, size);
}

SEEN void *realloc(void *p, size_t n)
{
	note("realloc");
	return __libc_realloc(p, n);
}

SEEN void free(void *p)
{
	if (p)
		note("free");
	__libc_free(p);
}

SEEN void *aligned_alloc(size_t align, size_t n)
{
	note("aligned_alloc");
	return __libc_memalign(align, n);
}

SEEN int pthread_mutex_lock(pthread_mutex_t *m)
{
	static int (*next)(pthread_mutex_t *);

	note("pthread_mutex_lock");
	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "pthread_mutex_lock");
	return next(m);
}

SEEN ssize_t write(int fd, const void *buf, size_t n)
{
	/* The only thing it writes are event counters of eight bytes. */
	if (fd <= STDERR_FILENO || n != sizeof(uint64_t))
		note("write");
	return __write(fd, buf, n);
}

static struct media_set all(unsigned n)
{
	struct media_set s = {{0}};

	for (unsigned i = 0; i < n; i++)
		media_set_add(&s, i);
	return s;
}

static void *allocate(void *arg)
{
	void *p = malloc(10);

	(void)arg;
	free(p);
	return NULL;
}

/** The proof would prove nothing if it saw nothing. */
static void interposers_work(void **state)
{
	pthread_t t;
	(void)state;

	assert_int_equal(pthread_create(&t, NULL, allocate, NULL), 0);
	pthread_join(t, NULL);
	atomic_store(&armed, true);
	assert_int_equal(pthread_create(&t, NULL, allocate, NULL), 0);
	pthread_join(t, NULL);
	atomic_store(&armed, false);
	assert_true(atomic_load(&calls) >= 2);
	atomic_store(&calls, 0);
}

static void thread_does_nothing_forbidden(void **state)
{
	enum { N = 6 };
	struct format f[N];
	struct clip *c, *music;
	struct receiver r[N], caller;
	struct media_set s = all(N);
	struct media_play p = {0};
	struct media_leg leg = {0};
	struct media_output phone;
	struct packet pk = {.ssrc = 3};
	struct world w;
	uint8_t b[PACKET_HEADER + CODEC_OPUS_BYTES];
	const uint8_t *payload;
	uint64_t at;
	int fd = udp_socket();
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port_of(fd)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	(void)state;

	for (unsigned i = 0; i < N; i++)
		format_default(&f[i],
			       i < 2    ? CODEC_PCMU
			       : i == 2 ? CODEC_PCMA
			       : i == 3 ? CODEC_L16
			       : i == 4 ? CODEC_G722
					: CODEC_OPUS,
			       48000);
	c = sine_clip(440, 200, 40, f, N);
	music = sine_clip(300, 500, 0, f, N);
	world_begin(&w, 40, 200);
	atomic_store(&armed, true);
	receiver_open(&caller);
	media_begin(w.m);
	for (unsigned i = 0; i < N; i++) {
		struct media_output o;

		receiver_open(&r[i]);
		o = output_to(&r[i], &f[i]);
		if (i == 1) /* cannot be sent to */
			((struct sockaddr_in *)&o.dst)->sin_port = 0;
		if (i == 2) {
			o.delay_ms = 60;
			o.copy_us = 5000;
			o.srtp.on = true;
			o.srtp.tag = 10;
			o.fan = &caller.addr;
			o.n_fan = 1;
		}
		media_output_set(w.m, i, &o);
	}
	phone = output_to(&caller, &f[0]);
	phone.polycom = (struct media_polycom){.channel = 26, .serial = 1};
	media_output_set(w.m, N, &phone);
	media_set_add(&s, N);
	assert_int_equal(media_commit(w.m), 0);
	leg = (struct media_leg){.fd = fd,
				 .remote = caller.addr,
				 .fmt = f[0],
				 .event_pt = 101,
				 .send = true,
				 .recv = true};
	media_begin(w.m);
	p = (struct media_play){music, 0, 0, 1};
	media_play(w.m, 0, &p);
	p = (struct media_play){c, 2, 40, 2};
	media_play(w.m, 1, &p);
	media_leg_open(w.m, 3, &leg);
	media_live(w.m, 2, 3, 3);
	media_route(w.m, &s, 1, 0, -120);
	media_leg_prompt(w.m, 3, c, 1);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, N,
	      reports(&w, MEDIA_FINISHED, 1) &&
		      reports(&w, MEDIA_PROMPT_DONE, 3) &&
		      reports(&w, MEDIA_OUTPUT_ERROR, 1));
	media_begin(w.m);
	media_stop(w.m, 1);
	media_route(w.m, &s, 2, 0, MEDIA_BG_PAUSED);
	assert_int_equal(media_commit(w.m), 0);
	at = clock_mono_us();
	for (unsigned i = 0; i < 30; i++, pk.seq++, pk.ts += 160, at += 20000) {
		memset(b, (int)i, sizeof(b));
		packet_header(b, &pk);
		await(&w, r, N, clock_mono_us() >= at);
		/* With a loss, a duplicate and a word of a stranger. */
		for (unsigned k = 0; k < (i == 9 ? 0u : i == 12 ? 2u : 1u); k++)
			sendto(i == 15 ? r[0].fd : caller.fd, b,
			       PACKET_HEADER + 160, 0, (struct sockaddr *)&to,
			       sizeof(to));
	}
	await(&w, r, N, reports(&w, MEDIA_LEG_SILENT, 3));
	/* Callers with G.722 and Opus, who lose packets too. */
	for (unsigned c2 = 4; c2 < N; c2++) {
		leg.fmt = f[c2];
		media_begin(w.m);
		media_leg_update(w.m, 3, &leg);
		media_leg_prompt(w.m, 3, c, 1);
		media_route(w.m, &s, 2, c2 == 4 ? 0 : -1, -120);
		assert_int_equal(media_commit(w.m), 0);
		at = clock_mono_us();
		for (unsigned i = 0; i < 25; i++, at += 20000) {
			size_t bytes;

			pk.pt = leg.fmt.pt;
			packet_header(b, &pk);
			pk.seq++;
			pk.ts += format_ticks(&leg.fmt);
			payload =
				clip_payload(c, (int)c2, false, i % 8, &bytes);
			memcpy(b + PACKET_HEADER, payload, bytes);
			await(&w, r, N, clock_mono_us() >= at);
			if (i % 10 != 9)
				sendto(caller.fd, b, PACKET_HEADER + bytes, 0,
				       (struct sockaddr *)&to, sizeof(to));
		}
	}
	leg.fmt = f[2];
	media_begin(w.m);
	media_leg_update(w.m, 3, &leg);
	media_pause(w.m, 0, true);
	media_restart(w.m, 0);
	media_pause(w.m, 0, false);
	media_route(w.m, &s, -1, 0, 0);
	assert_int_equal(media_commit(w.m), 0);
	at = r[0].n;
	await(&w, r, N, r[0].n > at + 10);
	media_begin(w.m);
	media_stop(w.m, 0);
	media_stop(w.m, 2);
	media_leg_close(w.m, 3);
	media_output_set(w.m, 1, NULL);
	assert_int_equal(media_commit(w.m), 0);
	await(&w, r, N,
	      reports(&w, MEDIA_LEG_CLOSED, 3) &&
		      reports(&w, MEDIA_SLOT_FREE, 0) &&
		      reports(&w, MEDIA_SLOT_FREE, 2));
	at = clock_mono_us();
	await(&w, r, N, media_heartbeat(w.m) > at);
	atomic_store(&armed, false);
	world_end(&w);
	if (atomic_load(&calls))
		fail_msg("the media thread called %s (%u calls)",
			 atomic_load(&what), atomic_load(&calls));
	for (unsigned i = 0; i < N; i++)
		receiver_close(&r[i]);
	receiver_close(&caller);
	clip_unref(c);
	clip_unref(music);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interposers_work),
		cmocka_unit_test(thread_does_nothing_forbidden),
	};

	main_thread = pthread_self();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
