/** Files that hold a secret. */
#ifndef TOCSIN_CONFIG_SECRET_H
#define TOCSIN_CONFIG_SECRET_H

#include <stddef.h>

/**
 * Reads the first line of a file that others may not read, without its end.
 *
 * @param why set to what is wrong with the file, never to what is in it
 * @return 0; ENOENT when it cannot be opened (the table's check of files has
 *         told so); EINVAL with *why
 */
int secret_read(const char *path, char *buf, size_t size, const char **why);

#endif
