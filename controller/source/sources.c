#include "sources.h"

#include "controller/base/clock.h"
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Period of sources_watch(). */
#define WATCH_MS 1000
/** A fault about packets that are not heard goes when none came for so long. */
#define QUIET_US 10000000

static const char *const trouble_keys[UNHEARD_COUNT] = {
	[UNHEARD_OWN] = "loop",         [UNHEARD_SECOND] = "second-talker",
	[UNHEARD_FOREIGN] = "foreign",  [UNHEARD_TYPE] = "payload-type",
	[UNHEARD_SIZE] = "packet-size",
};
/** The same in the API and the metrics. */
static const char *const count_names[UNHEARD_COUNT] = {
	[UNHEARD_OWN] = "own",         [UNHEARD_SECOND] = "second",
	[UNHEARD_FOREIGN] = "foreign", [UNHEARD_TYPE] = "wrong_type",
	[UNHEARD_SIZE] = "wrong_size",
};

struct source {
	/* Copies: the configuration may go before a source does. */
	char name[CONFIG_MAX_NAME], place[80], interface[IF_NAMESIZE];
	struct config_source cfg; /**< its pointers are not used */
	struct media_net from[MEDIA_MAX_ALLOW];
	int *zones; /**< of the configuration in force */
	size_t n_zones;
	bool background;

	int leg;         /**< -1 = not open */
	int fd;          /**< for joining; the engine has its own */
	unsigned joined; /**< interface's index, 0 = not */
	bool talks;
	uint64_t stream;          /**< event that he began */
	uint64_t broadcast;       /**< 0 = none */
	struct stored_page *page; /**< while he is recorded */
	int64_t since_wall_us;
	uint64_t told[UNHEARD_COUNT];       /**< counters as seen last */
	uint64_t trouble_us[UNHEARD_COUNT]; /**< when they last grew */
};

struct sources {
	struct media *media;
	struct broadcasts *broadcasts;
	struct stored *stored;
	struct recorder *recorder;
	struct faults *faults;
	const struct config *config;
	struct source *v[CONFIG_MAX_SOURCES];
	size_t n;
	bool leg_taken[CONFIG_MAX_SOURCES]; /**< up to MEDIA_LEG_CLOSED */
};

int sources_alloc(struct sources **sp, struct media *m, struct broadcasts *b,
		  struct stored *st, struct recorder *r, struct faults *f)
{
	struct sources *s = calloc(1, sizeof(*s));

	if (!s)
		return ENOMEM;
	s->media = m;
	s->broadcasts = b;
	s->stored = st;
	s->recorder = r;
	s->faults = f;
	*sp = s;
	return 0;
}

static void source_free(struct source *x)
{
	if (!x)
		return;
	if (x->fd >= 0)
		close(x->fd);
	free(x->zones);
	free(x);
}

struct sources *sources_free(struct sources *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n; i++)
		source_free(s->v[i]);
	free(s);
	return NULL;
}

static void subject_of(const struct source *x, char buf[80])
{
	snprintf(buf, 80, "source:%s", x->name);
}

static void address_text(const struct sockaddr_in6 *a, char *buf, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "?";
	bool v4 = IN6_IS_ADDR_V4MAPPED(&a->sin6_addr);

	if (a->sin6_family != AF_INET6) {
		snprintf(buf, size, "nobody");
		return;
	}
	inet_ntop(v4 ? AF_INET : AF_INET6, a->sin6_addr.s6_addr + (v4 ? 12 : 0),
		  host, sizeof(host));
	snprintf(buf, size, v4 ? "%s:%u" : "[%s]:%u", host,
		 ntohs(a->sin6_port));
}

/* ----------------------------------------------------------------- faults */

static void fault_key(const struct source *x, const char *what, char key[96])
{
	snprintf(key, 96, "source:%s%s%s", x->name, what ? ":" : "",
		 what ? what : "");
}

static void no_faults(struct sources *s, const struct source *x)
{
	char key[96];

	fault_key(x, NULL, key);
	fault_clear(s->faults, key);
	for (int i = 0; i < UNHEARD_COUNT; i++) {
		fault_key(x, trouble_keys[i], key);
		fault_clear(s->faults, key);
	}
}

/** A Polycom phone sends what is not understood. */
static void raise_codec(struct sources *s, const struct source *x,
			const char *key, const char *by, unsigned codec)
{
	const char *name = codec == 0xfd   ? "G.726QI"
			   : codec == 0x09 ? "G.722"
			   : codec == 0x00 ? "G.711 mu-law"
			   : codec == 0x08 ? "G.711 A-law"
					   : "an unknown codec";

	if (codec == MEDIA_NO_TYPE)
		fault_raise(s->faults, key, WATCH_MS,
			    "Keep others off the phones' group, or correct "
			    "`polycom`.",
			    "source %s: %s sends what is no Polycom page",
			    x->name, by);
	else
		fault_raise(
			s->faults, key, WATCH_MS,
			codec == 0xfd ? "G.726QI is not supported: set the "
					"phones' paging codec to G.711Mu or "
					"G.722."
				      : "Make the phones' paging codec and "
					"`codec` the same.",
			"source %s: %s sends %s (0x%02x), but %s is "
			"expected",
			x->name, by, name, codec, codec_name(x->cfg.fmt.codec));
}

static void raise_trouble(struct sources *s, const struct source *x,
			  enum media_unheard what,
			  const struct media_listen_stats *st)
{
	char key[96], by[80], talker[80];

	fault_key(x, trouble_keys[what], key);
	/* Its first words stay: who else sends is no news each second. */
	if (fault_find(s->faults, key))
		return;
	address_text(&st->unheard[what].by, by, sizeof(by));
	address_text(&st->from, talker, sizeof(talker));
	switch (what) {
	case UNHEARD_OWN:
		fault_raise(s->faults, key, WATCH_MS,
			    "Find what forwards one of our groups to this one "
			    "and stop it: taken in, the sound would feed "
			    "itself.",
			    "source %s gets the sound of our own outputs back "
			    "from %s; it is not heard",
			    x->name, by);
		break;
	case UNHEARD_SECOND:
		fault_raise(s->faults, key, WATCH_MS,
			    "Let only one of them send at a time, or name the "
			    "right one in `from`.",
			    "source %s: %s talks into the stream of %s and is "
			    "not heard",
			    x->name, by, talker);
		break;
	case UNHEARD_FOREIGN:
		fault_raise(s->faults, key, WATCH_MS,
			    "Add the sender to `from` if it is a right one, "
			    "else find and stop it.",
			    "source %s: %s sends to %s but is not allowed to",
			    x->name, by, x->place);
		break;
	case UNHEARD_TYPE:
		if (x->cfg.kind == SOURCE_POLYCOM)
			raise_codec(s, x, key, by, st->last_type);
		else if (st->last_type == MEDIA_NO_TYPE)
			fault_raise(s->faults, key, WATCH_MS,
				    "Correct the sender: only RTP is heard.",
				    "source %s: %s sends what is no RTP",
				    x->name, by);
		else
			fault_raise(s->faults, key, WATCH_MS,
				    "Make the sender's codec and `codec` or "
				    "`payload-type` the same.",
				    "source %s: %s sends payload type %u, but "
				    "%u is expected",
				    x->name, by, st->last_type, x->cfg.fmt.pt);
		break;
	case UNHEARD_SIZE:
		fault_raise(s->faults, key, WATCH_MS,
			    "Let the sender put 5 to 60 ms into a packet; see "
			    "that `codec` and `rate` are the sender's.",
			    "source %s: %s sends packets of %u bytes, which "
			    "are no 5 to 60 ms of %s at %u Hz",
			    x->name, by, st->last_size,
			    codec_name(x->cfg.fmt.codec), x->cfg.fmt.rate);
		break;
	case UNHEARD_COUNT:
		break;
	}
}

static void look_at_counters(struct sources *s, struct source *x, uint64_t now)
{
	struct media_listen_stats st;

	media_listen_stats(s->media, (unsigned)x->leg, &st);

	for (int i = 0; i < UNHEARD_COUNT; i++) {
		char key[96];

		if (st.unheard[i].n != x->told[i]) {
			x->told[i] = st.unheard[i].n;
			x->trouble_us[i] = now;
			raise_trouble(s, x, (enum media_unheard)i, &st);
		} else if (x->trouble_us[i] &&
			   now - x->trouble_us[i] > QUIET_US) {
			x->trouble_us[i] = 0;
			fault_key(x, trouble_keys[i], key);
			fault_clear(s->faults, key);
		}
	}
}

/* ---------------------------------------------------------- open and close */

static int free_leg(const struct sources *s)
{
	for (int i = 0; i < CONFIG_MAX_SOURCES; i++)
		if (!s->leg_taken[i])
			return MEDIA_CALL_LEGS + i;
	return -1;
}

static int open_leg(struct sources *s, struct source *x, int fd)
{
	struct media_listen l = {
		.fd = fd,
		.fmt = x->cfg.fmt,
		.polycom = x->cfg.group,
		.hang_ms = x->cfg.hang_ms,
		.n_allow = (unsigned)x->cfg.n_from,
	};
	int leg = free_leg(s), err;

	/* Those of the last configuration are still closing. */
	if (leg < 0)
		return EAGAIN;
	memcpy(l.allow, x->from, sizeof(l.allow));
	media_begin(s->media);
	media_listen_open(s->media, (unsigned)leg, &l);
	err = media_commit(s->media);
	if (err)
		return err;
	x->leg = leg;
	s->leg_taken[leg - MEDIA_CALL_LEGS] = true;
	memset(x->told, 0, sizeof(x->told));
	return 0;
}

static void open_source(struct sources *s, struct source *x)
{
	char key[96];
	int fd, err;

	err = listener_open(&fd, &x->cfg.addr, x->cfg.kind != SOURCE_UNICAST);
	if (!err) {
		x->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		err = x->fd < 0 ? errno : open_leg(s, x, fd);
		if (err) {
			close(fd);
			if (x->fd >= 0)
				close(x->fd);
			x->fd = -1;
		}
	}
	fault_key(x, NULL, key);
	if (!err)
		fault_clear(s->faults, key);
	else if (err != EAGAIN)
		fault_raise(s->faults, key, WATCH_MS,
			    "See that the address is one of this machine and "
			    "that no other program has the port "
			    "(`ss -ulpn`).",
			    "source %s cannot listen to %s: %s", x->name,
			    x->place, strerror(err));
}

static void close_source(struct sources *s, struct source *x)
{
	no_faults(s, x);
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
	if (x->leg < 0)
		return;
	media_begin(s->media);
	media_leg_close(s->media, (unsigned)x->leg);
	media_commit(s->media);
	x->leg = -1;
	x->joined = 0;
}

/** Joins where the interface is now. */
static void join(struct sources *s, struct source *x)
{
	unsigned index = if_nametoindex(x->interface);
	char key[96];
	int err;

	if (index && index == x->joined)
		return;
	fault_key(x, NULL, key);
	x->joined = 0;
	if (!index) {
		fault_raise(s->faults, key, WATCH_MS,
			    "Plug in or bring up the interface, or correct "
			    "`interface` of this source.",
			    "source %s hears nothing: interface %s is not "
			    "there",
			    x->name, x->interface);
		return;
	}
	err = listener_join(x->fd, &x->cfg.addr, index);
	if (err) {
		fault_raise(s->faults, key, WATCH_MS,
			    "Give the interface an address; at most "
			    "net.ipv4.igmp_max_memberships groups can be "
			    "joined.",
			    "source %s cannot join %s on %s: %s", x->name,
			    x->place, x->interface, strerror(err));
		return;
	}
	x->joined = index;
	fault_clear(s->faults, key);
}

void sources_watch(struct sources *s)
{
	uint64_t now = clock_mono_us();

	for (size_t i = 0; i < s->n; i++) {
		struct source *x = s->v[i];

		if (x->leg < 0)
			open_source(s, x);
		if (x->leg < 0)
			continue;
		if (x->cfg.kind != SOURCE_UNICAST)
			join(s, x);
		look_at_counters(s, x, now);
	}
}

/* --------------------------------------------------------------- a stream */

static void on_broadcast(uint64_t id, enum broadcast_news news,
			 enum arb_cause cause, uint64_t by, const char *text,
			 void *arg)
{
	struct source *x = arg;

	(void)cause;
	(void)by;
	(void)text;
	if (news == BROADCAST_GONE && x->broadcast == id)
		x->broadcast = 0;
}

/** As long as it may be: what he goes on to say is not heard. */
static void on_stored(struct stored_page *page, enum stored_news news,
		      void *arg)
{
	struct source *x = arg;

	x->page = NULL;
	stored_end(page, true,
		   news == STORED_FULL ? "the longest recording was reached"
				       : "it was dropped");
}

static void keep(struct sources *s, struct source *x)
{
	char what[80], actor[80];
	struct reason why;
	const struct stored_request rq = {
		.what = what,
		.leg = (unsigned)x->leg,
		.rate = x->cfg.fmt.rate,
		.level = x->cfg.level,
		.zones = x->zones,
		.n_zones = x->n_zones,
		.actor = actor,
		.cause = x->stream,
		.h = on_stored,
		.arg = x,
	};

	snprintf(what, sizeof(what), "recorded source %s", x->name);
	subject_of(x, actor);
	if (!stored_begin(&x->page, s->stored, &rq, &why))
		stored_run(x->page);
	else
		record(s->recorder, EVENT_BROADCAST_DROPPED, x->stream, actor,
		       NULL, NULL, "%s is not recorded: %s", what, why.text);
}

static void sound(struct sources *s, struct source *x, uint64_t at_us)
{
	char what[80], actor[80];
	struct broadcast_result res;
	struct broadcast_request rq = {
		.what = what,
		.message = "",
		.level = x->cfg.level,
		.zones = x->zones,
		.n_zones = x->n_zones,
		.leg = (unsigned)x->leg,
		.background = x->background,
		.how = broadcast_under(s->config),
		.forever = true,
		.max_ms = x->cfg.max_ms,
		.actor = actor,
		.cause = x->stream,
		.at_us = at_us,
		.h = on_broadcast,
		.arg = x,
	};

	snprintf(what, sizeof(what), "source %s", x->name);
	subject_of(x, actor);
	if (!broadcast_start(s->broadcasts, &rq, &res))
		x->broadcast = res.id;
}

static void silence(struct sources *s, struct source *x, const char *why)
{
	uint64_t id = x->broadcast;
	struct stored_page *page = x->page;
	char actor[80];

	x->broadcast = 0;
	x->page = NULL;
	if (page)
		stored_end(page, true, why);
	subject_of(x, actor);
	if (id)
		broadcast_stop(s->broadcasts, id, actor, x->stream, why);
}

static void began(struct sources *s, struct source *x, uint64_t at_us,
		  uint32_t ssrc)
{
	struct media_listen_stats st;
	char subject[80], from[80];

	media_listen_stats(s->media, (unsigned)x->leg, &st);
	address_text(&st.from, from, sizeof(from));
	subject_of(x, subject);
	x->talks = true;
	x->since_wall_us = clock_wall_us();
	x->stream = record(
		s->recorder, EVENT_SOURCE_BEGAN, 0, subject, from,
		json_pack("{s:s,s:I}", "from", from, "ssrc", (json_int_t)ssrc),
		"source %s: %s talks", x->name, from);
	if (x->cfg.record)
		keep(s, x);
	else
		sound(s, x, at_us);
}

static void ended(struct sources *s, struct source *x, const char *why)
{
	char subject[80];

	if (!x->talks)
		return;
	x->talks = false;
	subject_of(x, subject);
	silence(s, x, why);
	record(s->recorder, EVENT_SOURCE_ENDED, x->stream, subject, NULL, NULL,
	       "source %s: %s", x->name, why);
}

void sources_report(struct sources *s, const struct media_report *r)
{
	if (r->type == MEDIA_LEG_CLOSED) {
		s->leg_taken[r->index - MEDIA_CALL_LEGS] = false;
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		struct source *x = s->v[i];

		if (x->leg != (int)r->index)
			continue;
		if (r->type == MEDIA_STREAM_BEGAN)
			began(s, x, r->at_us, r->n);
		else if (r->type == MEDIA_STREAM_ENDED)
			ended(s, x, "the talker is over");
	}
}

/* ---------------------------------------------------------- configuration */

static struct source *make(const struct config *c,
			   const struct config_source *from)
{
	struct source *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->zones = calloc(from->n_zones + 1, sizeof(*x->zones));
	if (!x->zones) {
		free(x);
		return NULL;
	}
	x->leg = x->fd = -1;
	x->cfg = *from;
	snprintf(x->name, sizeof(x->name), "%s", from->name);
	snprintf(x->place, sizeof(x->place), "%s", from->place);
	snprintf(x->interface, sizeof(x->interface), "%s",
		 from->interface ? from->interface : "");
	if (from->n_from)
		memcpy(x->from, from->from, from->n_from * sizeof(*x->from));
	memcpy(x->zones, from->zones, from->n_zones * sizeof(*x->zones));
	x->n_zones = from->n_zones;
	x->background = from->level <= c->levels[CLASS_MUSIC];
	return x;
}

/** Does it listen to the same, in the same way? */
static bool same_stream(const struct source *a, const struct source *b)
{
	return !strcmp(a->name, b->name) && a->cfg.kind == b->cfg.kind &&
	       a->cfg.group == b->cfg.group && !strcmp(a->place, b->place) &&
	       !strcmp(a->interface, b->interface) &&
	       format_equal(&a->cfg.fmt, &b->cfg.fmt) &&
	       a->cfg.fmt.pt == b->cfg.fmt.pt &&
	       a->cfg.hang_ms == b->cfg.hang_ms &&
	       a->cfg.n_from == b->cfg.n_from &&
	       !memcmp(a->from, b->from, sizeof(a->from));
}

static bool same_zones(const struct source *x, const struct config *was,
		       const struct source *y, const struct config *is)
{
	if (!was || x->n_zones != y->n_zones)
		return false;
	for (size_t i = 0; i < x->n_zones; i++)
		if (strcmp(was->zones[x->zones[i]].name,
			   is->zones[y->zones[i]].name))
			return false;
	return true;
}

/** Goes on with the stream of its like in the last configuration. */
static void inherit(struct sources *s, struct source *x, struct source *old,
		    const struct config *c)
{
	bool same = same_zones(old, s->config, x, c) &&
		    old->cfg.level == x->cfg.level &&
		    old->background == x->background &&
		    old->cfg.max_ms == x->cfg.max_ms &&
		    old->cfg.record == x->cfg.record;
	int *zones = old->zones;
	size_t n = old->n_zones;

	/* The old object stays, for its broadcast tells it. */
	old->zones = x->zones;
	old->n_zones = x->n_zones;
	old->cfg = x->cfg;
	old->background = x->background;
	x->zones = zones;
	x->n_zones = n;
	/* What is recorded already is played as it began. */
	if (!same && old->broadcast) {
		silence(s, old, "its configuration changed");
		if (!old->cfg.record)
			sound(s, old, 0);
	}
}

int sources_configure(struct sources *s, const struct config *c)
{
	struct source *v[CONFIG_MAX_SOURCES] = {NULL};
	size_t n = 0;

	for (; n < c->n_sources && n < CONFIG_MAX_SOURCES; n++) {
		v[n] = make(c, &c->sources[n]);
		if (!v[n]) {
			while (n)
				source_free(v[--n]);
			return ENOMEM;
		}
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < s->n; k++)
			if (s->v[k] && same_stream(s->v[k], v[i])) {
				inherit(s, s->v[k], v[i], c);
				source_free(v[i]);
				v[i] = s->v[k];
				s->v[k] = NULL;
				break;
			}
	for (size_t k = 0; k < s->n; k++)
		if (s->v[k]) {
			ended(s, s->v[k], "taken out of the configuration");
			close_source(s, s->v[k]);
			source_free(s->v[k]);
		}
	memcpy(s->v, v, sizeof(v));
	s->n = n;
	s->config = c;
	sources_watch(s);
	return 0;
}

/* ------------------------------------------------------------------ views */

static const char *state_of(const struct source *x)
{
	return x->leg < 0 || (x->cfg.kind != SOURCE_UNICAST && !x->joined)
		       ? "fault"
	       : !x->talks    ? "idle"
	       : x->page      ? "recording"
	       : x->broadcast ? "talking"
			      : "not-heard";
}

static json_t *source_json(const struct sources *s, const struct source *x)
{
	struct media_listen_stats st;
	char from[80], since[CLOCK_TEXT_SIZE];
	json_t *zones = json_array(), *packets, *o;

	media_listen_stats(s->media, x->leg < 0 ? UINT32_MAX : (unsigned)x->leg,
			   &st);
	address_text(&st.from, from, sizeof(from));
	for (size_t i = 0; i < x->n_zones; i++)
		json_array_append_new(
			zones, json_string(s->config->zones[x->zones[i]].name));
	packets = json_pack("{s:I}", "heard", (json_int_t)st.heard);
	for (int i = 0; i < UNHEARD_COUNT; i++)
		json_object_set_new(packets, count_names[i],
				    json_integer((json_int_t)st.unheard[i].n));
	o = json_pack("{s:s,s:s,s:s,s:s,s:o,s:i,s:o}", "name", x->name,
		      "listens", x->place, "codec",
		      codec_name(x->cfg.fmt.codec), "state", state_of(x),
		      "zones", zones, "priority", x->cfg.level, "packets",
		      packets);
	if (!o)
		return NULL;
	if (x->talks) {
		json_object_set_new(o, "from", json_string(from));
		json_object_set_new(
			o, "since",
			json_string(clock_format(since, x->since_wall_us)));
	}
	if (x->broadcast || x->page)
		json_object_set_new(
			o, "broadcast",
			json_integer((json_int_t)(x->page ? stored_id(x->page)
							  : x->broadcast)));
	return o;
}

json_t *sources_json(const struct sources *s)
{
	json_t *a = json_array();

	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(a, source_json(s, s->v[i]));
	return a;
}

void sources_metrics(const struct sources *s, FILE *f)
{
	fputs("# HELP tocsin_source_packets_total Packets that came to a "
	      "source, by what became of them.\n"
	      "# TYPE tocsin_source_packets_total counter\n",
	      f);
	for (size_t i = 0; i < s->n; i++) {
		const struct source *x = s->v[i];
		struct media_listen_stats st;

		media_listen_stats(s->media,
				   x->leg < 0 ? UINT32_MAX : (unsigned)x->leg,
				   &st);

		fprintf(f,
			"tocsin_source_packets_total{source=\"%s\",what="
			"\"heard\"} %llu\n",
			x->name, (unsigned long long)st.heard);
		for (int k = 0; k < UNHEARD_COUNT; k++)
			fprintf(f,
				"tocsin_source_packets_total{source=\"%s\","
				"what=\"%s\"} %llu\n",
				x->name, count_names[k],
				(unsigned long long)st.unheard[k].n);
	}
	fputs("# HELP tocsin_source_talking Does somebody talk on a source?\n"
	      "# TYPE tocsin_source_talking gauge\n",
	      f);
	for (size_t i = 0; i < s->n; i++)
		fprintf(f, "tocsin_source_talking{source=\"%s\"} %d\n",
			s->v[i]->name, s->v[i]->talks);
}
