"""SIP loudspeakers as outputs: called, heard, dead, busy, kept, and rung again."""
import re
import subprocess

import numpy as np
import pytest

from conftest import BELL, EVAC, LONG, NOTICE, config
from lib import wait
from lib.peers import baresip_modules
from lib.rtp import check_continuous
from lib.sip_speaker import Speaker


def zone(speakers, keys="", name="horns", more=""):
    rows = "\n".join(f'    speaker "{s}" {{ codec = {{ "pcmu" }} {keys} }}' for s in speakers)
    return f'zone "{name}" {{\n    extension = "710"\n{rows}\n{more}}}\n'


@pytest.fixture
def speaker(site, cleanup, request):
    def make(host="second", **kw):
        s = Speaker(site[host], **kw)
        s.rtp.watch = request.config.site_watch
        cleanup.callback(s.close)
        return s
    return make


def call_of(d, uri, zone="horns"):
    for s in d.api.get("/zones/" + zone)["sounds"]:
        if uri in s["output"]:
            return s["call"]
    raise AssertionError(f"no {uri}")


def fault_of(d, uri):
    for key, f in d.api.faults().items():
        if uri in key:
            return f
    return None


def test_all_are_called_at_once_and_the_dead_delay_nobody(make_daemon, speaker, hall, site):
    horns = [speaker(port=5060 + 2 * i) for i in range(4)]
    late = speaker(port=5090, delay=0.6)
    dead = "sip:horn@10.9.0.13"
    d = make_daemon(more=zone([h.uri for h in horns] + [dead, late.uri],
                              'hang-up-after = "200ms"  answer-within = "1s"')
                    + 'zone "both" { zones = { "horns", "hall" } }')
    d.api.page(["both"], "notice")
    hall.wait_bytes(NOTICE)
    for h in horns:
        # Below an emergency all wait for who is called: nothing is lost.
        h.rtp.wait_bytes(NOTICE)
        check_continuous(h.rtp.packets)
        m = h.expect("INVITE")
        assert m.get("call-info") == "<sip:tocsin.invalid>;answer-after=0"
        assert m.get("alert-info") == "Ring Answer"
        assert ";intercom=true" in m.first
        body = m.body.decode()
        assert "a=sendonly" in body
        port = int(re.search(r"m=audio (\d+) ", body).group(1))
        assert {p.src[1] for p in h.rtp.packets} == {port}
        h.expect("BYE")
    # Who answers later joins in step: the rest of the message.
    got = b"".join(p.payload for p in late.rtp.packets)
    assert NOTICE[-8000:] in got and NOTICE not in got
    first = horns[0].rtp.packets
    by_sound = {p.payload: p.time for p in first}
    lags = [p.time - by_sound[p.payload] for p in late.rtp.packets[3:]
            if p.payload in by_sound and first[0].payload != p.payload]
    assert len(lags) > 50 and abs(np.median(lags)) < 0.02
    f = wait.until(lambda: fault_of(d, dead), "the dead one's fault")
    assert "does not sound" in f["text"] and f["remedy"]
    assert not fault_of(d, late.uri)
    assert wait.until(lambda: call_of(d, late.uri)["state"] == "idle", "all hung up")
    # A fault is known: nobody waits for it any more, and it is asked about.
    d.api.page(["both"], "bell")
    hall.wait_bytes(BELL)


def test_an_emergency_waits_for_nobody_and_calls_until_it_is_over(make_daemon, speaker, hall):
    horn = speaker(delay=0.5)
    d = make_daemon(more=zone([horn.uri], 'answer-within = "2s"')
                    + 'zone "both" { zones = { "horns", "hall" } }')
    id = d.api.page(["both"], "evac", "evacuate")
    hall.wait_bytes(EVAC)
    horn.rtp.wait_bytes(EVAC)
    m = horn.expect("INVITE")
    assert m.get("priority") == "emergency"
    # It hangs up within: it is called again, at once or soon.
    horn.hang_up()
    horn.expect("INVITE", 2)
    n = len(horn.rtp.packets)
    horn.rtp.wait_bytes(EVAC, start=n)
    # And the daemon that is killed calls again when it is back.
    d.kill()
    d.start()
    horn.expect("INVITE", 3)
    n = len(horn.rtp.packets)
    horn.rtp.wait_bytes(EVAC, start=n)
    wait.until(lambda: d.api.get("/broadcasts"), "the emergency is back")
    for b in d.api.get("/broadcasts"):
        d.api.delete(f"/broadcasts/{b['id']}")
    horn.expect("BYE")
    assert id


def test_a_kept_call_sounds_at_once_and_is_renewed(make_daemon, speaker):
    horn = speaker(delay=0.1)
    more = zone([horn.uri], 'keep = true  check = "5s"')
    d = make_daemon(more=more)
    wait.until(lambda: call_of(d, horn.uri)["state"] == "up", "the call")
    d.api.page(["horns"], "bell")
    horn.rtp.wait_bytes(BELL)
    # A reload that changes something else leaves the call alone.
    d.reload(config(more=more + 'input "third" { virtual = true }\n'))
    assert len([m for m in horn.requests if m.method == "INVITE"]) == 1
    # It was restarted: the next question in the call finds out.
    horn.dialogs.clear()
    horn.expect("INVITE", 3)
    wait.until(lambda: call_of(d, horn.uri)["state"] == "up", "the call again")
    n = len(horn.rtp.packets)
    d.api.page(["horns"], "bell")
    horn.rtp.wait_bytes(BELL, start=n)
    d.reload(config())
    horn.expect("BYE")


def test_the_busy_the_unwilling_and_the_strict(make_daemon, speaker, tmp_path):
    busy, strict = speaker(port=5060, status=486), speaker(port=5062, user="pa", password="s3cret")
    secret = tmp_path / "horn.key"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    d = make_daemon(more=zone([busy.uri])
                    + zone([strict.uri], 'user = "pa"  password-file = "horn.key"', "strict")
                    .replace('"710"', '"711"'))
    d.api.page(["horns"], "long")
    f = wait.until(lambda: fault_of(d, busy.uri), "the fault")
    assert "486" in f["text"] and "another call" in f["remedy"]
    busy.status = 200
    # It is called again while something sounds.
    busy.rtp.wait_bytes(LONG[32000:64000])
    wait.until(lambda: not fault_of(d, busy.uri), "the fault is over")
    d.api.page(["strict"], "bell")
    strict.rtp.wait_bytes(BELL)


def test_one_that_is_off_is_known_before_it_is_needed(make_daemon, speaker):
    horn = speaker()
    horn.status = 0
    d = make_daemon(more=zone([horn.uri], 'check = "5s"'))
    f = wait.until(lambda: fault_of(d, horn.uri), "the fault", 40)
    assert "answers no SIP" in f["text"]
    horn.status = 200
    wait.until(lambda: not fault_of(d, horn.uri), "it is back", 40)
    assert d.ctl("heard", "horns").stdout


def test_baresip_answers_and_plays(make_daemon, site, tmp_path, cleanup):
    folder = tmp_path / "horn"
    folder.mkdir()
    (folder / "config").write_text("\n".join([
        f"module_path {baresip_modules()}", "sip_listen 10.9.0.22:5060",
        "audio_player aubridge,dev1", "audio_source aubridge,dev1", "audio_alert aubridge,dev1",
        "rtp_ports 31000-31100", "module g711.so", "module aubridge.so", "module_app account.so", "module_app menu.so"]) + "\n")
    (folder / "accounts").write_text(
        "<sip:horn@10.9.0.22>;regint=0;answermode=auto;audio_codecs=PCMU/8000/1\n")
    (folder / "contacts").write_text("")
    p = site["second"].popen(["baresip", "-f", folder, "-t", "60"], stdout=open(folder / "log", "wb"),
                             stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=folder)
    cleanup.callback(lambda: (p.terminate(), p.wait()))
    d = make_daemon(more=zone(["sip:horn@10.9.0.22"], 'hang-up-after = "100ms"')
                    + 'message "sine" { tone = "test"  tone-for = "3s" }\n')
    wait.until(lambda: not fault_of(d, "10.9.0.22"), "baresip")
    d.api.page(["horns"], "sine")
    wait.until(lambda: call_of(d, "10.9.0.22")["state"] == "up", "the call")
    wait.until(lambda: call_of(d, "10.9.0.22")["state"] == "idle", "the end")
    log = (folder / "log").read_text(errors="replace")
    assert "answering call on line 1" in log
    assert "incoming rtp for 'audio' established, receiving from 10.9.0.1" in log
    # What it gets, in bit/s.
    rates = [int(r) for r in re.findall(r"/(\d+) \(bit/s\)", log)]
    assert any(abs(r - 64000) < 3200 for r in rates), log
