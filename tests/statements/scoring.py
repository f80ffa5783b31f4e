"""The checker's verdicts on the labelled sentences: precision, recall, and what was wrongly passed.

`python -m tests.statements.scoring` prints the table of docs/statements.md.
"""

import json
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

from tests.statements.facts import SETS

from vigie.facts import Facts, from_json
from vigie.statements import check

LABELS = {"refused": "refuse", "unverified": "unverified", "passed": "pass", "no_claim": "none"}
SENTENCES = Path(__file__).parent
APART = {
    "apart.jsonl": "apart.json",
    "held_out_2026-11-22.jsonl": "held_out_2026-11-22.json",
    "second_2026-11-22.jsonl": "held_out_2026-11-22.json",
    "published.jsonl": "held_out_2026-11-22.json",
    "third_2026-11-22.jsonl": "held_out_2026-11-22.json",
    "english_2026-11-22.jsonl": "held_out_2026-11-22.json",
    "english_second_2026-11-22.jsonl": "held_out_2026-11-22.json",
}
"""Sets with the facts they speak of. The first two are by somebody who knew the verdicts' meaning
and the facts, and neither rules nor other sets; the third is by the author of the second, who then
mended the rules, from after the rules were seen and before one was mended; the fourth is of
sentences that authorities and firms published, as the press quotes them; the last three are by
the author of the English rules: two from before a rule was changed or written, the last from before
one was mended."""


def sentences(name: str = "sentences.toml") -> list[dict[str, str]]:
    text = (SENTENCES / name).read_text("utf-8")
    if name not in APART:
        return tomllib.loads(text)["sentence"]
    said, facts = map(json.loads, text.splitlines()), APART[name]
    return [
        {"set": f"{facts}:{s['facts']}", "text": s["text"], "label": s["verdict"]} for s in said
    ]


@cache
def facts_named(name: str) -> Facts:
    file, _, own = name.rpartition(":")
    if not file:
        return SETS[name]
    every = json.loads((SENTENCES / file).read_text("utf-8"))
    return from_json(json.dumps(every[own]).encode())


def verdict(one: dict[str, str]) -> str:
    found = [LABELS[finding.verdict] for finding in check(one["text"], facts_named(one["set"]))]
    return min(found, key=["refuse", "unverified", "pass", "none"].index)


def confusion(name: str = "sentences.toml") -> Counter[tuple[str, str]]:
    return Counter((one["label"], verdict(one)) for one in sentences(name))


def scores(counts: Counter[tuple[str, str]], label: str) -> tuple[float, float]:
    hit = counts[label, label]
    said = sum(n for (_, given), n in counts.items() if given == label)
    true = sum(n for (wanted, _), n in counts.items() if wanted == label)
    return hit / said if said else 1.0, hit / true if true else 1.0


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "sentences.toml"
    counts = confusion(name)
    print("| label | sentences | precision | recall |\n|---|---:|---:|---:|")
    for label in ("refuse", "unverified", "pass", "none"):
        precision, recall = scores(counts, label)
        total = sum(n for (wanted, _), n in counts.items() if wanted == label)
        print(f"| {label} | {total} | {precision:.3f} | {recall:.3f} |")
    for one in sentences(name):
        if verdict(one) != one["label"]:
            print(f"<!-- {one['set']} {one['label']} -> {verdict(one)}: {one['text']} -->")


if __name__ == "__main__":
    main()
