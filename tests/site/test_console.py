"""The web console: a person's screens in a real browser against the real daemon."""
import datetime
import os
import pathlib
import subprocess

import pytest

from conftest import EVAC, config
from lib import audio, wait
from lib.browser import Browser
from lib.daemon import BUILD
from lib.sip import Call
from lib.tls import Authority

HOME = "https://10.9.0.1:8443"
SHOTS = pathlib.Path(BUILD) / "console"
A11Y = (pathlib.Path(__file__).parent / "lib" / "a11y.js").read_text()
MORE = '''
user "desk" { password-hash = "@hash@"  role = "operator" }
user "peek" { password-hash = "@hash@"  role = "viewer" }
peer "10.9.0.13/32" { allow = { "help" } }
operators "room" { stage "desk" { ring = { "sip:desk@10.9.0.5" }  for = "60s" } }
helppoint "platform-2" { from = "10.9.0.13"  operators = "room"  location = "Platform 2, north" }
schedule "shift" { days = "mon-sun"  at = { "05:55", "13:55", "21:55" }
                   message = "bell"  zones = { "hall" }  priority = "bell" }
'''


@pytest.fixture
def desk(make_daemon, site, cleanup, tmp_path):
    """A daemon with users and a browser at its log-in."""
    hash = subprocess.run(["openssl", "passwd", "-6", "pw"], capture_output=True, text=True,
                          check=True).stdout.strip()
    pem, key = Authority(tmp_path).issue("ctl", "IP:10.9.0.1")
    (tmp_path / "web.pem").write_text(pem.read_text() + key.read_text())
    text = config(more=MORE.replace("@hash@", hash)).replace(
        "web {", 'web { listen = "10.9.0.1:8443"  tls-cert = "web.pem" ')
    d = make_daemon(text=text)
    b = Browser(site["ctl"], tmp_path / "chromium")
    cleanup.callback(b.close)
    return d, b


def shot(b, name):
    b.screenshot(SHOTS / f"{name}.png")


def looks_right(b, name):
    wrong = b.eval(A11Y)
    shot(b, name)
    assert not wrong, f"{name}: {wrong}"


def enter(b, user="desk"):
    b.open(HOME)
    b.type("#user", user)
    b.type("#password", "pw")
    b.click("button", "Log in")
    b.wait(".bar", "test")


def screen(b, name):
    b.click(f"nav a[href='#{name}']")
    b.wait(f"nav a[href='#{name}'][aria-current=page]")


def tomorrow():
    return (datetime.date.today() + datetime.timedelta(1)).isoformat()


def alarm(d):
    return d.api.get("/alarms/panic")["state"]


def test_console(desk, hall, agent):
    d, b = desk

    # The door: a wrong password says so, a right one opens.
    b.open(HOME)
    b.type("#user", "desk")
    b.type("#password", "no")
    b.key("Enter")
    b.wait(".bad", "Wrong user or password.")
    looks_right(b, "login")
    enter(b)

    # All is well; then an alarm: what began it, acknowledged, held to reset.
    b.wait(".well", "No alarm and no fault.")
    looks_right(b, "now-well")
    d.api.input("panic", True)
    b.wait(".card.bad", "panic")
    b.wait(".card .why", "panic")
    b.wait(".lamp.bad", "1 alarm")
    b.wait(".zone.bad", "evac")
    wait.until(lambda: b.eval("Number(document.querySelector('.zone.bad [role=meter]').ariaValueNow)") > -60, "a level")
    looks_right(b, "now-alarm")
    # He logged in anew in another window, whose token this one does not know.
    again = """fetch('/api/v1/session', { method: 'POST', headers: { 'Content-Type': 'application/json' },
        body: '{"user": "desk", "password": "pw"}' }).then((r) => r.status)"""
    assert b.eval(again) == 204
    b.click("button", "Acknowledge")
    wait.until(lambda: alarm(d) == "acknowledged", "the acknowledgement")
    b.wait(".card", "The cause is still there.")
    wait.until(lambda: b.eval("1") and [e for e in b.errors if "403" in e], "its refusal")
    b.errors.clear()
    d.api.input("panic", False)
    b.wait(".card", "The cause is gone")
    b.click("button.hold", "Reset")  # too short
    b.wait("#said", "Hold to confirm")
    assert alarm(d) == "latched-acknowledged"
    b.hold("button.hold", "Reset", lambda: alarm(d) == "normal")
    b.wait(".well", "No alarm")

    # A zone is made softer.
    b.wait(".empty", "Nothing sounds or waits.")
    b.click(".zone summary", "Volume 0 dB")
    b.click(".zone button", "hall softer")
    b.wait(".zone", "Volume -3 dB")
    assert d.api.get("/zones/hall")["volume_db"] == -3
    b.click(".zone button", "hall as configured")
    b.wait(".zone summary", "Volume 0 dB")
    wait.until(lambda: d.api.get("/zones/hall")["volume_db"] == 0, "its own volume")

    # To announce: zones, a message, an urgency; stop.
    screen(b, "talk")
    b.click(".choice", "hall")
    b.click(".choice", "long")
    looks_right(b, "talk")
    n = hall.mark()
    b.click("button.huge", "Sound in 1 zone")
    hall.wait_for(n + 5)
    b.wait(".card.on", "user:desk")
    b.click("button", "Stop")
    hall.wait_quiet()
    # An emergency is held; let go too early it does nothing, and by key it is as well.
    b.click(".choice", "evac")
    b.click(".choice", "Evacuate")
    b.click("button.huge", "Hold")
    assert d.api.get("/broadcasts") == []
    b.eval("document.querySelector('button.huge').focus()")
    b.key(" ", up=False)
    sounds = wait.until(lambda: d.api.get("/broadcasts"), "the emergency")
    assert sounds[0]["level"] == 250 and sounds[0]["actor"] == "user:desk"
    hall.wait_bytes(EVAC)
    b.wait(".card.bad", "message evac")
    b.key("Escape")
    looks_right(b, "talk-emergency")
    # Who cannot hold presses twice: a screen reader's clicks have no pointer.
    press = "[...document.querySelectorAll('.card.bad button.hold')].find((e) => e.innerText === 'Stop').click()"
    b.eval(press)
    b.wait("#said", "Press again")
    assert d.api.get("/broadcasts")
    b.eval(press)
    wait.until(lambda: d.api.get("/broadcasts") == [], "its end")
    # Words to be spoken.
    b.click(".tab", "Speech")
    b.type("#talk-text", "<b>Gate</b> five & six")
    b.click(".choice", "Page")
    b.choose("#talk-repeat", "10")
    b.click("button.huge", "Sound in")
    b.wait(".card.on", "user:desk")
    b.click(".card button", "Stop")
    wait.until(lambda: d.api.get("/broadcasts") == [], "its end")

    # What was done is in the journal, with who and why.
    screen(b, "journal")
    b.type("#j-words", "alarm.reset panic")
    b.wait(".event", "user:desk")
    b.type("#j-words", "broadcast.started evac")
    b.click(".event button", "Why")
    b.wait(".chain li")
    looks_right(b, "journal")

    # A call for help.
    screen(b, "calls")
    b.wait(".empty", "Nobody calls for help.")
    call = Call(agent("bystander"), "help", rtp=True)
    call.invite()
    b.wait(".card.bad", "Platform 2, north")
    b.wait(".lamp.bad", "1 call for help")
    looks_right(b, "calls")
    b.hold("button.hold", "End the call", lambda: d.api.get("/calls") == [])
    b.wait(".empty", "Nobody calls for help.")

    # Bells, devices, messages.
    screen(b, "plan")
    b.wait(".bell", "05:55")
    assert b.eval("document.querySelectorAll('.bell').length") >= 20
    b.click(".bell summary", "Change")
    b.hold("button.hold", "Leave out", lambda: "skipped_until" in d.api.get("/schedules/shift"))
    b.wait(".bell.off", "left out")
    b.choose("#change-at", tomorrow() + "T10:00")
    b.choose("#change-message", "notice")
    b.choose("#change-zone", "yard")
    b.click("button", "Add")
    b.wait("tbody tr", "notice in yard")
    b.wait(".bell", "one-off")
    assert [c["actor"] for c in d.api.get("/schedule-changes")] == ["user:desk"]
    looks_right(b, "plan")
    b.click(".tab", "Month")
    b.click(".cell", "10:00")
    b.wait("section.day .bell", "one-off")
    looks_right(b, "plan-month")
    b.click("tbody button", "Take back")
    wait.until(lambda: d.api.get("/schedule-changes") == [], "no change")
    screen(b, "field")
    b.wait("tr", "panic")
    b.hold("button.hold", "Activate: second", lambda: d.api.named("inputs", "second")["active"])
    b.wait("tr.on", "second")
    looks_right(b, "field")
    d.api.input("second", False)
    d.api.post("/alarms/panic/reset")
    screen(b, "sounds")
    b.click("button", "Show the sound: notice")
    b.wait("svg.wave")
    audio.write_wav(d.dir / "new.wav", audio.ulaw(audio.codes(1.0, 7)))
    b.type("#up-name", "new")
    b.attach("#up-file", d.dir / "new.wav")
    b.click("button", "Upload")
    b.wait(".card", "version 1 by user:desk")
    b.click("button", "Listen: long")
    b.wait(".card button", "Pause")
    audio.write_wav(d.dir / "newer.wav", audio.ulaw(audio.codes(2.0, 8)))
    b.type("#up-name", "new")
    b.attach("#up-file", d.dir / "newer.wav")
    b.click("button", "Upload")
    b.wait(".card", "version 2 by user:desk")
    b.click("button", "Versions: new")
    b.wait(".version", "Version 2")
    looks_right(b, "sounds")
    b.hold("button.hold", "Go back to it: new 1", lambda: d.api.get("/messages/new")["version"] == 1)
    b.wait(".card", "version 1 by user:desk")

    # Languages have the same words; dark, and a tablet on end.
    missing = b.eval("""import('/ui/text.js').then(({ tables }) => {
        const plural = (k) => /\\.(few|many)$/.test(k), keys = Object.keys(tables.en);
        return Object.values(tables).flatMap((x) => [...keys.filter((k) => !(k in x)),
            ...Object.keys(x).filter((k) => !plural(k) && !keys.includes(k))]); })""")
    assert missing == []
    b.scheme("dark")
    b.choose("#language", "de")
    b.wait("nav", "Durchsage")
    looks_right(b, "sounds-de-dark")
    b.resize(600, 960, touch=True)
    b.choose("#language", "ru")
    for name in ("now", "talk", "calls", "plan", "field", "journal"):
        screen(b, name)
        looks_right(b, f"{name}-ru-dark-narrow")

    # A daemon that is away is seen, and is found again.
    d.kill()
    b.wait(".lamp.bad", "Нет связи")
    b.errors.clear()  # connections refused
    d.start()
    b.wait(".door")
    b.errors.clear()  # its sessions are over: 401

    # One who may look only.
    b.resize(1280, 800)
    b.choose("#language", "en")
    enter(b, "peek")
    screen(b, "talk")
    b.wait("main", "You may look, but not act.")
    b.click("button", "Log out")
    b.wait(".door")
    assert all(u.startswith((HOME + "/", "about:", "data:")) for u in b.requests), b.requests
    # Who nobody is yet is asked for, and refused.
    assert not [e for e in b.errors if "/api/v1/session" not in e], b.errors


def test_files(daemon):
    """Each file of web/ui is served, and as what it is."""
    types = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "html": "text/html",
             "json": "application/manifest+json"}
    for name in os.listdir(pathlib.Path(__file__).parents[2] / "web" / "ui"):
        status, body, r = daemon.api.raw("GET", "/" if name == "index.html" else f"/ui/{name}")
        assert status == 200 and body, name
        assert r.getheader("Content-Type").split(";")[0] == types[name.split(".")[-1]]
