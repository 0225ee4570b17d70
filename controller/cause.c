#include "cause.h"

static void sooner(uint64_t *wake_us, uint64_t at_us)
{
	if (at_us < *wake_us)
		*wake_us = at_us;
}

/** Does it count, if its value is believed? */
static bool counts(struct cause_input *in, uint64_t within_us, uint64_t now_us,
		   uint64_t *wake_us)
{
	if (!in->active) {
		in->seen = false;
	} else if (in->good && !in->seen) {
		in->seen = true;
		in->lately = within_us > 0;
		in->since_us = now_us;
	}
	if (in->lately && now_us - in->since_us >= within_us)
		in->lately = false;
	if (in->lately && !in->active)
		sooner(wake_us, in->since_us + within_us);
	return in->active || in->lately;
}

/** One more activation: is it one too many? */
static void rise(struct cause *c, const struct cause_rule *r, uint64_t now_us)
{
	size_t k = r->storm;

	if (!k)
		return;
	/* The one that came k before this one, when there is one. */
	if (c->n_rises >= k &&
	    now_us - c->rise_us[(c->n_rises - k) % CAUSE_MAX_STORM] <
		    r->storm_ms * UINT64_C(1000))
		c->storm = true;
	c->rise_us[c->n_rises++ % CAUSE_MAX_STORM] = now_us;
}

static void calm(struct cause *c)
{
	c->storm = false;
	c->n_rises = 0;
}

bool cause_step(struct cause *c, const struct cause_rule *r,
		struct cause_input *in, size_t n, uint64_t now_us,
		uint64_t *wake_us)
{
	const uint64_t delay_us = r->delay_ms * UINT64_C(1000);
	const uint64_t storm_us = r->storm_ms * UINT64_C(1000);
	size_t sure = 0, held = 0;
	bool was = c->raw;

	*wake_us = CAUSE_NEVER;
	for (size_t i = 0; i < n; i++)
		if (counts(&in[i], r->within_ms * UINT64_C(1000), now_us,
			   wake_us)) {
			held++;
			sure += in[i].good || in[i].lately;
		}
	c->counting = held;
	if (held < r->votes) {
		c->met = false;
	} else if (!c->met && sure >= r->votes) {
		c->met = true;
		c->met_us = now_us;
	}
	if (c->met && now_us - c->met_us < delay_us)
		sooner(wake_us, c->met_us + delay_us);
	/* What became unsure during the delay waits until it is sure again. */
	c->raw = c->met && (c->raw || (sure >= r->votes &&
				       now_us - c->met_us >= delay_us));
	if (c->raw && !was)
		rise(c, r, now_us);
	if (!c->raw && was)
		c->quiet_us = now_us;
	if (c->storm &&
	    (!r->storm || (!c->raw && now_us - c->quiet_us >= storm_us)))
		calm(c);
	if (c->storm && !c->raw)
		sooner(wake_us, c->quiet_us + storm_us);
	return c->raw || c->storm;
}

void cause_forget(struct cause *c, struct cause_input *in, size_t n)
{
	calm(c);
	for (size_t i = 0; i < n; i++)
		in[i].lately = false;
}
