"""One row of the bench table: a figure of ours as a ratio to a named reference in the same run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """`ours` and `reference` in `unit`; `ratio` is ours over reference; `target` is the issue's."""

    name: str
    ours: float
    reference_name: str
    reference: float
    unit: str
    target: str = ""
    note: str = ""

    @property
    def ratio(self) -> float:
        """Return ours over the reference."""
        return self.ours / self.reference if self.reference else float("nan")
