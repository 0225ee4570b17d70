#include "sounds.h"

#include "config/values.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define N MEDIA_MAX_OUTPUTS

/** How long a missing interface may go unseen: the watch's period. */
#define WATCH_MS 1000

struct sound {
	bool used;
	char name[128];
	char interface[IF_NAMESIZE]; /**< "" = by route */
	bool dead;                   /**< its interface has no carrier */
	bool hear_back, foreign_talkers;
	int zone;                /**< whose it is */
	bool speaker, connected; /**< a SIP loudspeaker, and it answered */
	uint32_t wait_ms;        /**< for it, see sounds_hold_ms() */
	struct media_output out;
	struct sockaddr_storage *fan; /**< out.fan */
};

struct sounds {
	bool packet_sockets;
	struct media *media;
	struct faults *faults;
	struct sound v[N];
	unsigned count;
	struct arb_set *zone; /**< one per zone of the configuration */
	size_t n_zones;
	unsigned *index; /**< one per sound of the configuration */
	size_t n_index;
};

int sounds_alloc(struct sounds **sp, struct media *m, struct faults *f)
{
	struct sounds *s = calloc(1, sizeof(*s));

	if (!s)
		return ENOMEM;
	s->media = m;
	s->faults = f;
	*sp = s;
	return 0;
}

struct sounds *sounds_free(struct sounds *s)
{
	for (unsigned i = 0; s && i < N; i++)
		free(s->v[i].fan);
	if (s) {
		free(s->zone);
		free(s->index);
	}
	free(s);
	return NULL;
}

static bool same_stream(const struct sound *s, const struct config_sound *c)
{
	/* Its name is the zone's, then its own. */
	if (s->speaker || c->kind == SOUND_SPEAKER)
		return s->used && s->speaker && c->kind == SOUND_SPEAKER &&
		       !strcmp(strchr(s->name, ' ') + 1, c->name) &&
		       s->out.fmt.gain_cb == c->out.fmt.gain_cb;
	return s->used && format_equal(&s->out.fmt, &c->out.fmt) &&
	       s->out.fmt.pt == c->out.fmt.pt &&
	       !memcmp(&s->out.dst, &c->out.dst, sizeof(s->out.dst)) &&
	       !strcmp(s->interface, c->interface ? c->interface : "") &&
	       s->out.polycom.channel == c->out.polycom.channel;
}

static void fan_key(const struct sound *s, unsigned k, char key[96])
{
	char to[VALUE_ENDPOINT_SIZE];

	snprintf(key, 96, "unicast:%s", value_endpoint_text(to, &s->fan[k]));
}

/** Clears the faults of addresses that `c` (NULL = nothing) has no more. */
static void drop_fan(struct sounds *s, const struct sound *o,
		     const struct config_sound *c)
{
	char key[96];

	for (unsigned k = 0; k < o->out.n_fan; k++) {
		bool stays = false;

		for (size_t i = 0; c && i < c->n_fan; i++)
			stays = stays || !memcmp(&c->fan[i], &o->fan[k],
						 sizeof(o->fan[k]));
		fan_key(o, k, key);
		if (!stays)
			fault_clear(s->faults, key);
	}
}

static void fault_key(const struct sound *s, char key[96])
{
	snprintf(key, 96, "output:%.80s", s->name);
}

/** What counts of an interface. */
struct interface {
	unsigned index; /**< 0 = it is not there */
	bool dead;      /**< down, or its cable is out, which no send would
			   tell while nothing sounds */
	bool ether;     /**< Ethernet with an IPv4 address: */
	uint8_t mac[6];
	struct in_addr addr;
};

static struct interface interface_look(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct interface f = {.index = if_nametoindex(name)};
	struct ifreq rq = {0};

	if (fd < 0)
		return f;
	snprintf(rq.ifr_name, sizeof(rq.ifr_name), "%s", name);
	f.dead = !ioctl(fd, SIOCGIFFLAGS, &rq) &&
		 (rq.ifr_flags & (IFF_UP | IFF_RUNNING)) !=
			 (IFF_UP | IFF_RUNNING);
	if (!ioctl(fd, SIOCGIFHWADDR, &rq) &&
	    rq.ifr_hwaddr.sa_family == ARPHRD_ETHER) {
		memcpy(f.mac, rq.ifr_hwaddr.sa_data, sizeof(f.mac));
		f.ether = !ioctl(fd, SIOCGIFADDR, &rq);
	}
	if (f.ether)
		f.addr = ((struct sockaddr_in *)&rq.ifr_addr)->sin_addr;
	close(fd);
	return f;
}

static bool link_changed(const struct sounds *s, const struct media_output *o,
			 const struct interface *f)
{
	return (s->packet_sockets && f->ether) != o->link ||
	       (o->link && (memcmp(f->mac, o->link_mac, sizeof(f->mac)) ||
			    f->addr.s_addr != o->link_addr.s_addr));
}

/** The sender's number of Polycom pages: the last bytes of the MAC address, as
 *  phones do it; for an interface without one the machine's own. */
static uint32_t host_serial(const char *interface)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq rq = {0};
	uint32_t serial = 0;

	snprintf(rq.ifr_name, sizeof(rq.ifr_name), "%s", interface);
	if (fd >= 0 && !ioctl(fd, SIOCGIFHWADDR, &rq)) {
		memcpy(&serial, rq.ifr_hwaddr.sa_data + 2, sizeof(serial));
		serial = ntohl(serial);
	}
	if (fd >= 0)
		close(fd);
	if (!serial)
		serial = (uint32_t)gethostid();
	return serial ? serial : 1;
}

static uint32_t serial_of(const struct sound *o)
{
	return o->out.polycom.serial ? o->out.polycom.serial
				     : host_serial(o->interface);
}

/** Tells the engine, if the interface is there. Within a batch. */
static void put(struct sounds *s, unsigned i, const struct interface *f)
{
	struct sound *o = &s->v[i];
	char key[96];

	fault_key(o, key);
	if (o->speaker && !o->connected) {
		media_output_set(s->media, i, NULL);
		return;
	}
	if (*o->interface) {
		o->out.ifindex = f->index;
		o->out.link = s->packet_sockets && f->ether;
		memcpy(o->out.link_mac, f->mac, sizeof(f->mac));
		o->out.link_addr = f->addr;
		if (!o->out.ifindex) {
			fault_raise(s->faults, key, WATCH_MS,
				    "Plug in or bring up the interface, or "
				    "correct `interface` of this output.",
				    "output %s cannot sound: interface %s is "
				    "not there",
				    o->name, o->interface);
			media_output_set(s->media, i, NULL);
			return;
		}
	}
	fault_clear(s->faults, key);
	if (o->out.polycom.channel) {
		struct media_output out = o->out;

		out.polycom.serial = serial_of(o);
		media_output_set(s->media, i, &out);
		return;
	}
	media_output_set(s->media, i, &o->out);
}

static void map_zones(struct sounds *s, const struct config *c,
		      const unsigned *slot, struct arb_set *zone)
{
	for (size_t z = 0; z < c->n_zones; z++)
		for (unsigned i = 0; i < c->n_sounds; i++)
			if (media_set_has(&c->zones[z].outputs, i))
				arb_set_add(&zone[z], slot[i]);
	free(s->zone);
	s->zone = zone;
	s->n_zones = c->n_zones;
}

/** A copy of its own: it outlives the configuration. */
static bool take_fan(struct sound *o, const struct config_sound *from)
{
	free(o->fan);
	o->fan = NULL;
	o->out.n_fan = 0;
	if (from->n_fan) {
		o->fan = malloc(from->n_fan * sizeof(*o->fan));
		if (!o->fan)
			return false;
		memcpy(o->fan, from->fan, from->n_fan * sizeof(*o->fan));
		o->out.n_fan = (unsigned)from->n_fan;
	}
	o->out.fan = o->fan;
	return true;
}

/** Its name, as people know it; true when that is another than before. */
static bool name_sound(struct sound *o, const struct config *c,
		       const struct config_sound *from)
{
	const char *zone = c->zones[from->zone].name;
	char name[sizeof(o->name)];
	bool other;

	if (from->kind == SOUND_POLYCOM)
		snprintf(name, sizeof(name), "%s %s %s %u", zone, from->name,
			 from->group ? "group" : "channel",
			 from->out.polycom.channel);
	else
		snprintf(name, sizeof(name), "%s %s", zone, from->name);
	other = strcmp(name, o->name) != 0;
	memcpy(o->name, name, sizeof(name));
	return other;
}

/** What a call has brought stays. */
static void take_out(struct sound *o, const struct media_output *from)
{
	const struct media_output was = o->out;

	o->out = *from;
	if (o->connected) {
		o->out.dst = was.dst;
		o->out.fmt = was.fmt;
		o->out.source_port = was.source_port;
		o->out.beat_ms = was.beat_ms;
		o->out.srtp = was.srtp;
	}
}

int sounds_apply(struct sounds *s, const struct config *c)
{
	struct arb_set *zone = calloc(c->n_zones + 1, sizeof(*zone));
	unsigned *slot = calloc(c->n_sounds + 1, sizeof(*slot));
	bool keep[N] = {false}, known[N] = {false};
	struct interface f = {0};
	char last[IF_NAMESIZE] = "";
	int err = 0;

	if (!zone || !slot) {
		err = ENOMEM;
		goto out;
	}
	if (c->n_sounds > N) {
		err = ENOBUFS;
		goto out;
	}
	for (unsigned i = 0; i < c->n_sounds; i++)
		for (unsigned k = 0; k < s->count; k++)
			if (!keep[k] && same_stream(&s->v[k], &c->sounds[i])) {
				keep[k] = known[i] = true;
				slot[i] = k;
				break;
			}
	s->packet_sockets = c->media.packet_sockets;
	media_begin(s->media);
	for (unsigned k = 0; k < s->count; k++)
		if (s->v[k].used && !keep[k]) {
			char key[96];

			fault_key(&s->v[k], key);
			fault_clear(s->faults, key);
			drop_fan(s, &s->v[k], NULL);
			media_output_set(s->media, k, NULL);
			s->v[k].used = false;
		}
	for (unsigned i = 0, k = 0; i < c->n_sounds; i++) {
		const struct config_sound *from = &c->sounds[i];
		struct sound *o;
		char was[96];

		if (!known[i]) {
			while (k < N && (keep[k] || s->v[k].used))
				k++;
			slot[i] = k++;
		}
		o = &s->v[slot[i]];
		if (known[i])
			drop_fan(s, o, from);
		fault_key(o, was);
		o->used = true;
		o->dead = false;
		o->zone = from->zone;
		o->speaker = from->kind == SOUND_SPEAKER;
		o->connected = o->connected && known[i];
		o->wait_ms = from->speaker.wait_ms;
		take_out(o, &from->out);
		if (!take_fan(o, from))
			err = ENOMEM;
		o->hear_back = from->hear_back;
		o->foreign_talkers = from->foreign_talkers;
		if (name_sound(o, c, from) && known[i])
			fault_clear(s->faults, was);
		snprintf(o->interface, sizeof(o->interface), "%s",
			 from->interface ? from->interface : "");
		/* Neighbours mostly share an interface: one look a run. */
		if (strcmp(last, o->interface)) {
			memcpy(last, o->interface, sizeof(last));
			f = interface_look(last);
		}
		put(s, slot[i], &f);
	}
	if (media_commit(s->media) && !err)
		err = ENOBUFS;
	s->count = 0;
	for (unsigned k = 0; k < N; k++)
		if (s->v[k].used)
			s->count = k + 1;
	map_zones(s, c, slot, zone);
	zone = NULL;
	free(s->index);
	s->index = slot;
	s->n_index = c->n_sounds;
	slot = NULL;
out:
	free(zone);
	free(slot);
	return err;
}

unsigned sounds_index(const struct sounds *s, size_t i)
{
	return i < s->n_index ? s->index[i] : N;
}

void sounds_connect(struct sounds *s, unsigned index,
		    const struct media_output *out)
{
	struct sound *o = &s->v[index];

	if (index >= N || !o->used || !o->speaker)
		return;
	/* Asked whether it is there, it says the same again: what is known of
	 * the way there stays known. */
	if (o->connected && !memcmp(&o->out.dst, &out->dst, sizeof(out->dst)) &&
	    format_equal(&o->out.fmt, &out->fmt) &&
	    o->out.fmt.pt == out->fmt.pt &&
	    o->out.source_port == out->source_port &&
	    o->out.beat_ms == out->beat_ms)
		return;
	o->connected = true;
	o->out.dst = out->dst;
	o->out.fmt = out->fmt;
	o->out.source_port = out->source_port;
	o->out.beat_ms = out->beat_ms;
	o->out.srtp = out->srtp;
	media_begin(s->media);
	put(s, index, NULL);
	(void)media_commit(s->media);
}

bool sounds_connected(const struct sounds *s, unsigned index)
{
	return index < N && s->v[index].connected;
}

void sounds_disconnect(struct sounds *s, unsigned index)
{
	struct sound *o = &s->v[index];
	char key[96];

	if (index >= N || !o->used || !o->connected)
		return;
	o->connected = false;
	fault_key(o, key);
	fault_clear(s->faults, key);
	media_begin(s->media);
	media_output_set(s->media, index, NULL);
	(void)media_commit(s->media);
}

const struct arb_set *sounds_zone(const struct sounds *s, int zone)
{
	static const struct arb_set none;

	return zone >= 0 && (size_t)zone < s->n_zones ? &s->zone[zone] : &none;
}

unsigned sounds_count(const struct sounds *s)
{
	return s->count;
}

static void note_carrier(struct sounds *s, struct sound *o, bool dead)
{
	char key[96];

	if (o->dead == dead)
		return;
	o->dead = dead;
	fault_key(o, key);
	if (dead)
		fault_raise(s->faults, key, WATCH_MS,
			    "Check the cable and the switch, or `ip link` for "
			    "an interface that was taken down.",
			    "output %s cannot sound: interface %s has no link",
			    o->name, o->interface);
	else
		fault_clear(s->faults, key);
}

bool sounds_watch(struct sounds *s)
{
	bool begun = false, came = false;
	char last[IF_NAMESIZE] = "";
	struct interface f = {0};

	for (unsigned i = 0; i < s->count; i++) {
		struct sound *o = &s->v[i];
		bool other;

		if (!o->used || !*o->interface)
			continue;
		if (strcmp(last, o->interface)) {
			memcpy(last, o->interface, sizeof(last));
			f = interface_look(last);
		}
		other = f.index != o->out.ifindex;
		if (other || link_changed(s, &o->out, &f)) {
			if (!begun)
				media_begin(s->media);
			begun = true;
			came |= other;
			o->dead = o->dead && !other;
			put(s, i, &f);
		}
		if (f.index)
			note_carrier(s, o, f.dead);
	}
	if (begun)
		media_commit(s->media);
	return came;
}

/** An address of an output's fan cannot be reached, or can again. */
static void fan_trouble(struct sounds *s, const struct sound *o, unsigned k,
			int err)
{
	char to[VALUE_ENDPOINT_SIZE], key[96];

	if (k >= o->out.n_fan)
		return;
	fan_key(o, k, key);
	if (!err)
		fault_clear(s->faults, key);
	else
		fault_raise(s->faults, key, 0,
			    err == ECONNREFUSED
				    ? "The device is there but does not "
				      "listen: check its port and restart it."
				    : "Check the device's power, cable or "
				      "Wi-Fi, and `unicast` of this output.",
			    "%s of output %s does not hear: %s",
			    value_endpoint_text(to, &o->fan[k]), o->name,
			    strerror(err));
}

static const char *trouble_remedy(int err)
{
	switch (err) {
	case EPERM:
		return "A firewall rule of this host drops it: see `nft list "
		       "ruleset`, chains of the hooks output and postrouting.";
	case ECONNREFUSED:
		return "Look at the device, its port, and the firewall before "
		       "it.";
	default:
		return "Check the cable, the interface's address and `ip route "
		       "get` for the group.";
	}
}

void sounds_trouble(struct sounds *s, unsigned index, unsigned target, int err)
{
	char key[96];

	if (index >= N || !s->v[index].used)
		return;
	if (target) {
		fan_trouble(s, &s->v[index], target - 1, err);
		return;
	}
	fault_key(&s->v[index], key);
	if (!err && s->v[index].dead)
		return;
	if (!err)
		fault_clear(s->faults, key);
	else
		fault_raise(s->faults, key, 0, trouble_remedy(err),
			    "output %s cannot send: %s", s->v[index].name,
			    err == ECONNREFUSED ? "nothing listens there "
						  "(ICMP port unreachable)"
						: strerror(err));
}

bool sounds_view(const struct sounds *s, unsigned index, struct sound_view *v)
{
	const struct sound *o = &s->v[index];
	char key[96];

	if (index >= N || !o->used)
		return false;
	fault_key(o, key);
	*v = (struct sound_view){
		.name = o->name,
		.interface = o->interface,
		.out = &o->out,
		.hear_back = o->hear_back,
		.foreign_talkers = o->foreign_talkers,
		.faulty = fault_find(s->faults, key) != NULL,
	};
	return true;
}

uint32_t sounds_serial(const struct sounds *s, unsigned index)
{
	return serial_of(&s->v[index]);
}

uint32_t sounds_hold_ms(const struct sounds *s, const struct arb_set *set)
{
	/* The alerts, and what sharing of wake-ups may bring sound forward. */
	const uint32_t alerts = (MEDIA_POLYCOM_ALERT_US + 20000 + 999) / 1000;
	uint32_t hold = 0;

	for (unsigned i = 0; i < s->count; i++) {
		const struct sound *o = &s->v[i];
		struct media_output_stats st;
		uint32_t ms = 0;
		char key[96];

		if (!o->used || !arb_set_has(set, i))
			continue;
		if (o->speaker && !o->connected) {
			fault_key(o, key);
			ms = fault_find(s->faults, key) ? 0 : o->wait_ms;
		} else if (o->out.polycom.channel) {
			media_output_stats(s->media, i, &st);
			ms = st.open ? 0 : alerts;
		}
		hold = ms > hold ? ms : hold;
	}
	return hold;
}

int sounds_owner(const struct sounds *s, unsigned index)
{
	return index < N && s->v[index].used ? s->v[index].zone : -1;
}

const char *sounds_name(const struct sounds *s, unsigned index)
{
	return index < N && s->v[index].used ? s->v[index].name : "";
}

static size_t add_format(struct format *out, size_t n, const struct format *f)
{
	for (size_t i = 0; i < n; i++)
		if (format_equal(&out[i], f))
			return n;
	if (n < CLIP_MAX_FORMATS)
		out[n] = *f;
	return n + 1;
}

void sounds_speaker_format(struct format *f, const struct format *configured,
			   enum codec codec)
{
	format_default(f, codec, 16000);
	f->gain_cb = configured->gain_cb;
}

size_t sounds_formats(const struct config *c, struct format *out,
		      size_t *outputs)
{
	struct format f;
	size_t n = 0;

	for (size_t i = 0; i < c->n_sounds && n <= CLIP_MAX_FORMATS; i++) {
		const struct config_sound *o = &c->sounds[i];

		if (o->kind != SOUND_SPEAKER)
			n = add_format(out, n, &o->out.fmt);
		for (size_t k = 0;
		     o->kind == SOUND_SPEAKER && k < o->speaker.n_codecs &&
		     n <= CLIP_MAX_FORMATS;
		     k++) {
			sounds_speaker_format(&f, &o->out.fmt,
					      o->speaker.codecs[k]);
			n = add_format(out, n, &f);
		}
	}
	*outputs = n ? n : 1;
	format_default(&f, CODEC_PCMU, 8000);
	n = add_format(out, n, &f);
	format_default(&f, CODEC_PCMA, 8000);
	n = add_format(out, n, &f);
	/* Who is called hears messages. */
	if (c->n_operators)
		*outputs = n;
	return n <= CLIP_MAX_FORMATS ? n : 0;
}
