"""Sees when the machine under the test stood still.

On a shared host a CPU may be taken away for 20 ms every few seconds, at times
for 200 ms, from threads of any priority. Sound that must leave every 20 ms then
has a gap that no daemon can help. A watcher of the highest priority on each CPU
notes such stalls, so that a test that failed in one is run again, and only then.

As a program: one watcher, `python3 stall.py CPU`; a line for each stall, its
begin and length in seconds of CLOCK_MONOTONIC.
"""
import os
import subprocess
import sys
import threading
import time

TICK = 0.004
LEAST = 0.005


class Watch:
    def __init__(self):
        self.stalls = []  # (begin, seconds)
        self.ready = 0    # watchers that watch
        self._procs = []
        for cpu in os.sched_getaffinity(0):
            p = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", sys.executable, __file__,
                                  str(cpu)], stdout=subprocess.PIPE, text=True)
            threading.Thread(target=self._read, args=(p,), daemon=True).start()
            self._procs.append(p)

    def _read(self, p):
        for line in p.stdout:
            if line == "ready\n":
                self.ready += 1
                continue
            begin, length = line.split()
            self.stalls.append((float(begin), float(length)))

    def worst(self, since, until=None):
        """The longest stall that touches a span of time, 0 = none."""
        return max([s for begin, s in self.stalls
                    if begin + s >= since and (until is None or begin <= until)] + [0])

    def close(self):
        for p in self._procs:
            p.kill()
            p.wait()
            p.stdout.close()


def watch(cpu):
    os.sched_setaffinity(0, [cpu])
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(90))
    except OSError:
        pass
    print("ready", flush=True)
    last = time.monotonic()
    while True:
        time.sleep(TICK)
        now = time.monotonic()
        if now - last - TICK > LEAST:
            print(last, now - last - TICK, flush=True)
        last = now


if __name__ == "__main__":
    watch(int(sys.argv[1]))
