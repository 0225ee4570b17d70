#include "feeder.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/** Killed, and not yet collected: more than there are players at once. */
#define MAX_DYING 64

static pid_t dying[MAX_DYING];

static void limit(int what, uint64_t v)
{
	struct rlimit r = {v, v};

	(void)setrlimit((enum __rlimit_resource)what, &r);
}

/** In the child, which shares our memory until it becomes the program: only
 *  system calls. */
static void become(char *const argv[], const int fd[3], pid_t parent)
{
	const struct sched_param plain = {0};
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setpgid(0, 0);
	(void)sched_setscheduler(0, SCHED_OTHER, &plain);
	(void)setpriority(PRIO_PROCESS, 0, 5);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	/* A sanitizer maps more than there is, in our own decoder too. */
	limit(RLIMIT_AS, FEEDER_MAX_BYTES);
#endif
	limit(RLIMIT_NOFILE, FEEDER_MAX_FILES);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
	for (int i = 0; i < 3; i++)
		if (dup2(fd[i], i) < 0)
			_exit(126);
	if (close_range(3, ~0U, 0))
		_exit(126);
	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* We died before it would have been told. */
	if (getppid() != parent)
		_exit(126);
	execvp(argv[0], argv);
	_exit(errno == ENOENT ? 127 : 126);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int feeder_start(struct feeder *f, char *const argv[])
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, e = 0;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t all, old;
	pid_t parent = getpid(), pid;

	*f = (struct feeder){.out = -1, .err = -1};
	if (null < 0 || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) {
		e = errno;
		goto done;
	}

	const int fd[3] = {null, out[1], err[1]};

	/* By vfork: a copy of our page tables would cost the media thread a
	 * fault for each page it writes to next. No handler of ours may run in
	 * the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = vfork();
	if (!pid)
		become(argv, fd, parent);
	e = pid < 0 ? errno : 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (e)
		goto done;
	f->pid = pid;
	f->out = out[0];
	f->err = err[0];
	out[0] = err[0] = -1;
	(void)fcntl(f->out, F_SETFL, O_NONBLOCK);
	(void)fcntl(f->err, F_SETFL, O_NONBLOCK);
done:
	close_fd(&null);
	close_fd(&out[0]);
	close_fd(&out[1]);
	close_fd(&err[0]);
	close_fd(&err[1]);
	return e;
}

void feeder_listen(struct feeder *f)
{
	char buf[512];
	ssize_t n;

	/* Bounded: who talks without end is heard further next time. */
	for (int i = 0; i < 8 && f->err >= 0; i++) {
		char *end, *line;

		n = read(f->err, buf, sizeof(buf) - 1);
		if (n <= 0)
			return;
		while (n && (buf[n - 1] == '\n' || buf[n - 1] == '\r'))
			n--;
		buf[n] = '\0';
		end = strrchr(buf, '\n');
		line = end ? end + 1 : buf;
		if (*line) {
			strncpy(f->line, line, sizeof(f->line) - 1);
			f->line[sizeof(f->line) - 1] = '\0';
		}
	}
}

bool feeder_ended(struct feeder *f, int *status)
{
	if (!f->pid || waitpid(f->pid, status, WNOHANG) != f->pid)
		return false;
	/* What it started and left behind ends with it. */
	(void)kill(-f->pid, SIGKILL);
	f->pid = 0;
	return true;
}

void feeder_end(struct feeder *f)
{
	if (f->pid) {
		(void)kill(-f->pid, SIGKILL);
		/* Its group may not be made yet. */
		(void)kill(f->pid, SIGKILL);
		for (int i = 0; i < MAX_DYING; i++)
			if (!dying[i]) {
				dying[i] = f->pid;
				break;
			}
	}
	f->pid = 0;
	close_fd(&f->out);
	close_fd(&f->err);
	feeder_reap();
}

void feeder_reap(void)
{
	for (int i = 0; i < MAX_DYING; i++)
		if (dying[i] && waitpid(dying[i], NULL, WNOHANG) != 0)
			dying[i] = 0;
}
