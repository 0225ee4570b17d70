#include "command.h"

#include "payload.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

/* The last second of the year 9999: what is later is no time in seconds. */
#define LAST_SECOND 253402300799.0

static int read_id(const json_t *o, char id[64], struct reason *why)
{
	const json_t *x = json_object_get(o, "id");
	const char *text = json_string_value(x);
	size_t len = json_string_length(x);

	if (!x)
		return reason_set(why, EINVAL,
				  "there is no \"id\": give every command a "
				  "new one, such as a UUID");
	if (!text || !len || len > 63)
		return reason_set(why, EINVAL,
				  "\"id\" must be text of 1 to 63 characters");
	for (size_t i = 0; i < len; i++)
		if (text[i] <= 0x20 || text[i] > 0x7e || strchr("/+#", text[i]))
			return reason_set(why, EINVAL,
					  "\"id\" may hold printable ASCII "
					  "without blank and without / + # "
					  "(character %zu is none of these)",
					  i + 1);
	memcpy(id, text, len + 1);
	return 0;
}

static int read_time(const json_t *o, int64_t *us, struct reason *why)
{
	const json_t *x = json_object_get(o, "time");
	char text[41];
	double s;

	if (!x)
		return reason_set(why, EINVAL,
				  "there is no \"time\": say when it was sent, "
				  "as \"2026-11-23T06:55:00Z\" or in Unix "
				  "seconds");
	if (json_is_string(x)) {
		const char *p = json_string_value(x);
		size_t len = json_string_length(x);

		if (command_time(p, len, us))
			return reason_set(
				why, EINVAL,
				"\"time\" \"%s\" is not of RFC 3339, such as "
				"\"2026-11-23T06:55:00Z\"",
				payload_printable(text, sizeof(text), p, len));
		return 0;
	}
	if (!json_is_number(x))
		return reason_set(why, EINVAL,
				  "\"time\" must be text of RFC 3339 or a "
				  "number of Unix seconds");
	s = json_number_value(x);
	if (!(s >= 0 && s <= LAST_SECOND))
		return reason_set(why, EINVAL,
				  "\"time\" %.15g is not in seconds since 1970 "
				  "(milliseconds are not understood)",
				  s);
	*us = (int64_t)(s * 1e6);
	return 0;
}

static int check_time(int64_t time_us, int64_t now_wall_us, uint32_t max_age_ms,
		      struct reason *why)
{
	int64_t max_us = max_age_ms * INT64_C(1000);
	double limit = max_age_ms / 1000.0;

	if (now_wall_us - time_us > max_us)
		return reason_set(why, ESTALE,
				  "it was sent %.1f s ago, at most %g s are "
				  "allowed: send it again with a new id and "
				  "time, or compare the clocks",
				  (double)(now_wall_us - time_us) / 1e6, limit);
	if (time_us - now_wall_us > max_us)
		return reason_set(why, ESTALE,
				  "its time is %.1f s ahead, at most %g s are "
				  "allowed: compare the clocks",
				  (double)(time_us - now_wall_us) / 1e6, limit);
	return 0;
}

/* Has a monotonic moment passed less than `ms` ago? A message's own moment may
 * lie a little before the last one's. */
static bool within(uint64_t at_us, uint64_t now_us, uint64_t ms)
{
	return now_us <= at_us || now_us - at_us <= ms * 1000;
}

static int check_repeated(const struct command_guard *g, const char *id,
			  int64_t time_us, uint64_t now_us, uint32_t max_age_ms,
			  struct reason *why)
{
	for (size_t i = 0; i < COMMAND_MEMORY; i++)
		if (!strcmp(g->seen[i].id, id) &&
		    within(g->seen[i].at_us, now_us, COMMAND_MEMORY_MS))
			return reason_set(
				why, EALREADY,
				"id \"%s\" was handled already: a new "
				"command needs a new id",
				id);
	if (g->forgot_at_us && time_us <= g->forgot_time_us &&
	    within(g->forgot_at_us, now_us, 2 * (uint64_t)max_age_ms))
		return reason_set(why, ESTALE,
				  "more than %d commands came since it was "
				  "sent, so it may be a repetition: send it "
				  "again with a new id and time",
				  COMMAND_MEMORY);
	return 0;
}

/* Whoever forgets an id while its time would still do must refuse what is as
 * old. Beyond twice the age (sent ahead by one, taken for one more) the time
 * alone tells. */
static void remember(struct command_guard *g, const char *id, int64_t time_us,
		     uint64_t now_us, uint32_t max_age_ms)
{
	unsigned i = g->next++ % COMMAND_MEMORY;

	if (g->seen[i].id[0] &&
	    within(g->seen[i].at_us, now_us, 2 * (uint64_t)max_age_ms)) {
		if (!within(g->forgot_at_us, now_us,
			    2 * (uint64_t)max_age_ms) ||
		    g->seen[i].time_us > g->forgot_time_us)
			g->forgot_time_us = g->seen[i].time_us;
		g->forgot_at_us = g->seen[i].at_us;
	}
	strcpy(g->seen[i].id, id);
	g->seen[i].at_us = now_us;
	g->seen[i].time_us = time_us;
}

int command_pass(struct command_guard *g, const char *id, int64_t time_us,
		 int64_t now_wall_us, uint64_t now_us, uint32_t max_age_ms,
		 struct reason *why)
{
	int err = check_time(time_us, now_wall_us, max_age_ms, why);

	if (!err)
		err = check_repeated(g, id, time_us, now_us, max_age_ms, why);
	if (!err)
		remember(g, id, time_us, now_us, max_age_ms);
	return err;
}

int command_check(struct command_guard *g, const char *payload, size_t len,
		  bool retain, int64_t now_wall_us, uint64_t now_us,
		  uint32_t max_age_ms, char id[64], struct reason *why)
{
	json_t *o = payload_json(payload, len,
				 JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, why);
	int64_t time_us = 0;
	int err = EINVAL;

	id[0] = '\0';
	if (!o)
		return EINVAL;
	if (!json_is_object(o))
		reason_set(why, err,
			   "the payload must be a JSON object with \"id\" and "
			   "\"time\"");
	else
		err = read_id(o, id, why);
	if (!err && retain)
		err = reason_set(why, ESTALE,
				 "it is retained, and what is retained starts "
				 "nothing: publish it without retain");
	if (!err)
		err = read_time(o, &time_us, why);
	if (!err)
		err = command_pass(g, id, time_us, now_wall_us, now_us,
				   max_age_ms, why);
	json_decref(o);
	return err;
}
