"""Who works at a place not its own meets whom the others meet there; alone, nothing says so."""

import numpy as np
import pyarrow as pa

from vigie.detection import detect
from vigie.stream import Stream
from vigie.testing.detectors import small_log
from vigie.timeline.units import DAY
from vigie.usual.chain import REASONS

LAST = 11
GUEST = REASONS.index("guest")


def sent(names: list[str], place: str = "centre") -> pa.Table:
    """The small log; on its last day these accounts meet new patients alone, at a place."""
    events = small_log(days=LAST + 1, accounts=12, size=20, strangers=0.01)
    at = events["at"].cast(pa.int64()).to_numpy()
    there = np.isin(events["account"].to_numpy(), names) & (at // DAY - at.min() // DAY == LAST)
    keys = [
        bytes([77]) + number.to_bytes(15, "big") if new else key
        for number, (key, new) in enumerate(zip(events["patient"].to_pylist(), there, strict=True))
    ]
    sites = [
        place if new and place else site
        for site, new in zip(events["organisation"].to_pylist(), there, strict=True)
    ]
    for name, values in (("patient", keys), ("organisation", sites)):
        column = events.schema.get_field_index(name)
        events = events.set_column(column, name, pa.array(values).cast(events.schema.types[column]))
    return events


def explained(events: pa.Table, name: str) -> tuple[int, float]:
    """Return how many of the last day's units a stay as a guest explains best, and their sweep."""
    stream = Stream(keep=True, learn_until=detect(events).learn_until)
    stream.feed(events)
    stream.finish()
    last = max(seen.partition.units.on for seen in stream.kept)
    many, evidence = 0, 0.0
    for seen in stream.kept:
        units = seen.partition.units
        if units.on != last or name not in units.accounts:
            continue
        mine = units.account == list(units.accounts).index(name)
        sweep = stream.panel.hypotheses.index("register_sweep")
        many += int((seen.partition.honest.reason[mine] == GUEST).sum())
        evidence += float(np.nansum(seen.ratios[mine, sweep]))
    return many, evidence


CREW = [f"account-{number}" for number in range(5)]


def test_a_crew_at_a_new_place_explains_each_of_its_members() -> None:
    many, evidence = explained(sent(CREW), CREW[0])
    alone, alone_evidence = explained(sent(CREW[:1]), CREW[0])
    assert many > 5
    assert alone == 0
    assert evidence < alone_evidence / 2


def test_at_a_place_of_its_own_nobody_is_a_guest() -> None:
    """A site whose five accounts are robbed together excuses none of them."""
    assert explained(sent(CREW, place=""), CREW[0])[0] == 0


def test_two_accounts_make_no_place() -> None:
    assert explained(sent(CREW[:2]), CREW[0])[0] == 0
