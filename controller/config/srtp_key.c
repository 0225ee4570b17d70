/* Keys of SRTP as text (RFC 4568 6.1), and the files that hold those of
 * encrypted outputs. What is wrong is told, never what is in it. */
#include "srtp_key.h"

#include "load.h"
#include "secret.h"
#include "values.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

/** 30 bytes in base64, and the longest file: "inline:", key, parameters. */
#define CODED 40
#define LONGEST 128

/** "|1:4" behind the key; a lifetime ("|2^20", "|1048576") may stand before
 *  it. */
static bool read_mki(const char *s, struct media_srtp *k)
{
	static const char digits[] = "0123456789";
	unsigned long id, len;
	char *end;

	if (s[0] == '|' && strncmp(s, "|2^", 3) == 0) {
		s += 3;
		s += strspn(s, digits);
	} else if (s[0] == '|' && s[1 + strspn(s + 1, digits)] != ':') {
		s += 1 + strspn(s + 1, digits);
	}
	if (!*s)
		return true;
	if (s[0] != '|' || s[1] < '0' || s[1] > '9')
		return false;
	id = strtoul(s + 1, &end, 10);
	if (*end != ':' || end[1] < '1' || end[1] > '0' + MEDIA_SRTP_MAX_MKI ||
	    end[2])
		return false;
	len = (unsigned long)(end[1] - '0');
	if (id > UINT32_MAX || id >> (8 * len - 1) > 1)
		return false;
	k->mki_len = (uint8_t)len;
	for (unsigned i = 0; i < len; i++)
		k->mki[i] = (uint8_t)(id >> 8 * (len - 1 - i));
	return true;
}

const char *srtp_key_read(const char *s, struct media_srtp *k)
{
	uint8_t out[CODED / 4 * 3 + 1];
	char coded[CODED + 1] = "";

	if (!strncmp(s, "inline:", 7))
		s += 7;
	if (strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		      "0123456789+/") != CODED)
		return "it must begin with 40 characters of base64, a key of "
		       "16 "
		       "bytes and a salt of 14 (openssl rand -base64 30)";
	memcpy(coded, s, CODED);
	EVP_DecodeBlock(out, (uint8_t *)coded, CODED);
	memcpy(k->key, out, sizeof(k->key));
	OPENSSL_cleanse(out, sizeof(out));
	OPENSSL_cleanse(coded, sizeof(coded));
	if (!read_mki(s + CODED, k))
		return "behind the key may stand a key identifier and its "
		       "length, like |1:4: it must fit into 1 to 4 bytes";
	return NULL;
}

void load_srtp(struct load *l, size_t i, struct config_where at)
{
	struct config_sound *s = &l->c->sounds[i];
	const char *zone = l->c->zones[s->zone].name;
	char text[LONGEST] = "";
	const char *why = NULL;

	/* That it cannot be read is told already. */
	if (!s->key_file ||
	    secret_read(s->key_file, text, sizeof(text), &why) == ENOENT)
		return;
	if (!why)
		why = srtp_key_read(text, &s->out.srtp);
	OPENSSL_cleanse(text, sizeof(text));
	if (why)
		problem_add(l->p, at, "zone \"%s\": \"%s\": key file %s: %s",
			    zone, s->name, s->key_file, why);
	s->out.srtp.on = true;
	s->out.srtp.tag = s->suite ? 4 : 10;
}
