/*
 * Encoders and decoders of G.722 and Opus: made by the control side as outputs
 * come to need them, lent to the feeds that mix or transcode, taken back when
 * a feed ends. A message alone, and a caller's own codec, need none.
 */
#include "zones/engine/engine.h"

struct encoder *coders_encoder(struct engine *e, enum codec codec)
{
	struct coders *c = &e->coders[codec];

	return c->n_enc ? c->enc[--c->n_enc] : NULL;
}

struct decoder *coders_decoder(struct engine *e, enum codec codec)
{
	struct coders *c = &e->coders[codec];

	return c->n_dec ? c->dec[--c->n_dec] : NULL;
}

void coders_put(struct engine *e, enum codec codec, struct encoder *enc,
		struct decoder *dec)
{
	struct coders *c = &e->coders[codec];

	if (enc && c->n_enc < ENGINE_CODERS)
		c->enc[c->n_enc++] = enc;
	if (dec && c->n_dec < ENGINE_CODERS)
		c->dec[c->n_dec++] = dec;
}
