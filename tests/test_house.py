"""The house rules that a machine can hold."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "src").rglob("*.py"))
HEAVY = {"numpy", "numba", "pyarrow", "duckdb", "lxml", "msgspec", "cryptography", "pyrage", "rich"}
LONGEST_MODULE = 400


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_has_one_subject(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST_MODULE
    assert not {"utils", "helpers", "common", "misc"} & set(path.stem.split("_"))


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, json, contextlib, io\n"
        "from vigie.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main(['--help'])\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(json.loads(done.stdout))


def test_every_text_has_its_french_and_the_compiled_catalogue_is_current() -> None:
    locale = pytest.importorskip("tools.locale", reason="babel is in the development group")
    catalogue = locale.merged()
    assert locale.untranslated(catalogue) == []
    compiled = locale.CATALOGUE.with_suffix(".mo").read_bytes()
    assert compiled == locale.compiled(catalogue), "run: make locale"


def test_the_texts_of_a_message_use_the_same_fields_in_both_languages() -> None:
    locale = pytest.importorskip("tools.locale", reason="babel is in the development group")
    import re

    field = re.compile(r"\{[a-z_]*[^}]*\}|%\(\w+\)[rsd]")
    for message in locale.merged():
        if message.id and isinstance(message.id, str) and isinstance(message.string, str):
            assert sorted(field.findall(message.id)) == sorted(field.findall(message.string))


def test_the_changelog_has_an_entry_for_what_is_not_released() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
