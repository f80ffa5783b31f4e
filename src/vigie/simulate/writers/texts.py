"""The world's texts, escaped once for a format and taken row by row, and how lines are joined."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import ACTIONS, VOCABULARIES
from vigie.simulate.world import World
from vigie.simulate.writers.tokens import token, uuid

Escape = Callable[[pa.Array], pa.Array]


def _replacing(*pairs: tuple[str, str]) -> Escape:
    def escape(words: pa.Array) -> pa.Array:
        for old, new in pairs:
            words = pc.replace_substring(words, old, new)
        return words

    return escape


JSON: Final = _replacing(("\\", "\\\\"), ('"', '\\"'))
XML: Final = _replacing(("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))
TSV: Final = _replacing(("\t", " "))


def _csv(words: pa.Array) -> pa.Array:
    """Quote the texts that hold a semicolon or a quote, as RFC 4180 does."""
    quoted = line('"', pc.replace_substring(words, '"', '""'), '"')
    return pc.if_else(pc.match_substring_regex(words, '[;"]'), quoted, words)


CSV: Final = _csv


_NOTHING: Final = pa.scalar("", pa.string())


@lru_cache(1 << 12)
def constant(text: str) -> pa.Scalar:
    """Return `text` as pyarrow takes it at once: it looks long for the type of a plain str."""
    return pa.scalar(text, pa.string())


def _filled(part: Any) -> Any:
    if isinstance(part, str):
        return constant(part)
    return pc.fill_null(part, _NOTHING) if part.null_count else part


def line(*parts: Any) -> pa.Array:
    """Join constant texts and columns of texts into one text per row; null reads as nothing.

    >>> line("a=", pa.array(["1", None]), ";").to_pylist()
    ['a=1;', 'a=;']
    """
    return pc.binary_join_element_wise(*map(_filled, parts), _NOTHING)


def number(values: NDArray[Any], missing: str = "") -> pa.Array:
    """Write whole numbers; negative ones, which mean "not said", as `missing`."""
    numbers = pa.array(values)
    if not len(values) or values.min() >= 0:
        return numbers.cast(pa.string())
    return pc.if_else(pa.array(values < 0), constant(missing), numbers.cast(pa.string()))


def vocabulary(words: Any) -> pa.Array:
    """Return `words` followed by "", which stands for code -1 in `pick`."""
    known = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else pa.array(words)
    return pa.concat_arrays([known.cast(pa.string()).fill_null(""), pa.array([""])])


def pick(words: pa.Array, codes: NDArray[Any]) -> pa.Array:
    """Take words of a `vocabulary` by code."""
    return words.take(pa.array(np.where(codes < 0, len(words) - 1, codes).astype(np.int64)))


def present(words: pa.Array, before: str, after: str, otherwise: str = "") -> pa.Array:
    """Put `before` and `after` around the texts that are there; `otherwise` stands for "".

    >>> present(pa.array(["a", ""]), "<", ">", "-").to_pylist()
    ['<a>', '-']
    """
    missing = pc.equal(words, _NOTHING)
    return pc.if_else(missing, constant(otherwise), line(before, words, after))


def national_numbers(world: World) -> pa.Array:
    """Return the IdNat_PS of each account, null without: an RPPS has 11 digits, an ADELI 9."""
    numbers = world.accounts["professional"].combine_chunks()
    prefix = pc.if_else(pc.equal(pc.utf8_length(numbers), 9), "0", "8")
    return pc.binary_join_element_wise(prefix, numbers, "")


_TABLES: Final = {
    "account": "accounts", "on_behalf_of": "accounts", "organisation": "organisations",
}  # fmt: skip
"""Where the codes of a column point, when it is not to the tuple of the same name."""


class Texts:
    """The texts of one stretch of accesses, by the names that world.py gives the columns."""

    def __init__(self, world: World, escape: Escape) -> None:
        """Escape nothing yet: each column of words is prepared when it is first asked for."""
        self.world = world
        self._escape = escape
        self._words: dict[tuple[str, str], Any] = {}
        self._said: dict[tuple[Any, ...], pa.Array] = {}
        self.rows = world.accesses.slice(0, 0)

    def of(self, rows: pa.Table) -> "Texts":
        """Speak of these accesses from now on."""
        self.rows = rows
        return self

    def once(self, build: "Callable[[Texts], pa.Array]", *columns: str) -> pa.Array:
        """Return what `build` says of texts that depend on `columns` alone.

        Each combination of their codes is said once for the whole log, then taken row by row.
        """
        sizes = [self._size(column) + 1 for column in columns]
        key = (build, *columns)
        if key not in self._said:
            grid = np.indices(sizes).reshape(len(sizes), -1) - 1
            rows = self.rows
            self.rows = pa.table(dict(zip(columns, grid, strict=True)))
            self._said[key] = build(self)
            self.rows = rows
        place = np.zeros(self.rows.num_rows, np.int64)
        for column, size in zip(columns, sizes, strict=True):
            place = place * size + self.codes(column) + 1
        return self._said[key].take(pa.array(place))

    def _size(self, column: str) -> int:
        """Return how many codes a column has."""
        if column in ("action", *VOCABULARIES):
            return len(VOCABULARIES[column])
        return len(getattr(self.world, _TABLES.get(column, "") or f"{column}s"))

    def codes(self, column: str) -> NDArray[Any]:
        """Return a column of the accesses as it is."""
        values: NDArray[Any] = self.rows[column].to_numpy()
        return values

    def numbers(self, column: str, missing: str = "") -> pa.Array:
        """Return a column of whole numbers as text."""
        return number(self.codes(column), missing)

    def request(self) -> pa.Array:
        """Return the server's own number of each access: the rows of a page share it."""
        return uuid(self.codes("access"), self.world.seed)

    def session(self) -> pa.Array:
        """Return the server's own number of each session."""
        return token(self.codes("session"), self.world.seed + 1)

    def account(self, column: str, by: str = "account") -> pa.Array:
        """Return what the account (or `by`: on_behalf_of) has in that column."""
        return self._taken("accounts", column, by)

    def patient(self, column: str) -> pa.Array:
        """Return what the patient has in that column, "" where there is none."""
        return self._taken("patients", column, "patient")

    def national(self, by: str = "account") -> pa.Array:
        """Return the IdNat_PS of a professional: 8 and the RPPS, 0 and the ADELI."""
        key = ("accounts", "national")
        if key not in self._words:
            self._words[key] = vocabulary(national_numbers(self.world))
        return pick(self._words[key], self.codes(by))

    def organisation(self, column: str) -> pa.Array:
        """Return what the organisation has in that column."""
        return self._taken("organisations", column, "organisation")

    def listed(self, column: str, names: str) -> pa.Array:
        """Return the words of `World.<names>` for the codes of a column."""
        key = ("", names)
        if key not in self._words:
            words = pa.array(list(getattr(self.world, names)), pa.string())
            self._words[key] = vocabulary(self._escape(words))
        return pick(self._words[key], self.codes(column))

    def said(self, column: str, words: dict[str, str]) -> pa.Array:
        """Return the log's own words for a closed vocabulary (action, outcome, query_shape)."""
        terms = ACTIONS if column == "action" else VOCABULARIES[column]
        return pick(vocabulary([words.get(term, term) for term in terms]), self.codes(column))

    def _taken(self, table: str, column: str, by: str) -> pa.Array:
        key = (table, column)
        if key not in self._words:
            words = getattr(self.world, table)[column].cast(pa.string()).combine_chunks()
            self._words[key] = vocabulary(self._escape(words))
        return pick(self._words[key], self.codes(by))


@dataclass(frozen=True, slots=True)
class Pages:
    """Accesses gathered so that the rows of one result page follow each other.

    `rows` are their places in the stretch, `line` the page of each, `part` its rank in the page,
    `firsts` the first row of each page and `accesses` that row of the table.
    """

    rows: NDArray[np.int64]
    line: NDArray[np.int64]
    part: NDArray[np.int64]
    firsts: NDArray[np.int64]
    accesses: pa.Table

    def joined(self, words: pa.Array, separator: str) -> pa.Array:
        """Join a text of each row into one text per page."""
        bounds = np.r_[self.firsts, len(self.rows)].astype(np.int32)
        lists = pa.ListArray.from_arrays(pa.array(bounds), words.take(pa.array(self.rows)))
        return pc.binary_join(lists, separator)


def pages(accesses: pa.Table) -> Pages:
    """Gather the rows of each access; pages keep the order of their first row."""
    _, first, group = np.unique(
        accesses["access"].to_numpy(), return_index=True, return_inverse=True
    )
    rows = np.argsort(first[group], kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(first[group][rows]) != 0][: len(rows)])
    line = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(rows)]))
    part = np.arange(len(rows)) - starts[line]
    return Pages(rows, line, part, starts, accesses.take(pa.array(rows[starts])))
