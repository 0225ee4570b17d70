#include "dialog_info.h"

#include "controller/sip/lamp.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *lamp_state_name(enum lamp_state s)
{
	return s == LAMP_ON ? "on" : s == LAMP_EARLY ? "early" : "off";
}

/* As it may stand in an attribute. False when it does not fit. */
static bool escape(char *to, size_t size, const char *text)
{
	size_t at = 0;

	for (; *text; text++) {
		const char *as = *text == '&'   ? "&amp;"
				 : *text == '<' ? "&lt;"
				 : *text == '>' ? "&gt;"
				 : *text == '"' ? "&quot;"
						: NULL;
		const size_t n = as ? strlen(as) : 1;

		if (at + n >= size)
			return false;
		memcpy(to + at, as ? as : text, n);
		at += n;
	}
	to[at] = '\0';
	return true;
}

/* Without any dialog some phones keep the lamp as it was: "terminated" is said
 * of one that is always the same. */
size_t dialog_info_print(char *buf, size_t size, const char *entity,
			 const char *user, uint32_t version,
			 enum lamp_state state)
{
	static const char *const states[] = {[LAMP_OFF] = "terminated",
					     [LAMP_EARLY] = "early",
					     [LAMP_ON] = "confirmed"};
	char e[400], u[200];
	int n;

	if (!escape(e, sizeof(e), entity) || !escape(u, sizeof(u), user))
		return 0;
	n = snprintf(buf, size,
		     "<?xml version=\"1.0\"?>\r\n"
		     "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\""
		     " version=\"%u\" state=\"full\" entity=\"%s\">\r\n"
		     "<dialog id=\"%s\" direction=\"recipient\">\r\n"
		     "<state>%s</state>\r\n"
		     "</dialog>\r\n"
		     "</dialog-info>\r\n",
		     version, e, u, states[state]);
	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

uint16_t lamp_expires(const char *wanted, size_t len, uint32_t *granted)
{
	uint32_t v = 0;

	*granted = LAMP_MAX_S;
	if (!len)
		return 200;
	for (size_t i = 0; i < len; i++) {
		if (wanted[i] < '0' || wanted[i] > '9')
			return 400;
		if (v < LAMP_MAX_S)
			v = v * 10 + (uint32_t)(wanted[i] - '0');
	}
	if (v && v < LAMP_MIN_S)
		return 423;
	*granted = v < LAMP_MAX_S ? v : LAMP_MAX_S;
	return 200;
}

bool lamp_lost(uint16_t status)
{
	if (status < 300)
		return !status;
	switch (status) {
	case 404:
	case 405:
	case 410:
	case 416:
	case 480:
	case 481:
	case 482:
	case 483:
	case 484:
	case 485:
	case 489:
	case 501:
	case 604:
		return true;
	default:
		return false;
	}
}
