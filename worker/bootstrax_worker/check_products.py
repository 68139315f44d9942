"""Reads stored products completely and checks them, before live data is deleted.

Each file of a chunk is compared with the digest in the chunk's entry, and decompressed. A product
without digests, which another program has written, is only decompressed.

Reads one JSON object from stdin, `{"runId", "products": [{"type", "location", "lineageHash"}]}`,
and writes one to stdout (`productCheckSchema` of the manager). One chunk is in memory at a time.
The answer names what is wrong with the data. If a disk cannot be read now, the process ends with an
error instead, and can be started again.
"""

import ast
import io
import json
import os
import signal
import sys
from contextlib import suppress

import numpy as np
import psutil
import strax

from . import digests, frames, guardian
from .fork_safety import switch_off_progress_monitor
from .versions import versions

_PR_SET_PDEATHSIG = 1
_NICENESS = 19


class Damaged(Exception):
    """The product is not what it should be; the message says how."""


def main() -> int:
    """Answer the request on stdin; return the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    guardian.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _be_nice()
    # The output of libraries must not get into the answer.
    out = os.dup(1)
    os.dup2(2, 1)
    switch_off_progress_monitor()
    frames.refuse_cut_files()
    request = json.load(sys.stdin)
    products = [check(product, request["runId"]) for product in request["products"]]
    answer = {"products": products, "how": _how(products)}
    with os.fdopen(out, "w") as stream:
        stream.write(json.dumps(answer, allow_nan=False) + "\n")
    return 0


def _how(products: list[dict]) -> str:
    how = f"every chunk decompressed, with strax {versions().get('strax', 'unknown')}"
    whole = [found for found in products if found["problem"] is None]
    without = [found["type"] for found in whole if found["digest"] is None]
    if not without:
        return f"{how}, its file compared with its digest"
    if len(without) == len(whole):
        return f"{how}; there are no digests to compare the files with"
    return f"{how}, its file compared with its digest, but of {', '.join(without)}: without digests"


def check(product: dict, run_id: str) -> dict:
    """Load one product chunk by chunk; return its figures, and in `problem` what is wrong."""
    found = {
        "type": product["type"],
        "location": product["location"],
        "chunks": 0,
        "rows": 0,
        "bytes": 0,
        "startNs": None,
        "endNs": None,
        "firstTimeNs": None,
        "lastTimeNs": None,
        "digest": None,
        "problem": None,
    }
    try:
        _load(product, run_id, found)
    except (Damaged, FileNotFoundError, NotADirectoryError) as error:
        found["problem"] = str(error)
    return found


def _load(product: dict, run_id: str, found: dict) -> None:
    location = product["location"]
    if os.path.islink(location) or not os.path.isdir(location):
        raise Damaged(f"{location} is no folder")
    metadata, dtype = _metadata(product, run_id)
    found["bytes"] = sum(
        entry.stat(follow_symlinks=False).st_size for entry in os.scandir(location)
    )
    chunks = sorted(metadata["chunks"], key=lambda chunk: chunk["chunk_i"])
    compared = digests.are_in(chunks)
    first, last = [], []
    for index, chunk in enumerate(chunks):
        if chunk["chunk_i"] != index:
            raise Damaged(f"chunk {index} is not listed exactly once in {location}")
        if index and chunk["start"] != chunks[index - 1]["end"]:
            raise Damaged(f"chunk {index} does not begin where the one before ends: {location}")
        found["chunks"] += 1
        if not chunk["n"]:
            continue
        path = os.path.join(location, _file_name(chunk, location))
        with open(path, "rb") as file:
            content = file.read()
        if compared:
            _compare(path, content, chunk)
        rows, begin, end = _decompress(path, content, chunk, metadata["compressor"], dtype)
        found["rows"] += rows
        first.append(begin)
        last.append(end)
    if chunks:
        found["startNs"], found["endNs"] = str(chunks[0]["start"]), str(chunks[-1]["end"])
    if first:
        found["firstTimeNs"], found["lastTimeNs"] = str(min(first)), str(max(last))
    found["digest"] = digests.of_product(chunks)


def _metadata(product: dict, run_id: str) -> tuple[dict, np.dtype]:
    name = f"{product['type']}-{product['lineageHash']}-metadata.json"
    path = os.path.join(product["location"], name)
    try:
        with open(path) as file:
            metadata = json.load(file)
        dtype = np.dtype(ast.literal_eval(metadata["dtype"]))
        chunks = [
            [chunk["chunk_i"], chunk["start"], chunk["end"], chunk["n"]]
            for chunk in metadata["chunks"]
        ]
        if not all(isinstance(value, int) for chunk in chunks for value in chunk):
            raise Damaged(f"{path} has a chunk without numbers")
        expected = {"run_id": run_id, "data_type": product["type"]}
        for key, value in expected.items():
            if metadata[key] != value:
                raise Damaged(f"{path} is of {metadata[key]}, not of {value}")
    except (KeyError, TypeError, ValueError, SyntaxError) as error:
        raise Damaged(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    fields = set(dtype.names or ())
    if "time" not in fields or not ("endtime" in fields or {"length", "dt"} <= fields):
        raise Damaged(f"{path} says that its rows have no time")
    if "exception" in metadata or "writing_ended" not in metadata:
        raise Damaged(f"{path} says that it was never finished")
    return metadata, dtype


def _file_name(chunk: dict, location: str) -> str:
    name = chunk.get("filename")
    if not isinstance(name, str) or "\0" in name or not os.path.basename(name):
        raise Damaged(f"chunk {chunk['chunk_i']} has no file that could be named: {location}")
    return os.path.basename(name)


def _compare(path: str, content: bytes, chunk: dict) -> None:
    """Raise Damaged unless the file is, bit by bit, the one that was stored."""
    try:
        expected = digests.of_entry(chunk)
    except digests.OddDigest as error:
        raise Damaged(f"{path} cannot be compared: {error}") from error
    found = digests.sha256(content)
    if found != expected:
        raise Damaged(
            f"{path} is not as it was stored: its {digests.KEY} is {found}, and its entry says "
            f"{expected}"
        )


def _decompress(
    path: str, content: bytes, chunk: dict, compressor: str, dtype: np.dtype
) -> tuple[int, int, int]:
    """Rows, first time and last end time of one chunk."""
    try:
        data = strax.load_file(io.BytesIO(content), compressor=compressor, dtype=dtype)
    except Exception as error:
        # strax wraps every error.
        if isinstance(error.__context__, MemoryError):
            raise error.__context__ from None
        last = str(error).strip().rsplit("\n", 1)[-1]
        raise Damaged(f"{path} does not decompress: {last}") from error
    if len(data) != chunk["n"]:
        raise Damaged(f"{path} has {len(data)} rows, and {chunk['n']} are listed")
    begin, end = int(data["time"].min()), int(strax.endtime(data).max())
    if begin < chunk["start"] or end > chunk["end"]:
        raise Damaged(f"{path} has rows outside the time of its chunk")
    return len(data), begin, end


def _be_nice() -> None:
    """Lower the priority of this process: processing goes first."""
    os.nice(_NICENESS)
    with suppress(psutil.Error, OSError):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
