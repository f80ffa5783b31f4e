"""What every test shares: the home of the keys is never the user's own, and English is spoken."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from vigie.language import speaking

# The first example compiles kernels, and a test that fails must fail again.
settings.register_profile("vigie", deadline=None, derandomize=True)
settings.load_profile("vigie")


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("VIGIE_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """What a test chose does not outlast it, in whichever order they run."""
    with speaking("en"):
        yield
