"""Encrypted calls over TLS with baresip, whose SRTP is libre's: in both directions, required and
refused. The sound must come through whole, and must not be on the wire in the clear."""
import os
import re
import subprocess

import pytest

from conftest import config
from lib import audio, wait
from lib.peers import Baresip, baresip_modules
from lib.sip import Call
from lib.tls import Authority

CALLER, HORN = "10.9.0.21", "10.9.0.22"


@pytest.fixture
def tls(tmp_path):
    """Keys of sip with certificates of ours, and what a baresip needs for TLS."""
    ours = Authority(tmp_path)

    def pem(name, ip):
        cert, key = ours.issue(name, f"IP:{ip}")
        path = tmp_path / f"{name}.both.pem"
        path.write_text(cert.read_text() + key.read_text())
        os.chmod(path, 0o600)
        return path
    mine = pem("mine", "10.9.0.1")
    return {"sip": f'tls-cert = "{mine}"\n    tls-ca = "{ours.pem}"\n',
            "lines": lambda name, ip: [f"sip_certificate {pem(name, ip)}",
                                       f"sip_cafile {ours.pem}"]}


def secured(tls, more=""):
    text = config(tls["sip"], more)
    text = text.replace('"tcp:10.9.0.1:5060"', '"tcp:10.9.0.1:5060", "tls:10.9.0.1:5061"')
    for n in (21, 22):
        text = text.replace(f'peer "10.9.0.{n}/32" {{', f'peer "10.9.0.{n}/32" {{ srtp = "require" ')
    return text


def test_a_page_must_be_encrypted(make_daemon, tls, baresip, hall, agent, tmp_path):
    speech = audio.ulaw(audio.codes(4.0, 51))
    audio.write_wav(tmp_path / "talk.wav", speech)
    d = make_daemon(text=secured(tls))

    # In the clear: refused, and told why.
    with agent("caller") as plain:
        said = Call(plain, "701", rtp=True).invite().final(488)
    assert "srtp = require" in said.get("warning")

    uri = "sip:701@10.9.0.1:5061;transport=tls"
    baresip(tmp_path / "talk.wav", uri, modules=["srtp.so"], account=";mediaenc=srtp-mand",
            lines=tls["lines"]("caller", CALLER))
    hall.wait_for(150, "baresip's talk", timeout=30)
    snr = audio.snr_db(hall.pcm()[8000:], speech[8000:20000])
    print(f"SNR of an encrypted page by baresip: {snr:.1f} dB")
    assert snr > 25
    calls = d.api.get("/calls")
    assert [c["encrypted"] for c in calls] == [True], calls
    assert "inline:*" in d.ctl("sip", "trace", str(calls[0]["id"])).stdout


def test_a_speaker_is_called_by_tls_with_srtp(make_daemon, tls, site, tmp_path, cleanup):
    folder = tmp_path / "horn"
    folder.mkdir()

    keys = tls["lines"]("horn", HORN)

    def start(account):
        (folder / "config").write_text("\n".join([
            *keys, f"module_path {baresip_modules()}",
            f"sip_listen {HORN}:5060", "audio_player aubridge,dev1", "audio_source aubridge,dev1",
            "audio_alert aubridge,dev1", "rtp_ports 31000-31100", "module g711.so",
            "module aubridge.so", "module srtp.so", "module_app account.so",
            "module_app menu.so"]) + "\n")
        (folder / "accounts").write_text(f"<sip:horn@{HORN};transport=tls>;regint=0;answermode=auto;"
                                         f"audio_codecs=PCMU/8000/1{account}\n")
        (folder / "contacts").write_text("")
        p = site["second"].popen(["baresip", "-f", folder, "-t", "60"], cwd=folder,
                                 stdout=open(folder / "log", "wb"), stderr=subprocess.STDOUT,
                                 stdin=subprocess.DEVNULL)
        cleanup.callback(lambda: (p.kill(), p.wait()))
        return p

    def horn():
        return d.api.get("/zones/horns")["sounds"][0]["call"]
    p = start(";mediaenc=srtp-mand")
    d = make_daemon(text=secured(tls, f'''
zone "horns" {{ speaker "sip:horn@{HORN}:5061;transport=tls" {{ hang-up-after = "100ms" }} }}
message "sine" {{ tone = "test"  tone-for = "3s" }}
'''))
    d.api.page(["horns"], "sine")
    wait.until(lambda: horn()["state"] == "up", "the call")
    assert horn()["encrypted"]
    wait.until(lambda: horn()["state"] == "idle", "the end")
    log = (folder / "log").read_text(errors="replace")
    assert "incoming rtp for 'audio' established, receiving from 10.9.0.1" in log
    assert "SRTP is Enabled (cryptosuite=AES_CM_128_HMAC_SHA1_80)" in log, log
    # What it opens is counted there, in bit/s; what it cannot open is not.
    assert re.search(r"/6\d{4} \(bit/s\)", log) and "failed to decrypt" not in log, log
    p.kill()
    p.wait()
    # One that cannot: the call fails, and its fault says so.
    start("")
    d.api.page(["horns"], "sine")
    wait.until(lambda: "srtp" in (horn()["fault"] or "") or "488" in (horn()["fault"] or ""),
               "the fault")


DESK = f"""
peer "10.9.0.13/32" {{ allow = {{ "help" }} }}
operators "room" {{ stage "desk" {{ ring = {{ "sip:baresip@{HORN}:5060" }}  for = "20s" }} }}
helppoint "gate" {{ from = "hp-2"  operators = "room"  priority = "urgent" }}
"""


def test_keys_by_dtls(make_daemon, baresip, hall, agent, site, cleanup, tmp_path):
    """By UDP, where keys must not stand in SDP: baresip has them by DTLS, on the sound's path.
    A page by one, and another as the operator who is called."""
    speech = audio.ulaw(audio.codes(4.0, 51))
    audio.write_wav(tmp_path / "talk.wav", speech)
    audio.write_wav(tmp_path / "desk.wav", audio.tone(700, 20))
    text = config(more=DESK)
    for n in (21, 22):
        text = text.replace(f'peer "10.9.0.{n}/32" {{', f'peer "10.9.0.{n}/32" {{ srtp = "dtls" ')
    d = make_daemon(text=text)
    with agent("caller") as plain:
        said = Call(plain, "701", rtp=True).invite().final(488)
    assert "srtp = dtls" in said.get("warning")

    dtls = {"modules": ["dtls_srtp.so"], "account": ";mediaenc=dtls_srtp;answermode=auto"}
    b = baresip(tmp_path / "talk.wav", "sip:701@10.9.0.1:5060", **dtls)
    # How much of it went by before there were keys is the handshake's affair.
    said = speech[8000:16000]
    wait.until(lambda: len(hall.packets) > 60 and audio.snr_db(hall.pcm(), said) > 25,
               "baresip's talk, whole", timeout=30)
    assert [c["encrypted"] for c in d.api.get("/calls")] == [True]
    b.close()

    desk = Baresip(site["second"], tmp_path / "desk", tmp_path / "desk.wav", None, **dtls)
    cleanup.callback(desk.close)
    with agent("bystander", user="hp-2") as a:
        call = Call(a, "112", rtp=True).dial()
        call.talk(audio.codes(2.0, 11), repeat=True)
        wait.until(lambda: [c.get("state") for c in d.api.get("/calls")] == ["talking"], "talking")
        mark = call.rtp.mark()
        wait.until(lambda: len(call.rtp.packets) > mark + 100, "the operator's sound")
        assert abs(audio.pitch_hz(call.rtp.pcm(mark + 25, mark + 85)) - 700) < 5
        log = (tmp_path / "desk" / "baresip.log").read_text(errors="replace")
        assert "10.9.0.1" in log and "failed to decrypt" not in log, log
