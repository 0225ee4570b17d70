"""Background music: files, folders, streams, commands, all by child processes."""
import http.server
import os
import signal
import subprocess
import threading
import time

import pytest

from conftest import NOTICE
from lib import audio, wait
from lib.rtp import check_continuous

LOW, HIGH = 500, 1200


def tone_wav(path, hz, seconds=30.0, rate=8000):
    audio.write_wav(path, audio.tone(hz, seconds, rate), rate)


@pytest.fixture
def music(make_daemon, tmp_path):
    """music(keys): a daemon with music "lobby" in the hall."""

    def make(keys, after="", **kw):
        tone_wav(tmp_path / "low.wav", LOW)
        tone_wav(tmp_path / "high.wav", HIGH, rate=16000)
        return make_daemon(more='music "lobby" { zones = { "hall" } %s }\n%s' % (keys, after), **kw)
    return make


def state(d):
    return d.api.named("music", "lobby")


def fault(d):
    return d.api.faults().get("music:lobby")


def pitch(heard, n=2000):
    return audio.pitch_hz(heard.pcm()[-n:])


def children(d):
    out = []
    for pid in os.listdir("/proc"):
        try:
            stat = open(f"/proc/{pid}/stat").read()
            if pid.isdigit() and int(stat.rsplit(")", 1)[1].split()[1]) == daemon_pid(d):
                out.append(int(pid))
        except (OSError, IndexError):
            pass
    return out


def daemon_pid(d):
    return d.proc.pid


def hear_pitch(heard, hz):
    wait.until(lambda: len(heard.packets) > 30 and abs(pitch(heard) - hz) < 10, f"{hz} Hz")


def test_a_file_plays_and_stops(music, hall):
    d = music('file = "low.wav"  volume = -6.0')
    assert state(d)["state"] == "stopped" and not children(d)
    d.api.post("/music/lobby/start")
    hear_pitch(hall, LOW)
    # A tone of -15 dBFS, 6 dB less.
    assert abs(audio.level_dbfs(hall.pcm()[-2000:]) + 21) < 1
    assert state(d)["state"] == "playing" and state(d)["playing"].endswith("low.wav")
    b = d.api.get("/broadcasts")[0]
    assert b["what"] == "music lobby" and not b["live"]
    d.api.post("/music/lobby/stop")
    hall.wait_quiet()
    wait.until(lambda: not children(d), "the player to be gone")
    assert state(d)["state"] == "stopped"
    check_continuous(hall.packets)
    d.recorded("music.started")
    d.recorded("music.stopped")


def test_list_goes_on_and_next(music, hall, tmp_path):
    d = music('file = { "short.wav", "high.wav" }', start=False)
    tone_wav(tmp_path / "short.wav", LOW, 2.0)
    d.start()
    d.api.post("/music/lobby/start")
    hear_pitch(hall, LOW)
    hear_pitch(hall, HIGH)
    assert state(d)["gaps"] == 0, "no gap between one file and the next"
    d.api.post("/music/lobby/next")
    hear_pitch(hall, LOW)
    check_continuous(hall.packets)


def test_folder_shuffled_with_a_bad_file(music, hall, tmp_path):
    folder = tmp_path / "songs"
    folder.mkdir()
    tone_wav(folder / "a.wav", LOW, 1.0)
    tone_wav(folder / "b.wav", LOW, 1.0)
    (folder / "c.wav").write_bytes(b"RIFF" + b"\0" * 100)
    d = music('folder = "songs"  shuffle = true  autostart = true')
    hear_pitch(hall, LOW)
    wait.until(lambda: fault(d), "the bad file to be named", timeout=30)
    assert "c.wav" in fault(d)["text"]
    wait.until(lambda: not fault(d), "the next one to play", timeout=30)
    hear_pitch(hall, LOW)


def test_hostile_folder(music, hall, yard, tmp_path):
    """What cannot be played is told and passed by; pages do not suffer."""
    folder = tmp_path / "songs"
    folder.mkdir()
    (folder / "a-empty.wav").touch()
    (folder / "b-letter.au").write_text("To the chief engineer. " * 2000)
    os.mkfifo(folder / "c-fifo.wav")
    (folder / "d-endless.wav").symlink_to("/dev/zero")
    (folder / "e-round.wav").symlink_to("e-round.wav")
    (folder / "f-itself.wav").symlink_to(".")
    (folder / "g-zeros.mp3").touch()
    os.truncate(folder / "g-zeros.mp3", 10 << 30)
    tone_wav(folder / "h-sparse.wav", LOW, 0.1)
    with open(folder / "h-sparse.wav", "r+b") as f:
        f.seek(40)
        f.write(b"\x00\x00\x00\x7f")
        f.truncate(10 << 30)
    # 15 MB of silence, 8 channels of 192 kHz, in some kB.
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i",
                    "anullsrc=r=192000:cl=7.1", "-t", "5", folder / "i-bomb.flac"], check=True)
    (folder / "j-cut.ogg").write_bytes(b"OggS" + os.urandom(3000))
    tone_wav(folder / "k-good\nor bad.wav", HIGH, 5.0)
    for i in range(3000):
        (folder / f"l-{i:04}.txt").write_bytes(b"x")
    d = music('folder = "songs"  autostart = true  silence = "2s"')
    id = d.api.page(["yard"], "notice")
    yard.wait_bytes(NOTICE, "a page while the music tries its files")
    wait.until(lambda: d.api.broadcast(id) is None, "its end")
    wait.until(lambda: len(hall.packets) > 30 and abs(pitch(hall) - HIGH) < 10,
               "the one that is good", timeout=60)
    told = [e["text"] for e in d.recorded("fault.raised", limit=500)]
    for name, why in (("a-empty.wav", "is empty"), ("b-letter.au", "no audio file"),
                      ("g-zeros.mp3", "failed with"), ("h-sparse.wav", "is silent"),
                      ("i-bomb.flac", "is silent"), ("j-cut.ogg", "no audio file")):
        assert any(name in t and why in t for t in told), (name, told)
    assert any("songs are left out" in line and "3 entries" in line
               for line in d.log().split("\n")), "FIFO, device, loop"
    wait.until(lambda: fault(d) and "l-0001.txt" in fault(d)["text"], "those after it",
               timeout=40)
    check_continuous(hall.packets)


@pytest.mark.parametrize("under,audible", [("duck", True), ("pause", False)])
def test_under_a_page_and_back(music, hall, under, audible):
    d = music(f'file = "low.wav"  autostart = true  under-page = "{under}"')
    hear_pitch(hall, LOW)
    level = audio.level_dbfs(hall.pcm()[-2000:])
    d.api.page(["hall"], "notice")
    wait.until(lambda: len(d.api.get("/broadcasts")) == 2, "the page")
    want = "playing" if audible else "paused"
    wait.until(lambda: state(d)["state"] == want, want)
    wait.until(lambda: len(d.api.get("/broadcasts")) == 1, "the page to be over")
    n = hall.mark()
    hall.wait_for(n + 60)
    assert abs(audio.level_dbfs(hall.pcm()[-2000:]) - level) < 1
    hear_pitch(hall, LOW)
    check_continuous(hall.packets)


def test_a_player_that_dies_comes_back(music, hall):
    d = music('file = "low.wav"  autostart = true')
    hear_pitch(hall, LOW)
    os.kill(children(d)[0], signal.SIGKILL)
    wait.until(lambda: fault(d), "the fault", timeout=30)
    assert "killed by signal 9" in fault(d)["text"]
    wait.until(lambda: not fault(d) and state(d)["state"] == "playing", "it to be over",
               timeout=30)
    assert state(d)["restarts"] == 1


def test_silent_and_missing_players(music, hall):
    d = music('command = { "cat", "/dev/zero" }  autostart = true  silence = "1s"',
              'music "none" { command = { "no-such-player" } zones = { "yard" } '
              'autostart = true }')
    wait.until(lambda: fault(d) and "is silent" in fault(d)["text"], "the silence to be seen")
    wait.until(lambda: "music:none" in d.api.faults(), "the fault")
    assert "not installed" in d.api.faults()["music:none"]["text"]


def test_no_descriptor_and_no_orphan(music, hall):
    d = music('command = { "sh", "-c", "sleep 300 & exec sleep 300" }  '
              'autostart = true')
    kids = wait.until(lambda: children(d), "the player")
    fds = wait.until(lambda: os.listdir(f"/proc/{kids[0]}/fd"), "it to run")
    assert sorted(fds, key=int) == ["0", "1", "2"], fds
    d.kill()
    wait.until(lambda: not os.path.exists(f"/proc/{kids[0]}"), "the player to die with it")


def test_reload_keeps_playing(music, hall):
    d = music('file = "low.wav"  autostart = true')
    hear_pitch(hall, LOW)
    kids = children(d)
    with open(d.path) as f:
        text = f.read()
    assert d.reload(text)["type"] == "config.loaded"
    n = hall.mark()
    hall.wait_for(n + 50)
    assert children(d) == kids and len(d.recorded("music.started")) == 1
    check_continuous(hall.packets)
    d.reload(text.replace("low.wav", "high.wav"))
    hear_pitch(hall, HIGH)


def test_http_stream_through_ffmpeg(music, site, hall, tmp_path, cleanup):
    tone_wav(tmp_path / "stream.wav", HIGH, 20.0)
    data = (tmp_path / "stream.wav").read_bytes()
    gone = threading.Event()

    class Radio(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if gone.is_set():
                self.send_error(503)
                return
            self.send_response(200)
            self.send_header("Content-Type", "audio/wav")
            self.end_headers()
            try:
                for i in range(0, len(data), 1600):
                    self.wfile.write(data[i:i + 1600])
                    if gone.wait(0.08):
                        return
            except OSError:
                pass

        def log_message(self, *a):
            pass

    server = site["broker"].call(
        lambda: http.server.ThreadingHTTPServer(("10.9.0.5", 8000), Radio))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cleanup.callback(server.server_close)
    cleanup.callback(server.shutdown)
    cleanup.callback(gone.set)
    d = music('stream = "http://10.9.0.5:8000/radio"  autostart = true')
    wait.until(lambda: len(hall.packets) > 30 and abs(pitch(hall) - HIGH) < 10, "the radio",
               timeout=30)
    gone.set()
    wait.until(lambda: fault(d), "the fault", timeout=30)
    gone.clear()
    wait.until(lambda: not fault(d), "the radio to come back", timeout=40)


def test_verbs_and_their_errors(music, hall):
    d = music('file = "low.wav"')
    assert "lobby" in d.ctl("music").stdout
    assert d.ctl("music", "lobby", "start").returncode == 0
    hear_pitch(hall, LOW)
    r = d.ctl("music", "lobby", "start")
    assert r.returncode == 1 and "plays" in r.stderr
    assert d.ctl("music", "nothing", "start").returncode == 1
    assert d.ctl("music", "lobby", "louder").returncode == 2
    # Ended as a broadcast it is stopped.
    b = d.api.get("/broadcasts")[0]["id"]
    d.api.delete(f"/broadcasts/{b}")
    wait.until(lambda: state(d)["state"] == "stopped", "it to be stopped")
    wait.until(lambda: not children(d), "the player to be gone")
    said = d.recorded("music.stopped")[-1]
    assert said["subject"] == "music:lobby" and "stopped by" in said["text"] and said["cause"] == b


def test_started_by_hand_survives_a_power_cut(music, hall):
    d = music('file = "low.wav"')
    d.api.post("/music/lobby/start")
    hear_pitch(hall, LOW)
    for end in (d.kill, d.stop):
        end()
        n = hall.mark()
        d.start()
        wait.until(lambda: state(d)["state"] == "playing", "the music to be back")
        wait.until(lambda: len(hall.since(n)) > 30, "it to be heard")
    d.api.post("/music/lobby/stop")
    assert d.stop() == 0
    d.start()
    assert state(d)["state"] == "stopped", "it was stopped by hand"
