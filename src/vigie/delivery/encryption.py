"""Encryption to a recipient as the bytes are made: age, or CMS for an X.509 certificate.

What is encrypted exists in clear in memory alone. CMS (RFC 5652) with AES-256 is streamed through
the `openssl` command, which takes RSA and elliptic curves. Where there is none it is made by
`cryptography`, which has RSA only and takes the whole content, four times its size in memory:
beyond `LARGEST_CMS` it is refused.

Sources: https://age-encryption.org/v1; RFC 5652, RFC 3565 (AES in CMS), RFC 5753 (ECDH in CMS).
"""

import hashlib
import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE
from tempfile import TemporaryDirectory
from threading import Thread
from typing import IO, Final

import pyrage
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from vigie.delivery.recipients import Recipient
from vigie.errors import SecretError
from vigie.language import N_

LARGEST_CMS: Final = 512 << 20
_BLOCK: Final = 1 << 20
_OPENSSL: Final = "openssl"


@dataclass(frozen=True, slots=True)
class Written:
    """One encrypted file: its name, size in bytes and SHA-256 (hexadecimal)."""

    name: str
    size: int
    sha256: str


def write_encrypted(pieces: Iterator[bytes], to: Recipient, path: Path) -> Written:
    """Encrypt `pieces` to `to` into the new file `path`, visible only once it is whole."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            sink = _Hashed(file)
            _encrypt(pieces, to, sink)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return Written(path.name, sink.size, sink.digest.hexdigest())


def _encrypt(pieces: Iterator[bytes], to: Recipient, sink: "_Hashed") -> None:
    if to.age:
        _age(pieces, to, sink)
    elif program := shutil.which(_OPENSSL):
        _streamed(program, pieces, to, sink)
    else:
        sink.write(cms(b"".join(_bounded(pieces, to)), to))


def _age(pieces: Iterator[bytes], to: Recipient, sink: "_Hashed") -> None:
    source = _Source(pieces)
    try:
        pyrage.encrypt_io(io.BufferedReader(source, _BLOCK), sink, list(to.age))
    except pyrage.EncryptError:
        # The library reports what its reader or writer raised as an error of its own.
        raise (source.error or sink.error or SecretError(N_("encryption failed"))) from None


def _streamed(program: str, pieces: Iterator[bytes], to: Recipient, sink: "_Hashed") -> None:
    """Make CMS as the pieces come; only the certificates, which are public, touch the disk."""
    with TemporaryDirectory() as folder:
        command = [program, "cms", "-encrypt", "-binary", "-stream", "-outform", "DER",
                   "-aes-256-cbc", *_recipients(to, Path(folder))]  # fmt: skip
        with subprocess.Popen(  # noqa: S603 - our own words and paths
            command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        ) as running:
            assert running.stdin is not None
            assert running.stdout is not None
            draining = Thread(target=_drain, args=(running.stdout, sink))
            draining.start()
            try:
                _pour(pieces, running.stdin)
            except BaseException:
                running.kill()
                raise
            finally:
                draining.join()
        if sink.error or running.returncode:
            raise sink.error or SecretError(N_("encryption failed"), where=to.name)


def _pour(pieces: Iterator[bytes], out: IO[bytes]) -> None:
    with suppress(BrokenPipeError):  # the exit code of who stopped listening says that it failed
        for piece in pieces:
            out.write(piece)
        out.close()


def _recipients(to: Recipient, folder: Path) -> list[str]:
    words: list[str] = []
    for number, certificate in enumerate(to.certificates):
        path = folder / f"{number}.pem"
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
        words += ["-recip", str(path)]
        if isinstance(certificate.public_key(), ec.EllipticCurvePublicKey):
            words += ["-keyopt", "ecdh_kdf_md:sha256"]
    return words


def _drain(source: IO[bytes], sink: "_Hashed") -> None:
    with suppress(OSError):  # the sink keeps it; what is left is read so that the other side ends
        while data := source.read(_BLOCK):
            sink.write(data)
    while source.read(_BLOCK):
        pass


def cms(data: bytes, to: Recipient) -> bytes:
    """Return `data` as CMS EnvelopedData, DER, content in AES-256-CBC; RSA only."""
    if not all(isinstance(c.public_key(), rsa.RSAPublicKey) for c in to.certificates):
        raise SecretError(
            N_("a certificate with an elliptic curve needs the openssl command"),
            where=to.name,
            remedy=N_("install openssl, or give this recipient an age key"),
        )
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(data)
    for certificate in to.certificates:
        builder = builder.add_recipient(certificate)
    builder = builder.set_content_encryption_algorithm(algorithms.AES256)
    return builder.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def _bounded(pieces: Iterator[bytes], to: Recipient) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > LARGEST_CMS:
            raise SecretError(
                N_("the packet is too large for a certificate (CMS) without the openssl command"),
                where=to.name,
                remedy=N_("install openssl, or give this recipient an age key"),
            )
        yield piece


class _Source(io.RawIOBase):
    """A file to read from, over pieces that are made as they are read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, memoryview(b"")
        self.error: Exception | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        while not self._left:
            piece = self._next()
            if piece is None:
                return 0
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def _next(self) -> bytes | None:
        try:
            return next(self._pieces, None)
        except Exception as error:
            self.error = error
            raise


class _Hashed:
    """A file to write to, that knows the hash and the size of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest, self.size = hashlib.sha256(), 0
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self._file.flush()
