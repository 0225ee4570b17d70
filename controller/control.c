/*
 * The control thread: owner of all state but sound in flight.
 *
 * Everything that happens comes to it as a handler call from libre's loop: SIP,
 * timers, the media engine's reports, messages of the MQTT, web and reload
 * threads. Nothing here may block for longer than a few milliseconds.
 */
#include "control_internal.h"

#include "schedule/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/** Period of the look at everything that has no event of its own. */
#define LOOK_MS 1000
/** The media thread turns at least once a second; three missed is a fault. */
#define MEDIA_DEAD_US 3000000
/** Events waiting this long for the disk are a fault. */
#define JOURNAL_SLOW_US 10000000

static void print_error(const struct config_where *at, const char *text,
			void *arg)
{
	(void)arg;
	if (at && at->file)
		fprintf(stderr, "%s:%d: %s\n", at->file, at->line, text);
	else
		fprintf(stderr, "%s\n", text);
}

enum control_exit control_check(const char *path)
{
	struct config *c = NULL;
	struct library *l = NULL;

	if (reload_now(path, LIBRARY_CHECK, &c, &l, print_error, NULL))
		return CONTROL_BAD_CONFIG;
	printf("%s: fine: %zu zones, %zu outputs of sound, %zu messages, %zu "
	       "inputs, %zu alarms, %zu schedules\n",
	       path, c->n_zones, c->n_sounds, c->n_messages, c->n_inputs,
	       c->n_alarms, c->n_schedules);
	library_free(l);
	config_free(c);
	return CONTROL_STOPPED;
}

/* --------------------------------------------------------------- handlers */

static void on_fault(const struct fault *f, bool raised, void *arg)
{
	struct control *c = arg;
	char subject[80];

	snprintf(subject, sizeof(subject), "fault:%.70s", f->key);
	record(c->recorder, raised ? EVENT_FAULT_RAISED : EVENT_FAULT_CLEARED,
	       0, subject, NULL,
	       raised ? json_pack("{s:s,s:i}", "remedy", f->remedy, "detect_ms",
				  (int)f->detect_ms)
		      : NULL,
	       raised ? "%s" : "over: %s", f->text);
	if (c->field)
		field_fault_outputs(c->field);
}

static void on_input(int input, uint64_t event, uint64_t at_us, void *arg)
{
	struct control *c = arg;

	/* Between two configurations the alarms look at all inputs anew. */
	if (c->alarms && !c->scope.changing)
		alarms_input(c->alarms, input, event, at_us);
}

static void on_publish(const char *topic, const char *payload, void *arg)
{
	struct control *c = arg;

	bridge_publish(topic, payload, c->bridge);
}

static void on_alarm_publish(const char *topic, const char *payload,
			     bool retain, void *arg)
{
	struct control *c = arg;

	bridge_send(topic, payload, retain, c->bridge);
}

static void on_event(const struct event *e, void *arg)
{
	struct control *c = arg;
	char *text;
	json_t *o;

	if (c->web) {
		o = event_json(e);
		text = o ? json_dumps(o, JSON_COMPACT) : NULL;
		if (text)
			web_publish(c->web, e->id, event_type_name(e->type),
				    text);
		free(text);
		json_decref(o);
	}
	if (c->bridge)
		bridge_event(e, c->bridge);
	if (c->notify)
		notify_event(e, c->notify);
	if (c->follow)
		follow_event(e, c->follow);
	if (c->lamps)
		lamps_seen_look(c->lamps);
}

static void on_report(const struct media_report *r, void *arg)
{
	struct control *c = arg;

	switch (r->type) {
	case MEDIA_FIRST_SENT:
	case MEDIA_FINISHED:
	case MEDIA_SLOT_FREE:
		broadcasts_report(c->broadcasts, r);
		break;
	case MEDIA_LEG_RTP:
	case MEDIA_LEG_SILENT:
	case MEDIA_LEG_UNREACHABLE:
	case MEDIA_LEG_KEY:
	case MEDIA_LEG_CLOSED:
	case MEDIA_PROMPT_DONE:
	case MEDIA_STREAM_BEGAN:
	case MEDIA_STREAM_ENDED:
		if (r->index < MEDIA_CALL_LEGS)
			paging_report(c->paging, r);
		else if (r->index < MUSIC_FIRST_LEG)
			sources_report(c->sources, r);
		else if (r->index >= MEDIA_FIRST_HELP_LEG)
			help_report(c->help, r);
		else if (r->index >= MEDIA_FIRST_OWN_LEG)
			summons_report(c->summons, r);
		else
			musics_report(c->musics, r);
		break;
	case MEDIA_RECORDED:
		stored_report(c->stored, r);
		break;
	case MEDIA_OUTPUT_ERROR:
		speakers_trouble(c->speakers, r->index);
		sounds_trouble(c->sounds, r->index, r->n,
			       r->err ? r->err : EIO);
		break;
	case MEDIA_OUTPUT_OK:
		sounds_trouble(c->sounds, r->index, r->n, 0);
		break;
	case MEDIA_LATE:
		c->late_reports++;
		log_rated(&c->late, LOG_LEVEL_WARN, NULL,
			  "the media thread woke %u us late: the machine is "
			  "busy or lacks real-time priority",
			  r->n);
		break;
	}
}

/** It has another sound now. */
static void on_message(const char *name, void *arg)
{
	struct control *c = arg;

	announce_message(c->announce, name);
}

/* A loudspeaker has answered, or is gone. */
static void on_speakers(const struct arb_set *outputs, void *arg)
{
	struct control *c = arg;

	broadcasts_reroute(c->broadcasts, outputs);
}

static void on_media_fd(int flags, void *arg)
{
	struct control *c = arg;

	(void)flags;
	media_poll(c->media);
}

/* ------------------------------------------------------------ once a second */

bool control_healthy(const struct control *c)
{
	return clock_mono_us() - media_heartbeat(c->media) < MEDIA_DEAD_US;
}

static void look_at_journal(struct control *c)
{
	struct journal_health h;

	if (!c->journal)
		return;
	journal_health(c->journal, &h);
	if (*h.error)
		fault_raise(c->faults, "journal", LOOK_MS,
			    "Free or repair the disk that holds state-dir.",
			    "the journal cannot be written: %s", h.error);
	else if (h.oldest_wait_us > JOURNAL_SLOW_US)
		fault_raise(c->faults, "journal",
			    JOURNAL_SLOW_US / 1000 + LOOK_MS,
			    "See what keeps the disk of state-dir busy.",
			    "the disk stalls: events wait for the journal");
	else
		fault_clear(c->faults, "journal");
	if (h.dropped != c->journal_dropped)
		log_warn(NULL,
			 "%llu events could not be kept: the journal's "
			 "queue was full",
			 (unsigned long long)(h.dropped - c->journal_dropped));
	c->journal_dropped = h.dropped;
}

static void look_at_clock(struct control *c, uint64_t now)
{
	int64_t wall = clock_wall_us();
	int64_t step = clock_watch_step(&c->clock, now, wall);
	char text[CLOCK_TEXT_SIZE];

	if (!step)
		return;
	record(c->recorder, EVENT_CLOCK_STEPPED, 0, "clock", NULL,
	       json_pack("{s:I}", "step_us", (json_int_t)step),
	       "the wall clock was set %s by %lld ms to %s; calls and "
	       "broadcasts do not depend on it",
	       step > 0 ? "forward" : "back", (long long)llabs(step) / 1000,
	       clock_format(text, wall));
	schedules_stepped(c->schedules);
}

static void on_look(void *arg)
{
	struct control *c = arg;
	uint64_t now = clock_mono_us();

	if (now > c->next_look_us && now - c->next_look_us > c->max_lag_us)
		c->max_lag_us = now - c->next_look_us;
	c->next_look_us = now + LOOK_MS * UINT64_C(1000);
	tmr_start(&c->tmr, LOOK_MS, on_look, c);

	look_at_clock(c, now);
	look_at_journal(c);
	if (sounds_watch(c->sounds)) {
		broadcasts_reroute(c->broadcasts, NULL);
		proof_renew(c->proof);
	}
	sources_watch(c->sources);
	musics_watch(c->musics);
	field_watch(c->field);
	alarms_watch(c->alarms);
	announce_watch(c->announce);
	endpoints_watch(c->endpoints);
	accounts_watch(c->accounts);
	schedules_watch(c->schedules);
	quiets_watch(c->quiets);
	music_hours_watch(c->music_hours);
	notify_watch(c->notify);
	caps_watch(c->caps);
	lamps_seen_look(c->lamps);
	if (control_healthy(c)) {
		fault_clear(c->faults, "media");
		/* Fed only here: by a control turn that saw the media thread
		 * alive. */
		sd_notify(0, "WATCHDOG=1");
	} else {
		fault_raise(c->faults, "media", MEDIA_DEAD_US / 1000,
			    "The watchdog restarts the daemon; report this.",
			    "the media thread does not turn any more");
	}
}

/* ------------------------------------------------------------------- start */

static int make_dir(const char *path)
{
	char buf[512];

	snprintf(buf, sizeof(buf), "%s", path);
	for (char *p = buf + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			if (mkdir(buf, 0755) && errno != EEXIST)
				return errno;
			*p = '/';
		}
	return mkdir(buf, 0750) && errno != EEXIST ? errno : 0;
}

static void open_journal(struct control *c)
{
	struct reason why = {""};
	struct journal_health h = {0};
	bool damaged;
	int err = make_dir(c->config->state_dir);

	if (err)
		reason_set(&why, err, "state-dir %s: %s", c->config->state_dir,
			   strerror(err));
	else
		err = journal_open(&c->journal, c->config->state_dir, &why);
	/* Without a journal the box still alarms; it only forgets. */
	if (err || why.text[0])
		log_error(NULL, "journal: %s", why.text);
	/* Open, but it cannot be written: the once-a-second look tells. */
	if (c->journal)
		journal_health(c->journal, &h);
	damaged = !err && why.text[0] && !*h.error;
	if (!recorder_alloc(&c->recorder, c->journal))
		recorder_sink(c->recorder, on_event, c);
	if (!faults_alloc(&c->faults, on_fault, c) && c->recorder &&
	    (err || damaged))
		fault_raise(c->faults, err ? "journal" : "journal:damaged", 0,
			    err ? "Make state-dir writable and restart."
				: "Look after the disk; the damaged file is "
				  "kept beside the new one. A reload takes "
				  "this fault off the list.",
			    "%s", why.text);
}

struct web_user *control_users(const struct config *c, size_t *n)
{
	static const enum web_role role[] = {
		[USER_VIEWER] = WEB_VIEWER,
		[USER_OPERATOR] = WEB_OPERATOR,
		[USER_ADMIN] = WEB_ADMIN,
	};
	struct web_user *u = calloc(c->n_users + c->n_tokens + 1, sizeof(*u));

	*n = 0;
	for (size_t i = 0; u && i < c->n_users; i++) {
		const struct config_user *x = &c->users[i];

		u[(*n)++] = (struct web_user){
			.name = x->name,
			.password_hash = x->password_hash,
			.role = role[x->role],
			.zones = x->zones,
			.n_zones = x->n_zones,
			.messages = x->messages,
			.n_messages = x->n_messages,
		};
	}
	for (size_t i = 0; u && i < c->n_tokens; i++) {
		const struct config_token *x = &c->tokens[i];

		u[(*n)++] = (struct web_user){
			.name = x->name,
			.password_hash = x->hash,
			.token = true,
			.scopes = x->scopes,
			.expires_s = x->expires_s,
			.zones = x->zones,
			.n_zones = x->n_zones,
			.messages = x->messages,
			.n_messages = x->n_messages,
		};
	}
	return u;
}

static void on_refused(const char *actor, const char *why, void *arg)
{
	struct control *c = arg;

	record(c->recorder, EVENT_ACCESS_REFUSED, 0, "web", actor, NULL, "%s",
	       why);
}

static int open_web(struct control *c, struct reason *why)
{
	const struct config_web *w = &c->config->web;
	char spool[STORE_PATH];
	struct web_user *users;
	struct web_options opt = {
		.host = w->host,
		.port = w->port,
		.tls_cert = w->tls_cert,
		.socket = w->socket && *w->socket ? w->socket : NULL,
		.group = w->group,
		.spool = store_dir(spool, c->config->state_dir),
	};
	struct web_handlers h = {
		.request = api_request,
		.refused = on_refused,
		.blocking_paths = api_blocking_paths,
		.blocking = api_blocking,
	};
	int err;

	users = control_users(c->config, &opt.n_users);
	opt.users = users;
	err = web_alloc(&c->web, &opt, &h, c, why);
	free(users);
	return err;
}

static int open_parts(struct control *c, struct reason *why)
{
	struct media_options opt = {
		.rt_priority = c->config->media.rt_priority,
		.tail_ms = c->config->media.tail_ms,
		.leg_silence_ms = c->config->sip.rtp_timeout_ms,
	};
	int err = media_alloc(&c->media, &opt, on_report, c);

	if (err)
		return reason_set(why, err, "media engine: %s", strerror(err));
	err = tc_fd_listen(&c->media_fd, media_report_fd(c->media), FD_READ,
			   on_media_fd, c);
	if (err)
		return reason_set(why, err, "media engine: %s", strerror(err));
	if (opt.rt_priority && !media_realtime(c->media))
		log_warn(NULL,
			 "no real-time priority for the media thread: "
			 "set LimitRTPRIO=%u in the service, or "
			 "realtime-priority = 0 to accept it",
			 opt.rt_priority);
	if (sounds_alloc(&c->sounds, c->media, c->faults) ||
	    proof_alloc(&c->proof, c->media, c->sounds, c->faults) ||
	    broadcasts_alloc(&c->broadcasts, c->media, c->sounds, c->recorder,
			     c->journal) ||
	    field_alloc(&c->field, c->recorder, c->faults, on_input, on_publish,
			c) ||
	    alarms_alloc(&c->alarms, c->broadcasts, c->field, c->recorder,
			 c->faults, c->journal) ||
	    schedules_alloc(&c->schedules, c->broadcasts, c->recorder,
			    c->faults, c->journal) ||
	    follow_alloc(&c->follow, &c->scope, c->faults) ||
	    quiets_alloc(&c->quiets, c->broadcasts, c->schedules,
			 c->recorder) ||
	    amps_alloc(&c->amps, c->field) ||
	    speakers_alloc(&c->speakers, c->sounds, c->faults, on_speakers,
			   c) ||
	    stored_alloc(&c->stored, c->media, c->broadcasts, c->recorder,
			 c->journal) ||
	    paging_alloc(&c->paging, c->media, c->broadcasts, c->stored,
			 c->alarms, c->recorder, c->faults) ||
	    summons_alloc(&c->summons, c->media, c->recorder, c->faults) ||
	    help_alloc(&c->help, c->media, c->recorder, c->faults, c->alarms,
		       c->journal, c->field) ||
	    musics_alloc(&c->musics, c->media, c->broadcasts, c->recorder,
			 c->journal, c->faults) ||
	    music_hours_alloc(&c->music_hours, c->musics, c->schedules) ||
	    sources_alloc(&c->sources, c->media, c->broadcasts, c->stored,
			  c->recorder, c->faults) ||
	    lamps_seen_alloc(&c->lamps, &c->scope) ||
	    displays_alloc(&c->displays, c->recorder) ||
	    accounts_alloc(&c->accounts, c->recorder, c->faults) ||
	    endpoints_alloc(&c->endpoints, c->recorder, c->faults,
			    c->journal) ||
	    announce_alloc(&c->announce, c->faults) ||
	    uploads_alloc(&c->uploads, c->recorder, on_message, c) ||
	    bridge_alloc(&c->bridge, &c->scope, c->faults) ||
	    plc_alloc(&c->plc, &c->scope, c->faults) ||
	    webhooks_alloc(&c->webhooks, &c->scope, c->faults, c->journal) ||
	    notify_alloc(&c->notify, c->faults) ||
	    caps_alloc(&c->caps, &c->scope, c->faults, c->journal))
		return reason_set(why, ENOMEM, "not enough memory");
	alarms_publisher(c->alarms, on_alarm_publish, c);
	alarms_displays(c->alarms, c->displays);
	paging_help(c->paging, c->help);
	help_summons(c->help, c->summons);
	return 0;
}

static void set_scope(struct control *c)
{
	c->scope = (struct command_scope){
		.config = c->config,
		.library = c->library,
		.broadcasts = c->broadcasts,
		.alarms = c->alarms,
		.schedules = c->schedules,
		.field = c->field,
		.paging = c->paging,
		.help = c->help,
		.stored = c->stored,
		.musics = c->musics,
		.recorder = c->recorder,
		.announce = c->announce,
	};
}

/** Puts c->config and c->library in force in every part. */
static int configure(struct control *c, struct reason *why)
{
	int err;

	set_scope(c);
	c->scope.changing = true;
	if (!c->debug)
		log_init(log_level_by_name(c->config->log_level));
	err = sounds_apply(c->sounds, c->config);
	if (err) {
		reason_set(why, err, "outputs of sound: %s", strerror(err));
		goto out;
	}
	if (speakers_configure(c->speakers, c->config)) {
		err = reason_set(why, ENOMEM, "not enough memory");
		goto out;
	}
	broadcasts_speakers(c->broadcasts, c->speakers);
	proof_configure(c->proof, c->config);
	/* Amplifiers go by the new zones once their relays are there. */
	broadcasts_amps(c->broadcasts, NULL);
	broadcasts_configure(c->broadcasts, c->config);
	stored_configure(c->stored, c->config, c->library);
	paging_configure(c->paging, c->config, c->library);
	announce_configure(c->announce, c->config, c->library);
	help_configure(c->help, c->config, c->library);
	summons_configure(c->summons, c->config, c->library);
	err = uploads_configure(c->uploads, c->config, c->library);
	if (err) {
		reason_set(why, err, "not enough memory");
		goto out;
	}
	/* Made now, not when the first caller waits for them. */
	library_tone(c->library, PAGING_PREEMPTED_TONE);
	library_tone(c->library, c->config->sip.preempted_message);
	if (c->config->sip.go_ahead && *c->config->sip.go_ahead)
		library_tone(c->library, c->config->sip.go_ahead);
	if (c->config->sip.chime && *c->config->sip.chime)
		library_chime(c->library, c->config->sip.chime);
	for (size_t i = 0; i < c->config->n_zones; i++)
		if (c->config->zones[i].chime && *c->config->zones[i].chime)
			library_chime(c->library, c->config->zones[i].chime);
	err = field_configure(c->field, c->config);
	if (!err)
		err = amps_configure(c->amps, c->config);
	if (!err)
		broadcasts_amps(c->broadcasts, c->amps);
	if (!err)
		err = alarms_configure(c->alarms, c->config, c->library);
	if (!err)
		err = sources_configure(c->sources, c->config);
	if (!err)
		err = musics_configure(c->musics, c->config);
	if (!err)
		err = notify_configure(c->notify, c->config);
	if (!err)
		err = caps_configure(c->caps);
	if (err)
		reason_set(why, err, "not enough memory");
	else
		err = schedules_configure(c->schedules, c->config, c->library,
					  why);
	if (!err)
		err = quiets_configure(c->quiets, c->config, why);
	if (!err)
		err = music_hours_configure(c->music_hours, c->config, why);
out:
	c->scope.changing = false;
	return err;
}

static void on_reloaded(struct config *config, struct library *library,
			const char *errors, void *arg);

static enum control_exit start(struct control *c)
{
	struct reason why = {""};

	open_journal(c);
	if (!c->recorder || !c->faults)
		return CONTROL_INTERNAL;
	if (library_build(&c->library, c->config, LIBRARY_START, print_error,
			  c))
		return CONTROL_BAD_CONFIG;
	/* Told only: a calendar that is away must not keep alarms away. */
	if (view_check(c->config, c->library, false, print_error, NULL) ==
	    ENOMEM)
		return CONTROL_INTERNAL;
	if (open_parts(c, &why) || configure(c, &why))
		goto failed;
	if (c->journal) {
		broadcasts_restore(c->broadcasts);
		stored_restore(c->stored);
		help_restore(c->help);
		alarms_restore(c->alarms);
		schedules_restore(c->schedules);
		musics_restore(c->musics);
		restore_broadcasts(&c->scope, c->journal);
	}
	if (c->config->sip.n_listen &&
	    stack_alloc(&c->stack, c->config, &paging_handlers, c->paging,
			&why))
		goto failed;
	if (endpoints_configure(c->endpoints, c->config, c->stack)) {
		reason_set(&why, ENOMEM, "not enough memory");
		goto failed;
	}
	accounts_configure(c->accounts, c->config, c->stack);
	lamps_seen_stack(c->lamps, c->stack);
	displays_stack(c->displays, c->stack);
	speakers_stack(c->speakers, c->stack);
	summons_stack(c->summons, c->stack);
	alarms_caller(c->alarms, c->summons);
	bridge_configure(c->bridge, &why);
	plc_configure(c->plc);
	if (open_web(c, &why))
		goto failed;
	/* Nobody comes in by a webhook before. */
	if (webhooks_configure(c->webhooks, c->web)) {
		reason_set(&why, ENOMEM, "not enough memory");
		goto failed;
	}
	if (reload_alloc(&c->reload, on_reloaded, c))
		goto failed;
	record(c->recorder, EVENT_DAEMON_STARTED, 0, "daemon", NULL,
	       json_pack("{s:s,s:i}", "version", TOCSIN_VERSION, "ready_ms",
			 (int)((clock_mono_us() - c->started_us) / 1000)),
	       "tocsind %s serves site %s: %zu zones, %u outputs of sound, "
	       "%zu alarms",
	       TOCSIN_VERSION, c->config->site, c->config->n_zones,
	       sounds_count(c->sounds), c->config->n_alarms);
	clock_watch_init(&c->clock, clock_mono_us(), clock_wall_us());
	c->next_look_us = UINT64_MAX;
	on_look(c);
	sd_notify(0, "READY=1");
	return CONTROL_STOPPED;
failed:
	log_error(NULL, "cannot start: %s", why.text);
	return CONTROL_CANNOT_START;
}

enum control_exit control_alloc(struct control **cp, const char *path,
				bool debug)
{
	struct control *c = calloc(1, sizeof(*c));
	enum control_exit code;

	if (!c)
		return CONTROL_INTERNAL;
	tmr_init(&c->tmr);
	c->media_fd.fd = -1;
	c->debug = debug;
	c->started_us = clock_mono_us();
	c->late = (struct log_rate){.burst = 3, .per_ms = 60000};
	c->path = strdup(path);
	if (!c->path) {
		free(c);
		return CONTROL_INTERNAL;
	}
	if (config_load(&c->config, path, print_error, NULL)) {
		control_free(c);
		return CONTROL_BAD_CONFIG;
	}
	code = start(c);
	if (code != CONTROL_STOPPED)
		control_free(c);
	else
		*cp = c;
	return code;
}

struct control *control_free(struct control *c)
{
	if (!c)
		return NULL;
	sd_notify(0, "STOPPING=1");
	/* While all that the loop may call is there, and it turns still. */
	c->lamps = lamps_seen_free(c->lamps);
	if (c->stack)
		account_leave(c->stack);
	tmr_cancel(&c->tmr);
	if (c->recorder)
		record(c->recorder, EVENT_DAEMON_STOPPING, 0, "daemon", NULL,
		       NULL, "tocsind stops");
	reload_free(c->reload);
	/* While those who wait can still be told. */
	c->uploads = uploads_free(c->uploads);
	c->announce = announce_free(c->announce);
	c->scope.announce = NULL;
	c->web = web_free(c->web);
	if (c->broadcasts)
		broadcasts_speakers(c->broadcasts, NULL);
	c->speakers = speakers_free(c->speakers);
	if (c->alarms)
		alarms_caller(c->alarms, NULL);
	if (c->alarms)
		alarms_displays(c->alarms, NULL);
	c->displays = displays_free(c->displays);
	if (c->help)
		help_summons(c->help, NULL);
	c->summons = summons_free(c->summons);
	c->endpoints = endpoints_free(c->endpoints);
	c->accounts = accounts_free(c->accounts);
	c->stack = stack_free(c->stack);
	if (c->recorder)
		recorder_flush(c->recorder);
	/* After the last event. */
	c->notify = notify_free(c->notify);
	c->plc = plc_free(c->plc);
	c->webhooks = webhooks_free(c->webhooks);
	c->caps = caps_free(c->caps);
	c->bridge = bridge_free(c->bridge);
	c->music_hours = music_hours_free(c->music_hours);
	c->quiets = quiets_free(c->quiets);
	c->schedules = schedules_free(c->schedules);
	c->alarms = alarms_free(c->alarms);
	if (c->broadcasts)
		broadcasts_amps(c->broadcasts, NULL);
	c->follow = follow_free(c->follow);
	c->amps = amps_free(c->amps);
	c->field = field_free(c->field);
	c->proof = proof_free(c->proof);
	if (c->media_fd.fd >= 0)
		tc_fd_close(&c->media_fd);
	c->media = media_free(c->media);
	paging_free(c->paging);
	help_free(c->help);
	sources_free(c->sources);
	stored_free(c->stored);
	musics_free(c->musics);
	broadcasts_free(c->broadcasts);
	sounds_free(c->sounds);
	library_free(c->library);
	faults_free(c->faults);
	recorder_free(c->recorder);
	journal_close(c->journal);
	config_free(c->config);
	free(c->path);
	free(c);
	return NULL;
}

/* ------------------------------------------------------------------ reload */

void control_reload(struct control *c)
{
	log_info(NULL, "loading %s anew", c->path);
	sd_notify(0, "RELOADING=1");
	reload_begin(c->reload, c->path);
}

static bool is_warning(const char *line)
{
	const char *w = strstr(line, "warning: ");

	/* At its beginning, or behind file and line. */
	return w && w < line + strcspn(line, "\n") &&
	       (w == line || (w - line > 2 && w[-2] == ':'));
}

/** Errors, and the warnings among them. */
static void log_lines(const char *text)
{
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");

		log_write(is_warning(p) ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR,
			  NULL, "%.*s", (int)n, p);
		p += n + (p[n] == '\n');
	}
}

static void refuse_reload(struct control *c, const char *errors)
{
	char first[200];
	const char *text = errors;

	/* What it was refused for, not what was noticed besides. */
	while (is_warning(errors) && errors[strcspn(errors, "\n")])
		errors += strcspn(errors, "\n") + 1;
	if (!*errors)
		errors = text;
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(errors, "\n"),
		 errors);
	log_lines(text);
	record(c->recorder, EVENT_CONFIG_REFUSED, 0, "config", NULL, NULL,
	       "the new configuration was refused, the old one stays: %s",
	       first);
	fault_raise(c->faults, "config", 0,
		    "Correct the files (tocsind --check lists every error) and "
		    "reload.",
		    "the configuration on disk is not the one in force: %s",
		    first);
}

/** What only a restart can change, "" = nothing. */
static const char *needs_restart(const struct config *a, const struct config *b)
{
	if (strcmp(a->state_dir, b->state_dir))
		return "; state-dir changes with the next start";
	if (a->web.port != b->web.port || !a->web.host != !b->web.host ||
	    (a->web.host && strcmp(a->web.host, b->web.host)) ||
	    strcmp(a->web.socket ? a->web.socket : "",
		   b->web.socket ? b->web.socket : ""))
		return "; the web listener changes with the next start";
	if (a->media.rt_priority != b->media.rt_priority ||
	    a->media.tail_ms != b->media.tail_ms ||
	    a->sip.rtp_timeout_ms != b->sip.rtp_timeout_ms)
		return "; real-time priority, tail and RTP time-out change "
		       "with the next start";
	return "";
}

static void on_reloaded(struct config *config, struct library *library,
			const char *errors, void *arg)
{
	struct control *c = arg;
	struct config *old = c->config;
	struct library *old_library = c->library;
	struct reason why = {""};
	struct web_user *users;
	size_t n;

	if (config && alarms_may_configure(c->alarms, config, &why)) {
		library_free(library);
		config_free(config);
		config = NULL;
		errors = why.text;
	}
	if (!config) {
		refuse_reload(c, errors);
		sd_notify(0, "READY=1");
		return;
	}
	log_lines(errors);
	c->config = config;
	c->library = library;
	if (configure(c, &why)) {
		struct reason again;

		/* Parts may hold some of both: back to the old in all. */
		c->config = old;
		c->library = old_library;
		if (configure(c, &again))
			log_error(NULL, "the old configuration: %s",
				  again.text);
		library_free(library);
		config_free(config);
		refuse_reload(c, why.text);
		sd_notify(0, "READY=1");
		return;
	}
	fault_clear(c->faults, "journal:damaged");
	if (c->stack) {
		if (stack_reconfigure(c->stack, config, &why))
			fault_raise(c->faults, "sip-listen", 0,
				    "Correct sip.listen and reload.", "%s",
				    why.text);
		else
			fault_clear(c->faults, "sip-listen");
	} else if (config->sip.n_listen &&
		   stack_alloc(&c->stack, config, &paging_handlers, c->paging,
			       &why)) {
		fault_raise(c->faults, "sip-listen", 0,
			    "Correct sip.listen and reload.", "%s", why.text);
	}
	if (endpoints_configure(c->endpoints, config, c->stack))
		log_error(NULL, "endpoints: not enough memory");
	accounts_configure(c->accounts, config, c->stack);
	lamps_seen_stack(c->lamps, c->stack);
	displays_stack(c->displays, c->stack);
	speakers_stack(c->speakers, c->stack);
	summons_stack(c->summons, c->stack);
	bridge_configure(c->bridge, &why);
	plc_configure(c->plc);
	if (webhooks_configure(c->webhooks, c->web))
		log_error(NULL, "webhooks: not enough memory; none is taken");
	users = control_users(config, &n);
	web_set_users(c->web, users, n);
	free(users);
	fault_clear(c->faults, "config");
	record(c->recorder, EVENT_CONFIG_LOADED, 0, "config", NULL, NULL,
	       "configuration loaded: %zu zones, %zu alarms%s", config->n_zones,
	       config->n_alarms, needs_restart(old, config));
	library_free(old_library);
	config_free(old);
	sd_notify(0, "READY=1");
}
