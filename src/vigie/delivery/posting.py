"""Packets by mail to the mailboxes of their controllers, as the queue of letters does it.

What leaves are the encrypted files of `packets.json`, checked against its hashes; the text of the
mail says what they are, and names nobody. A mail grows by a third over its file (base64).
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any, Final

from vigie.delivery.outbox import QUEUED
from vigie.delivery.packets import MANIFEST, read_manifest
from vigie.delivery.recipients import Recipient
from vigie.delivery.sending import Due, compose
from vigie.errors import RefusedError, UsageError
from vigie.language import N_, _, number
from vigie.notices.routes import mailbox
from vigie.notices.story import Story
from vigie.pseudonyms import Keyring

NO_MAILBOX: Final = "no_mailbox"
TOO_LARGE: Final = "too_large"
_KIND: Final = "controller"
_OVERHEAD: Final = 8_000
"""Bytes of a mail that are neither its attachment nor the ends of its lines."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One file to be mailed: to whom, where, and how large the mail will be (bytes).

    `persons` are those of the whole packet, `parts` all its files by name with their SHA-256.
    """

    controller: str
    to: str
    path: Path
    sha256: str
    persons: int
    size: int
    parts: tuple[tuple[str, str], ...]

    @property
    def part(self) -> int:
        """Which of the parts it is, from 1."""
        return self.parts.index((self.path.name, self.sha256)) + 1

    @property
    def named(self) -> str:
        """What the queue knows it by: a packet in one file, by its controller alone."""
        return f"{self.controller}\x1f{self.part}" if len(self.parts) > 1 else self.controller

    def standing(self, largest: int) -> str:
        """Say whether it leaves by mail, and why not."""
        if not self.to:
            return NO_MAILBOX
        return TOO_LARGE if self.size > largest else QUEUED


def parcels(
    folder: Path, recipients: dict[str, Recipient], facts: Collection[str], told: str = ""
) -> list[Parcel]:
    """Return the packets of a directory, less that which the operator keeps.

    `facts` are the hashes of those that they may tell, `told` that of what the time line tells.
    Raises `RefusedError` when they tell others or a file is not what was written.
    """
    try:
        said = read_manifest(folder / MANIFEST)
        found = [
            parcel
            for packet in said["packets"]
            if packet["controller"]
            for parcel in _parcels(folder, packet, recipients)
        ]
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            N_("this directory holds no packets"), where=str(folder),
            remedy=N_("make them: vigie notice render CASE controllers --out DIRECTORY"),
        ) from None  # fmt: skip
    if said.get("facts") not in facts:
        raise RefusedError(
            N_("these packets tell other facts than those of the case"), where=str(folder),
            remedy=N_("make them again from the facts that were approved"),
        )  # fmt: skip
    if said.get("told", "") != told:
        raise RefusedError(
            N_("these packets tell other measures, another cause or other dates than the case, or "
               "in other words"), where=str(folder),
            remedy=N_("make them again as they were approved"),
        )  # fmt: skip
    return found


def _parcels(
    folder: Path, packet: dict[str, Any], recipients: dict[str, Recipient]
) -> list[Parcel]:
    name = packet["controller"]
    to = recipients.get(name, Recipient(name))
    files = [part["file"] for part in packet.get("parts", [packet])]
    names = [Path(file["name"]).name for file in files]
    parts = tuple(zip(names, (file["sha256"] for file in files), strict=True))
    return [
        Parcel(
            name, mailbox(to.email), folder / own, file["sha256"], packet["persons"],
            mail_size(file["size"]), parts,
        )
        for own, file in zip(names, files, strict=True)
    ]  # fmt: skip


def mail_size(file: int) -> int:
    """Return how large a mail with so large a file is, in bytes.

    >>> mail_size(7_000_000)
    9586947
    """
    return file * 78 // 57 + _OVERHEAD


def largest_file(mail: int) -> int:
    """Return how large a file fits into so large a mail, in bytes.

    >>> mail_size(largest_file(10_000_000)) <= 10_000_000
    True
    """
    return max((mail - _OVERHEAD) * 57 // 78, 1)


def due_parcels(
    found: list[Parcel], story: Story, sender: str, notice: str, keyring: Keyring, largest: int
) -> Iterator[Due]:
    """Yield the packets as the queue knows them: by a pseudonym, for a practice bears a name."""
    for one in found:
        key = keyring.pseudonym(one.named, notice, _KIND).hex()
        write = partial(_mail, one, story, sender, f"{notice} {key}")
        yield Due(key, one.standing(largest), one.to, write)


def _mail(one: Parcel, story: Story, sender: str, mark: str) -> EmailMessage:
    data = content(one)
    title = _("Personal data breach: notice under article 33(2) of the GDPR, our reference {case}")
    if len(one.parts) > 1:
        title += _(" (part {part} of {parts})")
    about = title.format(case=story.case, part=one.part, parts=len(one.parts))
    message = compose(sender, one.to, about, _text(one, story), mark)
    message["Content-Language"] = story.language
    kind = "pkcs7-mime" if one.path.suffix == ".p7m" else "octet-stream"
    message.add_attachment(data, maintype="application", subtype=kind, filename=one.path.name)
    return message


def content(one: Parcel) -> bytes:
    """Return the encrypted file; raises `RefusedError` when it is not what was written."""
    data = one.path.read_bytes() if one.path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != one.sha256:
        raise RefusedError(
            N_("a packet is not the file that was written"), where=str(one.path),
            remedy=N_("make the packets again: this one was changed or removed"),
        )  # fmt: skip
    return data


def _text(one: Parcel, story: Story) -> str:
    lines = (
        _("Madam, Sir,"),
        _(
            "As your processor we inform you of a breach of personal data for which you are the "
            "controller ({controller}). The file enclosed, encrypted to the key that you gave us, "
            "holds our notice, the list of the persons concerned ({persons}), a draft of what you "
            "may notify to the CNIL and a draft letter."
        ).format(controller=one.controller, persons=number(one.persons)),
        *_of_parts(one),
        _("We became aware of it on {when}.").format(when=story.moment(story.aware)),
        *(f"SHA-256 {name}:\n{sha256}" for name, sha256 in one.parts),
        _("For any question: {contact}.").format(contact=story.organisation.contact),
        story.organisation.name,
    )
    return "\n\n".join(lines) + "\n"


def _of_parts(one: Parcel) -> Iterator[str]:
    if len(one.parts) > 1:
        yield _(
            "What we send you is too large for one message: this is part {part} of {parts}. Each "
            "part opens by itself and lists its own persons; the documents are in part 1. Please "
            "check that you received them all."
        ).format(part=one.part, parts=len(one.parts))
