#!/usr/bin/env python3
"""make bench: trigger latency, fan-out, codecs, many messages and loudspeakers
called, beside the bare sendmmsg loop.

Runs bench.py, then prints the figures and ratios of the design's table: each
against the reference measured in the same run. Repetitions in which the
machine itself stood still (more than three stalls over 5 ms) are left out
where enough others remain.
"""
import argparse
import glob
import json
import os
import platform
import statistics
import subprocess
import sys
import time

import tbench

HERE = os.path.dirname(os.path.abspath(__file__))


def run(*args):
    """One bench.py run; its rows."""
    before = set(glob.glob(os.path.join(tbench.RESULTS, '*.jsonl')))
    subprocess.run([sys.executable, os.path.join(HERE, 'bench.py'), *args],
                   check=True)
    rows = []
    for f in set(glob.glob(os.path.join(tbench.RESULTS, '*.jsonl'))) - before:
        with open(f) as h:
            rows += [json.loads(line) for line in h]
    for r in rows:
        if 'error' in r:
            sys.exit('bench: %s n=%s: %s' % (r['peer'], r['n'], r['error']))
    return rows


def median(rows, key, **want):
    """Median of a figure over the quiet repetitions of what is wanted."""
    rs = [r for r in rows if all(r.get(k) == v for k, v in want.items())
          and isinstance(r.get(key), (int, float))]
    quiet = [r for r in rs if (r.get('stalls5') or 0) <= 3]
    v = [r[key] for r in (quiet or rs)]
    return statistics.median(v) if v else None


def show(v, unit=''):
    return '-' if v is None else '%.3g%s' % (v, unit)


def fanout(args):
    rows = []
    for n in args.n.split(','):
        rows += run('fanout', '--peers', 'tocsin,tocsin-packet,rtpblast,rtpblast-rt', '-n',
                    n, '--reps', str(args.reps), '--seconds',
                    str(args.seconds))
    print('\n| zones | source | CPU ms per stream-second | x bare loop | '
          'pacing p99.9 ms | x bare real-time loop | first packets within ms |'
          ' sound skew ms | lost | RSS MB | threads |')
    print('|---|---|---|---|---|---|---|---|---|---|---|')
    for n in [int(x) for x in args.n.split(',')]:
        bare = median(rows, 'cpu_ms_per_stream_s', peer='rtpblast', n=n)
        rt = median(rows, 'dev999', peer='rtpblast-rt', n=n)
        for source, peer in (('file', 'tocsin'), ('call', 'tocsin'),
                             ('file', 'tocsin-packet'),
                             ('call', 'tocsin-packet')):
            w = dict(peer=peer, n=n, source=source)
            cpu, dev = (median(rows, k, **w) for k in
                        ('cpu_ms_per_stream_s', 'dev999'))
            print('| %d | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |' % (
                n, ('message' if source == 'file' else 'live call') +
                (', packet sockets' if peer != 'tocsin' else ''), show(cpu),
                show(cpu / bare if cpu and bare else None), show(dev),
                show(dev / rt if dev and rt else None),
                show(median(rows, 'start_skew', **w)),
                show(median(rows, 'skewmax', **w)),
                show(median(rows, 'lost', **w)),
                show(median(rows, 'rss_mb', **w)),
                show(median(rows, 'threads', **w))))


def codecs(args):
    """Zones of each codec, fed by a message and by a live G.711 call."""
    kinds = (('PCMU', 'tocsin'), ('G.722', 'tocsin-g722'),
             ('Opus', 'tocsin-opus'))
    rows = []
    for n in args.codecs.split(','):
        rows += run('fanout', '--peers', 'rtpblast,' +
                    ','.join(peer for _, peer in kinds), '-n', n, '--reps',
                    str(args.reps), '--seconds', str(args.seconds))
    print('\n| zones | codec | message: CPU ms per stream-second | '
          'x bare loop | live call: CPU ms per stream-second | x bare loop |'
          ' lost | RSS MB |')
    print('|---|---|---|---|---|---|---|---|')
    for n in [int(x) for x in args.codecs.split(',')]:
        bare = median(rows, 'cpu_ms_per_stream_s', peer='rtpblast', n=n)
        for name, peer in kinds:
            w = dict(peer=peer, n=n)
            cpu = [median(rows, 'cpu_ms_per_stream_s', source=s, **w)
                   for s in ('file', 'call')]
            print('| %d | %s | %s | %s | %s | %s | %s | %s |' % (
                n, name, *(show(v) for c in cpu for v in
                           (c, c / bare if c and bare else None)),
                *(show(median(rows, k, **w)) for k in ('lost', 'rss_mb'))))


def speakers(args):
    """SIP loudspeakers, all called for one message."""
    rows = run('speakers', '--peers', 'tocsin', '-n', args.speakers, '--reps',
               str(args.reps), '--seconds', str(args.seconds))
    print('\n| SIP loudspeakers | first INVITE ms | first sounding ms | '
          'last sounding ms | CPU ms per stream-second | lost | RSS MB | '
          'threads |')
    print('|---|---|---|---|---|---|---|---|')
    for n in [int(x) for x in args.speakers.split(',')]:
        print('| %d | %s |' % (n, ' | '.join(
            show(median(rows, k, n=n)) for k in
            ('first_invite_ms', 'first_ms', 'last_ms', 'cpu_ms_per_stream_s',
             'lost', 'rss_mb', 'threads'))))


def streams(args):
    """N different messages to N zones at once."""
    rows = []
    for n in args.streams.split(','):
        common = ['-n', n, '--reps', str(args.reps), '--seconds',
                  str(args.seconds)]
        rows += run('streams', '--peers', 'tocsin', *common)
        rows += run('fanout', '--peers', 'rtpblast', *common)
    print('\n| different messages, a zone each | CPU ms per stream-second | '
          'x bare loop | first packets within ms | lost | RSS MB |')
    print('|---|---|---|---|---|---|')
    for n in [int(x) for x in args.streams.split(',')]:
        bare = median(rows, 'cpu_ms_per_stream_s', peer='rtpblast', n=n)
        w = dict(peer='tocsin', n=n, source='files')
        cpu = median(rows, 'cpu_ms_per_stream_s', **w)
        print('| %d | %s | %s | %s | %s | %s |' % (
            n, show(cpu), show(cpu / bare if cpu and bare else None),
            *(show(median(rows, k, **w)) for k in
              ('start_skew', 'lost', 'rss_mb'))))


def trigger(args):
    rows = []
    for n in ('1', '50'):
        rows += run('trigger', '--peers', 'tocsin,tocsin-mqtt', '-n', n, '--reps',
                    str(args.reps), '--runs', str(args.runs), '--on', '.3',
                    '--off', '.9')
    print('\n| trigger | zones | first RTP ms: median, p99 | last zone ms: '
          'median, p99 | sound of the caller in the last zone, from his 200 OK'
          ' ms: median, p99 |')
    print('|---|---|---|---|---|')
    for n in (1, 50):
        for what, peer, kind in (('API request', 'tocsin', 'api'),
                                 ('INVITE', 'tocsin', 'sip'),
                                 ('MQTT message, by mosquitto', 'tocsin-mqtt',
                                  'api')):
            w = dict(peer=peer, n=n, kind=kind)
            print('| %s | %d | %s, %s | %s, %s | %s |' % (
                what, n,
                *(show(median(rows, k, **w)) for k in
                  ('first50', 'first99', 'last50', 'last99')),
                '%s, %s' % tuple(show(median(rows, k, **w)) for k in
                                 ('relay50', 'relay99'))
                if kind == 'sip' else '-'))


CASES = (trigger, fanout, codecs, streams, speakers)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('-n', default='1,10,100,500')
    p.add_argument('--reps', type=int, default=3)
    p.add_argument('--seconds', type=float, default=8)
    p.add_argument('--runs', type=int, default=50)
    p.add_argument('--streams', default='1,10,100,250')
    p.add_argument('--codecs', default='100,500')
    p.add_argument('--speakers', default='10,200')
    p.add_argument('--only', choices=[c.__name__ for c in CASES])
    args = p.parse_args()
    os.makedirs(tbench.RESULTS, exist_ok=True)
    print('# %s, %d cores, Linux %s' % (time.strftime('%Y-%m-%d'),
                                        os.cpu_count(), platform.release()))
    for case in CASES:
        if args.only in (None, case.__name__):
            case(args)


if __name__ == '__main__':
    main()
