"""Strangers and broken peers cost microseconds and change nothing."""
import random
import socket
import threading
import time

import pytest

from conftest import BELL, CTL
from lib import wait
from lib.sip import Call


def nasty(rng):
    """Datagrams the SIP port may get; the quadratic ones of LIBRE B2 among them."""
    kind = rng.randrange(9)
    if kind == 0:
        return rng.randbytes(rng.randrange(1, 1400))
    if kind == 1:
        return b"INVITE sip:701@10.9.0.1 SIP/2.0\r\n" + b"\r\n" * 600
    if kind == 2:
        return b"OPTIONS sip:x SIP/2.0\r\n" + b"a: " * 20000
    if kind == 3:
        return b"A" * 60000
    if kind == 4:
        return b"SIP/2.0 200 OK\r\n" + b"Via: " + b"," * 30000 + b"\r\n\r\n"
    if kind == 5:
        return b"INVITE sip:701@10.9.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 1.2.3.4\r\n\r\n"
    if kind == 6:
        return (b"INVITE sip:701@10.9.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.9.9.66;branch=z9hG4bK" +
                rng.randbytes(4).hex().encode() +
                b"\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:701@10.9.0.1>\r\nCall-ID: " +
                rng.randbytes(4).hex().encode() +
                b"\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Length: 999999\r\n\r\nx")
    if kind == 7:
        return b"\r\n\r\n" * rng.randrange(1, 50)
    return b"REGISTER sip:10.9.0.1 SIP/2.0\r\n" + b"Contact: <sip:a@b>,\r\n " * 1000 + b"\r\n"


class Flood:
    def __init__(self, sock, dst, rate, make):
        self.stop = False
        self.sent = 0

        def run():
            due = time.monotonic()
            while not self.stop:
                try:
                    sock.sendto(make(), dst)
                except OSError:
                    pass
                self.sent += 1
                due += 1 / rate
                time.sleep(max(0, due - time.monotonic()))
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def close(self):
        self.stop = True
        self.thread.join()


@pytest.mark.parametrize("who", ["stranger", "second"])
def test_hostile_datagrams(daemon, site, cleanup, agent, hall, who):
    """200 a second while OPTIONS are answered and a page sounds. From an
    address we trust they are bounded too, and quietly."""
    rng = random.Random(5)
    lines = daemon.log().count("\n")
    sock = site[who].udp()
    cleanup.callback(sock.close)
    flood = Flood(sock, CTL, 200, lambda: nasty(rng))
    cleanup.callback(flood.close)
    a = agent("caller")
    daemon.api.page(["hall"], "bell", repeat=4)
    took = sorted(a.options() for _ in range(100))
    print(f"OPTIONS during {flood.sent} hostile datagrams: median "
          f"{1e3 * took[50]:.1f} ms, worst {1e3 * took[-1]:.1f} ms")
    assert took[95] < 0.5
    hall.wait_bytes(BELL, times=4)
    gaps = [y.time - x.time for x, y in zip(hall.packets, hall.packets[1:])]
    assert max(gaps) < 0.1
    wait.until(lambda: flood.sent > 400, "two seconds of it")
    flood.close()
    Call(a, "701", rtp=True).dial().bye()
    written = daemon.log().count("\n") - lines
    assert written < 120, f"{written} lines of log"
    assert not daemon.api.get("/calls")


def test_junk_on_tcp(daemon, site, agent, cleanup):
    """Connections that send nothing, junk, half a message, or never end."""
    rng = random.Random(6)
    socks = []
    for i in range(80):
        s = site["caller" if i & 1 else "stranger"].socket(kind=socket.SOCK_STREAM)
        cleanup.callback(s.close)
        s.settimeout(2)
        try:
            s.connect(CTL)
            if i % 4 == 1:
                s.send(rng.randbytes(5000))
            elif i % 4 == 2:
                s.send(b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 4000000000\r\n\r\n")
            elif i % 4 == 3:
                s.send(b"INVITE sip:701@10.9.0.1 SIP/2.0\r\n" + b"X: y\r\n" * 3000)
        except OSError:
            pass  # turned away: fine
        socks.append(s)
    a = agent("caller")
    assert max(a.options() for _ in range(20)) < 1
    good = site["caller"].socket(kind=socket.SOCK_STREAM)
    cleanup.callback(good.close)
    good.settimeout(10)
    good.connect(CTL)
    good.send(b"OPTIONS sip:10.9.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.9.0.21;branch=z9hG4bKtcp\r\n"
              b"From: <sip:a@10.9.0.21>;tag=1\r\nTo: <sip:10.9.0.1>\r\nCall-ID: tcp\r\n"
              b"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
    assert good.recv(4096).startswith(b"SIP/2.0 200"), "TCP serves who behaves"


def test_junk_on_the_rtp_port(daemon, site, cleanup, caller, hall):
    rng = random.Random(7)
    call = caller("701").dial()
    from lib import audio
    talk = audio.codes(2.0, 70)
    sock = site["stranger"].udp()
    cleanup.callback(sock.close)
    flood = Flood(sock, call.media, 500, lambda: rng.randbytes(rng.randrange(0, 1400)))
    cleanup.callback(flood.close)
    hall.wait_talk(talk, call.talk(talk))


def test_broken_rtp_from_the_talker(daemon, caller, hall):
    """Short, long, wrong version, extensions that lie, padding that lies."""
    from lib import audio
    talk = audio.codes(2.0, 71)
    rng = random.Random(8)
    junk = [b"", b"\x80", b"\x80\x00" + b"\0" * 9, b"\x00" * 172, b"\x9f\x00" + b"\xff" * 170,
            b"\x90\x00" + b"\0" * 10 + b"\xbe\xde\xff\xff" + b"x" * 100,
            b"\xa0\x00" + b"\0" * 10 + b"x" * 100 + b"\xff", b"\x80\x00" + b"\0" * 10,
            b"\x80\x00" + rng.randbytes(1400)[:1400]]

    call = caller("701").dial()
    # The last of them is a good header with a wild sequence: leave it out
    # while the talk's own bytes are compared.
    hall.wait_talk(talk, call.talk(talk, mangle=lambda i, p: [p, junk[i % 8]]))
    call.rtp.sock.sendto(junk[8], call.media)
    call.bye()


def test_many_invites_at_once(daemon, agent):
    """Far more than a talker makes: each is answered one way or the other in
    the end, and all lines are free again."""
    a = agent("caller")
    held = [Call(a, "702") for _ in range(100)]
    for c in held:
        c.invite()

    def answered(c):
        return [m for m in list(a.inbox) if c.mine(m) and m.status >= 200]

    def all_answered():
        left = [c for c in held if not answered(c)]
        for c in left:
            a.send(c.last)
        return not left
    wait.until(all_answered, "every INVITE to be answered", every=0.5)
    status = [c.final().status for c in held]
    assert set(status) <= {200, 486, 503}, set(status)
    assert status.count(200) == 1, "one talker a zone"
    held[status.index(200)].bye()
    wait.until(lambda: not daemon.api.get("/calls"), "all calls to be gone")
    Call(a, "702").dial().bye()
