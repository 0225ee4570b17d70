/* What is wrong: verdicts as faults, each with its likely cause. */
#include "proof_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/** A group that was left to ask is joined again after this: by IGMPv3 leaving
 *  is told within a second. */
#define REJOIN_US 2000000
#define LINK_MS 1000
#define POLL_MS 200

static const char *const protocol[2] = {"IGMP", "MLD"};
static const char *const prefix[2] = {"igmp", "mld"};

/* ---------------------------------------------------------------- outputs */

static void judge_heard(struct proof *p, struct proof_output *o, bool faulty)
{
	const struct proof_link *l = &p->link[o->link];
	const uint32_t ms = p->config->proof.hear_within_ms + POLL_MS;
	char key[96];

	snprintf(key, sizeof(key), "heard:%.85s", o->name);
	switch (o->verdict) {
	case HEARD_OK:
		fault_clear(p->faults, key);
		break;
	case HEARD_UNSENT:
		/* Its own fault says why. */
		if (faulty)
			fault_clear(p->faults, key);
		else
			fault_raise(p->faults, key, ms,
				    "See the other faults and the log; restart "
				    "the daemon if there are none.",
				    "output %s is to sound, but nothing of it "
				    "is sent",
				    o->name);
		break;
	case HEARD_LOST:
		if (l->means == PROOF_WIRE)
			fault_raise(
				p->faults, key, ms,
				"Look for what drops it on this host: `nft "
				"list ruleset` (hooks egress, postrouting), "
				"`tc filter show dev IF egress`, `tc -s "
				"qdisc`. "
				"Clears when it is heard again: page the zone.",
				"output %s sounds, but its packets are not "
				"seen to leave %s: a firewall or traffic "
				"control rule of this host drops them",
				o->name, l->name);
		else
			fault_raise(
				p->faults, key, ms,
				"Look for firewall rules of this host, for "
				"what goes out and what comes in: `nft list "
				"ruleset`. Clears when it is heard again: page "
				"the zone.",
				"output %s sounds, but is not heard back "
				"inside this host (%s): a firewall rule drops "
				"it",
				o->name, l->name);
		break;
	case HEARD_SILENT:
		fault_raise(p->faults, key, ms,
			    "Report this with the message or codec that "
			    "sounds; clears when sound is heard again.",
			    "output %s sends silence where there should be "
			    "sound",
			    o->name);
		break;
	case HEARD_LOCKED:
		fault_raise(p->faults, key, ms,
			    "Reload the configuration with the right "
			    "srtp-key-file; report it if this comes again. "
			    "Clears when it is heard again: page the zone.",
			    "packets of output %s do not open with its SRTP "
			    "key: receivers hear nothing",
			    o->name);
		break;
	case HEARD_QUIET:
	case HEARD_WAIT:
		break;
	}
}

static void judge_talker(struct proof *p, struct proof_output *o)
{
	char key[96], who[INET6_ADDRSTRLEN];

	snprintf(key, sizeof(key), "foreign:%.85s", o->name);
	if (!talker_present(&o->talker, p->now)) {
		fault_clear(p->faults, key);
		return;
	}
	inet_ntop(o->talker.family, o->talker.addr, who, sizeof(who));
	fault_raise(p->faults, key, POLL_MS,
		    "Stop that sender or give it another group; "
		    "foreign-talkers = false for the output where it is "
		    "meant.",
		    "%s port %u (SSRC %08x) sends to the group of output %s "
		    "too: loudspeakers mix both, or play one of them",
		    who, o->talker.port, o->talker.ssrc, o->name);
}

/** On a channel that several Polycom outputs share one of them talks. */
static bool may_share(const struct proof_output *o)
{
	const struct media_polycom *c = &o->out.polycom;

	return c->channel && (c->priority_from || c->emergency_from);
}

bool proof_judge_outputs(struct proof *p)
{
	const uint64_t within =
		p->config->proof.hear_within_ms * UINT64_C(1000);
	bool any = false;

	for (unsigned i = 0; i < p->n; i++) {
		struct proof_output *o = &p->output[i];
		struct media_output_stats s;
		struct sound_view v;
		const struct proof_link *l;
		unsigned each;

		if (!o->used)
			continue;
		/* The engine counts all it sends: twice, to many. */
		each = (o->out.copy_us ? 2 : 1) * (1 + o->out.n_fan);
		l = &p->link[o->link];
		/* Without a sequence number samples of a loop come by chance:
		 * 24 times as many packets without one are no coincidence. */
		if (o->out.polycom.channel && l->means == PROOF_LOOP)
			each *= 8;
		media_output_stats(p->media, i, &s);
		any = any || s.sounding;
		judge_talker(p, o);
		if (!o->hear || l->means == PROOF_OFF ||
		    (l->means == PROOF_LOOP && !o->out.loop)) {
			o->verdict = HEARD_QUIET;
			continue;
		}
		o->verdict = heard_judge(
			&o->heard,
			&(struct heard_look){
				.sounding = s.sounding,
				.sent = s.packets,
				.level = s.level,
			},
			l->every * each,
			within + o->out.delay_ms * UINT64_C(1000), p->now);
		if (o->verdict == HEARD_UNSENT && may_share(o))
			o->verdict = HEARD_WAIT;
		if (o->verdict >= HEARD_OK && sounds_view(p->sounds, i, &v))
			judge_heard(p, o, v.faulty);
	}
	return any;
}

/* ------------------------------------------------------------- interfaces */

enum querier_mode proof_querier_mode(const struct proof *p,
				     const struct proof_link *l)
{
	const struct config_proof *c = &p->config->proof;

	if (l->alone)
		return QUERIER_IGNORE;
	for (size_t i = 0; i < c->n_querier_ignore; i++)
		if (!strcmp(c->querier_ignore[i], l->name))
			return QUERIER_IGNORE;
	return c->querier;
}

/** Up, and its cable is in? */
static bool is_running(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq rq = {0};
	bool yes;

	snprintf(rq.ifr_name, sizeof(rq.ifr_name), "%s", name);
	yes = fd >= 0 && !ioctl(fd, SIOCGIFFLAGS, &rq) &&
	      (rq.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
	if (fd >= 0)
		close(fd);
	return yes;
}

static void tell_querier(struct proof *p, const struct proof_link *l,
			 unsigned k, enum querier_mode mode)
{
	const struct querier *q = &l->querier[k];
	const uint32_t patience = p->config->proof.querier_patience_ms;
	const uint32_t limit = querier_limit_ms(q);
	char key[96], who[INET6_ADDRSTRLEN] = "", remedy[256];

	snprintf(key, sizeof(key), "%s:%.80s", prefix[k], l->name);
	snprintf(remedy, sizeof(remedy),
		 "Enable an %s querier on the switch or router of this VLAN; "
		 "without one snooping switches drop the groups after %u s. "
		 "Where none snoops: igmp-ignore = { \"%s\" } in the proof "
		 "section.",
		 protocol[k], limit / 1000, l->name);
	switch (l->verdict[k]) {
	case QUERIER_PRESENT:
		fault_clear(p->faults, key);
		break;
	case QUERIER_MISSING:
		if (mode == QUERIER_ASK && q->version != 1)
			fault_raise(p->faults, key, patience + LINK_MS, remedy,
				    "no %s querier on %s: no query for %u s, "
				    "though asked for one",
				    protocol[k], l->name, patience / 1000);
		else
			fault_raise(p->faults, key, limit + LINK_MS, remedy,
				    "no %s querier on %s: no query for %u s",
				    protocol[k], l->name, limit / 1000);
		break;
	case QUERIER_HALF:
		inet_ntop(k ? AF_INET6 : AF_INET, q->addr, who, sizeof(who));
		fault_raise(p->faults, key, limit + LINK_MS, remedy,
			    "no %s querier on %s: %s asks who left a group, "
			    "but sends no general queries",
			    protocol[k], l->name, who);
		break;
	case QUERIER_UNSURE:
		break;
	}
}

static void judge_querier(struct proof *p, struct proof_link *l, unsigned k)
{
	const enum querier_mode mode = proof_querier_mode(p, l);
	const sa_family_t family = k ? AF_INET6 : AF_INET;
	bool ask = false;

	if (!l->family[k] || l->others[k] < 0 || mode == QUERIER_IGNORE) {
		char key[96];

		snprintf(key, sizeof(key), "%s:%.80s", prefix[k], l->name);
		fault_clear(p->faults, key);
		l->verdict[k] = QUERIER_UNSURE;
		return;
	}
	l->verdict[k] = querier_judge(&l->querier[k], mode,
				      p->config->proof.querier_patience_ms,
				      p->now, &ask);
	if (l->asked_us[k] && p->now - l->asked_us[k] >= REJOIN_US) {
		members_asked(l->members, family);
		l->asked_us[k] = 0;
	} else if (ask && !l->asked_us[k]) {
		members_ask(l->members, family);
		l->asked_us[k] = p->now;
	}
	tell_querier(p, l, k, mode);
}

/** What was not allowed, once for all interfaces. */
static void judge_rights(struct proof *p)
{
	const struct proof_link *bad = NULL;

	for (int i = 0; i < PROOF_LINKS && !bad; i++)
		if (*p->link[i].name && p->link[i].ifindex && p->link[i].err)
			bad = &p->link[i];
	if (!bad)
		fault_clear(p->faults, "proof");
	else if (bad->err == EPERM || bad->err == EACCES)
		fault_warn(p->faults, "proof",
			   "Give the service CAP_NET_RAW (AmbientCapabilities "
			   "in its unit), or turn off hear-back and "
			   "igmp-querier.",
			   "packet sockets are not allowed: outputs are heard "
			   "back inside this host only, and IGMP queriers are "
			   "not watched");
	else
		fault_warn(p->faults, "proof",
			   "See whether the kernel has packet sockets "
			   "(CONFIG_PACKET, RestrictAddressFamilies of the "
			   "service).",
			   "no packet socket on %s: %s; outputs are heard back "
			   "inside this host only, and IGMP queriers are not "
			   "watched",
			   bad->name, strerror(bad->err));
}

void proof_judge_link(struct proof *p, struct proof_link *l)
{
	char key[96];

	judge_rights(p);
	snprintf(key, sizeof(key), "member:%.80s", l->name);
	if (l->join_err && l->ifindex)
		fault_warn(p->faults, key,
			   "See the kernel's limits: net.ipv4."
			   "igmp_max_memberships, net.core.optmem_max, and "
			   "LimitNOFILE of the service.",
			   "groups on %s could not be joined: %s; who else "
			   "talks on them is not seen",
			   l->name, strerror(l->join_err));
	else
		fault_clear(p->faults, key);
	/* Without a cable there is no querier; the outputs' faults tell. */
	if (!l->ifindex || !is_running(l->name)) {
		querier_begin(&l->querier[0], p->now);
		querier_begin(&l->querier[1], p->now);
		return;
	}
	if (l->members)
		members_refresh(l->members);
	judge_querier(p, l, 0);
	judge_querier(p, l, 1);
}

/* ---------------------------------------------------------- after a change */

static bool output_stays(const char *key, void *arg)
{
	const struct proof *p = arg;
	const bool foreign = !strncmp(key, "foreign:", 8);
	const char *name = strchr(key, ':') + 1;

	for (unsigned i = 0; i < p->n; i++) {
		const struct proof_output *o = &p->output[i];

		if (o->used && (foreign ? o->foreign : o->hear) &&
		    !strncmp(o->name, name, 85))
			return true;
	}
	return false;
}

static bool link_stays(const char *key, void *arg)
{
	const struct proof *p = arg;
	const char *name = strchr(key, ':') + 1;

	for (int i = 0; i < PROOF_LINKS; i++)
		if (!strcmp(p->link[i].name, name))
			return true;
	return false;
}

void proof_judge_gone(struct proof *p)
{
	static const char *const links[] = {"igmp:", "mld:", "member:"};

	fault_clear_prefix(p->faults, "heard:", output_stays, p);
	fault_clear_prefix(p->faults, "foreign:", output_stays, p);
	for (unsigned i = 0; i < 3; i++)
		fault_clear_prefix(p->faults, links[i], link_stays, p);
	judge_rights(p);
}
