"""`vigie notice` as two people use it; what is left on disk; the mails that leave."""

import csv
import email
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pypdf
import pyrage
import pytest
from pyrage import x25519

from delivery.mailservers import Dropping, exim
from notices.cases import facts_of, make_case, write_many, write_persons
from servers import Unavailable, skip
from vigie import journal
from vigie.cases.book import CaseBook
from vigie.cases.model import Case
from vigie.cli import main, notice
from vigie.config import Settings
from vigie.notices.approval import NAMES
from vigie.notices.forms import FORMS

FORBIDDEN = re.compile(
    rb"lef.{1,3}vre|durand|petitbonhomme|grandcoeur|sansadresse|rue des lilas|zoe@essai"
    rb"|martineau|place royale",
    re.I,
)


@pytest.fixture
def case(private_home: Path, tmp_path: Path) -> Case:
    return make_case(private_home, write_persons(private_home, tmp_path), "processor")


@pytest.fixture
def keys(tmp_path: Path) -> x25519.Identity:
    identity = x25519.Identity.generate()
    lines = [f'[operator]\nage = "{identity.to_public()}"\n']
    lines += [f'[controllers."Mutuelle {x}"]\nage = "{identity.to_public()}"\n' for x in "AB"]
    (tmp_path / "to.toml").write_text("\n".join(lines))
    return identity


def run(*words: object, who: str = "anne", monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("LOGNAME", who)
    return main(["--lang", "en", *map(str, words)])


def persons(top: Path) -> tuple[object, ...]:
    return ("--exposure", top / "exposure.parquet", "--register", top / "register.toml",
            "--date", "2025-03-04")  # fmt: skip


def agreed(case: Case, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = ("--reason", "art. 34")
    assert run("notice", "prepare", case.id, name, *said, monkeypatch=monkeypatch) == 0
    assert run("notice", "approve", case.id, name, *said, who="bruno", monkeypatch=monkeypatch) == 0


def left_in_clear(top: Path, but: tuple[str, ...] = ("patients.csv", "staff.csv")) -> list[str]:
    """Return the files under `top`, the register apart, in which a name can be read."""
    found = []
    for path in top.rglob("*"):
        if not path.is_file() or path.name in but:
            continue
        data = path.read_bytes()
        contents = [data]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                contents += [archive.read(name) for name in archive.namelist()]
        if data.startswith(b"%PDF"):
            contents += [page.extract_text().encode() for page in pypdf.PdfReader(path).pages]
        if any(FORBIDDEN.search(content) for content in contents):
            found.append(str(path))
    return found


def test_the_words_of_the_help_are_those_of_the_engines() -> None:
    assert notice.NAMES == NAMES
    assert notice.FORMS == FORMS


def test_one_asks_another_approves_and_both_are_in_the_journal(
    case: Case, tmp_path: Path, keys, private_home: Path, monkeypatch, capsys
) -> None:
    render = ("notice", "render", case.id, "letters", "--out", tmp_path / "out",
              "--recipients", tmp_path / "to.toml", *persons(tmp_path))  # fmt: skip
    assert run(*render, monkeypatch=monkeypatch) == 1
    assert "was not approved" in capsys.readouterr().err
    ask = ("notice", "prepare", case.id, "letters", "--reason", "art. 34 letters")
    assert run(*ask, monkeypatch=monkeypatch) == 0
    own = ("notice", "approve", case.id, "letters", "--reason", "fine by me")
    assert run(*own, monkeypatch=monkeypatch) == 1
    assert "cannot approve it too" in capsys.readouterr().err
    assert run(*own, who="bruno", monkeypatch=monkeypatch) == 0
    assert run(*render, monkeypatch=monkeypatch) == 0
    entries = journal.entries(private_home)
    assert {"art. 34 letters", "fine by me"} <= {entry.reason for entry in entries}
    assert any(entry.what == "look" and case.id in entry.subject for entry in entries)
    assert journal.verify(private_home) is None


def test_letters_are_encrypted_each_by_its_way_and_no_name_is_left(
    case: Case, tmp_path: Path, keys, private_home: Path, monkeypatch, capsys
) -> None:
    agreed(case, "letters", monkeypatch)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    out = ("notice", "render", case.id, "letters", "--out", tmp_path / "out",
           "--recipients", tmp_path / "to.toml", *persons(tmp_path))  # fmt: skip
    assert run(*out, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert "persons who are not in it: 1, there several times, the same: 0" in said
    assert not FORBIDDEN.search(said.encode())
    (sealed,) = (tmp_path / "out").iterdir()
    clear = zipfile.ZipFile(io.BytesIO(pyrage.decrypt(sealed.read_bytes(), [keys])))
    texts = {
        name: pypdf.PdfReader(io.BytesIO(clear.read(name))).pages[0].extract_text()
        for name in clear.namelist()
        if name.endswith(".pdf")
    }
    assert len(texts) == 3
    joined = " ".join(texts.values())
    assert "The legal representatives of Luc DURAND" in joined
    assert "Mme Tuteur" in joined
    assert "GRANDCOEUR" not in joined
    assert sum("medical" in text for text in texts.values()) == 1
    assert left_in_clear(tmp_path) == []
    assert left_in_clear(private_home) == []


def test_packets_hold_documents_and_their_own_persons(
    case: Case, tmp_path: Path, keys, private_home: Path, monkeypatch, capsys
) -> None:
    agreed(case, "controllers", monkeypatch)
    out = ("notice", "render", case.id, "controllers", "--out", tmp_path / "out",
           "--recipients", tmp_path / "to.toml", *persons(tmp_path))  # fmt: skip
    assert run(*out, monkeypatch=monkeypatch) == 0
    names = {}
    for path in sorted((tmp_path / "out").glob("*.age")):
        archive = zipfile.ZipFile(io.BytesIO(pyrage.decrypt(path.read_bytes(), [keys])))
        assert set(archive.namelist()) == {
            "notice.pdf", "cnil-draft.pdf", "cnil-draft.docx", "letter-draft.pdf",
            "letter-draft.docx", "facts.json", "persons.csv", "manifest.json",
        }  # fmt: skip
        facts = json.loads(archive.read("facts.json"))
        text = archive.read("persons.csv").decode("utf-8-sig")
        names[facts["controller"]] = {
            row["surname"] for row in csv.DictReader(io.StringIO(text), delimiter=";")
        }
        assert facts["persons"] == 3
        other = "Mutuelle B" if facts["controller"] == "Mutuelle A" else "Mutuelle A"
        for name in ("notice.pdf", "cnil-draft.pdf"):
            pages = pypdf.PdfReader(io.BytesIO(archive.read(name))).pages
            assert other not in " ".join(page.extract_text() for page in pages)
    assert names == {
        "Mutuelle A": {"Lefèvre", "Petitbonhomme", "Sansadresse"},
        "Mutuelle B": {"Durand", "Grandcoeur", ""},
    }
    assert left_in_clear(tmp_path) == []
    assert left_in_clear(private_home) == []


def test_facts_that_change_make_a_notice_stale_and_say_what(
    case: Case, tmp_path: Path, keys, private_home: Path, monkeypatch, capsys
) -> None:
    agreed(case, "letters", monkeypatch)
    agreed(case, "press", monkeypatch)
    with CaseBook.open(private_home, Settings()) as book:
        book.set_facts(case.id, facts_of(tmp_path / "exposure.parquet", 7), "again", "dpo")
    for asked in (("notice", "list", case.id), ("case", "show", case.id)):
        capsys.readouterr()
        assert run(*asked, monkeypatch=monkeypatch) == 0
        listed = capsys.readouterr().out
        assert "since somebody asked for" in listed
        assert listed.count("STALE") + listed.count("stale,") == 2
        assert len(re.findall(r"persons\s+6\s+7", listed)) == 1, "said once for both"
    out = ("notice", "render", case.id, "letters", "--out", tmp_path / "out",
           "--recipients", tmp_path / "to.toml", *persons(tmp_path))  # fmt: skip
    assert run(*out, monkeypatch=monkeypatch) == 1
    assert "persons: 6 → 7" in capsys.readouterr().err


def test_another_exposure_than_the_facts_count_is_refused(
    case: Case, tmp_path: Path, keys, private_home: Path, monkeypatch, capsys
) -> None:
    agreed(case, "letters", monkeypatch)
    write_persons(private_home, tmp_path, ("Autre",))
    send = ("notice", "send", case.id, "letters", *persons(tmp_path))
    assert run(*send, monkeypatch=monkeypatch) == 2
    assert "not the exposure" in capsys.readouterr().err


def test_documents_without_names_are_made_in_every_form(
    case: Case, tmp_path: Path, monkeypatch
) -> None:
    forms = [word for name in FORMS for word in ("--form", name)]
    for name in ("press", "advice", "professionals", "cnil", "complaint"):
        done = run("notice", "render", case.id, name, "--out", tmp_path / name, *forms,
                   monkeypatch=monkeypatch)  # fmt: skip
        assert done == 0
        assert len(list((tmp_path / name).iterdir())) == len(FORMS)


def smtp(home: Path, port: int, ca: Path, tls: str, more: str = "") -> None:
    (home / "smtp.toml").write_text(
        f'host = "localhost"\nport = {port}\ntls = "{tls}"\nsender = "dpo@essai.fr"\n'
        f'ca_file = "{ca}"\ntimeout = 10.0\n{more}'
    )


def counts(case: Case, monkeypatch, capsys, name: str = "letters") -> dict[str, int]:
    capsys.readouterr()
    show = ("notice", "outcomes", case.id, name, "--format", "json")
    assert run(*show, monkeypatch=monkeypatch) == 0
    found: dict[str, int] = json.loads(capsys.readouterr().out)["counts"]
    return found


def test_who_has_a_mailbox_is_not_written_to_by_post_as_well(
    case: Case, tmp_path: Path, keys, private_home: Path, monkeypatch, capsys
) -> None:
    agreed(case, "letters", monkeypatch)
    render = ("notice", "render", case.id, "letters", "--recipients", tmp_path / "to.toml",
              *persons(tmp_path))  # fmt: skip
    for name, more, said in (("all", (), "3 letters"), ("post", ("--by-post",), "2 letters")):
        done = run(*render, "--out", tmp_path / name, *more, monkeypatch=monkeypatch)
        assert done == 0
        assert f"{said} to print" in capsys.readouterr().out
    (sealed,) = (tmp_path / "post").iterdir()
    clear = zipfile.ZipFile(io.BytesIO(pyrage.decrypt(sealed.read_bytes(), [keys])))
    assert len([name for name in clear.namelist() if name.endswith(".pdf")]) == 2


def test_a_dry_run_sends_nothing_and_needs_no_server(
    case: Case, tmp_path: Path, monkeypatch, capsys
) -> None:
    agreed(case, "letters", monkeypatch)
    send = ("notice", "send", case.id, "letters", *persons(tmp_path))
    assert run(*send, monkeypatch=monkeypatch) == 0
    told = capsys.readouterr()
    assert "1 message would leave by mail" in told.out
    assert "dry run" in told.err
    assert counts(case, monkeypatch, capsys) == {}


def test_letters_reach_a_real_server_once(
    case: Case, tmp_path: Path, private_home: Path, monkeypatch, capsys
) -> None:
    try:
        with exim() as server:
            smtp(private_home, server.port, server.ca_file, "starttls")
            agreed(case, "letters", monkeypatch)
            send = ("notice", "send", case.id, "letters", *persons(tmp_path), "--really")
            assert run(*send, monkeypatch=monkeypatch) == 0
            assert run(*send, monkeypatch=monkeypatch) == 0
            found = counts(case, monkeypatch, capsys)
            # Facts computed anew that say the same in other words begin no second queue.
            other = facts_of(tmp_path / "exposure.parquet").with_facts(
                moments={"period_until": "2025-04-01T00:00:00Z"}
            )
            with CaseBook.open(private_home, Settings()) as book:
                book.set_facts(case.id, other, "again", "dpo")
            assert run(*send, monkeypatch=monkeypatch) == 0
            assert counts(case, monkeypatch, capsys) == found
    except Unavailable as reason:
        skip(reason)
    assert found == {"by_post": 2, "deceased": 1, "sent": 1, "unreachable": 2}
    assert left_in_clear(private_home) == []


def test_a_line_that_drops_is_uncertain_and_never_tried_again(
    case: Case, tmp_path: Path, private_home: Path, monkeypatch, capsys
) -> None:
    agreed(case, "letters", monkeypatch)
    send = ("notice", "send", case.id, "letters", *persons(tmp_path), "--really")
    (tmp_path / "tls").mkdir()
    with Dropping(tmp_path / "tls", "TEXT") as server:
        smtp(private_home, server.port, server.ca_file, "implicit")
        assert run(*send, monkeypatch=monkeypatch) == 4
        assert run(*send, monkeypatch=monkeypatch) == 4
    assert len(server.texts) == 1
    assert counts(case, monkeypatch, capsys)["uncertain"] == 1


@pytest.mark.slow
def test_a_process_killed_in_the_middle_leaves_the_person_uncertain(
    case: Case, tmp_path: Path, private_home: Path, monkeypatch, capsys
) -> None:
    agreed(case, "letters", monkeypatch)
    send = ("notice", "send", case.id, "letters", *persons(tmp_path), "--really")
    (tmp_path / "tls").mkdir()
    with Dropping(tmp_path / "tls", "HANG") as server:
        smtp(private_home, server.port, server.ca_file, "implicit")
        words = [sys.executable, "-m", "vigie.cli", *map(str, send)]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL) as sending:
            assert server.read.wait(60)
            sending.kill()
        server.release.set()
        assert run(*send, monkeypatch=monkeypatch) == 4
    assert len(server.texts) == 1
    assert counts(case, monkeypatch, capsys)["uncertain"] == 1


@pytest.mark.slow
def test_a_process_killed_among_many_loses_nobody_and_writes_to_nobody_twice(
    private_home: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    write_many(private_home, tmp_path, 12)
    case = make_case(private_home, tmp_path / "exposure.parquet", "processor")
    agreed(case, "letters", monkeypatch)
    send = ("notice", "send", case.id, "letters", *persons(tmp_path), "--really")
    (tmp_path / "tls").mkdir()
    with Dropping(tmp_path / "tls", "HANG", hang_at=5) as server:
        smtp(private_home, server.port, server.ca_file, "implicit")
        words = [sys.executable, "-m", "vigie.cli", *map(str, send)]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL) as sending:
            assert server.read.wait(60)
            sending.kill()
        assert list((private_home / "work").iterdir())
        assert left_in_clear(private_home) == []
        server.release.set()
        assert run(*send, monkeypatch=monkeypatch) == 4
        assert not list((private_home / "work").iterdir())
        marks = [re.search(rb"Message-ID: (<.*?>)", text) for text in server.texts]
    assert len({mark.group(1) for mark in marks if mark}) == len(server.texts) == 12
    assert counts(case, monkeypatch, capsys) == {"sent": 11, "uncertain": 1}


def mailed(keys, top: Path, boxes: str = "AB") -> Path:
    """Write the recipients with a mailbox for some of them."""
    lines = [f'[operator]\nage = "{keys.to_public()}"']
    lines += [
        f'[controllers."Mutuelle {x}"]\nage = "{keys.to_public()}"\n'
        + (f'email = "dpo-{x.lower()}@essai.fr"' if x in boxes else "")
        for x in "AB"
    ]
    (top / "to.toml").write_text("\n".join(lines))
    return top / "to.toml"


def packed(case: Case, keys, top: Path, monkeypatch, boxes: str = "AB") -> tuple[object, ...]:
    """Make the packets, and return the words that send them."""
    to = mailed(keys, top, boxes)
    agreed(case, "controllers", monkeypatch)
    assert run("notice", "render", case.id, "controllers", "--out", top / "out", "--recipients",
               to, *persons(top), monkeypatch=monkeypatch) == 0  # fmt: skip
    return ("notice", "send", case.id, "controllers", "--packets", top / "out",
            "--recipients", to, "--date", "2025-03-04")  # fmt: skip


def test_packets_reach_the_mailboxes_of_their_controllers_once(
    case: Case, tmp_path: Path, keys, private_home: Path, monkeypatch, capsys
) -> None:
    send = packed(case, keys, tmp_path, monkeypatch)
    assert run(*send, monkeypatch=monkeypatch) == 0
    assert "2 messages would leave by mail" in capsys.readouterr().out
    try:
        with exim() as server:
            smtp(private_home, server.port, server.ca_file, "starttls")
            assert run(*send, "--really", monkeypatch=monkeypatch) == 0
            assert run(*send, "--really", monkeypatch=monkeypatch) == 0
            found = counts(case, monkeypatch, capsys, "controllers")
            mails = [email.message_from_bytes(data) for data in server.received()]
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert found == {"sent": 2}
    assert {mail["To"] for mail in mails} == {"dpo-a@essai.fr", "dpo-b@essai.fr"}
    for mail in mails:
        text, file = mail.get_payload()
        data = file.get_payload(decode=True)
        assert hashlib.sha256(data).hexdigest() in text.get_payload(decode=True).decode()
        archive = zipfile.ZipFile(io.BytesIO(pyrage.decrypt(data, [keys])))
        controller = json.loads(archive.read("facts.json"))["controller"]
        assert mail["To"] == f"dpo-{controller[-1].lower()}@essai.fr"
        assert not FORBIDDEN.search(text.get_payload(decode=True))
    assert left_in_clear(tmp_path) == []
    assert left_in_clear(private_home) == []


def test_packets_made_before_a_measure_was_added_do_not_leave(
    case: Case, tmp_path: Path, keys, private_home: Path, monkeypatch, capsys
) -> None:
    """Approved anew as they would be written now, they are still those of before."""
    send = packed(case, keys, tmp_path, monkeypatch)
    assert run("case", "note", case.id, "--kind", "measure", "its passwords were changed",
               monkeypatch=monkeypatch) == 0  # fmt: skip
    agreed(case, "controllers", monkeypatch)
    assert run(*send, monkeypatch=monkeypatch) != 0
    assert "tell other measures" in capsys.readouterr().err


def test_a_packet_larger_than_a_mail_leaves_in_parts(
    private_home: Path, tmp_path: Path, keys, monkeypatch, capsys
) -> None:
    write_many(private_home, tmp_path, 25_000)
    case = make_case(private_home, tmp_path / "exposure.parquet", "processor")
    try:
        with exim() as server:
            smtp(private_home, server.port, server.ca_file, "starttls", "largest_mb = 0.6\n")
            send = packed(case, keys, tmp_path, monkeypatch)
            capsys.readouterr()
            assert run(*send, "--really", monkeypatch=monkeypatch) == 0
            found = counts(case, monkeypatch, capsys, "controllers")
            mails = [email.message_from_bytes(data) for data in server.received()]
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert found == {"sent": len(mails)}
    listed: set[str] = set()
    for mail in mails:
        text, file = mail.get_payload()
        said = text.get_payload(decode=True).decode()
        assert f"of {len(mails)}" in said
        assert said.count("SHA-256") == len(mails) > 1
        data = file.get_payload(decode=True)
        archive = zipfile.ZipFile(io.BytesIO(pyrage.decrypt(data, [keys])))
        here = archive.read("persons.csv").decode("utf-8-sig")
        listed |= {row["person"] for row in csv.DictReader(io.StringIO(here), delimiter=";")}
    assert len(listed) == 25_000


def test_what_cannot_be_mailed_is_said_and_waits(
    case: Case, tmp_path: Path, keys, private_home: Path, monkeypatch, capsys
) -> None:
    send = packed(case, keys, tmp_path, monkeypatch, boxes="A")
    smtp(private_home, 1, tmp_path / "ca.pem", "starttls", "largest_mb = 0.01\n")
    assert run(*send, monkeypatch=monkeypatch) == 0
    told = capsys.readouterr().out
    assert "lower largest_mb and render again" in told
    assert "no mailbox in the file of recipients" in told
    assert "0 messages would leave" in told


@pytest.mark.parametrize("what", ["changed", "other facts", "no packets"])
def test_packets_that_are_not_those_that_were_approved_do_not_leave(
    case: Case, tmp_path: Path, keys, private_home: Path, monkeypatch, capsys, what: str
) -> None:
    send = packed(case, keys, tmp_path, monkeypatch)
    manifest = tmp_path / "out" / "packets.json"
    if what == "changed":
        next((tmp_path / "out").glob("*.age")).write_bytes(b"x")
    elif what == "no packets":
        manifest.unlink()
    else:
        said = json.loads(manifest.read_text("utf-8"))
        manifest.write_text(json.dumps(said | {"facts": "0" * 64}))
    assert run(*send, monkeypatch=monkeypatch) in (1, 2)
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    words = {"changed": "not the file", "other facts": "other facts", "no packets": "no packets"}
    assert words[what] in told


STAFF = """
[register]
file = "staff.csv"
encoding = "cp1252"
[columns]
account = "login"
surname = "nom"
given_name = "prenom"
address = "rue"
postcode = "cp"
city = "ville"
email = "mel"
"""


def staff(top: Path, *rows: str) -> tuple[object, ...]:
    lines = "\n".join(["login;nom;prenom;rue;cp;ville;mel", *rows])
    (top / "staff.csv").write_text(lines + "\n", "cp1252")
    (top / "staff.toml").write_text(STAFF)
    return ("--staff", top / "staff.toml", "--date", "2025-03-04")


MARTIN = "dr.martin;Martineau;Zoé;3 place Royale;35000;RENNES;luc@essai.fr"


def test_professionals_are_named_only_when_their_letter_is_made(
    case: Case, tmp_path: Path, keys, private_home: Path, monkeypatch, capsys
) -> None:
    out = ("notice", "render", case.id, "professionals", "--out", tmp_path / "out", "--recipients",
           tmp_path / "to.toml", *staff(tmp_path, "x;Autre;Al;;;;", MARTIN))  # fmt: skip
    assert run(*out, monkeypatch=monkeypatch) == 1
    assert "was not approved" in capsys.readouterr().err
    agreed(case, "professionals", monkeypatch)
    assert run(*out, monkeypatch=monkeypatch) == 0
    (sealed,) = (tmp_path / "out").iterdir()
    clear = zipfile.ZipFile(io.BytesIO(pyrage.decrypt(sealed.read_bytes(), [keys])))
    text = pypdf.PdfReader(io.BytesIO(clear.read("professional-1.pdf"))).pages[0].extract_text()
    assert "Zoé MARTINEAU" in text
    assert "3 place Royale" in text
    try:
        with exim() as server:
            smtp(private_home, server.port, server.ca_file, "starttls")
            send = ("notice", "send", case.id, "professionals", *out[-4:])
            assert run(*send, monkeypatch=monkeypatch) == 0
            assert run(*send, "--really", monkeypatch=monkeypatch) == 0
            assert run(*send, "--really", monkeypatch=monkeypatch) == 0
            assert len(server.received()) == 1
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert counts(case, monkeypatch, capsys, "professionals") == {"sent": 1}
    assert left_in_clear(tmp_path) == []
    assert left_in_clear(private_home) == []


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        (("x;Autre;Al;;;;",), "not in the register of staff"),
        ((MARTIN, MARTIN.replace("Zoé", "Luc")), "rows that differ"),
        ((MARTIN.replace("luc@essai.fr", ""), MARTIN.replace("luc@essai.fr", "")), "by post"),
    ],
)
def test_a_staff_register_that_lacks_or_doubles_an_account_is_said(
    case: Case, tmp_path: Path, keys, monkeypatch, capsys, rows: tuple[str, ...], word: str
) -> None:
    agreed(case, "professionals", monkeypatch)
    send = ("notice", "send", case.id, "professionals", *staff(tmp_path, *rows))
    assert run(*send, monkeypatch=monkeypatch) == 0
    assert word in capsys.readouterr().out
