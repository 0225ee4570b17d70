#include "pcm_walk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** Bytes of rubbish between frames that are passed over, as players do. */
#define MAX_LOST 4096
#define MAX_CHUNKS 64
/** Two pages of Ogg of the largest size, 27 + 255 + 255 * 255. */
#define OGG_TAIL (2 * 65307)

static off_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_size;
}

static bool bytes(int fd, void *buf, size_t n, off_t at)
{
	return pread(fd, buf, n, at) == (ssize_t)n;
}

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

/** Length in bytes of the frame with this header (ISO 11172-3 2.4.1, 13818-3
 *  for the half rates, and the quarter rates called 2.5); 0 = it is none. */
static uint32_t frame_bytes(const uint8_t *h, uint32_t *samples)
{
	static const uint16_t kbps[2][16] = {{0, 32, 40, 48, 56, 64, 80, 96,
					      112, 128, 160, 192, 224, 256, 320,
					      0},
					     {0, 8, 16, 24, 32, 40, 48, 56, 64,
					      80, 96, 112, 128, 144, 160, 0}};
	static const uint16_t hz[4] = {44100, 48000, 32000, 0};
	const unsigned version = h[1] >> 3 & 3, layer = h[1] >> 1 & 3;
	const unsigned pad = h[2] >> 1 & 1;
	const bool low = version != 3;
	uint32_t rate = hz[h[2] >> 2 & 3], bits = kbps[low][h[2] >> 4];

	if (h[0] != 0xff || (h[1] & 0xe0) != 0xe0 || version == 1 ||
	    layer != 1 || !rate || !bits)
		return 0;
	rate >>= version == 3 ? 0 : version == 2 ? 1 : 2;
	*samples = low ? 576 : 1152;
	return *samples / 8 * bits * 1000 / rate + pad;
}

/** Where the sound begins: behind an ID3v2 tag. */
static off_t behind_tag(int fd)
{
	uint8_t h[10];

	if (!bytes(fd, h, sizeof(h), 0) || memcmp(h, "ID3", 3))
		return 0;
	return 10 +
	       ((h[6] & 0x7f) << 21 | (h[7] & 0x7f) << 14 | (h[8] & 0x7f) << 7 |
		(h[9] & 0x7f)) +
	       (h[5] & 0x10 ? 10 : 0);
}

/** Is this the beginning of what may follow the sound? */
static bool is_tag(const uint8_t *h)
{
	return !memcmp(h, "TAG", 3) || !memcmp(h, "APET", 4) ||
	       !memcmp(h, "LYRI", 4) || !memcmp(h, "ID3", 3);
}

bool pcm_walk_mp3(int fd, struct pcm_mp3 *m)
{
	const off_t size = size_of(fd);
	off_t at = behind_tag(fd);
	unsigned lost = 0;
	uint8_t h[4];

	*m = (struct pcm_mp3){0};
	while (at + 4 <= size && bytes(fd, h, 4, at)) {
		uint32_t samples = 0, n = frame_bytes(h, &samples);

		if (m->frames && is_tag(h))
			break;
		if (!n) {
			if (++lost > MAX_LOST)
				break;
			at++;
			continue;
		}
		if (at + (off_t)n > size) {
			/* What rubbish happened to look like a header at the
			 * end is no frame. */
			m->cut = !lost;
			break;
		}
		lost = 0;
		m->frames++;
		m->samples += samples;
		at += (off_t)n;
	}
	return m->frames > 0;
}

bool pcm_walk_rf64_cut(int fd)
{
	const off_t size = size_of(fd);
	uint64_t promised = 0;
	off_t at = 12;
	uint8_t h[24];

	for (int i = 0; i < MAX_CHUNKS && bytes(fd, h, 8, at); i++) {
		const uint32_t n = le32(h + 4);

		if (!memcmp(h, "data", 4)) {
			if (n != UINT32_MAX)
				promised = n;
			return promised > (uint64_t)(size - at - 8);
		}
		if (!memcmp(h, "ds64", 4) && bytes(fd, h, 24, at))
			promised = le32(h + 16) | (uint64_t)le32(h + 20) << 32;
		at += 8 + (off_t)n + (n & 1);
	}
	return true; /* it ends before its sound */
}

/** Is there a whole page that says it is the last? Bit 2 of a page's type does
 *  (RFC 3533 6). */
static bool ogg_ends(const uint8_t *p, size_t n)
{
	for (size_t at = 0; at + 27 <= n; at++) {
		const size_t segments = p[at + 26];
		size_t len = 27 + segments;

		if (memcmp(p + at, "OggS", 5) || !(p[at + 5] & 4) ||
		    at + len > n)
			continue;
		for (size_t i = 0; i < segments; i++)
			len += p[at + 27 + i];
		if (at + len <= n)
			return true;
	}
	return false;
}

bool pcm_walk_ogg_cut(int fd)
{
	const off_t size = size_of(fd);
	const size_t n = size < OGG_TAIL ? (size_t)size : OGG_TAIL;
	uint8_t *tail = malloc(n ? n : 1);
	/* Nothing is known without memory. */
	const bool cut = tail && (!bytes(fd, tail, n, size - (off_t)n) ||
				  !ogg_ends(tail, n));

	free(tail);
	return cut;
}
