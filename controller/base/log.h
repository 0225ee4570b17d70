/**
 * The log: one line per message on stderr, with subject fields.
 *
 * Under systemd (JOURNAL_STREAM is set) lines carry the journal's priority
 * prefix "<N>"; otherwise a time and a word. Any thread but the media thread
 * may log. Library code does not log: it returns errors; edges log once.
 */
#ifndef TOCSIN_LOG_H
#define TOCSIN_LOG_H

#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR = 3, /**< journal priorities */
	LOG_LEVEL_WARN = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/** Chooses the prefix style and the most talkative level that is written. */
void log_init(enum log_level max);

/** Level of "error", "warn", "notice", "info" or "debug"; LOG_LEVEL_INFO for
 *  anything else. */
enum log_level log_level_by_name(const char *name);

/**
 * Writes one line: text, then the fields in brackets.
 *
 * @param fields "broadcast=17 zone=all", or NULL
 * Control characters in the result are written as '?', so that a peer's text
 * cannot forge a line; lines are cut at 1,023 bytes.
 */
void log_write(enum log_level level, const char *fields, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** Lets through `burst` lines per `per_ms`; then counts what it held back. */
struct log_rate {
	uint32_t burst, per_ms;
	uint64_t since_ms;
	uint32_t used, held;
};

/**
 * As log_write(), unless the rate is used up. When the next period begins, the
 * line says how many were held back. One owner thread per struct log_rate.
 */
void log_rated(struct log_rate *rate, enum log_level level, const char *fields,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#define log_error(fields, ...) log_write(LOG_LEVEL_ERROR, fields, __VA_ARGS__)
#define log_warn(fields, ...) log_write(LOG_LEVEL_WARN, fields, __VA_ARGS__)
#define log_notice(fields, ...) log_write(LOG_LEVEL_NOTICE, fields, __VA_ARGS__)
#define log_info(fields, ...) log_write(LOG_LEVEL_INFO, fields, __VA_ARGS__)
#define log_debug(fields, ...) log_write(LOG_LEVEL_DEBUG, fields, __VA_ARGS__)

#endif
