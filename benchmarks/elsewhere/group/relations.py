"""What the group's movements and diaries say of care: stays, emergency visits, appointments."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from benchmarks.elsewhere.group.clinics import Appointments
from benchmarks.elsewhere.group.people import DAY, HOUR, World
from benchmarks.elsewhere.group.stays import Stays, Visits
from benchmarks.elsewhere.log import SECOND, Ints, patient_keys
from vigie.records import CARE


def known(
    world: World, stays: Stays, visits: Visits, diary: Appointments, units: Sequence[str],
    first: int,
) -> pa.Table:  # fmt: skip
    """Return the care relations with units; a planned stay is booked days before."""
    of, emergency = stays.columns, [world.find("emergency", site) for site in (0, 1)]
    booked = of["begins"] - np.where(of["planned"], 8 * DAY, 0)
    morning = diary.at // DAY * DAY
    parts = [
        ("stay", of["patient"], of["ward"], of["begins"], of["ends"], booked),
        ("stay", visits.patient, np.array(emergency)[visits.site], visits.begins, visits.ends,
         visits.begins),
        ("appointment", diary.patient, diary.unit, morning, morning + 20 * HOUR, diary.booked),
    ]  # fmt: skip
    return pa.concat_tables([_table(part, units, first) for part in parts])


def _table(
    part: tuple[str, Ints, Ints, np.ndarray, np.ndarray, np.ndarray], units: Sequence[str],
    first: int,
) -> pa.Table:  # fmt: skip
    kind, patient, unit, begins, ends, recorded = part
    count = len(patient)
    columns = {
        "patient": patient_keys(patient), "unit": np.array(units)[unit],
        "kind": [kind] * count, "source": ["group"] * count,
        **{
            name: first + column.astype(np.int64) * SECOND
            for name, column in (
                ("valid_from", begins), ("valid_until", ends), ("recorded_at", recorded)
            )
        },
    }  # fmt: skip
    arrays = [
        pa.array(columns[field.name]).cast(field.type) if field.name in columns
        else pa.nulls(count, field.type)
        for field in CARE
    ]  # fmt: skip
    return pa.table(arrays, schema=CARE)
