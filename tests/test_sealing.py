"""Originals come back byte for byte, to who holds the key and has a reason, and to nobody else."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrage import x25519

from stores.logs import receive, write
from vigie import journal, sealing
from vigie.errors import RefusedError, SecretError, StoreError
from vigie.stores import Store
from vigie.stores.originals import unseal_file

LINES = ["1 a p", "broken \u00e9\x00 line", "", "2 a p,q", "3 a 1850112345678 \r"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    with Store.open(tmp_path / "home", write=True) as opened:
        yield opened


@given(st.lists(st.binary(max_size=40)), st.integers(1, 30))
def test_blocks_of_any_shape_come_back_in_order(blocks: list[bytes], chunk: int) -> None:
    identity = x25519.Identity.generate()
    kept: dict[str, bytes] = {}
    names = (f"{number:03d}" for number in range(10_000))
    sealer = sealing.Sealer([identity.to_public()], kept.__setitem__, names, chunk)
    for block in blocks:
        sealer(block)
    index = sealer.finish()
    whole = b"".join(sealing.unseal(kept[one.name], [identity]) for one in index)
    assert whole == b"".join(blocks)
    for one in index:
        assert one.first_line == 1 + whole[: one.offset].count(b"\n")
        assert one.lines == whole[one.offset : one.offset + one.size].count(b"\n")


def test_every_line_can_be_read_again_quarantined_ones_included(
    store: Store, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.log", LINES)
    assert receive(store, path).tally.quarantined == 1
    key = store.home / sealing.PRIVATE_FILE
    raw = path.read_bytes().split(b"\n")[:-1]
    assert store.unseal("a.log", [2, 5, 1, 3, 4], key, "complaint") == [
        raw[1], raw[4], raw[0], raw[2], raw[3],
    ]  # fmt: skip
    assert unseal_file(store, "a.log", key, "complaint") == path.read_bytes()


def test_lines_that_cross_chunks_are_whole(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing.Sealer.__init__, "__defaults__", (7,))
    lines = [f"{n} account{n} patient{n}" for n in range(20)]
    receive(store, write(tmp_path / "a.log", lines))
    key = store.home / sealing.PRIVATE_FILE
    for number in range(1, 21):
        assert store.unseal("a.log", [number], key, "why") == [lines[number - 1].encode()]
    for beyond in (21, 99):
        with pytest.raises(StoreError, match="no such line") as told:
            store.unseal("a.log", [beyond], key, "why")
        assert told.value.where == f"a.log:{beyond}"


def test_what_is_kept_shows_nothing(store: Store, tmp_path: Path) -> None:
    receive(store, write(tmp_path / "a.log", LINES))
    for path in store.home.rglob("*"):
        if path.is_file():
            assert b"1850112345678" not in path.read_bytes()


def test_the_same_content_packed_otherwise_is_found_under_both_names(
    store: Store, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.log", LINES)
    receive(store, path)
    packed = tmp_path / "b.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    receive(store, packed)
    assert len(list((store.home / "sealed").rglob("*.age"))) == 1
    key = store.home / sealing.PRIVATE_FILE
    assert store.unseal("b.gz", [1], key, "why") == [b"1 a p"]


def test_reading_is_journalled_and_needs_a_reason(store: Store, tmp_path: Path) -> None:
    receive(store, write(tmp_path / "a.log", LINES))
    key = store.home / sealing.PRIVATE_FILE
    with pytest.raises(RefusedError, match="needs a reason"):
        store.unseal("a.log", [1], key, " ")
    store.unseal("a.log", [1, 2], key, "complaint 12", who="dpo")
    entry = journal.entries(store.home)[-1]
    assert (entry.what, entry.who, entry.reason) == ("unseal", "dpo", "complaint 12")
    assert entry.subject == "a.log: 2 lines"


def test_another_key_opens_nothing(store: Store, tmp_path: Path) -> None:
    receive(store, write(tmp_path / "a.log", LINES))
    other = tmp_path / "other"
    other.write_text(str(x25519.Identity.generate()))
    with pytest.raises(SecretError, match="does not open"):
        store.unseal("a.log", [1], other, "why")
    other.write_text("not a key")
    with pytest.raises(SecretError, match="no age private key"):
        store.unseal("a.log", [1], other, "why")
    with pytest.raises(StoreError, match="no sealed original"):
        store.unseal("z.log", [1], store.home / sealing.PRIVATE_FILE, "why")


def test_each_of_several_recipients_can_read(store: Store, tmp_path: Path) -> None:
    people = [x25519.Identity.generate() for _ in range(2)]
    text = "# the DPO, then the RSSI\n" + "".join(f"{one.to_public()}\n" for one in people)
    (store.home / sealing.PUBLIC_FILE).write_text(text)
    receive(store, write(tmp_path / "a.log", LINES))
    assert not sealing.private_key_still_here(store.home)
    for number, one in enumerate(people):
        key = tmp_path / str(number)
        key.write_text(str(one))
        assert store.unseal("a.log", [1], key, "why") == [b"1 a p"]


def test_the_first_use_makes_a_pair_and_says_where_its_private_half_is(tmp_path: Path) -> None:
    assert not sealing.private_key_still_here(tmp_path)
    assert len(sealing.recipients(tmp_path)) == 1
    assert sealing.private_key_still_here(tmp_path)
    assert (tmp_path / sealing.PRIVATE_FILE).stat().st_mode & 0o777 == 0o600
    assert str(sealing.recipients(tmp_path)[0]) in (tmp_path / sealing.PRIVATE_FILE).read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [("age1nonsense", "sealing.pub:1: this is not an age"), ("# none\n", "names no recipient")],
)
def test_a_wrong_recipient_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / sealing.PUBLIC_FILE).write_text(text)
    with pytest.raises(SecretError, match=said):
        sealing.recipients(tmp_path)
