"""FHIR AuditEvent, R4 to R5: what a resource says of who, whom, what and when."""

from vigie.readers.fhir.reader import FhirReader

__all__ = ["FhirReader"]
