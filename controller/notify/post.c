/* Events by HTTP: one POST each, in order. */
#include "target.h"

#include "controller/text_json.h"
#include "web/sign.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/** From this age on an event says how old it is, s. */
#define LATE_S 10

struct post {
	const struct target_conf *t;
	CURL *curl;
	struct sign_key key;
	bool signs;
	char error[CURL_ERROR_SIZE];
};

static size_t on_answer(char *p, size_t size, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	return size * n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c,
		       curl_off_t d)
{
	const struct post *x = arg;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return *x->t->stop;
}

static void set_options(struct post *x)
{
	CURL *h = x->curl;
	const struct config_notify *c = x->t->c;

	curl_easy_setopt(h, CURLOPT_URL, c->url);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)TARGET_TIMEOUT_MS);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(h, CURLOPT_PROTOCOLS,
			 (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl_easy_setopt(h, CURLOPT_USERAGENT, "tocsin/" TOCSIN_VERSION);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, x->error);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(h, CURLOPT_MAXFILESIZE, 1L << 20);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, x);
	if (c->ca)
		curl_easy_setopt(h, CURLOPT_CAINFO, c->ca);
}

static void post_close(void *link)
{
	struct post *x = link;

	curl_easy_cleanup(x->curl);
	free(x);
}

static void *post_open(const struct target_conf *t)
{
	struct post *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->t = t;
	x->curl = curl_easy_init();
	x->signs = sign_key(&x->key,
			    t->c->scheme == SCHEME_STANDARD ? SIGN_STANDARD
							    : SIGN_SHA256,
			    t->c->secret);
	if (!x->curl) {
		free(x);
		return NULL;
	}
	set_options(x);
	return x;
}

static char *body_of(const struct post *x, const struct event *e)
{
	json_t *o = event_json(e);
	const double age = target_age_s(e);
	char *text;

	if (o)
		json_object_set_new(o, "site", text_json(x->t->site));
	if (o && age >= LATE_S)
		json_object_set_new(o, "late_s", json_integer((json_int_t)age));
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return text;
}

static struct curl_slist *add(struct curl_slist *list, const char *name,
			      const char *value)
{
	char line[256];

	snprintf(line, sizeof(line), "%s: %s", name, value);
	return curl_slist_append(list, line);
}

static struct curl_slist *headers_of(const struct post *x,
				     const struct event *e, const char *body)
{
	struct curl_slist *list = add(NULL, "Content-Type", "application/json");
	char id[128], timestamp[24], signature[SIGN_SIZE];
	const struct sign_text t = {id, timestamp, body, strlen(body)};
	const bool standard = x->key.scheme == SIGN_STANDARD;

	/* No waiting for "100 Continue". */
	list = add(list, "Expect", "");
	snprintf(id, sizeof(id), "%.63s-%" PRIu64, x->t->site, e->id);
	snprintf(timestamp, sizeof(timestamp), "%lld", (long long)time(NULL));
	if (!x->signs)
		return list;
	sign_make(&x->key, &t, signature);
	if (standard)
		list = add(list, "webhook-id", id);
	list = add(list, standard ? "webhook-timestamp" : "X-Timestamp",
		   timestamp);
	return add(list, standard ? "webhook-signature" : "X-Signature",
		   signature);
}

static int judge(const struct post *x, CURLcode code, long status,
		 struct reason *why)
{
	const char *url = x->t->c->url;

	if (code)
		return reason_set(why, EIO, "%.100s: %s", url,
				  *x->error ? x->error
					    : curl_easy_strerror(code));
	if (status >= 200 && status < 300)
		return 0;
	if (status >= 500 || status == 408 || status == 425 || status == 429)
		return reason_set(why, EAGAIN,
				  "%.100s: the server answered "
				  "%ld",
				  url, status);
	return reason_set(why, EACCES,
			  "%.100s: the server answered %ld: what it refuses is "
			  "not sent again",
			  url, status);
}

static int post_send(void *link, const struct event *const *e, size_t *n,
		     struct reason *why)
{
	struct post *x = link;
	char *body = body_of(x, e[0]);
	struct curl_slist *headers;
	long status = 0;
	CURLcode code;
	int err;

	*n = 0;
	if (!body)
		return reason_set(why, ENOMEM, "not enough memory");
	headers = headers_of(x, e[0], body);
	x->error[0] = '\0';
	curl_easy_setopt(x->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
	curl_easy_setopt(x->curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(x->curl);
	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	err = judge(x, code, status, why);
	*n = !err || err == EACCES;
	curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	free(body);
	return err;
}

const struct target_kind target_post = {
	.open = post_open,
	.close = post_close,
	.send = post_send,
	.batch = 1,
};
