/* Addresses, ports and networks as they are written in a configuration. */
#include "values.h"

#include "controller/config/config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool value_address(const char *s, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	const size_t n = strlen(s);
	char inner[64];

	*ss = (struct sockaddr_storage){0};
	if (inet_pton(AF_INET, s, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		return true;
	}
	if (n > 2 && n < sizeof(inner) && s[0] == '[' && s[n - 1] == ']') {
		memcpy(inner, s + 1, n - 2);
		inner[n - 2] = '\0';
		s = inner;
	}
	if (inet_pton(AF_INET6, s, &in6->sin6_addr) != 1)
		return false;
	in6->sin6_family = AF_INET6;
	return true;
}

static bool read_port(const char *s, uint16_t *port)
{
	long v;

	if (!value_number(s, &v) || *s == '+' || v < 1 || v > 65535)
		return false;
	*port = (uint16_t)v;
	return true;
}

bool value_endpoint(const char *s, struct sockaddr_storage *ss)
{
	const char *colon = strrchr(s, ':');
	char host[64];
	uint16_t port;

	if (!colon || (size_t)(colon - s) >= sizeof(host) ||
	    !read_port(colon + 1, &port))
		return false;
	memcpy(host, s, (size_t)(colon - s));
	host[colon - s] = '\0';
	/* Without brackets the last part of an IPv6 address looks like a
	 * port. */
	if (strchr(host, ':') && host[0] != '[')
		return false;
	if (!value_address(host, ss))
		return false;
	if (ss->ss_family == AF_INET)
		((struct sockaddr_in *)ss)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)ss)->sin6_port = htons(port);
	return true;
}

static bool is_host(const char *s)
{
	struct sockaddr_storage ss;

	if (*s == '[')
		return value_address(s, &ss);
	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(".-_", *p))
			return false;
	return *s && strlen(s) < 254;
}

bool value_host_port(const char *s, uint16_t def, char host[256],
		     uint16_t *port)
{
	const char *colon = strrchr(s, ':');
	long number = def;
	size_t n;

	if (colon && strchr(colon, ']'))
		colon = NULL;
	n = colon ? (size_t)(colon - s) : strlen(s);
	snprintf(host, 256, "%.*s", n < 255 ? (int)n : 0, s);
	if (!is_host(host) ||
	    (colon && (!value_number(colon + 1, &number) || number < 1 ||
		       number > 65535 || colon[1] == '+')))
		return false;
	if (host[0] == '[') {
		host[strlen(host) - 1] = '\0';
		memmove(host, host + 1, strlen(host));
	}
	*port = (uint16_t)number;
	return true;
}

bool value_is_url(const char *s)
{
	const char *host = !strncmp(s, "https://", 8)  ? s + 8
			   : !strncmp(s, "http://", 7) ? s + 7
						       : "";

	for (const char *p = s; *p; p++)
		if (*p <= ' ' || *p == 127)
			return false;
	return *host && *host != '/' && strlen(s) <= 2000;
}

/* Neither blanks nor what would end a header or a URI before its time. */
static bool is_uri_text(const char *s)
{
	for (const char *p = s; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("<>\"?\\", *p))
			return false;
	return strlen(s) <= 200;
}

bool value_sip_uri(const char *s, struct config_sip_uri *to)
{
	static const char *const transports[] = {"udp", "tcp", "tls"};
	const bool sips = !strncasecmp(s, "sips:", 5);
	const char *host = strchr(s, ':'), *at = strchr(s, '@'), *params;
	const char *tp = strcasestr(s, ";transport=");
	char text[256];

	memset(to, 0, sizeof(*to));
	if (!is_uri_text(s) || (!sips && strncasecmp(s, "sip:", 4)))
		return false;
	host++;
	if (at) {
		if (at == host || (size_t)(at - host) >= sizeof(to->user))
			return false;
		memcpy(to->user, host, (size_t)(at - host));
		if (strpbrk(to->user, ":;,"))
			return false;
		host = at + 1;
	}
	params = host + strcspn(host, ";");
	snprintf(text, sizeof(text), "%.*s", (int)(params - host), host);
	if (!value_host_port(text, 0, to->host, &to->port))
		return false;
	to->transport = sips ? TRANSPORT_TLS : TRANSPORT_UDP;
	if (!tp)
		return true;
	tp += strlen(";transport=");
	for (size_t i = 0; i < 3; i++)
		if (!strncasecmp(tp, transports[i], 3) &&
		    (!tp[3] || tp[3] == ';')) {
			to->transport = (enum config_transport)i;
			return true;
		}
	return false;
}

bool value_sip(const char *s, struct sockaddr_storage *ss)
{
	const char *at, *host, *end;
	char text[80];
	size_t n;

	if (!is_uri_text(s) || strncasecmp(s, "sip:", 4))
		return false;
	at = strchr(s, '@');
	host = at ? at + 1 : s + 4;
	if (at == s + 4)
		return false;
	end = host + strcspn(host, ";");
	n = (size_t)(end - host);
	if (n + sizeof(":5060") > sizeof(text))
		return false;
	memcpy(text, host, n);
	text[n] = '\0';
	if (value_endpoint(text, ss))
		return true;
	memcpy(text + n, ":5060", sizeof(":5060"));
	return value_endpoint(text, ss);
}

uint16_t value_port(const struct sockaddr_storage *ss)
{
	return ntohs(ss->ss_family == AF_INET
			     ? ((const struct sockaddr_in *)ss)->sin_port
			     : ((const struct sockaddr_in6 *)ss)->sin6_port);
}

char *value_endpoint_text(char buf[VALUE_ENDPOINT_SIZE],
			  const struct sockaddr_storage *ss)
{
	const bool six = ss->ss_family == AF_INET6;
	char host[INET6_ADDRSTRLEN] = "?";
	size_t n;

	inet_ntop(ss->ss_family, value_bytes(ss, &n), host, sizeof(host));
	snprintf(buf, VALUE_ENDPOINT_SIZE, "%s%s%s:%u", six ? "[" : "", host,
		 six ? "]" : "", value_port(ss));
	return buf;
}

const uint8_t *value_bytes(const struct sockaddr_storage *ss, size_t *n)
{
	if (ss->ss_family == AF_INET) {
		*n = 4;
		return (const uint8_t *)&((const struct sockaddr_in *)ss)
			->sin_addr;
	}
	*n = 16;
	return ss->ss_family == AF_INET6
		       ? (const uint8_t *)&((const struct sockaddr_in6 *)ss)
				 ->sin6_addr
		       : NULL;
}

bool value_is_loopback(const struct sockaddr_storage *ss)
{
	size_t n;
	const uint8_t *a = value_bytes(ss, &n);

	if (!a)
		return false;
	return n == 4 ? a[0] == 127
		      : !memcmp(a, &in6addr_loopback, sizeof(in6addr_loopback));
}

bool value_is_any(const struct sockaddr_storage *ss)
{
	static const uint8_t zero[16];
	size_t n;
	const uint8_t *a = value_bytes(ss, &n);

	return a && !memcmp(a, zero, n);
}

bool value_is_multicast(const struct sockaddr_storage *ss)
{
	size_t n;
	const uint8_t *a = value_bytes(ss, &n);

	if (!a)
		return false;
	return n == 4 ? a[0] >> 4 == 14 : a[0] == 0xff;
}

bool value_port_range(const char *s, uint16_t *first, uint16_t *last)
{
	const char *dash = strchr(s, '-');
	char low[8];

	if (!dash || (size_t)(dash - s) >= sizeof(low))
		return false;
	memcpy(low, s, (size_t)(dash - s));
	low[dash - s] = '\0';
	return read_port(low, first) && read_port(dash + 1, last) &&
	       *first <= *last;
}

bool value_net(const char *s, struct sockaddr_storage *net, unsigned *prefix)
{
	const char *slash = strchr(s, '/');
	char host[64];
	long bits;
	size_t n;

	if (!slash)
		slash = s + strlen(s);
	if ((size_t)(slash - s) >= sizeof(host))
		return false;
	memcpy(host, s, (size_t)(slash - s));
	host[slash - s] = '\0';
	if (!value_address(host, net))
		return false;
	value_bytes(net, &n);
	bits = (long)n * 8;
	if (*slash && (!value_number(slash + 1, &bits) || slash[1] == '+' ||
		       bits < 0 || bits > (long)n * 8))
		return false;
	*prefix = (unsigned)bits;
	return true;
}
