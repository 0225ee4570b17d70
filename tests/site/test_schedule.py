"""Bells by the clock: heard in RTP, by a wall clock of the daemon's own."""

import signal

import pytest

from conftest import BELL, NOTICE
from lib import audio, wait
from lib.clock import Clock

SCHEDULES = '''
timezone = "Europe/Berlin"
schedule "lesson" {
    days = "mon-fri"  at = { "08:00", "08:45" }
    message = "bell"  zones = { "hall" }  grace = "60s"
    @lesson@
}
@more@
'''


@pytest.fixture
def clock(tmp_path, cleanup):
    c = Clock(tmp_path)
    cleanup.callback(c.close)
    return c


@pytest.fixture
def make(make_daemon, clock):
    """A daemon at a time of its own."""

    def start(when, lesson="", more="", ready=True):
        text = SCHEDULES.replace("@lesson@", lesson).replace("@more@", more)
        d = make_daemon(more=text, start=False)
        d.env = clock.env
        clock.set(when)
        d.start()
        if ready:
            wait.until(lambda: all(c.get("loaded") or c.get("error")
                                   for c in d.api.get("/calendars")), "the calendars")
        return d
    return start


def due(d, n):
    """Until n bells were due; their texts, oldest first."""
    return wait.until(lambda: (lambda v: len(v) >= n and v)(
        [e["text"] for e in reversed(d.api.journal(type="schedule.due", limit=1000))]),
        f"{n} bells")


def quiet(d, clock, when):
    """Turns to a time at which all before it is decided."""
    clock.set(when)
    wait.until(lambda: d.api.get("/status")["time"].startswith(when[:10]) and True, "the time")


def test_a_bell_is_heard_on_its_second(make, clock, hall, yard):
    # A Monday; 08:00 in Berlin is 07:00 UTC.
    d = make("2027-03-01 06:59:58.500")
    hall.wait_bytes(BELL)
    assert not yard.packets
    e = d.recorded("schedule.due")[0]
    assert e["data"]["at"] == 1803884400 and 0 <= e["data"]["late_ms"] < 1000
    assert d.recorded("broadcast.requested")[0]["cause"] == e["id"]
    nxt = d.api.get("/schedules/next?days=1")
    assert [x["local"] for x in nxt] == ["2027-03-01 08:45", "2027-03-02 08:00"]
    # After the change of clocks the same local time is another in UTC.
    clock.set("2027-03-29 05:59:59")
    due(d, 2)


def test_nothing_twice_when_the_clock_is_set_back(make, clock, hall):
    d = make("2027-03-01 06:59:59")
    hall.wait_bytes(BELL)
    clock.set("2027-03-01 06:59:58")
    d.recorded("clock.stepped")
    # Past it again, and on to the next one: that is the second.
    wait.until(lambda: d.api.get("/status")["time"] > "2027-03-01T07:00:01", "the time")
    clock.set("2027-03-01 07:44:59")
    assert [t.split(",")[0] for t in due(d, 2)] == [
        "schedule lesson: 2027-03-01 08:00", "schedule lesson: 2027-03-01 08:45"]
    # By a day: the time before was wrong, the day's bells sound.
    clock.set("2027-02-26 06:59:59")
    assert due(d, 3)[2].startswith("schedule lesson: 2027-02-26 08:00")


def test_missed_by_a_step_within_and_beyond_grace(make, clock, hall):
    d = make("2027-03-01 06:30:00")
    clock.set("2027-03-01 07:00:50")
    assert "late but within its grace" in due(d, 1)[0]
    hall.wait_bytes(BELL)
    clock.set("2027-03-02 07:50:00")
    e = d.recorded("schedule.missed")[0]
    assert e["data"]["count"] == 3
    assert len(due(d, 1)) == 1


def test_a_restart_makes_up_within_grace_and_never_twice(make, clock, hall):
    d = make("2027-03-01 06:59:59")
    hall.wait_bytes(BELL)
    # What was kept before the bell is on the disk once its event is.
    d.recorded("schedule.due")
    d.kill()
    d.start()
    clock.set("2027-03-01 07:00:20")
    wait.until(lambda: d.api.get("/status")["time"] > "2027-03-01T07:00:21", "the time")
    assert len(due(d, 1)) == 1
    d.kill()
    clock.set("2027-03-01 07:45:30")
    d.start()
    assert "08:45" in due(d, 2)[1]
    d.kill()
    clock.set("2027-03-02 07:20:00")
    d.start()
    assert d.recorded("schedule.missed")[0]["data"]["count"] == 1


def test_no_bell_by_a_clock_that_cannot_be_right(make, clock, hall):
    d = make("2001-01-01 06:59:58", ready=False)
    f = wait.until(lambda: d.api.faults().get("clock"), "the fault")
    assert "2001" in f["text"] and "older" in f["text"]
    wait.until(lambda: d.api.get("/status")["time"] > "2001-01-01T07:00:01", "the time")
    assert not d.api.journal(type="schedule.due")
    # NTP comes.
    clock.set("2027-03-01 06:59:59")
    hall.wait_bytes(BELL)
    wait.until(lambda: "clock" not in d.api.faults(), "the fault to go")
    d.recorded("schedule.due")
    # A box without a clock of its own starts in the past it has saved.
    d.kill()
    clock.set("2027-02-28 12:00:00")
    d.start()
    wait.until(lambda: "behind" in d.api.faults().get("clock", {}).get("text", ""), "the fault")
    clock.set("2027-03-01 07:44:59")
    due(d, 2)


def test_a_bell_waits_for_an_emergency_within_grace_or_is_dropped(make, clock, hall, yard):
    d = make("2027-03-01 06:59:50", more='''
schedule "drop" { at = "08:00"  message = "notice"  zones = { "yard" }  busy = "drop" }
''')
    d.api.input("panic", True)
    clock.set("2027-03-01 06:59:59")
    due(d, 2)
    assert d.recorded("broadcast.waiting")
    refused = d.recorded("broadcast.refused")[0]
    assert "notice" in refused["text"]
    d.api.input("panic", False)
    d.api.post("/alarms/panic/reset")
    hall.wait_bytes(BELL)
    assert not d.api.journal(type="schedule.missed")


def test_calendars_swap_the_day_and_say_why(make, clock, tmp_path, hall):
    ics = tmp_path / "days.ics"
    ics.write_text("BEGIN:VCALENDAR\nVERSION:2.0\n"
                   "BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20270302\nSUMMARY:Holiday\nEND:VEVENT\n"
                   "BEGIN:VEVENT\nUID:2\nDTSTART;VALUE=DATE:20270303\nSUMMARY:Exam of maths\n"
                   "END:VEVENT\n"
                   "BEGIN:VEVENT\nUID:3\nDTSTART;TZID=Europe/Berlin:20270304T100000\n"
                   "SUMMARY:Drill\nCATEGORIES:Safety\nEND:VEVENT\nEND:VCALENDAR\n")
    d = make("2027-03-01 12:00:00", lesson='except = { "free" }', more='''
calendar "free" { ics = "days.ics"  match = { "holi*" } }
calendar "exams" { ics = "days.ics"  match = { "exam*" }  day-type = "exam" }
calendar "all" { ics = "days.ics" }
schedule "exam" { at = "09:00"  day-type = { "exam" }  message = "notice"  zones = { "hall" } }
schedule "events" { events = "all"  zones = { "hall" }
                    event "safety" { message = "notice" } }
''')

    def day(date):
        return [(x["schedule"], x["local"][11:], x["verdict"])
                for x in d.api.get(f"/schedules/next?date={date}") if x["verdict"] != "no-fit"]
    assert day("2027-03-02") == [("lesson", "08:00", "except"), ("lesson", "08:45", "except"),
                                 ("exam", "09:00", "day-type")]
    assert day("2027-03-03") == [("lesson", "08:00", "day-type"), ("lesson", "08:45", "day-type"),
                                 ("exam", "09:00", "rings")]
    assert day("2027-03-04") == [("lesson", "08:00", "rings"), ("lesson", "08:45", "rings"),
                                 ("exam", "09:00", "day-type"), ("events", "10:00", "rings")]
    out = d.ctl("next", "--date", "2027-03-02")
    assert 'except free: "Holiday"' in out.stdout
    # The event's own message, on its minute.
    clock.set("2027-03-04 08:59:59")
    hall.wait_bytes(NOTICE)
    # A file that breaks keeps the last good one, and says the line.
    ics.write_text(ics.read_text().replace("20270303", "the third"))
    f = wait.until(lambda: d.api.faults().get("calendar:exams"), "the fault")
    assert "days.ics:10: DTSTART" in f["text"], f["text"]
    ics.unlink()
    wait.until(lambda: "No such file" in d.api.faults()["calendar:free"]["text"], "the fault")
    assert day("2027-03-02")[0] == ("lesson", "08:00", "except")


def test_skip_and_run(make, clock, hall):
    d = make("2027-03-01 06:59:40")
    assert "2027-03-01 08:45" in d.ctl("skip", "lesson").stdout
    clock.set("2027-03-01 06:59:59")
    d.recorded("schedule.skipped")
    assert not d.api.journal(type="schedule.due")
    # Kept through a restart, and over by itself.
    d.api.post("/schedules/lesson/skip", {"count": 2})
    d.recorded("schedule.changed", lambda e: "2027-03-02 08:00" in e["text"])
    d.kill()
    d.start()
    assert d.api.get("/schedules/lesson")["next_local"] == "2027-03-02 08:45"
    d.api.post("/schedules/lesson/skip", {"count": 0})
    assert d.api.get("/schedules/lesson")["next_local"] == "2027-03-01 08:45"
    assert d.ctl("run", "lesson").returncode == 0
    hall.wait_bytes(BELL)
    assert d.ctl("skip", "nothing").returncode == 1
    assert d.ctl("next", "--days", "0").returncode == 1


def test_one_off_changes_survive_and_end(make, clock, hall):
    d = make("2027-03-01 06:50:00", more="""
schedule "exam" { at = "09:00"  day-type = "exam"  message = "notice"  zones = { "hall" } }
""")
    assert d.ctl("schedule", "add", "notice", "hall", "--at", "2027-03-01T07:55").returncode == 0
    assert d.ctl("schedule", "move", "lesson", "--from", "2027-03-01T08:45",
                 "--to", "2027-03-01T08:30").returncode == 0
    assert d.ctl("schedule", "day-type", "exam", "2027-03-02").returncode == 0
    r = d.ctl("schedule", "add", "notice", "hall", "--at", "2027-03-28T02:30")
    assert r.returncode == 1 and "put forward" in r.stderr
    d.recorded("schedule.changed", lambda e: "exam" in e["text"])
    d.kill()
    d.start()
    # tocsind beside it reads the same, once what was kept is on the disk.
    plan = d.host.run([d.binary, "-c", d.path, "--dry-run", "2027-03-01"], cwd=d.dir).stdout
    assert "07:55  sounds  one-off: notice: a one-off bell by unix:root" in plan, plan
    assert "08:45  silent  lesson: bell: moved to 2027-03-01 08:30 by unix:root" in plan, plan
    clock.set("2027-03-01 06:54:59")
    hall.wait_bytes(NOTICE)
    # Put forward over 08:00 and the moved one, whose own time it is not any more.
    clock.set("2027-03-01 07:29:59")
    assert due(d, 2)[1].startswith("schedule lesson: 2027-03-01 08:30, moved here from")
    clock.set("2027-03-01 07:45:01")
    wait.until(lambda: [c["kind"] for c in d.api.get("/schedule-changes")] == ["day-type"],
               "the others to end by themselves")
    assert len(due(d, 2)) == 2
    verdicts = {(x["schedule"], x["verdict"])
                for x in d.api.get("/schedules/next?date=2027-03-02")}
    assert verdicts == {("lesson", "day-type"), ("exam", "rings")}
    clock.set("2027-03-02 07:59:59")
    due(d, 3)
    clock.set("2027-03-04 12:00:00")
    wait.until(lambda: d.api.get("/schedule-changes") == [], "all of it to end")


def test_quiet_hours(make, clock, hall):
    """Softer by night, an emergency as loud as ever; and both ways over the edge."""
    d = make("2027-03-01 12:00:00", more="""
zone "dorm" {
    multicast "239.192.7.9:5004" { codec = "pcmu"  interface = "eth0" }
    quiet = { "mon-fri 22:00-06:00 -12dB" }
}
""")

    def quiet():
        return d.api.get("/zones/dorm")["quiet"]
    assert quiet() is None
    clock.set("2027-03-01 20:59:59")
    wait.until(quiet, "the quiet hours")
    assert quiet() == {"window": "mon-fri 22:00-06:00", "volume_db": -12.0,
                       "until": "2027-03-02T05:00:00.000000Z"}
    clock.set("2027-03-01 20:00:00")
    wait.until(lambda: quiet() is None, "none before their time")
    clock.set("2027-03-02 02:00:00")
    wait.until(quiet, "the quiet hours again")
    clock.set("2027-03-02 04:59:59")
    wait.until(lambda: quiet() is None, "their end")
    texts = [e["text"] for e in d.api.journal(type="zone.quiet")]
    assert any("quiet hours of zone dorm: mon-fri 22:00-06:00 -12dB, until 2027-03-02 06:00" in t
               for t in texts), texts


def test_music_by_its_hours(make, clock, yard, tmp_path):
    """It begins and ends by the clock; what was stopped by hand stays so."""
    audio.write_wav(tmp_path / "low.wav", audio.tone(500, 30.0, 8000), 8000)
    d = make("2027-03-01 06:59:00", more="""
music "lobby" { file = "low.wav"  zones = { "yard" }  hours = { "mon-fri 08:00-18:00" } }
""")

    def state():
        return d.api.named("music", "lobby")["state"]
    assert state() == "stopped"
    clock.set("2027-03-01 06:59:59")
    wait.until(lambda: state() == "playing", "its begin")
    yard.wait_for(lambda p: len(p) > 25)
    assert d.ctl("music", "lobby", "stop").returncode == 0
    assert d.reload()["type"] == "config.loaded"
    clock.set("2027-03-01 12:00:00")
    wait.until(lambda: d.api.get("/status")["time"] > "2027-03-01T12:00:01", "the time")
    assert state() == "stopped"
    # A restart in the middle of them plays.
    d.kill()
    d.start()
    wait.until(lambda: state() == "playing", "it again")
    clock.set("2027-03-01 16:59:59")
    wait.until(lambda: state() == "stopped", "its end")


def test_a_suspended_daemon(make, clock, hall):
    """Stopped over two bells, as a box that sleeps: within grace, and beyond."""
    d = make("2027-03-01 06:59:50")
    d.proc.send_signal(signal.SIGSTOP)
    clock.set("2027-03-01 07:00:30")
    d.proc.send_signal(signal.SIGCONT)
    assert "late but within its grace" in due(d, 1)[0]
    hall.wait_bytes(BELL)
    d.proc.send_signal(signal.SIGSTOP)
    clock.set("2027-03-01 09:00:00")
    d.proc.send_signal(signal.SIGCONT)
    assert d.recorded("schedule.missed")[0]["data"]["count"] == 1
    assert len(due(d, 1)) == 1


def test_a_calendar_from_a_server_that_goes_away(make, clock, site, tmp_path, cleanup):
    # In the daemon's own namespace, on loopback.
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "c.ics").write_text(
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\n"
        "DTSTART;VALUE=DATE:20270302\nSUMMARY:Holiday\nEND:VEVENT\nEND:VCALENDAR\n")
    server = site["ctl"].popen(["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1",
                                "--directory", folder, "8099"])
    cleanup.callback(lambda: (server.kill(), server.wait()))
    more = 'calendar "net" { url = "http://127.0.0.1:8099/c.ics"  poll = "10s" }'
    d = make("2027-03-01 12:00:00", lesson='except = { "net" }', more=more)

    def verdicts():
        return {x["verdict"] for x in d.api.get("/schedules/next?date=2027-03-02")}
    # It may start after the daemon's first try, which is followed by another.
    wait.until(lambda: verdicts() == {"except"}, "the calendar", timeout=60)
    wait.until(lambda: "calendar:net" not in d.api.faults(), "the fault to go")
    server.kill()
    server.wait()
    wait.until(lambda: "calendar:net" in d.api.faults(), "the fault", timeout=60)
    assert verdicts() == {"except"}
    # Also after a restart: from the copy.
    d.stop()
    d.start()
    wait.until(lambda: verdicts() == {"except"}, "the copy")


def test_check_finds_what_is_not_meant(make, clock):
    d = make("2027-03-01 12:00:00")
    good = open(d.path).read()
    d.write(good + '''
schedule "other" { days = "mon-fri"  at = "08:00"  message = "long"  zones = { "all" } }
schedule "never" { at = "08:00"  dates = { "2020-01-01" }  message = "bell"  zones = { "hall" } }
''')
    out = d.host.run([d.binary, "-c", d.path, "--check"], cwd=d.dir)
    assert out.returncode == 0, out.stderr
    assert '"never" never sounds' in out.stderr
    assert "in zone" in out.stderr and "waits" in out.stderr
    d.write(good + '''
schedule "endless" { at = "08:00"  message = "evac"  zones = { "hall" } }
schedule "huge" { rrule = "FREQ=MINUTELY"  start = "2027-01-01 08:00"  message = "bell"
                  zones = { "hall" } }
calendar "gone" { ics = "gone.ics" }
''')
    out = d.host.run([d.binary, "-c", d.path, "--check"], cwd=d.dir)
    assert out.returncode == 1
    for part in ('repeats without end', 'HOURLY, DAILY'):
        assert part in out.stderr, out.stderr
    d.write(good + 'calendar "gone" { ics = "gone.ics" }\n')
    out = d.host.run([d.binary, "-c", d.path, "--check"], cwd=d.dir)
    assert out.returncode == 1 and "gone.ics: No such file" in out.stderr
    # Such a reload changes nothing.
    assert d.reload()["type"] == "config.refused"
    d.write(good)
    out = d.host.run([d.binary, "-c", d.path, "--dry-run", "2027-03-01"], cwd=d.dir)
    assert "2027-03-01 08:45  sounds  lesson: bell" in out.stdout
