"""Streams of others as sources: a legacy gateway's multicast is a live page."""
import shutil
import socket
import struct
import time

import pytest

from conftest import HALL, YARD
from lib import audio, net, wait
from lib.daemon import BUILD
from lib.rtp import Sender, build, check_continuous
import os

LEGACY = ("239.1.2.3", 5004)
TALK = audio.codes(2.0, 60)

SOURCE = '''
source "legacy" {
    multicast = "239.1.2.3:5004"  interface = "eth0"
    zones = { "hall" }  hang = "300ms"
    @more@
}
'''


def source(more=""):
    return SOURCE.replace("@more@", more)


@pytest.fixture
def legacy(site, cleanup):
    """legacy("caller", TALK): a gateway that multicasts by itself."""

    def make(host="caller", data=TALK, dst=LEGACY, **kw):
        sock = net.group_socket(site[host])
        cleanup.callback(sock.close)
        s = Sender(sock, dst, data, **kw)
        cleanup.callback(s.stop)
        return s
    return make


def joined(site, group=LEGACY[0], host="ctl"):
    port = site[host].port
    return any(group in line and port in line for line in site.mdb().splitlines())


@pytest.fixture
def listening(make_daemon, site):
    """listening("from = ..."): a daemon with the source, its group joined."""

    def make(more="", after=""):
        d = make_daemon(more=source(more) + after)
        wait.until(lambda: joined(site), "the switch to know that we listen")
        return d
    return make


def state(d, name="legacy"):
    return d.api.named("sources", name)


def faults(d, name="legacy"):
    return [k for k in d.api.faults() if k.startswith("source:" + name)]


def test_a_stream_is_heard_bit_for_bit(listening, legacy, hall, yard):
    d = listening()
    assert state(d)["state"] == "idle"
    talk = legacy().start()
    hall.wait_talk(TALK, talk, missing=0.03, what="the gateway's talk, bit for bit")
    check_continuous(hall.packets)
    assert not yard.packets
    began = d.recorded("source.began")[0]
    assert began["data"]["from"].startswith("10.9.0.21:")
    assert d.recorded("broadcast.started")[0]["actor"] == "source:legacy"
    ended = d.recorded("source.ended")[0]
    assert ended["cause"] == began["id"]
    wait.until(lambda: not d.api.get("/broadcasts"), "the broadcast to be over")
    hall.wait_quiet()
    assert not faults(d)
    # And once more, by another gateway.
    n = hall.mark()
    talk = legacy("second").start()
    hall.wait_talk(TALK, talk, start=n, missing=0.03)


def test_second_talker_and_strange_packets_are_not_heard(listening, legacy, site, hall, cleanup):
    d = listening('from = { "10.9.0.0/24" }')
    first = legacy(data=audio.codes(1.0, 61), repeat=True).start()
    hall.wait_for(10)
    second = legacy("second", data=TALK, repeat=True).start()
    junk = net.group_socket(site["second"])
    foreign = net.group_socket(site["stranger"])
    cleanup.callback(junk.close)
    cleanup.callback(foreign.close)
    wait.until(lambda: state(d)["packets"]["second"] > 5, "the second talker to be counted")
    junk.sendto(build(1, 1, 77, b"\x55" * 160, pt=8), LEGACY)
    junk.sendto(build(2, 1, 77, b"\x55" * 3), LEGACY)
    junk.sendto(build(3, 1, 77, b"\x55" * 4000), LEGACY)
    junk.sendto(build(4, 1, 77, b""), LEGACY)
    junk.sendto(b"\x00\x01", LEGACY)
    foreign.sendto(build(1, 1, 78, b"\x55" * 160), LEGACY)
    names = {"source:legacy:second-talker", "source:legacy:foreign",
             "source:legacy:payload-type", "source:legacy:packet-size"}
    wait.until(lambda: names <= set(faults(d)), "a fault for each")
    by = d.api.faults()
    assert "10.9.0.22" in by["source:legacy:second-talker"]["text"]
    assert "10.9.9.66" in by["source:legacy:foreign"]["text"]
    counts = state(d)["packets"]
    assert counts["wrong_type"] == 2 and counts["wrong_size"] == 3 and counts["foreign"] == 1
    assert counts["own"] == 0
    text = d.api.raw("GET", "/metrics")[1].decode()
    assert 'tocsin_source_packets_total{source="legacy",what="wrong_size"} 3' in text
    heard = hall.payload()
    assert TALK[:160] not in heard and b"\x55" * 160 not in heard
    first.stop()
    second.stop()
    wait.until(lambda: not faults(d), "the faults to go when it is over", timeout=30)


def test_an_emergency_interrupts_and_it_goes_on(listening, legacy, hall):
    d = listening()
    talk = legacy(data=TALK, repeat=True).start()
    hall.wait_for(10)
    evac = d.api.page(["hall"], "evac", priority="evacuate")
    wait.until(lambda: [b for b in d.api.get("/broadcasts")
                        if b["actor"] == "source:legacy" and b["state"] == "waiting"],
               "the source to wait")
    d.api.delete(f"/broadcasts/{evac}")
    n = hall.mark()
    hall.wait_bytes(TALK[3200:6400], start=n)
    # Ended by hand it stays ended until the talker pauses.
    b = [b for b in d.api.get("/broadcasts") if b["actor"] == "source:legacy"][0]
    d.api.delete(f"/broadcasts/{b['id']}")
    assert state(d)["state"] == "not-heard"
    talk.stop()
    wait.until(lambda: state(d)["state"] == "idle", "the talker to be over")
    check_continuous(hall.packets)


def test_other_groups_on_the_port_do_not_leak(listening, legacy, site, hall):
    # Both are joined by the same host, so the switch sends it both.
    d = listening(after=source().replace("legacy", "other").replace("239.1.2.3", "239.1.2.4")
                  .replace('"hall"', '"yard"'))
    wait.until(lambda: joined(site, "239.1.2.4"), "the other group")
    legacy(dst=("239.1.2.4", 5004)).start()
    wait.until(lambda: state(d, "other")["packets"]["heard"] > 20, "the other source")
    assert sum(state(d)["packets"].values()) == 0
    assert not hall.packets


def test_our_own_sound_is_never_taken_back(listening, site, hall, cleanup):
    """A box that bridges our group to the one we listen to."""
    d = listening()
    tx = net.group_socket(site["hall"])
    cleanup.callback(tx.close)
    d.api.page(["hall"], "long")
    hall.wait_for(5)
    sent = 0
    for p in hall.packets[:5]:
        tx.sendto(build(p.seq, p.ts, p.ssrc, p.payload), LEGACY)
        # The same through a mixer that names its sources.
        mixed = build(p.seq, p.ts, 0x99, p.payload)
        tx.sendto(bytes([mixed[0] | 1]) + mixed[1:12] + struct.pack("!I", p.ssrc) + p.payload,
                  LEGACY)
        sent += 2
    wait.until(lambda: state(d)["packets"]["own"] == sent, "the loop to be counted")
    wait.until(lambda: "source:legacy:loop" in faults(d), "the fault")
    assert "10.9.0.11" in d.api.faults()["source:legacy:loop"]["text"]
    assert state(d)["state"] == "idle"


def test_an_interface_that_comes_later(make_daemon, site, cleanup, hall):
    ctl = site["ctl"]
    d = make_daemon(more=source().replace('"eth0"', '"late0"'))
    wait.until(lambda: "source:legacy" in faults(d), "the fault")
    assert "late0" in d.api.faults()["source:legacy"]["text"]
    assert state(d)["state"] == "fault"
    cleanup.callback(net.sh, f"ip -n {ctl.ns} link del late0", check=False)
    net.sh(f"ip -n {ctl.ns} link add late0 type veth peer name far0")
    net.sh(f"ip -n {ctl.ns} link set late0 up")
    net.sh(f"ip -n {ctl.ns} link set far0 up")
    net.sh(f"ip -n {ctl.ns} addr add 10.77.0.1/24 dev late0")
    wait.until(lambda: not faults(d), "the group to be joined")
    s = ctl.socket()
    cleanup.callback(s.close)
    far = ctl.call(lambda: socket.if_nametoindex("far0"))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, net.mreqn(far))
    Sender(s, LEGACY, TALK).start().join()
    # Its source address is one of our own: the kernel takes such a packet for
    # a spoofed one; that we are members now is what counts.
    assert "239.1.2.3" in net.sh(f"ip -n {ctl.ns} maddr show dev late0")
    assert state(d)["state"] in ("idle", "talking")


def test_reload_keeps_the_stream(listening, legacy, hall):
    d = listening()
    talk = legacy(data=audio.codes(4.0, 62)).start()
    hall.wait_for(20)
    n = len(hall.packets)
    assert d.reload()["type"] == "config.loaded"
    hall.wait_talk(talk.data, talk, missing=0.03, what="the talk over the reload")
    check_continuous(hall.packets)
    assert len(d.recorded("source.began")) == 1
    assert n


def test_unicast_to_a_port_of_ours(make_daemon, legacy, hall):
    d = make_daemon(more='source "feed" { unicast = "10.9.0.1:5006"  zones = { "hall" } }')
    wait.until(lambda: state(d, "feed")["state"] == "idle", "it to listen")
    talk = legacy(dst=("10.9.0.1", 5006)).start()
    hall.wait_talk(TALK, talk, missing=0.03)


def test_music_priority_is_background(listening, legacy, hall):
    d = listening('priority = "music"')
    legacy(data=audio.ulaw_encode(audio.tone(500, 1.0)), repeat=True).start()
    hall.wait_for(50)
    level = audio.level_dbfs(hall.pcm()[-1600:])
    d.api.page(["hall"], "notice")
    n = hall.mark()
    hall.wait_for(n + 40)
    assert [b["state"] for b in d.api.get("/broadcasts")
            if b["actor"] == "source:legacy"] == ["playing"]
    hall.wait_for(n + 200)
    assert abs(audio.level_dbfs(hall.pcm()[-1600:]) - level) < 1


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
@pytest.mark.parametrize("codec", ["pcm_mulaw", "pcm_alaw"])
def test_ffmpeg_as_the_gateway(listening, site, hall, cleanup, codec):
    d = listening('codec = "%s"' % {"pcm_mulaw": "pcmu", "pcm_alaw": "pcma"}[codec])
    p = site["caller"].popen(
        ["ffmpeg", "-nostdin", "-v", "error", "-re", "-f", "lavfi", "-i",
         "sine=frequency=700:sample_rate=8000:duration=3,asetnsamples=n=160",
         "-c:a", codec, "-f", "rtp",
         "rtp://239.1.2.3:5004?pkt_size=172&ttl=2"])
    cleanup.callback(p.wait)
    cleanup.callback(p.kill)
    hall.wait_for(80, "ffmpeg's sound", timeout=30)
    heard = hall.pcm()
    assert abs(audio.pitch_hz(heard[-4000:]) - 700) < 5
    # The sine of ffmpeg is 1/8 of full scale.
    assert abs(audio.level_dbfs(heard[-4000:]) + 21.07) < 1
    d.recorded("source.ended")


def check_errors(site, tmp_path, text):
    path = tmp_path / "bad.conf"
    path.write_text('state-dir = "state"\nzone "hall" { multicast "239.192.7.1:5004" '
                    '{ interface = "lo" } }\n' + text)
    r = site["ctl"].run([os.path.join(BUILD, "tocsind"), "--check", "-c", path])
    return r.returncode, r.stderr


@pytest.mark.parametrize("text,says", [
    ('source "x" { multicast = "239.192.7.1:5004" interface = "lo" zones = { "hall" } }',
     'is an output of zone "hall"'),
    ('source "x" { multicast = "239.1.1.1:5004" zones = { "hall" } }', '"interface" is missing'),
    ('source "x" { zones = { "hall" } }', "exactly one of"),
    ('source "x" { multicast = "10.0.0.1:5004" interface = "lo" zones = { "hall" } }',
     "no multicast group"),
    ('source "x" { unicast = "239.1.1.1:5004" zones = { "hall" } }', "is a multicast group"),
    ('source "x" { unicast = "10.0.0.1:5004" interface = "lo" zones = { "hall" } }',
     "has no meaning"),
    ('source "x" { unicast = "10.0.0.1:5004" zones = { "yard" } }', "yard"),
    ('source "x" { unicast = "10.0.0.1:5004" from = { "here" } zones = { "hall" } }', "here"),
    ('source "x" { unicast = "10.0.0.1:5004" rate = 16000 zones = { "hall" } }', "rate 16000"),
])
def test_bad_configuration(site, tmp_path, text, says):
    code, err = check_errors(site, tmp_path, text)
    assert code == 1 and says in err and "bad.conf:3" in err, err


def test_sources_in_tocsinctl(listening):
    d = listening()
    out = d.ctl("sources").stdout
    assert "legacy" in out and "239.1.2.3:5004" in out and "idle" in out
