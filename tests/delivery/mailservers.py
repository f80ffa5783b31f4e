"""A private Exim, and a server that drops the line where it is told to."""

import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from servers import Unavailable, free_port


def authority(top: Path) -> Path:
    """Make an authority of our own and a certificate of localhost; return the authority's file."""
    now = datetime.now(UTC)

    def named(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    root = ec.generate_private_key(ec.SECP256R1())
    own = ec.generate_private_key(ec.SECP256R1())
    base = x509.CertificateBuilder().issuer_name(named("essai")).not_valid_before(
        now - timedelta(days=1)
    ).not_valid_after(now + timedelta(days=2))  # fmt: skip
    ca = (
        base.subject_name(named("essai")).public_key(root.public_key()).serial_number(1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False),
                       critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root.public_key()), False)
        .sign(root, hashes.SHA256())
    )  # fmt: skip
    leaf = (
        base.subject_name(named("localhost")).public_key(own.public_key()).serial_number(2)
        .add_extension(x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), False)
        .sign(root, hashes.SHA256())
    )  # fmt: skip
    (top / "ca.pem").write_bytes(ca.public_bytes(Encoding.PEM))
    (top / "cert.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
    key = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (top / "key.pem").write_bytes(key)
    (top / "key.pem").chmod(0o600)
    return top / "ca.pem"


@dataclass(frozen=True)
class MailServer:
    port: int
    ca_file: Path
    mails: Path

    def received(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted(self.mails.rglob("*")) if path.is_file()]


_CONFIG = """
spool_directory = {top}/spool
log_file_path = {top}/spool/%slog
pid_file_path = {top}/pid
exim_user = {user}
exim_group = {group}
never_users =
primary_hostname = localhost
domainlist ours = essai.fr
tls_certificate = {top}/cert.pem
tls_privatekey = {top}/key.pem
tls_advertise_hosts = *
acl_smtp_mail = encrypted
acl_smtp_rcpt = known
begin acl
encrypted:
  deny !encrypted = *
  accept
known:
  accept domains = +ours
         local_parts = zoe : luc : dpo-a : dpo-b
  deny message = no such person
begin routers
kept:
  driver = accept
  transport = kept
begin transports
kept:
  driver = appendfile
  directory = {top}/mails
  maildir_format
  user = {user}
  group = {group}
"""


@contextmanager
def exim() -> Iterator[MailServer]:
    """Start Exim on a port of our own, with STARTTLS required, keeping mails for essai.fr."""
    binary = shutil.which("exim4", path="/usr/sbin") or shutil.which("exim", path="/usr/sbin")
    if not binary:
        raise Unavailable("Exim is not installed on this machine")
    if os.geteuid() != 0:
        raise Unavailable("Exim reads a configuration of our own for root only")
    user = next((u.pw_name for u in pwd.getpwall() if u.pw_name in ("Debian-exim", "exim")), "")
    if not user:
        raise Unavailable("Exim has no user on this machine")
    top = Path(tempfile.mkdtemp(prefix="vigie-exim-"))
    top.chmod(0o755)
    ca, port = authority(top), free_port()
    for name in ("spool", "mails"):
        (top / name).mkdir()
    config = top / "exim.conf"
    config.write_text(_CONFIG.format(top=top, user=user, group=user))
    for path in (top / "spool", top / "mails", top / "key.pem", top / "cert.pem"):
        shutil.chown(path, user, user)
    log = (top / "log").open("wb")
    server = subprocess.Popen(
        [binary, "-C", config, "-bdf", "-q1h", "-oX", f"127.0.0.1.{port}"], stdout=log, stderr=log
    )
    try:
        _wait(port, server, top / "log")
        yield MailServer(port, ca, top / "mails" / "new")
    finally:
        server.terminate()
        server.wait(10)
        log.close()
        shutil.rmtree(top)


def _wait(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    for _attempt in range(200):
        if server.poll() is not None:
            raise RuntimeError(f"Exim does not start: {log.read_text()[-300:]}")
        try:
            with socket.create_connection(("127.0.0.1", port), 0.2):
                return
        except OSError:
            threading.Event().wait(0.05)
    raise RuntimeError("Exim does not answer")


class Dropping:
    """A server over TLS that answers rightly until `after`, then drops the line.

    `after` is `MAIL`, `DATA` (before the text) or `TEXT` (once the whole text was read); with
    `HANG` it reads the text, the `hang_at`-th from 1 on, and says nothing until `release` is set.
    """

    def __init__(self, top: Path, after: str, code: int = 250, hang_at: int = 1) -> None:
        self.ca_file, self.after, self.code = authority(top), after, code
        self._hang_at = hang_at
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(top / "cert.pem", top / "key.pem")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.texts: list[bytes] = []
        self.read, self.release = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Dropping":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                plain, _peer = self._listener.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as link:
                    self._talk(link)
            except (OSError, ValueError):
                continue

    def _talk(self, link: ssl.SSLSocket) -> None:
        file = link.makefile("rwb")

        def say(text: str) -> None:
            file.write(text.encode() + b"\r\n")
            file.flush()

        say("220 essai")
        for line in iter(file.readline, b""):
            word = line[:4].upper().decode().strip()
            if word == "QUIT":
                return say("221 bye")
            if word == self.after[:4] and self.after not in ("TEXT", "HANG"):
                return None
            if word == "DATA":
                say("354 go on")
                text = b"".join(iter(file.readline, b".\r\n"))
                self.texts.append(text)
                hanging = self.after == "HANG" and len(self.texts) == self._hang_at
                if hanging:
                    self.read.set()
                    self.release.wait(30)
                if self.after == "TEXT" or hanging:
                    return None
            say(f"{self.code if word == 'RCPT' else 250} ok")
        return None
