#include "respri.h"

#include <string.h>
#include <strings.h>

/* RFC 4412 10 and RFC 7135 3: their values from the lowest to the highest, of
 * which some count down. */
static const struct {
	enum config_respri ns;
	const char *value[RESPRI_RANKS];
} names[] = {
	{RESPRI_ESNET, {"esnet.0", "esnet.1", "esnet.2", "esnet.3", "esnet.4"}},
	{RESPRI_ETS, {"ets.4", "ets.3", "ets.2", "ets.1", "ets.0"}},
	{RESPRI_WPS, {"wps.4", "wps.3", "wps.2", "wps.1", "wps.0"}},
	{RESPRI_Q735, {"q735.4", "q735.3", "q735.2", "q735.1", "q735.0"}},
	{RESPRI_DSN,
	 {"dsn.routine", "dsn.priority", "dsn.immediate", "dsn.flash",
	  "dsn.flash-override"}},
	{RESPRI_DRSN,
	 {"drsn.routine", "drsn.priority", "drsn.immediate", "drsn.flash",
	  "drsn.flash-override"}},
	/* the one network with six */
	{RESPRI_OFF, {[4] = "drsn.flash-override-override"}},
};

#define NAMES (sizeof(names) / sizeof(names[0]))

static const enum config_class classes[RESPRI_RANKS] = {
	CLASS_PAGE, CLASS_URGENT, CLASS_EMERGENCY, CLASS_ALERT, CLASS_EVACUATE};

static int rank_of(const char *p, size_t n)
{
	for (size_t i = 0; i < NAMES; i++)
		for (int r = 0; r < RESPRI_RANKS; r++) {
			const char *v = names[i].value[r];

			if (v && strlen(v) == n && !strncasecmp(v, p, n))
				return r;
		}
	return RESPRI_NONE;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int respri_rank(const char *value, size_t len)
{
	const char *end = value + len;
	int best = RESPRI_NONE;

	while (value < end) {
		const char *comma = memchr(value, ',', (size_t)(end - value));
		const char *to = comma ? comma : end, *next = to + 1;
		int rank;

		while (value < to && is_space(*value))
			value++;
		while (to > value && is_space(to[-1]))
			to--;
		rank = rank_of(value, (size_t)(to - value));
		if (rank > best)
			best = rank;
		if (!comma)
			break;
		value = next;
	}
	return best;
}

uint8_t respri_level(const struct config *c, int rank)
{
	return rank < 0 || rank >= RESPRI_RANKS ? 0 : c->levels[classes[rank]];
}

const char *respri_value(const struct config *c, enum config_respri ns,
			 uint8_t level)
{
	const char *value = NULL;

	for (size_t i = 0; ns != RESPRI_OFF && i < NAMES; i++)
		for (int r = 0; names[i].ns == ns && r < RESPRI_RANKS; r++)
			if (level >= respri_level(c, r))
				value = names[i].value[r];
	return value;
}
