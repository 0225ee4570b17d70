#include "plc.h"

#include "controller/base/clock.h"
#include "gpio/modbus/serve.h"
#include "gpio/modbus/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where things are. Bits: two of a zone, four of an alarm, two of an input;
 * registers: one of each, with the same bits. */
#define ZONES_AT 1000
#define ALARMS_AT 3000
#define INPUTS_AT 5000
#define TRIGGER MBUS_SERVER_COILS_AT
#define RESET (MBUS_SERVER_COILS_AT + 1)

/** Registers from 0 on. */
enum word { HEARTBEAT, FAULTS, ALARMS, BROADCASTS, BITS, SIGNATURE, WORDS };

struct plc {
	const struct command_scope *scope;
	struct faults *faults;
	struct mbus_server *server;
	uint16_t signature; /**< of the map in force */
};

int plc_alloc(struct plc **pp, const struct command_scope *scope,
	      struct faults *f)
{
	struct plc *p = calloc(1, sizeof(*p));

	if (!p)
		return ENOMEM;
	p->scope = scope;
	p->faults = f;
	*pp = p;
	return 0;
}

struct plc *plc_free(struct plc *p)
{
	if (!p)
		return NULL;
	mbus_server_free(p->server);
	free(p);
	return NULL;
}

/* -------------------------------------------------------------------- image */

static unsigned zone_bits(const struct plc *p, size_t i)
{
	const struct config_plc *c = &p->scope->config->plc;
	int level = broadcasts_zone_level(p->scope->broadcasts, c->zones[i]);

	return (level >= 0) | (level >= 200) << 1;
}

static unsigned alarm_bits(const struct plc *p, size_t i)
{
	const struct config_plc *c = &p->scope->config->plc;
	const struct alarm_snapshot *s =
		alarm_snapshot(p->scope->alarms, c->alarms[i]);

	return (s->state != ALARM_NORMAL) |
	       (s->state == ALARM_ACKED || s->state == ALARM_LATCHED_ACKED)
		       << 1 |
	       s->cause << 2 | s->inhibited << 3;
}

static unsigned input_bits(const struct plc *p, size_t i)
{
	const struct config_plc *c = &p->scope->config->plc;
	const struct input_value *v =
		field_input(p->scope->field, c->inputs[i]);

	return v->active | (v->quality != INPUT_GOOD) << 1;
}

static unsigned common_bits(const struct plc *p)
{
	return (fault_count(p->faults) > 0) |
	       (alarms_active(p->scope->alarms) > 0) << 1 |
	       (clock_mono_us() / 1000000 & 1) << 2;
}

static int get_bit(uint16_t address, void *arg)
{
	const struct plc *p = arg;
	const struct config_plc *c = &p->scope->config->plc;
	size_t i = address;

	if (i < 16)
		return common_bits(p) >> i & 1;
	i = address - ZONES_AT;
	if (address >= ZONES_AT && i / 2 < c->n_zones)
		return zone_bits(p, i / 2) >> i % 2 & 1;
	i = address - ALARMS_AT;
	if (address >= ALARMS_AT && i / 4 < c->n_alarms)
		return alarm_bits(p, i / 4) >> i % 4 & 1;
	i = address - INPUTS_AT;
	if (address >= INPUTS_AT && i / 2 < c->n_inputs)
		return input_bits(p, i / 2) >> i % 2 & 1;
	return -1;
}

static int32_t common_word(const struct plc *p, enum word w)
{
	switch (w) {
	case HEARTBEAT:
		return clock_mono_us() / 1000000 & 0xffff;
	case FAULTS:
		return (int32_t)(fault_count(p->faults) & 0xffff);
	case ALARMS:
		return (int32_t)alarms_active(p->scope->alarms);
	case BROADCASTS:
		return (int32_t)broadcast_count(p->scope->broadcasts);
	case BITS:
		return (int32_t)common_bits(p);
	case SIGNATURE:
		return p->signature;
	default:
		return -1;
	}
}

static int32_t get_word(uint16_t address, void *arg)
{
	const struct plc *p = arg;
	const struct config_plc *c = &p->scope->config->plc;

	if (address < WORDS)
		return common_word(p, address);
	if (address >= ZONES_AT && address - ZONES_AT < (int)c->n_zones)
		return (int32_t)zone_bits(p, address - ZONES_AT);
	if (address >= ALARMS_AT && address - ALARMS_AT < (int)c->n_alarms)
		return (int32_t)alarm_bits(p, address - ALARMS_AT);
	if (address >= INPUTS_AT && address - INPUTS_AT < (int)c->n_inputs)
		return (int32_t)input_bits(p, address - INPUTS_AT);
	return -1;
}

/* ----------------------------------------------------------------- commands */

static bool has(const int *v, size_t n, int x)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == x)
			return true;
	return false;
}

/** Two coils of each alarm in the list: trigger and reset. */
static bool is_coil(unsigned i, void *arg)
{
	const struct plc *p = arg;
	const struct config_plc *c = &p->scope->config->plc;

	if (i / 2 >= c->n_alarms)
		return false;
	return i % 2 ? has(c->reset, c->n_reset, c->alarms[i / 2])
		     : has(c->trigger, c->n_trigger, c->alarms[i / 2]);
}

static uint8_t on_command(unsigned i, const char *peer, void *arg)
{
	struct plc *p = arg;
	const struct config *c = p->scope->config;
	const char *name = c->alarms[c->plc.alarms[i / 2]].name;
	struct refusal no = {0};
	json_t *reply = NULL;
	char actor[80];
	int status;

	snprintf(actor, sizeof(actor), "modbus:%s", peer);
	struct caller who = {
		.actor = actor,
		.role = WEB_OPERATOR,
		.at_us = clock_mono_us(),
	};

	status = commands_run(p->scope, &who, i % 2 ? "reset" : "trigger", name,
			      NULL, &reply, &no);
	json_decref(reply);
	if (status < 300)
		return 0;
	record(p->scope->recorder, EVENT_COMMAND_REFUSED, 0, "command", actor,
	       NULL, "%s of alarm %s over Modbus refused: %s",
	       i % 2 ? "reset" : "trigger", name, no.why.text);
	return MBUS_FAILURE;
}

static bool is_allowed(const struct sockaddr *from, void *arg)
{
	const struct plc *p = arg;

	return config_plc_allows(&p->scope->config->plc, from);
}

/* ------------------------------------------------------------- configuration
 */

static void hash(uint32_t *h, const char *s)
{
	/* FNV-1a, the NUL included. */
	do
		*h = (*h ^ (uint8_t)*s) * UINT32_C(16777619);
	while (*s++);
}

static uint16_t signature(const struct config *c)
{
	uint32_t h = UINT32_C(2166136261);

	for (size_t i = 0; i < c->plc.n_zones; i++)
		hash(&h, c->zones[c->plc.zones[i]].name);
	hash(&h, "");
	for (size_t i = 0; i < c->plc.n_alarms; i++)
		hash(&h, c->alarms[c->plc.alarms[i]].name);
	hash(&h, "");
	for (size_t i = 0; i < c->plc.n_inputs; i++)
		hash(&h, c->inputs[c->plc.inputs[i]].name);
	return (uint16_t)(h ^ h >> 16);
}

void plc_configure(struct plc *p)
{
	static const struct mbus_server_handlers handlers = {
		.allowed = is_allowed,
		.bit = get_bit,
		.word = get_word,
		.command = on_command,
		.coil = is_coil,
	};
	const struct config_plc *c = &p->scope->config->plc;
	struct reason why = {""};

	/* Connections begin anew: with another map their coils would be other
	 * commands, and who made them may not be allowed any more. */
	p->server = mbus_server_free(p->server);
	fault_clear(p->faults, "plc");
	if (!c->present)
		return;
	p->signature = signature(p->scope->config);
	if (mbus_server_alloc(&p->server, c->host, c->port, c->unit, &handlers,
			      p, &why))
		fault_raise(
			p->faults, "plc", 0, "Correct plc.listen and reload.",
			"the PLC's Modbus server cannot listen: %s", why.text);
}

/* ---------------------------------------------------------------------- map */

static void row(FILE *f, const char *table, unsigned at, const char *what,
		const char *name)
{
	fprintf(f, "%-10s %5u  %s%s%s\n", table, at, name,
		*name && *what ? ": " : "", what);
}

void plc_map(const struct config *c, FILE *f)
{
	static const char *const words[WORDS] = {
		[HEARTBEAT] = "heartbeat: seconds, goes on as long as we live",
		[FAULTS] = "faults that stand",
		[ALARMS] = "alarms that are not normal",
		[BROADCASTS] = "broadcasts",
		[BITS] = "bits 0 to 15",
		[SIGNATURE] = "signature of this map",
	};
	static const char *const common[] = {"a fault stands",
					     "an alarm is not normal",
					     "heartbeat: changes each second"};
	static const char *const alarm[] = {"not normal", "acknowledged",
					    "its cause is there", "inhibited"};
	const struct config_plc *p = &c->plc;

	fprintf(f,
		"# Modbus server for a PLC. Addresses of the protocol, from 0. "
		"Bits are read as\n# coils or discrete inputs (functions 1, "
		"2), registers as input or holding\n# (3, 4); coils written "
		"with 5 or 15. A command is a coil that goes from 0 to 1.\n"
		"# register %d is %u\n",
		SIGNATURE, signature(c));
	for (unsigned i = 0; i < WORDS; i++)
		row(f, "register", i, words[i], "");
	for (unsigned i = 0; i < 3; i++)
		row(f, "bit", i, common[i], "");
	for (unsigned i = 0; i < p->n_zones; i++) {
		const char *name = c->zones[p->zones[i]].name;

		row(f, "bit", ZONES_AT + 2 * i, "something sounds", name);
		row(f, "bit", ZONES_AT + 2 * i + 1, "an emergency sounds",
		    name);
		row(f, "register", ZONES_AT + i, "its two bits", name);
	}
	for (unsigned i = 0; i < p->n_alarms; i++) {
		const char *name = c->alarms[p->alarms[i]].name;

		for (unsigned k = 0; k < 4; k++)
			row(f, "bit", ALARMS_AT + 4 * i + k, alarm[k], name);
		row(f, "register", ALARMS_AT + i, "its four bits", name);
		if (has(p->trigger, p->n_trigger, p->alarms[i]))
			row(f, "command", TRIGGER + 2 * i, "trigger", name);
		if (has(p->reset, p->n_reset, p->alarms[i]))
			row(f, "command", RESET + 2 * i, "reset", name);
	}
	for (unsigned i = 0; i < p->n_inputs; i++) {
		const char *name = c->inputs[p->inputs[i]].name;

		row(f, "bit", INPUTS_AT + 2 * i, "active", name);
		row(f, "bit", INPUTS_AT + 2 * i + 1, "its value is not good",
		    name);
		row(f, "register", INPUTS_AT + i, "its two bits", name);
	}
}

void plc_metrics(const struct plc *p, FILE *f)
{
	struct mbus_server_counters c;

	if (!p->server)
		return;
	mbus_server_counters(p->server, &c);
	fprintf(f,
		"# HELP tocsin_plc_requests_total Modbus requests of PLCs.\n"
		"# TYPE tocsin_plc_requests_total counter\n"
		"tocsin_plc_requests_total %llu\n"
		"# HELP tocsin_plc_refused_total Of them, answered with an "
		"exception.\n"
		"# TYPE tocsin_plc_refused_total counter\n"
		"tocsin_plc_refused_total %llu\n"
		"# HELP tocsin_plc_strangers_total Connections that were "
		"closed at once.\n"
		"# TYPE tocsin_plc_strangers_total counter\n"
		"tocsin_plc_strangers_total %llu\n"
		"# HELP tocsin_plc_connections Connections of PLCs.\n"
		"# TYPE tocsin_plc_connections gauge\n"
		"tocsin_plc_connections %u\n",
		(unsigned long long)c.requests, (unsigned long long)c.refused,
		(unsigned long long)c.strangers, c.connections);
}
