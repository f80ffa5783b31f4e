"""What a simulated platform is made of, before it is written down as a log.

People and places are small tables; accesses are one wide table of codes that point into them. The
oracle columns (`attack`, `reason`) are never written into a log: they are the ground truth.

A thief's accesses and sessions that are not the owner's are numbered from 2**40, so that honest
rows are the same whatever attacks are added. The login that opens a thief's own session carries
his label too. An attack's `onset` is its first look-up, or lies before `World.start` for
`begun_before`.
"""

from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

ORGANISATIONS: Final = pa.schema(
    [
        pa.field("finess", pa.string()),  # 9 characters, geographic
        pa.field("name", pa.string()),
        pa.field(
            "kind", pa.string()
        ),  # hospital, clinic, practice, laboratory, pharmacy, nursing_home…
        pa.field("commune", pa.string()),  # INSEE code
        pa.field("area", pa.string()),  # département
        pa.field("region", pa.string()),
    ]
)

ACCOUNTS: Final = pa.schema(
    [
        pa.field("login", pa.string()),
        pa.field("kind", pa.string()),  # person, service, shared
        pa.field("professional", pa.string()),  # RPPS or ADELI, null for secretaries and services
        pa.field("surname", pa.string()),
        pa.field("given_name", pa.string()),
        pa.field("profession", pa.string()),  # code of the profile data file
        pa.field("specialty", pa.string()),
        pa.field("role", pa.string()),
        pa.field("organisation", pa.int32()),  # index into ORGANISATIONS (the main one)
        pa.field("unit", pa.string()),
        pa.field("hired_at", pa.int64()),  # µs UTC, before the log starts for most
    ]
)

PATIENTS: Final = pa.schema(
    [
        pa.field("number", pa.int64()),  # the platform's own patient number, given in order
        pa.field("nir", pa.string()),  # 15 digits with a valid key; children share a parent's NSS
        pa.field("ins", pa.string()),  # the person's own INS matricule, null when not qualified
        pa.field("surname", pa.string()),
        pa.field("given_name", pa.string()),
        pa.field("sex", pa.string()),
        pa.field("birth_date", pa.date32()),
        pa.field("commune", pa.string()),
        pa.field("area", pa.string()),
        pa.field("address", pa.string()),
        pa.field("phone", pa.string()),
        pa.field("insurer", pa.int16()),  # index into insurers, -1 without
    ]
)

ACCESSES: Final = pa.schema(
    [
        pa.field("at", pa.int64()),  # µs UTC; the table is sorted by it
        pa.field("access", pa.int64()),  # rows of one search page share it
        pa.field("account", pa.int32()),
        pa.field("on_behalf_of", pa.int32()),  # account index, -1
        pa.field("organisation", pa.int32()),  # where the account worked at that moment
        pa.field("unit", pa.int16()),  # index into World.units, -1
        pa.field("session", pa.int64()),
        pa.field("network", pa.int32()),  # index into World.networks
        pa.field("device", pa.int32()),  # index into World.devices, -1
        pa.field("user_agent", pa.int16()),  # index into World.user_agents
        pa.field("auth_method", pa.int8()),  # index into World.auth_methods
        pa.field("action", pa.int8()),  # index into vigie.events.ACTIONS
        pa.field("object", pa.int16()),  # index into World.objects (screens, endpoints)
        pa.field("query_shape", pa.int8()),  # index into VOCABULARIES["query_shape"], -1
        pa.field("record_count", pa.int32()),  # -1 when the system does not say
        pa.field("bytes", pa.int64()),  # -1 when the system does not say
        pa.field("patient", pa.int32()),  # index into PATIENTS, -1
        pa.field("purpose", pa.int8()),  # index into World.purposes, -1
        pa.field("outcome", pa.int8()),  # index into VOCABULARIES["outcome"]
        pa.field("attack", pa.int16()),  # oracle: index into World.attacks, -1 honest
        pa.field("reason", pa.int8()),  # oracle: index into REASONS
    ]
)

REASONS: Final = (
    "own", "team", "new_patient", "stranger", "replacement", "transfer", "on_call", "referral",
    "campaign", "outbreak", "service", "administrative", "theft",
)  # fmt: skip
"""Why this access happened, as only the simulator knows."""

CARE: Final = pa.schema(
    [
        pa.field("record", pa.int64()),
        pa.field("patient", pa.int32()),  # index into PATIENTS
        pa.field("organisation", pa.int32()),  # index into ORGANISATIONS
        pa.field("unit", pa.int16()),  # index into World.units, -1 when the table does not say
        pa.field("account", pa.int32()),  # whose appointment it is, -1
        pa.field("kind", pa.int8()),  # index into vigie.records.CARE_KINDS
        pa.field("valid_from", pa.int64()),  # µs UTC
        pa.field("valid_until", pa.int64()),
        pa.field("recorded_at", pa.int64()),
    ]
)
"""The care relations that a platform would have in a table beside its log, gaps included."""

STAFF: Final = pa.schema(
    [
        pa.field("account", pa.int32()),
        pa.field("patient", pa.int32()),  # index into PATIENTS, -1 when unknown or none
        pa.field("home", pa.int32()),  # the patient whose address the table has, -1 for another one
    ]
)
"""The table of staff that an operator would have beside the log: who owns each account."""

FAMILIES: Final = (
    "fast_sweep", "working_hours_sweep", "low_and_slow", "own_workstation", "several_accounts",
    "one_site", "enumeration", "rights_check_sweep", "name_sweep", "town_sweep", "own_panel",
    "export", "database_dump", "break_glass_abuse", "curiosity", "begun_before",
    "dormant_account", "tampering", "crowd",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attack:
    """One theft: its family, the accounts used, from when to when (µs UTC), its parameters."""

    family: str
    accounts: tuple[int, ...]
    onset: int
    end: int
    parameters: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    """A platform over a stretch of time."""

    preset: str
    seed: int
    start: int
    days: int
    organisations: pa.Table
    accounts: pa.Table
    patients: pa.Table
    accesses: pa.Table
    insurers: tuple[str, ...]
    units: tuple[str, ...]
    networks: tuple[str, ...]
    devices: tuple[str, ...]
    user_agents: tuple[str, ...]
    auth_methods: tuple[str, ...]
    objects: tuple[str, ...]
    purposes: tuple[str, ...]
    attacks: tuple[Attack, ...]
    care: pa.Table = field(default_factory=CARE.empty_table)
    staff: pa.Table = field(default_factory=STAFF.empty_table)
