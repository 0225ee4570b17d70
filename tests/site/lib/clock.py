"""A wall clock of the daemon's own: the host's is never touched.

A few lines of C, loaded before the daemon, add the seconds of a shared file to
CLOCK_REALTIME; the monotonic clock stays, as when somebody sets a real clock.
"""
import mmap
import os
import struct
import subprocess
import time

SHIM = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *offset;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("SHIM_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);

	if (p != MAP_FAILED)
		offset = p;
	if (fd >= 0)
		close(fd);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	int err = (int)syscall(SYS_clock_gettime, id, t);
	int64_t ns;

	if (err || id != CLOCK_REALTIME || !offset)
		return err;
	ns = t->tv_nsec + *offset % 1000000000;
	t->tv_sec += *offset / 1000000000 + (ns >= 1000000000) - (ns < 0);
	t->tv_nsec = ns + (ns < 0 ? 1000000000 : ns >= 1000000000 ? -1000000000 : 0);
	return 0;
}
"""


class Clock:
    """clock = Clock(folder); daemon started with env=clock.env."""

    def __init__(self, folder):
        source, self.library = folder / "shim.c", folder / "shim.so"
        source.write_text(SHIM)
        subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", self.library, source],
                       check=True)
        self.file = folder / "clock"
        self.file.write_bytes(struct.pack("q", 0))
        fd = os.open(self.file, os.O_RDWR)
        self.map = mmap.mmap(fd, 8)
        os.close(fd)
        asan = os.environ.get("ASAN_OPTIONS", "")
        self.env = {"LD_PRELOAD": str(self.library), "SHIM_CLOCK": str(self.file),
                    "ASAN_OPTIONS": (asan + ":" if asan else "") + "verify_asan_link_order=0"}

    def set(self, text):
        """Sets it to a UTC time, "2027-03-01 06:59:58", from now on."""
        base, _, fraction = text.partition(".")
        want = time.strptime(base + " UTC", "%Y-%m-%d %H:%M:%S %Z")
        import calendar
        ns = calendar.timegm(want) * 10**9 + int((fraction + "000")[:3] or 0) * 10**6
        # One store of 8 bytes: the daemon sees the old offset or the new one.
        self.map[:] = struct.pack("q", ns - time.time_ns())

    def close(self):
        self.map.close()
