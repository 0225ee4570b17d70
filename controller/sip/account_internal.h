/** Accounts as the other files of the SIP stack see them. */
#ifndef TOCSIN_ACCOUNT_INTERNAL_H
#define TOCSIN_ACCOUNT_INTERNAL_H

#include "controller/sip/account.h"
#include "controller/sip/core.h"

struct account_all;

int account_all_alloc(struct account_all **ap, struct stack *s);
struct account_all *account_all_free(struct account_all *a);

/** Takes the stack's configuration: unchanged accounts stay as they are. 0 or
 *  ENOMEM, and then nothing has changed. */
int account_all_configure(struct account_all *a);

/** Is it the address of some account's registrar? */
bool account_all_know(const struct account_all *a, const struct sa *src);

/** Of which account is a request from a registrar, by whom it is for; NULL =
 *  it is from no registrar. */
const struct config_account *account_all_caller(const struct account_all *a,
						const struct sip_msg *msg);

/** The number that a call to this account calls, into user[]. */
void account_number(const struct config_account *x, const struct sip_msg *msg,
		    char *user, size_t size);

/** The way of a call of ours. */
struct account_route {
	const struct config_account *account;
	struct sa to;
	enum sip_transp tp;
	char route[128]; /**< a URI for Route */
};

/** Does a call to that host go through an account? Then whether it can: 0 or
 *  ENOTCONN with the reason; ENOENT when there is no such account. */
int account_all_route(const struct account_all *a, const struct pl *host,
		      struct account_route *r, struct reason *why);

/** Where a call to that URI goes: through the account whose domain it is, else
 *  straight to its address. 0, or errno with the reason. */
int dial_find_way(const struct stack *s, const char *text,
		  struct account_route *r, struct reason *why);

#endif
