#include "entry.h"

#include <openssl/crypto.h>
#include <string.h>

bool entry_press(struct entry *e, enum entry_way way, char key, uint64_t now_ms)
{
	const bool same = e->pressed && e->last == key && e->way != way &&
			  now_ms - e->at_ms < ENTRY_SAME_MS;

	if (same)
		return false;
	e->pressed = true;
	e->last = key;
	e->way = way;
	e->at_ms = now_ms;
	return true;
}

void entry_again(struct entry *e)
{
	OPENSSL_cleanse(e->digits, sizeof(e->digits));
}

bool entry_key(struct entry *e, char key)
{
	const size_t n = strlen(e->digits);

	if (key == '*')
		entry_again(e);
	else if (key >= '0' && key <= '9' && n < sizeof(e->digits) - 1)
		e->digits[n] = key;
	return key == '#' && n;
}

bool entry_is(const struct entry *e, const char *pin)
{
	char want[sizeof(e->digits)] = "";
	bool is;

	strncpy(want, pin, sizeof(want) - 1);
	is = !CRYPTO_memcmp(want, e->digits, sizeof(want));
	OPENSSL_cleanse(want, sizeof(want));
	return is;
}
