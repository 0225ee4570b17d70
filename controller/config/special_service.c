/* The site, the broker, the web, its users and tokens. */
#include "load.h"
#include "values.h"

#include "controller/base/scope.h"
#include "scheduler/civil_read.h"

#include <crypt.h>
#include <mosquitto.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

void set_timezone(struct load *l, void *obj, const struct config_value *val)
{
	struct config *c = obj;
	const char *s = val->v[0];
	char path[SCAN_MAX_VALUE + 32];
	struct stat st;

	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", s);
	if (!*s || *s == '/' || strstr(s, "..") || stat(path, &st) ||
	    !S_ISREG(st.st_mode))
		load_refuse(l, val, s);
	else
		load_text(l, &c->timezone, s);
}

void set_log_level(struct load *l, void *obj, const struct config_value *val)
{
	struct config *c = obj;

	for (size_t i = 0; val->key->choices[i]; i++)
		if (!strcmp(val->key->choices[i], val->v[0])) {
			load_text(l, &c->log_level, val->v[0]);
			return;
		}
	load_refuse(l, val, val->v[0]);
}

static bool read_broker(struct load *l, struct config_broker *b, const char *s)
{
	char host[256];

	if (!strncmp(s, "mqtts://", 8)) {
		b->tls = true;
		s += 8;
	} else if (!strncmp(s, "mqtt://", 7)) {
		s += 7;
	} else {
		return false;
	}
	if (!value_host_port(s, b->tls ? 8883 : 1883, host, &b->port))
		return false;
	load_text(l, &b->host, host);
	return true;
}

void set_broker(struct load *l, void *obj, const struct config_value *val)
{
	struct config_mqtt *m = obj;

	for (size_t i = 0; i < val->n && i < CONFIG_MAX_BROKERS; i++) {
		struct config_broker *b = &m->broker[m->n_brokers];

		if (!read_broker(l, b, val->v[i])) {
			load_refuse(l, val, val->v[i]);
			continue;
		}
		for (size_t k = 0; k < m->n_brokers && b->host; k++)
			if (m->broker[k].port == b->port &&
			    !strcasecmp(m->broker[k].host, b->host))
				problem_add(l->p, val->at,
					    "%s: \"%s\" is there twice",
					    val->where, val->v[i]);
		m->n_brokers++;
	}
}

bool show_broker(const struct config *c, const void *obj, FILE *f)
{
	const struct config_mqtt *m = obj;

	(void)c;
	if (m->n_brokers > 1)
		fputs("{ ", f);
	for (size_t i = 0; i < m->n_brokers; i++) {
		const struct config_broker *b = &m->broker[i];
		const bool v6 = strchr(b->host, ':');

		fprintf(f, "%s\"mqtt%s://%s%s%s:%u\"", i ? ", " : "",
			b->tls ? "s" : "", v6 ? "[" : "", b->host,
			v6 ? "]" : "", b->port);
	}
	if (m->n_brokers > 1)
		fputs(" }", f);
	return m->n_brokers;
}

void set_discovery_prefix(struct load *l, void *obj,
			  const struct config_value *val)
{
	struct config_mqtt *m = obj;
	const char *s = val->v[0];

	if (!*s || *s == '$' || strlen(s) > 64 ||
	    mosquitto_pub_topic_check(s) != MOSQ_ERR_SUCCESS)
		load_refuse(l, val, s);
	else
		load_text(l, &m->discovery_prefix, s);
}

void load_endpoint(struct load *l, const struct config_value *val, char **host,
		   uint16_t *port)
{
	const char *v = val->v[0];
	const bool v6 = *v == '[';
	struct sockaddr_storage ss;
	char text[64];

	if (!value_endpoint(v, &ss) || value_is_multicast(&ss)) {
		load_refuse(l, val, v);
		return;
	}
	snprintf(text, sizeof(text), "%s", v + v6);
	*strrchr(text, v6 ? ']' : ':') = '\0';
	load_text(l, host, text);
	*port = value_port(&ss);
}

bool show_endpoint(FILE *f, const char *host, uint16_t port)
{
	const bool v6 = host && strchr(host, ':');

	if (host)
		fprintf(f, "\"%s%s%s:%u\"", v6 ? "[" : "", host, v6 ? "]" : "",
			port);
	return host;
}

void set_web_listen(struct load *l, void *obj, const struct config_value *val)
{
	struct config_web *w = obj;

	load_endpoint(l, val, &w->host, &w->port);
}

bool show_web_listen(const struct config *c, const void *obj, FILE *f)
{
	const struct config_web *w = obj;

	(void)c;
	return show_endpoint(f, w->host, w->port);
}

void set_group(struct load *l, void *obj, const struct config_value *val)
{
	struct config_web *w = obj;

	if (value_name(val->v[0]))
		load_text(l, &w->group, val->v[0]);
	else
		load_refuse(l, val, val->v[0]);
}

void set_hash(struct load *l, void *obj, const struct config_value *val)
{
	struct config_user *u = obj;
	const char *s = val->v[0], *last = strrchr(s, '$');

	load_text(l, &u->password_hash, s);
	if (!strcmp(s, "*"))
		return;
	/* The text itself is not repeated: it may be a password. */
	if (!last || strlen(last) < 20 || strlen(s) >= CRYPT_OUTPUT_SIZE ||
	    (crypt_checksalt(s) != CRYPT_SALT_OK))
		problem_add(l->p, val->at,
			    "%s: this is no hash of a password that is strong "
			    "enough; allowed: %s",
			    val->where, val->key->allowed);
}

bool show_hash(const struct config *c, const void *obj, FILE *f)
{
	(void)c;
	(void)obj;
	fputs("\"*\"", f); /* no secret leaves: nobody can log in with this */
	return true;
}

void set_token_hash(struct load *l, void *obj, const struct config_value *val)
{
	struct config_token *t = obj;
	const char *s = val->v[0];

	load_text(l, &t->hash, s);
	if (!strcmp(s, "*") ||
	    (!strncmp(s, "sha256:", 7) && strlen(s) == 7 + 64 &&
	     strspn(s + 7, "0123456789abcdef") == 64))
		return;
	/* The text itself is not repeated: it may be the token. */
	problem_add(l->p, val->at,
		    "%s: this is no hash of a token; allowed: %s", val->where,
		    val->key->allowed);
}

void set_scopes(struct load *l, void *obj, const struct config_value *val)
{
	struct config_token *t = obj;

	for (size_t i = 0; i < val->n; i++) {
		const unsigned scope = scope_find(val->v[i]);

		t->scopes |= scope;
		if (!scope)
			load_refuse(l, val, val->v[i]);
	}
}

bool show_scopes(const struct config *c, const void *obj, FILE *f)
{
	const struct config_token *t = obj;
	bool any = false;

	(void)c;
	fputs("{ ", f);
	for (size_t i = 0; scope_name(i); i++)
		if (t->scopes & 1u << i) {
			fprintf(f, "%s\"%s\"", any ? ", " : "", scope_name(i));
			any = true;
		}
	fputs(" }", f);
	return true;
}

#define DAY_S INT64_C(86400)

void set_expires(struct load *l, void *obj, const struct config_value *val)
{
	struct config_token *t = obj;
	int64_t day;
	const char *end = civil_read_date(val->v[0], &day);

	if (end && !*end && day > 0)
		t->expires_s = day * DAY_S;
	else
		load_refuse(l, val, val->v[0]);
}

bool show_expires(const struct config *c, const void *obj, FILE *f)
{
	const struct config_token *t = obj;
	const time_t at = (time_t)t->expires_s;
	char text[32];
	struct tm tm;

	(void)c;
	if (at && gmtime_r(&at, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d", &tm))
		fprintf(f, "\"%s\"", text);
	return at;
}
