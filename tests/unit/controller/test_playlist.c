/* What a music plays next: in order, shuffled, out of a folder that changes;
 * and the command that plays it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/source/music.h"
#include "controller/source/playlist.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char a[] = "/m/a.mp3", b[] = "/m/b.mp3", c[] = "/m/c.mp3",
	    d[] = "/m/d.mp3";
static char *files[] = {a, b, c, d};
static char hall[] = "hall";

static void files_go_round(void **state)
{
	const struct config_player m = {
		.name = hall, .files = files, .n_files = 3};
	struct playlist p = {0};
	char what[64] = "";
	(void)state;

	for (int i = 0; i < 7; i++) {
		assert_int_equal(playlist_next(&p, &m, what, sizeof(what)), 0);
		assert_string_equal(what, files[i % 3]);
	}
	playlist_reset(&p);
}

static void shuffled_each_comes_once_a_round(void **state)
{
	const struct config_player m = {
		.name = hall, .files = files, .n_files = 4, .shuffle = true};
	struct playlist p = {.seed = 5};
	char what[64] = "", last[64] = "";
	unsigned orders = 0;
	char before[5] = "";
	(void)state;

	for (int round = 0; round < 50; round++) {
		char order[5] = "";
		unsigned seen = 0;

		for (int i = 0; i < 4; i++) {
			assert_int_equal(
				playlist_next(&p, &m, what, sizeof(what)), 0);
			assert_string_not_equal(what, last);
			strcpy(last, what);
			seen |= 1u << (what[3] - 'a');
			order[i] = what[3];
		}
		assert_int_equal(seen, 15);
		orders += strcmp(order, before) != 0;
		strcpy(before, order);
	}
	assert_true(orders > 25);
	playlist_reset(&p);
}

static void touch(const char *dir, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fclose(fopen(path, "w"));
}

static void folder_is_read_anew_each_round(void **state)
{
	char dir[] = "/tmp/playlist-XXXXXX", what[256] = "", command[300];
	struct config_player m = {.name = hall};
	struct playlist p = {0};
	(void)state;

	assert_non_null(mkdtemp(dir));
	m.folder = dir;
	assert_int_equal(playlist_next(&p, &m, what, sizeof(what)), ENOENT);
	assert_string_equal(what, dir);
	touch(dir, "2.ogg");
	touch(dir, ".hidden");
	snprintf(what, sizeof(what), "%s/sub", dir);
	mkdir(what, 0700);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(playlist_next(&p, &m, what, sizeof(what)), 0);
		assert_string_equal(what + strlen(dir), "/2.ogg");
	}
	touch(dir, "1.ogg");
	assert_int_equal(playlist_next(&p, &m, what, sizeof(what)), 0);
	assert_string_equal(what + strlen(dir), "/1.ogg");
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(playlist_next(&p, &m, what, sizeof(what)), 0);
	assert_int_equal(playlist_next(&p, &m, what, sizeof(what)), ENOENT);
	playlist_reset(&p);
}

/** What is no file is left out and counted; so is what is too many. */
static void hostile_folder(void **state)
{
	char dir[] = "/tmp/playlist-XXXXXX", what[4096] = "", path[300],
	     command[300];
	struct config_player m = {.name = hall, .folder = dir};
	struct playlist p = {0};
	(void)state;

	assert_non_null(mkdtemp(dir));
	touch(dir, "a\nb.wav");
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/endless", dir);
	assert_int_equal(symlink("/dev/zero", path), 0);
	snprintf(path, sizeof(path), "%s/round", dir);
	assert_int_equal(symlink("round", path), 0);
	snprintf(path, sizeof(path), "%s/nowhere", dir);
	assert_int_equal(symlink("/no/such", path), 0);
	snprintf(path, sizeof(path), "%s/itself", dir);
	assert_int_equal(symlink(".", path), 0);
	snprintf(path, sizeof(path), "%s/link", dir);
	assert_int_equal(symlink("a\nb.wav", path), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(playlist_next(&p, &m, what, sizeof(what)), 0);
		assert_string_equal(what + strlen(dir),
				    i ? "/link" : "/a\nb.wav");
	}
	assert_int_equal(p.n, 2);
	assert_int_equal(p.left_out, 4);
	assert_true(*p.first_out);
	playlist_reset(&p);
	for (int i = 0; i < MUSIC_MAX_FILES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d.wav", i);
		touch(dir, name);
	}
	assert_int_equal(playlist_next(&p, &m, what, sizeof(what)), 0);
	assert_int_equal(p.n, MUSIC_MAX_FILES);
	assert_int_equal(p.left_out, 6);
	for (size_t i = 1; i < p.n; i++)
		assert_true(strcmp(p.v[i - 1], p.v[i]) < 0);
	playlist_reset(&p);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

static void commands_are_made(void **state)
{
	char play[] = "play", rate[] = "--rate={rate}", file[] = "{file}",
	     other[] = "{x}{file}", radio[] = "http://r/";
	char *words[] = {play, rate, file, other};
	struct config_player m = {
		.name = hall, .files = files, .n_files = 1, .rate = 16000};
	char *argv[CONFIG_MAX_COMMAND + 1];
	(void)state;

	assert_int_equal(playlist_command(&m, "/m/$(x) y", argv), 0);
	assert_string_equal(argv[0], "/proc/self/exe");
	assert_string_equal(argv[2], "16000");
	/* One word, whatever is in it: no shell ever sees it. */
	assert_string_equal(argv[3], "/m/$(x) y");
	assert_null(argv[4]);
	playlist_command_free(argv);
	m.command = words;
	m.n_command = 4;
	assert_int_equal(playlist_command(&m, "/m/a", argv), 0);
	assert_string_equal(argv[1], "--rate=16000");
	assert_string_equal(argv[2], "/m/a");
	assert_string_equal(argv[3], "{x}/m/a");
	assert_null(argv[4]);
	playlist_command_free(argv);
	m = (struct config_player){
		.name = hall, .stream = radio, .rate = 48000};
	assert_int_equal(playlist_command(&m, "http://r/", argv), 0);
	assert_string_equal(argv[0], "ffmpeg");
	assert_string_equal(argv[6], "http://r/");
	playlist_command_free(argv);
	assert_null(argv[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_go_round),
		cmocka_unit_test(shuffled_each_comes_once_a_round),
		cmocka_unit_test(folder_is_read_anew_each_round),
		cmocka_unit_test(hostile_folder),
		cmocka_unit_test(commands_are_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
