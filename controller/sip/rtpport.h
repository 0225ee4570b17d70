/**
 * RTP sockets for calls: even ports out of the configured range.
 */
#ifndef TOCSIN_RTPPORT_H
#define TOCSIN_RTPPORT_H

#include <stdint.h>
#include <sys/socket.h>

/**
 * Binds a non-blocking UDP socket to the next free even port.
 *
 * The odd port above it is left to RTCP (RFC 3550 11). Ports are taken in turn,
 * so that late packets of an ended call do not meet the next one.
 *
 * @param fdp    the socket
 * @param port   the port it has; in: the last one given (0 = none yet)
 * @param local  address; its port is ignored
 * @return 0, EADDRINUSE when the whole range is taken, or errno
 */
int rtpport_open(int *fdp, uint16_t *port, const struct sockaddr *local,
		 uint16_t min, uint16_t max);

#endif
