"""The waist, the keyring, SipHash, the settings and the language."""

import os
import stat
from importlib import resources
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie import events
from vigie.cases.organisation import load_organisation
from vigie.cases.vocabulary import load_vocabulary
from vigie.config import Settings, load_settings
from vigie.delivery.smtp import load_server
from vigie.errors import ReadingError, SecretError, SettingsError
from vigie.events import KEY
from vigie.hashing.siphash import hash_spans
from vigie.language import _, speaking
from vigie.pseudonyms import KEY_FILE, Keyring, open_keyring, save_keyring
from vigie.stores.keys import advance

# The first and last of the 64 vectors of the reference implementation (128-bit SipHash-2-4).
SIPHASH_VECTORS = {
    0: "a3817f04ba25a8e66df67214c7550293",
    1: "da87c1d86b99af44347659119b22fc45",
    8: "3b62a9ba6258f5610f83e264f31497b4",
}


@pytest.mark.parametrize(("length", "digest"), SIPHASH_VECTORS.items())
def test_siphash_follows_the_reference_vectors(length: int, digest: str) -> None:
    data = np.frombuffer(bytes(range(64)), np.uint8)
    found = hash_spans(data, np.array([0]), np.array([length]), bytes(range(16)))
    assert found.astype("<u8").tobytes().hex() == digest


def test_every_column_of_the_waist_has_a_meaning() -> None:
    assert all(column.meaning for column in events.COLUMNS)
    assert events.SCHEMA.names == [column.name for column in events.COLUMNS]


def test_the_check_names_the_column_at_fault() -> None:
    table = events.SCHEMA.empty_table()
    with pytest.raises(events.SchemaError, match="bytes"):
        events.check(table.drop_columns(["bytes"]))
    place = table.schema.get_field_index("bytes")
    wrong = table.set_column(place, "bytes", pa.array([], pa.int32()))
    with pytest.raises(events.SchemaError, match="bytes is int32"):
        events.check(wrong)


def test_the_check_refuses_a_word_outside_the_vocabulary() -> None:
    rows = {name: events.empty_column(name, 1) for name in events.READ_SCHEMA.names}
    for name in ("source", "source_file", "mapping_version", "clock_quality"):
        rows[name] = events.constant("exact", 1)
    rows["source_line"], rows["part"] = pa.array([1]), pa.array([0], pa.int32())
    rows["line_hash"] = pa.array([bytes(16)], events.KEY)
    rows["at"] = pa.array([0], events.TIME)
    rows["action"] = events.constant("open", 1)
    events.check(pa.table(rows, schema=events.READ_SCHEMA), events.READ_SCHEMA)
    rows["action"] = events.constant("steal", 1)
    with pytest.raises(events.SchemaError, match="steal"):
        events.check(pa.table(rows, schema=events.READ_SCHEMA), events.READ_SCHEMA)


def test_the_key_is_made_once_private_and_never_shown(tmp_path) -> None:
    ring = open_keyring(tmp_path)
    path = tmp_path / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert open_keyring(tmp_path) == ring
    assert ring.base.hex() not in repr(ring) + str(ring)


def test_a_key_that_others_can_read_is_refused(tmp_path) -> None:
    open_keyring(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o640)
    with pytest.raises(SecretError, match="chmod 600"):
        open_keyring(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", '{"base": "zz", "steps": []}', "[1]"])
def test_a_broken_key_file_is_refused_in_one_sentence(tmp_path, content: str) -> None:
    path = tmp_path / KEY_FILE
    path.touch(0o600)
    path.write_text(content)
    with pytest.raises(SecretError, match="not a key file"):
        open_keyring(tmp_path)


def test_saving_keeps_the_mode(tmp_path) -> None:
    ring = open_keyring(tmp_path).rotated()
    os.umask(0o022)
    save_keyring(tmp_path, ring)
    assert open_keyring(tmp_path) == ring
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


identifiers = st.lists(st.none() | st.text(max_size=20), max_size=30)


@given(identifiers, st.integers(0, 3))
def test_rotation_permutes_the_stored_pseudonyms(values: list[str | None], rotations: int) -> None:
    old = Keyring(b"k" * 32)
    stored = old.pseudonyms(pa.array(values, pa.string()), "hospital")
    new = old
    for _turn in range(rotations):
        new = new.rotated()
    fresh = new.pseudonyms(pa.array(values, pa.string()), "hospital")
    kept = pa.table([stored], schema=pa.schema([("patient", KEY)]))
    assert advance(kept, new, since=0)["patient"].combine_chunks().equals(fresh)
    if rotations and any(value is not None for value in values):
        assert not stored.equals(fresh)


@given(st.text(), st.text(), st.text(), st.text())
def test_a_pseudonym_covers_authority_and_value(a: str, b: str, x: str, y: str) -> None:
    ring = Keyring(b"k" * 32)
    separators = {"\x1f"} & set(a + b)
    if not separators and (a, x) != (b, y):
        assert ring.pseudonym(x, a) != ring.pseudonym(y, b)
    assert ring.pseudonym(x, a) == ring.pseudonyms(pa.array([x]), a)[0].as_py()
    assert ring.pseudonym(x, a, "surname") != ring.pseudonym(x, a)


def test_settings_default_and_refuse_unknown_names(tmp_path) -> None:
    assert load_settings(tmp_path) == Settings()
    (tmp_path / "vigie.toml").write_text("alarm_budget = 2.5\n[trust]\nquarantined = 0.1\n")
    found = load_settings(tmp_path)
    assert found.alarm_budget == 2.5
    assert found.trust.quarantined == 0.1
    (tmp_path / "vigie.toml").write_text("alarm_bugdet = 2.5\n")
    with pytest.raises(SettingsError, match="alarm_bugdet"):
        load_settings(tmp_path)


def test_an_error_is_one_sentence_in_either_language() -> None:
    error = ReadingError("the file cannot be opened ({reason})", where="a.csv", reason="x")
    with speaking("en"):
        assert str(error) == "a.csv: the file cannot be opened (x)."
    with speaking("fr"):
        assert str(error) == "a.csv\u00a0: le fichier ne peut être ouvert (x)."
        assert _("") == ""


@pytest.mark.parametrize(
    "name", ["vigie.toml", "organisation.toml", "smtp.toml", "legal/cnil.toml"]
)
def test_a_file_written_by_hand_may_begin_with_a_mark_and_is_never_too_deep(
    private_home: Path, name: str
) -> None:
    load = {
        "vigie.toml": load_settings, "organisation.toml": load_organisation,
        "smtp.toml": load_server, "legal/cnil.toml": load_vocabulary,
    }[name]  # fmt: skip
    said = {
        "vigie.toml": "", "organisation.toml": 'name = "GCS"',
        "smtp.toml": 'host = "mail"\nsender = "dpo@gcs.example"',
        "legal/cnil.toml": (resources.files("vigie.legal") / "cnil.toml").read_text("utf-8"),
    }[name]  # fmt: skip
    path = private_home / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(said, "utf-8-sig")
    load(private_home)
    path.write_text("x = " + 3000 * "[")
    with pytest.raises(SettingsError, match=path.name):
        load(private_home)
