#include "sdes.h"

#include "controller/config/srtp_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/** RFC 4568 4: a tag has at most 9 digits. */
#define TAG_DIGITS 9

static const struct {
	const char *name;
	uint8_t tag; /**< bytes of a packet's */
} suites[SDES_SUITES] = {
	[SDES_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", 10},
	[SDES_SHA1_32] = {"AES_CM_128_HMAC_SHA1_32", 4},
};

bool sdes_make(struct sdes *s, enum sdes_suite suite, uint32_t tag)
{
	*s = (struct sdes){
		.tag = tag,
		.suite = suite,
		.key = {.on = true, .tag = suites[suite].tag, .rolls = true},
	};
	return RAND_bytes(s->key.key, sizeof(s->key.key)) == 1;
}

/** The next word of *p into word[], "" at the end; false = longer than that. */
static bool next(const char **p, char *word, size_t size)
{
	const char *at = *p + strspn(*p, " \t");
	const size_t n = strcspn(at, " \t\r\n");

	*p = at + n;
	if (n >= size)
		return false;
	memcpy(word, at, n);
	word[n] = '\0';
	return true;
}

static bool read_tag(const char *word, uint32_t *tag)
{
	const size_t n = strspn(word, "0123456789");

	*tag = (uint32_t)strtoul(word, NULL, 10);
	return n && n <= TAG_DIGITS && !word[n];
}

/** 6.3: what we may leave unheeded are hints, and what is marked so. */
static bool unheeded(const char *parameter)
{
	return parameter[0] == '-' || !strncasecmp(parameter, "WSH=", 4);
}

const char *sdes_read(struct sdes *s, const char *value)
{
	char word[SDES_SIZE];
	unsigned suite = 0;
	const char *why;

	memset(s, 0, sizeof(*s));
	if (!next(&value, word, sizeof(word)) || !read_tag(word, &s->tag))
		return "a=crypto has no tag of 1 to 9 digits";
	if (!next(&value, word, sizeof(word)))
		word[0] = '\0';
	while (suite < SDES_SUITES && strcasecmp(word, suites[suite].name))
		suite++;
	if (suite == SDES_SUITES)
		return "a=crypto is of no suite that is taken";
	s->suite = (enum sdes_suite)suite;
	if (!next(&value, word, sizeof(word)) || strchr(word, ';') ||
	    strncasecmp(word, "inline:", 7))
		return "a=crypto must have one key, with inline:";
	why = srtp_key_read(word + 7, &s->key);
	OPENSSL_cleanse(word, sizeof(word));
	if (why)
		return "the key of a=crypto must be 40 characters of base64";
	s->key.on = s->key.rolls = true;
	s->key.tag = suites[suite].tag;
	do {
		if (!next(&value, word, sizeof(word)) ||
		    (word[0] && !unheeded(word)))
			return "a=crypto has a session parameter that is not "
			       "taken";
	} while (word[0]);
	return NULL;
}

void sdes_print(char text[SDES_SIZE], const struct sdes *s)
{
	unsigned char coded[64];

	EVP_EncodeBlock(coded, s->key.key, sizeof(s->key.key));
	snprintf(text, SDES_SIZE, "%u %s inline:%s", s->tag,
		 suites[s->suite].name, (char *)coded);
	OPENSSL_cleanse(coded, sizeof(coded));
}
