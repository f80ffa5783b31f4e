"""Logs in the form that such systems write them: one module per preset, `WRITERS` names each."""

from collections.abc import Callable
from typing import Final

from vigie.simulate.world import World
from vigie.simulate.writers import hospital, identity, practice, regional, third_party
from vigie.simulate.writers.logfiles import LogFolder

WRITERS: Final[dict[str, Callable[[World, LogFolder], None]]] = {
    "regional-portal": regional.write,
    "hospital": hospital.write,
    "practice-software": practice.write,
    "third-party-payment": third_party.write,
    "identity-server": identity.write,
}
