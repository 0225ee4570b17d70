/*
 * Any bytes as Session-Expires ('e' before them) or Min-SE ('m'). What is
 * agreed on is within its bounds, and a timer comes to an end.
 */
#include "controller/sip/session_timer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const struct session_terms *t)
{
	uint64_t now = 0, wait = 0;
	unsigned tries = 0;

	for (unsigned looks = 0;; looks++) {
		const enum session_act act = session_next(t, now, tries, &wait);

		if (looks > 8 || (wait == 0) != (act == SESSION_END))
			abort();
		if (act == SESSION_END)
			break;
		tries += act == SESSION_REFRESH;
		now += wait;
	}
	if (now > (uint64_t)t->interval_s * 1000)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session_said said = {.timer = true};
	char lines[SESSION_LINES_SIZE];
	struct session_terms t;

	if (!size)
		return 0;
	if (data[0] == 'e')
		(void)session_read_expires(&said, (const char *)data + 1,
					   size - 1);
	else
		(void)session_read_min(&said, (const char *)data + 1, size - 1);
	if (said.expires_s > SESSION_MAX_S || said.min_s > SESSION_MAX_S)
		abort();
	if (session_answer(&said, 1800, &t, lines) != 200)
		return 0;
	if (t.interval_s < SESSION_MIN_S)
		abort();
	run(&t);
	session_offer(&t, 1800, said.min_s, lines);
	session_agreed(&said, &t);
	if (t.interval_s)
		run(&t);
	return 0;
}
