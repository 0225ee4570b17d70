#include "values.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool value_flag(const char *s, bool *v)
{
	static const char *const words[] = {"false", "true", "no",
					    "yes",   "off",  "on"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcasecmp(s, words[i])) {
			*v = i % 2;
			return true;
		}
	return false;
}

/** Only digits, one sign before and one point among them: what strtod() takes
 *  beyond that (hex, "inf", spaces) is not for a configuration. */
static bool plain_number(const char *s, bool fraction)
{
	size_t digits = 0;

	if (*s == '-' || *s == '+')
		s++;
	for (; *s; s++) {
		if (isdigit((unsigned char)*s))
			digits++;
		else if (*s == '.' && fraction)
			fraction = false;
		else
			return false;
	}
	return digits > 0 && digits < 18;
}

bool value_number(const char *s, long *v)
{
	if (!plain_number(s, false))
		return false;
	*v = strtol(s, NULL, 10);
	return true;
}

bool value_real(const char *s, double *v)
{
	char digits[24];
	size_t n = 0;
	int after = -1;

	if (!plain_number(s, true))
		return false;
	/* Not strtod(): its decimal point follows the locale. */
	for (const char *c = s; *c; c++) {
		if (*c == '.') {
			after = 0;
		} else {
			digits[n++] = *c;
			after += after >= 0;
		}
	}
	digits[n] = '\0';
	*v = (double)strtoll(digits, NULL, 10) / pow(10, after > 0 ? after : 0);
	return true;
}

bool value_duration(const char *s, uint64_t *ms)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = {{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}};
	const size_t n = strspn(s, "0123456789.");
	char number[24];
	double v;

	if (!n || n >= sizeof(number))
		return false;
	memcpy(number, s, n);
	number[n] = '\0';
	if (!value_real(number, &v))
		return false;
	if (!s[n]) {
		*ms = 0;
		return v == 0;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(s + n, units[i].name))
			continue;
		v *= units[i].ms;
		if (v > (double)VALUE_MAX_DURATION_MS)
			return false;
		*ms = (uint64_t)llround(v);
		return fabs(v - (double)*ms) < 1e-6;
	}
	return false;
}

char *value_duration_text(char buf[VALUE_DURATION_SIZE], uint64_t ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
	size_t i = 0;

	while (ms && ms % units[i].ms)
		i++;
	if (!ms)
		i = 2;
	snprintf(buf, VALUE_DURATION_SIZE, "%" PRIu64 "%s", ms / units[i].ms,
		 units[i].name);
	return buf;
}

bool value_gain(const char *s, int *cb)
{
	double db;

	if (!value_real(s, &db) || fabs(db) > 1000)
		return false;
	*cb = (int)lround(db * 10);
	return fabs(db * 10 - *cb) < 1e-6;
}

bool value_name(const char *s)
{
	const size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("._-", s[i]))
			return false;
	return n > 0 && n < 64;
}
