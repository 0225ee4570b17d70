#include "pcm.h"

#include <errno.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

int pcm_save_fd(const struct pcm *p, int fd, struct reason *why)
{
	SF_INFO info = {
		.samplerate = (int)p->rate,
		.channels = 1,
		.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16,
	};
	SNDFILE *f = sf_open_fd(fd, SFM_WRITE, &info, SF_FALSE);
	int err = 0;

	if (!f)
		return reason_set(why, EIO, "cannot be written: %s",
				  sf_strerror(NULL));
	errno = 0;
	if (sf_write_short(f, p->v, (sf_count_t)p->n) != (sf_count_t)p->n)
		err = errno ? errno : EIO;
	if (sf_close(f) && !err)
		err = EIO;
	return err ? reason_set(why, err, "cannot be written: %s",
				strerror(err))
		   : 0;
}
