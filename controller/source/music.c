#include "music.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "controller/base/log.h"
#include "controller/base/text.h"
#include "controller/text_json.h"
#include "feeder.h"
#include "playlist.h"
#include "zones/tape.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEGS (MEDIA_MAX_SOURCES - CONFIG_MAX_SOURCES)
/** Frames on the tape before it begins to sound. */
#define BEGIN_FRAMES 10
/** Sound without a fault for so long, and the last fault is over. */
#define WELL_FRAMES (1000 / TAPE_FRAME_MS)
#define REFILL_MS 300
#define UNITY 4096
/** Bytes of a path that a fault tells. */
#define SAID 100

struct music {
	struct musics *owner;
	char name[CONFIG_MAX_NAME];
	struct config_player cfg; /**< lists are copies; zones are not used */
	int *zones;
	size_t n_zones;
	int32_t gain; /**< UNITY = 0 dB */

	int leg; /**< -1 = none yet */
	struct tape *tape;
	bool wanted;
	uint64_t broadcast; /**< 0 = none */
	bool heard;

	struct playlist list;
	char playing[PATH_MAX]; /**< file, URL or command */
	struct feeder child;
	struct tc_fd out;
	struct tmr refill, retry;
	uint8_t frame[2 * TAPE_MAX_SAMPLES];
	size_t have; /**< bytes of the frame */
	uint64_t data_us;
	uint32_t frames;        /**< of this child */
	uint32_t silent_frames; /**< in a row */
	unsigned failures;      /**< in a row */
	uint64_t restarts;      /**< after a failure, in all */
	char actor[80];
};

struct musics {
	struct media *media;
	struct broadcasts *broadcasts;
	struct recorder *recorder;
	struct journal *journal;
	struct faults *faults;
	const struct config *config;
	struct music *v[LEGS];
	size_t n;
	bool leg_taken[LEGS];    /**< up to MEDIA_LEG_CLOSED */
	struct tape *tape[LEGS]; /**< of legs that close */
};

static void next_child(struct music *x);

int musics_alloc(struct musics **mp, struct media *m, struct broadcasts *b,
		 struct recorder *r, struct journal *j, struct faults *f)
{
	struct musics *s = calloc(1, sizeof(*s));

	if (!s)
		return ENOMEM;
	s->media = m;
	s->broadcasts = b;
	s->recorder = r;
	s->journal = j;
	s->faults = f;
	*mp = s;
	return 0;
}

static void fault_key(const struct music *x, char key[96])
{
	snprintf(key, 96, "music:%s", x->name);
}

static void no_fault(struct music *x)
{
	char key[96];

	fault_key(x, key);
	fault_clear(x->owner->faults, key);
	x->failures = 0;
}

/* --------------------------------------------------------------- the child */

static void end_child(struct music *x)
{
	tmr_cancel(&x->refill);
	tmr_cancel(&x->retry);
	if (x->out.fd >= 0)
		tc_fd_close(&x->out);
	feeder_end(&x->child);
	x->have = 0;
}

static void on_retry(void *arg)
{
	next_child(arg);
}

/** How long until the next try. What is on the tape bridges the first; files
 *  that are no good are passed by quickly, until all of a list were. */
static uint32_t wait_of(const struct music *x)
{
	unsigned n = x->failures;

	if (n && n < x->list.n)
		return MUSIC_SKIP_MS;
	n -= n && x->list.n > 1 ? (unsigned)x->list.n - 1 : 0;
	return n > 4 ? MUSIC_RETRY_MAX_MS : MUSIC_RETRY_MIN_MS << n;
}

static void failed(struct music *x, const char *what)
{
	const size_t len = strlen(x->playing);
	/* Its end tells more than its folder does. */
	const char *name = x->playing + (len > SAID ? len - SAID : 0);
	uint32_t wait = wait_of(x);
	char key[96], said[sizeof(x->child.line)];

	feeder_listen(&x->child);
	snprintf(said, sizeof(said), "%s", x->child.line);
	end_child(x);
	x->failures++;
	x->restarts++;
	tmr_start(&x->retry, wait, on_retry, x);
	fault_key(x, key);
	fault_raise(x->owner->faults, key, MUSIC_HANG_MS,
		    "See that the file or stream is there and can be played "
		    "(`tocsinctl music`); it is tried again by itself.",
		    "music %s: %s %s%s%s", x->name, name, what,
		    *said ? ": " : "", said);
}

/** The child's output has ended. */
static void child_over(struct music *x)
{
	bool list = x->list.n > 0;
	char what[80] = "ended";
	int status = 0;

	/* Its output may end a moment before itself: then it is a zombie
	 * within microseconds, or ignores us and is killed. */
	for (int i = 0; x->child.pid && i < 20; i++) {
		if (feeder_ended(&x->child, &status))
			break;
		usleep(500);
	}
	if (WIFSIGNALED(status))
		snprintf(what, sizeof(what), "was killed by signal %d",
			 WTERMSIG(status));
	else if (WEXITSTATUS(status) == 127)
		snprintf(what, sizeof(what),
			 "cannot be played: the program is not installed");
	else if (WEXITSTATUS(status))
		snprintf(what, sizeof(what), "failed with %d",
			 WEXITSTATUS(status));
	if (list && !WIFSIGNALED(status) && !WEXITSTATUS(status) && x->frames) {
		end_child(x);
		next_child(x);
	} else {
		failed(x, what);
	}
}

/* -------------------------------------------------------- what is recorded */

/** Does the clock start and stop it? */
static bool has_hours(const struct music *x)
{
	const struct config *c = x->owner->config;
	int i = config_music_find(c, x->name);

	return i >= 0 && c->musics[i].n_hours;
}

/** Keeps over a restart that it was started by hand (NULL: it no longer is).
 *  What has autostart or hours begins by itself. */
static void keep(const struct music *x, const char *actor)
{
	char key[96];

	if (!x->owner->journal || x->cfg.autostart || has_hours(x))
		return;
	fault_key(x, key);
	journal_state(x->owner->journal, key, actor);
}

/** It no longer plays, for whatever reason. */
static void over(struct music *x, uint64_t cause, const char *actor,
		 const char *why)
{
	char subject[96];

	x->wanted = false;
	x->broadcast = 0;
	end_child(x);
	if (x->tape)
		tape_flush(x->tape);
	no_fault(x);
	keep(x, NULL);
	fault_key(x, subject);
	record(x->owner->recorder, EVENT_MUSIC_STOPPED, cause, subject, actor,
	       NULL, "music %s: %s", x->name, why);
}

/* -------------------------------------------------------------- the sound */

static void on_broadcast(uint64_t id, enum broadcast_news news,
			 enum arb_cause cause, uint64_t by, const char *text,
			 void *arg)
{
	struct music *x = arg;

	(void)cause;
	(void)by;
	x->heard = news == BROADCAST_SOUNDS;
	/* Ended by somebody else: that stops the music. The text says who. */
	if (news == BROADCAST_GONE && x->broadcast)
		over(x, id, "system", text);
}

static void sound(struct music *x)
{
	char what[80];
	struct broadcast_result res;
	struct broadcast_request rq = {
		.what = what,
		.message = "",
		.level = x->cfg.level,
		.zones = x->zones,
		.n_zones = x->n_zones,
		.leg = (unsigned)x->leg,
		.tape = true,
		.background = true,
		.how = x->cfg.pause ? ARB_PAUSE : ARB_DUCK,
		.forever = true,
		.resume = RESUME_CONTINUE,
		.actor = x->actor,
		.h = on_broadcast,
		.arg = x,
	};

	if (x->broadcast || x->leg < 0)
		return;
	snprintf(what, sizeof(what), "music %s", x->name);
	if (!broadcast_start(x->owner->broadcasts, &rq, &res))
		x->broadcast = res.id;
}

static void take_frame(struct music *x)
{
	int16_t *v = (int16_t *)(void *)x->frame;
	uint32_t n = tape_samples(x->cfg.rate);
	int peak = 0;

	for (uint32_t i = 0; i < n; i++) {
		int32_t s = v[i];

		peak = abs(s) > peak ? abs(s) : peak;
		s = (int32_t)((int64_t)s * x->gain / UNITY);
		v[i] = (int16_t)(s > 32767 ? 32767 : s < -32768 ? -32768 : s);
	}
	tape_put(x->tape, v);
	x->have = 0;
	x->frames++;
	x->silent_frames = peak <= MUSIC_SILENT_PEAK ? x->silent_frames + 1 : 0;
	if (x->failures && x->frames >= WELL_FRAMES && !x->silent_frames)
		no_fault(x);
	if (x->frames >= BEGIN_FRAMES && !x->broadcast)
		sound(x);
	if (x->cfg.silence_ms &&
	    x->silent_frames >= x->cfg.silence_ms / TAPE_FRAME_MS) {
		x->silent_frames = 0;
		failed(x, "is silent");
	}
}

static void on_out(int flags, void *arg);

static void on_refill(void *arg)
{
	struct music *x = arg;

	if (x->child.out < 0)
		return;
	if (!tape_room(x->tape))
		tmr_start(&x->refill, REFILL_MS, on_refill, x);
	else if (tc_fd_listen(&x->out, x->child.out, FD_READ, on_out, x))
		failed(x, "cannot be watched");
}

/** What the child made, as far as there is room for it. */
static void on_out(int flags, void *arg)
{
	struct music *x = arg;
	size_t want = 2 * tape_samples(x->cfg.rate);

	(void)flags;
	x->data_us = clock_mono_us();
	while (tape_room(x->tape)) {
		ssize_t n =
			read(x->child.out, x->frame + x->have, want - x->have);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			child_over(x);
			return;
		}
		x->have += (size_t)n;
		if (x->have == want)
			take_frame(x);
		/* It may have been found silent, or be stopped by now. */
		if (x->child.out < 0)
			return;
	}
	tc_fd_close(&x->out);
	tmr_start(&x->refill, REFILL_MS, on_refill, x);
}

/** Once a reading of its folder. */
static void tell_left_out(struct music *x)
{
	char name[sizeof(x->list.first_out)];

	if (!x->list.left_out)
		return;
	snprintf(name, sizeof(name), "%s", x->list.first_out);
	text_clean(name);
	log_warn(NULL,
		 "music %s: %zu entries of %s are left out, for they are no "
		 "files or more than %d; one is %s",
		 x->name, x->list.left_out, x->cfg.folder, MUSIC_MAX_FILES,
		 name);
	x->list.left_out = 0;
}

static void next_child(struct music *x)
{
	char *argv[CONFIG_MAX_COMMAND + 1];
	int err;

	if (!x->wanted || x->child.pid)
		return;
	tmr_cancel(&x->retry);
	err = playlist_next(&x->list, &x->cfg, x->playing, sizeof(x->playing));
	tell_left_out(x);
	if (err) {
		failed(x, err == ENOENT ? "holds no file that can be played"
					: strerror(err));
		return;
	}
	err = playlist_command(&x->cfg, x->playing, argv);
	if (!err)
		err = feeder_start(&x->child, argv);
	playlist_command_free(argv);
	x->frames = 0;
	x->silent_frames = 0;
	x->data_us = clock_mono_us();
	if (!err)
		err = tc_fd_listen(&x->out, x->child.out, FD_READ, on_out, x);
	if (err)
		failed(x, strerror(err));
}

/* ------------------------------------------------------------------ verbs */

static void start(struct music *x, const char *actor)
{
	char subject[96];

	x->wanted = true;
	x->failures = 0;
	snprintf(x->actor, sizeof(x->actor), "%s", actor);
	keep(x, x->actor);
	fault_key(x, subject);
	record(x->owner->recorder, EVENT_MUSIC_STARTED, 0, subject, actor, NULL,
	       "music %s started by %s", x->name, actor);
	next_child(x);
}

static void stop(struct music *x, const char *actor, const char *why)
{
	uint64_t id = x->broadcast;

	if (!x->wanted)
		return;
	over(x, 0, actor, why);
	if (id)
		broadcast_stop(x->owner->broadcasts, id, actor, 0, why);
}

static struct music *find(const struct musics *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (!strcmp(m->v[i]->name, name))
			return m->v[i];
	return NULL;
}

int music_do(struct musics *m, const char *name, enum music_verb verb,
	     const char *actor, struct reason *why)
{
	struct music *x = find(m, name);
	char text[120];

	if (!x)
		return reason_set(why, ENOENT, "there is no music \"%.63s\"",
				  name);
	switch (verb) {
	case MUSIC_START:
		if (x->wanted)
			return reason_set(why, EALREADY, "music %s plays",
					  name);
		start(x, actor);
		break;
	case MUSIC_STOP:
		if (!x->wanted)
			return reason_set(why, EALREADY,
					  "music %s does not play", name);
		snprintf(text, sizeof(text), "stopped by %s", actor);
		stop(x, actor, text);
		break;
	case MUSIC_NEXT:
		if (!x->wanted)
			return reason_set(why, EINVAL,
					  "music %s does not play; start it",
					  name);
		if (!x->list.n)
			return reason_set(why, ENOTSUP,
					  "music %s is no list of files", name);
		end_child(x);
		tape_flush(x->tape);
		next_child(x);
		break;
	}
	return 0;
}

void musics_watch(struct musics *m)
{
	uint64_t now = clock_mono_us();

	feeder_reap();
	for (size_t i = 0; i < m->n; i++) {
		struct music *x = m->v[i];

		feeder_listen(&x->child);
		if (x->child.out >= 0 && tape_room(x->tape) &&
		    now - x->data_us > MUSIC_HANG_MS * UINT64_C(1000))
			failed(x, "hangs: no sound for 10 s");
		/* Its zones had no output when it was to begin. */
		if (x->wanted && x->frames >= BEGIN_FRAMES)
			sound(x);
	}
}

/* ---------------------------------------------------------- configuration */

static void music_free(struct music *x)
{
	if (!x)
		return;
	end_child(x);
	playlist_reset(&x->list);
	config_music_reset(&x->cfg);
	tape_free(x->tape);
	free(x->zones);
	free(x);
}

struct musics *musics_free(struct musics *m)
{
	if (!m)
		return NULL;
	for (size_t i = 0; i < m->n; i++)
		music_free(m->v[i]);
	for (size_t i = 0; i < LEGS; i++)
		tape_free(m->tape[i]);
	feeder_reap();
	free(m);
	return NULL;
}

static struct music *make(struct musics *m, const struct config_player *from)
{
	struct music *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->owner = m;
	x->leg = x->out.fd = -1;
	x->child.out = x->child.err = -1;
	tmr_init(&x->refill);
	tmr_init(&x->retry);
	snprintf(x->name, sizeof(x->name), "%s", from->name);
	x->gain = (int32_t)lrint(UNITY * pow(10, from->volume_cb / 200.0));
	x->zones = calloc(from->n_zones + 1, sizeof(*x->zones));
	if (!x->zones || config_music_copy(&x->cfg, from) ||
	    tape_alloc(&x->tape, from->rate)) {
		music_free(x);
		return NULL;
	}
	memcpy(x->zones, from->zones, from->n_zones * sizeof(*x->zones));
	x->n_zones = from->n_zones;
	return x;
}

static int open_leg(struct musics *m, struct music *x)
{
	int i = 0, err;

	while (i < LEGS && m->leg_taken[i])
		i++;
	if (i == LEGS)
		return EAGAIN;
	media_begin(m->media);
	media_tape_open(m->media, (unsigned)(MUSIC_FIRST_LEG + i), x->tape);
	err = media_commit(m->media);
	if (err)
		return err;
	m->leg_taken[i] = true;
	x->leg = MUSIC_FIRST_LEG + i;
	return 0;
}

static void close_music(struct musics *m, struct music *x)
{
	stop(x, "system", "taken out of the configuration, or changed");
	if (x->leg >= MUSIC_FIRST_LEG) {
		/* The engine plays the tape until it says that it does not. */
		m->tape[x->leg - MUSIC_FIRST_LEG] = x->tape;
		x->tape = NULL;
		media_begin(m->media);
		media_leg_close(m->media, (unsigned)x->leg);
		media_commit(m->media);
	}
	music_free(x);
}

void musics_report(struct musics *m, const struct media_report *r)
{
	unsigned i = r->index - MUSIC_FIRST_LEG;

	if (r->type != MEDIA_LEG_CLOSED || i >= LEGS)
		return;
	m->leg_taken[i] = false;
	m->tape[i] = tape_free(m->tape[i]);
	for (size_t k = 0; k < m->n; k++)
		if (m->v[k]->leg < 0)
			(void)open_leg(m, m->v[k]);
}

static bool same_zones(const struct music *x, const struct config *was,
		       const struct music *y, const struct config *is)
{
	if (!was || x->n_zones != y->n_zones)
		return false;
	for (size_t i = 0; i < x->n_zones; i++)
		if (strcmp(was->zones[x->zones[i]].name,
			   is->zones[y->zones[i]].name))
			return false;
	return true;
}

static struct music *find_old(const struct musics *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i] && !strcmp(m->v[i]->name, name))
			return m->v[i];
	return NULL;
}

int musics_configure(struct musics *m, const struct config *c)
{
	struct music *v[LEGS] = {NULL};
	bool kept[LEGS] = {false};
	size_t n = 0;

	for (; n < c->n_musics && n < LEGS; n++) {
		v[n] = make(m, &c->musics[n]);
		if (!v[n]) {
			while (n)
				music_free(v[--n]);
			return ENOMEM;
		}
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < m->n; k++)
			if (m->v[k] && !strcmp(m->v[k]->name, v[i]->name) &&
			    config_music_same(&m->v[k]->cfg, &v[i]->cfg) &&
			    same_zones(m->v[k], m->config, v[i], c)) {
				/* The old one goes on; only its zones have
				 * other numbers. */
				memcpy(m->v[k]->zones, v[i]->zones,
				       v[i]->n_zones * sizeof(int));
				music_free(v[i]);
				v[i] = m->v[k];
				m->v[k] = NULL;
				kept[i] = true;
				break;
			}
	for (size_t i = 0; i < n; i++) {
		struct music *was = kept[i] ? NULL : find_old(m, v[i]->name);

		/* What was started by hand goes on as it is now. */
		if (was)
			v[i]->wanted = was->wanted;
	}
	for (size_t k = 0; k < m->n; k++)
		if (m->v[k])
			close_music(m, m->v[k]);
	memcpy(m->v, v, sizeof(v));
	m->n = n;
	for (size_t i = 0; i < n; i++) {
		bool again = v[i]->wanted;

		if (kept[i])
			continue;
		v[i]->wanted = false;
		(void)open_leg(m, v[i]);
		if (again || v[i]->cfg.autostart)
			start(v[i], "config");
	}
	m->config = c;
	return 0;
}

static void restore_one(const char *key, const char *actor, void *arg)
{
	struct musics *m = arg;
	struct music *x = find(m, strchr(key, ':') + 1);

	if (!x)
		journal_state(m->journal, key, NULL);
	else if (!x->wanted)
		start(x, actor);
}

void musics_restore(struct musics *m)
{
	if (m->journal)
		journal_state_load(m->journal, "music:", restore_one, m);
}

size_t music_zones(const struct musics *m, const char *name, const int **zones)
{
	const struct music *x = find(m, name);

	*zones = x ? x->zones : NULL;
	return x ? x->n_zones : 0;
}

/* ------------------------------------------------------------------ views */

static const char *state_of(const struct music *x)
{
	return !x->wanted      ? "stopped"
	       : x->failures   ? "fault"
	       : !x->broadcast ? "starting"
	       : x->heard      ? "playing"
			       : "paused";
}

static json_t *one_json(const struct music *x)
{
	json_t *zones = json_array(), *o;
	struct tape_stats st;

	for (size_t i = 0; i < x->n_zones; i++)
		json_array_append_new(
			zones,
			json_string(x->owner->config->zones[x->zones[i]].name));
	tape_stats(x->tape, &st);
	o = json_pack("{s:s,s:s,s:o,s:i,s:I,s:I}", "name", x->name, "state",
		      state_of(x), "zones", zones, "priority", x->cfg.level,
		      "restarts", (json_int_t)x->restarts, "gaps",
		      (json_int_t)st.empty);
	if (o && x->wanted && *x->playing)
		json_object_set_new(o, "playing", text_json(x->playing));
	if (o && x->broadcast)
		json_object_set_new(o, "broadcast",
				    json_integer((json_int_t)x->broadcast));
	return o;
}

json_t *musics_json(const struct musics *m)
{
	json_t *a = json_array();

	for (size_t i = 0; i < m->n; i++)
		json_array_append_new(a, one_json(m->v[i]));
	return a;
}

json_t *music_json(const struct musics *m, const char *name)
{
	const struct music *x = find(m, name);

	return x ? one_json(x) : NULL;
}

void musics_metrics(const struct musics *m, FILE *f)
{
	struct tape_stats st;

	fputs("# HELP tocsin_music_playing Is the music heard somewhere?\n"
	      "# TYPE tocsin_music_playing gauge\n",
	      f);
	for (size_t i = 0; i < m->n; i++)
		fprintf(f, "tocsin_music_playing{music=\"%s\"} %d\n",
			m->v[i]->name, m->v[i]->heard);
	fputs("# HELP tocsin_music_restarts_total Players that failed and "
	      "were started again.\n"
	      "# TYPE tocsin_music_restarts_total counter\n",
	      f);
	for (size_t i = 0; i < m->n; i++)
		fprintf(f, "tocsin_music_restarts_total{music=\"%s\"} %llu\n",
			m->v[i]->name, (unsigned long long)m->v[i]->restarts);
	fputs("# HELP tocsin_music_gaps_total Frames of 20 ms that the player "
	      "did not make in time.\n"
	      "# TYPE tocsin_music_gaps_total counter\n",
	      f);
	for (size_t i = 0; i < m->n; i++) {
		tape_stats(m->v[i]->tape, &st);
		fprintf(f, "tocsin_music_gaps_total{music=\"%s\"} %llu\n",
			m->v[i]->name, (unsigned long long)st.empty);
	}
}
