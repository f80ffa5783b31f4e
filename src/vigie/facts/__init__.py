"""Facts: the numbers of a case, each with what it counts, out of how many, and where it is from."""

from vigie.facts.model import (
    GAPS,
    UNITS,
    VERSION,
    Attestation,
    Fact,
    Facts,
    Gap,
    Use,
    from_json,
    load_facts,
    stamp,
)

__all__ = [
    "GAPS", "UNITS", "VERSION", "Attestation", "Fact", "Facts", "Gap", "Use", "from_json",
    "load_facts", "stamp",
]  # fmt: skip
