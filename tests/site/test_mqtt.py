"""MQTT: commands, inputs, states, outages (real mosquitto)."""
import subprocess
import time

import pytest

from conftest import BELL, EVAC, NOTICE
from lib import wait

MQTT = 'mqtt { broker = "mqtt://10.9.0.5:1883" }\n'
INPUTS = MQTT + '''
input "gas" { mqtt = "plant/gas/+/level"  json = "value"  above = 40  clear-below = 30 }
input "door" { mqtt = "plant/door" }
alarm "gas" {
    inputs = { "gas" }  latch = false
    broadcast { message = "bell"  zones = { "hall" }  priority = "emergency" }
}
'''
T = "tocsin/test/"


def now():
    return time.time()


def connected(d):
    wait.until(lambda: d.api.get("/status")["mqtt"] == "connected", "the broker connection")


@pytest.fixture
def site_mqtt(broker, mqtt, make_daemon):
    """(daemon, client) with the broker up."""
    client = mqtt(broker)
    d = make_daemon(more=INPUTS)
    connected(d)
    return d, client


def command(client, verb, id, when=None, **body):
    client.publish(f"{T}command/{verb}", {"id": id, "time": now() if when is None else when,
                                          **body})


def test_page_and_reply(site_mqtt, hall):
    d, client = site_mqtt
    command(client, "page", "c1", zones=["hall"], message="notice")
    reply = client.wait(T + "reply/c1")
    assert reply["status"] == 201 and reply["result"]["message"] == "notice"
    hall.wait_bytes(NOTICE)
    command(client, "page", "c2", zones=["nowhere"], message="notice")
    reply = client.wait(T + "reply/c2")
    assert reply["status"] == 404 and reply["error"]["field"] == "zones"


def test_schedules(broker, mqtt, make_daemon, hall):
    """The plan is skipped, run and changed through a broker as through the API."""
    client = mqtt(broker)
    d = make_daemon(more=MQTT + '''
schedule "hourly" { every = "1h"  message = "bell"  zones = { "hall" } }
''')
    connected(d)
    command(client, "skip", "s1", name="hourly", count=2)
    reply = client.wait(T + "reply/s1")
    assert reply["status"] == 200 and reply["result"]["skipped_until"]
    command(client, "run", "s2", name="hourly")
    assert client.wait(T + "reply/s2")["status"] == 201
    hall.wait_bytes(BELL)
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now() + 3))
    command(client, "bell", "s3", at=soon, message="notice", zones=["hall"])
    made = client.wait(T + "reply/s3")
    assert made["status"] == 201 and made["result"]["actor"].startswith("mqtt")
    hall.wait_bytes(NOTICE)
    command(client, "day-type", "s4", type="normal", first="2001-01-01")
    assert client.wait(T + "reply/s4")["status"] == 409
    command(client, "unchange", "s5", change=77)
    assert client.wait(T + "reply/s5")["status"] == 404


def test_trigger_ack_reset(site_mqtt, hall):
    d, client = site_mqtt
    command(client, "trigger", "t1", name="panic")
    assert client.wait(T + "reply/t1")["status"] == 200
    hall.wait_bytes(EVAC)
    client.wait(T + "alarm/panic/state", lambda v: v["state"] != "normal")
    command(client, "ack", "t2", name="panic")
    assert client.wait(T + "reply/t2")["status"] == 200
    n = len(client.messages)
    command(client, "reset", "t3", name="panic")
    assert client.wait(T + "reply/t3")["status"] == 200
    client.wait(T + "alarm/panic/state", lambda v: v["state"] == "normal", n)
    hall.wait_quiet()


def test_nothing_old_fires(broker, mqtt, make_daemon, hall):
    """Retained, stale, future, repeated, nameless, unreadable: none acts."""
    client = mqtt(broker)
    body = {"zones": ["hall"], "message": "notice"}
    client.publish(T + "command/page", {"id": "old", "time": now(), **body}, retain=True)
    d = make_daemon(more=MQTT)
    connected(d)

    def ignored(part):
        return wait.until(lambda: [e for e in d.api.journal(type="command.refused")
                                   if part in e["text"]], f"the journal to tell of {part}")
    ignored("retain")
    command(client, "page", "stale", now() - 3600, **body)
    assert client.wait(T + "reply/stale")["status"] == 400
    command(client, "page", "future", now() + 3600, **body)
    assert client.wait(T + "reply/future")["status"] == 400
    client.publish(T + "command/page", {"time": now(), **body})  # no id
    client.publish(T + "command/page", {"id": "notime", **body})
    client.publish(T + "command/page", "{broken")
    client.publish(T + "command/page", b"\xff\xfe\x00")
    client.publish(T + "command/page", "x" * 70000)
    client.publish(T + "command/nonsense", {"id": "verb", "time": now()})
    assert client.wait(T + "reply/verb")["status"] == 404
    assert client.wait(T + "reply/notime")["status"] == 400
    assert not hall.packets and not d.api.get("/broadcasts")

    command(client, "page", "good", zones=["hall"], message="bell")
    hall.wait_bytes(BELL)
    hall.wait_quiet()
    n = hall.mark()
    m = len(client.messages)
    command(client, "page", "good", zones=["hall"], message="bell")
    assert client.wait(T + "reply/good", lambda v: v["status"] == 400, m)
    assert hall.mark() == n and not d.api.get("/broadcasts")


def test_command_of_an_outage_does_not_fire(site_mqtt, broker, hall, mqtt):
    """Sent while we were away, QoS 1: the broker has no session to keep it in."""
    d, client = site_mqtt
    d.stop()
    d.expect_dead = True
    command(client, "page", "away", zones=["hall"], message="notice")
    d.start()
    connected(d)
    command(client, "page", "here", zones=["hall"], message="bell")
    hall.wait_bytes(BELL)
    assert NOTICE[:160] not in hall.payload()


def test_input_with_window(site_mqtt, hall):
    d, client = site_mqtt

    def level(v):
        client.publish("plant/gas/7/level", {"value": v})
    level(20)
    wait.until(lambda: d.api.named("inputs", "gas")["quality"] == "good", "the first value")
    level(41)
    hall.wait_bytes(BELL)
    level(35)  # within the window: stays
    level(29)
    wait.until(lambda: d.api.get("/alarms/gas")["state"] == "normal", "the clear")
    hall.wait_quiet()


def test_unreadable_input_is_a_fault_not_an_alarm(site_mqtt, hall):
    d, client = site_mqtt
    client.publish("plant/gas/7/level", {"value": 20})
    wait.until(lambda: d.api.named("inputs", "gas")["quality"] == "good", "the first value")
    for junk in ('{"value": "NaN"}', "{broken", '{"other": 1}', b"\x00\xff"):
        client.publish("plant/gas/7/level", junk)
        wait.until(lambda: d.api.named("inputs", "gas")["quality"] == "fault", "the fault")
        assert "input:gas" in d.api.faults()
        client.publish("plant/gas/7/level", {"value": 21})
        wait.until(lambda: "input:gas" not in d.api.faults(), "the fault to clear")
    assert not hall.packets


def test_retained_input_starts_nothing(broker, mqtt, make_daemon, hall):
    client = mqtt(broker)
    client.publish("plant/gas/7/level", {"value": 90}, retain=True)
    d = make_daemon(more=INPUTS)
    connected(d)
    wait.until(lambda: [e for e in d.api.journal(type="input.ignored")], "it to be ignored")
    assert d.api.get("/alarms/gas")["state"] == "normal" and not hall.packets
    client.publish("plant/gas/7/level", {"value": 91})
    hall.wait_bytes(BELL)


def test_broker_restart(site_mqtt, broker, hall):
    d, client = site_mqtt
    client.publish("plant/door", "closed")
    wait.until(lambda: d.api.named("inputs", "door")["quality"] == "good", "the door")
    broker.stop()
    wait.until(lambda: "mqtt" in d.api.faults(), "the fault")
    fault = d.api.faults()["mqtt"]
    assert "10.9.0.5" in fault["text"] and fault["remedy"]
    assert d.api.named("inputs", "door")["quality"] == "fault", "lost is not clear"
    d.api.page(["hall"], "bell")
    hall.wait_bytes(BELL, "paging goes on")
    hall.wait_quiet()
    n = len(client.messages)
    seen = client.sessions
    broker.start()
    wait.until(lambda: client.sessions > seen, "the test's client")
    connected(d)
    wait.until(lambda: "mqtt" not in d.api.faults(), "the fault to clear")
    client.wait(T + "status", lambda v: v == "online", n)
    m = hall.mark()
    command(client, "page", "after", zones=["hall"], message="bell")
    hall.wait_bytes(BELL, "subscriptions are back", start=m)
    client.publish("plant/door", "open")
    wait.until(lambda: d.api.named("inputs", "door")["active"], "inputs are back")


def test_broker_down_at_start(make_daemon, make_broker, hall):
    d = make_daemon(more=MQTT)
    wait.until(lambda: "mqtt" in d.api.faults(), "the fault")
    assert "refused" in d.api.faults()["mqtt"]["text"]
    d.api.page(["hall"], "bell")
    hall.wait_bytes(BELL)
    make_broker()
    connected(d)


def test_states_are_retained(site_mqtt, mqtt, broker, hall):
    d, client = site_mqtt
    d.api.page(["hall"], "long")
    client.wait(T + "zone/hall/state", lambda v: v["playing"]
                and v["playing"]["message"] == "long")
    d.api.input("panic", True)
    client.wait(T + "input/panic/state", lambda v: v["active"])
    client.wait(T + "event", lambda v: v["type"] == "alarm.active")
    late = mqtt(broker)
    late.wait(T + "zone/hall/state", lambda v: v["playing"]["message"] == "evac")
    late.wait(T + "alarm/panic/state", lambda v: v["state"] == "active")
    late.wait(T + "status", lambda v: v == "online")
    assert late.latest[T + "status"][2], "retained"


def test_will(site_mqtt):
    d, client = site_mqtt
    client.wait(T + "status", lambda v: v == "online")
    n = len(client.messages)
    d.kill()
    client.wait(T + "status", lambda v: v == "offline", n)
    n = len(client.messages)
    d.start()
    client.wait(T + "status", lambda v: v == "online", n)
    n = len(client.messages)
    assert d.stop() == 0
    client.wait(T + "status", lambda v: v == "offline", n)
    d.expect_dead = True


def test_password_and_acl(make_broker, mqtt, make_daemon, tmp_path, hall):
    broker = make_broker(users={"tocsin": "secret", "plant": "other"},
                         acl="user tocsin\ntopic readwrite #\n\nuser plant\n"
                             "topic write tocsin/test/command/#\ntopic read #\n")
    client = mqtt(broker, user="plant", password="other")
    (tmp_path / "pw").write_text("wrong\n")
    d = make_daemon(more='mqtt { broker = "mqtt://10.9.0.5:1883"  user = "tocsin"  '
                         'password-file = "pw" }\n')
    wait.until(lambda: "mqtt" in d.api.faults(), "the fault")
    assert "wrong password" in d.api.faults()["mqtt"]["text"]
    (tmp_path / "pw").write_text("secret\n")
    connected(d)
    command(client, "page", "acl", zones=["hall"], message="bell")
    hall.wait_bytes(BELL)


def test_refused_by_the_access_list(make_broker, mqtt, make_daemon, hall):
    """Connected, but what we publish goes nowhere: a fault, told once."""
    broker = make_broker(acl="topic read #\ntopic write tocsin/test/status\n"
                             "topic write tocsin/test/command/#\n")
    d = make_daemon(more=MQTT)
    connected(d)
    wait.until(lambda: "mqtt:refused" in d.api.faults(), "the fault")
    assert "write access" in d.api.faults()["mqtt:refused"]["text"]
    assert not d.api.named("outputs", "fault")["active"]
    client = mqtt(broker)
    command(client, "page", "acl", zones=["hall"], message="bell")
    hall.wait_bytes(BELL, "commands still work")
    assert len(d.recorded("fault.raised")) == 1


FLOOD, PULSES = 10000, 50


def figure(d, name):
    text = d.api.raw("GET", "/metrics")[1].decode()
    return next(float(line.split()[-1]) for line in text.splitlines()
                if line.startswith(name + " "))


def test_flood(make_broker, make_daemon, hall, caller, site):
    """10,000 messages as fast as they go: each pulse among them is an alarm and nothing else
    is, page and calls go on, and memory does not grow from one flood to the next."""
    broker = make_broker(more="max_queued_messages 0")
    d = make_daemon(more=INPUTS)
    connected(d)
    every = FLOOD // PULSES
    lines = "".join(f'{{"value":{90 if i % every == every // 2 else i % 30}}}\n'
                    for i in range(FLOOD))
    alarms, rss = 0, []

    def flood(topic, text):
        return broker.host.popen(["mosquitto_pub", "-h", broker.host.ip, "-q", "1", "-t", topic,
                                  "-l"], stdin=subprocess.PIPE, text=True), text
    for turn in range(3):
        p, text = flood("plant/gas/7/level", lines)
        p.stdin.write(text)
        p.stdin.close()
        if turn == 1:
            n = hall.mark()
            d.api.page(["hall"], "notice", priority="evacuate")
            hall.wait_bytes(NOTICE, start=n)
            assert caller("701").agent.options() < 5
        assert p.wait(wait.PATIENCE) == 0
        wait.until(lambda: figure(d, "tocsin_mqtt_received_total") >= (turn + 1) * FLOOD,
                   "all of it")
        alarms += PULSES
        wait.until(lambda: len(d.recorded("alarm.active", limit=1000)) >= alarms, "each pulse")
        assert len(d.recorded("alarm.active", limit=1000)) == alarms
        with open(f"/proc/{d.proc.pid}/status") as f:
            rss.append(next(int(x.split()[1]) for x in f if x.startswith("VmRSS")))
    assert d.api.get("/alarms/gas")["state"] == "normal"
    assert rss[2] < 1.1 * rss[1], rss
