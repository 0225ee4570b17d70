/**
 * An address and port as the media thread uses it: small, IPv4 or IPv6.
 * Pure; any thread.
 */
#ifndef TOCSIN_ENDPOINT_H
#define TOCSIN_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

union endpoint {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/** Copies what counts of an address; 0, or EAFNOSUPPORT. */
int endpoint_set(union endpoint *e, const struct sockaddr_storage *ss);

/** Same address and port? An IPv4 address equals its IPv6-mapped form. */
bool endpoint_equal(const union endpoint *a, const union endpoint *b);

socklen_t endpoint_len(const union endpoint *e);

/** The address as IPv6, an IPv4 one mapped. False for another family. */
bool endpoint_in6(const union endpoint *e, struct sockaddr_in6 *in6);

#endif
