/** A program that speaks, for tests: it and what it says lie in the site's
 *  directory. */
#ifndef TOCSIN_TEST_SPEECH_UTIL_H
#define TOCSIN_TEST_SPEECH_UTIL_H

#include "site_plan.h"
#include "site_util.h"

#include <sndfile.h>
#include <sys/stat.h>

/** The configuration that speaks by it; %s is the directory. */
#define SPEECH_PLAN                                                            \
	"speech { command = { \"%s/speak\", \"%%v\" } time-limit = \"20s\" "   \
	"cache = 1 }\n"

/** A wave of 200 Hz at 16 kHz in the site's directory. */
static inline void write_wav(const struct site *s, const char *name,
			     double seconds, double amp)
{
	SF_INFO info = {.samplerate = 16000,
			.channels = 1,
			.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
	char path[128];
	SNDFILE *f;

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	f = sf_open(path, SFM_WRITE, &info);
	assert_non_null(f);
	for (int i = 0; i < 16000 * seconds; i++) {
		float v = (float)(amp * ((i / 40) % 2 ? 1 : -1));

		sf_writef_float(f, &v, 1);
	}
	sf_close(f);
}

/** A program of this body; says each run in the file "runs". */
static inline void program(const struct site *s, const char *body)
{
	char text[1024], path[128];

	snprintf(text, sizeof(text), "#!/bin/sh\necho run >> %s/runs\n%s\n",
		 s->dir, body);
	site_write(s, "speak", text);
	snprintf(path, sizeof(path), "%s/speak", s->dir);
	assert_int_equal(chmod(path, 0700), 0);
}

/** How often it was run. */
static inline int runs(const struct site *s)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/runs", s->dir);
	return stat(path, &st) ? 0 : (int)st.st_size / 4;
}

/** What a program says that does what it should. */
#define SPEAKS "cat > /dev/null; cat $(dirname $0)/good.wav"

/** The configuration of a site that speaks, with more of its own. */
static inline const char *speech_plan(const char *dir, const char *more)
{
	static char text[8192];

	snprintf(text, sizeof(text), PLAN_BASE SPEECH_PLAN "%s", dir, more);
	return text;
}

/** A site with this program, and "good.wav" of 1 s for it to say. */
static inline struct site *speech_site(bool journal, const char *body,
				       const char *more)
{
	struct site at = {.dir = "/tmp/tocsin-speech-XXXXXX"};
	char path[128];

	assert_non_null(mkdtemp(at.dir));
	write_wav(&at, "good.wav", 1, 0.3);
	program(&at, body);
	snprintf(path, sizeof(path), "%s/state", at.dir);
	mkdir(path, 0700);
	return site_begin(at.dir, journal, speech_plan(at.dir, more));
}

#endif
