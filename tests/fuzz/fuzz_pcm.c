/* Hostile audio files: whatever the bytes, loading ends, within its limits,
 * and what it accepts is sound. */
#include "zones/sound/pcm.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* What libsndfile and the codecs below it lose over broken files is theirs;
 * files are read at load time only, never from a stranger. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libvorbis\nleak:libsndfile\nleak:libogg\nleak:libFLAC\n"
	       "leak:libopus\nleak:libmpg123\nleak:libmp3lame\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct reason why = {""};
	struct pcm p;
	char path[64];

	if (fd < 0)
		fd = memfd_create("audio", 0);
	if (fd < 0 || ftruncate(fd, 0) ||
	    pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (pcm_load(&p, path, &why)) {
		if (p.v || !why.text[0])
			abort();
		return 0;
	}
	if (!p.n || p.n > (size_t)PCM_MAX_SECONDS * p.rate || !pcm_peak(&p))
		abort();
	pcm_reset(&p);
	return 0;
}
