"""The words of the set as places in sorted lists: a byte or two each where a text takes sixteen.

An order by such a column is the order of its words.
"""

from collections.abc import Iterable
from typing import Any, Final

from vigie.exposure.schema import CERTAINTIES, HOWS
from vigie.records import DATA_CLASSES
from vigie.stores.quoting import quoted

DATA_CLASS: Final = "data_class_word"
HOW: Final = "how_word"
CERTAINTY: Final = "certainty_word"
ACCOUNT: Final = "account_word"
CONTROLLER: Final = "controller_word"

_CONTROLLERS: Final = """
SELECT controller FROM organisation_controller UNION SELECT controller FROM person_controller
"""


def declare(connection: Any, accounts: Iterable[str]) -> None:
    """Make the types; the tables of controllers must stand."""
    controllers = [row[0] for row in connection.execute(_CONTROLLERS).fetchall()]
    for name, words in (
        (DATA_CLASS, DATA_CLASSES), (HOW, HOWS), (CERTAINTY, CERTAINTIES), (ACCOUNT, accounts),
        (CONTROLLER, controllers),
    ):  # fmt: skip
        listed = ", ".join(quoted(word) for word in sorted(words) or [""])
        connection.execute(f"CREATE TYPE {name} AS ENUM ({listed})")
