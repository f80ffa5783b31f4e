"""One random stream per subject, so that drawing more for one changes nothing for another."""

import hashlib

import numpy as np


def stream(seed: int, *subject: str | int) -> np.random.Generator:
    """Return the random stream of `subject` in the worlds of `seed`.

    >>> stream(1, "hospital", "roster").random() == stream(1, "hospital", "roster").random()
    True
    """
    text = "/".join(map(str, subject))
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "little")])


def streams(seed: int, count: int, *subject: str | int) -> list[np.random.Generator]:
    """Return `count` streams of one subject."""
    return [stream(seed, *subject, number) for number in range(count)]
