"""A Polycom phone's page, to the byte (Engineering Advisory 70568)."""
import socket
import struct
import threading
import time

GROUP = ("224.0.1.116", 5001)
ALERT, TRANSMIT, END = 0x0F, 0x10, 0xFF
PCMU, G722, G726 = 0x00, 0x09, 0xFD


def header(op, channel, serial, caller=b"Melody Meserv"):
    return struct.pack("!BBIB13s", op, channel, serial, 13, caller)


def transmit(channel, serial, ts, sound, codec=PCMU, caller=b"Melody Meserv"):
    return header(TRANSMIT, channel, serial, caller) + struct.pack("!BBI", codec, 0, ts) + sound


class Phone:
    """Pages a group: 31 alerts 30 ms apart, sound from 0.969 s on with the
    frame before in each packet, 50 ms of pause, 12 ends.

    lose(i) says which packets of sound never leave; `alerts` and `ends` how
    many of those do.
    """

    def __init__(self, sock, data, channel=27, serial=0xF2111511, frame=160, codec=PCMU,
                 alerts=31, ends=12, redundant=True, lose=lambda i: False, ts=0x6FCA7BF5,
                 pace=0.03):
        self.sock, self.data, self.channel, self.serial = sock, data, channel, serial
        self.frame, self.codec, self.alerts, self.ends = frame, codec, alerts, ends
        self.redundant, self.lose, self.ts, self.pace = redundant, lose, ts, pace
        self.stalls = []
        self.sent = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def _until(self, due):
        self._stop.wait(max(0, due - time.monotonic()))
        late = time.monotonic() - due
        if late > 0.006:
            self.stalls.append(late)

    def _put(self, packet):
        try:
            self.sock.sendto(packet, GROUP)
        except OSError:
            pass

    def _run(self):
        begun = time.monotonic()
        for i in range(self.alerts):
            self._until(begun + i * self.pace)
            self._put(header(ALERT, self.channel, self.serial))
        due = begun + (0.969 if self.alerts else 0)
        n = self.frame
        frames = [self.data[i:i + n] for i in range(0, len(self.data) - n + 1, n)]
        for i, f in enumerate(frames):
            if self._stop.is_set():
                break
            self._until(due)
            due += n / 8000
            sound = (frames[i - 1] if i and self.redundant else b"") + f
            if not self.lose(i):
                self._put(transmit(self.channel, self.serial,
                                   (self.ts + i * n) & 0xFFFFFFFF, sound, self.codec))
            self.sent = i + 1
        due += 0.05
        for i in range(self.ends):
            self._until(due + i * self.pace)
            self._put(header(END, self.channel, self.serial))

    def join(self):
        self._thread.join(60)
        assert not self._thread.is_alive()

    def stop(self):
        self._stop.set()
        if self._thread.ident:
            self._thread.join()


def socket_of(host, mreqn):
    """Sends from port 5001 too, as phones do."""
    s = host.udp(5001)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, mreqn(host.ifindex))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 64)
    return s
