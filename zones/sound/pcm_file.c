/* Reading audio files: every way in which a file may be no good is told apart
 * here, at load time, so that nothing surprises when it has to sound. */
#include "pcm.h"
#include "pcm_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_CHANNELS 16
#define MIN_RATE 4000
#define MAX_RATE 192000
/** Peak below which a file counts as silent: -50 dBFS. */
#define SILENT_PEAK 104
/** Magnitude that counts as full scale: 16 bit's largest value. */
#define FULL_SCALE (32766.5f / 32768)
/** Sizes from here on are what a program writes that cannot come back to fill
 *  the size in, as into a pipe: espeak-ng and sox 0x7ffff000, ffmpeg
 *  0xffffffff. No size of that order is true of a file we accept. */
#define SIZE_UNKNOWN 0x7fff0000ll
/** Bytes that may follow an MP3's sound: ID3v1 and APE tags, the last frames.
 */
#define MP3_TAGS 8192

struct load {
	struct pcm *p;
	const char *path;
	struct reason *why;
	int fd;
	SNDFILE *f;
	SF_INFO info;
	size_t samples; /**< of all channels */
	size_t full;    /**< of them at full scale */
};

static int truncated(struct load *l)
{
	return reason_set(l->why, EINVAL,
			  "%s is truncated: its header promises more sound "
			  "than the file holds; copy it again",
			  l->path);
}

int pcm_open(int *fdp, const char *path, int64_t max, struct reason *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int err = 0;

	if (fd < 0 && errno == EACCES)
		return reason_set(why, EACCES,
				  "%s: permission denied; let the user tocsind "
				  "runs as read it",
				  path);
	if (fd < 0 || fstat(fd, &st))
		err = reason_set(why, errno, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		err = reason_set(why, EINVAL, "%s is no file", path);
	else if (!st.st_size)
		err = reason_set(why, EINVAL, "%s is empty", path);
	else if (st.st_size > max)
		err = reason_set(why, EFBIG,
				 "%s has %lld MB; at most %lld MB are accepted",
				 path, (long long)(st.st_size >> 20),
				 (long long)(max >> 20));
	if (err && fd >= 0)
		close(fd);
	else
		*fdp = fd;
	return err;
}

/** Kinds whose every way of being cut short is told apart here; libsndfile
 *  reads twenty more that nobody makes announcements in. */
static bool is_known(int format)
{
	static const int types[] = {
		SF_FORMAT_WAV, SF_FORMAT_WAVEX, SF_FORMAT_RF64, SF_FORMAT_AIFF,
		SF_FORMAT_AU,  SF_FORMAT_FLAC,  SF_FORMAT_OGG,  SF_FORMAT_MPEG};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((format & SF_FORMAT_TYPEMASK) == types[i])
			return true;
	return false;
}

static int too_many(const struct load *l)
{
	return reason_set(l->why, EFBIG,
			  "%s holds more than %lld million samples in its %d "
			  "channels of %d Hz; convert it to one channel of "
			  "48000 Hz",
			  l->path, PCM_MAX_SAMPLES / 1000000, l->info.channels,
			  l->info.samplerate);
}

/** Is what the header says acceptable? */
static int check_header(struct load *l)
{
	const SF_INFO *info = &l->info;

	if (!is_known(info->format))
		return reason_set(
			l->why, EINVAL,
			"%s is of a kind that is not read; convert it "
			"to WAV, FLAC, Ogg or MP3",
			l->path);
	if (info->channels < 1 || info->channels > MAX_CHANNELS)
		return reason_set(l->why, EINVAL,
				  "%s has %d channels; 1 to %d are accepted",
				  l->path, info->channels, MAX_CHANNELS);
	if (info->samplerate < MIN_RATE || info->samplerate > MAX_RATE)
		return reason_set(l->why, EINVAL,
				  "%s has %d samples a second; %d to %d are "
				  "accepted",
				  l->path, info->samplerate, MIN_RATE,
				  MAX_RATE);
	/* An Ogg stream's length stands on its last page. */
	if (info->frames == SF_COUNT_MAX &&
	    (info->format & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG)
		return truncated(l);
	if (info->frames != SF_COUNT_MAX &&
	    info->frames > (sf_count_t)PCM_MAX_SECONDS * info->samplerate)
		return reason_set(
			l->why, EFBIG,
			"%s lasts %lld s; at most %d s are accepted", l->path,
			(long long)((info->frames - 1) / info->samplerate + 1),
			PCM_MAX_SECONDS);
	if (info->frames != SF_COUNT_MAX &&
	    info->frames * info->channels > PCM_MAX_SAMPLES)
		return too_many(l);
	return 0;
}

/** Mixes the channels of n frames to one. */
static void mix_down(struct load *l, int16_t *dst, const float *src, size_t n)
{
	size_t channels = (size_t)l->info.channels;

	for (size_t i = 0; i < n; i++) {
		double sum = 0;

		for (size_t c = 0; c < channels; c++) {
			float v = src[i * channels + c];

			sum += (double)v;
			l->full += fabsf(v) >= FULL_SCALE;
		}
		sum = sum / (double)channels * 32768;
		/* NaN compares false with everything: it becomes silence. */
		dst[i] = sum > 32767    ? 32767
			 : sum < -32768 ? -32768
			 : sum == sum   ? (int16_t)lrint(sum)
					: 0;
	}
	l->samples += n * channels;
}

static int read_frames(struct load *l)
{
	size_t limit = (size_t)PCM_MAX_SECONDS * (size_t)l->info.samplerate;
	struct pcm *p = l->p;
	size_t room = 0;
	float buf[4096];
	sf_count_t chunk =
		(sf_count_t)(sizeof(buf) / sizeof(buf[0])) / l->info.channels;
	sf_count_t n;

	p->rate = (uint32_t)l->info.samplerate;
	while ((n = sf_readf_float(l->f, buf, chunk)) > 0) {
		if (p->n + (size_t)n > limit)
			return reason_set(l->why, EFBIG,
					  "%s lasts longer than %d s", l->path,
					  PCM_MAX_SECONDS);
		if (l->samples > (size_t)PCM_MAX_SAMPLES)
			return too_many(l);
		if (p->n + (size_t)n > room) {
			int16_t *v;

			room = 2 * room + (size_t)n + 8000;
			v = realloc(p->v, room * sizeof(*v));
			if (!v)
				return reason_set(l->why, ENOMEM,
						  "not enough memory for %s",
						  l->path);
			p->v = v;
		}
		mix_down(l, p->v + p->n, buf, (size_t)n);
		p->n += (size_t)n;
	}
	if (sf_error(l->f))
		return reason_set(l->why, EIO, "%s is damaged after %.1f s: %s",
				  l->path, (double)p->n / p->rate,
				  sf_strerror(l->f));
	return 0;
}

/** The size libsndfile's log tells of the sound's chunk (WAV, AIFF, AU) when
 *  the file holds less, which it passes over in silence; else 0. */
static long long promised(const char *line)
{
	static const char *const chunk[] = {
		"data :", "SSND :", "Data Size   :"};
	const char *more = strstr(line, "(should be");

	if (!more || more > line + strcspn(line, "\n"))
		return 0;
	line += strspn(line, " ");
	for (size_t i = 0; i < sizeof(chunk) / sizeof(chunk[0]); i++)
		if (!strncmp(line, chunk[i], strlen(chunk[i])))
			return strtoll(line + strlen(chunk[i]), NULL, 10);
	return 0;
}

/** MP3: libsndfile reads as far as the Xing header says; where there is none
 *  it guesses from the first frame's bit rate and may leave off far too early
 *  or promise too much. The frames themselves tell. */
static int check_mp3(struct load *l)
{
	off_t at = lseek(l->fd, 0, SEEK_CUR), size = lseek(l->fd, 0, SEEK_END);
	double rate = l->info.samplerate, read = (double)l->p->n;
	struct pcm_mp3 m;

	if (pcm_walk_mp3(l->fd, &m)) {
		if (m.cut)
			return reason_set(l->why, EINVAL,
					  "%s is truncated: its last frame, "
					  "after %.1f s, is not whole; copy it "
					  "again",
					  l->path, (double)m.samples / rate);
		/* The decoder leaves out its own delay. */
		if ((double)l->info.frames <= read + rate / 4 &&
		    (double)m.samples <= read + rate / 4)
			return 0;
	} else if ((double)l->info.frames <= read + rate / 4 &&
		   at + MP3_TAGS >= size - size / 50) {
		return 0;
	}
	if (m.samples > (uint64_t)l->info.frames)
		return reason_set(l->why, EINVAL,
				  "%s: only %.1f s of its %.1f s can be read, "
				  "because its first frame does not tell its "
				  "length; convert it to WAV or FLAC",
				  l->path, read / rate,
				  (double)m.samples / rate);
	return reason_set(l->why, EINVAL,
			  "%s does not hold the %.1f s its header tells; "
			  "copy it again, or convert it to WAV or FLAC",
			  l->path, (double)l->info.frames / rate);
}

/** Was there to read what the header promises? */
static int check_length(struct load *l)
{
	char log[4096] = "";

	const int type = l->info.format & SF_FORMAT_TYPEMASK;

	if (type == SF_FORMAT_RF64 && pcm_walk_rf64_cut(l->fd))
		return truncated(l);
	/* libsndfile 1.2.2 takes what there is for the whole. */
	if (type == SF_FORMAT_OGG && pcm_walk_ogg_cut(l->fd))
		return truncated(l);
	if (l->info.frames == SF_COUNT_MAX)
		return 0;
	if (type == SF_FORMAT_MPEG)
		return check_mp3(l);
	if (l->info.frames > (sf_count_t)l->p->n)
		return truncated(l);
	sf_command(l->f, SFC_GET_LOG_INFO, log, sizeof(log) - 1);
	for (const char *line = log; line; line = strchr(line, '\n')) {
		long long size;

		line += *line == '\n';
		size = promised(line);
		if (size > 0 && size < SIZE_UNKNOWN)
			return truncated(l);
	}
	return 0;
}

static int check_sound(struct load *l)
{
	if (!l->p->n)
		return reason_set(l->why, EINVAL, "%s holds no sound", l->path);
	if (pcm_peak(l->p) < SILENT_PEAK)
		return reason_set(l->why, EINVAL,
				  "%s is silent: its peak is below -50 dBFS",
				  l->path);
	if (l->full * 100 > l->samples)
		return reason_set(l->why, EINVAL,
				  "%s is clipped: %zu %% of its samples are at "
				  "full scale; record it again at a lower "
				  "level",
				  l->path, l->full * 100 / l->samples);
	return 0;
}

int pcm_load_fd(struct pcm *p, int fd, const char *name, struct reason *why)
{
	struct load l = {.p = p, .path = name, .why = why, .fd = fd};
	int err;

	*p = (struct pcm){0};
	/* By descriptor, libsndfile cannot guess from the name that a letter
	 * called "x.au" is sound, and no child inherits the file. */
	l.f = sf_open_fd(l.fd, SFM_READ, &l.info, SF_FALSE);
	if (!l.f)
		return reason_set(why, EINVAL,
				  "%s is no audio file (%s); WAV, FLAC, Ogg "
				  "and MP3 are read",
				  name, sf_strerror(NULL));
	err = check_header(&l);
	if (!err)
		err = read_frames(&l);
	if (!err)
		err = check_length(&l);
	sf_close(l.f);
	if (!err)
		err = check_sound(&l);
	if (err)
		pcm_reset(p);
	return err;
}

int pcm_load(struct pcm *p, const char *path, struct reason *why)
{
	int fd = -1, err;

	*p = (struct pcm){0};
	err = pcm_open(&fd, path, PCM_MAX_FILE_BYTES, why);
	if (err)
		return err;
	err = pcm_load_fd(p, fd, path, why);
	close(fd);
	return err;
}
