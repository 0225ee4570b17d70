/* Inputs and outputs on Modbus buses: which points a bus has, what its readings
 * mean, and what is a fault. */
#include "field_internal.h"

#include "controller/base/clock.h"
#include "gpio/modbus/bus.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct field_bus {
	struct field_bus *next;
	struct field *field;
	char *address;
	struct mbus *mbus;
	int *index; /**< of each point: inputs first, then outputs */
	size_t n_in, n_points;
	uint32_t detect_ms; /**< how long a silent unit goes unseen, besides
			       the point's own period */
	bool up, told;
};

static void bus_key(const struct field_bus *b, char key[96])
{
	snprintf(key, 96, "modbus:%s", b->address);
}

/* ------------------------------------------------------------------ readings
 */

static void read_input(struct in *x, const struct mbus_reading *r)
{
	const struct config_modbus *m = &x->conf->modbus;
	const struct loop_rule *hold = &x->conf->loop;
	const struct input_value *v = &x->value;
	bool active, fresh, was = v->active;
	uint32_t bits = mbus_bits(&m->format, r->words);
	char raw[16], text[48];
	double n;

	snprintf(raw, sizeof(raw),
		 mbus_is_bit(m->table)                  ? "%u"
		 : mbus_type_words(m->format.type) == 2 ? "0x%08x"
							: "0x%04x",
		 bits);
	if (mbus_is_bit(m->table) || m->has_bit || m->has_mask ||
	    m->has_equals) {
		if (m->has_mask)
			bits &= m->mask;
		active = m->has_bit      ? bits >> m->bit & 1
			 : m->has_equals ? bits == m->equals
					 : bits != 0;
		active ^= x->conf->active_low;
		n = bits;
	} else {
		n = mbus_number(&m->format, r->words);
		if (isnan(n)) {
			snprintf(text, sizeof(text), "%s is not a number", raw);
			loop_lost(&x->loop);
			if (input_lost(&x->value, text, r->at_us))
				field_changed(x, was, NULL, 0, r->at_us);
			return;
		}
		active = hold->n ? false : input_beyond(v, &x->rule, n);
	}
	fresh = hold->n ? loop_take(&x->loop, hold, n, r->at_us)
			: loop_take_state(&x->loop, hold,
					  active ? LOOP_ALARM : LOOP_NORMAL,
					  r->at_us);
	field_loop_state(x, fresh, n, raw, r->at_us);
}

static void on_reading(const struct mbus_reading *r, void *arg)
{
	struct field_bus *b = arg;
	struct field *f = b->field;

	if (r->point >= b->n_in) {
		const struct out *o = &f->out[b->index[r->point]];

		field_output_fault(f, o, r->status == MBUS_OK ? NULL : r->text);
		return;
	}
	struct in *x = &f->in[b->index[r->point]];
	bool was = x->value.active;

	if (r->status == MBUS_OK) {
		read_input(x, r);
		return;
	}
	loop_lost(&x->loop);
	if (input_lost(&x->value, r->text, r->at_us))
		field_changed(x, was, NULL, 0, r->at_us);
}

static void on_state(bool connected, const char *text, void *arg)
{
	struct field_bus *b = arg;
	char key[96];

	bus_key(b, key);
	if (connected)
		fault_clear(b->field->faults, key);
	else
		fault_raise(b->field->faults, key, b->detect_ms,
			    "Check power, cable and address of the Modbus "
			    "device; it is tried again by itself.",
			    "Modbus %s: %s", b->address, text);
	b->up = connected;
	b->told = true;
}

/* ------------------------------------------------------------- configuration
 */

static struct mbus_point point_of(const struct config_modbus *m)
{
	return (struct mbus_point){
		.unit = m->unit,
		.table = m->table,
		.address = m->address[m->table],
		.count = mbus_is_bit(m->table)
				 ? 1
				 : (uint8_t)mbus_type_words(m->format.type),
		.poll_ms = m->poll_ms,
	};
}

static bool is_here(const struct field_bus *b, const struct config_modbus *m)
{
	return m->bus && !strcmp(m->bus, b->address);
}

/** What is left in an output when the daemon ends. */
static uint16_t safe_of(const struct config_output *o)
{
	const bool on = o->on_exit == EXIT_ON;

	return o->modbus.table == MBUS_COIL ? on
	       : on                         ? o->modbus.on
					    : o->modbus.off;
}

/** All points of f that are on a bus; false without memory. */
static bool collect(struct field_bus *b, struct mbus_point **pp)
{
	struct field *f = b->field;
	size_t max = f->n_in + f->n_out, n = 0;
	struct mbus_point *p = calloc(max + 1, sizeof(*p));
	int *index = calloc(max + 1, sizeof(*index));

	if (!p || !index) {
		free(p);
		free(index);
		return false;
	}
	for (size_t i = 0; i < f->n_in; i++) {
		if (!is_here(b, &f->in[i].conf->modbus))
			continue;
		p[n] = point_of(&f->in[i].conf->modbus);
		index[n++] = (int)i;
	}
	b->n_in = n;
	for (size_t i = 0; i < f->n_out; i++) {
		const struct config_modbus *m = &f->out[i].conf->modbus;

		if (!is_here(b, m))
			continue;
		p[n] = point_of(m);
		p[n].output = true;
		p[n].no_readback = !m->readback;
		p[n].safe = safe_of(f->out[i].conf);
		f->out[i].bus = b;
		f->out[i].point = n;
		index[n++] = (int)i;
	}
	b->n_points = n;
	free(b->index);
	b->index = index;
	*pp = p;
	return true;
}

/** Nothing of the bus can be known. */
static void give_up(struct field_bus *b, const char *why)
{
	struct field *f = b->field;
	uint64_t now = clock_mono_us();

	on_state(false, why, b);
	for (size_t i = 0; i < f->n_in; i++) {
		struct in *x = &f->in[i];
		bool was = x->value.active;

		if (!is_here(b, &x->conf->modbus))
			continue;
		loop_lost(&x->loop);
		if (input_lost(&x->value, why, now))
			field_changed(x, was, NULL, 0, now);
	}
}

static void set_points(struct field_bus *b, const struct config *c)
{
	const struct mbus_timing *t = config_bus_timing(c, b->address);
	struct mbus_point *p = NULL;
	struct mbus_address a;
	int err = 0;

	b->detect_ms = (t->retries + 1) * t->timeout_ms;
	if (!collect(b, &p))
		err = ENOMEM;
	if (!err && !b->mbus && mbus_address_read(&a, b->address))
		err = mbus_alloc(&b->mbus, &a, on_reading, on_state, b);
	if (!err)
		err = mbus_points(b->mbus, p, b->n_points, t);
	if (err)
		give_up(b, strerror(err));
	free(p);
}

static struct field_bus *bus_free(struct field_bus *b, bool wait)
{
	char key[96];

	bus_key(b, key);
	fault_clear(b->field->faults, key);
	mbus_free(b->mbus, wait);
	free(b->index);
	free(b->address);
	free(b);
	return NULL;
}

static void want_bus(struct field *f, const char *address)
{
	struct field_bus *b;

	for (b = f->bus; b; b = b->next)
		if (!strcmp(b->address, address))
			return;
	b = calloc(1, sizeof(*b));
	if (b)
		b->address = strdup(address);
	if (!b || !b->address) {
		free(b);
		return;
	}
	b->field = f;
	b->next = f->bus;
	f->bus = b;
}

static bool is_wanted(const struct field_bus *b)
{
	const struct field *f = b->field;

	for (size_t i = 0; i < f->n_in; i++)
		if (is_here(b, &f->in[i].conf->modbus))
			return true;
	for (size_t i = 0; i < f->n_out; i++)
		if (is_here(b, &f->out[i].conf->modbus))
			return true;
	return false;
}

void field_buses_configure(struct field *f, const struct config *c)
{
	/* First those that go: a serial line may come back with another
	 * speed. */
	for (struct field_bus **bp = &f->bus, *b; (b = *bp);) {
		if (is_wanted(b)) {
			bp = &b->next;
			continue;
		}
		*bp = b->next;
		bus_free(b, false);
	}
	for (size_t i = 0; i < f->n_in; i++)
		if (f->in[i].conf->modbus.bus)
			want_bus(f, f->in[i].conf->modbus.bus);
	for (size_t i = 0; i < f->n_out; i++)
		if (f->out[i].conf->modbus.bus)
			want_bus(f, f->out[i].conf->modbus.bus);
	for (struct field_bus *b = f->bus; b; b = b->next)
		set_points(b, c);
}

void field_buses_free(struct field *f)
{
	for (struct field_bus *b = f->bus; b; b = b->next)
		if (b->mbus)
			mbus_stop(b->mbus);
	while (f->bus) {
		struct field_bus *b = f->bus;

		f->bus = b->next;
		bus_free(b, true);
	}
}

void field_bus_write(struct out *o, bool on)
{
	const struct config_modbus *m = &o->conf->modbus;

	if (o->bus && o->bus->mbus)
		mbus_write(o->bus->mbus, o->point,
			   m->table == MBUS_COIL ? on
			   : on                  ? m->on
						 : m->off);
}

void field_bus_metrics(const struct field *f, FILE *out)
{
	static const struct {
		const char *name, *help;
		size_t at;
	} rows[] = {
		{"requests", "Requests to a Modbus bus.",
		 offsetof(struct mbus_counters, requests)},
		{"timeouts", "Requests that were not answered.",
		 offsetof(struct mbus_counters, timeouts)},
		{"exceptions", "Requests that were refused.",
		 offsetof(struct mbus_counters, exceptions)},
		{"garbled", "Answers that did not fit.",
		 offsetof(struct mbus_counters, garbled)},
		{"connects", "Connections that were opened.",
		 offsetof(struct mbus_counters, connects)},
	};

	for (size_t i = 0; f->bus && i < sizeof(rows) / sizeof(rows[0]); i++) {
		fprintf(out,
			"# HELP tocsin_modbus_%s_total %s\n"
			"# TYPE tocsin_modbus_%s_total counter\n",
			rows[i].name, rows[i].help, rows[i].name);
		for (const struct field_bus *b = f->bus; b; b = b->next) {
			struct mbus_counters c = {0};
			uint64_t v;

			if (b->mbus)
				mbus_counters(b->mbus, &c);
			memcpy(&v, (const char *)&c + rows[i].at, sizeof(v));
			fprintf(out,
				"tocsin_modbus_%s_total{bus=\"%s\"} %llu\n",
				rows[i].name, b->address,
				(unsigned long long)v);
		}
	}
}
