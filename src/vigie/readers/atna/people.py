"""Who acted, from the active participants of an audit message.

A transaction names its two ends, which are machines, and the person behind it when it is known.
The account is that person; without one it is the machine that asked. Machines are told by what
their name is made of (URL, path, address, HL7 `facility|application`) and by the roles of DICOM
CID 402; a person may carry one of these roles too, and is then told by a name or a token.
IHE XUA writes a token as `alias<user@issuer>`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from vigie import identifiers
from vigie.readers.atna.xml import Participant
from vigie.readers.audit_codes import APPLICATION, DESTINATION, MACHINE_ROLES, PASSIVE_ROLES, SOURCE

_TOKEN: Final = re.compile(r"^(?P<alias>[^<>]*)<(?P<user>[^<>]*?)(?:@(?P<issuer>[^<>@]*))?>$")
_CX: Final = re.compile(r"^(?P<value>[^^]+)\^.*\^(?P<authority>[^^]*)")
_NOBODY: Final = frozenset(
    {"", "-", "?", "unknown", "anonymous", "none", "null", "n/a", "na", "inconnu", "unspecified"}
)
_ANONYMOUS: Final = "/addressing/"
_SYSTEMS: Final = frozenset({"system", "localsystem", "localservice", "networkservice"})
_MACHINE_NAME: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://.*|urn:.*|/.*|.*\$|\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?"
    r"|(?=[^:]*:[^:]*:)[0-9A-Fa-f:.]+(?:%\w+)?|AETITLES?=.*|(?:nt authority\\|system$).*",
    re.IGNORECASE | re.DOTALL,
)
_SOCKET: Final = re.compile(r"(?:[^/\s:]*/)?(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?")
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SEGMENT_WITH_ID: Final = re.compile(r"(?:\D*\d){4,}.*|.*%[0-9A-Fa-f]{2}.*|[^/]*[|^].*")
_TYPE: Final = re.compile(r"[A-Z][A-Za-z]{3,40}")
_ADDRESS_KINDS: Final = frozenset({"", "1", "2", "5"})
_PROFESSION_SYSTEMS: Final = ("1.2.250.1.71.1.2.7", "1.2.250.1.213.1.1.5.5", "G15", "R94")
_SPECIALTY_SYSTEMS: Final = ("1.2.250.1.71.4.2.5", "R38", "R04")
_OCCUPATIONS: Final = ("2.16.840.1.113883.6.96", "SNOMED")
_PROFESSIONALS: Final = "1.2.250.1.71.4.2.1"
_MACHINE_IDS: Final = frozenset({"12", "110119", "110182", "113877", "HL7APP"})
"""Identifiers of a URI, an AE title, a node, a device, an HL7 application (`UserIDTypeCode`)."""
_PERSON_IDS: Final = frozenset({"11", "113871"})
_PROCESS: Final = re.compile(r"\d+(?:@.*)?|AETITLES?=.*|session=.*", re.IGNORECASE)
"""What an `AlternativeUserID` is made of when it names no user."""


@dataclass(frozen=True, slots=True)
class Who:
    """What the participants tell, a field per column of the waist.

    `names` are the participants' own names of persons as they stood, to recognise a patient.
    """

    account: str | None = None
    actor_kind: str | None = None
    professional: str | None = None
    on_behalf_of: str | None = None
    profession: str | None = None
    specialty: str | None = None
    role: str | None = None
    realm: str | None = None
    network: str | None = None
    device: str | None = None
    flags: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str | None, ...]:
        """Every text, to be searched for a patient's identifier."""
        return (
            self.account, self.professional, self.on_behalf_of, self.profession, self.specialty,
            self.role, self.realm, self.network, self.device,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Party:
    """A participant with what its names mean. `human` is None when nothing tells.

    A login alone is taken for a person's, but by `shown` only what the message says besides.
    """

    said: Participant
    account: str | None
    realm: str | None
    professional: str | None
    problem: str | None
    human: bool | None
    shown: bool = False

    @property
    def codes(self) -> set[str]:
        return {code for code, _ in self.said.roles}


@lru_cache(1 << 15)
def describe(
    participants: tuple[Participant, ...], retrieval: bool, users: tuple[str, ...] = ()
) -> Who:
    """Return who acted. In a `retrieval` the reader is the destination, else the source.

    `users` are the identifiers that the message itself calls those of users.

    >>> describe((Participant("https://srv/xds", requestor=False), Participant(
    ...     "sec<899700366240@https://idp.fr>", requestor=True)), False).professional
    '99700366240'
    """
    parties = [_party(said, users) for said in participants]
    actor = _actor(parties, retrieval)
    network, device = _network(actor, parties, retrieval)
    if actor is None:
        return Who(network=network, device=device)
    patron = next((p for p in parties if p.shown and _is_another(p, actor)), None)
    realm = actor.realm or next((p.realm for p in parties if p.account == actor.account), None)
    return Who(
        account=actor.account,
        actor_kind="person" if actor.human else ("service" if actor.human is False else None),
        professional=actor.professional,
        on_behalf_of=patron.account if patron and actor.human else None,
        profession=_coded(actor, _PROFESSION_SYSTEMS) or _coded(actor, _OCCUPATIONS),
        specialty=_coded(actor, _SPECIALTY_SYSTEMS),
        role=_role(actor),
        realm=realm,
        network=network,
        device=device,
        flags=(f"account_{actor.problem}",) if actor.problem else (),
    )


def _actor(parties: list[_Party], retrieval: bool) -> _Party | None:
    """People who asked, then any person, then what asked, then the reader's end of the transfer.

    The other end never: it is what was asked.
    """
    own, other = (DESTINATION, SOURCE) if retrieval else (SOURCE, DESTINATION)
    able = [p for p in parties if p.human or p.said.requestor or other not in p.codes]
    asked = any(p.said.requestor and not p.codes & {SOURCE, DESTINATION} for p in parties)

    def rank(party: _Party) -> tuple[bool, ...]:
        known = party.shown or party.said.requestor or not asked
        return (
            not (party.human and party.account and known),
            not party.said.requestor,
            own not in party.codes,
            party.account is None,
        )

    return min(able, key=rank, default=None)


def _is_another(party: _Party, actor: _Party) -> bool:
    if party.account is None or party.account == actor.account:
        return False
    return party.professional is None or party.professional != actor.professional


def _party(said: Participant, users: tuple[str, ...]) -> _Party:
    account, realm, tokens = None, None, 0
    for text in (said.user, said.alternative, said.name):
        token = _TOKEN.match(text)
        if token:
            tokens += 1
            name = token["user"].strip() or token["alias"].strip()
            account = account or _known(name)
            realm = realm or token["issuer"] or None
    plain = _known(said.user) if not _TOKEN.match(said.user) else None
    account = plain or account
    machine = _is_machine(said)
    if account is None and not machine and not _PROCESS.fullmatch(said.alternative):
        account = _known(said.alternative)
    professional, problem = _professional(said, account)
    known = tokens > 0 or professional is not None or said.id_type in _PERSON_IDS
    known = known or (not machine and said.user in users)
    human = _is_human(said, machine, known)
    if human is False:
        professional = problem = None
        account = _clean_path(account) if account else None
    elif account:
        account = _value_of(account)
    shown = human is True and (known or _has_traits(said))
    return _Party(said, account, realm, professional, problem, human, shown)


def _has_traits(said: Participant) -> bool:
    """Whether a participant asked, has a role or a name, or an address of electronic mail."""
    return said.requestor or bool(said.roles or said.name or _MAIL.fullmatch(said.user))


def _known(text: str) -> str | None:
    text = text.strip()
    return None if text.lower() in _NOBODY or _ANONYMOUS in text else text


def _is_machine(said: Participant) -> bool:
    if said.id_type in _PERSON_IDS:
        return False
    if said.id_type in _MACHINE_IDS or said.kind == "2":
        return True
    return bool(_MACHINE_NAME.fullmatch(said.user)) or said.user.lower().strip("_") in _SYSTEMS


def _is_human(said: Participant, machine: bool, known: bool) -> bool | None:
    if machine:
        return False
    if known or _MAIL.fullmatch(said.user):
        return True
    codes = {code for code, _ in said.roles}
    if codes & MACHINE_ROLES:
        if "|" in said.user or "AETITLE" in said.alternative.upper():
            return False
        if APPLICATION in codes and not said.name:
            return False
        # A word that asked, with no process behind it, may be a login as well as a machine.
        word = said.requestor and _known(said.user) and not said.alternative
        return True if said.name else (None if word else False)
    if "AETITLE" in said.alternative.upper() and not said.name:
        return False
    if not _known(said.user) and not said.name and not _known(said.alternative):
        return None
    return True


def _professional(said: Participant, account: str | None) -> tuple[str | None, str | None]:
    """Return a national identifier among a person's names, and what is wrong with it."""
    for text in (account or "", said.user, said.alternative):
        cx = _CX.match(text)
        sure = cx is not None and _PROFESSIONALS in text
        value = cx["value"] if cx else text.strip()
        if not (sure or _looks_national(value)):
            continue
        known = identifiers.professional(value)
        if known:
            kind = known[0].removesuffix("_local")
            bare = known[1].split("/")[0]
            return known[1], identifiers.problem(kind, bare)
    return None, None


def _looks_national(value: str) -> bool:
    """A login of nine or ten digits may be anything; these forms are those of professionals."""
    if re.fullmatch(r"8\d{11}|[345]\d{9,14}/.+", value):
        return True
    if not re.fullmatch(r"\d{11}", value):
        return False
    return value.startswith("10") or identifiers.problem("rpps", value) is None


def _value_of(account: str) -> str:
    """An identifier written as HL7 CX or XCN, without its authority."""
    found = _CX.match(account)
    return found["value"] if found else account


def _clean_path(name: str) -> str:
    """Return the name of a machine without what its path may say of a patient.

    >>> _clean_path("/gateway/fhir/Patient/IHERED-2340?x=1"), _clean_path("https://a/mpi/iti44")
    ('/gateway/fhir/Patient/{id}', 'https://a/mpi/iti44')
    """
    name = _bare_address(name)
    if "/" not in name:
        return name
    scheme, separator, rest = name.partition("://")
    if not separator:
        scheme, rest = "", name
    parts = re.split(r"[?#;]", rest)[0].split("/")
    kept = parts[:1]
    for before, part in pairwise(parts):
        named = _TYPE.fullmatch(before) and part and not part.startswith(("$", "_"))
        kept.append("{id}" if named or _SEGMENT_WITH_ID.fullmatch(part) else part)
    return f"{scheme}{separator}{'/'.join(kept)}"


def _network(
    actor: _Party | None, parties: list[_Party], retrieval: bool
) -> tuple[str | None, str | None]:
    """Return the address on the reader's side, and the machine's name when it is one."""
    own = DESTINATION if retrieval else SOURCE
    asking = [p for p in parties if p.said.requestor]
    ends = [p for p in parties if own in p.codes]
    rest = [p for p in parties if not p.codes & {SOURCE, DESTINATION}]
    for party in [*([actor] if actor else []), *asking, *ends, *rest]:
        kind, text = party.said.network_kind, party.said.network
        if text and kind in _ADDRESS_KINDS:
            address = _host(text)
            return address, address if kind == "1" else None
    return None, None


def _host(text: str) -> str:
    """Of a URL only the server: its path may name a patient."""
    text = _bare_address(text)
    scheme, separator, rest = text.partition("://")
    if separator:
        return f"{scheme}://{re.split('[/?#]', rest)[0]}"
    return re.split("[/?#]", text)[0] or text


def _bare_address(text: str) -> str:
    """Return an address without the slash of Java and the port, which each connection changes.

    >>> _bare_address("/10.1.2.3:54404"), _bare_address("/ws/pix")
    ('10.1.2.3', '/ws/pix')
    """
    found = _SOCKET.fullmatch(text)
    return found["address"] if found else text


def _coded(party: _Party, systems: tuple[str, ...]) -> str | None:
    return next((c for c, s in party.said.roles if c and any(name in s for name in systems)), None)


def _role(party: _Party) -> str | None:
    """Return the role that an institution gave, not the end of a transfer that DICOM names."""
    given = [(c, s) for c, s in party.said.roles if c and c not in PASSIVE_ROLES]
    known = (*_PROFESSION_SYSTEMS, *_SPECIALTY_SYSTEMS, *_OCCUPATIONS)
    own = (c for c, s in given if not any(name in s for name in known))
    return next(own, None) or next((c for c, _ in given), None)
