"""kamailio as the PBX: registrar with digest and proxy, by UDP, TCP and TLS."""
import os
import signal
import subprocess

from lib import wait

CONFIG = '''
#!KAMAILIO
debug=2
log_stderror=yes
fork=no
children=2
tcp_children=2
auto_aliases=no
alias="pbx.example"
{listen}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/:/usr/lib/aarch64-linux-gnu/kamailio/modules/:/usr/lib/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
{tls}
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", {expires})
{algorithm}
request_route {{
    if (is_method("OPTIONS") && !has_totag()) {{ sl_send_reply("200", "OK"); exit; }}
    if (has_totag()) {{ loose_route(); t_relay(); exit; }}
    if (is_method("CANCEL")) {{ t_relay(); exit; }}
    if (is_method("REGISTER")) {{
        if ($tU != "7000") {{ sl_send_reply("404", "Not Found"); exit; }}
        if (!pv_www_authenticate("pbx.example", "secret", "0")) {{
            www_challenge("pbx.example", "1"); exit;
        }}
        save("location"); exit;
    }}
    if (is_method("INVITE|MESSAGE")) {{
        remove_hf("Route");
        record_route();
        if ($rU =~ "^7") {{
            $ru = "sip:7000@pbx.example";
            if (!lookup("location")) {{ sl_send_reply("480", "Away"); exit; }}
        }} else {{
            if (!pv_proxy_authenticate("pbx.example", "secret", "0")) {{
                proxy_challenge("pbx.example", "1"); exit;
            }}
            consume_credentials();
            $ru = "{outside}";
        }}
        t_relay(); exit;
    }}
    if (is_method("ACK")) {{ t_relay(); exit; }}
    sl_send_reply("405", "Method Not Allowed");
}}
'''
TLS = '''loadmodule "tls.so"
modparam("tls", "certificate", "{0}")
modparam("tls", "private_key", "{1}")
modparam("tls", "tls_method", "TLSv1.2+")
'''


class Kamailio:
    def __init__(self, host, folder, sha256=False, cert=None, expires=120,
                 outside="sip:201@10.9.0.22:5060"):
        folder.mkdir(exist_ok=True)
        self.host, self.dir = host, folder
        listen = [f"listen=udp:{host.ip}:5060", f"listen=tcp:{host.ip}:5060"]
        if cert:
            listen.append(f"listen=tls:{host.ip}:5061")
            listen.append("enable_tls=yes")
        (folder / "kamailio.cfg").write_text(CONFIG.format(
            listen="\n".join(listen), expires=expires, outside=outside,
            tls=TLS.format(*cert) if cert else "",
            algorithm='modparam("auth", "algorithm", "SHA-256")' if sha256 else ""))
        self.proc = None
        self.start()

    def start(self):
        self.log = open(self.dir / "kamailio.log", "ab")
        self.proc = self.host.popen(
            ["kamailio", "-f", self.dir / "kamailio.cfg", "-DD", "-E", "-m", "64", "-M", "8",
             "-Y", self.dir, "-w", self.dir],
            stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            start_new_session=True)

        def up():
            assert self.proc.poll() is None, (self.dir / "kamailio.log").read_text()[-2000:]
            return self.answers()
        wait.until(up, "kamailio", every=0.1)

    def answers(self):
        with self.host.udp() as s:
            s.settimeout(0.2)
            me = f"{self.host.ip}:{s.getsockname()[1]}"
            s.sendto((f"OPTIONS sip:pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bKup\r\n"
                      f"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: up\r\n"
                      "CSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n").encode(),
                     (self.host.ip, 5060))
            try:
                return s.recv(2000).startswith(b"SIP/2.0 200")
            except OSError:
                return False

    def stop(self):
        if self.proc and self.proc.poll() is None:
            os.killpg(self.proc.pid, signal.SIGKILL)  # its children too
            self.proc.wait()
        self.log.close()

    close = stop
