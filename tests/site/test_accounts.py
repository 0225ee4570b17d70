"""We are extensions of a PBX (kamailio): registered, called, calling, and when it fails."""
import os

import pytest

from conftest import NOTICE, config
from lib import wait
from lib.kamailio import Kamailio
from lib.sip import Call
from lib.sip_speaker import Speaker
from lib.tls import Authority

ACCOUNT = '''
account "pbx" {{
    aor = "sip:7000@pbx.example"
    registrars = {{ {} }}
    password-file = "pbx.key"
    qualify = "2s"
    allow = {{ "page" }}
    {}
}}
'''


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "pbx.key"
    path.write_text("secret\n")
    os.chmod(path, 0o600)
    return path


@pytest.fixture
def pbx(site, tmp_path, cleanup):
    def make(name, **kw):
        k = Kamailio(site[name], tmp_path / f"kamailio-{name}", **kw)
        cleanup.callback(k.close)
        return k
    return make


def account(d):
    return d.api.get("/accounts")[0]


def registered(d, registrar, timeout=40):
    return wait.until(lambda: account(d)["state"] == "registered"
                      and account(d)["registrar"] == registrar and account(d),
                      f"registered with {registrar}", timeout)


def test_registered_paged_and_calling_through_a_pbx(make_daemon, key, pbx, agent, hall, site,
                                                    cleanup):
    pbx("broker")
    desk = Speaker(site["second"], port=5060, pts=(0, 101), delay=0.1, direction="sendrecv")
    cleanup.callback(desk.close)
    more = ACCOUNT.format('"sip:10.9.0.5"', "") + '''
operators "room" { stage "desk" { ring = { "sip:201@pbx.example" }  for = "20s" } }
alarm "gas" { inputs = { "second" }  latch = true
              call { operators = "room"  message = "evac" } }
'''
    d = make_daemon(more=more)
    a = registered(d, "sip:10.9.0.5")
    assert a["expires_s"] <= 120 and a["next_s"] <= 60 and a["error"] == ""
    d.recorded("account.registered", lambda e: e["subject"] == "account:pbx")
    assert "registered" in d.ctl("accounts").stdout
    assert 'tocsin_account_registered{account="pbx"} 1' in d.api.raw("GET", "/metrics")[1].decode()

    # The PBX sends 701 to the account: To says what was dialled.
    caller = agent("stranger")
    caller.server = ("10.9.0.5", 5060)
    page = Call(caller, "701", rtp=True).invite()
    page.final(200)
    page.talk(NOTICE)
    hall.wait_for(50, "the talk")
    page.bye()

    # Out: the PBX asks for our password, and calls the desk.
    d.api.input("second", True)
    desk.expect("INVITE")
    wait.until(lambda: d.api.get("/summons")[0]["state"] == "taken", "the call is taken")
    assert "sip:7000@pbx.example" in desk.requests[0].get("from")

    # A reload leaves it registered.
    n = account(d)["registrations"]
    d.reload()
    assert account(d)["state"] == "registered" and account(d)["registrations"] == n
    # Its end takes the registration back.
    d.expect_dead = True
    assert d.stop() == 0
    Call(caller, "702", rtp=True).invite().final(480)


def test_what_is_wrong_is_said_and_the_next_registrar_taken(make_daemon, key, pbx, tmp_path):
    first, second = pbx("broker"), pbx("bystander", sha256=True)
    key.write_text("wrong\n")
    more = ACCOUNT.format('"sip:10.9.0.5", "sip:10.9.0.13;transport=tcp"', "")
    d = make_daemon(more=more)
    wait.until(lambda: "wrong password" in account(d)["error"], "what is wrong")
    key.write_text("secret\n")
    d.reload()
    registered(d, "sip:10.9.0.5")
    # Killed: the other one, by TCP and with SHA-256; and back.
    first.stop()
    registered(d, "sip:10.9.0.13;transport=tcp")
    first.start()
    registered(d, "sip:10.9.0.5")
    first.stop()
    second.stop()
    f = wait.until(lambda: d.api.faults().get("account:pbx"), "the fault", 40)
    assert "not registered" in f["text"]
    wait.until(lambda: "nothing listens at tcp:10.9.0.13:5060" in account(d)["error"]
               or "no answer from udp:10.9.0.5:5060" in account(d)["error"], "why", 40)
    first.start()
    registered(d, "sip:10.9.0.5")
    assert "account:pbx" not in d.api.faults()


def test_by_tls_only_who_proves_the_name(make_daemon, key, pbx, tmp_path, agent, hall):
    ours = Authority(tmp_path)
    good = ours.issue("good", "DNS:pbx.example")
    wrong = ours.issue("wrong", "DNS:other.example")
    mine, mine_key = ours.issue("mine", "IP:10.9.0.1")
    (tmp_path / "mine.pem").write_text(mine.read_text() + mine_key.read_text())
    os.chmod(tmp_path / "mine.pem", 0o600)
    bad = pbx("bystander", cert=wrong)
    pbx("broker", cert=good)
    tls = f'''
    tls-cert = "mine.pem"
    tls-ca = "{ours.pem}"
'''
    more = ACCOUNT.format('"sip:10.9.0.13;transport=tls"', "")
    text = config(tls, more).replace('"tcp:10.9.0.1:5060"', '"tls:10.9.0.1:5061"')
    d = make_daemon(text=text)
    why = wait.until(lambda: account(d)["error"], "why it is not trusted")
    assert "certificate of tls:10.9.0.13:5061 is not trusted" in why and "name" in why
    assert account(d)["state"] == "away" and bad
    d.reload(text.replace("sip:10.9.0.13", "sip:10.9.0.5"))
    registered(d, "sip:10.9.0.5;transport=tls")
    caller = agent("stranger")
    caller.server = ("10.9.0.5", 5060)
    page = Call(caller, "701", rtp=True).invite()
    page.final(200)
    page.talk(NOTICE)
    hall.wait_for(50, "the talk")
    page.bye()
