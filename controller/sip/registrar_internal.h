/** Between the registrar's own files. */
#ifndef TOCSIN_REGISTRAR_INTERNAL_H
#define TOCSIN_REGISTRAR_INTERNAL_H

#include "controller/sip/ban.h"
#include "controller/sip/core.h"
#include "controller/sip/digest.h"
#include "controller/sip/location.h"

/** Addresses are looked for where one of their hash is. */
#define KNOWN_SLOTS 4096

struct place {
	char name[CONFIG_MAX_NAME];
	struct bindings b;
};

struct registrar {
	struct stack *stack;
	struct nonces nonces;
	struct ban *ban;
	struct limit *rate;
	struct place *v; /**< as config.endpoints */
	size_t n;
	uint8_t known[KNOWN_SLOTS]; /**< some contact's address is there */
	struct tmr tmr;
	struct location_handlers h;
	void *arg;
};

/** Who sent the request: an index into config.endpoints, or -1 when it has been
 *  answered or dropped. */
int registrar_prove(struct registrar *r, struct listener *l,
		    const struct sip_msg *msg);

/** Puts what is bound now in force and tells. */
void registrar_bind(struct registrar *r, size_t i, const struct bindings *b,
		    bool expired);

/** The contact of a REGISTER as a URI that reaches it; false: it is none. */
bool reach_uri(char *to, size_t size, const struct uri *contact,
	       const struct sip_msg *msg);

#endif
