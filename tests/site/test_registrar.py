"""Endpoints register here: with no PBX they page, are paged, and call each other."""
import os
import re

import pytest

from conftest import NOTICE
from lib import wait
from lib.digest import answer, register
from lib.peers import baresip_modules
from lib.rtp import check_continuous
from lib.sip import Call
from lib.sip_speaker import Speaker

ENDPOINTS = '''
endpoint "desk" { password-file = "desk.key"  extension = "201"  allow = { "page" }
                  supervised = false }
endpoint "horn" { password-file = "horn.key" }
zone "horns" { extension = "710"  speaker "horn" { codec = { "pcmu" } } }
'''


@pytest.fixture
def keys(tmp_path):
    for name in ("desk", "horn"):
        (tmp_path / f"{name}.key").write_text(f"{name}-secret\n")
        os.chmod(tmp_path / f"{name}.key", 0o600)


def endpoint(d, name):
    return next(e for e in d.api.get("/endpoints") if e["name"] == name)


def test_a_stranger_registers_pages_and_comes_back_after_a_crash(make_daemon, keys, agent, hall,
                                                                 site, cleanup):
    d = make_daemon(more=ENDPOINTS)
    desk = agent("stranger")
    # Nothing but REGISTER is heard from an unknown address.
    unknown = Call(desk, "701", rtp=True).invite()
    call, m = register(desk, "desk", "desk-secret", "Expires: 3600\r\n")
    assert m.status == 200 and "expires=60" in m.get("contact")
    assert not [x for x in desk.inbox if unknown.mine(x)]
    assert endpoint(d, "desk")["state"] == "registered"
    d.recorded("endpoint.registered", lambda e: e["subject"] == "endpoint:desk")

    # Too brief; the same answer again; both leave what is bound.
    call, m = register(desk, "desk", "desk-secret", "Expires: 5\r\n", call=call)
    assert m.status == 423 and m.get("min-expires") == "30"
    call.request("REGISTER", extra=call.line, user="desk")
    m = call.answered("REGISTER", 401)
    assert "stale=true" in m.get("www-authenticate")
    # As another: not with this password.
    assert register(desk, "horn", "desk-secret", user="desk")[1].status == 403

    # A page, proved by the password.
    page = Call(desk, "701", rtp=True).invite()
    m = page.final(401)
    proof = answer(m.all("www-authenticate")[0], "INVITE", page.uri, "desk", "desk-secret")
    page.invite(extra=f"Authorization: {proof}\r\n")
    page.final(200)
    call_up = wait.until(lambda: d.api.get("/calls"), "the call")
    assert call_up[0]["caller"] == "endpoint:desk"
    page.talk(NOTICE)
    hall.wait_for(50, "the talk")
    page.bye()

    # A zone's speaker is an endpoint: MD5 serves too.
    horn = Speaker(site["second"], port=5066)
    cleanup.callback(horn.close)
    phone = agent("second", port=5060)
    contact = f"Contact: <{horn.uri}>;expires=50\r\n"
    # Two contacts: the agent's own line goes first.
    _, m = register(phone, "horn", "horn-secret", contact, algorithm="MD5")
    assert m.status == 200 and len(m.all("contact")) == 2
    assert endpoint(d, "horn")["state"] == "registered"

    # One endpoint asks for another: it is told where.
    other = Call(desk, "horn", rtp=True).invite()
    m = other.final(401)
    proof = answer(m.all("www-authenticate")[0], "INVITE", other.uri, "desk", "desk-secret")
    other.invite(extra=f"Authorization: {proof}\r\n")
    m = other.final(302)
    assert any(horn.uri in c for c in m.all("contact"))

    # kill -9: who is registered by UDP still is.
    d.kill()
    d.start()
    wait.until(lambda: endpoint(d, "desk")["state"] == "registered", "the registration")
    text = d.ctl("endpoints").stdout
    assert "desk" in text and "registered" in text

    # Away with all: a supervised one is a fault at once.
    _, m = register(phone, "horn", "horn-secret", contact.replace("=50", "=0") + "Expires: 0\r\n")
    assert m.status == 200 and not m.all("contact")
    f = wait.until(lambda: d.api.faults().get("endpoint:horn"), "the fault")
    assert "not registered" in f["text"]


def test_the_speaker_of_a_zone_is_where_it_registered(make_daemon, keys, agent, site, cleanup):
    d = make_daemon(more=ENDPOINTS)
    horn = Speaker(site["stranger"], port=5066)
    cleanup.callback(horn.close)
    phone = agent("stranger", port=5060)
    call = Call(phone, "horn")
    # It registers its own address and takes the phone's off.
    register(phone, "horn", "horn-secret", f"Contact: <{horn.uri}>\r\n", call=call)
    mine = f"Contact: <{horn.uri}>\r\nExpires: 60\r\n"
    real, phone.port = phone.port, horn.port
    register(phone, "horn", "horn-secret", mine.split("\r\n", 1)[1])
    phone.port = real
    wait.until(lambda: horn.uri in endpoint(d, "horn")["contact"], "the horn")
    d.api.page(["horns"], "notice")
    horn.rtp.wait_bytes(NOTICE)
    check_continuous(horn.rtp.packets)


def test_who_guesses_is_banned_and_told_nothing(make_daemon, keys, agent):
    d = make_daemon(more=ENDPOINTS)
    bad, good = agent("stranger"), agent("bystander")
    said = []
    for name in ("desk", "nobody", "desk", "nobody"):
        _, m = register(bad, name, "wrong")
        said.append((m.status, re.sub(r'nonce="[^"]*"', "", " ".join(m.all("www-authenticate")))))
    # Wrong and unknown look the same.
    assert len(set(said)) == 1 and said[0][0] == 401
    call = Call(bad, "desk")
    call.request("REGISTER", user="desk")
    m = call.answered("REGISTER", 401)
    proof = answer(m.get("www-authenticate"), "REGISTER", call.uri, "desk", "wrong")
    call.request("REGISTER", extra=f"Authorization: {proof}\r\n", user="desk")
    d.recorded("sip.banned", lambda e: "10.9.9.66" in e["text"])
    bans = d.api.get("/sip")["bans"]
    assert [b["address"] for b in bans] == ["10.9.9.66"] and 0 < bans[0]["left_s"] <= 60
    assert "10.9.9.66" in d.ctl("sip").stdout
    # The right password comes too late; another address is served.
    n = len(bad.inbox)
    late = Call(bad, "desk")
    late.request("REGISTER", user="desk")
    assert register(good, "desk", "desk-secret")[1].status == 200
    assert not [m for m in bad.inbox[n:] if late.mine(m)]


def test_baresip_registers(make_daemon, keys, site, tmp_path, cleanup):
    d = make_daemon(sip='digest = "md5"', more=ENDPOINTS)
    folder = tmp_path / "baresip"
    folder.mkdir()
    host = site["stranger"]
    mods = "".join(f"module_app {m}\n" for m in ("account.so", "menu.so"))
    (folder / "config").write_text(
        f"module_path {baresip_modules()}\nsip_listen {host.ip}:5060\nmodule g711.so\n{mods}")
    (folder / "accounts").write_text(
        f"<sip:desk@10.9.0.1{{}}>;auth_pass=desk-secret;regint=40\n".replace("{}", ""))
    (folder / "contacts").write_text("")
    log = open(folder / "log", "wb")
    cleanup.callback(log.close)
    p = host.popen(["baresip", "-f", folder, "-t", 30], stdout=log, stderr=log, cwd=folder)
    cleanup.callback(lambda: (p.terminate(), p.wait(10)))
    wait.until(lambda: endpoint(d, "desk")["state"] == "registered", "baresip's registration")
    assert "baresip" in endpoint(d, "desk")["contacts"][0]["agent"]
    # It takes its registration back when it ends.
    p.terminate()
    d.recorded("endpoint.unregistered", lambda e: e["subject"] == "endpoint:desk")
