#include "cap.h"

#include "gpio/command.h"

#include <ctype.h>
#include <errno.h>
#include <expat.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const cap_statuses[] = {"actual", "exercise", "system",
				    "test",   "draft",    NULL};
const char *const cap_types[] = {"alert", "update", "cancel",
				 "ack",   "error",  NULL};
const char *const cap_severities[] = {"extreme", "severe",  "moderate",
				      "minor",   "unknown", NULL};
const char *const cap_urgencies[] = {"immediate", "expected", "future",
				     "past",      "unknown",  NULL};
const char *const cap_certainties[] = {"observed", "likely",  "possible",
				       "unlikely", "unknown", NULL};

/** Namespaces, as expat puts them before a name. */
#define NS_CAP12 "urn:oasis:names:tc:emergency:cap:1.2|"
#define NS_CAP11 "urn:oasis:names:tc:emergency:cap:1.1|"
#define NS_ATOM "http://www.w3.org/2005/Atom|"

enum place {
	OUTSIDE,
	IN_ALERT,
	IN_INFO,
	IN_AREA,
	IN_GEOCODE,
	IN_ENTRY, /**< of a feed */
};

struct reader {
	XML_Parser p;
	struct cap_doc *doc;
	struct reason *why;
	int err;
	unsigned depth;
	struct {
		enum place place;
		unsigned depth;
	} stack[8];
	size_t n_stack;
	size_t points, geocodes;
	/* the text of the element that is open */
	char *text;
	size_t len, room;
	/* of an area's geocode, of a feed's entry */
	char *code_name, *code_value, *link;
	bool link_is_cap, carries;
	unsigned seen; /**< bits of an alert's elements that must be */
};

enum {
	HAS_ID = 1,
	HAS_SENDER = 2,
	HAS_SENT = 4,
	HAS_STATUS = 8,
	HAS_TYPE = 16
};
#define HAS_ALL 31u

/* ------------------------------------------------------------------ failing */

static void stop(struct reader *r, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* expat 2.9 calls the old name deprecated, older ones lack the new. */
static unsigned long line_of(XML_Parser p)
{
#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 9
	return (unsigned long)XML_GetCurrentLineNumber64(p);
#else
	return (unsigned long)XML_GetCurrentLineNumber(p);
#endif
}

static void stop(struct reader *r, int err, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	if (r->err)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->err = reason_set(r->why, err, "line %lu: %s", line_of(r->p), text);
	XML_StopParser(r->p, XML_FALSE);
}

/** One more of a list; NULL after a failure. */
static void *grow(struct reader *r, void *list, size_t *n, size_t size,
		  size_t most, const char *what)
{
	char *v, *bigger;

	if (*n == most) {
		stop(r, EINVAL, "more than %zu %s", most, what);
		return NULL;
	}
	memcpy(&v, list, sizeof(v));
	/* Doubling, for what there may be thousands of. */
	if (!(*n & (*n - 1))) {
		bigger = realloc(v, (*n ? 2 * *n : 1) * size);
		if (!bigger) {
			stop(r, ENOMEM, "not enough memory");
			return NULL;
		}
		v = bigger;
		memcpy(list, &v, sizeof(v));
	}
	memset(v + *n * size, 0, size);
	return v + (*n)++ * size;
}

/* ------------------------------------------------------------------- values */

/** The open element's text without white space around it; "" when empty. */
static char *taken(struct reader *r)
{
	static char none[1];
	char *s = r->text ? r->text : none;
	char *end = s + (r->text ? r->len : 0);

	while (s < end && isspace((unsigned char)*s))
		s++;
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	if (r->text)
		*end = '\0';
	return s;
}

static void set_text(struct reader *r, char **field)
{
	char *s = strdup(taken(r));

	if (!s)
		stop(r, ENOMEM, "not enough memory");
	free(*field);
	*field = s;
}

static unsigned set_word(struct reader *r, const char *element,
			 const char *const *words)
{
	const char *s = taken(r);

	for (unsigned i = 0; words[i]; i++)
		if (!strcasecmp(words[i], s))
			return i;
	stop(r, EINVAL, "<%s> is \"%.40s\", which CAP does not know", element,
	     s);
	return 0;
}

static int64_t set_time(struct reader *r, const char *element)
{
	const char *s = taken(r);
	int64_t us = 0;

	if (command_time(s, strlen(s), &us))
		stop(r, EINVAL,
		     "<%s> is \"%.40s\", no time like "
		     "2026-11-23T06:55:00+01:00",
		     element, s);
	return us;
}

/** "48.1,11.5"; *s moves behind it. */
static bool read_point(const char **s, double *lat, double *lon)
{
	char *end;

	*lat = strtod(*s, &end);
	if (end == *s || *end != ',')
		return false;
	*s = end + 1;
	*lon = strtod(*s, &end);
	if (end == *s)
		return false;
	*s = end;
	return fabs(*lat) <= 90 && fabs(*lon) <= 180;
}

static struct cap_info *the_info(struct reader *r)
{
	struct cap_alert *a = r->doc->alerts[r->doc->n_alerts - 1];

	return &a->infos[a->n_infos - 1];
}

static struct cap_area *the_area(struct reader *r)
{
	struct cap_info *i = the_info(r);

	return &i->areas[i->n_areas - 1];
}

static void add_shape(struct reader *r, bool circle)
{
	struct cap_area *a = the_area(r);
	const char *s = taken(r);
	struct cap_shape *x = grow(r, &a->shapes, &a->n_shapes, sizeof(*x),
				   CAP_MAX_SHAPES, "shapes of an area");
	bool fine = x;

	while (fine && *s && !(circle && x->n)) {
		double *p = grow(r, &x->p, &x->n, 2 * sizeof(*p),
				 CAP_MAX_POINTS, "points");

		if (!p)
			return;
		if (++r->points > CAP_MAX_POINTS) {
			stop(r, EINVAL, "more than %d points", CAP_MAX_POINTS);
			return;
		}
		fine = read_point(&s, &p[0], &p[1]);
		while (isspace((unsigned char)*s))
			s++;
	}
	if (fine && circle) {
		char *end;

		x->circle = true;
		x->radius_km = strtod(s, &end);
		fine = end != s && !*end && x->n && x->radius_km >= 0 &&
		       x->radius_km < 20100;
	}
	if (x && (!fine || (!circle && x->n < 3)))
		stop(r, EINVAL, "<%s> is not as CAP has it",
		     circle ? "circle" : "polygon");
}

static void add_geocode(struct reader *r)
{
	struct cap_area *a = the_area(r);
	char **p;

	if (!r->code_name || !r->code_value)
		return;
	if (++r->geocodes > CAP_MAX_GEOCODES) {
		stop(r, EINVAL, "more than %d geocodes", CAP_MAX_GEOCODES);
		return;
	}
	p = grow(r, &a->geocodes, &a->n_geocodes, sizeof(*p), CAP_MAX_GEOCODES,
		 "geocodes");
	if (p && asprintf(p, "%s=%s", r->code_name, r->code_value) < 0) {
		*p = NULL;
		a->n_geocodes--;
		stop(r, ENOMEM, "not enough memory");
	}
}

/* ----------------------------------------------------------------- elements */

static const char *cap_name(const char *name)
{
	if (!strncmp(name, NS_CAP12, sizeof(NS_CAP12) - 1))
		return name + sizeof(NS_CAP12) - 1;
	if (!strncmp(name, NS_CAP11, sizeof(NS_CAP11) - 1))
		return name + sizeof(NS_CAP11) - 1;
	return NULL;
}

static enum place place(const struct reader *r)
{
	return r->n_stack ? r->stack[r->n_stack - 1].place : OUTSIDE;
}

/** Directly within what is open now? */
static bool is_child(const struct reader *r)
{
	return r->n_stack && r->depth == r->stack[r->n_stack - 1].depth + 1;
}

static void enter(struct reader *r, enum place what)
{
	r->stack[r->n_stack].place = what;
	r->stack[r->n_stack++].depth = r->depth;
}

static void begin_alert(struct reader *r)
{
	struct cap_doc *d = r->doc;
	struct cap_alert **p = grow(r, &d->alerts, &d->n_alerts, sizeof(*p),
				    CAP_MAX_ALERTS, "alerts");

	if (!p)
		return;
	*p = calloc(1, sizeof(**p));
	if (*p) {
		(*p)->identifier = strdup("");
		(*p)->sender = strdup("");
		(*p)->references = strdup("");
	}
	if (!*p || !(*p)->identifier || !(*p)->sender || !(*p)->references) {
		cap_alert_free(*p);
		d->n_alerts--;
		stop(r, ENOMEM, "not enough memory");
		return;
	}
	r->seen = 0;
	r->carries = true;
	r->points = r->geocodes = 0;
	enter(r, IN_ALERT);
}

static void begin_info(struct reader *r)
{
	struct cap_alert *a = r->doc->alerts[r->doc->n_alerts - 1];
	struct cap_info *i = grow(r, &a->infos, &a->n_infos, sizeof(*i),
				  CAP_MAX_INFOS, "info blocks");

	if (!i)
		return;
	i->severity = CAP_UNKNOWN_SEVERITY;
	i->urgency = CAP_UNKNOWN_URGENCY;
	i->certainty = CAP_UNKNOWN_CERTAINTY;
	i->language = strdup("en-US");
	if (!i->language)
		stop(r, ENOMEM, "not enough memory");
	enter(r, IN_INFO);
}

static void begin_area(struct reader *r)
{
	struct cap_info *i = the_info(r);
	struct cap_area *a = grow(r, &i->areas, &i->n_areas, sizeof(*a),
				  CAP_MAX_AREAS, "areas");

	if (!a)
		return;
	a->desc = strdup("");
	if (!a->desc)
		stop(r, ENOMEM, "not enough memory");
	enter(r, IN_AREA);
}

static void keep_link(struct reader *r, const char *href, bool is_cap)
{
	/* The first, unless another says that it is CAP. */
	if ((r->link && (!is_cap || r->link_is_cap)) || !*href)
		return;
	free(r->link);
	r->link = strdup(href);
	r->link_is_cap = is_cap;
	if (!r->link)
		stop(r, ENOMEM, "not enough memory");
}

static void atom_link(struct reader *r, const char **attr)
{
	const char *href = "", *rel = "alternate", *type = "";

	for (; *attr; attr += 2)
		if (!strcmp(*attr, "href"))
			href = attr[1];
		else if (!strcmp(*attr, "rel"))
			rel = attr[1];
		else if (!strcmp(*attr, "type"))
			type = attr[1];
	if (!strcmp(rel, "alternate") || strstr(type, "cap+xml"))
		keep_link(r, href, strstr(type, "cap+xml"));
}

static void on_start(void *arg, const char *name, const char **attr)
{
	struct reader *r = arg;
	const char *cap = cap_name(name);
	bool child;

	r->len = 0;
	if (++r->depth > CAP_MAX_DEPTH) {
		stop(r, EINVAL, "nested deeper than %d levels", CAP_MAX_DEPTH);
		return;
	}
	child = is_child(r);
	if (cap && !strcmp(cap, "alert") && place(r) != IN_ALERT &&
	    place(r) != IN_INFO && place(r) != IN_AREA &&
	    place(r) != IN_GEOCODE)
		begin_alert(r);
	else if (cap && place(r) == IN_ALERT && child && !strcmp(cap, "info"))
		begin_info(r);
	else if (cap && place(r) == IN_INFO && child && !strcmp(cap, "area"))
		begin_area(r);
	else if (cap && place(r) == IN_AREA && child && !strcmp(cap, "geocode"))
		enter(r, IN_GEOCODE);
	else if (place(r) == OUTSIDE &&
		 (!strcmp(name, NS_ATOM "entry") || !strcmp(name, "item"))) {
		r->carries = false;
		enter(r, IN_ENTRY);
	} else if (place(r) == IN_ENTRY && child &&
		   !strcmp(name, NS_ATOM "link"))
		atom_link(r, attr);
}

static void end_alert_child(struct reader *r, const char *name)
{
	struct cap_alert *a = r->doc->alerts[r->doc->n_alerts - 1];

	if (!strcmp(name, "identifier")) {
		set_text(r, &a->identifier);
		r->seen |= HAS_ID;
	} else if (!strcmp(name, "sender")) {
		set_text(r, &a->sender);
		r->seen |= HAS_SENDER;
	} else if (!strcmp(name, "sent")) {
		a->sent_us = set_time(r, name);
		r->seen |= HAS_SENT;
	} else if (!strcmp(name, "status")) {
		a->status = (enum cap_status)set_word(r, name, cap_statuses);
		r->seen |= HAS_STATUS;
	} else if (!strcmp(name, "msgType")) {
		a->type = (enum cap_type)set_word(r, name, cap_types);
		r->seen |= HAS_TYPE;
	} else if (!strcmp(name, "references")) {
		set_text(r, &a->references);
	}
}

static void end_info_child(struct reader *r, const char *name)
{
	struct cap_info *i = the_info(r);

	if (!strcmp(name, "language") && *taken(r))
		set_text(r, &i->language);
	else if (!strcmp(name, "event"))
		set_text(r, &i->event);
	else if (!strcmp(name, "headline"))
		set_text(r, &i->headline);
	else if (!strcmp(name, "description"))
		set_text(r, &i->description);
	else if (!strcmp(name, "instruction"))
		set_text(r, &i->instruction);
	else if (!strcmp(name, "severity"))
		i->severity =
			(enum cap_severity)set_word(r, name, cap_severities);
	else if (!strcmp(name, "urgency"))
		i->urgency = (enum cap_urgency)set_word(r, name, cap_urgencies);
	else if (!strcmp(name, "certainty"))
		/* "Very Likely" is of CAP 1.0 and still sent. */
		i->certainty = !strcasecmp(taken(r), "very likely")
				       ? CAP_LIKELY
				       : (enum cap_certainty)set_word(
						 r, name, cap_certainties);
	else if (!strcmp(name, "effective") && *taken(r))
		i->effective_us = set_time(r, name);
	else if (!strcmp(name, "expires") && *taken(r))
		i->expires_us = set_time(r, name);
}

static void end_area_child(struct reader *r, const char *name)
{
	if (!strcmp(name, "areaDesc"))
		set_text(r, &the_area(r)->desc);
	else if (!strcmp(name, "polygon") && *taken(r))
		add_shape(r, false);
	else if (!strcmp(name, "circle") && *taken(r))
		add_shape(r, true);
}

static void end_alert(struct reader *r)
{
	const struct cap_alert *a = r->doc->alerts[r->doc->n_alerts - 1];

	if (r->seen != HAS_ALL)
		stop(r, EINVAL,
		     "the alert lacks one of identifier, sender, sent, status "
		     "and msgType");
	else if (!*a->identifier || strlen(a->identifier) > 500 ||
		 strpbrk(a->identifier, " \t\r\n,") || !*a->sender ||
		 strlen(a->sender) > 500 || strpbrk(a->sender, " \t\r\n,"))
		stop(r, EINVAL,
		     "identifier and sender are 1 to 500 bytes without blanks "
		     "and commas");
}

/** An entry that carries no alert tells where one is. */
static void end_entry(struct reader *r)
{
	struct cap_doc *d = r->doc;
	char **p;

	if (r->link && !r->carries) {
		p = grow(r, &d->links, &d->n_links, sizeof(*p), CAP_MAX_LINKS,
			 "entries");
		if (p) {
			*p = r->link;
			r->link = NULL;
		}
	}
	free(r->link);
	r->link = NULL;
	r->link_is_cap = false;
}

static void leave(struct reader *r)
{
	switch (place(r)) {
	case IN_ALERT:
		end_alert(r);
		break;
	case IN_GEOCODE:
		add_geocode(r);
		free(r->code_name);
		free(r->code_value);
		r->code_name = r->code_value = NULL;
		break;
	case IN_ENTRY:
		end_entry(r);
		break;
	default:
		break;
	}
	r->n_stack--;
}

static void on_end(void *arg, const char *name)
{
	struct reader *r = arg;
	const char *cap = cap_name(name);

	/* After XML_StopParser() one more may come. */
	if (r->err)
		return;
	if (r->n_stack && r->stack[r->n_stack - 1].depth == r->depth) {
		leave(r);
	} else if (is_child(r)) {
		/* Within an element of its own it is no leaf of ours. */
		if (cap && place(r) == IN_ALERT)
			end_alert_child(r, cap);
		else if (cap && place(r) == IN_INFO)
			end_info_child(r, cap);
		else if (cap && place(r) == IN_AREA)
			end_area_child(r, cap);
		else if (cap && place(r) == IN_GEOCODE &&
			 !strcmp(cap, "valueName"))
			set_text(r, &r->code_name);
		else if (cap && place(r) == IN_GEOCODE && !strcmp(cap, "value"))
			set_text(r, &r->code_value);
		else if (place(r) == IN_ENTRY && !strcmp(name, "link"))
			keep_link(r, taken(r), false);
	}
	r->depth--;
	r->len = 0;
}

static void on_text(void *arg, const char *s, int len)
{
	struct reader *r = arg;
	const size_t n = (size_t)len;
	char *bigger;

	if (r->err)
		return;
	if (r->len + n > CAP_MAX_TEXT) {
		stop(r, EINVAL, "a text of more than %d bytes", CAP_MAX_TEXT);
		return;
	}
	if (r->len + n + 1 > r->room) {
		bigger = realloc(r->text, 2 * (r->len + n) + 64);
		if (!bigger) {
			stop(r, ENOMEM, "not enough memory");
			return;
		}
		r->text = bigger;
		r->room = 2 * (r->len + n) + 64;
	}
	memcpy(r->text + r->len, s, n);
	r->len += n;
}

static void on_doctype(void *arg, const char *name, const char *sys,
		       const char *pub, int internal)
{
	(void)name;
	(void)sys;
	(void)pub;
	(void)internal;
	stop(arg, EINVAL, "it has a document type (DTD), which is refused");
}

/* ---------------------------------------------------------------- documents */

/** Addresses, one a line; "#" begins a comment. */
static int read_list(struct cap_doc *d, const char *text, size_t len,
		     struct reason *why)
{
	for (size_t i = 0, n; i < len; i += n + 1) {
		const char *s = text + i;
		size_t k = 0;
		char **p;

		for (n = 0; i + n < len && s[n] != '\n';)
			n++;
		for (k = n; k && isspace((unsigned char)s[k - 1]);)
			k--;
		if (!k || *s == '#')
			continue;
		if (k > 2000 || memchr(s, ' ', k) || memchr(s, '\0', k) ||
		    strncmp(s, "http", k < 4 ? k : 4))
			return reason_set(why, EINVAL,
					  "it is neither XML nor a list of "
					  "addresses");
		if (d->n_links == CAP_MAX_LINKS)
			return reason_set(why, EINVAL, "more than %d addresses",
					  CAP_MAX_LINKS);
		p = realloc(d->links, (d->n_links + 1) * sizeof(*p));
		if (p)
			d->links = p;
		if (!p || !(p[d->n_links] = strndup(s, k)))
			return reason_set(why, ENOMEM, "not enough memory");
		d->n_links++;
	}
	return 0;
}

static int read_xml(struct cap_doc *d, const char *text, size_t len,
		    struct reason *why)
{
	struct reader r = {.doc = d, .why = why};
	enum XML_Status ok;

	r.p = XML_ParserCreateNS(NULL, '|');
	if (!r.p)
		return reason_set(why, ENOMEM, "not enough memory");
	XML_SetUserData(r.p, &r);
	XML_SetElementHandler(r.p, on_start, on_end);
	XML_SetCharacterDataHandler(r.p, on_text);
	XML_SetStartDoctypeDeclHandler(r.p, on_doctype);
	ok = XML_Parse(r.p, text, (int)len, XML_TRUE);
	if (ok != XML_STATUS_OK && !r.err)
		r.err = reason_set(why, EINVAL, "line %lu: no good XML: %s",
				   line_of(r.p),
				   XML_ErrorString(XML_GetErrorCode(r.p)));
	XML_ParserFree(r.p);
	free(r.text);
	free(r.code_name);
	free(r.code_value);
	free(r.link);
	return r.err;
}

int cap_read(struct cap_doc *d, const char *text, size_t len,
	     struct reason *why)
{
	size_t skip = 0;
	int err;

	*d = (struct cap_doc){0};
	if (len > CAP_MAX_BYTES)
		return reason_set(why, EINVAL, "it is larger than %u bytes",
				  CAP_MAX_BYTES);
	while (skip < len && strchr(" \t\r\n\xef\xbb\xbf", text[skip]) &&
	       text[skip])
		skip++;
	/* UTF-16 begins with a mark of its own. */
	if (skip == len)
		return 0;
	if (text[skip] == '<' || (unsigned char)text[0] >= 0xfe || !text[0])
		err = read_xml(d, text, len, why);
	else
		err = read_list(d, text, len, why);
	if (err)
		cap_doc_reset(d);
	return err;
}

static void free_texts(char **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

static void free_info(struct cap_info *i)
{
	for (size_t k = 0; k < i->n_areas; k++) {
		struct cap_area *a = &i->areas[k];

		for (size_t s = 0; s < a->n_shapes; s++)
			free(a->shapes[s].p);
		free(a->shapes);
		free_texts(a->geocodes, a->n_geocodes);
		free(a->desc);
	}
	free(i->areas);
	free(i->language);
	free(i->event);
	free(i->headline);
	free(i->description);
	free(i->instruction);
}

struct cap_alert *cap_alert_free(struct cap_alert *a)
{
	if (!a)
		return NULL;
	for (size_t i = 0; i < a->n_infos; i++)
		free_info(&a->infos[i]);
	free(a->infos);
	free(a->identifier);
	free(a->sender);
	free(a->references);
	free(a);
	return NULL;
}

void cap_doc_reset(struct cap_doc *d)
{
	for (size_t i = 0; i < d->n_alerts; i++)
		cap_alert_free(d->alerts[i]);
	free(d->alerts);
	free_texts(d->links, d->n_links);
	*d = (struct cap_doc){0};
}

/* -------------------------------------------------------------------- shapes
 */

static double radians(double degrees)
{
	return degrees * M_PI / 180;
}

/** Great circle on a ball of 6371 km. */
static double distance_km(double lat1, double lon1, double lat2, double lon2)
{
	const double a = sin(radians(lat2 - lat1) / 2),
		     b = sin(radians(lon2 - lon1) / 2);
	const double h =
		a * a + cos(radians(lat1)) * cos(radians(lat2)) * b * b;

	return 2 * 6371 * asin(sqrt(h < 1 ? h : 1));
}

/** East of a, the short way round. */
static double east(double lon, double of)
{
	double d = lon - of;

	return d > 180 ? d - 360 : d < -180 ? d + 360 : d;
}

bool cap_within(const struct cap_shape *s, double latitude, double longitude)
{
	bool in = false;

	if (s->circle)
		return distance_km(s->p[0], s->p[1], latitude, longitude) <=
		       s->radius_km;
	/* How often a line to the north crosses an edge; lines are straight in
	 * latitude and longitude (CAP says no more). */
	for (size_t i = 0, k = s->n - 1; i < s->n; k = i++) {
		const double a = east(s->p[2 * i + 1], longitude),
			     b = east(s->p[2 * k + 1], longitude);

		/* Both ends on one side, or the edge goes behind the globe. */
		if ((a > 0) == (b > 0) || fabs(a - b) > 180)
			continue;
		if (s->p[2 * i] +
			    (s->p[2 * k] - s->p[2 * i]) * (0 - a) / (b - a) >
		    latitude)
			in = !in;
	}
	return in;
}
