/**
 * Which help point calls. Pure.
 */
#ifndef TOCSIN_HELP_MATCH_H
#define TOCSIN_HELP_MATCH_H

#include "controller/config/config.h"

/**
 * The most particular help point that fits: endpoint, then user and address,
 * user, the narrower network, and last who only dials the number; where those
 * are equal the one whose extension is dialled.
 *
 * @param caller "endpoint:desk" proved by its password, or
 *               "sip:201@10.7.0.10", the address it came from
 * @param dialled user part of the request URI
 * @return index into config.helppoints, -1 = none
 */
int help_match(const struct config *c, const char *caller,
	       const struct sockaddr *from, const char *dialled);

#endif
