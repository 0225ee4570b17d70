/**
 * Sockets that outputs share: one for each way out (interface, TTL, DSCP,
 * loop, address family). Control side: created before a command needs them,
 * closed by the media thread behind the last one that does.
 */
#ifndef TOCSIN_SOCKET_H
#define TOCSIN_SOCKET_H

#include "zones/media.h"

#define SOCKET_MAX 128

struct socket_key {
	sa_family_t family;
	bool multicast, loop;
	bool link; /**< a packet socket */
	unsigned ifindex;
	uint8_t ttl, dscp;
	uint16_t port; /**< bound to, 0 = an even one of the kernel's */
};

struct socket_pool {
	struct {
		struct socket_key key;
		int fd;     /**< -1 = free place */
		bool fresh; /**< not yet told to the media thread */
	} v[SOCKET_MAX];
};

void socket_pool_init(struct socket_pool *p);

/** Closes all that is left. */
void socket_pool_reset(struct socket_pool *p);

/**
 * Finds or makes the socket for an output: bound to an even port or the one it
 * names, not blocking, with everything of the key set.
 *
 * @param index its place in the pool
 * @return 0, or errno: ENODEV, EADDRNOTAVAIL, EMFILE, EPERM ...
 */
int socket_pool_get(struct socket_pool *p, const struct media_output *o,
		    int *index);

/** The same for the packet socket of an output with `link`: it receives nothing
 *  and keeps to the interface's queueing discipline. */
int socket_pool_link(struct socket_pool *p, const struct media_output *o,
		     int *index);

/** Port a socket is bound to, 0 when that cannot be told. */
uint16_t socket_port(int fd);

/** Sets DSCP of an IPv4 or IPv6 socket; 0 or errno. */
int socket_dscp(int fd, sa_family_t family, uint8_t dscp);

/** Makes a socket hear that addresses cannot be reached; 0 or errno. */
int socket_hear_errors(int fd, sa_family_t family);

/** What it heard next: *err, about a packet sent to *to. False: no more. */
bool socket_error(int fd, struct sockaddr_storage *to, int *err);

#endif
