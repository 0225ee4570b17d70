/* The HTTP API of SIP: who is registered, trusted and banned, and what was said
 * in the last calls. */
#include "calltraces.h"
#include "control_internal.h"
#include "text_json.h"

#include <errno.h>
#include <string.h>

static json_t *allowed_json(const struct config_peer *p)
{
	const struct {
		bool on;
		const char *name;
	} v[] = {{p->page, "page"}, {p->help, "help"}, {p->alarm, "alarm"}};
	json_t *a = json_array();

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (v[i].on)
			json_array_append_new(a, json_string(v[i].name));
	return a;
}

/** Who is trusted by address; no zones: all. */
static json_t *peers_json(const struct config *c)
{
	json_t *a = json_array();

	for (size_t i = 0; i < c->n_peers; i++) {
		const struct config_peer *p = &c->peers[i];
		json_t *zones = json_array();

		for (size_t k = 0; k < p->n_zones; k++)
			json_array_append_new(
				zones, text_json(c->zones[p->zones[k]].name));
		json_array_append_new(a,
				      json_pack("{s:o,s:o,s:i,s:o}", "address",
						text_json(p->name), "allow",
						allowed_json(p), "max_priority",
						p->max_level, "zones", zones));
	}
	return a;
}

static json_t *overview_json(struct control *c)
{
	json_t *o = endpoints_sip_json(c->endpoints);

	json_object_set_new(o, "accounts", accounts_json(c->accounts));
	json_object_set_new(o, "registrations", endpoints_json(c->endpoints));
	json_object_set_new(o, "peers", peers_json(c->config));
	return o;
}

static void no_trace(struct web_request *r, const char *call)
{
	web_reply_error(r, 404, "not-found", NULL,
			"there is no trace of call \"%.60s\" (any more); GET "
			"/sip/traces lists them",
			call);
}

static void file(struct control *c, struct web_request *r, const char *call,
		 enum calltraces_format format)
{
	uint64_t size = 0;
	int fd = -1, err;

	err = calltraces_file(c->stack, call, format, &fd, &size);
	if (err == ENOENT)
		no_trace(r, call);
	else if (err)
		web_reply_error(r, 503, "no-memory", NULL, "%s", strerror(err));
	else
		web_reply_file(r, 200,
			       format == CALLTRACES_PCAP
				       ? "application/vnd.tcpdump.pcap"
				       : "text/plain; charset=utf-8",
			       fd, size);
}

static void traces(struct control *c, struct web_request *r,
		   const char *const *part, size_t n)
{
	json_t *o;

	if (n == 2) {
		web_reply(r, 200, calltraces_json(c->stack));
	} else if (n == 3) {
		o = calltraces_one_json(c->stack, part[2]);
		if (o)
			web_reply(r, 200, o);
		else
			no_trace(r, part[2]);
	} else {
		file(c, r, part[2],
		     !strcmp(part[3], "pcap") ? CALLTRACES_PCAP
					      : CALLTRACES_TEXT);
	}
}

bool api_sip(struct control *c, struct web_request *r, const char *const *part,
	     size_t n)
{
	if (strcmp(r->method, "GET") && strcmp(r->method, "HEAD"))
		return false;
	if (n == 1) {
		web_reply(r, 200, overview_json(c));
		return true;
	}
	if (strcmp(part[1], "traces") ||
	    (n == 4 && strcmp(part[3], "pcap") && strcmp(part[3], "text")))
		return false;
	/* They tell who called whom, and how the site is built: for admins. */
	traces(c, r, part, n);
	return true;
}
