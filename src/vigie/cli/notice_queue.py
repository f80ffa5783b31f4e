"""The queue of a notice: which one it is, and who in it is still to be written to by post."""

from argparse import Namespace

from vigie.cases.grounds import same_grounds
from vigie.cases.model import Case
from vigie.cli.terminal import home_of, settings_of
from vigie.delivery.carrying import open_queue
from vigie.delivery.outbox import Outbox
from vigie.delivery.smtp import Fate
from vigie.pseudonyms import open_keyring
from vigie.state import State, open_state


def notice_of(case: str, notice: str, facts: str) -> str:
    """Return the name of a queue: other facts are another notice."""
    return f"{case}/{notice}@{facts[:16]}"


def queue_of(options: Namespace, case: Case, state: State) -> tuple[str, Outbox]:
    """Return the name of the queue of a notice, and the queue.

    Facts computed anew that leave what it says as it is keep the queue that was begun: nobody is
    written to twice.
    """
    keyring = open_keyring(home_of(options))
    grounds = same_grounds(case, options.notice)
    names = [notice_of(case.id, options.notice, sha256) for sha256 in grounds]
    queues = [(name, open_queue(state, name, keyring)) for name in names]
    return next((one for one in queues if one[1].counts()), queues[0])


def refused_by_mail(options: Namespace, case: Case) -> frozenset[str]:
    """Return the pseudonyms of those whose mail the server refused: they are left to the post."""
    with open_state(home_of(options), settings_of(options)) as state:
        _name, outbox = queue_of(options, case, state)
        rows = outbox.rows()
        return frozenset(person for person, status, *_rest in rows if status == Fate.REFUSED)
