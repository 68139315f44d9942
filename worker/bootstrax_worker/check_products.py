"""Loads all of some stored products, to know that they are there: before live data is deleted.

Reads one JSON object from stdin, `{"runId", "products": [{"type", "location", "lineageHash"}]}`,
and writes one to stdout (`productCheckSchema` of the manager). One chunk is in memory at a time.
What is wrong with the data is part of the answer; a disk that cannot be read now is not: the
process then ends with an error, and can be started again.
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

from . import guardian
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
    # What libraries print must not end up in the answer.
    out = os.dup(1)
    os.dup2(2, 1)
    switch_off_progress_monitor()
    request = json.load(sys.stdin)
    answer = {
        "products": [check(product, request["runId"]) for product in request["products"]],
        "how": f"every chunk decompressed, with strax {versions().get('strax', 'unknown')}",
    }
    with os.fdopen(out, "w") as stream:
        stream.write(json.dumps(answer, allow_nan=False) + "\n")
    return 0


def check(product: dict, run_id: str) -> dict:
    """Load one product chunk by chunk; return what was found, and in `problem` what is wrong."""
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
    first, last = [], []
    for index, chunk in enumerate(chunks):
        if chunk["chunk_i"] != index:
            raise Damaged(f"chunk {index} is not listed exactly once in {location}")
        if index and chunk["start"] != chunks[index - 1]["end"]:
            raise Damaged(f"chunk {index} does not begin where the one before ends: {location}")
        found["chunks"] += 1
        if not chunk["n"]:
            continue
        path = os.path.join(location, os.path.basename(chunk.get("filename") or ""))
        rows, begin, end = _load_chunk(path, chunk, metadata["compressor"], dtype)
        found["rows"] += rows
        first.append(begin)
        last.append(end)
    if chunks:
        found["startNs"], found["endNs"] = str(chunks[0]["start"]), str(chunks[-1]["end"])
    if first:
        found["firstTimeNs"], found["lastTimeNs"] = str(min(first)), str(max(last))


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
    if "exception" in metadata or "writing_ended" not in metadata:
        raise Damaged(f"{path} says that it was never finished")
    return metadata, dtype


def _load_chunk(path: str, chunk: dict, compressor: str, dtype: np.dtype) -> tuple[int, int, int]:
    """Rows, first time and last end time of one chunk, after decompressing all of it."""
    with open(path, "rb") as file:
        content = file.read()
    try:
        data = strax.load_file(io.BytesIO(content), compressor=compressor, dtype=dtype)
    except Exception as error:
        # strax wraps whatever happens.
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
    """Processing goes first."""
    os.nice(_NICENESS)
    with suppress(psutil.Error, OSError):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
