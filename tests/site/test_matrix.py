"""The alarm matrix in the daemon: modes, effects in order, phases, walk tests."""
import time

import pytest

from conftest import BELL, EVAC
from lib import wait
from lib.daemon import Refused

T = "tocsin/test/"

INTRUDER = '''
mqtt { broker = "mqtt://10.9.0.5:1883" }
mode "day" { }
mode "night" { input = "key" }
input "key" { virtual = true }
input "gate" { virtual = true }
output "siren" { virtual = true }
output "lamp" { virtual = true  follow = { "alarm:intruder" } }
output "door" { virtual = true  pulse = "200ms" }
alarm "intruder" {
    inputs = { "gate" }  modes = { "night" }
    broadcast { message = "evac"  zones = { "hall" }  priority = "urgent" }
    broadcast { message = "notice"  zones = { "yard" }  priority = "urgent"  after = "1h" }
    drive { output = "siren"  after = "200ms"  until = "ack" }
    drive { output = "door"  to = "pulse"  pulse = "200ms" }
    publish { topic = "plant/guard"  payload = "gate"  end-payload = "-" }
    hook { command = { "/bin/sh", "-c", "echo $TOCSIN_ALARM $TOCSIN_ACTOR > @out@" } }
}
'''


def alarm(d, name):
    return d.api.get(f"/alarms/{name}")


def on(d, output):
    return d.api.named("outputs", output)["active"]


def effects(d, name):
    return [e["state"] for e in alarm(d, name)["effects"]]


def test_mode_decides_and_effects_come_in_order(make_daemon, broker, mqtt, hall, tmp_path):
    out = tmp_path / "hook.txt"
    client = mqtt(broker)
    d = make_daemon(more=INTRUDER.replace("@out@", str(out)))
    wait.until(lambda: d.api.get("/status")["mqtt"] == "connected", "the broker")
    assert client.wait(T + "mode")["mode"] == "day"
    d.api.input("gate", True)
    assert d.api.named("inputs", "gate")["active"], "the input is shown"
    assert alarm(d, "intruder")["state"] == "normal" and alarm(d, "intruder")["excluded"]
    assert "in mode day" in d.recorded("alarm.held")[0]["text"]

    # The mode changes while its cause is there, over MQTT.
    client.publish(T + "command/mode", {"id": "m1", "time": time.time(), "mode": "night"})
    assert client.wait(T + "reply/m1")["status"] == 200
    client.wait(T + "mode", lambda v: v["mode"] == "night" and v["actor"] == "mqtt:m1")
    hall.wait_bytes(EVAC)
    client.wait("plant/guard", lambda v: v == "gate")
    wait.until(lambda: on(d, "siren") and on(d, "lamp"), "the siren and the lamp")
    wait.until(lambda: out.exists() and out.read_text().startswith("intruder"), "the hook")
    wait.until(lambda: not on(d, "door"), "the end of the pulse")
    assert effects(d, "intruder") == ["on", "waiting", "on", "on", "on", "on"]

    # Killed now, it comes back, and does once only what is done once.
    out.unlink()
    d.kill()
    mark = hall.mark()
    n = len(client.messages)
    d.start()
    hall.wait_bytes(EVAC, "the alarm again", start=mark)
    assert d.api.get("/mode")["mode"] == "night" and d.api.get("/mode")["by"] == "hand"
    assert effects(d, "intruder") == ["on", "waiting", "on", "on", "on", "on"]
    wait.until(lambda: on(d, "siren") and on(d, "lamp"), "the siren and the lamp again")
    d.api.input("gate", False)
    d.api.post("/alarms/intruder/ack")
    assert not on(d, "siren") and effects(d, "intruder")[2] == "over"
    # Day again, and what has begun goes on.
    assert d.ctl("mode", "auto").stdout.strip().endswith("day")
    assert alarm(d, "intruder")["state"] == "latched-acknowledged"
    d.api.post("/alarms/intruder/reset")
    hall.wait_quiet()
    client.wait("plant/guard", lambda v: v == "-", start=n)
    assert not out.exists()
    assert not [m for m in client.messages[n:] if m[0] == "plant/guard" and m[1] == "gate"]

    # A hand on the key is the later one.
    d.api.post("/mode", {"mode": "night", "for": "1h"})
    d.api.input("key", True)
    assert d.api.get("/mode")["by"] == "key"
    d.api.input("key", False)
    assert d.api.get("/mode") | {"mode": "day"} == d.api.get("/mode")
    with pytest.raises(Refused):
        d.api.post("/mode", {"mode": "dusk"})
    assert d.ctl("output", "lamp", "pulse", "--for", "1h").returncode == 0
    assert on(d, "lamp") and d.ctl("output", "lamp", "off").returncode == 0
    assert not on(d, "lamp")


PHASES = '''
input "e1" { virtual = true }
input "e2" { virtual = true }
alarm "fire" {
    inputs = { "e1", "e2" }
    phase "east" { for = "1h"  votes = 2 }
    phase "west" { }
    phase "all" { }
    broadcast { message = "evac"  zones = { "hall" }  priority = "evacuate" }
    broadcast { message = "bell"  zones = { "yard" }  priority = "alert"  phases = { "east" } }
    broadcast { message = "evac"  zones = { "yard" }  priority = "evacuate"
                phases = { "west", "all" } }
}
'''


def test_phases_move_on_and_survive(make_daemon, hall, yard):
    d = make_daemon(more=PHASES)
    d.api.input("e1", True)
    hall.wait_bytes(EVAC)
    yard.wait_bytes(BELL)
    assert alarm(d, "fire")["phase"]["name"] == "east"
    assert d.ctl("hold", "fire").returncode == 0
    held = alarm(d, "fire")["phase"]
    d.recorded("alarm.phase", lambda e: "held" in e["text"])
    assert held["held"] and 3000 < held["left_s"] <= 3600
    d.kill()
    d.start()
    back = alarm(d, "fire")["phase"]
    assert back["name"] == "east" and back["held"] and back["left_s"] == held["left_s"]
    d.api.post("/alarms/fire/release")
    d.recorded("alarm.phase", lambda e: "released" in e["text"])
    d.kill()
    mark = yard.mark()
    d.start()
    back = alarm(d, "fire")["phase"]
    assert back["name"] == "east" and not back["held"] and 3000 < back["left_s"] <= 3600
    yard.wait_bytes(BELL, "the alert again", start=mark)
    # A further cause moves on; hall goes on, yard changes.
    d.api.input("e1", True)
    d.api.input("e2", True)
    yard.wait_bytes(EVAC)
    assert alarm(d, "fire")["phase"]["name"] == "west"
    evac = alarm(d, "fire")["broadcasts"][0]
    assert d.ctl("advance", "fire").returncode == 0
    assert alarm(d, "fire")["phase"]["number"] == 3
    assert alarm(d, "fire")["broadcasts"][0] == evac, "in all phases: not begun anew"
    with pytest.raises(Refused) as no:
        d.api.post("/alarms/fire/advance")
    assert "last phase" in str(no.value)
    d.api.input("e1", False)
    d.api.input("e2", False)
    d.api.post("/alarms/fire/reset")
    hall.wait_quiet()
    assert alarm(d, "fire")["phase"] is None


def test_walk_test(make_daemon, hall, yard, listen):
    d = make_daemon(more=PHASES)
    assert d.ctl("walk-test", "start", "--alarm", "fire").returncode != 0, "it needs an end"
    done = d.ctl("walk-test", "start", "--alarm", "fire", "--for", "1h", "--sound", "yard",
                 "--message", "bell")
    assert done.returncode == 0, done.stderr
    assert "walk-test:1" in d.api.faults()
    assert d.api.get("/status")["walk_tests"] == 1
    d.api.input("e1", True)
    yard.wait_bytes(BELL, "the answer")
    d.api.input("e1", False)
    assert alarm(d, "fire")["state"] == "normal" and not hall.packets
    d.kill()
    d.start()
    report = d.api.get("/walk-tests/1")
    assert (report["state"], report["tested"], report["missing"]) == ("running", 1, ["e2"])
    d.api.input("e1", True)
    assert alarm(d, "fire")["state"] == "normal"
    # Others alarm as ever.
    d.api.input("panic", True)
    hall.wait_bytes(EVAC)
    d.api.input("panic", False)
    d.api.post("/alarms/panic/reset")
    hall.wait_quiet()
    mark = hall.mark()
    assert d.ctl("walk-test", "stop", "1").returncode == 0
    assert "not: e2" in d.recorded("walktest.ended")[0]["text"]
    assert "walk-test:1" not in d.api.faults()
    hall.wait_bytes(EVAC, "what is active when the test ends", start=mark)
    with pytest.raises(Refused):
        d.api.post("/walk-tests", {"alarm": "fire", "for": "1h"})
