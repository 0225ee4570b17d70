/* tocsinctl token: a machine's token, shown once, and its section of the
 * configuration, which has the hash only. No daemon is asked: who may edit its
 * files decides who comes in. */
#include "ctl.h"

#include "controller/base/scope.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define BYTES 32
/** What a program that looks for leaked secrets knows it by. */
#define PREFIX "tocsin_"

/** What is to be in the section. */
struct wanted {
	const char *name, *expires;
	json_t *scopes, *zones, *messages;
};

static void hex(char *to, const unsigned char *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(to + 2 * i, 3, "%02x", from[i]);
}

/** May it stand between quotes? */
static bool plain(const char *s)
{
	return *s && !strpbrk(s, "\"\\\n");
}

/** NULL, or what is wrong with an argument. */
static const char *take(struct wanted *w, int argc, char **argv, int *i)
{
	const struct {
		const char *option;
		json_t *list;
	} lists[] = {
		{"scope", w->scopes},
		{"zone", w->zones},
		{"message", w->messages},
	};
	const char *v;

	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		v = command_option(argc, argv, i, lists[k].option);
		if (!v)
			continue;
		if (!k && !scope_find(v))
			return "a scope is one of " SCOPE_NAMES;
		if (!plain(v))
			return "a name has no quotes and backslashes";
		json_array_append_new(lists[k].list, json_string(v));
		return NULL;
	}
	v = command_option(argc, argv, i, "expires");
	if (v && !plain(v))
		return "--expires takes a date like 2027-01-31";
	if (v)
		w->expires = v;
	else if (*argv[*i] == '-' || w->name || !plain(argv[*i]))
		return "give one name, and options with their values";
	else
		w->name = argv[*i];
	return NULL;
}

static void print_list(const char *key, const json_t *list)
{
	const json_t *x;
	size_t i;

	if (!json_array_size(list))
		return;
	printf("  %s = { ", key);
	json_array_foreach(list, i, x)
	{
		printf("%s\"%s\"", i ? ", " : "", json_string_value(x));
	}
	printf(" }");
}

static void print_section(const struct wanted *w, const char *hash)
{
	printf("token \"%s\" { hash = \"sha256:%s\"", w->name, hash);
	print_list("scopes", w->scopes);
	print_list("zones", w->zones);
	print_list("messages", w->messages);
	if (w->expires)
		printf("  expires = \"%s\"", w->expires);
	puts(" }");
}

static enum ctl_exit make(const struct ctl *c, const struct wanted *w)
{
	unsigned char raw[BYTES], digest[SHA256_DIGEST_LENGTH];
	char token[sizeof(PREFIX) + 2 * BYTES] = PREFIX;
	char hash[2 * sizeof(digest) + 1];
	json_t *o;

	if (RAND_bytes(raw, sizeof(raw)) != 1) {
		fputs("tocsinctl token: the system has no random numbers\n",
		      stderr);
		return CTL_REFUSED;
	}
	hex(token + strlen(PREFIX), raw, sizeof(raw));
	SHA256((const unsigned char *)token, strlen(token), digest);
	hex(hash, digest, sizeof(digest));
	if (c->json) {
		o = json_pack("{s:s,s:s,s:s+}", "name", w->name, "token", token,
			      "hash", "sha256:", hash);
		command_json(o);
		json_decref(o);
	} else {
		print_section(w, hash);
		fflush(stdout);
		fprintf(stderr, "The token, shown this once:\n%s\n", token);
	}
	OPENSSL_cleanse(raw, sizeof(raw));
	OPENSSL_cleanse(token, sizeof(token));
	return CTL_DONE;
}

enum ctl_exit token_make(const struct ctl *c, int argc, char **argv)
{
	struct wanted w = {.scopes = json_array(),
			   .zones = json_array(),
			   .messages = json_array()};
	const char *problem = NULL;
	enum ctl_exit code;

	for (int i = 1; !problem && i < argc; i++)
		problem = take(&w, argc, argv, &i);
	if (!problem && !w.name)
		problem = "give the name of a machine";
	if (!problem && !json_array_size(w.scopes))
		problem = "give at least one --scope: " SCOPE_NAMES;
	code = problem ? command_usage("token", problem) : make(c, &w);
	json_decref(w.scopes);
	json_decref(w.zones);
	json_decref(w.messages);
	return code;
}
