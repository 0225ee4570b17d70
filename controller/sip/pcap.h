/**
 * SIP messages as a capture file that Wireshark, tshark, tcpdump and sngrep
 * read: classic pcap of raw IP packets. Their IP and UDP headers are made up,
 * also for what came over TCP or TLS: addresses, ports, times and text are
 * true. Pure.
 */
#ifndef TOCSIN_PCAP_H
#define TOCSIN_PCAP_H

#include "controller/sip/calltrace.h"

#include <stdint.h>

/** Bytes of the file's head, and the most before a message. */
#define PCAP_HEAD 24
#define PCAP_MESSAGE_HEAD (16 + 40 + 8)

/** The file's head; its length. */
size_t pcap_head(uint8_t buf[PCAP_HEAD]);

/**
 * What stands in the file before m->text, of which m->kept bytes follow; its
 * length. A message that was cut is a packet that was: it tells its true
 * length. Addresses of two families, or none, become 0.0.0.0.
 *
 * @param n number of the message in the file: the packet's identification
 */
size_t pcap_message(uint8_t buf[PCAP_MESSAGE_HEAD],
		    const struct calltrace_message *m, uint16_t n);

#endif
