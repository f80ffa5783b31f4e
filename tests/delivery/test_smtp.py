"""Sending to real servers: what is accepted, refused, dropped before and after the text."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from delivery.mailservers import Dropping, MailServer, exim
from servers import Unavailable, free_port, skip
from vigie.config import Settings
from vigie.delivery.outbox import Outbox
from vigie.delivery.smtp import Fate, Outcome, Server, Session, UnreachableError, load_server
from vigie.errors import SecretError, SettingsError
from vigie.state import open_state


@pytest.fixture(scope="module")
def mail_server():
    try:
        with exim() as server:
            yield server
    except Unavailable as reason:
        skip(reason)


def message(text: str = "Bonjour Zoé,\n.point\n..deux\n") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "dpo@essai.fr", "zoe@essai.fr", "Vos données"
    made["Message-ID"] = "<1@essai.fr>"
    made.set_content(text)
    return made


def settings_of(server: MailServer, **more) -> Server:
    said = {"host": "localhost", "port": server.port, "sender": "dpo@essai.fr", "timeout": 10.0,
            "ca_file": str(server.ca_file)}  # fmt: skip
    return Server(**{**said, **more})


def test_a_message_arrives_whole_over_starttls(mail_server: MailServer, tmp_path: Path) -> None:
    with Session(settings_of(mail_server), tmp_path) as session:
        assert session.send(message(), "zoe@essai.fr") == Outcome(Fate.SENT, 250)
        assert session.send(message("Encore"), "luc@essai.fr").fate == Fate.SENT
        unknown = session.send(message(), "x@ailleurs.fr")
        assert (unknown.fate, unknown.code // 100) == (Fate.REFUSED, 5)
        assert session.send(message(), "zoe@essai.fr").fate == Fate.SENT
    for _attempt in range(200):
        if len(mail_server.received()) >= 3:
            break
        import threading

        threading.Event().wait(0.05)
    texts = [message_from_bytes(raw, policy=policy.default) for raw in mail_server.received()]
    assert any(t.get_content() == "Bonjour Zoé,\n.point\n..deux\n" for t in texts)


def test_a_certificate_of_nobody_is_refused(mail_server: MailServer, tmp_path: Path) -> None:
    server = settings_of(mail_server, ca_file="")
    with (
        pytest.raises(UnreachableError, match=r"certificate|self") as told,
        Session(server, tmp_path),
    ):
        pass
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("after", "fate"),
    [("MAIL", Fate.DEFERRED), ("DATA", Fate.DEFERRED), ("TEXT", Fate.UNCERTAIN)],
)
def test_where_the_line_drops_decides(after: str, fate: Fate, tmp_path: Path) -> None:
    with Dropping(tmp_path, after) as server:
        said = Server("localhost", "dpo@essai.fr", server.port, "implicit", timeout=10.0,
                      ca_file=str(server.ca_file))  # fmt: skip
        with Session(said, tmp_path) as session:
            assert session.send(message(), "zoe@essai.fr").fate == fate
            assert session.send(message(), "zoe@essai.fr").fate == fate
    assert len(server.texts) == (2 if after == "TEXT" else 0)


@pytest.mark.parametrize(("code", "fate"), [(451, Fate.DEFERRED), (550, Fate.REFUSED)])
def test_a_refusal_is_kept_or_tried_again_by_its_code(code, fate, tmp_path: Path) -> None:
    with Dropping(tmp_path, "never", code) as server:
        said = Server("localhost", "dpo@essai.fr", server.port, "implicit", timeout=10.0,
                      ca_file=str(server.ca_file))  # fmt: skip
        with Session(said, tmp_path) as session:
            assert session.send(message(), "zoe@essai.fr") == Outcome(fate, code)


def test_no_server_is_one_sentence(tmp_path: Path) -> None:
    said = Server("127.0.0.1", "dpo@essai.fr", free_port(), timeout=2.0)
    with pytest.raises(UnreachableError, match="stays in the queue"), Session(said, tmp_path):
        pass


def test_what_a_killed_process_left_is_uncertain_and_never_due(private_home: Path) -> None:
    everybody = [("a" * 32, "queued"), ("b" * 32, "queued"), ("c" * 32, "minor")]
    with open_state(private_home, Settings()) as state:
        outbox = Outbox(state, "2026-0001/letters")
        assert outbox.admit(everybody) == {"a" * 32, "b" * 32}
        assert outbox.begin("a" * 32)
    with open_state(private_home, Settings()) as state:
        again = Outbox(state, "2026-0001/letters")
        assert again.counts() == {"minor": 1, "queued": 1, "uncertain": 1}
        assert again.admit(everybody) == {"b" * 32}
        assert not again.begin("a" * 32)
        assert again.begin("b" * 32)
        again.end("b" * 32, Outcome(Fate.DEFERRED, 451))
        assert again.admit(everybody) == {"b" * 32}
        assert again.begin("b" * 32)
        again.end("b" * 32, Outcome(Fate.SENT, 250))
        assert again.admit(everybody) == set()
        assert [row[1] for row in again.rows()] == ["uncertain", "sent", "minor"]


def test_two_processes_never_send_to_one_person(private_home: Path) -> None:
    with open_state(private_home, Settings()) as one, open_state(private_home, Settings()) as two:
        first, second = Outbox(one, "n"), Outbox(two, "n")
        assert first.admit([("a" * 32, "queued")]) == second.admit([("a" * 32, "queued")])
        assert [first.begin("a" * 32), second.begin("a" * 32)] == [True, False]


def test_spoilt_settings_and_open_passwords_are_told(private_home: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        load_server(private_home)
    (private_home / "smtp.toml").write_text('host = "h"\nsender = "a@b"\ntls = "none"\n')
    with pytest.raises(SettingsError, match="starttls"):
        load_server(private_home)
    (private_home / "word").write_text("secret")
    (private_home / "word").chmod(0o644)
    from vigie.delivery.smtp import password_of

    with pytest.raises(SecretError, match="others"):
        password_of(Server("h", "a@b", password_file="word"), private_home)
