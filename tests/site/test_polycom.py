"""Zones with Polycom phones: byte for byte, in step, and no emergency waits."""
import shutil
import subprocess

import numpy as np
import pytest

from conftest import BELL, EVAC, NOTICE
from lib import audio, net, polycom_phone, wait
from lib.polycom import ALERT, END, TRANSMIT, Phone, check_pace, check_talk
from lib.rtp import check_continuous
from lib.sip import Call

PHONES = '''
zone "desks" {
    extension = "705"
    polycom "224.0.1.116:5001" { group = 26  interface = "eth0"  emergency-from = "emergency" }
}
zone "shop" {
    extension = "706"
    polycom "224.0.1.116:5001" { channel = 3  interface = "eth0"  serial = "00abcdef"
        caller-id = "Shop floor"  emergency-from = 200  ptime = 30  source-port = 5005 }
}
zone "store" {
    polycom "224.0.1.116:5001" { group = 27  interface = "eth0"  emergency-from = "emergency" }
}
zone "house" { extension = "707"  zones = { "desks", "hall" } }
'''


WIDE = '''
zone "wide" {
    polycom "224.0.1.116:5001" { group = 28  interface = "eth0"  codec = "g722" }
}
message "sine" { tone = "test"  tone-for = "3s" }
'''


@pytest.fixture
def phones(make_daemon, site, cleanup, request):
    """The daemon, and a phone on another host that hears every channel."""
    d = make_daemon(more=PHONES)
    p = Phone(site["second"])
    p.watch = request.config.site_watch
    cleanup.callback(p.close)
    return d, p


def mac_serial(site):
    mac = net.sh(f"ip -n {site['ctl'].ns} -br link show eth0").split()[2]
    return int("".join(mac.split(":")[2:]), 16)


def test_a_page_as_the_advisory_has_it(phones, site):
    d, phone = phones
    d.api.page(["desks"], "notice")
    phone.wait_sound(26, NOTICE)
    phone.wait_ends(26)
    heard = phone.heard()
    sound = check_talk(heard)
    check_pace(heard)
    assert {p.serial for p in heard} == {mac_serial(site)}
    assert {(p.caller, p.channel) for p in heard} == {("desks", 26)}
    assert {p.src[1] for p in heard} == {5001}
    assert {p.codec for p in sound} == {0}
    first = b"".join(f.frames[-1] for f in sound).find(NOTICE)
    assert first >= 0 and first % 160 == 0
    # What comes before the message is silence, not part of it.
    assert audio.level_dbfs(audio.ulaw(phone.sound(26)[:first] or b"\xff")) == -99


def test_thirty_ms_and_its_own_names(phones):
    d, phone = phones
    phone.frame = 240
    d.api.page(["shop"], "bell")
    phone.wait_sound(3, BELL)
    phone.wait_ends(3)
    heard = phone.heard()
    check_talk(heard, 240)
    check_pace(heard, 0.03)
    assert {(p.serial, p.caller, p.src[1]) for p in heard} == {(0xabcdef, "Shop floor", 5005)}


def loudest_hz(pcm, rate):
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return np.argmax(spectrum) * rate / len(pcm)


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
def test_g722_is_opened_by_ffmpeg(make_daemon, site, cleanup, hall):
    d = make_daemon(more=WIDE)
    phone = Phone(site["second"])
    cleanup.callback(phone.close)
    d.api.page(["wide", "hall"], "sine")
    phone.wait_ends(28)
    sound = check_talk(phone.heard())
    assert {p.codec for p in sound} == {9}
    r = subprocess.run(["ffmpeg", "-v", "error", "-f", "g722", "-i", "-", "-f", "s16le", "-"],
                       input=phone.sound(28), capture_output=True, check=True)
    pcm = np.frombuffer(r.stdout, "<i2").astype(float)
    assert abs(len(pcm) - 320 * len(sound)) <= 320
    # The tone itself, in the middle of the talk, as in the hall.
    middle = loudest_hz(pcm[len(pcm) // 2 - 4000:len(pcm) // 2 + 4000], 16000)
    other = hall.pcm().astype(float)
    assert abs(middle - loudest_hz(other[len(other) // 2 - 2000:len(other) // 2 + 2000], 8000)) < 10


def in_step(hall, phone, channel, sound):
    """By how much the two differ, as the median of all pieces of the sound."""
    when = {}
    for p in hall.packets:
        when.setdefault(p.payload, []).append(p.time)
    skew = sorted(min(abs(p.time - t) for t in when[p.frames[-1]])
                  for p in phone.heard(channel, TRANSMIT)
                  if p.frames[-1] in when and p.frames[-1] in sound)
    assert len(skew) > 30
    return skew[len(skew) // 2]


def test_all_are_in_step(phones, hall):
    """The hall waits for the phones: the same moment, within a packet."""
    d, phone = phones
    d.api.page(["house"], "notice")
    phone.wait_sound(26, NOTICE)
    hall.wait_bytes(NOTICE)
    phone.wait_ends(26)
    check_talk(phone.heard())
    assert in_step(hall, phone, 26, NOTICE) < 0.005


def test_an_emergency_waits_for_nobody(phones, hall):
    """It begins in the hall before the phones are alerted to the end, goes to
    the emergency group, and the phones join in step."""
    d, phone = phones
    d.api.page(["house"], "notice", priority="page")
    phone.wait_sound(26, NOTICE[:1600])
    n = hall.mark()
    d.api.page(["house"], "evac", priority="evacuate", repeat=5)
    # Its first 100 ms are faded in over what they displace.
    hall.wait_bytes(EVAC[1600:], start=n)
    phone.wait_sound(50, EVAC)
    begins = hall.payload().find(EVAC[1600:]) // 160 - 10
    alerts = phone.heard(50, ALERT)
    assert hall.packets[begins].time < alerts[10].time, "the hall waited"
    # The old talk was ended while the new one was being announced.
    assert len(phone.heard(26, END)) == 12
    assert phone.heard(26, TRANSMIT)[-1].time < alerts[0].time
    assert in_step(hall, phone, 50, EVAC) < 0.005
    for b in d.api.get("/broadcasts"):
        d.api.delete(f"/broadcasts/{b['id']}")
    phone.wait_ends(50)
    check_continuous(hall.packets)


def test_preempted_on_one_channel_without_new_alerts(phones):
    d, phone = phones
    d.api.page(["desks"], "long")
    wait.until(lambda: phone.heard(26, TRANSMIT), "the page")
    d.api.page(["desks"], "bell", priority="urgent")
    phone.wait_sound(26, BELL[1600:])
    assert len(phone.heard(26, ALERT)) == 31 and not phone.heard(26, END)


def test_one_talk_on_a_shared_channel(phones):
    """Both zones' emergencies are on group 50 of one address: one sender."""
    d, phone = phones
    d.api.page(["store", "desks"], "bell", priority="evacuate", repeat=3)
    phone.wait_ends(50)
    check_talk(phone.heard())


def test_heard_back(phones, site, cleanup):
    """What is sent is seen to leave, for all who share a channel; phones are no foreigners."""
    d, phone = phones

    def heard(zone):
        return d.api.get(f"/zones/{zone}")["sounds"][0]["heard"]
    ns = site["ctl"].ns
    cleanup.callback(net.sh, f"ip netns exec {ns} nft flush ruleset")
    sock = polycom_phone.socket_of(site["yard"], net.mreqn)
    cleanup.callback(sock.close)
    other = polycom_phone.Phone(sock, audio.codes(20, 3), channel=26, alerts=0).start()
    cleanup.callback(other.stop)
    b = d.api.post("/broadcasts", {"zones": ["store", "desks", "hall"], "message": "long",
                                   "priority": "evacuate", "repeat": 100})
    for zone in ("desks", "store", "hall"):
        wait.until(lambda zone=zone: heard(zone)["state"] == "heard", f"{zone} to be heard back")
    assert wait.until(lambda: heard("desks")["level_dbfs"], "its level") > -35
    assert not d.api.faults()
    out = site["ctl"].run(["nft", "-f", "-"], input=(
        'table netdev t { chain c { type filter hook egress device "eth0" priority 0;\n'
        "ip daddr 224.0.1.116 drop\n}\n}\n"))
    assert not out.returncode, out.stderr

    def lost():
        return [f["text"] for f in d.api.faults().values() if "not seen to leave" in f["text"]]
    # Of two that share a channel one talks.
    wait.until(lambda: len(lost()) == 1, "the Polycom output that talks to be told of")
    assert "group" in lost()[0]
    net.sh(f"ip netns exec {ns} nft flush ruleset")
    wait.until(lambda: not d.api.faults(), "the faults to clear")
    assert other.sent and not heard("desks")["foreign"]
    d.api.delete(f"/broadcasts/{b['id']}")


def goes_ahead(packet):
    return audio.level_dbfs(audio.ulaw(packet.payload)) > -40


def test_a_live_page_is_heard_whole(phones, hall, agent):
    """The caller gets his go-ahead when the phones listen too."""
    d, phone = phones
    call = Call(agent(), "707", rtp=True)
    call.dial()
    wait.until(lambda: phone.heard(26, TRANSMIT), "the phones to be open")
    call.rtp.wait_for(lambda got: any(goes_ahead(p) for p in got), "the go-ahead")
    talk = audio.codes(1.0, 9)
    sender = call.talk(talk)
    wait.until(lambda: talk[160 * 30:160 * 31] in phone.sound(26), "the caller on the phones")
    hall.wait_talk(talk, sender)
    tone = [p for p in call.rtp.packets if goes_ahead(p)]
    assert tone[0].time > phone.heard(26, ALERT)[-1].time, "the go-ahead came too soon"
    call.bye()
    phone.wait_ends(26)
    check_talk(phone.heard(26))
