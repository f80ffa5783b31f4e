"""A queue sent one message at a time, some thousands of its rows in memory at once.

Everybody is queued before anything is sent to the first of their batch, and each message is
claimed on disk before it leaves: a process that is killed loses nobody and writes to nobody twice.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from hashlib import sha256
from itertools import islice
from typing import Final

from vigie.delivery.outbox import QUEUED, Outbox
from vigie.delivery.smtp import Session

_BATCH: Final = 1_000
BY_POST: Final = "by_post"


@dataclass(frozen=True, slots=True)
class Due:
    """One to be told: the key of the queue, `queued` or why not by mail, how the mail is made.

    The message is made when its turn comes, and its names exist for as long as it does.
    """

    key: str
    standing: str
    to: str
    message: Callable[[], EmailMessage]


def send_all(
    everybody: Iterable[Due],
    outbox: Outbox,
    session: Session,
    limit: int | None = None,
    done: Callable[[int], None] = lambda count: None,
) -> Counter[str]:
    """Queue everybody and send to who is due, `limit` at most; return the fates."""
    fates: Counter[str] = Counter()
    for batch in _batches(iter(everybody)):
        due = outbox.admit([(one.key, one.standing) for one in batch])
        for one in batch:
            if one.key not in due or one.standing != QUEUED or fates.total() == limit:
                continue
            message = one.message()
            if not outbox.begin(one.key):
                continue
            outcome = session.send(message, one.to)
            outbox.end(one.key, outcome)
            fates[outcome.fate] += 1
            done(1)
    return fates


def _batches(everybody: Iterator[Due]) -> Iterator[list[Due]]:
    while batch := list(islice(everybody, _BATCH)):
        yield batch


def compose(sender: str, to: str, subject: str, text: str, mark: str) -> EmailMessage:
    """Return a mail; its identifier comes from `mark`, so that the same one is recognised."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = (
        f"<{sha256(mark.encode()).hexdigest()[:40]}@{sender.rpartition('@')[2]}>"
    )
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message
