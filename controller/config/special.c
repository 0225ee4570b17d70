/* Values that fill more than one field, or need a look of their own. */
#include "load.h"
#include "values.h"
#include "zones/tone.h"

#include <crypt.h>
#include <ctype.h>
#include <mosquitto.h>
#include <net/if.h>
#include <stdlib.h>
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

static const char *const transports[] = {"udp", "tcp", "tls"};

/** "udp:10.7.0.2:5060" */
static bool read_listen(const char *s, struct config_listen *to)
{
	const char *colon = strchr(s, ':');
	struct sockaddr_storage ss;
	size_t n;

	if (!colon || !value_endpoint(colon + 1, &ss))
		return false;
	for (to->transport = TRANSPORT_UDP; to->transport <= TRANSPORT_TCP;
	     to->transport++)
		if (strlen(transports[to->transport]) == (size_t)(colon - s) &&
		    !strncmp(transports[to->transport], s, (size_t)(colon - s)))
			break;
	if (to->transport > TRANSPORT_TCP || value_is_multicast(&ss) ||
	    value_is_any(&ss))
		return false;
	n = (size_t)(strrchr(s, ':') - (colon + 1));
	if (colon[1] == '[') {
		colon++;
		n -= 2;
	}
	if (n >= sizeof(to->host))
		return false;
	memcpy(to->host, colon + 1, n);
	to->host[n] = '\0';
	to->port = value_port(&ss);
	return true;
}

void set_listen(struct load *l, void *obj, const struct config_value *val)
{
	struct config_sip *sip = obj;

	sip->listen = load_calloc(l, val->n, sizeof(*sip->listen));
	for (size_t i = 0; sip->listen && i < val->n; i++) {
		struct config_listen *to = &sip->listen[sip->n_listen];

		if (!read_listen(val->v[i], to)) {
			load_refuse(l, val, val->v[i]);
			continue;
		}
		for (size_t k = 0; k < sip->n_listen; k++)
			if (sip->listen[k].transport == to->transport &&
			    sip->listen[k].port == to->port &&
			    !strcmp(sip->listen[k].host, to->host))
				problem_add(l->p, val->at,
					    "%s: \"%s\" is listed twice",
					    val->where, val->v[i]);
		sip->n_listen++;
	}
}

bool show_listen(const struct config *c, const void *obj, FILE *f)
{
	const struct config_sip *sip = obj;

	(void)c;
	fputs("{", f);
	for (size_t i = 0; i < sip->n_listen; i++) {
		const struct config_listen *x = &sip->listen[i];
		const bool v6 = strchr(x->host, ':');

		fprintf(f, "%s \"%s:%s%s%s:%u\"", i ? "," : "",
			transports[x->transport], v6 ? "[" : "", x->host,
			v6 ? "]" : "", x->port);
	}
	fputs(" }", f);
	return true;
}

void set_rtp_ports(struct load *l, void *obj, const struct config_value *val)
{
	struct config_sip *sip = obj;
	uint16_t first, last;

	/* At least one even port with the odd one above it. */
	if (!value_port_range(val->v[0], &first, &last) || first < 1024 ||
	    (first + 1) / 2 * 2 + 1 > last) {
		load_refuse(l, val, val->v[0]);
		return;
	}
	sip->rtp_min = first;
	sip->rtp_max = last;
}

bool show_rtp_ports(const struct config *c, const void *obj, FILE *f)
{
	const struct config_sip *sip = obj;

	(void)c;
	fprintf(f, "\"%u-%u\"", sip->rtp_min, sip->rtp_max);
	return true;
}

static const char *nth_tone(size_t i, const void *arg)
{
	(void)arg;
	return tone_name(i);
}

void set_tone(struct load *l, void *obj, const struct config_value *val)
{
	char **field = (char **)((char *)obj + val->key->offset);
	const char *s = val->v[0], *near;

	if (val->given && (*s || val->key->min > 0) && !tone_title(s)) {
		near = value_nearest(s, nth_tone, NULL);
		problem_add(l->p, val->at,
			    "%s: there is no tone \"%.80s\"%s%s%s; "
			    "tocsin.conf(5) lists the tones",
			    val->where, s, near ? "; did you mean \"" : "",
			    near ? near : "", near ? "\"?" : "");
	}
	load_text(l, field, s);
}

void set_allow(struct load *l, void *obj, const struct config_value *val)
{
	struct config_peer *p = obj;

	for (size_t i = 0; i < val->n; i++) {
		if (!strcmp(val->v[i], "page"))
			p->page = true;
		else if (!strcmp(val->v[i], "help"))
			p->help = true;
		else
			load_refuse(l, val, val->v[i]);
	}
}

bool show_allow(const struct config *c, const void *obj, FILE *f)
{
	const struct config_peer *p = obj;

	(void)c;
	fprintf(f, "{%s%s%s }", p->page ? " \"page\"" : "",
		p->page && p->help ? "," : "", p->help ? " \"help\"" : "");
	return true;
}

void set_interface(struct load *l, void *obj, const struct config_value *val)
{
	struct config_sound *s = obj;
	const char *v = val->v[0];
	bool good = *v && strlen(v) < IF_NAMESIZE && strcmp(v, ".") &&
		    strcmp(v, "..");

	for (const char *p = v; *p; p++)
		good = good && isgraph((unsigned char)*p) && *p != '/' &&
		       *p != ':';
	if (good)
		load_text(l, &s->interface, v);
	else
		load_refuse(l, val, v);
}

void set_extension(struct load *l, void *obj, const struct config_value *val)
{
	struct config_zone *z = obj;
	const char *v = val->v[0];
	bool good = *v && strlen(v) < CONFIG_MAX_NAME;

	for (const char *p = v; *p; p++)
		good = good &&
		       (isalnum((unsigned char)*p) || strchr("._-+*#", *p));
	if (good)
		load_text(l, &z->extension, v);
	else
		load_refuse(l, val, v);
}

void set_zones(struct load *l, void *obj, const struct config_value *val)
{
	struct config_zone *z = obj;
	int *v = load_calloc(l, val->n, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; v && i < val->n; i++) {
		int x;

		if (!strcmp(val->v[i], "*")) {
			z->all = true;
			continue;
		}
		x = load_refer(l, KIND_ZONE, val->v[i], val);
		if (x >= 0)
			v[n++] = x;
		else
			l->zone_broken[z - l->c->zones] = true;
	}
	z->zones = v;
	z->n_zones = v ? n : 0;
}

bool show_zones(const struct config *c, const void *obj, FILE *f)
{
	const struct config_zone *z = obj;

	if (z->all) {
		fputs("{ \"*\" }", f);
		return true;
	}
	for (size_t i = 0; i < z->n_zones; i++)
		fprintf(f, "%s \"%s\"", i ? "," : "{",
			c->zones[z->zones[i]].name);
	if (z->n_zones)
		fputs(" }", f);
	return z->n_zones > 0;
}

void set_repeat(struct load *l, void *obj, const struct config_value *val)
{
	struct config_message *m = obj;
	const char *s = val->v[0];
	uint64_t ms;
	long n;

	if (!strcmp(s, "until-reset")) {
		m->cycles = 0;
	} else if (value_number(s, &n) && n >= 1 && n <= 100000) {
		m->cycles = (uint32_t)n;
	} else if (!value_number(s, &n) && value_duration(s, &ms) && ms &&
		   ms <= 24 * 3600000u) {
		m->cycles = 1;
		m->for_ms = (uint32_t)ms;
	} else {
		load_refuse(l, val, s);
	}
}

bool show_repeat(const struct config *c, const void *obj, FILE *f)
{
	const struct config_message *m = obj;
	char text[VALUE_DURATION_SIZE];

	(void)c;
	if (m->for_ms)
		fprintf(f, "\"%s\"", value_duration_text(text, m->for_ms));
	else if (m->cycles)
		fprintf(f, "%u", m->cycles);
	else
		fputs("\"until-reset\"", f);
	return true;
}

void set_virtual(struct load *l, void *obj, const struct config_value *val)
{
	bool yes;

	(void)obj; /* virtual is the kind with the number 0 */
	if (!value_flag(val->v[0], &yes) || !yes)
		load_refuse(l, val, val->v[0]);
}

/** Splits "CHIP:LINE" at the last colon. */
static bool split_gpio(struct load *l, const struct config_value *val,
		       char **chip, char **line)
{
	const char *s = val->v[0], *colon = strrchr(s, ':');
	char *name;

	if (!colon || colon == s || !colon[1] || strlen(s) > 128) {
		load_refuse(l, val, s);
		return false;
	}
	name = strndup(s, (size_t)(colon - s));
	if (!name) {
		l->p->nomem = true;
		return false;
	}
	load_text(l, chip, name);
	load_text(l, line, colon + 1);
	free(name);
	return true;
}

void set_gpio_input(struct load *l, void *obj, const struct config_value *val)
{
	struct config_input *i = obj;

	split_gpio(l, val, &i->chip, &i->line);
	i->kind = INPUT_GPIO;
}

void set_gpio_output(struct load *l, void *obj, const struct config_value *val)
{
	struct config_output *o = obj;

	split_gpio(l, val, &o->chip, &o->line);
	o->kind = OUTPUT_GPIO;
}

void set_mqtt_input(struct load *l, void *obj, const struct config_value *val)
{
	struct config_input *i = obj;

	i->kind = INPUT_MQTT;
	if (!*val->v[0] || *val->v[0] == '$' ||
	    mosquitto_sub_topic_check(val->v[0]) != MOSQ_ERR_SUCCESS)
		load_refuse(l, val, val->v[0]);
	load_text(l, &i->topic, val->v[0]);
}

void set_mqtt_output(struct load *l, void *obj, const struct config_value *val)
{
	struct config_output *o = obj;

	o->kind = OUTPUT_MQTT;
	if (!*val->v[0] || *val->v[0] == '$' ||
	    mosquitto_pub_topic_check(val->v[0]) != MOSQ_ERR_SUCCESS)
		load_refuse(l, val, val->v[0]);
	load_text(l, &o->topic, val->v[0]);
}

static bool show_topic(const char *topic, FILE *f)
{
	if (topic)
		schema_quote(f, topic);
	return topic;
}

static bool show_line(const char *chip, const char *line, FILE *f)
{
	char text[160];

	if (!chip)
		return false;
	snprintf(text, sizeof(text), "%s:%s", chip, line);
	schema_quote(f, text);
	return true;
}

bool show_virtual(const struct config *c, const void *obj, FILE *f)
{
	const struct config_input *i = obj;

	(void)c;
	if (i->kind != INPUT_VIRTUAL)
		return false;
	fputs("true", f);
	return true;
}

bool show_mqtt(const struct config *c, const void *obj, FILE *f)
{
	(void)c;
	return show_topic(((const struct config_input *)obj)->topic, f);
}

bool show_gpio(const struct config *c, const void *obj, FILE *f)
{
	const struct config_input *i = obj;

	(void)c;
	return show_line(i->chip, i->line, f);
}

bool show_clear_below(const struct config *c, const void *obj, FILE *f)
{
	const struct config_input *i = obj;

	(void)c;
	if (i->has_above)
		schema_real(f, i->clear_below);
	return i->has_above;
}

bool show_clear_above(const struct config *c, const void *obj, FILE *f)
{
	const struct config_input *i = obj;

	(void)c;
	if (i->has_below)
		schema_real(f, i->clear_above);
	return i->has_below;
}

bool show_output_virtual(const struct config *c, const void *obj, FILE *f)
{
	const struct config_output *o = obj;

	(void)c;
	if (o->kind != OUTPUT_VIRTUAL)
		return false;
	fputs("true", f);
	return true;
}

bool show_output_mqtt(const struct config *c, const void *obj, FILE *f)
{
	(void)c;
	return show_topic(((const struct config_output *)obj)->topic, f);
}

bool show_output_gpio(const struct config *c, const void *obj, FILE *f)
{
	const struct config_output *o = obj;

	(void)c;
	return show_line(o->chip, o->line, f);
}

static bool is_host(const char *s)
{
	struct sockaddr_storage ss;

	if (*s == '[')
		return value_address(s, &ss);
	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(".-_", *p))
			return false;
	return *s && strlen(s) < 254;
}

void set_broker(struct load *l, void *obj, const struct config_value *val)
{
	struct config_mqtt *m = obj;
	const char *s = val->v[0], *colon;
	char host[256];
	long port;
	size_t n;

	if (!strncmp(s, "mqtts://", 8)) {
		m->tls = true;
		s += 8;
	} else if (!strncmp(s, "mqtt://", 7)) {
		s += 7;
	} else {
		load_refuse(l, val, s);
		return;
	}
	port = m->tls ? 8883 : 1883;
	colon = strrchr(s, ':');
	if (colon && strchr(colon, ']'))
		colon = NULL;
	n = colon ? (size_t)(colon - s) : strlen(s);
	snprintf(host, sizeof(host), "%.*s", n < 255 ? (int)n : 0, s);
	if (!is_host(host) ||
	    (colon && (!value_number(colon + 1, &port) || port < 1 ||
		       port > 65535 || colon[1] == '+'))) {
		load_refuse(l, val, val->v[0]);
		return;
	}
	if (host[0] == '[') {
		host[strlen(host) - 1] = '\0';
		memmove(host, host + 1, strlen(host));
	}
	load_text(l, &m->host, host);
	m->port = (uint16_t)port;
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
