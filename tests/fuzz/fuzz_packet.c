/* RTP decoder: whatever comes, the payload lies inside the datagram. */
#include "zones/engine/packet.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t header[PACKET_HEADER];
	struct packet p, again;

	if (packet_decode(&p, data, size))
		return 0;
	if (p.payload < data + PACKET_HEADER || p.payload > data + size ||
	    p.len > (size_t)(data + size - p.payload))
		abort();
	packet_header(header, &p);
	if (packet_decode(&again, header, sizeof(header)) ||
	    again.marker != p.marker || again.pt != p.pt ||
	    again.seq != p.seq || again.ts != p.ts || again.ssrc != p.ssrc ||
	    again.len)
		abort();
	return 0;
}
