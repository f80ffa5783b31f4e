"""One AuditEvent to one access: what, who, whom and when, with every repeated part read once."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import msgspec

from vigie.pseudonyms import Keyring
from vigie.readers.base import Context
from vigie.readers.fhir.agents import NOBODY, Who, describe
from vigie.readers.fhir.codes import (
    action_of,
    event_name,
    fallback_action,
    outcome_of,
    purpose_of,
)
from vigie.readers.fhir.entities import Facet, Story, read_entity, read_patient, tell
from vigie.readers.fhir.identity import Named, Resolver
from vigie.readers.fhir.resources import (
    AGENTS,
    CONCEPTS,
    CONTAINED,
    ENTITIES,
    ENTITY,
    OUTCOME,
    PERIOD,
    REFERENCE,
    RESOURCE,
    AuditEvent,
    Outcome,
    Resource,
    as_list,
    codes,
)
from vigie.readers.fhir.templates import ANY_POLICY, Stories, Templates, Told, cut_token

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_LOCAL: Final = datetime(1970, 1, 1)
_MICROSECOND: Final = timedelta(microseconds=1)
_REMEMBERED: Final = 1 << 14
BROKEN: Final = (msgspec.ValidationError, UnicodeDecodeError, RecursionError)
_DATE_ONLY: Final = 10

K = TypeVar("K")
V = TypeVar("V")


class Fault(Exception):
    """Why a record cannot become a row: a key of REASONS, and the element at fault."""

    def __init__(self, reason: str, detail: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class Kind(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What the codes alone tell; `action` is None when only the entities can say."""

    action: str | None
    outcome: str | None
    purpose: str | None
    event: str | None
    letter: str


class Access(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One AuditEvent, read. `at` is in µs since 1970, of the local clock when `local`."""

    kind: Kind
    who: Who
    story: Story
    patients: tuple[Named, ...]
    request: str | None
    session: str | None
    id: str | None
    at: int
    local: bool


def action_told(kind: Kind, story: Story) -> str:
    """Return the waist's action: the codes say it, else what was used does."""
    if story.operation and kind.action in (None, "other", "search"):
        said = action_of([story.operation], [], "", {})
        if said:
            return said
    if kind.action is not None:
        return kind.action
    if story.action or story.shape:
        return story.action or "search"
    return fallback_action(kind.letter)


class Interpreter:
    """Reads the events of one source, remembering the parts that repeat."""

    def __init__(self, context: Context, own_actions: Mapping[str, str]) -> None:
        self._own_actions = own_actions
        self._source = context.source.name
        # The base key alone: a patient's account keeps its name when the key is rotated.
        self._names = Keyring(context.keyring.base)
        self._kinds: dict[bytes, Kind] = {}
        self._whos: dict[bytes, Who] = {}
        self._sessions: dict[bytes, tuple[Who, str | None]] = {}
        self._stories = Stories(lambda raw: _entity(raw, {}))
        self._subjects = Templates(lambda raw: _subject(raw, {}))

    def read(self, event: AuditEvent, bundle: Resolver) -> Access:
        """Return the access that `event` records; raise `Fault` when it cannot be told."""
        resolver = _with_contained(event, bundle) if event.contained else bundle
        kind = self.kind_of(event)
        who, session = self.who_of(event.agent, resolver)
        story, told = self._story(event, resolver, kind.action == "search")
        at, local = _moment(event)
        patients = tuple([_filled(*each, told) for each in story.patients])
        if len(patients) > 1:
            patients = tuple(dict.fromkeys(patients))
        request, entity, place = story.request
        if 0 <= place < len(told[entity].ids):
            request = told[entity].ids[place]
        return Access(
            kind, who, story, patients, request, session,
            str(event.id) if event.id is not None else None, at, local,
        )  # fmt: skip

    def kind_of(self, event: AuditEvent) -> Kind:
        """Return what the codes of `event` tell."""
        parts = (
            event.type, event.subtype, event.category, event.code, event.action, event.outcome,
            event.purposeOfEvent, event.authorization,
        )  # fmt: skip
        key = b"\0".join(parts)
        found = self._kinds.get(key)
        return found if found is not None else _keep(self._kinds, key, self._read_kind(event))

    def _read_kind(self, event: AuditEvent) -> Kind:
        types = _codes(event.type, "type") + _codes(event.category, "category")
        subtypes = _codes(event.subtype, "subtype") + _codes(event.code, "code")
        letters = _codes(event.action, "action")
        reasons = _codes(event.purposeOfEvent, "purposeOfEvent")
        letter = letters[0] if letters else ""
        return Kind(
            action_of(subtypes, types, letter, self._own_actions),
            outcome_of(_outcome_codes(event)),
            purpose_of(reasons + _codes(event.authorization, "authorization")),
            event_name(subtypes, types),
            letter,
        )

    def who_of(self, agents: msgspec.Raw, resolver: Resolver) -> tuple[Who, str | None]:
        """Return who acted, with the token's id: it changes while the rest stays."""
        if not agents:
            return NOBODY, None
        if resolver:
            who = self._read_who(agents, resolver)
            return who, who.session
        text = bytes(agents)
        known = self._sessions.get(text)
        if known is not None:
            return known
        skeleton, token = cut_token(text)
        found = self._whos.get(skeleton)
        if found is None:
            general = skeleton.replace(b"\0", ANY_POLICY.encode())
            found = _keep(self._whos, skeleton, self._read_who(general, {}))
        session = token if found.session == ANY_POLICY else found.session
        return _keep(self._sessions, text, (found, session))

    def _read_who(self, raw: bytes | msgspec.Raw, resolver: Resolver) -> Who:
        agents = as_list(_decoded(AGENTS, raw, "agent"))
        return describe(agents, resolver, self.named_patient)

    def named_patient(self, authority: str, value: str) -> str:
        """Return the keyed name of the account of a patient."""
        digest = self._names.pseudonym(value, authority or self._source, "account")
        return f"patient-{digest.hex()}"

    def _story(
        self, event: AuditEvent, resolver: Resolver, searching: bool
    ) -> tuple[Story, Sequence[Told]]:
        if resolver:
            raws = (_decoded(ENTITIES, event.entity, "entity") or ()) if event.entity else ()
            facets = [_entity(raw, resolver) for raw in raws]
            facets += [_subject(event.patient, resolver)] if event.patient else []
            return tell(facets, templates=False), ()
        subject = self._subjects.tell(event.patient) if event.patient else None
        try:
            return self._stories.tell(event.entity, searching, subject)
        except BROKEN as error:
            raise Fault(reason_of(error), "entity") from None

    def story_of(self, skeleton: bytes, query: bytes) -> Story | None:
        """Return the story of entities whose ids were cut out; None when ids must stay in."""
        return self._stories.of_skeleton(skeleton, query)


def _filled(named: Named, entity: int, place: int, told: Sequence[Told]) -> Named:
    if place < 0 or place >= len(told[entity].ids):
        return named
    return Named(named.authority, told[entity].ids[place], None, None, named.type)


def _entity(raw: bytes | msgspec.Raw, resolver: Resolver) -> Facet:
    return read_entity(_decoded(ENTITY, raw, "entity"), resolver)


def _subject(raw: bytes | msgspec.Raw, resolver: Resolver) -> Facet:
    return read_patient(_decoded(REFERENCE, raw, "patient"), resolver)


def _keep(memory: dict[K, V], key: K, value: V) -> V:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = value
    return value


def _decoded(decoder: "msgspec.json.Decoder[V]", raw: bytes | msgspec.Raw, element: str) -> V:
    try:
        return decoder.decode(raw)
    except BROKEN as error:
        raise Fault(reason_of(error), element) from None


def reason_of(error: Exception) -> str:
    """Return the reason of quarantine that goes with a decoder's error."""
    if isinstance(error, RecursionError):
        return "too_deep"
    if isinstance(error, UnicodeDecodeError):
        return "bad_encoding"
    return "bad_value" if isinstance(error, msgspec.ValidationError) else "bad_json"


def _codes(raw: msgspec.Raw, element: str) -> list[str]:
    return codes(_decoded(CONCEPTS, raw, element)) if raw else []


def _outcome_codes(event: AuditEvent) -> list[str]:
    """R4's code, or R5's `outcome.code`, which is a Coding inside."""
    if not event.outcome:
        return []
    outcome = _decoded(OUTCOME, event.outcome, "outcome")
    if isinstance(outcome, Outcome):
        return codes(outcome.code) + codes(outcome.coding)
    return [str(outcome)] if outcome is not None else []


def _moment(event: AuditEvent) -> tuple[int, bool]:
    """When the access happened: in its period if that is told to the second, else `recorded`."""
    for text in (_within(event.period), _within(event.occurredPeriod), event.occurredDateTime):
        if text and len(str(text)) > _DATE_ONLY:
            try:
                return _instant(str(text))
            except ValueError:
                continue
    if event.recorded is None:
        raise Fault("no_time", "recorded")
    try:
        return _instant(str(event.recorded))
    except ValueError:
        raise Fault("bad_time", "recorded") from None


def _within(raw: msgspec.Raw) -> str | None:
    """Return when a period starts; else when it ends, which is nearer than the recording."""
    period = _decoded(PERIOD, raw, "period") if raw else None
    return (period.start or period.end) if period else None


def _instant(text: str) -> tuple[int, bool]:
    if len(text) <= _DATE_ONLY:
        raise ValueError
    moment = datetime.fromisoformat(text.strip().replace(":60", ":59"))
    if moment.tzinfo is None:
        return (moment - _EPOCH_LOCAL) // _MICROSECOND, True
    return (moment - _EPOCH) // _MICROSECOND, False


def _with_contained(event: AuditEvent, bundle: Resolver) -> Resolver:
    inside: dict[str, Resource] = dict(bundle)
    for raw in _decoded(CONTAINED, event.contained, "contained") or ():
        try:
            resource = RESOURCE.decode(raw)
        except (msgspec.ValidationError, UnicodeDecodeError):
            continue
        inside[f"#{resource.id}"] = resource
    return inside
