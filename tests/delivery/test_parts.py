"""Packets in parts: nobody is lost or doubled, each part opens alone, and none is too large."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pyrage
import pytest

from delivery.exposures import Keys, write_exposure
from vigie.delivery.packets import read_manifest, write_packets
from vigie.delivery.posting import largest_file, mail_size, parcels
from vigie.delivery.split import split
from vigie.pseudonyms import Keyring

NAME = "Mutuelle des Dunes"


def rows(count: int, reachable: int) -> list[tuple[bytes, str, str, str]]:
    ring = Keyring(bytes(32))
    hows = ["opened"] * count + ["reachable"] * reachable
    return [(ring.pseudonym(f"P{n}", "h"), "identity", how, NAME) for n, how in enumerate(hows)] + [
        (ring.pseudonym("Q", "h"), "nir", "listed", "Cabinet")
    ]


def persons(archive: zipfile.ZipFile, name: str) -> list[str]:
    if name not in archive.namelist():
        return []
    text = archive.read(name).decode("utf-8-sig")
    return [row["person"] for row in csv.DictReader(io.StringIO(text), delimiter=";")]


@pytest.mark.parametrize(("count", "reachable"), [(25_000, 9_000), (25_000, 0), (40, 20_000)])
def test_parts_are_the_whole_and_none_is_too_large(
    tmp_path: Path, count: int, reachable: int
) -> None:
    exposure, keys = write_exposure(tmp_path / "e", rows(count, reachable)), Keys([NAME, "Cabinet"])
    largest = 300_000
    with split(exposure, tmp_path / "work") as found:
        outcome = write_packets(
            found, keys.recipients, tmp_path / "out", lambda share: {"notice.txt": b"x" * 9_000},
            facts="f", largest=lambda to: largest if to.name == NAME else None,
        )  # fmt: skip
    packet = {one.controller: one for one in outcome.packets}[NAME]
    assert len(packet.parts) > 1
    assert (outcome.persons, outcome.possible) == (count + 1, reachable)
    seen: dict[str, list[str]] = {"persons.csv": [], "possible.csv": []}
    for number, part in enumerate(packet.parts, start=1):
        assert part.file.name == f"2-mutuelle-des-dunes.part-{number:03d}.zip.age"
        assert part.file.size <= largest
        data = (tmp_path / "out" / part.file.name).read_bytes()
        archive = zipfile.ZipFile(io.BytesIO(pyrage.decrypt(data, [keys.identities[NAME]])))
        said = json.loads(archive.read("manifest.json"))
        assert (said["part"], said["persons"], said["possible"]) == (number, count, reachable)
        assert ("notice.txt" in archive.namelist()) == (number == 1)
        for name, kind in (("persons.csv", "persons_here"), ("possible.csv", "possible_here")):
            here = persons(archive, name)
            assert len(here) == said[kind]
            seen[name] += here
    assert said["parts"] == len(packet.parts)
    assert [one["sha256"] for one in said["other_parts"]] == [
        part.file.sha256 for part in packet.parts[:-1]
    ]
    assert len(seen["persons.csv"]) == len({*seen["persons.csv"]}) == count
    assert len({*seen["possible.csv"]}) == reachable
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        ["packets.json", "1-cabinet.zip.age", *(part.file.name for part in packet.parts)]
    )
    sent = parcels(tmp_path / "out", keys.recipients, ["f"])
    assert [one.part for one in sent if one.controller == NAME] == [
        *range(1, len(packet.parts) + 1)
    ]
    assert len({one.named for one in sent}) == len(sent)


def test_what_fits_is_one_file_as_without_a_bound(tmp_path: Path) -> None:
    exposure, keys = write_exposure(tmp_path / "e", rows(500, 3)), Keys([NAME, "Cabinet"])
    said = []
    for name, largest in (("a", None), ("b", 300_000)):
        with split(exposure, tmp_path / "work") as found:
            write_packets(
                found, keys.recipients, tmp_path / name, facts="f",
                largest=lambda _to, largest=largest: largest,
            )  # fmt: skip
        manifest = read_manifest(tmp_path / name / "packets.json")
        said.append([packet["contents"] for packet in manifest["packets"]])
    assert said[0] == said[1]


def test_a_file_that_may_be_so_large_fits_into_its_mail() -> None:
    for mail in (500_000, 7_654_321, 10_000_000, 10_000_001):
        assert mail - 200 <= mail_size(largest_file(mail)) <= mail
