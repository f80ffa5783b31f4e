"""In which countries the simulated addresses are, as an operator's table of ranges would say.

Staff are abroad now and then: on holiday, behind a telephone that roams, at home across a border,
behind a private network that goes out elsewhere. Thieves who bring an address of their own rent it
in France more often than not, for that is what looks usual.
"""

from typing import Final

import numpy as np

from vigie.simulate.chance import stream
from vigie.simulate.world import World

_HONEST, _BROUGHT = 0.02, 0.3
"""Shares of honest addresses outside organisations, and of brought ones, that are abroad."""
_SITE: Final = 12
"""An address used by more accounts is an organisation's."""
_ABROAD: Final = ("BE", "ES", "DE", "GB", "MA", "NL", "PT", "CH")


def country_ranges(world: World) -> list[tuple[str, str]]:
    """Return each public range of the log with its country."""
    network = world.accesses["network"].to_numpy()
    account = world.accesses["account"].to_numpy().astype(np.int64)
    honest = world.accesses["attack"].to_numpy() < 0
    count = len(world.networks)
    used = np.bincount(network[honest], minlength=count) > 0
    pairs = np.unique(network[honest].astype(np.int64) * world.accounts.num_rows + account[honest])
    users = np.bincount(pairs // world.accounts.num_rows, minlength=count)
    rows = {}
    for number, address in enumerate(world.networks):
        if address.startswith("10."):
            continue
        share = 0.0 if users[number] > _SITE else _HONEST if used[number] else _BROUGHT
        rng = stream(world.seed, world.preset, "borders", address)
        abroad = rng.random() < share
        country = str(rng.choice(_ABROAD)) if abroad else "FR"
        rows[f"{address.rsplit('.', 1)[0]}.0/24"] = country
    return sorted(rows.items())
