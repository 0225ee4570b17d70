/* Events by e-mail: a program takes the mail, as sendmail does. */
#include "mail_text.h"
#include "target.h"

#include "controller/base/clock.h"
#include "controller/base/text.h"
#include "controller/message/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_MS 30000
/** Largest file that the program may write: its queue. */
#define MAX_BYTES (16u << 20)
#define MAX_EVENTS 500
#define GATHER_MS 1000

static void *mail_open(const struct target_conf *t)
{
	const struct target_conf **own = malloc(sizeof(*own));

	if (own)
		*own = t;
	return own;
}

static int write_mail(const struct target_conf *t, int fd,
		      const struct event *const *e, size_t n)
{
	const int own = dup(fd);
	FILE *f = own >= 0 ? fdopen(own, "w") : NULL;

	if (!f) {
		if (own >= 0)
			close(own);
		return ENOMEM;
	}
	mail_write(f, t->c, t->site, e, n, clock_wall_us());
	return fclose(f) || lseek(fd, 0, SEEK_SET) ? ENOMEM : 0;
}

/** The first line of what it said. */
static void add_complaint(int fd, struct reason *why)
{
	const size_t used = strlen(why->text);
	char line[120];
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);

	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (*text_clean(line))
		snprintf(why->text + used, sizeof(why->text) - used, ": %s",
			 line);
}

static int mail_send(void *link, const struct event *const *e, size_t *n,
		     struct reason *why)
{
	const struct target_conf *t = *(const struct target_conf **)link;
	const struct child_limits limits = {
		.ms = MAX_MS, .bytes = MAX_BYTES, .cancel = t->cancel};
	const int in = memfd_create("mail", MFD_CLOEXEC);
	const int said = memfd_create("said", MFD_CLOEXEC);
	char **argv = calloc(t->c->n_command + 1, sizeof(*argv));
	const size_t count = *n;
	int err = in >= 0 && said >= 0 && argv ? 0 : ENOMEM;

	*n = 0;
	for (size_t i = 0; !err && i < t->c->n_command; i++)
		argv[i] = t->c->command[i];
	if (!err)
		err = write_mail(t, in, e, count);
	if (err)
		reason_set(why, err, "not enough memory");
	else
		err = child_run(argv, in, said, said, &limits, why);
	if (err == EPROTO)
		add_complaint(said, why);
	if (!err)
		*n = count;
	/* Nothing is refused for good here. */
	else if (err == EACCES)
		err = ENOENT;
	if (in >= 0)
		close(in);
	if (said >= 0)
		close(said);
	free(argv);
	return err;
}

const struct target_kind target_mail = {
	.open = mail_open,
	.close = free,
	.send = mail_send,
	.batch = MAX_EVENTS,
	.gather_ms = GATHER_MS,
	.spaced = true,
};
