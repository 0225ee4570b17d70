#include "invite.h"

static int keep(char **to, const char *text)
{
	return text && text[0] ? str_dup(to, text) : 0;
}

int invite_keep(struct invite *i, const struct dial_request *rq,
		const struct account_route *r, const struct sa *laddr,
		const char *respri)
{
	const struct config_account *via = r->account;
	int err;

	*i = (struct invite){0};
	err = via ? str_dup(&i->from, via->aor)
		  : re_sdprintf(&i->from, "sip:%s@%J", rq->user, laddr);
	err |= keep(&i->uri, rq->uri);
	err |= keep(&i->display, rq->display);
	err |= keep(&i->user, via ? via->address.user : rq->user);
	err |= keep(&i->route, via ? r->route : NULL);
	err |= re_sdprintf(&i->headers, "%s%s%s%s",
			   respri ? "Resource-Priority: " : "",
			   respri ? respri : "", respri ? "\r\n" : "",
			   rq->headers ? rq->headers : "");
	return err ? ENOMEM : 0;
}

void invite_forget(struct invite *i)
{
	mem_deref(i->uri);
	mem_deref(i->display);
	mem_deref(i->from);
	mem_deref(i->user);
	mem_deref(i->route);
	mem_deref(i->headers);
	*i = (struct invite){0};
}
