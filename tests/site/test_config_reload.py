"""SIGHUP: the whole, or nothing; what did not change does not click."""
import pytest

from conftest import BELL, EVAC, LONG, NOTICE, config
from lib import audio
from lib.rtp import check_continuous


def test_good_reload(daemon, hall, yard):
    """The zone that stays sounds on, sample for sample."""
    daemon.api.page(["hall"], "long", "page")
    hall.wait_for(25)
    text = config(more='message "new" { file = "bell.wav" }\n').replace(
        'extension = "702"', 'extension = "712"')
    event = daemon.reload(text)
    assert event["type"] == "config.loaded"
    n = hall.mark()
    hall.wait_for(n + 25)
    heard = hall.payload()
    heard = heard[heard.find(LONG[:160]):]
    assert LONG.startswith(heard), "not even a click"
    check_continuous(hall.packets)
    assert all(not p.marker for p in hall.packets[1:])
    daemon.api.page(["yard"], "new")
    yard.wait_bytes(BELL)
    assert daemon.api.get("/zones/yard")["extension"] == "712"


def test_zone_moves_to_another_group(daemon, hall, yard, listen):
    daemon.api.page(["hall", "yard"], "long", "page", wait_ms=60000)
    hall.wait_for(10)
    yard.wait_for(10)
    moved = listen("yard", ("239.192.7.9", 5006))
    event = daemon.reload(config().replace("239.192.7.2:5004", "239.192.7.9:5006"))
    assert event["type"] == "config.loaded"
    yard.wait_quiet()
    moved.wait_for(20)
    assert moved.payload()[-1600:] in LONG
    n = hall.mark()
    hall.wait_for(n + 10)
    heard = hall.payload()
    assert LONG.startswith(heard[heard.find(LONG[:160]):])


BAD = [
    ('zone "x" { colour = "red" }', "colour"),
    ('zone "x" { zones = { "nowhere" } }', "nowhere"),
    ('zone "x" { multicast "239.192.7.1:5004" { codec = "pcmu"  interface = "eth0" } }',
     "239.192.7.1:5004"),
    ('zone "x" { multicast "10.9.0.1:5004" { codec = "pcmu"  interface = "eth0" } }', "10.9.0.1"),
    ('zone "x" { multicast "239.1.1.1:5005" { codec = "pcmu"  interface = "eth0" } }', "even"),
    ('message "x" { file = "missing.wav" }', "missing.wav"),
    ('message "x" { file = "bell.wav"  gap = "5 parsecs" }', "gap"),
    ('alarm "x" { inputs = { "nothing" } }', "nothing"),
    ('alarm "x" { inputs = { "panic" }  votes = 2  outputs = { "beacon" } }', "can never fire"),
    ('alarm "x" { inputs = { "panic", "second" }  votes = 2  when = "any"  '
     'outputs = { "beacon" } }', "keep one of them"),
    ('alarm "x" { delay = "5s"  outputs = { "beacon" } }', "it has none"),
    ('zone "x" { extension = "701" }', "701"),
    ('zone "x" {', ""),
]


@pytest.mark.parametrize("text,word", BAD, ids=[str(i) for i in range(len(BAD))])
def test_bad_reload_changes_nothing(make_daemon, hall, text, word):
    d = make_daemon()
    d.api.page(["hall"], "long", "page")
    hall.wait_for(10)
    good = config()
    event = d.reload(good + text + "\n")
    assert event["type"] == "config.refused"
    assert "tocsin.conf:" in event["text"], "it names file and line"
    assert word in event["text"] or word in d.log()
    assert "config" in d.api.faults()
    assert not d.api.named("outputs", "fault")["active"], "the fault output drops"
    n = hall.mark()
    hall.wait_for(n + 10)
    heard = hall.payload()
    assert LONG.startswith(heard[heard.find(LONG[:160]):]), "it plays on"
    event = d.reload(good)
    assert event["type"] == "config.loaded" and "config" not in d.api.faults()


def test_check_finds_every_error(site, make_daemon, tmp_path):
    d = make_daemon(start=False)
    lines = config().count("\n")
    d.write(config() + "".join(t + "\n" for t, _ in BAD[:9]))
    r = site["ctl"].run([d.binary, "-c", d.path, "--check"])
    assert r.returncode == 1
    for i in range(9):
        assert f"tocsin.conf:{lines + 1 + i}" in r.stdout + r.stderr, f"error of {BAD[i][0]}"
    d.write(config())
    r = site["ctl"].run([d.binary, "-c", d.path, "--check"])
    assert r.returncode == 0, r.stdout + r.stderr


def test_dump_loads_to_the_same(site, make_daemon, tmp_path):
    d = make_daemon(start=False)
    first = site["ctl"].run([d.binary, "-c", d.path, "--dump-config"])
    assert first.returncode == 0, first.stderr
    d.write(first.stdout)
    again = site["ctl"].run([d.binary, "-c", d.path, "--dump-config"])
    assert again.stdout == first.stdout


def test_exit_codes(site, make_daemon):
    d = make_daemon(start=False)
    d.write("nonsense {")
    assert site["ctl"].run([d.binary, "-c", d.path]).returncode == 1
    assert site["ctl"].run([d.binary, "-c", "/nowhere.conf"]).returncode == 1
    # The address belongs to another machine.
    d.write(config().replace("10.9.0.1:5060", "10.9.0.99:5060"))
    r = site["ctl"].run([d.binary, "-c", d.path])
    assert r.returncode == 2 and "10.9.0.99" in r.stderr


def test_reload_in_an_emergency(daemon, hall):
    """It survives; and a configuration without the alarm is refused."""
    daemon.api.input("panic", True)
    hall.wait_bytes(EVAC)
    text = config()
    head, rest = text.split('alarm "panic"', 1)
    without = head + rest[rest.index("\n}\n") + 3:]
    assert daemon.reload(without)["type"] == "config.refused"
    assert daemon.reload(text)["type"] == "config.loaded"
    n = hall.mark()
    hall.wait_bytes(EVAC, "the alarm goes on", start=n)
    check_continuous(hall.packets)


def test_new_message_file(daemon, hall, tmp_path):
    """A reload reads the files anew; a damaged one is refused and named."""
    audio.write_wav(tmp_path / "bell.wav", audio.ulaw(NOTICE))
    assert daemon.reload(config())["type"] == "config.loaded"
    daemon.api.page(["hall"], "bell")
    hall.wait_bytes(NOTICE)
    (tmp_path / "bell.wav").write_bytes(b"RIFF\x10\x00\x00\x00WAVEgarbage")
    event = daemon.reload(config())
    assert event["type"] == "config.refused" and "bell" in event["text"]
    n = hall.mark()
    daemon.api.page(["hall"], "bell", "urgent")
    hall.wait_bytes(NOTICE, "the old one still", start=n)


def test_reload_over_the_api(daemon):
    daemon.api.post("/reload")
    assert "unix:root" in daemon.recorded("command")[0]["actor"]
    daemon.recorded("config.loaded")
