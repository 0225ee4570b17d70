"""baresip 1.1 (Debian 13) as a loudspeaker of a multicast group: what it hears
lands in a file. Where this Debian's baresip has no multicast module, that of
trixie is fetched with all its libraries, unpacked and run in place."""
import os
import pathlib
import subprocess
import wave

import numpy as np

from . import peers, wait

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Absent(Exception):
    """There is no such baresip here, and why."""


def program():
    """(argv, folder of modules)."""
    here = peers.baresip_modules()
    if os.path.exists(f"{here}/multicast.so"):
        return ["baresip"], here
    home = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve() / "debian"
    folder = home / "trixie-baresip"
    try:
        r = subprocess.run([ROOT / "tests/debian-fetch", "trixie", folder, "baresip-core"],
                           env={**os.environ, "ALL": "1"}, capture_output=True, text=True,
                           timeout=180)
    except subprocess.TimeoutExpired as e:
        raise Absent(f"trixie's baresip was not fetched within {e.timeout} s") from e
    if r.returncode:
        raise Absent(f"trixie's baresip cannot be fetched: {r.stderr.strip()[-300:]}")
    root = folder / "root"
    loader = next((root / "usr/lib").glob("*/ld-linux-*.so.*"))
    return ([loader, "--library-path", f"{loader.parent}:{root}/usr/lib", root / "usr/bin/baresip"],
            root / "usr/lib/baresip/modules")


class BaresipSpeaker:
    """Hears group:port; the file is whole once it is closed."""

    def __init__(self, host, folder, group, port, rate=8000):
        argv, modules = program()
        folder.mkdir()
        self.host, self.group, self.heard = host, group, folder / "heard.wav"
        # It listens without a word to the switch: the host joins for it.
        host.run(["ip", "addr", "add", f"{group}/32", "dev", "eth0", "autojoin"])
        lines = [f"module_path {modules}", f"sip_listen {host.ip}:5060",
                 "audio_source ausine,440", f"audio_player aufile,{self.heard}",
                 "audio_alert aufile,/dev/null", f"auplay_srate {rate}", "auplay_channels 1",
                 "audio_buffer 20-160", "jitter_buffer_delay 1-5", "poll_method epoll",
                 "module account.so", "module g711.so", "module g722.so", "module aufile.so",
                 "module_app menu.so", "module_app multicast.so", "multicast_call_prio 0",
                 f"multicast_listener {group}:{port}"]
        (folder / "config").write_text("\n".join(lines) + "\n")
        for name in ("accounts", "contacts"):
            (folder / name).write_text("")
        self.log = folder / "baresip.log"
        with open(self.log, "wb") as log:
            self.proc = host.popen([*argv, "-f", folder], stdout=log, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, cwd=folder)
        wait.until(lambda: self.proc.poll() is not None or "baresip is ready" in self.said(),
                   "baresip to listen")
        assert self.proc.poll() is None, self.said()

    def said(self):
        return self.log.read_text(errors="replace")

    def size(self):
        """Bytes of sound so far."""
        return self.heard.stat().st_size if self.heard.exists() else 0

    def pcm(self):
        """(samples, rate) of all it heard; it is closed for that."""
        self.close()
        with wave.open(str(self.heard), "rb") as w:
            return np.frombuffer(w.readframes(w.getnframes()), "<i2"), w.getframerate()

    def close(self):
        if self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(5)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
            self.host.run(["ip", "addr", "del", f"{self.group}/32", "dev", "eth0"])
