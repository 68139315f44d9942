"""The finished chunks of an attempt: in its place while it runs, in the output folder later."""

from __future__ import annotations

import contextlib
import json
import os
import re
from ast import literal_eval
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import strax

from ..folders import place_of
from ..stamp import KEY

_TEMPORARY = "_temp"
# In memory; a larger chunk is left out.
_MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class FinishedChunk:
    """A chunk of a product on disk."""

    data_type: str
    rows: int
    size: int
    start: int
    end: int
    path: str | None
    dtype: str
    compressor: str

    def load(self) -> np.ndarray | None:
        """Its rows; None if it has none. OSError if it has moved meanwhile."""
        if self.path is None:
            return None
        return strax.load_file(
            self.path, compressor=self.compressor, dtype=np.dtype(literal_eval(self.dtype))
        )


class Finished:
    """Finds each finished chunk once."""

    def __init__(self, directory: str, plan: dict) -> None:
        self._directory = directory
        self._attempt = plan["attempt"]
        self._place = place_of(plan)
        self._output = plan["outputDirectory"]
        self._name = re.compile(rf"{re.escape(plan['runId'])}-(\w+)-([A-Za-z0-9]+)({_TEMPORARY})?")
        self._folders: dict[str, str] = {}
        self._read: dict[str, set[int]] = {}
        self._looked: dict[str, tuple] = {}
        self.left_out = 0

    @property
    def types(self) -> list[str]:
        """Types of which there is a folder."""
        return sorted(set(self._folders.values()))

    def look_for_folders(self) -> None:
        """Find the folders that the attempt has begun so far."""
        with contextlib.suppress(OSError), os.scandir(self._place) as entries:
            for entry in entries:
                match = self._name.fullmatch(entry.name)
                if match is not None:
                    self._folders[entry.name.removesuffix(_TEMPORARY)] = match[1]
        # What was begun and published between two looks.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            with open(os.path.join(self._directory, "result.json")) as file:
                products = json.load(file)["products"]
            for product in products:
                name = os.path.basename(product["location"])
                self._folders[name] = product["type"]

    def new_chunks(self, types: set[str] | None) -> Iterator[FinishedChunk]:
        """Chunks that were not found before, of these types; None: of all."""
        self.look_for_folders()
        for name, data_type in list(self._folders.items()):
            if types is None or data_type in types:
                yield from self._new_in(name, data_type)

    def forget(self, chunk: FinishedChunk) -> None:
        """Find this chunk again at the next look: it has moved."""
        for name, data_type in self._folders.items():
            if data_type == chunk.data_type:
                self._read.get(name, set()).discard(chunk.start)
                self._looked.pop(name, None)

    def _new_in(self, name: str, data_type: str) -> Iterator[FinishedChunk]:
        for folder in (
            os.path.join(self._place, f"{name}{_TEMPORARY}"),
            os.path.join(self._place, name),
            os.path.join(self._output, name),
        ):
            metadata = self._metadata(folder, name)
            if metadata is not None:
                yield from self._chunks_in(folder, name, data_type, metadata)
                return

    def _metadata(self, folder: str, name: str) -> dict | None:
        path = os.path.join(folder, f"{name.partition('-')[2]}-metadata.json")
        try:
            stat = os.stat(path)
            state = (path, stat.st_mtime_ns, stat.st_size, stat.st_ino, _entries(folder))
            if self._looked.get(name) == state:
                return {"chunks": []}
            with open(path) as file:
                metadata = json.load(file)
        except (OSError, ValueError):
            return None
        if metadata.get(KEY, {}).get("attempt") != self._attempt:
            return None
        if folder.endswith(_TEMPORARY):
            metadata["chunks"] += _of_forked_savers(folder)
        self._looked[name] = state
        return metadata

    def _chunks_in(
        self, folder: str, name: str, data_type: str, metadata: dict
    ) -> Iterator[FinishedChunk]:
        read = self._read.setdefault(name, set())
        for info in metadata["chunks"]:
            if info["start"] in read:
                continue
            path = os.path.join(folder, info["filename"]) if info["n"] else None
            if path is not None and not os.path.exists(path):
                self._looked.pop(name, None)
                continue
            read.add(info["start"])
            if info["nbytes"] > _MOST_BYTES:
                self.left_out += 1
                continue
            yield FinishedChunk(
                data_type,
                info["n"],
                info["nbytes"],
                info["start"],
                info["end"],
                path,
                metadata["dtype"],
                metadata["compressor"],
            )


def _entries(folder: str) -> int:
    # Of a folder that forked savers write, the metadata stay as they are until its end.
    return os.stat(folder).st_mtime_ns if folder.endswith(_TEMPORARY) else 0


def _of_forked_savers(folder: str) -> list[dict]:
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("metadata_") and entry.name.endswith(".json"):
                with contextlib.suppress(OSError, ValueError), open(entry.path) as file:
                    found.append(json.load(file))
    return found
