/* Look-ups in a configuration that is in force. */
#include "config.h"
#include "values.h"

#include <string.h>

static const char *const class_names[CLASS_COUNT] = {
	[CLASS_EVACUATE] = "evacuate",   [CLASS_ALERT] = "alert",
	[CLASS_EMERGENCY] = "emergency", [CLASS_URGENT] = "urgent",
	[CLASS_PAGE] = "page",           [CLASS_BELL] = "bell",
	[CLASS_MUSIC] = "music",
};

#define FIND(array, text)                                                      \
	do {                                                                   \
		for (size_t i = 0; (text) && i < c->n_##array; i++)            \
			if (!strcmp(c->array[i].name, (text)))                 \
				return (int)i;                                 \
		return -1;                                                     \
	} while (0)

int config_zone_find(const struct config *c, const char *name)
{
	FIND(zones, name);
}

bool config_zones_within(const struct config *c, char (*names)[CONFIG_MAX_NAME],
			 size_t n, const int *among, size_t n_among)
{
	for (size_t i = 0; n_among && i < n; i++) {
		int z = config_zone_find(c, names[i]);
		bool found = false;

		for (size_t k = 0; k < n_among && !found; k++)
			found = among[k] == z;
		if (!found)
			return false;
	}
	return true;
}

int config_helppoint_find(const struct config *c, const char *name)
{
	FIND(helppoints, name);
}

int config_operators_find(const struct config *c, const char *name)
{
	FIND(operators, name);
}

bool config_zone_records(const struct config *c, int zone)
{
	const struct config_zone *z = &c->zones[zone];

	if (z->page_mode != PAGE_MODE_AUTO)
		return z->page_mode == PAGE_MODE_RECORD;
	/* Zones contain each other in no circle. */
	for (size_t i = 0; i < z->n_zones; i++)
		if (config_zone_records(c, z->zones[i]))
			return true;
	return false;
}

int config_account_of(const struct config *c, const char *host)
{
	for (size_t i = 0; i < c->n_accounts; i++)
		if (!strcasecmp(c->accounts[i].address.host, host))
			return (int)i;
	return -1;
}

int config_endpoint_find(const struct config *c, const char *name)
{
	for (size_t i = 0; name && i < c->n_endpoints; i++)
		if (!strcmp(c->endpoints[i].may.name, name) ||
		    (c->endpoints[i].extension &&
		     !strcmp(c->endpoints[i].extension, name)))
			return (int)i;
	return -1;
}

int config_source_find(const struct config *c, const char *name)
{
	FIND(sources, name);
}

int config_music_find(const struct config *c, const char *name)
{
	FIND(musics, name);
}

int config_message_find(const struct config *c, const char *name)
{
	FIND(messages, name);
}

int config_input_find(const struct config *c, const char *name)
{
	FIND(inputs, name);
}

int config_alarm_find(const struct config *c, const char *name)
{
	FIND(alarms, name);
}

int config_mode_find(const struct config *c, const char *name)
{
	FIND(modes, name);
}

int config_output_find(const struct config *c, const char *name)
{
	FIND(outputs, name);
}

int config_cap_find(const struct config *c, const char *name)
{
	FIND(caps, name);
}

int config_notify_find(const struct config *c, const char *name)
{
	FIND(notifies, name);
}

int config_webhook_find(const struct config *c, const char *name)
{
	FIND(webhooks, name);
}

int config_calendar_find(const struct config *c, const char *name)
{
	FIND(calendars, name);
}

int config_schedule_find(const struct config *c, const char *name)
{
	FIND(schedules, name);
}

int config_extension_find(const struct config *c, const char *extension)
{
	for (size_t i = 0; extension && i < c->n_zones; i++)
		if (c->zones[i].extension &&
		    !strcmp(c->zones[i].extension, extension))
			return (int)i;
	return -1;
}

int config_code_find(const struct config *c, const char *number)
{
	for (size_t i = 0; number && i < c->n_codes; i++)
		if (!strcmp(c->codes[i].name, number))
			return (int)i;
	return -1;
}

bool config_code_offers(const struct config *c, const struct config_code *x,
			int zone)
{
	const char *e = c->zones[zone].extension;
	bool among = !x->n_zones;

	for (size_t i = 0; i < x->n_zones && !among; i++)
		among = x->zones[i] == zone;
	return among && e && *e && strlen(e) <= CONFIG_MAX_PIN &&
	       strspn(e, "0123456789") == strlen(e);
}

const struct mbus_timing *config_bus_timing(const struct config *c,
					    const char *bus)
{
	for (size_t i = 0; i < c->n_buses; i++)
		if (!strcmp(c->buses[i].name, bus))
			return &c->buses[i].timing;
	return &c->bus_default.timing;
}

int config_level(const struct config *c, const char *text)
{
	long v;

	if (!text)
		return -1;
	for (size_t i = 0; i < CLASS_COUNT; i++)
		if (!strcmp(class_names[i], text))
			return c->levels[i];
	return value_number(text, &v) && v >= 0 && v <= 255 ? (int)v : -1;
}

const char *config_level_name(const struct config *c, uint8_t level)
{
	for (size_t i = 0; i < CLASS_COUNT; i++)
		if (level >= c->levels[i])
			return class_names[i];
	return class_names[CLASS_MUSIC];
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	const unsigned whole = bits / 8, rest = bits % 8;

	return !memcmp(a, b, whole) &&
	       (!rest || !((a[whole] ^ b[whole]) >> (8 - rest)));
}

/** Address bytes of a peer; what a socket for both families tells of an IPv4
 *  peer counts as IPv4. NULL for another family. */
static const uint8_t *peer_bytes(const struct sockaddr *sa, size_t *n)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const uint8_t *a;

	if (!sa || (sa->sa_family != AF_INET && sa->sa_family != AF_INET6))
		return NULL;
	a = sa->sa_family == AF_INET
		    ? (const uint8_t *)&((const struct sockaddr_in *)sa)
			      ->sin_addr
		    : (const uint8_t *)&((const struct sockaddr_in6 *)sa)
			      ->sin6_addr;
	*n = sa->sa_family == AF_INET ? 4 : 16;
	if (*n == 16 && !memcmp(a, mapped, sizeof(mapped))) {
		a += sizeof(mapped);
		*n = 4;
	}
	return a;
}

bool config_plc_allows(const struct config_plc *p, const struct sockaddr *sa)
{
	size_t n, len;
	const uint8_t *a = peer_bytes(sa, &n), *net;

	for (size_t i = 0; a && i < p->n_allow; i++) {
		net = value_bytes(&p->allow[i].net, &len);
		if (net && len == n && same_prefix(a, net, p->allow[i].prefix))
			return true;
	}
	return false;
}

bool config_net_has(const struct sockaddr_storage *ss, unsigned prefix,
		    const struct sockaddr *sa)
{
	size_t n, len;
	const uint8_t *a = peer_bytes(sa, &n), *net = value_bytes(ss, &len);

	return a && net && len == n && same_prefix(a, net, prefix);
}

const struct config_peer *config_peer_match(const struct config *c,
					    const struct sockaddr *sa)
{
	const struct config_peer *best = NULL;

	for (size_t i = 0; i < c->n_peers; i++) {
		const struct config_peer *p = &c->peers[i];

		if (config_net_has(&p->net, p->prefix, sa) &&
		    (!best || p->prefix > best->prefix))
			best = p;
	}
	return best;
}
