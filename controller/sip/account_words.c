#include "account_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void of_status(char *text, size_t size, const struct account_failure *f)
{
	switch (f->status) {
	case 401:
	case 407:
		snprintf(text, size,
			 "wrong password, or user \"%s\" is unknown at %s (%u)",
			 f->user, f->where, f->status);
		break;
	case 403:
		snprintf(text, size,
			 "%s forbids it (403 %s): %s, or not from this address",
			 f->where, f->phrase,
			 f->proved ? "wrong password or unknown user"
				   : "unknown user");
		break;
	case 404:
	case 410:
	case 604:
		snprintf(text, size, "unknown user: %s has no %s (%u %s)",
			 f->where, f->aor, f->status, f->phrase);
		break;
	case 305:
	case 405:
	case 501:
		snprintf(text, size,
			 "%s registers nobody (%u %s): wrong port or host",
			 f->where, f->status, f->phrase);
		break;
	case 400:
	case 416:
	case 426:
	case 488:
	case 505:
		snprintf(text, size,
			 "%s does not take it (%u %s): wrong transport?",
			 f->where, f->status, f->phrase);
		break;
	default:
		snprintf(text, size, "%s refused: %u %s", f->where, f->status,
			 f->phrase);
	}
}

static void of_error(char *text, size_t size, const struct account_failure *f)
{
	switch (f->err) {
	case 0:
	case ETIMEDOUT:
		snprintf(text, size,
			 "no answer from %s: PBX down, wrong address or "
			 "transport, or a firewall",
			 f->where);
		break;
	case ECONNREFUSED:
		snprintf(text, size,
			 "refused: nothing listens at %s: PBX down, or wrong "
			 "port or transport",
			 f->where);
		break;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
		snprintf(text, size, "no route to %s", f->where);
		break;
	case EADDRNOTAVAIL:
		snprintf(text, size,
			 "no route to %s from an address in sip.listen with "
			 "its transport",
			 f->where);
		break;
	case ENOTSUP:
		snprintf(text, size,
			 "%s asks for a digest other than MD5 and SHA-256",
			 f->where);
		break;
	case ECONNRESET:
	case EPROTO:
		snprintf(text, size, "%s %s", f->where,
			 f->secure ? "speaks no TLS that we do: wrong port or "
				     "transport?"
				   : "closed the connection: wrong transport?");
		break;
	default:
		snprintf(text, size, "%s: %s", f->where, strerror(f->err));
	}
}

void account_words(char *text, size_t size, const struct account_failure *f)
{
	if (f->distrust && f->distrust[0])
		snprintf(text, size, "certificate of %s is not trusted: %s",
			 f->where, f->distrust);
	else if (f->status)
		of_status(text, size, f);
	else
		of_error(text, size, f);
}
