#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *read_line(int fd, char *buf, size_t size)
{
	struct stat st;
	ssize_t n;
	char *end;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return "it is no file";
	if (st.st_mode & 027)
		return "others can read it, or its group write it: chmod 640";
	n = read(fd, buf, size - 1);
	if (n <= 0)
		return "it is empty";
	buf[n] = '\0';
	end = buf + strcspn(buf, "\r\n");
	if (end == buf)
		return "its first line is empty";
	if (end == buf + size - 1)
		return "its first line is too long";
	*end = '\0';
	return NULL;
}

int secret_read(const char *path, char *buf, size_t size, const char **why)
{
	/* A pipe must not hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*why = NULL;
	*buf = '\0';
	if (fd < 0)
		return ENOENT;
	*why = read_line(fd, buf, size);
	close(fd);
	if (!*why)
		return 0;
	OPENSSL_cleanse(buf, size);
	return EINVAL;
}
