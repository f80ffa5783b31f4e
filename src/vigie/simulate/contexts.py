"""How accounts come in: sessions, client addresses, devices, browsers, means of authentication."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from vigie.simulate.parameters import Oddities
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


def places(rng: np.random.Generator, people: Population, odd: Oddities, days: int) -> Places:
    """Give organisations and people their networks and devices."""
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
        tuple(_addresses(rng, carrier + carrier_count)),
        _devices(people.size, int(pool_start[-1] + pool[-1])),
        method, rng.integers(0, 6, people.size),
    )  # fmt: skip


def _devices(people: int, count: int) -> tuple[str, ...]:
    return tuple(f"{'PC' if number < 2 * people else 'WS'}-{number:05x}" for number in range(count))


def _addresses(rng: np.random.Generator, count: int) -> list[str]:
    """Return distinct public addresses of French-looking ranges."""
    numbers = rng.permutation(count) * 37 + 5
    heads = (80, 81, 82, 83, 86, 88, 90, 92, 109, 176)
    return [
        f"{heads[n % 10]}.{n // 10 % 223 + 1}.{n // 2230 % 254}.{n // 566420 % 250 + 2}"
        for n in numbers.tolist()
    ]


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
    agent = np.where(
        mobile, 6 + who % 2, np.where(home, (where.agent[who] + 1) % 6, where.agent[who])
    )
    method = where.method[who]
    return Context(
        session, network[session], device[session], agent[session], method[session], opens
    )
