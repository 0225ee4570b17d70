#include "route.h"

#include "controller/base/scope.h"

#include <stdbool.h>
#include <string.h>

/* Of two that fit the first is taken. */
const struct route routes[] = {
	{"GET", "/healthz", 0, NULL},
	{"GET", "/metrics", SCOPE_METRICS, NULL},
	{"GET", "/openapi.json", 0, NULL},
	/* Their signatures say what they may. */
	{"POST", "/hooks/{name}", 0, NULL},

	{"GET", "/session", 0, NULL},
	{"POST", "/session", 0, NULL},
	{"DELETE", "/session", 0, NULL},
	{"GET", "/tokens", SCOPE_ADMIN, NULL},

	{"GET", "/status", SCOPE_VIEW, NULL},
	{"GET", "/faults", SCOPE_VIEW, NULL},
	{"GET", "/events", SCOPE_VIEW, NULL},
	{"GET", "/journal", SCOPE_VIEW, NULL},
	{"GET", "/config", SCOPE_ADMIN, NULL},
	{"POST", "/reload", SCOPE_ADMIN, NULL},

	{"GET", "/zones", SCOPE_VIEW, NULL},
	{"GET", "/zones/{name}", SCOPE_VIEW, NULL},
	{"POST", "/zones/{name}/volume", SCOPE_SOUND, "volume"},
	{"GET", "/interfaces", SCOPE_VIEW, NULL},

	{"GET", "/broadcasts", SCOPE_VIEW, NULL},
	{"POST", "/broadcasts", SCOPE_PAGE, "page"},
	{"GET", "/broadcasts/{id}", SCOPE_VIEW, NULL},
	{"DELETE", "/broadcasts/{id}", SCOPE_PAGE, "stop"},

	{"GET", "/alarms", SCOPE_VIEW, NULL},
	{"GET", "/alarms/{name}", SCOPE_VIEW, NULL},
	{"POST", "/alarms/{name}/trigger", SCOPE_ALARMS, "trigger"},
	{"POST", "/alarms/{name}/ack", SCOPE_ALARMS, "ack"},
	{"POST", "/alarms/{name}/reset", SCOPE_ALARMS, "reset"},
	{"POST", "/alarms/{name}/inhibit", SCOPE_ALARMS, "inhibit"},
	{"POST", "/alarms/{name}/enable", SCOPE_ALARMS, "enable"},
	{"POST", "/alarms/{name}/advance", SCOPE_ALARMS, "advance"},
	{"POST", "/alarms/{name}/hold", SCOPE_ALARMS, "hold"},
	{"POST", "/alarms/{name}/release", SCOPE_ALARMS, "release"},
	{"GET", "/mode", SCOPE_VIEW, NULL},
	{"POST", "/mode", SCOPE_ALARMS, "mode"},
	{"GET", "/walk-tests", SCOPE_VIEW, NULL},
	{"POST", "/walk-tests", SCOPE_ALARMS, "walk-test"},
	{"GET", "/walk-tests/{id}", SCOPE_VIEW, NULL},
	{"DELETE", "/walk-tests/{id}", SCOPE_ALARMS, "walk-test-stop"},

	{"GET", "/inputs", SCOPE_VIEW, NULL},
	{"POST", "/inputs/{name}", SCOPE_POINTS, "input"},
	{"GET", "/outputs", SCOPE_VIEW, NULL},
	{"POST", "/outputs/{name}", SCOPE_POINTS, "output"},

	{"GET", "/schedules", SCOPE_VIEW, NULL},
	{"GET", "/schedules/next", SCOPE_VIEW, NULL},
	{"GET", "/schedules/{name}", SCOPE_VIEW, NULL},
	{"POST", "/schedules/{name}/skip", SCOPE_SCHEDULES, "skip"},
	{"POST", "/schedules/{name}/run", SCOPE_SCHEDULES, "run"},
	{"POST", "/schedules/{name}/move", SCOPE_SCHEDULES, "move"},
	{"GET", "/schedule-changes", SCOPE_VIEW, NULL},
	{"POST", "/schedule-changes/bell", SCOPE_SCHEDULES, "bell"},
	{"POST", "/schedule-changes/day-type", SCOPE_SCHEDULES, "day-type"},
	{"DELETE", "/schedule-changes/{id}", SCOPE_SCHEDULES, "unchange"},
	{"GET", "/calendars", SCOPE_VIEW, NULL},

	{"GET", "/messages", SCOPE_VIEW, NULL},
	{"GET", "/messages/{name}", SCOPE_VIEW, NULL},
	{"GET", "/messages/{name}/audio", SCOPE_VIEW, NULL},
	{"GET", "/messages/{name}/versions", SCOPE_VIEW, NULL},
	{"PUT", "/messages/{name}", SCOPE_MESSAGES, NULL},
	{"DELETE", "/messages/{name}", SCOPE_MESSAGES, NULL},
	{"POST", "/messages/{name}/rollback", SCOPE_MESSAGES, NULL},
	{"GET", "/tones", SCOPE_VIEW, NULL},
	{"GET", "/sources", SCOPE_VIEW, NULL},
	{"GET", "/music", SCOPE_VIEW, NULL},
	{"POST", "/music/{name}/start", SCOPE_SOUND, "music-start"},
	{"POST", "/music/{name}/stop", SCOPE_SOUND, "music-stop"},
	{"POST", "/music/{name}/next", SCOPE_SOUND, "music-next"},

	{"GET", "/calls", SCOPE_VIEW, NULL},
	{"POST", "/calls/{id}/hangup", SCOPE_CALLS, "hangup"},
	{"GET", "/summons", SCOPE_VIEW, NULL},
	{"GET", "/sip", SCOPE_VIEW, NULL},
	{"GET", "/sip/traces", SCOPE_ADMIN, NULL},
	{"GET", "/sip/traces/{call}", SCOPE_ADMIN, NULL},
	{"GET", "/sip/traces/{call}/text", SCOPE_ADMIN, NULL},
	{"GET", "/sip/traces/{call}/pcap", SCOPE_ADMIN, NULL},
	{"GET", "/accounts", SCOPE_VIEW, NULL},
	{"GET", "/endpoints", SCOPE_VIEW, NULL},
	{"GET", "/lamps", SCOPE_VIEW, NULL},

	{"GET", "/webhooks", SCOPE_VIEW, NULL},
	{"GET", "/notify", SCOPE_VIEW, NULL},
	{"GET", "/cap", SCOPE_VIEW, NULL},
	{NULL, NULL, 0, NULL},
};

/** Does a path fit a pattern? */
static bool fits(const char *pattern, const char *path, const char **name)
{
	*name = NULL;
	while (*pattern && *path) {
		if (*pattern == '{') {
			if (*path == '/')
				return false;
			if (!*name)
				*name = path;
			pattern += strcspn(pattern, "/");
			path += strcspn(path, "/");
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return !*pattern && !*path;
}

const struct route *route_find(const char *method, const char *path,
			       const char **name)
{
	const char *part;

	for (const struct route *r = routes; r->method; r++)
		if (!strcmp(r->method, method) && fits(r->path, path, &part)) {
			if (name)
				*name = part;
			return r;
		}
	return NULL;
}

unsigned route_need(const char *method, const char *path)
{
	const struct route *r = route_find(method, path, NULL);

	if (r)
		return r->need;
	return strcmp(method, "GET") ? SCOPES_ACTING : 0;
}
