/* Calls for help, to be seen: API and figures. */
#include "controller/help/internal.h"

#include "controller/base/clock.h"
#include "controller/text_json.h"

#include <stdlib.h>
#include <string.h>

/** Upper bounds in seconds; EN 50518 asks for 30 and 60. */
static const unsigned bounds[HELP_BUCKETS] = {2, 5, 10, 20, 30, 60, 120, 300};

void help_count_answer(struct help *h, double s)
{
	h->answered++;
	h->answer_s += s;
	for (unsigned i = 0; i < HELP_BUCKETS; i++)
		h->bucket[i] += s <= bounds[i];
}

unsigned help_waited_s(const struct help_call *x)
{
	const uint64_t to = x->taken_us ? x->taken_us : clock_mono_us();

	return (unsigned)((to - x->since_us) / 1000000);
}

static json_t *text_or_null(const char *s)
{
	return *s ? text_json(s) : json_null();
}

/** Who waits first, then the more urgent, then the older. */
static int compare(const void *a, const void *b)
{
	const struct help_call *x = *(struct help_call *const *)a,
			       *y = *(struct help_call *const *)b;
	const bool xw = x->flow.state == HELP_WAITING,
		   yw = y->flow.state == HELP_WAITING;

	if (xw != yw)
		return xw ? -1 : 1;
	if (x->level != y->level)
		return x->level > y->level ? -1 : 1;
	return x->since_us < y->since_us ? -1 : x->since_us > y->since_us;
}

static json_t *to_json(const struct help_call *x, unsigned place)
{
	static const char *const states[HELP_STATES] = {
		[HELP_NONE] = "ending",        [HELP_OFFERED] = "offered",
		[HELP_WAITING] = "waiting",    [HELP_TALKING] = "talking",
		[HELP_YIELDING] = "preempted", [HELP_ENDING] = "ending",
	};
	const bool waits = x->flow.state == HELP_WAITING;
	const bool talks =
		x->flow.state == HELP_TALKING || x->flow.state == HELP_YIELDING;
	char since[CLOCK_TEXT_SIZE];

	return json_pack(
		"{s:I,s:s,s:o,s:o,s:o,s:o,s:i,s:s,s:b,s:s,s:i,s:o,s:o,s:o,s:o}",
		"id", (json_int_t)x->id, "kind", "help", "caller",
		text_json(x->caller), "point", text_json(x->point), "location",
		text_or_null(x->location), "camera", text_or_null(x->camera),
		"priority", x->level, "state", x->held ? "held" : states[x->flow.state],
		"encrypted", x->encrypted,
		"since", clock_format(since, x->since_wall_us), "waited_s",
		(int)help_waited_s(x), "place",
		waits ? json_integer(place) : json_null(), "operator",
		text_or_null(talks ? x->operator: ""), "stage",
		text_or_null(waits ? x->stage : ""), "round",
		waits && x->round ? json_integer(x->round) : json_null());
}

void help_json(const struct help *h, json_t *array)
{
	struct help_call *v[HELP_MAX] = {NULL};
	unsigned n = 0;

	for (unsigned i = 0; i < HELP_MAX; i++)
		if (h->call[i])
			v[n++] = h->call[i];
	qsort(v, n, sizeof(*v), compare);
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(array, to_json(v[i], i + 1));
}

enum help_sight help_sees(const struct help *h, const char *point,
			  const char *caller)
{
	enum help_sight best = HELP_UNSEEN;

	for (unsigned i = 0; i < HELP_MAX; i++) {
		const struct help_call *x = h->call[i];

		if (!x || (point && strcmp(x->point, point)) ||
		    (caller && strcmp(x->caller, caller)))
			continue;
		if (x->flow.state == HELP_TALKING)
			return HELP_TALKS;
		if (x->flow.state == HELP_OFFERED ||
		    x->flow.state == HELP_WAITING ||
		    x->flow.state == HELP_YIELDING)
			best = HELP_RINGS;
	}
	return best;
}

static unsigned count(const struct help *h, enum help_state state)
{
	unsigned n = 0;

	for (unsigned i = 0; i < HELP_MAX; i++)
		n += h->call[i] && h->call[i]->flow.state == state;
	return n;
}

void help_metrics(const struct help *h, FILE *f)
{
	fprintf(f,
		"# HELP tocsin_help_calls Calls for help that are up.\n"
		"# TYPE tocsin_help_calls gauge\n"
		"tocsin_help_calls{state=\"waiting\"} %u\n"
		"tocsin_help_calls{state=\"talking\"} %u\n",
		count(h, HELP_WAITING), count(h, HELP_TALKING));
	fprintf(f,
		"# HELP tocsin_help_calls_total Calls for help that came.\n"
		"# TYPE tocsin_help_calls_total counter\n"
		"tocsin_help_calls_total %llu\n"
		"# HELP tocsin_help_calls_abandoned_total Calls whose point "
		"hung up before anybody took them.\n"
		"# TYPE tocsin_help_calls_abandoned_total counter\n"
		"tocsin_help_calls_abandoned_total %llu\n"
		"# HELP tocsin_help_calls_unanswered_total Calls that nobody "
		"took in a whole round.\n"
		"# TYPE tocsin_help_calls_unanswered_total counter\n"
		"tocsin_help_calls_unanswered_total %llu\n"
		"# HELP tocsin_help_calls_lost_total Operators lost while they "
		"talked.\n"
		"# TYPE tocsin_help_calls_lost_total counter\n"
		"tocsin_help_calls_lost_total %llu\n"
		"# HELP tocsin_help_calls_preempted_total Calls whose operator "
		"was needed by a more urgent one.\n"
		"# TYPE tocsin_help_calls_preempted_total counter\n"
		"tocsin_help_calls_preempted_total %llu\n",
		(unsigned long long)h->total, (unsigned long long)h->abandoned,
		(unsigned long long)h->unanswered, (unsigned long long)h->lost,
		(unsigned long long)h->preempted);
	fputs("# HELP tocsin_help_answer_seconds From the call to the operator "
	      "who took it.\n"
	      "# TYPE tocsin_help_answer_seconds histogram\n",
	      f);
	for (unsigned i = 0; i < HELP_BUCKETS; i++)
		fprintf(f,
			"tocsin_help_answer_seconds_bucket{le=\"%u\"} %llu\n",
			bounds[i], (unsigned long long)h->bucket[i]);
	fprintf(f,
		"tocsin_help_answer_seconds_bucket{le=\"+Inf\"} %llu\n"
		"tocsin_help_answer_seconds_sum %.6f\n"
		"tocsin_help_answer_seconds_count %llu\n",
		(unsigned long long)h->answered, h->answer_s,
		(unsigned long long)h->answered);
}
