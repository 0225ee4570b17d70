"""The expansion of schedules against python-dateutil and zoneinfo.

Random rules, windows of 1970 to 2100 and 20 zones with all sorts of clock
changes; what the C code (expand.c) finds must be what the two libraries say.

    make oracle                          a quick run with a fixed seed
    make oracle ORACLE_CASES=100000 ORACLE_SEED=$RANDOM
"""
import datetime as dt
import os
import random
import subprocess
import zoneinfo

from dateutil import rrule, tz as dateutil_tz

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(os.path.dirname(__file__),
                                                              "../../build")))
SEED = int(os.environ.get("ORACLE_SEED", "7"))
CASES = int(os.environ.get("ORACLE_CASES", "600"))

# Both hemispheres, half and quarter hours, half an hour of daylight saving,
# negative daylight saving, changes at midnight, a day left out, changes that
# follow the moon, and none.
ZONES = ["Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York",
         "America/Los_Angeles", "America/Sao_Paulo", "America/St_Johns", "America/Santiago",
         "America/Nuuk", "Australia/Lord_Howe", "Australia/Adelaide", "Pacific/Auckland",
         "Pacific/Chatham", "Pacific/Apia", "Asia/Kolkata", "Asia/Tehran", "Asia/Gaza",
         "Africa/Casablanca", "Africa/Cairo", "Europe/Moscow", "Asia/Beirut", "UTC"]
EPOCH = dt.datetime(1970, 1, 1)
UTC = dt.timezone.utc
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
SAID, MOVED, SKIPPED, AGAIN = range(4)


def seconds(naive):
    return int((naive - EPOCH).total_seconds())


def utc_of(local, zone, fold):
    return seconds((local.replace(tzinfo=zone, fold=fold) -
                    local.replace(tzinfo=zone, fold=fold).utcoffset()).replace(tzinfo=None))


def offset_at(utc, zone):
    at = (EPOCH + dt.timedelta(seconds=utc)).replace(tzinfo=UTC)
    return int(at.astimezone(zone).utcoffset().total_seconds())


def resolve(local, zone, gap, fold):
    """(at, how) of a naive local time."""
    aware = local.replace(tzinfo=zone)
    first, second = utc_of(local, zone, 0), utc_of(local, zone, 1)
    if not dateutil_tz.datetime_exists(aware):
        lo, hi = sorted((first, second))
        before = offset_at(lo, zone)
        while hi - lo > 0:
            mid = (lo + hi) // 2
            if offset_at(mid, zone) == before:
                lo = mid + 1
            else:
                hi = mid
        return [(lo, SKIPPED if gap else MOVED)]
    if first == second:
        return [(first, SAID)]
    lo, hi = sorted((first, second))
    return {0: [(lo, SAID)], 1: [(hi, AGAIN)], 2: [(lo, SAID), (hi, AGAIN)]}[fold]


class Case:
    def __init__(self, rnd):
        self.zone_name = rnd.choice(ZONES)
        self.zone = zoneinfo.ZoneInfo(self.zone_name)
        year = rnd.randint(1970, 2095)
        self.days, self.times, self.rule, self.start = 0, [], None, None
        if rnd.random() < 0.4:
            self.days = rnd.randint(1, 127)
            n = rnd.randint(1, 20)
            self.times = sorted(rnd.sample(range(0, 30 * 3600, 300), n))
            span = rnd.choice([1, 10, 400])
        else:
            self.rule, self.start = self.recurrence(rnd, year)
            span = rnd.choice([1, 40, 400, 1500]) if "HOURLY" not in self.rule else 30
        begin = dt.datetime(year, 1, 1) + dt.timedelta(
            days=rnd.randint(0, 365), seconds=rnd.randint(0, 86400))
        if rnd.random() < 0.5:
            begin = self.near_change(rnd, begin)
        if self.rule and rnd.random() < 0.3:
            begin = self.start + dt.timedelta(days=rnd.randint(-3, 30))
        self.t1 = seconds(begin)
        self.t2 = self.t1 + span * 86400
        self.gap, self.fold = rnd.randint(0, 1), rnd.randint(0, 2)
        self.ranges = []
        if rnd.random() < 0.3:
            for _ in range(rnd.randint(1, 3)):
                a = self.t1 // 86400 + rnd.randint(-5, span)
                self.ranges.append((a, a + rnd.randint(0, 30)))
        local = [self.t1 + rnd.randint(0, span * 86400) for _ in range(3)]
        self.extra = local if rnd.random() < 0.2 else []
        self.off = []

    def near_change(self, rnd, begin):
        """The last days before the zone's offset changes."""
        at = seconds(begin)
        offset = offset_at(at, self.zone)
        for _ in range(400):
            at += 86400
            if offset_at(at, self.zone) != offset:
                return EPOCH + dt.timedelta(seconds=at - 86400 * rnd.choice([1, 1, 2]))
        return begin

    @staticmethod
    def recurrence(rnd, year):
        freq = rnd.choice(["HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
        parts = {"FREQ": freq}
        if rnd.random() < 0.4:
            parts["INTERVAL"] = rnd.randint(1, 5)

        def some(values, most=3):
            return ",".join(map(str, sorted(rnd.sample(values, rnd.randint(1, most)))))
        if rnd.random() < 0.4 and freq != "HOURLY":
            parts["BYMONTH"] = some(range(1, 13))
        kind = rnd.choice(["", "day", "monthday", "nth", "setpos", "yearday"])
        if kind == "day":
            parts["BYDAY"] = some(DAYS)
        elif kind == "monthday" and freq in ("DAILY", "MONTHLY", "YEARLY"):
            parts["BYMONTHDAY"] = some([1, 2, 13, 15, 28, 29, 30, 31] +
                                       ([] if freq == "DAILY" else [-1, -2, -29, -31]))
            if rnd.random() < 0.3:
                parts["BYDAY"] = some(DAYS)
        elif kind == "nth" and freq in ("MONTHLY", "YEARLY"):
            parts["BYDAY"] = ",".join(f"{rnd.choice([1, 2, 3, 4, 5, -1, -2])}{d}"
                                      for d in rnd.sample(DAYS, rnd.randint(1, 2)))
            if freq == "YEARLY" and "BYMONTH" not in parts:
                parts["BYMONTH"] = some(range(1, 13))
        elif kind == "setpos" and freq == "MONTHLY":
            parts["BYDAY"] = some(DAYS, 5)
            parts["BYSETPOS"] = rnd.choice([1, 2, -1, -2, 4, "1,-1"])
        elif kind == "yearday" and freq == "YEARLY":
            parts.pop("BYMONTH", None)
            parts["BYYEARDAY"] = some([1, 59, 60, 100, 365, 366, -1, -366])
        if rnd.random() < 0.3 and freq != "HOURLY":
            parts["BYHOUR"] = some(range(24))
        if rnd.random() < 0.2:
            parts["BYMINUTE"] = some(range(60))
        if "BYSETPOS" in parts:
            parts.pop("BYHOUR", None)
            parts.pop("BYMINUTE", None)
        if rnd.random() < 0.15:
            parts["COUNT"] = rnd.randint(1, 60)
        elif rnd.random() < 0.2:
            until = dt.datetime(year + 1, rnd.randint(1, 12), rnd.randint(1, 28), 12)
            parts["UNTIL"] = until.strftime("%Y%m%dT%H%M%S")
        start = dt.datetime(year - rnd.randint(0, 3), rnd.randint(1, 12), rnd.randint(1, 28),
                            rnd.randint(0, 23), rnd.choice([0, 15, 30, 45]))
        if year == 1970:
            start = start.replace(year=1970)
        return ";".join(f"{k}={v}" for k, v in parts.items()), start

    def line(self):
        def csv(v):
            return ",".join(map(str, v)) or "-"
        return "\t".join(map(str, [
            f"/usr/share/zoneinfo/{self.zone_name}", self.t1, self.t2, self.days,
            csv(self.times), self.rule or "-",
            seconds(self.start) if self.start else 0,
            csv(x for r in self.ranges for x in r), self.gap, self.fold, csv(self.extra),
            csv(self.off)]))

    def locals(self):
        """Naive local times of the rule around the window, by dateutil."""
        lo = EPOCH + dt.timedelta(seconds=self.t1 - 3 * 86400)
        hi = EPOCH + dt.timedelta(seconds=self.t2 + 3 * 86400)
        if self.rule:
            yield from ((x, x) for x in
                        rrule.rrulestr(self.rule, dtstart=self.start).xafter(lo, inc=True)
                        if x <= hi) if "COUNT" in self.rule else (
                (x, x) for x in rrule.rrulestr(self.rule, dtstart=self.start).between(
                    lo, hi, inc=True))
        if self.times:
            week = [DAYS[i] for i in range(7) if self.days >> i & 1]
            text = "FREQ=WEEKLY;BYDAY=" + ",".join(week)
            start = (lo - dt.timedelta(days=9)).replace(hour=0, minute=0, second=0)
            for day in rrule.rrulestr(text, dtstart=start).between(start, hi, inc=True):
                for t in self.times:
                    yield day, day + dt.timedelta(seconds=t)

    def expected(self):
        found = {}

        def add(day, local):
            n = (day - EPOCH).days
            if self.ranges and not any(a <= n <= b for a, b in self.ranges):
                return
            for at, how in resolve(local, self.zone, self.gap, self.fold):
                if self.t1 < at <= self.t2:
                    found.setdefault(at, []).append((how, seconds(local)))
        for day, local in self.locals():
            add(day, local)
        for t in self.extra:
            local = EPOCH + dt.timedelta(seconds=t)
            add(local, local)
        out = []
        for at in sorted(found):
            hows = sorted(set(found[at]))
            if hows[0][0] == SKIPPED:
                out += [(at, local, how) for how, local in hows if how == SKIPPED]
            else:
                out.append((at, hows[0][1], hows[0][0]))
        return out


def run(cases):
    p = subprocess.run([os.path.join(BUILD, "tests/oracle/expand")],
                       input="\n".join(c.line() for c in cases) + "\n",
                       capture_output=True, text=True, timeout=600, check=True)
    return p.stdout.splitlines()


def test_expansion_is_what_dateutil_and_zoneinfo_say():
    rnd = random.Random(SEED)
    cases = [Case(rnd) for _ in range(CASES)]
    answers = run(cases)
    assert len(answers) == len(cases)
    occurrences = bent = never = 0
    for case, answer in zip(cases, answers):
        if "never happens" in answer:
            # dateutil looks until the year 9999, and finds nothing.
            assert next(iter(rrule.rrulestr(case.rule, dtstart=case.start)), None) is None, answer
            never += 1
            continue
        assert not answer.startswith("!"), f"{answer}\n{case.line()}"
        got = [tuple(map(int, x.split(":"))) for x in answer.split()]
        want = case.expected()
        assert got == want, (f"\n{case.line()}\n{case.start} missing "
                             f"{sorted(set(want) - set(got))[:5]} wrong "
                             f"{sorted(set(got) - set(want))[:5]}")
        occurrences += len(got)
        bent += sum(x[2] != SAID for x in got)
    # A run that compared nothing would say nothing.
    assert occurrences > 10 * CASES and bent > CASES / 50 and never < CASES / 20, (occurrences, bent)
    print(f"{CASES} cases, {occurrences} occurrences, {bent} at a clock change")
