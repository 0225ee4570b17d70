"""A site of network namespaces: a switch with IGMP snooping, and hosts.

Nothing here can reach the outside: the switch has no port but the hosts'.
"""
import ctypes
import os
import re
import socket
import struct
import subprocess
import threading
import time

from . import wait

PREFIX = "tocsin-"
_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def sh(cmd, check=True):
    return subprocess.run(cmd, shell=True, check=check, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def call_in(ns, fn):
    """Runs fn in a thread of its own inside a namespace; sockets it makes stay there."""
    out = {}

    def run():
        fd = os.open(f"/run/netns/{ns}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if _libc.setns(fd, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns {ns}")
            out["value"] = fn()
        except BaseException as e:  # handed to the caller below
            out["error"] = e
        finally:
            os.close(fd)

    t = threading.Thread(target=run)
    t.start()
    t.join()
    if "error" in out:
        raise out["error"]
    return out.get("value")


class Host:
    def __init__(self, site, name, ip):
        self.site, self.name, self.ip = site, name, ip
        self.ns = f"{PREFIX}{site.pid}-{name}"
        self.port = f"p-{name}"
        self.ifindex = 0

    def popen(self, argv, **kw):
        """Starts a process inside; it dies with us, whatever kills us."""
        return subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{self.ns}", "setpriv", "--pdeathsig", "KILL", "--"]
            + [str(a) for a in argv], **kw)

    def run(self, argv, timeout=60, **kw):
        return subprocess.run(["nsenter", f"--net=/run/netns/{self.ns}"] + [str(a) for a in argv],
                              text=True, capture_output=True, timeout=timeout, **kw)

    def call(self, fn):
        return call_in(self.ns, fn)

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_DGRAM, proto=0):
        return self.call(lambda: socket.socket(family, kind, proto))

    def udp(self, port=0):
        s = self.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.bind((self.ip, port))
        return s

    def listener(self, port):
        """A TCP socket that servers of the test accept on."""
        s = self.socket(kind=socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((self.ip, port))
        s.listen(8)
        return s

    def link(self, state):
        sh(f"ip -n {self.ns} link set eth0 {state}")


class Site:
    """One switch and its hosts; close() removes everything."""

    MASK = 16

    def __init__(self, hosts):
        self.pid = os.getpid()
        self.switch = f"{PREFIX}{self.pid}-switch"
        self.hosts = {}
        try:
            self._switch()
            for name, ip in hosts.items():
                self._host(name, ip)
            self._await_snooping()
        except BaseException:
            self.close()
            raise

    def __getitem__(self, name):
        return self.hosts[name]

    def _ns(self, name):
        sh(f"ip netns add {name}")
        sh(f"ip netns exec {name} sysctl -qw net.ipv6.conf.all.disable_ipv6=1"
           " net.ipv6.conf.default.disable_ipv6=1 net.ipv4.ip_forward=0")
        sh(f"ip -n {name} link set lo up")

    def _switch(self):
        self._ns(self.switch)
        n = f"ip -n {self.switch} link"
        # Order matters: with the default response interval the bridge floods
        # for its first 10 s.
        sh(f"{n} add br0 type bridge mcast_snooping 1 mcast_query_response_interval 100")
        sh(f"{n} set br0 up")
        sh(f"{n} set br0 type bridge mcast_querier 1")

    def _host(self, name, ip):
        h = Host(self, name, ip)
        self.hosts[name] = h
        self._ns(h.ns)
        sh(f"ip link add {h.port} netns {self.switch} type veth peer name eth0 netns {h.ns}")
        sh(f"ip -n {self.switch} link set {h.port} master br0 up")
        sh(f"ip -n {h.ns} addr add {ip}/{self.MASK} brd + dev eth0")
        sh(f"ip -n {h.ns} link set eth0 up")
        sh(f"ip -n {h.ns} route add 224.0.0.0/4 dev eth0")
        h.ifindex = h.call(lambda: socket.if_nametoindex("eth0"))

    def _await_snooping(self):
        """Until members get a group's packets and nobody else sees them."""
        from .rtp import Receiver
        names = list(self.hosts)
        a, b, c = (self.hosts[n] for n in names[:3])
        group, port = "239.255.255.250", 40000
        tx = a.udp()
        tx.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, mreqn(a.ifindex))
        member = Receiver(b, group, port)
        other = Sniffer(c, group)
        state = {"n": 0, "good": 0}

        def probe():
            before = other.count()
            tx.sendto(b"probe", (group, port))
            state["n"] += 1
            time.sleep(0.01)
            ok = len(member.datagrams) == state["n"] and other.count() == before
            if not ok:
                state["n"] = len(member.datagrams)
            state["good"] = state["good"] + 1 if ok else 0
            return state["good"] >= 5

        try:
            wait.until(probe, "the switch to forward to members only")
        finally:
            tx.close()
            member.close()
            other.close()

    def mdb(self):
        return sh(f"bridge -n {self.switch} mdb show", check=False)

    def close(self):
        for ns in [h.ns for h in self.hosts.values()] + [self.switch]:
            remove(ns)
        self.hosts = {}


def remove(ns):
    """Kills what runs in one of our namespaces, then removes it."""
    for pid in sh(f"ip netns pids {ns} 2>/dev/null", check=False).split():
        if int(pid) != os.getpid():
            try:
                os.kill(int(pid), 9)
            except ProcessLookupError:
                pass
    sh(f"ip netns del {ns} 2>/dev/null", check=False)


def remove_leftovers():
    """Namespaces of test runs that are dead."""
    for ns in re.findall(rf"^{PREFIX}(\d+)-(\S+)", sh("ip netns list"), re.M):
        try:
            with open(f"/proc/{ns[0]}/cmdline") as f:
                if "python" in f.read():
                    continue
        except FileNotFoundError:
            pass
        remove(f"{PREFIX}{ns[0]}-{ns[1]}")


def mreqn(ifindex, group="0.0.0.0"):
    return struct.pack("=4s4si", socket.inet_aton(group), b"\0\0\0\0", ifindex)


def group_socket(host, port=0):
    """A UDP socket of a host that sends to groups."""
    s = host.udp(port)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, mreqn(host.ifindex))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
    return s


class Sniffer:
    """What arrives on a host's wire, asked for or not (AF_PACKET)."""

    def __init__(self, host, group=None, port=None):
        self.group = socket.inet_aton(group) if group else None
        self.port = port
        self.seen = []  # (time, destination, port)
        self._sock = host.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self._sock.bind(("eth0", 0x0800))
        self._sock.settimeout(0.2)
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop:
            try:
                data, addr = self._sock.recvfrom(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            if addr[2] == 4 or len(data) < 28 or data[9] != 17:  # our own, or not UDP
                continue
            if self.group and data[16:20] != self.group:
                continue
            ihl = (data[0] & 15) * 4
            port = struct.unpack_from("!H", data, ihl + 2)[0]
            if self.port and port != self.port:
                continue
            self.seen.append((time.monotonic(), socket.inet_ntoa(data[16:20]), port))

    def count(self):
        return len(self.seen)

    def close(self):
        self._stop = True
        self._thread.join()
        self._sock.close()
