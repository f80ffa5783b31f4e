"""Statements: a draft is read claim by claim, and refused where the facts do not carry it.

from vigie.statements import check
for finding in check(draft, facts):
    finding.verdict, finding.sentence, finding.problems, finding.instead
"""

from vigie.statements.binding import Problem
from vigie.statements.checking import Finding, check

__all__ = ["Finding", "Problem", "check"]
