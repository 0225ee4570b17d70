/* PINs, and the numbers that are dialled for something else than a zone. */
#include "load.h"
#include "secret.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

static void read_pin(struct load *l, enum config_kind kind, size_t i,
		     const char *name, struct config_pin *pin)
{
	char text[64];
	const char *why = NULL;
	size_t n;

	if (!pin->file ||
	    secret_read(pin->file, text, sizeof(text), &why) == ENOENT)
		return;
	for (n = 0; !why && isdigit((unsigned char)text[n]); n++)
		;
	if (!why && (text[n] || n < CONFIG_MIN_PIN || n > CONFIG_MAX_PIN))
		why = "its first line is no PIN: 4 to 12 digits";
	if (why)
		problem_add(l->p, load_at(l, kind, i, "pin-file"),
			    "%s \"%s\": pin-file %s: %s",
			    schema_kind(kind)->name, name, pin->file, why);
	else
		memcpy(pin->digits, text, n + 1);
	OPENSSL_cleanse(text, sizeof(text));
}

/** Nothing else is called by that number. */
static void check_number(struct load *l, size_t i)
{
	const struct config *c = l->c;
	const struct config_code *x = &c->codes[i];
	const int zone = config_extension_find(c, x->name);
	const int endpoint = config_endpoint_find(c, x->name);

	if (zone >= 0)
		problem_add(l->p, x->at,
			    "code \"%s\": that is the extension of zone "
			    "\"%s\" (%s:%d)",
			    x->name, c->zones[zone].name,
			    c->zones[zone].at.file, c->zones[zone].at.line);
	if (endpoint >= 0)
		problem_add(l->p, x->at,
			    "code \"%s\": so is endpoint \"%s\" called "
			    "(%s:%d)",
			    x->name, c->endpoints[endpoint].may.name,
			    c->endpoints[endpoint].may.at.file,
			    c->endpoints[endpoint].may.at.line);
}

/** Each zone of a menu is named by its extension, with keys. */
static void check_menu(struct load *l, size_t i)
{
	const struct config *c = l->c;
	const struct config_code *x = &c->codes[i];
	size_t keyed = 0;

	for (size_t k = 0; k < c->n_zones; k++)
		keyed += config_code_offers(c, x, (int)k);
	for (size_t k = 0; k < x->n_zones; k++)
		if (!config_code_offers(c, x, x->zones[k]))
			problem_add(l->p, load_at(l, KIND_CODE, i, "zones"),
				    "code \"%s\": zone \"%s\" cannot be "
				    "named with keys: give it an extension of "
				    "1 to %d digits",
				    x->name, c->zones[x->zones[k]].name,
				    CONFIG_MAX_PIN);
	if (!keyed && !x->n_zones)
		problem_add(l->p, load_at(l, KIND_CODE, i, "zones"),
			    "code \"%s\": no zone has an extension of 1 to %d "
			    "digits",
			    x->name, CONFIG_MAX_PIN);
}

static void check_code(struct load *l, size_t i)
{
	struct config_code *x = &l->c->codes[i];

	if (load_given(l, KIND_CODE, i, "zones"))
		x->kind = CODE_MENU;
	if (!x->name || l->node[KIND_CODE][i]->damaged)
		return;
	check_number(l, i);
	if (load_one_kind(l, KIND_CODE, i, x->kind) && x->kind == CODE_MENU)
		check_menu(l, i);
	if (!l->c->sip.n_listen)
		problem_add(l->p, x->at,
			    "code \"%s\" cannot be dialled without SIP: give "
			    "the sip section \"listen\"",
			    x->name);
}

void load_check_codes(struct load *l)
{
	struct config *c = l->c;

	for (size_t i = 0; i < c->n_zones; i++) {
		struct config_zone *z = &c->zones[i];

		read_pin(l, KIND_ZONE, i, z->name, &z->pin);
		if (z->pin.file && !z->extension)
			problem_add(l->p, load_at(l, KIND_ZONE, i, "pin-file"),
				    "zone \"%s\": a PIN is asked of who dials "
				    "it: give it an extension",
				    z->name);
	}
	for (size_t i = 0; i < c->n_codes; i++) {
		check_code(l, i);
		read_pin(l, KIND_CODE, i, c->codes[i].name, &c->codes[i].pin);
	}
}
