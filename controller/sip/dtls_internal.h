/** Between the two files of DTLS. */
#ifndef TOCSIN_DTLS_INTERNAL_H
#define TOCSIN_DTLS_INTERNAL_H

#include "controller/sip/dtls.h"

#include <openssl/ssl.h>

SSL_CTX *dtls_identity_ctx(struct dtls_identity *id);

#endif
