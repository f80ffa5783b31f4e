"""Each controller gets its own persons and nobody else's; together they get everybody."""

import csv
import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyrage
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs7,
)
from cryptography.x509 import load_pem_x509_certificate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from delivery.exposures import Keys, certificate, write_exposure
from vigie.delivery import encryption, packets
from vigie.delivery.listing import FIELD_NAMES
from vigie.delivery.packets import write_packets
from vigie.delivery.recipients import load_recipients
from vigie.delivery.split import split
from vigie.errors import ReadingError, SecretError, UsageError
from vigie.language import LANGUAGES, _, speaking
from vigie.notices.register import load_register
from vigie.pseudonyms import Keyring

NAMES = ("Mutuelle Ä", "Mutuelle B", None)


def opened(data: bytes, identity) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(pyrage.decrypt(data, [identity])))


def listed(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    text = archive.read("persons.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


rows = st.lists(
    st.tuples(
        st.integers(0, 40).map(lambda n: n.to_bytes(16, "big")),
        st.sampled_from(["identity", "nir", "medical"]),
        st.sampled_from(["listed", "opened"]),
        st.sampled_from(NAMES),
    ),
    min_size=1,
    max_size=80,
    unique=True,
)


@given(rows, st.integers(1, 7))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_packets_are_the_whole_and_hold_no_foreign_person(said, piece) -> None:
    keys = Keys([name or "" for name in NAMES])
    with TemporaryDirectory() as name:
        top = Path(name)
        exposure = write_exposure(top / "e.parquet", said)
        with split(exposure, top / "work") as found, pytest.MonkeyPatch.context() as patch:
            patch.setattr(packets, "_PIECE", piece)
            outcome = write_packets(found, keys.recipients, top / "out", facts="f")
        expected = defaultdict(lambda: defaultdict(set))
        for person, data_class, _how, controller in said:
            expected[controller or ""][person.hex()].add(data_class)
        got = {}
        for packet in outcome.packets:
            data = (top / "out" / packet.file.name).read_bytes()
            assert hashlib.sha256(data).hexdigest() == packet.file.sha256
            archive = opened(data, keys.identities[packet.controller])
            got[packet.controller] = {row["person"]: row["data"] for row in listed(archive)}
            manifest = json.loads(archive.read("manifest.json"))
            assert manifest["persons"] == len(got[packet.controller]) == packet.persons
            for member, digest in manifest["files"].items():
                assert hashlib.sha256(archive.read(member)).hexdigest() == digest
        assert {c: set(p) for c, p in got.items()} == {c: set(p) for c, p in expected.items()}
        for controller, persons in got.items():
            for person, classes in persons.items():
                assert len(classes.split(", ")) == len(expected[controller][person])
        assert not list((top / "work").iterdir())


def one_exposure(tmp_path: Path, controller: str | None = "Mutuelle B", count: int = 3) -> Path:
    ring = Keyring(bytes(32))
    people = [ring.pseudonym(f"P{n}", "hopital") for n in range(count)]
    said = [(person, "identity", "opened", controller) for person in people]
    return write_exposure(tmp_path / "e.parquet", said)


def test_the_same_exposure_gives_the_same_list_and_manifest_of_contents(tmp_path: Path) -> None:
    exposure, keys, seen = one_exposure(tmp_path), Keys(["Mutuelle B"]), []
    for run in ("a", "b"):
        with split(exposure, tmp_path / "work") as found:
            outcome = write_packets(
                found, keys.recipients, tmp_path / run, lambda share: {"notice.txt": b"x"}
            )
        seen.append(outcome.packets[0].contents)
    assert seen[0] == seen[1]
    assert set(seen[0]) == {"notice.txt", "persons.csv", "manifest.json"}


def sealed_for(tmp_path: Path, kind: str) -> tuple[Path, Path]:
    """Write a packet to a certificate; return the packet and the private key."""
    key = certificate(tmp_path / "b.pem", kind)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(private)
    (tmp_path / "to.toml").write_text('[controllers."Mutuelle B"]\ncertificate = "b.pem"\n')
    recipients = load_recipients(tmp_path / "to.toml")
    with split(one_exposure(tmp_path), tmp_path / "work") as found:
        outcome = write_packets(found, recipients, tmp_path / "out")
    return tmp_path / "out" / outcome.packets[0].file.name, tmp_path / "key.pem"


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not on this machine")
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_certificate_opens_its_packet(tmp_path: Path, kind: str) -> None:
    packet, key = sealed_for(tmp_path, kind)
    command = ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", packet,
               "-recip", tmp_path / "b.pem", "-inkey", key]  # fmt: skip
    clear = subprocess.run(command, capture_output=True, check=True).stdout
    assert len(listed(zipfile.ZipFile(io.BytesIO(clear)))) == 3


def test_without_openssl_rsa_still_opens_and_a_curve_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encryption, "_OPENSSL", "no-such-program")
    packet, key = sealed_for(tmp_path, "rsa")
    held = load_pem_x509_certificate((tmp_path / "b.pem").read_bytes())
    private = load_pem_private_key(key.read_bytes(), None)
    clear = pkcs7.pkcs7_decrypt_der(packet.read_bytes(), held, private, [])
    assert len(listed(zipfile.ZipFile(io.BytesIO(clear)))) == 3
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(SecretError, match="needs the openssl command"):
        sealed_for(tmp_path, "ec")
    assert not [path for path in (tmp_path / "out").iterdir() if path.suffix == ".p7m"]
    shutil.rmtree(tmp_path / "out")
    monkeypatch.setattr(encryption, "LARGEST_CMS", 100)
    with pytest.raises(SecretError, match="too large for a certificate"):
        sealed_for(tmp_path, "rsa")


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not on this machine")
def test_what_fails_while_a_packet_is_made_leaves_no_packet(tmp_path: Path) -> None:
    certificate(tmp_path / "b.pem")
    (tmp_path / "to.toml").write_text('[controllers.B]\ncertificate = "b.pem"\n')
    to = load_recipients(tmp_path / "to.toml")["B"]

    def pieces():
        yield b"x" * (1 << 20)
        raise UsageError("stopped")

    with pytest.raises(UsageError, match="stopped"):
        encryption.write_encrypted(pieces(), to, tmp_path / "x.p7m")
    assert {path.name for path in tmp_path.iterdir()} == {"b.pem", "to.toml"}


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ('age = "age1nonsense"', "not an age public key"),
        ('age = "AGE-SECRET-KEY-1X"', "not an age public key"),
        ('certificate = "none.pem"', "no such file"),
        ('certificate = "text.pem"', "no certificate"),
        ('certificate = "ed.pem"', "neither RSA nor"),
        ('certificate = "sign-ec.pem"', "for signing"),
        ('certificate = "old.pem"', "not valid today"),
        ('certificate = "sign.pem"', "for signing"),
        ('email = "a@b.fr"', "one age key or one certificate"),
    ],
)
def test_a_key_that_is_no_key_is_one_clear_sentence(tmp_path: Path, said: str, word: str) -> None:
    (tmp_path / "text.pem").write_text("bonjour")
    certificate(tmp_path / "ed.pem", "ed25519")
    certificate(tmp_path / "sign-ec.pem", "ec", usage=False)
    certificate(tmp_path / "old.pem", days=-1)
    certificate(tmp_path / "sign.pem", usage=False)
    (tmp_path / "to.toml").write_text(f'[controllers."Mutuelle B"]\n{said}\n')
    with pytest.raises(SecretError) as told:
        load_recipients(tmp_path / "to.toml")
    assert word in str(told.value)
    assert "\n" not in str(told.value)


def test_a_controller_without_a_key_stops_everything_before_anything_is_written(
    tmp_path: Path,
) -> None:
    with (
        split(one_exposure(tmp_path), tmp_path / "work") as found,
        pytest.raises(SecretError, match="Mutuelle B"),
    ):
        write_packets(found, {}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_no_exposure_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1nothing")
    with (
        pytest.raises(ReadingError, match="not an exposure"),
        split(tmp_path / "x.parquet", tmp_path),
    ):
        pass


def test_a_directory_in_use_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").touch()
    keys = Keys(["Mutuelle B"])
    with split(one_exposure(tmp_path), tmp_path / "w") as found, pytest.raises(UsageError):
        write_packets(found, keys.recipients, tmp_path / "out")


REGISTER = """
[register]
file = "patients.csv"
encoding = "{encoding}"
[[identifiers]]
column = "ipp"
authority = "hopital"
[columns]
surname = "nom"
given_name = "prenom"
"""


def register_of(tmp_path: Path, lines: list[str], encoding: str = "utf-8", said: str = ""):
    text = "\n".join(["ipp;nom;prenom", *lines]) + "\n"
    (tmp_path / "patients.csv").write_bytes(text.encode(encoding))
    (tmp_path / "register.toml").write_text(REGISTER.format(encoding=said or encoding))
    return load_register(tmp_path / "register.toml", Keyring(bytes(32)))


def named(tmp_path: Path, register, aliases=None):
    keys = Keys(["Mutuelle B"])
    with split(one_exposure(tmp_path), tmp_path / "work") as found:
        outcome = write_packets(
            found, keys.recipients, tmp_path / "out", register=register, aliases=aliases
        )
    data = (tmp_path / "out" / outcome.packets[0].file.name).read_bytes()
    return outcome, listed(opened(data, keys.identities["Mutuelle B"]))


def test_names_join_and_what_the_register_lacks_or_doubles_is_counted(tmp_path: Path) -> None:
    lines = ["P0;Lefèvre;Zoé", " P1 ;=HYPERLINK(1);Al", "P1;Autre;Al", "P9;Étranger;X", ";Sans;N",
             "P2;Trop;de;colonnes"]  # fmt: skip
    outcome, rows = named(tmp_path, register_of(tmp_path, lines))
    by_name = {row["surname"]: row for row in rows}
    assert by_name["Lefèvre"]["remark"] == ""
    assert "'=HYPERLINK(1)" in by_name
    assert by_name["'=HYPERLINK(1)"]["remark"].endswith("not the same")
    assert by_name[""]["remark"] == "not in the register"
    joined = outcome.joined
    assert (joined.persons, joined.missing, joined.differing) == (3, 1, 1)
    assert (joined.rows, joined.without_identifier, joined.damaged) == (5, 1, {"columns": 1})


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_columns_of_a_list_have_one_name(tmp_path: Path, language: str) -> None:
    register = register_of(tmp_path, ["P0;Lefèvre;Zoé"])
    with speaking(language):
        _outcome, rows = named(tmp_path, register)
    assert len(rows[0]) == 9 - 1 + 2 + 1  # the controller is not told; names; remark
    words = [*FIELD_NAMES.values()]
    with speaking(language):
        assert len({_(word) for word in words}) == len(words)


def test_a_person_is_found_by_any_of_their_numbers(tmp_path: Path) -> None:
    ring = Keyring(bytes(32))
    aliases = pa.table(
        {
            "identifier": pa.array([ring.pseudonym("AUTRE", "hopital")], pa.binary(16)),
            "person": pa.array([ring.pseudonym("P2", "hopital")], pa.binary(16)),
        }
    )
    outcome, rows = named(tmp_path, register_of(tmp_path, ["AUTRE;Durand;Luc"]), aliases)
    assert [row["surname"] for row in rows if row["surname"]] == ["Durand"]
    assert outcome.joined.missing == 2


@pytest.mark.parametrize(("written", "said"), [("cp1252", "utf-8"), ("utf-8", "cp1252")])
def test_another_encoding_is_said_and_never_guessed(tmp_path: Path, written, said) -> None:
    lines = [f"P{n};Lefèvre;Zoé" for n in range(3)]
    with pytest.raises(ReadingError, match=r"UTF-8|written in"):
        named(tmp_path, register_of(tmp_path, lines, written, said))


def test_no_name_is_left_in_clear(tmp_path: Path) -> None:
    lines = [f"P{n};SURNOMUNIQUE{n};PRENOMUNIQUE" for n in range(3)]
    named(tmp_path, register_of(tmp_path, lines))
    (tmp_path / "patients.csv").unlink()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"NOMUNIQUE" not in path.read_bytes(), path


def test_names_joined_a_few_persons_at_a_time_are_the_same_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = register_of(tmp_path, ["P0;Lefèvre;Zoé", "P1;Durand;Luc", "P2;Petit;Éva"])
    _outcome, whole = named(tmp_path, register)
    monkeypatch.setattr(packets, "SLICE", 1)
    (tmp_path / "out").rename(tmp_path / "before")
    outcome, pieces = named(tmp_path, register)
    assert pieces == whole
    assert {row["surname"] for row in whole} == {"Lefèvre", "Durand", "Petit"}
    assert outcome.joined.persons == 3
