#include "speech.h"

#include "child.h"
#include "speech_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/** Of what a program says when it fails, so much is passed on. */
#define MAX_COMPLAINT 120

static const char *const espeak[] = {"espeak-ng", "-v", "%v", "--stdin",
				     "--stdout"};
static const char *const flite[] = {"flite",      "-voice", "%v",         "-f",
				    "/dev/stdin", "-o",     "/dev/stdout"};

/** Is there such a program? */
static bool installed(const char *name)
{
	const char *path = getenv("PATH");
	char file[1024];

	if (strchr(name, '/'))
		return !access(name, X_OK);
	path = path ? path : "/usr/local/bin:/usr/bin:/bin";
	while (*path) {
		size_t n = strcspn(path, ":");

		snprintf(file, sizeof(file), "%.*s/%s", (int)n, path, name);
		if (!access(file, X_OK))
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

static int set_command(struct speech *s, const char *const *v, size_t n)
{
	s->argv = calloc(n + 1, sizeof(*s->argv));
	if (!s->argv)
		return ENOMEM;
	for (; s->argc < n; s->argc++) {
		s->argv[s->argc] = strdup(v[s->argc]);
		if (!s->argv[s->argc])
			return ENOMEM;
	}
	return 0;
}

int speech_alloc(struct speech **sp, const struct config *c, bool keep)
{
	const struct config_speech *k = &c->speech;
	struct speech *s = calloc(1, sizeof(*s));
	char dir[512];
	int err = 0;

	if (!s)
		return ENOMEM;
	s->refs = 1;
	s->keep = keep && k->cache_mb;
	s->limit_ms = k->limit_ms;
	s->cache = (uint64_t)k->cache_mb << 20;
	snprintf(dir, sizeof(dir), "%s/speech", c->state_dir);
	s->dir = strdup(dir);
	s->voice = strdup(k->voice);
	if (k->n_command) {
		err = set_command(s, (const char *const *)k->command,
				  k->n_command);
	} else if (installed(espeak[0])) {
		err = set_command(s, espeak,
				  sizeof(espeak) / sizeof(espeak[0]));
	} else if (installed(flite[0])) {
		err = set_command(s, flite, sizeof(flite) / sizeof(flite[0]));
		s->flite = true;
	}
	if (err || !s->dir || !s->voice) {
		speech_unref(s);
		return ENOMEM;
	}
	*sp = s;
	return 0;
}

struct speech *speech_ref(struct speech *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

struct speech *speech_unref(struct speech *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
		return NULL;
	for (size_t i = 0; i < s->argc; i++)
		free(s->argv[i]);
	free(s->argv);
	free(s->voice);
	free(s->dir);
	free(s);
	return NULL;
}

int speech_ready(const struct speech *s, struct reason *why)
{
	if (!s->argc)
		return reason_set(why, ENOENT,
				  "no program that speaks is installed: "
				  "install espeak-ng or flite, or name one in "
				  "speech.command");
	if (!installed(s->argv[0]))
		return reason_set(why, ENOENT,
				  "speech.command: there is no program %s",
				  s->argv[0]);
	return 0;
}

uint32_t speech_limit_ms(const struct speech *s)
{
	return s->limit_ms;
}

/** flite has no languages, only speakers of English. */
static const char *flite_voice(const char *voice)
{
	static const char *const own[] = {"kal",      "kal16", "awb",
					  "awb_time", "rms",   "slt"};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (!strcmp(own[i], voice))
			return own[i];
	return !strncmp(voice, "en", 2) ? "slt" : NULL;
}

void speech_key(const struct speech *s, const char *text, const char *voice,
		char key[SPEECH_KEY_SIZE])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char sum[EVP_MAX_MD_SIZE] = {0};

	voice = voice ? voice : s->voice;
	if (md && EVP_DigestInit_ex(md, EVP_sha256(), NULL)) {
		/* Each with its end: no two lists join to the same. */
		for (size_t i = 0; i < s->argc; i++)
			EVP_DigestUpdate(md, s->argv[i],
					 strlen(s->argv[i]) + 1);
		EVP_DigestUpdate(md, "", 1);
		EVP_DigestUpdate(md, voice, strlen(voice) + 1);
		EVP_DigestUpdate(md, text, strlen(text) + 1);
		EVP_DigestFinal_ex(md, sum, NULL);
	}
	EVP_MD_CTX_free(md);
	for (size_t i = 0; i < 16; i++)
		snprintf(key + 2 * i, 3, "%02x", sum[i]);
}

/* -------------------------------------------------------------------- kept */

void speech_path(const struct speech *s, const char *key, char *path,
		 size_t size)
{
	snprintf(path, size, "%s/%s.wav", s->dir, key);
}

/** What is kept under a name; ENOENT when nothing is. */
static int kept(const struct speech *s, const char *key, struct pcm *p)
{
	struct reason why;
	char path[640];

	speech_path(s, key, path, sizeof(path));
	*p = (struct pcm){0};
	if (access(path, R_OK))
		return ENOENT;
	if (pcm_load(p, path, &why)) {
		/* Damaged by a full disk or a power cut: spoken anew. */
		if (s->keep)
			(void)unlink(path);
		return ENOENT;
	}
	/* Its time of change is when it was last of use. */
	if (s->keep)
		(void)utimensat(AT_FDCWD, path, NULL, 0);
	return 0;
}

static int copy_out(int from, const char *path)
{
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	char buf[65536];
	off_t at = 0;
	ssize_t n = -1;

	if (to < 0)
		return errno;
	while ((n = pread(from, buf, sizeof(buf), at)) > 0) {
		if (write(to, buf, (size_t)n) != n) {
			n = -1;
			break;
		}
		at += n;
	}
	if (fsync(to))
		n = -1;
	close(to);
	return n < 0 ? EIO : 0;
}

/** Keeps what a program wrote. That it cannot be kept is no reason not to
 *  sound: the disk's own trouble is told by the journal. */
static void keep(const struct speech *s, const char *key, int sound)
{
	char path[640], part[656];

	if (!s->keep || (mkdir(s->dir, 0750) && errno != EEXIST))
		return;
	speech_path(s, key, path, sizeof(path));
	snprintf(part, sizeof(part), "%s.part", path);
	if (copy_out(sound, part) || rename(part, path))
		(void)unlink(part);
}

/* ------------------------------------------------------------------ render */

/** The first line a program complained with, fit for a text. */
static void complaint(int fd, struct reason *why)
{
	char buf[MAX_COMPLAINT + 1] = "";
	size_t used = strlen(why->text);
	ssize_t n = pread(fd, buf, MAX_COMPLAINT, 0);

	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\r\n")] = '\0';
	for (char *p = buf; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	if (*buf)
		snprintf(why->text + used, sizeof(why->text) - used, ": %s",
			 buf);
}

static int render(const struct speech *s, const char *text, const char *voice,
		  uint32_t limit_ms, int cancel, int sound, int said,
		  struct reason *why)
{
	const struct child_limits limits = {
		.ms = limit_ms, .bytes = SPEECH_MAX_BYTES, .cancel = cancel};
	char **argv = calloc(s->argc + 1, sizeof(*argv));
	int in = memfd_create("text", MFD_CLOEXEC);
	size_t n = strlen(text);
	int err = argv && in >= 0 ? 0 : ENOMEM;

	if (!err && (write(in, text, n) != (ssize_t)n ||
		     write(in, "\n", 1) != 1 || lseek(in, 0, SEEK_SET)))
		err = ENOMEM;
	if (err)
		reason_set(why, err, "not enough memory");
	for (size_t i = 0; !err && i < s->argc; i++)
		argv[i] = strcmp(s->argv[i], "%v") ? s->argv[i]
						   : (char *)(uintptr_t)voice;
	if (!err)
		err = child_run(argv, in, sound, said, &limits, why);
	if (err == EPROTO)
		complaint(said, why);
	if (in >= 0)
		close(in);
	free(argv);
	return err;
}

int speech_say(const struct speech *s, const char *text, const char *voice,
	       enum speech_how how, uint32_t limit_ms, int cancel,
	       struct pcm *p, struct reason *why)
{
	char key[SPEECH_KEY_SIZE];
	int sound, said, err;

	voice = voice ? voice : s->voice;
	speech_key(s, text, voice, key);
	if (!kept(s, key, p))
		return 0;
	err = speech_ready(s, why);
	if (err)
		return err;
	if (s->flite && !flite_voice(voice))
		return reason_set(why, EINVAL,
				  "flite speaks English only, not \"%s\"; "
				  "install espeak-ng",
				  voice);
	if (how == SPEECH_KEPT)
		return reason_set(why, EAGAIN, "it is not spoken yet");
	sound = memfd_create("sound", MFD_CLOEXEC);
	said = memfd_create("said", MFD_CLOEXEC);
	err = sound < 0 || said < 0
		      ? reason_set(why, ENOMEM, "not enough memory")
		      : render(s, text, s->flite ? flite_voice(voice) : voice,
			       limit_ms, cancel, sound, said, why);
	if (!err && lseek(sound, 0, SEEK_END) <= 0)
		err = reason_set(why, EPROTO, "%s wrote no sound", s->argv[0]);
	if (!err && lseek(sound, 0, SEEK_SET) == 0)
		err = pcm_load_fd(p, sound, s->argv[0], why);
	if (!err)
		keep(s, key, sound);
	if (sound >= 0)
		close(sound);
	if (said >= 0)
		close(said);
	return err;
}
