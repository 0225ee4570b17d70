#include "choose.h"

#include "controller/base/text.h"

#include <ctype.h>
#include <fnmatch.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static void key_of(const char *sender, size_t n_sender, const char *id,
		   size_t n_id, char key[CAP_KEY_SIZE])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};

	if (c && EVP_DigestInit_ex(c, EVP_sha256(), NULL)) {
		EVP_DigestUpdate(c, sender, n_sender);
		EVP_DigestUpdate(c, ",", 1);
		EVP_DigestUpdate(c, id, n_id);
		EVP_DigestFinal_ex(c, digest, NULL);
	}
	EVP_MD_CTX_free(c);
	for (size_t i = 0; i < (CAP_KEY_SIZE - 1) / 2; i++)
		snprintf(key + 2 * i, 3, "%02x", digest[i]);
}

void cap_key(const char *sender, const char *identifier, char key[CAP_KEY_SIZE])
{
	key_of(sender, strlen(sender), identifier, strlen(identifier), key);
}

bool cap_reference(const char **s, char key[CAP_KEY_SIZE])
{
	for (;;) {
		const char *p = *s + strspn(*s, " \t\r\n");
		const size_t n = strcspn(p, " \t\r\n");
		const char *first = memchr(p, ',', n);
		const char *second = first ? memchr(first + 1, ',',
						    n - (size_t)(first + 1 - p))
					   : NULL;

		*s = p + n;
		if (!n)
			return false;
		/* Identifiers have no comma (3.2.1); the time is not needed. */
		if (!second)
			continue;
		key_of(p, (size_t)(first - p), first + 1,
		       (size_t)(second - first - 1), key);
		return true;
	}
}

/* ------------------------------------------------------------------ is it ours
 */

static bool among(char *const *v, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i], word))
			return true;
	return false;
}

static bool fits(char *const *patterns, size_t n, const char *text, int flags)
{
	for (size_t i = 0; i < n; i++)
		if (!fnmatch(patterns[i], text, flags))
			return true;
	return false;
}

static bool is_for(const struct config_cap_area *x, const struct cap_area *a)
{
	if (fits(x->match, x->n_match, a->desc, FNM_CASEFOLD))
		return true;
	for (size_t i = 0; i < a->n_geocodes; i++)
		if (fits(x->geocodes, x->n_geocodes, a->geocodes[i], 0))
			return true;
	for (size_t i = 0; x->has_location && i < a->n_shapes; i++)
		if (cap_within(&a->shapes[i], x->latitude, x->longitude))
			return true;
	return false;
}

static void add_zones(struct cap_choice *o, const int *zones, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < o->n_zones && o->zones[k] != zones[i])
			k++;
		if (k == o->n_zones && k < CONFIG_MAX_ZONES)
			o->zones[o->n_zones++] = zones[i];
	}
}

/** Adds the zones that an info block is for; false when there are none. */
static bool place(const struct config_cap *c, const struct cap_info *info,
		  struct cap_choice *o)
{
	bool found = false;

	if (!c->n_areas) {
		add_zones(o, c->zones, c->n_zones);
		return true;
	}
	for (size_t i = 0; i < c->n_areas; i++) {
		const struct config_cap_area *x = &c->areas[i];
		bool here = false;

		for (size_t k = 0; k < info->n_areas && !here; k++)
			here = is_for(x, &info->areas[k]);
		if (here)
			add_zones(o, x->n_zones ? x->zones : c->zones,
				  x->n_zones ? x->n_zones : c->n_zones);
		found |= here;
	}
	return found;
}

/** Is a block urgent and sure enough? */
static bool matters(const struct config_cap *c, const struct cap_info *i)
{
	return c->level[i->severity] != CONFIG_CAP_OFF &&
	       among(c->urgency, c->n_urgency, cap_urgencies[i->urgency]) &&
	       among(c->certainty, c->n_certainty,
		     cap_certainties[i->certainty]);
}

/* ------------------------------------------------------------------- its words
 */

/** "de" speaks "de-AT" too. */
static bool speaks(const char *have, size_t n, const char *wanted)
{
	return !strncasecmp(have, wanted, n) &&
	       (!wanted[n] || wanted[n] == '-');
}

/** How early in our languages a block's is. */
static size_t rank(const struct config_cap *c, const struct cap_info *i)
{
	size_t k = 0;

	while (k < c->n_languages &&
	       !speaks(c->languages[k], strcspn(c->languages[k], "="),
		       i->language))
		k++;
	return k;
}

struct words {
	char *p;
	size_t n;
};

/** White space becomes one blank, what is no text nothing. */
static void say(struct words *w, const char *s)
{
	if (!s)
		return;
	while (isspace((unsigned char)*s))
		s++;
	if (!*s)
		return;
	if (w->n && w->n < CONFIG_MAX_SPOKEN)
		w->p[w->n++] = ' ';
	for (; *s && w->n < CONFIG_MAX_SPOKEN; s++) {
		if (!isspace((unsigned char)*s))
			w->p[w->n++] = *s;
		else if (w->p[w->n - 1] != ' ')
			w->p[w->n++] = ' ';
	}
	while (w->n && w->p[w->n - 1] == ' ')
		w->n--;
	/* The next one begins a sentence of its own. */
	if (w->n && w->n < CONFIG_MAX_SPOKEN &&
	    !strchr(".!?:;", w->p[w->n - 1]))
		w->p[w->n++] = '.';
}

/** Too long: up to the last sentence that fits, at least to a whole word. */
static void cut(struct words *w)
{
	size_t n = w->n;

	if (w->n < CONFIG_MAX_SPOKEN)
		return;
	while (n > CONFIG_MAX_SPOKEN / 2 &&
	       !(strchr(".!?", w->p[n - 1]) && w->p[n - 1]))
		n--;
	if (n <= CONFIG_MAX_SPOKEN / 2)
		for (n = w->n; n > 1 && w->p[n - 1] != ' ';)
			n--;
	w->n = n > 1 ? n : 0;
}

static void speak(const struct config_cap *c, const struct cap_alert *a,
		  struct cap_choice *o)
{
	const struct cap_info *i = o->info;
	struct words w = {o->text, 0};

	if (a->status != CAP_ACTUAL)
		say(&w, c->exercise);
	say(&w, i->headline && *i->headline ? i->headline : i->event);
	say(&w, i->instruction && *i->instruction ? i->instruction
						  : i->description);
	cut(&w);
	o->text[w.n] = '\0';
	text_clean(o->text);
}

/* -------------------------------------------------------------------- together
 */

static void verdict(struct cap_choice *o, enum cap_verdict v, const char *why)
{
	o->verdict = v;
	snprintf(o->why, sizeof(o->why), "%s", why);
}

bool cap_admitted(const struct config_cap *c, const struct cap_alert *a,
		  char why[128])
{
	if (!among(c->status, c->n_status, cap_statuses[a->status]))
		snprintf(why, 128, "its status is %s", cap_statuses[a->status]);
	else if (c->n_senders && !among(c->senders, c->n_senders, a->sender))
		snprintf(why, 128, "%.80s is none of the senders", a->sender);
	else if (a->type == CAP_ACK || a->type == CAP_ERROR)
		snprintf(why, 128, "it is of the type %s", cap_types[a->type]);
	else
		return true;
	return false;
}

/** The block whose words are heard, and zones and level of all that matter. */
static void gather(const struct config_cap *c, const struct cap_alert *a,
		   int64_t now_us, struct cap_choice *o)
{
	size_t best = 0;
	bool expired = false, elsewhere = false;

	for (size_t k = 0; k < a->n_infos; k++) {
		const struct cap_info *i = &a->infos[k];
		const int64_t until =
			i->expires_us ? i->expires_us
				      : a->sent_us + CAP_DEFAULT_LIFE_US;
		const size_t r = rank(c, i);

		if (!matters(c, i))
			continue;
		if (until <= now_us) {
			expired = true;
			continue;
		}
		if (!place(c, i, o)) {
			elsewhere = true;
			continue;
		}
		if (!o->info || r < best) {
			o->info = i;
			best = r;
		}
		if (c->level[i->severity] > o->level)
			o->level = (uint8_t)c->level[i->severity];
		if (until > o->expires_us)
			o->expires_us = until;
		if (!o->effective_us || i->effective_us < o->effective_us)
			o->effective_us = i->effective_us;
	}
	if (o->info && best < c->n_languages && strchr(c->languages[best], '='))
		snprintf(o->voice, sizeof(o->voice), "%s",
			 strchr(c->languages[best], '=') + 1);
	verdict(o, expired && !o->info ? CAP_TOO_LATE : CAP_NOT_OURS,
		expired     ? "it has expired"
		: elsewhere ? "it is for other areas"
			    : "it is not severe, urgent or certain enough");
}

void cap_choose(const struct config_cap *c, const struct cap_alert *a,
		int64_t now_us, struct cap_choice *o)
{
	const int64_t most = c->max_age_s * INT64_C(1000000);
	int64_t since;

	memset(o, 0, sizeof(*o));
	o->verdict = CAP_NOT_OURS;
	if (!cap_admitted(c, a, o->why))
		return;
	if (a->type == CAP_CANCEL) {
		verdict(o, CAP_NOT_OURS, "it cancels");
		return;
	}
	gather(c, a, now_us, o);
	if (!o->info)
		return;
	if (a->sent_us > now_us + CAP_AHEAD_US) {
		verdict(o, CAP_NOT_YET, "it was sent in the future");
		return;
	}
	if (o->effective_us > now_us) {
		verdict(o, CAP_NOT_YET, "it takes effect later");
		return;
	}
	since = o->effective_us > a->sent_us ? o->effective_us : a->sent_us;
	if (now_us - since > most) {
		verdict(o, CAP_TOO_LATE, "it is older than max-age");
		return;
	}
	speak(c, a, o);
	verdict(o, CAP_HEARD, "");
}
