/* /session and /tokens: who has come in and may, and that it is written down.
 * The door itself is web's. Control thread. */
#include "control_internal.h"

#include <string.h>

/** Adds names of the zones and messages that it is limited to, if it is. */
static void add_limits(json_t *o, const struct config *c, const int *zones,
		       size_t n_zones, const int *messages, size_t n_messages)
{
	json_t *z = json_array(), *m = json_array();

	for (size_t i = 0; i < n_zones; i++)
		json_array_append_new(z, json_string(c->zones[zones[i]].name));
	for (size_t i = 0; i < n_messages; i++)
		json_array_append_new(
			m, json_string(c->messages[messages[i]].name));
	if (n_zones)
		json_object_set(o, "zones", z);
	if (n_messages)
		json_object_set(o, "messages", m);
	json_decref(z);
	json_decref(m);
}

static json_t *scopes_json(unsigned scopes)
{
	json_t *names = json_array();

	for (size_t i = 0; scope_name(i); i++)
		if (scopes & 1u << i)
			json_array_append_new(names,
					      json_string(scope_name(i)));
	return names;
}

json_t *tokens_json(const struct control *c)
{
	json_t *a = json_array();

	for (size_t i = 0; i < c->config->n_tokens; i++) {
		const struct config_token *t = &c->config->tokens[i];
		struct web_token_use use;
		char at[CLOCK_TEXT_SIZE];
		json_t *o =
			json_pack("{s:s,s:o,s:b}", "name", t->name, "scopes",
				  scopes_json(t->scopes), "expired",
				  t->expires_s && clock_wall_us() / 1000000 >=
							  t->expires_s);

		add_limits(o, c->config, t->zones, t->n_zones, t->messages,
			   t->n_messages);
		if (t->expires_s)
			json_object_set_new(
				o, "expires",
				json_string(clock_format(at, t->expires_s *
								     1000000)));
		web_token_used(c->web, t->name, &use);
		if (use.at_us) {
			json_object_set_new(
				o, "used",
				json_string(clock_format(at, use.at_us)));
			json_object_set_new(o, "from", json_string(use.from));
		}
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *session_json(const struct control *c,
			    const struct web_request *r)
{
	static const char *const role[] = {
		[WEB_VIEWER] = "viewer",
		[WEB_OPERATOR] = "operator",
		[WEB_ADMIN] = "admin",
	};
	json_t *o = json_pack("{s:s,s:s,s:s,s:o}", "actor", r->actor, "from",
			      r->from, "role", role[r->role], "scopes",
			      scopes_json(r->scopes));

	add_limits(o, c->config, r->zones, r->n_zones, r->messages,
		   r->n_messages);
	if (r->session) {
		json_object_set_new(o, "csrf", json_string(r->session->csrf));
		json_object_set_new(o, "idle_s",
				    json_integer(r->session->idle_s));
		json_object_set_new(o, "ends_s",
				    json_integer(r->session->ends_s));
	}
	return o;
}

static void opened(struct control *c, struct web_request *r)
{
	if (r->denied) {
		record(c->recorder, EVENT_SESSION_REFUSED, 0, "web", r->actor,
		       NULL, "wrong name or password from %s", r->from);
		web_reply_error(r, 401, "unauthorised", NULL, "log in");
	} else if (r->session) {
		record(c->recorder, EVENT_SESSION_OPENED, 0, "web", r->actor,
		       NULL, "logged in from %s", r->from);
		web_reply(r, 204, NULL);
	} else {
		web_reply_error(r, 400, "bad-request", NULL,
				"a session is opened over TCP, at "
				"/api/v1/session; on the Unix socket you are "
				"%s without one",
				r->actor);
	}
}

bool session_request(struct control *c, struct web_request *r)
{
	if (!strcmp(r->method, "GET")) {
		web_reply(r, 200, session_json(c, r));
	} else if (!strcmp(r->method, "POST")) {
		opened(c, r);
	} else if (!strcmp(r->method, "DELETE")) {
		if (r->session)
			record(c->recorder, EVENT_SESSION_CLOSED, 0, "web",
			       r->actor, NULL, "logged out from %s", r->from);
		web_reply(r, 204, NULL);
	} else {
		return false;
	}
	return true;
}
