"""Digests of the files that strax stores, one for each chunk, in the entry of the chunk.

They are part of no lineage. A program that rewrites a product writes entries without them.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable
from concurrent.futures import Executor, Future

import numpy as np
import strax

from . import durable
from .errors import OutputUnusable

# Key in the entry of a chunk; the value is lower-case hexadecimal digits.
KEY = "sha256"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class OddDigest(ValueError):
    """An entry has a malformed digest, or none although other entries have one."""


def sha256(content: bytes) -> str:
    """The digest of a file's content."""
    return hashlib.sha256(content, usedforsecurity=False).hexdigest()


def are_in(chunks: Iterable[dict]) -> bool:
    """Whether these entries can be compared with their files: at least one has a digest."""
    return any(KEY in chunk for chunk in chunks)


def of_entry(chunk: dict) -> str:
    """The digest in the entry of a chunk with rows."""
    digest = chunk.get(KEY)
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise OddDigest(f"its entry says {KEY} {str(digest)[:80]!r}, which is no digest")
    return digest


def of_product(chunks: Iterable[dict]) -> str | None:
    """One digest for all chunks; None where the entries have none."""
    chunks = list(chunks)
    if not are_in(chunks):
        return None
    whole = hashlib.sha256(usedforsecurity=False)
    try:
        for chunk in sorted(chunks, key=lambda chunk: chunk["chunk_i"]):
            digest = of_entry(chunk) if chunk["n"] else "-"
            whole.update(f"{chunk['chunk_i']} {chunk['n']} {digest}\n".encode())
    except OddDigest:
        return None
    return whole.hexdigest()


class FileSytemBackend(strax.FileSytemBackend):
    """strax's own storage, with digests. Run documents and strax know the storage by this name."""

    def _saver(self, dirname: str, metadata: dict, **kwargs) -> "FileSaver":
        parent = os.path.dirname(os.path.abspath(dirname))
        os.makedirs(parent, exist_ok=True)
        if not os.access(parent, os.W_OK | os.X_OK):
            raise OutputUnusable(f"output folder {parent} is not writable")
        return FileSaver(dirname, metadata=metadata, **kwargs)


class FileSaver(strax.FileSaver):
    """Stores chunks as strax does; forked or not, each entry says size and digest of its file."""

    def __init__(self, dirname: str, metadata: dict, **kwargs) -> None:
        """Make the folder."""
        self._unfinished: list[tuple[dict, Future]] = []
        self._final: list[str] = []
        super().__init__(dirname, metadata=metadata, **kwargs)

    def _save_chunk(self, data: np.ndarray, chunk_info: dict, executor: Executor | None = None):
        filename = self._chunk_filename(chunk_info)
        path = os.path.join(self.tempdirname, filename)
        if executor is None:
            return {"filename": filename, **_save(path, data, self.md["compressor"])}, None
        future = executor.submit(_save, path, data, self.md["compressor"])
        self._unfinished.append((chunk_info, future))
        return {"filename": filename}, future

    def _flush_metadata(self) -> None:
        self._complete_entries()
        path = os.path.join(self.tempdirname, self.metadata_json)
        # A program that reads meanwhile finds the earlier file or this one, never a part.
        with open(f"{path}_temp", "w") as file:
            file.write(self._text())
        durable.replace(f"{path}_temp", path)

    def _text(self) -> str:
        """The metadata as strax would write it, but each entry becomes text only once."""
        chunks = self.md["chunks"]
        unfinished = {id(entry) for entry, _ in self._unfinished}
        for entry in chunks[len(self._final) :]:
            if id(entry) in unfinished:
                break
            self._final.append(self._entry_text(entry))
        entries = [*self._final, *map(self._entry_text, chunks[len(self._final) :])]
        text = json.dumps({**self.md, "chunks": []}, **self.json_options)
        if not entries:
            return text
        # Only this line begins so: deeper ones are indented more, and texts have no line ends.
        begin, end = text.split('\n    "chunks": []', 1)
        listed = ",\n".join(entries)
        return f'{begin}\n    "chunks": [\n{listed}\n    ]{end}'

    def _entry_text(self, entry: dict) -> str:
        lines = json.dumps(entry, **self.json_options).replace("\n", "\n        ")
        return f"        {lines}"

    def _close(self) -> None:
        try:
            self._complete_entries()
        except Exception as error:
            # strax raises this at the end; it would never notice an error in a thread.
            self.got_exception = error
            self.md["exception"] = strax.formatted_exception()
        super()._close()

    def _complete_entries(self) -> None:
        """Add the entry in the thread of the saver, so that no write sees a change."""
        before, self._unfinished = self._unfinished, []
        for entry, future in before:
            if future.done():
                entry.update(future.result())
            else:
                self._unfinished.append((entry, future))


def _save(path: str, data: np.ndarray, compressor: str) -> dict:
    temporary = f"{path}_temp"
    with open(temporary, "wb") as file:
        hashed = _HashedFile(file)
        size = strax.save_file(hashed, data, compressor=compressor)
    os.rename(temporary, path)
    return {"filesize": size, KEY: hashed.digest.hexdigest()}


class _HashedFile:
    def __init__(self, file) -> None:
        self._file = file
        self.digest = hashlib.sha256(usedforsecurity=False)

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)
