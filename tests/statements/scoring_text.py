"""The lists of sensitive words on labelled remarks: what is found of each kind, and what wrongly.

`python -m tests.statements.scoring_text [SET]` prints the table of docs/statements.md. A remark's
`sensitive` is one word of its author's, who had not seen the lists; none when it is harmless.
"""

import json
import sys
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from vigie.statements.freetext import FOLDED, find, load_terms

HELD_OUT: Final = "held_out_2026-11-22_free_text.jsonl"
KINDS: Final = {
    "health": "medical", "hiv": "medical", "mental": "medical", "addiction": "medical",
    "pregnancy": "medical", "social": "social", "violence": "social", "religion": "social",
    "orientation": "social", "origin": "social", "politics": "social", "union": "social",
    "justice": "social", "demeaning": "demeaning",
}  # fmt: skip
"""The author's kinds, and the category of the lists that has to find each."""
_ALSO: Final = {"medical": {"medical", "prescription"}}


class Remark(NamedTuple):
    text: str
    kind: str
    found: frozenset[str]

    @property
    def wanted(self) -> set[str]:
        """The categories that name its kind; none when it is harmless."""
        name = KINDS.get(self.kind, "")
        return _ALSO.get(name, {name} - {""})

    @property
    def right(self) -> bool:
        """Found as what it is; a harmless one as nothing."""
        return bool(self.found & self.wanted) if self.kind else not self.found


def remarks(name: str = HELD_OUT) -> list[Remark]:
    lines = (Path(__file__).parent / name).read_text("utf-8").splitlines()
    said = [json.loads(line) for line in lines]
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE TEMP TABLE said AS SELECT {FOLDED} AS text FROM (SELECT unnest(?) AS text)",
            [[one["text"] for one in said]],
        )
        places = find(connection, load_terms())
    found = [{name for name, of in places.items() if n in of} for n in range(len(said))]
    return [
        Remark(s["text"], s["sensitive"], frozenset(f)) for s, f in zip(said, found, strict=True)
    ]


def overall(every: list[Remark]) -> tuple[float, float]:
    """Precision and recall of finding anything in a remark that is not harmless."""
    hits = [one for one in every if one.found]
    true = sum(bool(one.kind) for one in hits)
    return true / len(hits), true / sum(bool(one.kind) for one in every)


def by_kind(every: list[Remark]) -> dict[str, tuple[int, int]]:
    """How many remarks there are of each kind, and how many were found as such."""
    of = {kind: [one for one in every if one.kind == kind] for kind in (*KINDS, "")}
    return {kind: (len(some), sum(one.right for one in some)) for kind, some in of.items() if some}


def by_category(every: list[Remark]) -> dict[str, tuple[int, int]]:
    """How many remarks each category of the lists named, and in how many of them rightly."""
    shown = {}
    for name in (one.name for one in load_terms().category):
        named = [one for one in every if name in one.found]
        right = [one for one in named if name in one.wanted]
        shown[name] = len(named), len(right)
    return shown


def main() -> None:
    every = remarks(*sys.argv[1:2])
    print("| kind | remarks | found |\n|---|---:|---:|")
    for kind, (total, found) in by_kind(every).items():
        print(f"| {kind or 'harmless'} | {total} | {found} |")
    print("| category | named | rightly |\n|---|---:|---:|")
    for name, (total, right) in by_category(every).items():
        print(f"| {name} | {total} | {right} |")
    print("precision {:.3f}, recall {:.3f}".format(*overall(every)))
    for one in every:
        if not one.right:
            print(f"<!-- {one.kind or 'harmless'}, found {sorted(one.found)}: {one.text} -->")


if __name__ == "__main__":
    main()
