"""A Polycom phone's side of group paging, read from Engineering Advisory 70568
and nothing of the daemon's."""
import struct
from collections import namedtuple

from . import wait
from .rtp import Receiver

ALERT, TRANSMIT, END = 0x0F, 0x10, 0xFF
PCMU, G722 = 0x00, 0x09
GROUP = ("224.0.1.116", 5001)

Packet = namedtuple("Packet", "time op channel serial caller codec ts frames src")


def parse(when, data, src=None, frame=160):
    op, channel, serial, length = struct.unpack_from("!BBIB", data)
    assert op in (ALERT, TRANSMIT, END) and length == 13, data[:20].hex()
    caller = data[7:20].rstrip(b"\0").decode("ascii")
    if op != TRANSMIT:
        assert len(data) == 20, "an alert or end is 20 bytes"
        return Packet(when, op, channel, serial, caller, None, None, [], src)
    codec, flags, ts = struct.unpack_from("!BBI", data, 20)
    sound = data[26:]
    assert flags == 0 and len(sound) in (frame, 2 * frame), len(sound)
    return Packet(when, op, channel, serial, caller, codec, ts,
                  [sound[i:i + frame] for i in range(0, len(sound), frame)], src)


class Phone(Receiver):
    """Hears all channels of a group."""

    def __init__(self, host, group=GROUP, frame=160):
        self.frame = frame
        super().__init__(host, *group)

    def heard(self, channel=None, op=None):
        with self._new:
            got = list(self.datagrams)
        all_ = [parse(when, data, src, self.frame) for when, data, src in got]
        return [p for p in all_ if channel in (None, p.channel) and op in (None, p.op)]

    def sound(self, channel):
        return b"".join(p.frames[-1] for p in self.heard(channel, TRANSMIT))

    def wait_sound(self, channel, data, what="the sound on the phones"):
        wait.until(lambda: data in self.sound(channel), what)

    def wait_ends(self, channel, n=12):
        wait.until(lambda: len(self.heard(channel, END)) >= n, "the phones to be freed")


def check_talk(packets, samples=160):
    """One talk on one channel: alerts, sound, ends, in this order and as the
    advisory has them; times as shares of the talk's own, never absolute."""
    ops = [p.op for p in packets]
    n = ops.count(TRANSMIT)
    assert ops == [ALERT] * 31 + [TRANSMIT] * n + [END] * 12, ops
    assert len({(p.channel, p.serial, p.caller, p.src) for p in packets}) == 1
    sound = packets[31:31 + n]
    assert len(sound[0].frames) == 1, "the first has no frame before it"
    for a, b in zip(sound, sound[1:]):
        step = (b.ts - a.ts) & 0xFFFFFFFF
        assert step >= samples
        if len(b.frames) == 2:
            assert step == samples and b.frames[0] == a.frames[-1], "not the frame before"
    return sound


def median(v):
    return sorted(v)[len(v) // 2]


def check_pace(packets, frame_s=0.02):
    """Times by the kernel's stamps. Medians, and what a stall cannot shorten."""
    alerts = [p.time for p in packets if p.op == ALERT]
    sound = [p.time for p in packets if p.op == TRANSMIT]
    ends = [p.time for p in packets if p.op == END]
    assert abs(median([b - a for a, b in zip(alerts, alerts[1:])]) / 0.030 - 1) < 0.1
    assert abs(median([b - a for a, b in zip(ends, ends[1:])]) / 0.030 - 1) < 0.1
    assert abs(median([b - a for a, b in zip(sound, sound[1:])]) / frame_s - 1) < 0.1
    # 0.969 s, up to the packet; the first alert may have been late itself.
    assert 0.96 < (sound[0] - alerts[0]) < 0.969 + 2 * frame_s + 0.05, sound[0] - alerts[0]
    assert 0.045 < ends[0] - sound[-1] < 0.15, ends[0] - sound[-1]
