"""The HTTP API on the Unix socket, the live events, the journal, tocsinctl."""
import json
import os
import socket
import stat
import threading

import pytest

from conftest import BELL, EVAC, NOTICE
from lib import wait
from lib.daemon import Events, Refused


def refused(fn, status, field=None, word=None):
    with pytest.raises(Refused) as r:
        fn()
    assert r.value.status == status, r.value
    assert r.value.error["code"] and r.value.error["message"], "a person can act on it"
    if field:
        assert r.value.error.get("field") == field
    if word:
        assert word in r.value.error["message"]


def test_views(daemon):
    api = daemon.api
    s = api.get("/status")
    assert s["site"] == "test" and s["zones"] == 4 and s["faults"] == 0
    assert {z["name"] for z in api.get("/zones")} == {"hall", "yard", "gate", "all"}
    assert api.get("/zones/all")["outputs"] == 3
    assert api.named("messages", "evac")["repeat"] == "until-reset"
    assert api.named("messages", "bell")["duration_ms"] == 1000
    assert api.named("inputs", "panic") == {**api.named("inputs", "panic"), "active": False,
                                            "kind": "virtual", "quality": "good"}
    for path in ("/alarms", "/outputs", "/faults", "/broadcasts", "/calls", "/journal"):
        assert isinstance(api.get(path), list), path
    doc = api.get("/openapi.json")
    assert doc["openapi"].startswith("3.") and "/broadcasts" in " ".join(doc["paths"])
    assert "zone" in api.get("/config")["config"]


def test_page_by_api(daemon, hall):
    b = daemon.api.post("/broadcasts", {"zones": ["hall"], "message": "notice"})
    assert b["state"] == "playing" and b["zones"] == ["hall"] and b["priority"] == "page"
    hall.wait_bytes(NOTICE)
    wait.until(lambda: daemon.api.broadcast(b["id"]) is None, "its end")
    tone = daemon.api.post("/broadcasts", {"zones": ["hall"], "message": "long"})
    n = hall.mark()
    hall.wait_for(n + 5)
    daemon.api.delete(f"/broadcasts/{tone['id']}")
    hall.wait_quiet()
    refused(lambda: daemon.api.delete(f"/broadcasts/{tone['id']}"), 404)


def test_repeat(daemon, hall):
    daemon.api.page(["hall"], "bell", repeat=3)
    hall.wait_bytes(BELL, times=3)
    hall.wait_quiet()
    assert hall.payload().count(BELL) == 3


def test_bad_bodies(daemon, hall):
    api = daemon.api
    page = lambda body: (lambda: api.post("/broadcasts", body))  # noqa: E731
    good = {"zones": ["hall"], "message": "notice"}
    refused(page({}), 400, "zones")
    refused(page({**good, "zones": []}), 400, "zones")
    refused(page({**good, "zones": "hall"}), 400, "zones")
    refused(page({**good, "zones": ["attic"]}), 404, "zones", "attic")
    refused(page({**good, "zones": [1]}), 404, "zones")
    refused(page({**good, "message": "none"}), 404, "message", "none")
    refused(page({"zones": ["hall"]}), 400, "message")
    refused(page({**good, "tone": "x"}), 400, "message")
    refused(page({**good, "priority": "loud"}), 400, "priority", "evacuate")
    refused(page({**good, "priority": 256}), 400, "priority")
    refused(page({**good, "repeat": -1}), 400, "repeat")
    refused(page({**good, "wait_ms": -1}), 400, "wait_ms")
    refused(page({**good, "colour": "red"}), 400, "colour")
    refused(lambda: api.post("/inputs/panic", {"active": "yes"}), 400, "active")
    refused(lambda: api.post("/inputs/nothing", {"active": True}), 404)
    refused(lambda: api.post("/outputs/fault", {"active": True}), 409)
    refused(lambda: api.post("/alarms/nothing/ack"), 404)
    refused(lambda: api.post("/alarms/panic/inhibit", {"for": "forever"}), 400, "for")
    refused(lambda: api.get("/nothing"), 404)
    refused(lambda: api.get("/zones/attic"), 404)
    refused(lambda: api.get("/journal?limit=0"), 400)
    refused(lambda: api.get("/journal?since=yesterday"), 400)
    for text in ("{", "[]", "1", '"x"', "{" * 5000, '{"zones": ["\\ud800"]}', "\xff\xfe",
                 '{"zones":["hall"],"zones":["yard"],"message":"notice"'):
        status, _, _ = api.raw("POST", "/api/v1/broadcasts", text.encode("latin-1"),
                               {"Content-Type": "application/json"})
        assert 400 <= status < 500, text[:20]
    status, _, _ = api.raw("POST", "/api/v1/broadcasts", b" " * 70000,
                           {"Content-Type": "application/json"})
    assert status == 413
    status, _, _ = api.raw("PATCH", "/api/v1/zones")
    assert status in (404, 405, 501)
    assert not hall.packets and not api.get("/broadcasts")
    assert api.get("/status")["site"] == "test"


def test_slow_and_greedy_clients_are_alone(daemon, hall):
    """Half a request, many connections, a stream nobody reads."""
    socks = []
    for i in range(60):
        s = socket.socket(socket.AF_UNIX)
        s.connect(daemon.socket)
        s.send(b"POST /api/v1/broadcasts HTTP/1.1\r\nContent-Length: 100\r\n\r\n{" if i & 1
               else b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n" if i & 2 else b"GET /ap")
        socks.append(s)
    try:
        daemon.api.input("panic", True)
        hall.wait_bytes(EVAC)
        gaps = [b.time - a.time for a, b in zip(hall.packets, hall.packets[1:])]
        assert max(gaps) < 0.1
    finally:
        for s in socks:
            s.close()


def test_journal(daemon, hall):
    api = daemon.api
    api.input("panic", True)
    hall.wait_for(3)
    api.input("panic", False)
    api.post("/alarms/panic/reset")
    rows = wait.until(lambda: api.journal(subject="alarm:panic"), "the journal")
    wait.until(lambda: {"alarm.active", "alarm.reset"} <=
               {e["type"] for e in api.journal(subject="alarm:panic")}, "both rows")
    rows = api.journal()
    ids = [e["id"] for e in rows]
    assert ids == sorted(ids, reverse=True), "newest first"
    old = api.journal(after=ids[-1], limit=2)
    assert [e["id"] for e in old] == sorted(ids)[1:3]
    active = api.journal(type="alarm.active")[0]
    assert active["actor"] == "input:panic"
    chain = {e["id"]: e for e in rows}
    cause = chain[active["cause"]]
    assert cause["type"] == "input.changed" and cause["subject"] == "input:panic"
    started = [e for e in rows if e["type"] == "broadcast.started"]
    if started:
        requested = chain[started[0]["cause"]]
        assert requested["type"] == "broadcast.requested"
        assert requested["cause"] == active["id"], "the whole chain of causes"
    assert api.journal(type="alarm.") and api.journal(type="no.such") == []
    top = ids[0]
    daemon.kill()
    daemon.start()
    daemon.recorded("daemon.started", lambda e: e["id"] > top)


def test_events_and_resuming(daemon, hall):
    live = Events(daemon.api)
    daemon.api.input("panic", True)
    active = live.wait("alarm.active")
    assert active[2]["actor"] == "input:panic"
    live.close()
    daemon.api.input("panic", False)
    daemon.api.post("/alarms/panic/reset")
    again = Events(daemon.api, last_id=active[0])
    again.wait("alarm.reset")
    got = [e[0] for e in again.events]
    assert got == sorted(got) and got[0] > active[0], "what was missed, in order, once"
    assert len(set(got)) == len(got)
    again.close()


def test_socket_is_not_for_everybody(daemon):
    mode = os.stat(daemon.socket).st_mode
    assert stat.S_IMODE(mode) == 0o660


def test_metrics_and_health(daemon, hall):
    status, text, _ = daemon.api.raw("GET", "/healthz")
    assert status == 200 and text == b"ok\n"
    daemon.api.page(["hall"], "bell")
    hall.wait_bytes(BELL)
    status, text, r = daemon.api.raw("GET", "/metrics")
    assert status == 200 and "version=0.0.4" in r.getheader("Content-Type")
    names = set()
    for line in text.decode().splitlines():
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            float(value)
            names.add(name.split("{")[0])
    assert len(names) > 5 and all(n.startswith("tocsin_") for n in names)


def test_requests_at_once(daemon):
    errors = []

    def ask():
        try:
            for _ in range(20):
                assert daemon.api.get("/status")["site"] == "test"
        except Exception as e:
            errors.append(e)
    threads = [threading.Thread(target=ask) for _ in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors


# ---------------------------------------------------------------- tocsinctl

def test_ctl_exit_codes(daemon, hall):
    def ctl(*args):
        r = daemon.ctl(*args)
        return r.returncode, r.stdout + r.stderr
    assert ctl("status")[0] == 0
    code, text = ctl("page", "hall", "--message", "bell")
    assert code == 0
    hall.wait_bytes(BELL)
    code, text = ctl("page", "attic", "--message", "bell")
    assert code == 1 and "attic" in text, "refused"
    assert ctl("reset", "panic")[0] == 1, "nothing to reset"
    assert ctl("page")[0] == 2 and ctl("nonsense")[0] == 2 and ctl()[0] == 2, "usage"
    assert ctl("trigger")[0] == 2
    daemon.stop()
    daemon.expect_dead = True
    code, text = ctl("status")
    assert code == 3 and "tocsin.sock" in text, "no daemon"


def test_ctl_does_it_all(daemon, hall):
    def ctl(*args):
        r = daemon.ctl(*args)
        assert r.returncode == 0, (args, r.stdout, r.stderr)
        return r.stdout
    assert "hall" in ctl("zones")
    ctl("trigger", "panic")
    hall.wait_bytes(EVAC)
    assert "panic" in ctl("alarms")
    ctl("ack", "panic")
    ctl("reset", "panic")
    hall.wait_quiet()
    b = json.loads(ctl("page", "hall", "yard", "--message", "long", "--priority", "bell",
                       "--json"))
    assert b["zones"] == ["hall", "yard"] and b["priority"] == "bell"
    ctl("stop", str(b["id"]))
    hall.wait_quiet()
    for what in ("inputs", "outputs", "calls", "faults", "messages", "journal", "status", "zones"):
        json.loads(ctl(what, "--json"))
    ctl("reload")


def test_ctl_watch(daemon, site):
    import subprocess
    from lib.daemon import BUILD
    p = site["ctl"].popen([f"{BUILD}/tocsinctl", "--socket", daemon.socket, "watch"],
                          stdout=subprocess.PIPE, text=True)
    try:
        lines = []
        t = threading.Thread(target=lambda: [lines.append(x) for x in p.stdout], daemon=True)
        t.start()
        daemon.api.get("/status")

        def seen():
            daemon.api.input("panic", True)
            daemon.api.input("panic", False)
            return [x for x in lines if "panic" in x]
        wait.until(seen, "the live view", every=0.2)
    finally:
        p.kill()
        p.wait()
        t.join()
