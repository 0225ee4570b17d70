/**
 * Amplifiers behind the zones: relays that power them while something sounds,
 * and how long they still need to wake (`relay`, `relay-hold`, `lead`).
 *
 * A zone's relays are on from the moment something is to sound in one of its
 * own outputs until `relay-hold` after the last; a relay of several zones is
 * on while any of them wants it. Control thread.
 */
#ifndef TOCSIN_AMPS_H
#define TOCSIN_AMPS_H

#include "config/config.h"
#include "field.h"

struct amps;

/** The field must outlive it. 0 or ENOMEM. */
int amps_alloc(struct amps **ap, struct field *f);

/** Frees it; relays stay as they are. NULL is fine. Returns NULL. */
struct amps *amps_free(struct amps *a);

/** Takes a new configuration: call after field_configure(). What a zone of the
 *  same name did goes on. 0, or ENOMEM and nothing changed. */
int amps_configure(struct amps *a, const struct config *c);

/** Silence that a zone's amplifiers need now before a sound, in ms. */
uint32_t amps_lead(const struct amps *a, int zone);

/**
 * Says what sounds now and switches the relays.
 *
 * @param sounds one per zone: does any of its own outputs?
 * @param cause  event that led to it, 0 = none
 */
void amps_update(struct amps *a, const bool *sounds, uint64_t cause);

#endif
