/**
 * The routes of the API: method, path, the scope that each needs, and the verb
 * that it is. The one table: the door checks by it, the owner answers by it,
 * and a test holds web/openapi.json against it. Pure, any thread.
 */
#ifndef TOCSIN_WEB_ROUTE_H
#define TOCSIN_WEB_ROUTE_H

#include <stddef.h>

struct route {
	const char *method; /**< "GET", "POST", "PUT", "DELETE" */
	const char *path;   /**< below /api/v1; {x} stands for one part */
	unsigned need;      /**< enum scope; 0 = whoever is let in */
	const char *verb;   /**< of commands_run(); NULL = no such */
};

/** All; the last has a NULL method. */
extern const struct route routes[];

/**
 * The route of a request; NULL when there is none.
 *
 * @param name gets the part of path that stands for the first {x}, up to its
 *             end; NULL where there is none; may be NULL
 */
const struct route *route_find(const char *method, const char *path,
			       const char **name);

/** The scopes that a request needs, any of which will do; 0 = none. What there
 *  is not is looked for by anybody, and acted upon by who may act at all. */
unsigned route_need(const char *method, const char *path);

#endif
