/* The planner against one that tries every way of cutting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gpio/modbus/plan.h"

#include <stdlib.h>
#include <string.h>

#define MAX 64

static size_t order[MAX];
static struct mbus_read reads[MAX];

static unsigned most_of(enum mbus_table t, const struct mbus_limits *l)
{
	unsigned most = l->registers;

	if (mbus_is_bit(t))
		most = most * 16 > 2000 ? 2000 : most * 16;
	return most;
}

static bool same_kind(const struct mbus_point *a, const struct mbus_point *b)
{
	return a->unit == b->unit && a->table == b->table &&
	       a->poll_ms == b->poll_ms && a->alone == b->alone;
}

/* May these be read together, whatever is between them? */
static bool is_request(const struct mbus_point *p, const size_t *set, size_t n,
		       const struct mbus_limits *l)
{
	unsigned low = 65536, high = 0;

	for (size_t i = 0; i < n; i++) {
		const struct mbus_point *x = &p[set[i]];

		if (!same_kind(x, &p[set[0]]))
			return false;
		if (x->alone && (x->address != p[set[0]].address ||
				 x->count != p[set[0]].count))
			return false;
		if (x->address < low)
			low = x->address;
		if (x->address + x->count > high)
			high = x->address + x->count;
	}
	if (high - low > most_of(p[set[0]].table, l))
		return false;
	for (unsigned a = low, hole = 0; a < high; a++) {
		bool any = false;

		for (size_t i = 0; i < n; i++)
			any |= a >= p[set[i]].address &&
			       a < (unsigned)p[set[i]].address +
					       p[set[i]].count;
		hole = any ? 0 : hole + 1;
		if (hole > l->gap)
			return false;
	}
	return true;
}

/* The fewest requests, by trying every subset that holds the first point. */
static size_t fewest(const struct mbus_point *p, const size_t *left, size_t n,
		     const struct mbus_limits *l)
{
	size_t best = n;

	if (!n)
		return 0;
	for (unsigned mask = 0; mask < 1u << (n - 1); mask++) {
		size_t set[8], rest[8], n_set = 0, n_rest = 0, k;

		set[n_set++] = left[0];
		for (size_t i = 1; i < n; i++)
			if (mask >> (i - 1) & 1)
				set[n_set++] = left[i];
			else
				rest[n_rest++] = left[i];
		if (!is_request(p, set, n_set, l))
			continue;
		k = 1 + fewest(p, rest, n_rest, l);
		if (k < best)
			best = k;
	}
	return best;
}

/* Every point in exactly one request, which holds it and nothing else. */
static size_t check(const struct mbus_point *p, size_t n,
		    const struct mbus_limits *l)
{
	size_t n_reads = mbus_plan(p, n, l, order, reads), used = 0;
	bool seen[MAX] = {false};

	for (size_t i = 0; i < n_reads; i++) {
		const struct mbus_read *r = &reads[i];
		unsigned low = 65536, high = 0;

		assert_int_equal(r->first, used);
		assert_true(r->n >= 1);
		used += r->n;
		assert_true(is_request(p, order + r->first, r->n, l));
		for (size_t k = 0; k < r->n; k++) {
			const struct mbus_point *x = &p[order[r->first + k]];

			assert_false(seen[order[r->first + k]]);
			seen[order[r->first + k]] = true;
			assert_int_equal(x->unit, r->unit);
			assert_int_equal(x->table, r->table);
			assert_int_equal(x->poll_ms, r->poll_ms);
			if (x->address < low)
				low = x->address;
			if (x->address + x->count > high)
				high = x->address + x->count;
		}
		assert_int_equal(r->address, low);
		assert_int_equal(r->count, high - low);
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(seen[i], !p[i].no_readback);
	return n_reads;
}

static unsigned draw(unsigned n)
{
	return (unsigned)rand() % n;
}

static void test_as_few_as_can_be(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 4000; round++) {
		struct mbus_limits l = {.gap = draw(4),
					.registers = 2 + draw(8)};
		size_t n = 1 + draw(7), left[8], n_left = 0;
		struct mbus_point p[8] = {{0}};

		for (size_t i = 0; i < n; i++) {
			enum mbus_table t = draw(2) ? MBUS_HOLDING : MBUS_COIL;

			p[i] = (struct mbus_point){
				.unit = (uint8_t)(1 + draw(8) / 7),
				.table = t,
				.address = (uint16_t)draw(t ? 24 : 90),
				.count = (uint8_t)(t ? 1 + draw(2) : 1),
				.poll_ms = 100 + draw(8) / 7,
				.alone = !draw(10),
				.no_readback = !draw(12),
			};
			if (!p[i].no_readback)
				left[n_left++] = i;
		}
		assert_int_equal(check(p, n, &l), fewest(p, left, n_left, &l));
	}
}

static void test_limits_of_the_protocol(void **state)
{
	struct mbus_limits l = {.gap = 125, .registers = 125};
	struct mbus_point p[3] = {
		{.unit = 1, .table = MBUS_HOLDING, .address = 0, .count = 1},
		{.unit = 1, .table = MBUS_HOLDING, .address = 123, .count = 2},
		{.unit = 1, .table = MBUS_HOLDING, .address = 124, .count = 2},
	};

	(void)state;
	assert_int_equal(check(p, 2, &l), 1);
	assert_int_equal(reads[0].count, 125);
	assert_int_equal(check(p, 3, &l), 2);
	l.gap = 121;
	assert_int_equal(check(p, 2, &l), 2);
	p[0].table = p[1].table = MBUS_DISCRETE;
	p[0].count = p[1].count = 1;
	l.gap = 125;
	p[1].address = 126;
	assert_int_equal(check(p, 2, &l), 1);
	p[1].address = 127;
	assert_int_equal(check(p, 2, &l), 2);
	/* The last address there is. */
	p[0].address = 65535;
	assert_int_equal(check(p, 1, &l), 1);
	assert_int_equal(mbus_plan(p, 0, &l, order, reads), 0);
}

static void test_2000_bits(void **state)
{
	static struct mbus_point p[2001];
	static size_t o[2001];
	static struct mbus_read r[2001];
	struct mbus_limits l = {.gap = 0, .registers = 125};

	(void)state;
	for (unsigned i = 0; i < 2001; i++)
		p[i] = (struct mbus_point){.unit = 1,
					   .table = MBUS_COIL,
					   .address = (uint16_t)(2000 - i),
					   .count = 1};
	assert_int_equal(mbus_plan(p, 2001, &l, o, r), 2);
	assert_int_equal(r[0].count, 2000);
	assert_int_equal(r[1].count, 1);
	l.registers = 10;
	assert_int_equal(mbus_plan(p, 2001, &l, o, r), 13);
	assert_int_equal(r[0].count, 160);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_few_as_can_be),
		cmocka_unit_test(test_limits_of_the_protocol),
		cmocka_unit_test(test_2000_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
