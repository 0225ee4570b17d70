"""When an alarm fires: votes, window, delay, re-alarm, storm limit."""
import pytest

from conftest import BELL, EVAC, config
from lib import wait
from lib.daemon import Refused

POINTS = "".join(f'input "s{i}" {{ virtual = true }}\n' for i in (1, 2, 3))


def alarm(keys, message="evac"):
    return (POINTS + 'alarm "smoke" { inputs = { "s1", "s2", "s3" }  ' + keys
            + f'  broadcast {{ message = "{message}"  zones = {{ "hall" }}  '
            'priority = "evacuate" } }\n')


def look(d):
    return d.api.get("/alarms/smoke")


def awaits(d, state):
    return wait.until(lambda: look(d)["state"] == state, state)


def test_two_of_three(make_daemon, hall):
    d = make_daemon(more=alarm("votes = 2"))
    api = d.api
    api.input("s1", True)
    now = look(d)
    assert (now["state"], now["when"], now["counting"]) == ("normal", "2 of 3", 1)
    assert not api.get("/broadcasts") and not hall.packets
    api.input("s3", True)
    hall.wait_bytes(EVAC)
    assert look(d)["state"] == "active"
    api.input("s1", False)
    assert look(d)["state"] == "latched"
    api.post("/alarms/smoke/reset")
    hall.wait_quiet()


def test_all_and_a_reload_that_asks_for_less(make_daemon, hall):
    d = make_daemon(more=alarm('when = "all"'))
    d.api.input("s1", True)
    d.api.input("s2", True)
    assert look(d)["state"] == "normal" and look(d)["when"] == "3 of 3"
    d.reload(config(more=alarm("votes = 2")))
    hall.wait_bytes(EVAC, "two are enough now")


def test_knocks_within_a_time_and_a_reset_forgets_them(make_daemon, hall):
    d = make_daemon(more=alarm('votes = 2  within = "1h"'))
    for knock in ("s1", "s1", "s2"):
        assert look(d)["state"] == "normal"
        d.api.input(knock, True)
        d.api.input(knock, False)
    hall.wait_bytes(EVAC)
    assert d.api.post("/alarms/smoke/reset")["state"] == "normal"
    hall.wait_quiet()
    assert look(d)["counting"] == 0


def test_delay(make_daemon, hall):
    d = make_daemon(more=alarm('delay = "1h"'))
    d.api.input("s1", True)
    assert look(d)["pending"] and look(d)["state"] == "normal"
    d.reload(config(more=alarm('delay = "300ms"')))
    hall.wait_bytes(EVAC)
    assert not look(d)["pending"]
    d.api.input("s1", False)
    d.api.post("/alarms/smoke/reset")
    d.api.post("/alarms/smoke/trigger")
    assert look(d)["state"] == "active", "a person does not wait"


def test_acknowledged_alarms_again(make_daemon, hall):
    d = make_daemon(more=alarm('re-alarm = "500ms"', message="bell"))
    d.api.input("s2", True)
    hall.wait_bytes(BELL)
    wait.until(lambda: not look(d)["broadcasts"], "the end of the message")
    n = hall.mark()
    d.api.post("/alarms/smoke/ack")
    hall.wait_bytes(BELL, "the bell again", start=n)
    assert look(d)["state"] == "active"
    wait.until(lambda: [e for e in d.api.journal(type="alarm.active")
                        if "still there" in e["text"]], "its record")
    d.api.post("/alarms/smoke/ack")
    d.api.input("s2", False)
    assert look(d)["state"] in ("latched", "latched-acknowledged")


def test_storm_is_a_fault_and_stays_active(make_daemon, hall):
    d = make_daemon(more=alarm('latch = false  storm-limit = 3  storm-within = "1h"'))
    for _ in range(3):
        d.api.input("s1", True)
        assert look(d)["state"] == "active"
        d.api.input("s1", False)
        assert look(d)["state"] == "normal"
    d.api.input("s1", True)
    d.api.input("s1", False)
    assert look(d)["state"] == "active" and look(d)["storm"]
    assert "storm:smoke" in d.api.faults()
    hall.wait_bytes(EVAC)
    d.api.input("s1", True)
    with pytest.raises(Refused):
        d.api.post("/alarms/smoke/reset")
    d.api.input("s1", False)
    if look(d)["state"] != "normal":
        d.api.post("/alarms/smoke/reset")
    hall.wait_quiet()
    assert "storm:smoke" not in d.api.faults()
