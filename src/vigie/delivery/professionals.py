"""Letters to the holders of the accounts that were used, to print or by mail."""

from collections.abc import Callable, Iterable, Iterator
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Final

from vigie.delivery.archive import Archive
from vigie.delivery.encryption import Written, write_encrypted
from vigie.delivery.mailing import mail
from vigie.delivery.outbox import QUEUED
from vigie.delivery.recipients import Recipient
from vigie.delivery.sending import BY_POST, Due
from vigie.notices.document import Document
from vigie.notices.papers import professional
from vigie.notices.staff import Holder
from vigie.notices.story import Story
from vigie.pseudonyms import Keyring

Form = Callable[[Document], bytes]
_KIND: Final = "account"
UNKNOWN: Final = "unknown_holder"


def standing(holder: Holder) -> str:
    """Say by which way the holder of an account is told."""
    if holder.rows > 1 and not holder.person:
        return "doubtful"
    if holder.email:
        return QUEUED
    return BY_POST if holder.by_post else UNKNOWN


def print_professionals(
    holders: Iterable[Holder], story: Story, form: Form, to: Recipient, out: Path,
    suffix: str, home: Path,
) -> Written:  # fmt: skip
    """Write the letters to those who are written to as one archive, encrypted."""
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = [one for one in holders if standing(one) in (QUEUED, BY_POST)]
    archive = Archive()

    def pieces() -> Iterator[bytes]:
        for number, one in enumerate(written, start=1):
            letter = professional(story, one.account, home, one.person)
            yield from archive.add(f"professional-{number}.{suffix}", [form(letter)])
        yield from archive.close({"version": 1, "kind": "professionals"})

    return write_encrypted(pieces(), to, out / f"professionals.zip{to.suffix}")


def due_professionals(
    holders: Iterable[Holder], story: Story, form: Form, sender: str, notice: str,
    keyring: Keyring, home: Path,
) -> Iterator[Due]:  # fmt: skip
    """Yield the holders as the queue knows them: by a pseudonym of their account."""
    for one in holders:
        key = keyring.pseudonym(one.account, notice, _KIND).hex()
        write = partial(_mail, one, story, form, sender, f"{notice} {key}", home)
        yield Due(key, standing(one), one.email, write)


def _mail(
    holder: Holder, story: Story, form: Form, sender: str, mark: str, home: Path
) -> EmailMessage:
    letter = professional(story, holder.account, home, holder.person)
    return mail(letter, form(letter), sender, holder.email, mark)
