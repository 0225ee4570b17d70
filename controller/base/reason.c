#include "reason.h"

#include <stdarg.h>
#include <stdio.h>

int reason_set(struct reason *r, int err, const char *fmt, ...)
{
	va_list ap;

	if (r) {
		va_start(ap, fmt);
		vsnprintf(r->text, sizeof(r->text), fmt, ap);
		va_end(ap);
	}
	return err;
}
