"""A rotation of the key in the middle of a case: the same persons, and nothing to approve again."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from tests.delivery.mailservers import Dropping
from tests.exposure.small import line, store_of

from vigie.cases.book import CaseBook
from vigie.cli import main
from vigie.config import Settings
from vigie.delivery.carrying import open_queue
from vigie.delivery.outbox import Outbox
from vigie.exposure.sets import set_of
from vigie.pseudonyms import KEY_FILE, Keyring, open_keyring
from vigie.state import open_state
from vigie.state.tables import DELIVERIES
from vigie.stores import Store

LINES = [
    line(f"2026-03-10 {hour:02}:30", "open", "record", f"Q{hour}", session=f"s-{hour}")
    for hour in range(9, 21)
]
PERIOD = ("--account", "eve", "--from", "2026-03-10", "--to", "2026-03-11")
REGISTER = """
[register]
file = "patients.csv"
[[identifiers]]
column = "ipp"
authority = "test"
[columns]
surname = "nom"
address = "rue"
postcode = "cp"
city = "ville"
email = "mel"
"""


@pytest.fixture
def vigie(vigie):
    return partial(vigie, remarks=False)


@pytest.fixture
def register(tmp_path: Path) -> Path:
    rows = [f"Q{hour};N{hour};1 rue;35000;RENNES;q{hour}@essai.fr" for hour in range(9, 21)]
    (tmp_path / "patients.csv").write_text("\n".join(["ipp;nom;rue;cp;ville;mel", *rows]))
    (tmp_path / "register.toml").write_text(REGISTER)
    return tmp_path / "register.toml"


@pytest.fixture
def case(tmp_path: Path, private_home: Path, vigie, register: Path) -> str:
    store_of(tmp_path, LINES).rename(private_home)
    (private_home / "organisation.toml").write_text('name = "GCS"\ncontact = "dpo@gcs.example"')
    vigie("case", "open", "--title", "Portal", "--reason", "a journalist called")
    vigie("exposure", "--case", "2", *PERIOD, "--reason", "r", "--out", tmp_path / "old.parquet")
    vigie("case", "decide", "2", "awareness", "--reason", "sure")
    vigie("case", "note", "2", "--kind", "measure", "the account was suspended")
    vigie("notice", "prepare", "2", "letters", "--reason", "art. 34")
    vigie("notice", "approve", "2", "letters", "--reason", "read", who="bruno")
    return "2"


def facts(home: Path) -> tuple[str, int]:
    with CaseBook.open(home, Settings()) as book:
        (known,) = book.cases()
    return known.facts.sha256, len(known.records)


def test_persons_letters_and_approvals_survive_a_rotation(
    case: str, vigie, private_home: Path, register: Path, tmp_path: Path
) -> None:
    send = ("notice", "send", case, "letters", "--register", register)
    before, told = vigie(*send), facts(private_home)
    assert "12 messages would leave" in before
    for _rotation in range(2):
        vigie("rotate")
    assert facts(private_home) == told
    (kept,) = (private_home / "exposures").iterdir()
    assert kept.name.endswith(".2.parquet")
    assert kept.stat().st_mode & 0o077 == 0
    assert vigie(*send) == before
    assert "approved by bruno" in vigie("notice", "list", case)
    assert vigie("verify").startswith("Everything")


def test_facts_computed_after_it_are_the_same(case: str, vigie, private_home: Path) -> None:
    told = facts(private_home)
    vigie("rotate")
    vigie("case", "refresh", case)
    assert facts(private_home) == told


def test_a_set_of_the_old_key_is_refused(
    case: str, vigie, private_home: Path, register: Path, tmp_path: Path
) -> None:
    """All its persons would be missing from the register."""
    vigie("rotate")
    said = vigie("notice", "send", case, "letters", "--register", register,
                 "--exposure", tmp_path / "old.parquet", code=2)  # fmt: skip
    assert "a key that was rotated since" in said


def test_a_register_of_another_authority_is_said(case: str, vigie, register: Path, capsys) -> None:
    register.write_text(REGISTER.replace('"test"', '"elsewhere"'))
    assert main(["notice", "send", case, "letters", "--register", str(register)]) == 0
    assert "Nobody of the set is in the register" in capsys.readouterr().err


def test_what_a_killed_rotation_left_is_caught_up(
    case: str, vigie, private_home: Path, register: Path
) -> None:
    """The store turned and the process died: nothing the case keeps was brought over."""
    send = ("notice", "send", case, "letters", "--register", register)
    before = vigie(*send)
    with Store.open(private_home, write=True) as store:
        store.rotate()
    assert vigie(*send) == before
    assert set_of(private_home, "2026-001", open_keyring(private_home)).exists()


def test_a_set_that_was_changed_is_no_longer_the_one_that_facts_count(
    case: str, vigie, private_home: Path, register: Path, tmp_path: Path
) -> None:
    (kept,) = (private_home / "exposures").iterdir()
    other = vigie("exposure", "--account", "eve", "--from", "2026-03-10", "--to",
                  "2026-03-10T12:00", "--out", kept)  # fmt: skip
    assert "3 persons" in other
    vigie("rotate")
    said = vigie("notice", "send", case, "letters", "--register", register, code=2)
    assert "not the exposure that the facts" in said


def test_the_queue_is_the_same_queue(private_home: Path) -> None:
    ring = Keyring(bytes(32))
    first = [f"{n:032x}" for n in range(6)]
    after = ring.rotated().rotated()
    moved = {p: after.advanced(bytes.fromhex(p)).hex() for p in first}
    with open_state(private_home, Settings()) as state:
        queue = Outbox(state, "2026-001/letters@ab")
        queue.admit([(p, "queued") for p in first[:4]] + [(p, "by_post") for p in first[4:]])
        assert queue.begin(first[0])
    with open_state(private_home, Settings()) as state:
        # One of them was brought over before the process was killed.
        with state.transaction() as connection:
            row = DELIVERIES.c.person == first[3]
            connection.execute(DELIVERIES.update().where(row).values(
                person=moved[first[3]], notice="2026-001/letters@ab#2"
            ))  # fmt: skip
        carried = open_queue(state, "2026-001/letters@ab", after)
        assert {row[0]: row[1] for row in carried.rows()} == {
            moved[first[0]]: "uncertain",
            **{moved[p]: "queued" for p in first[1:4]},
            **{moved[p]: "by_post" for p in first[4:]},
        }
        assert Outbox(state, "2026-001/letters@ab").counts() == {}
        due = carried.admit([(moved[p], "queued") for p in first])
        assert due == {moved[p] for p in first[1:4]}


def test_the_key_is_where_it_was(case: str, vigie, private_home: Path) -> None:
    vigie("rotate")
    assert (private_home / KEY_FILE).stat().st_mode & 0o777 == 0o600


def post(home: Path, server: Dropping) -> None:
    (home / "smtp.toml").write_text(
        f'host = "localhost"\nport = {server.port}\nsender = "dpo@essai.fr"\n'
        f'tls = "implicit"\nca_file = "{server.ca_file}"\ntimeout = 20\n'
    )


@pytest.mark.slow
def test_no_rotation_while_letters_leave_and_none_is_lost_by_a_kill(
    case: str, vigie, private_home: Path, register: Path, tmp_path: Path
) -> None:
    send = ("notice", "send", case, "letters", "--register", register, "--really")
    (tmp_path / "tls").mkdir()
    with Dropping(tmp_path / "tls", "HANG", hang_at=3) as server:
        post(private_home, server)
        words = [sys.executable, "-m", "vigie.cli", *map(str, send)]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL) as sending:
            assert server.read.wait(60)
            refused = vigie("rotate", code=1)
            assert "another process is sending notices" in refused
            assert open_keyring(private_home).version == 0
            assert "sent" in vigie("notice", "outcomes", case, "letters")
            sending.kill()
        server.release.set()
        assert "rotations so far: 1" in vigie("rotate")
        vigie(*send, code=4)
    assert len(set(server.texts)) == 12
    counts = vigie("notice", "outcomes", case, "letters", "--format", "json")
    assert '"sent": 11' in counts
    assert '"uncertain": 1' in counts


_TURNING = """
import sys
from pathlib import Path
from vigie.stores import Store

def wait(ring):
    print("turning", flush=True)
    sys.stdin.readline()

with Store.open(Path(sys.argv[1]), write=True) as store:
    store.rotate(carry=wait)
"""


def test_nothing_leaves_while_the_key_is_rotated(
    case: str, vigie, private_home: Path, register: Path
) -> None:
    send = ("notice", "send", case, "letters", "--register", register)
    before = vigie(*send)
    words = [sys.executable, "-c", _TURNING, str(private_home)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as turning:
        assert turning.stdout is not None
        assert turning.stdout.readline() == b"turning\n"
        assert "is being rotated; wait" in vigie(*send, code=1)
        turning.kill()
    assert vigie(*send) == before


def test_a_rotation_killed_at_its_last_step_is_ended_by_who_sends(
    case: str, vigie, private_home: Path, register: Path
) -> None:
    """The store stands under the new key, which still waits beside the old one."""
    send = ("notice", "send", case, "letters", "--register", register)
    before, old = vigie(*send), (private_home / KEY_FILE).read_bytes()
    vigie("rotate")
    (private_home / "rotation").mkdir(mode=0o700)
    (private_home / KEY_FILE).rename(private_home / "rotation" / KEY_FILE)
    (private_home / KEY_FILE).write_bytes(old)
    (private_home / KEY_FILE).chmod(0o600)
    assert vigie(*send) == before
    assert open_keyring(private_home).version == 1
    assert not (private_home / "rotation").exists()
