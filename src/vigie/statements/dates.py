"""Dates, hours and durations as French drafts write them; what one leaves out is left open."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

_MONTHS: Final = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
    "octobre", "novembre", "décembre",
)  # fmt: skip
_NAMES: Final = "|".join(_MONTHS)
_SPACE: Final = "[ \u00a0\u202f]"
_PERIOD: Final = re.compile(
    rf"\b(?:le|du) (\d{{1,2}})(?:er)?(?: ({_NAMES}))?(?: (\d{{4}}))?"
    rf" (?:et le|au) (\d{{1,2}})(?:er)? ({_NAMES})(?: (\d{{4}}))?"
)
_FULL: Final = re.compile(rf"\b(\d{{1,2}})(?:er)? ({_NAMES})(?: (\d{{4}}))?")
_FIGURES: Final = re.compile(r"\b(\d{1,2})[/.](\d{1,2})[/.](\d{4}|\d{2})\b")
_ISO: Final = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_MONTH: Final = re.compile(rf"\b({_NAMES})(?: (\d{{4}}))?\b")
_YEAR: Final = re.compile(
    r"\b(?:en|depuis|dès|avant|après|fin|début|mi|courant|année|été|hiver|printemps|automne)"
    r"[ -]((?:19|20)\d{2})\b(?! \w+s\b)"
)
_CLOCK: Final = rf"(\d{{1,2}}){_SPACE}?h(?:eures?)?{_SPACE}?(\d{{2}})?\b"
_HOUR: Final = re.compile(
    rf"(?:(?<=\bà )|(?<=\bvers )|(?<=\bdès )|(?<=\bavant )|(?<=\baprès )|(?<=\bdepuis )"
    rf"|(?<=\bentre )|(?<=\bet )|(?<=, ))\b{_CLOCK}|(?<=\bde )\b{_CLOCK}(?= à)"
)
_UNITS: Final = {
    "seconde": timedelta(seconds=1), "minute": timedelta(minutes=1), "heure": timedelta(hours=1),
    "h": timedelta(hours=1), "jour": timedelta(days=1), "journée": timedelta(days=1),
    "semaine": timedelta(weeks=1), "mois": timedelta(days=30), "an": timedelta(days=365),
    "année": timedelta(days=365),
}  # fmt: skip
_LASTING: Final = re.compile(
    rf"{_SPACE}?(?:(?:longs?|longues?) )?({'|'.join(_UNITS)})s?\b(?!{_SPACE}?\d)"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is said to have been: a day, a month, a year, an hour, or several of them."""

    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    hour: time | None = None

    def fits(self, true: datetime) -> bool:
        """Whether a moment is as precise as this one says, and the same.

        >>> Moment(0, 0, 2025, 11).fits(datetime(2025, 11, 3, 8, 12))
        True
        """
        same = all(
            said in (None, known)
            for said, known in zip(
                (self.year, self.month, self.day), (true.year, true.month, true.day), strict=True
            )
        )
        hour = self.hour is None or (self.hour.hour, self.hour.minute) == (true.hour, true.minute)
        return same and hour

    @property
    def date(self) -> date | None:
        """The day, when all of it is said."""
        if self.year is None or self.month is None or self.day is None:
            return None
        return date(self.year, self.month, self.day)


def read_moments(text: str, near: date | None = None) -> tuple[list[Moment], str]:
    """Return the moments of a lower-case sentence, and the sentence without them.

    A day without its year is that nearest to `near`.

    >>> found, rest = read_moments("entre le 4 et le 7 septembre 2025, à 8 h.")
    >>> [moment.day for moment in found], "2025" in rest
    ([4, 7], False)
    """
    hours = [
        (m, time(int(m[1] or m[3]), int(m[2] or m[4] or 0)))
        for m in _HOUR.finditer(text)
        if int(m[1] or m[3]) < 24 and int(m[2] or m[4] or 0) < 60
    ]
    found: list[Moment] = []
    for pattern, read in ((_PERIOD, _periods), (_FULL, _days), (_FIGURES, _figures), (_ISO, _iso),
                          (_MONTH, _months), (_YEAR, _years)):  # fmt: skip
        for match in pattern.finditer(text):
            found += read(match, near)
        text = _blanked(text, [(one.start, one.end) for one in found])
    found = [_with_hour(one, hours) for one in sorted(found, key=lambda one: one.start)]
    taken = {one.hour for one in found}
    found += [Moment(*m.span(), hour=at) for m, at in hours if at not in taken]
    return found, _blanked(text, [m.span() for m, _at in hours])


def _periods(match: re.Match[str], near: date | None) -> Iterator[Moment]:
    month, year = _MONTHS.index(match[5]) + 1, match[6] or match[3]
    first = _MONTHS.index(match[2]) + 1 if match[2] else month
    yield from _dated(match, int(match[1]), first, match[3] or year, near)
    yield from _dated(match, int(match[4]), month, year, near)


def _days(match: re.Match[str], near: date | None) -> Iterator[Moment]:
    yield from _dated(match, int(match[1]), _MONTHS.index(match[2]) + 1, match[3], near)


def _figures(match: re.Match[str], near: date | None) -> Iterator[Moment]:
    year = match[3] if len(match[3]) == 4 else f"20{match[3]}"
    yield from _dated(match, int(match[1]), int(match[2]), year, near)


def _iso(match: re.Match[str], near: date | None) -> Iterator[Moment]:
    yield from _dated(match, int(match[3]), int(match[2]), match[1], near)


def _months(match: re.Match[str], near: date | None) -> Iterator[Moment]:
    year = int(match[2]) if match[2] else None
    yield Moment(*match.span(), year=year, month=_MONTHS.index(match[1]) + 1)


def _years(match: re.Match[str], near: date | None) -> Iterator[Moment]:
    yield Moment(*match.span(), year=int(match[1]))


def _dated(
    match: re.Match[str], day: int, month: int, year: str | None, near: date | None
) -> Iterator[Moment]:
    years = [int(year)] if year else [near.year + n for n in (-1, 0, 1)] if near else []
    days = []
    for one in years:
        try:
            days.append(date(one, month, day))
        except ValueError:  # the thirty-first of a short month is nobody's date
            continue
    if days:
        best = min(days, key=lambda one: abs(one - near) if near else timedelta())
        yield Moment(*match.span(), best.year, best.month, best.day)


def _with_hour(one: Moment, hours: list[tuple[re.Match[str], time]]) -> Moment:
    near = next((hour for m, hour in hours if 0 <= m.start() - one.end < 12), None)
    return Moment(one.start, one.end, one.year, one.month, one.day, near)


def _blanked(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def say_day(moment: datetime) -> str:
    """Return a day as a French draft says it.

    >>> say_day(datetime(2025, 12, 1))
    '1er décembre 2025'
    """
    day = "1er" if moment.day == 1 else str(moment.day)
    return f"{day} {_MONTHS[moment.month - 1]} {moment.year}"


def lasting(text: str, end: int) -> timedelta | None:
    """Return the unit of time that follows a number, when one does: what it counts is a duration.

    >>> lasting("dans les 72 heures", 11), lasting("12 personnes", 2)
    (datetime.timedelta(seconds=3600), None)
    """
    match = _LASTING.match(text, end)
    return _UNITS[match[1]] if match else None
