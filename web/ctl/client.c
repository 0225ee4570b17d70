#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_REPLY (16u << 20)
/** A little longer than the daemon itself waits before it says so. */
#define TIMEOUT_MS 40000L

static const char base[] = "http://localhost/api/v1";

bool client_buffer_add(struct client_buffer *b, const char *p, size_t n)
{
	char *grown;

	if (b->n + n > MAX_REPLY)
		return false;
	grown = realloc(b->p, b->n + n + 1);
	if (!grown)
		return false;
	b->p = grown;
	memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
	return true;
}

static size_t on_data(char *p, size_t size, size_t n, void *arg)
{
	return client_buffer_add(arg, p, size * n) ? size * n : 0;
}

bool client_append(char *path, size_t size, const char *s)
{
	size_t n = strlen(path);

	for (; *s; s++) {
		unsigned char ch = (unsigned char)*s;
		bool plain = (ch >= '0' && ch <= '9') ||
			     (ch >= 'a' && ch <= 'z') ||
			     (ch >= 'A' && ch <= 'Z') || strchr("-._~", ch);

		if (n + 4 > size)
			return false;
		n += (size_t)snprintf(path + n, size - n,
				      plain ? "%c" : "%%%02X", ch);
	}
	return true;
}

/** What the system says when the socket is opened; 0 = it opens. */
static int probe(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd, err;

	if (strlen(path) >= sizeof(un.sun_path))
		return ENAMETOOLONG;
	memcpy(un.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	err = connect(fd, (struct sockaddr *)&un, sizeof(un)) ? errno : 0;
	close(fd);
	return err;
}

enum ctl_exit client_no_daemon(const struct ctl *c, CURLcode code)
{
	int err = probe(c->socket);

	fputs("tocsinctl: no answer on ", stderr);
	text_print(stderr, c->socket, false);
	fprintf(stderr, ": %s\n",
		err ? strerror(err) : curl_easy_strerror(code));
	if (err == EACCES || err == EPERM)
		fputs("Become a member of the socket's group (usually tocsin) "
		      "and log in again, or use sudo.\n",
		      stderr);
	else if (err)
		fputs("Is tocsind running? systemctl status tocsin; start it "
		      "with: systemctl start tocsin\n"
		      "It may listen elsewhere (web.socket): tocsinctl -s "
		      "PATH, or TOCSIN_SOCKET.\n",
		      stderr);
	return CTL_NO_DAEMON;
}

CURL *client_prepare(const struct ctl *c, const char *path)
{
	CURL *h = curl_easy_init();
	char url[1024];

	if (!h)
		return NULL;
	snprintf(url, sizeof(url), "%s%s", base, path);
	curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, c->socket);
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	return h;
}

enum ctl_exit client_refused(const struct ctl *c, const json_t *reply,
			     long status)
{
	const json_t *e = json_object_get(reply, "error");
	const char *text = json_string_value(json_object_get(e, "message"));

	if (c->json && reply)
		command_json(reply);
	fprintf(stderr, "tocsinctl: refused (%ld): ", status);
	text_print(stderr, text ? text : "no reason given", false);
	fputc('\n', stderr);
	return CTL_REFUSED;
}

/** Performs what was prepared and takes the answer apart. */
static enum ctl_exit perform(const struct ctl *c, CURL *h, json_t **reply)
{
	struct client_buffer b = {0};
	enum ctl_exit code = CTL_DONE;
	json_t *o = NULL;
	long status = 0;
	CURLcode err;

	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, &b);
	err = curl_easy_perform(h);
	if (err == CURLE_OK && b.n)
		o = json_loadb(b.p, b.n, JSON_DECODE_ANY, NULL);
	curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
	if (err != CURLE_OK) {
		code = client_no_daemon(c, err);
	} else if (status >= 300) {
		code = client_refused(c, o, status);
	} else if (b.n && !o) {
		fputs("tocsinctl: the answer is no JSON; does tocsind listen "
		      "on this socket?\n",
		      stderr);
		code = CTL_REFUSED;
	} else if (reply) {
		*reply = json_incref(o);
	}
	json_decref(o);
	free(b.p);
	return code;
}

enum ctl_exit client_call(const struct ctl *c, const char *method,
			  const char *path, json_t *body, json_t **reply)
{
	CURL *h = client_prepare(c, path);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct curl_slist *headers = NULL;
	enum ctl_exit code = CTL_REFUSED;

	if (reply)
		*reply = NULL;
	if (body && !text) {
		/* jansson refuses what is no UTF-8. */
		fputs("tocsinctl: an argument is no UTF-8\n", stderr);
		code = CTL_USAGE;
	} else if (h) {
		headers = curl_slist_append(NULL,
					    "Content-Type: application/json");
		headers = curl_slist_append(headers, "Expect:");
		curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, method);
		curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
		if (text || strcmp(method, "GET"))
			curl_easy_setopt(h, CURLOPT_POSTFIELDS,
					 text ? text : "");
		code = perform(c, h, reply);
	}
	json_decref(body);
	free(text);
	curl_slist_free_all(headers);
	if (h)
		curl_easy_cleanup(h);
	return code;
}

/* -------------------------------------------------------------------- files
 */

/** An upload may take so long, and half a minute to be looked at. */
#define UPLOAD_MS 420000L

static int on_progress(void *arg, curl_off_t down, curl_off_t downed,
		       curl_off_t up, curl_off_t upped)
{
	int *shown = arg;
	const int percent = up > 0 ? (int)(upped * 100 / up) : 0;

	(void)down;
	(void)downed;
	if (up > 0 && percent != *shown)
		fprintf(stderr,
			percent < 100 ? "\ruploading %d %%"
				      : "\rlooking it over ... ",
			percent);
	*shown = percent;
	return 0;
}

enum ctl_exit client_upload(const struct ctl *c, const char *path, FILE *f,
			    int64_t size, const char *if_match, json_t **reply)
{
	CURL *h = client_prepare(c, path);
	struct curl_slist *headers = NULL;
	const bool shown = isatty(STDERR_FILENO) && !c->json;
	char match[128];
	int percent = -1;
	enum ctl_exit code;

	*reply = NULL;
	if (!h)
		return CTL_REFUSED;
	headers = curl_slist_append(NULL,
				    "Content-Type: application/octet-stream");
	if (if_match) {
		snprintf(match, sizeof(match), "If-Match: \"%s\"", if_match);
		headers = curl_slist_append(headers, match);
	}
	curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(h, CURLOPT_READDATA, f);
	curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, UPLOAD_MS);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, shown ? 0L : 1L);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, &percent);
	code = perform(c, h, reply);
	if (shown && percent >= 0)
		fputs("\r                     \r", stderr);
	curl_slist_free_all(headers);
	curl_easy_cleanup(h);
	return code;
}

/** Where an answer goes: the file, or what was refused. */
struct sink {
	CURL *h;
	FILE *f;
	struct client_buffer error;
};

static size_t on_file(char *p, size_t size, size_t n, void *arg)
{
	struct sink *s = arg;
	long status = 0;

	curl_easy_getinfo(s->h, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 300)
		return on_data(p, size, n, &s->error);
	return fwrite(p, 1, size * n, s->f);
}

enum ctl_exit client_download(const struct ctl *c, const char *path, FILE *f)
{
	struct sink s = {.h = client_prepare(c, path), .f = f};
	enum ctl_exit code = CTL_DONE;
	long status = 0;
	CURLcode err;
	json_t *o;

	if (!s.h)
		return CTL_REFUSED;
	curl_easy_setopt(s.h, CURLOPT_TIMEOUT_MS, UPLOAD_MS);
	curl_easy_setopt(s.h, CURLOPT_WRITEFUNCTION, on_file);
	curl_easy_setopt(s.h, CURLOPT_WRITEDATA, &s);
	err = curl_easy_perform(s.h);
	curl_easy_getinfo(s.h, CURLINFO_RESPONSE_CODE, &status);
	if (err == CURLE_WRITE_ERROR) {
		fputs("tocsinctl: the file cannot be written\n", stderr);
		code = CTL_REFUSED;
	} else if (err != CURLE_OK) {
		code = client_no_daemon(c, err);
	} else if (status >= 300) {
		o = s.error.n ? json_loadb(s.error.p, s.error.n, 0, NULL)
			      : NULL;
		code = client_refused(c, o, status);
		json_decref(o);
	}
	free(s.error.p);
	curl_easy_cleanup(s.h);
	return code;
}

enum ctl_exit client_save(const struct ctl *c, const char *path,
			  const char *file)
{
	const bool out = !strcmp(file, "-");
	char tmp[1024];
	enum ctl_exit code;
	FILE *f;

	if (snprintf(tmp, sizeof(tmp), "%s.part", file) >= (int)sizeof(tmp)) {
		fputs("tocsinctl: the file's name is too long\n", stderr);
		return CTL_USAGE;
	}
	f = out ? stdout : fopen(tmp, "wbe");
	if (!f) {
		fprintf(stderr, "tocsinctl: %s: %s\n", tmp, strerror(errno));
		return CTL_USAGE;
	}
	code = client_download(c, path, f);
	if (out)
		return code;
	if (fclose(f) && code == CTL_DONE) {
		fprintf(stderr, "tocsinctl: %s: %s\n", tmp, strerror(errno));
		code = CTL_REFUSED;
	}
	if (code == CTL_DONE && rename(tmp, file)) {
		fprintf(stderr, "tocsinctl: %s: %s\n", file, strerror(errno));
		code = CTL_REFUSED;
	}
	if (code != CTL_DONE)
		unlink(tmp);
	return code;
}
