/* Modbus points: one address each, and keys that fit together. */
#include "load.h"

#include <string.h>

/** One point, whichever side it is on. */
struct point {
	enum config_kind kind;
	size_t i;
	const char *what, *name;
	struct config_modbus *m;
};

static void report(struct load *l, const struct point *p, const char *key,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void report(struct load *l, const struct point *p, const char *key,
		   const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	problem_add(l->p, load_at(l, p->kind, p->i, key), "%s \"%s\": %s",
		    p->what, p->name, text);
}

static bool given(const struct load *l, const struct point *p, const char *key)
{
	return load_given(l, p->kind, p->i, key);
}

static bool check_table(struct load *l, const struct point *p)
{
	const unsigned words = mbus_type_words(p->m->format.type);
	unsigned n = 0;

	for (unsigned t = MBUS_COIL; t <= MBUS_HOLDING; t++)
		if (p->m->has_address[t]) {
			p->m->table = t;
			n++;
		}
	/* One whose value does not fit was reported. */
	for (unsigned t = MBUS_COIL; !n && t <= MBUS_HOLDING; t++)
		if (schema_key(schema_kind(p->kind), mbus_table_name(t)) &&
		    given(l, p, mbus_table_name(t)))
			return false;
	if (n != 1) {
		report(l, p, "modbus", "it has %s; it needs exactly one of %s",
		       n ? "more than one address" : "no address",
		       p->kind == KIND_INPUT
			       ? "\"coil\", \"discrete\", \"input\" and "
				 "\"holding\""
			       : "\"coil\" and \"holding\"");
		return false;
	}
	if (!mbus_is_bit(p->m->table) &&
	    p->m->address[p->m->table] + words > 65536)
		report(l, p, mbus_table_name(p->m->table),
		       "a value of two registers does not begin at 65535");
	return true;
}

static void check_unit(struct load *l, const struct point *p)
{
	if (p->m->bus && !strncmp(p->m->bus, "rtu:", 4) &&
	    (p->m->unit < 1 || p->m->unit > 247))
		report(l, p, "unit",
		       "unit = %u; on a serial line units are 1 to 247",
		       p->m->unit);
}

/** Keys of registers have no meaning for a bit, unless they say what holds
 *  anyway (--dump-config writes them all). */
static void check_bit_point(struct load *l, const struct point *p)
{
	const struct config_modbus *m = p->m;
	const struct config_input *x = &l->c->inputs[p->i];
	const struct {
		const char *key;
		bool said;
	} keys[] = {
		{"type", m->format.type != MBUS_U16},
		{"word-order", m->format.order != MBUS_ABCD},
		{"bit", m->has_bit},
		{"mask", m->has_mask},
		{"equals", m->has_equals},
		{"scale", m->format.scale != 1},
		{"offset", m->format.offset != 0},
		{"above", x->has_above},
		{"below", x->has_below},
		{"normal", x->n_window[LOOP_NORMAL] > 0},
		{"alarm", x->n_window[LOOP_ALARM] > 0},
		{"short", x->n_window[LOOP_SHORT] > 0},
		{"open", x->n_window[LOOP_OPEN] > 0},
	};

	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
		if (keys[k].said)
			report(l, p, keys[k].key,
			       "\"%s\" is about registers; a %s is 0 or 1",
			       keys[k].key, mbus_table_name(m->table));
}

/** Was anything written that would say it, if only it did fit? */
static bool any_given(const struct load *l, const struct point *p)
{
	return given(l, p, "normal") || given(l, p, "alarm") ||
	       given(l, p, "short") || given(l, p, "open") ||
	       given(l, p, "bit") || given(l, p, "mask") ||
	       given(l, p, "equals") || given(l, p, "above") ||
	       given(l, p, "below");
}

static void check_word(struct load *l, const struct point *p)
{
	const struct config_modbus *m = p->m;
	const struct config_input *x = &l->c->inputs[p->i];
	const unsigned bits = 16 * mbus_type_words(m->format.type);
	const uint32_t all = bits == 32 ? UINT32_MAX : 0xffff;
	const bool by_bits = m->has_bit || m->has_mask || m->has_equals;
	const bool by_number = x->has_above || x->has_below;
	const bool has_windows =
		x->n_window[LOOP_NORMAL] + x->n_window[LOOP_ALARM] +
			x->n_window[LOOP_SHORT] + x->n_window[LOOP_OPEN] >
		0;

	if (m->format.order != MBUS_ABCD && bits == 16)
		report(l, p, "word-order",
		       "\"word-order\" is about two registers; set \"type\" "
		       "to u32, s32 or f32");
	if (!by_bits && !by_number && !any_given(l, p))
		report(l, p, "modbus",
		       "nothing says when a register means active; add "
		       "\"bit\", \"mask\", \"equals\", \"above\", "
		       "\"below\", or the windows of a loop (\"normal\", "
		       "\"alarm\", \"short\", \"open\")");
	if (has_windows && (by_bits || by_number))
		report(l, p, "alarm",
		       "the windows of a loop say all; \"bit\", \"mask\", "
		       "\"equals\", \"above\" and \"below\" do not go with "
		       "them");
	if (by_bits && by_number)
		report(l, p, x->has_above ? "above" : "below",
		       "\"bit\", \"mask\" and \"equals\" look at bits, "
		       "\"above\" and \"below\" at the number; use one way");
	if (by_bits && m->format.type == MBUS_F32)
		report(l, p, "type",
		       "the bits of a floating-point number mean nothing; use "
		       "\"above\" or \"below\"");
	if (m->has_bit && (m->has_mask || m->has_equals))
		report(l, p, "bit", "use \"bit\", or \"mask\" and \"equals\"");
	if (m->has_bit && m->bit >= bits)
		report(l, p, "bit", "bit = %u; of one register 0 to 15",
		       m->bit);
	if (m->has_mask && (!m->mask || m->mask & ~all))
		report(l, p, "mask",
		       m->mask ? "mask = 0x%x has more bits than the register"
			       : "mask = 0x%x lets no bit count",
		       m->mask);
	if (m->has_equals && m->equals & ~(m->has_mask ? m->mask : all))
		report(l, p, "equals",
		       "equals = 0x%x can never be: it has bits that %s",
		       m->equals,
		       m->has_mask ? "mask does not let count"
				   : "the register does not have");
	if ((by_number || has_windows) && x->active_low)
		report(l, p, "active",
		       "\"active\" is about a bit; thresholds say themselves "
		       "what is active");
	if (!m->format.scale)
		report(l, p, "scale", "scale = 0: every value would be %g",
		       m->format.offset);
}

static void check_input(struct load *l, size_t i)
{
	const struct point p = {KIND_INPUT, i, "input", l->c->inputs[i].name,
				&l->c->inputs[i].modbus};

	if (l->node[KIND_INPUT][i]->damaged || !check_table(l, &p))
		return;
	check_unit(l, &p);
	if (mbus_is_bit(p.m->table)) {
		check_bit_point(l, &p);
		return;
	}
	check_word(l, &p);
	load_check_loop(l, i);
}

static bool same_place(const struct config_modbus *a,
		       const struct config_modbus *b)
{
	return a->bus && b->bus && !strcmp(a->bus, b->bus) &&
	       a->unit == b->unit && a->table == b->table &&
	       a->address[a->table] == b->address[b->table];
}

static void check_output(struct load *l, size_t i)
{
	const struct config_output *o = l->c->outputs;
	const struct point p = {KIND_OUTPUT, i, "output", o[i].name,
				&l->c->outputs[i].modbus};

	if (l->node[KIND_OUTPUT][i]->damaged || !check_table(l, &p))
		return;
	check_unit(l, &p);
	if (p.m->table == MBUS_COIL && (p.m->on != 1 || p.m->off))
		report(l, &p, p.m->on != 1 ? "on-value" : "off-value",
		       "a coil is 1 or 0; \"on-value\" and \"off-value\" are "
		       "about holding registers");
	else if (p.m->on == p.m->off)
		report(l, &p, "on-value",
		       "\"on-value\" and \"off-value\" are the same");
	for (size_t k = 0; k < i; k++)
		if (o[k].kind == OUTPUT_MODBUS &&
		    same_place(&o[k].modbus, p.m)) {
			report(l, &p, "modbus",
			       "unit %u, %s %u is written by output \"%s\" "
			       "already (%s:%d)",
			       p.m->unit, mbus_table_name(p.m->table),
			       p.m->address[p.m->table], o[k].name,
			       o[k].at.file, o[k].at.line);
			break;
		}
}

/** The device of a serial line, else NULL. */
static const char *device_of(const char *bus, char buf[MBUS_ADDRESS_SIZE])
{
	if (strncmp(bus, "rtu:", 4))
		return NULL;
	snprintf(buf, MBUS_ADDRESS_SIZE, "%s", bus + 4);
	buf[strcspn(buf, ":")] = '\0';
	return buf;
}

struct used {
	const char *bus[CONFIG_MAX_BUSES];
	size_t n;
};

static void use_bus(struct load *l, struct used *u, enum config_kind kind,
		    size_t i, const char *bus)
{
	char mine[MBUS_ADDRESS_SIZE], other[MBUS_ADDRESS_SIZE];
	const char *device = device_of(bus, mine);

	for (size_t k = 0; k < u->n; k++)
		if (!strcmp(u->bus[k], bus))
			return;
	for (size_t k = 0; device && k < u->n; k++)
		if (device_of(u->bus[k], other) && !strcmp(other, device))
			problem_add(l->p, load_at(l, kind, i, "modbus"),
				    "\"%s\" and \"%s\" are one serial line; "
				    "it has one speed and one frame",
				    bus, u->bus[k]);
	if (u->n == CONFIG_MAX_BUSES)
		problem_add(l->p, load_at(l, kind, i, "modbus"),
			    "more than %d Modbus buses: that is the most",
			    CONFIG_MAX_BUSES);
	else
		u->bus[u->n++] = bus;
}

static void check_buses(struct load *l)
{
	const struct config *c = l->c;
	struct used u = {.n = 0};

	for (size_t i = 0; i < c->n_inputs; i++)
		if (c->inputs[i].modbus.bus)
			use_bus(l, &u, KIND_INPUT, i, c->inputs[i].modbus.bus);
	for (size_t i = 0; i < c->n_outputs; i++)
		if (c->outputs[i].modbus.bus)
			use_bus(l, &u, KIND_OUTPUT, i,
				c->outputs[i].modbus.bus);
	for (size_t i = 0; i < c->n_buses; i++) {
		const struct config_bus *b = &c->buses[i];
		struct mbus_address a;
		bool any = !mbus_address_read(&a, b->name);

		for (size_t k = 0; k < u.n; k++)
			any |= !strcmp(u.bus[k], b->name);
		if (!any)
			problem_warn(l->p, b->at,
				     "bus \"%s\" has no point: no input or "
				     "output is on it",
				     b->name);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(c->buses[k].name, b->name))
				problem_add(l->p, b->at,
					    "bus \"%s\" is given twice; the "
					    "first is at %s:%d",
					    b->name, c->buses[k].at.file,
					    c->buses[k].at.line);
		if (b->timing.max_back_off_ms < b->timing.back_off_ms)
			problem_add(l->p,
				    load_at(l, KIND_BUS, i, "max-back-off"),
				    "bus \"%s\": \"max-back-off\" is less "
				    "than \"back-off\"",
				    b->name);
	}
}

void load_check_modbus(struct load *l)
{
	const struct config *c = l->c;

	load_defaults(l, schema_kind(KIND_BUS), &l->c->bus_default);
	for (size_t i = 0; i < c->n_inputs; i++)
		if (c->inputs[i].kind == INPUT_MODBUS)
			check_input(l, i);
	for (size_t i = 0; i < c->n_outputs; i++)
		if (c->outputs[i].kind == OUTPUT_MODBUS)
			check_output(l, i);
	check_buses(l);
}
