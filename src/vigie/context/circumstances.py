"""What surrounds an access: how the session began, and what was changed.

- *sign*, once per session, at the first unit that says whom it is about: a means of authentication
  weaker than this account's usual one, failed logins before the one that succeeded, a session
  beside one that is going on elsewhere, a country that the account never used, two countries
  within hours (where the operator gives a table of ranges), an account that sleeps for weeks and
  wakes, a network that has just failed on several other accounts.
- *deed*, at every unit: reading, or one of the changes that are dangerous in the wrong hands.

Everything is told from what came before, in order of time.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from vigie.context.ranges import Ranges
from vigie.context.relations import Marks
from vigie.events import ACTIONS, VOCABULARIES
from vigie.kernels import Floats, Int8s, Int16s, Int32s, Int64s, compiled, inlined, kernel
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Codes, Numbers, Words
from vigie.timeline.units import DAY, Flags, Units

SIGNS: Final = (
    "none", "weaker_means", "failures", "beside", "abroad", "travel", "woken", "tried_many",
)  # fmt: skip
DEEDS: Final = ("reading", "deletion", "merge", "booking", "rights")

_DEED_OF: Final = {
    "delete": 1, "merge": 2, "stock": 3, "billing": 3, "privilege_change": 4, "log_change": 4,
}  # fmt: skip
_IN_RUNS: Final = DEEDS.index("merge"), DEEDS.index("booking")
"""What an office does in runs: the first of an hour speaks for the run."""
_DEEDS: Final = np.array([_DEED_OF.get(name, 0) for name in ACTIONS], np.int8)
_LOGIN: Final = ACTIONS.index("login")
_STRENGTH: Final = (
    (3, ("cps", "card", "carte", "certificat", "eidas3", "eidas2", "fido", "webauthn", "psc")),
    (2, ("otp", "mfa", "2fa", "totp", "sms", "code")),
    (1, ("password", "pwd", "mot", "mie", "eidas1", "login")),
)  # fmt: skip
"""Words in the name of a means of authentication, from the strongest (eIDAS substantial, high)."""
SLEEP: Final = 21 * DAY
"""An account silent for longer wakes; holidays in France seldom last longer."""
BESIDE: Final = DAY // 288
"""Another session, of another network, this recently (five minutes) goes on beside."""
HOUR: Final = DAY // 24
TRAVEL: Final = DAY // 8
"""Two countries within three hours: nearer than most journeys, farther than a border."""
TRIED: Final = 6.0
"""Accounts on which a network failed lately (each counts for 1/e after an hour) that are many."""

_WOKEN, _FAILURES, _NEW_NETWORK, _ELSEWHERE, _TRAVELLED, _ABROAD, _WEAKER = (
    1, 2, 4, 8, 16, 32, 64,
)  # fmt: skip
"""Bits of what was odd since a session last spoke."""
_GRAVER_FIRST: Final = (
    (6, _WOKEN), (5, _TRAVELLED), (4, _ABROAD), (3, _ELSEWHERE), (2, _FAILURES), (1, _WEAKER),
)  # fmt: skip
"""Places in SIGNS and their bits."""


class Circumstances(State):
    """Remembers how each account gets in, and on how many each network fails."""

    def __init__(self, ranges: Ranges | None = None) -> None:
        self.ranges = ranges
        self._countries, self._in = Words(), np.zeros(0, np.int32)
        self._stays, self._stayed = Numbers(), np.zeros(0, np.int32)
        self._means = Numbers()
        self._used = np.zeros(0, np.int32)
        self._strength: list[int] = []
        self._accounts: dict[str, Any] = {
            "seen": np.zeros(0, np.int64), "failed_at": np.zeros(0, np.int64),
            "fails": np.zeros(0, np.int16), "pending": np.zeros(0, np.int16),
            "spoken": np.zeros((0, 2), np.int32), "sessions": np.zeros(0, np.int32),
            "usual": np.zeros(0, np.int32), "network": np.zeros(0, np.int32),
            "country": np.zeros(0, np.int32),
        }  # fmt: skip
        self._run = np.zeros((0, len(_IN_RUNS)), np.int64)
        self._tries, self._tries_at = np.zeros(0), np.zeros(0, np.int64)
        self._tries_by = np.zeros(0, np.int32)

    def mark(self, units: Units, said: Marks, new: Flags) -> dict[str, Marks]:
        """Return the marks of each unit.

        `said` is the relation for which it speaks (-1: silent); `new` says whether its network is
        new to the account.
        """
        self._make_room(units)
        text = units.text
        outcome = self._outcome(units)
        country = self._country(units)
        stay = self._stays.number_runs(units.account, country)
        self._stayed = grown(self._stayed, len(self._stays))
        means = self._means.number_runs(units.account, text["auth_method"])
        self._used = grown(self._used, len(self._means))
        rows = _Rows(
            units.account, units.at, units.action == _LOGIN, outcome, units.act, said, new,
            text["session"], text["network"], text["auth_method"], means, country, stay,
        )  # fmt: skip
        signs = np.full(len(units), -1, np.int8)
        _follow(
            units.order, rows, _Accounts(**self._accounts),
            _Tries(self._tries, self._tries_at, self._tries_by), self._used, self._stayed,
            np.array([*self._strength, 0], np.int8), signs,
        )  # fmt: skip
        return {"sign": signs, "deed": self._deeds(units, said)}

    def _make_room(self, units: Units) -> None:
        for name, fill in (
            ("seen", -1),
            ("usual", -1),
            ("network", -1),
            ("spoken", -1),
            ("country", -1),
        ):
            self._accounts[name] = grown(self._accounts[name], units.known, fill)
        for name in ("failed_at", "fails", "pending", "sessions"):
            self._accounts[name] = grown(self._accounts[name], units.known)
        words = units.words["auth_method"]
        self._strength += [strength(word) for word in words[len(self._strength) :]]
        networks = len(units.words["network"])
        self._tries, self._tries_at = grown(self._tries, networks), grown(self._tries_at, networks)
        self._tries_by = grown(self._tries_by, networks, -1)

    def remembered(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: the table of ranges is the operator's."""
        return {name: value for name, value in vars(self).items() if name != "ranges"}

    def _country(self, units: Units) -> Codes:
        """Return the country of each unit's network, -1 where no table tells."""
        networks = units.words["network"]
        if self.ranges is None:
            return np.full(len(units), -1, np.int32)
        told = [self.ranges.country(word) or None for word in networks[len(self._in) :]]
        fresh = self._countries.codes(pa.chunked_array([pa.array(told, pa.string())]))
        self._in = np.concatenate([self._in, fresh])
        found: Codes = np.append(self._in, np.int32(-1))[units.text["network"]]
        return found

    def _deeds(self, units: Units, spoken: Marks) -> Marks:
        """Mark changes, and what is only read; the first row of a request speaks for it."""
        self._run = grown(self._run, units.known, -HOUR)
        deed = _DEEDS.take(units.action)
        said = (deed > 0) | ((spoken >= 0) & units.first_of_step & ~units.act)
        for place, kind in enumerate(_IN_RUNS):
            rows = np.flatnonzero(deed == kind)
            last = self._run[:, place]
            said[rows] = _begins_run(units.account[rows], units.at[rows], last, HOUR)
        return np.where(said, deed, -1).astype(np.int8)

    @staticmethod
    def _outcome(units: Units) -> Flags:
        """Say which units failed; what a log does not say is taken for a success."""
        words = units.words["outcome"]
        failed = np.array([*(word != VOCABULARIES["outcome"][0] for word in words), False])
        return failed.take(units.text["outcome"])


def strength(means: str) -> int:
    """Rank a means of authentication by its name, 0 where the name tells nothing.

    >>> [strength(name) for name in ("CPS", "e-CPS", "password+otp", "password", "X7")]
    [3, 3, 2, 1, 0]
    """
    name = means.lower()
    return next((rank for rank, words in _STRENGTH if any(w in name for w in words)), 0)


class _Rows(NamedTuple):
    """Who did it, when, what of it matters here, and how he came in."""

    account: Int32s
    at: Int64s
    login: Flags
    failed: Flags
    act: Flags
    said: Int8s
    new: Flags
    session: Int32s
    network: Int32s
    method: Int32s
    means: Int32s
    country: Int32s
    stay: Int32s


class _Accounts(NamedTuple):
    """What is remembered of each account; `pending` is a set of bits until a session speaks."""

    seen: Int64s
    failed_at: Int64s
    fails: Int16s
    pending: Int16s
    spoken: Int32s
    sessions: Int32s
    usual: Int32s
    network: Int32s
    country: Int32s


class _Tries(NamedTuple):
    """On how many accounts each network failed lately, when last, and on which."""

    accounts: Floats
    at: Int64s
    by: Int32s


@kernel
def _follow(
    order: Int64s, rows: _Rows, known: _Accounts, tries: _Tries, used: Int32s, stayed: Int32s,
    strength: Int8s, signs: Int8s,
) -> None:  # fmt: skip
    """Write the sign of each unit that has one to give.

    `used` counts the sessions of each account by means, `stayed` says in which countries it was.
    """
    for i in order:
        a, now, n, s = rows.account[i], rows.at[i], rows.network[i], rows.session[i]
        if rows.login[i] and rows.failed[i]:
            _fail(a, now, n, known, tries)
            continue
        if known.fails[a] >= 2 and now - known.failed_at[a] < HOUR:
            known.pending[a] |= _FAILURES
        known.fails[a] = 0
        if not rows.act[i]:
            _come_in(a, now, n, rows.new[i], rows.country[i], rows.stay[i], known, stayed)
        spoken = known.spoken[a]
        if rows.act[i] or rows.said[i] < 0 or spoken[0] == s or (s >= 0 and spoken[1] == s):
            continue
        spoken[1], spoken[0] = spoken[0], s
        if _is_weaker(a, rows.means[i], rows.method[i], known, used, strength):
            known.pending[a] |= _WEAKER
        many = n >= 0 and known.pending[a] & _NEW_NETWORK and _failed_on_many(n, now, tries)
        signs[i] = 7 if many else _gravest(known.pending[a])
        known.pending[a] = 0


@inlined
def _fail(a: int, now: int, n: int, known: _Accounts, tries: _Tries) -> None:
    """Count a failed login, of the account and of the network that it came from."""
    soon = now - known.failed_at[a] <= HOUR
    known.fails[a] = min(known.fails[a] + 1, 1000) if soon else 1
    known.failed_at[a] = now
    if n >= 0:
        left = np.exp((tries.at[n] - now) / HOUR) * tries.accounts[n]
        tries.accounts[n] = left + (1.0 if tries.by[n] != a else 0.0)
        tries.at[n], tries.by[n] = now, a


@inlined
def _come_in(
    a: int, now: int, n: int, new: bool, country: int, stay: int, known: _Accounts,
    stayed: Int32s,
) -> None:  # fmt: skip
    """Note what is odd of the place and time from which an account is used."""
    since = now - known.seen[a]
    if known.seen[a] >= 0 and since > SLEEP:
        known.pending[a] |= _WOKEN
    if new:
        known.pending[a] |= _NEW_NETWORK
    if n >= 0 and known.network[a] >= 0 and known.network[a] != n and since < BESIDE:
        known.pending[a] |= _ELSEWHERE
    if country >= 0:
        if known.country[a] >= 0 and known.country[a] != country and since < TRAVEL:
            known.pending[a] |= _TRAVELLED
        if known.sessions[a] >= 5 and stayed[stay] == 0:
            known.pending[a] |= _ABROAD
        stayed[stay], known.country[a] = 1, country
    known.network[a], known.seen[a] = n, now


@inlined
def _is_weaker(
    a: int, means: int, method: int, known: _Accounts, used: Int32s, strength: Int8s
) -> bool:
    """Say whether a session began by means weaker than usual, and count it."""
    if means < 0:
        return False
    usual, sessions = known.usual[a], known.sessions[a]
    seldom = usual >= 0 and sessions >= 5 and used[means] < 0.1 * sessions
    weaker: bool = seldom and usual != method and strength[method] <= strength[usual]
    used[means] += 1
    known.sessions[a] += 1
    if 2 * used[means] > known.sessions[a]:
        known.usual[a] = method
    return weaker


@inlined
def _failed_on_many(n: int, now: int, tries: _Tries) -> bool:
    """Say whether a network has lately failed on many accounts."""
    left = np.exp((tries.at[n] - now) / HOUR)
    return bool(tries.accounts[n] * left >= TRIED)


@inlined
def _gravest(pending: int) -> int:
    """Return the place in SIGNS of the gravest of what is pending, on a network that is no such."""
    for place, bit in _GRAVER_FIRST:
        if pending & bit:
            return place
    return 0


@compiled
def _begins_run(account: Int32s, at: Int64s, last: Int64s, pause: int) -> Flags:
    """Whether each row, by account and time, comes longer than a pause after the one before."""
    begins = np.zeros(account.size, np.bool_)
    for i in range(account.size):
        begins[i] = at[i] - last[account[i]] > pause
        last[account[i]] = at[i]
    return begins
