"""Whether an answer can be trusted: what the log shows, and what reading and detection say of it.

A remark is a sentence in both languages; the answer is trusted when none is beyond its limit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from vigie.config import Trust
from vigie.language import LANGUAGES, N_, _, number, speaking
from vigie.trust.findings import Finding, Inspection, inspect, share_of

ABSTENTIONS: Final = {
    "strangers": N_("no access names a patient: sweeps cannot be seen"),
    "enumeration": N_(
        "the log tells neither the order of patients nor rights checks: enumerations cannot be seen"
    ),
    "bulk": N_(
        "no source says how many records a request returned: exports and dumps cannot be seen"
    ),
    "emergency": N_("the log holds no emergency override: its abuse cannot be seen"),
    "panel": N_(
        "the platform gives no care relations: a dump of an account's own patients cannot be seen"
    ),
    "authentication": N_(
        "the log tells no failed logins: passwords tried on many accounts cannot be seen"
    ),
    "changes": N_(
        "the log tells no deletions, no rights given, no changes of stock, billing or the log: "
        "their abuse cannot be seen"
    ),
}  # fmt: skip
_BLINDING: Final = ("strangers",)
TOO_SHORT: Final = N_(
    "the learning part is too short to measure false alerts: at least a week of 60 accounts is "
    "needed"
)
UNJUDGED: Final = N_(
    "no access was judged: the whole log lies within the days on which habits are learnt; at least "
    "two days are needed"
)
LATE: Final = N_(
    "{count} accesses came later than the watch waits: they were looked at when they came"
)


@dataclass(frozen=True, slots=True)
class Assessment:
    """Whether the answer can be trusted, and what there is to say, in both languages."""

    ok: bool
    remarks: tuple[dict[str, str], ...]


def assess(
    shown: pa.Table | Inspection,
    limits: Trust,
    *,
    abstaining: tuple[str, ...] = (),
    calibrated: bool = True,
    judged: bool = True,
    quarantined: int = 0,
    lines: int = 0,
    late: int = 0,
) -> Assessment:
    """Say what the answer is blind to, given events or what their inspection showed.

    `judged` is false where no day lies after the warm-up. `quarantined` of `lines` come from the
    readers; `late` accesses came after the window of a live watch.
    """
    if isinstance(shown, pa.Table):
        shown = inspect(shown, limits)
    findings = [*_quarantine(quarantined, lines, limits), *shown.holes]
    if shown.empty:  # of a log that holds nothing there is no more to say
        return Assessment(False, tuple(map(_both, findings)))
    findings += [*_abstentions(abstaining), *shown.shared]
    if late:
        findings.append(Finding(LATE, {"count": late}, False))
    if not judged:
        findings.append(Finding(UNJUDGED, {}, True))
    if not calibrated:
        findings.append(Finding(TOO_SHORT, {}, True))
    findings.sort(key=lambda finding: not finding.beyond)
    return Assessment(not any(f.beyond for f in findings), tuple(map(_both, findings)))


def _quarantine(quarantined: int, lines: int, limits: Trust) -> Iterator[Finding]:
    if quarantined:
        share = quarantined / max(lines, 1)
        text = N_("{share} % of the lines are quarantined (limit {limit} %)")
        yield share_of(text, share, limits.quarantined)


def _abstentions(abstaining: tuple[str, ...]) -> Iterator[Finding]:
    for name in abstaining:
        if name in ABSTENTIONS:
            yield Finding(ABSTENTIONS[name], {}, name in _BLINDING)


def _both(finding: Finding) -> dict[str, str]:
    said = {}
    for language in LANGUAGES:
        with speaking(language):
            fields = {
                name: value
                if isinstance(value, str)
                else number(value, int(isinstance(value, float)))
                for name, value in finding.fields.items()
            }
            said[language] = _(finding.text).format_map(fields)
    return said
