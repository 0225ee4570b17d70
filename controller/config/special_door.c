/* Doors: values of their own kind. */
#include "load.h"
#include "template.h"
#include "values.h"

#include <ctype.h>
#include <string.h>

void set_webhook_input(struct load *l, void *obj,
		       const struct config_value *val)
{
	struct config_input *i = obj;

	i->kind = INPUT_WEBHOOK;
	load_refer(l, KIND_WEBHOOK, val->v[0], val);
	load_text(l, &i->webhook, val->v[0]);
}

bool show_webhook_input(const struct config *c, const void *obj, FILE *f)
{
	const struct config_input *i = obj;

	(void)c;
	if (i->webhook)
		schema_quote(f, i->webhook);
	return i->webhook;
}

void set_notify_url(struct load *l, void *obj, const struct config_value *val)
{
	struct config_notify *n = obj;

	n->kind = NOTIFY_URL;
	set_url(l, obj, val);
}

/** One address as a mail program takes it, and none of its options. */
static bool is_address(const char *s)
{
	const char *at = strchr(s, '@');

	if (!at || at == s || !at[1] || *s == '-' || strlen(s) > 254)
		return false;
	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) &&
		    !strchr("@.!#$%&'*+/=?^_`{|}~-", *p))
			return false;
	return !strchr(at + 1, '@');
}

void set_notify_to(struct load *l, void *obj, const struct config_value *val)
{
	struct config_notify *n = obj;

	n->kind = NOTIFY_MAIL;
	for (size_t i = 0; i < val->n; i++)
		if (!is_address(val->v[i])) {
			load_refuse(l, val, val->v[i]);
			return;
		}
	set_list(l, obj, val);
}

void set_notify_syslog(struct load *l, void *obj,
		       const struct config_value *val)
{
	static const struct {
		const char *prefix;
		uint16_t port;
	} known[] = {
		[TRANSPORT_UDP] = {"udp:", 514},
		[TRANSPORT_TCP] = {"tcp:", 601},
		[TRANSPORT_TLS] = {"tls:", 6514},
	};
	struct config_notify *n = obj;
	const char *s = val->v[0];
	char host[256];
	size_t i = 0;

	n->kind = NOTIFY_SYSLOG;
	while (i < 3 && strncmp(s, known[i].prefix, 4))
		i++;
	if (i == 3 || !value_host_port(s + 4, known[i].port, host, &n->port)) {
		load_refuse(l, val, s);
		return;
	}
	n->transport = (enum config_transport)i;
	load_text(l, &n->host, host);
	load_text(l, &n->syslog, s);
}

void set_template(struct load *l, void *obj, const struct config_value *val)
{
	if (*val->v[0] && strlen(val->v[0]) <= 200 && template_good(val->v[0]))
		load_text(l, (char **)((char *)obj + val->key->offset),
			  val->v[0]);
	else
		load_refuse(l, val, val->v[0]);
}
