#include "register.h"

#include <stdio.h>
#include <string.h>

bool register_expire(struct bindings *b, uint64_t now_ms)
{
	size_t n = 0;
	bool gone;

	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].until_ms > now_ms) {
			if (n != i)
				b->v[n] = b->v[i];
			n++;
		}
	gone = n != b->n;
	b->n = n;
	return gone;
}

static void refuse(struct register_verdict *v, uint16_t status,
		   const char *reason)
{
	v->status = status;
	v->reason = reason;
}

/* 10.3 step 6 and 7: a request that overtook another of its call changes
 * nothing. */
static bool out_of_order(const struct binding *b,
			 const struct register_request *rq)
{
	return !strcmp(b->call_id, rq->call_id) && rq->cseq <= b->cseq;
}

static void remove_all(const struct bindings *old,
		       const struct register_request *rq,
		       struct register_verdict *v)
{
	if (rq->n || !rq->has_expires || rq->expires) {
		refuse(v, 400, "Contact: * goes alone and with Expires: 0");
		return;
	}
	for (size_t i = 0; i < old->n; i++)
		if (out_of_order(&old->v[i], rq)) {
			refuse(v, 500, "REGISTER out of order");
			return;
		}
	v->after.n = 0;
}

static size_t find(const struct bindings *b, const char *uri)
{
	size_t i;

	for (i = 0; i < b->n && strcmp(b->v[i].uri, uri); i++)
		;
	return i;
}

static void take_off(struct bindings *b, size_t i)
{
	b->n--;
	memmove(&b->v[i], &b->v[i + 1], (b->n - i) * sizeof(b->v[0]));
}

/* Room for one more. */
static size_t make_room(struct bindings *b)
{
	size_t first = 0;

	if (b->n == REGISTER_CONTACTS) {
		for (size_t i = 1; i < b->n; i++)
			if (b->v[i].until_ms < b->v[first].until_ms)
				first = i;
		take_off(b, first);
	}
	return b->n++;
}

static bool apply(const struct register_request *rq,
		  const struct register_contact *c,
		  const struct register_limits *limits,
		  struct register_verdict *v)
{
	struct bindings *b = &v->after;
	const uint32_t asked = c->has_expires    ? c->expires
			       : rq->has_expires ? rq->expires
						 : limits->max_s;
	size_t i = find(b, c->uri);

	if (i < b->n && out_of_order(&b->v[i], rq)) {
		refuse(v, 500, "REGISTER out of order");
		return false;
	}
	if (!asked) {
		if (i < b->n)
			take_off(b, i);
		return true;
	}
	if (asked < limits->min_s) {
		refuse(v, 423, "Interval Too Brief");
		return false;
	}
	if (i == b->n)
		i = make_room(b);
	memset(&b->v[i], 0, sizeof(b->v[i]));
	memcpy(b->v[i].uri, c->uri, sizeof(c->uri));
	memcpy(b->v[i].reach, c->reach, sizeof(c->reach));
	memcpy(b->v[i].call_id, rq->call_id, sizeof(rq->call_id));
	memcpy(b->v[i].agent, rq->agent, sizeof(rq->agent));
	b->v[i].cseq = rq->cseq;
	b->v[i].from = rq->from;
	b->v[i].until_ms =
		rq->now_ms + (asked < limits->max_s ? asked : limits->max_s) *
				     UINT64_C(1000);
	return true;
}

void register_decide(const struct bindings *old,
		     const struct register_request *rq,
		     const struct register_limits *limits,
		     struct register_verdict *v)
{
	v->status = 200;
	v->reason = "OK";
	v->after = *old;
	(void)register_expire(&v->after, rq->now_ms);
	if (rq->star) {
		remove_all(old, rq, v);
		return;
	}
	for (size_t i = 0; i < rq->n; i++)
		if (!apply(rq, &rq->v[i], limits, v))
			return;
}
