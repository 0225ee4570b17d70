/**
 * CAP 1.2 alerts (OASIS CAP-v1.2, 2010): what a document says. Pure; any
 * thread.
 *
 * A document may be an alert, a feed that carries alerts or links to them
 * (Atom, RSS), or plain text with an address in each line. It is read with
 * expat: a document type is refused, so there are no entities of its own; its
 * size, depth and numbers are bounded. Signatures in it are not verified.
 */
#ifndef TOCSIN_CAP_H
#define TOCSIN_CAP_H

#include "controller/base/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Limits of one document. */
#define CAP_MAX_BYTES (1u << 20)
#define CAP_MAX_DEPTH 32
#define CAP_MAX_TEXT 65536
#define CAP_MAX_ALERTS 200
#define CAP_MAX_LINKS 200
#define CAP_MAX_INFOS 16
#define CAP_MAX_AREAS 200
#define CAP_MAX_GEOCODES 2000
#define CAP_MAX_SHAPES 500
#define CAP_MAX_POINTS 20000

enum cap_status {
	CAP_ACTUAL,
	CAP_EXERCISE,
	CAP_SYSTEM,
	CAP_TEST,
	CAP_DRAFT,
	CAP_STATUSES
};
enum cap_type {
	CAP_ALERT,
	CAP_UPDATE,
	CAP_CANCEL,
	CAP_ACK,
	CAP_ERROR,
	CAP_TYPES
};
enum cap_severity {
	CAP_EXTREME,
	CAP_SEVERE,
	CAP_MODERATE,
	CAP_MINOR,
	CAP_UNKNOWN_SEVERITY,
	CAP_SEVERITIES
};
enum cap_urgency {
	CAP_IMMEDIATE,
	CAP_EXPECTED,
	CAP_FUTURE,
	CAP_PAST,
	CAP_UNKNOWN_URGENCY,
	CAP_URGENCIES
};
enum cap_certainty {
	CAP_OBSERVED,
	CAP_LIKELY,
	CAP_POSSIBLE,
	CAP_UNLIKELY,
	CAP_UNKNOWN_CERTAINTY,
	CAP_CERTAINTIES
};

/** Their words, in lower case. */
extern const char *const cap_statuses[],
	*const cap_types[], *const cap_severities[],
				    *const cap_urgencies[],
					    *const cap_certainties[];

/** A polygon of n points (latitude, longitude), or a circle: n = 1. */
struct cap_shape {
	double *p;
	size_t n;
	bool circle;
	double radius_km;
};

struct cap_area {
	char *desc;      /**< never NULL */
	char **geocodes; /**< "NAME=VALUE" */
	size_t n_geocodes;
	struct cap_shape *shapes;
	size_t n_shapes;
};

struct cap_info {
	char *language; /**< "en-US" when it says none */
	char *event, *headline, *description, *instruction; /**< may be NULL */
	enum cap_severity severity;
	enum cap_urgency urgency;
	enum cap_certainty certainty;
	int64_t effective_us, expires_us; /**< 0 = not given */
	struct cap_area *areas;
	size_t n_areas;
};

struct cap_alert {
	char *identifier, *sender, *references; /**< never NULL */
	int64_t sent_us;
	enum cap_status status;
	enum cap_type type;
	struct cap_info *infos;
	size_t n_infos;
};

/** What a document holds. */
struct cap_doc {
	struct cap_alert **alerts;
	size_t n_alerts;
	char **links; /**< as written */
	size_t n_links;
};

/**
 * Reads a document of at most CAP_MAX_BYTES.
 *
 * @return 0; EINVAL with the reason (line and what is wrong): then nothing is
 *         in *d; ENOMEM
 */
int cap_read(struct cap_doc *d, const char *text, size_t len,
	     struct reason *why);

void cap_doc_reset(struct cap_doc *d);
struct cap_alert *cap_alert_free(struct cap_alert *a);

/** Is the place within the shape? Edges as they fall. */
bool cap_within(const struct cap_shape *s, double latitude, double longitude);

#endif
