"""A small SIP user agent: raw messages over UDP, for what sipp is clumsy with."""
import contextlib
import random
import re
import threading
import time

from . import wait
from .rtp import Listener, Sender, build


class Message:
    def __init__(self, data, src=None):
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode(errors="replace").split("\r\n")
        self.first, self.src = lines[0], src
        self.headers = []
        for line in lines[1:]:
            k, _, v = line.partition(":")
            self.headers.append((k.strip().lower(), v.strip()))
        self.is_answer = self.first.startswith("SIP/2.0 ")
        self.status = int(self.first.split()[1]) if self.is_answer else 0
        self.method = self.get("cseq", "0 ?").split()[-1] if self.is_answer \
            else self.first.split()[0]

    def get(self, name, default=None):
        for k, v in self.headers:
            if k == name:
                return v
        return default

    def all(self, name):
        return [v for k, v in self.headers if k == name]


def sdp(ip, port, pts=(0, 8), direction="sendrecv", version=1, extra=""):
    names = {0: "PCMU", 8: "PCMA", 9: "G722", 18: "G729", 101: "telephone-event"}
    rtpmap = "".join(f"a=rtpmap:{p} {names[p]}/8000\r\n" for p in pts)
    return (f"v=0\r\no=- 1 {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP {' '.join(map(str, pts))}\r\n{rtpmap}"
            f"a=ptime:20\r\n{extra}a={direction}\r\n")


class Agent:
    """One SIP address; may hold several calls."""

    def __init__(self, host, server, user="caller", port=5060):
        self.host, self.server, self.user = host, server, user
        self.port = port
        self.sock = host.udp(port)
        self.sock.settimeout(0.2)
        self.inbox = []
        self._lock = threading.Condition()
        self._stop = False
        self.calls = []
        self.auto_bye = True
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
                self.inbox.append(m)
                self._lock.notify_all()
            if m.method == "BYE" and not m.is_answer and self.auto_bye:
                self.answer(m, 200, "OK")

    def send(self, text):
        self.sock.sendto(text if isinstance(text, bytes) else text.encode(), self.server)

    def answer(self, m, status, phrase):
        lines = [f"SIP/2.0 {status} {phrase}"]
        for name in ("via", "from", "to", "call-id", "cseq"):
            lines += [f"{name}: {v}" for v in m.all(name)]
        self.sock.sendto(("\r\n".join(lines) + "\r\nContent-Length: 0\r\n\r\n").encode(), m.src)

    def expect(self, want, what, timeout=wait.PATIENCE):
        end = time.monotonic() + timeout
        with self._lock:
            while True:
                for m in self.inbox:
                    if want(m):
                        return m
                left = end - time.monotonic()
                assert left > 0, f"no {what}; came: {[m.first for m in self.inbox[-12:]]}"
                self._lock.wait(left)

    def options(self, timeout=wait.PATIENCE):
        """Seconds until OPTIONS is answered."""
        call = Call(self, "x")
        since = time.monotonic()
        call.request("OPTIONS")
        call.answered("OPTIONS", 200, timeout)
        return time.monotonic() - since

    def close(self):
        for c in self.calls:
            c.close()
        self._stop = True
        self._thread.join()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Call:
    """One call of an agent, with its RTP."""

    def __init__(self, agent, user, rtp=False):
        self.agent = agent
        self.uri = f"sip:{user}@{agent.server[0]}"
        self.target = self.uri
        self.id = f"{random.getrandbits(48):x}@{agent.host.ip}"
        self.tag = f"{random.getrandbits(32):x}"
        self.to_tag = None
        self.cseq = 0
        self.version = 0
        self.invite_branch = None
        self.media = None  # (ip, port) of the other side
        self.rtp = Listener(agent.host.udp()) if rtp else None
        self.senders = []
        self.presses = 0
        agent.calls.append(self)

    @property
    def rtp_port(self):
        return self.rtp.sock.getsockname()[1]

    def request(self, method, body="", extra="", cseq=None, branch=None, user=None):
        a = self.agent
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        branch = branch or f"z9hG4bK{random.getrandbits(48):x}"
        to_tag = f";tag={self.to_tag}" if self.to_tag else ""
        kind = "Content-Type: application/sdp\r\n" if body and "Content-Type" not in extra else ""
        user = user or a.user
        self.last = (
               f"{method} {self.target if self.to_tag else self.uri} SIP/2.0\r\n"
               f"Via: SIP/2.0/UDP {a.host.ip}:{a.port};branch={branch};rport\r\n"
               f"Max-Forwards: 70\r\nFrom: <sip:{user}@{a.host.ip}>;tag={self.tag}\r\n"
               f"To: <{self.uri}>{to_tag}\r\nCall-ID: {self.id}\r\nCSeq: {cseq} {method}\r\n"
               f"Contact: <sip:{user}@{a.host.ip}:{a.port}>\r\n{kind}{extra}"
               f"Content-Length: {len(body)}\r\n\r\n{body}")
        a.send(self.last)
        return branch

    def mine(self, m):
        return m.get("call-id") == self.id

    def answered(self, method, status=None, timeout=wait.PATIENCE):
        """The final answer, with the retransmissions of RFC 3261 17.1."""
        cseq, last = str(self.cseq), self.last

        def answer(m, least=200):
            return self.mine(m) and m.is_answer and m.method == method and m.status >= least \
                and m.get("cseq").split()[0] == cseq

        end, pause = time.monotonic() + timeout, 0.5
        while time.monotonic() + pause < end:
            with contextlib.suppress(AssertionError):
                self.agent.expect(lambda m: answer(m, 100), "answer", pause)
                break
            self.agent.send(last)
            pause *= 2
        m = self.agent.expect(answer, f"answer to {method}", max(0.1, end - time.monotonic()))
        if status:
            assert m.status == status, f"{method}: {m.first}, not {status}"
        return m

    def invite(self, pts=(0, 8), direction="sendrecv", body=None, extra=""):
        """Sends it; see final()."""
        self.version += 1
        if body is None:
            body = sdp(self.agent.host.ip, self.rtp_port if self.rtp else 9, pts, direction,
                       self.version)
        self.invite_branch = self.request("INVITE", body, extra)
        return self

    def final(self, status=None):
        """The final answer to the INVITE, acknowledged."""
        m = self.answered("INVITE")
        tag = re.search(r"tag=([^;>\s]+)", m.get("to", ""))
        if m.status < 300:
            self.to_tag = tag.group(1)
            contact = re.search(r"<([^>]+)>", m.get("contact", ""))
            if contact:
                self.target = contact.group(1)
            c = re.search(rb"c=IN IP4 (\S+)", m.body)
            p = re.search(rb"m=audio (\d+)", m.body)
            if c and p:
                self.media = (c.group(1).decode(), int(p.group(1)))
            self.request("ACK", cseq=self.cseq)
        else:
            saved, self.to_tag = self.to_tag, self.to_tag or (tag.group(1) if tag else None)
            target, self.target = self.target, self.target if saved else self.uri
            self.request("ACK", cseq=self.cseq, branch=self.invite_branch)
            self.to_tag, self.target = saved, target
        if status:
            assert m.status == status, f"INVITE: {m.first}, not {status}"
        return m

    def dial(self, **kw):
        self.invite(**kw)
        self.final(200)
        return self

    def talk(self, data, **kw):
        """Sends encoded sound from the call's own RTP port."""
        s = Sender(self.rtp.sock, self.media, data, **kw).start()
        self.senders.append(s)
        return s

    def press(self, key):
        """A key by RFC 4733, as phones do: several packets of one press, behind what was sent."""
        seq, ts, ssrc = 900, 1000, 0x1234567
        if self.senders:
            last = self.senders[-1]
            seq, ts, ssrc = last.seq + last.sent, last.ts + last.sent * 160, last.ssrc
        for n in range(3):
            payload = bytes(["0123456789*#".index(key), 0x8A if n == 2 else 0x0A, 0, 160 * (n + 1) % 256])
            self.rtp.sock.sendto(build(seq + 3 * self.presses + n, ts + 160 * self.presses, ssrc,
                                       payload, 101), self.media)
        self.presses += 1

    def inform(self, key):
        """A key by INFO."""
        self.request("INFO", f"Signal={key}\r\nDuration=100\r\n",
                     "Content-Type: application/dtmf-relay\r\n")
        self.answered("INFO", 200)

    def bye(self):
        self.request("BYE")
        return self.answered("BYE", 200)

    def cancel(self):
        self.request("CANCEL", cseq=self.cseq, branch=self.invite_branch)

    def wait_bye(self, timeout=wait.PATIENCE):
        return self.agent.expect(
            lambda m: self.mine(m) and not m.is_answer and m.method == "BYE", "BYE", timeout)

    def close(self):
        for s in self.senders:
            s.stop()
        if self.rtp:
            self.rtp.close()
            self.rtp = None
