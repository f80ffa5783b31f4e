"""What every test shares: the home of the keys is never the user's own."""

from pathlib import Path

import pytest
from hypothesis import settings

# The first example compiles kernels, and a test that fails must fail again.
settings.register_profile("vigie", deadline=None, derandomize=True)
settings.load_profile("vigie")


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("VIGIE_HOME", str(home))
    return home
