/*
 * Any bytes as SIP messages into the traces of calls: what is kept is bounded,
 * and is the message but for stars; the same as a capture file.
 */
#include "controller/sip/calltrace.h"
#include "controller/sip/pcap.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct calltrace_message *m, const uint8_t *data,
		  size_t size)
{
	uint8_t head[PCAP_MESSAGE_HEAD];

	if (m->size != size || m->kept > size || m->kept > CALLTRACE_MESSAGE)
		abort();
	for (size_t i = 0; i < m->kept; i++)
		if (m->text[i] != (char)data[i] && m->text[i] != '*')
			abort();
	if (pcap_message(head, m, 0) > sizeof(head))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct calltrace_message m = {
		.text = (const char *)data,
		.size = size,
		.sent = size & 1,
	};
	struct calltrace_call c;
	struct calltrace *t;

	if (calltrace_alloc(&t))
		abort();
	for (unsigned i = 0; i < 60; i++)
		calltrace_take(t, &m);
	if (calltrace_see(t, 0, &c)) {
		if (c.kept > c.messages || !*c.call_id)
			abort();
		for (size_t i = 0; calltrace_message_at(t, c.number, i, &m);
		     i++)
			check(&m, data, size);
	}
	calltrace_free(t);
	return 0;
}
