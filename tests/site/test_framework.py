"""The measuring itself: a plain RTP sender stands where the daemon will."""
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from conftest import HALL, YARD
from lib import audio, net, wait
from lib.rtp import Receiver, Sender, build, check_continuous, check_real_time, parse
from lib.sip import Message
from lib.stall import Watch


@pytest.fixture
def source(site, cleanup):
    s = site["ctl"].udp()
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, net.mreqn(site["ctl"].ifindex))
    cleanup.callback(s.close)
    return s


def test_g711_tables():
    # ITU-T G.711: extremes and zeros
    assert audio.ULAW[0x00] == -32124 and audio.ULAW[0x80] == 32124
    assert audio.ULAW[0xFF] == 0 and audio.ULAW[0x7F] == 0
    assert audio.ALAW[0xD5] == 8 and audio.ALAW[0x55] == -8
    assert audio.ALAW[0xAA] == 32256 and audio.ALAW[0x2A] == -32256
    codes = bytes(c for c in range(256) if c != 0x7F)
    assert audio.ulaw_encode(audio.ulaw(codes)) == codes
    assert audio.alaw_encode(audio.alaw(bytes(range(256)))) == bytes(range(256))


def test_measures():
    t = audio.tone(1000, 1, dbfs=-20)
    assert abs(audio.level_dbfs(t) + 23) < 0.2
    assert abs(audio.pitch_hz(t) - 1000) < 2
    assert audio.snr_db(audio.ulaw(audio.ulaw_encode(t)), t) > 30
    noisy = np.concatenate([np.zeros(777), t + np.random.default_rng(1).normal(0, 230, len(t))])
    assert audio.align(noisy, t) == 777
    assert 18 < audio.snr_db(noisy, t) < 22
    assert audio.level_dbfs(np.zeros(100)) == -99


def test_only_members_receive(site, source, cleanup):
    data = audio.codes(1, 9)
    hall = Receiver(site["hall"], *HALL)
    cleanup.callback(hall.close)
    other = Receiver(site["yard"], *YARD)
    cleanup.callback(other.close)
    wires = [net.Sniffer(site[h], HALL[0]) for h in ("yard", "bystander", "caller")]
    for w in wires:
        cleanup.callback(w.close)
    member = net.Sniffer(site["hall"], HALL[0])
    cleanup.callback(member.close)
    Sender(source, HALL, data).start().join()
    hall.wait_for(50)
    hall.wait_quiet(0.2)
    assert hall.payload() == data
    assert check_continuous(hall.packets) and hall.packets[0].marker
    check_real_time(hall.packets)
    gaps = [b.time - a.time for a, b in zip(hall.packets, hall.packets[1:])]
    assert abs(sum(gaps) / len(gaps) - 0.02) < 0.002
    assert member.count() == 50
    assert [w.count() for w in wires] == [0, 0, 0]
    assert not other.packets


def test_continuity_is_checked():
    def stream(*rows):
        return [parse(build(seq, ts, ssrc, b"x" * 160, marker=m)) for seq, ts, ssrc, m in rows]

    assert check_continuous(stream((65535, 2 ** 32 - 160, 1, True), (0, 0, 1, False)))
    for bad in (stream((1, 0, 1, True), (3, 160, 1, False)),
                stream((1, 0, 1, True), (2, 160, 2, False)),
                stream((1, 160, 1, True), (2, 0, 1, True)),
                stream((1, 0, 1, True), (2, 800, 1, False))):
        with pytest.raises(AssertionError):
            check_continuous(bad)


def test_mangled_sender(site, source, cleanup):
    hall = Receiver(site["hall"], *HALL)
    cleanup.callback(hall.close)
    Sender(source, HALL, audio.codes(0.4, 5),
           mangle=lambda i, p: [] if i == 3 else [p, p] if i == 5 else [p]).start().join()
    hall.wait_for(20)
    assert [p.seq - 1000 for p in hall.packets[:7]] == [0, 1, 2, 4, 5, 5, 6]


def test_wait_bytes_and_patience(site, source, cleanup):
    hall = Receiver(site["hall"], *HALL)
    cleanup.callback(hall.close)
    data = audio.codes(0.2, 6)
    Sender(source, HALL, b"\xff" * 320 + data).start()
    assert hall.wait_bytes(data) == 320
    with pytest.raises(AssertionError):
        hall.wait_bytes(audio.codes(0.2, 7), timeout=0.1)


def test_link_down_is_real(site, source, cleanup):
    site["ctl"].link("down")
    try:
        with pytest.raises(OSError):
            source.sendto(b"x", ("10.9.0.11", 9))
    finally:
        site["ctl"].link("up")
        site["ctl"].call(lambda: net.sh(f"ip -n {site['ctl'].ns} route add 224.0.0.0/4 dev eth0"))


def test_a_stall_is_seen(cleanup):
    """A thread that cannot run, as on a host that takes the CPU away."""
    w = Watch()
    cleanup.callback(w.close)
    since = time.monotonic()
    wait.until(lambda: w.ready == len(w._procs) and time.monotonic() > since + 0.1, "all to run")
    w.stalls.clear()
    for p in w._procs:
        os.kill(p.pid, signal.SIGSTOP)
    time.sleep(0.1)
    for p in w._procs:
        os.kill(p.pid, signal.SIGCONT)
    wait.until(lambda: w.worst(since) > 0.05, "the stall to be noted")
    assert w.worst(since, since) == 0 and w.worst(time.monotonic() + 1) == 0


def test_sip_message():
    m = Message(b"SIP/2.0 486 Busy\r\nCSeq: 2 INVITE\r\nVia: a\r\nVia: b\r\n\r\nx")
    assert (m.status, m.method, m.all("via"), m.body) == (486, "INVITE", ["a", "b"], b"x")


def test_mqtt_peer(broker, mqtt):
    c = mqtt(broker)
    c.publish("a/b", {"x": 1}, retain=True)
    assert c.wait("a/b") == {"x": 1}
    broker.stop()
    broker.start()
    wait.until(lambda: c.sessions == 2, "the client to be back")
    c.publish("a/c", "2")
    assert c.wait("a/c") == 2


def test_nothing_is_left_behind(tmp_path):
    """A run that fails in every way, killed too, leaves no namespace."""
    code = (f"import sys, os, signal; sys.path.insert(0, {os.path.dirname(__file__)!r})\n"
            "from lib import net\n"
            "s = net.Site({'a': '10.1.0.1', 'b': '10.1.0.2', 'c': '10.1.0.3'})\n"
            "p = s['a'].popen(['sleep', '600'])\n"
            "print(p.pid, flush=True)\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    child = int(done.stdout)
    wait.until(lambda: not os.path.exists(f"/proc/{child}"), "the child to die with its parent")
    mine = f"{net.PREFIX}{os.getpid()}-"
    net.remove_leftovers()
    left = [n.split()[0] for n in net.sh("ip netns list").splitlines()
            if n.startswith(net.PREFIX)]
    assert [n for n in left if n.startswith(mine)]
    assert not [n for n in left if n.split("-")[1].isdigit() and not
                os.path.exists(f"/proc/{n.split('-')[1]}")]


@pytest.fixture
def echo(site, tmp_path, cleanup):
    """sipp's own answering side, which sends all sound back."""
    p = site["ctl"].popen(["sipp", "-sn", "uas", "-i", "10.9.0.1", "-p", 5060, "-rtp_echo",
                           "-mp", 6000, "-nostdin"], cwd=tmp_path,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL)
    cleanup.callback(lambda: (p.kill(), p.wait()))
    wait.until(lambda: ":5060" in net.sh(f"ip netns exec {site['ctl'].ns} ss -uln"), "sipp")


def test_agent_calls_and_talks(echo, caller):
    call = caller("echo").dial()
    assert call.media == ("10.9.0.1", 6000)
    talk = audio.codes(0.5, 11)
    call.talk(talk)
    assert call.rtp.wait_bytes(talk) == 0
    call.bye()


def test_sipp_calls_and_talks(echo, sipp, site, tmp_path, cleanup):
    wire = net.Sniffer(site["ctl"], "10.9.0.1", 6000)
    cleanup.callback(wire.close)
    (tmp_path / "sipp").mkdir()
    (tmp_path / "sipp" / "talk.ulaw").write_bytes(audio.codes(2.0, 12))
    sipp("page.xml", "echo").wait()
    assert wire.count() >= 100


def test_baresip_calls_and_talks(echo, baresip, site, tmp_path, cleanup):
    wire = net.Sniffer(site["ctl"], "10.9.0.1", 6000)
    cleanup.callback(wire.close)
    audio.write_wav(tmp_path / "talk.wav", audio.tone(440, 2))
    baresip(tmp_path / "talk.wav", "sip:echo@10.9.0.1")
    wait.until(lambda: wire.count() > 50, "baresip's sound")
