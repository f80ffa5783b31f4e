"""Acquaintance: does the owner of an account know this patient otherwise than by caring for him?

A table of staff (`records.STAFF`) says whose each account is, in the same keys as the patients of
the log, so that the two can be compared and neither be read. A patient may bear the owner's surname
(which says the less the commoner it is among the patients met so far), live at the owner's address,
work with the owner or in the same house, or be the owner himself. Only an opening that nothing
explains bears a mark: a patient of the account's own or of its team, or one whom a care relation
announces, is met because of that. Who was met for no other reason than these is not explained by
having been met: for two weeks he is looked at again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.context import care as care_relations
from vigie.context.relations import EXPECTED, OWN_IDLE, TEAM_IDLE, Marks
from vigie.timeline.front import BEGINNING, key_numbers
from vigie.timeline.memory import State
from vigie.timeline.units import Units

ACQUAINTANCES: Final = ("nobody", "namesake", "colleague", "teammate", "relative", "self")
NOBODY, NAMESAKE, COLLEAGUE, TEAMMATE, RELATIVE, SELF = range(6)
"""Somebody who bears a common surname of the owner's, works in the same organisation, in the same
unit; who bears the owner's uncommon surname or lives at the owner's address; the owner."""
KEYED: Final = ("surname_key", "address_key")
"""The columns of the waist that a table of staff is compared with, beside the patient."""
RARE_BELOW: Final = 5e-4
"""Share of the patients met so far below which a surname is rare. In a simulated register of
90,000, with surnames as frequent as in France, three in four people bear one."""
AGAIN: Final = 14
"""Days during which somebody marked is looked at again, though by then the account's own."""
UNSETTLED: Final = 7
"""Days of a log on which its own patients are still strangers: nobody is looked at again."""

Keys = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Staff:
    """Whose each account is: keys as 64-bit numbers by row, 0 where the table does not say.

    `names` are the surnames in order; `persons` are the numbers of those who are patients, in
    order, with their rows in `whose`.
    """

    rows: dict[str, int]
    surname: Keys
    address: Keys
    person: Keys
    site: NDArray[np.int64]
    unit: NDArray[np.int64]
    names: Keys
    persons: Keys
    whose: NDArray[np.int64]

    @classmethod
    def of(cls, table: pa.Table) -> "Staff":
        """Prepare a table of `records.STAFF`; an account of which rows differ is nobody's."""
        surname, address, person = (key_numbers(table.column(name)) for name in (*KEYED, "patient"))
        site, unit = _codes(table.column("organisation")), _codes(table.column("unit"))
        columns = (surname, address, person, site.astype(np.uint64), unit.astype(np.uint64))
        said = np.stack(columns, axis=1)
        rows: dict[str, int] = {}
        unclear: set[str] = set()
        for row, account in enumerate(table.column("account").to_pylist()):
            first = rows.setdefault(account, row)
            if (said[row] != said[first]).any():
                unclear.add(account)
        rows = {account: row for account, row in rows.items() if account not in unclear}
        persons, whose = np.unique(person, return_index=True)
        return cls(
            rows, surname, address, person, site, unit, np.unique(surname[surname > 0]),
            persons, whose.astype(np.int64),
        )  # fmt: skip

    def tell(self, events: pa.Table) -> pa.Table:
        """Add the column `acquaintance` to waist rows: the staff's surname that the patient bears,
        and how he is related to this row's owner, as one word (see `_read`)."""
        if not len(self.person):
            return events
        given = [name for name in KEYED if name in events.column_names]
        keys = {name: key_numbers(events.column(name)) for name in given}
        person = key_numbers(events.column("patient"))
        nothing = np.zeros(len(person), np.uint64)
        surname = keys.get("surname_key", nothing)
        owner = self._owners(events.column("account"))
        tie = self._ties(owner, person, keys.get("address_key", nothing))
        name = np.searchsorted(self.names, surname)
        borne = np.append(self.names, np.uint64(0))[name] == surname
        told = np.where(surname == 0, 0, np.where(borne, name + 2, 1))
        code = told * len(_TIES) + np.searchsorted(_TIES, tie)
        words = [_word(number, tie) for number in (0, 1, *self.names.tolist()) for tie in _TIES]
        indices = pa.array(code.astype(np.int32), mask=person == 0)
        column = pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string()))
        return events.append_column("acquaintance", column)

    def _owners(self, accounts: pa.ChunkedArray) -> NDArray[np.int64]:
        """Return the row of each account's owner, -1 for one who is not in the table."""
        encoded = accounts.combine_chunks()
        if not pa.types.is_dictionary(encoded.type):
            encoded = encoded.dictionary_encode()
        rows = [self.rows.get(word, -1) for word in encoded.dictionary.to_pylist()]
        codes = encoded.indices.fill_null(len(rows)).to_numpy(zero_copy_only=False)
        found: NDArray[np.int64] = np.array([*rows, -1], np.int64)[codes]
        return found

    def _ties(self, owner: NDArray[np.int64], person: Keys, address: Keys) -> NDArray[np.int64]:
        """Return how each patient is related to the owner, but for the surname."""
        tie = np.zeros(len(owner), np.int64)
        place = np.minimum(np.searchsorted(self.persons, person), len(self.persons) - 1)
        theirs = self.whose[place]
        mate = (self.persons[place] == person) & (self.site[theirs] == self.site[owner])
        tie[mate] = COLLEAGUE
        tie[mate & (self.unit[theirs] == self.unit[owner]) & (self.unit[owner] >= 0)] = TEAMMATE
        tie[(self.address[owner] == address) & (address > 0)] = RELATIVE
        tie[self.person[owner] == person] = SELF
        tie[(owner < 0) | (person == 0)] = NOBODY
        return tie


_TIES: Final = (NOBODY, COLLEAGUE, TEAMMATE, RELATIVE, SELF)
"""What the table alone says of a pair; whether a surname is common only the log does."""


def _codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    encoded = column.combine_chunks().dictionary_encode()
    codes: NDArray[np.int64] = encoded.indices.fill_null(-1).to_numpy().astype(np.int64)
    return codes


def _word(surname: int, tie: int) -> str:
    return f"{surname:x}:{tie}"


def _read(word: str) -> tuple[int, int]:
    """Return the surname's number (0 untold, 1 of nobody here) and the tie that a word says."""
    surname, _, tie = word.partition(":")
    return int(surname, 16), int(tie)


class Acquaintance(State):
    """Marks units; remembers how many of the patients met bear each surname of the staff.

    What a day shows counts from the next one, so that batches do not show.
    """

    def __init__(self, staff: Staff | None = None) -> None:
        self.day = self.first = BEGINNING
        self._met = 0
        self._tied, self._tied_on = np.empty((2, 0), np.int64)
        self._names = np.empty(0, np.uint64)
        self._bearers, self._of, self._today = np.zeros((3, 0), np.int64)
        self._named_today = 0
        self.meet(staff)

    def meet(self, staff: Staff | None) -> None:
        """Take a table of staff, perhaps another one than before: what is known of names stays."""
        self.staff = staff
        self._name, self._tie = np.array([-1]), np.array([NOBODY])
        self._owner = np.empty(0, np.int64)
        if staff is None:
            return
        place = np.searchsorted(staff.names, self._names)
        kept = np.append(staff.names, np.uint64(0))[place] == self._names
        for counts in ("_bearers", "_of", "_today"):
            fresh = np.zeros(len(staff.names), np.int64)
            fresh[place[kept]] = getattr(self, counts)[kept]
            setattr(self, counts, fresh)
        self._names = staff.names

    def remembered(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: the table is the operator's, and is given again."""
        return {name: value for name, value in vars(self).items() if name not in _GIVEN}

    def mark(self, units: Units, relation: Marks, care: Marks | None = None) -> Marks:
        """Return the mark of each unit, a place in ACQUAINTANCES, -1 where nothing is to be said.

        `relation` is as `relations` has it, or announced; `care` are the units' classes in `care`.
        """
        if self.staff is None:
            return np.full(len(units), -1, np.int8)
        self._begin(units.on)
        self._learn(units.words["acquaintance"])
        self._know(self.staff, units.accounts)
        said = units.text["acquaintance"]
        name, tie = self._name[said], self._tie[said]
        self._count(units, name)
        owner = self._owner[units.account]
        rare = self._bearers + 1 < RARE_BELOW * self._of
        alike = (name == owner) & (owner >= 0)
        marks = np.where(alike, NAMESAKE, NOBODY)
        marks[alike] = np.where(rare[owner[alike]], RELATIVE, NAMESAKE)
        marks = np.maximum(marks, tie)
        again = np.isin(units.pair, self._tied) & (relation <= OWN_IDLE)
        explained = (relation <= TEAM_IDLE) & ~again | (relation == EXPECTED)
        if care is not None:
            explained |= care == care_relations.EXPECTED
        silent = (said < 0) | (owner < -1) | explained | (units.page > 0) | units.act
        marks = np.where(silent, -1, marks).astype(np.int8)
        self._remember(units.pair[marks > NAMESAKE])
        return marks

    def _remember(self, pairs: NDArray[np.int32]) -> None:
        """Look at these pairs again for a while, from the day on which they were first marked."""
        if self.day < self.first + UNSETTLED:
            return
        fresh = np.setdiff1d(pairs, self._tied)
        self._tied = np.concatenate([self._tied, fresh])
        self._tied_on = np.concatenate([self._tied_on, np.full(len(fresh), self.day)])

    def _begin(self, day: int) -> None:
        if day != self.day:
            self.first = day if self.first == BEGINNING else self.first
            self.day = day
            recent = self._tied_on > day - AGAIN
            self._tied, self._tied_on = self._tied[recent], self._tied_on[recent]
            self._bearers = self._bearers + self._today
            self._of = self._of + self._named_today
            self._today, self._named_today = np.zeros_like(self._today), 0

    def _learn(self, words: Sequence[str]) -> None:
        """Understand the words met for the first time; the last entry is for none."""
        fresh = [_read(word) for word in words[len(self._name) - 1 :]]
        if not fresh:
            return
        names = np.array([surname for surname, _ in fresh], np.uint64)
        place = np.searchsorted(self._names, names)
        borne = np.append(self._names, np.uint64(0))[place] == names
        found = np.where(borne, place, np.where(names == 0, -2, -1))
        self._name = np.concatenate([self._name[:-1], found, [-2]])
        ties = [tie for _, tie in fresh]
        self._tie = np.concatenate([self._tie[:-1], ties, [NOBODY]]).astype(np.int64)

    def _know(self, staff: Staff, accounts: Sequence[str]) -> None:
        """Find the owners' surnames of new accounts: -1 for none told, -2 for no owner."""
        rows = [staff.rows.get(account, -1) for account in accounts[len(self._owner) :]]
        if not rows:
            return
        surname = np.append(staff.surname, np.uint64(0))[rows]
        place = np.searchsorted(self._names, surname)
        fresh = np.where(surname == 0, -1, place)
        self._owner = np.concatenate([self._owner, np.where(np.array(rows) < 0, -2, fresh)])

    def _count(self, units: Units, name: NDArray[np.int64]) -> None:
        """Count the bearers of each surname among the patients met for the first time."""
        fresh = np.flatnonzero(units.patient >= self._met)
        fresh = fresh[np.unique(units.patient[fresh], return_index=True)[1]]
        self._met = max(self._met, int(units.patient.max(initial=-1)) + 1)
        named = name[fresh]
        np.add.at(self._today, named[named >= 0], 1)
        self._named_today += int((named > -2).sum())


_GIVEN: Final = {"staff", "_name", "_tie", "_owner"}
