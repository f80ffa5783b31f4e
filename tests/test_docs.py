"""Documentation that lies fails the build."""

import re
from pathlib import Path

import pytest
from tools import reference

from vigie.cli.parser import COMMANDS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", ["waist.md", "settings.md"])
def test_a_reference_page_is_what_the_program_says(name: str) -> None:
    written = (DOCS / "reference" / name).read_text("utf-8")
    assert written == reference.PAGE_OF[name]() + "\n", "run: python -m tools.reference"


def test_every_command_and_option_is_in_the_reference() -> None:
    # argparse lays its help out differently from one Python to the next; its words are the same.
    written = (DOCS / "reference" / "commands.md").read_text("utf-8")
    wanted = set(re.findall(r"(?:--[a-z-]+)|(?:## vigie[ a-z]*)", reference.commands()))
    assert wanted
    assert {word for word in wanted if word not in written} == set()


@pytest.mark.parametrize(
    "page", ["README.md", "README.fr.md", *sorted(p.name for p in DOCS.glob("*.md"))]
)
def test_every_command_that_a_page_shows_exists(page: str) -> None:
    path = ROOT / page if page.startswith("README") else DOCS / page
    for name in re.findall(r"^\s*(?:\$ )?vigie ([a-z]+)", path.read_text("utf-8"), re.MULTILINE):
        assert name in COMMANDS


def test_no_link_between_pages_is_broken() -> None:
    for page in [
        ROOT / "README.md",
        ROOT / "README.fr.md",
        ROOT / "CONTRIBUTING.md",
        *DOCS.rglob("*.md"),
    ]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} → {target}"


def test_every_room_stands_in_the_plan_and_every_place_named_for_a_change_exists() -> None:
    plan = (DOCS / "index.md").read_text("utf-8").partition("## The plan of the house")[2]
    rooms = {
        f"{path.name}/" if path.is_dir() else path.stem
        for path in (ROOT / "src/vigie").iterdir()
        if not path.name.startswith("_") and (path.is_dir() or path.suffix == ".py")
    }
    assert set(re.findall(r"`([a-z_0-9]+/?)`", plan)) == rooms
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Where a change goes")[2]
    for place in re.findall(r"`([a-z_]+/[a-z_/]*(?:\*?\.[a-z]+)?)`", guide.partition("## ")[0]):
        found = [*(ROOT / "src/vigie").glob(place), *ROOT.glob(place)]
        assert found, place


@pytest.mark.parametrize("path", sorted((DOCS / "decisions").glob("*.md")), ids=lambda p: p.name)
def test_a_decision_says_what_why_and_what_else(path: Path) -> None:
    text = path.read_text("utf-8")
    assert all(mark in text for mark in ("**What.**", "**Why.**", "**Weighed.**"))
    number = path.name.partition("-")[0]
    assert text.startswith(f"# {number} ")
    assert len([*path.parent.glob(f"{number}-*")]) == 1
    assert len(text.splitlines()) <= 24


def test_the_mappings_shown_are_accepted_by_their_readers() -> None:
    import tomllib

    from vigie.pseudonyms import Keyring
    from vigie.readers import reader_class
    from vigie.readers.base import Context
    from vigie.readers.mapping import parse_mapping

    text = (DOCS / "sources.md").read_text("utf-8")
    shown = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    for part in shown:
        mapping = parse_mapping(tomllib.loads(part))
        reader_class(mapping.reader)(Context(mapping.source, Keyring(bytes(32)), mapping.raw))
    assert len(shown) == 4
