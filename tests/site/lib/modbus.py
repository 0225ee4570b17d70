"""Modbus peers: pymodbus over TCP and RTU, a pair of ptys, and one that lies."""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading

from . import wait

PEER = os.path.join(os.path.dirname(__file__), "modbus_peer.py")


class Server:
    """pymodbus in a namespace; what it holds is set from the test."""

    def __init__(self, host, *argv, log):
        self.host, self.argv, self.log_path = host, argv, log
        self.lock = threading.Lock()
        self.proc = None
        self.start()

    def start(self):
        with open(self.log_path, "ab") as log:
            self.proc = self.host.popen([sys.executable, PEER, *self.argv], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=log)
        assert self.proc.stdout.readline() == b"ready\n", "pymodbus does not run"
        return self

    def _call(self, verb, *args):
        with self.lock:
            self.proc.stdin.write(json.dumps({verb: args}).encode() + b"\n")
            self.proc.stdin.flush()
            return json.loads(self.proc.stdout.readline())

    def set(self, unit, table, address, *values):
        self._call("set", unit, table, address, values)

    def get(self, unit, table, address, count=1):
        got = self._call("get", unit, table, address, count)
        return got[0] if count == 1 else got

    def freeze(self):
        """It holds its connections and says nothing."""
        self.proc.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.proc.send_signal(signal.SIGCONT)

    def stop(self):
        if self.proc:
            self.proc.kill()
            self.proc.wait()
            self.proc.stdin.close()
            self.proc.stdout.close()
            self.proc = None

    close = stop


def tcp(host, folder, units="1", port=502):
    s = Server(host, "tcp", host.ip, port, units, log=folder / "modbus.log")

    def up():
        c = host.socket(kind=socket.SOCK_STREAM)
        try:
            c.connect((host.ip, port))
            return True
        except OSError:
            return False
        finally:
            c.close()
    wait.until(up, "pymodbus to listen")
    return s


class Line:
    """A serial line: two ptys joined by socat. unplug() and plug()."""

    def __init__(self, folder):
        self.a, self.b = str(folder / "line-a"), str(folder / "line-b")
        self.proc = None
        self.plug()

    def plug(self):
        self.proc = subprocess.Popen(["socat", f"pty,raw,echo=0,link={self.a}",
                                      f"pty,raw,echo=0,link={self.b}"])
        wait.until(lambda: os.path.exists(self.a) and os.path.exists(self.b), "socat's ptys")

    def unplug(self):
        if self.proc:
            self.proc.terminate()
            self.proc.wait()
            self.proc = None

    close = unplug


class Liar:
    """A server of our own whose answers the test makes: answer(frame) -> bytes,
    None = silence. Frames are whole, with their header."""

    def __init__(self, host, port=502):
        self.sock = host.socket(kind=socket.SOCK_STREAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host.ip, port))
        self.sock.listen(5)
        self.answer = lambda frame: None
        self.asked = []  # (unit, function, address, count)
        self._conns = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            self._conns.append(c)
            threading.Thread(target=self._serve, args=(c,), daemon=True).start()

    def _serve(self, c):
        try:
            while True:
                frame = c.recv(12, socket.MSG_WAITALL)
                if len(frame) < 12:
                    return
                self.asked.append(struct.unpack("!6xBBHH", frame))
                got = self.answer(frame)
                if got is not None:
                    c.sendall(got)
        except OSError:
            pass

    def close(self):
        for s in [self.sock] + self._conns:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


def reply(frame, pdu, unit=None, late=False):
    """An answer to a frame, right but for what is given."""
    t = frame[:2]
    if late:
        t = struct.pack("!H", struct.unpack("!H", t)[0] - 1 & 0xFFFF)
    return t + struct.pack("!HHB", 0, len(pdu) + 1, frame[6] if unit is None else unit) + pdu
