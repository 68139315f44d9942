"""The stamp that each folder of this attempt carries, and the stamps of other folders."""

import json
import os

from .errors import OutputUnusable

# Key in the metadata that strax writes beside its chunks.
KEY = "bootstrax"


class ForeignFolder(OutputUnusable):
    """A folder of another attempt lies where this attempt has to write."""


def stamp_of(plan: dict) -> dict:
    """The stamp of the attempt with this plan."""
    return {
        "attempt": plan["attempt"],
        "document": plan.get("runDocument"),
        "host": plan["host"],
    }


def refuse_foreign(location: str, stamp: dict) -> None:
    """Raise ForeignFolder if another's folder is in the way: strax would remove it.

    The manager has removed old folders before the attempt began: a folder that is there now is
    newer.
    """
    for folder in (location, f"{location}_temp"):
        if not os.path.lexists(folder):
            continue
        there = _stamp_in(folder)
        if there is None:
            raise ForeignFolder(
                f"{folder} is there and does not say which attempt made it: it stays as it is"
            )
        if there.get("attempt") != stamp["attempt"]:
            raise ForeignFolder(
                f"{folder} was made by attempt {there.get('attempt')} on {there.get('host')}, "
                f"not by this one ({stamp['attempt']}): it stays as it is"
            )


def _stamp_in(folder: str) -> dict | None:
    prefix = os.path.basename(folder).removesuffix("_temp").partition("-")[2]
    try:
        with open(os.path.join(folder, f"{prefix}-metadata.json")) as file:
            there = json.load(file).get(KEY)
    except (OSError, ValueError, AttributeError):
        return None
    return there if isinstance(there, dict) else None
