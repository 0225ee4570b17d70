#include "calltraces.h"

#include "config/values.h"
#include "controller/base/clock.h"
#include "controller/base/text.h"
#include "sip/calltrace.h"
#include "sip/pcap.h"
#include "text_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const transports[] = {
	[CALLTRACE_UDP] = "udp",
	[CALLTRACE_TCP] = "tcp",
	[CALLTRACE_TLS] = "tls",
};

/** A message as lines that can be shown, each ended by a newline. */
static void put_lines(FILE *f, const struct calltrace_message *m)
{
	const char *p = m->text, *end = p + m->kept;
	char line[CALLTRACE_MESSAGE + 1];

	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((eol ? eol : end) - p);

		memcpy(line, p, n);
		line[n] = '\0';
		line[strcspn(line, "\r")] = '\0';
		fprintf(f, "%s\n", text_clean(line));
		p = eol ? eol + 1 : end;
	}
}

static json_t *lines_json(const struct calltrace_message *m)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	json_t *o;

	if (!f)
		return json_null();
	put_lines(f, m);
	fclose(f);
	o = json_stringn(text, n);
	free(text);
	return o ? o : json_null();
}

static json_t *call_json(const struct calltrace_call *c)
{
	char name[24], since[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE];

	snprintf(name, sizeof(name), "t%llu", (unsigned long long)c->number);
	return json_pack(
		"{s:s,s:o,s:s,s:o,s:o,s:o,s:o,s:s,s:s,s:I,s:I}", "trace", name,
		"call",
		c->record ? json_integer((json_int_t)c->record) : json_null(),
		"direction", c->kind == CALLTRACE_MADE ? "out" : "in", "status",
		c->status ? json_integer(c->status) : json_null(), "call_id",
		text_json(c->call_id), "from", text_json(c->from), "to",
		text_json(c->to), "since",
		clock_format(since, c->since_wall_us), "last",
		clock_format(last, c->last_wall_us), "messages",
		(json_int_t)c->messages, "left_out",
		(json_int_t)(c->messages - c->kept));
}

static int newer_first(const void *a, const void *b)
{
	const struct calltrace_call *x = a, *y = b;

	return x->number < y->number ? 1 : x->number > y->number ? -1 : 0;
}

json_t *calltraces_json(const struct stack *s)
{
	const size_t most = CALLTRACE_MAX_ANSWERED + CALLTRACE_MAX_REFUSED +
			    CALLTRACE_MAX_MADE;
	struct calltrace_call *v = calloc(most, sizeof(*v));
	json_t *a = json_array();
	size_t n = 0;

	while (v && s && n < most && calltrace_see(stack_trace(s), n, &v[n]))
		n++;
	if (n)
		qsort(v, n, sizeof(*v), newer_first);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, call_json(&v[i]));
	free(v);
	return a;
}

static json_t *message_json(const struct calltrace_message *m)
{
	char time[CLOCK_TEXT_SIZE];
	char from[VALUE_ENDPOINT_SIZE], to[VALUE_ENDPOINT_SIZE];

	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:b,s:o}", "time",
			 clock_format(time, m->wall_us), "way",
			 m->sent ? "sent" : "received", "transport",
			 transports[m->transport], "from",
			 value_endpoint_text(from, &m->from), "to",
			 value_endpoint_text(to, &m->to), "bytes",
			 (json_int_t)m->size, "cut", m->kept < m->size, "text",
			 lines_json(m));
}

json_t *calltraces_one_json(const struct stack *s, const char *call)
{
	struct calltrace_call c;
	struct calltrace_message m;
	json_t *o, *a;

	if (!s || !calltrace_find(stack_trace(s), call, &c))
		return NULL;
	o = call_json(&c);
	a = json_array();
	for (size_t i = 0;
	     calltrace_message_at(stack_trace(s), c.number, i, &m); i++)
		json_array_append_new(a, message_json(&m));
	json_object_set_new(o, "said", a);
	return o;
}

/* ------------------------------------------------------------------- files */

static void put_title(FILE *f, const struct calltrace_call *c)
{
	char id[TEXT_JSON_MAX + 1];

	snprintf(id, sizeof(id), "%s", c->call_id);
	fprintf(f, "Trace t%llu", (unsigned long long)c->number);
	if (c->record)
		fprintf(f, ", call %llu", (unsigned long long)c->record);
	fprintf(f, ", Call-ID %s: %llu messages\n", text_clean(id),
		(unsigned long long)c->messages);
	fputs("Secrets are shown as ***.\n", f);
}

static void put_text(FILE *f, const struct calltrace_call *c, size_t i,
		     const struct calltrace_message *m)
{
	const uint64_t left_out = c->messages - c->kept;
	char time[CLOCK_TEXT_SIZE];
	char from[VALUE_ENDPOINT_SIZE], to[VALUE_ENDPOINT_SIZE];

	if (!i)
		put_title(f, c);
	if (i == CALLTRACE_FIRST && left_out)
		fprintf(f, "\n--- %llu messages were not kept ---\n",
			(unsigned long long)left_out);
	fprintf(f, "\n--- %s %s %s -> %s %s, %zu bytes%s\n",
		clock_format(time, m->wall_us), transports[m->transport],
		value_endpoint_text(from, &m->from),
		value_endpoint_text(to, &m->to), m->sent ? "sent" : "received",
		m->size, m->kept < m->size ? ", cut" : "");
	put_lines(f, m);
}

static void put_packet(FILE *f, size_t i, const struct calltrace_message *m)
{
	uint8_t head[PCAP_MESSAGE_HEAD] = {0};
	size_t n;

	if (!i) {
		n = pcap_head(head);
		fwrite(head, 1, n, f);
	}
	n = pcap_message(head, m, (uint16_t)i);
	fwrite(head, 1, n, f);
	fwrite(m->text, 1, m->kept, f);
}

static void put(FILE *f, const struct calltrace *t,
		const struct calltrace_call *c, enum calltraces_format format)
{
	struct calltrace_message m;

	for (size_t i = 0; calltrace_message_at(t, c->number, i, &m); i++)
		if (format == CALLTRACES_PCAP)
			put_packet(f, i, &m);
		else
			put_text(f, c, i, &m);
}

int calltraces_file(const struct stack *s, const char *call,
		    enum calltraces_format format, int *fd, uint64_t *size)
{
	struct calltrace_call c;
	int mine = -1, err = 0;
	FILE *f = NULL;
	long n = 0;

	if (!s || !calltrace_find(stack_trace(s), call, &c))
		return ENOENT;
	*fd = memfd_create("trace", MFD_CLOEXEC);
	if (*fd >= 0)
		mine = dup(*fd);
	if (mine >= 0)
		f = fdopen(mine, "wb");
	if (f) {
		put(f, stack_trace(s), &c, format);
		n = ftell(f);
	}
	if (!f || fflush(f) || ferror(f) || n < 0)
		err = errno ? errno : EIO;
	*size = (uint64_t)n;
	if (f)
		fclose(f);
	else if (mine >= 0)
		close(mine);
	if (err && *fd >= 0)
		close(*fd);
	return err;
}
