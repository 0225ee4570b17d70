"""What one hears of priorities: volumes, music held, amplifiers woken."""
import numpy as np
import pytest

from conftest import BELL, EVAC, LONG, NOTICE, config
from lib import audio, wait
from lib.daemon import Refused
from lib.rtp import check_continuous

AMPS = '''
output "amp" { virtual = true }
output "amp-2" { virtual = true }
zone "shed" {
    extension = "704"
    multicast "239.192.7.4:5004" { codec = "pcmu"  interface = "eth0" }
    lead = "400ms"  relay = "amp"  relay-hold = "300ms"
}
zone "barn" {
    multicast "239.192.7.5:5004" { codec = "pcmu"  interface = "eth0" }
    lead = "100ms"  relay = { "amp", "amp-2" }  relay-hold = "300ms"
}
zone "farm" { zones = { "shed", "barn", "hall" } }
'''


def active(api, name):
    return {o["name"]: o["active"] for o in api.get("/outputs")}[name]


def gain(speaker, start, data, n=4000):
    """Factor by which a piece of data is heard from packet `start` on."""
    heard = speaker.pcm()[start * 160:].astype(float)
    sent = audio.ulaw(data).astype(float)
    at = audio.align(sent, heard[:n])
    part = sent[at:at + n]
    return np.dot(heard[:n], part) / np.dot(part, part)


def test_volume_of_a_zone(daemon, hall, yard):
    api = daemon.api
    api.page(["all"], "long", "page", wait_ms=60000)
    hall.wait_for(20)
    reply = api.post("/zones/hall/volume", {"db": -12})
    assert reply == {"name": "hall", "volume_db": -12.0}
    n = hall.mark()
    hall.wait_for(n + 60)
    assert abs(gain(hall, n + 30, LONG) - 10 ** (-12 / 20)) < 0.02
    assert api.get("/zones/hall")["volume_db"] == -12
    assert api.get("/zones/all")["volume_db"] is None, "its zones differ"
    assert api.get("/zones/yard")["volume_db"] == 0
    assert all(p.payload in LONG for p in yard.since(0)), "the other is untouched"
    assert api.journal(type="zone.volume")[0]["data"]["db"] == -12
    # An emergency is as loud as configured, from its first packet on.
    api.input("panic", True)
    hall.wait_bytes(EVAC[64:])
    api.input("panic", False)
    n = hall.mark()
    api.post("/alarms/panic/reset")
    hall.wait_for(n + 60)
    assert abs(gain(hall, n + 30, LONG) - 10 ** (-12 / 20)) < 0.02, "and back"
    check_continuous(hall.packets)
    # A zone of zones sets all that it contains.
    api.post("/zones/all/volume", {"db": 0})
    assert api.get("/zones/hall")["volume_db"] == 0
    for bad in (12.5, -41, "loud", None):
        with pytest.raises(Refused) as refused:
            api.post("/zones/hall/volume", {"db": bad})
        assert refused.value.status == 400
    with pytest.raises(Refused) as refused:
        api.post("/zones/nowhere/volume", {"db": 0})
    assert refused.value.status == 404


def test_level_is_null_when_silent(daemon, hall):
    api = daemon.api
    assert api.get("/zones/hall")["level_dbfs"] is None
    api.page(["hall"], "long")
    hall.wait_for(5)
    assert -60 < wait.until(lambda: api.get("/zones/hall")["level_dbfs"], "a level") < 0


def test_music_pauses_and_goes_on_where_it_was(make_daemon, hall):
    api = make_daemon(text=config().replace(
        "media {", 'media { music = "pause"  ramp-back = "40ms" ')).api
    api.page(["hall"], "long", "music")
    hall.wait_for(25)
    # Nested: an alarm within the page; the page's end comes first.
    page = api.page(["hall"], "notice", "page", wait_ms=0)
    k = hall.wait_bytes(NOTICE[64:2000]) // 160
    at = hall.payload(0, k).find(LONG[:160])
    held = k * 160 - at
    assert hall.payload(0, k)[at:] == LONG[:held], "until then it was plain"
    api.input("panic", True)
    hall.wait_bytes(EVAC[64:], start=k)
    wait.until(lambda: api.broadcast(page) is None, "the page's end")
    api.input("panic", False)
    n = hall.mark()
    api.post("/alarms/panic/reset")
    # Two packets of ramp, then bit for bit.
    m = hall.wait_bytes(LONG[held + 3 * 160:held + 8000], "the music in place", start=n)
    assert hall.packets[n + m // 160 - 3].marker
    check_continuous(hall.packets)


def test_amplifiers_are_woken_in_step(make_daemon, listen, hall):
    d = make_daemon(more=AMPS)
    api = d.api
    shed, barn = listen("hall", ("239.192.7.4", 5004)), listen("yard", ("239.192.7.5", 5004))
    assert not active(api, "amp")
    api.page(["farm"], "bell")
    assert active(api, "amp") and active(api, "amp-2"), "before the first sound"
    for speaker in (shed, barn, hall):
        at = speaker.wait_bytes(BELL)
        assert at == 20 * 160, "the longest lead counts for all"
        assert audio.level_dbfs(speaker.pcm()[:at]) < -60
    # Again at once: they are awake.
    n = shed.mark()
    api.page(["farm"], "notice")
    at = shed.wait_bytes(NOTICE, start=n)
    assert audio.level_dbfs(audio.ulaw(shed.payload(n)[:at])) < -60
    assert at < 20 * 160, "no lead once they are awake"
    # Held for a while after the last sound, then off.
    wait.until(lambda: not active(api, "amp") and not active(api, "amp-2"), "off again")
    rows = [e["text"] for e in api.journal(type="output.changed", subject="output:amp")]
    assert rows.count("output amp is on") == 1, "one relay of two zones, on once"


def test_relay_is_shared(make_daemon, listen):
    d = make_daemon(more=AMPS)
    api = d.api
    shed = listen("hall", ("239.192.7.4", 5004))
    long = api.page(["barn"], "long", wait_ms=0)
    short = api.page(["shed"], "bell", wait_ms=0)
    shed.wait_bytes(BELL)
    wait.until(lambda: api.broadcast(short) is None, "the end of the bell")
    shed.wait_quiet(0.6)
    assert active(api, "amp") and active(api, "amp-2"), "the other zone still sounds"
    api.delete(f"/broadcasts/{long}")
    wait.until(lambda: not active(api, "amp"), "off again")
