/* Any document as public alerts: within its bounds, and what is spoken of it is
 * fit to be. */
#include "controller/cap/choose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1795416900000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check(const struct cap_alert *a)
{
	static int zone[] = {0};
	static char *actual[] = {(char *)"actual", (char *)"test"};
	static char *soon[] = {(char *)"immediate", (char *)"unknown"};
	static char *sure[] = {(char *)"observed", (char *)"unknown"};
	static char *languages[] = {(char *)"de=anna"};
	static char *match[] = {(char *)"*a*"};
	static struct config_cap_area area = {.match = match,
					      .n_match = 1,
					      .has_location = true,
					      .latitude = 48,
					      .longitude = 11};
	const struct config_cap c = {
		.max_age_s = 7 * 86400,
		.zones = zone,
		.n_zones = 1,
		.areas = &area,
		.n_areas = a->n_infos % 2,
		.status = actual,
		.n_status = 2,
		.urgency = soon,
		.n_urgency = 2,
		.certainty = sure,
		.n_certainty = 2,
		.languages = languages,
		.n_languages = 1,
		.level = {220, 150, 100, 60, 10},
		.exercise = (char *)"This is an exercise.",
	};
	static struct cap_choice o;
	const char *s = a->references;
	char key[CAP_KEY_SIZE];

	require(*a->identifier && *a->sender);
	while (cap_reference(&s, key))
		require(strlen(key) == CAP_KEY_SIZE - 1);
	cap_choose(&c, a, NOW, &o);
	require((o.verdict == CAP_HEARD) == !*o.why);
	if (o.verdict != CAP_HEARD)
		return;
	require(o.info && o.n_zones == 1 && o.expires_us > NOW);
	require(strlen(o.text) <= CONFIG_MAX_SPOKEN);
	for (const char *p = o.text; *p; p++)
		require((unsigned char)*p >= ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reason why = {""};
	struct cap_doc d;
	int err = cap_read(&d, (const char *)data, size, &why);

	require(!err == !*why.text);
	require(!err || (!d.n_alerts && !d.n_links));
	require(d.n_alerts <= CAP_MAX_ALERTS && d.n_links <= CAP_MAX_LINKS);
	for (size_t i = 0; i < d.n_alerts; i++)
		check(d.alerts[i]);
	cap_doc_reset(&d);
	return 0;
}
