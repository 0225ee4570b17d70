"""Pages that are recorded first and played when the caller is done."""
import pytest

from conftest import BELL, EVAC
from lib import audio, net, wait
from lib.rtp import Sender, check_continuous

SHED = ("239.192.7.4", 5004)
TALK = audio.codes(2.0, 70)
QUIET = b"\xff" * 160
# Silence while the go-ahead sounds, then the words, then silence again.
SAYS = QUIET * 40 + TALK + QUIET * 25

ZONES = '''
zone "shed" {
    extension = "704"  page-mode = "record-then-play"  chime = "bell"
    max-recording = "5s"  recording-wait = "30s"
    multicast "239.192.7.4:5004" { codec = "pcmu"  interface = "eth0" }
}
zone "both" { extension = "705"  zones = { "shed", "yard" } }
zone "now" { extension = "706"  page-mode = "live"  zones = { "shed" } }
source "gateway" {
    multicast = "239.1.2.3:5004"  interface = "eth0"  zones = { "shed" }
    hang = "300ms"  page-mode = "record-then-play"
}
'''


@pytest.fixture
def daemon(make_daemon):
    return make_daemon(sip='rtp-timeout = "1s"', more=ZONES)


@pytest.fixture
def shed(listen):
    return listen("hall", SHED)


def broadcasts(d):
    return d.api.get("/broadcasts")


def gone(d):
    wait.until(lambda: not d.api.get("/calls") and not broadcasts(d), "all to be over")


def recording(d):
    return [b for b in broadcasts(d) if b["state"] == "recording"]


def record(d, caller, says=SAYS, extension="704"):
    """Says it all; its number."""
    call = caller(extension).dial()
    sender = call.talk(says)
    page = wait.until(lambda: recording(d), "the recording")[0]
    assert page["what"] == "recorded page" and not page["live"]
    sender.join()
    return call, page["id"]


def test_is_heard_after_the_call_and_not_before(daemon, shed, yard, caller):
    """In two zones of which one records: all of them play it in step."""
    call, id = record(daemon, caller, extension="705")
    wait.until(lambda: broadcasts(daemon)[0]["recorded_s"] > 2.5, "what was said")
    assert daemon.api.get("/zones/shed")["recording"] == [id]
    assert daemon.api.get("/zones/hall")["recording"] == []
    assert "recording" in daemon.ctl("broadcasts").stdout
    assert daemon.api.get("/calls")[0]["state"] == "recording"
    assert not shed.packets and not yard.packets, "nothing leaves while he speaks"
    call.rtp.wait_for(lambda ps: audio.level_dbfs(call.rtp.pcm()) > -45, "the go-ahead tone")
    call.bye()
    for zone in (shed, yard):
        zone.wait_bytes(TALK, "what he said, bit for bit")
    page = daemon.recorded("broadcast.recorded")[0]
    assert page["data"]["speech_ms"] < 2600, "without the silence around it"
    started = daemon.recorded("broadcast.started")
    assert [e["subject"] for e in started] == [f"broadcast:{id}"], "one broadcast, one number"
    gone(daemon)
    check_continuous(shed.packets)
    assert abs(shed.packets[0].time - yard.packets[0].time) < 0.01

    # With the zone's own chime before it, and recorded by its own extension.
    start = shed.mark()
    call, _ = record(daemon, caller)
    call.bye()
    at = shed.wait_bytes(TALK, start=start)
    assert 0 <= shed.wait_bytes(BELL, "the chime", start=start) < at
    # A zone that says so is live whatever it contains.
    gone(daemon)
    start = shed.mark()
    call = caller("706").dial()
    shed.wait_talk(TALK, call.talk(TALK), start=start)


def test_keys_and_what_is_not_played(daemon, shed, caller):
    # * forgets it.
    call = caller("704").dial(pts=(0, 101))
    sender = call.talk(SAYS)
    sender.join()
    call.inform("*")
    call.wait_bye()
    daemon.recorded("broadcast.dropped", lambda e: "key *" in e["text"])
    # Nothing said.
    call, _ = record(daemon, caller, QUIET * 50 + TALK[:800] + QUIET * 20)
    call.bye()
    daemon.recorded("broadcast.dropped", lambda e: "0.1 s of speech" in e["text"])
    # Somebody who may takes it away.
    call, id = record(daemon, caller, QUIET * 50)
    daemon.api.delete(f"/broadcasts/{id}")
    call.wait_bye()
    daemon.recorded("broadcast.dropped", lambda e: "stopped by" in e["text"])
    gone(daemon)
    assert not shed.packets
    # # ends it: he hears a tone, and is hung up.
    call = caller("704").dial(pts=(0, 101))
    sender = call.talk(SAYS)
    sender.join()
    n = call.rtp.mark()
    call.press("#")
    call.inform("#")
    call.rtp.wait_for(lambda ps: len(ps) > n + 5 and audio.level_dbfs(call.rtp.pcm(n)) > -45,
                      "the tone that it is over")
    call.wait_bye()
    shed.wait_bytes(TALK)
    daemon.recorded("broadcast.recorded", lambda e: "key #" in e["text"])
    gone(daemon)
    # His line breaks: what he had said is played, and the journal knows.
    start = shed.mark()
    call, _ = record(daemon, caller)
    call.wait_bye()
    shed.wait_bytes(TALK, start=start)
    daemon.recorded("broadcast.recorded", lambda e: "no RTP" in e["text"])
    gone(daemon)
    # Too long: what fits.
    start = shed.mark()
    call, _ = record(daemon, caller, TALK * 4)
    call.wait_bye()
    shed.wait_bytes(TALK, start=start)
    daemon.recorded("broadcast.recorded", lambda e: "longest" in e["text"]
                    and e["data"]["recorded_ms"] == 5000)


def test_waits_behind_an_alarm_and_ends_with_the_daemon(daemon, shed, caller):
    daemon.api.input("panic", True)
    shed.wait_bytes(EVAC)
    call, id = record(daemon, caller)
    call.bye()
    wait.until(lambda: daemon.api.broadcast(id)["state"] == "waiting", "it to wait")
    assert id in daemon.api.get("/zones/shed")["waiting"]
    start = shed.mark()
    daemon.api.input("panic", False)
    daemon.api.post("/alarms/panic/reset")
    shed.wait_bytes(TALK, start=start)
    gone(daemon)
    # Nothing old fires: what a kill left is told, not played.
    call, id = record(daemon, caller)
    daemon.recorded("broadcast.recording", lambda e: e["id"] == id)
    daemon.kill()
    shed.wait_quiet()
    start = shed.mark()
    daemon.start()
    daemon.recorded("broadcast.dropped", lambda e: e["subject"] == f"broadcast:{id}"
                    and "restarted" in e["text"])
    assert not broadcasts(daemon) and not shed.since(start)


def test_baresip_and_a_gateway(daemon, site, shed, baresip, tmp_path, cleanup):
    speech = audio.ulaw(SAYS)
    audio.write_wav(tmp_path / "talk.wav", speech)
    phone = baresip(tmp_path / "talk.wav", "sip:704@10.9.0.1")
    wait.until(lambda: any(b.get("recorded_s", 0) > 3 for b in broadcasts(daemon)),
               "baresip to be recorded", timeout=30)
    assert not shed.packets
    phone.close()
    shed.wait_for(160, "what baresip said")
    gone(daemon)
    snr = audio.snr_db(shed.pcm(), audio.ulaw(TALK))
    print(f"SNR of a recorded page by baresip: {snr:.1f} dB")
    assert snr > 20

    sock = net.group_socket(site["caller"])
    cleanup.callback(sock.close)
    # The last of a broadcast goes out after it has ended.
    shed.wait_quiet()
    start = shed.mark()
    sender = Sender(sock, ("239.1.2.3", 5004), TALK)
    cleanup.callback(sender.stop)
    sender.start()
    wait.until(lambda: broadcasts(daemon), "the gateway to be recorded")
    assert daemon.api.named("sources", "gateway")["state"] == "recording"
    sender.join()
    assert not shed.since(start)
    shed.wait_bytes(TALK[1600:], "what came from the gateway", start=start)
