/**
 * Emergencies that were started by hand or by a schedule and were on when the
 * daemon ended sound again (DESIGN rule 6); those of alarms come back with
 * their alarm.
 *
 * What was spoken is said with its tone again. Words that are no longer kept
 * are spoken anew: a tone sounds until then, and instead when that fails.
 * Control thread.
 */
#ifndef TOCSIN_RESTORE_H
#define TOCSIN_RESTORE_H

#include "commands.h"

/** Call once, with all parts of the scope in force. */
void restore_broadcasts(const struct command_scope *s, struct journal *j);

#endif
