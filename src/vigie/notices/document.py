"""A notice before it has a form: its parts in order, which PDF, Word, JSON and HTML all show.

Who writes, to whom, on which day, about what; then blocks. The same document is the same bytes in
every form, because nothing of the moment or the machine enters one.
"""

import hashlib
from typing import Any

import msgspec


class Heading(msgspec.Struct, frozen=True, tag_field="kind", tag="heading"):
    """A title inside the document."""

    text: str


class Paragraph(msgspec.Struct, frozen=True, tag_field="kind", tag="paragraph"):
    """Some sentences."""

    text: str


class Bullets(msgspec.Struct, frozen=True, tag_field="kind", tag="bullets"):
    """A list; each item is whole: nothing is left to an "etc."."""

    items: tuple[str, ...]


class Rows(msgspec.Struct, frozen=True, tag_field="kind", tag="rows"):
    """A table, its columns named by `header`."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Answers(msgspec.Struct, frozen=True, tag_field="kind", tag="answers"):
    """The fields of a form, each with what is answered."""

    rows: tuple[tuple[str, str], ...]


Block = Heading | Paragraph | Bullets | Rows | Answers


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One notice. `form` is `letter` or `report`; `date` is ISO 8601, written out as `dated`.

    `sender` and `recipient` are lines of an address; `foot` is what every page says at its foot.
    """

    kind: str
    form: str
    language: str
    title: str
    date: str
    dated: str
    sender: tuple[str, ...]
    recipient: tuple[str, ...] = ()
    reference: str = ""
    greeting: str = ""
    blocks: tuple[Block, ...] = ()
    closing: str = ""
    signature: tuple[str, ...] = ()
    foot: str = ""
    facts: str = ""

    def to_json(self) -> bytes:
        """Return the canonical bytes of the document."""
        return msgspec.json.format(msgspec.json.encode(self, order="deterministic"), indent=1)

    def plain(self) -> dict[str, Any]:
        """Return the document as plain values, for a template."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def text(self) -> str:
        """Return the document as plain text: the body of a mail, and what the lint reads."""
        lines = [self.title, "", self.greeting] if self.greeting else [self.title]
        for block in self.blocks:
            lines += ["", *_lines(block)]
        return "\n".join([*lines, "", self.closing, *self.signature]).strip() + "\n"

    @property
    def sha256(self) -> str:
        """The hash of the canonical bytes."""
        return hashlib.sha256(self.to_json()).hexdigest()


def _lines(block: Block) -> list[str]:
    if isinstance(block, Heading):
        return [block.text, "-" * len(block.text)]
    if isinstance(block, Paragraph):
        return [block.text]
    if isinstance(block, Bullets):
        return [f"- {item}" for item in block.items]
    return [" | ".join(row) for row in block.rows]
