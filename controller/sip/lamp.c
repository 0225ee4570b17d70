/*
 * Subscriptions to lamps, from SUBSCRIBE to the last NOTIFY.
 *
 * libre's sipevent is not used: it repeats a document with its old version at a
 * refresh, and knows neither a pace nor a bound. One NOTIFY of a subscription
 * is out at a time; what changes meanwhile is told when its answer is there, so
 * that the last state always arrives.
 */
#include "controller/sip/lamp.h"

#include "controller/base/clock.h"
#include "controller/sip/accept.h"
#include "controller/sip/account_internal.h"
#include "controller/sip/lamp_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* Events come in swarms: looked at this long after the first. */
#define LOOK_MS 20
/* NOTIFYs begun in a millisecond when many lamps change together. */
#define BURST_PER_MS 8

struct lamps {
	struct stack *stack;
	struct list subs;
	unsigned n;
	struct tmr tmr;
	const struct lamp_handlers *h;
	void *arg;
};

struct sub {
	struct le le;
	struct lamps *owner;
	struct listener *l;
	struct sip_dialog *dlg;
	struct sip_request *req; /* the NOTIFY that is out */
	struct tmr due;
	enum sip_transp tp;
	struct sa from;            /* of its last SUBSCRIBE */
	char who[CONFIG_MAX_NAME]; /* endpoint or account, "" = an address */
	bool endpoint;
	char user[64], watcher[160], entity[200], event[80];
	enum lamp_state state; /* told last */
	bool owed;             /* what it is must be told, changed or not */
	bool lost;             /* its other side is gone */
	uint32_t version;      /* of the next document */
	uint64_t told_us, until_us;
};

static void destructor(void *arg)
{
	struct sub *x = arg;

	tmr_cancel(&x->due);
	if (x->le.list) {
		list_unlink(&x->le);
		x->owner->n--;
	}
	mem_deref(x->req);
	mem_deref(x->dlg);
}

int lamps_alloc(struct lamps **lp, struct stack *s)
{
	struct lamps *p = calloc(1, sizeof(*p));

	if (!p)
		return ENOMEM;
	p->stack = s;
	list_init(&p->subs);
	tmr_init(&p->tmr);
	*lp = p;
	return 0;
}

struct lamps *lamps_free(struct lamps *p)
{
	if (!p)
		return NULL;
	tmr_cancel(&p->tmr);
	list_flush(&p->subs);
	free(p);
	return NULL;
}

void lamp_handle(struct stack *s, const struct lamp_handlers *h, void *arg)
{
	s->lamps->h = h;
	s->lamps->arg = arg;
}

/* ------------------------------------------------------------------- NOTIFY */

static void on_due(void *arg);

static void plan(struct sub *x, uint64_t in_ms)
{
	tmr_start(&x->due, in_ms, on_due, x);
}

static uint32_t left_s(const struct sub *x, uint64_t now)
{
	return x->until_us > now
		       ? (uint32_t)((x->until_us - now + 999999) / 1000000)
		       : 0;
}

static void on_answer(int err, const struct sip_msg *msg, void *arg)
{
	struct sub *x = arg;

	if (!err && msg && msg->scode < 200)
		return;
	x->lost = lamp_lost(!err && msg ? msg->scode : 0);
	plan(x, 0);
}

/* ending: why it ends with this one, NULL = it goes on. */
static int notify(struct sub *x, const char *ending)
{
	const uint64_t now = clock_mono_us();
	char body[DIALOG_INFO_SIZE], state[64];
	const size_t len = dialog_info_print(body, sizeof(body), x->entity,
					     x->user, x->version, x->state);

	if (ending)
		snprintf(state, sizeof(state), "terminated;reason=%s", ending);
	else
		snprintf(state, sizeof(state), "active;expires=%u",
			 left_s(x, now));
	x->version++;
	x->told_us = now;
	x->owed = false;
	x->req = mem_deref(x->req);
	return sip_drequestf(&x->req, x->l->sip, true, "NOTIFY", x->dlg, 0,
			     NULL, NULL, on_answer, x,
			     "Contact: <sip:tocsin@%J%s>\r\n"
			     "Event: %s\r\n"
			     "Subscription-State: %s\r\n"
			     "Content-Type: application/dialog-info+xml\r\n"
			     "Content-Length: %zu\r\n"
			     "\r\n"
			     "%b",
			     &x->l->laddr, sip_transp_param(x->tp), x->event,
			     state, len, body, len);
}

/* The last that is said; libre sees to its delivery alone. */
static void end(struct sub *x, const char *reason)
{
	(void)notify(x, reason);
	mem_deref(x);
}

static void on_due(void *arg)
{
	struct sub *x = arg;
	const uint64_t now = clock_mono_us();
	const uint64_t next = x->told_us + LAMP_PACE_MS * UINT64_C(1000);

	if (x->lost) {
		mem_deref(x);
		return;
	}
	if (now >= x->until_us) {
		end(x, "timeout");
		return;
	}
	if (x->owed && !x->req) {
		if (x->told_us && now < next) {
			plan(x, (next - now) / 1000 + 1);
			return;
		}
		x->state = x->owner->h->state(x->user, x->owner->arg);
		if (notify(x, NULL)) {
			mem_deref(x);
			return;
		}
	}
	plan(x, (x->until_us - now) / 1000 + 1);
}

static void look(void *arg)
{
	struct lamps *p = arg;
	unsigned changed = 0;
	struct le *le;

	for (le = list_head(&p->subs); le; le = le->next) {
		struct sub *x = le->data;

		/* A state that came back before it was told is told all the
		 * same when it was owed: on_due() reads it again. */
		if (x->owed || p->h->state(x->user, p->arg) == x->state)
			continue;
		x->owed = true;
		plan(x, changed++ / BURST_PER_MS);
	}
}

void lamp_look(struct stack *s)
{
	struct lamps *p = s->lamps;

	if (p->h && !tmr_isrunning(&p->tmr) && !list_isempty(&p->subs))
		tmr_start(&p->tmr, LOOK_MS, look, p);
}

/* ---------------------------------------------------------------- SUBSCRIBE */

static void refuse(struct listener *l, const struct sip_msg *msg,
		   uint16_t status, const char *reason, const char *header)
{
	l->stack->counters.refused++;
	stack_tell_turned_away(l->stack, &msg->src, reason, status);
	(void)sip_treplyf(NULL, NULL, l->sip, msg, false, status, reason,
			  "%sContent-Length: 0\r\n\r\n", header);
}

/* Does he want what there is? Else he has been told. */
static bool is_ours(struct listener *l, const struct sip_msg *msg,
		    struct sipevent_event *ev)
{
	const struct sip_hdr *event = sip_msg_hdr(msg, SIP_HDR_EVENT);

	if (!event || sipevent_event_decode(ev, &event->val) ||
	    pl_strcmp(&ev->event, "dialog")) {
		refuse(l, msg, 489, "Bad Event", "Allow-Events: dialog\r\n");
		return false;
	}
	if (!accept_wants(msg, "application/dialog-info+xml")) {
		refuse(l, msg, 406, "Not Acceptable",
		       "Accept: application/dialog-info+xml\r\n");
		return false;
	}
	return true;
}

static bool grant(struct listener *l, const struct sip_msg *msg, uint32_t *s)
{
	char header[32];

	switch (lamp_expires(msg->expires.p, msg->expires.l, s)) {
	case 200:
		return true;
	case 423:
		snprintf(header, sizeof(header), "Min-Expires: %d\r\n",
			 LAMP_MIN_S);
		refuse(l, msg, 423, "Interval Too Brief", header);
		return false;
	default:
		refuse(l, msg, 400, "Malformed Expires header", "");
		return false;
	}
}

static bool may(struct listener *l, const struct sip_msg *msg, const char *user,
		const struct config_peer *who)
{
	const struct lamps *p = l->stack->lamps;
	const uint16_t status = p->h ? p->h->may(user, who, p->arg) : 404;

	if (status == 404)
		refuse(l, msg, 404, "Nothing To Watch There", "");
	else if (status != 200)
		refuse(l, msg, 403, "Not Allowed To Watch This", "");
	return status == 200;
}

static struct sub *find(const struct lamps *p, const struct sip_msg *msg)
{
	struct le *le;

	for (le = list_head(&p->subs); le; le = le->next) {
		struct sub *x = le->data;

		if (sip_dialog_cmp(x->dlg, msg))
			return x;
	}
	return NULL;
}

/* Accepted, or held on to: the answer, and then at once what it is now. */
static void grant_and_tell(struct sub *x, const struct sip_msg *msg,
			   uint32_t granted)
{
	const uint64_t now = clock_mono_us();

	x->from = msg->src;
	x->until_us = now + granted * UINT64_C(1000000);
	(void)sip_treplyf(NULL, NULL, x->l->sip, msg, true, 200, "OK",
			  "Contact: <sip:tocsin@%J%s>\r\n"
			  "Expires: %u\r\n"
			  "Allow-Events: dialog\r\n"
			  "Content-Length: 0\r\n\r\n",
			  &x->l->laddr, sip_transp_param(x->tp), granted);
	x->owed = true;
	if (granted || !x->req)
		x->state = x->owner->h->state(x->user, x->owner->arg);
	plan(x, 0);
}

static void refresh(struct listener *l, const struct sip_msg *msg,
		    const struct config_peer *who)
{
	struct sub *x = find(l->stack->lamps, msg);
	uint32_t granted;

	if (!x || x->lost) {
		refuse(l, msg, 481, "Subscription Does Not Exist", "");
		return;
	}
	if (!sip_dialog_rseq_valid(x->dlg, msg)) {
		refuse(l, msg, 500, "CSeq Out Of Order", "");
		return;
	}
	if (!grant(l, msg, &granted) || !may(l, msg, x->user, who))
		return;
	(void)sip_dialog_update(x->dlg, msg);
	(void)target_pin(x->dlg, msg, l);
	grant_and_tell(x, msg, granted);
}

static unsigned count_of(const struct lamps *p, const char *endpoint)
{
	unsigned n = 0;
	struct le *le;

	for (le = list_head(&p->subs); le; le = le->next) {
		const struct sub *x = le->data;

		n += x->endpoint && !strcmp(x->who, endpoint);
	}
	return n;
}

/* For which it is, by whom. */
static void describe(struct sub *x, const struct sip_msg *msg,
		     const struct caller *c, const struct sipevent_event *ev,
		     const struct config_peer *who)
{
	const struct stack *s = x->owner->stack;
	char host[128] = "";

	caller_clean(x->user, sizeof(x->user), c->user, strlen(c->user));
	x->endpoint = s->proved;
	if (s->proved || s->account)
		snprintf(x->who, sizeof(x->who), "%s", who->name);
	if (s->proved)
		snprintf(x->watcher, sizeof(x->watcher), "endpoint:%s",
			 who->name);
	else
		snprintf(x->watcher, sizeof(x->watcher), "%s", c->uri);
	/* Phones compare it with what they asked for. */
	caller_clean(host, sizeof(host), msg->uri.host.p, msg->uri.host.l);
	snprintf(x->entity, sizeof(x->entity), "sip:%s@%s", x->user, host);
	if (pl_isset(&ev->id))
		(void)re_snprintf(x->event, sizeof(x->event), "dialog;id=%r",
				  &ev->id);
	else
		snprintf(x->event, sizeof(x->event), "dialog");
}

static void begin(struct listener *l, const struct sip_msg *msg,
		  const struct config_peer *who, const struct caller *c,
		  const struct sipevent_event *ev, uint32_t granted)
{
	struct lamps *p = l->stack->lamps;
	struct sub *x = mem_zalloc(sizeof(*x), destructor);
	int err = x ? sip_dialog_accept(&x->dlg, msg) : ENOMEM;

	if (!err)
		err = target_pin(x->dlg, msg, l);
	if (err) {
		mem_deref(x);
		refuse(l, msg, err == ENOMEM ? 500 : 400,
		       err == ENOMEM ? "Server Internal Error"
				     : "A Contact that cannot be called",
		       "");
		return;
	}
	x->owner = p;
	x->l = l;
	x->tp = msg->tp;
	tmr_init(&x->due);
	describe(x, msg, c, ev, who);
	list_append(&p->subs, &x->le, x);
	p->n++;
	grant_and_tell(x, msg, granted);
}

void lamp_request(struct listener *l, const struct sip_msg *msg,
		  const struct config_peer *who)
{
	struct stack *s = l->stack;
	struct sipevent_event ev;
	struct caller c;
	uint32_t granted;

	if (!is_ours(l, msg, &ev))
		return;
	if (pl_isset(&msg->to.tag)) {
		refresh(l, msg, who);
		return;
	}
	caller_identify(&c, msg, false);
	if (s->account)
		account_number(s->account, msg, c.user, sizeof(c.user));
	if (!may(l, msg, c.user, who) || !grant(l, msg, &granted))
		return;
	if (s->lamps->n >= LAMP_MAX ||
	    (s->proved &&
	     count_of(s->lamps, who->name) >= LAMP_MAX_PER_ENDPOINT))
		refuse(l, msg, 503, "Too many subscriptions",
		       "Retry-After: 60\r\n");
	else
		begin(l, msg, who, &c, &ev, granted);
}

/* ------------------------------------------------------------------ changes */

/* Who he is by the configuration of now, NULL = nobody any more. */
static const struct config_peer *still(const struct sub *x)
{
	const struct config *c = x->owner->stack->config;
	size_t i;

	for (i = 0; x->endpoint && i < c->n_endpoints; i++)
		if (!strcmp(c->endpoints[i].may.name, x->who))
			return &c->endpoints[i].may;
	for (i = 0; !x->endpoint && x->who[0] && i < c->n_accounts; i++)
		if (!strcmp(c->accounts[i].may.name, x->who))
			return &c->accounts[i].may;
	return x->who[0] ? NULL : config_peer_match(c, &x->from.u.sa);
}

void lamps_configure(struct lamps *p)
{
	struct le *le = list_head(&p->subs);

	while (le) {
		struct sub *x = le->data;
		const struct config_peer *who = still(x);
		const uint16_t status =
			who && p->h ? p->h->may(x->user, who, p->arg) : 403;

		le = le->next;
		if (status != 200)
			end(x, status == 404 ? "noresource" : "rejected");
	}
	lamp_look(p->stack);
}

void lamps_close(struct lamps *p, const struct listener *l)
{
	struct le *le = list_head(&p->subs);

	while (le) {
		struct sub *x = le->data;

		le = le->next;
		if (!l || x->l == l)
			end(x, "deactivated");
	}
}

void lamp_leave(struct stack *s)
{
	lamps_close(s->lamps, NULL);
}

void lamp_list(const struct stack *s, lamp_view_h *h, void *arg)
{
	struct le *le;

	for (le = list_head(&s->lamps->subs); le; le = le->next) {
		const struct sub *x = le->data;
		const struct lamp_view v = {
			.user = x->user,
			.watcher = x->watcher,
			.state = x->state,
			.until_us = x->until_us,
			.version = x->version ? x->version - 1 : 0,
		};

		h(&v, arg);
	}
}
