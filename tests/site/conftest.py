"""Site tests: real daemons and peers in network namespaces. Run as root:

    make site                       all of them, two side by side
    make site PYTEST_ARGS='-k ack'  some
    make site SITE_JOBS=0           one after the other, in this process

BUILD names the build directory under test. A failed test prints the daemon's
log and leaves no process and no namespace. One that failed while the machine
itself stood still (lib/stall.py) is run again, up to three times, and says so.
"""
import contextlib
import os
import sys
import time

import pytest
from _pytest.runner import runtestprotocol

sys.path.insert(0, os.path.dirname(__file__))
sys.dont_write_bytecode = True

from lib import audio, net  # noqa: E402
from lib.daemon import Daemon  # noqa: E402
from lib.peers import Broker, MqttClient, Sipp, Baresip  # noqa: E402
from lib.rtp import Receiver  # noqa: E402
from lib.sip import Agent, Call  # noqa: E402
from lib.stall import Watch  # noqa: E402

HOSTS = {
    "ctl": "10.9.0.1",       # the controller
    "hall": "10.9.0.11",     # loudspeakers
    "yard": "10.9.0.12",
    "bystander": "10.9.0.13",
    "caller": "10.9.0.21",   # an allowed talker
    "second": "10.9.0.22",   # another one
    "broker": "10.9.0.5",
    "stranger": "10.9.9.66", # in no peer entry
}
CTL = (HOSTS["ctl"], 5060)

HALL, YARD, GATE = ("239.192.7.1", 5004), ("239.192.7.2", 5004), ("239.192.7.3", 5004)

# The messages: noise that is the same after mu-law, so equality is bit for bit.
EVAC = audio.codes(1.0, 1)
NOTICE = audio.codes(3.0, 2)
BELL = audio.codes(1.0, 3)
LONG = audio.codes(20.0, 4)

CONFIG = '''
site = "test"
state-dir = "state"
media { loudness = "off" }
sip {
    listen = { "udp:10.9.0.1:5060", "tcp:10.9.0.1:5060" }
    rtp-ports = "20000-20999"
    @sip@
}
peer "10.9.0.21/32" { allow = { "page" }  max-priority = "page" }
peer "10.9.0.22/32" { allow = { "page" }  max-priority = "bell" }
zone "hall" {
    extension = "701"
    multicast "239.192.7.1:5004" { codec = "pcmu"  interface = "eth0" }
}
zone "yard" {
    extension = "702"
    multicast "239.192.7.2:5004" { codec = "pcmu"  interface = "eth0" }
}
zone "gate" {
    extension = "703"
    multicast "239.192.7.3:5004" { codec = "pcma"  interface = "eth0" }
}
zone "all" { extension = "700"  zones = { "*" } }
message "evac"   { file = "evac.wav"  gap = "500ms"  repeat = "until-reset" }
message "notice" { file = "notice.wav" }
message "bell"   { file = "bell.wav" }
message "long"   { file = "long.wav" }
input "panic" { virtual = true }
input "second" { virtual = true }
output "fault" { virtual = true  role = "fault" }
output "beacon" { virtual = true }
alarm "panic" {
    inputs = { "panic", "second" }
    latch = true
    broadcast { message = "evac"  zones = { "all" }  priority = "evacuate" }
    outputs = { "beacon" }
}
web { socket = "s/tocsin.sock" }
@more@
'''


def config(sip="", more=""):
    return CONFIG.replace("@sip@", sip).replace("@more@", more)


def worker(config):
    """Is this one of the processes that run tests side by side (xdist)?"""
    return hasattr(config, "workerinput")


def pytest_configure(config):
    if os.geteuid() != 0:
        pytest.exit("the site tests need root: they make network namespaces", 1)
    if not worker(config):
        net.remove_leftovers()
    config.site_watch = Watch()
    config.add_cleanup(config.site_watch.close)


# Sound is cut into 20 ms: a stall of half of that can cost a packet.
STALL, AGAIN = 0.01, 3


def pytest_runtest_protocol(item, nextitem):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    again = []
    for left in range(AGAIN, -1, -1):
        item._initrequest()
        since = time.monotonic()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        worst = item.config.site_watch.worst(since)
        if not any(r.failed for r in reports) or worst < STALL or not left:
            break
        again.append(worst)
    for r in reports:
        if r.when == "teardown":  # the way from a worker to who prints the summary
            r.site_again = again
        item.ihook.pytest_runtest_logreport(report=r)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_terminal_summary(terminalreporter):
    for reports in terminalreporter.stats.values():
        for r in reports:
            for worst in getattr(r, "site_again", []):
                terminalreporter.write_line(
                    f"{r.nodeid} was run again: the machine stood still for {1e3 * worst:.0f} ms under it")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for title, path in getattr(item, "site_logs", []):
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    report.sections.append((title, f.read()[-12000:]))


@pytest.fixture(scope="session")
def site():
    s = net.Site(HOSTS)
    yield s
    s.close()


@pytest.fixture
def cleanup():
    """Things to close when the test is over, last first, whatever happens."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def tmp_folder(tmp_path):
    return tmp_path


@pytest.fixture
def messages(tmp_path):
    for name, data in (("evac", EVAC), ("notice", NOTICE), ("bell", BELL), ("long", LONG)):
        audio.write_wav(tmp_path / f"{name}.wav", audio.ulaw(data))


@pytest.fixture
def make_daemon(site, tmp_path, messages, cleanup, request):
    """make_daemon(sip=..., more=...) or make_daemon(text=...): a running daemon."""
    request.node.site_logs = []

    def make(sip="", more="", text=None, start=True):
        d = Daemon(site["ctl"], tmp_path, text or config(sip, more))
        request.node.site_logs.append(("tocsind", d.log_path))
        cleanup.callback(d.close)
        if start:
            d.start()
        return d
    return make


@pytest.fixture
def daemon(make_daemon):
    return make_daemon()


@pytest.fixture
def listen(site, cleanup, request):
    """listen("hall", HALL): a loudspeaker on a host."""

    def make(host, where):
        r = Receiver(site[host], *where)
        r.watch = request.config.site_watch
        cleanup.callback(r.close)
        return r
    return make


@pytest.fixture
def hall(listen):
    return listen("hall", HALL)


@pytest.fixture
def yard(listen):
    return listen("yard", YARD)


@pytest.fixture
def agent(site, cleanup):
    """agent("caller"): a SIP user agent on a host."""

    def make(host="caller", **kw):
        a = Agent(site[host], CTL, **kw)
        cleanup.callback(a.close)
        return a
    return make


@pytest.fixture
def caller(agent):
    """caller("701"): a call in the making, with RTP."""
    made = []

    def make(user):
        if not made:
            made.append(agent())
        return Call(made[0], user, rtp=True)
    return make


@pytest.fixture
def make_broker(site, tmp_path, cleanup, request):
    def make(host="broker", **kw):
        b = Broker(site[host], tmp_path / f"mosquitto-{host}", **kw)
        if not hasattr(request.node, "site_logs"):
            request.node.site_logs = []
        request.node.site_logs.append(("mosquitto", b.log_path))
        cleanup.callback(b.close)
        return b
    return make


@pytest.fixture
def broker(make_broker):
    return make_broker()


@pytest.fixture
def mqtt(site, cleanup):
    def make(broker, **kw):
        c = MqttClient(site["second"], broker, **kw)
        cleanup.callback(c.close)
        return c
    return make


@pytest.fixture
def sipp(site, tmp_path, cleanup):
    def make(scenario, extension, host="caller", **keys):
        p = Sipp(site[host], tmp_path / "sipp", scenario, CTL, extension, keys)
        cleanup.callback(p.close)
        return p
    return make


@pytest.fixture
def baresip(site, tmp_path, cleanup):
    def make(wav, uri, **kw):
        b = Baresip(site["caller"], tmp_path / "baresip", wav, uri, **kw)
        cleanup.callback(b.close)
        return b
    return make
