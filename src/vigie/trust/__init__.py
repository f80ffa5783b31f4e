"""What makes an answer untrustworthy: blindness never looks green.

The events are inspected as they go by, findings hold what was seen against the operator's limits,
and the assessment adds what reading and detection say.
"""

from vigie.trust.assessment import Assessment, assess
from vigie.trust.findings import Finding, Inspection, conclude, inspect
from vigie.trust.inspector import Inspector

__all__ = ["Assessment", "Finding", "Inspection", "Inspector", "assess", "conclude", "inspect"]
