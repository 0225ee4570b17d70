"""Help points call, wait their turn, and are given to the first operator who takes the call."""
import re

import pytest

from lib import audio, wait
from lib.rtp import Sender, build
from lib.sip import Call
from lib.sip_speaker import Speaker
from conftest import EVAC, config

HELP = '''
peer "10.9.0.13/32" {{ allow = {{ "help" }} }}
operators "room" {{
    stage "desk" {{ ring = {{ {0} }}  for = "{1}" }}
}}
alarm "nobody" {{ outputs = {{ "beacon" }} }}
helppoint "platform-2" {{
    from = "hp-2"
    operators = "room"
    priority = "emergency"
    location = "Platform 2, north"
    camera = "cam-17"
    comfort = "evac"
    unanswered = {{ "nobody" }}
}}
helppoint "car-park" {{ from = "hp-5"  operators = "room"  priority = "urgent"
                      preempted-message = "evac" }}
helppoint "info" {{
    from = "hp-6"
    operators = "room"
    priority = "page"
    preempted = "end"
    preempted-message = "evac"
}}
'''

POINT, DESK = audio.codes(2.0, 11), audio.codes(2.0, 12)


class Operator(Speaker):
    """A telephone that is picked up after `delay`; its sound is measured both ways."""

    def __init__(self, host, n, **kw):
        super().__init__(host, port=5060 + 2 * n, pts=(0, 101), direction="sendrecv", **kw)
        self.talks, self.keys = None, 0

    def say(self, data, repeat=False):
        (m,) = self.dialogs.values()
        port = int(re.search(r"m=audio (\d+) ", m.body.decode()).group(1))
        self.talks = Sender(self.rtp.sock, ("10.9.0.1", port), data, repeat=repeat).start()

    def press(self, key, inform=False):
        """A key by RFC 4733, in the three packets of its end; with inform by INFO as well."""
        ((call_id, m),) = self.dialogs.items()
        port = int(re.search(r"m=audio (\d+) ", m.body.decode()).group(1))
        event = bytes(["0123456789*#".index(key), 0x8A, 3, 32])
        self.keys += 1
        for n in range(3):
            self.rtp.sock.sendto(build(3 * self.keys + n, 1600 * self.keys, 0x1234567, event, 101),
                                 ("10.9.0.1", port))
        if inform:
            self.tell(call_id, m, "INFO", "Content-Type: application/dtmf-relay\r\n",
                      f"Signal={key}\r\nDuration=100\r\n")

    def close(self):
        if self.talks:
            self.talks.stop()
        super().close()


@pytest.fixture
def desk(site, cleanup):
    """desk(n): operators who do not pick up by themselves."""
    def make(n):
        made = [Operator(site["second"], i, delay=3600) for i in range(n)]
        for p in made:
            cleanup.callback(p.close)
        return made
    return make


@pytest.fixture
def point(agent):
    """point("hp-2"): a help point's call that is up and sends its sound."""
    ports = iter(range(5060, 5100, 2))

    def make(user, data=POINT):
        a = agent("bystander", user=user, port=next(ports))
        c = Call(a, "112", rtp=True).dial()
        c.talk(data, repeat=True)
        return c
    return make


def start(make_daemon, people, stage="20s", **kw):
    return make_daemon(
        sip='rtp-timeout = "1s"',
        more=HELP.format(", ".join(f'"{p.uri}"' for p in people), stage), **kw)


def helps(d):
    return [c for c in d.api.get("/calls") if c["kind"] == "help"]


def invite_of(p, n=1):
    return p.expect("INVITE", n)


def answer(p, n=1):
    p.pick_up(invite_of(p, n))


def state(d, name):
    return next((c["state"] for c in helps(d) if c["point"] == name), None)


def told(d, *kinds):
    """These, and no others, were recorded about platform-2, in this order."""
    def seen():
        rows = [e for e in d.api.journal(limit=100) if e["subject"] == "helppoint:platform-2"]
        return [e["type"][5:] for e in sorted(rows, key=lambda e: e["id"])]
    wait.until(lambda: seen() == list(kinds), lambda: f"{kinds}, not {seen()}")


def test_answered_at_once_and_taken_by_the_first_operator(make_daemon, desk, point):
    a, b = desk(2)
    d = start(make_daemon, (a, b))
    call = point("hp-2")
    # It knows that it was heard, and goes on hearing it.
    call.rtp.wait_bytes(EVAC, times=2)
    for p in (a, b):
        m = invite_of(p)
        assert "Platform 2, north" in m.get("from") and m.get("priority") == "emergency"
    (row,) = helps(d)
    assert row["point"] == "platform-2" and row["state"] == "waiting" and row["place"] == 1
    assert row["location"] == "Platform 2, north" and row["stage"] == "desk"
    out = d.ctl("calls").stdout
    assert "platform-2" in out and "Platform 2, north" in out
    mark = call.rtp.mark()
    answer(a)
    b.expect("CANCEL")
    a.say(DESK, repeat=True)
    # Both hear one another, bit for bit.
    a.rtp.wait_bytes(POINT[:8000])
    call.rtp.wait_bytes(DESK[:8000], start=mark)
    row = wait.until(lambda: helps(d)[0] if state(d, "platform-2") == "talking" else None, "talking")
    assert row["operator"] == a.uri and row["place"] is None
    metrics = d.api.raw("GET", "/metrics")[1].decode()
    assert 'tocsin_help_calls{state="talking"} 1' in metrics
    assert "tocsin_help_answer_seconds_count 1" in metrics
    # Hung up on: the point is, too.
    a.hang_up()
    call.wait_bye()
    wait.until(lambda: not helps(d), "the end of the call")
    told(d, "offered", "queued", "ringing", "answered", "talking", "ended")
    e = next(e for e in d.api.journal(limit=100) if e["type"] == "help.ended")
    assert e["data"]["location"] == "Platform 2, north" and e["data"]["camera"] == "cam-17"


def test_an_operator_opens_a_door_and_ends_the_call_by_keys(make_daemon, desk, point):
    (a,) = desk(1)
    text = HELP.replace('comfort = "evac"', 'comfort = "evac"  end-keys = "*0"\n'
                        '    door "gate" {{ keys = "*1"  output = "beacon"  for = "1h" }}')
    d = make_daemon(sip='rtp-timeout = "60s"', more=text.format(f'"{a.uri}"', "20s"))
    call = point("hp-2")
    answer(a)
    wait.until(lambda: state(d, "platform-2") == "talking", "talking")
    # A telephone may tell a key in both ways: it is one. (The last one only in one: the INFO may
    # overtake what the RTP of the key before it does.)
    a.press("*", inform=True)
    a.press("1")
    (e,) = d.recorded("help.door")
    assert e["data"]["door"] == "gate" and e["data"]["output"] == "beacon"
    assert e["actor"] == a.uri and e["data"]["point"] == "platform-2", e
    assert next(o for o in d.api.get("/outputs") if o["name"] == "beacon")["active"]
    a.press("*")
    a.press("0")
    call.wait_bye()
    a.expect("BYE")
    wait.until(lambda: not helps(d), "the end of the call")
    assert len(d.recorded("help.door")) == 1
    (e,) = d.recorded("help.ended")
    assert e["actor"] == a.uri


def test_an_operator_lost_gives_the_call_back_to_its_place(make_daemon, desk, point):
    a, b = desk(2)
    d = start(make_daemon, (a, b))
    call = point("hp-2")
    invite_of(a)
    answer(a)
    a.say(DESK)  # and, after two seconds, nothing more: killed
    a.status = 0
    wait.until(lambda: state(d, "platform-2") == "talking", "talking")
    since = helps(d)[0]["since"]
    wait.until(lambda: state(d, "platform-2") == "waiting", "waiting again")
    mark = call.rtp.mark()
    assert helps(d)[0]["since"] == since
    call.rtp.wait_bytes(EVAC, start=mark)
    answer(b, 2)
    b.say(DESK, repeat=True)
    b.rtp.wait_bytes(POINT[:8000])
    # The point hangs up: so is the operator.
    call.bye()
    b.expect("BYE")
    wait.until(lambda: not helps(d), "the end of the call")
    told(d, "offered", "queued", "ringing", "answered", "talking", "lost", "ringing", "answered",
         "talking", "ended")


def test_the_more_urgent_rings_first_and_who_hangs_up_is_forgotten(make_daemon, desk, point):
    (a,) = desk(1)
    d = start(make_daemon, (a,))
    park = point("hp-5")
    invite_of(a)
    platform = point("hp-2")
    # One telephone rings for one call: the more urgent.
    a.expect("CANCEL")
    assert "Platform 2" in invite_of(a, 2).get("from")
    assert [c["point"] for c in helps(d)] == ["platform-2", "car-park"]
    assert [c["place"] for c in helps(d)] == [1, 2]
    answer(a, 2)
    a.say(DESK, repeat=True)
    platform.rtp.wait_bytes(DESK[:4000])
    a.rtp.wait_bytes(POINT[:4000])
    assert state(d, "car-park") == "waiting"
    assert sum(m.method == "INVITE" for m in a.requests) == 2
    # By the API; the other one rings now, and hangs up.
    (id,) = [c["id"] for c in helps(d) if c["point"] == "platform-2"]
    r = d.ctl("hangup", str(id))
    assert r.returncode == 0, r.stderr
    a.expect("BYE")
    platform.wait_bye()
    invite_of(a, 3)
    park.bye()
    a.expect("CANCEL", 2)
    wait.until(lambda: not helps(d), "no call is left")
    d.recorded("help.abandoned", lambda e: e["subject"] == "helppoint:car-park")


def test_the_more_urgent_takes_the_operator_and_the_other_comes_back(make_daemon, desk, point):
    (a,) = desk(1)
    d = start(make_daemon, (a,))

    def taken(n):
        """The nth call that rings is answered, and both hear one another."""
        answer(a, n)
        a.say(DESK, repeat=True)

    # By its rule it is ended: both are told why, in sound and in words.
    info = point("hp-6")
    taken(1)
    info.rtp.wait_bytes(DESK[:4000])
    mark = info.rtp.mark()
    park = point("hp-5")
    wait.until(lambda: state(d, "info") == "preempted", "parted")
    info.rtp.wait_bytes(EVAC[:4000], start=mark)
    assert "preemption;cause=1" in info.wait_bye().get("reason")
    assert "preemption;cause=1" in a.expect("BYE").get("reason")
    a.talks.stop()
    # And this one waits, and comes back.
    taken(2)
    park.rtp.wait_bytes(DESK[:4000])
    mark, here = park.rtp.mark(), a.rtp.mark()
    platform = point("hp-2")
    assert "preemption;cause=1" in a.expect("BYE", 2).get("reason")
    park.rtp.wait_bytes(EVAC[:4000], start=mark)
    a.rtp.wait_bytes(EVAC[:4000], start=here)
    a.talks.stop()
    assert "Platform 2" in invite_of(a, 3).get("from")
    taken(3)
    platform.rtp.wait_bytes(DESK[:4000])
    assert state(d, "car-park") == "waiting"
    # What is less urgent disturbs nobody.
    again = point("hp-6")
    wait.until(lambda: state(d, "info") == "waiting", "waits")
    assert state(d, "platform-2") == "talking"
    platform.bye()
    a.expect("BYE", 3)
    a.talks.stop()
    mark = park.rtp.mark()
    taken(4)
    park.rtp.wait_bytes(DESK[:4000], start=mark)
    assert state(d, "car-park") == "talking"
    again.bye()
    park.bye()
    wait.until(lambda: not helps(d), "no call is left")
    assert [e["subject"] for e in d.recorded("help.preempted")] == [
        "helppoint:info", "helppoint:car-park"]
    assert "tocsin_help_calls_preempted_total 2" in d.api.raw("GET", "/metrics")[1].decode()


def test_nobody_is_a_fault_and_an_alarm_and_a_restart_forgets_nothing(make_daemon, desk, point):
    (a,) = desk(1)
    a.status = 486
    d = start(make_daemon, (a,), stage="3s")
    call = point("hp-2")
    id = helps(d)[0]["id"]
    f = wait.until(lambda: d.api.faults().get(f"help:{id}"), "the fault")
    assert "Platform 2, north" in f["text"]
    assert d.api.named("alarms", "nobody")["state"] == "active"
    assert helps(d)[0]["round"] >= 2
    # A reload disturbs nobody.
    d.reload()
    assert state(d, "platform-2") == "waiting"
    a.status = 200

    def taken():
        """Whichever ringing it is that he picks up."""
        for m in list(a.dialogs.values()):
            a.pick_up(m)
        return state(d, "platform-2") == "talking"
    wait.until(taken, "talking")
    assert f"help:{id}" not in d.api.faults()
    d.kill()
    d.start()
    (e,) = d.recorded("help.cut")
    assert "platform-2" in e["text"] and e["cause"] == id
    assert not helps(d)
    point("hp-2").rtp.wait_bytes(EVAC)


def test_baresip_calls_for_help_in_a_codec_of_its_own(make_daemon, desk, baresip, tmp_path):
    (a,) = desk(1)
    audio.write_wav(tmp_path / "talk.wav", audio.tone(700, 20, 16000), 16000)
    text = config('rtp-timeout = "1s"', HELP.format(f'"{a.uri}"', "20s").replace("hp-2", "baresip"))
    d = make_daemon(text=text.replace('"10.9.0.21/32" { allow = { "page" }',
                                      '"10.9.0.21/32" { allow = { "help" }'))
    p = baresip(tmp_path / "talk.wav", "sip:112@10.9.0.1", codec="G722/8000/1", module="g722.so",
                rate=16000)
    answer(a)
    a.say(DESK, repeat=True)
    wait.until(lambda: len(a.rtp.packets) > 150, "baresip's sound", timeout=30)
    heard = a.rtp.pcm(75, 150)
    assert abs(audio.pitch_hz(heard) - 700) < 5
    assert abs(audio.level_dbfs(heard) + 15) < 2
    p.proc.terminate()
    a.expect("BYE")
    wait.until(lambda: not helps(d), "the end of the call")


def test_a_hundred_points_and_three_operators(make_daemon, site, agent, cleanup):
    ops = [Operator(site["second"], i) for i in range(3)]
    for o in ops:
        cleanup.callback(o.close)
    ring = ", ".join(f'"{o.uri}"' for o in ops)
    d = make_daemon(more=HELP.format(ring, "60s").replace('from = "hp-2"', 'from = "10.9.0.13"'))
    a = agent("bystander")
    for i in range(100):
        a.user = f"point-{i}"
        Call(a, "112", rtp=True).dial()
    assert len(helps(d)) == 100

    def all_served():
        """Who talks hangs up."""
        rows = helps(d)
        for o in ops:
            if o.uri in [r["operator"] for r in rows] and o.dialogs:
                o.hang_up()
        return not rows
    wait.until(all_served, "the end of all calls", timeout=60, every=0.05)
    # None lost, and the order was that of their coming.
    rows = sorted(d.api.journal(type="help.", limit=1000), key=lambda e: e["id"])
    taken = [e["cause"] for e in rows if e["type"] == "help.answered"]
    assert len(taken) == 100 and taken == sorted(taken)
    assert sum(e["type"] == "help.ended" for e in rows) == 100
