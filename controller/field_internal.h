/** What the files of the field share: field.c, field_modbus.c. */
#ifndef TOCSIN_FIELD_INTERNAL_H
#define TOCSIN_FIELD_INTERNAL_H

#include "controller/base/compat.h"
#include "field.h"
#include "gpio/drive.h"
#include "gpio/input_many.h"
#include "gpio/lines.h"

struct in {
	struct field *field;
	int index;
	const struct config_input *conf;
	struct input_rule rule;
	struct input_value value;
	struct input_many many; /**< mqtt with a wildcard: what it is made of */
	struct line_in *line;
	struct loop loop;  /**< of a loop, a pair, or what is held */
	uint32_t glitches; /**< filtered by lines it had before */
	uint64_t event;    /**< record of the last change */
	uint64_t burst_us; /**< when its changes were counted from */
	uint32_t burst;    /**< changes since then */
	uint32_t unsaid;   /**< of them, those not recorded */
	int64_t changed_wall_us;
};

/** What the other side says of an output on the broker. */
struct field_confirm {
	uint64_t since_us; /**< it should say so since then; 0 = nobody asked */
	bool heard;        /**< it said something since the connection */
	int says;          /**< 1 on, 0 off, -1 something else */
	char text[41];     /**< what it said, printable */
};

/** An output: who wants it, and what it is. */
struct out {
	const struct config_output *conf;
	bool driven;   /**< alarms: on */
	bool blocked;  /**< alarms: off, whoever else wants it on */
	bool held;     /**< zones whose amplifiers it powers */
	bool manual;   /**< somebody switched it on */
	bool followed; /**< what it follows is active */
	struct drive drive;
	uint64_t wake_us;   /**< of drive */
	const char *behind; /**< another of its interlock goes first, NULL */
	struct field_confirm confirm;
	bool shown, known; /**< last written; does it hold? */
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
	struct tmr out_tmr;    /**< pulses, shortest times */
	bool busy;             /**< within field_fault_outputs() */
};

/** The watch's period: how long a fault of a line may go unseen. */
#define FIELD_WATCH_MS 1000

/* ---- field_output.c ---- */

/** Takes outputs of a new configuration; those that stay keep their state. */
void field_outputs_take(struct field *f, const struct config *c,
			struct out *out);

/** Requests their lines and shows all, when inputs and buses are there. */
void field_outputs_open(struct field *f);

/** The broker is back: it is told all. */
void field_outputs_connected(struct field *f);

/** Writes lines anew, and tries again what could not be opened. */
void field_outputs_watch(struct field *f);

/** Leaves each as it is to be left. */
void field_outputs_free(struct field *f);

/* ---- field.c ---- */

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

/** An output was published: from now on it is to be confirmed. */
void field_confirm_ask(struct out *o);

/** A message came: does it confirm an output? */
void field_confirm_hear(struct field *f, const char *topic, const char *payload,
			size_t len);

/** Looks which outputs are not confirmed in time; connected: to the broker. */
void field_confirm_watch(struct field *f);

/** Nobody can say anything while the broker is away. */
void field_confirm_away(struct field *f);

/** Writes an output of a bus. */
void field_bus_write(struct out *o, bool on);

#endif
