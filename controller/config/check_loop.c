/* Supervised loops: windows that meet, each value in exactly one. */
#include "load.h"
#include "values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/** Of a loop without `hold`: a cable that is cut sweeps through the windows. */
#define LOOP_HOLD_MS 200

static const char *const keys[] = {
	[LOOP_NORMAL] = "normal",
	[LOOP_ALARM] = "alarm",
	[LOOP_SHORT] = "short",
	[LOOP_OPEN] = "open",
};

/** One end of a range; an empty one is `open`. */
static bool read_end(const char *s, size_t n, double open, double *v)
{
	char buf[64];

	*v = open;
	if (!n)
		return true;
	if (n >= sizeof(buf))
		return false;
	memcpy(buf, s, n);
	buf[n] = '\0';
	return value_real(buf, v);
}

/** "2..8", "..2", "8..". */
static bool read_range(const char *s, struct loop_window *w)
{
	const char *dots = strstr(s, "..");

	return dots && read_end(s, (size_t)(dots - s), -INFINITY, &w->low) &&
	       read_end(dots + 2, strlen(dots + 2), INFINITY, &w->high) &&
	       w->low < w->high;
}

/** "01": the first input normal, the second active. */
static bool read_pattern(const char *s, struct loop_window *w)
{
	int code;

	if (strlen(s) != 2 || strspn(s, "01") != 2)
		return false;
	code = (s[0] - '0') * 2 + (s[1] - '0');
	w->low = code ? code : -INFINITY;
	w->high = code < 3 ? code + 1 : INFINITY;
	return true;
}

static int by_low(const void *pa, const void *pb)
{
	const struct loop_window *a = pa, *b = pb;

	return (a->low > b->low) - (a->low < b->low);
}

static bool read_windows(struct load *l, size_t i)
{
	struct config_input *x = &l->c->inputs[i];
	const bool pair = x->kind == INPUT_PAIR;

	for (unsigned s = LOOP_NORMAL; s <= LOOP_OPEN; s++)
		for (size_t k = 0; k < x->n_window[s]; k++) {
			struct loop_window w = {.state = s};
			const char *text = x->window[s][k];

			if (!(pair ? read_pattern(text, &w)
				   : read_range(text, &w))) {
				problem_add(
					l->p,
					load_at(l, KIND_INPUT, i, keys[s]),
					"input \"%s\": %s: \"%.60s\" does not "
					"fit; allowed: %s",
					x->name, keys[s], text,
					pair ? "two of 0 and 1, one for each "
					       "input of the pair, like \"01\""
					     : "a range with its lower end "
					       "first, like \"2..8\", "
					       "\"..2\" or \"8..\"");
				return false;
			}
			if (x->loop.n == LOOP_MAX_WINDOWS) {
				problem_add(
					l->p,
					load_at(l, KIND_INPUT, i, keys[s]),
					"input \"%s\" has more than %d windows",
					x->name, LOOP_MAX_WINDOWS);
				return false;
			}
			x->loop.window[x->loop.n++] = w;
		}
	qsort(x->loop.window, x->loop.n, sizeof(x->loop.window[0]), by_low);
	return true;
}

/** Names what lies between two ends, in the input's own terms. */
static const char *span(char buf[80], bool pair, double low, double high)
{
	size_t used = 0;

	if (!pair) {
		snprintf(buf, 80, "%s%.6g%s%.6g", "from ", low, " to ", high);
		return buf;
	}
	buf[0] = '\0';
	for (int code = 0; code < 4 && used < 80; code++)
		if (code >= low && code < high)
			used += (size_t)snprintf(
				buf + used, 80 - used, "%s\"%d%d\"",
				used ? " and " : "", code / 2, code % 2);
	return buf;
}

static void check_meeting(struct load *l, size_t i)
{
	const struct config_input *x = &l->c->inputs[i];
	const struct loop_rule *r = &x->loop;
	const bool pair = x->kind == INPUT_PAIR;
	const struct loop_window *w = r->window;
	double end = -INFINITY;
	char text[80];

	for (size_t k = 0; k <= r->n; k++) {
		const double low = k < r->n ? w[k].low : INFINITY;
		const char *key = keys[k < r->n ? w[k].state : LOOP_NORMAL];

		if (low > end)
			problem_add(l->p, load_at(l, KIND_INPUT, i, key),
				    "input \"%s\": nothing says what %s means: "
				    "widen a window, or add one",
				    x->name, span(text, pair, end, low));
		else if (k && k < r->n && low < end)
			problem_add(l->p, load_at(l, KIND_INPUT, i, key),
				    "input \"%s\": %s and %s overlap: %s is "
				    "in both",
				    x->name, keys[w[k - 1].state], key,
				    span(text, pair, low,
					 w[k].high < end ? w[k].high : end));
		if (k < r->n && w[k].high > end)
			end = w[k].high;
		if (k < r->n && !pair && w[k].high - low <= r->hysteresis)
			problem_add(l->p,
				    load_at(l, KIND_INPUT, i, "hysteresis"),
				    "input \"%s\": hysteresis = %g is not less "
				    "than the width of %s %s",
				    x->name, r->hysteresis, key,
				    span(text, pair, low, w[k].high));
	}
}

static void check_states(struct load *l, size_t i)
{
	const struct config_input *x = &l->c->inputs[i];

	for (unsigned s = LOOP_NORMAL; s <= LOOP_ALARM; s++)
		if (!x->n_window[s])
			problem_add(l->p, x->at,
				    "input \"%s\": the loop needs \"%s\"",
				    x->name, keys[s]);
	if (!x->n_window[LOOP_SHORT] && !x->n_window[LOOP_OPEN])
		problem_add(l->p, x->at,
			    "input \"%s\": a loop that tells neither \"short\" "
			    "nor \"open\" is not supervised; use \"above\" or "
			    "\"below\", or add one",
			    x->name);
}

static void check_pair(struct load *l, size_t i)
{
	const struct config_input *x = &l->c->inputs[i];
	const struct config_where at = load_at(l, KIND_INPUT, i, "pair");

	if (x->n_pair != 2 || x->pair[0] == x->pair[1]) {
		problem_add(l->p, at,
			    "input \"%s\": a pair is two different inputs",
			    x->name);
		return;
	}
	for (size_t k = 0; k < 2; k++)
		if (l->c->inputs[x->pair[k]].kind == INPUT_PAIR)
			problem_add(l->p, at,
				    "input \"%s\": \"%s\" is a pair itself",
				    x->name, l->c->inputs[x->pair[k]].name);
}

void load_check_loop(struct load *l, size_t i)
{
	struct config_input *x = &l->c->inputs[i];
	size_t n = 0;

	for (unsigned s = LOOP_NORMAL; s <= LOOP_OPEN; s++)
		n += x->n_window[s];
	if (x->loop.hysteresis < 0)
		problem_add(l->p, load_at(l, KIND_INPUT, i, "hysteresis"),
			    "input \"%s\": hysteresis is less than 0", x->name);
	if (x->kind == INPUT_PAIR)
		check_pair(l, i);
	if (!n && x->kind != INPUT_PAIR)
		return;
	if (!load_given(l, KIND_INPUT, i, "hold"))
		x->loop.hold_ms = LOOP_HOLD_MS;
	check_states(l, i);
	if (read_windows(l, i))
		check_meeting(l, i);
}
