"""Commands as their tests run them, in this process."""

from collections.abc import Callable

import pytest

from vigie.cli import main

Run = Callable[..., str]


@pytest.fixture
def vigie(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as somebody; return what it printed, with its remarks unless it is told not to.

    The exit code is held against `code`.
    """
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")

    def run(*arguments: object, who: str = "anne", code: int = 0, remarks: bool = True) -> str:
        monkeypatch.setenv("LOGNAME", who)
        found = main(list(map(str, arguments)))
        printed, errors = capsys.readouterr()
        assert found == code, errors
        assert "Traceback" not in errors
        return printed + errors if remarks or code else printed

    return run
