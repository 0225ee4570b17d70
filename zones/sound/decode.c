#include "decode.h"

#include "pcm.h"

#include <errno.h>
#include <sndfile.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_CHANNELS 16
#define FRAMES 1024
#define QUALITY 8
/** Samples made of FRAMES, at most: from 4 kHz to 48 kHz. */
#define MADE (FRAMES * 12 + 64)

struct decoding {
	SNDFILE *f;
	SF_INFO info;
	SpeexResamplerState *rs;
	int out;
	int16_t in[FRAMES * MAX_CHANNELS];
	int16_t mono[FRAMES];
	int16_t made[MADE];
};

static int put(int fd, const int16_t *v, size_t n)
{
	const char *p = (const char *)v;

	for (n *= sizeof(*v); n;) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

static void mix(struct decoding *d, sf_count_t n)
{
	for (sf_count_t i = 0; i < n; i++) {
		int sum = 0;

		for (int c = 0; c < d->info.channels; c++)
			sum += d->in[i * d->info.channels + c];
		d->mono[i] = (int16_t)(sum / d->info.channels);
	}
}

static int resample(struct decoding *d, sf_count_t n)
{
	spx_uint32_t done = 0;

	while (done < n) {
		spx_uint32_t in = (spx_uint32_t)n - done, made = MADE;
		int err;

		if (speex_resampler_process_int(d->rs, 0, d->mono + done, &in,
						d->made, &made) ||
		    (!in && !made))
			return EIO;
		err = put(d->out, d->made, made);
		if (err)
			return err;
		done += in;
	}
	return 0;
}

static int run(struct decoding *d, struct reason *why)
{
	sf_count_t n, all = 0;
	int err = 0;

	while (!err && (n = sf_readf_short(d->f, d->in, FRAMES)) > 0) {
		all += n;
		mix(d, n);
		err = d->rs ? resample(d, n) : put(d->out, d->mono, (size_t)n);
	}
	if (err == EPIPE)
		return reason_set(why, err, "the reader is gone");
	if (err)
		return reason_set(why, err, "%s", strerror(err));
	if (!all)
		return reason_set(why, EINVAL, "there is no sound in it");
	return 0;
}

static int begin(struct decoding *d, int fd, uint32_t rate, struct reason *why)
{
	int bad;

	/* By descriptor: by its name libsndfile would play a letter called
	 * "x.au". */
	d->f = sf_open_fd(fd, SFM_READ, &d->info, SF_FALSE);
	if (!d->f)
		return reason_set(why, EINVAL, "it is no audio file (%s)",
				  sf_strerror(NULL));
	if (d->info.channels < 1 || d->info.channels > MAX_CHANNELS ||
	    d->info.samplerate < 4000 || d->info.samplerate > 192000)
		return reason_set(why, EINVAL,
				  "it has no 1 to 16 channels of 4 to 192 kHz");
	if ((uint32_t)d->info.samplerate == rate)
		return 0;
	d->rs = speex_resampler_init(1, (spx_uint32_t)d->info.samplerate, rate,
				     QUALITY, &bad);
	return d->rs ? 0 : reason_set(why, ENOMEM, "not enough memory");
}

int decode_file(int out, const char *path, uint32_t rate, struct reason *why)
{
	struct decoding *d = calloc(1, sizeof(*d));
	int fd = -1, err;

	if (!d)
		return reason_set(why, ENOMEM, "not enough memory");
	d->out = out;
	err = pcm_open(&fd, path, INT64_MAX, why);
	if (!err)
		err = begin(d, fd, rate, why);
	if (!err)
		err = run(d, why);
	if (d->rs)
		speex_resampler_destroy(d->rs);
	if (d->f)
		sf_close(d->f);
	if (fd >= 0)
		close(fd);
	free(d);
	return err;
}
