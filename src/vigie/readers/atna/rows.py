"""Audit messages to waist rows: times, names, patients and gaps, a batch at a time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.events import KEY, READ_SCHEMA, TIME, constant, empty_column
from vigie.pseudonyms import Keyring
from vigie.readers import moments
from vigie.readers.atna.patients import Register, Whom, hide
from vigie.readers.atna.people import describe
from vigie.readers.atna.xml import Message
from vigie.readers.audit_codes import OUTCOMES, RETRIEVALS, action_of, object_of
from vigie.readers.base import Context
from vigie.readers.clock import Clock
from vigie.readers.fhir.identity import Named
from vigie.readers.order import Order, fold
from vigie.readers.times import clock_column, to_utc

SKEW: Final = 600_000_000
"""Microseconds between the time of the event and that of its syslog header beyond which one of
the two clocks is wrong: ten minutes."""
NO_HEADER: Final = -(2**63)
_NATIONAL: Final = frozenset({"nir", "nia", "ins_test", "ins_demo"})
_FINER: Final = re.compile(r"(\.\d{6})\d+")
"""XML allows decimals without end; microseconds are kept."""
_ISO: Final = moments.compile_pattern("")
_TEXTS: Final = (
    "account", "actor_kind", "professional", "on_behalf_of", "profession", "specialty", "role",
    "organisation", "realm", "client_app", "network", "device", "action", "object",
    "query_shape", "purpose", "outcome", "flags",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that was read: its unit's number in the batch, its line, its header's time (µs)."""

    unit: int
    line: int
    message: Message
    action: str
    sent: int


@dataclass(frozen=True, slots=True)
class Times:
    """When each message happened (µs UTC), the doubt about it, and what the text was."""

    at: NDArray[np.int64]
    doubts: NDArray[np.int8]
    kinds: NDArray[np.uint8]


class Rows:
    """Makes the rows of one file, in order."""

    def __init__(self, context: Context, label: str) -> None:
        self._context = context
        self._label = label
        self._order = Order()
        self._clock = Clock()
        self._register = Register()
        # The base key alone: a patient's account keeps its name when the key is rotated.
        self._names = Keyring(context.keyring.base)

    def times(self, accepted: list[Accepted]) -> Times:
        """Read the times of the messages; those that cannot be read keep the kind `BAD`."""
        texts = [_FINER.sub(r"\1", one.message.at).encode() for one in accepted]
        sizes = np.array([len(text) for text in texts], np.int32)
        starts = (np.cumsum(sizes) - sizes).astype(np.int32)
        data = np.frombuffer(b"".join(texts) or b" ", np.uint8)
        at, kinds = moments.parse(data, starts, sizes, _ISO)
        doubts = np.zeros(len(at), np.int8)
        unzoned = kinds == moments.LOCAL
        if unzoned.any():
            naive = pa.array(at[unzoned]).cast(pa.timestamp("us"))
            utc, doubts[unzoned] = to_utc(naive, self._context.source.time_zone)
            at[unzoned] = utc.cast(pa.int64()).to_numpy()
        sent = np.array([one.sent for one in accepted], np.int64)
        apart = (sent != NO_HEADER) & (np.abs(at - np.where(sent == NO_HEADER, at, sent)) > SKEW)
        doubts[apart & (doubts == 0)] = 2
        return Times(at, doubts, kinds)

    def table(self, accepted: list[Accepted], times: Times, hashes: pa.Array) -> pa.Table:
        """Return the rows of messages whose times are known; `hashes` are those of the units."""
        self._clock.mark(times.at, times.doubts)
        texts: list[list[str | None]] = []
        parents: list[int] = []
        parts: list[int] = []
        patients: list[Named | None] = []
        surnames: list[str | None] = []
        requests: list[str | None] = []
        for k, one in enumerate(accepted):
            whom = self._register.read(one.message.objects)
            said, flagged = self._texts(one, whom)
            named = whom.patients or (None,)
            for part, patient in enumerate(named):
                parents.append(k)
                parts.append(part)
                patients.append(patient)
                surnames.append(whom.surname)
                requests.append(whom.request)
                flag = patient.problem if patient else None
                flags = (*flagged, f"patient_{flag}") if flag else flagged
                texts.append([*said, " ".join(sorted(flags)) or None])
        columns = self._columns(accepted, times, hashes, np.array(parents, np.int64), parts)
        columns |= {
            name: pa.array(values, pa.string()).dictionary_encode()
            for name, values in zip(_TEXTS, zip(*texts, strict=True), strict=True)
        }
        columns |= self._patients(columns["account"], patients)
        columns |= self._named(columns["account"], surnames)
        if any(requests):
            columns["request_key"] = self._context.keyring.pseudonyms(
                pa.array(requests, pa.string()), "", "request"
            )
        count = len(parents)
        return pa.Table.from_arrays(
            [columns[n] if n in columns else empty_column(n, count) for n in READ_SCHEMA.names],
            schema=READ_SCHEMA,
        )

    def _columns(
        self, accepted: list[Accepted], times: Times, hashes: pa.Array,
        parents: NDArray[np.int64], parts: list[int],
    ) -> dict[str, Any]:  # fmt: skip
        count, source = len(parents), self._context.source
        units = np.array([one.unit for one in accepted], np.int64)
        lines = np.array([one.line for one in accepted], np.int64)
        columns = {
            "source": constant(source.name, count),
            "source_file": constant(self._label, count),
            "source_line": pa.array(lines[parents]),
            "line_hash": hashes.take(pa.array(units[parents])),
            "mapping_version": constant(source.mapping_version, count),
            "at": pa.array(times.at[parents]).cast(TIME),
            "clock_quality": clock_column(times.doubts[parents]),
            "part": pa.array(parts, pa.int32()),
        }
        if source.tenant:
            columns["tenant"] = constant(source.tenant, count)
        return columns

    def _texts(self, one: Accepted, whom: Whom) -> tuple[list[str | None], tuple[str, ...]]:
        """Return the values of `_TEXTS` without the patient's identifier, and the flags."""
        message = one.message
        object_ = object_of(message.event, message.types)
        who = describe(message.participants, object_ in RETRIEVALS, message.users)
        said: list[str | None] = [
            who.account, who.actor_kind, who.professional, who.on_behalf_of, who.profession,
            who.specialty, who.role, message.site or None, who.realm, message.source or None,
            who.network, who.device, one.action, object_, whom.shape, message.purpose or None,
            OUTCOMES.get(message.outcome),
        ]  # fmt: skip
        if whom.raw:
            self._hide(said, whom)
        return said, who.flags

    def _hide(self, said: list[str | None], whom: Whom) -> None:
        together = "\n".join(text for text in said if text)
        if not any(value in together for value in whom.raw):
            return
        for place in (0, 3):
            same = [p for p in whom.patients if p.value == said[place]]
            if same or said[place] in whom.raw:
                said[place] = self._keyed_name((same or list(whom.patients))[0])
        for place, text in enumerate(said):
            if text and place not in _CLOSED:
                said[place] = hide(text, whom.raw)

    def _keyed_name(self, patient: Named) -> str:
        authority = patient.authority or self._context.source.name
        return f"patient-{self._names.pseudonym(patient.value, authority, 'account').hex()}"

    def _patients(self, accounts: pa.Array, patients: list[Named | None]) -> dict[str, pa.Array]:
        """Return the pseudonyms and the gaps between numbers."""
        found: dict[str, pa.Array] = {}
        source = self._context.source.name
        groups: dict[tuple[str, bool], list[int]] = {}
        for k, patient in enumerate(patients):
            if patient:
                key = (patient.authority or source, patient.kind in _NATIONAL)
                groups.setdefault(key, []).append(k)
        if not groups:
            return found
        places, keys, gaps = [], [], []
        for (authority, national), rows in groups.items():
            values = pa.array([p.value for k in rows if (p := patients[k])], pa.string())
            where = pa.array(rows)
            places.extend(rows)
            keys.append(self._context.keyring.pseudonyms(values, authority))
            who = accounts.take(where)
            gaps.append(self._order.id_gaps(who, values, authority, "nir" if national else ""))
        back = np.full(len(patients), -1, np.int64)
        back[places] = np.arange(len(places))
        order = pa.array(back, mask=back < 0)
        return {
            "patient": pa.concat_arrays(keys).cast(KEY).take(order),
            "id_gap": pa.concat_arrays(gaps).take(order),
        }

    def _named(self, accounts: pa.Array, surnames: list[str | None]) -> dict[str, pa.Array]:
        if not any(surnames):
            return {}
        written = pa.array(surnames, pa.string())
        given = pa.nulls(len(surnames), pa.string())
        return {
            "surname_key": self._context.keyring.pseudonyms(fold(written), "", "surname"),
            "name_gap": self._order.name_gaps(accounts, written, given),
        }


_CLOSED: Final = frozenset(
    _TEXTS.index(name) for name in ("actor_kind", "action", "query_shape", "outcome")
)


def action_said(message: Message, own_actions: Mapping[str, str]) -> str | None:
    """Return the action: as the mapping says it for one of the codes, else as the standards do."""
    for code in (*message.types, message.event):
        if code in own_actions:
            return own_actions[code]
    return action_of(
        message.event, message.types, message.action_code, message.life_cycle, message.medium
    )
