"""Pages of Polycom phones as a source: bridged into zones, whatever is lost."""
import pytest

from lib import audio, net, polycom_phone as polycom, wait
from lib.polycom_phone import Phone
from lib.rtp import check_continuous

TALK = audio.codes(2.4, 70)

SOURCE = '''
source "phones" {
    polycom = "224.0.1.116:5001"  group = 27  interface = "eth0"
    zones = { "hall" }  hang = "300ms"
    @more@
}
'''


@pytest.fixture
def phones(make_daemon, site):
    def make(more=""):
        d = make_daemon(more=SOURCE.replace("@more@", more))
        port = site["ctl"].port
        wait.until(lambda: any("224.0.1.116" in line and port in line
                               for line in site.mdb().splitlines()), "the group to be joined")
        return d
    return make


@pytest.fixture
def phone(site, cleanup):
    def make(host="caller", data=TALK, **kw):
        sock = polycom.socket_of(site[host], net.mreqn)
        cleanup.callback(sock.close)
        p = Phone(sock, data, **kw)
        cleanup.callback(p.stop)
        return p
    return make


def state(d):
    return d.api.named("sources", "phones")


def faults(d):
    return {k: f for k, f in d.api.faults().items() if k.startswith("source:phones")}


def test_the_advisory_s_example():
    """Its alert and first sound, byte for byte."""
    assert polycom.header(polycom.ALERT, 0x1A, 0xF2111511) == bytes.fromhex(
        "0f1af21115110d") + b"Melody Meserv"
    assert polycom.transmit(0x1A, 0xF2111511, 0x6FCA7BF5, b"", 9)[20:] == bytes.fromhex(
        "09006fca7bf5")


@pytest.mark.parametrize("frame", [160, 240, 80])
def test_a_page_is_heard_bit_for_bit(phones, phone, hall, yard, frame):
    d = phones()
    p = phone(frame=frame).start()
    hall.wait_talk(TALK, p, missing=0.03, what="the phone's page")
    check_continuous(hall.packets)
    assert not yard.packets
    began = d.recorded("source.began")[0]
    assert began["data"]["ssrc"] == 0xF2111511
    # The ends end it, long before `hang` would.
    d.recorded("source.ended")
    wait.until(lambda: not d.api.get("/broadcasts"), "the broadcast to be over")
    p.join()
    assert len(d.recorded("source.began")) == 1 and not faults(d)


def test_every_third_packet_lost_is_heard_whole(phones, phone, hall):
    """The next packet has it."""
    phones()
    p = phone(lose=lambda i: i % 3 == 1).start()
    hall.wait_talk(TALK, p, missing=0.03, what="the page without a gap")


def test_alerts_and_ends_lost(phones, phone, hall):
    d = phones()
    p = phone(alerts=0, ends=0).start()
    # The first frame is had from the second packet.
    hall.wait_talk(TALK, p, missing=0.03)
    d.recorded("source.ended")
    p.join()
    n = hall.mark()
    phone(host="second", alerts=0, ends=0, redundant=False, serial=5).start()
    hall.wait_talk(TALK[160:], start=n, missing=0.03)


def test_other_groups_are_not_ours(phones, phone, hall):
    d = phones()
    phone(channel=26, alerts=1).start().join()
    assert state(d)["packets"]["heard"] == 0 and not hall.packets and not faults(d)


def test_g726_is_refused_by_name(phones, phone, hall):
    d = phones()
    phone(codec=polycom.G726, frame=90, alerts=2).start()
    wait.until(lambda: "source:phones:payload-type" in faults(d), "the fault")
    f = faults(d)["source:phones:payload-type"]
    assert "G.726QI" in f["text"] and "G.711" in f["remedy"]
    assert not hall.packets


def test_the_lowest_serial_keeps_the_group(phones, phone, hall):
    d = phones()
    first = phone(serial=100, data=TALK * 3).start()
    wait.until(lambda: state(d)["state"] == "talking", "the first phone")
    phone("second", serial=200, data=audio.codes(1.0, 71), alerts=2).start().join()
    wait.until(lambda: state(d)["packets"]["second"] > 5, "the second to be counted")
    phone("stranger", serial=50, data=audio.codes(2.4, 72), alerts=2).start()
    d.recorded("source.began", lambda e: e["data"]["ssrc"] == 50)
    hall.wait_bytes(audio.codes(2.4, 72)[3200:6400])
    first.stop()


def test_junk_on_the_group(phones, phone, site, hall, cleanup):
    d = phones()
    tx = polycom.socket_of(site["second"], net.mreqn)
    cleanup.callback(tx.close)
    for junk in (b"", b"\x10", b"\x10" * 19, b"\x10\x1b" + b"\0" * 24,
                 polycom.transmit(27, 1, 0, b""), polycom.transmit(27, 1, 0, b"\0" * 1400),
                 polycom.header(0x42, 27, 1)):
        tx.sendto(junk, polycom.GROUP)
    p = phone(alerts=3).start()
    hall.wait_talk(TALK, p, missing=0.03)
    wait.until(lambda: state(d)["packets"]["wrong_size"] == 1, "the oversized one")
