"""One message to one mailbox over SMTP, and what became of it.

The server's certificate is always checked and the session always encrypted, by STARTTLS (RFC 3207)
or from the first byte (RFC 8314). What a server answers decides: accepted is *sent*, a 5xx is
*refused*, a 4xx is *deferred* and may be tried again. Once the text of a message has begun to
leave, a connection that drops leaves the outcome *uncertain*: nobody here can know it.

Sources: RFC 5321; MSSanté boxes are reached through the operator's own submission server.
"""

import re
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from vigie.config import read_toml
from vigie.errors import SecretError, SettingsError, VigieError, reason_of
from vigie.language import N_, Text

SETTINGS: Final = "smtp.toml"
_UNREADABLE: Final = N_("the mail server cannot be read ({reason})")
_WANTED: Final = N_("write host, sender and, where needed, port, tls, user, password_file, ca_file")


class Fate(StrEnum):
    """What became of a message."""

    SENT = "sent"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNCERTAIN = "uncertain"


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The operator's submission server; `password_file` is readable by its owner only.

    `largest_mb` is the largest message that leaves, in millions of bytes: many mailboxes take no
    more than ten, whatever this server says of itself.
    """

    host: str
    sender: str
    port: int = 587
    tls: str = "starttls"
    user: str = ""
    password_file: str = ""
    ca_file: str = ""
    timeout: float = 60.0
    largest_mb: float = 10.0


class Outcome(msgspec.Struct, frozen=True):
    """The fate of a message and the server's code (0: none), not its text, which quotes names."""

    fate: Fate
    code: int = 0


class UnreachableError(VigieError):
    """The mail server cannot be reached, or not safely: nothing was sent."""


def load_server(home: Path) -> Server:
    """Read `smtp.toml`; raises `SettingsError` when it is missing or spoilt."""
    path = home / SETTINGS
    said = read_toml(path, Server, _UNREADABLE, _WANTED)
    if said.tls not in ("starttls", "implicit"):
        reason = N_("tls is neither starttls nor implicit")
        raise SettingsError(_UNREADABLE, where=str(path), remedy=_WANTED, reason=reason)
    return said


def password_of(server: Server, home: Path) -> str:
    """Read the password; raises `SecretError` when others may read it too."""
    path = home / server.password_file
    try:
        if path.stat().st_mode & 0o077:
            raise SecretError(
                N_("the password can be read by others than its owner"),
                where=str(path),
                remedy=N_("run chmod 600 on it"),
            )
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise SecretError(
            N_("the password cannot be read ({reason})"),
            where=str(path), remedy=N_("check its name and your rights on it"),
            reason=reason_of(error),
        ) from None  # fmt: skip


class Session:
    """One encrypted connection, made again when it was lost between two messages."""

    def __init__(self, server: Server, home: Path) -> None:
        self._server, self._home = server, home
        self._link: smtplib.SMTP | None = None

    def __enter__(self) -> "Session":
        self._connect()
        return self

    def __exit__(self, *error: object) -> None:
        self._drop()

    @property
    def largest(self) -> int:
        """The largest message, in bytes, that settings and server allow (SIZE, RFC 1870)."""
        link = self._link or self._connect()
        said = link.esmtp_features.get("size", "")
        own = int(self._server.largest_mb * 1_000_000)
        return min(own, int(said)) if said.isdecimal() and int(said) else own

    def send(self, message: EmailMessage, to: str) -> Outcome:
        """Send one message and return its fate; raises `UnreachableError` without a server."""
        link = self._link or self._connect()
        try:
            refusal = self._envelope(link, to)
        except (smtplib.SMTPException, OSError):
            # Before its text left nothing of the message can have been taken.
            self._drop()
            return Outcome(Fate.DEFERRED)
        if refusal:
            return _judge(refusal)
        try:
            return _judge(self._text(link, message))
        except (smtplib.SMTPException, OSError):
            self._drop()
            return Outcome(Fate.UNCERTAIN)

    def _envelope(self, link: smtplib.SMTP, to: str) -> int:
        """Go as far as the text; return the code of a refusal, 0 when the text may follow."""
        steps: tuple[Callable[[], tuple[int, bytes]], ...] = (
            lambda: link.mail(self._server.sender),
            lambda: link.rcpt(to),
            lambda: link.docmd("DATA"),
        )
        for step in steps:
            code, _text = step()
            if code >= 400 or code < 0:
                link.rset()
                return code if code > 0 else 400
        return 0

    def _text(self, link: smtplib.SMTP, message: EmailMessage) -> int:
        data = message.as_bytes(policy=SMTP.clone(max_line_length=998))
        link.send(re.sub(rb"(?m)^\.", b"..", data).rstrip(b"\r\n") + b"\r\n.\r\n")
        code, _text = link.getreply()
        return code

    def _connect(self) -> smtplib.SMTP:
        try:
            self._link = link = self._open()
            self._secure(link)
        except ssl.SSLError as error:
            # Its errno is not that of the system.
            why = getattr(error, "verify_message", "") or error.reason or type(error).__name__
            raise self._unreachable(why) from None
        except smtplib.SMTPNotSupportedError:
            raise self._unreachable(N_("it offers no encryption")) from None
        except smtplib.SMTPAuthenticationError:
            raise self._unreachable(N_("it refuses the user or the password")) from None
        except smtplib.SMTPException:
            raise self._unreachable(N_("it does not answer as a mail server")) from None
        except OSError as error:
            raise self._unreachable(reason_of(error)) from None
        return link

    def _open(self) -> smtplib.SMTP:
        said = self._server
        if said.tls == "implicit":
            context = ssl.create_default_context(cafile=said.ca_file or None)
            return smtplib.SMTP_SSL(said.host, said.port, timeout=said.timeout, context=context)
        return smtplib.SMTP(said.host, said.port, timeout=said.timeout)

    def _secure(self, link: smtplib.SMTP) -> None:
        said = self._server
        if said.tls == "starttls":
            link.starttls(context=ssl.create_default_context(cafile=said.ca_file or None))
        link.ehlo_or_helo_if_needed()
        if said.user:
            link.login(said.user, password_of(said, self._home))

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            try:
                link.quit()
            except (smtplib.SMTPException, OSError):
                link.close()

    def _unreachable(self, reason: Text) -> UnreachableError:
        if self._link is not None:
            self._link.close()
            self._link = None
        return UnreachableError(
            N_("the mail server cannot be used ({reason})"),
            where=f"{self._server.host}:{self._server.port}",
            remedy=N_("check smtp.toml and the server; what was not sent stays in the queue"),
            reason=reason,
        )


def _judge(code: int) -> Outcome:
    if code < 400:
        return Outcome(Fate.SENT, code)
    return Outcome(Fate.REFUSED if code >= 500 else Fate.DEFERRED, code)
