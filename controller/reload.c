#include "reload.h"

#include "controller/base/compat.h"
#include "schedule/view.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What the worker brings back. */
struct result {
	struct config *config;
	struct library *library;
	size_t used;
	char errors[RELOAD_TEXT];
};

struct reload {
	struct mqueue *mq;
	reload_h *h;
	void *arg;
	pthread_t thread;
	bool running, again;
	char *path;
	struct result *result;
};

static void on_error(const struct config_where *at, const char *text, void *arg)
{
	struct result *r = arg;
	int n;

	if (r->used >= sizeof(r->errors) - 1)
		return;
	n = at->file
		    ? snprintf(r->errors + r->used, sizeof(r->errors) - r->used,
			       "%s:%d: %s\n", at->file, at->line, text)
		    : snprintf(r->errors + r->used, sizeof(r->errors) - r->used,
			       "%s\n", text);
	r->used += (size_t)n;
	if (r->used > sizeof(r->errors) - 1)
		r->used = sizeof(r->errors) - 1;
}

int reload_now(const char *path, enum library_mode mode, struct config **cp,
	       struct library **lp, config_error_h *h, void *arg)
{
	struct config *c = NULL;
	int err = config_load(&c, path, h, arg);

	if (err)
		return err;
	err = library_build(lp, c, mode, h, arg);
	if (!err) {
		err = view_check(c, *lp, mode != LIBRARY_START, h, arg);
		if (err)
			*lp = library_free(*lp);
	}
	if (err)
		config_free(c);
	else
		*cp = c;
	return err;
}

static void *worker(void *arg)
{
	struct reload *r = arg;

	if (reload_now(r->path, LIBRARY_RELOAD, &r->result->config,
		       &r->result->library, on_error, r->result) &&
	    !r->result->used)
		snprintf(r->result->errors, sizeof(r->result->errors),
			 "not enough memory\n");
	mqueue_push(r->mq, 0, NULL);
	return NULL;
}

static void start(struct reload *r)
{
	r->result = calloc(1, sizeof(*r->result));
	if (!r->result || pthread_create(&r->thread, NULL, worker, r)) {
		free(r->result);
		r->result = NULL;
		r->h(NULL, NULL, "not enough memory\n", r->arg);
		return;
	}
	r->running = true;
}

static void on_done(int id, void *data, void *arg)
{
	struct reload *r = arg;
	struct result *res = r->result;

	(void)id;
	(void)data;
	if (!r->running)
		return;
	pthread_join(r->thread, NULL);
	r->running = false;
	r->result = NULL;
	r->h(res->config, res->library, res->errors, r->arg);
	free(res);
	if (r->again) {
		r->again = false;
		start(r);
	}
}

int reload_alloc(struct reload **rp, reload_h *h, void *arg)
{
	struct reload *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return ENOMEM;
	r->h = h;
	r->arg = arg;
	err = mqueue_alloc(&r->mq, on_done, r);
	if (err) {
		free(r);
		return err;
	}
	*rp = r;
	return 0;
}

struct reload *reload_free(struct reload *r)
{
	if (!r)
		return NULL;
	if (r->running) {
		pthread_join(r->thread, NULL);
		config_free(r->result->config);
		library_free(r->result->library);
		free(r->result);
	}
	mem_deref(r->mq);
	free(r->path);
	free(r);
	return NULL;
}

int reload_begin(struct reload *r, const char *path)
{
	if (r->running) {
		/* The files may have changed since it read them. */
		r->again = true;
		return EALREADY;
	}
	free(r->path);
	r->path = strdup(path);
	if (!r->path)
		return ENOMEM;
	start(r);
	return 0;
}
