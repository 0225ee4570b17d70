"""Modbus points with real peers: pymodbus over TCP and RTU, mbpoll beside it.

What cannot be read is a fault: never normal, never an alarm (DESIGN rule 3).
"""
import json
import signal
import struct
import subprocess
import time

import pytest

from lib import modbus, wait

PLC = "10.9.0.12"
BUS = f"tcp:{PLC}:502"
FAST = f'bus "{BUS}" {{ timeout = "300ms"  retries = 1  back-off = "200ms"  max-back-off = "400ms" }}\n'


def point(name, keys, bus=BUS, poll="20ms"):
    return f'input "{name}" {{ modbus = "{bus}"  poll = "{poll}"  {keys} }}\n'


def lamp(name, keys, bus=BUS):
    return f'output "{name}" {{ modbus = "{bus}"  poll = "50ms"  {keys} }}\n'


ALARM = '''alarm "door" { inputs = { "door" }  latch = true
    broadcast { message = "evac"  zones = { "hall" }  priority = "evacuate" } }
'''


@pytest.fixture
def plc(site, tmp_path, cleanup):
    s = modbus.tcp(site["yard"], tmp_path, units="1,2")
    cleanup.callback(s.close)
    return s


@pytest.fixture
def liar(site, cleanup):
    s = modbus.Liar(site["yard"])
    cleanup.callback(s.close)
    return s


def value(d, name):
    return d.api.named("inputs", name)


def until(d, name, **want):
    def there():
        got = value(d, name)
        return got if all(got.get(k) == v for k, v in want.items()) else None
    try:
        return wait.until(there, f"{name}: {want}")
    except AssertionError as e:
        raise AssertionError(f"{e}; it is {value(d, name)}") from None


def stays(d, name, seconds=0.6, **want):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = value(d, name)
        assert all(got.get(k) == v for k, v in want.items()), got
        time.sleep(0.02)


def test_contact_to_broadcast(plc, make_daemon, hall):
    d = make_daemon(more=FAST + point("door", "discrete = 12") + ALARM)
    until(d, "door", quality="good", active=False)
    plc.set(1, "discrete", 12, 1)
    hall.wait_for(5)
    assert value(d, "door")["raw"] == "1"
    plc.set(1, "discrete", 12, 0)
    until(d, "door", active=False)


def test_every_table_and_type(plc, make_daemon):
    f = struct.unpack("!HH", struct.pack("!f", 12.5))
    plc.set(1, "coil", 3, 1)
    plc.set(1, "input", 7, 0xFFF6)               # -10
    plc.set(1, "input", 8, 0x0001, 0x86A0)       # 100000, high word first
    plc.set(1, "holding", 10, f[1], f[0])        # 12.5, low word first
    plc.set(1, "holding", 20, 0x00A5)
    plc.set(2, "holding", 20, 0x0100)
    d = make_daemon(more=FAST
                    + point("coil", "coil = 3")
                    + point("closed", 'coil = 3  active = "low"')
                    + point("minus", "input = 7  type = s16  below = 0")
                    + point("plus", "input = 7  below = 0")
                    + point("many", "input = 8  type = u32  scale = 0.001  above = 99.5")
                    + point("real", 'holding = 10  type = f32  word-order = "cdab"  above = 12.4')
                    + point("bit", "holding = 20  bit = 2")
                    + point("nobit", "holding = 20  bit = 1")
                    + point("mask", "holding = 20  mask = 0xf0  equals = 0xa0")
                    + point("other", "unit = 2  holding = 20  mask = 0x100"))
    for name, active in (("coil", True), ("closed", False), ("minus", True), ("plus", False),
                         ("many", True), ("real", True), ("bit", True), ("nobit", False),
                         ("mask", True), ("other", True)):
        until(d, name, quality="good", active=active)


def test_thresholds_have_hysteresis(plc, make_daemon):
    d = make_daemon(more=FAST + point("gas", "input = 5  above = 40  clear-below = 30"))
    for now, active in ((35, False), (41, True), (35, True), (29, False)):
        plc.set(1, "input", 5, now)
        until(d, "gas", raw=f"0x{now:04x}", active=active, quality="good")


def test_nan_is_a_fault(plc, make_daemon):
    plc.set(1, "holding", 10, *struct.unpack("!HH", struct.pack("!f", 50.0)))
    d = make_daemon(more=FAST + point("gas", "holding = 10  type = f32  above = 40"))
    until(d, "gas", quality="good", active=True)
    plc.set(1, "holding", 10, 0x7FC0, 0)
    got = until(d, "gas", quality="fault", active=True)
    assert "not a number" in got["why"]
    assert "input:gas" in d.api.faults()
    plc.set(1, "holding", 10, 0, 0)
    until(d, "gas", quality="good", active=False)
    wait.until(lambda: "input:gas" not in d.api.faults(), "the fault to clear")


def test_gone_and_back(plc, make_daemon, hall):
    d = make_daemon(more=FAST + point("door", "discrete = 12") + ALARM)
    until(d, "door", quality="good", active=False)
    plc.stop()
    until(d, "door", quality="fault", active=False)
    # At first it may be a connection that was reset.
    wait.until(lambda: "refused" in (value(d, "door").get("why") or ""), "the reason")
    wait.until(lambda: f"modbus:{BUS}" in d.api.faults(), "the fault of the bus")
    assert not hall.packets, "a lost source is no alarm"
    plc.start()
    plc.set(1, "discrete", 12, 1)
    until(d, "door", quality="good", active=True)
    hall.wait_for(5)
    wait.until(lambda: not [f for f in d.api.faults() if f.startswith(("modbus:", "input:"))],
               "the faults to clear")


def test_frozen_keeps_its_value(plc, make_daemon, hall):
    plc.set(1, "discrete", 12, 0)
    d = make_daemon(more=FAST + point("door", "discrete = 12") + ALARM)
    until(d, "door", quality="good")
    plc.freeze()
    try:
        got = until(d, "door", quality="fault", active=False)
        assert "does not answer" in got["why"]
    finally:
        plc.thaw()
    until(d, "door", quality="good", active=False)
    assert not hall.packets


def test_not_there_at_the_start(site, tmp_path, make_daemon, cleanup):
    d = make_daemon(more=FAST + point("door", "discrete = 12"))
    until(d, "door", quality="fault", active=False)
    s = modbus.tcp(site["yard"], tmp_path)
    cleanup.callback(s.close)
    until(d, "door", quality="good")


def test_exception_is_a_fault_of_that_point_only(plc, make_daemon):
    """One address that does not exist must not blind those read with it."""
    plc.set(1, "holding", 298, 7)
    d = make_daemon(more=FAST + point("there", "holding = 298  above = 3")
                    + point("last", "holding = 299  above = 3")
                    + point("beyond", "holding = 300  above = 3"))
    until(d, "there", quality="good", active=True)
    until(d, "last", quality="good", active=False)
    got = until(d, "beyond", quality="fault", active=False)
    assert "exception 2" in got["why"] and "illegal data address" in got["why"]
    stays(d, "there", quality="good")


def test_dead_unit_delays_the_others_one_timeout(site, liar, make_daemon):
    """Unit 9 is silent: every other request comes within one time-out of the last."""
    times = []

    def answer(frame):
        if frame[6] == 9:
            return None
        times.append(time.monotonic())
        return modbus.reply(frame, b"\x02\x01\x00")
    liar.answer = answer
    d = make_daemon(more=FAST + point("dead", "unit = 9  discrete = 0")
                    + point("dead-too", "unit = 8  discrete = 0")
                    + point("alive", "unit = 1  discrete = 0"))
    until(d, "dead", quality="fault")
    until(d, "alive", quality="good")
    start = len(times)
    wait.until(lambda: len(times) > start + 60, "polls")
    asked = [a[0] for a in liar.asked]
    assert asked.count(9) >= 2
    pairs = [(a, b) for a, b in zip(asked, asked[1:]) if a == 9 and b == 9]
    assert not pairs, "asked twice in a row while another was due"
    stays(d, "alive", quality="good")


@pytest.mark.parametrize("name, lie, says", [
    ("another unit", lambda f: modbus.reply(f, b"\x02\x01\x01", unit=7), "another unit"),
    ("another function", lambda f: modbus.reply(f, b"\x01\x01\x01"), "another function"),
    ("too long", lambda f: modbus.reply(f, b"\x02\x02\x01\x01"), "not as long"),
    ("count and bytes differ", lambda f: modbus.reply(f, b"\x02\x01\x01\x01"), "not as long"),
    ("short", lambda f: modbus.reply(f, b"\x02\x01"), "not as long"),
    ("exception", lambda f: modbus.reply(f, b"\x82\x04"), "exception 4"),
    ("late", lambda f: modbus.reply(f, b"\x02\x01\x01", late=True), "does not answer"),
    ("no Modbus", lambda f: b"HTTP/1.1 400 Bad Request\r\n\r\n", "not Modbus"),
])
def test_lies_are_faults(liar, make_daemon, hall, name, lie, says):
    d = make_daemon(more=FAST + point("door", "discrete = 12") + ALARM)
    liar.answer = lambda f: modbus.reply(f, b"\x02\x01\x00")
    until(d, "door", quality="good", active=False)
    liar.answer = lie
    got = until(d, "door", quality="fault", active=False)
    assert says in got["why"], got
    stays(d, "door", 0.3, active=False)
    assert not hall.packets
    liar.answer = lambda f: modbus.reply(f, b"\x02\x01\x00")
    until(d, "door", quality="good", active=False)


def test_reads_are_merged(liar, make_daemon):
    liar.answer = lambda f: modbus.reply(f, bytes([3, 2 * f[11]]) + bytes(2 * f[11]))
    d = make_daemon(more=FAST + "".join(point(f"r{i}", f"holding = {i}  above = 1")
                                        for i in range(30)) + point("far", "holding = 40  above = 1"))
    until(d, "r29", quality="good")
    until(d, "far", quality="good")
    assert set(liar.asked) == {(1, 3, 0, 30), (1, 3, 40, 1)}


def test_outputs_are_read_back(plc, make_daemon):
    d = make_daemon(more=FAST + lamp("lamp", "coil = 5")
                    + lamp("sign", "holding = 6  on-value = 90  off-value = 10"))
    wait.until(lambda: plc.get(1, "holding", 6) == 10, "off to be written at the start")
    d.api.post("/outputs/lamp", {"active": True})
    d.api.post("/outputs/sign", {"active": True})
    wait.until(lambda: plc.get(1, "coil", 5) == 1, "the coil")
    wait.until(lambda: plc.get(1, "holding", 6) == 90, "the register")
    assert not [f for f in d.api.faults() if f.startswith("point:")]
    # Somebody else writes there: told, and put right.
    plc.set(1, "coil", 5, 0)
    d.recorded("fault.raised", lambda e: "lamp" in e["text"] and "read" in e["text"])
    wait.until(lambda: plc.get(1, "coil", 5) == 1, "the coil again")
    wait.until(lambda: "point:lamp" not in d.api.faults(), "the fault to clear")
    # A device that forgot everything while it was away.
    plc.stop()
    wait.until(lambda: "point:lamp" in d.api.faults(), "the fault")
    plc.start()
    wait.until(lambda: plc.get(1, "coil", 5) == 1, "the coil once more")
    d.expect_dead = True
    assert d.stop() == 0
    assert plc.get(1, "coil", 5) == 0 and plc.get(1, "holding", 6) == 10, "left safe"


def test_alarm_drives_an_output_on_the_bus(plc, make_daemon):
    d = make_daemon(more=FAST + point("door", "discrete = 1") + lamp("lamp", "coil = 9")
                    + 'alarm "door" { inputs = { "door" }  latch = false  outputs = { "lamp" } }\n')
    until(d, "door", quality="good")
    plc.set(1, "discrete", 1, 1)
    wait.until(lambda: plc.get(1, "coil", 9) == 1, "the lamp")
    plc.set(1, "discrete", 1, 0)
    wait.until(lambda: plc.get(1, "coil", 9) == 0, "the lamp to go out")


def test_reload_changes_points(plc, make_daemon):
    plc.set(1, "discrete", 30, 1)
    d = make_daemon(more=FAST + point("door", "discrete = 12") + lamp("lamp", "coil = 5"))
    until(d, "door", quality="good", active=False)
    d.api.post("/outputs/lamp", {"active": True})
    wait.until(lambda: plc.get(1, "coil", 5) == 1, "the lamp")
    from conftest import config
    assert d.reload(config(more=FAST + point("door", "discrete = 30")))["type"] == "config.loaded"
    until(d, "door", quality="good", active=True)
    wait.until(lambda: plc.get(1, "coil", 5) == 0, "the lamp to be left safe")
    assert d.reload(config())["type"] == "config.loaded"
    wait.until(lambda: not [f for f in d.api.faults() if f.startswith(("modbus:", "input:"))],
               "no fault of what is no more")


def test_flapping_contact(plc, make_daemon):
    """Nothing is made up, nothing grows; the last state stands."""
    d = make_daemon(more=FAST + point("door", "discrete = 12", poll="10ms"))
    until(d, "door", quality="good")
    for i in range(300):
        plc.set(1, "discrete", 12, i & 1)
    plc.set(1, "discrete", 12, 1)
    until(d, "door", quality="good", active=True)
    plc.set(1, "discrete", 12, 0)
    until(d, "door", quality="good", active=False)


def test_rtu(site, tmp_path, cleanup, make_daemon):
    line = modbus.Line(tmp_path)
    cleanup.callback(line.close)
    s = modbus.Server(site["ctl"], "rtu", line.b, 19200, "1,2", log=tmp_path / "rtu.log")
    cleanup.callback(s.close)
    bus = f"rtu:{line.a}:19200:8N1"
    d = make_daemon(more=FAST.replace(BUS, bus) + point("door", "discrete = 12", bus)
                    + point("level", "unit = 2  input = 3  above = 10", bus)
                    + point("nobody", "unit = 77  discrete = 0", bus)
                    + lamp("lamp", "coil = 4", bus))
    until(d, "door", quality="good", active=False)
    s.set(1, "discrete", 12, 1)
    s.set(2, "input", 3, 11)
    until(d, "door", quality="good", active=True)
    until(d, "level", quality="good", active=True)
    got = until(d, "nobody", quality="fault", active=False)
    assert "unit 77 does not answer" in got["why"]
    d.api.post("/outputs/lamp", {"active": True})
    wait.until(lambda: s.get(1, "coil", 4) == 1, "the lamp")
    # The adapter is pulled, and put in again.
    line.unplug()
    s.stop()
    got = until(d, "door", quality="fault", active=True)
    line.plug()
    s.start()
    until(d, "door", quality="good", active=False)
    wait.until(lambda: s.get(1, "coil", 4) == 1, "the lamp again")


def test_mbpoll_agrees(plc, site, make_daemon):
    """Another master sees what we wrote."""
    d = make_daemon(more=FAST + lamp("sign", "holding = 6  on-value = 90"))
    d.api.post("/outputs/sign", {"active": True})

    def seen():
        out = site["ctl"].run(["mbpoll", "-m", "tcp", "-a", 1, "-0", "-t", "4", "-r", 6, "-c", 1,
                               "-1", PLC]).stdout
        return "90" in out
    wait.until(seen, "mbpoll to read 90")


def test_errors_say_what_to_do(make_daemon, tmp_path, site):
    d = make_daemon(start=False, more=point("a", "holding = 3") + point("b", "coil = 1  bit = 2")
                    + point("c", "coil = 1  holding = 2"))
    got = site["ctl"].run([d.binary, "--check", "-c", d.path])
    assert got.returncode == 1
    assert "nothing says when a register means active" in got.stderr
    assert '"bit" is about registers' in got.stderr
    assert "more than one address" in got.stderr


LOOP = ('input = 4  scale = 0.01  short = "..2"  alarm = "2..5"  normal = "5..9"  open = "9.."'
        '  hysteresis = 0.2  hold = "100ms"  fault-hold = "200ms"')


def test_supervised_loop(plc, make_daemon, hall):
    plc.set(1, "input", 4, 700)
    d = make_daemon(more=FAST + point("door", LOOP) + ALARM)
    until(d, "door", quality="good", active=False)
    plc.set(1, "input", 4, 1023)
    got = until(d, "door", quality="fault", active=False)
    assert "loop is open" in got["why"]
    plc.set(1, "input", 4, 10)
    wait.until(lambda: "loop is short" in value(d, "door")["why"], "the short")
    assert "loop is short" in d.api.faults()["input:door"]["text"]
    plc.set(1, "input", 4, 700)
    until(d, "door", quality="good", active=False)
    assert not hall.packets, "no fault of the cable is an alarm"
    plc.set(1, "input", 4, 481)
    time.sleep(0.3)
    assert not value(d, "door")["active"], "within the hysteresis"
    plc.set(1, "input", 4, 400)
    until(d, "door", quality="good", active=True)
    hall.wait_for(5)


def test_pair_of_contacts(make_daemon):
    d = make_daemon(more='input "no" { virtual = true }\ninput "nc" { virtual = true }\n'
                    'input "door" { pair = { "no", "nc" }  normal = "01"  alarm = "10"'
                    '  short = "11"  open = "00"  hold = "50ms"  fault-hold = "100ms" }\n')
    d.api.input("nc", True)
    until(d, "door", quality="good", active=False)
    d.api.input("no", True)
    assert "short" in until(d, "door", quality="fault", active=False)["why"]
    d.api.input("nc", False)
    until(d, "door", quality="good", active=True)
    d.api.input("no", False)
    assert "open" in until(d, "door", quality="fault", active=True)["why"]
    d.api.input("nc", True)
    until(d, "door", quality="good", active=False)


def test_pair_is_lost_with_its_part(plc, make_daemon):
    plc.set(1, "discrete", 2, 1)
    d = make_daemon(more=FAST + point("no", "discrete = 1") + point("nc", "discrete = 2")
                    + 'input "door" { pair = { "no", "nc" }  normal = "01"  alarm = "10"'
                    '  short = "11"  open = "00" }\n')
    until(d, "door", quality="good", active=False)
    plc.stop()
    assert "input n" in until(d, "door", quality="fault", active=False)["why"]
    plc.start()
    plc.set(1, "discrete", 2, 1)
    until(d, "door", quality="good", active=False)


def test_what_an_electrician_sees(plc, make_daemon, site):
    """Value, raw value, quality, last change, glitches: table, live, API, metrics, and why."""
    d = make_daemon(more=FAST + point("gas", 'input = 5  type = s16  scale = 0.5  above = 40  hold = "300ms"')
                    + point("gone", "unit = 9  coil = 1"))
    plc.set(1, "input", 5, 20)
    got = until(d, "gas", quality="good", value=10.0, raw="0x0014", active=False)
    assert got["glitches"] == 0 and "changed" in got
    until(d, "gone", quality="fault", value=None, raw="")
    watch = site["ctl"].popen([d.binary.replace("tocsind", "tocsinctl"), "--socket", d.socket,
                               "--json", "inputs", "--watch"], stdout=subprocess.PIPE, text=True)
    try:
        plc.set(1, "input", 5, 100)
        until(d, "gas", value=50.0, active=False)
        plc.set(1, "input", 5, 22)
        until(d, "gas", value=11.0, glitches=1, active=False)
        for line in watch.stdout:
            row = json.loads(line)
            if row["name"] == "gas" and row["value"] == 11.0 and row["glitches"] == 1:
                break
        watch.send_signal(signal.SIGINT)
        assert watch.wait(10) == 0
    finally:
        watch.kill()
        watch.stdout.close()
    table = d.ctl("inputs").stdout
    assert "GLITCHES" in table and "0x0016" in table and "unit 9 does not answer" in table
    assert d.ctl("inputs", "--nonsense").returncode == 2
    text = d.api.raw("GET", "/metrics")[1].decode()
    assert 'tocsin_input_glitches_total{input="gas"} 1' in text
    assert 'tocsin_input_good{input="gone"} 0' in text
    assert f'tocsin_modbus_timeouts_total{{bus="{BUS}"}}' in text
