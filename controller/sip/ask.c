#include "controller/sip/ask.h"

#include "controller/sip/account_internal.h"
#include "controller/sip/core.h"

struct ask {
	struct sip_dialog *dlg;
	struct sip_request *req;
	struct tmr tmr;
	ask_h *h;
	void *arg;
	uint16_t status;
};

static void destructor(void *arg)
{
	struct ask *a = arg;

	tmr_cancel(&a->tmr);
	mem_deref(a->req);
	mem_deref(a->dlg);
}

static void done(void *arg)
{
	struct ask *a = arg;

	a->h(a, a->status, a->arg);
	mem_deref(a);
}

/* libre is working on the request: the owner hears of it in the next turn. */
static void response_handler(int err, const struct sip_msg *msg, void *arg)
{
	struct ask *a = arg;

	if (!err && msg && msg->scode < 200)
		return;
	a->status = !err && msg ? msg->scode : 0;
	tmr_start(&a->tmr, 0, done, a);
}

int ask_start(struct ask **ap, struct stack *s, const char *uri,
	      uint32_t within_ms, ask_h *h, void *arg, struct reason *why)
{
	struct account_route way;
	const char *route = way.route;
	struct listener *l;
	struct ask *a;
	char from[220];
	int err = dial_find_way(s, uri, &way, why);

	if (err)
		return err;
	l = listener_for(s, &way.to, way.tp);
	if (!l)
		return reason_set(why, EADDRNOTAVAIL,
				  "no route there from a sip.listen address");
	a = mem_zalloc(sizeof(*a), destructor);
	if (!a)
		return reason_set(why, ENOMEM, "out of memory");
	a->h = h;
	a->arg = arg;
	if (way.account)
		re_snprintf(from, sizeof(from), "%s", way.account->aor);
	else
		re_snprintf(from, sizeof(from), "sip:tocsin@%J", &l->laddr);
	err = sip_dialog_alloc(&a->dlg, uri, uri, NULL, from, &route,
			       way.account ? 1 : 0);
	if (!err)
		err = sip_drequestf(&a->req, l->sip, true, "OPTIONS", a->dlg, 0,
				    NULL, NULL, response_handler, a,
				    "Accept: application/sdp\r\n"
				    "Content-Length: 0\r\n\r\n");
	if (err) {
		mem_deref(a);
		return reason_set(why, err, "%s", strerror(err));
	}
	tmr_start(&a->tmr, within_ms, done, a);
	*ap = a;
	return 0;
}

void ask_end(struct ask *a)
{
	mem_deref(a);
}
