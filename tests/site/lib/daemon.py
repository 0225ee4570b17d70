"""tocsind under test: start, ask, kill, restart; tocsinctl beside it."""
import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time

from . import wait

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(os.path.dirname(__file__),
                                                              "../../../build")))


class Refused(Exception):
    """An HTTP answer of 300 and above."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body}")
        self.status, self.body = status, body

    @property
    def error(self):
        return self.body.get("error", {}) if isinstance(self.body, dict) else {}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=10):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Api:
    """The HTTP API over the daemon's Unix socket."""

    def __init__(self, path):
        self.path = path

    def raw(self, method, path, body=None, headers=None, timeout=10):
        c = UnixConnection(self.path, timeout)
        try:
            try:
                c.request(method, path, body, headers or {})
            except (BrokenPipeError, ConnectionResetError):
                pass  # turned away before it was read: the answer says why
            r = c.getresponse()
            return r.status, r.read(), r
        finally:
            c.close()

    def call(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        status, data, _ = self.raw(method, "/api/v1" + path, text,
                                   {"Content-Type": "application/json"} if text else {})
        try:
            answer = json.loads(data) if data else None
        except ValueError:
            answer = data.decode(errors="replace")
        if status >= 300:
            raise Refused(status, answer)
        return answer

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body=None):
        return self.call("POST", path, {} if body is None else body)

    def delete(self, path):
        return self.call("DELETE", path)

    def named(self, kind, name):
        """One row of a list by its name."""
        for row in self.get("/" + kind):
            if row["name"] == name:
                return row
        raise AssertionError(f"no {name} in /{kind}")

    def faults(self):
        return {f["fault"]: f for f in self.get("/faults")}

    def page(self, zones, message, priority="page", **more):
        return self.post("/broadcasts", {"zones": zones, "message": message,
                                         "priority": priority, **more})["id"]

    def broadcast(self, id):
        """A broadcast as it stands, None when it is over."""
        try:
            return self.get(f"/broadcasts/{id}")
        except Refused as e:
            if e.status == 404:
                return None
            raise

    def input(self, name, active):
        return self.post(f"/inputs/{name}", {"active": active})

    def journal(self, **query):
        q = "&".join(f"{k}={v}" for k, v in query.items())
        got = self.get("/journal" + ("?" + q if q else ""))
        return got["events"] if isinstance(got, dict) else got


class Events:
    """The live events (SSE) as they come."""

    def __init__(self, api, last_id=None):
        self.conn = UnixConnection(api.path, 60)
        headers = {"Accept": "text/event-stream"}
        if last_id is not None:
            headers["Last-Event-ID"] = str(last_id)
        self.conn.request("GET", "/api/v1/events", headers=headers)
        self.response = self.conn.getresponse()
        assert self.response.status == 200, self.response.read()
        self.events = []  # (id, type, record)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        cur = {}
        try:
            for line in self.response:
                line = line.decode().rstrip("\r\n")
                if not line:
                    if "data" in cur:
                        self.events.append((int(cur.get("id", 0)), cur.get("event", ""),
                                            json.loads(cur["data"])))
                    cur = {}
                elif not line.startswith(":"):
                    k, _, v = line.partition(":")
                    v = v[1:] if v.startswith(" ") else v
                    cur[k] = cur[k] + "\n" + v if k == "data" and k in cur else v
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass

    def wait(self, kind, pred=lambda e: True):
        def find():
            for e in list(self.events):
                if e[1] == kind and pred(e[2]):
                    return e
            return None
        return wait.until(find, f"event {kind}")

    def close(self):
        if self.conn.sock:
            self.conn.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self.conn.close()


class Daemon:
    """One daemon in the controller's namespace with a directory of its own."""

    def __init__(self, host, folder, config, binary="tocsind"):
        self.host, self.dir = host, folder
        self.binary = os.path.join(BUILD, binary)
        self.path = str(folder / "tocsin.conf")
        self.socket = str(folder / "s" / "tocsin.sock")
        self.log_path = folder / "daemon.log"
        (folder / "s").mkdir(exist_ok=True)
        self.api = Api(self.socket)
        self.env = {}  # beside our own
        self.proc = None
        self.prefix = []  # a command that runs it
        self.expect_dead = False
        self.write(config)

    def write(self, config):
        """Puts a configuration on disk; nothing is told."""
        with open(self.path, "w") as f:
            f.write(config)

    def start(self, ready=True):
        assert os.path.exists(self.binary), f"{self.binary} is not built"
        self.proc = self.host.popen(self.prefix + [self.binary, "-f", "-c", self.path], cwd=self.dir,
                                    stderr=open(self.log_path, "ab"),
                                    stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                                    env={**os.environ, **self.env})
        self.expect_dead = False
        if ready:
            self.wait_ready()
        return self

    def answers(self):
        try:
            return self.api.get("/status")
        except (OSError, http.client.HTTPException, Refused):
            return None

    def wait_ready(self):
        def ready():
            code = self.proc.poll()
            if code is not None:
                self.expect_dead = True  # told here, not again at the end
                raise AssertionError(f"the daemon ended with {code}")
            return self.answers()
        return wait.until(ready, "the daemon to answer")

    def kill(self):
        """As a power cut would."""
        self.expect_dead = True
        self.proc.kill()
        self.proc.wait()

    def stop(self):
        """In order; returns the exit code."""
        if self.proc is None or self.proc.poll() is not None:
            return self.proc.returncode if self.proc else None
        self.proc.send_signal(signal.SIGTERM)
        try:
            return self.proc.wait(15)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
            raise AssertionError("the daemon does not stop on SIGTERM")

    def reload(self, config=None):
        """New text (or the same), then SIGHUP; until it says how it went."""
        if config is not None:
            self.write(config)
        last = max([e["id"] for e in self.api.journal(limit=1)] + [0])
        self.proc.send_signal(signal.SIGHUP)

        def done():
            return [e for e in self.api.journal(after=last)
                    if e["type"] in ("config.loaded", "config.refused")]
        return wait.until(done, "the reload to be done")[-1]

    def recorded(self, kind, pred=lambda e: True, **query):
        """Journal rows of a type, oldest first; awaited, for they are written
        behind the daemon's back."""
        return wait.until(lambda: [e for e in reversed(self.api.journal(type=kind, **query))
                                   if pred(e)], f"{kind} in the journal")

    def ctl(self, *args, timeout=20):
        return self.host.run([os.path.join(BUILD, "tocsinctl"), "--socket", self.socket, *args],
                             timeout=timeout)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def close(self):
        """At the end of a test: it must still be well, and stop in order."""
        if self.proc is None:
            return
        code = self.proc.poll()
        if code is not None:
            assert self.expect_dead, f"the daemon died by itself: {code}"
        else:
            code = self.stop()
            assert code == 0, f"the daemon stopped with {code}"
        log = self.log()
        assert "Sanitizer" not in log and "runtime error" not in log, "a sanitizer report"
