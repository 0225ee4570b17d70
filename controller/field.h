/**
 * Field points in force: inputs with their quality, outputs with their role.
 *
 * Values survive a reload by name. A source that is lost is a fault and keeps
 * its last value (DESIGN rule 3). An MQTT input is of unknown quality until its
 * first message, and again when the broker comes back, until the next one: no
 * fault by itself (its max-age sees to that), but an alarm that hangs on it
 * cannot be reset meanwhile. Control thread.
 */
#ifndef TOCSIN_FIELD_H
#define TOCSIN_FIELD_H

#include "config/config.h"
#include "fault.h"
#include "gpio/input.h"
#include "recorder.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct field;

/** An input's active state or quality changed; event is its record. */
typedef void(field_input_h)(int input, uint64_t event, uint64_t at_us,
			    void *arg);

/** A field output that lives on the broker is to be published (retained). */
typedef void(field_publish_h)(const char *topic, const char *payload,
			      void *arg);

int field_alloc(struct field **fp, struct recorder *r, struct faults *f,
		field_input_h *inputh, field_publish_h *publishh, void *arg);

/** Releases every line; outputs go to their safe level. Returns NULL. */
struct field *field_free(struct field *f);

/** Takes a new configuration; inputs and outputs that stay keep their state.
 *  0 or ENOMEM (nothing changed then). */
int field_configure(struct field *f, const struct config *c);

/** The value of one input of the configuration in force. */
const struct input_value *field_input(const struct field *f, int input);

/** Moves a virtual input; EINVAL for another kind. */
int field_input_set(struct field *f, int input, bool active, const char *actor,
		    uint64_t cause, uint64_t at_us);

/** A message came for some input's topic (others are ignored). */
void field_mqtt(struct field *f, const char *topic, const char *payload,
		size_t len, bool retain, uint64_t at_us);

/** A webhook's request: it is read by every input that names it. told gets how
 *  each of them stands then. Returns how many there are. */
size_t field_webhook(struct field *f, const char *webhook, const char *payload,
		     size_t len, const char *actor, uint64_t at_us,
		     json_t *told);

/** The broker is there or away: inputs that hang on it are lost with it. */
void field_mqtt_state(struct field *f, bool connected);

/** Ages inputs and tries again what could not be opened; about once a second.
 */
void field_watch(struct field *f);

/** What alarms want of this output: on, or off whoever else wants it on. */
void field_output_drive(struct field *f, int output, bool on, bool off,
			uint64_t cause);

/** Longest pulse by hand or alarm. */
#define FIELD_MAX_PULSE_MS 3600000u

/** One pulse; EINVAL for the fault output or a time of 0 or beyond. */
int field_output_pulse(struct field *f, int output, uint32_t ms,
		       const char *actor, uint64_t cause);

/** What it follows is active, or not any more. */
void field_output_follow(struct field *f, int output, bool active);

/** Zones whose amplifiers it powers want this output, or not any more. */
void field_output_hold(struct field *f, int output, bool active,
		       uint64_t cause);

/** A person sets an output; EINVAL for the fault output, which obeys nobody. */
int field_output_set(struct field *f, int output, bool active,
		     const char *actor, uint64_t cause);

/** Brings the fault outputs to what the list of faults says. */
void field_fault_outputs(struct field *f);

/** Figures of the inputs and of the Modbus buses, for Prometheus. */
void field_metrics(const struct field *f, FILE *out);

json_t *field_inputs_json(const struct field *f);
json_t *field_input_json(const struct field *f, int input);
json_t *field_outputs_json(const struct field *f);
json_t *field_output_json(const struct field *f, int output);

#endif
