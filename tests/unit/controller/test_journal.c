/* journal.c against real files: batches, stalls, kills, full and damaged
 * disks. */
#include "controller/journal.h"

#include "controller/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Generous: awaited, never slept. */
#define PATIENCE_US UINT64_C(30000000)

static char dir[64];

static int unlink_entry(const char *path, const struct stat *st, int flag,
			struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/tocsin-journal-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(dir, unlink_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static struct journal *open_ok(void)
{
	struct journal *j = NULL;
	struct reason why;
	int err = journal_open(&j, dir, &why);

	if (err || *why.text)
		print_error("journal_open: %d %s\n", err, why.text);
	assert_int_equal(err, 0);
	assert_string_equal(why.text, "");
	return j;
}

static struct journal_health health(struct journal *j)
{
	struct journal_health h;

	journal_health(j, &h);
	return h;
}

#define AWAIT(cond)                                                            \
	do {                                                                   \
		uint64_t end_ = clock_mono_us() + PATIENCE_US;                 \
		while (!(cond)) {                                              \
			if (clock_mono_us() > end_)                            \
				fail_msg("never: %s", #cond);                  \
			usleep(2000);                                          \
		}                                                              \
	} while (0)

static bool on_disk(struct journal *j)
{
	struct journal_health h = health(j);

	return !h.queued && !h.oldest_wait_us;
}

static struct event make(uint64_t id)
{
	struct event e = {.id = id,
			  .cause = id - 1,
			  .wall_us = INT64_C(1000000) * (int64_t)id,
			  .mono_us = id,
			  .type = id % 2 ? EVENT_BROADCAST_STARTED
					 : EVENT_ALARM_ACTIVE,
			  .actor = "user:x",
			  .text = "something happened"};

	snprintf(e.subject, sizeof(e.subject), "zone:%u", (unsigned)id % 3);
	snprintf(e.data, sizeof(e.data), "{\"n\":%u}", (unsigned)id);
	return e;
}

static void write_n(struct journal *j, unsigned n)
{
	while (n--) {
		struct event e = make(journal_next_id(j));

		journal_write(j, &e);
	}
}

static json_t *query(struct journal *j, struct journal_query q)
{
	json_t *rows = NULL;
	struct reason why = {""};
	int err = journal_query(j, &q, &rows, &why);

	if (err)
		print_error("journal_query: %s\n", why.text);
	assert_int_equal(err, 0);
	return rows;
}

static uint64_t id_at(const json_t *rows, size_t i)
{
	return (uint64_t)json_integer_value(
		json_object_get(json_array_get(rows, i), "id"));
}

static size_t count(struct journal *j, struct journal_query q)
{
	json_t *rows = query(j, q);
	size_t n = json_array_size(rows);

	json_decref(rows);
	return n;
}

struct found {
	unsigned n;
	char text[512];
};

static void on_state(const char *key, const char *value, void *arg)
{
	struct found *f = arg;
	size_t at = strlen(f->text);

	f->n++;
	snprintf(f->text + at, sizeof(f->text) - at, "%s=%s;", key, value);
}

static void has_state(struct journal *j, const char *prefix, const char *text)
{
	struct found f = {0};

	journal_state_load(j, prefix, on_state, &f);
	assert_string_equal(f.text, text);
}

static void sql(const char *text)
{
	char path[96];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/journal.db", dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* ------------------------------------------------------------------------ */

static void events_come_back(void **state)
{
	struct journal *j = open_ok();
	json_t *rows, *o;

	(void)state;
	assert_int_equal(journal_next_id(j), 1);
	assert_int_equal(journal_next_id(j), 2);
	write_n(j, 10); /* 3..12 */
	AWAIT(on_disk(j));
	rows = query(j, (struct journal_query){0});
	assert_int_equal(json_array_size(rows), 10);
	assert_int_equal(id_at(rows, 0), 3);
	o = json_array_get(rows, 1);
	assert_string_equal(json_string_value(json_object_get(o, "type")),
			    "alarm.active");
	assert_string_equal(json_string_value(json_object_get(o, "time")),
			    "1970-01-01T00:00:04.000000Z");
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(o, "data"), "n")),
			 4);
	assert_int_equal(json_integer_value(json_object_get(o, "cause")), 3);
	json_decref(rows);
	assert_null(journal_close(j));

	j = open_ok();
	assert_int_equal(journal_next_id(j), 13);
	journal_close(j);
	assert_null(journal_close(NULL));
}

static void queries_filter(void **state)
{
	struct journal *j = open_ok();
	struct journal_query q;
	json_t *rows;

	(void)state;
	write_n(j, 1500);
	AWAIT(on_disk(j));
	assert_int_equal(count(j, (struct journal_query){0}), JOURNAL_LIMIT);
	assert_int_equal(count(j, (struct journal_query){.limit = 5000}),
			 JOURNAL_LIMIT);
	assert_int_equal(count(j, (struct journal_query){.after = 1490}), 10);
	assert_int_equal(count(j, (struct journal_query){.after = 1500}), 0);
	assert_int_equal(count(j, (struct journal_query){.after = UINT64_MAX}),
			 0);
	assert_int_equal(
		count(j, (struct journal_query){.type = "alarm.active"}), 750);
	assert_int_equal(count(j, (struct journal_query){.type = "alarm."}),
			 750);
	assert_int_equal(count(j, (struct journal_query){.type = "alarm"}), 0);
	assert_int_equal(count(j, (struct journal_query){.subject = "zone:1"}),
			 500);
	assert_int_equal(count(j, (struct journal_query){.subject = "zone:"}),
			 0);
	/* From since to before until. */
	q = (struct journal_query){.since_us = 10000000, .until_us = 20000000};
	assert_int_equal(count(j, q), 10);
	q.type[0] = '.';
	assert_int_equal(count(j, q), 0);
	rows = query(j,
		     (struct journal_query){.newest_first = true, .limit = 3});
	assert_int_equal(json_array_size(rows), 3);
	assert_int_equal(id_at(rows, 0), 1500);
	assert_int_equal(id_at(rows, 2), 1498);
	json_decref(rows);
	journal_close(j);
}

static void an_old_type_keeps_its_name(void **state)
{
	struct journal *j = open_ok();
	json_t *rows;

	(void)state;
	sql("INSERT INTO events VALUES(1,0,0,0,'horn.blown','s','a','t','')");
	rows = query(j, (struct journal_query){0});
	assert_int_equal(json_array_size(rows), 1);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(rows, 0), "type")),
			    "horn.blown");
	json_decref(rows);
	journal_close(j);
}

static void state_merges_and_survives(void **state)
{
	struct journal *j = open_ok();

	(void)state;
	has_state(j, "", "");
	journal_state(j, "alarm:gas", "1");
	journal_state(j, "alarm:fire", "1");
	journal_state(j, "broadcast:1", "x");
	journal_state(j, "alarm:gas", "2");
	journal_state(j, "broadcast:1", NULL);
	AWAIT(on_disk(j));
	/* As on disk at open, whatever came since. */
	has_state(j, "", "");
	journal_close(j);

	j = open_ok();
	has_state(j, "alarm:", "alarm:fire=1;alarm:gas=2;");
	has_state(j, "broadcast:", "");
	journal_state(j, "alarm:gas", NULL);
	has_state(j, "alarm:g", "alarm:gas=2;");
	journal_close(j);

	j = open_ok();
	has_state(j, "", "alarm:fire=1;");
	journal_close(j);
}

static void close_writes_what_waits(void **state)
{
	struct journal *j = open_ok();

	(void)state;
	journal_stall(j, 200);
	write_n(j, 3000);
	journal_state(j, "k", "v");
	journal_close(j);
	j = open_ok();
	assert_int_equal(journal_next_id(j), 3001);
	has_state(j, "", "k=v;");
	journal_close(j);
}

/* ------------------------------------------------------------------- stalls */

static void a_stalled_disk_stalls_nobody(void **state)
{
	const unsigned n = 20000;
	struct journal *j = open_ok();
	struct journal_health h;
	uint64_t longest = 0, last = 0;
	unsigned gaps = 0;
	json_t *rows;
	size_t kept = 0;

	(void)state;
	/* The first state takes the writer into the stall. */
	journal_stall(j, 1000);
	journal_state(j, "first", "1");
	for (unsigned i = 0; i < n; i++) {
		uint64_t t = clock_mono_us();
		struct event e = make(journal_next_id(j));
		char key[24];

		journal_write(j, &e);
		if (i % 100 == 0) {
			snprintf(key, sizeof(key), "latch:%u", i % 1000);
			journal_state(j, key, i % 2000 ? "odd" : "even");
		}
		t = clock_mono_us() - t;
		if (t > longest)
			longest = t;
		h = health(j);
		if (h.queued > JOURNAL_QUEUE)
			fail_msg("%u events queued", h.queued);
	}
	print_message("longest call %llu us\n", (unsigned long long)longest);
	h = health(j);
	/* It was in the stall all along: nothing else can have dropped. */
	assert_int_equal(h.queued, JOURNAL_QUEUE);
	assert_int_equal(h.dropped, n - JOURNAL_QUEUE);
	assert_true(h.oldest_wait_us > 0);
	assert_string_equal(h.error, "");
	AWAIT(on_disk(j));
	assert_int_equal(health(j).dropped, n - JOURNAL_QUEUE);

	/* The newest are there, in one piece, behind those that were already
	 * being written when the stall began. */
	for (uint64_t after = 0; kept < JOURNAL_QUEUE;) {
		size_t got;

		rows = query(j, (struct journal_query){.after = after});
		got = json_array_size(rows);
		assert_true(got > 0);
		for (size_t i = 0; i < got; i++) {
			gaps += id_at(rows, i) != after + 1;
			after = id_at(rows, i);
		}
		kept += got;
		json_decref(rows);
		last = after;
	}
	assert_int_equal(kept, JOURNAL_QUEUE);
	assert_int_equal(last, n);
	assert_int_equal(gaps, 1);
	journal_close(j);

	j = open_ok();
	has_state(j, "latch:0", "latch:0=odd;");
	has_state(j, "latch:9", "latch:900=odd;");
	has_state(j, "first", "first=1;");
	journal_close(j);
}

/* -------------------------------------------------------------------- kills */

/* A child writes and says what the journal has committed; kill -9 at any
 * moment after that must not lose it. */
static void child(int out)
{
	struct journal *j = NULL;
	char text[32];

	if (journal_open(&j, dir, NULL))
		_exit(1);
	for (unsigned i = 1;; i++) {
		struct journal_health h;
		int n = snprintf(text, sizeof(text), "%u\n", i);

		text[n - 1] = '\0';
		journal_state(j, "round", text);
		journal_state(j, "flip", i % 2 ? "x" : NULL);
		write_n(j, 20);
		do {
			usleep(500);
			journal_health(j, &h);
		} while (h.queued || h.oldest_wait_us);
		text[n - 1] = '\n';
		if (write(out, text, (size_t)n) != n)
			_exit(1);
	}
}

static void kill_9_loses_nothing_committed(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		unsigned told = 0, i;
		struct found f = {0};
		char line[32], wal[96];
		struct stat st;
		struct journal *j;
		int fd[2], status;
		FILE *in;
		pid_t pid;

		assert_int_equal(pipe(fd), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (!pid) {
			close(fd[0]);
			child(fd[1]);
		}
		close(fd[1]);
		in = fdopen(fd[0], "r");
		for (i = 0; i < 3 + round && fgets(line, sizeof(line), in); i++)
			told = (unsigned)atoi(line);
		assert_int_equal(i, 3 + round);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		/* What it still said before it died counts as well. */
		while (fgets(line, sizeof(line), in))
			told = (unsigned)atoi(line);
		fclose(in);

		/* Nothing was checkpointed: it has to come out of the log. */
		snprintf(wal, sizeof(wal), "%s/journal.db-wal", dir);
		assert_int_equal(stat(wal, &st), 0);
		assert_true(st.st_size > 0);
		j = open_ok();
		journal_state_load(j, "round", on_state, &f);
		assert_int_equal(f.n, 1);
		i = (unsigned)atoi(f.text + strlen("round="));
		assert_in_range(i, told, told + 1);
		/* A round it did not speak of may be there by half: two keys
		 * are two writes. */
		if (i == told)
			has_state(j, "flip", i % 2 ? "flip=x;" : "");
		assert_true(journal_next_id(j) > 20 * told);
		journal_close(j);
	}
}

/* ------------------------------------------------------------------ threads */

static void *reader(void *arg)
{
	struct journal *j = arg;

	for (unsigned i = 0; i < 30; i++) {
		struct journal_query q = {.newest_first = i % 2, .limit = 50};
		json_t *rows = NULL;
		struct reason why = {""};

		if (journal_query(j, &q, &rows, &why)) {
			print_error("reader: %s\n", why.text);
			return arg;
		}
		for (size_t k = 1; k < json_array_size(rows); k++)
			if ((id_at(rows, k) > id_at(rows, k - 1)) ==
			    q.newest_first)
				return arg;
		json_decref(rows);
		(void)health(j);
	}
	return NULL;
}

static void readers_while_it_writes(void **state)
{
	struct journal *j = open_ok();
	pthread_t t[4];
	void *bad;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, reader, j), 0);
	for (unsigned i = 0; i < 60; i++) {
		write_n(j, 50);
		journal_state(j, "s", i % 2 ? "1" : NULL);
		usleep(2000);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(t[i], &bad);
		assert_null(bad);
	}
	AWAIT(on_disk(j));
	assert_int_equal(health(j).dropped, 0);
	assert_int_equal(count(j, (struct journal_query){.after = 2500}), 500);
	journal_close(j);
}

static void the_writer_gets_no_signals(void **state)
{
	struct journal *j = open_ok();
	unsigned long long mask = 0;
	glob_t g;

	(void)state;
	write_n(j, 1);
	AWAIT(on_disk(j));
	assert_int_equal(glob("/proc/self/task/*/status", 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		FILE *f = fopen(g.gl_pathv[i], "r");
		char line[256], name[32] = "";

		while (f && fgets(line, sizeof(line), f)) {
			sscanf(line, "Name: %31s", name);
			if (!strcmp(name, "journal"))
				sscanf(line, "SigBlk: %llx", &mask);
		}
		if (f)
			fclose(f);
	}
	globfree(&g);
	for (int s = 1; s < 32; s++)
		if (s != SIGKILL && s != SIGSTOP)
			assert_true(mask >> (s - 1) & 1);
	journal_close(j);
}

/* -------------------------------------------------------------------- limits
 */

static void the_oldest_are_trimmed(void **state)
{
	struct journal *j = open_ok();
	json_t *rows;

	(void)state;
	write_n(j, 300);
	AWAIT(on_disk(j));
	for (unsigned i = 0; i < 3; i++) {
		struct event e = make(JOURNAL_KEEP + 100 + i);

		journal_write(j, &e);
	}
	AWAIT(on_disk(j));
	rows = query(j, (struct journal_query){0});
	assert_int_equal(id_at(rows, 0), 103);
	assert_int_equal(json_array_size(rows), 198 + 3);
	json_decref(rows);
	journal_close(j);
}

/* ----------------------------------------------------------- damaged, newer */

static void scribble(const char *name, long at, const char *bytes)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	fputs(bytes, f);
	fclose(f);
}

static size_t n_damaged(void)
{
	char pattern[96];
	size_t n = 0;
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s/journal.db.damaged-*", dir);
	if (!glob(pattern, 0, NULL, &g))
		n = g.gl_pathc;
	globfree(&g);
	return n;
}

static void a_damaged_one_is_set_aside(void **state)
{
	struct journal *j = open_ok();
	struct reason why;

	(void)state;
	write_n(j, 5);
	journal_state(j, "k", "v");
	journal_close(j);
	scribble("journal.db", 0, "this is not a database at all");

	j = NULL;
	assert_int_equal(journal_open(&j, dir, &why), 0);
	assert_non_null(strstr(why.text, "damaged"));
	assert_int_equal(n_damaged(), 1);
	assert_int_equal(journal_next_id(j), 1);
	has_state(j, "", "");
	write_n(j, 1);
	AWAIT(on_disk(j));
	assert_string_equal(health(j).error, "");
	journal_close(j);
	j = open_ok();
	journal_close(j);
}

/* Found only when it is written: the state moves to the new database. */
static void damage_while_running(void **state)
{
	struct journal *j = open_ok();
	char page[4097];

	(void)state;
	journal_state(j, "alarm:gas", "latched");
	journal_state(j, "alarm:fire", "latched");
	write_n(j, 5);
	journal_close(j);
	j = open_ok();
	journal_state(j, "alarm:fire", NULL);
	AWAIT(on_disk(j));
	journal_close(j);
	j = open_ok();
	/* Every page but the first, which has the schema: the tables. */
	memset(page, 'z', 4096);
	page[4096] = '\0';
	for (long at = 4096; at < 6 * 4096; at += 4096)
		scribble("journal.db", at, page);
	write_n(j, 300);
	AWAIT(on_disk(j));
	assert_true(n_damaged() >= 1);
	assert_non_null(strstr(health(j).error, "damaged"));
	assert_int_equal(count(j, (struct journal_query){0}), 300);
	journal_close(j);
	j = open_ok();
	has_state(j, "", "alarm:gas=latched;");
	journal_close(j);
}

static void a_newer_one_is_refused(void **state)
{
	struct journal *j = open_ok();
	struct reason why;

	(void)state;
	journal_state(j, "k", "v");
	journal_close(j);
	sql("PRAGMA user_version=99");
	j = NULL;
	assert_int_equal(journal_open(&j, dir, &why), ENOTSUP);
	assert_null(j);
	assert_non_null(strstr(why.text, "schema 99"));
	assert_int_equal(n_damaged(), 0);
	sql("PRAGMA user_version=1");
	j = open_ok();
	has_state(j, "", "k=v;");
	journal_close(j);
}

static void no_directory(void **state)
{
	struct journal *j = NULL;
	struct reason why;
	char path[5000];

	(void)state;
	snprintf(path, sizeof(path), "%s/missing", dir);
	assert_int_equal(journal_open(&j, path, &why), ENOENT);
	assert_non_null(strstr(why.text, path));
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(journal_open(&j, path, &why), ENAMETOOLONG);
	assert_null(j);
}

static void others_cannot_read_it(void **state)
{
	struct journal *j = open_ok();
	char path[96];
	struct stat st;

	(void)state;
	write_n(j, 1);
	AWAIT(on_disk(j));
	snprintf(path, sizeof(path), "%s/journal.db", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
	snprintf(path, sizeof(path), "%s/journal.db-wal", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
	journal_close(j);
}

/* ------------------------------------------------------------- a small disk */

/* A tmpfs over dir, seen by this process alone. */
static bool small_disk(void)
{
	return !unshare(CLONE_NEWNS) &&
	       !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("tmpfs", dir, "tmpfs", 0, "size=2m");
}

static void fill_disk(void)
{
	char path[96], block[4096] = {0};
	FILE *f;

	snprintf(path, sizeof(path), "%s/filler", dir);
	f = fopen(path, "a");
	assert_non_null(f);
	setvbuf(f, NULL, _IONBF, 0);
	while (fwrite(block, 1, sizeof(block), f) == sizeof(block))
		;
	fclose(f);
}

static void empty_disk(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/filler", dir);
	assert_int_equal(unlink(path), 0);
}

static void a_full_disk_is_waited_for(void **state)
{
	struct journal *j;
	struct journal_health h;
	unsigned written = 0;
	uint64_t since;

	(void)state;
	if (!small_disk()) {
		print_message("needs root for a tmpfs of its own\n");
		skip();
	}
	j = open_ok();
	journal_state(j, "alarm:gas", "1");
	AWAIT(on_disk(j));
	fill_disk();
	/* Not more than it keeps up with: all that waits is to fit later. */
	while (!*health(j).error && written < 20000) {
		if (on_disk(j)) {
			write_n(j, 50);
			written += 50;
		}
		usleep(1000);
	}
	h = health(j);
	assert_non_null(strstr(h.error, "full"));
	assert_true(h.queued > 0);
	journal_state(j, "alarm:gas", "2");
	journal_state(j, "alarm:fire", "3");
	write_n(j, 500);
	written += 500;
	/* A value that comes while an older one fails to be written wins. */
	journal_stall(j, 600);
	since = clock_mono_us();
	journal_state(j, "alarm:heat", "a");
	AWAIT(clock_mono_us() - since > 500000);
	journal_state(j, "alarm:heat", "b");
	AWAIT(clock_mono_us() - since > 1300000);
	journal_state(j, "alarm:heat", "c");
	/* It keeps what waits over several tries. */
	AWAIT(health(j).oldest_wait_us > 2000000);
	assert_non_null(strstr(health(j).error, "full"));
	assert_int_equal(health(j).dropped, 0);

	empty_disk();
	AWAIT(on_disk(j));
	assert_string_equal(health(j).error, "");
	assert_int_equal(
		count(j, (struct journal_query){.after = written - 100}), 100);
	assert_int_equal(
		count(j, (struct journal_query){.after = 0, .limit = 100}),
		100);
	journal_close(j);
	j = open_ok();
	has_state(j, "alarm:", "alarm:fire=3;alarm:gas=2;alarm:heat=c;");
	assert_int_equal(journal_next_id(j), written + 1);
	journal_close(j);
	umount(dir);
}

/* Booting with a full disk must not make it forget a latched emergency. */
static void state_is_read_from_a_full_disk(void **state)
{
	struct journal *j;
	struct reason why;
	pid_t pid;
	int status;

	(void)state;
	if (!small_disk()) {
		print_message("needs root for a tmpfs of its own\n");
		skip();
	}
	/* As after a power cut: the log is still there, the index is stale. */
	pid = fork();
	if (!pid) {
		j = NULL;
		if (journal_open(&j, dir, NULL))
			_exit(1);
		journal_state(j, "alarm:gas", "latched");
		while (!on_disk(j))
			usleep(1000);
		fill_disk();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);

	j = NULL;
	assert_int_equal(journal_open(&j, dir, &why), 0);
	has_state(j, "", "alarm:gas=latched;");
	journal_state(j, "alarm:fire", "latched");
	write_n(j, 300);
	AWAIT(*health(j).error);
	empty_disk();
	AWAIT(on_disk(j));
	assert_string_equal(health(j).error, "");
	journal_close(j);
	j = open_ok();
	has_state(j, "", "alarm:fire=latched;alarm:gas=latched;");
	journal_close(j);
	umount(dir);
}

static void a_read_only_disk(void **state)
{
	struct journal *j;
	struct reason why;
	pid_t pid;
	int status;

	(void)state;
	if (!small_disk()) {
		print_message("needs root for a tmpfs of its own\n");
		skip();
	}
	pid = fork();
	if (!pid) {
		j = NULL;
		if (journal_open(&j, dir, NULL))
			_exit(1);
		journal_state(j, "alarm:gas", "latched");
		while (!on_disk(j))
			usleep(1000);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL),
			 0);

	j = NULL;
	assert_int_equal(journal_open(&j, dir, &why), 0);
	assert_true(*why.text);
	assert_string_equal(health(j).error, why.text);
	has_state(j, "", "alarm:gas=latched;");
	assert_int_equal(mount(NULL, dir, NULL, MS_REMOUNT, NULL), 0);
	/* With nothing to write, too, it finds out. */
	AWAIT(!*health(j).error);
	journal_state(j, "alarm:gas", NULL);
	AWAIT(on_disk(j));
	journal_close(j);
	j = open_ok();
	has_state(j, "", "");
	journal_close(j);
	umount(dir);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(events_come_back),
		T(queries_filter),
		T(an_old_type_keeps_its_name),
		T(state_merges_and_survives),
		T(close_writes_what_waits),
		T(a_stalled_disk_stalls_nobody),
		T(kill_9_loses_nothing_committed),
		T(readers_while_it_writes),
		T(the_writer_gets_no_signals),
		T(the_oldest_are_trimmed),
		T(a_damaged_one_is_set_aside),
		T(damage_while_running),
		T(a_newer_one_is_refused),
		T(no_directory),
		T(others_cannot_read_it),
		T(a_full_disk_is_waited_for),
		T(state_is_read_from_a_full_disk),
		T(a_read_only_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
