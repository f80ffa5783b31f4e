"""Cases: what was found, who decided what about it and why, and what follows in law.

The state database and its libraries are loaded by `vigie.cases.book` alone.
"""
