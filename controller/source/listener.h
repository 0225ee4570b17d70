/**
 * Sockets that hear what others send: to a multicast group on one interface,
 * or to an address of this machine. No state of their own; any thread.
 */
#ifndef TOCSIN_LISTENER_H
#define TOCSIN_LISTENER_H

#include <stdbool.h>
#include <sys/socket.h>

/**
 * Opens a socket for a group or an own address, bound to just that: what is
 * sent to another group on the same port, or comes in by an interface that was
 * not joined, does not reach it.
 *
 * @return 0 or errno
 */
int listener_open(int *fdp, const struct sockaddr_storage *addr,
		  bool multicast);

/** Joins the group on an interface; 0 or errno. A membership that is there
 *  already is none. */
int listener_join(int fd, const struct sockaddr_storage *group,
		  unsigned ifindex);

#endif
