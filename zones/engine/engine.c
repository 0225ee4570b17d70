/*
 * The media thread.
 *
 * Its rules: it allocates nothing, takes no lock, writes no log, and blocks
 * only in epoll_wait(). One timer stands at the earliest of all deadlines;
 * deadlines are absolute, so a late turn makes no later one late. A turn takes
 * commands first: their first packets leave before anything else is looked at.
 */
#include "zones/engine/engine.h"

#include "controller/base/clock.h"
#include "zones/sound/coder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EVENTS 64
#define HEARTBEAT_US 500000
/** A turn so much behind its deadline is late. */
#define LATE_US 1000
/** Events that are no leg. */
#define EVENT_COMMAND UINT64_MAX
#define EVENT_TIMER (UINT64_MAX - 1)

int engine_rate(uint32_t rate)
{
	static const uint32_t rates[ENGINE_RATES] = {8000, 16000, 32000, 44100,
						     48000};

	for (int i = 0; i < ENGINE_RATES; i++)
		if (rates[i] == rate)
			return i;
	return -1;
}

static int watch(struct engine *e, int fd, uint64_t id, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.u64 = id};

	return epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, fd, &ev) ? errno : 0;
}

const uint8_t *engine_silence(const struct engine *e, const struct format *f,
			      size_t *bytes)
{
	if (f->codec == CODEC_OPUS) {
		*bytes = e->opus_silence[f->ptime_ms / 10][0];
		return e->opus_silence[f->ptime_ms / 10] + 1;
	}
	*bytes = format_bytes(f);
	return e->silence[f->codec];
}

static void prepare_silence(struct engine *e)
{
	struct format f;

	for (int c = 0; c < CODEC_COUNT; c++) {
		format_default(&f, (enum codec)c, 48000);
		f.ptime_ms = ENGINE_MAX_MS;
		if (c != CODEC_OPUS)
			coder_silence(&f, e->silence[c]);
	}
	format_default(&f, CODEC_OPUS, 48000);
	for (unsigned i = 1; i <= ENGINE_MAX_MS / 10; i++) {
		f.ptime_ms = (uint16_t)(10 * i);
		e->opus_silence[i][0] =
			(uint8_t)coder_silence(&f, e->opus_silence[i] + 1);
	}
}

static void prepare(struct engine *e)
{
	prepare_silence(e);
	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++) {
		e->feed_due[i] = e->line_due[i] = ENGINE_NEVER;
		e->output[i].fd = -1;
		e->output[i].fg = e->output[i].bg = -1;
		e->output[i].feed = -1;
		e->output[i].fade = FADE_NONE;
		atomic_init(&e->output[i].level, 127);
	}
	for (unsigned i = 0; i < MEDIA_MAX_SLOTS; i++)
		e->slot_due[i] = ENGINE_NEVER;
	for (unsigned i = 0; i < MEDIA_MAX_LEGS; i++)
		e->leg_due[i] = ENGINE_NEVER;
	for (unsigned i = 0; i < BATCH_MESSAGES; i++) {
		e->batch.iov[i][0].iov_base = e->batch.packet[i];
		e->batch.msg[i].msg_hdr.msg_iov = e->batch.iov[i];
	}
	for (unsigned i = 0; i < RX_MESSAGES; i++) {
		e->rx_iov[i] = (struct iovec){e->rx[i], RX_BYTES};
		e->rx_msg[i].msg_hdr.msg_iov = &e->rx_iov[i];
		e->rx_msg[i].msg_hdr.msg_iovlen = 1;
		e->rx_msg[i].msg_hdr.msg_name = &e->rx_from[i];
	}
}

int engine_alloc(struct engine **ep, const struct media_options *opt)
{
	struct engine *e = malloc(sizeof(*e));
	int err;

	if (!e)
		return ENOMEM;
	/* Written now, so that the media thread faults no page in. */
	memset(e, 0, sizeof(*e));
	e->command_fd = e->report_fd = e->epoll_fd = e->timer_fd = -1;
	e->tail_ms = opt->tail_ms;
	e->leg_silence_us = opt->leg_silence_ms * UINT64_C(1000);
	e->skip_us =
		(opt->skip_ms ? opt->skip_ms : ENGINE_SKIP_MS) * UINT64_C(1000);
	e->ramp_down_ms = e->ramp_back_ms = ENGINE_RAMP_MS;
	prepare(e);
	fades_init(e);
	e->beats_us = ENGINE_NEVER;
	err = ring_alloc(&e->commands, sizeof(struct command), ENGINE_COMMANDS);
	if (!err)
		err = ring_alloc(&e->reports, sizeof(struct report),
				 ENGINE_REPORTS);
	if (err)
		goto out;
	e->command_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	e->report_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	e->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (e->command_fd < 0 || e->report_fd < 0 || e->epoll_fd < 0 ||
	    e->timer_fd < 0) {
		err = errno;
		goto out;
	}
	/* Edges: neither has to be read to be rearmed. */
	err = watch(e, e->command_fd, EVENT_COMMAND, EPOLLIN | EPOLLET);
	if (!err)
		err = watch(e, e->timer_fd, EVENT_TIMER, EPOLLIN | EPOLLET);
	atomic_init(&e->heartbeat_us, clock_mono_us());
out:
	if (err)
		engine_free(e);
	else
		*ep = e;
	return err;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void leg_command_free(const struct command *c)
{
	playout_free(c->leg.playout);
	callseal_free(c->leg.seal);
}

void engine_free(struct engine *e)
{
	struct command c;
	struct report r;

	if (!e)
		return;
	/* The thread has ended: what is on its way in or out is ours. */
	while (e->commands && ring_pop(e->commands, &c)) {
		if (c.type == COMMAND_CLOSE)
			close_fd(c.fd);
		if (c.type == COMMAND_LEG_OPEN)
			close_fd(c.leg.fd);
		if (c.type == COMMAND_LEG_OPEN || c.type == COMMAND_LEG_UPDATE)
			leg_command_free(&c);
		if (c.type == COMMAND_OUTPUT)
			line_free(c.output.line);
	}
	while (e->reports && ring_pop(e->reports, &r)) {
		playout_free(r.garbage);
		callseal_free(r.waste);
		line_free(r.line);
	}
	for (unsigned i = 0; i < MEDIA_MAX_OUTPUTS; i++) {
		line_free(e->output[i].line);
		line_free(e->output[i].garbage);
	}
	for (unsigned i = 0; i < MEDIA_MAX_LEGS; i++) {
		if (e->leg[i].used)
			close_fd(e->leg[i].fd);
		playout_free(e->leg[i].playout);
		playout_free(e->leg[i].garbage);
		callseal_free(e->leg[i].seal);
		callseal_free(e->leg[i].waste);
	}
	close_fd(e->command_fd);
	close_fd(e->report_fd);
	close_fd(e->epoll_fd);
	close_fd(e->timer_fd);
	ring_free(e->commands);
	ring_free(e->reports);
	free(e);
}

static uint64_t earliest(const uint64_t *due, unsigned n, uint64_t best)
{
	for (unsigned i = 0; i < n; i++)
		best = due[i] < best ? due[i] : best;
	return best;
}

static uint64_t next_due(const struct engine *e)
{
	uint64_t due = earliest(e->feed_due, e->n_feeds, ENGINE_NEVER);

	due = e->beats_us < due ? e->beats_us : due;
	due = earliest(e->slot_due, MEDIA_MAX_SLOTS, due);
	due = earliest(e->line_due, e->n_lines, due);
	return earliest(e->leg_due, MEDIA_MAX_LEGS, due);
}

static void arm(struct engine *e, uint64_t due)
{
	struct itimerspec t = {0};

	if (due == e->armed_us)
		return;
	e->armed_us = due;
	t.it_value.tv_sec = (time_t)(due / 1000000);
	t.it_value.tv_nsec = (long)(due % 1000000 * 1000);
	(void)timerfd_settime(e->timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static void note_lateness(struct engine *e, uint64_t due, uint64_t now)
{
	uint64_t late = now > due ? now - due : 0;

	engine_count(&e->ticks, 1);
	if (late < LATE_US)
		return;
	if (late > UINT32_MAX)
		late = UINT32_MAX;
	engine_count(&e->late_ticks, 1);
	if (late > atomic_load_explicit(&e->max_late_us, memory_order_relaxed))
		atomic_store_explicit(&e->max_late_us, (uint32_t)late,
				      memory_order_relaxed);
	if (late > e->late_us)
		e->late_us = (uint32_t)late;
}

/** Sends whatever is due. */
static void run_due(struct engine *e, uint64_t now)
{
	uint64_t horizon = now + ENGINE_COALESCE_US;
	uint64_t end;

	route_settle(e, now);
	/* What a source still had to say comes before its end, even when we
	 * are late for both. */
	while ((end = earliest(e->slot_due, MEDIA_MAX_SLOTS, ENGINE_NEVER)) <=
	       horizon) {
		feeds_run(e, end - 1, now);
		slot_ends(e, end);
		route_settle(e, now);
	}
	if (e->beats_us <= horizon)
		outputs_beat(e, now);
	feeds_run(e, horizon, now);
	legs_run(e, horizon, now);
}

static void turn(struct engine *e)
{
	struct epoll_event ev[EVENTS];
	uint64_t due = next_due(e), now;
	bool command = false;
	int n;

	if (due == ENGINE_NEVER || due > e->heartbeat_us + HEARTBEAT_US)
		due = e->heartbeat_us + HEARTBEAT_US;
	arm(e, due);
	n = epoll_wait(e->epoll_fd, ev, EVENTS, -1);
	now = clock_mono_us();
	due = next_due(e);
	if (due <= now)
		note_lateness(e, due, now);
	for (int i = 0; i < n; i++) {
		command = command || ev[i].data.u64 == EVENT_COMMAND;
		if (ev[i].data.u64 == EVENT_TIMER)
			e->armed_us = 0;
	}
	if (command) {
		command_run(e, now);
		run_due(e, now);
	}
	for (int i = 0; i < n; i++) {
		unsigned leg = (unsigned)(ev[i].data.u64 & 0xffff);

		if (ev[i].data.u64 < EVENT_TIMER &&
		    ev[i].data.u64 & ENGINE_EVENT_SOCKET) {
			output_errors(e, (int)(ev[i].data.u64 & INT32_MAX),
				      now);
			continue;
		}
		/* The leg may have been closed by a command just now. */
		if (ev[i].data.u64 < EVENT_TIMER && leg < MEDIA_MAX_LEGS &&
		    e->leg[leg].opened == ev[i].data.u64 >> 32) {
			if (ev[i].events & EPOLLERR)
				leg_errors(e, leg, now);
			leg_receive(e, leg);
		}
	}
	run_due(e, now);
	reports_make(e, now);
	atomic_store_explicit(&e->heartbeat_us, now, memory_order_relaxed);
}

void *engine_thread(void *engine)
{
	struct engine *e = engine;

	while (!e->quit)
		turn(e);
	return NULL;
}
