"""RTP heard and sent inside the site's namespaces."""
import contextlib
import os
import socket
import struct
import sys
import threading
import time
from collections import namedtuple

from . import audio, wait
from .net import mreqn

# A talker's thread must not wait 5 ms for the listeners' threads.
sys.setswitchinterval(0.0005)

SO_TIMESTAMPNS = 35
IP_PKTINFO = 8
CLOCK = 8000

Rtp = namedtuple("Rtp", "time seq ts ssrc marker pt payload src")


def parse(data, when=0.0, src=None):
    if len(data) < 12 or data[0] >> 6 != 2:
        return None
    b0, b1, seq, ts, ssrc = struct.unpack_from("!BBHII", data)
    head = 12 + 4 * (b0 & 15)
    return Rtp(when, seq, ts, ssrc, bool(b1 & 128), b1 & 127, data[head:], src)


def build(seq, ts, ssrc, payload, pt=0, marker=False):
    return struct.pack("!BBHII", 0x80, pt | (128 if marker else 0), seq & 0xFFFF,
                       ts & 0xFFFFFFFF, ssrc) + payload


class Listener:
    """Records every datagram of a socket with the kernel's time."""

    def __init__(self, sock):
        self.sock = sock
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        sock.settimeout(0.2)
        self.datagrams = []
        self.packets = []  # those that are RTP
        self.watch = None  # of the machine's stalls
        self._stop = False
        self._new = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wanted(self, dst):
        return True

    def _run(self):
        while not self._stop:
            try:
                data, anc, _, src = self.sock.recvmsg(65536, 256)
            except TimeoutError:
                continue
            except OSError:
                return
            when, dst = 0.0, None
            for level, kind, value in anc:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    s, ns = struct.unpack("=qq", value[:16])
                    when = s + ns / 1e9
                elif level == socket.IPPROTO_IP and kind == IP_PKTINFO:
                    dst = socket.inet_ntoa(value[8:12])
            if not self.wanted(dst):
                continue
            p = parse(data, when, src)
            with self._new:
                self.datagrams.append((when, data, src))
                if p:
                    self.packets.append(p)
                self._new.notify_all()

    def wait_for(self, want, what="packets", timeout=wait.PATIENCE):
        """want: a number of packets, or a function of the list of packets."""
        if isinstance(want, int):
            n, want = want, lambda packets: len(packets) >= n
            what = f"{n} packets"
        end = time.monotonic() + timeout
        with self._new:
            while not want(self.packets):
                left = end - time.monotonic()
                assert left > 0, f"waited {timeout} s for {what}, have {len(self.packets)} packets"
                self._new.wait(left)
            return list(self.packets)

    def wait_bytes(self, data, what="the sound", timeout=wait.PATIENCE, times=1, start=0):
        """Until the payload since packet `start` holds data; where it begins."""

        def find(packets):
            got = b"".join(p.payload for p in packets[start:])
            at = -1
            for _ in range(times):
                at = got.find(data, at + 1)
                if at < 0:
                    return False
            find.at = at
            return True

        self.wait_for(find, what, timeout)
        return find.at

    def wait_talk(self, talk, sender=None, start=0, missing=0.1, what="the talk",
                  timeout=wait.PATIENCE):
        """Until a live talk is heard: its 20 ms pieces bit for bit and in order.

        Whole, without one piece lost or moved, if its sender is given and kept
        its pace, and the machine did not stand still meanwhile; that costs
        pieces, as it would any talker. Returns where each piece is, -1 where
        it is not.
        """
        begun = time.monotonic() - 1
        pieces = [talk[i:i + 160] for i in range(0, len(talk) - 159, 160)]
        found = {}

        def look(packets):
            got = b"".join(p.payload for p in packets[start:])
            found["at"] = [got.find(x) for x in pieces]
            n = sum(at >= 0 for at in found["at"])
            return n >= (1 - missing) * len(pieces) and max(found["at"][-5:]) >= 0

        self.wait_for(look, what, timeout)
        if sender and sender.data == talk:
            sender.join()
        wait.until(lambda: len(self.packets) >= start + max(found["at"]) // 160 + 5
                   or self._idle(), "the last of it")
        look(self.packets)
        at = found["at"]
        heard = [x for x in at if x >= 0]
        assert heard == sorted(heard), "out of order"
        stalled = self.watch.worst(begun) if self.watch else 0
        if sender and not sender.stalls and not stalled:
            assert heard == at, f"pieces {[i for i, x in enumerate(at) if x < 0]} are missing"
            assert at[-1] - at[0] == 160 * (len(at) - 1), "not in one piece"
        return at

    def _idle(self):
        n = len(self.packets)
        time.sleep(0.1)
        return n == len(self.packets)

    def wait_quiet(self, quiet=0.3, timeout=wait.PATIENCE):
        """Until nothing has come for `quiet` seconds."""
        end = time.monotonic() + timeout
        n, since = -1, time.monotonic()
        while True:
            with self._new:
                if len(self.packets) != n:
                    n, since = len(self.packets), time.monotonic()
            if time.monotonic() - since >= quiet:
                return
            assert time.monotonic() < end, "the stream does not end"
            time.sleep(0.01)

    def mark(self):
        with self._new:
            return len(self.packets)

    def since(self, mark):
        with self._new:
            return self.packets[mark:]

    def payload(self, start=0, end=None):
        with self._new:
            return b"".join(p.payload for p in self.packets[start:end])

    def pcm(self, start=0, end=None):
        with self._new:
            packets = self.packets[start:end]
        if not packets:
            return audio.ulaw(b"")
        return audio.DECODERS[packets[0].pt](b"".join(p.payload for p in packets))

    def close(self):
        self._stop = True
        self._thread.join()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Receiver(Listener):
    """A loudspeaker: joins a group by IGMP and records it."""

    def __init__(self, host, group, port):
        sock = host.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind((group, port))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, mreqn(host.ifindex, group))
        self.host, self.group, self.port = host, group, port
        super().__init__(sock)
        if hasattr(host.site, "mdb"):
            # At this port: the daemon is a member of its groups itself.
            wait.until(lambda: any(f"port {host.port} grp {group} " in line
                                   for line in host.site.mdb().splitlines()),
                       f"the switch to know that {host.name} is a member of {group}")


def check_continuous(packets, samples=160):
    """One stream: one SSRC, sequence without a gap or repeat, time that only
    goes on, by whole packets within a spurt, and a marker where it jumped."""
    assert packets
    assert {p.ssrc for p in packets} == {packets[0].ssrc}, "the SSRC changed"
    for a, b in zip(packets, packets[1:]):
        assert b.seq == (a.seq + 1) & 0xFFFF, f"sequence {a.seq} -> {b.seq}"
        step = (b.ts - a.ts) & 0xFFFFFFFF
        assert 0 < step < 1 << 31, f"time goes back at {b.seq}: {a.ts} -> {b.ts}"
        if step != samples:
            assert b.marker, f"time jumps by {step} at {b.seq} without a marker"
    return True


def check_real_time(packets, rate=CLOCK, tolerance=0.25):
    """The timestamps go with the clock on the wall."""
    first, last = packets[0], packets[-1]
    media = ((last.ts - first.ts) & 0xFFFFFFFF) / rate
    assert abs(media - (last.time - first.time)) < tolerance, \
        f"{media:.3f} s of timestamps in {last.time - first.time:.3f} s"


class Sender:
    """Sends encoded sound as RTP at its pace from a socket inside the site.

    ppm: how much too fast its clock runs. mangle(i, packet) may return a list
    of packets to send in its place: lost, doubled, changed, held back.
    """

    def __init__(self, sock, dst, data, pt=0, samples=160, seq=1000, ts=5000, ssrc=0x1234567,
                 ppm=0, mangle=None, repeat=False):
        self.sock, self.dst, self.data = sock, dst, data
        self.pt, self.samples, self.ssrc = pt, samples, ssrc
        self.seq, self.ts = seq, ts
        self.period = samples / CLOCK / (1 + ppm * 1e-6)
        self.mangle = mangle or (lambda i, p: [p])
        self.repeat = repeat
        self.sent = 0
        self.stalls = []  # how late packets left, of those over STALL
        self.paused = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    STALL = 0.006

    def _run(self):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(30))
        n = self.samples
        frames = [self.data[i:i + n] for i in range(0, len(self.data) - n + 1, n)]
        due = time.monotonic()
        i = 0
        while not self._stop.is_set() and (self.repeat or i < len(frames)):
            p = build(self.seq + i, self.ts + i * n, self.ssrc, frames[i % len(frames)], self.pt,
                      i == 0)
            late = time.monotonic() - due
            if late > self.STALL:
                self.stalls.append(late)
            if not self.paused.is_set():
                for q in self.mangle(i, p):
                    try:
                        self.sock.sendto(q, self.dst)
                    except OSError:
                        pass
            self.sent = i = i + 1
            due += self.period
            self._stop.wait(max(0, due - time.monotonic()))

    def join(self, timeout=60):
        self._thread.join(timeout)
        assert not self._thread.is_alive()

    def stop(self):
        self._stop.set()
        if self._thread.ident:
            self._thread.join()
