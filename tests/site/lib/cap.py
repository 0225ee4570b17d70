"""CAP 1.2 alerts made by Python's xml library, and a server of a feed."""
import datetime
import hashlib
import http.server
import threading
import time
import xml.etree.ElementTree as ET

NS = "urn:oasis:names:tc:emergency:cap:1.2"
ATOM = "http://www.w3.org/2005/Atom"
ET.register_namespace("cap", NS)


def stamp(when):
    return datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%S-00:00")


def alert(id, type="Alert", sent=None, refs=(), status="Actual", expires=3600, areas=(),
          infos=({},), sender="test@cap.example"):
    """refs: alerts returned earlier; areas: lists of (name, text) of an area."""
    sent = time.time() if sent is None else sent
    a = ET.Element(f"{{{NS}}}alert")

    def add(parent, name, text):
        e = ET.SubElement(parent, f"{{{NS}}}{name}")
        e.text = str(text)
        return e
    for name, text in (("identifier", id), ("sender", sender), ("sent", stamp(sent)),
                       ("status", status), ("msgType", type), ("scope", "Public")):
        add(a, name, text)
    if refs:
        add(a, "references", " ".join(r.reference for r in refs))
    for more in infos:
        i = ET.SubElement(a, f"{{{NS}}}info")
        info = {"language": "en-GB", "category": "Met", "event": "Storm", "urgency": "Immediate",
                "severity": "Severe", "certainty": "Observed", "expires": stamp(sent + expires),
                "headline": "Storm & flood", "instruction": "Stay inside", **more}
        for name, text in info.items():
            add(i, name, text)
        for parts in areas or [[("areaDesc", "Somewhere")]]:
            area = ET.SubElement(i, f"{{{NS}}}area")
            for name, text in parts:
                if name == "geocode":
                    g = ET.SubElement(area, f"{{{NS}}}geocode")
                    add(g, "valueName", text[0])
                    add(g, "value", text[1])
                else:
                    add(area, name, text)

    class Made(bytes):
        reference = f"{sender},{id},{stamp(sent)}"
    return Made(ET.tostring(a, encoding="utf-8", xml_declaration=True))


def put(folder, name, data):
    """As a careful program does: written aside, then renamed."""
    (folder / f".{name}").write_bytes(data)
    (folder / f".{name}").rename(folder / name)


class FeedServer:
    """An Atom feed at /feed that links to the documents it has."""

    def __init__(self, host, port):
        self.docs, self.asked, self.fresh = {}, [], 0
        me = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                me.asked.append(self.path)
                data = me.feed() if self.path == "/feed" else me.docs.get(self.path[1:])
                tag = '"%s"' % hashlib.sha256(data or b"").hexdigest()
                same = self.headers.get("If-None-Match") == tag
                me.fresh += same
                self.send_response(404 if data is None else 304 if same else 200)
                self.send_header("ETag", tag)
                self.send_header("Content-Length", str(0 if same else len(data or b"")))
                self.end_headers()
                if data and not same:
                    self.wfile.write(data)

            def log_message(self, *_):
                pass
        s = host.listener(port)
        self.server = http.server.ThreadingHTTPServer((host.ip, port), Handler, False)
        self.server.socket = s
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def feed(self):
        f = ET.Element(f"{{{ATOM}}}feed")
        for name in self.docs:
            e = ET.SubElement(f, f"{{{ATOM}}}entry")
            ET.SubElement(e, f"{{{ATOM}}}link", href=f"/{name}", type="application/cap+xml")
        return ET.tostring(f)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
