/*
 * Rules in, occurrences out, for the comparison with an independent
 * implementation (test_expand.py). One case a line, fields between tabs:
 *
 *  zone's file, t1, t2, days (mask), times, RRULE, its start, ranges of days,
 *  gap (0, 1), fold (0, 1, 2), extra times, times taken off; "-" = none
 *
 * and one line back: "at:local:how ...", or "! reason".
 */
#include "scheduler/rule.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS 12
#define MAX 200000

static struct rule_time found[MAX];
static char last_name[256];
static struct tz *zone;

static int load_zone(const char *name)
{
	static char data[TZ_MAX_FILE];
	struct reason why;
	FILE *f;
	size_t n;

	if (!strcmp(name, last_name))
		return 0;
	zone = tz_free(zone);
	f = fopen(name, "rb");
	if (!f)
		return -1;
	n = fread(data, 1, sizeof(data), f);
	fclose(f);
	if (tz_parse(&zone, data, n, &why))
		return -1;
	snprintf(last_name, sizeof(last_name), "%s", name);
	return 0;
}

static size_t numbers(char *text, int64_t *v, size_t max)
{
	char *save = NULL;
	size_t n = 0;

	if (!strcmp(text, "-"))
		return 0;
	for (char *p = strtok_r(text, ",", &save); p && n < max;
	     p = strtok_r(NULL, ",", &save))
		v[n++] = strtoll(p, NULL, 10);
	return n;
}

static void one(char **f)
{
	int64_t time[RULE_MAX_TIMES], range[64], rdate[64], exdate[64];
	int32_t t32[RULE_MAX_TIMES];
	struct rule_range r2[32];
	struct recur *recur = NULL;
	struct reason why = {""};
	struct rule r = {0};
	size_t n;
	int err;

	if (load_zone(f[0])) {
		printf("! no zone %s\n", f[0]);
		return;
	}
	r.days = (uint8_t)atoi(f[3]);
	r.n_times = numbers(f[4], time, RULE_MAX_TIMES);
	for (size_t i = 0; i < r.n_times; i++)
		t32[i] = (int32_t)time[i];
	r.time = t32;
	if (strcmp(f[5], "-") &&
	    recur_parse(&recur, f[5], strtoll(f[6], NULL, 10), zone, &why)) {
		printf("! %s\n", why.text);
		return;
	}
	r.recur = recur;
	r.n_ranges = numbers(f[7], range, 64) / 2;
	for (size_t i = 0; i < r.n_ranges; i++)
		r2[i] = (struct rule_range){range[2 * i], range[2 * i + 1]};
	r.range = r2;
	r.gap = atoi(f[8]);
	r.fold = atoi(f[9]);
	r.n_rdates = numbers(f[10], rdate, 64);
	r.rdate = rdate;
	r.n_exdates = numbers(f[11], exdate, 64);
	r.exdate = exdate;
	err = rule_expand(&r, zone, strtoll(f[1], NULL, 10),
			  strtoll(f[2], NULL, 10), found, MAX, &n);
	if (err)
		printf("! %s", strerror(err));
	for (size_t i = 0; i < n && !err; i++)
		printf("%s%" PRId64 ":%" PRId64 ":%d", i ? " " : "",
		       found[i].at, found[i].local, found[i].how);
	putchar('\n');
	recur_free(recur);
}

int main(void)
{
	char *line = NULL, *field[FIELDS], *save;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		size_t n = 0;

		line[strcspn(line, "\n")] = '\0';
		for (char *p = strtok_r(line, "\t", &save); p && n < FIELDS;
		     p = strtok_r(NULL, "\t", &save))
			field[n++] = p;
		if (n == FIELDS)
			one(field);
		else
			puts("! fields");
		fflush(stdout);
	}
	free(line);
	tz_free(zone);
	return 0;
}
