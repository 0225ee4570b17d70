"""Doors beside MQTT and the API, each with a peer that is not ours."""
import json
import os
import time

from conftest import NOTICE
from lib import cap, receivers, wait
from lib.signed import send, sha256, standard

SECRET = "0123456789abcdef0123456789abcdef"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

WEBHOOKS = '''
webhook "cam"   { secret-file = "cam.key"  rate = 100 }
webhook "scada" { secret-file = "scada.key"  scheme = "standard-webhooks"
                  allow = { "page", "stop" }  zones = { "hall" } }
input "gas" { webhook = "cam"  json = "reading.ppm"  above = 40  clear-below = 30  max-age = "3s" }
alarm "gas" { inputs = { "gas" }  latch = false
              broadcast { message = "evac"  zones = { "yard" }  priority = "alert" } }
'''


def secret(folder, name, text):
    path = folder / name
    path.write_text(text + "\n")
    os.chmod(path, 0o640)


def started(d):
    """Nothing that was signed before the start counts: the next whole second."""
    time.sleep(1.01 - time.time() % 1)
    return d


def test_webhooks(make_daemon, tmp_path, hall, yard):
    secret(tmp_path, "cam.key", SECRET)
    secret(tmp_path, "scada.key", WHSEC)
    d = started(make_daemon(more=WEBHOOKS))

    def ppm(n, when=None, key=SECRET, root="/api/v1"):
        body = json.dumps({"reading": {"ppm": n}}).encode()
        return send(d.api, "cam", body, sha256(key, body, when), root)

    # Told nothing: another secret, no signature, a name that there is not.
    for got in (ppm(50, key=SECRET[::-1]), send(d.api, "cam", b"{}", {}),
                send(d.api, "none", b"{}", sha256(SECRET, b"{}"))):
        assert got == (401, {"error": {"code": "unauthorised", "message": "log in"}})
    status, told = ppm(10)
    assert status == 200 and told["inputs"][0]["quality"] == "good"
    assert not told["inputs"][0]["active"]
    status, told = ppm(50, root="")
    assert status == 200 and told["inputs"][0]["active"] and told["inputs"][0]["value"] == 50
    yard.wait_for(5)
    changed = d.recorded("input.changed")[0]
    assert changed["actor"] == "webhook:cam"
    # The same again, one of a minute ago, one from before the start.
    body = b'{"reading":{"ppm":0}}'
    headers = sha256(SECRET, body)
    assert send(d.api, "cam", body, headers)[0] == 200
    status, told = send(d.api, "cam", body, headers)
    assert (status, told["error"]["code"]) == (409, "repeated")
    status, told = ppm(60, time.time() - 60)
    assert status == 409 and "sent 6" in told["error"]["message"]
    assert not d.api.named("inputs", "gas")["active"]
    # Nothing for max-age: a fault, neither alarm nor clear.
    wait.until(lambda: "max-age" in d.api.faults().get("input:gas", {}).get("text", ""), "the fault")
    ppm(5)
    wait.until(lambda: "input:gas" not in d.api.faults(), "the fault to go")
    # A verb, by the other scheme; not in other zones, not too urgent.
    def verb(id, **what):
        text = json.dumps(what).encode()
        return send(d.api, "scada", text, standard(WHSEC, text, id))
    status, told = verb("m1", verb="page", zones=["hall"], message="notice")
    assert status == 201 and told["result"]["actor"] == "webhook:scada"
    hall.wait_bytes(NOTICE[:8000])
    assert verb("m2", verb="page", zones=["yard"], message="notice")[0] == 403
    assert verb("m3", verb="page", zones=["hall"], message="notice", priority="alert")[0] == 403
    assert verb("m4", verb="reset", name="gas")[0] == 403
    assert verb("m5", verb="stop", broadcast=told["result"]["id"])[0] == 200
    rows = {r["name"]: r for r in d.api.get("/webhooks")}
    assert (rows["cam"]["repeated"], rows["cam"]["stale"], rows["scada"]["refused"]) == (1, 1, 3)
    assert "scada" in d.ctl("webhooks").stdout
    metrics = d.api.raw("GET", "/metrics")[1].decode()
    assert 'tocsin_webhook_requests_total{webhook="cam",outcome="repeated"} 1' in metrics
    assert "tocsin_webhook_strangers_total 3" in metrics
    # Nothing old fires: what came before a power cut does nothing after it.
    body = b'{"reading":{"ppm":70}}'
    headers = sha256(SECRET, body, time.time() + 5)  # by a clock ahead of ours
    assert send(d.api, "cam", body, headers)[0] == 200
    d.recorded("input.changed", lambda e: e["data"]["raw"] == "70")
    now = sha256(SECRET, b"{}")
    d.kill()
    d.start()
    for b, h in ((body, headers), (b"{}", now)):
        status, told = send(d.api, "cam", b, h)
        assert status == 409 and "before tocsind started" in told["error"]["message"]
    assert d.api.named("inputs", "gas")["quality"] == "unknown"


NOTIFY = '''
notify "ops"  { url = "https://10.9.0.5:8443/t"  secret-file = "ops.key"  ca = "ca.pem"
                events = { "alarm.active", "alarm.ack*", "alarm.reset", "config.*" } }
notify "duty" { mail-to = { "duty@plant.example", "shift@plant.example" }
                mail-from = "tocsin@plant.example"  command = { "./sendmail", "-t", "-oi" }
                subject = "[{site}] {text}{more}"  interval = "10s"
                events = { "alarm.*", "input.*" } }
notify "tcp"  { syslog = "tcp:10.9.0.5:6010"  events = { "alarm.*" } }
notify "tls"  { syslog = "tls:10.9.0.5:6514"  ca = "ca.pem"  facility = "audit" }
alarm "tell" { inputs = { "second" }  latch = false
               notify { to = { "ops" }  text = "Second is on" } }
notify "udp"  { syslog = "udp:10.9.0.5:5140"  events = { "alarm.*" } }
'''


def test_notify(make_daemon, site, tmp_path, cleanup):
    receivers.certificates(tmp_path, "10.9.0.5")
    secret(tmp_path, "ops.key", SECRET)
    host = site["broker"]
    mail = receivers.Sendmail(tmp_path)
    syslog = {}
    for name, port in (("udp", 5140), ("tcp", 6010), ("tls", 6514)):
        syslog[name] = receivers.Rsyslog(host, tmp_path, port, name)
        cleanup.callback(syslog[name].close)
    d = make_daemon(more=NOTIFY.replace("./sendmail", str(mail.path)))
    # The server is not there: a fault, and what happens is kept.
    wait.until(lambda: "notify:ops" in d.api.faults() or d.api.input("panic", True), "the fault")
    wait.until(lambda: "notify:ops" in d.api.faults(), "the fault")
    http = receivers.HttpReceiver(host, 8443, (tmp_path / "server.pem", tmp_path / "server.key"))
    cleanup.callback(http.close)
    active = wait.until(lambda: http.taken("alarm.active"), "the alarm at the server")[0]
    wait.until(lambda: "notify:ops" not in d.api.faults(), "the fault to go")
    recorded = d.recorded("alarm.active")[0]
    assert {**active, "site": None, "late_s": None} == {**recorded, "site": None, "late_s": None}
    assert active["site"] == "test"
    _, headers, body = http.got[0]
    assert {k: headers[k] for k in ("X-Timestamp", "X-Signature")} == \
        sha256(SECRET, body, headers["X-Timestamp"])
    # Refused for good, then not now: given up, and tried again.
    http.status = 403
    d.api.post("/alarms/panic/ack")
    f = wait.until(lambda: d.api.faults().get("notify:ops"), "the fault")
    assert "403" in f["text"]
    http.status = 503
    d.api.input("panic", False)
    d.api.post("/alarms/panic/reset")
    wait.until(lambda: [g for g in http.got if g[0] == 503], "a try")
    http.status = 200
    wait.until(lambda: http.taken("alarm.reset"), "the reset at the server")
    assert not http.taken("alarm.acknowledged")
    # Whom an alarm names is told what his events leave out.
    d.api.post("/alarms/tell/trigger")
    told = wait.until(lambda: http.taken("alarm.told"), "what the alarm tells")[0]
    assert told["text"] == "alarm tell: Second is on" and told["data"] == {"to": ["ops"]}
    assert d.api.named("notify", "ops")["refused"] == 1
    assert "ops" in d.ctl("notify").stdout
    # By mail: the first at once, the rest together, not before the interval.
    text = wait.until(mail.mails, "a mail")[0]
    head, _, lines = text.partition("\n\n")
    assert "args: -t -oi" in head and "From: tocsin@plant.example" in head
    assert "To: duty@plant.example,\n shift@plant.example" in head
    assert "Subject: [test] input panic is active" in head
    assert "alarm.active alarm:panic: alarm panic is active" in lines
    # Syslog, by every transport, as rsyslog understands it.
    for name in syslog:
        row = syslog[name].wait(lambda r: r["msgid"] == "alarm.active", f"the alarm by {name}")[0]
        assert row["app"] == "tocsind" and row["msg"].lstrip("\ufeff") == recorded["text"]
        assert row["pri"] == str((13 if name == "tls" else 16) * 8 + 1)
        assert row["sd"].startswith(f'[tocsin@32473 id="{recorded["id"]}" site="test" '
                                    'subject="alarm:panic" actor="')
        assert row["time"] == recorded["time"]
    # A server that hangs up is a fault in seconds; nothing is lost.
    syslog["tcp"].stop()
    wait.until(lambda: "notify:tcp" in d.api.faults(), "the fault")
    d.api.post("/alarms/panic/trigger")
    syslog["udp"].stop()
    syslog["tcp"].start()
    syslog["tcp"].wait(lambda r: r["msgid"] == "alarm.active" and "id=\"%d\"" % recorded["id"]
                       not in r["sd"], "the alarm after the outage")
    wait.until(lambda: "notify:tcp" not in d.api.faults(), "the fault to go")
    syslog["tls"].wait(lambda r: r["msgid"] == "fault.cleared" and "notify:tcp" in r["sd"],
                       "the fault's end by TLS")
    # Nobody listens on UDP: ICMP tells, once.
    d.api.post("/alarms/panic/reset")
    wait.until(lambda: "notify:udp" in d.api.faults(), "the fault")
    second = wait.until(lambda: len(mail.mails()) > 1 and mail.mails()[1], "the second mail")
    assert "more)" in second and "alarm.reset" in second
    metrics = d.api.raw("GET", "/metrics")[1].decode()
    assert 'tocsin_notify_events_total{notify="ops",outcome="refused"} 1' in metrics
    # Whose certificate nobody vouches for is not talked to; who did not change stays.
    text = open(d.path).read().replace('ca = "ca.pem"  facility', "facility")
    assert d.reload(text)["type"] == "config.loaded"
    f = wait.until(lambda: d.api.faults().get("notify:tls"), "the fault")
    assert "certificate" in f["text"]
    wait.until(lambda: http.taken("config.loaded"), "the reload at the server")
    assert d.api.named("notify", "ops")["refused"] == 1


CAP = '''
cap "drop" { folder = "cap"  poll = "5s"  message = "long"  repeat = 1
    status = { "actual", "exercise" }
    area "plant" { location = "48.14,11.58"  geocodes = { "SAME=006109" }  zones = { "hall" } }
    area "port"  { match = { "*harbour*" }  zones = { "yard" } } }
cap "state" { url = "http://10.9.0.5:8081/feed"  poll = "5s"  zones = { "gate" }
              languages = { "de=de", "en" }  repeat = 1 }
'''
HERE = [("areaDesc", "Munich"), ("polygon", "48,11 48,12 49,12 49,11 48,11")]
FAR = [("areaDesc", "Far away"), ("circle", "0.0,0.0 10")]


def test_cap(make_daemon, site, tmp_path, cleanup, hall, yard):
    folder = tmp_path / "cap"
    folder.mkdir()
    server = cap.FeedServer(site["broker"], 8081)
    cleanup.callback(server.close)
    server.docs["old.xml"] = cap.alert("old-1")
    cap.put(folder, "before.xml", cap.alert("before", areas=[HERE]))
    d = make_daemon(more=CAP)

    def heard(name):
        return [e["text"] for e in d.api.journal(type="cap.alert", limit=1000)
                if e["subject"] == f"cap:{name}"]

    def sounding(zone):
        return (d.api.get(f"/zones/{zone}").get("playing") or {}).get("actor", "")

    # What was there before starts nothing.
    wait.until(lambda: all(c.get("looked") for c in d.api.get("/cap")), "the first look")
    assert not heard("drop") and not heard("state")
    # An alert for this place, by its polygon.
    one = cap.alert("one", areas=[FAR, HERE])
    cap.put(folder, "one.xml", one)
    hall.wait_for(5)
    assert sounding("hall").startswith("cap:drop:") and not yard.packets
    assert d.recorded("cap.alert")[0]["text"] == 'alert "Storm & flood" of test@cap.example'
    # The same again, and one for elsewhere.
    cap.put(folder, "one-again.xml", one)
    cap.put(folder, "far.xml", cap.alert("far", areas=[FAR]))
    d.recorded("cap.ignored", lambda e: "other areas" in e["text"])
    assert len(heard("drop")) == 1
    # An Update takes its place, a Cancel ends it.
    first = d.api.get("/zones/hall")["playing"]["id"]
    two = cap.alert("two", "Update", refs=[one], areas=[HERE])
    cap.put(folder, "two.xml", two)
    wait.until(lambda: d.api.broadcast(first) is None, "the first to end")
    wait.until(lambda: sounding("hall"), "the second")
    cap.put(folder, "three.xml", cap.alert("three", "Cancel", refs=[two]))
    wait.until(lambda: not sounding("hall"), "silence")
    d.recorded("cap.ended", lambda e: "was cancelled" in e["text"])
    assert "was replaced" in d.recorded("cap.ended")[0]["text"]
    # For another area by its name, as an exercise; it expires.
    cap.put(folder, "four.cap", cap.alert("four", status="Exercise", expires=5,
                                          areas=[[("areaDesc", "Old Harbour")]]))
    yard.wait_for(5)
    d.recorded("cap.ended", lambda e: "expired" in e["text"])
    wait.until(lambda: not sounding("yard"), "silence")
    # A test, a draft and nonsense are not heard; nonsense is a fault.
    cap.put(folder, "five.xml", cap.alert("five", status="Test", areas=[HERE]))
    cap.put(folder, "laughs.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><alert>&b;</alert>')
    os.utime(folder / "laughs.xml", (1, 1))
    f = wait.until(lambda: d.api.faults().get("cap-document:drop"), "the fault")
    assert "laughs.xml" in f["text"] and "DTD" in f["text"]
    (folder / "laughs.xml").unlink()
    wait.until(lambda: "cap-document:drop" not in d.api.faults(), "the fault to go")
    # From a server: in the language that is preferred, spoken.
    server.docs["new.xml"] = cap.alert("new-1", infos=(
        {"headline": "Storm"}, {"language": "de-DE", "headline": "Sturm",
                                "instruction": "Drinnen bleiben"}))
    requested = d.recorded("broadcast.requested", lambda e: e["actor"].startswith("cap:state:"))
    assert 'text "Sturm. Drinnen bleiben."' in requested[0]["text"]
    # Asked only for what changed; each document once.
    wait.until(lambda: server.fresh, "an answer of 304")
    assert server.asked.count("/old.xml") == 1 and server.asked.count("/new.xml") == 1
    # A server that is gone is a fault; a power cut repeats nothing.
    server.close()
    wait.until(lambda: "cap:state" in d.api.faults(), "the fault")
    n = len(heard("drop"))
    d.kill()
    cap.put(folder, "six.xml", cap.alert("six", areas=[[("areaDesc", "x"),
                                                        ("geocode", ("SAME", "006109"))]]))
    d.start()
    wait.until(lambda: sounding("hall"), "what came meanwhile")
    wait.until(lambda: len(heard("drop")) == n + 1, "the alert in the journal")
    assert "drop" in d.ctl("cap").stdout
    assert 'tocsin_cap_alerts_total{cap="drop",outcome="heard"} 1' in \
        d.api.raw("GET", "/metrics")[1].decode()
