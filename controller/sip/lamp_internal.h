/** Lamps as the other files of the SIP stack see them. */
#ifndef TOCSIN_LAMP_INTERNAL_H
#define TOCSIN_LAMP_INTERNAL_H

#include "controller/sip/core.h"

struct lamps;

int lamps_alloc(struct lamps **lp, struct stack *s);
/** Tells nobody: after lamps_close(). */
struct lamps *lamps_free(struct lamps *p);

/** The stack has a new configuration: who may no longer watch, or watches what
 *  is no more, is told so. After the owner has it. */
void lamps_configure(struct lamps *p);

/** Ends all of a listener that closes (NULL: all); who watches comes again. */
void lamps_close(struct lamps *p, const struct listener *l);

/** A SUBSCRIBE that policy let pass, from who may call. */
void lamp_request(struct listener *l, const struct sip_msg *msg,
		  const struct config_peer *who);

#endif
