#include "ctl.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_REPLY (16u << 20)
#define TIMEOUT_MS 30000L
#define RETRY_US 500000

static const char base[] = "http://localhost/api/v1";

struct buffer {
	char *p;
	size_t n;
};

static size_t on_data(char *p, size_t size, size_t n, void *arg)
{
	struct buffer *b = arg;
	char *grown;

	n *= size;
	if (b->n + n > MAX_REPLY)
		return 0;
	grown = realloc(b->p, b->n + n + 1);
	if (!grown)
		return 0;
	b->p = grown;
	memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
	return n;
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

static void no_daemon(const struct ctl *c)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", c->socket);
	err = connect(fd, (struct sockaddr *)&un, sizeof(un)) ? errno : 0;
	close(fd);
	fprintf(stderr, "tocsinctl: no answer on %s: %s\n", c->socket,
		err ? strerror(err) : "the daemon hung up");
	if (err == EACCES)
		fprintf(stderr, "Become a member of the socket's group "
				"(usually tocsin) or use sudo.\n");
	else
		fprintf(stderr, "Is tocsind running? systemctl status tocsin; "
				"another socket: tocsinctl -s PATH\n");
}

static CURL *prepare(const struct ctl *c, const char *path)
{
	CURL *h = curl_easy_init();
	char url[1024];

	if (!h)
		return NULL;
	snprintf(url, sizeof(url), "%s%s", base, path);
	curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, c->socket);
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	return h;
}

/** Prints the API's error; what it says is what to do. */
static void print_error(const json_t *reply, long status)
{
	const json_t *e = json_object_get(reply, "error");
	const char *text = json_string_value(json_object_get(e, "message"));

	fprintf(stderr, "tocsinctl: refused (%ld): ", status);
	fflush(stderr);
	fprintf(stderr, "%s\n", text ? text : "no reason given");
}

enum ctl_exit client_call(const struct ctl *c, const char *method,
			  const char *path, json_t *body, json_t **reply)
{
	CURL *h = prepare(c, path);
	struct curl_slist *headers = NULL;
	struct buffer b = {0};
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	enum ctl_exit code = CTL_DONE;
	json_t *o = NULL;
	long status = 0;

	json_decref(body);
	if (reply)
		*reply = NULL;
	if (!h) {
		free(text);
		return CTL_NO_DAEMON;
	}
	headers = curl_slist_append(NULL, "Content-Type: application/json");
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, &b);
	if (text || strcmp(method, "GET"))
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, text ? text : "");
	if (curl_easy_perform(h) != CURLE_OK) {
		no_daemon(c);
		code = CTL_NO_DAEMON;
	} else {
		curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
		o = b.n ? json_loadb(b.p, b.n, JSON_DECODE_ANY, NULL) : NULL;
		if (status >= 300) {
			if (c->json && o)
				json_dumpf(o, stdout, JSON_INDENT(2)),
					putchar('\n');
			print_error(o, status);
			code = CTL_REFUSED;
		} else if (reply) {
			*reply = json_incref(o);
		}
	}
	json_decref(o);
	free(text);
	free(b.p);
	curl_slist_free_all(headers);
	curl_easy_cleanup(h);
	return code;
}

/* -------------------------------------------------------------- live events */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

struct follow {
	struct buffer b;
	char last[24];
	bool seen; /**< something came: the daemon is there */
	client_event_h *h;
	void *arg;
};

/** One block of lines up to an empty one. */
static void on_block(struct follow *f, char *block)
{
	const char *type = "message", *data = NULL, *id = NULL;
	char *save = NULL;
	json_t *o;

	for (char *line = strtok_r(block, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "event: ", 7))
			type = line + 7;
		else if (!strncmp(line, "data: ", 6))
			data = line + 6;
		else if (!strncmp(line, "id: ", 4))
			id = line + 4;
	}
	if (!data)
		return;
	if (id)
		snprintf(f->last, sizeof(f->last), "%s", id);
	o = json_loads(data, 0, NULL);
	if (o)
		f->h(type, o, f->arg);
	json_decref(o);
}

static size_t on_stream(char *p, size_t size, size_t n, void *arg)
{
	struct follow *f = arg;
	char *end;

	f->seen = true;
	if (on_data(p, size, n, &f->b) != size * n)
		return 0;
	while ((end = strstr(f->b.p, "\n\n"))) {
		size_t used = (size_t)(end - f->b.p) + 2;

		*end = '\0';
		on_block(f, f->b.p);
		f->b.n -= used;
		memmove(f->b.p, f->b.p + used, f->b.n + 1);
	}
	return size * n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t d,
		       curl_off_t e)
{
	(void)arg;
	(void)a;
	(void)b;
	(void)d;
	(void)e;
	return interrupted;
}

static bool follow_once(const struct ctl *c, struct follow *f, const char *path)
{
	struct curl_slist *headers = NULL;
	CURL *h = prepare(c, path);
	char last[64];

	if (!h)
		return false;
	if (*f->last) {
		snprintf(last, sizeof(last), "Last-Event-ID: %s", f->last);
		headers = curl_slist_append(NULL, last);
	}
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_stream);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	f->seen = false;
	curl_easy_perform(h);
	curl_slist_free_all(headers);
	curl_easy_cleanup(h);
	return f->seen;
}

enum ctl_exit client_follow(const struct ctl *c, const char *type,
			    client_event_h *h, void *arg)
{
	struct sigaction sa = {.sa_handler = on_interrupt};
	struct follow f = {.h = h, .arg = arg};
	char path[256] = "/events?type=";
	bool ever = false;

	if (!client_append(path, sizeof(path), type))
		return usage("watch", "the type is too long");
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	while (!interrupted) {
		bool was = follow_once(c, &f, path);

		if (!was && !ever) {
			no_daemon(c);
			free(f.b.p);
			return CTL_NO_DAEMON;
		}
		ever = true;
		f.b.n = 0;
		if (!interrupted) {
			if (was)
				fprintf(stderr, "tocsinctl: the daemon is "
						"away; waiting for it\n");
			usleep(RETRY_US);
		}
	}
	free(f.b.p);
	return CTL_DONE;
}
