/**
 * Takes secrets out of a SIP message that is kept for people: each of their
 * bytes becomes a '*', so that all lengths stay. Pure; any bytes.
 *
 * Masked: what proves a password (all but the harmless parameters of a digest,
 * other credentials whole), passwords in URIs, keys of SDP (a=crypto,
 * a=key-mgmt, a=ice-pwd, k=), and keys that were pressed (INFO): they may be a
 * PIN.
 */
#ifndef TOCSIN_MASK_H
#define TOCSIN_MASK_H

#include <stddef.h>

/** The message may be cut anywhere. */
void mask_secrets(char *p, size_t len);

/** Passwords in URIs alone: of a part of a message. */
void mask_uris(char *p, size_t len);

#endif
