#include "pcm.h"

#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <speex/speex_resampler.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_CHANNELS 16
#define MIN_RATE 4000
#define MAX_RATE 192000
/** Peak below which a file counts as silent: -50 dBFS. */
#define SILENT_PEAK 104
/** Magnitude that counts as full scale. */
#define FULL_SCALE 32767
#define RESAMPLE_QUALITY 8

void pcm_reset(struct pcm *p)
{
	if (!p)
		return;
	free(p->v);
	*p = (struct pcm){0};
}

int pcm_peak(const struct pcm *p)
{
	int peak = 0;

	for (size_t i = 0; i < p->n; i++) {
		int v = abs((int)p->v[i]);

		if (v > peak)
			peak = v;
	}
	return peak;
}

/* ------------------------------------------------------------------- files */

/** Is what the header says acceptable? */
static int check_header(const SF_INFO *info, const char *path,
			struct reason *why)
{
	if (info->channels < 1 || info->channels > MAX_CHANNELS)
		return reason_set(why, EINVAL,
				  "%s has %d channels; 1 to %d are accepted",
				  path, info->channels, MAX_CHANNELS);
	if (info->samplerate < MIN_RATE || info->samplerate > MAX_RATE)
		return reason_set(why, EINVAL,
				  "%s has %d samples a second; %d to %d are "
				  "accepted",
				  path, info->samplerate, MIN_RATE, MAX_RATE);
	if (info->frames > 0 &&
	    info->frames / info->samplerate >= PCM_MAX_SECONDS)
		return reason_set(why, EFBIG,
				  "%s lasts %lld s; at most %d s are accepted",
				  path,
				  (long long)(info->frames / info->samplerate),
				  PCM_MAX_SECONDS);
	return 0;
}

/** Mixes the channels of n frames to one. */
static void mix_down(int16_t *dst, const float *src, size_t n, int channels)
{
	for (size_t i = 0; i < n; i++) {
		double sum = 0;

		for (int c = 0; c < channels; c++)
			sum += src[i * (size_t)channels + (size_t)c];
		sum = sum / channels * 32768;
		/* NaN compares false with everything: it becomes silence. */
		dst[i] = sum > 32767    ? 32767
			 : sum < -32768 ? -32768
			 : sum == sum   ? (int16_t)lrint(sum)
					: 0;
	}
}

static int read_frames(struct pcm *p, SNDFILE *f, const SF_INFO *info,
		       const char *path, struct reason *why)
{
	size_t limit = (size_t)PCM_MAX_SECONDS * (size_t)info->samplerate;
	size_t room = 0;
	float buf[4096];
	sf_count_t chunk =
		(sf_count_t)(sizeof(buf) / sizeof(buf[0])) / info->channels;
	sf_count_t n;

	p->rate = (uint32_t)info->samplerate;
	while ((n = sf_readf_float(f, buf, chunk)) > 0) {
		if (p->n + (size_t)n > limit)
			return reason_set(why, EFBIG,
					  "%s lasts longer than %d s", path,
					  PCM_MAX_SECONDS);
		if (p->n + (size_t)n > room) {
			int16_t *v;

			room = 2 * room + (size_t)n + 8000;
			v = realloc(p->v, room * sizeof(*v));
			if (!v)
				return reason_set(why, ENOMEM,
						  "not enough memory for %s",
						  path);
			p->v = v;
		}
		mix_down(p->v + p->n, buf, (size_t)n, info->channels);
		p->n += (size_t)n;
	}
	if (sf_error(f))
		return reason_set(why, EIO, "%s is damaged after %.1f s: %s",
				  path, (double)p->n / p->rate, sf_strerror(f));
	return 0;
}

/** WAV: the data the header promises against the bytes that are there, which
 *  libsndfile passes over. */
static bool truncated(const char *path)
{
	SF_INFO info = {0};
	char log[4096] = "";
	SNDFILE *f = sf_open(path, SFM_READ, &info);

	if (!f)
		return false;
	sf_command(f, SFC_GET_LOG_INFO, log, sizeof(log) - 1);
	sf_close(f);
	for (const char *line = log; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if ((!strncmp(line, "data :", 6) ||
		     !strncmp(line, " data :", 7)) &&
		    strstr(line, "should be") &&
		    strstr(line, "should be") < line + strcspn(line, "\n"))
			return true;
	}
	return false;
}

static int check_sound(const struct pcm *p, const char *path,
		       struct reason *why)
{
	size_t full = 0;

	if (!p->n)
		return reason_set(why, EINVAL, "%s holds no sound", path);
	if (pcm_peak(p) < SILENT_PEAK)
		return reason_set(why, EINVAL,
				  "%s is silent: its peak is below -50 dBFS",
				  path);
	for (size_t i = 0; i < p->n; i++)
		full += abs((int)p->v[i]) >= FULL_SCALE;
	if (full * 100 > p->n)
		return reason_set(
			why, EINVAL,
			"%s is clipped: %zu %% of its samples are at "
			"full scale; record it again at a lower level",
			path, full * 100 / p->n);
	return 0;
}

int pcm_load(struct pcm *p, const char *path, struct reason *why)
{
	SF_INFO info = {0};
	struct stat st;
	SNDFILE *f;
	int err;

	*p = (struct pcm){0};
	if (stat(path, &st))
		return reason_set(why, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return reason_set(why, EINVAL, "%s is no file", path);
	if (!st.st_size)
		return reason_set(why, EINVAL, "%s is empty", path);
	if (st.st_size > (off_t)PCM_MAX_FILE_BYTES)
		return reason_set(why, EFBIG,
				  "%s has %lld MB; at most %u MB are accepted",
				  path, (long long)(st.st_size >> 20),
				  PCM_MAX_FILE_BYTES >> 20);
	f = sf_open(path, SFM_READ, &info);
	if (!f)
		return reason_set(why, EINVAL,
				  "%s is no audio file (%s); WAV, FLAC, Ogg "
				  "and MP3 are read",
				  path, sf_strerror(NULL));
	err = check_header(&info, path, why);
	if (!err)
		err = read_frames(p, f, &info, path, why);
	sf_close(f);
	if (!err && truncated(path))
		err = reason_set(why, EINVAL,
				 "%s is truncated: its header promises more "
				 "sound than the file holds; copy it again",
				 path);
	if (!err)
		err = check_sound(p, path, why);
	if (err)
		pcm_reset(p);
	return err;
}

/* -------------------------------------------------------------- resampling */

static int copy(struct pcm *dst, const struct pcm *src)
{
	dst->v = malloc(src->n * sizeof(*dst->v) + 1);
	if (!dst->v)
		return ENOMEM;
	memcpy(dst->v, src->v, src->n * sizeof(*dst->v));
	dst->n = src->n;
	dst->rate = src->rate;
	return 0;
}

/** Feeds all of src and then silence until dst is full. */
static void run_resampler(SpeexResamplerState *r, struct pcm *dst,
			  const struct pcm *src)
{
	static const int16_t zeros[256];
	size_t in = 0, out = 0;

	while (out < dst->n) {
		bool rest = in < src->n;
		spx_uint32_t n_in =
			rest ? (src->n - in > 65536
					? 65536
					: (spx_uint32_t)(src->n - in))
			     : 256;
		spx_uint32_t n_out = dst->n - out > 65536
					     ? 65536
					     : (spx_uint32_t)(dst->n - out);

		speex_resampler_process_int(r, 0, rest ? src->v + in : zeros,
					    &n_in, dst->v + out, &n_out);
		if (rest)
			in += n_in;
		out += n_out;
		if (!n_in && !n_out)
			break;
	}
}

int pcm_resample(struct pcm *dst, const struct pcm *src, uint32_t rate)
{
	SpeexResamplerState *r;
	int err;

	*dst = (struct pcm){0};
	if (src->rate == rate)
		return copy(dst, src);
	dst->n =
		(size_t)(((uint64_t)src->n * rate + src->rate - 1) / src->rate);
	dst->rate = rate;
	dst->v = calloc(dst->n + 1, sizeof(*dst->v));
	r = speex_resampler_init(1, src->rate, rate, RESAMPLE_QUALITY, &err);
	if (!dst->v || !r) {
		pcm_reset(dst);
		if (r)
			speex_resampler_destroy(r);
		return ENOMEM;
	}
	/* The filter's delay is left out: lengths stay exact. */
	speex_resampler_skip_zeros(r);
	run_resampler(r, dst, src);
	speex_resampler_destroy(r);
	return 0;
}

int pcm_append(struct pcm *dst, const struct pcm *src)
{
	struct pcm at_rate = {0};
	int16_t *v;

	if (!dst->rate)
		dst->rate = src->rate;
	if (dst->rate != src->rate) {
		if (pcm_resample(&at_rate, src, dst->rate))
			return ENOMEM;
		src = &at_rate;
	}
	v = realloc(dst->v, (dst->n + src->n + 1) * sizeof(*v));
	if (v) {
		memcpy(v + dst->n, src->v, src->n * sizeof(*v));
		dst->v = v;
		dst->n += src->n;
	}
	pcm_reset(&at_rate);
	return v ? 0 : ENOMEM;
}

int pcm_append_silence(struct pcm *dst, uint32_t ms)
{
	size_t n = (size_t)((uint64_t)ms * dst->rate / 1000);
	int16_t *v = realloc(dst->v, (dst->n + n + 1) * sizeof(*v));

	if (!v)
		return ENOMEM;
	memset(v + dst->n, 0, n * sizeof(*v));
	dst->v = v;
	dst->n += n;
	return 0;
}
