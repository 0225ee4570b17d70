/* tocsind: options, signals, and the loop. */
#include "control.h"
#include "plc.h"

#include "config/config.h"
#include "controller/base/compat.h"
#include "controller/base/log.h"
#include "controller/base/text.h"
#include "schedule/view.h"
#include "zones/sound/decode.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/tocsin/tocsin.conf"
/** Sockets libre's loop may watch; the process may open twice as many, so
 *  that the loop refuses before accept() fails (LIBRE.md B11). */
#define LOOP_SOCKETS 4096

enum mode { RUN, CHECK, DUMP, REFERENCE, MAP, DRY_RUN, DECODE };

static const char usage_text[] =
	"usage: tocsind [-c FILE] [--check | --dump-config | --dry-run DATE |\n"
	"                             --reference | --modbus-map]\n"
	"\n"
	"  -c, --config FILE  configuration (default " DEFAULT_CONFIG ")\n"
	"      --check        check it and print every error; exit 0 or 1\n"
	"      --dump-config  print what is in force, defaults included\n"
	"      --dry-run DATE print what would sound on a day, and why\n"
	"      --reference    print the manual page of all keys (roff)\n"
	"      --modbus-map   print the register map of the plc section\n"
	"      --decode RATE FILE  write the sound of a file to standard\n"
	"                     output, as music does: mono, 16 bit\n"
	"  -f, --foreground   stay in the foreground (it always does)\n"
	"  -d, --debug        log more\n"
	"      --version      print the version\n"
	"  -h, --help         print this\n"
	"\n"
	"Signals: HUP loads the configuration anew, TERM and INT stop.\n"
	"Exit: 0 stopped, 1 configuration, 2 cannot bind or start, 3 "
	"internal.\n";

static struct control *control;
static struct tc_fd signals = {.fd = -1};

static void on_signal(int flags, void *arg)
{
	struct signalfd_siginfo si;

	(void)flags;
	(void)arg;
	while (read(signals.fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGHUP)
			control_reload(control);
		else
			re_cancel();
	}
}

static int watch_signals(void)
{
	sigset_t set;
	int fd;

	/* Blocked before any thread is made, so that all inherit it and only
	 * this descriptor sees them. */
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -1;
	return tc_fd_listen(&signals, fd, FD_READ, on_signal, NULL);
}

static void raise_limits(void)
{
	struct rlimit want = {2 * LOOP_SOCKETS, 2 * LOOP_SOCKETS};
	struct rlimit have;

	/* Refused without the right: then what there is must do. */
	if (!getrlimit(RLIMIT_NOFILE, &have) && have.rlim_cur < want.rlim_cur) {
		if (have.rlim_max > want.rlim_max)
			want.rlim_max = have.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &want))
			log_warn(NULL,
				 "only %llu open files allowed: set "
				 "LimitNOFILE=%d",
				 (unsigned long long)have.rlim_cur,
				 2 * LOOP_SOCKETS);
	}
}

/** Rights the service gives us are not for the commands we start. */
static void keep_rights(void)
{
	/* Fails on kernels that have none to pass on. */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static int run(const char *path, bool debug)
{
	enum control_exit code;
	int err;

	raise_limits();
	keep_rights();
	if (libre_init() || fd_setsize(LOOP_SOCKETS) || watch_signals()) {
		log_error(NULL, "cannot start the event loop");
		return CONTROL_INTERNAL;
	}
	code = control_alloc(&control, path, debug);
	if (code == CONTROL_STOPPED) {
		err = re_main(NULL);
		if (err) {
			log_error(NULL, "the event loop failed: %s",
				  strerror(err));
			code = CONTROL_INTERNAL;
		}
		control = control_free(control);
	}
	err = signals.fd;
	tc_fd_close(&signals);
	close(err);
	libre_close();
	return code;
}

static void print_error(const struct config_where *at, const char *text,
			void *arg)
{
	(void)arg;
	if (at && at->file)
		fprintf(stderr, "%s:%d: %s\n", at->file, at->line, text);
	else
		fprintf(stderr, "%s\n", text);
}

static int dry_run(const char *path, const char *date)
{
	struct config *c = NULL;
	int err;

	if (config_load(&c, path, print_error, NULL))
		return CONTROL_BAD_CONFIG;
	err = view_dry_run(c, date, stdout);
	config_free(c);
	return err ? CONTROL_BAD_CONFIG : CONTROL_STOPPED;
}

static int dump(const char *path, bool map)
{
	struct config *c = NULL;

	if (config_load(&c, path, print_error, NULL))
		return CONTROL_BAD_CONFIG;
	if (!map)
		config_dump(c, stdout);
	else if (c->plc.present)
		plc_map(c, stdout);
	else
		puts("# no Modbus server: the configuration has no plc "
		     "section");
	config_free(c);
	return CONTROL_STOPPED;
}

/** The player of music from files: a process of its own, so that no file, how
 *  long or hostile ever, touches the daemon. */
static int decode(int argc, char **argv)
{
	struct reason why = {""};
	long rate = argc == 2 ? strtol(argv[0], NULL, 10) : 0;

	if (rate < 8000 || rate > 48000) {
		fprintf(stderr, "tocsind: --decode needs a rate of 8000 to "
				"48000 and a file\n");
		return CONTROL_BAD_CONFIG;
	}
	if (!decode_file(STDOUT_FILENO, argv[1], (uint32_t)rate, &why))
		return CONTROL_STOPPED;
	text_clean(why.text);
	fprintf(stderr, "%s\n", why.text);
	return CONTROL_BAD_CONFIG;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'C'},
		{"dump-config", no_argument, NULL, 'D'},
		{"dry-run", required_argument, NULL, 'N'},
		{"reference", no_argument, NULL, 'R'},
		{"modbus-map", no_argument, NULL, 'M'},
		{"decode", no_argument, NULL, 'S'},
		{"foreground", no_argument, NULL, 'f'},
		{"debug", no_argument, NULL, 'd'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *path = DEFAULT_CONFIG, *date = NULL;
	enum log_level level = LOG_LEVEL_INFO;
	enum mode mode = RUN;
	int o;

	while ((o = getopt_long(argc, argv, "c:fdh", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			path = optarg;
			break;
		case 'C':
			mode = CHECK;
			break;
		case 'D':
			mode = DUMP;
			break;
		case 'N':
			mode = DRY_RUN;
			date = optarg;
			break;
		case 'R':
			mode = REFERENCE;
			break;
		case 'M':
			mode = MAP;
			break;
		case 'S':
			mode = DECODE;
			break;
		case 'f':
			break;
		case 'd':
			level = LOG_LEVEL_DEBUG;
			break;
		case 'V':
			printf("tocsind %s\n", TOCSIN_VERSION);
			return 0;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		default:
			fputs(usage_text, stderr);
			return CONTROL_BAD_CONFIG;
		}
	}
	if (mode == DECODE)
		return decode(argc - optind, argv + optind);
	if (optind < argc) {
		fprintf(stderr, "tocsind: \"%s\" is not expected\n%s",
			argv[optind], usage_text);
		return CONTROL_BAD_CONFIG;
	}
	log_init(level);
	switch (mode) {
	case CHECK:
		return control_check(path);
	case DUMP:
		return dump(path, false);
	case MAP:
		return dump(path, true);
	case DRY_RUN:
		return dry_run(path, date);
	case REFERENCE:
		config_reference(stdout);
		return 0;
	case DECODE:
	case RUN:
		break;
	}
	return run(path, level == LOG_LEVEL_DEBUG);
}
