"""Charts as inline SVG: evidence over time, habits, the calendar.

Places across are percentages and no `viewBox` scales the whole: a chart narrows with the page while
its letters keep their size. What colour says, a word, a shape or a line style says too.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import isfinite
from typing import Final

from vigie.language import _, number
from vigie.report import dates
from vigie.report.figures import Figure, table
from vigie.report.markup import Html, element, join
from vigie.story import Step, Story

POINTS: Final = 120
"""Stretches drawn and written, about: the highest of each, so that no crossing is hidden."""
_TOP, _PLOT, _FOOT = 26, 170, 24
_BAR: Final = 44
_LANE: Final = 34
_APART: Final = 15
"""Pixels under which two labels would touch."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One habit or observation: what it is, how much, that value in words, and its style."""

    label: str
    value: float
    said: str
    style: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One alert on the calendar: its lane, when it was raised, and its name."""

    lane: int
    at: datetime
    name: str


def evidence(key: str, story: Story, opened: datetime) -> Figure:
    """Draw the statistic, access after access, against its thresholds."""
    steps = story.steps
    alarm = next((n for n, step in enumerate(steps) if step.at >= opened), len(steps) - 1)
    kept = thin(steps, alarm)
    highest = max(_seen(step.level) for step in steps)
    top = 1.12 * max(_seen(story.thresholds[0]), highest, 1e-9)
    drawing = join(
        _curve(kept, len(steps), top),
        *_threshold_lines(story.thresholds, top),
        _alarm((alarm + 0.5) / len(steps), steps[alarm], top),
        *_ends(steps),
    )
    return Figure(
        key=f"evidence-{key}",
        title=_("Evidence, access after access, against the thresholds"),
        summary=_summary(story, alarm),
        height=_TOP + _PLOT + _FOOT,
        drawing=drawing,
        table=_evidence_table([step for _end, step in kept], len(steps)),
    )


def _summary(story: Story, alarm: int) -> str:
    steps, threshold = story.steps, story.thresholds[0]
    said = _(
        "From left to right, the accesses in their order, from {first} to {last}. The alert was "
        "raised when the evidence stood at {level}, against a threshold of {threshold}."
    ).format(
        first=dates.minute(steps[0].at),
        last=dates.minute(steps[-1].at),
        level=number(_seen(steps[alarm].level), 1),
        threshold=number(threshold, 1),
    )
    earlier = next((step for step in steps[:alarm] if step.level >= threshold), None)
    if earlier is None:
        return said
    text = _("It had passed that threshold before, from {date} on.")
    return f"{said} {text.format(date=dates.minute(earlier.at))}"


def thin(steps: Sequence[Step], alarm: int) -> list[tuple[int, Step]]:
    """Keep the highest step of each stretch, with the place where the stretch ends.

    The step of the alarm is a stretch by itself: what is told of it is that very step.
    """
    width = -(-len(steps) // POINTS)
    edges = sorted({*range(0, len(steps), width), alarm, alarm + 1, len(steps)})
    return [
        (end, max(steps[start:end], key=lambda step: step.level)) for start, end in pairwise(edges)
    ]


def _evidence_table(steps: Sequence[Step], count: int) -> Html:
    caption = _("Evidence after each access")
    if count > len(steps):
        caption = _("Evidence: the highest of each stretch of the {count} accesses").format(
            count=number(count)
        )
    header = (_("time (UTC)"), _("patients so far"), _("added"), _("evidence"))
    rows = [
        (dates.second(s.at), number(s.patients), _signed(s.added), _signed(s.level)) for s in steps
    ]
    return table(caption, header, rows)


def _signed(value: float) -> str:
    return number(value, 1).replace("-", "\u2212") if isfinite(value) else "\u2013"


def _seen(level: float) -> float:
    """Below zero the habits explain the accesses: the chart shows nothing, the table the figure."""
    return max(level, 0.0) if isfinite(level) else 0.0


def _height(level: float, top: float) -> float:
    return _PLOT * (1 - _seen(level) / top)


def _curve(kept: Sequence[tuple[int, Step]], count: int, top: float) -> Html:
    path = [f"M0 {_PLOT}"]
    for end, step in kept:
        path.append(f"V{_height(step.level, top):.1f}H{1000 * end / count:.1f}")
    shape = "".join(path)
    area = element("path", class_="area", d=f"{shape}V{_PLOT}Z")
    line = element("path", class_="curve", d=shape, vector_effect="non-scaling-stroke")
    inner = element(
        "svg", area, line, y=_TOP, width="100%", height=_PLOT,
        viewBox=f"0 0 1000 {_PLOT}", preserveAspectRatio="none", overflow="visible",
    )  # fmt: skip
    return join(inner, _line(0, 1, _TOP + _PLOT, "axis"))


def _line(start: float, end: float, y: float, style: str) -> Html:
    return element("line", class_=style, x1=_part(start), x2=_part(end), y1=_px(y), y2=_px(y))


def _part(share: float) -> str:
    return f"{100 * share:.2f}%"


def _px(pixels: float) -> str:
    return f"{pixels:.1f}"


def _threshold_lines(thresholds: Sequence[float], top: float) -> Iterator[Html]:
    """Draw those that fit, the first always; labels that would touch become one."""
    fitting = [limit for limit in thresholds if limit < top]
    heights = [_TOP + _height(limit, top) for limit in fitting]
    for y, style in zip(heights, ("watch", "step-up", "suspend"), strict=False):
        yield _line(0, 1, y, f"threshold {style}")
    gaps = [low - high for low, high in pairwise(heights)]
    if gaps and min(gaps) < _APART:
        said = _("thresholds {values}").format(values=" · ".join(number(v, 1) for v in fitting))
        yield _label(said, heights[-1] - 4)
        return
    for name, limit, y in zip(_names(), fitting, heights, strict=False):
        said = _("threshold {value} ({level})").format(value=number(limit, 1), level=name)
        yield _label(said, y - 4)


def _names() -> tuple[str, str, str]:
    return _("watch"), _("step up"), _("suspend")


def _label(text: str, y: float) -> Html:
    return element("text", text, x=0, y=_px(y), class_="halo")


def _alarm(share: float, step: Step, top: float) -> Html:
    y = _TOP + _height(step.level, top)
    said = _("alert at {level}").format(level=number(_seen(step.level), 1))
    stem = _upright(share, _TOP - 8, _TOP + _PLOT)
    dot = element("circle", class_="dot", cx=_part(share), cy=_px(y), r=4)
    anchor = "end" if share > 0.5 else "start"
    return join(stem, dot, element("text", said, x=_part(share), y=_TOP - 12, text_anchor=anchor))


def _upright(share: float, top: float, foot: float) -> Html:
    return element("line", class_="stem", x1=_part(share), x2=_part(share), y1=top, y2=foot)


def _ends(steps: Sequence[Step]) -> Iterator[Html]:
    y = _TOP + _PLOT + 16
    yield element("text", dates.short(steps[0].at), x=0, y=y, class_="tick")
    if len(steps) > 1:
        last = dates.short(steps[-1].at)
        yield element("text", last, x="100%", y=y, class_="tick", text_anchor="end")


def bars(key: str, title: str, summary: str, unit: str, pairs: Sequence[Bar]) -> Figure:
    """Draw the usual beside the observed, one bar under the other on one scale."""
    top = max(*(bar.value for bar in pairs), 1e-9)
    rows = [(bar.label, bar.said) for bar in pairs]
    return Figure(
        key=f"habit-{key}",
        title=title,
        summary=summary,
        height=_BAR * len(pairs),
        drawing=join(*(_bar(n, bar, top) for n, bar in enumerate(pairs))),
        table=table(title, (_("what"), unit), rows),
    )


def _bar(place: int, bar: Bar, top: float) -> Html:
    y = place * _BAR
    return join(
        element("text", bar.label, x=0, y=y + 15),
        element("text", bar.said, x="100%", y=y + 15, text_anchor="end", class_="value"),
        _line(0, 1, y + 38, "axis faint"),
        # Nothing is drawn for zero: the smallest bar is a hairline that would say "a little".
        element("rect", class_=bar.style, y=y + 22, width=_part(bar.value / top), height=14)
        if bar.value
        else None,
    )


def calendar(
    span: tuple[datetime, datetime],
    learnt: datetime,
    lanes: Sequence[str],
    marks: Sequence[Mark],
    figures: Html,
) -> Figure:
    """Draw when the alerts were raised, a lane per level; `figures` is the table that lists them.

    `span` is the first and the last moment of the log, `learnt` the end of its learning part.
    """
    first, last = span
    height = _TOP + _LANE * len(lanes)
    share = _shares(first, last)
    drawing = join(
        element(
            "rect", class_="learning", y=_TOP, width=_part(share(learnt)), height=height - _TOP
        ),
        _upright(share(learnt), _TOP, height),
        element("text", _("learning"), x=4, y=_TOP - 8, class_="tick"),
        *(_lane(n, name) for n, name in enumerate(lanes)),
        *(_dot(mark, share(mark.at)) for mark in marks),
        element("text", dates.day(first), x=0, y=height + 18, class_="tick"),
        element("text", dates.day(last), x="100%", y=height + 18, class_="tick", text_anchor="end"),
    )
    summary = _("From left to right, the days of the log; one dot per alert, when it was raised.")
    title = _("When the alerts were raised")
    return Figure("calendar", title, summary, height + _FOOT, drawing, figures)


def _shares(first: datetime, last: datetime) -> Callable[[datetime], float]:
    span = max((last - first).total_seconds(), 1.0)
    return lambda moment: min(max((moment - first).total_seconds() / span, 0.0), 1.0)


def _lane(place: int, name: str) -> Html:
    y = _TOP + place * _LANE
    return join(
        _line(0, 1, y + _LANE, "axis faint"), element("text", name, x=4, y=y + 13, class_="halo")
    )


def _dot(mark: Mark, share: float) -> Html:
    y = _TOP + mark.lane * _LANE + 23
    name = element("title", mark.name)
    return element("circle", name, class_="dot", cx=_part(share), cy=y, r=5)
