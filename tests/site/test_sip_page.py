"""Live pages over SIP: allowed, refused, held, preempted, badly sent."""
import random
import re
import time

import pytest

from conftest import EVAC, LONG, config
from lib import audio, net, wait
from lib.rtp import Receiver, Sender, build, check_continuous
from lib.sip import Call, sdp

TALK = audio.codes(2.0, 50)


def piece(talk, i):
    """Its i-th 20 ms."""
    return talk[i * 160:(i + 1) * 160]


def calls(d):
    return d.api.get("/calls")


def test_page_is_passed_bit_for_bit(daemon, hall, yard, caller):
    call = caller("701").dial()
    assert call.media[0] == "10.9.0.1" and 20000 <= call.media[1] <= 20999
    call.rtp.wait_for(lambda ps: audio.level_dbfs(call.rtp.pcm()[-8000:]) > -40
                      if ps else False, "the go-ahead tone")
    hall.wait_talk(TALK, call.talk(TALK), what="the talk, bit for bit")
    check_continuous(hall.packets)
    assert calls(daemon)[0]["zone"] == "hall" and calls(daemon)[0]["state"] == "talking"
    assert not yard.packets, "only the zone that was dialled"
    call.bye()
    hall.wait_quiet()
    wait.until(lambda: not calls(daemon), "the call to be gone")
    daemon.recorded("call.answered")
    daemon.recorded("call.ended")


def test_talk_in_alaw_is_heard_in_mulaw(daemon, hall, caller):
    speech = audio.ulaw(TALK)
    call = caller("701").dial(pts=(8,))
    call.talk(audio.alaw_encode(speech), pt=8)
    hall.wait_for(lambda ps: len(ps) > 120)
    assert audio.snr_db(hall.pcm(), speech[:8000]) > 30


def test_all_zones_by_one_extension(daemon, hall, yard, caller):
    call = caller("700").dial()
    sender = call.talk(TALK)
    hall.wait_talk(TALK, sender)
    yard.wait_talk(TALK, sender)


def test_sipp_page(daemon, hall, sipp, tmp_path):
    (tmp_path / "sipp").mkdir()
    (tmp_path / "sipp" / "talk.ulaw").write_bytes(TALK)
    p = sipp("page.xml", "701")
    hall.wait_talk(TALK[:14400], what="sipp's talk, bit for bit")
    p.wait()
    wait.until(lambda: not calls(daemon), "the call to be gone")


def test_sipp_refused(daemon, sipp):
    sipp("refused.xml", "799").wait()


def test_sipp_hold(daemon, sipp):
    sipp("hold.xml", "701").wait()
    wait.until(lambda: not calls(daemon), "the call to be gone")
    daemon.recorded("call.ended")
    assert len(daemon.recorded("call.held")) == 2


def test_baresip_page(daemon, hall, baresip, tmp_path):
    speech = audio.ulaw(audio.codes(4.0, 51))
    audio.write_wav(tmp_path / "talk.wav", speech)
    baresip(tmp_path / "talk.wav", "sip:701@10.9.0.1")
    hall.wait_for(150, "baresip's talk", timeout=30)
    snr = audio.snr_db(hall.pcm()[8000:], speech[8000:20000])
    print(f"SNR of a page by baresip: {snr:.1f} dB")
    assert snr > 25


# ----------------------------------------------------------------- refused

def test_stranger_is_never_answered(daemon, agent, hall):
    stranger = agent("stranger")
    call = Call(stranger, "701", rtp=True)
    for _ in range(3):
        call.invite()
    Call(stranger, "701").request("OPTIONS")
    Call(stranger, "701").request("REGISTER")
    assert agent("caller").options() < 5, "meanwhile others are answered"
    assert stranger.inbox == []
    assert not hall.packets and not calls(daemon)


def test_unknown_extension(daemon, caller):
    call = caller("799")
    call.invite()
    call.final(404)


def test_peer_without_the_right(make_daemon, agent):
    make_daemon(more='peer "10.9.0.5/32" { allow = { "help" } }')
    call = Call(agent("broker"), "701", rtp=True)
    call.invite()
    call.final(403)


def test_zone_not_for_this_peer(make_daemon, agent):
    make_daemon(more='peer "10.9.0.5/32" { allow = { "page" }  zones = { "yard" } }')
    a = agent("broker")
    call = Call(a, "701", rtp=True)
    call.invite()
    call.final(403)
    Call(a, "702", rtp=True).dial().bye()


def test_outranked_with_reason(daemon, hall, agent, caller):
    """The second host may page with the level of a bell only."""
    caller("701").dial().talk(LONG)
    hall.wait_for(5)
    call = Call(agent("second"), "701", rtp=True)
    call.invite()
    answer = call.final()
    assert answer.status in (486, 503)
    assert re.search(r"cause=\d+", answer.get("reason", "")), "it says why"
    assert len(calls(daemon)) == 1
    daemon.recorded("call.refused")


def test_max_priority_of_a_peer(daemon, hall, agent, caller):
    """A bell-level page is cut by a page-level one."""
    low = Call(agent("second"), "701", rtp=True).dial()
    low.talk(audio.codes(1, 52), repeat=True)
    hall.wait_for(10)
    high = caller("701").dial()
    hall.wait_talk(TALK, high.talk(TALK), what="the more urgent talker")
    check_continuous(hall.packets)
    assert {c["state"] for c in calls(daemon)} == {"talking", "preempted"}


def test_no_more_calls_than_lines(make_daemon, agent):
    make_daemon(sip="max-calls = 2")
    a = agent("caller")
    calls = [Call(a, x, rtp=True).dial() for x in ("701", "702")]
    third = Call(a, "703", rtp=True).invite()
    assert third.final().status in (486, 503)
    calls[0].bye()
    Call(a, "703", rtp=True).dial().bye()


def test_no_common_codec(daemon, caller):
    call = caller("701")
    call.invite(pts=(18,))
    call.final(488)


def test_offer_without_sound(daemon, caller):
    call = caller("701")
    call.invite(body=sdp("10.9.0.21", 9).replace("m=audio", "m=video"))
    assert 400 <= call.final().status < 500


# ------------------------------------------------------------------- ends

def test_cancel(daemon, caller, hall):
    """It may cross the 200: then the caller says BYE, as he must."""
    call = caller("701")
    call.invite()
    call.cancel()
    if call.final().status < 300:
        call.bye()
    wait.until(lambda: not calls(daemon), "the call to be gone")
    hall.wait_quiet()
    caller("701").dial().bye()


def test_bye_from_us(daemon, caller, hall):
    call = caller("701").dial()
    call.talk(LONG)
    hall.wait_for(5)
    daemon.api.post(f"/calls/{calls(daemon)[0]['id']}/hangup")
    call.wait_bye()
    hall.wait_quiet()
    assert not calls(daemon)


def test_silent_caller_is_hung_up(make_daemon, caller, hall):
    d = make_daemon(sip='rtp-timeout = "1s"')
    call = caller("701").dial()
    sender = call.talk(LONG)
    hall.wait_for(20)
    sender.paused.set()
    call.wait_bye()
    hall.wait_quiet()
    d.recorded("call.ended", lambda e: "no RTP" in e["text"])


def test_bye_when_the_daemon_stops(daemon, caller, hall):
    call = caller("701").dial()
    call.talk(LONG)
    hall.wait_for(5)
    assert daemon.stop() == 0
    call.wait_bye()
    daemon.expect_dead = True


def test_retransmitted_invite_is_one_call(daemon, caller, hall):
    call = caller("701")
    call.invite()
    for _ in range(3):
        call.request("INVITE", sdp("10.9.0.21", call.rtp_port), cseq=call.cseq,
                     branch=call.invite_branch)
    call.final(200)
    assert len(calls(daemon)) == 1
    call.bye()


# ---------------------------------------------------------------- hold

@pytest.mark.parametrize("direction", ["inactive", "sendonly"])
def test_hold_and_resume(daemon, caller, hall, direction):
    """sendonly is how phones hold with music: it must not go on the air."""
    call = caller("701").dial()
    sender = call.talk(LONG)
    hall.wait_talk(LONG[:3200])
    call.invite(direction=direction)
    answer = call.final(200)
    assert b"a=inactive" in answer.body or b"a=recvonly" in answer.body
    wait.until(lambda: calls(daemon)[0]["state"] == "held", "the hold")
    # He plays music on hold: it must not be heard.
    at = sender.sent + 5
    wait.until(lambda: sender.sent > at + 25, "half a second")
    assert piece(LONG, at) not in hall.payload()
    call.invite()
    answer = call.final(200)
    assert b"a=inactive" not in answer.body and b"a=recvonly" not in answer.body
    at = sender.sent + 10
    hall.wait_talk(LONG[at * 160:(at + 25) * 160], what="him again")
    check_continuous(hall.packets)


def test_one_way_page(daemon, caller, hall):
    """sendonly from the start is no hold: a talker who needs no answer."""
    call = caller("701").dial(direction="sendonly")
    hall.wait_talk(TALK, call.talk(TALK))
    assert not call.rtp.packets, "he hears nothing, as he asked"


def test_new_address_by_reinvite(daemon, caller, hall, site, cleanup):
    call = caller("701").dial()
    call.talk(LONG)
    hall.wait_for(10)
    call.senders[0].stop()
    other = site["caller"].udp()
    cleanup.callback(other.close)
    call.invite(body=sdp("10.9.0.21", other.getsockname()[1], version=9))
    call.final(200)
    n = hall.mark()
    s = Sender(other, call.media, TALK, ssrc=77).start()
    cleanup.callback(s.stop)
    hall.wait_talk(TALK[1600:], start=n, what="the talk from the new address")


# -------------------------------------------------------------- preempted

def test_preempted_caller_is_told_and_resumed(make_daemon, caller, hall):
    d = make_daemon(sip='preempted = "wait"')
    call = caller("701").dial()
    sender = call.talk(LONG)
    hall.wait_talk(LONG[:3200])
    d.api.input("panic", True)
    hall.wait_bytes(EVAC)
    assert calls(d)[0]["state"] == "preempted"
    n = call.rtp.mark()
    call.rtp.wait_for(lambda ps: len(ps) > n + 25
                      and audio.level_dbfs(call.rtp.pcm(n)) > -45, "the preempted tone")
    d.api.input("panic", False)
    d.api.post("/alarms/panic/reset")
    at = sender.sent + 10
    hall.wait_talk(LONG[at * 160:(at + 25) * 160], what="the talker again")
    check_continuous(hall.packets)
    assert not [m for m in call.agent.inbox if m.method == "BYE"]


def test_preempted_caller_gets_a_bye(make_daemon, caller, hall):
    d = make_daemon(sip='preempted = "end"  preempted-message = "evac"')
    call = caller("701").dial()
    call.talk(LONG)
    hall.wait_talk(LONG[:3200])
    d.api.input("panic", True)
    # He hears why, while the others hear the alarm.
    call.rtp.wait_bytes(EVAC)
    bye = call.wait_bye()
    assert len(re.findall(re.escape(EVAC), call.rtp.payload())) == 1
    assert "preemption" in bye.get("reason", "") and "cause=1" in bye.get("reason", "")
    hall.wait_bytes(EVAC)
    check_continuous(hall.packets)


def test_resource_priority_of_who_is_trusted(make_daemon, caller, agent, hall):
    # He says that he is most urgent, and gets what his PBX may have at most.
    text = config().replace('peer "10.9.0.21/32" { allow = { "page" }  max-priority = "page" }',
                            'peer "10.9.0.21/32" { allow = { "page" }  max-priority = "emergency"'
                            ' trusted = true }').replace('max-priority = "bell"',
                                                         'max-priority = "emergency"')
    d = make_daemon(text=text)
    urgent = "Resource-Priority: q735.0\r\n"
    first = caller("701").dial()
    first.talk(LONG, repeat=True)
    hall.wait_talk(LONG[:3200])
    # Who is not trusted may write what he likes.
    with agent("second") as stranger:
        Call(stranger, "701", rtp=True).invite(extra=urgent).final(486)
    second = caller("701").dial(extra=urgent)
    wait.until(lambda: sorted(c["state"] for c in calls(d)) == ["preempted", "talking"],
               lambda: str(calls(d)))
    assert {b["priority"] for b in d.api.get("/broadcasts")} == {"page", "emergency"}
    mark = hall.mark()
    second.talk(TALK)
    hall.wait_bytes(TALK[:3200], start=mark)


# ----------------------------------------------------------- bad senders

def test_reordered(daemon, caller, hall):
    held = []

    def swap(i, p):
        if i % 7 == 3:
            held.append(p)
            return []
        return [p, held.pop()] if held else [p]

    call = caller("701").dial()
    sender = call.talk(TALK, mangle=swap)
    at = hall.wait_talk(TALK)
    assert at.count(-1) <= 3 + 3 * len(sender.stalls), "put in order again"
    check_continuous(hall.packets)


def test_lost_and_doubled(daemon, caller, hall):
    rng = random.Random(1)
    lost = set(rng.sample(range(10, 95), 10))
    doubled = set(rng.sample(range(100), 20))
    call = caller("701").dial()
    since = time.monotonic()
    sender = call.talk(TALK, mangle=lambda i, p: [] if i in lost else [p, p] if i in doubled
                       else [p])
    heard = hall.wait_talk(TALK, missing=0.3)
    got = hall.payload()
    for i, at in enumerate(heard):
        assert at < 0 or i not in lost, f"packet {i} was never sent"
        assert got.count(piece(TALK, i)) <= 1, f"packet {i} twice"
    if not sender.stalls and not hall.watch.worst(since):
        assert {i for i, at in enumerate(heard) if at < 0} == lost
        assert heard[99] - heard[0] == 99 * 160, "what is lost keeps its place in time"
    check_continuous(hall.packets)


@pytest.mark.parametrize("ppm", [-4000, 4000])
def test_clock_drift(daemon, caller, hall, ppm):
    """Far worse than any clock: 24 ms in 6 s, so it must slip, in small."""
    talk = LONG[:8000 * 6]
    call = caller("701").dial()
    sender = call.talk(talk, ppm=ppm)
    at = hall.wait_talk(talk)
    assert at.count(-1) <= 10 + 3 * len(sender.stalls), "missing or cut"
    check_continuous(hall.packets)


def test_jump_in_timestamps(daemon, caller, hall):
    """A transfer behind a PBX: new SSRC, sequence and time in mid-call."""
    call = caller("701").dial()
    hall.wait_talk(TALK, call.talk(TALK))
    other = audio.codes(2.0, 53)
    sender = call.talk(other, seq=40000, ts=3 << 30, ssrc=0x9999)
    at = hall.wait_talk(other, what="the other talker")
    assert at.count(-1) <= 5 + 3 * len(sender.stalls)
    check_continuous(hall.packets)


def test_rtp_from_a_stranger_is_not_heard(daemon, caller, hall, site, cleanup):
    call = caller("701").dial()
    call.talk(LONG)
    hall.wait_for(10)
    sock = site["stranger"].udp()
    cleanup.callback(sock.close)
    forged = audio.codes(0.5, 54)
    s = Sender(sock, call.media, forged, ssrc=0x1234567).start()
    cleanup.callback(s.stop)
    s.join()
    n = hall.mark()
    hall.wait_for(n + 20)
    got = hall.payload()
    assert not any(piece(forged, i) in got for i in range(25))
    hall.wait_talk(LONG[:160 * 50], what="the talker, undisturbed")


def test_other_payload_types_are_not_heard(daemon, caller, hall):
    """Comfort noise and telephone-event between the sound."""
    def mix(i, p):
        return [p, build(5000 + i, 0, 1, b"\x01\x80\x00\xa0", pt=101)] if i % 5 == 0 else [p]

    call = caller("701").dial()
    hall.wait_talk(TALK, call.talk(TALK, mangle=mix))


def test_many_calls_at_once(daemon, agent, hall, yard):
    """Two talkers in two zones do not hear or disturb each other."""
    a = agent("caller")
    one, two = Call(a, "701", rtp=True).dial(), Call(a, "702", rtp=True).dial()
    other = audio.codes(2.0, 55)
    s, t = one.talk(TALK), two.talk(other)
    hall.wait_talk(TALK, s)
    yard.wait_talk(other, t)
    assert len(calls(daemon)) == 2
