"""Reads compressed files, with an error for truncated ones: strax takes those for shorter files."""

import bz2
import io
import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

import lz4.frame
import strax
import zstandard

# Size of the pieces in which strax reads.
READ_BYTES = strax.io.DECOMPRESS_BUFFER_SIZE
# A decompressor returns the data before damage only if the damage is not in the same piece.
CAREFUL_READ_BYTES = 4096

# A decompressor of one frame: `eof`, `unused_data`, `decompress(bytes)`.
_STREAMS: dict[str, Callable] = {
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
    "bz2": bz2.BZ2Decompressor,
}


class CutFile(Exception):
    """A compressed file that ends before its data does."""


def refuse_cut_files() -> None:
    """Make strax refuse truncated files; blosc does so by itself."""
    for name, functions in strax.io.COMPRESSORS.items():
        if name in _STREAMS:
            functions["_decompress"] = _strict(name)
    decompress_blosc = strax.io.COMPRESSORS["blosc"]["_decompress"]
    # redax writes an empty file for a thread without data, with any compressor.
    strax.io.COMPRESSORS["blosc"]["_decompress"] = lambda file: (
        decompress_blosc(file) if _peek(file) else bytearray()
    )


def recover(path: str, compressor: str) -> bytearray:
    """The data from the beginning of a damaged file, up to the damage."""
    data = bytearray()
    if compressor not in _STREAMS:
        return data
    try:
        with open(path, "rb") as file:
            for piece in _decompressed(file, compressor, CAREFUL_READ_BYTES):
                data += piece
    except (CutFile, RuntimeError, ValueError, EOFError, zstandard.ZstdError):
        pass
    except OSError as error:
        # bz2 reports damage so, without an error number; other errors are not the fault of the
        # file.
        if error.errno is not None:
            raise
    return data


def _strict(compressor: str):
    def decompress(file: BinaryIO, buffer_size: int = READ_BYTES) -> bytearray:
        data = bytearray()
        for piece in _decompressed(file, compressor, buffer_size):
            data += piece
        return data

    return decompress


def _decompressed(file: BinaryIO, compressor: str, read_bytes: int) -> Iterator[bytes]:
    """Decompress frame after frame: bytes after the first frame are data as well, or damage."""
    frame = None
    size = 0
    while piece := file.read(read_bytes):
        size += len(piece)
        while piece:
            frame = frame or _STREAMS[compressor]()
            yield frame.decompress(piece)
            piece = b""
            if frame.eof:
                piece, frame = frame.unused_data or b"", None
    if frame is not None:
        raise CutFile(f"{_name(file)} is cut: its {compressor} data goes on after {size} bytes")


def _name(file: BinaryIO) -> str:
    name = getattr(file, "name", None)
    return os.fsdecode(name) if isinstance(name, str | bytes) else "a compressed file"


def _peek(file: BinaryIO) -> bool:
    if isinstance(file, io.BufferedReader):
        return bool(file.peek(1))
    return True
