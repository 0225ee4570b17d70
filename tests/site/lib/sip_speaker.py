"""A SIP loudspeaker: answers calls by itself, and records their sound."""
import hashlib
import random
import re
import threading

from . import wait
from .rtp import Listener
from .sip import Message, sdp


class Speaker:
    """One SIP address. `status`: what it says to a new call; 0 = nothing at all, as if off."""

    def __init__(self, host, port=5060, pts=(0,), delay=0.0, status=200, user=None,
                 password=None, direction="recvonly", names=None):
        """names: the address in its SDP, when it is not its own."""
        self.host, self.port, self.pts = host, port, pts
        self.names = names or host.ip
        self.delay, self.status = delay, status
        self.login, self.direction = (user, password), direction
        self.uri = f"sip:horn@{host.ip}:{port}"
        self.sock = host.udp(port)
        self.sock.settimeout(0.2)
        self.rtp = Listener(host.udp())
        self.requests = []
        self.dialogs = {}  # Call-ID: the INVITE and our tag
        self.cseq = 6
        self._stop = False
        self._lock = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop:
            try:
                data, src = self.sock.recvfrom(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            if b"SIP/2.0" not in data:
                continue
            m = Message(data, src)
            with self._lock:
                self.requests.append(m)
                self._lock.notify_all()
            if not m.is_answer and self.status:
                self._serve(m)

    def _serve(self, m):
        known = m.get("call-id") in self.dialogs
        if m.method == "OPTIONS":
            self.reply(m, 200, "OK")
        elif m.method == "INVITE" and (known or "tag=" not in m.get("to")):
            if not self._authorized(m):
                self.reply(m, 401, "Unauthorized",
                           'WWW-Authenticate: Digest realm="horn", nonce="abc"\r\n')
            elif self.status != 200:
                self.reply(m, self.status, "Not Now")
            else:
                self.dialogs.setdefault(m.get("call-id"), m)
                self.reply(m, 180, "Ringing")
                timer = threading.Timer(self.delay, self.pick_up, (m,))
                timer.daemon = True
                timer.start()
        elif m.method in ("INVITE", "BYE") and not known:
            self.reply(m, 481, "Call/Transaction Does Not Exist")
        elif m.method == "BYE":
            del self.dialogs[m.get("call-id")]
            self.reply(m, 200, "OK")
        elif m.method == "CANCEL":
            self.reply(m, 200, "OK")
            invite = self.dialogs.pop(m.get("call-id"), None)
            if invite:
                self.reply(invite, 487, "Request Terminated")

    def _authorized(self, m):
        user, password = self.login
        if not user:
            return True
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', m.get("authorization", "")))

        def md5(text):
            return hashlib.md5(text.encode()).hexdigest()
        return given.get("response") == md5(
            f"{md5(f'{user}:horn:{password}')}:abc:{md5('INVITE:' + given.get('uri', ''))}")

    def pick_up(self, m):
        if m.get("call-id") in self.dialogs:
            port = self.rtp.sock.getsockname()[1]
            self.reply(m, 200, "OK",
                       f"Contact: <{self.uri}>\r\nContent-Type: application/sdp\r\n",
                       sdp(self.names, port, self.pts, self.direction))

    def reply(self, m, status, phrase, more="", body=""):
        lines = [f"SIP/2.0 {status} {phrase}"]
        for name in ("via", "from", "call-id", "cseq"):
            lines += [f"{name}: {v}" for v in m.all(name)]
        to = m.get("to")
        lines.append(f"to: {to}" + ("" if "tag=" in to else ";tag=horn"))
        text = "\r\n".join(lines) + f"\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}"
        self.sock.sendto(text.encode(), m.src)

    def expect(self, method, n=1, timeout=wait.PATIENCE):
        """The n-th request of a method that began a transaction."""
        def found():
            seen = {m.get("via"): m for m in list(self.requests) if m.method == method
                    and not m.is_answer}
            return list(seen.values())[n - 1] if len(seen) >= n else None
        return wait.until(found, f"{n} times {method}, got "
                          f"{[m.first for m in self.requests]}", timeout)

    def hang_up(self):
        """BYE from our side, in the call that is up: the oldest, as the next may ring."""
        call_id, m = next(iter(self.dialogs.items()))
        del self.dialogs[call_id]
        self.tell(call_id, m, "BYE")

    def tell(self, call_id, m, method, more="", body=""):
        """A request of ours in the dialog that the INVITE m began."""
        target = re.search(r"<([^>]*)>", m.get("contact")).group(1)
        self.cseq += 1
        self.sock.sendto(
            (f"{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {self.host.ip}:{self.port};"
             f"branch=z9hG4bK{random.getrandbits(40):x}\r\nMax-Forwards: 70\r\n"
             f"From: {m.get('to')};tag=horn\r\nTo: {m.get('from')}\r\nCall-ID: {call_id}\r\n"
             f"CSeq: {self.cseq} {method}\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}"
             ).encode(), m.src)

    def close(self):
        self._stop = True
        self._thread.join()
        self.sock.close()
        self.rtp.close()
