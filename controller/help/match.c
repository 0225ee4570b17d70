#include "controller/help/match.h"

#include <string.h>

/** Is this the user part of "sip:USER@..."? */
static bool is_user(const char *caller, const char *user)
{
	const size_t n = strlen(user);

	return !strncmp(caller, "sip:", 4) && !strncmp(caller + 4, user, n) &&
	       caller[4 + n] == '@';
}

/** How particularly it fits, -1 = not at all. */
static int rank(const struct config_helppoint *p, const char *caller,
		const struct sockaddr *from, const char *dialled)
{
	const bool endpoint = !strncmp(caller, "endpoint:", 9);
	int r = 0;

	if (p->extension && strcmp(p->extension, dialled))
		return -1;
	switch (p->kind) {
	case FROM_ANYBODY:
		break;
	case FROM_ENDPOINT:
		if (!endpoint || strcmp(caller + 9, p->from))
			return -1;
		r = 400;
		break;
	case FROM_URI:
		if (endpoint || !is_user(caller, p->user) ||
		    !config_net_has(&p->net, p->prefix, from))
			return -1;
		r = 300;
		break;
	case FROM_USER:
		if (endpoint || !is_user(caller, p->from))
			return -1;
		r = 200;
		break;
	case FROM_NET:
		if (endpoint || !config_net_has(&p->net, p->prefix, from))
			return -1;
		r = 1 + (int)p->prefix;
		break;
	}
	return 2 * r + (p->extension != NULL);
}

int help_match(const struct config *c, const char *caller,
	       const struct sockaddr *from, const char *dialled)
{
	int best = -1, most = -1;

	for (size_t i = 0; i < c->n_helppoints; i++) {
		int r = rank(&c->helppoints[i], caller, from, dialled);

		if (r > most) {
			most = r;
			best = (int)i;
		}
	}
	return best;
}
