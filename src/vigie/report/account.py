"""One alert on the page: its sentence, its facts, its charts and its lines."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from vigie.alerts.watch import Alert
from vigie.detection import Detection
from vigie.detectors.campaigns import KINDS
from vigie.language import N_, _, current_language, number, plural
from vigie.report import dates
from vigie.report.charts import Bar, bars, evidence
from vigie.report.figures import Figure, draw
from vigie.report.markup import Html, element, join
from vigie.story import explain_difference, explain_level, tell

LEVELS: Final = {"suspend": N_("suspend"), "step_up": N_("step up"), "watch": N_("watch")}
"""The levels of gravity in words, the gravest first."""

_HABITS: Final = {
    "register_sweep": N_("Records of persons unknown here"),
    "lasting_sweep": N_("Records of persons unknown here"),
    "identifier_walk": N_("Records opened in the order of their numbers"),
    "name_walk": N_("Records opened in alphabetical order"),
    "rights_check_sweep": N_("Rights checked one person after the other"),
    "bulk_export": N_("Records in one request"),
    "override_abuse": N_("Emergency overrides on persons unknown here"),
    "password_spraying": N_("Logins from a network that had just failed on several accounts"),
    "dangerous_changes": N_("Changes that are seldom made here"),
    "curiosity": N_("Records of persons whom the owner of the account knows"),
    **dict.fromkeys(KINDS, N_("Records of persons unknown here")),
}
_OTHERWISE: Final = N_("Accesses of this kind")
_DAY: Final = 86_400.0
_SHORT: Final = 60
"""Lines shown without being asked for."""


def tell_alert(found: Detection, alert: Alert) -> Html:
    """Return the section of one alert."""
    story = tell(found, alert)
    return element(
        "article",
        element("h3", login(alert.account), " ", badge(alert.level), id=f"alert-{alert.id}"),
        element("p", alert.why[current_language()], class_="why"),
        _facts(found, alert),
        _accounts(alert),
        draw(evidence(alert.id, story, alert.opened_at)) if story.steps else None,
        element("p", apart) if (apart := explain_difference(alert, story)) else None,
        element("p", level) if (level := explain_level(alert, story)) else None,
        *(draw(habit) for habit in _habit(alert)),
        _lines(alert.lines),
        aria_labelledby=f"alert-{alert.id}",
    )


def login(account: str) -> Html:
    """Return an account; isolated, so that its letters cannot turn the text around it."""
    return element("bdi", account, class_="login")


def badge(level: str) -> Html:
    """Return the level in words, framed according to its gravity."""
    return element("span", _(LEVELS[level]), class_=f"badge {level.replace('_', '-')}")


def _facts(found: Detection, alert: Alert) -> Html:
    learning = alert.opened_at < found.learn_until
    facts = (
        (_("raised (UTC)"), dates.second(alert.opened_at)),
        (_("last alarm (UTC)"), dates.second(alert.last_at)),
        (_("patients"), number(alert.patients)),
        (_("evidence, all alarms"), number(alert.evidence, 1)),
        (_("in the learning part"), _("yes: it may have begun before the log") if learning else ""),
    )
    pairs = [
        element("div", element("dt", name), element("dd", said)) for name, said in facts if said
    ]
    command = element("dd", element("code", f"vigie explain {alert.id}"))
    pairs.append(element("div", element("dt", _("in the terminal")), command, class_="command"))
    return element("dl", *pairs)


def _accounts(alert: Alert) -> Html | None:
    if len(alert.accounts) < 2:
        return None
    names = (element("li", login(account)) for account in alert.accounts)
    heading = element("h4", _("Accounts that moved together"))
    return join(heading, element("ul", *names, class_="accounts"))


def _habit(alert: Alert) -> Iterator[Figure]:
    """Draw the habit beside what was seen, where the alert has figures for both."""
    if not {"own", "peers"} <= alert.usual.keys():
        return
    title = _(_HABITS.get(alert.hypothesis, _OTHERWISE))
    if "records" in alert.observed:
        names = _("largest of this account so far"), _("largest of its peers so far")
        unit, this, seen = _("records"), _("this alert"), alert.observed["records"]
    else:
        names = _("this group on a usual day"), _("other groups on a usual day")
        if len(alert.accounts) < 2:
            names = _("this account on a usual day"), _("its peers on a usual day")
        unit, this, seen = _("on a day"), _("this alert"), alert.observed["patients"]
        days = _days(alert)
        if days > 1:
            this, seen = _("this alert on average"), seen / days
    values = alert.usual["own"], alert.usual["peers"], seen
    styles = "usual", "peers", "observed"
    pairs = [
        Bar(name, value, _few(value), style)
        for name, value, style in zip((*names, this), values, styles, strict=True)
    ]
    said = ", ".join(f"{bar.label} {bar.said}" for bar in pairs)
    summary = f"{said[0].upper()}{said[1:]}."
    yield bars(alert.id, title, summary, unit, pairs)


def _days(alert: Alert) -> float:
    seconds = alert.observed["seconds"] + (alert.last_at - alert.opened_at).total_seconds()
    return seconds / _DAY


def _few(value: float) -> str:
    return number(value, 0 if value >= 10 or value == int(value) else 1)


def _lines(lines: Sequence[str]) -> Html:
    """Name the lines file by file, neighbouring numbers joined."""
    said = plural("{count} line of the log", "{count} lines of the log", len(lines))
    files = (
        join(element("dt", file), element("dd", ", ".join(_runs(numbers))))
        for file, numbers in _by_file(lines)
    )
    return element(
        "details",
        element("summary", said.format(count=number(len(lines)))),
        element("dl", *files, class_="files"),
        class_="lines",
        open=len(lines) <= _SHORT,
    )


def _by_file(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    split = sorted((line.rpartition(":") for line in lines), key=lambda parts: parts[0])
    for file, parts in groupby(split, key=lambda parts: parts[0]):
        yield file, [number_of for _file, _colon, number_of in parts]


def _runs(numbers: Sequence[str]) -> Iterator[str]:
    """Join neighbours: 3, 4, 5, 9 are 3-5 and 9; what is no number is left as it is."""
    plain = sorted({int(text) for text in numbers if text.isdecimal()})
    for _gap, run in groupby(enumerate(plain), key=lambda pair: pair[1] - pair[0]):
        places = [value for _order, value in run]
        yield str(places[0]) if len(places) == 1 else f"{places[0]}\u2013{places[-1]}"
    yield from sorted({text for text in numbers if not text.isdecimal()})
