/* The site, the broker, the web and its users. */
#include "load.h"
#include "values.h"

#include <crypt.h>
#include <string.h>
#include <sys/stat.h>

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

void set_broker(struct load *l, void *obj, const struct config_value *val)
{
	struct config_mqtt *m = obj;
	const char *s = val->v[0];
	char host[256];

	if (!strncmp(s, "mqtts://", 8)) {
		m->tls = true;
		s += 8;
	} else if (!strncmp(s, "mqtt://", 7)) {
		s += 7;
	} else {
		load_refuse(l, val, s);
		return;
	}
	if (!value_host_port(s, m->tls ? 8883 : 1883, host, &m->port)) {
		load_refuse(l, val, val->v[0]);
		return;
	}
	load_text(l, &m->host, host);
}

bool show_broker(const struct config *c, const void *obj, FILE *f)
{
	const struct config_mqtt *m = obj;
	const bool v6 = m->host && strchr(m->host, ':');

	(void)c;
	if (m->host)
		fprintf(f, "\"mqtt%s://%s%s%s:%u\"", m->tls ? "s" : "",
			v6 ? "[" : "", m->host, v6 ? "]" : "", m->port);
	return m->host;
}

void set_web_listen(struct load *l, void *obj, const struct config_value *val)
{
	struct config_web *w = obj;
	struct sockaddr_storage ss;
	char host[64];
	const bool v6 = *val->v[0] == '[';

	if (!value_endpoint(val->v[0], &ss) || value_is_multicast(&ss)) {
		load_refuse(l, val, val->v[0]);
		return;
	}
	snprintf(host, sizeof(host), "%s", val->v[0] + v6);
	*strrchr(host, v6 ? ']' : ':') = '\0';
	load_text(l, &w->host, host);
	w->port = value_port(&ss);
}

bool show_web_listen(const struct config *c, const void *obj, FILE *f)
{
	const struct config_web *w = obj;
	const bool v6 = w->host && strchr(w->host, ':');

	(void)c;
	if (w->host)
		fprintf(f, "\"%s%s%s:%u\"", v6 ? "[" : "", w->host,
			v6 ? "]" : "", w->port);
	return w->host;
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
