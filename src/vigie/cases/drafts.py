"""The draft of a controller's own notification, made by its processor (GDPR art. 33(2)).

It holds what the processor knows of this controller's persons and nothing of another's. What only
the controller can say is unknown in it: since when *it* is aware (its 72 hours begin when the
processor informs it), its contact, what it decides. A draft is no filing: the controller files, and
answers for it.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from vigie import legal
from vigie.cases.figures import Material, figures, stamp
from vigie.cases.filings import Filing, Forms, fill
from vigie.cases.model import Case, Kind
from vigie.cases.organisation import load_organisation
from vigie.cases.vocabulary import load_vocabulary
from vigie.clocks.rules import load_rules
from vigie.language import _


class Part(Protocol):
    """What one controller is told; `vigie.delivery.split.Share` is one."""

    @property
    def controller(self) -> str:
        """Its name."""

    @property
    def persons(self) -> int:
        """How many of its persons."""

    @property
    def by_class(self) -> Mapping[str, int]:
        """How many of them by class of data."""

    @property
    def accounts(self) -> tuple[str, ...]:
        """Through which accounts."""

    @property
    def first_at(self) -> datetime:
        """Since when."""

    @property
    def last_at(self) -> datetime:
        """Until when."""


class Drafts:
    """Drafts for many controllers of one case: what they share is computed once."""

    def __init__(self, case: Case, home: Path, now: datetime) -> None:
        self._case, self._forms = case, legal.load("filings", Forms, home)
        self._words = load_vocabulary(home)
        organisation = load_organisation(home)
        material = Material(case, organisation, self._words, load_rules(home), now)
        self._shared = figures(material) | dict.fromkeys(_THEIRS) | {
            "stage": _("initial"),
            "initial_reference": "",
            "processor": organisation.name or None,
            "processor_informed_at": stamp(case.first(Kind.CONTROLLERS_INFORMED), case.zone),
            "information": self._words.information["undetermined"],
        }  # fmt: skip

    def draft(self, part: Part) -> Filing:
        """Return the draft for one controller."""
        return fill(self._case, "cnil", self._forms, self._shared | self._own(part))

    def _own(self, part: Part) -> dict[str, Any]:
        classes, words = [name for name, count in part.by_class.items() if count], self._words
        sensitive = "Oui" if words.is_sensitive(classes) else ""
        return {
            "organisation_name": part.controller or None,
            "began_at": stamp(part.first_at, self._case.zone),
            "persons_at_least": part.persons,
            "data": words.data_of(classes),
            "sensitive": None if not sensitive and "unknown" in classes else sensitive,
            "harms": words.harms_of(classes) or None,
            **self._counted(part),
        }

    def _counted(self, part: Part) -> dict[str, Any]:
        """Count exactly only where the whole exposure is exact: whoever is hidden may be theirs."""
        known = self._shared["persons_number"] is not None
        return {
            "persons_number": part.persons if known else None,
            "persons_at_most": part.persons if known else None,
            "persons_band": self._words.band_of(part.persons) if known else None,
        }


_THEIRS = (
    "organisation_siren", "organisation_finess", "organisation_sector", "organisation_region",
    "contact", "representative", "security_before", "aware_at", "first_signal_at",
    "first_viewing_at", "late", "late_because", "records_number", "severity", "informed_at",
    "information_because", "description", "other_notifications",
)  # fmt: skip
"""What the processor does not know, or knows only of all controllers together."""
