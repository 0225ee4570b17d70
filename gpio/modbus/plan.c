#include "gpio/modbus/plan.h"

#include <stdlib.h>

static int by_number(unsigned long a, unsigned long b)
{
	return (a > b) - (a < b);
}

/** Those that may share a request stand together, by address. */
static int by_place(const void *pa, const void *pb, void *arg)
{
	const struct mbus_point *points = arg;
	const struct mbus_point *a = &points[*(const size_t *)pa];
	const struct mbus_point *b = &points[*(const size_t *)pb];
	int d = by_number(a->unit, b->unit);

	if (!d)
		d = by_number(a->table, b->table);
	if (!d)
		d = by_number(a->poll_ms, b->poll_ms);
	if (!d)
		d = by_number(a->alone, b->alone);
	if (!d)
		d = by_number(a->address, b->address);
	if (!d)
		d = by_number(a->count, b->count);
	return d ? d : by_number(*(const size_t *)pa, *(const size_t *)pb);
}

static bool joins(const struct mbus_read *r, bool alone,
		  const struct mbus_point *p, const struct mbus_limits *limits)
{
	unsigned end = r->address + r->count, p_end = p->address + p->count;
	unsigned most = limits->registers;

	if (mbus_is_bit(r->table))
		most = most * 16 < MBUS_MAX_BITS ? most * 16 : MBUS_MAX_BITS;
	if (r->unit != p->unit || r->table != p->table ||
	    r->poll_ms != p->poll_ms || alone != p->alone)
		return false;
	if (alone)
		return p->address == r->address && p->count == r->count;
	if (p->address > end && p->address - end > limits->gap)
		return false;
	return (p_end > end ? p_end : end) - r->address <= most;
}

size_t mbus_plan(const struct mbus_point *p, size_t n,
		 const struct mbus_limits *limits, size_t *order,
		 struct mbus_read *reads)
{
	struct mbus_read *r = NULL;
	size_t used = 0, n_reads = 0;
	bool alone = false;

	for (size_t i = 0; i < n; i++)
		if (!p[i].no_readback)
			order[used++] = i;
	qsort_r(order, used, sizeof(*order), by_place, (void *)(uintptr_t)p);
	for (size_t i = 0; i < used; i++) {
		const struct mbus_point *x = &p[order[i]];
		unsigned end = x->address + x->count;

		if (!r || !joins(r, alone, x, limits)) {
			r = &reads[n_reads++];
			*r = (struct mbus_read){
				.unit = x->unit,
				.table = x->table,
				.address = x->address,
				.poll_ms = x->poll_ms,
				.first = i,
			};
			alone = x->alone;
		}
		if (end > (unsigned)r->address + r->count)
			r->count = (uint16_t)(end - r->address);
		r->n++;
	}
	return n_reads;
}
