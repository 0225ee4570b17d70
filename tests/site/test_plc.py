"""A PLC reads us and commands us over Modbus: a master of our own, and mbpoll."""
import random
import socket
import struct

import pytest

from conftest import BELL, config
from lib import wait

CTL = "10.9.0.1"
PLC = '''plc {
    listen = "10.9.0.1:502"  allow = { "10.9.0.12", "10.9.0.1" }
    zones = { "hall", "yard" }  alarms = { "other", "panic" }  inputs = { "panic" }
    trigger = { "panic" }  reset = { "panic" }
}
alarm "other" { outputs = { "beacon" } }
'''
NOT_NORMAL, ACKED, CAUSE, INHIBITED = (3004 + i for i in range(4))  # the second alarm
TRIGGER, RESET = 8002, 8003


class Master:
    def __init__(self, host, port=502):
        self.sock = host.socket(kind=socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect((CTL, port))
        self.n = 0

    def ask(self, pdu, unit=1):
        self.n += 1
        self.sock.sendall(struct.pack("!HHHB", self.n, 0, len(pdu) + 1, unit) + pdu)
        head = self.recv(7)
        t, p, length, u = struct.unpack("!HHHB", head)
        assert (t, p, u) == (self.n, 0, unit)
        return self.recv(length - 1)

    def recv(self, n):
        got = b""
        while len(got) < n:
            more = self.sock.recv(n - len(got))
            if not more:
                raise ConnectionError("closed")
            got += more
        return got

    def bits(self, address, count=1, function=2):
        a = self.ask(struct.pack("!BHH", function, address, count))
        assert a[0] == function, a
        return [a[2 + i // 8] >> i % 8 & 1 for i in range(count)]

    def words(self, address, count=1, function=3):
        a = self.ask(struct.pack("!BHH", function, address, count))
        assert a[0] == function, a
        return list(struct.unpack(f"!{count}H", a[2:]))

    def coil(self, address, on):
        """0, or the exception."""
        a = self.ask(struct.pack("!BHH", 5, address, 0xFF00 if on else 0))
        return a[1] if a[0] & 0x80 else 0

    def close(self):
        self.sock.close()


@pytest.fixture
def master(site, cleanup):
    def make(host="yard"):
        m = Master(site[host])
        cleanup.callback(m.close)
        return m
    return make


def test_a_plc_reads(make_daemon, master, hall):
    d = make_daemon(more=PLC)
    m = master()
    assert m.words(1, 3) == [0, 0, 0]
    first = m.words(0)[0]
    wait.until(lambda: m.words(0, function=4)[0] != first, "the heartbeat")
    assert m.bits(1000, 4) == [0] * 4 and m.bits(1000, 4, function=1) == [0] * 4
    d.api.page(["hall"], "long")
    wait.until(lambda: m.bits(1000, 4) == [1, 0, 0, 0], "the page in the hall")
    d.api.input("panic", True)
    wait.until(lambda: m.bits(1000, 4) == [1, 1, 1, 1], "the evacuation")
    assert m.bits(NOT_NORMAL, 4) == [1, 0, 1, 0]
    assert m.words(3000, 2) == [0, 0b0101] and m.words(1000, 2) == [3, 3]
    assert m.bits(5000, 2) == [1, 0] and m.bits(1) == [1]
    d.api.post("/alarms/panic/ack")
    d.api.input("panic", False)
    assert m.bits(NOT_NORMAL, 4) == [1, 1, 0, 0]


def test_a_plc_commands(make_daemon, master, hall):
    d = make_daemon(more=PLC)
    m = master()
    # A level that stood before we knew each other is no command.
    assert m.coil(TRIGGER, True) == 3
    assert m.bits(NOT_NORMAL) == [0] and not hall.packets
    assert m.coil(TRIGGER, False) == 0
    assert m.coil(TRIGGER, True) == 0
    hall.wait_for(5)
    assert m.bits(NOT_NORMAL) == [1] and m.bits(TRIGGER, function=1) == [1]
    started = d.recorded("alarm.active")[-1]
    assert started["actor"] == "modbus:10.9.0.12"
    assert m.coil(TRIGGER, True) == 0, "it stays: no new command"
    # Both coils in one write: reset.
    assert m.ask(struct.pack("!BHHBB", 15, TRIGGER, 2, 1, 0))[0] == 15
    assert m.ask(struct.pack("!BHHBB", 15, TRIGGER, 2, 1, 2))[0] == 15
    wait.until(lambda: m.bits(NOT_NORMAL) == [0], "the reset")
    # One that its state refuses says so.
    d.api.input("panic", True)
    assert m.coil(RESET, False) == 0 and m.coil(RESET, True) == 4
    d.recorded("command.refused", lambda e: "modbus:10.9.0.12" == e["actor"])


def test_only_what_is_allowed(make_daemon, master, site):
    d = make_daemon(more=PLC)
    m = master()
    assert m.coil(8000, False) == 2, "other: may not be triggered"
    assert m.coil(8001, False) == 2 and m.coil(1000, False) == 2
    assert m.ask(struct.pack("!BHH", 6, 0, 1)) == b"\x86\x01"
    assert m.ask(struct.pack("!BHH", 3, 0, 1), unit=2) == b"\x83\x0a"
    assert m.ask(struct.pack("!BHH", 2, 1004, 1)) == b"\x82\x02"
    with pytest.raises((ConnectionError, OSError)):
        master("stranger").words(0)
    text = d.api.raw("GET", "/metrics")[1].decode()
    assert "tocsin_plc_strangers_total 1" in text


def test_hostile_frames(make_daemon, master, site, hall):
    """Nothing it sends does harm or is carried out; others are served."""
    d = make_daemon(more=PLC)
    good = master()
    rng = random.Random(5)
    for i in range(60):
        s = site["yard"].socket(kind=socket.SOCK_STREAM)
        s.settimeout(5)
        s.connect((CTL, 502))
        if i % 2:
            pdu = bytes(rng.randrange(256) for _ in range(rng.randrange(2, 250)))
            s.sendall(struct.pack("!HHHB", i, 0, len(pdu) + 1, 1) + pdu)
        else:
            s.sendall(bytes(rng.randrange(256) for _ in range(rng.randrange(1, 600))))
        if not i % 5:
            try:
                s.shutdown(socket.SHUT_WR)
                while s.recv(4096):
                    pass
            except OSError:
                pass  # it was thrown out already
        s.close()
        assert good.words(1, 1) is not None
    assert good.bits(NOT_NORMAL) == [0]
    d.api.page(["hall"], "bell")
    hall.wait_bytes(BELL)


def test_too_many_connections(make_daemon, master, site, cleanup):
    make_daemon(more=PLC)
    held = [master() for _ in range(8)]
    assert [m.words(1)[0] for m in held] == [0] * 8
    with pytest.raises((ConnectionError, OSError)):
        master().words(1)
    held.pop().close()

    def again():
        try:
            return master().words(1) == [0]
        except OSError:
            return None
    wait.until(again, "a place to be free")


def test_a_flood_is_held_back(make_daemon, master):
    """It gets all its answers, in its time; everybody else is served meanwhile."""
    d = make_daemon(more=PLC)
    flood, good = master(), master()
    n = 120
    for i in range(n):
        flood.sock.sendall(struct.pack("!HHHBBHH", i, 0, 6, 1, 3, 0, 1))
    for _ in range(20):
        good.words(1)
    assert d.answers()
    for i in range(n):
        assert struct.unpack("!H", flood.recv(11)[:2])[0] == i


def test_map_and_reload(make_daemon, master, site):
    d = make_daemon(more=PLC)
    out = site["ctl"].run([d.binary, "--modbus-map", "-c", d.path]).stdout
    rows = {tuple(line.split()[:2]): line.split(None, 2)[2] for line in out.splitlines()
            if line[0] != "#"}
    assert rows["bit", str(NOT_NORMAL)] == "panic: not normal"
    assert rows["command", str(RESET)] == "panic: reset" and ("command", "8000") not in rows
    assert rows["register", "1001"] == "yard: its two bits"
    m = master()
    assert f"# register 5 is {m.words(5)[0]}" in out
    before = m.words(5)
    # Another map: the connection ends, and the signature tells.
    assert d.reload(config(more=PLC.replace('"hall", "yard"', '"yard", "hall"')))["type"] == "config.loaded"
    with pytest.raises((ConnectionError, OSError)):
        m.words(5)
    assert master().words(5) != before
    d.reload(config())
    with pytest.raises((ConnectionError, OSError)):
        master()


def test_port_is_taken(make_daemon, site, cleanup):
    s = site["ctl"].listener(502)
    cleanup.callback(s.close)
    d = make_daemon(more=PLC)
    assert "in use" in d.api.faults()["plc"]["text"]


def test_mbpoll_reads_and_commands(make_daemon, site):
    d = make_daemon(more=PLC)

    def mbpoll(*args):
        return site["yard"].run(["mbpoll", "-m", "tcp", "-a", "1", "-0", "-1", *args]).stdout
    d.api.input("panic", True)
    out = mbpoll("-t", "1", "-r", str(NOT_NORMAL), "-c", "4", CTL)
    assert f"[{NOT_NORMAL}]: \t1" in out and f"[{INHIBITED}]: \t0" in out, out
    out = mbpoll("-t", "3", "-r", "3000", "-c", "2", CTL)
    assert "[3001]: \t5" in out, out
