#include "lamps.h"

#include "controller/base/clock.h"
#include "help/help.h"
#include "paging.h"
#include "text_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lamps_seen {
	const struct command_scope *scope;
	struct stack *stack;
};

/* ------------------------------------------------------------ what it is */

enum what { SEES_NOTHING, SEES_ZONE, SEES_ALARM, SEES_POINT, SEES_ENDPOINT };

struct seen {
	enum what what;
	int index;
};

/* The same order in which a call to it would be taken; names come last, so that
 * nothing that is dialled means something else when it is watched. */
static struct seen find(const struct config *c, const char *user)
{
	struct seen s = {SEES_ZONE, config_extension_find(c, user)};

	if (s.index >= 0)
		return s;
	s.index = config_code_find(c, user);
	if (s.index >= 0 && c->codes[s.index].kind == CODE_ALARM)
		return (struct seen){SEES_ALARM, c->codes[s.index].alarm};
	if (s.index >= 0)
		return (struct seen){SEES_NOTHING, -1};
	s = (struct seen){SEES_ENDPOINT, config_endpoint_find(c, user)};
	if (s.index >= 0)
		return s;
	s = (struct seen){SEES_POINT, config_helppoint_find(c, user)};
	if (s.index >= 0)
		return s;
	s = (struct seen){SEES_ALARM, config_alarm_find(c, user)};
	if (s.index < 0)
		s.what = SEES_NOTHING;
	return s;
}

static uint16_t may(const char *user, const struct config_peer *who, void *arg)
{
	const struct lamps_seen *l = arg;
	const struct seen s = find(l->scope->config, user);
	bool yes = false;

	switch (s.what) {
	case SEES_NOTHING:
		return 404;
	case SEES_ZONE:
		yes = who->page && !who->n_zones;
		for (size_t i = 0; who->page && i < who->n_zones; i++)
			yes |= who->zones[i] == s.index;
		break;
	case SEES_ALARM:
		yes = who->alarm;
		break;
	case SEES_POINT:
	case SEES_ENDPOINT:
		yes = who->page || who->help || who->alarm;
		break;
	}
	return yes ? 200 : 403;
}

/* Background music would light it all day. */
static enum lamp_state zone_state(const struct command_scope *x, int zone)
{
	const int level = broadcasts_zone_level(x->broadcasts, zone);

	return level > x->config->levels[CLASS_MUSIC] ? LAMP_ON : LAMP_OFF;
}

/* ISA-18.2: what nobody has acknowledged blinks, what somebody has is lit. */
static enum lamp_state alarm_lamp(const struct command_scope *x, int alarm)
{
	switch (alarm_snapshot(x->alarms, alarm)->state) {
	case ALARM_ACTIVE:
	case ALARM_LATCHED:
		return LAMP_EARLY;
	case ALARM_ACKED:
	case ALARM_LATCHED_ACKED:
		return LAMP_ON;
	default:
		return LAMP_OFF;
	}
}

static enum lamp_state call_lamp(enum help_sight s)
{
	return s == HELP_TALKS   ? LAMP_ON
	       : s == HELP_RINGS ? LAMP_EARLY
				 : LAMP_OFF;
}

static enum lamp_state endpoint_state(const struct command_scope *x, int i)
{
	char caller[CONFIG_MAX_NAME + 16];

	snprintf(caller, sizeof(caller), "endpoint:%s",
		 x->config->endpoints[i].may.name);
	if (paging_has_caller(x->paging, caller))
		return LAMP_ON;
	return call_lamp(help_sees(x->help, NULL, caller));
}

static enum lamp_state state(const char *user, void *arg)
{
	const struct lamps_seen *l = arg;
	const struct command_scope *x = l->scope;
	const struct seen s = find(x->config, user);

	switch (s.what) {
	case SEES_ZONE:
		return zone_state(x, s.index);
	case SEES_ALARM:
		return alarm_lamp(x, s.index);
	case SEES_POINT:
		return call_lamp(help_sees(
			x->help, x->config->helppoints[s.index].name, NULL));
	case SEES_ENDPOINT:
		return endpoint_state(x, s.index);
	case SEES_NOTHING:
		break;
	}
	return LAMP_OFF;
}

/* ------------------------------------------------------------------- owner */

int lamps_seen_alloc(struct lamps_seen **lp, const struct command_scope *scope)
{
	struct lamps_seen *l = calloc(1, sizeof(*l));

	if (!l)
		return ENOMEM;
	l->scope = scope;
	*lp = l;
	return 0;
}

struct lamps_seen *lamps_seen_free(struct lamps_seen *l)
{
	if (l && l->stack) {
		lamp_leave(l->stack);
		lamp_handle(l->stack, NULL, NULL);
	}
	free(l);
	return NULL;
}

void lamps_seen_stack(struct lamps_seen *l, struct stack *s)
{
	static const struct lamp_handlers handlers = {
		.may = may,
		.state = state,
	};

	l->stack = s;
	if (s)
		lamp_handle(s, &handlers, l);
}

void lamps_seen_look(struct lamps_seen *l)
{
	if (l->stack)
		lamp_look(l->stack);
}

static void add(const struct lamp_view *v, void *arg)
{
	const uint64_t now = clock_mono_us();

	json_array_append_new(
		arg,
		json_pack("{s:o,s:o,s:s,s:I,s:I}", "of", text_json(v->user),
			  "watcher", text_json(v->watcher), "state",
			  lamp_state_name(v->state), "expires_s",
			  v->until_us > now
				  ? (json_int_t)((v->until_us - now) / 1000000)
				  : 0,
			  "version", (json_int_t)v->version));
}

json_t *lamps_seen_json(const struct lamps_seen *l)
{
	json_t *a = json_array();

	if (l->stack)
		lamp_list(l->stack, add, a);
	return a;
}
