#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/base/ring.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

struct el {
	uint64_t number, check;
	char pad[41]; /* elements of an odd size */
};

static struct el make(uint64_t n)
{
	return (struct el){.number = n, .check = ~n, .pad = {(char)n}};
}

static bool is_whole(const struct el *e, uint64_t n)
{
	return e->number == n && e->check == ~n && e->pad[0] == (char)n;
}

static bool push(struct ring *r, uint64_t n)
{
	struct el e = make(n);

	return ring_push(r, &e);
}

static bool stage(struct ring *r, uint64_t n)
{
	struct el e = make(n);

	return ring_stage(r, &e);
}

static void pops(struct ring *r, uint64_t n)
{
	struct el e;

	assert_true(ring_pop(r, &e));
	assert_true(is_whole(&e, n));
}

static void test_sizes(void **state)
{
	struct ring *r = NULL;

	(void)state;
	assert_int_equal(ring_alloc(NULL, 8, 8), EINVAL);
	assert_int_equal(ring_alloc(&r, 0, 8), EINVAL);
	assert_int_equal(ring_alloc(&r, 8, 0), EINVAL);
	assert_int_equal(ring_alloc(&r, 8, 6), EINVAL);
	assert_int_equal(ring_alloc(&r, SIZE_MAX / 2, 4), EINVAL);
	assert_null(r);
	assert_int_equal(ring_alloc(&r, 1, 1), 0);
	r = ring_free(r);
	assert_null(r);
	assert_null(ring_free(NULL));
}

static void test_full_and_empty(void **state)
{
	struct ring *r;
	struct el e;

	(void)state;
	assert_int_equal(ring_alloc(&r, sizeof(e), 4), 0);
	for (uint64_t turn = 0; turn < 10; turn++) {
		assert_false(ring_pop(r, &e));
		assert_int_equal(ring_space(r), 4);
		for (uint64_t i = 0; i < 4; i++)
			assert_true(push(r, turn + i));
		assert_int_equal(ring_space(r), 0);
		assert_false(push(r, 99));
		pops(r, turn);
		assert_int_equal(ring_space(r), 1);
		assert_true(push(r, turn + 4));
		for (uint64_t i = 1; i < 5; i++)
			pops(r, turn + i);
	}
	ring_free(r);
}

static void test_staged_is_unseen_until_published(void **state)
{
	struct ring *r;
	struct el e;

	(void)state;
	assert_int_equal(ring_alloc(&r, sizeof(e), 4), 0);
	assert_true(push(r, 1));
	assert_true(stage(r, 2));
	assert_true(stage(r, 3));
	assert_int_equal(ring_space(r), 1);
	pops(r, 1);
	assert_false(ring_pop(r, &e));
	ring_publish(r);
	pops(r, 2);
	pops(r, 3);
	assert_false(ring_pop(r, &e));
	ring_free(r);
}

static void test_unstaged_is_forgotten(void **state)
{
	struct ring *r;
	struct el e;

	(void)state;
	assert_int_equal(ring_alloc(&r, sizeof(e), 4), 0);
	assert_true(push(r, 1));
	for (uint64_t i = 2; i < 5; i++)
		assert_true(stage(r, i));
	assert_false(stage(r, 5));
	ring_unstage(r);
	assert_int_equal(ring_space(r), 3);
	assert_true(push(r, 6));
	pops(r, 1);
	pops(r, 6);
	assert_false(ring_pop(r, &e));
	ring_unstage(r);
	ring_publish(r);
	assert_false(ring_pop(r, &e));
	ring_free(r);
}

/* ------------------------------------------------------------- two threads */

#define PUSHED 200000

/* Batches of 1 to 7, each shown at once; every third is thought over again. */
static void *produce(void *arg)
{
	struct ring *r = arg;
	uint64_t n = 0;

	while (n < PUSHED) {
		uint64_t batch = n % 7 + 1, k = 0;

		if (batch > PUSHED - n)
			batch = PUSHED - n;
		while (k < batch && stage(r, n + k))
			k++;
		if (k < batch || n % 3 == 1) {
			bool full = k < batch;

			ring_unstage(r);
			if (full) {
				sched_yield();
				continue;
			}
			for (k = 0; k < batch; k++)
				stage(r, n + k);
		}
		ring_publish(r);
		n += batch;
	}
	return NULL;
}

static void test_two_threads_lose_and_tear_nothing(void **state)
{
	pthread_t producer;
	struct ring *r;
	struct el e;

	(void)state;
	assert_int_equal(ring_alloc(&r, sizeof(e), 16), 0);
	assert_int_equal(pthread_create(&producer, NULL, produce, r), 0);
	for (uint64_t n = 0; n < PUSHED;) {
		if (!ring_pop(r, &e)) {
			sched_yield();
			continue;
		}
		if (!is_whole(&e, n))
			fail_msg("element %llu came as %llu",
				 (unsigned long long)n,
				 (unsigned long long)e.number);
		n++;
	}
	assert_int_equal(pthread_join(producer, NULL), 0);
	assert_false(ring_pop(r, &e));
	assert_int_equal(ring_space(r), 16);
	ring_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_full_and_empty),
		cmocka_unit_test(test_staged_is_unseen_until_published),
		cmocka_unit_test(test_unstaged_is_forgotten),
		cmocka_unit_test(test_two_threads_lose_and_tear_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
