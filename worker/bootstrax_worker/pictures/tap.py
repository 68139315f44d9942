"""Hands copies of results to the process that makes pictures, and never waits for it.

strax stores most types in one chunk at the end of a run, so a picture of a run that is still taken
cannot be made of finished chunks. The child copies a result into memory of its own (memfd) and
sends the descriptor through a socket that does not block. If the reader is busy, hangs or is gone,
the copy is left out, and nothing of the child changes: the pictures of a finished run are made of
its products. No function of a picture ever runs in the child.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import pickle
import select
import socket
import struct
from collections.abc import Iterator

import numpy as np
import strax

from .ends import WANTED_BYTES

# A larger result is left out.
_MOST_BYTES = 8 << 20
_MESSAGE_BYTES = 512


class Tap:
    """The child's end. Forked processes of the child use it as well."""

    def __init__(self, counts: socket.socket, rows: socket.socket, wanted: mmap.mmap) -> None:
        self._counts = counts
        self._rows = rows
        self._room = select.poll()
        self._room.register(rows, select.POLLOUT)
        self._shared = wanted
        self._wanted: frozenset[str] | None = None
        self._heads: dict[str, bytes] = {}
        self._is_on = True

    def install(self) -> None:
        """Send what each plugin computes from now on."""
        plain, overlapping = strax.Plugin.do_compute, strax.OverlapWindowPlugin.do_compute
        tap = self

        def do_compute(self, chunk_i=None, **kwargs):
            result = plain(self, chunk_i=chunk_i, **kwargs)
            # Such a plugin computes the edges of its chunks twice: only what it returns counts.
            if not isinstance(self, strax.OverlapWindowPlugin):
                tap.send(result)
            return result

        def do_compute_overlapping(self, chunk_i=None, **kwargs):
            result = overlapping(self, chunk_i=chunk_i, **kwargs)
            tap.send(result)
            return result

        strax.Plugin.do_compute = do_compute
        strax.OverlapWindowPlugin.do_compute = do_compute_overlapping

    def send(self, result: object) -> None:
        """Send a result, or leave it out."""
        if not self._is_on:
            return
        try:
            chunks = result.values() if isinstance(result, dict) else (result,)
            for chunk in chunks:
                if isinstance(chunk, strax.Chunk) and not chunk.data_type.startswith("_temp"):
                    self._send(chunk)
        except BlockingIOError:
            pass
        except Exception:
            # The reader is gone, or a result is of a kind that nobody foresaw.
            self._is_on = False

    def _send(self, chunk: strax.Chunk) -> None:
        rows, size = len(chunk.data), chunk.data.nbytes
        header = json.dumps([chunk.data_type, int(chunk.start), int(chunk.end), rows, size])
        with contextlib.suppress(BlockingIOError):
            self._counts.send(header.encode())
        if chunk.data_type not in self._wanted_types() or size > _MOST_BYTES:
            return
        if not self._room.poll(0):
            return
        if not rows:
            self._rows.send(header.encode())
            return
        memory = os.memfd_create("bootstrax-pictures", os.MFD_CLOEXEC)
        try:
            os.write(memory, self._head(chunk))
            view = memoryview(np.ascontiguousarray(chunk.data).view(np.uint8))
            while view:
                view = view[os.write(memory, view) :]
            socket.send_fds(self._rows, [header.encode()], [memory])
        finally:
            os.close(memory)

    def _head(self, chunk: strax.Chunk) -> bytes:
        head = self._heads.get(chunk.data_type)
        if head is None:
            dtype = pickle.dumps(chunk.data.dtype)
            head = self._heads[chunk.data_type] = struct.pack("<q", len(dtype)) + dtype
        return head

    def _wanted_types(self) -> frozenset[str]:
        if self._wanted is None:
            (length,) = struct.unpack_from("<q", self._shared)
            if not length:
                return frozenset()
            self._wanted = frozenset(json.loads(self._shared[8 : 8 + length]))
        return self._wanted


class Receiver:
    """The reader's end."""

    def __init__(self, counts: socket.socket, rows: socket.socket, wanted: mmap.mmap) -> None:
        self._counts = counts
        self._rows = rows
        self._shared = wanted
        # Nobody is left who could send: child and guardian are gone.
        self.has_ended = False

    def want(self, types: list[str]) -> None:
        """Name the types whose rows are to be sent; once."""
        text = json.dumps(types).encode()
        if len(text) > WANTED_BYTES - 8:
            raise ValueError("the pictures name too many data types")
        self._shared[8 : 8 + len(text)] = text
        # Written last: who reads a length finds the text complete.
        struct.pack_into("<q", self._shared, 0, len(text))

    def wait(self, seconds: float) -> None:
        """Return when something has come, or after this time."""
        select.select([self._counts, self._rows], [], [], seconds)

    def counts(self) -> Iterator[tuple[str, int, int, int, int]]:
        """Type, start, end, rows and bytes of each result so far."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while message := self._counts.recv(_MESSAGE_BYTES):
                data_type, start, end, rows, size = json.loads(message)
                yield data_type, rows, size, start, end
            self.has_ended = True

    def rows(self) -> Iterator[tuple[str, np.ndarray | None, int, int]]:
        """Type, rows, start and end of each copy so far."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                message, memories, _, _ = socket.recv_fds(self._rows, _MESSAGE_BYTES, 1)
                if not message:
                    return
                data_type, start, end, _, _ = json.loads(message)
                yield data_type, _read(memories[0]) if memories else None, start, end


def _read(memory: int) -> np.ndarray:
    with open(memory, "rb") as file:
        file.seek(0)
        (length,) = struct.unpack("<q", file.read(8))
        dtype = pickle.loads(file.read(length))
        return np.frombuffer(file.read(), dtype=dtype)
