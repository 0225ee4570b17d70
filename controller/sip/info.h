/**
 * Keys in INFO requests, in both bodies that devices send. Pure.
 */
#ifndef TOCSIN_SIP_INFO_H
#define TOCSIN_SIP_INFO_H

#include <stddef.h>

/**
 * The key that an INFO tells of.
 *
 * @param type Content-Type: application/dtmf-relay ("Signal=5") or
 *             application/dtmf ("5"); not terminated, nor is the body
 * @return 0-9, *, #, A-D; 0 when it tells of none
 */
char info_key(const char *type, size_t type_len, const char *body, size_t len);

#endif
