"""PINs, the menu of zones and emergency numbers: what a caller does with keys."""
import os

import pytest

from conftest import EVAC, HALL
from lib import audio, wait
from lib.sip import Call

TALK = audio.codes(1.5, 71)

MORE = '''
peer "10.9.0.13/32" { allow = { "alarm" } }
zone "vault" {
    extension = "704"  pin-file = "vault.pin"  zones = { "hall" }
}
code "799" { zones = { "yard", "vault" } }
code "112" { alarm = "tunnel" }
code "113" { alarm = "tunnel"  pin-file = "vault.pin" }
alarm "tunnel" { broadcast { message = "evac"  zones = { "hall" }  priority = "evacuate" } }
'''


@pytest.fixture
def daemon(make_daemon, tmp_path):
    pin = tmp_path / "vault.pin"
    pin.write_text("2468\n")
    os.chmod(pin, 0o600)
    return make_daemon(more=MORE)


def state(d):
    return [c["state"] for c in d.api.get("/calls")]


def keys(call, text):
    for n, k in enumerate(text):
        # A telephone may tell a key in both ways: it is one press. The first one only: an
        # INFO may overtake the RTP of a key before it, and the last may end the call.
        call.press(k)
        if n == 0:
            call.inform(k)


def tone(call, n=0):
    return call.rtp.wait_for(lambda ps: len(ps) > n + 5 and audio.level_dbfs(call.rtp.pcm(n)) > -45,
                             "a tone")


def ask(call):
    """Dialled, and asked for keys."""
    call.dial(pts=(0, 101))
    tone(call)
    return call


def test_pin(daemon, hall, caller):
    call = ask(caller("704"))
    assert state(daemon) == ["entering"]
    keys(call, "1234#")
    daemon.recorded("call.pin-wrong", lambda e: "vault" in e["text"])
    # * begins again.
    keys(call, "99*2468#")
    wait.until(lambda: state(daemon) == ["talking"], "the page")
    hall.wait_talk(TALK, call.talk(TALK))
    call.bye()
    wait.until(lambda: not state(daemon), "the end")
    assert "2468" not in daemon.log() and "2468" not in str(daemon.api.journal())
    # Three wrong ones end a call, two more lock him out, the right one too.
    call = ask(caller("704"))
    keys(call, "1111#2222#3333#")
    call.wait_bye()
    call = ask(caller("704"))
    keys(call, "4444#5555#")
    call.wait_bye()
    assert daemon.recorded("call.pin-locked")[0]["data"]["lock_ms"] == 60000
    caller("704").invite().final(403)
    # Zones without a PIN are as they were.
    caller("702").dial().bye()


def test_menu(daemon, hall, yard, caller):
    call = ask(caller("799"))
    assert daemon.api.get("/calls")[0] | {"code": "799", "zone": None} == daemon.api.get("/calls")[0]
    assert "799" in daemon.ctl("calls").stdout
    # A zone that is there, but not of this menu.
    n = call.rtp.mark()
    keys(call, "701#")
    tone(call, n)
    keys(call, "702#")
    wait.until(lambda: state(daemon) == ["talking"], "the page")
    yard.wait_talk(TALK, call.talk(TALK))
    call.bye()
    # One with a PIN asks for it.
    call = ask(caller("799"))
    keys(call, "704#")
    keys(call, "2468#")
    wait.until(lambda: state(daemon) == ["talking"], "the page")
    hall.wait_talk(TALK, call.talk(TALK))
    call.bye()


def test_emergency_number(daemon, hall, caller, agent):
    # Who may page may not for that.
    assert "Alarms Not Allowed" in caller("112").invite().final(403).first
    phone = agent("bystander")
    assert "Paging Not Allowed" in Call(phone, "701", rtp=True).invite().final(403).first
    call = Call(phone, "112", rtp=True).dial()
    hall.wait_bytes(EVAC)
    tone(call)
    call.wait_bye()
    event = daemon.recorded("alarm.active", lambda e: "tunnel" in e["text"])[0]
    assert "10.9.0.13" in event["actor"]
    daemon.api.post("/alarms/tunnel/ack")
    daemon.api.post("/alarms/tunnel/reset")
    # With a PIN before it.
    start = hall.mark()
    call = ask(Call(phone, "113", rtp=True))
    assert daemon.api.get("/alarms/tunnel")["state"] == "normal"
    keys(call, "2468#")
    hall.wait_bytes(EVAC, start=start)
    call.wait_bye()
