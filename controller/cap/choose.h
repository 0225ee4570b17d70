/**
 * What a public alert is to us: heard where, how urgent, in which words. Pure.
 */
#ifndef TOCSIN_CAP_CHOOSE_H
#define TOCSIN_CAP_CHOOSE_H

#include "cap.h"
#include "controller/config/config.h"

/** Name of an alert for those who only refer to it: of sender and identifier,
 *  16 hexadecimal digits. */
#define CAP_KEY_SIZE 17

/** An alert without `expires` ends so long after it was sent. */
#define CAP_DEFAULT_LIFE_US (24 * INT64_C(3600000000))
/** A sender's clock may be ahead of ours by this. */
#define CAP_AHEAD_US (5 * INT64_C(60000000))

enum cap_verdict {
	CAP_NOT_OURS, /**< other status, sender, area, too little: see why */
	CAP_TOO_LATE, /**< expired, or older than max-age */
	CAP_NOT_YET,  /**< it takes effect later */
	CAP_HEARD,
};

struct cap_choice {
	enum cap_verdict verdict;
	char why[128];
	const struct cap_info *info; /**< whose words */
	int zones[CONFIG_MAX_ZONES];
	size_t n_zones;
	uint8_t level;
	int64_t expires_us, effective_us;
	char voice[32]; /**< "" = the default */
	char text[CONFIG_MAX_SPOKEN + 1];
};

void cap_key(const char *sender, const char *identifier,
	     char key[CAP_KEY_SIZE]);

/** The next key of an alert's references ("sender,identifier,sent ..."); *s
 *  moves on. False behind the last. */
bool cap_reference(const char **s, char key[CAP_KEY_SIZE]);

/** Is it of a status and sender that count, and of a type that says something?
 *  Else why not. Only then do its references mean anything. */
bool cap_admitted(const struct config_cap *c, const struct cap_alert *a,
		  char why[128]);

/** now_us: wall clock. */
void cap_choose(const struct config_cap *c, const struct cap_alert *a,
		int64_t now_us, struct cap_choice *out);

#endif
