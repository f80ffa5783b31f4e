"""What surrounds the reading: how people get in, what they change, whom several open at once.

Everything here is drawn with chances of its own and added to accesses that are already there, so
that the people, encounters and thefts of a seed stay as they are: honest oddities first, then what
thieves leave. All shares are assumptions, argued in docs/simulator.md.
"""

import numpy as np
import pyarrow as pa

from vigie.simulate.oddities import means_of, oddities
from vigie.simulate.overlay import Overlay
from vigie.simulate.population import Population
from vigie.simulate.traces import traces
from vigie.simulate.world import ACCESSES, Attack


def signed(
    seed: int, preset: str, people: Population, start: int, days: int, session_object: int,
    accesses: pa.Table, attacks: tuple[Attack, ...],
) -> pa.Table:  # fmt: skip
    """Return the accesses with the signs: methods changed, rows added, not sorted."""
    raw = {name: accesses[name].to_numpy().astype(np.int64) for name in accesses.column_names}
    world = Overlay(seed, preset, people, start, days, session_object, accesses, raw)
    raw["auth_method"] = means_of(world)
    parts = [*oddities(world), *traces(world, attacks)]
    place = accesses.schema.get_field_index("auth_method")
    means = pa.array(raw["auth_method"]).cast(ACCESSES.field("auth_method").type)
    return pa.concat_tables([accesses.set_column(place, "auth_method", means), *parts])
