/** Messages and tones as the API shows them. Control thread. */
#ifndef TOCSIN_MESSAGE_LIST_H
#define TOCSIN_MESSAGE_LIST_H

#include "controller/message/uploads.h"

#include <jansson.h>

/** GET /messages (new reference). */
json_t *message_list_json(const struct config *c, struct library *l,
			  const struct uploads *u);

/** One message (new reference); NULL when there is none. */
json_t *message_one_json(const struct config *c, struct library *l,
			 const struct uploads *u, const char *name);

/** GET /tones (new reference). */
json_t *message_tones_json(void);

#endif
