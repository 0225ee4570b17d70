/** Why a registration failed, in words for who can put it right. Pure. */
#ifndef TOCSIN_ACCOUNT_WORDS_H
#define TOCSIN_ACCOUNT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account_failure {
	const char *where; /**< "tcp:10.7.0.10:5060" */
	const char *user;  /**< whose password it is */
	const char *aor;
	uint16_t status;      /**< of the answer, 0 = none */
	const char *phrase;   /**< its reason phrase */
	int err;              /**< where there was no answer; 0 = silence */
	bool proved;          /**< our password was with the request */
	bool stream;          /**< TCP or TLS */
	bool secure;          /**< TLS */
	const char *distrust; /**< what is wrong with its certificate */
};

void account_words(char *text, size_t size, const struct account_failure *f);

#endif
