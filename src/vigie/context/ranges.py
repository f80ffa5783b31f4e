"""In which country an address is, by a table of ranges that the operator gives; nothing is asked.

Vigie brings no table of its own: such tables age within weeks, and their licences differ. One line
is `network,country` (`185.12.0.0/14,FR`) or `first,last,country`, as the free country tables are
written; a line that begins with `#` or a letter of a heading is passed over. The narrowest range
that holds an address speaks for it.
"""

import csv
from bisect import bisect_right
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Final

from vigie.errors import SettingsError, reason_of
from vigie.language import N_, Text

_NESTED: Final = 64
"""Ranges looked at, from the narrowest: tables are seldom nested deeper than four."""


class Ranges:
    """Ranges of addresses with their countries.

    >>> table = Ranges([("185.12.0.0", "185.15.255.255", "FR"), ("185.13.0.0/16", "", "BE")])
    >>> [table.country(address) for address in ("185.12.0.9", "185.13.0.9", "10.0.0.1", "WS-17")]
    ['FR', 'BE', '', '']
    """

    def __init__(self, rows: list[tuple[str, str, str]]) -> None:
        found = sorted((*_span(first, last), country) for first, last, country in rows)
        # Of ranges that begin together the narrowest comes last, where the search looks first.
        found.sort(key=lambda row: (row[0], -row[1]))
        self._first = [row[0] for row in found]
        self._last = [row[1] for row in found]
        self._country = [row[2] for row in found]

    @classmethod
    def load(cls, path: Path) -> "Ranges":
        """Read a table; raises `SettingsError` with the line that cannot be read."""
        rows: list[tuple[str, str, str]] = []
        number = 0
        try:
            with path.open(encoding="utf-8", newline="") as file:
                for cells in csv.reader(file):
                    number += 1
                    if cells and cells[0][:1] in "0123456789abcdef:" and len(cells) > 1:
                        last = cells[1].strip() if len(cells) > 2 else ""
                        rows.append((cells[0].strip(), last, cells[-1].strip().upper()))
            return cls(rows)
        except (OSError, ValueError, csv.Error) as error:
            raise SettingsError(
                N_("the table of address ranges cannot be read ({reason})"),
                where=f"{path}:{number}" if number else str(path),
                remedy=N_("give lines of network,country or first,last,country"),
                reason=_why(error),
            ) from None

    def country(self, address: str) -> str:
        """Return the country of an address, empty for one that no range holds."""
        try:
            value = _number(ip_address(address.strip()))
        except ValueError:
            return ""
        place = bisect_right(self._first, value)
        for index in range(place - 1, max(place - 1 - _NESTED, -1), -1):
            if self._last[index] >= value:
                return self._country[index]
        return ""


def _span(first: str, last: str) -> tuple[int, int]:
    if last:
        return _number(ip_address(first)), _number(ip_address(last))
    network = ip_network(first, strict=False)
    return _number(network.network_address), _number(network.broadcast_address)


def _number(address: IPv4Address | IPv6Address) -> int:
    """Return an address as one number; those of version 4 stand where version 6 maps them."""
    return int(address) + (0xFFFF << 32 if address.version == 4 else 0)


def _why(error: Exception) -> Text:
    if isinstance(error, OSError | UnicodeDecodeError):
        return reason_of(error)
    return N_("the line is not CSV") if isinstance(error, csv.Error) else N_("this is no address")
