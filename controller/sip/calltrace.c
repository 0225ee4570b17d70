#include "calltrace.h"

#include "caller.h"
#include "mask.h"
#include "rawheader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CALLS                                                              \
	(CALLTRACE_MAX_ANSWERED + CALLTRACE_MAX_REFUSED + CALLTRACE_MAX_MADE)
/** A Call-ID beyond this is no call of ours. */
#define MAX_CALL_ID 256

static const struct {
	size_t calls, bytes;
} limits[CALLTRACE_KINDS] = {
	[CALLTRACE_ANSWERED] = {CALLTRACE_MAX_ANSWERED,
				CALLTRACE_BYTES_ANSWERED},
	[CALLTRACE_REFUSED] = {CALLTRACE_MAX_REFUSED, CALLTRACE_BYTES_REFUSED},
	[CALLTRACE_MADE] = {CALLTRACE_MAX_MADE, CALLTRACE_BYTES_MADE},
};

struct message {
	struct calltrace_message m; /**< text: what follows */
	char text[];
};

struct call {
	struct calltrace_call see;
	size_t bytes;
	struct message *first[CALLTRACE_FIRST];
	struct message *last[CALLTRACE_LAST]; /**< a ring */
	char call_id[MAX_CALL_ID], from[128], to[128];
};

/** What is looked at in all calls for each message, close together. */
struct entry {
	struct call *call;
	uint64_t used; /**< by the store's clock of messages */
	uint32_t hash; /**< of its Call-ID */
	enum calltrace_kind kind;
};

struct calltrace {
	struct entry v[MAX_CALLS + 1];
	size_t n;
	struct {
		size_t calls, bytes;
	} now[CALLTRACE_KINDS];
	uint64_t numbers, clock;
};

int calltrace_alloc(struct calltrace **tp)
{
	struct calltrace *t = calloc(1, sizeof(*t));

	if (!t)
		return ENOMEM;
	*tp = t;
	return 0;
}

static void drop(struct calltrace *t, size_t i)
{
	struct call *c = t->v[i].call;

	t->now[c->see.kind].calls--;
	t->now[c->see.kind].bytes -= c->bytes;
	t->v[i] = t->v[--t->n];
	for (size_t k = 0; k < CALLTRACE_FIRST; k++)
		free(c->first[k]);
	for (size_t k = 0; k < CALLTRACE_LAST; k++)
		free(c->last[k]);
	free(c);
}

struct calltrace *calltrace_free(struct calltrace *t)
{
	while (t && t->n)
		drop(t, 0);
	free(t);
	return NULL;
}

/* ---------------------------------------------------------------- messages */

static bool is_answer(const struct calltrace_message *m)
{
	return m->size > 12 && !memcmp(m->text, "SIP/2.0 ", 8);
}

static bool begins_call(const struct calltrace_message *m)
{
	return m->size > 7 && !memcmp(m->text, "INVITE ", 7);
}

/** Of a final answer to an INVITE, else 0. */
static uint16_t final_status(const struct calltrace_message *m)
{
	struct raw_span cseq;

	if (!is_answer(m) || m->text[8] < '2' || m->text[8] > '6' ||
	    !raw_find(m->text, m->size, "CSeq", 0, &cseq) || cseq.len < 6 ||
	    memcmp(m->text + cseq.at + cseq.len - 6, "INVITE", 6))
		return 0;
	return (uint16_t)strtoul(m->text + 8, NULL, 10);
}

/** FNV-1a. Only saves looking: equal ones are compared whole. */
static uint32_t hash_of(const char *p, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)p[i]) * 16777619u;
	return h;
}

static struct entry *find(struct calltrace *t, const char *p, size_t len)
{
	const uint32_t h = hash_of(p, len);

	for (size_t i = 0; i < t->n; i++) {
		const char *id = t->v[i].call->call_id;

		if (t->v[i].hash == h && !memcmp(id, p, len) && !id[len])
			return &t->v[i];
	}
	return NULL;
}

/** A header as it may be shown, without what belongs to no name or address. */
static void show(char *dst, size_t size, const struct calltrace_message *m,
		 const char *name, char compact)
{
	struct raw_span v = {0, 0};
	char text[256];

	(void)raw_find(m->text, m->size, name, compact, &v);
	if (v.len > sizeof(text))
		v.len = sizeof(text);
	memcpy(text, m->text + v.at, v.len);
	mask_uris(text, v.len);
	caller_clean(dst, size, text, v.len);
}

static struct entry *begin(struct calltrace *t,
			   const struct calltrace_message *m,
			   const struct raw_span *id)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	memcpy(c->call_id, m->text + id->at, id->len);
	show(c->from, sizeof(c->from), m, "From", 'f');
	show(c->to, sizeof(c->to), m, "To", 't');
	c->see = (struct calltrace_call){
		.number = ++t->numbers,
		.call_id = c->call_id,
		.from = c->from,
		.to = c->to,
		.kind = m->sent ? CALLTRACE_MADE : CALLTRACE_REFUSED,
		.since_wall_us = m->wall_us,
	};
	t->v[t->n] = (struct entry){
		.call = c,
		.hash = hash_of(c->call_id, id->len),
		.kind = c->see.kind,
	};
	t->now[c->see.kind].calls++;
	return &t->v[t->n++];
}

static struct message *keep(const struct calltrace_message *m)
{
	const size_t n =
		m->size < CALLTRACE_MESSAGE ? m->size : CALLTRACE_MESSAGE;
	struct message *x = malloc(sizeof(*x) + n);

	if (!x)
		return NULL;
	x->m = *m;
	x->m.kept = n;
	x->m.text = x->text;
	memcpy(x->text, m->text, n);
	mask_secrets(x->text, n);
	return x;
}

static size_t cost(const struct message *x)
{
	return x ? sizeof(*x) + x->m.kept : 0;
}

static void add(struct calltrace *t, struct call *c, struct message *x)
{
	const uint64_t n = c->see.messages++;
	struct message **place =
		n < CALLTRACE_FIRST
			? &c->first[n]
			: &c->last[(n - CALLTRACE_FIRST) % CALLTRACE_LAST];
	const size_t bytes = c->bytes + cost(x) - cost(*place);

	t->now[c->see.kind].bytes += bytes - c->bytes;
	c->bytes = bytes;
	free(*place);
	*place = x;
	if (c->see.kept < CALLTRACE_FIRST + CALLTRACE_LAST)
		c->see.kept++;
}

static void set_kind(struct calltrace *t, struct entry *e,
		     enum calltrace_kind kind)
{
	struct call *c = e->call;

	e->kind = kind;
	t->now[c->see.kind].calls--;
	t->now[c->see.kind].bytes -= c->bytes;
	c->see.kind = kind;
	t->now[kind].calls++;
	t->now[kind].bytes += c->bytes;
}

/** Down to what a kind may have; the newest is always within it. */
static void make_room(struct calltrace *t, enum calltrace_kind kind)
{
	while (t->now[kind].calls > limits[kind].calls ||
	       t->now[kind].bytes > limits[kind].bytes) {
		size_t oldest = SIZE_MAX;

		for (size_t i = 0; i < t->n; i++)
			if (t->v[i].kind == kind &&
			    (oldest == SIZE_MAX ||
			     t->v[i].used < t->v[oldest].used))
				oldest = i;
		drop(t, oldest);
	}
}

void calltrace_take(struct calltrace *t, const struct calltrace_message *m)
{
	const bool begins = begins_call(m);
	struct raw_span id;
	struct message *x;
	struct entry *e;
	struct call *c;
	uint16_t status;

	if (!t->n && !begins)
		return;
	if (!raw_find(m->text, m->size, "Call-ID", 'i', &id) || !id.len ||
	    id.len >= MAX_CALL_ID || memchr(m->text + id.at, 0, id.len))
		return;
	e = find(t, m->text + id.at, id.len);
	if (!e && begins)
		e = begin(t, m, &id);
	if (!e)
		return;
	c = e->call;
	x = keep(m);
	if (x)
		add(t, c, x);
	e->used = ++t->clock;
	c->see.last_wall_us = m->wall_us;
	status = final_status(m);
	if (status)
		c->see.status = status;
	if (m->sent && status && status < 300 &&
	    c->see.kind == CALLTRACE_REFUSED)
		set_kind(t, e, CALLTRACE_ANSWERED);
	make_room(t, c->see.kind);
}

void calltrace_record(struct calltrace *t, const char *call_id, uint64_t record)
{
	const size_t n = strlen(call_id);
	struct entry *e = n && n < MAX_CALL_ID ? find(t, call_id, n) : NULL;

	if (e)
		e->call->see.record = record;
}

/* ------------------------------------------------------------------ to see */

bool calltrace_see(const struct calltrace *t, size_t i,
		   struct calltrace_call *c)
{
	if (i >= t->n)
		return false;
	*c = t->v[i].call->see;
	return true;
}

/** A number from 1; 0 = it is none. */
static uint64_t number_of(const char *s)
{
	const size_t n = strlen(s);

	return n && n < 20 && strspn(s, "0123456789") == n
		       ? strtoull(s, NULL, 10)
		       : 0;
}

bool calltrace_find(const struct calltrace *t, const char *name,
		    struct calltrace_call *c)
{
	const uint64_t record = number_of(name);
	const uint64_t number = *name == 't' ? number_of(name + 1) : 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct call *x = t->v[i].call;

		if ((record && x->see.record == record) ||
		    (number && x->see.number == number) ||
		    !strcmp(x->call_id, name)) {
			*c = x->see;
			return true;
		}
	}
	return false;
}

bool calltrace_message_at(const struct calltrace *t, uint64_t number, size_t i,
			  struct calltrace_message *m)
{
	for (size_t k = 0; k < t->n; k++) {
		const struct call *c = t->v[k].call;
		const uint64_t past = c->see.messages - c->see.kept;
		const struct message *x;

		if (c->see.number != number)
			continue;
		if (i >= c->see.kept)
			return false;
		x = i < CALLTRACE_FIRST ? c->first[i]
					: c->last[(i - CALLTRACE_FIRST + past) %
						  CALLTRACE_LAST];
		*m = x->m;
		return true;
	}
	return false;
}
