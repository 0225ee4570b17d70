/** What the files of the field share: field.c, field_modbus.c. */
#ifndef TOCSIN_FIELD_INTERNAL_H
#define TOCSIN_FIELD_INTERNAL_H

#include "controller/base/compat.h"
#include "field.h"
#include "gpio/lines.h"

struct in {
	struct field *field;
	int index;
	const struct config_input *conf;
	struct input_rule rule;
	struct input_value value;
	struct line_in *line;
	struct loop loop;  /**< of a loop, a pair, or what is held */
	uint32_t glitches; /**< filtered by lines it had before */
	uint64_t event;    /**< record of the last change */
	int64_t changed_wall_us;
};

struct out {
	const struct config_output *conf;
	bool driven, held, manual, shown, known;
	struct line_out *line;
	struct field_bus *bus; /**< modbus: where, and as which point */
	size_t point;
};

struct field {
	struct recorder *recorder;
	struct faults *faults;
	field_input_h *inputh;
	field_publish_h *publishh;
	void *arg;
	struct in *in;
	size_t n_in;
	struct out *out;
	size_t n_out;
	struct field_bus *bus; /**< list */
	struct tmr tmr;        /**< pairs whose state must stand */
	bool busy;             /**< within field_fault_outputs() */
};

/** Records what changed of an input's value, and passes it on. */
void field_changed(struct in *x, bool was_active, const char *actor,
		   uint64_t cause, uint64_t at_us);

/** Changes of an input that did not stand and were filtered out. */
uint32_t field_glitches(const struct in *x);

/** Says why an output cannot be driven; NULL = it can. */
void field_output_fault(struct field *f, const struct out *o, const char *why);

/** Puts in force what a loop's state means, new or not. */
void field_loop_state(struct in *x, bool fresh, double number, const char *raw,
		      uint64_t at_us);

/** Looks at the pairs that an input belongs to, NULL = at all. */
void field_pairs(struct field *f, const struct in *part);

/** Brings the buses to the points of f->in and f->out. */
void field_buses_configure(struct field *f, const struct config *c);

/** Ends all; outputs are left off. */
void field_buses_free(struct field *f);

/** Figures of the buses. */
void field_bus_metrics(const struct field *f, FILE *out);

/** Writes an output of a bus. */
void field_bus_write(struct out *o, bool on);

#endif
