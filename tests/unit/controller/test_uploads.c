/* The library of uploads: taken, refused, gone back, deleted; what a power cut
 * leaves. */
#include "site_plan.h"
#include "site_util.h"

#include "controller/announce.h"
#include "controller/message/uploads.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

#define PLAN                                                                   \
	PLAN_BASE "message \"shift\" { chime = \"chime-2\" upload = true }\n"  \
		  "message \"fire\" { tone = \"din-33404-3\" gap = \"5s\" "    \
		  "upload = true repeat = \"until-reset\" }\n"                 \
		  "input \"gate\" { virtual = true }\n"                        \
		  "alarm \"fire\" { inputs = { \"gate\" } broadcast { "        \
		  "message = \"fire\" zones = { \"a\" } } }\n"

struct shelf {
	struct site *s;
	struct uploads *u;
	struct uploads_answer a;
	bool answered;
	char changed[64];
};

static void on_changed(const char *name, void *arg)
{
	struct shelf *x = arg;

	snprintf(x->changed, sizeof(x->changed), "%s", name);
}

static void on_answer(const struct uploads_answer *a, void *arg)
{
	struct shelf *x = arg;

	x->a = *a;
	x->answered = true;
}

static void begin(struct shelf *x, const char *dir)
{
	char path[128];

	memset(x, 0, sizeof(*x));
	x->s = site_begin(dir, false, PLAN);
	snprintf(path, sizeof(path), "%s/state", x->s->dir);
	mkdir(path, 0750);
	assert_int_equal(uploads_alloc(&x->u, x->s->recorder, on_changed, x),
			 0);
	assert_int_equal(uploads_configure(x->u, x->s->config, x->s->library),
			 0);
}

static void end(struct shelf *x, bool keep)
{
	uploads_free(x->u);
	site_end(x->s, keep);
}

/** A file of a tone; amplitude 1 is full scale. Its descriptor. */
static int sound(double seconds, double hz, double amplitude, uint32_t rate)
{
	struct reason why = {""};
	struct pcm p = {.rate = rate, .n = (size_t)(seconds * rate)};
	char path[] = "/tmp/tocsin-sound-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	p.v = calloc(p.n, sizeof(*p.v));
	assert_non_null(p.v);
	for (size_t i = 0; i < p.n; i++)
		p.v[i] = (int16_t)lrint(
			32767 *
			fmax(-1, fmin(1, amplitude * sin(2 * M_PI * hz *
							 (double)i / rate))));
	assert_int_equal(pcm_save_fd(&p, fd, &why), 0);
	pcm_reset(&p);
	return fd;
}

/** Asks and waits; the status. */
static int ask(struct shelf *x, struct uploads_ask q)
{
	q.actor = "user:kim";
	q.from = "10.0.0.7";
	x->answered = false;
	uploads_ask(x->u, &q, on_answer, x);
	if (q.verb == UPLOADS_PUT)
		close(q.fd);
	site_await(x->s, x->answered);
	return x->a.status;
}

static int put(struct shelf *x, const char *name, int fd)
{
	return ask(x, (struct uploads_ask){
			      .verb = UPLOADS_PUT, .name = name, .fd = fd});
}

static const struct message_facts *facts(struct shelf *x, const char *name)
{
	return library_facts(x->s->library, name);
}

static size_t files_of(struct shelf *x, const char *name)
{
	char path[256];
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/state/messages/%s", x->s->dir, name);
	d = opendir(path);
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n ? n - 2 : 0;
}

/** The last record of a type. */
static const struct event *last(struct shelf *x, enum event_type type)
{
	recorder_flush(x->s->recorder);
	for (size_t i = x->s->n_events; i--;)
		if (x->s->event[i].type == type)
			return &x->s->event[i];
	return NULL;
}

static void test_life(void **state)
{
	struct shelf x;
	struct clip *was;

	(void)state;
	begin(&x, NULL);
	assert_int_equal(facts(&x, "shift")->state, MESSAGE_TONE);
	assert_non_null(strstr(facts(&x, "shift")->problem.text,
			       "nothing has been uploaded yet"));
	/* The first, with its chime before it. */
	assert_int_equal(put(&x, "shift", sound(1, 440, 0.3, 96000)), 201);
	assert_int_equal(facts(&x, "shift")->state, MESSAGE_READY);
	assert_int_equal(facts(&x, "shift")->version, 1);
	assert_in_range(facts(&x, "shift")->ms, 3300, 3400);
	assert_string_equal(x.changed, "shift");
	assert_non_null(last(&x, EVENT_MESSAGE_UPLOADED));
	assert_string_equal(last(&x, EVENT_MESSAGE_UPLOADED)->actor,
			    "user:kim");
	assert_non_null(strstr(last(&x, EVENT_MESSAGE_UPLOADED)->text,
			       "from 10.0.0.7, nothing before"));
	/* What sounds goes on with what it began with. */
	was = library_message(x.s->library, "shift");
	clip_ref(was);
	assert_int_equal(put(&x, "shift", sound(2, 440, 0.3, 8000)), 200);
	assert_int_equal(strncmp(x.a.etag, "2-", 2), 0);
	assert_true(library_message(x.s->library, "shift") != was);
	assert_in_range(clip_ms(was), 3300, 3400);
	clip_unref(was);
	assert_in_range(facts(&x, "shift")->ms, 4300, 4400);
	assert_int_equal(files_of(&x, "shift"), 3);
	/* Back, and forth. */
	assert_int_equal(ask(&x, (struct uploads_ask){.verb = UPLOADS_ROLLBACK,
						      .name = "shift",
						      .version = 1,
						      .fd = -1}),
			 200);
	assert_in_range(facts(&x, "shift")->ms, 3300, 3400);
	assert_non_null(strstr(last(&x, EVENT_MESSAGE_ROLLED_BACK)->text,
			       "version 2 ("));
	assert_int_equal(ask(&x, (struct uploads_ask){.verb = UPLOADS_ROLLBACK,
						      .name = "shift",
						      .version = 3,
						      .fd = -1}),
			 404);
	/* Deleted: as configured. */
	assert_int_equal(ask(&x, (struct uploads_ask){.verb = UPLOADS_DELETE,
						      .name = "shift",
						      .fd = -1}),
			 200);
	assert_int_equal(facts(&x, "shift")->version, 0);
	assert_int_equal(facts(&x, "shift")->state, MESSAGE_TONE);
	assert_int_equal(files_of(&x, "shift"), 0);
	assert_int_equal(ask(&x, (struct uploads_ask){.verb = UPLOADS_DELETE,
						      .name = "shift",
						      .fd = -1}),
			 404);
	/* One that the configuration does not have. */
	assert_int_equal(put(&x, "visitors", sound(1, 440, 0.3, 8000)), 201);
	assert_non_null(library_message(x.s->library, "visitors"));
	assert_int_equal(ask(&x, (struct uploads_ask){.verb = UPLOADS_DELETE,
						      .name = "visitors",
						      .fd = -1}),
			 200);
	assert_null(library_message(x.s->library, "visitors"));
	end(&x, false);
}

static void test_refused(void **state)
{
	static const char *const names[] = {
		"",
		".",
		"..",
		".hidden",
		"a/b",
		"a b",
		"a\n",
		"é",
		"../x",
		"0123456789012345678901234567890123456789"
		"012345678901234567890123"};
	struct shelf x;
	int fd;

	(void)state;
	begin(&x, NULL);
	assert_int_equal(put(&x, "shift", sound(1, 440, 0.001, 8000)), 422);
	assert_non_null(strstr(x.a.why.text, "silent"));
	assert_int_equal(put(&x, "shift", sound(1, 440, 4, 8000)), 422);
	assert_non_null(strstr(x.a.why.text, "clipped"));
	fd = sound(1, 440, 0.3, 8000);
	assert_int_equal(ftruncate(fd, 6000), 0);
	assert_int_equal(put(&x, "shift", fd), 422);
	assert_non_null(strstr(x.a.why.text, "truncated"));
	assert_int_equal(put(&x, "shift", open("/dev/null", O_RDONLY)), 422);
	assert_int_equal(put(&x, "shift", sound(601, 440, 0.3, 4000)), 422);
	assert_non_null(strstr(x.a.why.text, "600 s"));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_int_equal(put(&x, names[i], sound(1, 440, 0.3, 8000)),
				 400);
	assert_int_equal(files_of(&x, "shift"), 0);
	assert_null(last(&x, EVENT_MESSAGE_UPLOADED));
	/* Somebody else was there. */
	assert_int_equal(
		ask(&x, (struct uploads_ask){.verb = UPLOADS_PUT,
					     .name = "shift",
					     .if_match = "\"1-abc\"",
					     .fd = sound(1, 440, 0.3, 8000)}),
		412);
	assert_int_equal(
		ask(&x, (struct uploads_ask){.verb = UPLOADS_PUT,
					     .name = "shift",
					     .if_none_match = "*",
					     .fd = sound(1, 440, 0.3, 8000)}),
		201);
	assert_int_equal(
		ask(&x, (struct uploads_ask){.verb = UPLOADS_PUT,
					     .name = "shift",
					     .if_none_match = "*",
					     .fd = sound(1, 440, 0.3, 8000)}),
		412);
	end(&x, false);
}

/** An emergency's words may not be silent for longer than its standard says. */
static void test_emergency(void **state)
{
	struct shelf x;
	struct pcm p = {.rate = 8000, .n = 8000 * 13};
	struct reason why = {""};
	int fd = sound(1, 440, 0.3, 8000);

	(void)state;
	begin(&x, NULL);
	assert_int_equal(put(&x, "fire", fd), 201);
	/* A second of sound on either side of eleven of silence. */
	p.v = calloc(p.n, sizeof(*p.v));
	assert_non_null(p.v);
	for (size_t i = 0; i < 8000; i++)
		p.v[i] = p.v[p.n - 1 - i] =
			(int16_t)lrint(9000 * sin((double)i / 3));
	fd = sound(1, 440, 0.3, 8000);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pcm_save_fd(&p, fd, &why), 0);
	assert_int_equal(put(&x, "fire", fd), 422);
	assert_non_null(strstr(x.a.why.text, "silent for 11"));
	assert_int_equal(facts(&x, "fire")->version, 1);
	assert_int_equal(files_of(&x, "fire"), 2);
	pcm_reset(&p);
	end(&x, false);
}

/** The eleventh takes the place of the oldest that is not in force. */
static void test_bounded(void **state)
{
	const struct store_item *i;
	struct shelf x;

	(void)state;
	begin(&x, NULL);
	for (int n = 0; n < STORE_MAX_VERSIONS; n++)
		put(&x, "shift", sound(0.2, 400 + n, 0.3, 8000));
	assert_int_equal(ask(&x, (struct uploads_ask){.verb = UPLOADS_ROLLBACK,
						      .name = "shift",
						      .version = 1,
						      .fd = -1}),
			 200);
	assert_int_equal(put(&x, "shift", sound(0.2, 800, 0.3, 8000)), 200);
	i = uploads_item(x.u, "shift");
	assert_int_equal(i->n, STORE_MAX_VERSIONS);
	assert_int_equal(i->current, 11);
	assert_non_null(store_version(i, 1));
	assert_null(store_version(i, 2));
	assert_int_equal(files_of(&x, "shift"), STORE_MAX_VERSIONS + 1);
	end(&x, false);
}

/** What is there after the power went, whenever it went. */
static void test_power_cut(void **state)
{
	char dir[64], path[256];
	struct shelf x;
	struct stat st;
	FILE *f;

	(void)state;
	begin(&x, NULL);
	put(&x, "shift", sound(1, 440, 0.3, 8000));
	put(&x, "shift", sound(2, 440, 0.3, 8000));
	put(&x, "visitors", sound(1, 440, 0.3, 8000));
	strcpy(dir, x.s->dir);
	end(&x, true);
	/* In the middle of a third, and of the first of another. */
	snprintf(path, sizeof(path), "%s/state/messages/shift/3.wav", dir);
	f = fopen(path, "w");
	fputs("RIFF", f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/state/messages/shift/index.json.new",
		 dir);
	f = fopen(path, "w");
	fputs("{\"current\": 3, ", f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/state/messages/half", dir);
	assert_int_equal(mkdir(path, 0750), 0);
	begin(&x, dir);
	assert_int_equal(facts(&x, "shift")->version, 2);
	assert_int_equal(facts(&x, "shift")->state, MESSAGE_READY);
	assert_int_equal(facts(&x, "visitors")->state, MESSAGE_READY);
	assert_int_equal(files_of(&x, "shift"), 3);
	assert_int_equal(stat(path, &st), -1);
	end(&x, true);
	/* The disk lost a version: told, and a tone in its place. */
	snprintf(path, sizeof(path), "%s/state/messages/shift/2.wav", dir);
	assert_int_equal(truncate(path, 100), 0);
	/* A damaged index takes no sound with it. */
	snprintf(path, sizeof(path), "%s/state/messages/visitors/index.json",
		 dir);
	assert_int_equal(truncate(path, 10), 0);
	begin(&x, dir);
	assert_int_equal(facts(&x, "shift")->state, MESSAGE_TONE);
	assert_true(*facts(&x, "shift")->problem.text);
	assert_null(facts(&x, "visitors"));
	assert_int_equal(files_of(&x, "visitors"), 2);
	end(&x, false);
}

/** A reload that read the folder before an upload was through. */
static void test_reload(void **state)
{
	struct shelf x;
	struct uploads_ask q = {.verb = UPLOADS_PUT,
				.name = "shift",
				.actor = "user:kim",
				.fd = sound(1, 440, 0.3, 8000)};

	(void)state;
	begin(&x, NULL);
	uploads_ask(x.u, &q, on_answer, &x);
	close(q.fd);
	/* Its sound is made for a library that is gone when it comes. */
	site_configure(x.s,
		       PLAN "zone \"d\" { multicast \"239.192.9.4:24004\""
			    " { codec = \"g722\" interface = \"lo\" } }\n");
	assert_int_equal(uploads_configure(x.u, x.s->config, x.s->library), 0);
	site_await(x.s, x.answered && facts(&x, "shift")->version == 1);
	assert_int_equal(x.a.status, 201);
	assert_true(clip_format(library_message(x.s->library, "shift"),
				&x.s->config->sounds[3].out.fmt) >= 0);
	end(&x, false);
}

static void test_preview(void **state)
{
	struct shelf x;
	struct reason why = {""};
	struct pcm p;

	(void)state;
	begin(&x, NULL);
	put(&x, "shift", sound(1, 440, 0.3, 8000));
	put(&x, "shift", sound(2, 440, 0.3, 8000));
	for (uint32_t v = 0; v < 3; v++) {
		assert_int_equal(
			ask(&x, (struct uploads_ask){.verb = UPLOADS_PREVIEW,
						     .name = "shift",
						     .version = v,
						     .fd = -1}),
			200);
		assert_int_equal(lseek(x.a.fd, 0, SEEK_SET), 0);
		assert_int_equal(pcm_load_fd(&p, x.a.fd, "preview", &why), 0);
		assert_in_range(p.n * 1000 / p.rate, v == 1 ? 3300 : 4300,
				v == 1 ? 3400 : 4400);
		pcm_reset(&p);
		close(x.a.fd);
	}
	assert_int_equal(ask(&x, (struct uploads_ask){.verb = UPLOADS_PREVIEW,
						      .name = "no",
						      .fd = -1}),
			 404);
	assert_null(last(&x, EVENT_MESSAGE_DELETED));
	end(&x, false);
}

/** Whoever waits is told when the daemon ends. */
static void test_end(void **state)
{
	struct shelf x;
	struct uploads_ask q = {
		.verb = UPLOADS_PUT, .name = "shift", .actor = "user:kim"};

	(void)state;
	begin(&x, NULL);
	q.fd = sound(1, 440, 0.3, 8000);
	for (int i = 0; i < UPLOADS_MAX_JOBS; i++)
		uploads_ask(x.u, &q, on_answer, &x);
	assert_false(x.answered);
	uploads_ask(x.u, &q, on_answer, &x);
	assert_true(x.answered);
	assert_int_equal(x.a.status, 503);
	close(q.fd);
	x.answered = false;
	x.u = uploads_free(x.u);
	assert_true(x.answered);
	assert_string_equal(x.a.code, "stopping");
	end(&x, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_emergency),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_power_cut),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_preview),
		cmocka_unit_test(test_end),
	};

	int err;

	log_init(LOG_LEVEL_ERROR);
	if (libre_init())
		return 1;
	err = cmocka_run_group_tests(tests, NULL, NULL);
	libre_close();
	return err;
}
