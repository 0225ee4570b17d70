"""Encrypted multicast, opened by ffmpeg: at once, late, and after a change of key."""
import base64
import os
import shutil

import pytest

from conftest import LONG, config
from lib import wait
from lib.rtp import check_continuous

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
SUITES = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")


def secret(tmp_path, seed):
    """Writes the key file; returns the key as SDP has it."""
    key = base64.b64encode(bytes((seed + 7 * i) % 256 for i in range(30))).decode()
    path = tmp_path / "hall.key"
    path.write_text(key + "\n")
    path.chmod(0o600)
    return key


def sealed(suite):
    head = 'multicast "239.192.7.1:5004" { codec = "pcmu"  interface = "eth0"'
    return config().replace(head, f'{head}  srtp-key-file = "hall.key"  srtp-suite = "{suite}"')


@pytest.fixture
def decoder(site, tmp_path, cleanup):
    """decoder(key, suite): ffmpeg on a loudspeaker; what it decoded so far."""
    n = [0]

    def make(key, suite=SUITES[0]):
        n[0] += 1
        sdp, out = tmp_path / f"{n[0]}.sdp", tmp_path / f"{n[0]}.ul"
        sdp.write_text("v=0\no=- 1 1 IN IP4 10.9.0.1\ns=-\nc=IN IP4 239.192.7.1/1\nt=0 0\n"
                       f"m=audio 5004 RTP/SAVP 0\na=crypto:1 {suite} inline:{key}\n")
        p = site["yard"].popen(
            ["ffmpeg", "-v", "error", "-nostdin", "-protocol_whitelist", "file,rtp,udp,srtp",
             "-analyzeduration", "0", "-probesize", "32", "-i", sdp, "-c:a", "copy",
             "-flush_packets", "1", "-f", "mulaw", out],
            stderr=open(tmp_path / f"{n[0]}.log", "wb"))

        def close():
            p.kill()
            p.wait()
        cleanup.callback(close)
        return lambda: out.read_bytes() if os.path.exists(out) else b""
    return make


def has_sound(got, n=8000):
    return len(got) >= n and any(got[i:i + 800] in LONG for i in range(0, len(got) - 800, 160))


@pytest.mark.parametrize("suite", SUITES)
def test_a_late_joiner_needs_the_key_alone(make_daemon, hall, decoder, tmp_path, suite):
    key = secret(tmp_path, 3)
    d = make_daemon(text=sealed(suite))
    d.api.page(["hall"], "long", repeat=3)
    hall.wait_for(50)
    assert LONG[:160] not in hall.payload(), "in the clear"
    tag = 10 if suite == SUITES[0] else 4
    assert {len(p.payload) for p in hall.packets} == {160 + tag}
    got = decoder(key, suite)
    wait.until(lambda: has_sound(got()), "ffmpeg to hear it")
    dump = d.host.run([d.binary, "-c", d.path, "--dump-config"]).stdout
    assert "hall.key" in dump and key not in dump + d.log()


def test_another_key_without_a_gap(make_daemon, hall, decoder, tmp_path):
    secret(tmp_path, 3)
    d = make_daemon(text=sealed(SUITES[0]))
    d.api.page(["hall"], "long", repeat=3)
    hall.wait_for(50)
    new = secret(tmp_path, 9)
    assert d.reload()["type"] == "config.loaded"
    got = decoder(new)
    wait.until(lambda: has_sound(got()), "ffmpeg to hear it with the new key")
    check_continuous(hall.packets)

    def heard():
        return d.api.get("/zones/hall")["sounds"][0]["heard"]
    before = heard()["samples"]
    wait.until(lambda: heard()["samples"] > before + 10, "it to be heard back")
    assert heard()["state"] == "heard" and -30 < heard()["level_dbfs"] < 0
    assert not d.api.faults(), "what is heard back opens with the new key"


def test_key_files_that_are_not_taken(make_daemon, tmp_path):
    key = secret(tmp_path, 3)
    d = make_daemon(text=sealed(SUITES[0]), start=False)
    path = tmp_path / "hall.key"

    def refused():
        r = d.host.run([d.binary, "-c", d.path, "--check"])
        assert key not in r.stdout + r.stderr, "the key is told"
        return r.returncode, r.stdout + r.stderr

    assert refused()[0] == 0
    path.chmod(0o644)
    code, text = refused()
    assert code == 1 and "chmod 640" in text
    path.chmod(0o600)
    for bad in (key[:-1], "inline:", "", key + "|300:1", key + "|1:5", "!" + key[1:]):
        path.write_text(bad)
        code, text = refused()
        assert code == 1 and "hall.key" in text, bad
    for good in (f"inline:{key}", f"{key}|1:4", f"{key}|2^20|255:1"):
        path.write_text(good)
        assert refused()[0] == 0, good
