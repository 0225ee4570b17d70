/**
 * Taps: where packets of an interface are seen that we did not ask the network
 * for by an address of our own.
 *
 * TAP_SENT is a packet socket behind the queues and the firewall of this host:
 * what it sees goes to the driver next, "on the wire" as far as a program can
 * tell. TAP_OTHERS and TAP_OTHERS6 see what comes in, before the firewall.
 * TAP_LOOP is what is left where packet sockets are not allowed: a UDP socket
 * that has joined groups and hears our packets looped back inside this host,
 * and those of others.
 *
 * Not thread-safe: one owner.
 */
#ifndef TOCSIN_WATCH_TAP_H
#define TOCSIN_WATCH_TAP_H

#include "zones/watch/filter.h"
#include "zones/watch/frame.h"

enum tap_kind { TAP_SENT, TAP_OTHERS, TAP_OTHERS6 };

/** One packet of a tap; own: this host sent it by the tap's interface. */
typedef void(tap_h)(const struct frame *f, bool own, void *arg);

/**
 * Opens a packet socket that sees nothing yet but what `want` lets through.
 *
 * @return descriptor (non-blocking), or -1 and errno: EPERM, EACCES without
 *         CAP_NET_RAW; EAFNOSUPPORT, EPROTONOSUPPORT where there are none
 */
int tap_open(enum tap_kind kind, unsigned ifindex, struct filter_want *want);

/**
 * Opens and shuts the eyes of a TAP_SENT, which are shut at first. While one
 * is open the kernel makes a copy of each packet it sends by the interface, to
 * show it to the filter; shut, it costs nothing.
 */
void tap_look(int fd, bool open);

/** Changes what an open tap lets through; 0 or errno. */
int tap_filter(int fd, const struct filter_want *want);

/** Lets frames sent to this group into the interface, which the host has not
 *  joined: an answer about a group that was left. */
int tap_accept_group(int fd, unsigned ifindex, const uint8_t mac[6]);

/**
 * Hands on what waits, at most `most` packets; never blocks.
 *
 * @param drops where the packets that found no room are added
 * @return how many there were, or -1 and errno: ENETDOWN and the like
 */
int tap_read(int fd, unsigned most, tap_h *h, void *arg, uint64_t *drops);

#endif
