/* tocsinctl: the API on the command line. */
#include "ctl.h"

#include <curl/curl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SOCKET "/run/tocsin/tocsin.sock"

static void help(FILE *f)
{
	fputs("usage: tocsinctl [-s SOCKET] [--json] COMMAND ...\n\n", f);
	for (const struct command *k = commands; k->name; k++)
		fprintf(f, "  %-11s %s\n", k->name, k->help);
	fputs("\n  -s, --socket PATH  the daemon's socket (default "
	      "$TOCSIN_SOCKET or\n                     " DEFAULT_SOCKET ")\n"
	      "      --json         print the API's JSON\n"
	      "      --version      print the version\n"
	      "  -h, --help         print this; after a command: its usage\n"
	      "\nExit: 0 done, 1 refused, 2 usage, 3 no daemon.\n",
	      f);
}

/** Takes --json out of the arguments wherever it stands. */
static bool take_json(int *argc, char **argv)
{
	bool json = false;
	int n = 1;

	for (int i = 1; i < *argc; i++)
		if (!strcmp(argv[i], "--json"))
			json = true;
		else
			argv[n++] = argv[i];
	*argc = n;
	return json;
}

static enum ctl_exit run(const struct ctl *c, int argc, char **argv)
{
	for (const struct command *k = commands; k->name; k++) {
		if (strcmp(k->name, argv[0]))
			continue;
		for (int i = 1; i < argc; i++)
			if (!strcmp(argv[i], "--help") ||
			    !strcmp(argv[i], "-h")) {
				usage(k->name, NULL);
				return CTL_DONE;
			}
		return k->run(c, argc, argv);
	}
	fprintf(stderr, "tocsinctl: there is no command \"%s\"\n\n", argv[0]);
	help(stderr);
	return CTL_USAGE;
}

int main(int argc, char **argv)
{
	const char *env = getenv("TOCSIN_SOCKET");
	struct ctl c = {.socket = env && *env ? env : DEFAULT_SOCKET};
	enum ctl_exit code;
	int i = 1;

	setlocale(LC_CTYPE, "");
	c.json = take_json(&argc, argv);
	for (; i < argc && *argv[i] == '-'; i++) {
		if (!strcmp(argv[i], "--version")) {
			printf("tocsinctl %s\n", TOCSIN_VERSION);
			return CTL_DONE;
		}
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
			help(stdout);
			return CTL_DONE;
		}
		if ((strcmp(argv[i], "-s") && strcmp(argv[i], "--socket")) ||
		    i + 1 == argc) {
			fprintf(stderr, "tocsinctl: unknown option %s\n\n",
				argv[i]);
			help(stderr);
			return CTL_USAGE;
		}
		c.socket = argv[++i];
	}
	if (i == argc) {
		help(stderr);
		return CTL_USAGE;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	code = run(&c, argc - i, argv + i);
	curl_global_cleanup();
	return (int)code;
}
