"""DESIGN section 2, rules 1 and 2: one test for each."""
import numpy as np
import pytest

from conftest import BELL, EVAC, LONG, NOTICE
from lib import audio, wait
from lib.daemon import Refused
from lib.rtp import check_continuous


FADE = 64  # samples at a switch in which what was cut off dies away


def switch_at(speaker, data, start=0):
    """Index of the packet with which `data` begins; it must be a whole one."""
    at = speaker.wait_bytes(data[FADE:], start=start) - FADE
    assert at % 160 == 0, "the switch is between two packets"
    return start + at // 160


def test_preempts_only_shared_outputs(daemon, hall, yard):
    api = daemon.api
    low = api.page(["hall", "yard"], "long", "page", wait_ms=60000)
    hall.wait_for(10)
    yard.wait_for(10)
    high = api.page(["hall"], "notice", "urgent")
    switch_at(hall, NOTICE)
    assert api.broadcast(low)["state"] == "partial"
    assert api.broadcast(low)["by"] == high
    assert api.broadcast(low)["cause"]
    wait.until(lambda: api.broadcast(high) is None, "the end of the notice")
    n = yard.mark()
    yard.wait_for(n + 5)
    heard = yard.payload()
    at = heard.find(LONG[:160])
    assert LONG.startswith(heard[at:]) and len(heard[at:]) > 3 * 8000, \
        "the other zone was not touched"
    check_continuous(hall.packets)
    check_continuous(yard.packets)
    api.delete(f"/broadcasts/{low}")


def test_lower_stops_before_higher_starts(daemon, hall):
    api = daemon.api
    api.page(["hall"], "long", "page")
    hall.wait_for(25)
    api.page(["hall"], "notice", "urgent")
    k = switch_at(hall, NOTICE)
    packets = hall.packets
    before = b"".join(p.payload for p in packets[:k])
    at = before.find(LONG[:160])
    low = before[at:].rstrip(b"\xff")
    assert LONG.startswith(low), "the lower one sounded whole until it stopped"
    after = b"".join(p.payload for p in packets[k:])
    assert after[FADE:].startswith(NOTICE[FADE:]), "and nothing of it follows"
    assert packets[k].marker, "marker at the switch"
    assert packets[k].ssrc == packets[0].ssrc
    assert packets[k].seq == (packets[k - 1].seq + 1) & 0xFFFF
    check_continuous(packets)


def test_stream_lives_on_between_broadcasts(daemon, hall):
    """One stream for life: the same SSRC, next number, time by the clock."""
    api = daemon.api
    api.page(["hall"], "bell")
    hall.wait_bytes(BELL)
    hall.wait_quiet(0.6)
    n = hall.mark()
    api.page(["hall"], "bell")
    hall.wait_bytes(BELL, start=n)
    check_continuous(hall.packets)
    a, b = hall.packets[n - 1], hall.packets[n]
    assert b.marker
    pause = ((b.ts - a.ts) & 0xFFFFFFFF) / 8000
    assert abs(pause - (b.time - a.time)) < 0.1


def test_equal_level_first_come(daemon, hall):
    api = daemon.api
    api.page(["hall"], "long", "page")
    hall.wait_for(5)
    with pytest.raises(Refused) as refused:
        api.page(["hall"], "notice", "page", wait_ms=0)
    assert refused.value.status == 409
    assert refused.value.error["code"] == "outranked"
    assert "long" in refused.value.error["message"], "it says by whom"
    n = hall.mark()
    hall.wait_for(n + 20)
    assert NOTICE[:160] not in hall.payload()


def test_equal_level_tie_last(make_daemon, hall):
    api = make_daemon(more='tie = "last"').api
    api.page(["hall"], "long", "page")
    hall.wait_for(5)
    api.page(["hall"], "notice", "page", wait_ms=0)
    switch_at(hall, NOTICE)


def test_live_beats_recorded(daemon, hall, caller):
    api = daemon.api
    low = api.page(["hall"], "long", "page", wait_ms=60000)
    hall.wait_for(10)
    call = caller("701").dial()
    talk = audio.codes(1.5, 30)
    hall.wait_talk(talk, call.talk(talk), what="the live voice")
    assert api.broadcast(low)["state"] == "waiting"
    n = hall.mark()
    call.bye()
    switch_at(hall, LONG[:8000], n)  # from its beginning
    check_continuous(hall.packets)


def test_lower_waits_and_sounds_later(daemon, hall):
    api = daemon.api
    api.page(["hall"], "bell", "urgent")
    hall.wait_for(3)
    id = api.page(["hall"], "notice", "page", wait_ms=20000)
    assert api.broadcast(id)["state"] == "waiting"
    assert api.get("/zones/hall")["waiting"] == [id]
    hall.wait_bytes(BELL)
    hall.wait_bytes(NOTICE)
    got = hall.payload()
    assert got.find(BELL) < got.find(NOTICE)
    check_continuous(hall.packets)


def test_waiting_expires(daemon, hall):
    api = daemon.api
    api.page(["hall"], "long", "urgent")
    hall.wait_for(3)
    id = api.page(["hall"], "notice", "page", wait_ms=300)
    wait.until(lambda: api.broadcast(id) is None, "it to give up")
    rows = wait.until(lambda: [e for e in api.journal(subject=f"broadcast:{id}")
                               if e["type"] == "broadcast.refused"], "the journal")
    assert len(rows) == 1, "one cause"
    assert NOTICE[:160] not in hall.payload()


def test_resumes_after_the_emergency(daemon, hall, yard):
    api = daemon.api
    low = api.page(["hall", "yard"], "long", "page", wait_ms=60000)
    hall.wait_for(25)
    api.input("panic", True)
    k = switch_at(hall, EVAC)
    assert api.broadcast(low)["state"] == "waiting"
    api.input("panic", False)
    n = hall.mark()
    api.post("/alarms/panic/reset")
    switch_at(hall, LONG[:8000], n)  # what is still wanted
    yard.wait_bytes(LONG[:8000])
    assert hall.packets[k].marker
    check_continuous(hall.packets)
    types = [e["type"] for e in reversed(api.journal(subject=f"broadcast:{low}"))]
    assert types.count("broadcast.preempted") == 1
    assert types.index("broadcast.preempted") < types.index("broadcast.resumed")


def test_emergencies_are_never_refused(daemon, hall):
    api = daemon.api
    low = api.page(["hall"], "bell", "emergency", repeat="until-stopped", wait_ms=0)
    hall.wait_bytes(BELL)
    api.input("panic", True)
    switch_at(hall, EVAC)
    assert api.broadcast(low)["state"] == "overridden"
    later = api.page(["hall"], "notice", "emergency", wait_ms=0)
    assert api.broadcast(later)["state"] == "overridden", "kept, not refused"
    api.input("panic", False)
    n = hall.mark()
    api.post("/alarms/panic/reset")
    hall.wait_bytes(BELL, "the first emergency again", start=n)
    api.delete(f"/broadcasts/{low}")
    switch_at(hall, NOTICE, n)


def gain_of(heard, sent):
    """How loud `sent` is in `heard`, as a factor."""
    lag = audio.align(heard, sent)
    h = heard[lag:lag + len(sent)].astype(float)
    s = sent.astype(float)
    return np.dot(h, s) / np.dot(s, s)


def test_music_is_ducked_and_comes_back(daemon, hall):
    api = daemon.api
    music = api.page(["hall"], "long", "music")
    hall.wait_for(50)
    n = hall.mark()
    page = api.page(["hall"], "notice", "page")
    wait.until(lambda: api.broadcast(page) is None, "the end of the page")
    hall.wait_for(hall.mark() + 60)
    pcm = hall.pcm()
    under = pcm[(n + 10) * 160:(n + 130) * 160]
    voice = audio.ulaw(NOTICE)[8000:16000]
    assert 0.9 < gain_of(under, voice) < 1.1, "the page is at full level"
    song = audio.ulaw(LONG)
    at = (n + 60) * 160
    part = song[at - 800:at + 4800]
    assert 0.005 < gain_of(under, part) < 0.6, "the music is below it"
    tail = hall.payload()[-4800:]
    assert tail in LONG, "and back at full level where it would be"
    assert api.broadcast(music)["state"] == "playing"
    check_continuous(hall.packets)


def test_music_is_silent_under_an_emergency(daemon, hall):
    api = daemon.api
    api.page(["hall"], "long", "music")
    hall.wait_for(25)
    api.input("panic", True)
    hall.wait_bytes(EVAC, "the alarm and nothing else", times=2)
    api.input("panic", False)
    n = hall.mark()
    api.post("/alarms/panic/reset")

    def back(packets):
        tail = b"".join(p.payload for p in packets[n:])[-4800:]
        return len(tail) == 4800 and tail in LONG
    hall.wait_for(back, "the music again")


def test_zone_of_zones(daemon, hall, yard):
    daemon.api.page(["all"], "bell")
    hall.wait_bytes(BELL)
    yard.wait_bytes(BELL)
    apart = abs(hall.packets[0].time - yard.packets[0].time)
    assert apart < 0.02
