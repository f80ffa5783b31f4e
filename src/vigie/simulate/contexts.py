"""How accounts come in: sessions, client addresses, devices, browsers, means of authentication."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from vigie.simulate.parameters import Oddities, Preset
from vigie.simulate.population import Flags, Ints, Population

_WEBKIT: Final = "AppleWebKit/537.36 (KHTML, like Gecko)"
_SAFARI: Final = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_WINDOWS: Final = "Mozilla/5.0 (Windows NT 10.0; Win64; x64"
USER_AGENTS: Final = (
    f"{_WINDOWS}) {_WEBKIT} Chrome/140.0.0.0 Safari/537.36",
    f"{_WINDOWS}) {_WEBKIT} Chrome/141.0.0.0 Safari/537.36",
    f"{_WINDOWS}) {_WEBKIT} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
    f"{_WINDOWS}; rv:143.0) Gecko/20100101 Firefox/143.0",
    f"{_WINDOWS}; rv:140.0) Gecko/20100101 Firefox/140.0",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_SAFARI} Version/18.6 Safari/605.1.15",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {_SAFARI} Version/18.6 "
    "Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/140.0.0.0 Mobile Safari/537.36",
)
AUTH_METHODS: Final = ("CPS", "e-CPS", "password", "password+otp", "certificate")
IDLE: Final = 40 * 60 * 1_000_000
_CARRIER: Final = 2  # mobile addresses in the pool, per account
_CARRIER_SHARED: Final = 400
_TETHERED: Final = 0.35
"""Share of mobile sessions of a computer behind a telephone: an assumption."""
_RANGES: Final = (
    37, 51, 62, 77, 78, 80, 81, 82, 83, 84, 86, 88, 89, 90, 91, 92, 109, 176, 185, 193,
)  # fmt: skip
_BYTE: Final = 250
_PUBLIC: Final = len(_RANGES) * _BYTE**3
_DEVICES: Final = 1 << 24
ELSEWHERE: Final = 1 << 23
"""Devices and addresses that thieves bring are numbered from here: nobody else has them."""


@dataclass(frozen=True, slots=True)
class Places:
    """Numbers of networks and devices: each organisation's, each home's, the carriers'."""

    site_start: Ints  # per organisation, into networks
    site_count: Ints
    home_start: int
    carrier_start: int
    carrier_count: int
    pool_start: Ints  # per account: the team's shared workstations, into devices
    pool_count: Ints
    device_moves: Ints  # day on which the account's device is replaced
    networks: tuple[str, ...]
    devices: tuple[str, ...]
    method: Ints
    agent: Ints


def places(
    rng: np.random.Generator,
    people: Population,
    preset: Preset,
    odd: Oddities,
    days: int,
    seed: int,
) -> Places:
    """Give organisations and people their networks and devices.

    An internal system sees its own network's addresses; one on the Internet, those that
    organisations go out by.
    """
    sites = people.organisations.num_rows
    staff = np.bincount(people.organisation, minlength=sites)
    site_count = 1 + staff // 60
    site_start = np.cumsum(site_count) - site_count
    home = int(site_count.sum())
    carrier = home + people.size
    carrier_count = _CARRIER_SHARED + _CARRIER * people.size
    team_size = np.bincount(people.team)
    pool = np.maximum(2, team_size // 2)
    pool_start = 3 * people.size + np.cumsum(pool) - pool
    identified = np.array([p.identifier != "none" for p in people.professions])[people.profession]
    draw = rng.random(people.size)
    carded = np.where(draw < 0.45, 0, np.where(draw < 0.75, 1, 3))
    method = np.where(identified, carded, np.where(draw < 0.7, 2, 3))
    method[people.kind == 1] = 4
    moves = np.where(
        rng.random(people.size) < odd.new_device, rng.integers(0, days, people.size), days + 1
    )
    return Places(
        site_start, site_count, home, carrier, carrier_count,
        pool_start[people.team], pool[people.team], moves,
        tuple(
            (private_address if preset.internal and n < home else public_address)(n, seed)
            for n in range(carrier + carrier_count)
        ),
        tuple(device(n, n >= 3 * people.size, seed) for n in range(int((pool_start + pool).max()))),
        method, rng.integers(0, 6, people.size),
    )  # fmt: skip


def device(number: int, shared: bool, seed: int) -> str:
    """Return the name of the `number`-th device of a platform; no two numbers share one.

    >>> device(7, False, 1) == device(7, False, 1), len(device(7, True, 1))
    (True, 9)
    """
    return f"{'WS' if shared else 'PC'}-{_shuffled(number + seed, _DEVICES):06x}"


def public_address(number: int, seed: int) -> str:
    """Return the `number`-th public address of a platform; no two numbers share one.

    Sites, homes, mobile networks, private VPNs and rented servers all draw from the same ranges:
    staff on the road use them as thieves do.
    """
    rest, head = divmod(_shuffled(number + seed, _PUBLIC), len(_RANGES))
    rest, second = divmod(rest, _BYTE)
    third, last = rest % _BYTE, rest // _BYTE
    return f"{_RANGES[head]}.{second + 1}.{third}.{last + 2}"


def private_address(number: int, seed: int) -> str:
    """Return the `number`-th address of a site's own network."""
    rest, second = divmod(_shuffled(number + seed, _BYTE**3), _BYTE)
    return f"10.{second}.{rest % _BYTE}.{rest // _BYTE + 2}"


def _shuffled(number: int, size: int) -> int:
    """Scatter numbers over 0..`size`-1, one to one: 2654435761 is prime and divides no size."""
    return number * 2_654_435_761 % size


@dataclass(frozen=True, slots=True)
class Context:
    """Per encounter: session, network, device, user agent, means of authentication."""

    session: Ints
    network: Ints
    device: Ints
    user_agent: Ints
    auth_method: Ints
    opens: Flags  # the encounter opens its session


def contexts(
    rng: np.random.Generator, people: Population, where: Places,
    account: Ints, organisation: Ints, at: Ints, day: Ints, evening: Flags,
) -> Context:  # fmt: skip
    """Cut each account's encounters, sorted by account and time, into sessions, and place them."""
    opens = np.r_[True, (np.diff(account) != 0) | (np.diff(at) > IDLE)]
    opens |= np.r_[True, (np.diff(organisation) != 0) | np.diff(evening)]
    first = np.flatnonzero(opens)
    session = np.cumsum(opens) - 1
    who, site, date = account[first], organisation[first], day[first]
    kind = rng.random(len(first))
    mobile = kind < people.of("mobility")[who]
    home = ~mobile & (kind < (people.of("mobility") + people.of("home"))[who])
    home |= evening[first]
    mobile &= ~home
    office = where.site_start[site] + (rng.random(len(first)) ** 2 * where.site_count[site]).astype(
        np.int64
    )
    carrier = where.carrier_start + rng.integers(0, where.carrier_count, len(first))
    network = np.where(mobile, carrier, np.where(home, where.home_start + who, office))
    pooled = np.array([p.rota == "shifts" for p in people.professions])[people.profession[who]]
    own = np.where(date >= where.device_moves[who], 2 * people.size + who, who)
    bench = where.pool_start[who] + rng.integers(0, where.pool_count[who])
    device = np.where(mobile | home, people.size + who, np.where(pooled, bench, own))
    phone = mobile & (rng.random(len(first)) >= _TETHERED)
    desk = np.where(mobile | home, (where.agent[who] + 1) % 6, where.agent[who])
    agent = np.where(phone, 6 + who % 2, desk)
    method = where.method[who]
    return Context(
        session, network[session], device[session], agent[session], method[session], opens
    )
