/**
 * The MQTT side of the controller: DESIGN 6.5 under tocsin/<site>/.
 *
 * Publishes status, states and events; takes commands with the same verbs and
 * checks as the API; feeds inputs that live on the broker. Control thread.
 */
#ifndef TOCSIN_BRIDGE_H
#define TOCSIN_BRIDGE_H

#include "commands.h"
#include "event.h"

struct bridge;

/** Makes a bridge; without an mqtt section it does nothing. scope is read
 *  whenever something happens and must be kept up to date by its owner. */
int bridge_alloc(struct bridge **bp, const struct command_scope *scope,
		 struct faults *f);

/** Says goodbye to the broker. Returns NULL. */
struct bridge *bridge_free(struct bridge *b);

/** Takes the configuration in force: connects anew only when the mqtt section
 *  changed. 0 or errno with the reason. */
int bridge_configure(struct bridge *b, struct reason *why);

/** Publishes an event and what it changed: a recorder_sink_h. */
void bridge_event(const struct event *e, void *arg);

/** Publishes a payload, retained: a field_publish_h. */
void bridge_publish(const char *topic, const char *payload, void *arg);

/** Sends a message of an alarm: an alarms_publish_h. */
void bridge_send(const char *topic, const char *payload, bool retain,
		 void *arg);

bool bridge_configured(const struct bridge *b);
bool bridge_connected(const struct bridge *b);

/** The broker that serves us, "host:port"; "" = none. */
void bridge_broker(const struct bridge *b, char name[300]);

/** Figures of the connection, for Prometheus. */
void bridge_metrics(const struct bridge *b, FILE *out);

#endif
