/**
 * An ICS text (RFC 5545) cut into its events and time zones, by line.
 *
 * libical reads the single components but says no lines and is generous with
 * memory; so the text is cut here, with limits, and each piece is handed to it.
 * Pure; one thread at a time.
 */
#ifndef TOCSIN_ICS_H
#define TOCSIN_ICS_H

#include <stddef.h>

/** Largest text, largest component. Bytes. */
#define ICS_MAX_TEXT (8u << 20)
#define ICS_MAX_COMPONENT (64u << 10)
/** Components of all kinds. */
#define ICS_MAX_COMPONENTS 20000

/** A component of the calendar: VEVENT, VTIMEZONE, ... */
struct ics_piece {
	char name[32];
	char *text; /**< BEGIN: to END:, unfolded, ends with a NUL */
	int *line;  /**< of each unfolded line of the text */
	int n_lines;
};

/** One piece; it is gone after the return. false = enough. */
typedef int(ics_piece_h)(const struct ics_piece *p, void *arg);

/** Something is wrong at a line. */
typedef void(ics_problem_h)(int line, const char *text, void *arg);

/**
 * Hands out the components of all VCALENDARs of a text.
 *
 * @return 0; EBADMSG (no ICS, unbalanced, too big: told), ENOMEM, or what h
 *         returned that was not 0
 */
int ics_cut(const char *text, size_t size, ics_piece_h *h,
	    ics_problem_h *problem, void *arg);

/** How many properties of this name the piece has. */
int ics_count(const struct ics_piece *p, const char *property);

/** Line of the first property of this name (any case), else of the piece. */
int ics_line(const struct ics_piece *p, const char *property);

#endif
