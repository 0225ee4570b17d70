"""MQTT: several brokers, TLS, access lists, half-open connections (real mosquitto)."""
import base64
import hashlib
import json
import time

from conftest import BELL
from lib import wait
from lib.tls import Authority

T = "tocsin/test/"


def connected(d):
    wait.until(lambda: d.api.get("/status")["mqtt"] == "connected", "the broker connection")


def fault(d, key, *parts):
    """The fault with this key, once its text holds all the parts."""
    f = wait.until(lambda: d.api.faults().get(key) and all(
        p in d.api.faults()[key]["text"] for p in parts) and d.api.faults()[key],
        f"the fault {key} to say {parts}")
    assert f["remedy"]
    return f


def healed(d, key):
    wait.until(lambda: key not in d.api.faults(), f"the fault {key} to clear")


def command(client, verb, id, **body):
    client.publish(f"{T}command/{verb}", {"id": id, "time": time.time(), **body})


def test_fail_over_and_back(make_broker, mqtt, make_daemon, hall):
    a, b = make_broker(), make_broker("yard")
    at_a, at_b = mqtt(a), mqtt(b)
    d = make_daemon(more='mqtt { broker = { "mqtt://10.9.0.5", "mqtt://10.9.0.12" }  '
                         'fail-back = "1s" }\n')
    at_a.wait(T + "status", lambda v: v == "online")
    wait.until(lambda: [k for k in d.api.faults() if k.startswith("mqtt")] == [], "no fault")

    a.stop()
    at_b.wait(T + "status", lambda v: v == "online")
    fault(d, "mqtt:broker-1", "10.9.0.5", "refused")
    assert d.api.get("/status")["mqtt_broker"] == "10.9.0.12:1883"
    healed(d, "mqtt")
    at_b.wait(T + "zone/hall/state")
    command(at_b, "page", "b1", zones=["hall"], message="bell")
    assert at_b.wait(T + "reply/b1")["status"] == 201
    hall.wait_bytes(BELL)

    seen, n = at_a.sessions, len(at_b.messages)
    a.start()
    wait.until(lambda: at_a.sessions > seen, "the test's client")
    at_a.wait(T + "status", lambda v: v == "online")
    at_b.wait(T + "status", lambda v: v == "offline", n)  # it left a farewell
    healed(d, "mqtt:broker-1")
    command(at_a, "page", "a1", zones=["hall"], message="bell")
    assert at_a.wait(T + "reply/a1")["status"] == 201
    # The reserve is watched while it is not needed.
    b.stop()
    fault(d, "mqtt:broker-2", "10.9.0.12", "refused")
    assert d.api.get("/status")["mqtt"] == "connected"


def test_cut_cable_and_late_events(broker, mqtt, make_daemon, site):
    """Nobody closes the connection: noticed by keep-alive; events come late, in order."""
    client = mqtt(broker)
    d = make_daemon(more='mqtt { broker = "mqtt://10.9.0.5"  keepalive = "5s" }\n')
    client.wait(T + "status", lambda v: v == "online")
    n = len(client.messages)
    site["ctl"].link("down")
    try:
        for i in range(5):
            d.api.post("/outputs/beacon", {"active": i % 2 == 0})
        fault(d, "mqtt")
        assert any(p in d.api.faults()["mqtt"]["text"] for p in ("no answer for 5 s", "no route",
                                                                 "unreachable"))
        d.api.post("/outputs/beacon", {"active": False})
        d.api.post("/outputs/beacon", {"active": True})
    finally:
        site["ctl"].link("up")
    connected(d)
    d.api.post("/outputs/beacon", {"active": False})

    def outputs():
        return [json.loads(p) for t, p, _ in client.messages[n:]
                if t == T + "event" and '"output.changed","subject":"output:beacon"' in p]
    events = wait.until(lambda: len(outputs()) >= 8 and outputs(), "the events")
    assert [e["id"] for e in events] == sorted(e["id"] for e in events), "in order"
    assert [e["data"]["active"] for e in events] == [True, False] * 4
    assert [e.get("late") for e in events] == [True] * 7 + [None]
    assert d.recorded("output.changed", lambda e: e["id"] == events[6]["id"])
    journal = {e["id"]: e["time"] for e in d.api.journal(type="output.changed")}
    assert all(journal[e["id"]] == e["time"] for e in events[:7]), "the time is that of the event"
    assert d.recorded("mqtt.connected", lambda e: "follow late" in e["text"])
    client.wait(T + "output/beacon/state", lambda v: v["active"] is False, n)


def test_certificates(make_broker, mqtt, make_daemon, tmp_path, hall):
    """Expired, of another host, one that does not know ours: each says so; the fourth serves."""
    ca, other = Authority(tmp_path, "ca"), Authority(tmp_path, "other")
    ip = "IP:10.9.0.5"
    own, own_key = ca.issue("tocsin", "DNS:tocsin")
    files = {
        8881: (ca.issue("old", ip, end="20210101000000Z"), ca.pem),
        8882: (ca.issue("elsewhere", "IP:10.9.0.99"), ca.pem),
        8883: (ca.issue("suspicious", ip), other.pem),
        8884: (ca.issue("good", ip), ca.pem),
    }
    more = "allow_anonymous true\n" + "".join(
        f"listener {port} 10.9.0.5\ncertfile {cert}\nkeyfile {key}\ncafile {clients}\n"
        f"require_certificate true\n" for port, ((cert, key), clients) in files.items())
    broker = make_broker(more=more)
    client = mqtt(broker)
    brokers = ", ".join(f'"mqtts://10.9.0.5:{p}"' for p in files)
    d = make_daemon(more=f'mqtt {{ broker = {{ {brokers} }}  ca = "{ca.pem}"\n'
                         f'cert = "{own}"  key = "{own_key}" }}\n')
    fault(d, "mqtt:broker-1", "not trusted", "has expired")
    fault(d, "mqtt:broker-2", "not trusted", "mismatch")
    fault(d, "mqtt:broker-3", "10.9.0.5:8883", "trust our certificate")
    connected(d)
    command(client, "page", "tls", zones=["hall"], message="bell")
    assert client.wait(T + "reply/tls")["status"] == 201
    hall.wait_bytes(BELL)

    # Put right, it is the first again.
    (cert, key), _ = files[8881]
    new, new_key = ca.issue("new", ip)
    broker.stop()
    cert.write_bytes(new.read_bytes())
    key.write_bytes(new_key.read_bytes())
    broker.start()
    healed(d, "mqtt:broker-1")
    connected(d)


def user(name, password, roles):
    salt = b"0123456789ab"
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return {"username": name, "salt": base64.b64encode(salt).decode(), "iterations": 101,
            "password": base64.b64encode(key).decode(),
            "roles": [{"rolename": r} for r in roles]}


def test_refused_subscription(make_broker, make_daemon, tmp_path, mqtt):
    """An access list that speaks of subscriptions (mosquitto's dynamic security)."""
    def rules(*more):
        return json.dumps({
            "defaultACLAccess": {"publishClientSend": True, "publishClientReceive": True,
                                 "subscribe": False, "unsubscribe": True},
            "clients": [user("tocsin", "secret", ["site"]), user("plant", "other", ["all"])],
            "roles": [
                {"rolename": "site", "acls": [
                    {"acltype": "subscribePattern", "topic": t, "allow": True}
                    for t in ("tocsin/test/command/+", *more)]},
                {"rolename": "all", "acls": [
                    {"acltype": "subscribePattern", "topic": "#", "allow": True}]},
            ]})
    plugin = "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so"
    state = tmp_path / "dynsec.json"
    state.write_text(rules())
    broker = make_broker(more=f"plugin {plugin}\nplugin_opt_config_file {state}\n"
                              "allow_anonymous false\n", users=None)
    (tmp_path / "pw").write_text("secret\n")
    d = make_daemon(more='mqtt { broker = "mqtt://10.9.0.5"  user = "tocsin"  '
                         'password-file = "pw" }\ninput "door" { mqtt = "plant/door" }\n')
    connected(d)
    f = fault(d, "mqtt:unread", '"plant/door"', "read access")
    assert "Not authorized" in f["text"]
    assert not d.api.named("outputs", "fault")["active"]
    client = mqtt(broker, user="plant", password="other")
    broker.stop()
    state.write_text(rules("plant/door"))
    broker.start()
    healed(d, "mqtt:unread")
    connected(d)
    client.wait(T + "status", lambda v: v == "online")
    wait.until(lambda: client.client.is_connected(), "the test's client")
    client.publish("plant/door", "open")
    wait.until(lambda: d.api.named("inputs", "door")["active"], "the input")
