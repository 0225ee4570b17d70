"""Certificates made by openssl, for peers that speak TLS."""
import subprocess

CA = '''[ca]
default_ca = d
[d]
dir = .
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = p
x509_extensions = ext
[p]
commonName = supplied
[ext]
subjectAltName = {san}
'''


class Authority:
    """A certificate authority in a folder of its own."""

    def __init__(self, folder, name="ca"):
        self.dir = folder / name
        self.dir.mkdir(parents=True)
        self.pem = self.dir / "ca.pem"
        (self.dir / "index").touch()
        (self.dir / "serial").write_text("01\n")
        self._run("req", "-x509", *self._key("ca"), "-days", "2", "-subj", f"/CN={name}",
                  "-out", "ca.pem")

    @staticmethod
    def _key(name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key"]

    def _run(self, *args):
        subprocess.run(["openssl", *args], cwd=self.dir, check=True, capture_output=True)

    def issue(self, name, san, start="20200101000000Z", end="20990101000000Z"):
        """(certificate, key) for subject alternative name san, like "IP:10.9.0.5"."""
        (self.dir / f"{name}.conf").write_text(CA.format(san=san))
        self._run("req", *self._key(name), "-subj", f"/CN={name}", "-out", f"{name}.csr")
        self._run("ca", "-batch", "-config", f"{name}.conf", "-cert", "ca.pem", "-keyfile",
                  "ca.key", "-in", f"{name}.csr", "-out", f"{name}.pem", "-notext",
                  "-startdate", start, "-enddate", end)
        return self.dir / f"{name}.pem", self.dir / f"{name}.key"
