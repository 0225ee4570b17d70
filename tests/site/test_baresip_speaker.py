"""Somebody else's multicast loudspeaker: baresip's multicast module hears a zone."""
import pytest

from conftest import YARD
from lib import audio, wait
from lib.baresip_speaker import Absent, BaresipSpeaker

GATE = ("239.192.7.4", 5004)


@pytest.fixture
def speaker(site, tmp_path, cleanup):
    def make(host, where, **kw):
        try:
            s = BaresipSpeaker(site[host], tmp_path / f"speaker-{host}", *where, **kw)
        except Absent as e:
            pytest.skip(str(e))
        cleanup.callback(s.close)
        return s
    return make


@pytest.mark.parametrize("codec,rate", [("pcmu", 8000), ("g722", 16000)])
def test_a_tone_is_heard(speaker, make_daemon, codec, rate):
    more = ""
    where = YARD
    if codec != "pcmu":
        where = GATE
        more = f'zone "dock" {{ multicast "{GATE[0]}:{GATE[1]}" {{ codec = "{codec}"  ' \
               'interface = "eth0" } }\n'
    s = speaker("yard", where, rate=rate)
    d = make_daemon(more=more)
    id = d.api.post("/broadcasts", {"zones": ["dock" if more else "yard"], "repeat": 4,
                                    "tone": "bs-5839-1-evacuate"})["id"]
    wait.until(lambda: d.api.broadcast(id) is None, "its end")
    wait.until(lambda: s.size() > 3 * rate * 2, "baresip to have heard it")
    pcm, got = s.pcm()
    assert got == rate
    loud = [i for i in range(0, len(pcm) - rate // 10, rate // 10)
            if audio.level_dbfs(pcm[i:i + rate // 10]) > -30]
    assert len(loud) > 30, f"{len(loud) / 10} s of 4 s"
    middle = pcm[loud[5]:loud[5] + 2 * rate]
    print(f"{audio.pitch_hz(middle, rate):.1f} Hz at {audio.level_dbfs(middle):.1f} dBFS")
    assert abs(audio.pitch_hz(middle, rate) - 970) < 2
