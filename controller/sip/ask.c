#include "controller/sip/ask.h"

#include "controller/sip/account_internal.h"
#include "controller/sip/core.h"

/* Rounds of challenge and answer in one request. */
#define MAX_ROUNDS 3

struct ask {
	struct sip_dialog *dlg;
	struct sip_request *req;
	struct sip_auth *auth;
	struct listener *l;
	struct tmr tmr;
	ask_h *h;
	void *arg;
	char *text; /* NULL: an OPTIONS */
	char user[64], password[128];
	unsigned rounds;
	uint16_t status;
};

static void destructor(void *arg)
{
	struct ask *a = arg;

	tmr_cancel(&a->tmr);
	mem_deref(a->req);
	mem_deref(a->auth);
	mem_deref(a->dlg);
	mem_deref(a->text);
}

static void done(void *arg)
{
	struct ask *a = arg;

	a->h(a, a->status, a->arg);
	mem_deref(a);
}

static int auth_handler(char **user, char **password, const char *realm,
			void *arg)
{
	const struct ask *a = arg;
	int err;

	(void)realm;
	if (!a->user[0])
		return EACCES;
	err = str_dup(user, a->user);
	return err ? err : str_dup(password, a->password);
}

static int send_request(struct ask *a);

/* libre is working on the request: the owner hears of it in the next turn. */
static void response_handler(int err, const struct sip_msg *msg, void *arg)
{
	struct ask *a = arg;

	if (!err && msg && msg->scode < 200)
		return;
	if (!err && msg && (msg->scode == 401 || msg->scode == 407) &&
	    a->user[0] && ++a->rounds < MAX_ROUNDS &&
	    !sip_auth_authenticate(a->auth, msg) && !send_request(a))
		return;
	a->status = !err && msg ? msg->scode : 0;
	tmr_start(&a->tmr, 0, done, a);
}

static int send_request(struct ask *a)
{
	const size_t len = a->text ? strlen(a->text) : 0;

	return sip_drequestf(&a->req, a->l->sip, true,
			     a->text ? "MESSAGE" : "OPTIONS", a->dlg, 0,
			     a->auth, NULL, response_handler, a,
			     "%s"
			     "Content-Length: %zu\r\n\r\n"
			     "%b",
			     a->text ? "Content-Type: "
				       "text/plain;charset=UTF-8\r\n"
				     : "Accept: application/sdp\r\n",
			     len, a->text ? a->text : "", len);
}

/* Through an account it goes with its name and password. */
static int address(struct ask *a, const char *uri,
		   const struct account_route *way)
{
	const struct config_account *via = way->account;
	const char *route = way->route;
	char from[220];

	if (via) {
		re_snprintf(from, sizeof(from), "%s", via->aor);
		re_snprintf(a->user, sizeof(a->user), "%s",
			    via->auth_user ? via->auth_user
					   : via->address.user);
		re_snprintf(a->password, sizeof(a->password), "%s",
			    via->password);
	} else {
		re_snprintf(from, sizeof(from), "sip:tocsin@%J", &a->l->laddr);
	}
	return sip_dialog_alloc(&a->dlg, uri, uri, NULL, from, &route,
				via ? 1 : 0);
}

static int start(struct ask **ap, struct stack *s, const char *uri,
		 const char *text, uint32_t within_ms, ask_h *h, void *arg,
		 struct reason *why)
{
	struct account_route way;
	struct listener *l;
	struct ask *a;
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
	a->l = l;
	err = text ? str_dup(&a->text, text) : 0;
	if (!err)
		err = sip_auth_alloc(&a->auth, auth_handler, a, false);
	if (!err)
		err = address(a, uri, &way);
	if (!err)
		err = send_request(a);
	if (err) {
		mem_deref(a);
		return reason_set(why, err, "%s", strerror(err));
	}
	tmr_start(&a->tmr, within_ms, done, a);
	*ap = a;
	return 0;
}

int ask_start(struct ask **ap, struct stack *s, const char *uri,
	      uint32_t within_ms, ask_h *h, void *arg, struct reason *why)
{
	return start(ap, s, uri, NULL, within_ms, h, arg, why);
}

int ask_message(struct ask **ap, struct stack *s, const char *uri,
		const char *text, uint32_t within_ms, ask_h *h, void *arg,
		struct reason *why)
{
	if (strlen(text) > ASK_MAX_TEXT)
		return reason_set(why, EMSGSIZE,
				  "the text is longer than %d bytes",
				  ASK_MAX_TEXT);
	return start(ap, s, uri, text, within_ms, h, arg, why);
}

void ask_end(struct ask *a)
{
	mem_deref(a);
}
