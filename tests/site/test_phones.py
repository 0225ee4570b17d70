"""What phones show: lamps of busy zones, active alarms and stations, and texts of alarms."""
import os
import re

from conftest import NOTICE, config
from lib import wait
from lib.digest import answer, register
from lib.kamailio import Kamailio
from lib.sip import Call

MORE = '''
peer "10.9.0.5/32" { allow = { "page", "alarm", "help" }  zones = { "hall" } }
code "999" { alarm = "panic" }
endpoint "desk" { password-file = "desk.key"  extension = "201"  allow = { "page" }
                  supervised = false }
'''


class Lamp:
    """A subscription to one number; NOTIFYs are answered as they are read."""

    def __init__(self, agent, user, proof=""):
        self.agent, self.call = agent, Call(agent, user)
        self.version = -1
        self.seen = set()
        self.answer = self.subscribe(600, proof)

    def subscribe(self, expires, proof=""):
        self.call.request("SUBSCRIBE", extra=f"Event: dialog\r\nExpires: {expires}\r\n{proof}")
        m = self.call.answered("SUBSCRIBE")
        tag = re.search(r"tag=([^;>\s]+)", m.get("to", ""))
        if m.status == 200 and tag:
            self.call.to_tag = tag.group(1)
            self.call.target = re.search(r"<([^>]+)>", m.get("contact")).group(1)
        return m

    def notified(self, state, sub="active"):
        """The next NOTIFY of a new version that says so."""
        def mine(m):
            return self.call.mine(m) and not m.is_answer and m.method == "NOTIFY" \
                and m.get("cseq") not in self.seen
        while True:
            m = self.agent.expect(mine, f"NOTIFY of {state}")
            self.seen.add(m.get("cseq"))
            self.agent.answer(m, 200, "OK")
            body = m.body.decode()
            version = int(re.search(r'version="(\d+)"', body).group(1))
            assert version == self.version + 1, body
            self.version = version
            if f"<state>{state}</state>" in body and m.get("subscription-state").startswith(sub):
                return m


def test_phones_show_an_alarm(make_daemon, tmp_path, agent, site, cleanup):
    key = tmp_path / "pbx.key"
    key.write_text("secret\n")
    os.chmod(key, 0o600)
    pbx = Kamailio(site["broker"], tmp_path / "kamailio")
    cleanup.callback(pbx.close)
    d = make_daemon(more='''
account "pbx" { aor = "sip:7000@pbx.example"  registrars = { "sip:10.9.0.5" }
                password-file = "pbx.key" }
alarm "gas" {
    inputs = { "second" }
    latch = false
    display { phones = { "sip:10.9.0.21:5060" }  text = "Gas in hall 2 \u2013 leave" }
    display { phones = { "sip:201@pbx.example", "sip:10.9.0.22:5070" }  end-text = "" }
}
''')
    wait.until(lambda: d.api.get("/accounts")[0]["state"] == "registered", "the account")
    phone = agent("caller")
    desk = agent("second", port=5060, user="201")  # where the PBX sends 201
    other = agent("second", port=5070)

    def shown(at, text):
        m = at.expect(lambda m: m.method == "MESSAGE" and not m.is_answer
                      and text in m.body.decode(), f"MESSAGE {text}")
        at.answer(m, 200, "OK")
        assert m.get("content-type") == "text/plain;charset=UTF-8"
        return m

    d.api.input("second", True)
    shown(phone, "Gas in hall 2 \u2013 leave")
    # The PBX asked for our password first; it stands for us.
    m = shown(desk, "Alarm gas is active, by input:second")
    assert "sip:7000@pbx.example" in m.get("from")
    d.recorded("alarm.effect", lambda e: "10.9.0.21" in e["text"] and "shows" in e["text"])
    d.recorded("alarm.effect", lambda e: "201@pbx" in e["text"] and "shows" in e["text"])
    d.api.input("second", False)
    shown(phone, "Alarm gas is over")
    # Who cannot now is asked again; who refuses is not.
    first = other.expect(lambda m: m.method == "MESSAGE", "the first attempt")
    other.answer(first, 480, "Away")
    again = other.expect(lambda m: m.method == "MESSAGE"
                         and m.get("call-id") != first.get("call-id"), "the second attempt")
    other.answer(again, 404, "Not Found")
    d.recorded("alarm.effect-failed", lambda e: "5070" in e["text"] and "404" in e["text"])
    # Nobody writes to us.
    call = Call(phone, "701")
    call.request("MESSAGE", "hello", "Content-Type: text/plain\r\n")
    call.answered("MESSAGE", 405)


def test_a_phone_sees_zones_alarms_and_stations(make_daemon, tmp_path, agent):
    key = tmp_path / "desk.key"
    key.write_text("secret\n")
    os.chmod(key, 0o600)
    d = make_daemon(more=MORE)
    phone = agent("broker")
    hall, panic, desk = Lamp(phone, "701"), Lamp(phone, "999"), Lamp(phone, "201")
    for lamp in hall, panic, desk:
        lamp.notified("terminated")
    assert Lamp(phone, "702").answer.status == 403  # not its zone
    assert Lamp(phone, "nobody").answer.status == 404
    assert Lamp(agent("caller"), "999").answer.status == 403  # may page only

    # A page of the desk: the zone and the desk are busy. It proves itself to watch, too.
    there = agent("stranger")
    assert register(there, "desk", "secret")[1].status == 200
    own = Lamp(there, "701")
    assert own.answer.status == 401
    proof = answer(own.answer.all("www-authenticate")[0], "SUBSCRIBE", own.call.uri, "desk",
                   "secret")
    assert own.subscribe(600, f"Authorization: {proof}\r\n").status == 200
    own.notified("terminated")
    page = Call(there, "701", rtp=True).invite()
    m = page.final(401)
    proof = answer(m.all("www-authenticate")[0], "INVITE", page.uri, "desk", "secret")
    page.invite(extra=f"Authorization: {proof}\r\n")
    page.final(200)
    page.talk(NOTICE)
    for lamp in hall, desk, own:
        lamp.notified("confirmed")
    page.bye()
    for lamp in hall, desk, own:
        lamp.notified("terminated")

    # The alarm blinks until somebody has acknowledged it.
    d.api.input("panic", True)
    panic.notified("early")
    hall.notified("confirmed")
    d.api.post("/alarms/panic/ack")
    panic.notified("confirmed")
    assert {"701", "999", "201"} == {x["of"] for x in d.api.get("/lamps")}
    assert "endpoint:desk" in d.ctl("lamps").stdout
    d.api.input("panic", False)
    d.api.post("/alarms/panic/reset")
    panic.notified("terminated")

    # A reload that changes nothing keeps them; one that forbids it says so.
    n = len(d.api.get("/lamps"))
    d.reload()
    assert len(d.api.get("/lamps")) == n
    d.reload(config(more=MORE.replace('"alarm", "help"', '"help"')))
    panic.notified("terminated", "terminated;reason=rejected")
    # The end of the daemon tells the rest to come again.
    d.expect_dead = True
    assert d.stop() == 0
    hall.notified("terminated", "terminated;reason=deactivated")
