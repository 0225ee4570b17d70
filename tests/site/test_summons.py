"""An alarm calls people, in stages, until one of them takes the call."""
import re

import pytest

from lib import wait
from lib.rtp import build
from lib.sip_speaker import Speaker
from conftest import EVAC

OPERATORS = '''
operators "room" {{
    stage "desk" {{ ring = {{ "{0}", "{1}" }}  for = "4s" }}
    stage "duty" {{ ring = {{ "{2}" }}  for = "20s"  confirm = true }}
    hear = "30s"
}}
alarm "gas" {{
    inputs = {{ "second" }}
    latch = true
    call {{ operators = "room"  message = "evac" }}
    broadcast {{ message = "notice"  zones = {{ "hall" }} }}
}}
'''


@pytest.fixture
def people(site, cleanup):
    made = [Speaker(site["second"], port=5060 + 2 * i, delay=0.1, pts=(0, 101),
                    direction="sendrecv") for i in range(3)]
    for p in made:
        cleanup.callback(p.close)
    return made


def about(d):
    rows = d.api.get("/summons")
    return rows[0] if rows else None


def press(p, event):
    """A key in RTP, in the call that is up."""
    (m,) = p.dialogs.values()
    body = m.body.decode()
    port = int(re.search(r"m=audio (\d+) ", body).group(1))
    pt = int(re.search(r"a=rtpmap:(\d+) telephone-event", body).group(1))
    for i in range(5):
        p.rtp.sock.sendto(build(900 + i, 5000, 77, bytes([event, 0x0a, 0, 40 * (i + 1)]), pt,
                                i == 0), ("10.9.0.1", port))


def test_the_first_to_answer_hears_it_and_the_others_stop_ringing(make_daemon, people):
    people[1].delay = 3
    d = make_daemon(more=OPERATORS.format(*[p.uri for p in people]))
    d.api.input("second", True)
    m = people[0].expect("INVITE")
    assert m.get("priority") == "emergency" and "alarm:gas" in m.get("from")
    people[1].expect("CANCEL")
    people[0].rtp.wait_bytes(EVAC, times=2)
    row = about(d)
    assert row["state"] == "taken" and row["taken_by"] == people[0].uri and row["talking"]
    people[0].hang_up()
    wait.until(lambda: not about(d)["talking"], "the end of the call")
    # Taken is taken, for this alarm.
    assert not [m for m in people[2].requests if m.method == "INVITE"]
    d.api.input("second", False)
    d.api.post("/alarms/gas/reset")
    wait.until(lambda: not about(d), "nobody is called")

    def recorded():
        kinds = [e["type"] for e in d.api.journal(limit=50) if e["subject"] == "alarm:gas"]
        return "call.answered" in kinds and "call.ended" in kinds
    wait.until(recorded, "both in the journal")


def test_a_mailbox_takes_nothing_and_the_duty_presses_a_key(make_daemon, people):
    people[0].status = 486
    people[1].status = 0
    d = make_daemon(more=OPERATORS.format(*[p.uri for p in people]))
    d.api.input("second", True)
    people[2].expect("INVITE")
    people[2].rtp.wait_bytes(EVAC)
    assert about(d)["state"] == "ringing" and about(d)["stage"] == "duty"
    press(people[2], 5)
    wait.until(lambda: about(d)["state"] == "taken", "it is taken")
    assert about(d)["taken_by"] == people[2].uri
    # The daemon is killed: the alarm is still on, so it calls again.
    d.kill()
    d.start()
    people[2].expect("INVITE", 2)
    # Reset while it rings: the ringing ends.
    d.api.input("second", False)
    d.api.post("/alarms/gas/reset")
    wait.until(lambda: not about(d), "nobody is called")


def test_nobody_is_a_fault_until_somebody_takes_it(make_daemon, people):
    for p in people:
        p.status = 603
    d = make_daemon(more=OPERATORS.format(*[p.uri for p in people]))
    d.api.input("second", True)
    f = wait.until(lambda: d.api.faults().get("call:alarm:gas"), "the fault")
    assert "nobody of operators room" in f["text"]
    people[0].status = 200
    wait.until(lambda: about(d)["state"] == "taken", "somebody takes it")
    assert "call:alarm:gas" not in d.api.faults()
    out = d.ctl("summons").stdout
    assert "alarm:gas" in out and "taken" in out
