"""Proof of sound: heard back on the wire, strangers on our groups, IGMP queriers."""
import socket
import struct

import pytest

from conftest import HALL, LONG, NOTICE, config
from lib import net, wait
from lib.net import mreqn
from lib.rtp import Sender

HALL_KEY = "heard:hall 239.192.7.1:5004"
FOREIGN_KEY = "foreign:hall 239.192.7.1:5004"


def proof(keys):
    return f"proof {{ {keys} }}\n"


def sounds(d, zone):
    return d.api.get(f"/zones/{zone}")["sounds"]


def heard(d, zone="hall"):
    return sounds(d, zone)[0]["heard"]


def interface(d, name="eth0"):
    return d.api.named("interfaces", name)


@pytest.fixture
def rule(site, cleanup):
    """rule("..."): nft commands in the controller's namespace; undo()."""
    ns = site["ctl"].ns

    def undo():
        net.sh(f"ip netns exec {ns} nft flush ruleset")

    def make(text):
        out = site["ctl"].run(["nft", "-f", "-"], input=text)
        assert not out.returncode, out.stderr
    cleanup.callback(undo)
    make.undo = undo
    return make


@pytest.fixture
def talker(site, cleanup):
    """talker("second"): somebody else sends to the hall's group."""

    def make(host, group=HALL):
        s = site[host].udp()
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, mreqn(site[host].ifindex))
        t = Sender(s, group, LONG, repeat=True, ssrc=0xBADCAFE)
        cleanup.callback(t.stop)
        return t.start()
    return make


@pytest.fixture
def querier(site, cleanup):
    """querier(False): turns the switch's querier off; on again at the end."""

    def make(on):
        net.sh(f"ip -n {site.switch} link set br0 type bridge mcast_querier {int(on)}")
    cleanup.callback(lambda: make(True))
    return make


def test_heard_on_the_wire(daemon, hall):
    daemon.api.page(["hall"], "long")
    hall.wait_for(20)
    wait.until(lambda: heard(daemon)["state"] == "heard", "the hall to be heard back")
    h = heard(daemon)
    assert h["by"] == "wire" and h["samples"] >= 1 and h["last_s"] < 2
    assert -30 < h["level_dbfs"] < 0
    assert not h["foreign"] and not h["foreign_packets"], "our own stream is not foreign"
    assert interface(daemon)["hear_back"] == "wire"
    quiet = sounds(daemon, "yard")[0]["heard"]
    assert quiet["state"] == "quiet" and quiet["samples"] == 0
    assert not daemon.api.faults()
    text = daemon.api.raw("GET", "/metrics")[1].decode()
    assert 'tocsin_output_heard_total{output="hall 239.192.7.1:5004"}' in text


def test_level_of_silence(make_daemon, hall, tmp_path):
    """A file with a long silence: heard, but no sound in it."""
    from lib import audio
    audio.write_wav(tmp_path / "quiet.wav", audio.ulaw(b"\xff" * 40000))
    d = make_daemon(more='message "quiet" { tone = "iso-8201"  file = "quiet.wav" }\n')
    d.api.page(["hall"], "quiet", repeat=1)
    hall.wait_for(10)
    wait.until(lambda: heard(d)["samples"] and heard(d)["level_dbfs"] == -127, "silence")


def test_level_of_every_codec(make_daemon):
    """G.722 and Opus are decoded, too; not as exactly, as packets come alone."""
    text = config().replace('239.192.7.2:5004" { codec = "pcmu"',
                            '239.192.7.2:5004" { codec = "opus"')
    d = make_daemon(text=text.replace('codec = "pcma"', 'codec = "g722"'))
    d.api.page(["yard", "gate"], "long")
    for zone in ("yard", "gate"):
        level = wait.until(lambda zone=zone: heard(d, zone)["level_dbfs"], f"the level of {zone}")
        assert -35 < level < 0 and heard(d, zone)["state"] == "heard"


@pytest.mark.parametrize("chain", [
    'table netdev t { chain c { type filter hook egress device "eth0" priority 0;\n'
    "ip daddr 239.192.7.1 drop\n}\n}\n",
    "table inet t { chain c { type filter hook output priority 0;\n"
    "ip daddr 239.192.7.1 drop\n}\n}\n"], ids=["egress", "output"])
def test_firewall_drops_it(daemon, hall, rule, chain):
    daemon.api.page(["hall", "yard"], "long", repeat=10)
    hall.wait_for(20)
    wait.until(lambda: heard(daemon)["state"] == "heard", "the hall to be heard back")
    rule(chain)

    def fault():
        return [f for f in daemon.api.faults().values() if "hall 239.192.7.1:5004" in f["text"]]
    wait.until(fault, "the fault")
    assert "nft list ruleset" in fault()[0]["remedy"]
    assert not daemon.api.named("outputs", "fault")["active"]
    assert len(daemon.api.faults()) == 1, "the yard is not drawn in, and one cause is one fault"
    rule.undo()
    wait.until(lambda: not daemon.api.faults(), "the fault to clear")
    assert heard(daemon)["state"] == "heard"


def test_hear_back_off(make_daemon, hall):
    d = make_daemon(more=proof("hear-back = false"))
    d.api.page(["hall"], "long")
    hall.wait_for(60)
    assert heard(d)["by"] == "off" and heard(d)["samples"] == 0
    assert interface(d)["hear_back"] == "off"


def test_without_the_right(make_daemon, hall, site, rule):
    """No CAP_NET_RAW: heard back inside the host, and a warning that lasts."""
    d = make_daemon(start=False)
    d.prefix = ["setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw"]
    d.start()
    f = wait.until(lambda: d.api.faults().get("proof"), "the warning")
    assert f["grade"] == "warning" and "CAP_NET_RAW" in f["remedy"]
    assert d.api.get("/status")["faults"] == 0
    assert d.api.named("outputs", "fault")["active"], "a warning drops no relay"
    d.api.page(["hall"], "long", repeat=10)
    wait.until(lambda: heard(d)["state"] == "heard", "the hall to be heard back")
    assert heard(d)["by"] == "loop"
    rule("table inet t { chain c { type filter hook input priority 0;\n"
         "ip daddr 239.192.7.1 drop\n}\n}\n")
    wait.until(lambda: HALL_KEY in d.api.faults(), "the fault")
    rule.undo()
    wait.until(lambda: HALL_KEY not in d.api.faults(), "the fault to clear")


def test_foreign_talker(daemon, hall, site, talker):
    t = talker("second")
    f = wait.until(lambda: daemon.api.faults().get(FOREIGN_KEY), "the fault")
    assert site["second"].ip in f["text"] and "0badcafe" in f["text"]
    assert heard(daemon)["foreign"]["address"] == site["second"].ip
    assert [k for k in daemon.api.faults() if k.startswith("foreign:")] == [FOREIGN_KEY]
    t.stop()
    wait.until(lambda: FOREIGN_KEY not in daemon.api.faults(), "the fault to clear", timeout=30)
    texts = [e["text"] for e in daemon.recorded("fault.raised")]
    assert any("0badcafe" in x for x in texts)


def test_other_group_on_the_port_is_not_foreign(daemon, site, talker):
    """The neighbour's group has our port, and lies between two of ours."""
    s = site["ctl"].socket()
    s.bind(("239.192.7.200", 5004))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                 mreqn(site["ctl"].ifindex, "239.192.7.200"))
    talker("second", ("239.192.7.200", 5004))
    s.settimeout(10)
    for _ in range(100):
        s.recv(2000)
    s.close()
    assert not daemon.api.faults()


def test_foreign_talker_may_be_meant(make_daemon, site, talker):
    d = make_daemon(text=config().replace('multicast "239.192.7.1:5004" { ',
                                          'multicast "239.192.7.1:5004" { foreign-talkers = false '))
    talker("second", HALL)
    talker("second", ("239.192.7.2", 5004))
    wait.until(lambda: d.api.faults(), "the other one's fault")
    assert list(d.api.faults()) == ["foreign:yard 239.192.7.2:5004"]


def test_groups_are_joined(daemon, site):
    """The switch knows the controller as a member: it sees who else talks."""
    port = site["ctl"].port
    wait.until(lambda: all(f"port {port} grp {g}" in site.mdb()
                           for g in ("239.192.7.1", "239.192.7.2", "239.192.7.3")), "the members")
    assert interface(daemon)["groups_joined"] == 3


def test_querier_seen(make_daemon, querier):
    """Not waited for: asked for by leaving a group."""
    d = make_daemon(more=proof('igmp-patience = "6s"'))
    wait.until(lambda: interface(d)["igmp"]["state"] == "present", "the querier", timeout=20)
    i = interface(d)["igmp"]
    assert i["address"] and i["version"] in (2, 3)
    assert not [k for k in d.api.faults() if k.startswith("igmp")]


@pytest.mark.parametrize("version", [2, 3])
def test_querier_missing(make_daemon, querier, site, version, cleanup):
    br = f"ip -n {site.switch} link set br0 type bridge mcast_igmp_version"
    cleanup.callback(lambda: net.sh(f"{br} 2"))
    net.sh(f"{br} {version}")
    querier(False)
    d = make_daemon(more=proof('igmp-patience = "6s"'))
    f = wait.until(lambda: d.api.faults().get("igmp:eth0"), "the fault", timeout=30)
    assert "querier" in f["text"] and "igmp-ignore" in f["remedy"] and "260 s" in f["remedy"]
    assert interface(d)["igmp"]["state"] == "missing"
    querier(True)
    wait.until(lambda: "igmp:eth0" not in d.api.faults(), "the fault to clear", timeout=30)
    assert interface(d)["igmp"]["version"] == version


def test_querier_ignored(make_daemon, querier, site):
    querier(False)
    d = make_daemon(more=proof('igmp-patience = "5s"  igmp-ignore = { "eth0" }'))
    assert interface(d)["igmp"]["mode"] == "ignore"
    assert not d.api.faults()


def test_loopback_expects_nothing(make_daemon, listen):
    text = config().replace('"eth0"', '"lo"') + proof('igmp-patience = "5s"')
    d = make_daemon(text=text)
    assert interface(d, "lo")["igmp"]["mode"] == "ignore"
    d.api.page(["hall"], "long")
    wait.until(lambda: heard(d)["state"] == "heard", "it to be heard on lo")
    assert not d.api.faults()


def test_in_step(make_daemon, listen):
    """Outputs of three packet times carry the same moment within a packet."""
    far = ("239.192.7.9", 5004)
    d = make_daemon(more='zone "far" { multicast "239.192.7.9:5004" '
                         '{ codec = "pcmu"  ptime = 60  interface = "eth0" } }\n')
    ears = [listen("hall", HALL), listen("yard", ("239.192.7.2", 5004)), listen("bystander", far)]
    d.api.page(["all"], "notice")
    starts = [e.wait_bytes(NOTICE) for e in ears]

    def moments(e, start):
        """When each 60 ms of the notice came: the packet its last byte is in."""
        ends, n = [], 0
        for p in e.packets:
            n += len(p.payload)
            ends.append((n, p.time))
        out = []
        for want in range(start + 480, start + len(NOTICE), 480):
            out.append(next(t for n, t in ends if n >= want))
        return out

    rows = list(zip(*(moments(e, s) for e, s in zip(ears, starts))))
    skews = sorted(max(r) - min(r) for r in rows)
    median = skews[len(skews) // 2]
    print(f"skew of {len(skews)} moments: median {1e3 * median:.2f} ms, worst {1e3 * skews[-1]:.2f} ms")
    # The longest packet tells of its beginning when it comes.
    assert median <= 0.06, f"{median / 0.06:.2f} packets"
