/**
 * What a PLC sees of us: a Modbus server with zones, alarms, inputs and faults,
 * and the commands it may give. Control thread.
 *
 * The map is made of the lists in the plc section: what stands in a list has
 * its address by its place, so appending moves nothing.
 */
#ifndef TOCSIN_PLC_H
#define TOCSIN_PLC_H

#include "commands.h"
#include "fault.h"

#include <stdio.h>

struct plc;

/** scope and f must outlive it. 0 or ENOMEM. */
int plc_alloc(struct plc **pp, const struct command_scope *scope,
	      struct faults *f);

struct plc *plc_free(struct plc *p);

/** Puts the configuration in force; a listener that cannot be had is a fault
 *  ("plc"), and the rest goes on. */
void plc_configure(struct plc *p);

/** Prints the register map of a configuration. */
void plc_map(const struct config *c, FILE *f);

/** Figures for Prometheus. */
void plc_metrics(const struct plc *p, FILE *f);

#endif
