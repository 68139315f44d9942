"""Reads the products that strax has written."""

import json
import os

from . import digests


class IncompleteProduct(Exception):
    """strax reported success, but a folder on disk says otherwise."""


def read_product(folder: dict) -> dict:
    """Read metadata and files of one announced folder; return the protocol's `product`."""
    location = folder["location"]
    if not os.path.isdir(location):
        raise IncompleteProduct(f"{folder['type']}: {location} was never finished")
    metadata = _metadata(folder)
    if "exception" in metadata:
        raise IncompleteProduct(
            f"{folder['type']}: {location} was closed after an exception: {metadata['exception']}"
        )
    chunks = metadata["chunks"]
    for chunk in chunks:
        if chunk["n"]:
            path = os.path.join(location, chunk.get("filename") or "")
            if not os.path.isfile(path) or os.path.getsize(path) == 0:
                raise IncompleteProduct(f"{folder['type']}: {path} is missing or empty")
    return {
        **folder,
        "chunks": len(chunks),
        "rows": sum(chunk["n"] for chunk in chunks),
        "bytes": sum(entry.stat().st_size for entry in os.scandir(location)),
        "startNs": str(min(chunk["start"] for chunk in chunks)) if chunks else None,
        "endNs": str(max(chunk["end"] for chunk in chunks)) if chunks else None,
        "firstTimeNs": _extreme(min, chunks, "first_time"),
        "lastTimeNs": _extreme(max, chunks, "last_endtime"),
        "digest": digests.of_product(chunks),
    }


def _extreme(choose, chunks: list[dict], key: str) -> str | None:
    times = [chunk[key] for chunk in chunks if chunk.get(key) is not None]
    return str(choose(times)) if times else None


def finished_products(folders: list[dict]) -> list[dict]:
    """The complete folders after a failure; incomplete ones are omitted."""
    products = []
    for folder in folders:
        try:
            products.append(read_product(folder))
        except (IncompleteProduct, OSError, ValueError, KeyError):
            continue
    return products


def _metadata(folder: dict) -> dict:
    prefix = f"{folder['type']}-{folder['lineageHash']}"
    path = os.path.join(folder["location"], f"{prefix}-metadata.json")
    with open(path) as file:
        return json.load(file)
