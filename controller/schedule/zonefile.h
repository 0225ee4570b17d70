/** Time zones from the system's tzdata. Any thread. */
#ifndef TOCSIN_ZONEFILE_H
#define TOCSIN_ZONEFILE_H

#include "scheduler/tz.h"

/** Reads a zone; name NULL = the system's (/etc/localtime, else UTC). NULL
 *  with the reason when there is none. why may be NULL. */
struct tz *zonefile_load(const char *name, struct reason *why);

#endif
