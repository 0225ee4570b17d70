/* tocsinctl: the API on the command line. */
#include "ctl.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SOCKET "/run/tocsin/tocsin.sock"

static void help(FILE *f)
{
	fputs("usage: tocsinctl [-s SOCKET] [--json] COMMAND ...\n\n", f);
	for (const struct command *k = commands; k->name; k++)
		fprintf(f, "  %-11s %.*s\n", k->name,
			(int)strcspn(k->help, ";"), k->help);
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
				command_usage(k->name, NULL);
				return CTL_DONE;
			}
		return k->run(c, argc, argv);
	}
	fprintf(stderr, "tocsinctl: there is no command \"%s\"\n\n", argv[0]);
	help(stderr);
	return CTL_USAGE;
}

/** The options before the command; the command's place in argv, 0 when it is
 *  all said, or -1 when they are wrong. */
static int take_options(struct ctl *c, int argc, char **argv)
{
	int i = 1;

	for (; i < argc && *argv[i] == '-'; i++) {
		const char *path = command_option(argc, argv, &i, "socket");

		if (!strcmp(argv[i], "--version")) {
			printf("tocsinctl %s\n", TOCSIN_VERSION);
			return 0;
		}
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
			help(stdout);
			return 0;
		}
		if (!strcmp(argv[i], "-s") && i + 1 < argc)
			path = argv[++i];
		if (!path) {
			fprintf(stderr,
				"tocsinctl: unknown option %s, or one without "
				"its value\n\n",
				argv[i]);
			return -1;
		}
		c->socket = path;
	}
	if (i == argc) {
		fputs("tocsinctl: give a command\n\n", stderr);
		return -1;
	}
	return i;
}

int main(int argc, char **argv)
{
	const char *env = getenv("TOCSIN_SOCKET");
	struct ctl c = {.socket = env && *env ? env : DEFAULT_SOCKET};
	enum ctl_exit code;
	int i;

	/* What the daemon says is UTF-8, whatever the terminal was told. */
	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8"))
		setlocale(LC_CTYPE, "C.UTF-8");
	c.json = take_json(&argc, argv);
	i = take_options(&c, argc, argv);
	if (i <= 0) {
		if (i < 0)
			help(stderr);
		return i < 0 ? CTL_USAGE : CTL_DONE;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	code = run(&c, argc - i, argv + i);
	curl_global_cleanup();
	if ((fflush(stdout) || ferror(stdout)) && code == CTL_DONE) {
		fputs("tocsinctl: cannot write the answer\n", stderr);
		code = CTL_REFUSED;
	}
	return (int)code;
}
