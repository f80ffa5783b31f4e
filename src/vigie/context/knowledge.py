"""Which patients a team, an organisation or a network knows, and since when; an account's own.

One table per kind of owner, open-addressed by owner and patient: what is known lies beside the key,
so that a look-up costs one miss of the cache, which a kernel may ask for before it looks.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vigie.kernels import Int64s, Records, UInt64s, inlined, kernel
from vigie.timeline.memory import State
from vigie.timeline.numbering import found_number, mixed

NEVER: Final = 2**62
_BEGINNING: Final = -(10**18)
_SMALLEST: Final = 64
_FEW: Final = 1 << 14
"""Slots for which there is room at first among those that are to be forgotten."""
_FACT: Final = np.dtype([
    ("key", "u8"), ("first_at", "i8"), ("other_at", "i8"), ("first_by", "i4"), ("other_by", "i4"),
])  # fmt: skip
"""What is known of an owner and a patient: since when, by whom, and the same of another account.

Half a line of the cache, so that a look-up costs one miss."""


class Knowledge(State):
    """Which patients the accounts of an owner (a team, a place…) know, and since when."""

    def __init__(self) -> None:
        self.facts = _facts(_SMALLEST)
        self._count = np.zeros(1, np.int64)

    def __len__(self) -> int:
        """Return how many pairs of owner and patient are known."""
        return int(self._count[0])

    def room(self, more: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return the table, with room for so many `more` pairs, and the count, to be kept."""
        size = len(self.facts)
        while 10 * (len(self) + more) > 6 * size:
            size *= 2
        if size > len(self.facts):
            larger = _facts(size)
            _move(self.facts, larger)
            self.facts = larger
        return self.facts, self._count

    def forget(
        self, since: NDArray[np.int64], into: "Knowledge", kinds: int = 1, kind: int = 0
    ) -> None:
        """Move what each account taught from a time on `into` another; who knew as well still does.

        There an owner has the number `kinds` times its own, plus `kind`.
        """
        taught = self._taught_since(since)
        _forget(taught, since, self.facts, kinds, kind, *into.room(2 * len(taught)))

    def _taught_since(self, since: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the slots that hold what an account taught from its time on."""
        slots = np.empty(_FEW, np.int64)
        earliest = int(since.min())
        count = int(_taught_since(since, earliest, self.facts, slots))
        if count > len(slots):
            slots = np.empty(count, np.int64)
            _taught_since(since, earliest, self.facts, slots)
        return slots[:count]


def _facts(size: int) -> NDArray[Any]:
    """Return free slots: a key of 0 is none, so that memory nobody wrote to is free."""
    return np.zeros(size, _FACT)


@inlined
def _key(owner: int, p: int) -> np.uint64:
    """Return the key of a pair, never 0."""
    return np.uint64(((np.uint64(owner) << np.uint64(32)) | np.uint64(p)) + np.uint64(1))


@inlined
def slot_of(owner: int, p: int, facts: Records) -> np.int64:
    """Return where the search for a pair of owner and patient begins."""
    return np.int64(mixed(_key(owner, p)) & np.uint64(facts.size - 1))


@inlined
def _fact(owner: int, p: int, facts: Records) -> np.int64:
    """Return where a pair of owner and patient is, or would be."""
    key, slot = _key(owner, p), slot_of(owner, p, facts)
    while facts[slot].key != np.uint64(0) and facts[slot].key != key:
        slot = (slot + 1) & (facts.size - 1)
    return slot


@inlined
def knows(owner: int, p: int, but: int, until: int, facts: Records) -> bool:
    """Say whether an owner knows a patient by a time, through any account but one."""
    if owner < 0:
        return False
    fact = facts[_fact(owner, p, facts)]
    if fact.key == np.uint64(0):
        return False
    return bool((fact.other_at if fact.first_by == but else fact.first_at) <= until)


@inlined
def tell(owner: int, p: int, a: int, now: int, facts: Records, count: Int64s) -> None:
    """Let an account make a patient known to its owner."""
    if owner < 0:
        return
    fact = facts[_fact(owner, p, facts)]
    if fact.key == np.uint64(0):
        fact.key = _key(owner, p)
        fact.first_at = fact.other_at = np.int64(2**62)
        fact.first_by = fact.other_by = np.int32(-1)
        count[0] += 1
    if fact.first_by < 0:
        fact.first_at, fact.first_by = now, a
    elif fact.first_by != a and fact.other_by < 0:
        fact.other_at, fact.other_by = now, a


class Own(NamedTuple):
    """The table that numbers accounts with their patients, and when each pair was first opened.

    The moment is its distance from `_BEGINNING`, by number: memory nobody wrote to says never.
    """

    pairs: UInt64s
    opened: Int64s


@inlined
def pair_of(a: int, p: int, own: Own) -> np.int64:
    """Return the number of an account and a patient, -1 if they never met."""
    return found_number((np.uint64(a) << np.uint64(32)) | np.uint64(p), own.pairs)


@inlined
def has_opened(pair: int, until: int, own: Own) -> bool:
    """Say whether a patient was opened by a time.

    The next slice is numbered meanwhile: a number beyond those that are known is of nobody yet.
    """
    return 0 <= pair < own.opened.size and 0 < own.opened[pair] <= until - _BEGINNING


@inlined
def open_first(pair: int, now: int, own: Own) -> None:
    """Note when a patient was opened, if it is the first time."""
    if own.opened[pair] == 0:
        own.opened[pair] = now - _BEGINNING


@kernel
def _taught_since(
    since: Int64s, earliest: int, facts: Records, slots: Int64s
) -> np.int64:  # fmt: skip
    """Write the slots of what was taught since, as many as there is room for; return how many."""
    many = np.int64(0)
    for slot in range(facts.size):
        fact = facts[slot]
        # Nearly all are older, or free: one branch that is foreseen, for a whole table is read.
        lately = (fact.first_at >= earliest) | ((fact.other_by >= 0) & (fact.other_at >= earliest))
        if not lately or fact.key == np.uint64(0):
            continue
        other = fact.other_by >= 0 and fact.other_at >= since[fact.other_by]
        if other or (fact.first_by >= 0 and fact.first_at >= since[fact.first_by]):
            if many < slots.size:
                slots[many] = slot
            many += 1
    return many


@kernel
def _forget(
    slots: Int64s, since: Int64s, facts: Records, kinds: int, kind: int, into: Records,
    count: Int64s,
) -> None:  # fmt: skip
    never = np.int64(2**62)
    for slot in slots:
        fact = facts[slot]
        owner = int((fact.key - np.uint64(1)) >> np.uint64(32)) * kinds + kind
        p = int((fact.key - np.uint64(1)) & np.uint64(0xFFFF_FFFF))
        if fact.other_by >= 0 and fact.other_at >= since[fact.other_by]:
            tell(owner, p, fact.other_by, fact.other_at, into, count)
            fact.other_at, fact.other_by = never, -1
        if fact.first_by >= 0 and fact.first_at >= since[fact.first_by]:
            tell(owner, p, fact.first_by, fact.first_at, into, count)
            fact.first_at, fact.first_by = fact.other_at, fact.other_by
            fact.other_at, fact.other_by = never, -1


@kernel
def _move(old: Records, new: Records) -> None:
    for slot in range(old.size):
        key = old[slot].key
        if key != np.uint64(0):
            place = np.int64(mixed(key) & np.uint64(new.size - 1))
            while new[place].key != np.uint64(0):
                place = (place + 1) & (new.size - 1)
            new[place] = old[slot]
