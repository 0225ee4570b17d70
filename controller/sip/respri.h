/**
 * Resource-Priority (RFC 4412): how urgent a call is, in the words of many
 * networks, as one rank. Pure, any thread.
 */
#ifndef TOCSIN_RESPRI_H
#define TOCSIN_RESPRI_H

#include "controller/config/config.h"

/** 0 the lowest to 4 the highest, in each namespace. */
#define RESPRI_RANKS 5
#define RESPRI_NONE (-1)

/** What we understand, for Accept-Resource-Priority: the highest of each. */
#define RESPRI_ACCEPTED                                                        \
	"esnet.0, esnet.1, esnet.2, esnet.3, esnet.4, ets.4, ets.3, ets.2, "   \
	"ets.1, ets.0, wps.4, wps.3, wps.2, wps.1, wps.0, q735.4, q735.3, "    \
	"q735.2, q735.1, q735.0, dsn.routine, dsn.priority, dsn.immediate, "   \
	"dsn.flash, dsn.flash-override, drsn.routine, drsn.priority, "         \
	"drsn.immediate, drsn.flash, drsn.flash-override, "                    \
	"drsn.flash-override-override"

/** The highest rank in a header's value, "esnet.4, wps.0"; RESPRI_NONE when it
 *  holds nothing that is known. */
int respri_rank(const char *value, size_t len);

/** The priority a rank asks for: page, urgent, emergency, alert, evacuate. */
uint8_t respri_level(const struct config *c, int rank);

/** What to write for a priority in that namespace, NULL = nothing: below the
 *  lowest, or RESPRI_OFF. */
const char *respri_value(const struct config *c, enum config_respri ns,
			 uint8_t level);

#endif
