"""The state of a stream on disk: arrays as they are, the rest as JSON, nothing that runs.

A checkpoint is one zip file: `state.json` and one `.npy` per array. Only the classes of this
module's list are ever made again, by name; pickled objects are refused by the reader.
"""

import io
import json
import os
import zipfile
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from vigie.errors import VigieError
from vigie.language import N_
from vigie.timeline.memory import State

VERSION: Final = 16
_STATE: Final = "state.json"
_REMEDY: Final = N_("delete it, and watch the log again from its start")


class CheckpointError(VigieError):
    """A saved state cannot be read again."""


def save(path: Path, value: State) -> None:
    """Write a state, readable by its owner alone; the old one stays until the new one is whole."""
    packer = _Packer()
    tree = json.dumps({"version": VERSION, "state": packer.pack(value)})
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(_STATE, tree)
            for number, array in enumerate(packer.arrays):
                with archive.open(f"{number}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def load(path: Path, classes: Iterable[type]) -> Any:
    """Return the state that `save` wrote, made of `classes` and no others.

    Raises `CheckpointError` when the file is damaged, or of another version.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            tree = json.loads(archive.read(_STATE))
            _check_version(path, tree["version"])
            return _Unpacker(archive, {kind.__name__: kind for kind in classes}).unpack(
                tree["state"]
            )
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise CheckpointError(
            N_("the saved state cannot be read"), where=str(path), remedy=_REMEDY
        ) from error


def _check_version(path: Path, found: int) -> None:
    if found != VERSION:
        raise CheckpointError(
            N_("the saved state is of version {found}, not {wanted}"),
            where=str(path), remedy=_REMEDY, found=found, wanted=VERSION,
        )  # fmt: skip


class _Packer:
    """Turns a state into JSON and arrays; what two parts share is written once."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self._known: dict[int, int] = {}

    def pack(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, np.ndarray):
            self.arrays.append(value)
            return {"array": len(self.arrays) - 1}
        if isinstance(value, tuple):
            return {"tuple": [self.pack(item) for item in value]}
        if is_dataclass(value) and not isinstance(value, type):
            inside = {field.name: getattr(value, field.name) for field in fields(value)}
            return {"made": type(value).__name__, "of": self._fields(inside)}
        return self._shared(value)

    def _shared(self, value: State | list[Any] | dict[Any, Any]) -> Any:
        if id(value) in self._known:
            return {"again": self._known[id(value)]}
        self._known[id(value)] = number = len(self._known)
        if isinstance(value, list):
            return {"list": [self.pack(item) for item in value], "number": number}
        if isinstance(value, dict):
            return {"dict": self._fields(value), "number": number}
        if isinstance(value, State):
            inside = self._fields(value.remembered())
            return {"state": type(value).__name__, "of": inside, "number": number}
        raise TypeError(f"a {type(value).__name__} is not kept in a checkpoint")

    def _fields(self, inside: dict[Any, Any]) -> list[Any]:
        return [[self.pack(key), self.pack(item)] for key, item in inside.items()]


class _Unpacker:
    """Makes a state again."""

    def __init__(self, archive: zipfile.ZipFile, classes: dict[str, type]) -> None:
        self._archive, self._classes = archive, classes
        self._known: dict[int, Any] = {}

    def unpack(self, tree: Any) -> Any:
        if not isinstance(tree, dict):
            return tree
        if "again" in tree:
            return self._known[tree["again"]]
        if "array" in tree:
            content = self._archive.read(f"{tree['array']}.npy")
            return np.load(io.BytesIO(content), allow_pickle=False)
        if "tuple" in tree:
            return tuple(self.unpack(item) for item in tree["tuple"])
        if "made" in tree:
            return self._classes[tree["made"]](**self._fields(tree["of"]))
        return self._shared(tree)

    def _shared(self, tree: dict[str, Any]) -> Any:
        if "list" in tree:
            found: list[Any] = []
            self._known[tree["number"]] = found
            found.extend(self.unpack(item) for item in tree["list"])
            return found
        if "dict" in tree:
            table: dict[Any, Any] = {}
            self._known[tree["number"]] = table
            table.update(self._fields(tree["dict"]))
            return table
        kind: Any = self._classes[tree["state"]]
        made = kind.__new__(kind)
        self._known[tree["number"]] = made
        made.restore(self._fields(tree["of"]))
        return made

    def _fields(self, pairs: list[Any]) -> dict[Any, Any]:
        return {self.unpack(key): self.unpack(value) for key, value in pairs}
