#!/usr/bin/env python3
"""make demo: the main job, visibly, on loopback.

Starts the controller on 127.0.0.1, listens to three zones, presses a panic
button, pages by SIP, lets the alarm preempt the page and come back, and prints
what was measured at each step. Only Python's own library is used; nothing
leaves the loopback interface.
"""
import contextlib
import http.client
import json
import math
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get('BUILD', os.path.join(ROOT, 'build'))
ZONES = [('platform-1', '239.192.7.1'), ('platform-2', '239.192.7.2'),
         ('concourse', '239.192.7.3')]
PORT = 5004
SIP = ('127.0.0.1', 5070)
SO_TIMESTAMPNS = 35
TTY = sys.stdout.isatty()


def bold(text):
    return '\033[1m%s\033[0m' % text if TTY else text


def say(text=''):
    print(text, flush=True)


def step(text):
    say('\n' + bold(text))


def fail(text):
    raise SystemExit('demo failed: ' + text)


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_REALTIME)


def ms(ns):
    return '%.2f ms' % (ns / 1e6)


def wait(what, cond, seconds=10.0):
    """Polls until cond() gives something true; the demo fails after that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        v = cond()
        if v:
            return v
        time.sleep(.002)
    fail('%s did not happen within %g s' % (what, seconds))


class Zone(threading.Thread):
    """A loudspeaker: joins the zone's group on loopback and keeps what comes,
    with the kernel's receive times."""

    def __init__(self, name, group):
        super().__init__(daemon=True)
        self.name_, self.group, self.packets = name, group, []
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.s.bind((group, PORT))
        lo = socket.if_nametoindex('lo')
        self.s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                          struct.pack('=4s4si', socket.inet_aton(group),
                                      socket.inet_aton('127.0.0.1'), lo))
        self.start()

    def run(self):
        while True:
            data, anc, _, _ = self.s.recvmsg(2048, 64)
            if len(data) < 12:
                continue
            sec, nsec = struct.unpack('=qq', anc[0][2][:16])
            first, second, seq, ts, ssrc = struct.unpack('!BBHII', data[:12])
            self.packets.append((sec * 10**9 + nsec, seq, ts, ssrc,
                                 second >> 7, data[12:]))

    def after(self, t, pred=lambda p: True):
        """First packet received at or after t that satisfies pred."""
        for p in list(self.packets):
            if p[0] >= t and pred(p):
                return p
        return None


class Api(http.client.HTTPConnection):
    """The HTTP API on its Unix socket."""

    def __init__(self, path):
        super().__init__('localhost', timeout=5)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def call(self, method, path, body=None):
        self.request(method, '/api/v1' + path,
                     json.dumps(body) if body is not None else None,
                     {'Content-Type': 'application/json'})
        r = self.getresponse()
        data = r.read()
        if r.status >= 300:
            fail('%s %s: %d %s' % (method, path, r.status, data.decode()))
        return json.loads(data) if data else None


def linear_to_ulaw(x):
    sign, e = (0x80, 7) if x < 0 else (0, 7)
    x = min(abs(x), 32635) + 0x84
    while e and not x & (0x80 << e):
        e -= 1
    return ~(sign | e << 4 | (x >> (e + 3) & 15)) & 0xff


class Phone(threading.Thread):
    """A SIP phone that pages: one INVITE, G.711 mu-law, BYE."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.sip.bind(('127.0.0.1', 0))
        self.sip.settimeout(3)
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind(('127.0.0.1', 0))
        self.id = '%08x' % random.getrandbits(32)
        self.talking, self.up = False, True
        self.cseq = 1
        self.to = ''
        self.sent, self.heard = [], []
        # A voice of sorts: every frame different, so that it is recognised.
        self.frames = [bytes(linear_to_ulaw(int(
            9000 * math.sin(2 * math.pi * (300 + 7 * k) * i / 8000)))
            for i in range(160)) for k in range(100)]

    def _send(self, method, extra='', body='', branch=None):
        host, port = self.sip.getsockname()
        uri = 'sip:700@%s:%d' % SIP
        text = ('%s %s SIP/2.0\r\n'
                'Via: SIP/2.0/UDP %s:%d;branch=z9hG4bK%s;rport\r\n'
                'Max-Forwards: 70\r\n'
                'From: "Demo" <sip:demo@%s>;tag=%s\r\n'
                'To: <sip:700@%s>%s\r\n'
                'Call-ID: %s\r\nCSeq: %d %s\r\n'
                'Contact: <sip:demo@%s:%d>\r\n%sContent-Length: %d\r\n\r\n%s'
                % (method, uri, host, port,
                   branch or '%016x' % random.getrandbits(64), host, self.id,
                   SIP[0], self.to, self.id, self.cseq,
                   method, host, port, extra, len(body), body))
        self.sip.sendto(text.encode(), SIP)

    def _answer(self):
        while True:
            data, anc, _, _ = self.sip.recvmsg(4096, 64)
            sec, nsec = struct.unpack('=qq', anc[0][2][:16])
            text = data.decode()
            if text.startswith('SIP/2.0 1'):
                continue
            return sec * 10**9 + nsec, text

    def invite(self):
        """Returns (when the INVITE left, when the 200 came)."""
        host, port = self.rtp.getsockname()
        body = ('v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n'
                'm=audio %d RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n'
                'a=ptime:20\r\na=sendrecv\r\n' % (host, host, port))
        t = now_ns()
        self._send('INVITE', 'Content-Type: application/sdp\r\n', body)
        t2, text = self._answer()
        if not text.startswith('SIP/2.0 200'):
            fail('the page was refused: ' + text.splitlines()[0])
        for line in text.splitlines():
            if line.lower().startswith('to:'):
                self.to = ';tag=' + line.split('tag=')[1].split(';')[0]
            elif line.startswith('m=audio'):
                self.peer = (SIP[0], int(line.split()[1]))
        self._send('ACK')
        self.start()
        return t, t2

    def run(self):
        """Talks while self.talking, on absolute deadlines."""
        threading.Thread(target=self._listen, daemon=True).start()
        seq, due, k = random.getrandbits(15), time.monotonic(), 0
        while self.up:
            if self.talking:
                frame = self.frames[k % 100]
                head = struct.pack('!BBHII', 0x80, 0, seq & 0xffff, k * 160,
                                   0x7e57ca11)
                self.sent.append((now_ns(), frame))
                self.rtp.sendto(head + frame, self.peer)
                seq += 1
                k += 1
            due += .02
            time.sleep(max(0, due - time.monotonic()))

    def _listen(self):
        while self.up:
            data = self.rtp.recv(2048)
            self.heard.append((now_ns(), data[12:]))

    def bye(self):
        self.up = False
        self.cseq += 1
        self._send('BYE')
        self._answer()


def loud(p):
    """Does a mu-law packet carry sound?"""
    return any(b & 0x7f < 0x60 for b in p[5])


def starts(zones, t, pred=loud):
    """Nanoseconds from t to the first packet of each zone."""
    wait('sound in every zone', lambda: all(z.after(t, pred) for z in zones))
    return [z.after(t, pred)[0] - t for z in zones]


def report(zones, delays):
    for z, d in zip(zones, delays):
        say('    %-12s %s:%d   first RTP after %s' % (z.name_, z.group, PORT,
                                                     bold(ms(d))))


def quiet(zones, seconds=.6):
    """Waits until no zone has had a packet for a moment."""
    wait('silence', lambda: all(
        not z.packets or now_ns() - z.packets[-1][0] > seconds * 1e9
        for z in zones))


def panic(api, zones):
    step('1. Somebody presses the panic button (virtual input).')
    first = ['any packet', lambda p: True]
    t = now_ns()
    api.call('POST', '/inputs/panic-button', {'active': True})
    answered = now_ns() - t
    report(zones, starts(zones, t, first[1]))
    say('    the API answered after %s; an eye blinks in 100 to 400 ms.'
        % ms(answered))
    starts(zones, t)
    ref = [p[5] for p in zones[0].packets if p[0] >= t][:50]
    same = sum(1 for z in zones[1:]
               if [p[5] for p in z.packets if p[0] >= t][:50] == ref)
    say('    the evacuation announcement is the same, packet for packet, in '
        '%d of %d zones.' % (same + 1, len(zones)))
    a = api.call('GET', '/alarms/panic')
    say('    alarm "panic" is %s, latched until somebody resets it.'
        % a['state'])
    return t


def release(api, zones):
    step('2. The button is released; the alarm holds until it is reset.')
    api.call('POST', '/inputs/panic-button', {'active': False})
    a = api.call('GET', '/alarms/panic')
    say('    alarm "panic" is %s; it still sounds.' % a['state'])
    t = now_ns()
    api.call('POST', '/alarms/panic/reset')
    quiet(zones)
    last = max(p[0] for z in zones for p in z.packets)
    say('    reset: the last packet (with its tail of silence) left %s later.'
        % ms(max(0, last - t)))


def live_page(zones):
    step('3. A phone dials 700 and speaks to all zones.')
    phone = Phone()
    t, answered = phone.invite()
    say('    INVITE -> 200 OK after %s' % bold(ms(answered - t)))
    report(zones, starts(zones, t, lambda p: True))
    phone.talking = True
    wait('the caller in the zone', lambda: any(
        p[5] == phone.frames[0] for p in zones[0].packets))
    wait('a second of speech', lambda: len(phone.sent) >= 50)
    exact, delay = 0, []
    got = {p[5]: p[0] for p in list(zones[0].packets)}
    for at, frame in phone.sent[:40]:
        if frame in got:
            exact += 1
            delay.append(got[frame] - at)
    say('    %d of 40 packets arrive bit for bit as they were spoken, %s '
        'after the caller sent them (median).'
        % (exact, bold(ms(sorted(delay)[len(delay) // 2] if delay else 0))))
    return phone


def preempt(api, zones, phone):
    step('4. The panic button again, in the middle of the page.')
    ssrc = zones[0].packets[-1][3]
    mark = len(zones[0].packets)
    t = now_ns()
    api.call('POST', '/inputs/panic-button', {'active': True})
    spoken = set(phone.frames)
    report(zones, starts(zones, t, lambda p: p[5] not in spoken))
    wait('the alarm', lambda: len(zones[0].packets) > mark + 20)
    tail = [p for p in list(zones[0].packets) if p[0] >= t]
    first = next(i for i, p in enumerate(tail) if p[5] not in spoken)
    mixed = sum(1 for p in tail[first:] if p[5] in spoken)
    say('    one stream goes on: same SSRC %s, marker on the switch: %s, '
        'packets of the page after it: %d' %
        ('yes' if tail[first][3] == ssrc else 'NO',
         'yes' if tail[first][4] else 'NO', mixed))
    calls = api.call('GET', '/calls')
    say('    the caller hears why and waits: call is %s.'
        % (calls[0]['state'] if calls else 'gone'))
    time.sleep(1.5)

    step('5. The alarm is reset: the page comes back by itself.')
    api.call('POST', '/inputs/panic-button', {'active': False})
    t = now_ns()
    api.call('POST', '/alarms/panic/reset')
    back = starts(zones, t, lambda p: p[5] in spoken)
    say('    the caller is heard again in every zone after %s.'
        % bold(ms(max(back))))
    phone.bye()
    quiet(zones)
    say('    he hangs up; the zones are quiet.')


def journal(ctl):
    step('6. And the journal knows why (tocsinctl journal):')
    out = subprocess.run(ctl + ['journal', '--limit', '12'], text=True,
                         stdout=subprocess.PIPE).stdout
    for line in out.splitlines():
        say('    ' + line[:150])


@contextlib.contextmanager
def daemon(work):
    """tocsind on the demo configuration, in a directory of its own."""
    for name in os.listdir(os.path.join(ROOT, 'etc', 'demo')):
        shutil.copy(os.path.join(ROOT, 'etc', 'demo', name), work)
    conf, sock = (os.path.join(work, n) for n in ('demo.conf', 'tocsin.sock'))
    with open(os.path.join(work, 'log'), 'w') as log:
        p = subprocess.Popen([os.path.join(BUILD, 'tocsind'), '-f', '-c',
                              conf], stdout=log, stderr=log)
        try:
            t = time.monotonic()
            while not os.path.exists(sock):
                if p.poll() is not None or time.monotonic() - t > 10:
                    with open(os.path.join(work, 'log')) as f:
                        fail('tocsind did not start:\n' + f.read())
                time.sleep(.005)
            say('tocsind is ready %.0f ms after its start.'
                % ((time.monotonic() - t) * 1000))
            yield sock
            if p.poll() is not None:
                fail('tocsind ended, exit %d' % p.returncode)
        finally:
            p.terminate()
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()


def stay(work, ctl):
    step('The controller stays up for trying; Ctrl-C ends it.')
    c = ' '.join(ctl)
    for line in ('status', 'zones', 'input panic-button on', 'alarms',
                 'page concourse --message chime', 'reset panic', 'watch'):
        say('    %s %s' % (c, line))
    say('    configuration and log: %s' % work)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        say()


def main():
    work = tempfile.mkdtemp(prefix='tocsin-demo-')
    try:
        say(bold('Tocsin: from a panic button to sound on the wire'))
        with daemon(work) as sock:
            ctl = [os.path.join(BUILD, 'tocsinctl'), '-s', sock]
            api = Api(sock)
            api.call('GET', '/status')
            zones = [Zone(n, g) for n, g in ZONES]
            panic(api, zones)
            release(api, zones)
            phone = live_page(zones)
            preempt(api, zones, phone)
            journal(ctl)
            if TTY:
                stay(work, ctl)
        say('\n' + bold('Done.'))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == '__main__':
    main()
