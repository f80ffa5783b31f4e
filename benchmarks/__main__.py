"""Run the benchmarks and write their table: `python -m benchmarks [NAME…]`.

Each `bench_NAME.py` has `run(scale) -> list[Result]`; BENCH_SCALE (default 0.1) is the part of the
issue's full sizes. The table goes to standard output and, when all ran, to docs/benchmarks.md.
Those without `run` take hours and print tables of their own: `python -m benchmarks.bench_NAME`.
"""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks.base import Result

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- table begins -->", "<!-- table ends -->"


def names() -> list[str]:
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def table(results: list[Result]) -> str:
    lines = [
        "| benchmark | ours | reference | its figure | unit | ratio | target | remark |",
        "|---|---:|---|---:|---|---:|---|---|",
    ]
    for r in results:
        lines.append(
            f"| {r.name} | {r.ours:,.4g} | {r.reference_name} | {r.reference:,.4g} | {r.unit} "
            f"| {r.ratio:.2f} | {r.target} | {r.note} |"
        )
    return "\n".join(lines)


def main() -> int:
    asked = sys.argv[1:] or names()
    scale = float(os.environ.get("BENCH_SCALE", "0.1"))
    results: list[Result] = []
    for name in asked:
        measure = getattr(import_module(f"benchmarks.bench_{name}"), "run", None)
        if measure is None:
            sys.stderr.write(f"bench {name}: only as python -m benchmarks.bench_{name}\n")
            continue
        sys.stderr.write(f"bench {name}…\n")
        results += measure(scale)
    text = table(results)
    print(text)
    if not sys.argv[1:]:
        write_page(text, scale)
    return 0


def write_page(text: str, scale: float) -> None:
    head = (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with `BENCH_SCALE={scale} make bench`, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}.\n"
    )
    page = PAGE.read_text("utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{head}\n{text}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
