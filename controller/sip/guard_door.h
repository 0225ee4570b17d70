/**
 * The door of a SIP transport: who may come in, before libre looks at a byte.
 *
 * libre hands out neither its sockets nor a say in what they accept: a
 * stranger's datagram is parsed, answered (STUN) or printed (B9), and every
 * connection is taken. So its udp_listen(), tcp_listen() and tcp_accept() are
 * ours here. Control thread.
 */
#ifndef TOCSIN_GUARD_DOOR_H
#define TOCSIN_GUARD_DOOR_H

#include "controller/base/compat.h"

/** Connections one door keeps open at most, and those from one address. */
#define DOOR_MAX_CONNECTIONS 128
#define DOOR_MAX_PER_SOURCE 32

/** Those of addresses that nothing is known of: they may come to register. */
#define DOOR_MAX_STRANGERS 64

enum door_what {
	DOOR_REQUEST,
	DOOR_REGISTER, /**< a REGISTER request */
	DOOR_RESPONSE,
	DOOR_CONNECTION, /**< for any request */
	DOOR_STRANGER,   /**< a connection on which only REGISTER is taken */
};

/** May this come in from there? Called for every datagram and connection. */
typedef bool(door_admit_h)(const struct sa *src, enum door_what what,
			   void *arg);

struct door;

/** Was this connection the last that a door took? libre asks for TLS on it
 * right then. */
bool door_has_accepted(const struct tcp_conn *tc);

/** Where to goes the connection that libre has just begun? 0, or ENOTCONN when
 *  it is another. */
int door_goes_to(const struct tcp_conn *tc, struct sa *to);

/**
 * Adds a transport to a SIP stack and stands before it.
 *
 * UDP: datagrams of any size are read whole; only decoded messages from
 * admitted sources go on, all else vanishes. TCP: only admitted sources get a
 * connection that is kept; it dies within 8 s of its peer falling silent with
 * data unacknowledged (B10).
 *
 * @param dp   where the door is put; mem_deref() it after sip_transp_flush()
 * @param tls  for SIP_TRANSP_TLS, else NULL
 * @param dscp for what is sent
 * @return 0, errno of bind(), or ENOTSUP when the guards are not in force
 */
int door_open(struct door **dp, struct sip *sip, enum sip_transp tp,
	      const struct sa *laddr, struct tls *tls, uint8_t dscp,
	      door_admit_h *h, void *arg);

/** A datagram at a UDP door (arg: struct door), before libre sees it. True:
 *  that was all. Else it is decoded and libre's receiver takes it; for the
 *  fuzzer, which has no socket. */
bool door_datagram(struct sa *src, struct mbuf *mb, void *arg);

/** The receive handler libre gave its last UDP socket: for the self-test. */
udp_recv_h *door_last_receiver(void **arg);

#endif
