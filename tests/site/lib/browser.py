"""Headless Chromium, driven by its own protocol over a pipe.

Mouse and keys are those of a person: they go where the element is and meet
whatever lies over it. Every request that the page makes is kept, and every
error it does not catch.
"""
import base64
import json
import os
import select
import shutil
import signal
import time

from . import wait

FLAGS = ("--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run "
         "--disable-background-networking --disable-component-update --disable-sync "
         "--disable-default-apps --disable-extensions --mute-audio --hide-scrollbars "
         "--ignore-certificate-errors --autoplay-policy=no-user-gesture-required --remote-debugging-pipe").split()
KEYS = {"Enter": (13, "\r"), " ": (32, " "), "Tab": (9, ""), "Escape": (27, ""), "Home": (36, "")}


class ScriptError(Exception):
    pass


class Browser:
    """One Chromium on a host with one page."""

    def __init__(self, host, folder, size=(1280, 800), lang="en-GB"):
        program = shutil.which("chromium")
        assert program, "chromium is not installed"
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        folder.mkdir(exist_ok=True)
        self.log_path = folder / "chromium.log"
        self.proc = host.popen(
            ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "chromium", program, *FLAGS,
             f"--user-data-dir={folder}/profile", f"--lang={lang}", "about:blank"],
            pass_fds=(theirs_in, theirs_out), stdout=open(self.log_path, "wb"), stderr=-2,
            env={**os.environ, "HOME": str(folder), "LANGUAGE": lang}, start_new_session=True)
        os.close(theirs_in)
        os.close(theirs_out)
        self._rest, self._n, self._answers = b"", 0, {}
        self.session = None
        self.errors, self.requests = [], []
        target = wait.until(lambda: next((t for t in self.call("Target.getTargets")["targetInfos"]
                                          if t["type"] == "page"), None), "chromium's page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"],
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(*size)

    def close(self):
        for fd in (self._in, self._out):
            os.close(fd)
        try:
            os.killpg(self.proc.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.proc.wait()

    # ------------------------------------------------------------ protocol

    def _take(self, message):
        if "id" in message:
            self._answers[message["id"]] = message
            return
        p = message.get("params", {})
        if message["method"] == "Runtime.exceptionThrown":
            d = p["exceptionDetails"]
            self.errors.append(d.get("exception", {}).get("description") or d["text"])
        elif message["method"] == "Log.entryAdded" and p["entry"]["level"] == "error":
            self.errors.append(f"{p['entry']['text']} {p['entry'].get('url', '')}")
        elif message["method"] == "Network.requestWillBeSent":
            self.requests.append(p["request"]["url"])

    def _read(self, patience):
        ready, _, _ = select.select([self._in], [], [], patience)
        if not ready:
            return
        data = os.read(self._in, 1 << 20)
        assert data, f"chromium ended, see {self.log_path}"
        *whole, self._rest = (self._rest + data).split(b"\0")
        for m in whole:
            self._take(json.loads(m))

    def call(self, method, **params):
        self._n += 1
        m = {"id": self._n, "method": method, "params": params}
        if self.session:
            m["sessionId"] = self.session
        os.write(self._out, json.dumps(m).encode() + b"\0")
        end = time.monotonic() + 3 * wait.PATIENCE
        while self._n not in self._answers:
            assert time.monotonic() < end, f"chromium does not answer {method}"
            self._read(1)
        answer = self._answers.pop(self._n)
        if "error" in answer:
            raise ScriptError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    # ---------------------------------------------------------------- page

    def eval(self, script, *args):
        """The value of an expression, or of a function called with JSON arguments."""
        if args:
            script = f"({script})({', '.join(json.dumps(a) for a in args)})"
        r = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in r:
            d = r["exceptionDetails"]
            raise ScriptError(d.get("exception", {}).get("description") or d["text"])
        return r["result"].get("value")

    def open(self, url):
        self.call("Page.navigate", url=url)
        wait.until(lambda: self.eval("document.readyState") == "complete", url)

    def resize(self, width, height, touch=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=touch)

    def scheme(self, name):
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": name}])

    def text(self, selector="body"):
        return self.eval("s => document.querySelector(s)?.innerText ?? ''", selector)

    def wait(self, selector, words=None, gone=False):
        """An element that can be seen, with these words in it; or none any more."""
        find = """(s, w) => [...document.querySelectorAll(s)].some((e) =>
            e.checkVisibility() && (!w || e.innerText.includes(w)))"""
        what = f"{'no ' if gone else ''}{selector} {words or ''}"
        try:
            wait.until(lambda: self.eval(find, selector, words) != gone, what, every=0.03)
        except AssertionError as e:
            raise AssertionError(f"{e}; there is: {self.text()[:2000]}; {self.errors}") from None

    def _middle(self, selector, words):
        """Where it is, once it stands still, can be used and lies on top."""
        find = """async (s, w) => {
            const e = [...document.querySelectorAll(s)].find((x) => x.checkVisibility() && !x.disabled
                && (!w || x.innerText.includes(w) || (x.getAttribute('aria-label') || '').includes(w)));
            if (!e) return null;
            e.scrollIntoView({ block: 'center' });
            const before = e.getBoundingClientRect();
            await new Promise((f) => setTimeout(f, 20));
            const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
            const top = document.elementFromPoint(x, y);
            if (r.x !== before.x || r.y !== before.y) return null;
            return top && (e.contains(top) || top.contains(e)) ? [x, y] : null;
        }"""
        try:
            return wait.until(lambda: self.eval(find, selector, words), f"{selector} {words or ''}", every=0.03)
        except AssertionError as e:
            raise AssertionError(f"{e}; there is: {self.text()[:2000]}") from None

    def _mouse(self, kind, at, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], **more)

    def down(self, selector, words=None):
        at = self._middle(selector, words)
        self._mouse("mouseMoved", at)
        self._mouse("mousePressed", at, button="left", clickCount=1)
        return at

    def up(self, at):
        self._mouse("mouseReleased", at, button="left", clickCount=1)

    def click(self, selector, words=None):
        self.up(self.down(selector, words))

    def hold(self, selector, words, done):
        """Presses and lets go once done() is true."""
        at = self.down(selector, words)
        try:
            return wait.until(done, f"what holding {words} does")
        finally:
            self.up(at)

    def key(self, key, up=True):
        code, text = KEYS.get(key, (0, key))
        keys = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **keys)
        if up:
            self.call("Input.dispatchKeyEvent", type="keyUp", **keys)

    def type(self, selector, text):
        self.click(selector)
        self.eval("s => document.querySelector(s).select?.()", selector)
        self.call("Input.insertText", text=text)

    def choose(self, selector, value):
        """Of a <select>: its list is drawn by the system, out of the page's reach."""
        self.eval("""(s, v) => { const e = document.querySelector(s); e.value = v;
            e.dispatchEvent(new Event('change', { bubbles: true })); }""", selector, value)

    def attach(self, selector, path):
        """A file for an <input type=file>."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node)

    def screenshot(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
