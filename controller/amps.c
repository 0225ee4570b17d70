#include "amps.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct amp {
	char name[CONFIG_MAX_NAME];
	bool sounds;
	uint64_t since_us; /**< when it began to sound */
	uint64_t until_us; /**< its relays are on until then, 0 = not */
};

struct relay {
	char name[CONFIG_MAX_NAME];
	bool used, on;
	uint64_t since_us; /**< when it went on */
};

struct amps {
	struct field *field;
	const struct config *config;
	struct amp *amp;     /**< one per zone */
	struct relay *relay; /**< one per field output */
	size_t n_amps, n_relays;
	struct tmr tmr;
};

int amps_alloc(struct amps **ap, struct field *f)
{
	struct amps *a = calloc(1, sizeof(*a));

	if (!a)
		return ENOMEM;
	a->field = f;
	tmr_init(&a->tmr);
	*ap = a;
	return 0;
}

struct amps *amps_free(struct amps *a)
{
	if (!a)
		return NULL;
	tmr_cancel(&a->tmr);
	free(a->amp);
	free(a->relay);
	free(a);
	return NULL;
}

static bool powered(const struct amp *x, uint64_t now)
{
	return x->sounds || x->until_us > now;
}

static void refresh(struct amps *a, uint64_t now, uint64_t cause);

static void on_hold_over(void *arg)
{
	refresh(arg, clock_mono_us(), 0);
}

/** Brings every relay to what its zones want, and waits for the next end. */
static void refresh(struct amps *a, uint64_t now, uint64_t cause)
{
	uint64_t wake = 0;

	for (size_t i = 0; i < a->n_relays; i++) {
		struct relay *r = &a->relay[i];
		bool on = false;

		if (!r->used)
			continue;
		for (size_t z = 0; z < a->n_amps && !on; z++) {
			const struct config_zone *c = &a->config->zones[z];

			for (size_t k = 0; k < c->n_relays; k++)
				on = on || (c->relays[k] == (int)i &&
					    powered(&a->amp[z], now));
		}
		if (on == r->on)
			continue;
		r->on = on;
		r->since_us = now;
		field_output_hold(a->field, (int)i, on, cause);
	}
	for (size_t z = 0; z < a->n_amps; z++) {
		uint64_t until = a->amp[z].until_us;

		if (!a->amp[z].sounds && until > now && (!wake || until < wake))
			wake = until;
	}
	if (wake)
		tmr_start(&a->tmr, (wake - now) / 1000 + 1, on_hold_over, a);
	else
		tmr_cancel(&a->tmr);
}

int amps_configure(struct amps *a, const struct config *c)
{
	struct amp *amp = calloc(c->n_zones + 1, sizeof(*amp));
	struct relay *relay = calloc(c->n_outputs + 1, sizeof(*relay));

	if (!amp || !relay) {
		free(amp);
		free(relay);
		return ENOMEM;
	}
	for (size_t z = 0; z < c->n_zones; z++) {
		for (size_t k = 0; k < a->n_amps; k++)
			if (!strcmp(a->amp[k].name, c->zones[z].name))
				amp[z] = a->amp[k];
		snprintf(amp[z].name, CONFIG_MAX_NAME, "%s", c->zones[z].name);
		for (size_t k = 0; k < c->zones[z].n_relays; k++)
			relay[c->zones[z].relays[k]].used = true;
	}
	for (size_t i = 0; i < c->n_outputs; i++) {
		bool used = relay[i].used;

		for (size_t k = 0; k < a->n_relays; k++)
			if (!strcmp(a->relay[k].name, c->outputs[i].name))
				relay[i] = a->relay[k];
		snprintf(relay[i].name, CONFIG_MAX_NAME, "%s",
			 c->outputs[i].name);
		relay[i].used = used;
		if (!used && relay[i].on) {
			relay[i].on = false;
			field_output_hold(a->field, (int)i, false, 0);
		}
	}
	free(a->amp);
	free(a->relay);
	a->amp = amp;
	a->n_amps = c->n_zones;
	a->relay = relay;
	a->n_relays = c->n_outputs;
	a->config = c;
	refresh(a, clock_mono_us(), 0);
	return 0;
}

uint32_t amps_lead(const struct amps *a, int zone)
{
	const struct config_zone *c;
	uint64_t now = clock_mono_us(), since = 0;

	if (zone < 0 || (size_t)zone >= a->n_amps)
		return 0;
	c = &a->config->zones[zone];
	if (!c->n_relays && !a->amp[zone].sounds)
		return c->lead_ms;
	if (!c->n_relays)
		since = a->amp[zone].since_us;
	/* The last relay to go on counts. */
	for (size_t k = 0; k < c->n_relays; k++) {
		const struct relay *r = &a->relay[c->relays[k]];

		if (!r->on)
			return c->lead_ms;
		since = r->since_us > since ? r->since_us : since;
	}
	now = (now - since) / 1000;
	return now < c->lead_ms ? c->lead_ms - (uint32_t)now : 0;
}

void amps_update(struct amps *a, const bool *sounds, uint64_t cause)
{
	uint64_t now = clock_mono_us();

	for (size_t z = 0; z < a->n_amps; z++) {
		struct amp *x = &a->amp[z];

		if (sounds[z] == x->sounds)
			continue;
		x->sounds = sounds[z];
		if (x->sounds)
			x->since_us = now;
		else
			x->until_us = now + a->config->zones[z].relay_hold_ms *
						    UINT64_C(1000);
	}
	refresh(a, now, cause);
}
