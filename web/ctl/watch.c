/* The live view: Server-Sent Events, for as long as a person looks. */
#include "ctl.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RETRY_MS 500
#define POLL_MS 1000
/** Three signs of life that did not come. */
#define SILENT_S 45

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

struct follow {
	struct client_buffer b;
	char last[24];
	time_t heard; /**< when something came last, monotonic seconds */
	long status;
	CURL *handle;
	watch_event_h *h;
	void *arg;
};

static time_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

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

static size_t on_data(char *p, size_t size, size_t n, void *arg)
{
	struct follow *f = arg;
	char *end;

	f->heard = now_s();
	if (!client_buffer_add(&f->b, p, size * n))
		return 0;
	curl_easy_getinfo(f->handle, CURLINFO_RESPONSE_CODE, &f->status);
	while (f->status == 200 && (end = strstr(f->b.p, "\n\n"))) {
		size_t used = (size_t)(end - f->b.p) + 2;

		*end = '\0';
		on_block(f, f->b.p);
		f->b.n -= used;
		memmove(f->b.p, f->b.p + used, f->b.n + 1);
	}
	return size * n;
}

/** Runs the transfer until it ends or somebody is tired of it. */
static CURLcode transfer(struct follow *f)
{
	CURLM *m = curl_multi_init();
	CURLcode err = CURLE_OK;
	int running = 1, left;
	CURLMsg *msg;

	if (!m)
		return CURLE_OUT_OF_MEMORY;
	curl_multi_add_handle(m, f->handle);
	f->heard = now_s();
	while (running && !interrupted && now_s() - f->heard < SILENT_S) {
		if (curl_multi_perform(m, &running))
			break;
		/* A signal ends the wait. */
		if (running)
			curl_multi_poll(m, NULL, 0, POLL_MS, NULL);
	}
	msg = curl_multi_info_read(m, &left);
	if (msg && msg->msg == CURLMSG_DONE)
		err = msg->data.result;
	curl_multi_remove_handle(m, f->handle);
	curl_multi_cleanup(m);
	return err;
}

/** One connection from its beginning to its end. */
static CURLcode follow_once(const struct ctl *c, struct follow *f,
			    const char *path)
{
	struct curl_slist *headers = NULL;
	char last[64];
	CURLcode err;

	f->status = 0;
	f->b.n = 0;
	f->handle = client_prepare(c, path);
	if (!f->handle)
		return CURLE_OUT_OF_MEMORY;
	if (*f->last) {
		snprintf(last, sizeof(last), "Last-Event-ID: %s", f->last);
		headers = curl_slist_append(NULL, last);
	}
	curl_easy_setopt(f->handle, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(f->handle, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(f->handle, CURLOPT_WRITEDATA, f);
	err = transfer(f);
	curl_slist_free_all(headers);
	curl_easy_cleanup(f->handle);
	f->handle = NULL;
	return err;
}

static enum ctl_exit refused(const struct ctl *c, const struct follow *f)
{
	json_t *o = f->b.n ? json_loadb(f->b.p, f->b.n, 0, NULL) : NULL;
	enum ctl_exit code = client_refused(c, o, f->status);

	json_decref(o);
	return code;
}

static void pause_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&ts, NULL);
}

enum ctl_exit watch_follow(const struct ctl *c, const char *type,
			   uint64_t after, watch_event_h *h, void *arg)
{
	struct sigaction sa = {.sa_handler = on_interrupt};
	struct follow f = {.h = h, .arg = arg};
	char path[512] = "/events?type=";
	enum ctl_exit code = CTL_DONE;
	bool ever = false, told = false;

	if (!client_append(path, sizeof(path), type))
		return command_usage("watch", "the type is too long");
	if (after)
		snprintf(f.last, sizeof(f.last), "%llu",
			 (unsigned long long)after);
	interrupted = 0;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	while (!interrupted && code == CTL_DONE) {
		CURLcode err = follow_once(c, &f, path);

		if (f.status == 200) {
			ever = true;
			told = false;
		} else if (!ever && !interrupted) {
			code = f.status ? refused(c, &f)
					: client_no_daemon(c, err);
			break;
		}
		if (interrupted)
			break;
		if (!told)
			fputs("tocsinctl: the daemon is away; waiting for "
			      "it\n",
			      stderr);
		told = true;
		pause_ms(RETRY_MS);
	}
	free(f.b.p);
	return code;
}
