"""Spoken messages by real programs and bad ones; loudness; every tone of the
table by what a loudspeaker receives."""
import os
import shutil
import wave

import numpy as np
import pytest
from scipy import signal

from conftest import NOTICE, config
from lib import audio, wait
from lib.daemon import Refused
from lib.rtp import check_continuous

HOME = "state/speech"


def state(d, name):
    return d.api.named("messages", name)["state"]


def kept(tmp_path):
    folder = tmp_path / HOME
    return {p.name: p for p in folder.glob("*.wav")} if folder.exists() else {}


def at_8000(path):
    """A kept text as a zone hears it."""
    with wave.open(str(path), "rb") as w:
        rate = w.getframerate()
        pcm = np.frombuffer(w.readframes(w.getnframes()), "<i2").astype(float)
    return signal.resample_poly(pcm, 8000, rate)


def heard(speaker, path, start=0, least=12, timeout=wait.PATIENCE):
    """Until the speaker has heard that text."""
    ref = at_8000(path)
    speaker.wait_for(lambda p: len(p) - start > len(ref) / 160, timeout=timeout)
    wait.until(lambda: audio.snr_db(speaker.pcm(start), ref) > least, f"{path} in the zone",
               every=0.1)


def program(tmp_path, body, name="speak"):
    path = tmp_path / name
    path.write_text("#!/bin/sh\n" + body + "\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("engine,voices", [("espeak-ng", ("de", "en")), ("flite", ("slt", "kal"))])
def test_languages_in_turn(make_daemon, hall, tmp_path, engine, voices):
    """At the first start its tone; spoken a moment later, and heard in order."""
    command = {"espeak-ng": "", "flite": 'speech { command = { "flite", "-voice", "%v", "-f", '
               '"/dev/stdin", "-o", "/dev/stdout" } }'}[engine]
    assert shutil.which(engine)
    d = make_daemon(more=command + '''
message "shift" {
    chime = "chime-2"
    say "a" { text = "Shift change in five minutes."  voice = "%s" }
    say "b" { text = "Please leave the hall now."  voice = "%s" }
}
''' % voices)
    wait.until(lambda: state(d, "shift") == "ready", "the texts to be spoken")
    assert "message:shift" not in d.api.faults()
    files = kept(tmp_path)
    assert len(files) == 2
    first, second = sorted(files.values(), key=os.path.getmtime)
    d.api.page(["hall"], "shift")
    heard(hall, first)
    heard(hall, second)
    pcm, ref = hall.pcm(), [at_8000(p) for p in (first, second)]
    at = [audio.align(pcm, r) for r in ref]
    assert 16000 <= at[0] and at[0] + len(ref[0]) <= at[1], "chime, first text, second text"
    assert abs(audio.pitch_hz(pcm[800:5000]) - 659.26) < 3
    row = d.api.named("messages", "shift")
    assert abs(row["duration_ms"] - (2000 + 600 + sum(len(r) for r in ref) / 8)) < 30
    # A restart speaks nothing again and needs no program for it.
    d.stop()
    begun = {n: p.stat().st_ino for n, p in kept(tmp_path).items()}
    d.start()
    assert state(d, "shift") == "ready"
    assert {n: p.stat().st_ino for n, p in kept(tmp_path).items()} == begun


def test_text_of_the_moment(make_daemon, hall, tmp_path):
    """Over the API and tocsinctl; refused ones say why."""
    d = make_daemon()
    reply = d.api.post("/broadcasts", {"zones": ["hall"], "text": "Herr Müller bitte zur Pforte.",
                                       "voice": "de"})
    assert reply["state"] == "playing" and "warning" not in reply
    heard(hall, list(kept(tmp_path).values())[0])
    n = hall.mark()
    r = d.ctl("page", "hall", "--text", "Attention please.", "--tone", "chime-1")
    assert r.returncode == 0, r.stderr
    two = kept(tmp_path)
    assert len(two) == 2
    heard(hall, max(two.values(), key=os.path.getmtime), n)
    for body, field in (({"text": ""}, "text"), ({"text": "x" * 1001}, "text"),
                        ({"text": "a\nb"}, "text"), ({"text": "..."}, "text"),
                        ({"text": "a", "voice": "-x"}, "voice"),
                        ({"tone": "test", "voice": "de"}, "voice"),
                        ({"text": "a", "message": "bell"}, "message"), ({}, "message")):
        with pytest.raises(Refused) as e:
            d.api.post("/broadcasts", {"zones": ["hall"], **body})
        assert e.value.status == 400 and e.value.error["field"] == field, body
    with pytest.raises(Refused) as e:
        d.api.post("/broadcasts", {"zones": ["hall"], "text": "hello", "voice": "nosuch"})
    assert e.value.status == 503 and "voice" in e.value.error["message"]
    assert "speech" in d.api.faults()
    d.api.post("/broadcasts", {"zones": ["hall"], "text": "hello"})
    assert "speech" not in d.api.faults()


def test_text_over_mqtt(make_daemon, broker, mqtt, hall, tmp_path):
    client = mqtt(broker)
    d = make_daemon(more='mqtt { broker = "mqtt://10.9.0.5:1883" }\n')
    wait.until(lambda: d.api.get("/status")["mqtt"] == "connected", "the broker connection")
    import time
    client.publish("tocsin/test/command/page", {"id": "s1", "time": time.time(),
                                                "zones": ["hall"], "text": "Gas alarm."})
    reply = client.wait("tocsin/test/reply/s1")
    assert reply["status"] == 201, reply
    heard(hall, list(kept(tmp_path).values())[0])


BAD = {
    "hangs": "sleep 600",
    "crashes": "kill -SEGV $$",
    "garbage": "head -c 5000 /dev/urandom",
    "nothing": "exit 0",
    "endless": "exec cat /dev/zero",
}


@pytest.mark.parametrize("how", BAD)
def test_bad_program(make_daemon, hall, tmp_path, how):
    """A fault, and the emergency sounds as its tone; nothing waits for it."""
    path = program(tmp_path, BAD[how])
    d = make_daemon(more='''
speech { command = { "%s" }  time-limit = "1s" }
message "gas" { tone = "nfpa-whoop"  text = "Gas alarm."  gap = "1s"  repeat = "until-reset" }
input "gas" { virtual = true }
alarm "gas" {
    inputs = { "gas" }
    broadcast { message = "gas"  zones = { "hall" }  priority = "evacuate" }
}
''' % path)
    fault = d.api.faults()["message:gas"]
    assert "a tone sounds in its place" in fault["text"]
    d.api.input("gas", True)
    hall.wait_for(120)
    assert state(d, "gas") == "tone"
    pcm = hall.pcm()
    on = audio.level_dbfs(pcm[1600:6000])
    assert on > -12 and audio.level_dbfs(pcm[7200:14400]) < -60, "the whoop's cadence"
    # An emergency of the moment sounds as well, within its three seconds.
    reply = d.api.post("/broadcasts", {"zones": ["yard"], "text": "Leave.", "priority": "emergency"})
    assert reply["state"] == "playing" and reply["warning"]
    # The reload is accepted: its files are whole.
    assert d.reload(open(d.path).read())["type"] == "config.loaded"
    # Mended, it is spoken by itself at the next reload, and the fault is over.
    program(tmp_path, "exec espeak-ng --stdin --stdout")
    assert d.reload(open(d.path).read())["type"] == "config.loaded"
    assert state(d, "gas") == "ready"
    assert "message:gas" not in d.api.faults()


def test_emergency_text_survives_a_kill(make_daemon, hall, tmp_path):
    """With its tone; and spoken anew when its words are no longer kept."""
    d = make_daemon()
    r = d.ctl("page", "hall", "--text", "Leave the building now.", "--tone", "nfpa-whoop",
              "--priority", "evacuate", "--repeat", "until-stopped")
    assert r.returncode == 0, r.stderr
    path = list(kept(tmp_path).values())[0]
    heard(hall, path)
    wait.until(lambda: d.api.journal(type="broadcast.sounding"), "the journal")
    words = shutil.copy(path, tmp_path / "words.wav")
    for lost in (False, True):
        d.kill()
        if lost:
            path.unlink()
        hall.wait_quiet()
        n = hall.mark()
        d.start()
        heard(hall, words, n)
        # Before the words the tone: 0.85 s of it, 1 s of silence, the pause.
        pcm = hall.pcm(n)
        at = audio.align(pcm, at_8000(words)) - 17200
        assert at >= 0 and audio.level_dbfs(pcm[at + 800:at + 6000]) > -20
        assert audio.level_dbfs(pcm[at + 7600:at + 16000]) < -50
        assert len(d.api.get("/broadcasts")) == 1


def test_loudness(make_daemon, hall, tmp_path):
    """A quiet and a loud file come out alike, and no peak is clipped."""
    rng = np.random.default_rng(7)
    noise = np.clip(rng.normal(0, 1, 24000), -4, 4)
    for name, amp in (("quiet", 60), ("loud", 6000)):
        audio.write_wav(tmp_path / f"{name}.wav", (noise * amp).astype(np.int16))
    text = config(more='message "quiet" { file = "quiet.wav"  loudness = -20.0 }\n'
                       'message "loud" { file = "loud.wav"  loudness = -20.0 }\n'
                       'message "kept" { file = "notice.wav" }\n')
    d = make_daemon(text=text)
    rows = {m["name"]: m for m in d.api.get("/messages")}
    assert abs(rows["loud"]["lufs"] - -20) < 0.2
    assert rows["quiet"]["lufs"] < -20.5, "raised by 24 dB at most"
    assert rows["loud"]["peak_dbtp"] <= -1
    levels = {}
    for name in ("quiet", "loud"):
        n = hall.mark()
        id = d.api.page(["hall"], name)
        wait.until(lambda: d.api.broadcast(id) is None, "its end")
        hall.wait_quiet()
        levels[name] = audio.level_dbfs(hall.pcm(n)[:24000])
    assert abs((levels["loud"] - levels["quiet"])
               - (rows["loud"]["lufs"] - rows["quiet"]["lufs"])) < 0.5
    d.api.page(["hall"], "kept")
    hall.wait_bytes(NOTICE, "a file whose loudness is off, bit for bit")


@pytest.mark.parametrize("text,word", [
    ('gap = "11s"', "gap-tone"),
    ('gap = "31s"', "30s at most"),
    ('gap = "28s"  gap-tone = true', "from its last words"),
])
def test_check_holds_the_cycle(site, make_daemon, text, word):
    d = make_daemon(start=False)
    more = ('message "x" { tone = "din-33404-3"  tone-for = "4s"  file = "bell.wav"  %s'
            '  repeat = 5 }\n' % text
            + 'alarm "x" { broadcast { message = "x"  zones = { "all" }  priority = 220 } }\n')
    d.write(config(more=more))
    r = site["ctl"].run([d.binary, "-c", d.path, "--check"])
    line = config(more=more).split("\n").index(more.split("\n")[0]) + 1
    assert r.returncode == 1
    assert any(f"tocsin.conf:{line}: " in x and word in x for x in r.stderr.split("\n")), r.stderr


# One cycle of each tone, as the standards write it: (ms, Hz, Hz at its end).
def on(ms, hz, to=None):
    return (ms, hz, to or hz)


def off(ms):
    return (ms, 0, 0)


T3 = [on(500, 520), off(500), on(500, 520), off(500), on(500, 520), off(1500)]
TONES = {
    "iso-8201": T3,
    "iso-8201-520": T3,
    "t4": 4 * [on(100, 3100), off(100)] + [off(5000)],
    "din-33404-3": [on(1000, 1200, 500)],
    "nen-2575": [on(3500, 500, 1200), off(500)],
    "slow-whoop": [on(3500, 500, 1200), off(500)],
    "as-2220-action": [on(3750, 500, 1200), off(250)],
    "as-2220-alert": [on(600, 420), off(650)],
    "as-1670-alert": [on(600, 420), off(600)],
    "as-1670-evacuate": 3 * [on(500, 500, 1200), off(500)] + [off(1000)],
    "nf-s-32-001": [on(100, 560), on(400, 440)],
    "bs-5839-1-evacuate": [on(1000, 970)],
    "bs-5839-1-alert": [on(1000, 950), off(1000)],
    "ss-03-17-11-imminent": [on(150, 500), off(100)],
    "ss-03-17-11-local": [on(150, 500), off(600)],
    "ss-03-17-11-all-clear": [on(30000, 500)],
    "nfpa-whoop": [on(850, 422, 775), off(1000)],
    "industrial": [on(10000, 150, 1000), on(40000, 1000), on(10000, 1000, 150)],
    "pfeer-general": [on(1000, 1000), off(1000)],
    "pfeer-abandon": [on(1000, 1200, 500)],
    "pfeer-gas": [on(1000, 1000)],
    "chime-1": [on(1500, 523.25)],
    "chime-2": [on(700, 659.26), on(1300, 523.25)],
    "chime-3": [on(500, 523.25), on(500, 659.26), on(1400, 783.99)],
    "chime-4": [on(450, 392), on(450, 523.25), on(450, 659.26), on(1350, 783.99)],
    "test": [on(1000, 1000)],
    "go-ahead": [on(100, 660), off(40), on(110, 880)],
    "enter": [on(80, 880), off(80), on(80, 880), off(2000)],
    "wrong": [on(150, 320), off(80), on(150, 320), off(120)],
    "accepted": [on(120, 660), on(120, 880), on(240, 1100), off(200)],
    "ringing": [on(1000, 425), off(2000)],
    "preempted": [on(200, 480), on(200, 400), on(300, 320), off(1300)],
}
HEAR = 12.5  # seconds: past the sweep and the change of the longest


def check_stretch(name, pcm, begin, end, hz, to):
    """Samples begin..end of a stretch: silence, or the pitch along its sweep."""
    edge = 64  # 8 ms: the ramps
    x = pcm[begin + edge:end - edge]
    if not hz:
        assert np.abs(x).max(initial=0) < 40, f"{name}: sound in the pause at {begin / 8000:.2f} s"
        return
    w = min(400, len(x))
    for at in np.linspace(0, len(x) - w, 1 if hz == to and len(x) < 8000 else 5).astype(int):
        mid = (edge + at + w / 2) / (end - begin)
        want, got = hz + (to - hz) * mid, audio.pitch_hz(x[at:at + w])
        assert abs(got - want) < 0.015 * want + 4, \
            f"{name}: {got:.1f} Hz, not {want:.1f}, at {(begin + edge + at) / 8000:.2f} s"


def check_tone(name, pcm):
    pcm = pcm[int(np.argmax(np.abs(pcm) > 8)):]
    cycle = sum(ms for ms, _, _ in TONES[name]) * 8
    at, stretches = 0, 0
    while True:
        for ms, hz, to in TONES[name]:
            begin, at = at, at + ms * 8
            if at > len(pcm):
                # The last one, as far as it was heard.
                if hz and len(pcm) - begin > 1600:
                    part = (len(pcm) - begin) / (ms * 8)
                    check_stretch(name, pcm, begin, len(pcm), hz, hz + (to - hz) * part)
                assert stretches or at - begin > len(pcm)
                return
            check_stretch(name, pcm, begin, at, hz, to)
            stretches += 1


def test_every_tone(make_daemon, listen):
    """Pitch, sweep and cadence of each tone there is, at a loudspeaker."""
    names = list(TONES)
    zones = "".join(f'zone "t{i}" {{ multicast "239.192.9.{i + 1}:5004" {{ codec = "pcmu"  '
                    f'interface = "eth0" }} }}\n' for i in range(len(names)))
    d = make_daemon(more=zones)
    rows = {t["name"]: t for t in d.api.get("/tones")}
    assert set(rows) == set(TONES), "a tone without its pattern here"
    speakers = [listen("hall", (f"239.192.9.{i + 1}", 5004)) for i in range(len(names))]
    for i, name in enumerate(names):
        cycle = sum(ms for ms, _, _ in TONES[name])
        assert rows[name]["cycle_ms"] == cycle
        d.api.post("/broadcasts", {"zones": [f"t{i}"], "tone": name,
                                   "repeat": "until-stopped"})
    for name, speaker in zip(names, speakers):
        speaker.wait_for(int(HEAR * 50), timeout=60)
        check_continuous(speaker.packets)
        pcm = speaker.pcm(0, int(HEAR * 50)).astype(float)
        check_tone(name, pcm)
        peak = 20 * np.log10(np.abs(pcm).max() / 32767)
        assert abs(peak - rows[name]["peak_dbfs"]) < 0.6, f"{name} peaks at {peak:.1f} dBFS"


def tone(path, hz, seconds):
    t = np.arange(int(seconds * 16000)) / 16000
    with wave.open(str(path), "wb") as w:
        w.setparams((1, 2, 16000, 0, "NONE", ""))
        w.writeframes((8000 * np.sin(2 * np.pi * hz * t)).astype("<i2").tobytes())
    return str(path)


def test_upload(make_daemon, hall, tmp_path):
    """A new one is heard; what sounds goes on; a kill loses nothing; and back."""
    d = make_daemon(more='message "greeting" { upload = true }\n')
    low, high = tone(tmp_path / "low.wav", 440, 6), tone(tmp_path / "high.wav", 880, 2)
    assert "message:greeting" in d.api.faults()
    assert d.ctl("messages", "upload", "greeting", low).returncode == 0
    assert "message:greeting" not in d.api.faults()
    n = hall.mark()
    first = d.api.page(["hall"], "greeting")
    hall.wait_for(lambda p: len(p) - n > 25)
    assert d.ctl("messages", "upload", "greeting", high).returncode == 0
    wait.until(lambda: d.api.broadcast(first) is None, "the first version to end")
    assert abs(audio.pitch_hz(hall.pcm(n)[1600:40000]) - 440) < 3, "the version it began with"
    d.kill()
    d.start()
    assert d.api.named("messages", "greeting")["version"] == 2
    n = hall.mark()
    d.api.page(["hall"], "greeting")
    hall.wait_for(lambda p: len(p) - n > 75)
    assert abs(audio.pitch_hz(hall.pcm(n)[1600:9600]) - 880) < 3
    assert d.ctl("messages", "rollback", "greeting", "1").returncode == 0
    assert d.ctl("messages", "preview", "greeting", "-o", str(tmp_path / "heard.wav")).returncode == 0
    assert abs(audio.pitch_hz(at_8000(tmp_path / "heard.wav")[800:8000]) - 440) < 3
    r = d.ctl("messages", "upload", "greeting", d.path)
    assert r.returncode == 1 and "no audio file" in r.stderr
    assert d.ctl("messages", "delete", "greeting").returncode == 0
    done = ["message.deleted", "message.rolled-back"] + ["message.uploaded"] * 2

    def kept_records():
        return sorted(e["type"] for e in d.api.journal(type="message.")
                      if e["actor"] == "unix:root") == done
    wait.until(kept_records, "who did what in the journal")
