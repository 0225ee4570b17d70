#include "schedules.h"

#include "controller/base/clock.h"
#include "controller/base/compat.h"
#include "controller/base/log.h"
#include "feeds.h"
#include "gpio/command.h"
#include "kept.h"
#include "sanity.h"
#include "scheduler/civil.h"
#include "scheduler/civil_read.h"
#include "view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

/** How far ahead the bells are kept. */
#define AHEAD (26 * 3600)
/** At least; a dense plan is kept for less. */
#define AHEAD_MIN 60
#define CLOCK_KEY "schedule-clock"

struct schedules {
	struct broadcasts *broadcasts;
	struct recorder *recorder;
	struct faults *faults;
	struct journal *journal;
	const struct config *config;
	struct library *library;
	struct feeds *feeds;
	struct timetable *tt;
	struct changes changes;
	struct tmr tmr;
	int64_t done; /**< up to here (UTC seconds) all is done with; 0 = not
			 begun */
	int64_t kept; /**< the same as it is in the journal */
	int64_t seen; /**< kept before the start */
	bool set;     /**< the clock was set since the start */
	struct bell *bell; /**< after `from` up to `to` */
	size_t n;
	int64_t from, to;
	bool stale; /**< the bells are of an older plan */
	/** Types of days that were asked for within this second. */
	struct {
		int64_t at, day;
		const char *type;
	} typed[4];
};

static void tick(struct schedules *s);

static void on_timer(void *arg)
{
	tick(arg);
}

static void on_calendar(void *arg)
{
	struct schedules *s = arg;

	for (size_t i = 0; s->tt && i < s->config->n_calendars; i++)
		timetable_calendar(s->tt, i, feeds_calendar(s->feeds, i));
	s->stale = true;
	tmr_start(&s->tmr, 0, on_timer, s);
}

int schedules_alloc(struct schedules **sp, struct broadcasts *b,
		    struct recorder *r, struct faults *f, struct journal *j)
{
	struct schedules *s = calloc(1, sizeof(*s));

	if (!s)
		return ENOMEM;
	s->broadcasts = b;
	s->recorder = r;
	s->faults = f;
	s->journal = j;
	tmr_init(&s->tmr);
	if (feeds_alloc(&s->feeds, r, f, on_calendar, s)) {
		free(s);
		return ENOMEM;
	}
	*sp = s;
	return 0;
}

struct schedules *schedules_free(struct schedules *s)
{
	if (!s)
		return NULL;
	tmr_cancel(&s->tmr);
	s->tt = timetable_free(s->tt);
	feeds_free(s->feeds);
	changes_reset(&s->changes);
	free(s->bell);
	free(s);
	return NULL;
}

/* ------------------------------------------------------------------- state */

static void keep(struct schedules *s)
{
	char text[32];

	s->kept = s->done;
	snprintf(text, sizeof(text), "%lld", (long long)s->done);
	if (s->journal)
		journal_state(s->journal, CLOCK_KEY, text);
}

static void on_clock_state(const char *key, const char *value, void *arg)
{
	struct schedules *s = arg;

	(void)key;
	s->seen = s->done = s->kept = strtoll(value, NULL, 10);
}

static void on_skip_state(const char *key, const char *value, void *arg)
{
	struct schedules *s = arg;
	const int i = config_schedule_find(s->config, key + strlen(KEPT_SKIP));

	if (i >= 0)
		timetable_skip(s->tt, (size_t)i, strtoll(value, NULL, 10));
	else
		journal_state(s->journal, key, NULL);
}

static void on_change_state(const char *key, const char *value, void *arg)
{
	struct schedules *s = arg;
	struct change *c = change_read(value);

	if (!c || !changes_put(&s->changes, c)) {
		change_free(c);
		journal_state(s->journal, key, NULL);
	} else {
		change_resolve(c, s->config);
	}
}

void schedules_restore(struct schedules *s)
{
	journal_state_load(s->journal, CLOCK_KEY, on_clock_state, s);
	journal_state_load(s->journal, KEPT_SKIP, on_skip_state, s);
	journal_state_load(s->journal, KEPT_CHANGE, on_change_state, s);
	s->stale = true;
}

int schedules_configure(struct schedules *s, const struct config *c,
			struct library *l, struct reason *why)
{
	struct timetable *tt = NULL;
	int err = timetable_alloc(&tt, c, why);

	if (!err) {
		err = feeds_configure(s->feeds, c);
		if (err)
			reason_set(why, err, "not enough memory");
	}
	if (err) {
		timetable_free(tt);
		return err;
	}
	for (size_t i = 0; i < c->n_schedules; i++) {
		const int old =
			s->config ? config_schedule_find(s->config,
							 c->schedules[i].name)
				  : -1;

		if (old >= 0)
			timetable_skip(tt, i,
				       timetable_skipped(s->tt, (size_t)old));
	}
	timetable_free(s->tt);
	s->tt = tt;
	for (size_t i = 0; i < s->changes.n; i++)
		change_resolve(s->changes.v[i], c);
	timetable_changes(tt, &s->changes);
	s->config = c;
	s->library = l;
	/* These point into the configuration of before. */
	memset(s->typed, 0, sizeof(s->typed));
	s->n = 0;
	on_calendar(s);
	return 0;
}

/* ------------------------------------------------------------------- clock */

static bool synchronised(void)
{
	struct timex t = {0};

	return ntp_adjtime(&t) >= 0 && !(t.status & STA_UNSYNC);
}

static bool clock_good(struct schedules *s, int64_t now)
{
	static const char *const why[] = {
		[SANITY_TOO_OLD] = "it is older than this program",
		[SANITY_BEHIND] = "it is behind the time this box has seen",
		[SANITY_NOT_SYNC] = "no time server has set it yet",
	};
	char text[CLOCK_TEXT_SIZE];
	const struct sanity_view v = {now, s->seen, s->set, synchronised(),
				      s->config->wait_for_sync};
	const enum sanity is = sanity_of(&v);

	if (is == SANITY_GOOD) {
		fault_clear(s->faults, "clock");
		return true;
	}
	if (!fault_find(s->faults, "clock"))
		fault_raise(s->faults, "clock", 1000,
			    "Set the clock, or let it follow a time server; "
			    "schedules begin by themselves then.",
			    "schedules wait: the clock says %s, but %s",
			    clock_format(text, now * 1000000), why[is]);
	return false;
}

bool schedules_clock_good(struct schedules *s)
{
	return clock_good(s, clock_wall_us() / 1000000);
}

void schedules_stepped(struct schedules *s)
{
	s->set = true;
	tick(s);
}

/* ------------------------------------------------------------------ sounding
 */

static void subject_of(const struct schedules *s, int schedule, char buf[80])
{
	if (schedule < 0)
		snprintf(buf, 80, "schedule");
	else
		snprintf(buf, 80, "schedule:%.63s",
			 s->config->schedules[schedule].name);
}

static const char *on_type(int64_t day, void *arg)
{
	return schedules_day_type(arg, day);
}

/** The schedule's own quiet hours, as they are when its bell begins. */
static struct quiet_volume quiet_of(struct schedules *s, const struct bell *b)
{
	const struct config_schedule *x =
		b->schedule >= 0 ? &s->config->schedules[b->schedule] : NULL;
	const struct quiet *q =
		x ? quiet_find(x->quiet, x->n_quiet, bell_zone(s->tt, b),
			       clock_wall_us() / 1000000, on_type, s, NULL)
		  : NULL;

	return q ? q->volume : (struct quiet_volume){.on = false};
}

static int start(struct schedules *s, const struct bell *b, const char *actor,
		 uint64_t cause, uint64_t at_us, uint32_t patience_ms,
		 struct broadcast_result *res)
{
	const struct change *one =
		b->change >= 0 ? s->changes.v[b->change] : NULL;
	const char *message = bell_message(s->tt, b);
	const bool music = b->level <= s->config->levels[CLASS_MUSIC];
	char what[80];
	struct broadcast_request rq = {
		.what = what,
		.message = message,
		.level = b->level,
		.zones = b->zones,
		.n_zones = b->n_zones,
		.clip = library_message(s->library, message),
		.cycles = library_cycles(s->library, message),
		.background = music,
		.how = broadcast_under(s->config),
		.resume = music ? RESUME_CONTINUE : RESUME_RESTART,
		.wait_ms = patience_ms,
		.lost_ms = patience_ms,
		.max_ms = one ? one->for_ms
			      : s->config->schedules[b->schedule].for_ms,
		.quiet = quiet_of(s, b),
		.persist = b->level >= ARB_EMERGENCY,
		.actor = actor,
		.cause = cause,
		.at_us = at_us,
	};

	/* None would be a live one. */
	if (!rq.clip)
		rq.clip = library_tone(s->library, LIBRARY_FALLBACK_TONE);
	snprintf(what, sizeof(what), "message %s", message);
	return broadcast_start(s->broadcasts, &rq, res);
}

/** An extra bell has no schedule to say it. */
static const struct config_schedule *schedule_of(const struct schedules *s,
						 const struct bell *b)
{
	return b->schedule >= 0 ? &s->config->schedules[b->schedule] : NULL;
}

static uint32_t grace_of(const struct schedules *s, const struct bell *b)
{
	const struct config_schedule *x = schedule_of(s, b);

	return x ? x->grace_ms : CHANGES_GRACE_MS;
}

static void ring(struct schedules *s, const struct bell *b, int64_t late_us)
{
	const int64_t grace_us = grace_of(s, b) * INT64_C(1000);
	const int64_t left = grace_us > late_us ? grace_us - late_us : 0;
	const struct config_schedule *x = schedule_of(s, b);
	struct broadcast_result res;
	char subject[80], local[CIVIL_TEXT], why[256];
	uint64_t event;

	subject_of(s, b->schedule, subject);
	event = record(s->recorder, EVENT_SCHEDULE_DUE, 0, subject, "clock",
		       json_pack("{s:I,s:I}", "at", (json_int_t)b->at,
				 "late_ms", (json_int_t)(late_us / 1000)),
		       "schedule %s: %s, %s%s", x ? x->name : "one-off",
		       civil_text(local, b->local),
		       timetable_why(s->tt, b, why, sizeof(why)),
		       late_us > 2000000 ? ", late but within its grace" : "");
	/* Why not, if not, is recorded there. */
	start(s, b, subject, event, 0,
	      x && x->busy == BUSY_DROP ? 0 : (uint32_t)(left / 1000), &res);
}

/** Is a bell of the same schedule due behind it? */
static bool overtaken(const struct schedules *s, size_t i, size_t end)
{
	/* What somebody asked for on its own is not made up for by another. */
	for (size_t k = s->bell[i].change < 0 ? i + 1 : end; k < end; k++)
		if (s->bell[k].schedule == s->bell[i].schedule &&
		    s->bell[k].at > s->bell[i].at &&
		    s->bell[k].verdict == BELL_RINGS)
			return true;
	return false;
}

struct missed {
	size_t n;
	int64_t first, last;
};

static void tell_missed(struct schedules *s, const struct missed *m)
{
	for (size_t i = 0; i <= s->config->n_schedules; i++) {
		const bool extra = i == s->config->n_schedules;
		const struct config_schedule *x =
			extra ? NULL : &s->config->schedules[i];
		const struct tz *tz = extra ? timetable_site_zone(s->tt)
					    : timetable_zone(s->tt, i);
		char subject[80], a[CIVIL_TEXT], b[CIVIL_TEXT];

		if (!m[i].n)
			continue;
		subject_of(s, extra ? -1 : (int)i, subject);
		civil_text(a, tz_local(tz, m[i].first));
		civil_text(b, tz_local(tz, m[i].last));
		record(s->recorder, EVENT_SCHEDULE_MISSED, 0, subject, "clock",
		       json_pack("{s:i,s:I,s:I}", "count", (int)m[i].n, "first",
				 (json_int_t)m[i].first, "last",
				 (json_int_t)m[i].last),
		       "schedule %s missed %zu bell%s from %s to %s: its grace "
		       "is %u s",
		       x ? x->name : "one-off", m[i].n, m[i].n == 1 ? "" : "s",
		       a, b, (x ? x->grace_ms : CHANGES_GRACE_MS) / 1000);
	}
}

static void tell_skipped(struct schedules *s, const struct bell *b)
{
	char subject[80], local[CIVIL_TEXT];

	subject_of(s, b->schedule, subject);
	record(s->recorder, EVENT_SCHEDULE_SKIPPED, 0, subject, "clock", NULL,
	       "schedule %s: %s is skipped, as was said",
	       s->config->schedules[b->schedule].name,
	       civil_text(local, b->local));
}

static void keep_change(struct schedules *s, const struct change *c, bool gone)
{
	char key[48], *text = gone ? NULL : change_write(c);

	snprintf(key, sizeof(key), KEPT_CHANGE "%u", c->id);
	if (s->journal && (gone || text))
		journal_state(s->journal, key, text);
	free(text);
}

/** Takes a change out of the plan; the bells know the others by number. */
static void take_out(struct schedules *s, size_t i)
{
	keep_change(s, s->changes.v[i], true);
	changes_drop(&s->changes, i);
	memset(s->typed, 0, sizeof(s->typed));
	s->n = 0;
	s->stale = true;
}

/** What is over ends by itself. */
static void drop_over(struct schedules *s, int64_t now)
{
	const struct tz *tz = timetable_site_zone(s->tt);

	for (size_t i = s->changes.n; i--;)
		if (change_end(s->changes.v[i], tz) <= now)
			take_out(s, i);
}

/** All bells up to now: they sound, or are told to be missed. */
static void deal(struct schedules *s, int64_t now_us)
{
	struct missed *m = calloc(s->config->n_schedules + 1, sizeof(*m));
	const int64_t now = now_us / 1000000;
	size_t end = 0, begin = 0;
	bool any = false;

	while (begin < s->n && s->bell[begin].at <= s->done)
		begin++;
	for (end = begin; end < s->n && s->bell[end].at <= now; end++)
		any = true;
	s->done = now;
	/* Kept before it sounds: a power cut in between must not ring twice. */
	if (any || now - s->kept >= SCHEDULES_KEEP)
		keep(s);
	for (size_t i = begin; m && i < end; i++) {
		const struct bell *b = &s->bell[i];
		const int64_t late = now_us - b->at * 1000000;
		struct missed *x =
			&m[b->schedule >= 0 ? (size_t)b->schedule
					    : s->config->n_schedules];

		if (b->verdict == BELL_SKIPPED) {
			tell_skipped(s, b);
		} else if (b->verdict != BELL_RINGS) {
			continue;
		} else if (late / 1000 > grace_of(s, b) + INT64_C(999) ||
			   overtaken(s, i, end)) {
			x->first = x->n++ ? x->first : b->at;
			x->last = b->at;
		} else {
			ring(s, b, late);
		}
	}
	if (m)
		tell_missed(s, m);
	free(m);
	drop_over(s, now);
}

/** The bells from what is done with to a day ahead. */
static void look_ahead(struct schedules *s, int64_t now)
{
	int64_t ahead = AHEAD;
	int err;

	if (!s->stale && s->from <= s->done && s->to > now + AHEAD_MIN / 2)
		return;
	do {
		free(s->bell);
		s->from = s->done;
		s->to = now + ahead;
		err = timetable_expand(s->tt, -1, s->from, s->to, &s->bell,
				       &s->n);
		ahead /= 4;
		/* Too much was missed to look through: the last of it. */
		if (err == E2BIG && ahead < AHEAD_MIN && s->done < now - 3600)
			s->done = now - 3600;
	} while (err == E2BIG && ahead >= AHEAD_MIN / 4);
	if (err)
		fault_raise(s->faults, "schedules", 0,
			    "Take schedules apart or free memory.",
			    "the plan of schedules cannot be worked out: %s",
			    err == E2BIG ? "too many bells within a minute, or "
					   "too many events in a calendar"
					 : strerror(err));
	else
		fault_clear(s->faults, "schedules");
	s->stale = err != 0;
}

static void arm(struct schedules *s, int64_t now_us)
{
	for (size_t i = 0; i < s->n; i++) {
		const int64_t ms =
			(s->bell[i].at * 1000000 - now_us + 999) / 1000;

		if (s->bell[i].at <= s->done)
			continue;
		/* Further ones are looked at again within a second. */
		if (ms <= 1500)
			tmr_start(&s->tmr, ms > 0 ? (uint64_t)ms : 0, on_timer,
				  s);
		return;
	}
}

static void tick(struct schedules *s)
{
	const int64_t now_us = clock_wall_us(), now = now_us / 1000000;

	if ((!s->config->n_schedules && !s->changes.n) ||
	    !feeds_ready(s->feeds) || !clock_good(s, now))
		return;
	s->seen = 0;
	if (!s->done) {
		/* The first start ever: nothing before it was promised. */
		s->done = now;
		keep(s);
	}
	if (s->done - now > SANITY_BACK) {
		log_warn(NULL,
			 "the clock was set back by more than 3 h: schedules "
			 "go by the new time from now on");
		s->done = now;
		s->stale = true;
		keep(s);
	}
	if (now - s->done > SCHEDULES_LOOK_BACK)
		s->done = now - SCHEDULES_LOOK_BACK;
	look_ahead(s, now);
	if (now > s->done)
		deal(s, now_us);
	/* A change that is over took the others' numbers with it. */
	if (s->stale)
		look_ahead(s, now);
	arm(s, now_us);
}

void schedules_watch(struct schedules *s)
{
	feeds_watch(s->feeds);
	tick(s);
}

/* ----------------------------------------------------------------- commands */

/** The instant of the count-th bell from now on; 0 = there are not so many. */
static int64_t nth_bell(struct schedules *s, int schedule, int count)
{
	const int64_t now = clock_wall_us() / 1000000;
	int64_t days = 8, found = 0;

	for (; days <= SCHEDULES_MAX_DAYS * 2 && !found; days *= 3) {
		struct bell *v = NULL;
		size_t n = 0;
		int left = count;

		if (timetable_expand(s->tt, schedule, now, now + days * 86400,
				     &v, &n))
			break;
		for (size_t i = 0; i < n && left; i++)
			if ((v[i].verdict == BELL_RINGS ||
			     v[i].verdict == BELL_SKIPPED) &&
			    !--left)
				found = v[i].at;
		free(v);
	}
	return found;
}

int schedules_skip(struct schedules *s, int schedule, int count, int64_t until,
		   const char *actor, struct reason *why)
{
	const struct config_schedule *x = &s->config->schedules[schedule];
	const int64_t now = clock_wall_us() / 1000000;
	char key[96], text[32], subject[80], local[CIVIL_TEXT];

	if (count > 0) {
		until = nth_bell(s, schedule, count);
		if (!until)
			return reason_set(why, EINVAL,
					  "schedule %s has no %d bells within "
					  "two years",
					  x->name, count);
	} else if (!count) {
		until = 0;
	} else if (until <= now ||
		   until > now + SCHEDULES_MAX_DAYS * INT64_C(86400)) {
		return reason_set(why, EINVAL,
				  "\"until\" must be within the next %d days",
				  SCHEDULES_MAX_DAYS);
	}
	timetable_skip(s->tt, (size_t)schedule, until);
	s->stale = true;
	snprintf(key, sizeof(key), KEPT_SKIP "%s", x->name);
	snprintf(text, sizeof(text), "%lld", (long long)until);
	if (s->journal)
		journal_state(s->journal, key, until ? text : NULL);
	subject_of(s, schedule, subject);
	record(s->recorder, EVENT_SCHEDULE_CHANGED, 0, subject, actor, NULL,
	       until ? "schedule %s: nothing up to %s, itself included"
		     : "schedule %s: nothing is skipped any more%s",
	       x->name,
	       until ? civil_text(
			       local,
			       tz_local(timetable_zone(s->tt, (size_t)schedule),
					until))
		     : "");
	tick(s);
	return 0;
}

int schedules_run(struct schedules *s, int schedule, const char *actor,
		  uint64_t at_us, struct broadcast_result *res)
{
	const struct config_schedule *x = &s->config->schedules[schedule];
	const struct bell b = {
		.schedule = schedule,
		.message = x->n_message ? x->message[0] : -1,
		.zones = x->zones,
		.n_zones = x->n_zones,
		.level = x->level,
		.change = -1,
		.calendar = -1,
		.event = -1,
	};

	*res = (struct broadcast_result){0};
	if (b.message < 0 || !b.n_zones)
		return reason_set(&res->why, ENOENT,
				  "schedule %s has no message and zones of its "
				  "own: its events have them",
				  x->name);
	return start(s, &b, actor, 0, at_us, x->grace_ms, res);
}

const char *schedules_day_type(struct schedules *s, int64_t day)
{
	const int64_t now = clock_wall_us() / 1000000;
	const size_t k = (size_t)(day & 3);

	if (s->typed[k].at != now || s->typed[k].day != day ||
	    !s->typed[k].type) {
		s->typed[k].at = now;
		s->typed[k].day = day;
		s->typed[k].type = timetable_day_type(s->tt, day);
	}
	return s->typed[k].type;
}

/* ------------------------------------------------------------------ changes */

int schedules_instant(const struct schedules *s, int schedule, const char *text,
		      int64_t *at, struct reason *why)
{
	const struct tz *tz = schedule >= 0
				      ? timetable_zone(s->tt, (size_t)schedule)
				      : timetable_site_zone(s->tt);
	int64_t local, utc[2];

	if (!command_time(text, strlen(text), &local)) {
		*at = local / 1000000;
		return 0;
	}
	if (!civil_read_local(text, &local))
		return reason_set(why, EINVAL,
				  "\"%.40s\" is no time; write it like "
				  "2026-12-24T10:00 (local) or "
				  "2026-12-24T09:00:00Z",
				  text);
	if (tz_utc(tz, local, utc) == TZ_GAP)
		return reason_set(why, EINVAL,
				  "%.40s does not happen: clocks are put "
				  "forward over it",
				  text);
	*at = utc[0];
	return 0;
}

/** The bell of a schedule at an instant. */
static bool bell_at(struct schedules *s, int schedule, int64_t at,
		    struct bell *found)
{
	struct bell *v = NULL;
	size_t n = 0;
	bool any = false;

	if (timetable_expand(s->tt, schedule, at - 1, at, &v, &n))
		return false;
	for (size_t i = 0; i < n && !any; i++)
		if (v[i].verdict == BELL_RINGS && v[i].change < 0) {
			*found = v[i];
			any = true;
		}
	free(v);
	return any;
}

/** Fills in what the moved bell sounds; NULL with the reason. */
static struct change *take_over(struct schedules *s, struct change *c,
				struct reason *why)
{
	const int x = config_schedule_find(s->config, c->schedule);
	struct change *full = NULL;
	char local[CIVIL_TEXT];
	struct bell b;

	if (x < 0 || !bell_at(s, x, c->from, &b) || !bell_message(s->tt, &b)) {
		reason_set(
			why, EINVAL,
			"schedule %s has no bell at %s that sounds",
			c->schedule,
			civil_text(local,
				   tz_local(x < 0 ? timetable_site_zone(s->tt)
						  : timetable_zone(s->tt,
								   (size_t)x),
					    c->from)));
	} else if (b.n_zones > CHANGES_MAX_ZONES) {
		reason_set(why, EINVAL,
			   "schedule %s names more than %d zones: name a zone "
			   "of zones instead",
			   c->schedule, CHANGES_MAX_ZONES);
	} else {
		full = change_alloc(CHANGE_MOVE, b.n_zones);
		if (!full)
			reason_set(why, ENOMEM, "not enough memory");
	}
	if (full) {
		full->at = c->at;
		full->from = c->from;
		full->level = b.level;
		full->for_ms = s->config->schedules[x].for_ms;
		snprintf(full->schedule, sizeof(full->schedule), "%s",
			 c->schedule);
		snprintf(full->message, sizeof(full->message), "%s",
			 bell_message(s->tt, &b));
		for (size_t i = 0; i < b.n_zones; i++)
			snprintf(full->zones[full->n_zones++], CONFIG_MAX_NAME,
				 "%s", s->config->zones[b.zones[i]].name);
	}
	change_free(c);
	return full;
}

/** Does a calendar give days this type, or a schedule want it? */
static bool known_type(const struct config *c, const char *type)
{
	if (!strcmp(type, "normal"))
		return true;
	for (size_t i = 0; i < c->n_calendars; i++)
		if (c->calendars[i].day_type &&
		    !strcmp(c->calendars[i].day_type, type))
			return true;
	for (size_t i = 0; i < c->n_schedules; i++)
		for (size_t k = 0; k < c->schedules[i].n_day_types; k++)
			if (!strcmp(c->schedules[i].day_types[k], type))
				return true;
	return false;
}

static int check_change(const struct schedules *s, const struct change *c,
			int64_t now, struct reason *why)
{
	if (s->changes.n == CHANGES_MAX)
		return reason_set(why, ENOSPC,
				  "there are %d one-off changes already, which "
				  "is the most; take one back",
				  CHANGES_MAX);
	if (change_end(c, timetable_site_zone(s->tt)) <= now ||
	    (c->kind != CHANGE_DAY_TYPE && c->at <= now) ||
	    (c->kind == CHANGE_MOVE && c->from <= now))
		return reason_set(why, EINVAL, "that time is over");
	if ((c->kind == CHANGE_DAY_TYPE ? c->last * CIVIL_DAY : c->at) >
	    now + SCHEDULES_MAX_DAYS * CIVIL_DAY)
		return reason_set(why, EINVAL,
				  "that is more than %d days ahead: it belongs "
				  "into the configuration or a calendar",
				  SCHEDULES_MAX_DAYS);
	if (c->kind == CHANGE_DAY_TYPE &&
	    (c->last < c->first || !known_type(s->config, c->day_type)))
		return reason_set(why, EINVAL,
				  c->last < c->first
					  ? "the last day lies before the first"
					  : "no calendar and no schedule knows "
					    "days of type \"%.63s\"",
				  c->day_type);
	if (c->kind != CHANGE_DAY_TYPE && !c->for_ms &&
	    !library_cycles(s->library, c->message))
		return reason_set(why, EINVAL,
				  "message %s repeats without end: say for how "
				  "long",
				  c->message);
	return 0;
}

static void change_text(const struct schedules *s, const struct change *c,
			char *buf, size_t size)
{
	const struct tz *tz = timetable_site_zone(s->tt);
	char a[CIVIL_TEXT], b[CIVIL_TEXT];

	if (c->kind == CHANGE_DAY_TYPE)
		snprintf(buf, size, "days of type %s from %.10s to %.10s",
			 c->day_type, civil_text(a, c->first * CIVIL_DAY),
			 civil_text(b, c->last * CIVIL_DAY));
	else if (c->kind == CHANGE_MOVE)
		snprintf(buf, size, "bell of schedule %s from %s at %s",
			 c->schedule, civil_text(a, tz_local(tz, c->from)),
			 civil_text(b, tz_local(tz, c->at)));
	else
		snprintf(buf, size, "extra bell %s at %s", c->message,
			 civil_text(a, tz_local(tz, c->at)));
}

static void tell_change(struct schedules *s, const struct change *c,
			const char *actor, const char *what)
{
	char text[256];

	change_text(s, c, text, sizeof(text));
	record(s->recorder, EVENT_SCHEDULE_CHANGED, 0, "schedule", actor,
	       change_json(c, timetable_site_zone(s->tt)),
	       "one-off change %u %s: %s", c->id, what, text);
}

uint32_t schedules_change(struct schedules *s, struct change *c,
			  const char *actor, struct reason *why)
{
	const int64_t now = clock_wall_us() / 1000000;

	if (c->kind == CHANGE_MOVE)
		c = take_over(s, c, why);
	if (!c || check_change(s, c, now, why)) {
		change_free(c);
		return 0;
	}
	c->id = s->changes.last + 1;
	c->made = now;
	snprintf(c->actor, sizeof(c->actor), "%s", actor);
	change_resolve(c, s->config);
	changes_put(&s->changes, c);
	memset(s->typed, 0, sizeof(s->typed));
	keep_change(s, c, false);
	s->stale = true;
	tell_change(s, c, actor, "made");
	tick(s);
	return c->id;
}

bool schedules_unchange(struct schedules *s, uint32_t id, const char *actor)
{
	const int i = changes_find(&s->changes, id);

	if (i < 0)
		return false;
	tell_change(s, s->changes.v[i], actor, "taken back");
	take_out(s, (size_t)i);
	tick(s);
	return true;
}

const struct change *schedules_find_change(const struct schedules *s,
					   uint32_t id)
{
	const int i = changes_find(&s->changes, id);

	return i >= 0 ? s->changes.v[i] : NULL;
}

json_t *schedules_change_json(const struct schedules *s, uint32_t id)
{
	const struct change *c = schedules_find_change(s, id);

	return c ? change_json(c, timetable_site_zone(s->tt)) : NULL;
}

json_t *schedules_changes_json(const struct schedules *s)
{
	json_t *a = json_array();

	for (size_t i = 0; i < s->changes.n; i++)
		json_array_append_new(a,
				      change_json(s->changes.v[i],
						  timetable_site_zone(s->tt)));
	return a;
}

/* -------------------------------------------------------------------- views */

json_t *schedule_json(const struct schedules *s, int schedule)
{
	return view_schedule(s->tt, s->config, schedule,
			     clock_wall_us() / 1000000);
}

json_t *schedules_json(const struct schedules *s)
{
	json_t *a = json_array();

	for (size_t i = 0; i < s->config->n_schedules; i++)
		json_array_append_new(a, schedule_json(s, (int)i));
	return a;
}

json_t *schedules_calendars_json(const struct schedules *s)
{
	return feeds_json(s->feeds);
}

json_t *schedules_next_json(const struct schedules *s, int64_t t1, int64_t t2,
			    bool all, struct reason *why)
{
	return view_bells(s->tt, s->config, t1, t2, all, SCHEDULES_MAX_ROWS,
			  why);
}

bool schedules_day(const struct schedules *s, const char *date, int64_t t[2])
{
	return view_day(s->tt, date, t);
}
