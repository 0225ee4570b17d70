/** A record of syslog (RFC 5424). Pure; any thread. */
#ifndef TOCSIN_SYSLOG_TEXT_H
#define TOCSIN_SYSLOG_TEXT_H

#include "controller/event.h"

#include <stddef.h>
#include <stdint.h>

/** Longest record: RFC 5424 6.1 has receivers take 2048 bytes. */
#define SYSLOG_MAX 2048

struct syslog_from {
	uint8_t facility;
	const char *host; /**< any text; made fit */
	const char *site;
	long pid;
};

/** Severity of an event, 0 (emergency) to 7 (debug). */
int syslog_severity(const struct event *e);

/** Writes the record of an event; what is too long is cut between characters.
 *  @return its length */
size_t syslog_write(char buf[SYSLOG_MAX], const struct syslog_from *from,
		    const struct event *e);

#endif
