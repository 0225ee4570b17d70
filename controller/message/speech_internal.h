/** Settings of speech, shared by speech.c and speech_prune.c. */
#ifndef TOCSIN_SPEECH_INTERNAL_H
#define TOCSIN_SPEECH_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct speech {
	atomic_uint refs;
	char **argv; /**< with "%v"; argc 0 = there is none */
	size_t argc;
	bool flite; /**< the built-in command, whose voices are its own */
	char *voice;
	uint32_t limit_ms;
	uint64_t cache; /**< bytes */
	char *dir;
	bool keep;
};

#endif
