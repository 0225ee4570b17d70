#include "gpio/modbus/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** A decimal number of at most 7 digits that is the whole text; 0 else. */
static unsigned long number(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n && n <= 7 && !s[n] ? strtoul(s, NULL, 10) : 0;
}

static bool is_host(const char *s, bool v6)
{
	struct in6_addr a;

	if (v6)
		return inet_pton(AF_INET6, s, &a) == 1;
	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(".-_", *p))
			return false;
	return *s != '\0';
}

static bool read_tcp(struct mbus_address *a, const char *s)
{
	const bool v6 = *s == '[';
	const char *end = v6 ? strchr(s, ']') : s + strcspn(s, ":");
	unsigned long port = 502;
	const char *after;

	if (!end)
		return false;
	s += v6;
	after = end + v6;
	if ((size_t)(end - s) >= sizeof(a->host))
		return false;
	memcpy(a->host, s, (size_t)(end - s));
	a->host[end - s] = '\0';
	if (*after == ':')
		port = number(after + 1);
	else if (*after)
		return false;
	a->port = (uint16_t)port;
	return port >= 1 && port <= 65535 && is_host(a->host, v6);
}

static bool read_frame(struct mbus_address *a, const char *s)
{
	if (strlen(s) != 3 || !strchr("78", s[0]) || !strchr("NEO", s[1]) ||
	    !strchr("12", s[2]))
		return false;
	a->data_bits = (uint8_t)(s[0] - '0');
	a->parity = s[1];
	a->stop_bits = (uint8_t)(s[2] - '0');
	return true;
}

/** The rates that libmodbus can set everywhere. */
static bool is_baud(unsigned long baud)
{
	static const unsigned long good[] = {300,  600,   1200,  2400,  4800,
					     9600, 19200, 38400, 57600, 115200};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (good[i] == baud)
			return true;
	return false;
}

static bool read_rtu(struct mbus_address *a, const char *s)
{
	const char *colon = strchr(s, ':'), *second;
	char baud[16];

	if (*s != '/' || !colon || (size_t)(colon - s) >= sizeof(a->host))
		return false;
	memcpy(a->host, s, (size_t)(colon - s));
	a->host[colon - s] = '\0';
	second = strchr(colon + 1, ':');
	snprintf(baud, sizeof(baud), "%.*s",
		 (int)strcspn(colon + 1, ":") < 15
			 ? (int)strcspn(colon + 1, ":")
			 : 15,
		 colon + 1);
	a->baud = (uint32_t)number(baud);
	return is_baud(a->baud) && read_frame(a, second ? second + 1 : "8E1");
}

bool mbus_address_read(struct mbus_address *a, const char *text)
{
	*a = (struct mbus_address){.serial = !strncmp(text, "rtu:", 4)};
	if (a->serial)
		return read_rtu(a, text + 4);
	return !strncmp(text, "tcp:", 4) && read_tcp(a, text + 4);
}

char *mbus_address_text(char buf[MBUS_ADDRESS_SIZE],
			const struct mbus_address *a)
{
	const bool v6 = strchr(a->host, ':') != NULL;

	if (a->serial)
		snprintf(buf, MBUS_ADDRESS_SIZE, "rtu:%s:%u:%u%c%u", a->host,
			 a->baud, a->data_bits, a->parity, a->stop_bits);
	else
		snprintf(buf, MBUS_ADDRESS_SIZE, "tcp:%s%s%s:%u", v6 ? "[" : "",
			 a->host, v6 ? "]" : "", a->port);
	return buf;
}
