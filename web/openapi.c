#include "openapi.h"

/* Kept as a file of its own for people and tests; put in by the assembler. */
__asm__(".section .rodata\n"
	".type openapi_document, @object\n"
	"openapi_document:\n"
	".incbin \"web/openapi.json\"\n"
	".byte 0\n"
	".previous\n");

extern const char openapi_document[];

const char *openapi_text(void)
{
	return openapi_document;
}
