"""ATNA in syslog: our reader, whole, against lxml that only parses the same documents."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lxml import etree

from benchmarks.base import Result
from vigie.pseudonyms import Keyring
from vigie.readers.atna import AtnaReader
from vigie.readers.base import Context, Source
from vigie.readers.intake import Intake

_MESSAGE = (
    '<AuditMessage><EventIdentification EventActionCode="E" EventDateTime="2025-03-04T{hour:02d}:'
    '{minute:02d}:{second:02d}.125Z" EventOutcomeIndicator="0"><EventID {code}="110112" '
    'codeSystemName="DCM" {text}="Query"/><EventTypeCode {code}="ITI-47" codeSystemName="IHE '
    'Transactions" {text}="Patient Demographics Query"/></EventIdentification><ActiveParticipant '
    'UserID="https://portal{site}.example/pdq" AlternativeUserID="9632" UserIsRequestor="true" '
    'NetworkAccessPointID="10.1.{site}.{host}" NetworkAccessPointTypeCode="2"><RoleIDCode '
    '{code}="110153" codeSystemName="DCM" {text}="Source Role ID"/></ActiveParticipant>'
    '<ActiveParticipant UserID="user{user}" UserName="User {user}" UserIsRequestor="true">'
    '<RoleIDCode {code}="10" codeSystemName="1.2.250.1.71.1.2.7" {text}="Medecin"/>'
    '</ActiveParticipant><ActiveParticipant UserID="https://mpi.example/ws" '
    'UserIsRequestor="false" NetworkAccessPointID="mpi.example" NetworkAccessPointTypeCode="1">'
    '<RoleIDCode {code}="110152" codeSystemName="DCM" {text}="Destination Role ID"/>'
    '</ActiveParticipant><AuditSourceIdentification AuditEnterpriseSiteID="site{site}" '
    'AuditSourceID="portal"/><ParticipantObjectIdentification '
    'ParticipantObjectID="{patient}^^^&amp;1.2.250.1.213.1.4.8&amp;ISO" '
    'ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1"><ParticipantObjectIDTypeCode '
    '{code}="2" codeSystemName="RFC-3881" {text}="Patient Number"/>'
    "</ParticipantObjectIdentification></AuditMessage>"
)
_HEADER = b"<110>1 2025-03-04T09:00:00Z srv app 12 IHE+RFC-3881 - "


def run(scale: float = 1.0) -> list[Result]:
    """Read 40,000 messages of both dialects, one per line; the best of three rounds of each."""
    documents = [_document(number) for number in range(int(40_000 * scale))]
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.log"
        path.write_bytes(b"".join(_HEADER + one + b"\n" for one in documents))
        _read(path)
        rounds = [
            (_timed(lambda: _read(path)), _timed(lambda: _parse(documents, parser)))
            for _ in range(3)
        ]
    ours, reference = (min(times) for times in zip(*rounds, strict=True))
    return [
        Result(
            "ATNA in syslog, to waist rows",
            len(documents) / ours,
            "lxml parse of the same documents, nothing kept",
            len(documents) / reference,
            "messages per processor second",
            note="one process; messages of about 1.7 kB",
        )
    ]


def _document(number: int) -> bytes:
    dicom = number % 2 == 0
    return _MESSAGE.format(
        hour=8 + number // 3600 % 12, minute=number // 60 % 60, second=number % 60,
        code="csd-code" if dicom else "code", text="originalText" if dicom else "displayName",
        site=number % 40, host=number % 250, user=number * 7919 % 800,
        patient=f"{100_000_000_000_000 + number * 104_729 % 30_000}",
    ).encode()  # fmt: skip


def _read(path: Path) -> None:
    context = Context(Source("bench"), Keyring(bytes(32)))
    for batch in AtnaReader(context).read(Intake(path, path.name)):
        assert batch.tally.quarantined == 0


def _parse(documents: list[bytes], parser: etree.XMLParser) -> None:
    for document in documents:
        etree.fromstring(document, parser)


def _timed(work: Callable[[], object]) -> float:
    """Processor time of the process, so that other work on the machine does not count."""
    begun = time.process_time()
    work()
    return time.process_time() - begun
