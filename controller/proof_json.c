/* What is shown of it: API and metrics. */
#include "proof_internal.h"

#include "text_json.h"

#include <arpa/inet.h>

static const char *const means[] = {
	[PROOF_OFF] = "off",
	[PROOF_WIRE] = "wire",
	[PROOF_LOOP] = "loop",
};

static const char *const verdicts[] = {
	[HEARD_QUIET] = "quiet",   [HEARD_WAIT] = "waiting",
	[HEARD_OK] = "heard",      [HEARD_UNSENT] = "unsent",
	[HEARD_LOST] = "lost",     [HEARD_SILENT] = "silent",
	[HEARD_LOCKED] = "locked",
};

static const char *const queriers[] = {
	[QUERIER_UNSURE] = "unknown",
	[QUERIER_PRESENT] = "present",
	[QUERIER_MISSING] = "missing",
	[QUERIER_HALF] = "no-general-queries",
};

static const char *const modes[] = {
	[QUERIER_ASK] = "ask",
	[QUERIER_LISTEN] = "listen",
	[QUERIER_IGNORE] = "ignore",
};

/** Seconds since, null = never. */
static json_t *age(const struct proof *p, uint64_t at)
{
	return at ? json_real((double)((p->now - at) / 100000) / 10)
		  : json_null();
}

static enum proof_means means_of(const struct proof *p,
				 const struct proof_output *o)
{
	const struct proof_link *l = &p->link[o->link];

	if (!o->hear || (l->means == PROOF_LOOP && !o->out.loop))
		return PROOF_OFF;
	return l->means;
}

static json_t *talker_json(const struct talker *t)
{
	char who[INET6_ADDRSTRLEN];

	if (!t->n)
		return json_null();
	inet_ntop(t->family, t->addr, who, sizeof(who));
	return json_pack("{s:s,s:i,s:I}", "address", who, "port", (int)t->port,
			 "ssrc", (json_int_t)t->ssrc);
}

json_t *proof_output_json(const struct proof *p, unsigned index)
{
	const struct proof_output *o = &p->output[index];

	if (index >= p->n || !o->used)
		return json_null();
	return json_pack("{s:s,s:s,s:I,s:o,s:o,s:I,s:o}", "by",
			 means[means_of(p, o)], "state", verdicts[o->verdict],
			 "samples", (json_int_t)o->heard.samples, "last_s",
			 age(p, o->heard.seen_us), "level_dbfs",
			 o->heard.level == HEARD_NO_LEVEL
				 ? json_null()
				 : json_integer(-(int)o->heard.level),
			 "foreign_packets", (json_int_t)o->foreign_packets,
			 "foreign", talker_json(&o->talker));
}

static json_t *querier_json(const struct proof *p, const struct proof_link *l,
			    unsigned k)
{
	const struct querier *q = &l->querier[k];
	char who[INET6_ADDRSTRLEN];

	if (!l->family[k])
		return json_null();
	inet_ntop(k ? AF_INET6 : AF_INET, q->addr, who, sizeof(who));
	return json_pack("{s:s,s:s,s:o,s:i,s:o,s:o}", "mode",
			 l->others[k] < 0 ? modes[QUERIER_IGNORE]
					  : modes[proof_querier_mode(p, l)],
			 "state", queriers[l->verdict[k]], "address",
			 q->sign_us ? json_string(who) : json_null(), "version",
			 (int)q->version, "last_s", age(p, q->sign_us),
			 "last_general_s", age(p, q->general_us));
}

json_t *proof_interfaces_json(const struct proof *p)
{
	json_t *a = json_array();

	for (int i = 0; i < PROOF_LINKS; i++) {
		const struct proof_link *l = &p->link[i];

		if (!*l->name)
			continue;
		json_array_append_new(
			a,
			json_pack("{s:o,s:b,s:i,s:s,s:i,s:i,s:o,s:o}", "name",
				  text_json(l->name), "present",
				  l->ifindex != 0, "outputs", (int)l->outputs,
				  "hear_back", means[l->means], "sample_every",
				  (int)l->every, "groups_joined",
				  l->members ? (int)members_count(l->members)
					     : 0,
				  "igmp", querier_json(p, l, 0), "mld",
				  querier_json(p, l, 1)));
	}
	return a;
}

static void head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void proof_metrics(const struct proof *p, FILE *f)
{
	head(f, "tocsin_output_heard_total", "counter",
	     "Samples of an output that were heard back.");
	for (unsigned i = 0; i < p->n; i++)
		if (p->output[i].used)
			fprintf(f,
				"tocsin_output_heard_total{output=\"%s\"} "
				"%llu\n",
				p->output[i].name,
				(unsigned long long)p->output[i].heard.samples);
	head(f, "tocsin_output_heard_level_dbfs", "gauge",
	     "Level of the last sample of an output that was heard back.");
	for (unsigned i = 0; i < p->n; i++)
		if (p->output[i].used &&
		    p->output[i].heard.level != HEARD_NO_LEVEL)
			fprintf(f,
				"tocsin_output_heard_level_dbfs{output=\"%s\"} "
				"-%u\n",
				p->output[i].name, p->output[i].heard.level);
	head(f, "tocsin_output_foreign_total", "counter",
	     "RTP packets of others to the group of an output.");
	for (unsigned i = 0; i < p->n; i++)
		if (p->output[i].used)
			fprintf(f,
				"tocsin_output_foreign_total{output=\"%s\"} "
				"%llu\n",
				p->output[i].name,
				(unsigned long long)p->output[i]
					.foreign_packets);
	head(f, "tocsin_querier_present", "gauge",
	     "1 while an IGMP or MLD querier is known on an interface.");
	for (int i = 0; i < PROOF_LINKS; i++)
		for (unsigned k = 0; k < 2; k++)
			if (*p->link[i].name && p->link[i].others[k] >= 0)
				fprintf(f,
					"tocsin_querier_present{interface="
					"\"%s\",protocol=\"%s\"} %d\n",
					p->link[i].name, k ? "mld" : "igmp",
					p->link[i].verdict[k] ==
						QUERIER_PRESENT);
	head(f, "tocsin_hear_back_lost_total", "counter",
	     "Samples that found no room before they were looked at.");
	for (int i = 0; i < PROOF_LINKS; i++)
		if (*p->link[i].name)
			fprintf(f,
				"tocsin_hear_back_lost_total{interface=\"%s\"} "
				"%llu\n",
				p->link[i].name,
				(unsigned long long)p->link[i].drops);
}
