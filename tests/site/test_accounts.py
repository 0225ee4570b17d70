"""We are extensions of a PBX (kamailio): registered, called, calling, and when it fails."""
import os

import pytest

from conftest import NOTICE
from lib import wait
from lib.kamailio import Kamailio
from lib.sip import Call
from lib.sip_speaker import Speaker

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
    d.stop()
