#include "stack.h"

#include "controller/base/clock.h"
#include "controller/sip/account_internal.h"
#include "controller/sip/core.h"
#include "controller/sip/guard.h"
#include "controller/sip/lamp_internal.h"
#include "controller/sip/policy.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Refusals told to the owner; all are counted. Of strangers a few a second
 * together, of a friend's requests that policy turns away a few for each. */
#define STRANGERS_PER_S 1
#define STRANGERS_BURST 5
#define REFUSALS_PER_S 2
#define REFUSALS_BURST 20

static uint64_t guard_drops(void)
{
	struct guard_counters c;

	guard_counters(&c);
	return c.junk + c.bad;
}

static int alloc_limits(struct stack *s)
{
	const uint64_t seed = rand_u64();
	int err;

	err = limit_alloc(&s->requests, POLICY_REQUESTS_PER_S,
			  POLICY_REQUESTS_BURST, seed);
	if (!err)
		err = limit_alloc(&s->invites, POLICY_INVITES_PER_S,
				  POLICY_INVITES_BURST, seed);
	if (!err)
		err = limit_alloc(&s->invites_all, POLICY_INVITES_ALL_PER_S,
				  POLICY_INVITES_ALL_BURST, seed);
	if (!err)
		err = limit_alloc(&s->kept, POLICY_KEPT_PER_S,
				  POLICY_KEPT_BURST, seed);
	if (!err)
		err = limit_alloc(&s->tell_strangers, STRANGERS_PER_S,
				  STRANGERS_BURST, seed);
	if (!err)
		err = limit_alloc(&s->tell_refusals, REFUSALS_PER_S,
				  REFUSALS_BURST, seed);
	return err;
}

int stack_alloc(struct stack **sp, const struct config *c,
		const struct stack_handlers *h, void *arg, struct reason *why)
{
	struct stack *s;
	int err;

	/* libre's own warnings go to stderr, one for each reset connection. */
	dbg_init(DBG_CRIT, DBG_NONE);
	err = guard_self_test(why);
	if (err)
		return err;

	s = calloc(1, sizeof(*s));
	if (!s)
		return reason_set(why, ENOMEM, "out of memory");
	s->config = c;
	s->h = *h;
	s->arg = arg;
	list_init(&s->listeners);
	list_init(&s->calls);
	list_init(&s->dials);
	s->dial_fd = -1;
	s->guard_base = guard_drops();
	err = alloc_limits(s);
	if (!err)
		err = calltrace_alloc(&s->trace);
	if (!err)
		err = dtls_identity_alloc(&s->identity);
	if (!err)
		err = registrar_alloc(&s->registrar, s);
	if (!err)
		err = account_all_alloc(&s->accounts, s);
	if (!err)
		err = lamps_alloc(&s->lamps, s);
	if (err)
		reason_set(why, err, "the SIP stack cannot be made: %s",
			   strerror(err));
	else
		err = listener_update(s, c, why);
	if (!err && account_all_configure(s->accounts))
		err = reason_set(why, ENOMEM, "out of memory");
	if (err)
		stack_free(s);
	else
		*sp = s;
	return err;
}

int stack_reconfigure(struct stack *s, const struct config *c,
		      struct reason *why)
{
	int err = listener_update(s, c, why);

	/* Whatever became of the listeners: the old one is freed. */
	s->config = c;
	if ((registrar_configure(s->registrar) ||
	     account_all_configure(s->accounts)) &&
	    !err)
		err = reason_set(why, ENOMEM, "out of memory");
	lamps_configure(s->lamps);
	return err;
}

struct stack *stack_free(struct stack *s)
{
	if (!s)
		return NULL;
	call_end_all(s, NULL, "shutting down");
	dial_end_all(s, NULL, "shutting down");
	if (s->lamps)
		lamps_close(s->lamps, NULL);
	s->lamps = lamps_free(s->lamps);
	s->accounts = account_all_free(s->accounts);
	listener_close_all(s);
	if (s->dial_fd >= 0)
		close(s->dial_fd);
	registrar_free(s->registrar);
	calltrace_free(s->trace);
	mem_deref(s->identity);
	limit_free(s->requests);
	limit_free(s->invites);
	limit_free(s->invites_all);
	limit_free(s->kept);
	limit_free(s->tell_strangers);
	limit_free(s->tell_refusals);
	free(s);
	return NULL;
}

unsigned stack_calls(const struct stack *s)
{
	return s->n_calls;
}

const struct calltrace *stack_trace(const struct stack *s)
{
	return s->trace;
}

void stack_counters(const struct stack *s, struct stack_counters *c)
{
	*c = s->counters;
	c->guard_dropped = guard_drops() - s->guard_base;
}

bool stack_exposes(const struct stack *s, enum sip_transp tp)
{
	return tp != SIP_TRANSP_TLS &&
	       s->config->sip.srtp_keys == SRTP_KEYS_TLS;
}

void stack_tell_refused(struct stack *s, const struct sa *src, const char *what,
			uint16_t status)
{
	struct sockaddr_storage from;

	tc_sa_get(&from, src);
	s->h.refused(&from, what, status, s->arg);
}

void stack_tell_turned_away(struct stack *s, const struct sa *src,
			    const char *what, uint16_t status)
{
	static const struct sockaddr_in everybody = {.sin_family = AF_INET};
	const uint64_t now = clock_mono_ms();
	const bool tell =
		status ? limit_take(s->tell_refusals, &src->u.sa, now)
		       : limit_take(s->tell_strangers,
				    (const struct sockaddr *)&everybody, now);

	if (tell)
		stack_tell_refused(s, src, what, status);
}
