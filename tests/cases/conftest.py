"""What the tests of cases share: a book on each database, and an alert."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from databases import server, settings
from vigie.alerts.watch import Alert
from vigie.cases.book import CaseBook
from vigie.config import Settings

__all__ = ["server", "settings"]


@pytest.fixture
def book(private_home: Path, settings: Settings) -> Iterator[CaseBook]:
    with CaseBook.open(private_home, settings) as opened:
        yield opened


@pytest.fixture
def alert() -> Alert:
    at = datetime(2025, 3, 28, 22, 10, tzinfo=UTC)
    return Alert(
        id="00ff00ff00ff00ff", account="dr.moreau", accounts=["dr.moreau"], level="suspend",
        opened_at=at, last_at=at, patients=412, evidence=38.5, hypothesis="register_sweep",
        why={"fr": "Accès inhabituel…", "en": "Unusual access…"}, usual={"own": 1.5},
        observed={"patients": 412.0}, lines=["portal.ndjson:1824"],
    )  # fmt: skip
