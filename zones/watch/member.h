/**
 * Membership of groups on one interface, for what it does to the network: the
 * kernel answers queriers, so switches send us what others send to our groups,
 * and know the port. Nothing is received by these sockets.
 *
 * Joining would make every packet we send come back to this host inside the
 * kernel, at a third of the price of sending it. So the host's own address is
 * blocked as a source of each group (RFC 3376 2): then it is looped only where
 * somebody else on this host listens too.
 *
 * Not thread-safe: one owner.
 */
#ifndef TOCSIN_WATCH_MEMBER_H
#define TOCSIN_WATCH_MEMBER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct members;

/** Makes an empty set for an interface; 0 or ENOMEM. */
int members_alloc(struct members **mp, const char *interface, unsigned ifindex);

/** Leaves all groups. NULL is fine. Returns NULL. */
struct members *members_free(struct members *m);

/**
 * Joins a group, if it has not been joined yet.
 *
 * @return 0 or errno: ENODEV (the interface went away), ENOBUFS, EMFILE
 */
int members_join(struct members *m, const struct sockaddr_storage *group);

/** Joins the group that members_ask() leaves, none of the ones joined; 0 or
 *  errno. mac: its Ethernet address. */
int members_join_probe(struct members *m, sa_family_t family, uint8_t mac[6]);

/** Leaves that group, so that a querier asks who else is in it; joined again
 *  by members_asked(), which is called some seconds later. */
void members_ask(struct members *m, sa_family_t family);
void members_asked(struct members *m, sa_family_t family);

/** The interface's address may have changed: blocks it anew where it has. */
void members_refresh(struct members *m);

/** How many groups are joined, without the probe's. */
unsigned members_count(const struct members *m);

#endif
