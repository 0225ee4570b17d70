"""Common parts of the bench: namespaces, processes, CPU figures, sounds."""
import contextlib, ctypes, glob, json, math, os, shutil, signal, struct
import subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get('BENCH_BUILD', os.path.join(HERE, 'build'))
RUN = os.path.join(BUILD, 'run')
RESULTS = os.path.join(BUILD, 'results')
SUT_IP, PRB_IP = '10.77.0.1', '10.77.0.2'
GROUP, PORT = '239.255.0.1', 5004
SIP_PORT = 5060
SPK_PORT, SPK_RTP = 7000, 20000
BACKLOG = '/proc/sys/net/core/netdev_max_backlog'
CLK = os.sysconf('SC_CLK_TCK')
_libc = ctypes.CDLL(None, use_errno=True)


def sh(*a, check=True):
    return subprocess.run(a, check=check, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True).stdout


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_REALTIME)


def zone(i, port=PORT):
    a, b, c, d = (int(x) for x in GROUP.split('.'))
    v = (a << 24 | b << 16 | c << 8 | d) + i
    return '%d.%d.%d.%d' % (v >> 24, v >> 16 & 255, v >> 8 & 255, v & 255), port


def q(v, p):
    v = sorted(v)
    return v[max(0, math.ceil(p * len(v)) - 1)] if v else None


# ------------------------------------------------------------- sounds
def make_wav(path, seconds, f_hi=1000, f_lo=400, offset=0.0):
    """8 kHz mono 16 bit: each second 200 ms loud, then 800 ms low tone.

    The loud edge is what rtpprobe finds again to measure content skew.
    """
    if os.path.exists(path):
        return path
    one = []
    for i in range(8000):
        k = int(i + offset * 8000) % 8000
        if k < 1600:
            one.append(int(16000 * math.sin(2 * math.pi * f_hi * k / 8000)))
        else:
            one.append(int(500 * math.sin(2 * math.pi * f_lo * k / 8000)))
    data = struct.pack('<8000h', *one) * int(seconds)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(b'RIFF' + struct.pack('<I', 36 + len(data)) + b'WAVEfmt ' +
                struct.pack('<IHHIIHH', 16, 1, 1, 8000, 16000, 2, 16) +
                b'data' + struct.pack('<I', len(data)) + data)
    return path


# ---------------------------------------------------------------- CPU
def proc_cpu(pid):
    try:
        with open('/proc/%d/stat' % pid) as f:
            v = f.read().rsplit(')', 1)[1].split()
        return (int(v[11]) + int(v[12])) / CLK
    except OSError:
        return 0.0


def proc_status(pid):
    out = {}
    try:
        with open('/proc/%d/status' % pid) as f:
            for line in f:
                k, v = line.split(':', 1)
                if k in ('VmRSS', 'VmHWM', 'Threads'):
                    out[k] = int(v.split()[0])
    except OSError:
        pass
    return out


def machine():
    """user+nice, system, irq+softirq, idle, steal ticks of every CPU"""
    out = {}
    with open('/proc/stat') as f:
        for line in f:
            p = line.split()
            if p[0].startswith('cpu') and p[0] != 'cpu':
                v = [int(x) for x in p[1:9]]
                out[p[0]] = dict(user=v[0] + v[1], sys=v[2], idle=v[3] + v[4],
                                 irq=v[5] + v[6], steal=v[7])
    return out


def machine_diff(a, b):
    out = {}
    for c in a:
        d = {k: b[c][k] - a[c][k] for k in a[c]}
        t = sum(d.values()) or 1
        out[c] = {k: round(100 * x / t, 1) for k, x in d.items()}
    return out


class Cgroup:
    """CPU time in ns of all processes put in it (v1 cpuacct or v2)"""
    def __init__(self, name):
        self.path = self.file = None
        for base, f in (('/sys/fs/cgroup/cpuacct', 'cpuacct.usage'),
                        ('/sys/fs/cgroup', 'cpu.stat')):
            if not os.path.exists(os.path.join(base, 'cgroup.procs')):
                continue
            p = os.path.join(base, name)
            try:
                os.makedirs(p, exist_ok=True)
            except OSError:
                continue
            if os.path.exists(os.path.join(p, f)):
                self.path, self.file = p, os.path.join(p, f)
                return

    def add(self, pid):
        if self.path:
            with open(os.path.join(self.path, 'cgroup.procs'), 'w') as f:
                f.write(str(pid))

    def usage(self):
        if not self.file:
            return None
        with open(self.file) as f:
            t = f.read()
        if self.file.endswith('cpu.stat'):
            return int(t.split('usage_usec', 1)[1].split()[0]) / 1e6
        return int(t) / 1e9

    def close(self):
        if self.path:
            with contextlib.suppress(OSError):
                os.rmdir(self.path)


# ------------------------------------------------------------------ env
class Env:
    """Two network namespaces joined by a veth pair; nothing else is used.

    sut: the peer (10.77.0.1); prb: probe and SIP generators (10.77.0.2).
    What the peer sends is received on the other CPU (RPS), as a NIC would.
    """
    def __init__(self, sut_cpus='0', prb_cpus='1', rps=True):
        p = os.getpid()
        self.sut, self.prb = 'tb%ds' % p, 'tb%dp' % p
        self.ifs, self.ifp = 'tbs', 'tbp'
        self.sut_cpus, self.prb_cpus = sut_cpus, prb_cpus
        os.sched_setaffinity(0, {int(c) for c in prb_cpus.split(',')})
        self.procs = []
        os.makedirs(RUN, exist_ok=True)
        os.makedirs(RESULTS, exist_ok=True)
        for ns in (self.sut, self.prb):
            sh('ip', 'netns', 'add', ns)
        a, b = 'tb%da' % p, 'tb%db' % p
        sh('ip', 'link', 'add', a, 'type', 'veth', 'peer', 'name', b)
        sh('ip', 'link', 'set', a, 'netns', self.sut, 'name', self.ifs)
        sh('ip', 'link', 'set', b, 'netns', self.prb, 'name', self.ifp)
        for ns, i, ip in ((self.sut, self.ifs, SUT_IP),
                          (self.prb, self.ifp, PRB_IP)):
            sh('ip', '-n', ns, 'addr', 'add', ip + '/16', 'dev', i)
            sh('ip', '-n', ns, 'link', 'set', 'lo', 'up')
            sh('ip', '-n', ns, 'link', 'set', i, 'up')
            sh('ip', '-n', ns, 'route', 'add', '224.0.0.0/4', 'dev', i)
            sh('ip', 'netns', 'exec', ns, 'sysctl', '-qw',
               'net.ipv4.igmp_max_memberships=4000')
            sh('ip', 'netns', 'exec', ns, 'sysctl', '-qw',
               'net.ipv4.ip_local_port_range=40000 60999', check=False)
        if rps:
            mask = sum(1 << int(c) for c in prb_cpus.split(','))
            sh('ip', 'netns', 'exec', self.prb, 'sh', '-c',
               'echo %x > /sys/class/net/%s/queues/rx-0/rps_cpus' %
               (mask, self.ifp))
        # else a stall of the probe's CPU overflows the RPS queue (1000) and
        # looks like loss; put back by close()
        self.backlog = None
        with contextlib.suppress(OSError):
            with open(BACKLOG) as f:
                self.backlog = f.read()
            with open(BACKLOG, 'w') as f:
                f.write('50000')
        self.cg = Cgroup('tocsin-bench-%d' % p)

    def close(self):
        for p in list(self.procs):
            self.kill(p)
        for ns in (self.sut, self.prb):
            sh('ip', 'netns', 'del', ns, check=False)
        if self.backlog:
            with contextlib.suppress(OSError):
                with open(BACKLOG, 'w') as f:
                    f.write(self.backlog)
        self.cg.close()

    @contextlib.contextmanager
    def inside(self, ns):
        """sockets made within belong to that namespace"""
        old = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
        new = os.open('/run/netns/' + ns, os.O_RDONLY)
        try:
            if _libc.setns(new, 0x40000000):
                raise OSError(ctypes.get_errno(), 'setns')
            yield
        finally:
            _libc.setns(old, 0x40000000)
            os.close(old)
            os.close(new)

    def _spawn(self, ns, cpus, argv, cg, **kw):
        def pre():
            os.setsid()
            if cg:
                self.cg.add(os.getpid())
        p = subprocess.Popen(['ip', 'netns', 'exec', ns, 'taskset', '-c',
                              cpus] + list(argv), preexec_fn=pre, **kw)
        self.procs.append(p)
        return p

    def spawn_sut(self, argv, **kw):
        kw.setdefault('stdout', subprocess.DEVNULL)
        kw.setdefault('stderr', subprocess.DEVNULL)
        kw.setdefault('stdin', subprocess.DEVNULL)
        return self._spawn(self.sut, self.sut_cpus, argv, True, **kw)

    def spawn_prb(self, argv, **kw):
        kw.setdefault('stdout', subprocess.PIPE)
        kw.setdefault('text', True)
        return self._spawn(self.prb, self.prb_cpus, argv, False, **kw)

    def kill(self, p, sig=signal.SIGTERM, wait=5):
        if p.poll() is None:
            with contextlib.suppress(OSError):
                p.send_signal(sig)
            try:
                p.wait(wait)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait(5)
        if p in self.procs:
            self.procs.remove(p)

    # ---- probes
    def probe(self, n=0, m=0, seconds=60, warm_ms=0, out=None, events=False,
              drain_ms=20, per_stream=False, gap_ms=300):
        a = [os.path.join(BUILD, 'rtpprobe'), '-i', self.ifp, '-d',
             str(seconds), '-w', str(warm_ms), '-q', str(drain_ms),
             '-G', str(gap_ms), '-c', self.sut_cpus.split(',')[0]]
        if n:
            a += ['-g', GROUP, '-n', str(n), '-p', str(PORT)]
        if m:
            a += ['-u', PRB_IP, '-m', str(m), '-p', str(SPK_RTP), '-k', '2']
        if out:
            a += ['-o', out]
        if events:
            a += ['-e']
        if per_stream:
            a += ['-S']
        p = self.spawn_prb(a)
        line = p.stdout.readline()
        if not line.startswith('READY'):
            raise RuntimeError('rtpprobe did not start: ' + line)
        return p

    def probe_end(self, p, out):
        self.kill(p, signal.SIGINT)
        with open(out) as f:
            return json.load(f)

    def uac(self, user, out=None, extra=(), port=5062, rtp=30000):
        a = [os.path.join(BUILD, 'sipgen'), 'uac', '-l', PRB_IP, '-s',
             str(port), '-t', '%s:%d' % (SUT_IP, SIP_PORT), '-u', user, '-p',
             str(rtp)] + list(extra)
        if out:
            a += ['-o', out]
        return self.spawn_prb(a)

    def uas(self, out=None, extra=()):
        a = [os.path.join(BUILD, 'sipgen'), 'uas', '-l', PRB_IP, '-s',
             str(SPK_PORT), '-p', str(SPK_RTP)] + list(extra)
        if out:
            a += ['-o', out]
        p = self.spawn_prb(a)
        p.stdout.readline()
        return p


class Meter:
    """CPU (s) of the peer between two moments"""
    def __init__(self, env, driver):
        self.env, self.drv = env, driver
        self.t0 = time.monotonic()
        self.c0 = env.cg.usage()
        self.p0 = {p: proc_cpu(p) for p in driver.pids()}
        self.m0 = machine()

    def read(self):
        wall = time.monotonic() - self.t0
        stat = sum(proc_cpu(p) - self.p0.get(p, 0) for p in self.drv.pids())
        cg = self.env.cg.usage()
        rss = hwm = thr = 0
        for p in self.drv.pids():
            s = proc_status(p)
            rss += s.get('VmRSS', 0)
            hwm += s.get('VmHWM', 0)
            thr += s.get('Threads', 0)
        return dict(wall_s=round(wall, 3), cpu_stat_s=round(stat, 3),
                    cpu_s=round(cg - self.c0 if cg is not None else stat, 4),
                    rss_mb=round(rss / 1024, 1), hwm_mb=round(hwm / 1024, 1),
                    threads=thr, machine=machine_diff(self.m0, machine()))


class Driver:
    """One peer.  Every method may raise NotImplementedError: the bench then
    notes 'not supported' and goes on.  See README.md."""
    name = 'peer'
    can = ()    # of: call-zones file-zones streams speakers echo

    def __init__(self, env):
        self.env = env
        self.dir = os.path.join(RUN, '%s-%d' % (self.name, os.getpid()))

    def version(self):
        return '?'

    def start(self, zones=(), speakers=0, wav=None, wavs=()):
        """configure and start; return when ready for triggers"""
        raise NotImplementedError

    def pids(self):
        return []

    def user(self, what):
        """SIP user to call for: 'page' (call to all zones), 'echo'"""
        return what

    def trigger(self, what):
        """API trigger for 'zones' (wav to all zones), 'streams' (wav i to
        zone i), 'speakers' (wav to all speakers); returns the
        CLOCK_REALTIME ns taken just before the request was sent"""
        raise NotImplementedError

    def end(self):
        """end what trigger() began; the peer stays up"""

    def stop(self):
        pass

    # helpers
    def fresh_dir(self, d=None):
        d = d or self.dir
        shutil.rmtree(d, ignore_errors=True)
        os.makedirs(d)
        return d


def drivers():
    out = {}
    sys.path.insert(0, os.path.join(HERE, 'drivers'))
    sys.path.insert(0, HERE)
    for f in sorted(glob.glob(os.path.join(HERE, 'drivers', '*.py'))):
        m = __import__(os.path.basename(f)[:-3])
        for v in vars(m).values():
            if isinstance(v, type) and v.__name__.endswith('Driver') and \
               getattr(v, 'name', 'peer') != 'peer':
                out[v.name] = v
    return out
