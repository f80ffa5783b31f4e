"""A log that names patients by their social-security number: nobody who bears one is left out."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyrage
import pytest
from pyrage import x25519

from vigie.delivery.mailing import Mailing, addressees, print_letters
from vigie.delivery.packets import write_packets
from vigie.delivery.recipients import Recipient
from vigie.delivery.split import split
from vigie.delivery.unwritten import UNWRITTEN
from vigie.exposure import EXPOSURE
from vigie.language import speaking
from vigie.notices.register import load_register
from vigie.notices.routes import Route
from vigie.pseudonyms import Keyring

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
RING = Keyring(bytes(32))
FAMILY, ALONE, PLACEHOLDER, ELSEWHERE = (
    "255081416802538", "291125145425671", "101045145432269", "284105145427572",
)  # fmt: skip
HEADER = "nir;nom;prenom;ne;cp;ville;amc"
ROWS = [
    f"{FAMILY};Lefèvre;Zoé;1980-01-02;29200;BREST;A",
    f"{FAMILY};LEFEVRE;ZOE;1980-01-02;29200;Brest;A",
    f"{FAMILY};Lefèvre;Lou;2015-01-02;29200;BREST;A",
    f"{FAMILY};Lefèvre;Max;2012-01-02;29200;BREST;B",
    f"{FAMILY};Lefèvre;Max;2012-01-02;44000;NANTES;B",
    f"{ALONE};Durand;Ida;1950-01-02;35000;RENNES;A",
    *(f"{PLACEHOLDER};X;P{n};1950-01-02;35000;RENNES;A" for n in range(16)),
]
REGISTER = """
[register]
file = "assures.csv"
delimiter = ";"
[[identifiers]]
column = "nir"
kind = "nir"
[columns]
surname = "nom"
given_name = "prenom"
birth_date = "ne"
postcode = "cp"
city = "ville"
"""
EVERYBODY = dict.fromkeys((FAMILY, ALONE, PLACEHOLDER, ELSEWHERE), ("A",))


def exposure(top: Path, owners: dict[str, tuple[str, ...]]) -> Path:
    rows = sorted(
        (RING.pseudonym(number, "nir"), name, "opened", AT, AT, "acc", owner, "certain", 1)
        for number, names in owners.items()
        for owner in names
        for name in ("identity", "nir")
    )
    columns = zip(*rows, strict=True)
    table = pa.table([pa.array(c, f.type) for c, f in zip(columns, EXPOSURE, strict=True)],
                     schema=EXPOSURE)  # fmt: skip
    pq.write_table(table, top / "exposure.parquet")
    return top / "exposure.parquet"


def register(top: Path, more: str = "", rows: list[str] = ROWS, ring: Keyring = RING):
    (top / "assures.csv").write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    (top / "register.toml").write_text(REGISTER + more)
    return load_register(top / "register.toml", ring)


def told(top: Path, rows: list[str] = ROWS):
    mailing = Mailing()
    with split(exposure(top, EVERYBODY), top / "work", by_controller=False) as found:
        people = addressees(found, register(top, rows=rows), None, date(2026, 3, 4), mailing)
        return list(people), mailing


def named(people) -> dict[str, object]:
    return {one.fields.get("given_name") or "–": one for one in people}


def test_each_who_bears_a_number_is_told_that_the_data_may_be_theirs(tmp_path: Path) -> None:
    people, mailing = told(tmp_path)
    found = named(people)
    assert (found["Zoé"].way, found["Lou"].way) == (Route.ADULT, Route.MINOR)
    assert (found["Zoé"].exposed.seen, found["Zoé"].exposed.possible) == ((), ("identity", "nir"))
    assert found["Zoé"].bearers == 3
    assert found["Max"].way == Route.DOUBTFUL  # his own rows name two towns
    assert (found["Ida"].way, found["Ida"].exposed.seen) == (Route.ADULT, ("identity", "nir"))
    assert (found["P0"].way, found["–"].way) == (Route.DOUBTFUL, Route.UNREACHABLE)
    assert (mailing.joined.shared, mailing.joined.bearers) == (1, 3)
    assert len({one.person for one in people}) == len(people) == 6


def test_their_names_in_the_queue_hold_whatever_the_order_and_through_rotations(
    tmp_path: Path,
) -> None:
    once, again = (
        {(one.fields.get("given_name") or "")[:1].upper(): one.person for one in told(*asked)[0]}
        for asked in ((tmp_path,), (tmp_path, ROWS[::-1]))
    )
    assert once == again
    assert len(once) == 6  # one is in no register
    turned = RING.rotated()
    number, later = (ring.pseudonym(FAMILY, "nir") for ring in (RING, turned))
    before = register(tmp_path).bearer(number, "zoe|1980")
    after = register(tmp_path, ring=turned).bearer(later, "zoe|1980")
    assert turned.advanced(bytes.fromhex(before), 0).hex() == after


@pytest.mark.parametrize(
    ("more", "lists"),
    [
        ("", {"A": ["", "Ida", "P0", ""], "B": [""]}),
        ('controller = "amc"\n', {"A": ["Zoé", "Lou", "Ida", "P0", ""], "B": ["Max"]}),
    ],
)
def test_no_packet_names_a_bearer_who_may_be_another_controller_s(
    more: str, lists: dict[str, list[str]], tmp_path: Path
) -> None:
    identity = x25519.Identity.generate()
    to = {name: Recipient(name, age=(identity.to_public(),)) for name in "AB"}
    owners = EVERYBODY | {FAMILY: ("A", "B")}
    with split(exposure(tmp_path, owners), tmp_path / "work") as found, speaking("en"):
        write_packets(found, to, tmp_path / "out", register=register(tmp_path, more))
    for place, name in enumerate("AB", start=1):
        sealed = (tmp_path / "out" / f"{place}-{name.lower()}.zip.age").read_bytes()
        archive = zipfile.ZipFile(io.BytesIO(pyrage.decrypt(sealed, [identity])))
        text = archive.read("persons.csv").decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
        assert sorted(row["given name"] for row in rows) == sorted(lists[name])
        assert "controller" not in rows[0]


def test_a_packet_in_parts_keeps_those_of_one_number_together(tmp_path: Path) -> None:
    identity = x25519.Identity.generate()
    to = {"A": Recipient("A", age=(identity.to_public(),))}
    with split(exposure(tmp_path, EVERYBODY), tmp_path / "work") as found, speaking("en"):
        made = write_packets(found, to, tmp_path / "out", register=register(tmp_path),
                             largest=lambda _to: 1)  # fmt: skip
    assert [packet.persons for packet in made.packets] == [4]


def test_who_is_not_written_to_is_listed_beside_the_letters(tmp_path: Path) -> None:
    class Written:
        """Letters of which only the addressee matters here."""

        def write(self, *_said: object) -> bytes:
            return b"letter"

    identity = x25519.Identity.generate()
    to = Recipient("", age=(identity.to_public(),))
    people, mailing = told(tmp_path)
    with speaking("en"):
        print_letters(iter(people), Written(), lambda made: made, to, tmp_path / "out", mailing)
    (sealed,) = (tmp_path / "out").iterdir()
    archive = zipfile.ZipFile(io.BytesIO(pyrage.decrypt(sealed.read_bytes(), [identity])))
    text = archive.read(UNWRITTEN).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert sorted((row["given name"], row["way"].partition(":")[0]) for row in rows) == [
        ("", "unreachable"), ("Max", "doubtful"), ("P0", "doubtful"),
    ]  # fmt: skip
    assert mailing.letters == 3


def test_who_is_insured_twice_is_on_both_lists_and_no_doubt(tmp_path: Path) -> None:
    rows = [*ROWS, f"{FAMILY};Lefèvre;Lou;2015-01-02;29200;BREST;B"]
    identity = x25519.Identity.generate()
    to = {name: Recipient(name, age=(identity.to_public(),)) for name in "AB"}
    owners = {FAMILY: ("A", "B")}
    known = register(tmp_path, 'controller = "amc"\n', rows)
    with split(exposure(tmp_path, owners), tmp_path / "work") as found, speaking("en"):
        write_packets(found, to, tmp_path / "out", register=known)
    found_on = {}
    for place, name in enumerate("AB", start=1):
        sealed = (tmp_path / "out" / f"{place}-{name.lower()}.zip.age").read_bytes()
        archive = zipfile.ZipFile(io.BytesIO(pyrage.decrypt(sealed, [identity])))
        text = archive.read("persons.csv").decode("utf-8-sig")
        listed = csv.DictReader(io.StringIO(text), delimiter=";")
        found_on[name] = {row["given name"]: row["remark"][:4] for row in listed}
    assert found_on == {"A": {"Zoé": "bear", "Lou": "bear"}, "B": {"Lou": "bear", "Max": "seve"}}
