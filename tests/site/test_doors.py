"""Doors beside MQTT and the API, each with a peer that is not ours."""
import json
import os
import time

from conftest import NOTICE
from lib import wait
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
