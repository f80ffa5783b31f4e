"""Making the next piece of a file while the present one is used.

The compiled loops and Arrow release the interpreter's lock, so that one thread of each is two.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")


def ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """Yield `items` in their order, each one made in another thread before it is asked for.

    What making an item raises is raised here, in its place. `items` is never run by two threads
    at once.

    >>> list(ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    boxed = ((item,) for item in items)
    with ThreadPoolExecutor(1, "ahead") as pool:
        coming = pool.submit(next, boxed, None)
        while (box := coming.result()) is not None:
            coming = pool.submit(next, boxed, None)
            yield box[0]


def with_next(items: Iterator[_Item]) -> Iterator[tuple[_Item, _Item | None]]:
    """Pair each item with the one after it: what ended a file is known with its last piece.

    >>> list(with_next(iter("ab")))
    [('a', 'b'), ('b', None)]
    """
    held = next(items, None)
    while held is not None:
        following = next(items, None)
        yield held, following
        held = following
