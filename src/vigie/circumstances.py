"""What surrounds an access: how the session began, and what was changed.

- *sign*, once per session, at the first unit that says whom it is about: a means of authentication
  weaker than this account's usual one, failed logins before the one that succeeded, a session
  beside one that is going on elsewhere, a country that the account never used, two countries
  within hours (where the operator gives a table of ranges), an account that sleeps for weeks and
  wakes, a network that has just failed on several other accounts.
- *deed*, at every unit: reading, or one of the changes that are dangerous in the wrong hands.

Everything is told from what came before, in order of time.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa

from vigie.events import ACTIONS, VOCABULARIES
from vigie.kernels import Floats, Int8s, Int16s, Int32s, Int64s, compiled
from vigie.numbering import Codes, Numbers, State, Words, grown
from vigie.ranges import Ranges
from vigie.relations import Marks
from vigie.units import DAY, Flags, Units

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
        self._run = np.zeros((0, len(DEEDS)), np.int64)
        self._tries, self._tries_at = np.zeros(0), np.zeros(0, np.int64)
        self._tries_by = np.zeros(0, np.int32)

    def mark(self, units: Units, said: Marks, new: Flags) -> dict[str, Marks]:
        """Return the marks of each unit.

        `said` is the relation for which it speaks (-1: silent); `new` says whether its network is
        new to the account.
        """
        self._make_room(units)
        text, a = units.text, self._accounts
        outcome = self._outcome(units)
        country = self._country(units)
        stay = self._stays.number_pairs(units.account, country)
        self._stayed = grown(self._stayed, len(self._stays))
        means = self._means.number_pairs(units.account, text["auth_method"])
        self._used = grown(self._used, len(self._means))
        signs = _follow(
            units.order, units.account, units.at, units.action == _LOGIN, outcome, units.act,
            text["session"], text["network"], text["auth_method"], means,
            np.array([*self._strength, 0], np.int8), said, new,
            a["seen"], a["failed_at"], a["fails"], a["pending"], a["spoken"], a["sessions"],
            a["usual"], a["network"], a["country"],
            country, stay, self._stayed, self._used, self._tries, self._tries_at, self._tries_by,
            SLEEP, BESIDE, TRAVEL, TRIED,
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
            self._accounts[name] = grown(self._accounts[name], len(units.accounts), fill)
        for name in ("failed_at", "fails", "pending", "sessions"):
            self._accounts[name] = grown(self._accounts[name], len(units.accounts))
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
        self._run = grown(self._run, len(units.accounts), -HOUR)
        deed = _DEEDS[units.action]
        said = (deed > 0) | ((spoken >= 0) & units.first_of_step & ~units.act)
        for kind in _IN_RUNS:
            rows = np.flatnonzero(deed == kind)
            said[rows] = _begins_run(units.account[rows], units.at[rows], self._run[:, kind], HOUR)
        return np.where(said, deed, -1).astype(np.int8)

    @staticmethod
    def _outcome(units: Units) -> Flags:
        """Say which units failed; what a log does not say is taken for a success."""
        words = units.words["outcome"]
        failed = np.array([*(word != VOCABULARIES["outcome"][0] for word in words), False])
        return np.asarray(failed[units.text["outcome"]])


def strength(means: str) -> int:
    """Rank a means of authentication by its name, 0 where the name tells nothing.

    >>> [strength(name) for name in ("CPS", "e-CPS", "password+otp", "password", "X7")]
    [3, 3, 2, 1, 0]
    """
    name = means.lower()
    return next((rank for rank, words in _STRENGTH if any(w in name for w in words)), 0)


@compiled
def _follow(
    order: Int64s, account: Int32s, at: Int64s, login: Flags, failed: Flags, act: Flags,
    session: Int32s, network: Int32s, method: Int32s, means: Int32s, strength: Int8s, said: Int8s,
    new: Flags, seen: Int64s, failed_at: Int64s, fails: Int16s, pending: Int16s, spoken: Int32s,
    sessions: Int32s, usual: Int32s, last_network: Int32s, last_country: Int32s, country: Int32s,
    stay: Int32s, stayed: Int32s, used: Int32s, tries: Floats, tries_at: Int64s, tries_by: Int32s,
    sleep: int, beside: int, travel: int, tried: float,
) -> Int8s:  # fmt: skip
    hour = 3_600_000_000
    signs = np.full(account.size, -1, np.int8)
    for i in order:
        a, now, n = account[i], at[i], network[i]
        if login[i] and failed[i]:
            fails[a] = 1 if now - failed_at[a] > hour else min(fails[a] + 1, 1000)
            failed_at[a] = now
            if n >= 0:
                left = np.exp((tries_at[n] - now) / hour) * tries[n]
                tries[n] = left + (1.0 if tries_by[n] != a else 0.0)
                tries_at[n], tries_by[n] = now, a
            continue
        # What is pending is a set of bits: 1 woken, 2 failures, 4 new network, 8 beside,
        # 16 two countries within hours, 32 a new country.
        if fails[a] >= 2 and now - failed_at[a] < hour:
            pending[a] |= 2
        fails[a] = 0
        if not act[i]:
            if seen[a] >= 0 and now - seen[a] > sleep:
                pending[a] |= 1
            if new[i]:
                pending[a] |= 4
            elsewhere = n >= 0 and last_network[a] >= 0 and last_network[a] != n
            if elsewhere and now - seen[a] < beside:
                pending[a] |= 8
            c = country[i]
            if c >= 0:
                if last_country[a] >= 0 and last_country[a] != c and now - seen[a] < travel:
                    pending[a] |= 16
                if sessions[a] >= 5 and stayed[stay[i]] == 0:
                    pending[a] |= 32
                stayed[stay[i]], last_country[a] = 1, c
            last_network[a], seen[a] = n, now
        s = session[i]
        if act[i] or said[i] < 0 or spoken[a, 0] == s or (s >= 0 and spoken[a, 1] == s):
            continue
        spoken[a, 1], spoken[a, 0] = spoken[a, 0], s
        m = means[i]
        weaker = False
        if m >= 0:
            rank = strength[method[i]]
            before = usual[a]
            known = before >= 0 and sessions[a] >= 5 and used[m] < 0.1 * sessions[a]
            weaker = known and before != method[i] and rank <= strength[before]
            used[m] += 1
            sessions[a] += 1
            if 2 * used[m] > sessions[a]:
                usual[a] = method[i]
        sign = 0
        if weaker:
            sign = 1
        if pending[a] & 2:
            sign = 2
        if pending[a] & 8:
            sign = 3
        if pending[a] & 32:
            sign = 4
        if pending[a] & 16:
            sign = 5
        if pending[a] & 1:
            sign = 6
        if n >= 0 and pending[a] & 4 and tries[n] * np.exp((tries_at[n] - now) / hour) >= tried:
            sign = 7
        pending[a] = 0
        signs[i] = sign
    return signs


@compiled
def _begins_run(account: Int32s, at: Int64s, last: Int64s, pause: int) -> Flags:
    """Whether each row, by account and time, comes longer than a pause after the one before."""
    begins = np.zeros(account.size, np.bool_)
    for i in range(account.size):
        begins[i] = at[i] - last[account[i]] > pause
        last[account[i]] = at[i]
    return begins
