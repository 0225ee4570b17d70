#!/usr/bin/env python3
"""The one-way include check of DESIGN section 4.

controller/base <- gpio, zones, scheduler <- web <- controller. Siblings never
include one another. Prints every include against the arrow; exit 1 if any.
"""
import pathlib
import re
import sys

MAY = {
    'controller/base': set(),
    'gpio': {'controller/base'},
    'zones': {'controller/base'},
    'scheduler': {'controller/base'},
    'web': {'controller/base', 'gpio', 'zones', 'scheduler'},
    'controller': {'controller/base', 'gpio', 'zones', 'scheduler', 'web'},
}
SIP_HEADERS = re.compile(r'<(re|rem)(/|\.h|_)')
ROOT = pathlib.Path(__file__).resolve().parents[2]


def part(path):
    """The part a path relative to the root belongs to, None outside."""
    s = str(path)
    for p in ('controller/base', 'controller', 'gpio', 'zones', 'scheduler',
              'web'):
        if s.startswith(p + '/'):
            return p
    return None


def target(path, name):
    """The included file relative to the root, None for a system header."""
    for base in (path.parent, ROOT):
        f = (base / name).resolve()
        if f.is_file() and ROOT in f.parents:
            return f.relative_to(ROOT)
    return None


def main():
    bad = []
    for path in sorted(ROOT.rglob('*.[ch]')):
        rel = path.relative_to(ROOT)
        mine = part(rel)
        if mine is None:
            continue
        for n, line in enumerate(path.read_text().splitlines(), 1):
            m = re.match(r'\s*#\s*include\s*(["<])([^">]+)', line)
            if not m:
                continue
            if m[1] == '<':
                if SIP_HEADERS.match('<' + m[2]) and mine != 'controller/base':
                    bad.append(f'{rel}:{n}: <{m[2]}>: only controller/base/'
                               'compat.h includes libre')
                continue
            to = target(path, m[2])
            if to is None:
                bad.append(f'{rel}:{n}: "{m[2]}" is not in the tree')
                continue
            theirs = part(to)
            if theirs != mine and theirs not in MAY[mine]:
                bad.append(f'{rel}:{n}: {mine} may not include {to}')
            if (str(to).startswith('controller/sip/')
                    and not str(rel).startswith('controller/')):
                bad.append(f'{rel}:{n}: SIP is seen in controller/ only')
    print('\n'.join(bad) if bad else 'includes: all with the arrow')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
