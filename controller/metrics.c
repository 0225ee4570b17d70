/* Figures for Prometheus, by its naming conventions. Control thread. */
#include "control_internal.h"

#include <stdio.h>
#include <stdlib.h>

static void head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(FILE *f, const char *name, const char *type, const char *help,
		double v)
{
	head(f, name, type, help);
	fprintf(f, "%s %.17g\n", name, v);
}

static void outputs(struct control *c, FILE *f)
{
	unsigned n = sounds_count(c->sounds);
	struct media_output_stats s;

	head(f, "tocsin_output_packets_total", "counter",
	     "RTP packets sent to an output of sound.");
	for (unsigned i = 0; i < n; i++) {
		media_output_stats(c->media, i, &s);
		fprintf(f, "tocsin_output_packets_total{output=\"%s\"} %llu\n",
			sounds_name(c->sounds, i),
			(unsigned long long)s.packets);
	}
	head(f, "tocsin_output_errors_total", "counter",
	     "RTP packets that could not be sent to an output of sound.");
	for (unsigned i = 0; i < n; i++) {
		media_output_stats(c->media, i, &s);
		fprintf(f, "tocsin_output_errors_total{output=\"%s\"} %llu\n",
			sounds_name(c->sounds, i),
			(unsigned long long)s.errors);
	}
	head(f, "tocsin_output_packet_socket", "gauge",
	     "1 where an output of sound leaves by a packet socket.");
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "tocsin_output_packet_socket{output=\"%s\"} %d\n",
			sounds_name(c->sounds, i),
			media_output_link(c->media, i));
}

char *metrics_text(struct control *c)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	struct media_stats m;
	struct stack_counters sip = {0};
	struct web_counters web;
	struct journal_health j = {0};
	struct speakers_counters k;

	if (!f)
		return NULL;
	media_stats(c->media, &m);
	speakers_counters(c->speakers, &k);
	web_counters(c->web, &web);
	if (c->stack)
		stack_counters(c->stack, &sip);
	if (c->journal)
		journal_health(c->journal, &j);
	head(f, "tocsin_info", "gauge", "Version and site of this controller.");
	fprintf(f, "tocsin_info{version=\"%s\",site=\"%s\"} 1\n",
		TOCSIN_VERSION, c->config->site);
	one(f, "tocsin_uptime_seconds", "gauge", "Time since the start.",
	    (double)(clock_mono_us() - c->started_us) / 1e6);
	one(f, "tocsin_broadcasts", "gauge", "Broadcasts on now.",
	    (double)broadcast_count(c->broadcasts));
	one(f, "tocsin_alarms_active", "gauge", "Alarms that are not normal.",
	    (double)alarms_active(c->alarms));
	one(f, "tocsin_faults", "gauge", "Faults that stand.",
	    (double)fault_count(c->faults));
	one(f, "tocsin_calls", "gauge", "Calls that are up.",
	    c->stack ? stack_calls(c->stack) : 0);
	one(f, "tocsin_speakers", "gauge", "SIP loudspeakers configured.",
	    k.speakers);
	one(f, "tocsin_speakers_up", "gauge", "SIP loudspeakers in a call.",
	    k.up);
	one(f, "tocsin_speakers_faulty", "gauge",
	    "SIP loudspeakers known not to sound.", k.faulty);
	one(f, "tocsin_speaker_calls_total", "counter",
	    "Calls made to SIP loudspeakers.", (double)k.calls);
	one(f, "tocsin_speaker_calls_answered_total", "counter",
	    "Calls that SIP loudspeakers answered.", (double)k.answered);
	one(f, "tocsin_speaker_calls_failed_total", "counter",
	    "Calls that were refused, or not answered in time.",
	    (double)k.failed);
	one(f, "tocsin_media_ticks_total", "counter",
	    "Turns of the media thread that sent something.", (double)m.ticks);
	one(f, "tocsin_media_late_ticks_total", "counter",
	    "Turns over 1 ms behind their deadline.", (double)m.late_ticks);
	one(f, "tocsin_media_max_late_seconds", "gauge",
	    "Worst lateness of a turn since the start.",
	    (double)m.max_late_us / 1e6);
	one(f, "tocsin_media_packets_total", "counter", "RTP packets sent.",
	    (double)m.packets);
	one(f, "tocsin_media_send_calls_total", "counter",
	    "System calls that sent them.", (double)m.send_calls);
	one(f, "tocsin_media_encodes_total", "counter",
	    "Packets encoded while sounding: live and mixed sound.",
	    (double)m.encodes);
	one(f, "tocsin_media_uncoded_total", "counter",
	    "Packets left silent for want of an encoder or decoder.",
	    (double)m.uncoded);
	one(f, "tocsin_control_max_lag_seconds", "gauge",
	    "Worst lateness of the control loop since the start.",
	    (double)c->max_lag_us / 1e6);
	one(f, "tocsin_library_bytes", "gauge", "Memory held by messages.",
	    (double)library_bytes(c->library));
	one(f, "tocsin_sip_requests_total", "counter", "SIP requests seen.",
	    (double)sip.requests);
	one(f, "tocsin_sip_refused_total", "counter",
	    "SIP requests refused by policy.", (double)sip.refused);
	one(f, "tocsin_sip_strangers_total", "counter",
	    "SIP requests of unknown senders, not answered.",
	    (double)sip.strangers);
	one(f, "tocsin_sip_junk_total", "counter",
	    "Datagrams on the SIP port that were no SIP.",
	    (double)sip.guard_dropped);
	one(f, "tocsin_journal_queue", "gauge",
	    "Events that wait for the disk.", j.queued);
	one(f, "tocsin_journal_dropped_total", "counter",
	    "Events lost because the disk stalled.", (double)j.dropped);
	one(f, "tocsin_http_requests_total", "counter", "HTTP requests.",
	    (double)web.requests);
	one(f, "tocsin_webhook_strangers_total", "counter",
	    "Requests to webhooks that were not signed as they should.",
	    (double)web.hook_strangers);
	one(f, "tocsin_http_streams", "gauge", "Live event streams open.",
	    (double)web.streams);
	outputs(c, f);
	sources_metrics(c->sources, f);
	musics_metrics(c->musics, f);
	proof_metrics(c->proof, f);
	field_metrics(c->field, f);
	modes_metrics(alarms_modes(c->alarms), f);
	walk_metrics(alarms_walk(c->alarms), f);
	plc_metrics(c->plc, f);
	webhooks_metrics(c->webhooks, f);
	notify_metrics(c->notify, f);
	bridge_metrics(c->bridge, f);
	accounts_metrics(c->accounts, f);
	caps_metrics(c->caps, f);
	help_metrics(c->help, f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
