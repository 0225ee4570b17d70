#include "child.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/** Descriptors it may open. */
#define MAX_FILES 64
/** Address space: enough for a neural voice, not for the machine. */
#define MAX_SPACE (UINT64_C(4) << 30)

static void limit(pid_t pid, int what, uint64_t v)
{
	struct rlimit r = {v, v};

	(void)prlimit(pid, (enum __rlimit_resource)what, &r, NULL);
}

static int set_up(posix_spawnattr_t *at, posix_spawn_file_actions_t *fa, int in,
		  int out, int err)
{
	const struct sched_param plain = {0};
	sigset_t all, none;
	int e = 0;

	sigfillset(&all);
	sigemptyset(&none);
	e |= posix_spawnattr_setflags(
		at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
			    POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSCHEDULER);
	e |= posix_spawnattr_setpgroup(at, 0);
	e |= posix_spawnattr_setsigmask(at, &none);
	e |= posix_spawnattr_setsigdefault(at, &all);
	e |= posix_spawnattr_setschedpolicy(at, SCHED_OTHER);
	e |= posix_spawnattr_setschedparam(at, &plain);
	e |= posix_spawn_file_actions_adddup2(fa, in, 0);
	e |= posix_spawn_file_actions_adddup2(fa, out, 1);
	e |= posix_spawn_file_actions_adddup2(fa, err, 2);
	e |= posix_spawn_file_actions_addclosefrom_np(fa, 3);
	e |= posix_spawn_file_actions_addchdir_np(fa, "/");
	return e ? ENOMEM : 0;
}

static int start(pid_t *pid, char *const argv[], int in, int out, int err,
		 char *const *more)
{
	const char *path = getenv("PATH");
	char path_is[1024], lang[] = "LANG=C.UTF-8",
			    home[] = "HOME=/nonexistent";
	char *env[CHILD_MAX_ENV + 4] = {path_is, lang, home};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	int e;

	snprintf(path_is, sizeof(path_is), "PATH=%s",
		 path ? path : "/usr/local/bin:/usr/bin:/bin");
	for (size_t i = 0; more && more[i] && i < CHILD_MAX_ENV; i++)
		env[3 + i] = more[i];
	if (posix_spawnattr_init(&at))
		return ENOMEM;
	if (posix_spawn_file_actions_init(&fa)) {
		posix_spawnattr_destroy(&at);
		return ENOMEM;
	}
	e = set_up(&at, &fa, in, out, err);
	/* By vfork: a copy of our page tables would cost the media thread a
	 * fault for each page it writes to next. */
	if (!e)
		e = posix_spawnp(pid, argv[0], &fa, &at, argv, env);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&at);
	return e;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/** Until it has ended; ETIMEDOUT, ECANCELED. */
static int await(pid_t pid, const struct child_limits *l)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), err = 0;
	struct pollfd p[2] = {{pidfd, POLLIN, 0}, {l->cancel, POLLIN, 0}};
	int64_t end = now_ms() + l->ms;

	if (pidfd < 0)
		return errno;
	for (;;) {
		int64_t left = end - now_ms();
		int n = left > 0 ? poll(p, 2, (int)left) : 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0 && p[0].revents)
			break;
		err = n > 0 ? ECANCELED : n ? errno : ETIMEDOUT;
		break;
	}
	close(pidfd);
	return err;
}

int child_run(char *const argv[], int in, int out, int err,
	      const struct child_limits *limits, struct reason *why)
{
	int status = 0, e;
	pid_t pid;

	e = start(&pid, argv, in, out, err, limits->env);
	if (e)
		return reason_set(why, e, "%s cannot be started: %s", argv[0],
				  strerror(e));
	limit(pid, RLIMIT_FSIZE, limits->bytes);
	limit(pid, RLIMIT_CPU, limits->ms / 1000 + 1);
	limit(pid, RLIMIT_NOFILE, MAX_FILES);
	limit(pid, RLIMIT_AS, MAX_SPACE);
	limit(pid, RLIMIT_CORE, 0);
	e = await(pid, limits);
	/* The whole group: what it started is of no use any more either. */
	(void)kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (e == ETIMEDOUT)
		return reason_set(why, e, "%s was not ready within %.1f s",
				  argv[0], limits->ms / 1000.0);
	if (e == ECANCELED)
		return reason_set(why, e, "%s was ended with the daemon",
				  argv[0]);
	if (e)
		return reason_set(why, e, "%s: %s", argv[0], strerror(e));
	if (WIFSIGNALED(status))
		return reason_set(why, EPROTO, "%s was ended by signal %d (%s)",
				  argv[0], WTERMSIG(status),
				  strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		return reason_set(why, EPROTO, "%s ended with code %d", argv[0],
				  WEXITSTATUS(status));
	return 0;
}
