/* Names looked up by a thread: the answer comes to the loop, or to nobody. */
#include "controller/sip/lookup.h"
#include "peer.h"

struct result {
	unsigned told;
	size_t n;
	struct sa first;
	char why[128];
};

static void on_result(const struct sa *v, size_t n, const char *why, void *arg)
{
	struct result *r = arg;

	r->told++;
	r->n = n;
	if (n)
		r->first = v[0];
	snprintf(r->why, sizeof(r->why), "%s", why);
}

static struct result look(const char *host)
{
	struct result r = {.told = 0};
	struct lookup *l;

	assert_int_equal(lookup_start(&l, host, on_result, &r), 0);
	/* never before it returns */
	assert_int_equal(r.told, 0);
	wait_until(r.told);
	assert_int_equal(r.told, 1);
	return r;
}

static void test_found(void **state)
{
	struct result r = look("localhost");
	struct sa sa;

	(void)state;
	assert_true(r.n >= 1 && r.n <= LOOKUP_MAX);
	assert_true(sa_isset(&r.first, SA_ADDR));
	assert_int_equal(sa_port(&r.first), 0);

	r = look("192.0.2.7");
	assert_int_equal(r.n, 1);
	assert_int_equal(sa_set_str(&sa, "192.0.2.7", 0), 0);
	assert_true(sa_cmp(&r.first, &sa, SA_ADDR));
}

/* RFC 6761 6.4: there is no such name, whoever is asked. */
static void test_not_found(void **state)
{
	const struct result r = look("pbx.invalid");

	(void)state;
	assert_int_equal(r.n, 0);
	assert_true(r.why[0]);
}

/* Let go of before the answer, in any order: nobody is told. */
static void test_forgotten(void **state)
{
	struct result r[8] = {{0}};
	struct lookup *l[8];
	struct result last;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(
			lookup_start(&l[i], "localhost", on_result, &r[i]), 0);
	for (size_t i = 0; i < 8; i++)
		lookup_end(l[(i * 3) % 8]);
	lookup_end(NULL);
	last = look("localhost");
	assert_int_equal(last.told, 1);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(r[i].told, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_not_found),
		cmocka_unit_test(test_forgotten),
	};

	return cmocka_run_group_tests(tests, world_libre, world_no_libre);
}
