#include "text_json.h"

#include "controller/base/text.h"

#include <stdio.h>

json_t *text_json(const char *s)
{
	char buf[TEXT_JSON_MAX + 1];

	snprintf(buf, sizeof(buf), "%s", s);
	return json_string(text_clean(buf));
}
