/** Messages and tones as the API shows them. Control thread. */
#ifndef TOCSIN_MESSAGE_LIST_H
#define TOCSIN_MESSAGE_LIST_H

#include "controller/library.h"

#include <jansson.h>

/** GET /messages (new reference). */
json_t *message_list_json(const struct config *c, struct library *l);

/** GET /tones (new reference). */
json_t *message_tones_json(void);

#endif
