"""Outputs that leave twice, later, or to more addresses."""
import pytest

from conftest import EVAC, HALL, HOSTS, NOTICE, YARD, config
from lib import wait
from lib.rtp import Listener, check_continuous


def zone(name, more):
    """The site's configuration with more keys on one zone's output."""
    group = {"hall": HALL, "yard": YARD}[name][0]
    head = f'multicast "{group}:5004" {{ codec = "pcmu"  interface = "eth0"'
    text = config()
    assert head in text
    return text.replace(head, f"{head}  {more}")


@pytest.fixture
def device(site, cleanup):
    """device("bystander", 5004): a loudspeaker that is sent unicast."""

    def make(host, port):
        r = Listener(site[host].udp(port))
        cleanup.callback(r.close)
        return r
    return make


def unicast_faults(d):
    return [f for k, f in d.api.faults().items() if k.startswith("unicast:")]


def test_each_packet_comes_twice(make_daemon, hall):
    d = make_daemon(text=zone("hall", 'redundancy = 1  redundancy-after = "5ms"'))
    d.api.page(["hall"], "notice")
    seqs = {}

    def all_twice(packets):
        seqs.clear()
        for p in packets:
            seqs.setdefault(p.seq, []).append(p)
        got = b"".join(v[0].payload for _, v in sorted(seqs.items()))
        return NOTICE in got and all(len(v) == 2 for v in seqs.values())

    hall.wait_for(all_twice, "every packet twice")
    for a, b in seqs.values():
        assert a[1:7] == b[1:7], "the copy is another packet"
        assert b.time >= a.time
    order = [p.seq for p in hall.packets]
    assert order.index(hall.packets[-1].seq) >= len(order) - 3, "copies come soon"


def test_fan_out_passes_over_the_dead(make_daemon, hall, device):
    alive = device("bystander", 5006)
    there = device("second", 6000)
    to = [f'{HOSTS["second"]}:5004', "10.9.0.99:5004", f'{HOSTS["bystander"]}:5006']
    d = make_daemon(text=zone("hall", "unicast = { %s }" % ", ".join(f'"{t}"' for t in to)))
    d.api.page(["hall"], "notice", repeat=3)
    hall.wait_bytes(NOTICE)
    alive.wait_bytes(NOTICE, "the same by unicast")
    check_continuous(alive.packets)
    assert alive.packets[0].ssrc == hall.packets[0].ssrc
    n = min(len(alive.packets), len(hall.packets)) - 1
    by_seq = {p.seq: p for p in hall.packets}
    assert all(by_seq[p.seq].payload == p.payload for p in alive.packets[:n])
    assert not there.packets
    # One does not listen, the other does not exist; each is named.
    wait.until(lambda: len(unicast_faults(d)) == 2, "both faults")
    texts = " ".join(f["text"] for f in unicast_faults(d))
    assert to[0] in texts and to[1] in texts
    # The one that begins to listen is well again while it is sent to.
    now = device("second", 5004)
    d.api.page(["hall"], "long")
    now.wait_for(10)
    wait.until(lambda: len(unicast_faults(d)) == 1, "the fault to clear", timeout=30)
    # Taken out of the configuration, it is nobody's fault any more.
    d.reload(config())
    wait.until(lambda: not unicast_faults(d), "no fault")


def test_delay_trims_an_output(make_daemon, hall, yard):
    """Measured on one clock in the kernel; only that it is later by most of it."""
    d = make_daemon(text=zone("yard", 'delay = "400ms"'))
    d.api.page(["hall", "yard"], "evac", priority="bell", repeat=1)
    hall.wait_bytes(EVAC)
    yard.wait_bytes(EVAC)
    check_continuous(yard.packets)
    pairs = list(zip(hall.packets[:40], yard.packets[:40]))
    assert all(a.payload == b.payload for a, b in pairs)
    late = sorted(b.time - a.time for a, b in pairs)
    assert 0.38 < late[len(late) // 2] < 0.5, late
    # Preemption goes by the same line: nothing is lost or out of order.
    d.api.page(["all"], "bell", priority="urgent")
    yard.wait_quiet(0.6)
    check_continuous(yard.packets)


