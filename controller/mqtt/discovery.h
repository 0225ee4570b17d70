/**
 * What Home Assistant is told of us (MQTT discovery): one retained
 * configuration for each entity of the device "Tocsin <site>", on
 * <prefix>/<component>/tocsin_<site>/<object>/config.
 *
 * States are those of DESIGN 6.5; commands are those of everybody else, with
 * the "id" and "time" that they need made by Home Assistant's templates. Pure.
 */
#ifndef TOCSIN_DISCOVERY_H
#define TOCSIN_DISCOVERY_H

#include "controller/config/config.h"

#include <jansson.h>

struct discovery {
	const struct config *config; /**< what is in force */
	const char *base;            /**< "tocsin/<site>" */
};

/** One entity; config is borrowed. */
typedef void(discovery_h)(const char *topic, json_t *config, void *arg);

/** The topics of all entities of a site, whatever they are: a filter. */
void discovery_filter(const struct discovery *d, char *buf, size_t size);

/** What belongs to the site as a whole: are there faults, and its mode. */
void discovery_site(const struct discovery *d, discovery_h *h, void *arg);

/** Does it sound, how loud is it, say a text. */
void discovery_zone(const struct discovery *d, size_t zone, discovery_h *h,
		    void *arg);

/** Its state; acknowledge, reset and (hidden at first) trigger. */
void discovery_alarm(const struct discovery *d, size_t alarm, discovery_h *h,
		     void *arg);

/** Its state, unavailable unless its quality is good; a virtual one can be
 *  switched. */
void discovery_input(const struct discovery *d, size_t input, discovery_h *h,
		     void *arg);

/** A switch; the fault output shows a problem. */
void discovery_output(const struct discovery *d, size_t output, discovery_h *h,
		      void *arg);

/** A fault that stands; topic: the last level of its own topic. */
void discovery_fault(const struct discovery *d, const char *topic,
		     discovery_h *h, void *arg);

#endif
