#include "fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct body {
	const struct fetch_ask *q;
	struct fetch_answer *a;
};

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct body *b = arg;
	char *grown;

	n *= size;
	if (b->a->size + n > b->q->max)
		return 0;
	grown = realloc(b->a->text, b->a->size + n + 1);
	if (!grown)
		return 0;
	b->a->text = grown;
	memcpy(b->a->text + b->a->size, p, n);
	b->a->size += n;
	b->a->text[b->a->size] = '\0';
	return n;
}

/** The value of a header of that name. */
static void take_header(const char *p, size_t n, const char *name, char *value,
			size_t size)
{
	const size_t skip = strlen(name);

	if (n <= skip || strncasecmp(p, name, skip))
		return;
	p += skip;
	n -= skip;
	while (n && *p == ' ') {
		p++;
		n--;
	}
	while (n && (p[n - 1] == '\r' || p[n - 1] == '\n'))
		n--;
	/* Half of one would never fit. */
	if (n < size)
		snprintf(value, size, "%.*s", (int)n, p);
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct fetch_memory *m = &((struct body *)arg)->a->memory;

	n *= size;
	take_header(p, n, "ETag:", m->etag, sizeof(m->etag));
	take_header(p, n, "Last-Modified:", m->modified, sizeof(m->modified));
	return n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c,
		       curl_off_t d)
{
	const struct fetch_ask *q = arg;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return q->stop && *q->stop;
}

static void set_options(CURL *h, struct body *b, char *error)
{
	curl_easy_setopt(h, CURLOPT_URL, b->q->url);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)FETCH_TIMEOUT_S);
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(h, CURLOPT_MAXREDIRS, 5L);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(h, CURLOPT_PROTOCOLS,
			 (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	curl_easy_setopt(h, CURLOPT_REDIR_PROTOCOLS,
			 (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(h, CURLOPT_USERAGENT, "tocsin/" TOCSIN_VERSION);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, b);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, b);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, b->q);
	if (b->q->ca)
		curl_easy_setopt(h, CURLOPT_CAINFO, b->q->ca);
}

static struct curl_slist *conditions(const struct fetch_memory *m)
{
	struct curl_slist *list = NULL;
	char line[320];

	if (m && *m->etag) {
		snprintf(line, sizeof(line), "If-None-Match: %s", m->etag);
		list = curl_slist_append(list, line);
	}
	if (m && *m->modified) {
		snprintf(line, sizeof(line), "If-Modified-Since: %s",
			 m->modified);
		list = curl_slist_append(list, line);
	}
	return list;
}

static void judge(const struct fetch_ask *q, struct fetch_answer *a,
		  CURLcode code, long status, const char *error)
{
	if (code == CURLE_WRITE_ERROR && a->size)
		snprintf(a->error, sizeof(a->error),
			 "%s: the %s is larger than %zu MB", q->url, q->what,
			 q->max >> 20);
	else if (code)
		snprintf(a->error, sizeof(a->error), "%s: %s", q->url,
			 *error ? error : curl_easy_strerror(code));
	else if (status != 200 && status != 304)
		snprintf(a->error, sizeof(a->error),
			 "%s: the server answered %ld", q->url, status);
	if (*a->error || status == 304) {
		free(a->text);
		a->text = NULL;
		a->size = 0;
	} else if (!a->text) {
		a->text = strdup("");
	}
}

void fetch(const struct fetch_ask *q, struct fetch_answer *a)
{
	char error[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = conditions(q->since);
	struct body b = {.q = q};
	CURL *h = curl_easy_init();
	CURLcode code = CURLE_OUT_OF_MEMORY;
	long status = 0;

	*a = (struct fetch_answer){0};
	b.a = a;
	if (h) {
		set_options(h, &b, error);
		curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
		code = curl_easy_perform(h);
		curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_cleanup(h);
	}
	curl_slist_free_all(headers);
	judge(q, a, code, status, error);
}
