/**
 * What a lamp's document says (RFC 4235), and what is granted to who wants it.
 * Pure.
 */
#ifndef TOCSIN_DIALOG_INFO_H
#define TOCSIN_DIALOG_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lamp_state {
	LAMP_OFF,
	LAMP_EARLY, /**< rings, or wants attention: phones blink */
	LAMP_ON,    /**< talks, sounds: phones light up */
};

/** "off", "early", "on". */
const char *lamp_state_name(enum lamp_state s);

/** Longest document. */
#define DIALOG_INFO_SIZE 1024

/**
 * The whole state of one watched user, as XML.
 *
 * @param entity SIP URI of it, as far as it can be shown in XML
 * @return bytes written; 0 when it does not fit
 */
size_t dialog_info_print(char *buf, size_t size, const char *entity,
			 const char *user, uint32_t version,
			 enum lamp_state state);

/**
 * Seconds granted.
 *
 * @param wanted  digits of its Expires, len 0 = it has none
 * @param granted 0 = only asked once, or ended
 * @return 200, 400 (no number) or 423 (too short)
 */
uint16_t lamp_expires(const char *wanted, size_t len, uint32_t *granted);

/** Does that answer to a NOTIFY end the subscription (RFC 6665 4.2.2, RFC 5057
 *  5.1)? 0 = there was none. */
bool lamp_lost(uint16_t status);

#endif
