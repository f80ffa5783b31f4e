"""The `vigie` command: choose the language, parse, run one command, turn errors into a sentence.

Of the modules beside it, `parser` or a family's own (`case`) declares commands and imports nothing
heavy, `case_actions` runs them, `case_shown` draws what they answer. What several commands share is
named for what it does: `opening` the store, `detecting`, `exposing`, `following` declarations.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from vigie.cli.codes import ERROR, NOTHING
from vigie.cli.outputs import make_outputs
from vigie.cli.parser import build_parser
from vigie.errors import VigieError, absent, reason_of
from vigie.language import _, choose_language, sentence, visible


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `vigie` with `arguments` (default: those of the process) and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    make_outputs()
    choose_language(_asked_language(given))
    options = build_parser().parse_args(given)
    module, __, name = options.run.partition(":")
    try:
        code: int = getattr(import_module(module), name)(options)
        sys.stdout.flush()
    except VigieError as error:
        return _say(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _say(_("interrupted; nothing half-done is visible."), 130)
    except BrokenPipeError:
        # The reader of our output left (`vigie events | head`): not an error, nothing more to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOTHING
    except OSError as error:
        remedy = _("check the space and your rights there, then run the same command again")
        return _say(sentence(str(error.filename or ""), _(str(reason_of(error))), remedy), ERROR)
    except MemoryError:
        return _say(_("there is not enough memory for this; ask for less at a time."), ERROR)
    except ModuleNotFoundError as error:
        return _say(str(absent(error) or _own_fault(error)), ERROR)
    except Exception as error:
        if os.environ.get("VIGIE_DEBUG"):
            raise
        return _say(_own_fault(error), ERROR)
    return code


def _own_fault(error: Exception) -> str:
    """Say where our own defect is, without the exception's message: it may quote a line."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return _(
        "a defect of Vigie stopped it ({kind} in {file}, line {line}); nothing half-done is "
        "visible; please report it, VIGIE_DEBUG=1 shows the details."
    ).format(kind=type(error).__name__, file=Path(frame.filename).name, line=frame.lineno)


def _asked_language(given: list[str]) -> str | None:
    """Find --lang before parsing: the parser itself speaks the language."""
    for place, word in enumerate(given):
        if word.startswith("--lang="):
            return word.partition("=")[2]
        if word == "--lang" and place + 1 < len(given):
            return given[place + 1]
    return None


def _say(sentence: str, code: int) -> int:
    sys.stderr.write(f"vigie: {visible(sentence)}\n")
    return code
