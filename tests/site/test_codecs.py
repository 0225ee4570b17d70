"""Every codec on the wire: heard by ffmpeg and GStreamer, which we did not write, and spoken by
baresip."""
import os
import re
import socket
import subprocess
import wave

import numpy as np
import pytest

from conftest import config
from lib import audio, net, wait
from lib.rtp import Sender, build

TONES = (1013, 5000, 7000)
# name: (keys, payload type, rtpmap, samples and RTP ticks a packet, tones that survive)
ZONES = {
    "g722": ('codec = "g722"', 9, "G722/8000/1", 160, TONES),
    "g722-40": ('codec = "g722"  ptime = 40', 9, "G722/8000/1", 320, TONES),
    "opus": ('codec = "opus"', 111, "opus/48000/2", 960, TONES),
    "opus-60": ('codec = "opus"  ptime = 60  payload-type = 97', 97, "opus/48000/2", 2880,
                TONES),
    "l16": ('codec = "l16"', 96, "L16/16000/1", 320, TONES),
    "pcma-30": ('codec = "pcma"  ptime = 30', 8, "PCMA/8000/1", 240, (1013,)),
}
SECONDS = 4.0
LEVEL = -20.0


def group(i):
    return f"239.192.7.{40 + i}"


def port(i):
    """One each: GStreamer's udpsrc hears every group its host has joined on its port."""
    return 5104 + 2 * i


def zones():
    return "\n".join(f'zone "{name}" {{ multicast "{group(i)}:{port(i)}" {{ {z[0]}  '
                     'interface = "eth0" } }' for i, (name, z) in enumerate(ZONES.items()))


def at(pcm, rate, hz):
    """dBFS of a sine at hz."""
    w = np.hanning(len(pcm))
    t = np.arange(len(pcm)) / rate
    a = 2 * abs(np.sum(w * pcm * np.exp(-2j * np.pi * hz * t))) / np.sum(w)
    return 20 * np.log10(max(a, 0.01) / 32767)


def best(pcm, rate):
    """The second in which it is loudest at the first tone: a receiver that has to share a CPU
    loses packets, and what is lost only makes it softer."""
    return max((pcm[i:i + rate] for i in range(0, len(pcm) - rate + 1, rate // 10)),
               key=lambda s: at(s, rate, TONES[0]))


def ffmpeg(host, folder, name, i):
    """Receives a zone into a file."""
    _, pt, rtpmap, _, _ = ZONES[name]
    sdp = folder / f"{name}.sdp"
    sdp.write_text("v=0\r\no=- 1 1 IN IP4 10.9.0.1\r\ns=zone\r\n"
                   f"c=IN IP4 {group(i)}/1\r\nt=0 0\r\nm=audio {port(i)} RTP/AVP {pt}\r\n"
                   f"a=rtpmap:{pt} {rtpmap}\r\n")
    return host.popen(["ffmpeg", "-nostdin", "-loglevel", "error", "-protocol_whitelist",
                       "file,udp,rtp", "-i", sdp, "-t", "2", "-ac", "1", "-y",
                       folder / f"{name}.wav"],
                      stdout=subprocess.DEVNULL, stderr=open(folder / f"{name}.log", "wb"))


def test_ffmpeg_hears_every_codec(make_daemon, site, listen, tmp_path, cleanup):
    rate = 48000
    sound = sum(audio.tone(hz, SECONDS, rate, LEVEL).astype(int) for hz in TONES)
    audio.write_wav(tmp_path / "wide.wav", sound, rate)
    d = make_daemon(text=config(more='message "wide" { file = "wide.wav"  repeat = "until-reset" }\n'
                                + zones()))
    host = site["hall"]
    host.run(["ip", "route", "replace", "239.0.0.0/8", "dev", "eth0"])
    ears = {n: listen("yard", (group(i), port(i))) for i, n in enumerate(ZONES)}
    peers = {n: ffmpeg(host, tmp_path, n, i) for i, n in enumerate(ZONES)}
    for p in peers.values():
        cleanup.callback(p.wait)
        cleanup.callback(p.kill)
    b = d.api.post("/broadcasts", {"zones": list(ZONES), "message": "wide"})
    for name, p in peers.items():
        assert p.wait(60) == 0, (tmp_path / f"{name}.log").read_text()
    # Only the end, where it is cut off, is encoded anew.
    text = d.api.raw("GET", "/metrics")[1].decode()
    assert re.search(r"^tocsin_media_encodes_total 0$", text, re.M), "a message costs no encode"
    d.api.delete(f"/broadcasts/{b['id']}")
    for name, (_, pt, _, ticks, survive) in ZONES.items():
        packets = ears[name].packets
        assert {p.pt for p in packets} == {pt}, name
        steps = {(b.ts - a.ts) & 0xFFFFFFFF for a, b in zip(packets, packets[1:])
                 if not b.marker and b.seq == (a.seq + 1) & 0xFFFF}
        assert steps == {ticks}, name
        pcm, r = audio.read_wav(tmp_path / f"{name}.wav")
        pcm = best(pcm.astype(float), r)
        for hz in survive:
            assert abs(at(pcm, r, hz) - LEVEL) < 1.5, (name, hz, at(pcm, r, hz))
        for hz in (3000, 1000) if r == 8000 else ():  # where 5 and 7 kHz would come back
            assert at(pcm, r, hz) < LEVEL - 50, (name, hz, at(pcm, r, hz))


# What GStreamer makes samples of a zone's packets with.
GST = {9: "rtpg722depay ! avdec_g722", 8: "rtppcmadepay ! alawdec", 0: "rtppcmudepay ! mulawdec",
       96: "rtpL16depay", 97: "rtpopusdepay ! opusdec", 111: "rtpopusdepay ! opusdec"}
GST_RATE = {"g722": 16000, "g722-40": 16000, "opus": 48000, "opus-60": 48000, "l16": 16000,
            "pcma-30": 8000}


def gstreamer(host, folder, name, i):
    """Receives a zone as samples into a file until it is killed."""
    _, pt, rtpmap, _, _ = ZONES[name]
    what, clock = rtpmap.upper().split("/")[:2]
    caps = (f"application/x-rtp,media=audio,clock-rate={clock},encoding-name={what},payload={pt}"
            + (",channels=1" if what == "L16" else ""))
    line = (f"udpsrc address={group(i)} port={port(i)} multicast-iface=eth0 caps={caps} ! "
            f"rtpjitterbuffer latency=200 ! {GST[pt]} ! audioconvert ! "
            f"audio/x-raw,format=S16LE,channels=1,rate={GST_RATE[name]} ! "
            f"filesink buffer-mode=2 location={folder / name}.raw")
    return host.popen(["gst-launch-1.0", "-q", *line.split()],
                      env={**os.environ, "GST_REGISTRY": str(folder / "registry")},
                      stdout=subprocess.DEVNULL, stderr=open(folder / f"{name}.log", "wb"))


def test_gstreamer_hears_every_codec(make_daemon, site, tmp_path, cleanup):
    rate = 48000
    sound = sum(audio.tone(hz, SECONDS, rate, LEVEL).astype(int) for hz in TONES)
    audio.write_wav(tmp_path / "wide.wav", sound, rate)
    d = make_daemon(text=config(more='message "wide" { file = "wide.wav"  repeat = "until-reset" }\n'
                                + zones()))
    host = site["hall"]
    host.run(["ip", "route", "replace", "239.0.0.0/8", "dev", "eth0"])
    # Once, so that six do not look for their plugins at the same time.
    subprocess.run(["gst-inspect-1.0"], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "GST_REGISTRY": str(tmp_path / "registry")})
    peers = {n: gstreamer(host, tmp_path, n, i) for i, n in enumerate(ZONES)}
    for p in peers.values():
        cleanup.callback(p.wait)
        cleanup.callback(p.kill)
    d.api.page(list(ZONES), "wide")
    for name, p in peers.items():
        raw, r = tmp_path / f"{name}.raw", GST_RATE[name]

        def enough():
            assert p.poll() is None, (tmp_path / f"{name}.log").read_text()
            return raw.exists() and raw.stat().st_size >= 2 * 2 * r

        wait.until(enough, f"two seconds of {name}", timeout=30)
        pcm = np.fromfile(raw, "<i2", 2 * r)[-r:].astype(float)
        for hz in ZONES[name][4]:
            assert abs(at(pcm, r, hz) - LEVEL) < 1.5, (name, hz, at(pcm, r, hz))
        for hz in (3000, 1000) if r == 8000 else ():
            assert at(pcm, r, hz) < LEVEL - 50, (name, hz, at(pcm, r, hz))


def encodes(d):
    text = d.api.raw("GET", "/metrics")[1].decode()
    return int(re.search(r"^tocsin_media_encodes_total (\d+)$", text, re.M).group(1))


WIDE_SOURCE = """
source "wide" {
    multicast = "239.1.2.9:5004"  interface = "eth0"  codec = "l16"  rate = 16000
    zones = { @zones@ }  hang = "300ms"
}
"""
FEED = ("239.1.2.9", 5004)


def wide_feed(site, cleanup, tones):
    """A talker of 16 kHz L16 for as long as the test lasts."""
    pcm = sum(audio.tone(hz, 1.0, 16000, LEVEL).astype(int) for hz in tones)
    frames = [pcm[i:i + 320].astype(">i2").tobytes() for i in range(0, 16000, 320)]
    sock = site["caller"].udp()
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                    net.mreqn(site["caller"].ifindex))
    cleanup.callback(sock.close)
    s = Sender(sock, FEED, bytes(50 * 160), pt=96, repeat=True,
               mangle=lambda i, p: [build(1000 + i, 5000 + 320 * i, 0x77, frames[i % 50], 96)])
    cleanup.callback(s.stop)
    return s


def listening(make_daemon, site, text):
    d = make_daemon(text=text)
    wait.until(lambda: FEED[0] in site.mdb(), "the switch to know that we listen")
    return d


@pytest.mark.parametrize("codec", ["g722", "opus"])
def test_one_encode_for_many_outputs(make_daemon, site, listen, cleanup, codec):
    names = [f"z{i}" for i in range(12)]
    d = listening(make_daemon, site, config(more="".join(
        f'zone "{n}" {{ multicast "{group(i)}:{port(i)}" {{ codec = "{codec}"  '
        'interface = "eth0" } }\n' for i, n in enumerate(names))
        + WIDE_SOURCE.replace("@zones@", ", ".join(f'"{n}"' for n in names))))
    ears = [listen("yard", (group(i), port(i))) for i in range(len(names))]
    wide_feed(site, cleanup, (1013,)).start()
    ears[0].wait_for(100)
    made, before = encodes(d), ears[0].mark()
    assert 1 <= made <= before + 25, (made, before)
    for e in ears[1:]:
        e.wait_for(50)
        theirs = {p.payload for p in e.since(20)[:20]}
        assert theirs & {p.payload for p in ears[0].since(0)}, "the same bytes for all"


def test_a_wide_source_does_not_alias_in_a_narrow_zone(make_daemon, site, listen, cleanup):
    d = listening(make_daemon, site, config(more=WIDE_SOURCE.replace("@zones@", '"hall"')))
    ear = listen("hall", ("239.192.7.1", 5004))
    wide_feed(site, cleanup, TONES).start()
    packets = ear.wait_for(120)
    assert {p.pt for p in packets} == {0}

    def clean():
        """The last second: what a stall of the machine costs is over in a while."""
        pcm = ear.pcm()[-8000:].astype(float)
        return abs(at(pcm, 8000, 1013) - LEVEL) < 1.5 and all(
            at(pcm, 8000, hz) < LEVEL - 45 for hz in (3000, 1000))  # images of 5 and 7 kHz

    wait.until(clean, "the tone below 4 kHz and no image of those above", timeout=30, every=0.1)
    assert encodes(d) > 0


@pytest.mark.parametrize("name", ["g722", "opus"])
def test_a_feed_goes_on_after_it_was_preempted(make_daemon, site, tmp_path, cleanup, name):
    """Live, an alarm in its place, live again: the receiver's one decoder follows."""
    audio.write_wav(tmp_path / "high.wav", audio.tone(3100, 2.0, 48000, LEVEL), 48000)
    d = listening(make_daemon, site, config(
        more='message "high" { file = "high.wav"  repeat = "until-reset" }\n' + zones()
        + WIDE_SOURCE.replace("@zones@", f'"{name}"')))
    host, r = site["hall"], GST_RATE[name]
    host.run(["ip", "route", "replace", "239.0.0.0/8", "dev", "eth0"])
    p = gstreamer(host, tmp_path, name, list(ZONES).index(name))
    cleanup.callback(p.wait)
    cleanup.callback(p.kill)
    raw = tmp_path / f"{name}.raw"

    def hears(hz, not_hz):
        """Of the last quarter of a second heard."""
        assert p.poll() is None, (tmp_path / f"{name}.log").read_text()
        pcm = np.fromfile(raw, "<i2")[-r // 4:].astype(float) if raw.exists() else []
        return (len(pcm) == r // 4 and abs(at(pcm, r, hz) - LEVEL) < 1.5
                and at(pcm, r, not_hz) < LEVEL - 40
                and abs(audio.level_dbfs(pcm) + 3 - LEVEL) < 1)

    wide_feed(site, cleanup, (1013,)).start()
    wait.until(lambda: hears(1013, 3100), "the talker", timeout=30)
    for _ in range(2):
        b = d.api.page([name], "high", priority="evacuate")
        wait.until(lambda: hears(3100, 1013), "the alarm, and nothing but it")
        d.api.delete(f"/broadcasts/{b}")
        wait.until(lambda: hears(1013, 3100), "the talker again, and nothing but him")


@pytest.mark.parametrize("codec,module,rate,channels", [("G722/8000/1", "g722.so", 16000, 1),
                                               ("opus/48000/2", "opus.so", 48000, 2)])
def test_baresip_pages_in(daemon, hall, baresip, tmp_path, codec, module, rate, channels):
    with wave.open(str(tmp_path / "talk.wav"), "wb") as w:
        w.setnchannels(channels)
        w.setsampwidth(2)
        w.setframerate(rate)
        w.writeframes(np.repeat(audio.tone(1000, 8.0, rate, -12.0), channels).tobytes())
    baresip(tmp_path / "talk.wav", "sip:701@10.9.0.1", codec=codec, module=module, rate=rate)
    wait.until(lambda: len(hall.packets) > 150, "baresip's talk", timeout=30)
    pcm = hall.pcm()[-8000:].astype(float)
    assert abs(at(pcm, 8000, 1000) + 12) < 1.5
    total = audio.level_dbfs(pcm)
    assert abs(total - (-15)) < 2, "nothing but the tone"
    assert daemon.recorded("call.answered")
