"""Letters to all persons of an exposure: who is written to, by which way, and what was written.

Names are joined a slice of persons at a time and forgotten with it. What leaves is encrypted (the
letters to print) or sent (mail); what stays is pseudonyms and counts.
"""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from email.message import EmailMessage
from functools import partial
from itertools import chain, count, islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from vigie.delivery.archive import Archive
from vigie.delivery.encryption import Written, write_encrypted
from vigie.delivery.outbox import QUEUED
from vigie.delivery.recipients import Recipient
from vigie.delivery.sending import BY_POST, Due, compose
from vigie.delivery.split import Split, classes_in
from vigie.delivery.unwritten import UNWRITTEN, Addressee, Aside
from vigie.notices.document import Document
from vigie.notices.letters import Exposed, Letters
from vigie.notices.people import DIFFERING, FOUND, Joined, find_names
from vigie.notices.register import Register
from vigie.notices.routes import WRITTEN, Route, route

Form = Callable[[Document], bytes]
SLICE: Final = 200_000
_EXPOSED: Final = (
    "patient", "classes", "shown", "seen", "first_at", "last_at", "seen_from", "seen_until"
)  # fmt: skip
_PER_ARCHIVE: Final = 5_000
_AHEAD: Final = 64


@dataclass
class Mailing:
    """What was done for one notice: counts of ways and of letters, the files that were written."""

    ways: Counter[str] = field(default_factory=Counter)
    letters: int = 0
    files: list[Written] = field(default_factory=list)
    joined: Joined = field(default_factory=Joined)


def addressees(
    split: Split, register: Register, aliases: pa.Table | None, day: date, mailing: Mailing
) -> Iterator[Addressee]:
    """Yield every person of an exposure, each once; `mailing` counts their ways.

    Of a number that several persons bear, each of them: any may be the one whose data were seen.
    """
    yes = frozenset(word.casefold() for word in register.mapping.yes)
    work = split.path.parent
    with find_names(register, split.persons(), aliases, work, SLICE, mailing.joined) as names:
        for rows, people in zip(split.rows(SLICE), names.slices(), strict=True):
            table = zip(
                rows.select(_EXPOSED).to_pylist(),
                people.fields.to_pylist(),
                people.remarks.tolist(),
                people.numbered.tolist(),
                strict=True,
            )
            for place, (row, person, remark, numbered) in enumerate(table):
                # Who is only reachable is no person concerned, by the facts: no letter says so.
                bearers = people.bearers.get(place, ()) if row["shown"] else ()
                for one in bearers:
                    way = route(one.person, DIFFERING if one.differing else FOUND, day, yes)
                    mailing.ways[way] += 1
                    key = register.bearer(row["patient"], one.identity)
                    yield Addressee(key, way, one.person, _exposed(row, False), len(bearers))
                if not bearers:
                    way = route(person, remark, day, yes) if row["shown"] else Route.POSSIBLE
                    mailing.ways[way] += 1
                    yield Addressee(row["patient"].hex(), way, person, _exposed(row), int(numbered))


def _exposed(row: dict[str, Any], one: bool = True) -> Exposed:
    """Return what was exposed: of whoever bears a number that is not that `one` person's, nothing
    is known to have been seen."""
    seen = row["seen"] if one else 0
    return Exposed(
        classes_in(seen), classes_in(row["classes"] & ~seen),
        row["seen_from"] or row["first_at"], row["seen_until"] or row["last_at"],
    )  # fmt: skip


def print_letters(
    people: Iterator[Addressee],
    letters: Letters,
    form: Form,
    to: Recipient,
    out: Path,
    mailing: Mailing,
    suffix: str = "pdf",
    cores: int = 0,
) -> None:
    """Write the letters of those who are written to, some thousands an archive, encrypted.

    Who is not is listed in the archive where the letter would be. They are laid out on so many
    `cores` at once (0: all there are), which is what takes time.
    """
    aside = Aside()
    written = aside.written(people)
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ThreadPoolExecutor(cores or os.cpu_count() or 1) as pool:
        for number in count(1):
            batch = islice(written, _PER_ARCHIVE)
            made = _counted(_laid_out(batch, letters, form, pool), mailing)
            pieces = _archive(made, suffix, aside)
            if (head := next(pieces, None)) is None:
                break
            name = f"letters-{number:04d}.zip{to.suffix}"
            mailing.files.append(write_encrypted(chain([head], pieces), to, out / name))


def _counted(made: Iterator[tuple[str, bytes]], mailing: Mailing) -> Iterator[tuple[str, bytes]]:
    for one in made:
        mailing.letters += 1
        yield one


def _laid_out(
    people: Iterator[Addressee], letters: Letters, form: Form, pool: ThreadPoolExecutor
) -> Iterator[tuple[str, bytes]]:
    """Yield each person's letter, in their order; a few wait at a time."""
    waiting: deque[tuple[str, Future[bytes]]] = deque()
    for one in people:
        letter = letters.write(one.exposed, one.fields, one.way, one.bearers)
        waiting.append((one.person, pool.submit(form, letter)))
        if len(waiting) > _AHEAD:
            person, made = waiting.popleft()
            yield person, made.result()
    for person, made in waiting:
        yield person, made.result()


def _archive(made: Iterator[tuple[str, bytes]], suffix: str, aside: Aside) -> Iterator[bytes]:
    """Yield the archive of some letters, and of who is not written to; nothing without either."""
    archive = Archive()
    for person, letter in made:
        yield from archive.add(f"{person}.{suffix}", [letter])
    if others := aside.taken():
        yield from archive.add(UNWRITTEN, [others])
    if archive.hashes:
        yield from archive.close({"version": 1, "kind": "letters"})


def due_letters(
    people: Iterable[Addressee],
    letters: Letters,
    form: Form,
    sender: str,
    notice: str,
) -> Iterator[Due]:
    """Yield everybody as the queue knows them, those with a mailbox to be sent to."""
    for one in people:
        write = partial(_letter, one, letters, form, sender, f"{notice} {one.person}")
        yield Due(one.person, _standing(one), one.email, write)


def _letter(one: Addressee, letters: Letters, form: Form, sender: str, mark: str) -> EmailMessage:
    letter = letters.write(one.exposed, one.fields, one.way, one.bearers)
    return mail(letter, form(letter), sender, one.email, mark)


def _standing(one: Addressee) -> str:
    if one.way not in WRITTEN:
        return one.way.value
    return QUEUED if one.email else BY_POST


def mail(letter: Document, pdf: bytes, sender: str, to: str, mark: str) -> EmailMessage:
    """Return a letter as a mail: its text, and the same letter as PDF."""
    message = compose(sender, to, letter.title, letter.text(), mark)
    message["Content-Language"] = letter.language
    message.add_attachment(pdf, maintype="application", subtype="pdf", filename="lettre.pdf")
    return message
