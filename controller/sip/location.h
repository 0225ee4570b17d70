/**
 * Where endpoints are: the contacts that registered here. Control thread.
 */
#ifndef TOCSIN_LOCATION_H
#define TOCSIN_LOCATION_H

#include "controller/sip/ban.h"
#include "controller/sip/register.h"
#include "controller/sip/stack.h"

/**
 * The contacts of an endpoint, by its name or extension, the one that
 * registered last first: `reach` of each is a SIP URI with a numeric address
 * and the transport, as dial_start() and ask_start() take it.
 *
 * @return how many there are; 0 also when there is no such endpoint
 */
size_t location_find(const struct stack *s, const char *name,
		     struct bindings *b);

enum location_change {
	LOCATION_REGISTERED, /**< it had no contact before */
	LOCATION_MOVED,      /**< its contacts are other ones now */
	LOCATION_LEFT,       /**< it took its last contact off */
	LOCATION_EXPIRED,    /**< its last contact ran out */
};

struct location_handlers {
	/** What is bound has changed; renewals are not told. */
	void (*changed)(const char *name, enum location_change how,
			const struct bindings *b, void *arg);
	/** A wrong password, or an unknown user: claimed is what it said. */
	void (*wrong)(const struct sockaddr_storage *from, const char *claimed,
		      void *arg);
	/** An address is banned for so long. */
	void (*banned)(const struct sockaddr_storage *from, uint32_t ms,
		       void *arg);
};

/** Who is told; until then nobody is. */
void location_handle(struct stack *s, const struct location_handlers *h,
		     void *arg);

/** Puts contacts of before a restart back, nobody is told. False: there is no
 *  such endpoint, or one of them is none. */
bool location_restore(struct stack *s, const char *name,
		      const struct bindings *b);

/** Each address that is banned now. */
void location_bans(const struct stack *s, ban_h *h, void *arg);

#endif
