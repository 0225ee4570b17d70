#!/usr/bin/python3
"""The real daemon on the kernel's gpio-sim, inside the virtual machine that
tests/gpio-vm/init sets up: DAEMON is its binary. Prints what it measures."""
import fcntl
import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import wave

PATIENCE = 60
SIM = os.environ["GPIO_SIM"]
DIR = "/mnt"
GROUP = ("239.1.1.1", 5004)
RUNS = 10
SO_TIMESTAMPNS = 35

CONFIG = '''
site = "vm"
state-dir = "/mnt/state"
media { loudness = "off" }
zone "hall" { multicast "239.1.1.1:5004" { codec = "pcmu"  interface = "lo" } }
message "bell" { file = "/mnt/bell.wav" }
input "door" { gpio = "callpoints:1"  debounce = "@debounce@" }
input "panic" { gpio = "callpoints:help-point-1"  active = "low"  bias = "pull-up" }
output "beacon" { gpio = "callpoints:8" }
output "fault" { gpio = "callpoints:9"  role = "fault" }
alarm "door" { inputs = { "door" }  latch = false  outputs = { "beacon" }
               broadcast { message = "bell"  zones = { "hall" } } }
output "lamp" { gpio = "callpoints:10"  active = "low" }
alarm "panic" { inputs = { "panic" }  outputs = { "lamp" } }
web { socket = "/mnt/tocsin.sock" }
@more@
'''
HELD = 'input "held" { gpio = "callpoints:5" }\n'


def until(cond, what):
    end = time.monotonic() + PATIENCE
    while True:
        got = cond()
        if got:
            return got
        assert time.monotonic() < end, f"waited {PATIENCE} s for {what}"
        time.sleep(0.005)


# ----------------------------------------------------------- the simulated chip

def lines():
    def read(path):
        with open(f"{SIM}/{path}") as f:
            return f.read().strip()
    return f"/sys/devices/platform/{read('dev_name')}/{read('b0/chip_name')}"


def pull(line, up):
    with open(f"{lines()}/sim_gpio{line}/pull", "w") as f:
        f.write("pull-up" if up else "pull-down")


def pin(line):
    with open(f"{lines()}/sim_gpio{line}/value") as f:
        return int(f.read())


def live(yes):
    with open(f"{SIM}/live", "w") as f:
        f.write("1" if yes else "0")


def seed():
    """User-mode Linux gathers no randomness: getrandom() would wait for ever."""
    data = bytes.fromhex(os.environ["SEED"])
    with open("/dev/random", "wb") as f:  # RNDADDENTROPY
        fcntl.ioctl(f, 0x40085203, struct.pack("ii", 8 * len(data), len(data)) + data)


# ------------------------------------------------------------------- the daemon

class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(f"{DIR}/tocsin.sock")


def get(path, method="GET", body=None):
    c = Connection("localhost")
    c.request(method, "/api/v1" + path, json.dumps(body) if body else None,
              {"Content-Type": "application/json"})
    return json.loads(c.getresponse().read() or "null")


def named(kind, name):
    return next(x for x in get("/" + kind) if x["name"] == name)


def faults():
    return {f["fault"]: f["text"] for f in get("/faults")}


def happened(kind, after):
    return [e for e in get(f"/journal?type={kind}&limit=1000") if e["id"] > after]


def last_id():
    return max([e["id"] for e in get("/journal?limit=1")] + [0])


def write_config(more="", debounce="20ms"):
    with open(f"{DIR}/tocsin.conf", "w") as f:
        f.write(CONFIG.replace("@more@", more).replace("@debounce@", debounce))


def start():
    p = subprocess.Popen([os.environ["DAEMON"], "-f", "-c", f"{DIR}/tocsin.conf"],
                         stderr=open(f"{DIR}/log", "ab"))

    def answers():
        assert p.poll() is None, "the daemon ended"
        try:
            return get("/status")
        except OSError:
            return None
    until(answers, "the daemon")
    return p


def reload(p, **kw):
    since = last_id()
    write_config(**kw)
    p.send_signal(signal.SIGHUP)
    until(lambda: happened("config.loaded", since), "the reload")


def receiver():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    s.bind(GROUP)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                 socket.inet_aton(GROUP[0]) + socket.inet_aton("127.0.0.1"))
    s.settimeout(PATIENCE)
    return s


def first_packet(s, since):
    """When the kernel had the first packet after since, ns of the wall clock."""
    while True:
        _, anc, _, _ = s.recvmsg(2048, 256)
        sec, ns = struct.unpack("=qq", anc[0][2][:16])
        if sec * 10**9 + ns >= since:
            return sec * 10**9 + ns


def drain(s):
    s.settimeout(0)
    try:
        while True:
            s.recv(2048)
    except BlockingIOError:
        pass
    s.settimeout(PATIENCE)


# -------------------------------------------------------------------- the tests

def a_held_line_is_named_with_its_holder(p):
    until(lambda: 'in use by "amplifier"' in faults().get("input:held", ""), "the fault")
    assert pin(9) == 0, "the fault relay has dropped"
    reload(p)
    until(lambda: not faults(), "no fault")
    until(lambda: pin(9) == 1, "the fault relay, energised while all is well")


def edge_to_first_packet(p):
    """And the beacon with it; the level counts at once without debouncing."""
    reload(p, debounce="0s")
    s, took = receiver(), []
    for _ in range(RUNS):
        drain(s)
        began = time.clock_gettime_ns(time.CLOCK_REALTIME)
        pull(1, True)
        took.append((first_packet(s, began) - began) / 1e3)
        until(lambda: pin(8) == 1, "the beacon")
        pull(1, False)
        until(lambda: pin(8) == 0, "the beacon to go out")
        until(lambda: not get("/broadcasts"), "silence")
    took.sort()
    print(f"edge -> first RTP, {RUNS} times: median {took[RUNS // 2]:.0f} us, "
          f"worst {took[-1]:.0f} us")
    reload(p)


def a_flapping_contact_raises_nothing(p):
    """About 1 kHz, then pressed: one alarm, when it stands."""
    reload(p, debounce="500ms")  # the machine itself stalls
    since = last_id()
    for i in range(600):
        pull(1, i % 2)
        time.sleep(0.0005)
    pull(1, False)
    assert not happened("alarm.active", since)
    pull(1, True)
    until(lambda: happened("alarm.active", since), "the press")
    pull(1, False)
    until(lambda: named("alarms", "door")["state"] == "normal", "the alarm to end")
    assert len(happened("alarm.active", since)) == 1
    print(f"1 kHz: {named('inputs', 'door')['glitches']} glitches told of")
    reload(p)


def without_debouncing_it_stays_bounded(p):
    """Every change counts then; what is written down of it does not grow."""
    reload(p, debounce="0s")
    since, began = last_id(), time.monotonic()
    for i in range(601):
        pull(1, i % 2 == 0)
        time.sleep(0.0005)
    until(lambda: named("inputs", "door")["active"], "the last level")
    pull(1, False)
    until(lambda: named("alarms", "door")["state"] == "normal", "the alarm to end")
    told, seconds = len(happened("input.changed", since)), time.monotonic() - began
    assert told <= 21 * (seconds + 2), (told, seconds)  # 20 a second, and their sum
    reload(p)


def a_chip_comes_and_goes(p):
    since = last_id()
    pull(1, True)
    since = until(lambda: happened("alarm.active", since), "the alarm")[-1]["id"]
    live(False)
    until(lambda: "its chip is gone" in faults().get("input:door", "")
          or "no such" in faults().get("input:door", "").lower(), "the fault")
    assert named("inputs", "door")["quality"] == "fault"
    assert named("inputs", "door")["active"], "lost is not clear"
    assert named("alarms", "door")["state"] == "active"
    assert not happened("alarm.active", since), "nor alarm"
    live(True)  # all pulled down
    until(lambda: named("inputs", "door")["quality"] == "good", "the chip to be taken again")
    until(lambda: named("alarms", "door")["state"] == "normal", "what it reads now")
    pull(3, True)
    until(lambda: not faults(), "no fault")
    until(lambda: pin(9) == 1, "the fault relay")
    pull(1, True)
    until(lambda: pin(8) == 1, "the beacon")


def it_fails_to_the_safe_side(p):
    """Killed: the kernel takes the lines back. Restarted, then stopped in order."""
    assert pin(8) == 1 and pin(9) == 1
    p.kill()
    p.wait()
    assert pin(8) == 0 and pin(9) == 0
    p = start()
    until(lambda: pin(8) == 1 and pin(9) == 1, "the contact that is still pressed")
    p.terminate()
    assert p.wait(PATIENCE) == 0
    assert pin(8) == 0 and pin(9) == 0


def main():
    seed()
    with wave.open(f"{DIR}/bell.wav", "wb") as w:
        w.setparams((1, 2, 8000, 0, "NONE", ""))
        w.writeframes(b"\x00\x10\x00\xf0" * 800)
    pull(3, True)  # active low: released
    write_config(HELD)
    try:
        run(start())
    except BaseException:
        with open(f"{DIR}/log") as f:
            print(f.read()[-3000:])
        raise


def run(p):
    for test in (a_held_line_is_named_with_its_holder, edge_to_first_packet,
                 a_flapping_contact_raises_nothing, without_debouncing_it_stays_bounded,
                 a_chip_comes_and_goes, it_fails_to_the_safe_side):
        print(f"[ RUN      ] {test.__name__}", flush=True)
        test(p)
        print(f"[       OK ] {test.__name__}", flush=True)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
