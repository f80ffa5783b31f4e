"""Exposure: the rules, one by one, on logs of a few lines."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.exposure.small import (
    AUTHORITY,
    HEADER,
    MAPPING,
    line,
    links,
    march,
    moment,
    store_of,
    tenth,
)

from vigie import journal
from vigie.errors import RefusedError, UsageError
from vigie.exposure import EXPOSURE, INDEX, Boundary, Index, Scope, Stretch, expose
from vigie.exposure.changes import compare
from vigie.exposure.persons import Move, exposed_by
from vigie.facts.counting import facts_of
from vigie.identifiers import nir_key
from vigie.pipeline import find_files, import_files
from vigie.readers.mapping import load_mapping
from vigie.records import SCREENS
from vigie.stores import Store

DAY = "2026-03-10T10:0{}:00Z"


def shown(found) -> set[tuple]:
    return {(row["data_class"], row["how"], row["accesses"]) for row in found.table.to_pylist()}


def persons(home: Path, **more) -> int:
    with Store.open(home) as store:
        return expose(store, march(), **more).persons


def test_the_same_set_is_the_same_bytes_and_the_look_is_in_the_journal(tmp_path: Path) -> None:
    home = store_of(tmp_path, [line(DAY.format(n), "open", "record", str(n)) for n in range(5)])
    with Store.open(home) as store:
        first = expose(store, march(), reason="audit").write(tmp_path / "one.parquet")
        second = expose(store, march(), reason="audit").write(tmp_path / "two.parquet")
    assert first == second
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    table = pq.read_table(tmp_path / "one.parquet")
    assert table.schema.equals(EXPOSURE)
    entries = [entry for entry in journal.entries(home) if entry.what == journal.LOOK]
    assert len(entries) == 2
    assert "5 persons" in entries[0].subject
    assert journal.verify(home) is None


def test_each_way_and_each_class(tmp_path: Path) -> None:
    home = store_of(tmp_path, [
        line(DAY.format(0), "search", "find", "1", record_count="1"),
        line(DAY.format(1), "open", "record", "1"),
        line(DAY.format(2), "open", "record", "1"),
        line(DAY.format(3), "print", "record", "1"),
        line(DAY.format(4), "open", "undeclared", "2"),
        line(DAY.format(5), "login", "record"),
    ])  # fmt: skip
    with Store.open(home) as store:
        found = expose(store, march())
        assert shown(found) == {
            ("identity", "listed", 1), ("identity", "opened", 2), ("medical", "opened", 2),
            ("identity", "exported", 1), ("medical", "exported", 1), ("unknown", "opened", 1),
        }  # fmt: skip
        (row,) = [
            r
            for r in found.table.to_pylist()
            if r["accesses"] == 2 and r["data_class"] == "medical"
        ]
        assert row["first_at"] == moment("2026-03-10T10:01:00")
        assert row["last_at"] == moment("2026-03-10T10:02:00")
        assert row["controller"] == "Clinique A"


def test_what_was_refused_shows_nothing(tmp_path: Path) -> None:
    home = store_of(tmp_path, [
        line(DAY.format(0), "open", "record", "1", outcome="serious_failure"),
        line(DAY.format(1), "open", "record", "2", outcome="minor_failure"),
    ])  # fmt: skip
    with Store.open(home) as store:
        found = expose(store, march())
        assert found.persons == 1
        assert found.totals["refused"] == 1


def test_a_screen_that_nobody_attested_may_show_more(tmp_path: Path) -> None:
    home = store_of(tmp_path, [line(DAY.format(0), "open", "record", "1")], attested=False)
    with Store.open(home) as store:
        found = expose(store, march())
        assert {c for c, *_ in shown(found)} == {"identity", "medical", "unknown"}
        assert "unattested_screen" in {gap.kind for gap in facts_of(found).gaps}


def test_a_corrected_declaration_changes_the_classes_and_says_so(tmp_path: Path) -> None:
    home = store_of(tmp_path, [line(DAY.format(n), "open", "record", str(n)) for n in range(3)])
    with Store.open(home, write=True) as store:
        before = store.table("screens")
        more = {"source": "portal", "object": "record", "data_class": "nir",
                "attested_by": "DSI", "attested_on": moment("2026-03-20").date()}  # fmt: skip
        rows = [
            r for r in before.to_pylist() if (r["object"], r["data_class"]) != ("record", "medical")
        ]
        store.put_table("screens", pa.Table.from_pylist([*rows, more], schema=SCREENS))
        old, new = expose(store, march(), screens=before), expose(store, march())
        changes = {change.data_class: change for change in compare(old, new)}
    assert set(changes) == {"medical", "nir"}
    assert (changes["medical"].before, changes["medical"].after, changes["medical"].removed) == (
        3,
        0,
        3,
    )
    assert (changes["nir"].before, changes["nir"].after, changes["nir"].added) == (0, 3, 3)


def test_a_declaration_holds_at_its_dates(tmp_path: Path) -> None:
    home = store_of(tmp_path, [
        line("2026-03-10T10:00:00Z", "open", "record", "1"),
        line("2026-03-20T10:00:00Z", "open", "record", "2"),
    ])  # fmt: skip
    with Store.open(home, write=True) as store:
        vouched = {"source": "portal", "object": "record", "attested_by": "DSI",
                   "attested_on": moment("2026-01-01").date()}  # fmt: skip
        store.put_table("screens", pa.Table.from_pylist([
            vouched | {"data_class": "identity", "valid_until": moment("2026-03-15")},
            vouched | {"data_class": "notes", "valid_from": moment("2026-03-15")},
        ], schema=SCREENS))  # fmt: skip
        found = expose(store, march())
        counts = dict(
            found.groups("SELECT data_class, count(DISTINCT patient) FROM exposure GROUP BY 1")
        )
    assert counts == {"identity": 1, "notes": 1}


def test_identities_count_persons_and_the_ins_comes_first(tmp_path: Path) -> None:
    lines = [line(DAY.format(n), "open", "record", str(n)) for n in range(4)]
    home = store_of(tmp_path, lines)
    assert persons(home) == 4
    with Store.open(home, write=True) as store:
        links(
            store,
            ("0", "P", "same", None, None, "ins"), ("1", "P", "same", None, None, "ins"),
            ("1", "Q", "same", None, None, "traits"),
            ("2", "P", "same", None, None, "nir"),
        )  # fmt: skip
    # 0 and 1 are P by their INS; 2 is linked by the number alone, which counts for nothing.
    assert persons(home) == 3


def test_a_merge_joins_and_one_undone_exposed_both(tmp_path: Path) -> None:
    home = store_of(tmp_path, [
        line("2026-03-05T10:00:00Z", "open", "record", "a"),
        line("2026-03-12T10:00:00Z", "open", "record", "b"),
    ])  # fmt: skip
    with Store.open(home, write=True) as store:
        links(store, ("b", "a", "merge", "2026-03-10", None, "mpi"))
    assert persons(home) == 1
    with Store.open(home, write=True) as store:
        links(
            store,
            ("b", "a", "merge", "2026-03-10", "2026-03-20", "mpi"),
            ("b", "b", "unmerge", "2026-03-20", None, "mpi"),
        )
        found = expose(store, march())
        # The access of the 12th showed the record of both.
        counts = sorted(found.groups("SELECT patient, max(accesses) FROM exposure GROUP BY 1"))
        assert found.persons == 2
        assert sum(count for _, count in counts) == 3


def test_a_circle_of_merges_ends() -> None:
    rows = exposed_by([Move(b"a", b"b", 0, 1 << 62), Move(b"b", b"a", 0, 1 << 62)], {})
    assert {row[0] for row in rows} == {b"a", b"b"}


def test_a_test_identity_is_nobody(tmp_path: Path) -> None:
    other = f"1850775056789{nir_key('1850775056789'):02d}"
    home = store_of(tmp_path, [
        line(DAY.format(0), "open", "record", "255081416802538"),
        line(DAY.format(1), "open", "record", f"{other}^^^&1.2.250.1.213.1.4.10&ISO^NH"),
    ], kind="ins")  # fmt: skip
    with Store.open(home) as store:
        found = expose(store, tenth())
        assert (found.persons, found.totals["tests"]) == (1, 1)


def test_a_source_that_falls_silent_while_others_speak_is_blind(tmp_path: Path) -> None:
    days = range(1, 29)
    home = store_of(tmp_path, [
        line(f"2026-03-{day:02d}T10:00:00Z", "open", "record", str(day)) for day in days
    ])  # fmt: skip
    spoken = [day for day in days if not 10 <= day <= 13]
    lines = [
        line(f"2026-03-{day:02d}T11:00:00Z", "open", "record", str(day), account="bob")
        for day in spoken
    ]
    (tmp_path / "other.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    mapping = MAPPING.format(kind="local", authority=', authority = "test"')
    (tmp_path / "other.toml").write_text(mapping.replace('"portal"', '"other"'))
    with Store.open(home, write=True) as store:
        import_files(
            store, find_files([tmp_path / "other.csv"]), [load_mapping(tmp_path / "other.toml")]
        )
        within = Scope((Stretch("eve", moment("2026-03-08"), moment("2026-03-12")),))
        (silence,) = expose(store, within).blind.reasons
        assert (silence.kind, silence.source, silence.most) == ("blind_period", "other", None)
        assert str(silence.since).startswith("2026-03-09 11")
        assert str(silence.until).startswith("2026-03-12")
        before = Scope((Stretch("eve", moment("2026-03-02"), moment("2026-03-05")),))
        assert expose(store, before).bounds == (3, 3)


def test_persons_counted_by_their_number_have_no_upper_bound(tmp_path: Path) -> None:
    home = store_of(
        tmp_path, [line(DAY.format(0), "open", "record", "255081416802538")], kind="nir"
    )
    with Store.open(home) as store:
        found = expose(store, march())
        assert found.bounds == (1, None)
        assert "shared_number" in {gap.kind for gap in facts_of(found).gaps}


def test_whoever_bears_a_number_bounds_the_persons_counted_by_it(tmp_path: Path) -> None:
    """A link by the number alone joins nobody; but two persons who bear it are two at most."""
    home = store_of(
        tmp_path, [line(DAY.format(0), "open", "record", "255081416802538")], kind="nir"
    )
    number = "255081416802538"
    with Store.open(home, write=True) as store:
        links(store, (number, "P", "same", None, None, "nir"),
              (number, "Q", "same", None, None, "nir"), authority="nir")  # fmt: skip
    with Store.open(home) as store:
        assert expose(store, tenth()).bounds == (1, 2)


def test_an_export_counts_what_it_counted(tmp_path: Path) -> None:
    home = store_of(tmp_path, [
        line(DAY.format(0), "open", "record", "1"),
        line(DAY.format(1), "export", "extract", record_count="500"),
    ])  # fmt: skip
    with Store.open(home) as store:
        found = expose(store, tenth())
        facts = facts_of(found)
        assert found.bounds == (1, 501)
        assert facts["exports"].numerator == 1
        assert facts["exports.records"].numerator == 500
        # The extract shows identity and NIR: nobody's medical data can be among it.
        assert facts["persons.class:medical"].exact
        assert not facts["persons.class:nir"].exact
        assert facts["persons.class:bank"].exact


def test_an_uncounted_search_allows_no_upper_bound(tmp_path: Path) -> None:
    home = store_of(tmp_path, [line(DAY.format(0), "search", "find")])
    with Store.open(home) as store:
        assert expose(store, tenth()).bounds == (0, None)


def test_replaying_a_query_against_the_index_narrows_the_bounds(tmp_path: Path) -> None:
    home = store_of(tmp_path, [
        line(DAY.format(0), "search", "find", name="MARTIN", record_count="2"),
        line(DAY.format(1), "search", "find", name="DURAND", record_count="1"),
    ])  # fmt: skip
    with Store.open(home) as store:
        ring = store.keyring
        query = "SELECT record_count, surname_key FROM events WHERE action = 'search'"
        keys = dict(store.connect().execute(query).fetchall())
        assert expose(store, tenth()).bounds == (0, 3)

        def entry(number: str, surname: bytes, since: str) -> dict:
            return {"patient": ring.pseudonym(number, AUTHORITY), "surname_key": surname,
                    "valid_from": moment(since)}  # fmt: skip

        index = pa.Table.from_pylist([
            entry("1", keys[2], "2020-01-01"), entry("2", keys[2], "2020-01-01"),
            entry("3", keys[2], "2027-01-01"),  # not yet a patient when it was asked
            entry("4", keys[1], "2020-01-01"), entry("5", keys[1], "2020-01-01"),
        ], schema=INDEX)  # fmt: skip
        found = expose(store, tenth(), index=Index(index))
        ways = dict(found.groups("SELECT how, count(DISTINCT patient) FROM exposure GROUP BY 1"))
    # Two Martins were counted and two there are: those. One Durand of two was shown.
    assert ways == {"listed": 2, "reachable": 2}


def test_controllers_by_dated_contracts_of_persons_and_places(tmp_path: Path) -> None:
    home = store_of(tmp_path, [
        line("2026-03-05T10:00:00Z", "open", "record", "1", organisation="A"),
        line("2026-03-20T10:00:00Z", "open", "record", "1", organisation="A"),
        line("2026-03-20T10:00:00Z", "open", "record", "2", organisation="Z"),
    ])  # fmt: skip
    with Store.open(home, write=True) as store:
        from vigie.records import CONTRACTS

        ours = store.keyring.pseudonym("1", AUTHORITY)
        store.put_table("contracts", pa.Table.from_pylist([
            {"organisation": "A", "controller": "Clinique A", "role": "controller"},
            {"organisation": "A", "controller": "Editeur", "role": "processor"},
            {"person": ours, "controller": "Mutuelle 7", "role": "controller",
             "valid_from": moment("2026-03-10")},
        ], schema=CONTRACTS))  # fmt: skip
        rows = expose(store, march()).groups(
            "SELECT controller, sum(accesses) FROM exposure WHERE data_class = 'medical'"
            " GROUP BY 1 ORDER BY 1 NULLS LAST"
        )
    assert rows == [("Clinique A", 2), ("Mutuelle 7", 1), (None, 1)]


def test_lines_that_cannot_be_read_widen_the_bounds(tmp_path: Path) -> None:
    home = store_of(tmp_path, [
        line(DAY.format(0), "open", "record", "1"), "not a time;eve;open;record;9;;A;;;;;;",
        line(DAY.format(2), "open", "record", "2"),
    ])  # fmt: skip
    with Store.open(home) as store:
        found = expose(store, march())
        assert found.bounds[0] == 2
        assert found.bounds[1] is None or found.bounds[1] >= 3
        assert "unreadable_lines" in {reason.kind for reason in found.blind.reasons}


def test_an_unread_line_may_be_of_any_screen_of_its_source_and_of_no_other(tmp_path: Path) -> None:
    home = store_of(tmp_path, [
        line(DAY.format(0), "open", "find", "1"), "not a time;eve;open;record;9;;A;;;;;;",
        line(DAY.format(2), "open", "find", "2"),
    ])  # fmt: skip
    with Store.open(home) as store:
        found = expose(store, tenth())
        facts = facts_of(found)
    assert found.hidden_classes == {"identity", "medical", "nir"}
    assert not facts["persons.class:medical"].exact
    assert facts["persons.class:bank"].exact
    assert facts["persons.class:unknown"].exact


def test_a_screen_that_nobody_declared_may_show_anything(tmp_path: Path) -> None:
    home = store_of(tmp_path, [
        line(DAY.format(0), "open", "surprise", "1"), "not a time;eve;open;record;9;;A;;;;;;",
    ])  # fmt: skip
    with Store.open(home) as store:
        assert "unknown" in expose(store, tenth()).hidden_classes


def test_a_period_beyond_the_log_is_blind(tmp_path: Path) -> None:
    home = store_of(tmp_path, [line(DAY.format(0), "open", "record", "1")])
    with Store.open(home) as store:
        found = expose(store, march())
        assert found.bounds == (1, None)
        assert expose(store, tenth()).bounds == (1, 1)


def test_sessions_that_somebody_names_part_thief_and_owner(tmp_path: Path) -> None:
    home = store_of(tmp_path, [
        line(DAY.format(0), "open", "record", "1", session="s1"),
        line(DAY.format(1), "open", "record", "2", session="s2"),
    ])  # fmt: skip
    with Store.open(home) as store:
        with pytest.raises(RefusedError):
            expose(store, march(Boundary(sessions=("s2",))))
        found = expose(
            store, march(Boundary(sessions=("s2",), reason="badge seen elsewhere", author="dpo"))
        )
        assert found.persons == 1
        assert set(found.table["certainty"].to_pylist()) == {"certain"}
        entry = journal.entries(home)[-1]
        assert (entry.who, entry.reason) == ("dpo", "badge seen elsewhere")


def test_a_boundary_in_time_leaves_out_what_was_before(tmp_path: Path) -> None:
    home = store_of(tmp_path, [line(DAY.format(n), "open", "record", str(n)) for n in range(4)])
    with Store.open(home) as store:
        cut = Boundary(since=moment("2026-03-10T10:02:00"), reason="first phish")
        assert expose(store, march(cut)).persons == 2


def test_a_period_that_ends_before_it_begins_is_told() -> None:
    with pytest.raises(UsageError, match="ends before"):
        Stretch("eve", moment("2026-03-02"), moment("2026-03-01"))


def test_stretches_that_overlap_count_once(tmp_path: Path) -> None:
    home = store_of(tmp_path, [line(DAY.format(0), "open", "record", "1")])
    twice = Scope((
        Stretch("eve", moment("2026-03-01"), moment("2026-03-15")),
        Stretch("eve", moment("2026-03-10"), moment("2026-03-20")),
    ))  # fmt: skip
    with Store.open(home) as store:
        assert {count for *_, count in shown(expose(store, twice))} == {1}


def test_facts_carry_query_hash_and_come_back_from_json(tmp_path: Path) -> None:
    from vigie.facts import from_json

    home = store_of(tmp_path, [line(DAY.format(n), "open", "record", str(n)) for n in range(3)])
    with Store.open(home) as store:
        found = expose(store, tenth())
        facts = facts_of(found)
        again = facts_of(expose(store, found.scope))
    assert facts.to_json() == again.to_json()
    assert from_json(facts.to_json()) == facts
    one = facts["persons"]
    assert (one.numerator, one.exact) == (3, True)
    assert one.query.startswith("SELECT")
    assert len(one.sha256) == 64
    assert facts["persons.class:medical"].denominator == 3
    assert facts["persons.class:bank"].numerator == 0
