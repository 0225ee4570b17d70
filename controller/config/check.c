/* What no single value shows: levels, zones, calls, the outside world. */
#include "load.h"
#include "values.h"

#include <string.h>

static struct config_where key_at(const struct scan_node *section,
				  const char *key)
{
	const struct scan_node *k = scan_child(section, key);

	return k ? k->at : section ? section->at : (struct config_where){0};
}

static const char *class_name(size_t i)
{
	return schema_section(&config_schema, "priorities")->keys[i].name;
}

static void check_levels(struct load *l)
{
	const uint8_t *v = l->c->levels;

	for (size_t i = 0; l->priorities && i < CLASS_COUNT; i++) {
		const bool high = i <= CLASS_EMERGENCY;
		const char *key = class_name(i);

		if (high != (v[i] >= EMERGENCY_LEVEL))
			problem_add(l->p, key_at(l->priorities, key),
				    "priorities: %s = %u; allowed: %s", key,
				    v[i], high ? "200 to 255" : "0 to 199");
		if (i && v[i] >= v[i - 1])
			problem_add(l->p, key_at(l->priorities, key),
				    "priorities: %s = %u is not less than %s "
				    "= %u; their order must stay",
				    key, v[i], class_name(i - 1), v[i - 1]);
	}
}

static void check_relays(struct load *l, size_t i)
{
	const struct config_zone *z = &l->c->zones[i];

	if (z->n_relays && !z->n_own && !l->node[KIND_ZONE][i]->damaged)
		problem_add(l->p, load_at(l, KIND_ZONE, i, "relay"),
			    "zone \"%s\" has no outputs of its own that "
			    "\"relay\" could power; give it to the zones it "
			    "contains",
			    z->name);
	for (size_t k = 0; k < z->n_relays; k++)
		if (l->c->outputs[z->relays[k]].role == ROLE_FAULT)
			problem_add(l->p, load_at(l, KIND_ZONE, i, "relay"),
				    "zone \"%s\": output \"%s\" has the role "
				    "\"fault\", which only faults drive",
				    z->name, l->c->outputs[z->relays[k]].name);
}

static void check_zones(struct load *l)
{
	const struct config *c = l->c;

	for (size_t i = 0; i < c->n_zones; i++) {
		const struct config_zone *z = &c->zones[i];

		if (!z->n_outputs && !l->zone_broken[i] &&
		    !l->node[KIND_ZONE][i]->damaged)
			problem_add(l->p, z->at,
				    "zone \"%s\" has no output: give it "
				    "\"multicast\", \"unicast\" or \"zones\"",
				    z->name);
		for (size_t k = 0; z->extension && k < i; k++)
			if (c->zones[k].extension &&
			    !strcmp(c->zones[k].extension, z->extension)) {
				problem_add(
					l->p,
					load_at(l, KIND_ZONE, i, "extension"),
					"zone \"%s\": extension \"%s\" is that "
					"of zone \"%s\" (%s:%d)",
					z->name, z->extension, c->zones[k].name,
					c->zones[k].at.file,
					c->zones[k].at.line);
				break;
			}
		if (z->n_except && !load_given(l, KIND_ZONE, i, "zones") &&
		    !l->node[KIND_ZONE][i]->damaged)
			problem_add(l->p, load_at(l, KIND_ZONE, i, "except"),
				    "zone \"%s\": \"except\" needs \"zones\"",
				    z->name);
		check_relays(l, i);
	}
}

/** The same network written in two ways. */
static void check_peers(struct load *l)
{
	const struct config *c = l->c;

	for (size_t i = 0; i < c->n_peers; i++)
		for (size_t k = 0; k < i; k++) {
			const struct config_peer *a = &c->peers[i],
						 *b = &c->peers[k];

			if (a->net.ss_family && a->prefix == b->prefix &&
			    strcmp(a->name, b->name) &&
			    !memcmp(&a->net, &b->net, sizeof(a->net)))
				problem_add(l->p, a->at,
					    "peer \"%s\" is the same network "
					    "as \"%s\" (%s:%d)",
					    a->name, b->name, b->at.file,
					    b->at.line);
		}
}

static void check_sip(struct load *l)
{
	struct config_sip *sip = &l->c->sip;
	const unsigned first = (sip->rtp_min + 1u) / 2 * 2;
	const unsigned pairs = (sip->rtp_max + 1u - first) / 2;

	for (size_t i = 0; i < sip->n_listen; i++)
		if (sip->listen[i].transport == TRANSPORT_TLS && !sip->tls_cert)
			problem_add(l->p, key_at(l->sip, "listen"),
				    "sip: listen has \"tls:%s:%u\", which "
				    "needs \"tls-cert\"",
				    sip->listen[i].host, sip->listen[i].port);
	if (sip->register_min_ms > sip->register_max_ms)
		problem_add(l->p, key_at(l->sip, "register-min"),
			    "sip: register-min is longer than register-max");
	if (sip->max_calls <= pairs)
		return;
	if (l->sip && scan_child(l->sip, "max-calls"))
		problem_add(l->p, key_at(l->sip, "max-calls"),
			    "sip: max-calls is %u, but rtp-ports %u-%u have "
			    "room for %u calls: a call takes two",
			    sip->max_calls, sip->rtp_min, sip->rtp_max, pairs);
	sip->max_calls = pairs;
}

static void check_mqtt(struct load *l)
{
	const struct config_mqtt *m = &l->c->mqtt;
	bool tls = false, plain = false;

	if (!l->mqtt)
		return;
	if (!l->site)
		problem_add(l->p, m->at,
			    "mqtt: \"site\" is missing: topics begin with its "
			    "name; write site = \"...\" at the top");
	if (m->password_file && !m->user)
		problem_add(l->p, key_at(l->mqtt, "password-file"),
			    "mqtt: \"password-file\" needs \"user\"");
	if (!m->cert != !m->key)
		problem_add(l->p, key_at(l->mqtt, m->cert ? "cert" : "key"),
			    "mqtt: \"cert\" and \"key\" need each other");
	for (size_t i = 0; i < m->n_brokers; i++) {
		tls = tls || m->broker[i].tls;
		plain = plain || !m->broker[i].tls;
	}
	if (m->n_brokers && !tls && (m->ca || m->cert || m->key))
		problem_add(l->p, key_at(l->mqtt, "broker"),
			    "mqtt: the broker is reached without TLS, but "
			    "\"%s\" is given; write \"mqtts://...\"",
			    m->ca     ? "ca"
			    : m->cert ? "cert"
				      : "key");
	if (plain && m->password_file)
		problem_warn(l->p, key_at(l->mqtt, "broker"),
			     "mqtt: the password goes over the network in the "
			     "clear; prefer \"mqtts://...\"");
}

static void check_web(struct load *l)
{
	const struct config_web *w = &l->c->web;
	struct sockaddr_storage ss;

	if (w->host && value_address(w->host, &ss) && !value_is_loopback(&ss) &&
	    !w->tls_cert)
		problem_add(l->p, key_at(l->web, "listen"),
			    "web: %s is not a loopback address, so "
			    "\"tls-cert\" is needed: passwords would go in the "
			    "clear; or listen on 127.0.0.1",
			    w->host);
	if (!w->host && w->tls_cert)
		problem_add(l->p, key_at(l->web, "tls-cert"),
			    "web: \"tls-cert\" needs \"listen\"");
}

void load_check(struct load *l)
{
	check_levels(l);
	load_check_accounts(l);
	load_check_sounds(l);
	load_check_sources(l);
	load_check_musics(l);
	load_check_operators(l);
	check_zones(l);
	check_peers(l);
	check_sip(l);
	load_check_endpoints(l);
	load_check_codes(l);
	load_check_helppoints(l);
	load_check_field(l);
	load_check_messages(l);
	load_check_alarms(l);
	load_check_schedules(l);
	check_mqtt(l);
	load_check_plc(l);
	load_check_doors(l);
	load_check_caps(l);
	check_web(l);
}
