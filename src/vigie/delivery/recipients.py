"""To whom a packet leaves: a controller's address, and the key to which it is encrypted.

A file of recipients, TOML, has one table per controller under the name that the contracts use;
`[operator]` is the house itself, which keeps the persons that no contract gives to anybody:

    [operator]
    age = "age1…"

    [controllers."Mutuelle des Dunes"]
    certificate = "certificats/dunes.pem"
    email = "dpo@dunes.mssante.fr"
    largest_mb = 5.0                   # where this mailbox takes less than smtp.toml says
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from vigie.config import read_toml
from vigie.errors import SecretError, reason_of
from vigie.language import N_, Text
from vigie.sealing import age_key

OPERATOR: Final = ""
_UNREADABLE: Final = N_("the recipients cannot be read ({reason})")
_WANTED: Final = N_('write [controllers."NAME"] with age or certificate for each')
"""The recipient of what no controller is to have."""
_NAMED: Final = 5


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says of one recipient."""

    age: str | list[str] = ""
    certificate: str = ""
    email: str = ""
    largest_mb: Annotated[float, msgspec.Meta(ge=0.5)] | None = None


class Recipients(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file as it is written."""

    operator: Said = Said()
    controllers: dict[str, Said] = {}


class Recipient(msgspec.Struct, frozen=True):
    """One recipient: the `age` keys or the X.509 `certificates` that open what it is sent."""

    name: str
    age: tuple[Any, ...] = ()
    certificates: tuple[x509.Certificate, ...] = ()
    email: str = ""
    largest_mb: float | None = None

    @property
    def suffix(self) -> str:
        """How the name of an encrypted file ends."""
        return ".age" if self.age else ".p7m"


def load_recipients(path: Path) -> dict[str, Recipient]:
    """Read and check a file of recipients; the operator is under the empty name.

    Raises `SettingsError` for a file that is none, `SecretError` for a key that is no key.
    """
    said = read_toml(path, Recipients, _UNREADABLE, _WANTED)
    everybody = {OPERATOR: said.operator} | said.controllers
    return {
        name: _recipient(name, one, path)
        for name, one in everybody.items()
        if one.age or one.certificate or name != OPERATOR
    }


def require(recipients: dict[str, Recipient], controllers: Iterable[str], where: str) -> None:
    """Raise `SecretError` when a controller has no key: a packet that nobody can open is lost."""
    missing = [name for name in controllers if name not in recipients]
    if missing:
        raise SecretError(
            N_("controllers without a key to encrypt to: {count} ({names})"),
            where=where,
            remedy=N_("add each to the file, and [operator] for persons without a controller"),
            count=len(missing),
            names=", ".join(name or "[operator]" for name in missing[:_NAMED])
            + (", …" if len(missing) > _NAMED else ""),
        )


def _recipient(name: str, said: Said, path: Path) -> Recipient:
    where = f"{path} ({name or '[operator]'})"
    if bool(said.age) == bool(said.certificate):
        raise SecretError(
            N_("a recipient has one age key or one certificate"),
            where=where,
            remedy=N_('write age = "age1…" or certificate = "file.pem"'),
        )
    if said.age:
        keys = [said.age] if isinstance(said.age, str) else said.age
        opened = tuple(age_key(key, where) for key in keys)
        return Recipient(name, age=opened, email=said.email, largest_mb=said.largest_mb)
    found = certificates(path.parent / said.certificate)
    return Recipient(name, certificates=found, email=said.email, largest_mb=said.largest_mb)


def certificates(path: Path, now: datetime | None = None) -> tuple[x509.Certificate, ...]:
    """Read the X.509 certificate of a recipient, PEM or DER, valid today, with an RSA key or
    an elliptic curve (key agreement).

    Raises `SecretError` saying which of these it is not.
    """
    try:
        data = path.read_bytes()
        found = (
            x509.load_pem_x509_certificate(data)
            if b"-----BEGIN" in data
            else x509.load_der_x509_certificate(data)
        )
    except OSError as error:
        raise _no_certificate(path, reason_of(error)) from None
    except (ValueError, x509.InvalidVersion):
        raise _no_certificate(path, N_("it is no certificate")) from None
    at = now or datetime.now(UTC)
    if not found.not_valid_before_utc <= at <= found.not_valid_after_utc:
        raise _no_certificate(path, N_("it is not valid today"))
    if not isinstance(found.public_key(), rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise _no_certificate(path, N_("its key is neither RSA nor an elliptic curve"))
    if not _may_encrypt(found):
        raise _no_certificate(path, N_("it is for signing, not for encryption"))
    return (found,)


def _may_encrypt(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    if isinstance(certificate.public_key(), ec.EllipticCurvePublicKey):
        return bool(usage.key_agreement)
    return bool(usage.key_encipherment or usage.data_encipherment)


def _no_certificate(path: Path, reason: Text) -> SecretError:
    return SecretError(
        N_("the certificate cannot be used ({reason})"),
        where=str(path),
        remedy=N_("ask the recipient for its encryption certificate, PEM or DER, or an age key"),
        reason=reason,
    )
