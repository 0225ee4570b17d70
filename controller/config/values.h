/**
 * Values as they are written in a configuration. Pure; any thread.
 */
#ifndef TOCSIN_CONFIG_VALUES_H
#define TOCSIN_CONFIG_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct config_sip_uri;

/** Longest duration that is read: a year, in ms. */
#define VALUE_MAX_DURATION_MS UINT64_C(31536000000)

/** "true", "yes", "on", "false", "no", "off". */
bool value_flag(const char *s, bool *v);

/** A whole decimal number, as "20" or "-3". */
bool value_number(const char *s, long *v);

/** A finite decimal number, as "40" or "-0.5". */
bool value_real(const char *s, double *v);

/** "250ms", "5s", "10m", "2h", also "1.5s"; a bare "0" too. To ms. */
bool value_duration(const char *s, uint64_t *ms);

/** Room for value_duration_text(). */
#define VALUE_DURATION_SIZE 24

/** Writes ms in the largest unit that needs no fraction; returns buf. */
char *value_duration_text(char buf[VALUE_DURATION_SIZE], uint64_t ms);

/** Decibels with at most one decimal, as "-3.0": to centibels. */
bool value_gain(const char *s, int *cb);

/** A name: 1 to 63 of letters, digits, ".", "_" and "-". */
bool value_name(const char *s);

/** "10.7.0.2:5060" or "[fd00::1]:5060", port 1 to 65535. */
bool value_endpoint(const char *s, struct sockaddr_storage *ss);

/** Room for value_endpoint_text(). */
#define VALUE_ENDPOINT_SIZE 56

/** Writes an address and port such that it is read as the same; returns buf.
 */
char *value_endpoint_text(char buf[VALUE_ENDPOINT_SIZE],
			  const struct sockaddr_storage *ss);

/** A literal address without a port, brackets allowed around IPv6. */
bool value_address(const char *s, struct sockaddr_storage *ss);

/** A name or address and, unless it is to be def, a port: "host",
 *  "host:514", "[fd00::1]:514". host is without brackets. */
bool value_host_port(const char *s, uint16_t def, char host[256],
		     uint16_t *port);

/** "http://..." or "https://...", without blanks, at most 2000 bytes? */
bool value_is_url(const char *s);

/** "sip:USER@ADDRESS:PORT;parameters", with a numeric address; user, port
 *  (5060) and parameters may be left out. */
bool value_sip(const char *s, struct sockaddr_storage *ss);

/** "sip:USER@HOST:PORT;transport=tls" with a name or an address for a host;
 *  user, port and transport may be left out, "sips:" is TLS. */
bool value_sip_uri(const char *s, struct config_sip_uri *to);

/** Port of an IPv4 or IPv6 address, host order. */
uint16_t value_port(const struct sockaddr_storage *ss);

/** 127.0.0.0/8 or ::1? */
bool value_is_loopback(const struct sockaddr_storage *ss);

/** 0.0.0.0 or ::? */
bool value_is_any(const struct sockaddr_storage *ss);

/** 224.0.0.0/4 or ff00::/8? */
bool value_is_multicast(const struct sockaddr_storage *ss);

/** "16384-32767": both ends included, first <= last. */
bool value_port_range(const char *s, uint16_t *first, uint16_t *last);

/** Address bytes (4 or 16) in network order, NULL for another family. */
const uint8_t *value_bytes(const struct sockaddr_storage *ss, size_t *n);

/** "10.7.1.0/24"; without "/": one host. */
bool value_net(const char *s, struct sockaddr_storage *net, unsigned *prefix);

/**
 * The name nearest to a mistyped one, NULL when none is near.
 *
 * @param next gives the i-th candidate, NULL behind the last
 */
const char *value_nearest(const char *typed,
			  const char *(*next)(size_t i, const void *arg),
			  const void *arg);

#endif
