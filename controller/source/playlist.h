/**
 * What a music plays next, and the command that plays it. Control thread.
 */
#ifndef TOCSIN_PLAYLIST_H
#define TOCSIN_PLAYLIST_H

#include "controller/config/config.h"

#include <stddef.h>
#include <stdint.h>

/** Files in the order in which they are played; read anew when all were. */
struct playlist {
	char **v;
	size_t n, at;
	uint64_t seed;
	size_t left_out;     /**< of the folder, when it was read last: neither
				  files nor folders, or too many */
	char first_out[256]; /**< one of them */
};

void playlist_reset(struct playlist *p);

/**
 * Says what comes next: a file, the URL, or the command's name.
 *
 * @return 0, ENOENT when a folder holds no file, or errno
 */
int playlist_next(struct playlist *p, const struct config_player *m, char *what,
		  size_t size);

/** The command that plays it, ended by NULL; 0 or ENOMEM. In either case
 *  playlist_command_free() follows. */
int playlist_command(const struct config_player *m, const char *what,
		     char *argv[CONFIG_MAX_COMMAND + 1]);
void playlist_command_free(char *argv[CONFIG_MAX_COMMAND + 1]);

#endif
