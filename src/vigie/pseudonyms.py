"""Keyed pseudonyms: what stands in the waist in place of a patient's identifier.

A pseudonym is 16 bytes: keyed BLAKE2b of the authority and the value, then one AES-128 encryption
per rotation of the key. A rotation therefore *permutes* the pseudonyms: those already stored are
re-encrypted without anyone reading the identifiers again, pairs stay pairs, and an old key with an
old copy of the table no longer matches the new one.

Sources: RFC 7693 (BLAKE2), FIPS 197 (AES); ENISA, "Pseudonymisation techniques and best
practices" (2019), on keyed functions against guessing a small space such as that of the NIR.
"""

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from vigie.errors import SecretError, reason_of
from vigie.events import KEY
from vigie.hashing.blake2 import hash_texts
from vigie.hashing.siphash import hash_spans
from vigie.language import N_

KEY_FILE: Final = "pseudonym.key"
_SEPARATOR: Final = b"\x1f"


@dataclass(frozen=True, repr=False)
class Keyring:
    """The secret behind the pseudonyms: a base key and one more key per rotation.

    The representation shows no secret, so that a logged or printed keyring leaks nothing.
    """

    base: bytes
    steps: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        """Say how often the key was rotated, and nothing else."""
        return f"<Keyring, {len(self.steps)} rotations>"

    @property
    def version(self) -> int:
        """The number of rotations so far; a store remembers the version it was written under."""
        return len(self.steps)

    @property
    def mark(self) -> str:
        """What tells this key from another, whatever its rotations, and gives nothing of it."""
        return hashlib.blake2b(b"mark", key=self.base, digest_size=16, person=b"mark").hexdigest()

    def rotated(self) -> "Keyring":
        """Return the keyring with one more key; `stores.rotation` re-encrypts what is stored."""
        return Keyring(self.base, (*self.steps, secrets.token_bytes(16)))

    def pseudonyms(self, values: pa.Array, authority: str, kind: str = "patient") -> pa.Array:
        """Return the 16-byte pseudonyms of text `values` that `authority` gave; null stays null.

        `kind` keeps apart patients, surnames, addresses and record ids, so that a surname never
        equals an identifier. Values must already be in their normal form.

        >>> ring = Keyring(bytes(32))
        >>> one, two = ring.pseudonyms(pa.array(["12345"]), "hospital-a")[0], (
        ...     ring.pseudonyms(pa.array(["12345"]), "hospital-b")[0])
        >>> len(one.as_py()), one == two
        (16, False)
        """
        encoded = values if pa.types.is_dictionary(values.type) else pc.dictionary_encode(values)
        prefix, person = authority.encode() + _SEPARATOR, kind.encode()[:16]
        digests = hash_texts(encoded.dictionary, self.base, prefix, person)
        return _keys_from(self.advanced(digests)).take(encoded.indices)

    def pseudonym(self, value: str, authority: str, kind: str = "patient") -> bytes:
        """Return the pseudonym of one value, for readers that memoise their own."""
        digest = self._digest(authority.encode() + _SEPARATOR + value.encode(), kind)
        return self.advanced(digest)

    def line_hashes(
        self, data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> pa.Array:
        """Return the keyed hashes of the raw lines `data[starts[i]:ends[i]]`."""
        key = hashlib.blake2b(b"line", key=self.base, digest_size=16).digest()
        digests = hash_spans(data, starts, ends, key).astype("<u8").tobytes()
        return _keys_from(self.advanced(digests))

    def cell_hashes(self, words: pa.Array) -> NDArray[np.uint64]:
        """Return keyed hashes of distinct texts, shape (n, 2), for the hash of a row of cells.

        They are never stored, so a rotation leaves them alone: it is `line_hashes` over them
        that it permutes.
        """
        texts = words.cast(pa.large_string())
        offsets, data = np.frombuffer(texts.buffers()[1], np.int64), texts.buffers()[2]
        offsets = offsets[texts.offset : texts.offset + len(texts) + 1]
        key = hashlib.blake2b(b"cell", key=self.base, digest_size=16).digest()
        return hash_spans(np.frombuffer(data or b"", np.uint8), offsets[:-1], offsets[1:], key)

    def record_hashes(
        self,
        data: bytes,
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        overlong: NDArray[np.int64],
    ) -> pa.Array:
        """Return `line_hashes`, but of `overlong` lines the hash that intake would have given.

        Intake never holds such a line whole: it hands on the SHA-256 of the line and its end.
        """
        hashes = self.line_hashes(np.frombuffer(data, np.uint8), starts, ends)
        if not len(overlong):
            return hashes
        digests = []
        for start in starts[overlong].tolist():
            end = data.find(b"\n", start) + 1 or len(data)
            digests.append(hashlib.sha256(data[start:end]).digest()[:16])
        keys = np.frombuffer(hashes.buffers()[1], np.uint8).reshape(-1, 16).copy()
        fresh = self.digest_keys(digests)
        keys[overlong] = np.frombuffer(fresh.buffers()[1], np.uint8).reshape(-1, 16)
        return _keys_from(keys.tobytes())

    def digest_keys(self, digests: list[bytes]) -> pa.Array:
        """Return the keyed hashes of lines of which only a digest is known."""
        return self.pseudonyms(pa.array([digest.hex() for digest in digests]), "", "line")

    def advanced(self, digests: bytes, since: int = 0) -> bytes:
        """Apply the rotations from number `since` on to concatenated 16-byte digests."""
        for step in self.steps[since:]:
            # ECB on single random-looking blocks is what is wanted here: a keyed permutation.
            encryptor = Cipher(algorithms.AES(step), modes.ECB()).encryptor()  # noqa: S305
            digests = encryptor.update(digests) + encryptor.finalize()
        return digests

    def receded(self, digests: bytes) -> bytes:
        """Undo the rotations: what the digests were under the base key alone.

        The store names events after these, so that a name can be told again after a rotation.
        """
        for step in reversed(self.steps):
            decryptor = Cipher(algorithms.AES(step), modes.ECB()).decryptor()  # noqa: S305
            digests = decryptor.update(digests) + decryptor.finalize()
        return digests

    def _digest(self, message: bytes, kind: str) -> bytes:
        person = kind.encode()[:16]
        return hashlib.blake2b(message, key=self.base, digest_size=16, person=person).digest()


def _keys_from(digests: bytes) -> pa.Array:
    return pa.Array.from_buffers(KEY, len(digests) // 16, [None, pa.py_buffer(digests)])


def open_keyring(home: Path) -> Keyring:
    """Read the keyring of `home`, making it (mode 0600) on first use.

    Raises `SecretError` when others may read the file or when it is malformed.
    """
    path = home / KEY_FILE
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        _create_exclusively(path, Keyring(secrets.token_bytes(32)))
    if path.stat().st_mode & 0o077:
        raise SecretError(
            N_("the key file can be read by others than its owner"),
            where=str(path),
            remedy=N_("run chmod 600 on it, and rotate the key if others read it"),
        )
    try:
        said = json.loads(path.read_text())
        base, steps = bytes.fromhex(said["base"]), tuple(map(bytes.fromhex, said["steps"]))
        if len(base) != 32 or any(len(step) != 16 for step in steps):
            raise ValueError
    except OSError as error:
        raise SecretError(
            N_("the key file cannot be read ({reason})"),
            where=str(path),
            remedy=N_("check its name and your rights on it"),
            reason=reason_of(error),
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SecretError(
            N_("this is not a key file"),
            where=str(path),
            remedy=N_("restore it from its backup, without which nothing stored matches"),
        ) from None
    return Keyring(base, steps)


def save_keyring(home: Path, keyring: Keyring) -> None:
    """Replace the key file of `home` at one stroke."""
    path = home / KEY_FILE
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    _write_private(fresh, keyring)
    fresh.replace(path)


def _create_exclusively(path: Path, keyring: Keyring) -> None:
    """Write the key under a private name, then link it: two first uses at once keep one key."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    _write_private(fresh, keyring)
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def _write_private(path: Path, keyring: Keyring) -> None:
    said = {"base": keyring.base.hex(), "steps": [step.hex() for step in keyring.steps]}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(said, file)
        file.flush()
        os.fsync(file.fileno())
