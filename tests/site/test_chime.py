"""A chime before live pages, and amplifiers that wake before them."""
import pytest

from conftest import BELL, EVAC, LONG
from lib import audio, wait
from lib.rtp import check_continuous

CHIME = 'chime = "bell"'
TALK = audio.codes(2.0, 60)
SHED = '''
zone "shed" {
    extension = "704"  lead = "400ms"  chime = "%s"
    multicast "239.192.7.4:5004" { codec = "pcmu"  interface = "eth0" }
}
'''


def calls(d):
    return d.api.get("/calls")


def loud(packets):
    return [p for p in packets if audio.level_dbfs(audio.ulaw(p.payload)) > -45]


def wait_go_ahead(call, start=0):
    """Until the caller hears a tone; its first packet."""
    call.rtp.wait_for(lambda ps: loud(ps[start:]), "the go-ahead tone")
    return loud(call.rtp.since(start))[0]


def is_talk(packets, talk=TALK):
    return any(p.payload in talk + talk for p in packets if len(p.payload) == 160)


def test_zones_hear_the_chime_and_the_caller_when_to_talk(make_daemon, hall, caller):
    d = make_daemon(sip=CHIME)
    call = caller("701").dial()
    early = call.talk(LONG)
    at = hall.wait_bytes(BELL, "the chime")
    tone = wait_go_ahead(call)
    early.stop()
    last = hall.packets[(at + len(BELL)) // 160 - 1]
    assert tone.time > last.time, "the go-ahead came before the end of the chime"
    assert not is_talk(hall.since(0)[:(at + len(BELL)) // 160], LONG), "the chime alone"
    assert len(d.api.get("/broadcasts")) == 1
    assert len(d.api.journal(type="broadcast.sounding")) == 1
    call.bye()
    hall.wait_quiet()
    check_continuous(hall.packets)


def test_first_words_are_not_lost(make_daemon, hall, caller):
    make_daemon(sip=CHIME)
    call = caller("701").dial()
    hall.wait_bytes(BELL, "the chime")
    wait_go_ahead(call)
    hall.wait_talk(TALK, call.talk(TALK), what="the talk from its first word")
    check_continuous(hall.packets)


@pytest.mark.parametrize("chime", ["bell", ""])
def test_amplifiers_wake_before_the_caller_talks(make_daemon, listen, caller, chime):
    make_daemon(sip='chime = "notice"', more=SHED % chime)
    shed = listen("hall", ("239.192.7.4", 5004))
    call = caller("704").dial()
    sender = call.talk(LONG)
    tone = wait_go_ahead(call)
    shed.wait_for(lambda ps: is_talk(ps, LONG), "the caller")
    sender.stop()
    if chime:
        assert shed.wait_bytes(BELL) == 20 * 160, "silence for the lead, then the chime"
        at = 20 + len(BELL) // 160
    else:
        at = 19
    assert not loud(shed.packets[:19]), "silence for the lead"
    assert not is_talk(shed.packets[:at], LONG)
    assert tone.time > shed.packets[at].time - 0.02


def test_hang_up_within_the_chime(make_daemon, hall, caller):
    d = make_daemon(sip='chime = "notice"')
    call = caller("701").dial()
    call.talk(LONG)
    hall.wait_for(lambda ps: len(loud(ps)) > 10, "the chime")
    assert calls(d)
    call.bye()
    hall.wait_quiet()
    wait.until(lambda: not calls(d) and not d.api.get("/broadcasts"), "the page to be gone")
    assert len(hall.packets) < 140, "the chime ended with the call"
    assert not is_talk(hall.packets, LONG)
    assert not loud(call.rtp.packets), "no go-ahead"


def test_alarm_within_the_chime(make_daemon, hall, caller):
    d = make_daemon(sip='preempted = "wait"  preempt-wait = "60s"  chime = "bell"')
    call = caller("701").dial()
    hall.wait_for(lambda ps: len(loud(ps)) > 5, "the chime")
    n = call.rtp.mark()
    d.api.input("panic", True)
    hall.wait_bytes(EVAC)
    assert calls(d)[0]["state"] == "preempted"
    call.rtp.wait_for(lambda ps: loud(ps[n:]), "the preempted tone")
    start = hall.mark()
    d.api.input("panic", False)
    d.api.post("/alarms/panic/reset")
    hall.wait_bytes(BELL[:4800], "the chime from its beginning", start=start)
    n = call.rtp.mark()
    assert calls(d)[0]["state"] == "talking"
    tone = wait_go_ahead(call, n)
    at = hall.wait_bytes(BELL, "the whole chime", start=start)
    assert tone.time > hall.packets[start + (at + len(BELL)) // 160 - 1].time
    hall.wait_talk(TALK, call.talk(TALK), start=start, what="the talk")
    check_continuous(hall.packets)


def test_alarm_within_the_chime_ends_the_call(make_daemon, hall, caller):
    d = make_daemon(sip='preempted = "end"  chime = "notice"')
    call = caller("701").dial()
    hall.wait_for(lambda ps: len(loud(ps)) > 5, "the chime")
    d.api.input("panic", True)
    bye = call.wait_bye()
    assert "preemption" in bye.get("reason", "")
    hall.wait_bytes(EVAC)
    check_continuous(hall.packets)
