/*
 * A body that is a file: PUT /messages/NAME. It goes to an unnamed file in
 * the owner's folder, not to memory; the owner gets its descriptor.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define UPLOADS "/messages/"

bool upload_is(const char *method, const char *path)
{
	const char *route = request_route(path);

	return method && !strcmp(method, "PUT") && route &&
	       !strncmp(route, UPLOADS, strlen(UPLOADS));
}

bool upload_type_ok(const char *type)
{
	static const char *const types[] = {"audio/", "application/ogg",
					    "application/octet-stream"};

	for (size_t i = 0; type && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strncasecmp(type, types[i], strlen(types[i])))
			return true;
	return false;
}

/** A file without a name: nothing is left of it, whatever ends us. */
static int unnamed(const char *dir)
{
	char path[512];
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || snprintf(path, sizeof(path), "%s/.upload-XXXXXX", dir) >=
			       (int)sizeof(path))
		return fd;
	/* Not every file system has them. */
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

void upload_begin(struct request *r, const char *type)
{
	struct web *w = r->web;

	if (!upload_type_ok(type)) {
		answer_set_error(r, 415, "not-audio",
				 "send the audio file itself as the body, with "
				 "Content-Type: audio/wav, audio/flac, "
				 "audio/ogg, audio/mpeg or "
				 "application/octet-stream; no form");
		return;
	}
	/* Of an unknown sender's password it is asked later. */
	if (!r->guess && !(r->who.scopes & SCOPE_MESSAGES)) {
		answer_set_error(
			r, 403, "forbidden",
			"who may not change messages may not send one: "
			"it needs an operator, or the scope messages");
		return;
	}
	if (++w->n_uploads > WEB_MAX_UPLOADS || !w->spool) {
		w->n_uploads--;
		answer_set_error(r, 503, "busy",
				 "four files are being uploaded already, or "
				 "there is no place for them; try again");
		return;
	}
	r->uploads = true;
	r->pub.upload = unnamed(w->spool);
	if (r->pub.upload < 0)
		answer_set_error(r, 503, "no-space",
				 "the file cannot be kept: look after the "
				 "disk that holds state-dir");
	else
		client_allow(r->client, WEB_UPLOAD_MS);
}

void upload_take(struct request *r, const char *data, size_t n)
{
	if (r->seen > WEB_MAX_UPLOAD) {
		answer_set_error(r, 413, "too-large", UPLOAD_TOO_LARGE);
		return;
	}
	while (n) {
		ssize_t done = write(r->pub.upload, data, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			answer_set_error(r, 503, "no-space",
					 "the disk that holds state-dir is "
					 "full, or fails");
			return;
		}
		data += done;
		n -= (size_t)done;
	}
	r->pub.upload_size = r->seen;
}

void upload_end(struct request *r)
{
	if (!r->uploads)
		return;
	if (r->pub.upload >= 0)
		close(r->pub.upload);
	r->pub.upload = -1;
	r->uploads = false;
	if (r->web)
		r->web->n_uploads--;
}
