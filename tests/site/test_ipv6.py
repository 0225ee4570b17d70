"""Loudspeakers that listen on IPv6 groups, and the MLD querier they need."""
import socket
import struct

import pytest

from conftest import BELL, NOTICE
from lib import net, wait
from lib.rtp import Listener, check_continuous

GROUP, PORT = "ff15::7:1", 5004
ZONE = f'''
zone "six" {{
    extension = "706"
    multicast "[{GROUP}]:{PORT}" {{ codec = "pcmu"  interface = "eth0" }}
}}
proof {{ igmp-patience = "6s" }}
'''


@pytest.fixture
def six(site, cleanup):
    """The controller and the hall speak IPv6 too, the switch not yet."""

    def ipv6(ns, dev, on):
        net.sh(f"ip netns exec {ns} sysctl -qw net.ipv6.conf.{dev}.accept_dad=0"
               f" net.ipv6.conf.{dev}.disable_ipv6={int(not on)}")

    for name, address in (("ctl", "fd00:9::1"), ("hall", "fd00:9::11")):
        ns = site[name].ns
        cleanup.callback(ipv6, ns, "eth0", False)
        ipv6(ns, "eth0", True)
        net.sh(f"ip -n {ns} addr add {address}/64 dev eth0 nodad")
    cleanup.callback(ipv6, site.switch, "br0", False)
    return lambda: ipv6(site.switch, "br0", True)


@pytest.fixture
def speaker(site, six, cleanup, request):
    host = site["hall"]
    s = host.socket(socket.AF_INET6)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    s.bind((GROUP, PORT))
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                 socket.inet_pton(socket.AF_INET6, GROUP) + struct.pack("=I", host.ifindex))
    r = Listener(s)
    r.watch = request.config.site_watch
    cleanup.callback(r.close)
    return r


def test_a_group_of_ipv6(make_daemon, site, six, speaker, hall):
    """Heard like its IPv4 neighbour, in step; a missing MLD querier is a fault of its own."""
    d = make_daemon(more=ZONE)
    d.api.page(["six", "hall"], "notice")
    speaker.wait_bytes(NOTICE, "the notice, bit for bit")
    hall.wait_bytes(NOTICE)
    check_continuous(speaker.packets)
    assert abs(speaker.packets[0].time - hall.packets[0].time) < 0.01
    assert speaker.packets[0].src[0] == "fd00:9::1"
    wait.until(lambda: d.api.get("/zones/six")["sounds"][0]["heard"]["state"] == "heard",
               "it to be heard back")

    f = wait.until(lambda: d.api.faults().get("mld:eth0"), "the fault", timeout=30)
    assert "MLD" in f["text"] and "querier" in f["text"] and f["remedy"]
    wait.until(lambda: "igmp:eth0" not in d.api.faults(), "the querier of IPv4 to be seen",
               timeout=30)
    six()
    wait.until(lambda: "mld:eth0" not in d.api.faults(), "the fault to clear", timeout=30)
    assert d.api.named("interfaces", "eth0")["mld"]["state"] == "present"
    # Now the switch forwards to members only; the loudspeaker is one.
    start = speaker.mark()
    d.api.page(["six"], "bell")
    speaker.wait_bytes(BELL, start=start)
