"""Small exposures made to order, and keys for their recipients."""

import datetime
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pyrage import decrypt, x25519

from vigie.delivery.packets import Outcome
from vigie.delivery.recipients import Recipient
from vigie.exposure import EXPOSURE

AT = datetime.datetime(2025, 9, 1, 8, 0, tzinfo=datetime.UTC)


def write_exposure(path: Path, rows: Iterable[tuple[bytes, str, str, str | None]]) -> Path:
    """Write rows of (person, data class, how, controller)."""
    said = sorted(rows, key=lambda row: (row[0], row[1], row[2], row[3] or ""))
    columns = list(zip(*said, strict=True)) or [(), (), (), ()]
    count = len(said)
    table = pa.table(
        [
            pa.array(columns[0], pa.binary(16)), pa.array(columns[1], pa.string()),
            pa.array(columns[2], pa.string()),
            pa.array([AT] * count, pa.timestamp("us", "UTC")),
            pa.array([AT] * count, pa.timestamp("us", "UTC")),
            pa.array(["jdupont"] * count, pa.string()),
            pa.array(columns[3], pa.string()), pa.array(["certain"] * count, pa.string()),
            pa.array([1] * count, pa.int64()),
        ],
        schema=EXPOSURE,
    )  # fmt: skip
    pq.write_table(table, path)
    return path


class Keys:
    """An age pair per controller, and the recipients that go with them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.identities = {name: x25519.Identity.generate() for name in names}
        self.recipients = {
            name: Recipient(name, age=(identity.to_public(),))
            for name, identity in self.identities.items()
        }

    def open_all(self, outcome: Outcome, folder: Path) -> dict[str, zipfile.ZipFile]:
        """Return each controller's packet, opened with its own key."""
        archives = {}
        for packet in outcome.packets:
            data = (folder / packet.file.name).read_bytes()
            clear = decrypt(data, [self.identities[packet.controller]])
            archives[packet.controller] = zipfile.ZipFile(io.BytesIO(clear))
        return archives


def certificate(path: Path, kind: str = "rsa", days: int = 30, usage: bool = True):
    """Write a self-signed certificate and return its private key."""
    key = {
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
        "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
    }[kind]()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mutuelle d'essai")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.KeyUsage(
            digital_signature=True, content_commitment=False,
            key_encipherment=usage and kind == "rsa", data_encipherment=False,
            key_agreement=usage and kind == "ec", key_cert_sign=False, crl_sign=False,
            encipher_only=False, decipher_only=False), critical=True)
        .sign(key, None if kind == "ed25519" else hashes.SHA256())
    )  # fmt: skip
    path.write_bytes(made.public_bytes(Encoding.PEM))
    return key
