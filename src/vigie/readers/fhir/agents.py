"""Who acted: the account, whom it acted for, and how it came, from the agents of an AuditEvent.

The account is the human user agent: the requestor that is a person, else any person (IHE BALP
marks it by IRCP, AUT, INF, CST or by the kind of token). Without a person it is a service: the
application, else the client. A patient who acts gets a keyed name, never his or her identifier.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from vigie import identifiers
from vigie.readers.fhir.codes import purpose_of
from vigie.readers.fhir.identity import (
    PERSON_KINDS,
    PROFESSIONAL_KINDS,
    STRUCTURE_KINDS,
    Named,
    Resolver,
    names_of,
    patient_of,
    read_literal,
    resolve,
    type_of,
)
from vigie.readers.fhir.resources import (
    Agent,
    Concept,
    Reference,
    Text,
    as_list,
    codes,
    codings,
)

_USER_CODES: Final = (
    "ircp aut inf ent prf atnd adm con ref vrf authen resp la sprf trans callbck agnt assigned "
    "qual humanuser datasubject delegatee delegator usersamlagent useroauthagent 429577009 "
    "enterer performer author pat guard nok caregiver"
)
_USERS: Final = frozenset(_USER_CODES.split())
_MACHINE_CODES: Final = (
    "110150 110151 110152 110153 110154 110155 custodian authserver dataprocessor datacollector "
    "authzoauthservice homecommunityid prov assembler dev machine application"
)
_MACHINES: Final = frozenset(_MACHINE_CODES.split())
_APPLICATION: Final = "110150"
_ENDS: Final = frozenset({"110152", "110153"})
_ORGANISATIONS: Final = frozenset({"prov", "homecommunityid"})
_PERSONS: Final = frozenset(
    {"Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Person"}
)
_THINGS: Final = frozenset(
    {"Device", "Organization", "HealthcareService", "Endpoint", "Location", "DeviceDefinition"}
)
_PROFESSIONS: Final = ("TRE_G15", "TRE-G15", "TRE_R94", "TRE-R94")
_PROFESSION_OIDS: Final = frozenset({"1.2.250.1.71.1.2.7", "1.2.250.1.213.1.1.5.5"})
_SPECIALTIES: Final = ("TRE_R38", "TRE-R38", "TRE_R04", "TRE-R04")
_SPECIALTY_OIDS: Final = frozenset({"1.2.250.1.71.4.2.5"})
_SERVER_NETWORK: Final = "5"
_ADDRESS_URNS: Final = ("urn:ipv4:", "urn:ipv6:")

Namer = Callable[[str, str], str]
"""Authority and value of a patient who acts → the keyed name of the account."""


@dataclass(frozen=True, slots=True)
class Who:
    """What the agents tell, one field per column of the waist; `hidden` is the account's value
    as it stood, to recognise a patient in it."""

    account: str | None = None
    actor_kind: str | None = None
    professional: str | None = None
    on_behalf_of: str | None = None
    profession: str | None = None
    specialty: str | None = None
    role: str | None = None
    organisation: str | None = None
    realm: str | None = None
    auth_method: str | None = None
    session: str | None = None
    client_app: str | None = None
    network: str | None = None
    device: str | None = None
    purpose: str | None = None
    flags: tuple[str, ...] = ()


NOBODY: Final = Who()


def describe(agents: list[Agent], resolver: Resolver, namer: Namer) -> Who:
    """Return who acted, as told by `agents`."""
    parts = [_Party(agent, resolver) for agent in agents]
    people = sorted((p for p in parts if p.human), key=lambda p: not p.requests)
    others = [p for p in parts if p.human is None]
    machines = [p for p in parts if p.human is False and not p.organises]
    client, application = _client(machines), _first(p for p in machines if _APPLICATION in p.codes)
    asking = _first(p for p in machines if p.requests)
    actor = _first([*people, *others]) or asking or application or client
    structure = _structure(parts)
    if actor is None:
        return _organisation(parts, structure)
    service = actor in machines
    patron = None if service else _first(p for p in people if p is not actor and p.may_be_patron)
    account, realm = actor.account(namer)
    return Who(
        account=account,
        actor_kind="service" if service else ("person" if actor.human else None),
        professional=actor.professional(),
        on_behalf_of=patron.account(namer)[0] if patron else None,
        profession=_coded(actor.agent, _PROFESSIONS, _PROFESSION_OIDS),
        specialty=_coded(actor.agent, _SPECIALTIES, _SPECIALTY_OIDS),
        role=_role(actor.agent),
        organisation=structure.value if structure else None,
        realm=realm,
        auth_method=_assurance(actor.agent),
        session=_session(actor.agent),
        client_app=application.label() if application else None,
        network=_network(actor, application, client),
        device=client.label() if client and client is not application else None,
        purpose=purpose_of(_purposes(actor.agent)),
        flags=_flags(actor, structure),
    )


def _organisation(parts: "list[_Party]", structure: Named | None) -> Who:
    """Return an organisation that nobody acted for: its name is the account where it asked."""
    if structure is None:
        return NOBODY
    asked = any(p.requests and p.organises for p in parts)
    return Who(
        account=structure.value if asked else None,
        organisation=structure.value,
        network=_network(*parts),
        flags=(f"organisation_{structure.problem}",) if structure.problem else (),
    )


class _Party:
    """One agent with what it is: a person (`human`), a machine or organisation, or unknown."""

    def __init__(self, agent: Agent, resolver: Resolver) -> None:
        self.agent = agent
        self.resolver = resolver
        self.who = agent.who or agent.reference or Reference(identifier=agent.userId)
        self.codes = [code.lower() for code in codes(agent.type)]
        self.kind = type_of(self.who, resolver)
        self.names = names_of(self.who, resolver) + _other_names(agent, resolver)
        self.requests = str(agent.requestor).strip().lower() in ("true", "1")
        self.organises = self.kind == "Organization" or bool(_ORGANISATIONS & set(self.codes))
        self.is_patient = (
            self.kind == "Patient"
            or "pat" in self.codes
            or any(each.kind in PERSON_KINDS for each in self.names)
        )
        self.human = self._is_human()
        # The other end of a transfer gave or got the data: nobody acted for it.
        self.may_be_patron = not (self.is_patient or _ENDS & set(self.codes))

    def _is_human(self) -> bool | None:
        if self.kind in _PERSONS or self.is_patient:
            return True
        if self.kind in _THINGS or self.organises:
            return False
        if any(each.kind in PROFESSIONAL_KINDS for each in self.names):
            return True
        if _USERS & set(self.codes):
            return True
        if "cst" in self.codes:
            return self.requests
        if _APPLICATION in self.codes:
            return False
        if _MACHINES & set(self.codes):
            return self.requests and self._is_named()
        return True if self.requests else None

    def _is_named(self) -> bool:
        """Whether it has a person's traits: a name beside its identifier (R5 has no `name`)."""
        shown = self.who.display is not None and self.who.identifier is not None
        return bool(self.agent.name or self.agent.role or shown)

    def account(self, namer: Namer) -> tuple[str | None, str | None]:
        """Return the account's name and the realm that gave it."""
        if self.is_patient:
            patient = patient_of(self.who, self.resolver)
            return (namer(patient.authority, patient.value) if patient else None), None
        own = names_of(Reference(identifier=self.who.identifier), {})
        literal = read_literal(self.who.reference) if self.who.reference else None
        if own and own[0].kind is not None:
            # A national identifier is no login: where the login stands beside it, that is it.
            return _clean(self.agent.altId) or _bare(own[0]), None
        if own:
            return own[0].value, own[0].authority or None
        if literal:
            return f"{literal.type}/{literal.value}", literal.authority or None
        if self.names and resolve(self.who, self.resolver):
            if self.names[0].kind is not None:
                return _clean(self.agent.altId) or _bare(self.names[0]), None
            return self.names[0].value, self.names[0].authority or None
        for text in (self.who.reference, self.agent.altId, self.agent.name, self.who.display):
            if _clean(text):
                return _clean(text), None
        return None, None

    def label(self) -> str | None:
        """Return what to call a machine."""
        first = self.names[0].value if self.names else None
        literal = read_literal(self.who.reference) if self.who.reference else None
        by_reference = f"{literal.type}/{literal.value}" if literal else None
        return first or _clean(self.agent.name) or _clean(self.who.display) or by_reference

    def national(self) -> Named | None:
        """Return the professional's national identifier."""
        return next((each for each in self.names if each.kind in PROFESSIONAL_KINDS), None)

    def professional(self) -> str | None:
        """Return it in its normal form: an IdNat_PS that wraps an RPPS is that RPPS."""
        named = self.national()
        return _bare(named) if named else None


def _bare(named: Named) -> str:
    known = identifiers.professional(named.value) if named.kind in PROFESSIONAL_KINDS else None
    return known[1] if known else named.value


def _first(parties: Iterable[_Party]) -> _Party | None:
    return next(iter(parties), None)


def _other_names(agent: Agent, resolver: Resolver) -> list[Named]:
    """Identifiers in extensions (IHE BALP `otherId`, also as a reference)."""
    found: list[Named] = []
    for extension in agent.extension or []:
        if extension.valueIdentifier is not None:
            found.extend(names_of(Reference(identifier=extension.valueIdentifier), resolver))
        if extension.valueReference is not None:
            found.extend(names_of(extension.valueReference, resolver))
    return found


def _client(machines: list[_Party]) -> _Party | None:
    """Return the machine on the user's side: not the one reached at a URL, unless it asked."""
    placed = [p for p in machines if not _is_server(p.agent)]
    near = [p for p in placed if _address(p.agent)] or placed
    return _first(near or [p for p in machines if p.requests])


def _is_server(agent: Agent) -> bool:
    said = codes(agent.type)
    if "custodian" in said or "authserver" in said or "AuthzOauthService" in said:
        return True
    if agent.network is not None and _SERVER_NETWORK in codes(agent.network.type):
        return True
    return "://" in (_raw_address(agent) or "")


def _raw_address(agent: Agent) -> str | None:
    if agent.network is not None and agent.network.address is not None:
        return str(agent.network.address)
    return agent.networkString or agent.networkUri


def _address(agent: Agent) -> str | None:
    """Return where an agent was; of a URL only the server, for its path may name a patient."""
    address = _clean(_raw_address(agent))
    if address and address.startswith(_ADDRESS_URNS):
        return address.split(":", 2)[2]
    if address and "://" in address:
        scheme, _, rest = address.partition("://")
        return f"{scheme}://{rest.split('/')[0].split('?')[0]}"
    return address.split("/")[0].split("?")[0] if address else None


def _network(*parties: _Party | None) -> str | None:
    return next((found for p in parties if p and (found := _address(p.agent))), None)


def _structure(parties: list[_Party]) -> Named | None:
    """Return the organisation: its FINESS when given, else its identifier, reference or name."""
    known = [each for p in parties if p.organises for each in p.names]
    for each in known:
        if each.kind in STRUCTURE_KINDS:
            return _bare_structure(each)
    if known:
        return known[0]
    label = next((p.label() for p in parties if p.organises and p.label()), None)
    return Named("", label) if label else None


def _bare_structure(named: Named) -> Named:
    """An IdNat_Struct that wraps a FINESS is that FINESS."""
    if named.kind == "idnat_struct" and named.value.startswith("1") and len(named.value) == 10:
        return Named(named.authority, named.value[1:], "finess", named.problem)
    return named


def _role(agent: Agent) -> str | None:
    given = codings(agent.role)
    plain = [code for system, code in given if not _is_nomenclature(system)]
    texts = [c.text for c in as_list(agent.role) if isinstance(c, Concept) and c.text]
    return _first_text([*plain, *texts, *(code for _, code in given)])


def _is_nomenclature(system: str) -> bool:
    return _names(system, _PROFESSIONS, _PROFESSION_OIDS) or _names(
        system, _SPECIALTIES, _SPECIALTY_OIDS
    )


def _names(system: str, marks: tuple[str, ...], oids: frozenset[str]) -> bool:
    return any(mark in system for mark in marks) or identifiers.normal_authority(system) in oids


def _coded(agent: Agent, marks: tuple[str, ...], oids: frozenset[str]) -> str | None:
    found = (code for system, code in codings(agent.role) if _names(system, marks, oids))
    return next(found, None)


def _assurance(agent: Agent) -> str | None:
    for extension in agent.extension or []:
        if (extension.url or "").lower().endswith("assurancelevel"):
            return _first_text(codes(extension.valueCodeableConcept))
    return None


def _session(agent: Agent) -> str | None:
    """The token's id stands in `policy`, beside the addresses of policies."""
    tokens = (text for text in as_list(agent.policy) if not text.lower().startswith("http"))
    return _first_text(tokens)


def _purposes(agent: Agent) -> list[str]:
    return codes(agent.purposeOfUse) + codes(agent.authorization)


def _flags(actor: _Party, structure: Named | None) -> tuple[str, ...]:
    professional = actor.national()
    faults = [f"account_{professional.problem}"] if professional and professional.problem else []
    if structure and structure.problem:
        faults.append(f"organisation_{structure.problem}")
    return tuple(faults)


def _clean(text: Text) -> str | None:
    return str(text).strip() or None if text is not None else None


def _first_text(texts: Iterable[str]) -> str | None:
    return next((text.strip() for text in texts if text.strip()), None)
