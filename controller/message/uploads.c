#include "uploads.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "zones/sound/loudness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum kind { DO_PUT, DO_ROLLBACK, DO_DELETE, DO_PREVIEW, DO_REMAKE };

/** One at a time is the worker's, with all it needs to know. */
struct job {
	struct job *next;
	enum kind kind;
	char name[64];
	int fd; /**< of PUT */
	uint32_t version;
	char actor[80], from[64];
	char if_match[80], if_none_match[80]; /**< "" = not asked for */
	uploads_h *h;
	void *arg;

	/* Set when it starts. */
	char *state_dir;
	int16_t loudness;
	struct config_message base; /**< a copy */
	bool has_base, chime;
	struct message_kit kit;
	struct store_item item; /**< as it is, then as it became */
	unsigned generation;

	/* What came of it. */
	struct clip *clip;
	struct config_message made; /**< what the clip is of */
	struct message_facts facts;
	uint32_t gone;
	struct uploads_answer a;
};

struct uploads {
	struct recorder *recorder;
	uploads_changed_h *h;
	void *arg;
	struct mqueue *mq;
	const struct config *config;
	struct library *library;
	struct store store;
	char *state_dir; /**< as it was at the start */
	unsigned generation;
	pthread_t thread;
	struct job *busy;
	struct job *first, **last;
	size_t n;
	int cancel;
};

static void start_next(struct uploads *u);

/* ------------------------------------------------------------------ answers */

static int refuse(struct job *j, int status, const char *code)
{
	j->a.status = status;
	j->a.code = code;
	return EINVAL;
}

static void etag_of(const struct store_item *i, char buf[80])
{
	const struct store_version *v = store_version(i, 0);

	if (v)
		snprintf(buf, 80, "%u-%.16s", v->number, v->hash);
	else
		snprintf(buf, 80, "0");
}

static void job_free(struct job *j)
{
	if (j->fd >= 0)
		close(j->fd);
	free(j->state_dir);
	config_message_reset(&j->base);
	config_message_reset(&j->made);
	speech_unref(j->kit.speech);
	clip_unref(j->clip);
	free(j);
}

/** Tells and forgets it. */
static void answer(struct job *j)
{
	uploads_h *h = j->h;

	if (h)
		h(&j->a, j->arg);
	else if (j->a.fd >= 0)
		close(j->a.fd);
	job_free(j);
}

/* ------------------------------------------------------------------- worker */

/** The message as it would be with a version, 0 = with none. */
static int message_with(struct job *j, uint32_t version)
{
	char path[STORE_PATH];

	config_message_reset(&j->made);
	if (!version)
		return message_copy(&j->made, &j->base);
	store_path(path, j->state_dir, j->name, version);
	return message_uploaded(&j->made, j->name,
				j->has_base ? &j->base : NULL, j->loudness,
				path);
}

static int make_clip(struct job *j, uint32_t version, bool strict)
{
	int err = message_with(j, version);

	if (err)
		reason_set(&j->a.why, err, "not enough memory");
	else
		err = message_make(&j->clip, &j->facts, &j->made, &j->kit,
				   strict, &j->a.why);
	if (err)
		return refuse(j, err == ENOMEM ? 503 : 422,
			      err == ENOMEM ? "no-memory" : "bad-sound");
	j->facts.version = version;
	if (j->chime && clip_ms(j->clip) > CONFIG_CHIME_MAX_MS && version) {
		reason_set(&j->a.why, EINVAL,
			   "it is heard as a chime before live pages and would "
			   "be %u.%u s long; %d s are allowed, for the caller "
			   "waits for it",
			   clip_ms(j->clip) / 1000,
			   clip_ms(j->clip) % 1000 / 100,
			   CONFIG_CHIME_MAX_MS / 1000);
		j->clip = clip_unref(j->clip);
		return refuse(j, 422, "bad-sound");
	}
	return 0;
}

static int commit(struct job *j)
{
	int err = store_commit(j->state_dir, &j->item, &j->a.why);

	return err ? refuse(j, 503, "disk") : 0;
}

/** The file as it is kept. */
static int read_sound(struct job *j, struct pcm *p, struct store_version *v)
{
	struct loudness l;
	struct pcm low = {0};

	if (lseek(j->fd, 0, SEEK_SET) ||
	    pcm_load_fd(p, j->fd, "the file", &j->a.why))
		return refuse(j, 422, "bad-audio");
	if (p->rate > STORE_MAX_RATE) {
		int err = pcm_resample(&low, p, STORE_MAX_RATE);

		pcm_reset(p);
		*p = low;
		if (err)
			goto memory;
	}
	if (loudness_measure(p, &l))
		goto memory;
	v->lufs = l.lufs;
	v->peak_db = l.peak_db;
	return 0;
memory:
	reason_set(&j->a.why, ENOMEM, "not enough memory");
	return refuse(j, 503, "no-memory");
}

static void put(struct job *j)
{
	struct store_version v = {.number = j->item.last + 1,
				  .time_us = clock_wall_us()};
	struct pcm p = {0};

	snprintf(v.actor, sizeof(v.actor), "%s", j->actor);
	snprintf(v.from, sizeof(v.from), "%s", j->from);
	if (!read_sound(j, &p, &v) &&
	    store_write(j->state_dir, j->name, &v, &p, &j->a.why))
		refuse(j, 507, "disk");
	pcm_reset(&p);
	if (j->a.code)
		return;
	if (make_clip(j, v.number, true)) {
		store_drop(j->state_dir, j->name, v.number);
		return;
	}
	store_add(&j->item, &v, &j->gone);
	if (commit(j))
		store_drop(j->state_dir, j->name, v.number);
	else if (j->gone)
		store_drop(j->state_dir, j->name, j->gone);
}

static void roll_back(struct job *j)
{
	if (make_clip(j, j->version, true))
		return;
	j->item.current = j->version;
	commit(j);
}

static void delete (struct job *j)
{
	if (j->has_base && make_clip(j, 0, false))
		return;
	if (store_remove(j->state_dir, j->name, &j->a.why))
		refuse(j, 503, "disk");
}

static void preview(struct job *j)
{
	char dir[STORE_PATH];
	struct pcm p = {0};
	int err = message_with(j, j->version);

	if (!err)
		err = message_sound(&p, &j->facts, &j->made, &j->kit,
				    &j->a.why);
	if (err) {
		refuse(j, 503, "bad-sound");
		return;
	}
	j->a.fd = open(store_dir(dir, j->state_dir),
		       O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (j->a.fd < 0)
		j->a.fd = (int)memfd_create("preview", MFD_CLOEXEC);
	if (j->a.fd < 0 || pcm_save_fd(&p, j->a.fd, &j->a.why))
		refuse(j, 503, "disk");
	else
		j->a.size = (uint64_t)lseek(j->a.fd, 0, SEEK_END);
	pcm_reset(&p);
}

static void *worker(void *arg)
{
	static void (*const todo[])(struct job * j) = {
		[DO_PUT] = put,
		[DO_ROLLBACK] = roll_back,
		[DO_DELETE] = delete,
		[DO_PREVIEW] = preview,
	};
	struct uploads *u = arg;
	struct job *j = u->busy;

	pthread_setname_np(pthread_self(), "messages");
	if (j->kind == DO_REMAKE) {
		if (!j->has_base && !j->item.n)
			; /* it was deleted */
		else if (library_make(&j->clip, &j->facts, j->name,
				      j->has_base ? &j->base : NULL, &j->item,
				      j->state_dir, j->loudness, &j->kit, false,
				      &j->a.why))
			j->clip = NULL;
		else if (message_with(j, j->facts.version))
			j->clip = clip_unref(j->clip);
	} else {
		todo[j->kind](j);
	}
	mqueue_push(u->mq, 0, NULL);
	return NULL;
}

/* ------------------------------------------------------------------ records */

static json_t *change_json(const struct job *j, const struct store_version *was,
			   const struct store_version *is)
{
	return json_pack("{s:s*,s:I*,s:s*,s:I*,s:s*}", "from",
			 *j->from ? j->from : NULL, "old_version",
			 (json_int_t)(was ? was->number : 0), "old_hash",
			 was ? was->hash : NULL, "version",
			 (json_int_t)(is ? is->number : 0), "hash",
			 is ? is->hash : NULL);
}

static void version_text(char buf[48], const struct store_version *v)
{
	if (v)
		snprintf(buf, 48, "version %u (%.12s)", v->number, v->hash);
	else
		snprintf(buf, 48, "nothing");
}

static void tell(struct uploads *u, const struct job *j,
		 const struct store_item *before)
{
	static const enum event_type type[] = {
		[DO_PUT] = EVENT_MESSAGE_UPLOADED,
		[DO_ROLLBACK] = EVENT_MESSAGE_ROLLED_BACK,
		[DO_DELETE] = EVENT_MESSAGE_DELETED,
	};
	const struct store_version *was = store_version(before, 0);
	const struct store_version *is =
		j->kind == DO_DELETE ? NULL : store_version(&j->item, 0);
	char subject[80], a[48], b[48];

	snprintf(subject, sizeof(subject), "message:%s", j->name);
	version_text(a, was);
	version_text(b, is);
	record(u->recorder, type[j->kind], 0, subject, j->actor,
	       change_json(j, was, is),
	       j->kind == DO_PUT
		       ? "message %s: %s was uploaded by %s from %s, %s before"
	       : j->kind == DO_ROLLBACK
		       ? "message %s: back to %s, by %s from %s, %s before"
		       : "message %s: its uploads were deleted (%s left) by %s "
			 "from %s, %s before",
	       j->name, b, j->actor, *j->from ? j->from : "here", a);
}

/* ------------------------------------------------------------------- control
 */

static struct store_item *item_of(struct uploads *u, const char *name)
{
	return store_find(&u->store, name);
}

static void forget(struct uploads *u, const char *name)
{
	struct store_item *i = item_of(u, name);

	if (i)
		*i = u->store.v[--u->store.n];
}

static void keep(struct uploads *u, const struct store_item *item)
{
	struct store_item *i = item_of(u, item->name);

	/* Room was looked at before it began. */
	if (!i)
		i = &u->store.v[u->store.n++];
	*i = *item;
}

/** Puts what was made in force, unless it was made for another time. */
static void install(struct uploads *u, struct job *j)
{
	if (j->generation != u->generation)
		return;
	if (j->clip) {
		library_replace(u->library, &j->made, j->clip, &j->facts);
		j->clip = NULL;
	} else if (!j->has_base && !item_of(u, j->name)) {
		library_remove(u->library, j->name);
	}
}

static int enqueue(struct uploads *u, struct job *j)
{
	if (u->n >= UPLOADS_MAX_JOBS && j->kind != DO_REMAKE) {
		reason_set(&j->a.why, EBUSY,
			   "%d changes of messages wait already; try again",
			   UPLOADS_MAX_JOBS);
		return refuse(j, 503, "busy");
	}
	u->n++;
	*u->last = j;
	u->last = &j->next;
	start_next(u);
	return 0;
}

/** Makes anew what the library has of another version than is in force: it was
 *  read while that changed. */
static void catch_up(struct uploads *u)
{
	const char *name;

	for (size_t i = 0; (name = library_name(u->library, i)); i++) {
		const struct store_item *item = item_of(u, name);
		const struct message_facts *f = library_facts(u->library, name);
		struct job *j;

		if (f->version == (item ? item->current : 0))
			continue;
		j = calloc(1, sizeof(*j));
		if (!j)
			return;
		j->kind = DO_REMAKE;
		j->fd = j->a.fd = -1;
		snprintf(j->name, sizeof(j->name), "%s", name);
		enqueue(u, j);
	}
	for (size_t i = 0; i < u->store.n; i++)
		if (!library_facts(u->library, u->store.v[i].name)) {
			struct job *j = calloc(1, sizeof(*j));

			if (!j)
				return;
			j->kind = DO_REMAKE;
			j->fd = j->a.fd = -1;
			snprintf(j->name, sizeof(j->name), "%s",
				 u->store.v[i].name);
			enqueue(u, j);
		}
}

static void on_done(int id, void *data, void *arg)
{
	struct uploads *u = arg;
	struct job *j = u->busy;
	struct store_item before = j->item;
	const struct store_item *old = item_of(u, j->name);
	const bool late = j->generation != u->generation;

	(void)id;
	(void)data;
	pthread_join(u->thread, NULL);
	u->busy = NULL;
	u->n--;
	before = old ? *old : (struct store_item){.n = 0};
	if (!j->a.code && j->kind != DO_PREVIEW) {
		if (j->kind == DO_DELETE)
			forget(u, j->name);
		else if (j->kind != DO_REMAKE)
			keep(u, &j->item);
		install(u, j);
		if (j->kind != DO_REMAKE)
			tell(u, j, &before);
		u->h(j->name, u->arg);
		if (j->kind == DO_PUT)
			j->a.status = before.n ? 200 : 201;
	}
	if (!j->a.code && j->kind != DO_DELETE && j->kind != DO_PREVIEW)
		etag_of(item_of(u, j->name), j->a.etag);
	answer(j);
	if (late)
		catch_up(u);
	start_next(u);
}

static bool is_chime(const struct config *c, const char *name)
{
	if (c->sip.chime && !strcmp(c->sip.chime, name))
		return true;
	for (size_t i = 0; i < c->n_zones; i++)
		if (c->zones[i].chime && !strcmp(c->zones[i].chime, name))
			return true;
	return false;
}

static bool tag_in(const char *header, const char *etag)
{
	char quoted[84];

	snprintf(quoted, sizeof(quoted), "\"%s\"", etag);
	return strstr(header, quoted);
}

/** What is asked for must fit what is there by now. */
static int check(struct uploads *u, struct job *j)
{
	const struct store_item *i = item_of(u, j->name);
	char etag[80];

	etag_of(i, etag);
	if ((*j->if_match && strcmp(j->if_match, "*") &&
	     !tag_in(j->if_match, etag)) ||
	    (!strcmp(j->if_match, "*") && !i) ||
	    (!strcmp(j->if_none_match, "*") && i)) {
		reason_set(&j->a.why, EINVAL,
			   "somebody else changed it: it is \"%s\" now", etag);
		return refuse(j, 412, "changed");
	}
	if (j->kind == DO_PUT && !i && u->store.n >= STORE_MAX_ITEMS) {
		reason_set(&j->a.why, ENOSPC,
			   "%d messages have uploads already, which is the "
			   "most; delete one",
			   STORE_MAX_ITEMS);
		return refuse(j, 507, "full");
	}
	if (j->kind == DO_PUT && store_bytes(&u->store) >= STORE_MAX_BYTES) {
		reason_set(&j->a.why, ENOSPC,
			   "uploads take up all of their %u MB; delete one",
			   (unsigned)(STORE_MAX_BYTES >> 20));
		return refuse(j, 507, "full");
	}
	if (j->kind == DO_DELETE && !i) {
		reason_set(&j->a.why, ENOENT,
			   "nothing was uploaded for message \"%s\"", j->name);
		return refuse(j, 404, "not-found");
	}
	if ((j->kind == DO_ROLLBACK || (j->kind == DO_PREVIEW && j->version)) &&
	    !store_version(i, j->version ? j->version : UINT32_MAX)) {
		reason_set(&j->a.why, ENOENT,
			   "message \"%s\" has no version %u; GET "
			   "/messages/%s/versions lists them",
			   j->name, j->version, j->name);
		return refuse(j, 404, "not-found");
	}
	if (j->kind == DO_PREVIEW && !library_facts(u->library, j->name)) {
		reason_set(&j->a.why, ENOENT,
			   "there is no message \"%s\"; GET /messages lists "
			   "them",
			   j->name);
		return refuse(j, 404, "not-found");
	}
	return 0;
}

/** Gives it what it needs to know, all its own. */
static int equip(struct uploads *u, struct job *j)
{
	const struct store_item *i = item_of(u, j->name);
	const int m = config_message_find(u->config, j->name);

	j->generation = u->generation;
	j->loudness = u->config->media.loudness;
	j->state_dir = strdup(u->state_dir);
	j->chime = is_chime(u->config, j->name);
	j->has_base = m >= 0;
	j->kit = *library_kit(u->library);
	j->kit.speech = speech_ref(j->kit.speech);
	j->kit.how = SPEECH_RENDER;
	j->kit.cancel = u->cancel;
	if (i)
		j->item = *i;
	else
		snprintf(j->item.name, sizeof(j->item.name), "%s", j->name);
	if (j->kind == DO_PREVIEW && !j->version)
		j->version = i ? i->current : 0;
	return !j->state_dir ||
			       (m >= 0 &&
				message_copy(&j->base, &u->config->messages[m]))
		       ? ENOMEM
		       : 0;
}

static void start_next(struct uploads *u)
{
	while (!u->busy && u->first) {
		struct job *j = u->first;

		u->first = j->next;
		if (!u->first)
			u->last = &u->first;
		if (!check(u, j)) {
			u->busy = j;
			if (!equip(u, j) &&
			    !pthread_create(&u->thread, NULL, worker, u))
				return;
			u->busy = NULL;
			reason_set(&j->a.why, ENOMEM, "not enough memory");
			refuse(j, 503, "no-memory");
		}
		u->n--;
		answer(j);
	}
}

/* --------------------------------------------------------------------- life */

int uploads_alloc(struct uploads **up, struct recorder *r, uploads_changed_h *h,
		  void *arg)
{
	struct uploads *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return ENOMEM;
	u->recorder = r;
	u->h = h;
	u->arg = arg;
	u->last = &u->first;
	u->cancel = eventfd(0, EFD_CLOEXEC);
	err = u->cancel < 0 ? errno : mqueue_alloc(&u->mq, on_done, u);
	if (err) {
		if (u->cancel >= 0)
			close(u->cancel);
		free(u);
		return err;
	}
	*up = u;
	return 0;
}

struct uploads *uploads_free(struct uploads *u)
{
	if (!u)
		return NULL;
	(void)eventfd_write(u->cancel, 1);
	while (u->busy || u->first) {
		struct job *j = u->busy;

		if (j) {
			pthread_join(u->thread, NULL);
			u->busy = NULL;
		} else {
			j = u->first;
			u->first = j->next;
		}
		if (!j->a.code) {
			reason_set(&j->a.why, EINTR,
				   "the daemon stops; look whether it was "
				   "done");
			refuse(j, 503, "stopping");
		}
		answer(j);
	}
	mem_deref(u->mq);
	close(u->cancel);
	store_reset(&u->store);
	free(u->state_dir);
	free(u);
	return NULL;
}

int uploads_configure(struct uploads *u, const struct config *c,
		      struct library *l)
{
	if (!u->state_dir) {
		store_clean(c->state_dir);
		if (store_load(&u->store, c->state_dir))
			return ENOMEM;
		u->state_dir = strdup(c->state_dir);
		if (!u->state_dir)
			return ENOMEM;
	}
	u->config = c;
	u->library = l;
	u->generation++;
	/* What is being made now is for the old one, and is made again. */
	if (!u->busy)
		catch_up(u);
	return 0;
}

void uploads_ask(struct uploads *u, const struct uploads_ask *ask, uploads_h *h,
		 void *arg)
{
	static const enum kind kinds[] = {
		[UPLOADS_PUT] = DO_PUT,
		[UPLOADS_ROLLBACK] = DO_ROLLBACK,
		[UPLOADS_DELETE] = DO_DELETE,
		[UPLOADS_PREVIEW] = DO_PREVIEW,
	};
	struct uploads_answer no = {
		.status = 503, .code = "no-memory", .fd = -1};
	struct job *j = calloc(1, sizeof(*j));

	if (!j) {
		h(&no, arg);
		return;
	}
	j->kind = kinds[ask->verb];
	j->fd = j->a.fd = -1;
	j->a.status = 200;
	j->version = ask->version;
	j->h = h;
	j->arg = arg;
	snprintf(j->name, sizeof(j->name), "%s", ask->name);
	snprintf(j->actor, sizeof(j->actor), "%s", ask->actor);
	snprintf(j->from, sizeof(j->from), "%s", ask->from ? ask->from : "");
	snprintf(j->if_match, sizeof(j->if_match), "%s",
		 ask->if_match ? ask->if_match : "");
	snprintf(j->if_none_match, sizeof(j->if_none_match), "%s",
		 ask->if_none_match ? ask->if_none_match : "");
	if (!store_name(ask->name)) {
		reason_set(&j->a.why, EINVAL,
			   "a message's name is 1 to 63 of letters, digits, "
			   "\".\", \"_\" and \"-\", and does not begin with "
			   "\".\"");
		refuse(j, 400, "bad-request");
	} else if (ask->verb == UPLOADS_PUT &&
		   (j->fd = fcntl(ask->fd, F_DUPFD_CLOEXEC, 3)) < 0) {
		reason_set(&j->a.why, errno, "the file is gone");
		refuse(j, 503, "disk");
	}
	if (j->a.code || enqueue(u, j))
		answer(j);
}

/* -------------------------------------------------------------------- views */

const struct store_item *uploads_item(const struct uploads *u, const char *name)
{
	return store_find(&u->store, name);
}

char *uploads_etag(const struct uploads *u, const char *name, char buf[80])
{
	etag_of(store_find(&u->store, name), buf);
	return buf;
}

json_t *uploads_versions_json(const struct uploads *u, const char *name)
{
	const struct store_item *i = store_find(&u->store, name);
	json_t *a = i ? json_array() : NULL;

	for (size_t k = i ? i->n : 0; k--;) {
		json_t *v = store_version_json(&i->v[k]);

		json_object_set_new(v, "current",
				    json_boolean(i->v[k].number == i->current));
		json_array_append_new(a, v);
	}
	return a;
}
