"""DESIGN rule 7: every fault is shown, soon, and clears by itself."""
import os
import sqlite3
import subprocess
import time

import pytest

from conftest import BELL, HALL, LONG, config
from lib import audio, net, wait
from lib.rtp import check_continuous


@pytest.fixture
def cut(site):
    """cut(): pulls the controller's cable; put back at the end."""
    ctl = site["ctl"]

    def restore():
        net.sh(f"ip -n {site.switch} link set {ctl.port} up")
        ctl.link("up")
        net.sh(f"ip -n {ctl.ns} route replace 224.0.0.0/4 dev eth0")
        wait.until(lambda: "state UP" in net.sh(f"ip -n {ctl.ns} link show eth0"), "the link")
    yield restore
    restore()


def output_fault(d):
    return [k for k in d.api.faults() if k.startswith("output:")]


def fault_output(d):
    return d.api.named("outputs", "fault")["active"]


def test_interface_down_while_sounding(daemon, site, hall, cut):
    daemon.api.page(["hall"], "long", repeat=10)
    hall.wait_for(10)
    assert fault_output(daemon)
    since = time.monotonic()
    site["ctl"].link("down")
    wait.until(lambda: output_fault(daemon), "the fault")
    print(f"seen {time.monotonic() - since:.2f} s after the interface went down")
    wait.until(lambda: not fault_output(daemon), "the fault output to drop")
    fault = daemon.api.faults()[output_fault(daemon)[0]]
    assert "hall" in fault["text"] or "239.192.7" in fault["text"]
    assert fault["remedy"]
    cut()
    n = hall.mark()
    wait.until(lambda: not output_fault(daemon), "the fault to clear")
    wait.until(lambda: fault_output(daemon), "the fault output to return")
    hall.wait_for(n + 10)
    types = {e["type"] for e in daemon.api.journal()}
    assert {"fault.raised", "fault.cleared"} <= types


def test_interface_down_while_quiet(daemon, site, cut):
    """Known before anybody needs it."""
    site["ctl"].link("down")
    wait.until(lambda: output_fault(daemon), "the fault")
    cut()
    wait.until(lambda: not output_fault(daemon), "the fault to clear")


def test_cable_pulled_while_quiet(daemon, site, cut):
    net.sh(f"ip -n {site.switch} link set {site['ctl'].port} down")
    wait.until(lambda: output_fault(daemon), "the fault")
    cut()
    wait.until(lambda: not output_fault(daemon), "the fault to clear")


def test_interface_not_there(make_daemon, site, hall, cleanup):
    """At the start, and it comes later."""
    d = make_daemon(more='zone "shed" { multicast "239.192.7.8:5004" '
                         '{ codec = "pcmu"  interface = "eth9" } }\n')
    wait.until(lambda: output_fault(d), "the fault")
    assert "eth9" in d.api.faults()[output_fault(d)[0]]["text"]
    d.api.page(["all"], "bell")
    hall.wait_bytes(BELL, "the others are not delayed")
    ns = site["ctl"].ns
    cleanup.callback(lambda: net.sh(f"ip -n {ns} link del eth9", check=False))
    net.sh(f"ip -n {ns} link add eth9 type veth peer name eth9p")
    net.sh(f"ip -n {ns} addr add 10.77.0.1/24 dev eth9")
    net.sh(f"ip -n {ns} link set eth9 up && ip -n {ns} link set eth9p up")
    wait.until(lambda: not output_fault(d), "the fault to clear")


def test_one_dead_zone_delays_nobody(make_daemon, hall, site):
    """Rule 5: an output that cannot send, among others."""
    d = make_daemon(more='zone "shed" { multicast "239.192.7.8:5004" '
                         '{ codec = "pcmu"  interface = "eth9" } }\n')
    d.api.page(["all"], "long")
    hall.wait_for(100)
    gaps = [b.time - a.time for a, b in zip(hall.packets, hall.packets[1:])]
    assert max(gaps) < 0.06
    check_continuous(hall.packets)


def test_stalled_journal_delays_no_broadcast(daemon, hall, tmp_path, caller):
    """Somebody holds the database locked: the disk cannot be written."""
    db = next((tmp_path / "state").glob("journal.db"))
    lock = sqlite3.connect(db, timeout=10, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        daemon.api.page(["hall"], "bell")
        hall.wait_bytes(BELL)
        hall.wait_quiet()
        n = hall.mark()
        since = time.time()
        daemon.api.input("panic", True)
        hall.wait_for(lambda ps: len(ps) > n)
        assert hall.packets[n].time - since < 1
        caller("701").agent.options(5)
        gaps = [b.time - a.time for a, b in zip(hall.packets[n:], hall.packets[n + 1:])]
        assert not gaps or max(gaps) < 0.1
        wait.until(lambda: "journal" in daemon.api.faults(), "the fault", timeout=30)
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    wait.until(lambda: "journal" not in daemon.api.faults(), "the fault to clear", timeout=30)
    types = {e["type"] for e in daemon.api.journal()}
    assert "alarm.active" in types, "nothing was lost"


def test_damaged_journal(make_daemon, hall, tmp_path):
    d = make_daemon()
    d.stop()
    db = tmp_path / "state" / "journal.db"
    for extra in tmp_path.glob("state/journal.db-*"):
        os.unlink(extra)
    db.write_bytes(b"this is no database" * 1000)
    d.start()
    assert [f for f in d.api.faults() if f.startswith("journal")], "it is told"
    assert list((tmp_path / "state").glob("journal.db.damaged*")), "and kept"
    d.api.page(["hall"], "bell")
    hall.wait_bytes(BELL)


def test_unwritable_state_dir(make_daemon, hall, tmp_path):
    (tmp_path / "state").write_text("a file is in the way")
    d = make_daemon()
    assert "journal" in d.api.faults()
    d.api.page(["hall"], "bell")
    hall.wait_bytes(BELL)


def test_damaged_message_at_start(make_daemon, hall, tmp_path):
    """An alarm without its message still makes itself heard: a tone."""
    d = make_daemon(start=False)
    (tmp_path / "evac.wav").write_bytes(b"RIFF\x10\x00\x00\x00WAVEgarbage")
    d.start()
    assert "message:evac" in d.api.faults()
    d.api.input("panic", True)
    hall.wait_for(50)
    assert audio.level_dbfs(hall.pcm()) > -40


def test_faults_reach_the_command_line(daemon, site, cut):
    site["ctl"].link("down")
    wait.until(lambda: output_fault(daemon), "the fault")
    out = daemon.ctl("faults").stdout
    assert "239.192.7.1" in out


def test_pace_is_kept(daemon, hall):
    daemon.api.page(["hall"], "long")
    hall.wait_for(150)
    first, last = hall.packets[0], hall.packets[149]
    assert abs((last.time - first.time) - 149 * 0.02) < 0.05
    check_continuous(hall.packets)
