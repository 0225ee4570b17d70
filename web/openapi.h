/** The OpenAPI document of the API, held in the program. */
#ifndef TOCSIN_OPENAPI_H
#define TOCSIN_OPENAPI_H

/** Its text (JSON). Any thread. */
const char *openapi_text(void);

#endif
