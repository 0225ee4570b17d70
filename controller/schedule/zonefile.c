#include "zonefile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct tz *zonefile_load(const char *name, struct reason *why)
{
	char path[320] = "/etc/localtime", *data;
	struct tz *z = NULL;
	struct stat st;
	size_t n = 0;
	FILE *f;

	if (name &&
	    (*name == '/' || strstr(name, "..") || strlen(name) > 200)) {
		reason_set(why, EINVAL, "\"%.60s\" is no time zone", name);
		return NULL;
	}
	if (name)
		snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	f = fopen(path, "rbe");
	if (!f && !name) {
		/* POSIX: without the file it is UTC. */
		if (tz_make(&z, 0, NULL, 0))
			reason_set(why, ENOMEM, "not enough memory");
		return z;
	}
	if (!f || fstat(fileno(f), &st) || !S_ISREG(st.st_mode)) {
		reason_set(why, ENOENT,
			   "time zone %s: %s is not there; install tzdata",
			   name ? name : "of the system", path);
		if (f)
			fclose(f);
		return NULL;
	}
	data = malloc(TZ_MAX_FILE + 1);
	if (data)
		n = fread(data, 1, TZ_MAX_FILE + 1, f);
	fclose(f);
	if (data && tz_parse(&z, data, n, why))
		z = NULL;
	free(data);
	return z;
}
