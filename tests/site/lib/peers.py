"""Real peers: mosquitto and its clients, sipp, baresip."""
import json
import os
import shutil
import socket
import subprocess
import threading

import paho.mqtt.client as paho

from . import net, wait

HERE = os.path.dirname(__file__)


class Broker:
    """A mosquitto in a namespace; more: lines of its configuration."""

    def __init__(self, host, folder, port=1883, users=None, acl=None, more=""):
        self.host, self.port, self.dir = host, port, folder
        folder.mkdir(exist_ok=True)
        conf = f"listener {port} {host.ip}\nuser root\nlog_type all\n{more}\n"
        if users:
            (folder / "pw").touch(0o600)
            for name, password in users.items():
                subprocess.run(["mosquitto_passwd", "-b", folder / "pw", name, password],
                               check=True)
            conf += f"allow_anonymous false\npassword_file {folder}/pw\n"
        else:
            conf += "allow_anonymous true\n"
        if acl:
            (folder / "acl").write_text(acl)
            (folder / "acl").chmod(0o600)
            conf += f"acl_file {folder}/acl\n"
        (folder / "broker.conf").write_text(conf)
        self.log_path = folder / "broker.log"
        self.proc = None
        self.start()

    def start(self):
        exe = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        with open(self.log_path, "ab") as log:
            self.proc = self.host.popen([exe, "-c", self.dir / "broker.conf"], stdout=log,
                                        stderr=log, stdin=subprocess.DEVNULL)

        def up():
            assert self.proc.poll() is None, "mosquitto does not run"
            s = self.host.socket(kind=socket.SOCK_STREAM)
            try:
                s.connect((self.host.ip, self.port))
                return True
            except OSError:
                return False
            finally:
                s.close()
        wait.until(up, "mosquitto")

    def stop(self):
        if self.proc:
            self.proc.kill()
            self.proc.wait()
            self.proc = None

    close = stop


class MqttClient:
    """A test's own client: what it subscribed to is in .messages and .latest."""

    def __init__(self, host, broker, topics=("#",), user=None, password=None):
        self.messages = []  # (topic, payload, retain)
        self.latest = {}
        self.client = paho.Client(protocol=paho.MQTTv5)
        if user:
            self.client.username_pw_set(user, password)
        self.sessions = 0  # connections on which the subscription stood
        self._topics = topics

        def on_connect(c, *_):
            c.subscribe([(t, paho.SubscribeOptions(qos=1)) for t in self._topics])

        def on_subscribe(*_):
            self.sessions += 1

        def on_message(_c, _u, m):
            self.messages.append((m.topic, m.payload.decode(errors="replace"), m.retain))
            self.latest[m.topic] = self.messages[-1]

        self.client.on_connect = on_connect
        self.client.on_subscribe = on_subscribe
        self.client.on_message = on_message

        def run():
            # The sockets, also of later reconnects, are made in this thread.
            fd = os.open(f"/run/netns/{host.ns}", os.O_RDONLY)
            net._libc.setns(fd, net.CLONE_NEWNET)
            os.close(fd)
            try:
                self.client.reconnect_delay_set(1, 1)
                self.client.connect(broker.host.ip, broker.port, 15)
                self._loop()
            except OSError:
                pass

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        wait.until(lambda: self.sessions, "the test's MQTT client to connect")

    def _loop(self):
        while True:
            try:
                return self.client.loop_forever(retry_first_connection=True)
            except AttributeError:
                # A publish() saw the connection break first and took the
                # socket out of this thread's hands: it connects again.
                pass

    def publish(self, topic, payload, qos=1, retain=False):
        if not isinstance(payload, (str, bytes)):
            payload = json.dumps(payload)
        self.client.publish(topic, payload, qos, retain).wait_for_publish(wait.PATIENCE)

    def wait(self, topic, pred=lambda payload: True, start=0):
        """A message on a topic whose payload (JSON where it is) pleases pred."""

        def find():
            for t, p, r in list(self.messages)[start:]:
                if t == topic:
                    v = decode(p)
                    if pred(v):
                        return v if v != "" else True
            return None
        return wait.until(find, f"MQTT {topic}")

    def close(self):
        self.client.disconnect()
        self._thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def decode(payload):
    try:
        return json.loads(payload)
    except ValueError:
        return payload


class Sipp:
    """sipp with one of our scenarios, in a folder of its own."""

    def __init__(self, host, folder, scenario, server, extension, keys=None, port=5060):
        self.dir = folder
        folder.mkdir(exist_ok=True)
        argv = ["sipp", "-sf", os.path.join(HERE, "../sipp", scenario), "-s", extension,
                "-i", host.ip, "-p", port, "-m", 1, "-nostdin", "-timeout", 30,
                "-timeout_error", "-trace_err", "-error_file", "sipp_errors.log",
                 "-mp", 30000]
        for k, v in (keys or {}).items():
            argv += ["-key", k, v]
        argv.append(f"{server[0]}:{server[1]}")
        self.out = open(folder / "sipp.out", "wb")
        self.proc = host.popen(argv, cwd=folder, stdout=self.out, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL)

    def wait(self, timeout=40):
        try:
            code = self.proc.wait(timeout)
        finally:
            self.out.close()
        text = (self.dir / "sipp.out").read_text(errors="replace")
        errors = "".join(p.read_text(errors="replace") for p in self.dir.glob("*errors.log"))
        assert code == 0, f"sipp: {code}\n{text[-1500:]}\n{errors[-1500:]}"

    def close(self):
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()


def baresip_modules():
    for d in ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules"):
        if os.path.isdir(d):
            return d
    raise AssertionError("baresip's modules are not installed (baresip-core)")


class Baresip:
    """baresip 1.0 without a sound card: plays a file to who is dialled, or (uri None) to who
    calls."""

    def __init__(self, host, folder, wav, uri, seconds=30, codec="PCMU/8000/1",
                 module="g711.so", rate=8000, modules=(), account="", lines=()):
        folder.mkdir(exist_ok=True)
        mods = ["account.so", module, *modules, "aufile.so", "aubridge.so", "menu.so", "stdio.so"]
        app = {"account.so", "menu.so"}
        lines = [*lines, f"module_path {baresip_modules()}", f"sip_listen {host.ip}:5060",
                 f"audio_source aufile,{wav}", "audio_player aubridge,dev1",
                 "audio_alert aubridge,dev1", f"ausrc_srate {rate}",
                 f"auplay_srate {rate}",
                 "rtp_ports 31000-31100", "jitter_buffer_delay 1-5",
                 "poll_method epoll"]
        lines += [("module_app " if m in app else "module ") + m for m in mods]
        (folder / "config").write_text("\n".join(lines) + "\n")
        (folder / "accounts").write_text(
            f"<sip:baresip@{host.ip}>;regint=0;audio_codecs={codec}{account}\n")
        (folder / "contacts").write_text("")
        self.log = open(folder / "baresip.log", "wb")
        dial = ["-e", f"/dial {uri}"] if uri else []
        self.proc = host.popen(["baresip", "-f", folder, "-t", seconds, *dial],
                               stdout=self.log, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL, cwd=folder)

    def close(self):
        if self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(5)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        self.log.close()
