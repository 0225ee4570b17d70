/* Words through a program: good, hanging, crashing, and one that writes
 * rubbish; kept by content. And messages made of them. */
#include "speech_util.h"

#include "controller/message/make.h"
#include "controller/message/speech.h"
#include "zones/sound/tone.h"

#include <dirent.h>
#include <math.h>

static struct site s;
static struct config *config;
static struct speech *speech;
/** Long, for a busy machine; short where a program is to be ended by it. */
static uint32_t limit_ms = 20000;

static void load(const char *more)
{
	char path[128];

	speech = speech_unref(speech);
	config = config_free(config);
	*s.said = '\0';
	site_write(&s, "tocsin.conf", speech_plan(s.dir, more));
	snprintf(path, sizeof(path), "%s/tocsin.conf", s.dir);
	assert_int_equal(config_load(&config, path, site_on_error, &s), 0);
	mkdir(config->state_dir, 0700);
	assert_int_equal(speech_alloc(&speech, config, true), 0);
}

static int setup(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	strcpy(s.dir, "/tmp/tocsin-speech-XXXXXX");
	assert_non_null(mkdtemp(s.dir));
	write_wav(&s, "good.wav", 1, 0.3);
	program(&s, SPEAKS);
	load("");
	return 0;
}

static int teardown(void **state)
{
	char command[160];

	(void)state;
	speech = speech_unref(speech);
	config = config_free(config);
	snprintf(command, sizeof(command), "rm -rf %s", s.dir);
	return system(command);
}

static int say(const char *text, const char *voice, struct reason *why)
{
	struct pcm p = {0};
	int err;

	why->text[0] = '\0';
	err = speech_say(speech, text, voice, SPEECH_RENDER, limit_ms, -1, &p,
			 why);
	if (err) {
		assert_null(p.v);
		assert_true(*why->text);
	} else {
		assert_int_equal(p.rate, 16000);
		assert_true(p.n >= 15000);
	}
	pcm_reset(&p);
	return err;
}

static void test_kept_by_content(void **state)
{
	struct reason why;
	struct pcm p;

	(void)state;
	assert_int_equal(speech_say(speech, "hello", NULL, SPEECH_KEPT, 500, -1,
				    &p, &why),
			 EAGAIN);
	assert_int_equal(runs(&s), 0);
	assert_int_equal(say("hello", NULL, &why), 0);
	assert_int_equal(runs(&s), 1);
	assert_int_equal(say("hello", NULL, &why), 0);
	assert_int_equal(say("hello", "en", &why), 0); /* the default */
	assert_int_equal(runs(&s), 1);
	assert_int_equal(speech_say(speech, "hello", NULL, SPEECH_KEPT, 500, -1,
				    &p, &why),
			 0);
	pcm_reset(&p);
	assert_int_equal(say("hello", "de", &why), 0);
	assert_int_equal(say("hello!", NULL, &why), 0);
	assert_int_equal(runs(&s), 3);
	load("");
	assert_int_equal(say("hello", NULL, &why), 0);
	assert_int_equal(runs(&s), 3);
}

static void test_damaged_is_spoken_anew(void **state)
{
	char key[SPEECH_KEY_SIZE], path[256];
	struct reason why;

	(void)state;
	assert_int_equal(say("hello", NULL, &why), 0);
	speech_key(speech, "hello", NULL, key);
	speech_path(speech, key, path, sizeof(path));
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(say("hello", NULL, &why), 0);
	assert_int_equal(runs(&s), 2);
	assert_int_equal(say("hello", NULL, &why), 0);
	assert_int_equal(runs(&s), 2);
}

/* What it gets: the text on its standard input, the voice as an argument,
 * nothing of ours besides. */
static void test_what_it_gets(void **state)
{
	int leak = dup2(1, 57);
	struct reason why;

	(void)state;
	assert_int_equal(leak, 57);
	setenv("SECRET", "x", 1);
	program(&s, "[ -e /proc/$$/fd/57 ] && { echo leaked >&2; exit 1; }\n"
		    "[ -n \"$SECRET\" ] && { echo secret >&2; exit 1; }\n"
		    "[ \"$1\" = de+f2 ] || { echo voice $1 >&2; exit 1; }\n"
		    "[ \"$(pwd)\" = / ] || { echo pwd >&2; exit 1; }\n"
		    "read -r t; [ \"$t\" = '$(reboot); \"Ä' ] ||"
		    " { echo text $t >&2; exit 1; }\n"
		    "cat $(dirname $0)/good.wav");
	if (say("$(reboot); \"\xc3\x84", "de+f2", &why))
		fail_msg("%s", why.text);
	close(57);
}

static void test_bad_programs(void **state)
{
	static const struct {
		const char *body;
		int err;
		const char *part;
	} bad[] = {
		{"echo no such voice >&2; exit 3", EPROTO,
		 "ended with code 3: no such voice"},
		{"kill -SEGV $$", EPROTO, "ended by signal 11"},
		{"echo rubbish", EINVAL, "no audio file"},
		{":", EPROTO, "wrote no sound"},
		{"head -c 9000 $(dirname $0)/good.wav", EINVAL, "truncated"},
		{"cat $(dirname $0)/silent.wav", EINVAL, "silent"},
		{"exec cat /dev/zero", EPROTO, "ended by signal 25"},
		{"while :; do :; done", ETIMEDOUT, "was not ready within 0.5"},
	};
	struct reason why;

	(void)state;
	write_wav(&s, "silent.wav", 1, 0.0001);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		program(&s, bad[i].body);
		limit_ms = bad[i].err == ETIMEDOUT ? 500 : 20000;
		assert_int_equal(say("hello", NULL, &why), bad[i].err);
		if (!strstr(why.text, bad[i].part))
			fail_msg("\"%s\" lacks \"%s\"", why.text, bad[i].part);
	}
	limit_ms = 20000;
	/* Nothing of it is kept. */
	program(&s, "cat $(dirname $0)/good.wav");
	assert_int_equal(say("hello", NULL, &why), 0);
}

/* A program that hangs is ended with what it started. */
static void test_hangs(void **state)
{
	char path[128], pid[32] = "";
	struct reason why;
	FILE *f;

	(void)state;
	program(&s, "sleep 600 & echo $! > $(dirname $0)/pid; wait");
	limit_ms = 3000; /* time enough to start it */
	assert_int_equal(say("hello", NULL, &why), ETIMEDOUT);
	limit_ms = 20000;
	snprintf(path, sizeof(path), "%s/pid", s.dir);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(pid, sizeof(pid), f));
	fclose(f);
	/* Ended, though init may not have buried it yet. */
	for (int i = 0; i < 1000; i++) {
		char stat[64], line[256] = "";

		snprintf(stat, sizeof(stat), "/proc/%d/stat", atoi(pid));
		f = fopen(stat, "r");
		if (!f)
			return;
		(void)!fgets(line, sizeof(line), f);
		fclose(f);
		if (strstr(line, ") Z "))
			return;
		usleep(10000);
	}
	fail_msg("%s lives on", pid);
}

static void test_none_installed(void **state)
{
	struct reason why;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/speak", s.dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(speech_ready(speech, &why), ENOENT);
	assert_int_equal(say("hello", NULL, &why), ENOENT);
	assert_non_null(strstr(why.text, "there is no program"));
}

static size_t count_kept(void)
{
	char path[256];
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/speech", config->state_dir);
	d = opendir(path);
	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d));)
		n += *e->d_name != '.';
	closedir(d);
	return n;
}

static void test_prune(void **state)
{
	struct reason why;
	char text[16];

	(void)state;
	write_wav(&s, "good.wav", 10, 0.3); /* 320 kB: three fit into 1 MB */
	for (int i = 0; i < 6; i++) {
		snprintf(text, sizeof(text), "text %d", i);
		assert_int_equal(say(text, NULL, &why), 0);
	}
	assert_int_equal(count_kept(), 6);
	assert_int_equal(say("text 0", NULL, &why), 0); /* of use again */
	speech_prune(speech);
	assert_int_equal(count_kept(), 3);
	assert_int_equal(runs(&s), 6);
	assert_int_equal(say("text 0", NULL, &why), 0);
	assert_int_equal(runs(&s), 6);
	assert_int_equal(say("text 1", NULL, &why), 0);
	assert_int_equal(runs(&s), 7);
}

/* ---------------------------------------------------------------- messages */

static struct library *build(enum library_mode mode)
{
	struct library *l = NULL;

	*s.said = '\0';
	assert_int_equal(library_build(&l, config, mode, site_on_error, &s), 0);
	return l;
}

#define CHIME_MS 2000
#define MESSAGE                                                                \
	"message \"m\" { chime = \"chime-2\" tone = \"din-33404-3\" tone-for " \
	"= 3s\n file = \"good.wav\" text = \"one\" say \"de\" { text = "       \
	"\"zwei\" voice = \"de\" }\n say \"x\" { file = \"good.wav\" } pause " \
	"= 200ms gap = 1s }\n"

static void test_in_turn(void **state)
{
	const struct message_facts *f;
	struct library *l;

	(void)state;
	load(MESSAGE);
	/* At the start nothing is spoken: the rest of it sounds. */
	l = build(LIBRARY_START);
	f = library_facts(l, "m");
	assert_int_equal(runs(&s), 0);
	assert_int_equal(f->state, MESSAGE_PARTIAL);
	assert_true(f->unspoken);
	assert_int_equal(f->ms, CHIME_MS + 3000 + 2 * 1000 + 3 * 200);
	assert_non_null(strstr(f->problem.text, "not spoken yet"));
	library_free(l);
	/* Checked: neither. */
	l = build(LIBRARY_CHECK);
	assert_int_equal(runs(&s), 0);
	assert_string_equal(s.said, "");
	library_free(l);
	l = build(LIBRARY_RELOAD);
	f = library_facts(l, "m");
	assert_int_equal(f->state, MESSAGE_READY);
	assert_int_equal(f->ms, CHIME_MS + 3000 + 4 * 1000 + 5 * 200);
	assert_int_equal(f->gap_ms, 1000);
	assert_true(fabs(f->lufs - -18) < 1.5);
	assert_true(f->peak_db < -0.8);
	assert_false(f->unspoken);
	library_free(l);
	l = build(LIBRARY_START);
	assert_int_equal(library_facts(l, "m")->state, MESSAGE_READY);
	library_free(l);
}

/* A program that fails is a warning of the reload, and the tone sounds. */
static void test_falls_back(void **state)
{
	const struct message_facts *f;
	struct library *l;

	(void)state;
	program(&s, "exit 1");
	load("message \"t\" { tone = \"nfpa-whoop\" text = \"a\" }\n"
	     "message \"n\" { text = \"b\" }\n"
	     "message \"e\" { text = \"c\" repeat = \"until-reset\" }\n"
	     "alarm \"al\" { broadcast { message = \"e\" zones = { \"a\" } "
	     "priority = \"evacuate\" } }\n");
	l = build(LIBRARY_RELOAD);
	assert_non_null(strstr(s.said, "warning: message \"t\": text \"a\" "
				       "cannot be spoken"));
	f = library_facts(l, "t");
	assert_int_equal(f->state, MESSAGE_TONE);
	assert_int_equal(f->ms, tone_cycle_ms("nfpa-whoop"));
	assert_int_equal(library_facts(l, "n")->ms,
			 tone_cycle_ms(MESSAGE_PLAIN_TONE));
	assert_int_equal(library_facts(l, "e")->ms,
			 tone_cycle_ms(MESSAGE_ALARM_TONE));
	assert_true(library_is_fallback(l, "e"));
	assert_int_equal(library_cycles(l, "e"), 0);
	library_free(l);
}

static void test_gap_tone(void **state)
{
	const struct message_facts *f;
	struct library *l;

	(void)state;
	load("message \"m\" { tone = \"din-33404-3\" tone-for = 4s file = "
	     "\"good.wav\" pause = 0s gap = 25s gap-tone = true repeat = 2 "
	     "}\n");
	l = build(LIBRARY_RELOAD);
	f = library_facts(l, "m");
	/* 25 s = 7 + 4 + 7 + 4 would leave more than 10 s with one tone. */
	assert_int_equal(f->gap_ms, (25000 - 2 * 4000) / 3);
	assert_in_range(f->ms, 4000 + 1000 + 25000 - f->gap_ms - 2,
			4000 + 1000 + 25000 - f->gap_ms + 2);
	assert_in_range(f->silence_ms, f->gap_ms - 20, 10000);
	library_free(l);
}

/* Silence within a file counts as well. */
static void test_silence_within(void **state)
{
	struct library *l = NULL;
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text),
		 "message \"m\" { tone = \"din-33404-3\" tone-for = 4s say "
		 "\"a\" { file = \"good.wav\" } say \"b\" { file = "
		 "\"part.wav\" } gap = 5s repeat = \"until-reset\" loudness = "
		 "\"off\" }\nalarm \"al\" { broadcast { message = \"m\" zones "
		 "= { \"a\" } priority = 200 } }\n");
	{
		/* 1 s of sound, 6 s of silence: 11 s with the gap. */
		char path[128];
		SF_INFO info = {.samplerate = 8000,
				.channels = 1,
				.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
		SNDFILE *f;

		snprintf(path, sizeof(path), "%s/part.wav", s.dir);
		f = sf_open(path, SFM_WRITE, &info);
		for (int i = 0; i < 7 * 8000; i++) {
			float v = i < 8000 ? (i / 20 % 2 ? 0.3f : -0.3f) : 0;

			sf_writef_float(f, &v, 1);
		}
		sf_close(f);
	}
	load(text);
	assert_int_equal(
		library_build(&l, config, LIBRARY_RELOAD, site_on_error, &s),
		EINVAL);
	assert_non_null(strstr(s.said, "it is silent for 11.0 s"));
	/* An alarm that sounds so is better than none. */
	l = build(LIBRARY_START);
	assert_int_equal(library_facts(l, "m")->state, MESSAGE_READY);
	assert_true(*library_facts(l, "m")->problem.text);
	library_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept_by_content, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_damaged_is_spoken_anew,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_it_gets, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bad_programs, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_hangs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_none_installed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_prune, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_falls_back, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_gap_tone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silence_within, setup,
						teardown),
	};

	log_init(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
