"""`vigie pseudonym`: an oracle, therefore limited and journalled."""

import sys
from argparse import Namespace

from vigie import oracle
from vigie.cli.terminal import home_of, say, settings_of
from vigie.errors import UsageError
from vigie.identifiers import normalise
from vigie.language import N_
from vigie.stores import Store


def pseudonym(options: Namespace) -> int:
    """Print one pseudonym per identifier, in hexadecimal, in the order given."""
    values = options.values or [line.strip() for line in sys.stdin if line.strip()]
    if not values:
        raise UsageError(
            N_("no identifier was given"),
            remedy=N_("name some, or write one per line to standard input"),
        )
    with Store.open(home_of(options)) as store:
        store.check_key()  # a key that is not the store's would answer nonsense
    normal = [normalise(options.kind, value) for value in values]
    for key in oracle.ask(
        home_of(options), settings_of(options), normal, options.authority, "patient",
        who="", reason=options.reason,
    ):  # fmt: skip
        say(key.hex())
    return 0
