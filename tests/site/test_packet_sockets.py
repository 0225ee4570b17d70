"""Outputs that leave by packet sockets: heard like any other, by the same rules."""
from conftest import LONG, NOTICE, HALL, config
from lib.rtp import check_continuous


def plain():
    return fast().replace("packet-sockets = true", "packet-sockets = false")


def fast():
    """The site's configuration with frames of our own making in the hall."""
    text = config().replace("media {", "media { packet-sockets = true ")
    assert "packet-sockets" in text
    hall = 'multicast "239.192.7.1:5004" { codec = "pcmu"  interface = "eth0" }'
    assert hall in text
    return text.replace(hall, hall.replace(" }", "  loop = false }"))


def framed(daemon):
    """The outputs that metrics say leave by packet sockets."""
    text = daemon.api.raw("GET", "/metrics")[1].decode()
    return {line.split('"')[1] for line in text.splitlines()
            if line.startswith("tocsin_output_packet_socket{") and line.endswith(" 1")}


def test_one_stream_over_either_way(make_daemon, hall, yard):
    """A reload that turns packet sockets on and off again changes no stream, and
    the hall, which the kernel hears by whole frames and checksums, loses none."""
    daemon = make_daemon(text=plain())
    assert framed(daemon) == set()
    daemon.api.page(["hall", "yard"], "long")
    hall.wait_for(20)
    daemon.reload(fast())
    assert framed(daemon) == {"hall 239.192.7.1:5004"}
    n = hall.mark()
    hall.wait_for(n + 20)
    daemon.reload(plain())
    assert framed(daemon) == set()
    n = hall.mark()
    hall.wait_for(n + 20)
    check_continuous(hall.packets)
    check_continuous(yard.packets)
    heard = hall.payload()
    at = heard.find(LONG[:160])
    assert at >= 0 and LONG.startswith(heard[at:])
    assert {p.src for p in hall.packets} == {hall.packets[0].src}, \
        "the same address and port over both ways"


def test_the_address_changes(make_daemon, site, hall):
    """The frames carry the interface's address: they follow it."""
    daemon = make_daemon(text=fast())
    assert framed(daemon)
    daemon.api.page(["hall"], "long")
    hall.wait_for(5)
    assert hall.packets[-1].src[0] == "10.9.0.1"
    site["ctl"].run(["ip", "addr", "add", "10.9.0.99/32", "dev", "eth0"])
    site["ctl"].run(["ip", "addr", "del", "10.9.0.1/16", "dev", "eth0"])
    try:
        hall.wait_for(lambda p: p[-1].src[0] == "10.9.0.99", "frames from the new address")
    finally:
        site["ctl"].run(["ip", "addr", "add", "10.9.0.1/16", "dev", "eth0"])
        site["ctl"].run(["ip", "addr", "del", "10.9.0.99/32", "dev", "eth0"])
    check_continuous(hall.packets)


def test_without_the_right(make_daemon, hall):
    """A service without CAP_NET_RAW uses ordinary sockets."""
    daemon = make_daemon(text=fast(), start=False)
    daemon.prefix = ["setpriv", "--bounding-set=-net_raw"]
    daemon.start()
    assert framed(daemon) == set()
    daemon.api.page(["hall"], "notice")
    hall.wait_bytes(NOTICE)
