/*
 * The routes of messages: shown, uploaded, heard, rolled back, deleted.
 * Control thread.
 */
#include "control_internal.h"

#include "message/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** A request that the worker of uploads has. */
struct pending {
	struct control *c;
	struct web_request *r;
	const char *verb;
	char name[64];
};

static void refuse(struct control *c, struct web_request *r, const char *verb,
		   const char *name, int status, const char *code,
		   const char *why)
{
	char subject[80];

	snprintf(subject, sizeof(subject), "message:%.63s", name);
	/* Looking is nobody's act. */
	if (*r->method != 'G')
		record(c->recorder, EVENT_COMMAND_REFUSED, 0, subject, r->actor,
		       json_pack("{s:s,s:i,s:s}", "verb", verb, "status",
				 status, "from", r->from),
		       "%s of message %s refused: %s", verb, name, why);
	web_reply_error(r, status, code, NULL, "%s", why);
}

static void on_answer(const struct uploads_answer *a, void *arg)
{
	struct pending *p = arg;
	struct control *c = p->c;
	json_t *o;

	if (a->code) {
		refuse(c, p->r, p->verb, p->name, a->status, a->code,
		       a->why.text);
		free(p);
		return;
	}
	if (*a->etag)
		web_set_etag(p->r, a->etag);
	if (a->fd >= 0) {
		web_reply_file(p->r, 200, "audio/wav", a->fd, a->size);
	} else {
		o = message_one_json(c->config, c->library, c->uploads,
				     p->name);
		web_reply(p->r, o ? a->status : 204, o);
	}
	free(p);
}

static void ask(struct control *c, struct web_request *r, const char *verb,
		struct uploads_ask *q)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p) {
		web_reply_error(r, 503, "no-memory", NULL, "not enough memory");
		return;
	}
	*p = (struct pending){.c = c, .r = r, .verb = verb};
	snprintf(p->name, sizeof(p->name), "%s", q->name);
	q->actor = r->actor;
	q->from = r->from;
	q->if_match = r->if_match;
	q->if_none_match = r->if_none_match;
	uploads_ask(c->uploads, q, on_answer, p);
}

/** May the sender change this message? Else he is answered. */
static bool may_change(struct control *c, struct web_request *r,
		       const char *verb, const char *name)
{
	const int m = config_message_find(c->config, name);
	const char *why = NULL;

	if (r->n_zones)
		why = "who is limited to zones may not change messages: they "
		      "belong to none";
	else if (r->n_messages && !command_among(r->messages, r->n_messages, m))
		why = "who is limited to messages may change no others";
	else if (m >= 0 && c->config->messages[m].emergency &&
		 r->role != WEB_ADMIN)
		why = "an alarm broadcasts this message at level 200 or above: "
		      "only an admin may change it";
	if (why)
		refuse(c, r, verb, name, 403, "forbidden", why);
	return !why;
}

/** A version's number from 1; 0 = it is none. */
static uint32_t number_of(const char *text)
{
	const size_t n = text ? strlen(text) : 0;

	return n && n < 10 && strspn(text, "0123456789") == n
		       ? (uint32_t)strtoul(text, NULL, 10)
		       : 0;
}

static void bad_version(struct web_request *r)
{
	web_reply_error(r, 400, "bad-request", "version",
			"\"version\" must be the number of a version, from 1");
}

static void preview(struct control *c, struct web_request *r, const char *name)
{
	const char *version = web_query(r, "version");
	struct uploads_ask q = {
		.verb = UPLOADS_PREVIEW, .name = name, .fd = -1};

	q.version = number_of(version);
	if (version && !q.version)
		bad_version(r);
	else
		ask(c, r, "preview", &q);
}

static void show(struct control *c, struct web_request *r, const char *name)
{
	json_t *o = message_one_json(c->config, c->library, c->uploads, name);
	char etag[80];

	if (!o) {
		web_reply_error(r, 404, "not-found", NULL,
				"there is no message \"%.63s\"; GET /messages "
				"lists them",
				name);
		return;
	}
	web_set_etag(r, uploads_etag(c->uploads, name, etag));
	web_reply(r, 200, o);
}

static void versions(struct control *c, struct web_request *r, const char *name)
{
	json_t *a = uploads_versions_json(c->uploads, name);

	if (!a && library_facts(c->library, name))
		a = json_array();
	if (a)
		web_reply(r, 200, a);
	else
		web_reply_error(r, 404, "not-found", NULL,
				"there is no message \"%.63s\"; GET /messages "
				"lists them",
				name);
}

static void roll_back(struct control *c, struct web_request *r,
		      const char *name)
{
	const json_t *v = json_object_get(r->body, "version");
	struct uploads_ask q = {
		.verb = UPLOADS_ROLLBACK, .name = name, .fd = -1};

	if (!json_is_integer(v) || json_integer_value(v) < 1 ||
	    json_integer_value(v) > INT32_MAX) {
		bad_version(r);
		return;
	}
	q.version = (uint32_t)json_integer_value(v);
	if (may_change(c, r, "rollback", name))
		ask(c, r, "rollback", &q);
}

bool messages_request(struct control *c, struct web_request *r,
		      const char *const *part, size_t n)
{
	const char *name = n > 1 ? part[1] : "", *what = n > 2 ? part[2] : "";
	const bool get = *r->method == 'G';
	struct uploads_ask q = {.name = name, .fd = -1};

	if (n == 1 && get) {
		web_reply(r, 200,
			  message_list_json(c->config, c->library, c->uploads));
	} else if (n == 2 && get) {
		show(c, r, name);
	} else if (n == 3 && get && !strcmp(what, "audio")) {
		preview(c, r, name);
	} else if (n == 3 && get && !strcmp(what, "versions")) {
		versions(c, r, name);
	} else if (n == 3 && !strcmp(r->method, "POST") &&
		   !strcmp(what, "rollback")) {
		roll_back(c, r, name);
	} else if (n == 2 && !strcmp(r->method, "PUT")) {
		q.verb = UPLOADS_PUT;
		q.fd = r->upload;
		if (may_change(c, r, "upload", name))
			ask(c, r, "upload", &q);
	} else if (n == 2 && !strcmp(r->method, "DELETE")) {
		q.verb = UPLOADS_DELETE;
		if (may_change(c, r, "delete", name))
			ask(c, r, "delete", &q);
	} else {
		return false;
	}
	return true;
}
