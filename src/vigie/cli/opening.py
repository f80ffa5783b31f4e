"""The store as commands open it: who only looks, or keeps it in order, makes none by a slip."""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from vigie.cli.terminal import home_of
from vigie.errors import UsageError
from vigie.language import N_
from vigie.stores import Store
from vigie.stores.catalogue import CATALOGUE_FILE
from vigie.stores.keys import is_unfinished
from vigie.stores.layout import using_key


def open_present(options: Namespace, write: bool = False) -> Store:
    """Open the store of the home; raises `UsageError` where there is none."""
    home = home_of(options)
    if write and not (home / CATALOGUE_FILE).exists():
        raise _absent(options)
    store = Store.open(home, write)
    if not store.catalogue.path.exists():
        store.close()
        raise _absent(options)
    return store


@contextmanager
def key_in_use(options: Namespace) -> Iterator[None]:
    """Keep the key as it is until the block is left; a rotation that was killed is ended first."""
    home = home_of(options)
    with using_key(home):
        if is_unfinished(home):
            with Store.open(home, write=True) as store:
                store.check_key()  # which ends the rotation
        yield


def _absent(options: Namespace) -> UsageError:
    return UsageError(
        N_("there is no store there"),
        where=str(home_of(options)),
        remedy=N_("vigie scan makes one from logs, and --home names another directory"),
    )
