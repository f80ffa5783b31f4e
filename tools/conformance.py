"""Write docs/conformance.md from real audit records of others: who, whom, what, when, file by file.

`python -m tools.conformance FOLDER`, FOLDER holding fhir_balp/, fhir_r4/ and atna_xml/.
"""

import sys
from pathlib import Path

from vigie.testing.conformance import rows, table

PAGE = Path(__file__).parent.parent / "docs" / "conformance.md"
HEAD = """# Conformance
What the readers tell of audit records that others published: FHIR R4 examples of IHE Basic Audit
Log Patterns 1.1.4 (IHE, CC-BY-4.0) and of HL7 FHIR R4 (CC0), and ATNA messages of the Open eHealth
Integration Platform (Apache-2.0). Patients are shown as the beginning of a pseudonym. Written by
`python -m tools.conformance FOLDER`; tests hold every file to what it should tell.
"""


def main(folder: Path) -> int:
    """Write the page."""
    parts = [HEAD]
    for name, pattern in (
        ("fhir_balp", "AuditEvent*.json"),
        ("fhir_r4", "*.json"),
        ("atna_xml", "*.xml"),
    ):
        parts += [f"\n## {name}\n", table(rows(sorted((folder / name).glob(pattern))))]
    PAGE.write_text("\n".join(parts).rstrip() + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
