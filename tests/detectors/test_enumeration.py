"""Rights checks are alleged only of who checked the rights of strangers."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from vigie.context.relations import HOST
from vigie.detectors import DETECTORS
from vigie.testing.detectors import partition_of, small_log, text
from vigie.timeline.units import DAY


def suddenly(action: str) -> tuple[np.ndarray, np.ndarray]:
    """What the accesses of one account say that does nothing else on its last day, and of whom."""
    events = small_log(days=12, accounts=12)
    at = events["at"].cast(pa.int64()).to_numpy()
    last = (at // DAY == at.max() // DAY) & (events["account"].to_numpy() == "account-1")
    words = pc.if_else(pa.array(last), action, events["action"].cast(pa.string())).to_pylist()
    place = events.schema.get_field_index("action")
    partition = partition_of(events.set_column(place, "action", text(words)))
    units, detector = partition.units, DETECTORS["enumeration"]
    mine = (units.account == list(units.accounts).index("account-1")) & (
        units.day == units.day.max()
    )
    kind = detector.hypotheses.index("rights_check_sweep")
    return detector.ratios(partition)[mine, kind], partition.scene.marks["relation"][mine]


@pytest.mark.parametrize("action", ["search", "create", "print"])
def test_who_does_something_else_than_ever_before_has_checked_no_rights(action: str) -> None:
    assert not (suddenly(action)[0] > 0).any()


def test_who_suddenly_checks_rights_has() -> None:
    assert np.nanmax(suddenly("rights_check")[0]) > 2


def test_who_checks_the_rights_of_those_whom_the_house_knows_has_swept_nobody() -> None:
    ratios, relation = suddenly("rights_check")
    assert (ratios[(relation >= 0) & (relation < HOST)] <= 0).all()
