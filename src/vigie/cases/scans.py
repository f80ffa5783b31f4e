"""What the searches of free text (scans) change in the facts of a case."""

from collections.abc import Iterable
from typing import Final

import msgspec

from vigie.cases.model import Case, TextScanned
from vigie.facts import Facts, Gap

UNSCANNED, FOUND = "unscanned_text", "sensitive_text"
_TEXT: Final = (UNSCANNED, FOUND)


def with_scans(facts: Facts, case: Case) -> Facts:
    """Return the facts with what the searches of the case say of each screen's free text.

    The last search of a screen counts: one that found nothing closes the gap, one that found
    something says in how many texts. A search without a text proves nothing and changes nothing.
    """
    last = {(one.source, one.screen): one for one in case.of(TextScanned) if one.values}
    kept = [
        gap for gap in facts.gaps if gap.kind not in _TEXT or (gap.source, gap.name) not in last
    ]
    return msgspec.structs.replace(facts, gaps=(*kept, *_found(last.values())))


def _found(scans: Iterable[TextScanned]) -> list[Gap]:
    return [
        Gap(kind=FOUND, source=one.source, name=one.screen, count=one.hits)
        for one in scans
        if one.hits
    ]
