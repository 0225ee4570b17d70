/**
 * Cursor with a sticky error over bytes from or for the wire.
 *
 * Read or write as much as the format says, then look at wire_ok() once:
 * after the first access beyond the end every read gives 0 and every write is
 * dropped, and the cursor stays failed. Multi-byte values are big-endian.
 */
#ifndef TOCSIN_WIRE_H
#define TOCSIN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire {
	uint8_t *p; /**< first byte */
	size_t len; /**< bytes in all */
	size_t pos; /**< next byte */
	bool failed;
};

/** A cursor to read len bytes; the bytes must outlive it. */
static inline struct wire wire_reader(const void *p, size_t len)
{
	return (struct wire){(uint8_t *)(uintptr_t)p, len, 0, false};
}

/** A cursor to write at most len bytes. */
static inline struct wire wire_writer(void *p, size_t len)
{
	return (struct wire){p, len, 0, false};
}

/** False once anything went beyond the end. */
static inline bool wire_ok(const struct wire *w)
{
	return !w->failed;
}

/** Bytes left; 0 once failed. */
static inline size_t wire_left(const struct wire *w)
{
	return w->failed ? 0 : w->len - w->pos;
}

/** The next n bytes, then stands behind them; NULL when there are fewer. */
static inline uint8_t *wire_take(struct wire *w, size_t n)
{
	uint8_t *p;

	if (w->failed || n > w->len - w->pos) {
		w->failed = true;
		return NULL;
	}
	p = w->p + w->pos;
	w->pos += n;
	return p;
}

static inline uint8_t wire_u8(struct wire *w)
{
	const uint8_t *p = wire_take(w, 1);

	return p ? p[0] : 0;
}

static inline uint16_t wire_u16(struct wire *w)
{
	const uint8_t *p = wire_take(w, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t wire_u32(struct wire *w)
{
	const uint8_t *p = wire_take(w, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
			       (uint32_t)p[2] << 8 | p[3]
		 : 0;
}

static inline void wire_put_u8(struct wire *w, uint8_t v)
{
	uint8_t *p = wire_take(w, 1);

	if (p)
		p[0] = v;
}

static inline void wire_put_u16(struct wire *w, uint16_t v)
{
	uint8_t *p = wire_take(w, 2);

	if (p) {
		p[0] = (uint8_t)(v >> 8);
		p[1] = (uint8_t)v;
	}
}

static inline void wire_put_u32(struct wire *w, uint32_t v)
{
	uint8_t *p = wire_take(w, 4);

	if (p) {
		p[0] = (uint8_t)(v >> 24);
		p[1] = (uint8_t)(v >> 16);
		p[2] = (uint8_t)(v >> 8);
		p[3] = (uint8_t)v;
	}
}

static inline void wire_put(struct wire *w, const void *src, size_t n)
{
	uint8_t *p = wire_take(w, n);

	if (p)
		memcpy(p, src, n);
}

#endif
