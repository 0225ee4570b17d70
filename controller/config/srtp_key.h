/** Keys of SRTP as text: "inline:KEY|LIFETIME|MKI:LENGTH" (RFC 4568 6.1). */
#ifndef TOCSIN_CONFIG_SRTP_KEY_H
#define TOCSIN_CONFIG_SRTP_KEY_H

#include "zones/media.h"

/** Reads the key, its salt and its identifier; "inline:" and what is behind the
 *  key may be missing, a lifetime is passed over. NULL, or what is wrong, with
 *  nothing of the key in it. Any thread. */
const char *srtp_key_read(const char *s, struct media_srtp *k);

#endif
