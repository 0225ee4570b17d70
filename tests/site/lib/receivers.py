"""Who is told of events: Python's http.server, rsyslog, a mail program."""
import http.server
import json
import os
import shutil
import ssl
import subprocess
import threading

from . import wait


def certificates(folder, address):
    """An authority and a server's certificate for an address, by openssl."""
    def run(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority", "-days", "2")
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", "server.key", "-out", "server.csr", "-subj", f"/CN={address}")
    (folder / "san").write_text(f"subjectAltName=IP:{address}\n")
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
        "-CAcreateserial", "-out", "server.pem", "-days", "2", "-extfile", "san")


class HttpReceiver:
    """Takes POSTs, by TLS if it has a certificate; answers with `status`."""

    def __init__(self, host, port, cert=None):
        self.got, self.status = [], 200
        me = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                me.got.append((me.status, dict(self.headers), body))
                self.send_response(me.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        s = host.listener(port)
        if cert:
            c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            c.load_cert_chain(*cert)
            s = c.wrap_socket(s, server_side=True)
        self.server = http.server.ThreadingHTTPServer((host.ip, port), Handler, False)
        self.server.socket = s
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def taken(self, type):
        """Events of a type that were answered with 2xx."""
        return [json.loads(b) for status, _, b in list(self.got)
                if status < 300 and json.loads(b)["type"] == type]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


RSYSLOG = '''
global(workDirectory="%(dir)s" maxMessageSize="8k" DefaultNetstreamDriver="ossl"
       DefaultNetstreamDriverCAFile="%(dir)s/ca.pem"
       DefaultNetstreamDriverCertFile="%(dir)s/server.pem"
       DefaultNetstreamDriverKeyFile="%(dir)s/server.key")
module(load="imudp")
module(load="imtcp")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
template(name="all" type="list") {
    property(name="inputname")       constant(value="\\t")
    property(name="pri")             constant(value="\\t")
    property(name="app-name")        constant(value="\\t")
    property(name="msgid")           constant(value="\\t")
    property(name="structured-data") constant(value="\\t")
    property(name="timestamp" dateFormat="rfc3339") constant(value="\\t")
    property(name="msg")             constant(value="\\n")
}
ruleset(name="keep") { action(type="omfile" file="%(dir)s/%(port)s.log" template="all") }
input(type="%(type)s" port="%(port)s" address="%(address)s" ruleset="keep" %(more)s)
'''


class Rsyslog:
    """One rsyslogd: transport "udp", "tcp" or "tls"."""

    def __init__(self, host, folder, port, transport):
        self.host, self.port = host, port
        self.path = folder / f"{port}.log"
        self.dir = folder
        text = RSYSLOG % {"dir": folder, "port": port, "address": host.ip,
                          "type": "imudp" if transport == "udp" else "imtcp",
                          "more": f'name="{transport}"' if transport != "udp" else ""}
        if transport != "tls":
            text = text[:text.index("global")] + text[text.index("module"):]
            text = text.replace([ln for ln in text.splitlines() if "StreamDriver" in ln][0], "")
        else:
            text = text.replace('module(load="imtcp")\n', "")
        (folder / f"{port}.conf").write_text(text)
        self.proc = None
        self.start()

    def start(self):
        exe = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
        with open(self.dir / f"{self.port}.out", "ab") as out:
            self.proc = self.host.popen([exe, "-n", "-iNONE", "-f", self.dir / f"{self.port}.conf"],
                                        stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def rows(self):
        if not self.path.exists():
            return []
        names = ("input", "pri", "app", "msgid", "sd", "time", "msg")
        return [dict(zip(names, line.split("\t"))) for line in
                self.path.read_text().splitlines() if line.count("\t") == 6]

    def wait(self, pred, what):
        return wait.until(lambda: [r for r in self.rows() if pred(r)], what)

    def stop(self):
        if self.proc:
            self.proc.kill()
            self.proc.wait()
            self.proc = None

    close = stop


class Sendmail:
    """A program that keeps what it is given; `code` is how it ends."""

    def __init__(self, folder):
        self.dir = folder / "mails"
        self.dir.mkdir()
        self.path = folder / "sendmail"
        self.path.write_text(f'''#!/bin/sh
code=$(cat {self.dir}/code)
[ "$code" = 0 ] || {{ echo "queue is full" >&2; exit "$code"; }}
f=$(mktemp {self.dir}/new.XXXXXX)
{{ echo "args: $*"; cat; }} > "$f"
mv "$f" {self.dir}/mail."$(date +%s%N)"
''')
        os.chmod(self.path, 0o755)
        self.code(0)

    def code(self, n):
        (self.dir / "code").write_text(str(n))

    def mails(self):
        return [p.read_text() for p in sorted(self.dir.glob("mail.*"))]
