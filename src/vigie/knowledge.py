"""Which patients an account, a team, an organisation or a network knows, and since when.

One table per kind of owner, open-addressed by owner and patient: what is known lies beside the key,
so that a look-up costs one miss of the cache, which a kernel may ask for before it looks.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vigie.kernels import Int64s, Records, inlined, kernel
from vigie.numbering import State, mixed

NEVER: Final = 2**62
_SMALLEST: Final = 64
_FACT: Final = np.dtype([
    ("key", "u8"), ("first_at", "i8"), ("other_at", "i8"), ("first_by", "i4"), ("other_by", "i4"),
])  # fmt: skip
"""What is known of an owner and a patient: since when, by whom, and the same of another account.

Half a line of the cache, so that a look-up costs one miss."""


class Knowledge(State):
    """Which patients the accounts of an owner (an account, a team…) know, and since when."""

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
        many = int(_taught_since(since, self.facts))
        _forget(since, self.facts, kinds, kind, *into.room(many))


def _facts(size: int) -> NDArray[Any]:
    facts = np.empty(size, _FACT)
    _clear(facts)
    return facts


@inlined
def slot_of(owner: int, p: int, facts: Records) -> np.int64:
    """Return where the search for a pair of owner and patient begins."""
    key = (np.uint64(owner) << np.uint64(32)) | np.uint64(p)
    return np.int64(mixed(key) & np.uint64(facts.size - 1))


@inlined
def _fact(owner: int, p: int, facts: Records) -> np.int64:
    """Return where a pair of owner and patient is, or would be."""
    nobody = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
    key = (np.uint64(owner) << np.uint64(32)) | np.uint64(p)
    slot = slot_of(owner, p, facts)
    while facts[slot].key != nobody and facts[slot].key != key:
        slot = (slot + 1) & (facts.size - 1)
    return slot


@inlined
def knows(owner: int, p: int, but: int, until: int, facts: Records) -> bool:
    """Say whether an owner knows a patient by a time, through any account but one."""
    if owner < 0:
        return False
    fact = facts[_fact(owner, p, facts)]
    return bool((fact.other_at if fact.first_by == but else fact.first_at) <= until)


@inlined
def tell(owner: int, p: int, a: int, now: int, facts: Records, count: Int64s) -> None:
    """Let an account make a patient known to its owner."""
    if owner < 0:
        return
    slot = _fact(owner, p, facts)
    if facts[slot].key == np.uint64(0xFFFF_FFFF_FFFF_FFFF):
        facts[slot].key = (np.uint64(owner) << np.uint64(32)) | np.uint64(p)
        count[0] += 1
    if facts[slot].first_by < 0:
        facts[slot].first_at, facts[slot].first_by = now, a
    elif facts[slot].first_by != a and facts[slot].other_by < 0:
        facts[slot].other_at, facts[slot].other_by = now, a


@kernel
def _clear(facts: Records) -> None:
    """Make all slots free: to fill records takes numpy nearly twice as long."""
    for slot in range(facts.size):
        fact = facts[slot]
        fact.key = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
        fact.first_at = fact.other_at = np.int64(2**62)
        fact.first_by = fact.other_by = np.int32(-1)


@kernel
def _taught_since(since: Int64s, facts: Records) -> np.int64:
    many = np.int64(0)
    for slot in range(facts.size):
        fact = facts[slot]
        many += fact.other_by >= 0 and fact.other_at >= since[fact.other_by]
        many += fact.first_by >= 0 and fact.first_at >= since[fact.first_by]
    return many


@kernel
def _forget(
    since: Int64s, facts: Records, kinds: int, kind: int, into: Records, count: Int64s
) -> None:
    never = np.int64(2**62)
    for slot in range(facts.size):
        fact = facts[slot]
        owner = int(fact.key >> np.uint64(32)) * kinds + kind
        p = int(fact.key & np.uint64(0xFFFF_FFFF))
        if fact.other_by >= 0 and fact.other_at >= since[fact.other_by]:
            tell(owner, p, fact.other_by, fact.other_at, into, count)
            fact.other_at, fact.other_by = never, -1
        if fact.first_by >= 0 and fact.first_at >= since[fact.first_by]:
            tell(owner, p, fact.first_by, fact.first_at, into, count)
            fact.first_at, fact.first_by = fact.other_at, fact.other_by
            fact.other_at, fact.other_by = never, -1


@kernel
def _move(old: Records, new: Records) -> None:
    nobody = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
    for slot in range(old.size):
        key = old[slot].key
        if key != nobody:
            new[_fact(key >> np.uint64(32), key & np.uint64(0xFFFF_FFFF), new)] = old[slot]
