/* What a caller is asked for before he may speak: PINs and zones, by keys. */
#include "paging_internal.h"

#include "controller/base/clock.h"

#include <string.h>

/** A caller who is asked for keys may take so long for each, and err so often.
 */
#define KEY_MAX_MS 10000
#define ENTRY_TRIES 3

/** What he hears when what he typed is wrong, and when his alarm was triggered.
 */
#define WRONG_TONE "wrong"
#define ACCEPTED_TONE "accepted"
#define ACCEPTED_CYCLES 3

static void on_no_key(void *arg)
{
	page_end_soon(arg, NULL, "no key was pressed for 10 s");
}

static void ask(struct page *x, enum page_state what)
{
	x->state = what;
	entry_again(&x->entry);
	page_prompt(x, ENTER_TONE, 0);
	tmr_start(&x->key, KEY_MAX_MS, on_no_key, x);
}

static void trigger(struct page *x, const struct config_code *code)
{
	struct paging *p = x->owner;
	struct reason why;

	if (alarms_command(p->alarms, code->alarm, ALARM_EV_TRIGGER, 0,
			   x->caller, x->id, clock_mono_us(), &why))
		page_last_tone(x, WRONG_TONE, 1, why.text);
	else
		page_last_tone(x, ACCEPTED_TONE, ACCEPTED_CYCLES,
			       "the alarm was triggered");
}

void page_proceed(struct page *x)
{
	const struct config *c = x->owner->config;
	const int code = *x->code ? config_code_find(c, x->code) : -1;
	const int zone = *x->zone ? config_zone_find(c, x->zone) : -1;

	if ((*x->code && code < 0) || (*x->zone && zone < 0))
		page_end_soon(x, NULL,
			      *x->zone ? "the zone was taken out of the "
					 "configuration"
				       : "the code was taken out of the "
					 "configuration");
	else if (code >= 0 && !x->code_open && *c->codes[code].pin.digits)
		ask(x, PAGE_ASKS_PIN);
	else if (code >= 0 && c->codes[code].kind == CODE_ALARM)
		trigger(x, &c->codes[code]);
	else if (zone < 0)
		ask(x, PAGE_ASKS_ZONE);
	else if (!x->zone_open && *c->zones[zone].pin.digits)
		ask(x, PAGE_ASKS_PIN);
	else
		page_start(x, zone);
}

/** What the caller may, by the configuration in force; NULL = nothing any
 *  more. */
static const struct config_peer *may(const struct page *x)
{
	static const char endpoint[] = "endpoint:";
	const struct config *c = x->owner->config;
	int i;

	if (strncmp(x->caller, endpoint, sizeof(endpoint) - 1))
		return config_peer_match(c, (const struct sockaddr *)&x->from);
	i = config_endpoint_find(c, x->caller + sizeof(endpoint) - 1);
	return i < 0 ? NULL : &c->endpoints[i].may;
}

/** Takes the zone he typed; NULL, or why not. */
static const char *choose(struct page *x)
{
	const struct config *c = x->owner->config;
	const int code = config_code_find(c, x->code);
	const int zone = config_extension_find(c, x->entry.digits);
	const struct config_peer *peer = may(x);
	struct page_answer a;
	const char *why;

	if (code < 0 || zone < 0 ||
	    !config_code_offers(c, &c->codes[code], zone))
		return "no zone of this menu";
	why = peer ? page_forbidden(x->owner, peer, x->rank, zone)
		   : "Paging Not Allowed";
	if (!why && !page_probe(x->owner, x, zone, &a))
		return "the zone cannot be paged now";
	if (!why)
		snprintf(x->zone, sizeof(x->zone), "%s", c->zones[zone].name);
	return why;
}

/** The PIN that is asked for now. */
static const struct config_pin *pin_asked(const struct page *x)
{
	static const struct config_pin none;
	const struct config *c = x->owner->config;
	const bool of_code = *x->code && !*x->zone;
	const int i = of_code ? config_code_find(c, x->code)
			      : config_zone_find(c, x->zone);

	return i < 0 ? &none : of_code ? &c->codes[i].pin : &c->zones[i].pin;
}

static void locked(struct page *x, uint32_t ms)
{
	char subject[40];

	page_subject(x, subject);
	record(x->owner->recorder, EVENT_CALL_PIN_LOCKED, x->id, subject,
	       x->caller, json_pack("{s:i}", "lock_ms", (int)ms),
	       "%s is locked out of PINs for %u s", x->caller, ms / 1000);
	page_end_soon(x, NULL, "too many wrong PINs");
}

/** Takes the PIN he typed; NULL, or why not. */
static const char *unlock(struct page *x)
{
	struct paging *p = x->owner;
	const bool of_code = *x->code && !*x->zone;
	char subject[40];
	uint32_t ms;

	if (entry_is(&x->entry, pin_asked(x)->digits)) {
		*(of_code ? &x->code_open : &x->zone_open) = true;
		pins_right(p->pins, &x->from, x->caller);
		return NULL;
	}
	page_subject(x, subject);
	record(p->recorder, EVENT_CALL_PIN_WRONG, x->id, subject, x->caller,
	       json_pack("{s:s*,s:s*}", "zone", page_known(x->zone), "code",
			 page_known(x->code)),
	       "wrong PIN for %s from %s", *x->zone ? x->zone : x->code,
	       x->caller);
	ms = pins_wrong(p->pins, &x->from, x->caller, clock_mono_ms());
	if (ms)
		locked(x, ms);
	return "wrong PIN";
}

static void on_entered(struct page *x)
{
	const bool pin = x->state == PAGE_ASKS_PIN;
	const char *why = pin ? unlock(x) : choose(x);

	entry_again(&x->entry);
	if (!why) {
		x->wrong = 0;
		page_proceed(x);
	} else if (++x->wrong >= ENTRY_TRIES) {
		page_last_tone(x, WRONG_TONE, 1, why);
	} else {
		page_prompt(x, WRONG_TONE, 1);
	}
}

void page_key(struct page *x, enum entry_way way, char key)
{
	if (!entry_press(&x->entry, way, key, clock_mono_ms()))
		return;
	if (x->state == PAGE_RECORDS || x->state == PAGE_PROMPTED) {
		page_recorded_key(x, key);
	} else if (page_asks(x)) {
		tmr_start(&x->key, KEY_MAX_MS, on_no_key, x);
		page_prompt(x, NULL, 0);
		if (entry_key(&x->entry, key))
			on_entered(x);
	}
}
