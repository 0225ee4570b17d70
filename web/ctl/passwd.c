/* tocsinctl passwd: the hash of a password, for the configuration. No daemon is
 * asked: who may edit its files decides who comes in. */
#include "ctl.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/** Bytes; crypt(5) takes up to 511. */
#define LEAST 10
#define MOST 255

/** One line without its end, unseen on a terminal; false at the end of input
 *  or when it is too long. */
static bool read_line(const char *prompt, char line[MOST + 2])
{
	const bool terminal = isatty(STDIN_FILENO);
	struct termios was, now;
	bool ok;

	if (terminal) {
		fputs(prompt, stderr);
		if (tcgetattr(STDIN_FILENO, &was))
			return false;
		now = was;
		now.c_lflag &= ~(tcflag_t)ECHO;
		if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &now))
			return false;
	}
	ok = fgets(line, MOST + 2, stdin);
	if (terminal) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
		fputc('\n', stderr);
	}
	if (!ok)
		return false;
	line[strcspn(line, "\n")] = '\0';
	return strlen(line) <= MOST;
}

/** NULL, or what is wrong with it. */
static const char *ask(char password[MOST + 2])
{
	char again[MOST + 2];
	bool same;

	if (!read_line("Password: ", password))
		return "a password of at most 255 bytes is read from standard "
		       "input";
	if (strlen(password) < LEAST)
		return "a password has at least 10 bytes";
	if (!isatty(STDIN_FILENO))
		return NULL;
	same = read_line("Again: ", again) && !strcmp(password, again);
	OPENSSL_cleanse(again, sizeof(again));
	return same ? NULL : "the two are not the same";
}

static enum ctl_exit print_hash(const struct ctl *c, const char *user,
				const char *password)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *hash = NULL;

	if (data &&
	    crypt_gensalt_rn("$y$", 0, NULL, 0, salt, (int)sizeof(salt)))
		hash = crypt_r(password, salt, data);
	if (hash && *hash == '*')
		hash = NULL;
	if (!hash)
		fputs("tocsinctl: the password could not be hashed: this "
		      "system's libcrypt has no yescrypt\n",
		      stderr);
	else if (c->json)
		printf("\"%s\"\n", hash);
	else
		printf("user \"%s\" { password-hash = '%s'  role = \"admin\" "
		       "}\n",
		       user, hash);
	if (data)
		OPENSSL_cleanse(data, sizeof(*data));
	free(data);
	return hash ? CTL_DONE : CTL_REFUSED;
}

enum ctl_exit passwd_print(const struct ctl *c, int argc, char **argv)
{
	char password[MOST + 2] = "";
	const char *problem;
	enum ctl_exit code;

	if (argc != 2)
		return command_usage("passwd", "takes the name of a user");
	if (!*argv[1] || strpbrk(argv[1], "\"\\\n:"))
		return command_usage("passwd", "a name has no quotes, "
					       "backslashes or colons");
	problem = ask(password);
	if (problem) {
		fprintf(stderr, "tocsinctl passwd: %s\n", problem);
		code = CTL_REFUSED;
	} else {
		code = print_hash(c, argv[1], password);
	}
	OPENSSL_cleanse(password, sizeof(password));
	return code;
}
