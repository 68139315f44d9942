"""What each folder of this attempt says of who made it, and what a folder says that is there."""

import json
import os

from .errors import OutputUnusable

# In the metadata that strax writes beside its chunks.
KEY = "bootstrax"


class ForeignFolder(OutputUnusable):
    """A folder of somebody else lies where this attempt is to write."""


def word_of(plan: dict) -> dict:
    """The word of the attempt with this plan."""
    return {
        "attempt": plan["attempt"],
        "document": plan.get("runDocument"),
        "host": plan["host"],
    }


def refuse_foreign(location: str, word: dict) -> None:
    """Raise ForeignFolder if another's folder is in the way: strax would remove it.

    The manager has removed what may go before the attempt began: what is there now has come since.
    """
    for folder in (location, f"{location}_temp"):
        if not os.path.lexists(folder):
            continue
        there = _word_in(folder)
        if there is None:
            raise ForeignFolder(
                f"{folder} is there and does not say which attempt made it: it stays as it is"
            )
        if there.get("attempt") != word["attempt"]:
            raise ForeignFolder(
                f"{folder} was made by attempt {there.get('attempt')} on {there.get('host')}, "
                f"not by this one ({word['attempt']}): it stays as it is"
            )


def _word_in(folder: str) -> dict | None:
    prefix = os.path.basename(folder).removesuffix("_temp").partition("-")[2]
    try:
        with open(os.path.join(folder, f"{prefix}-metadata.json")) as file:
            there = json.load(file).get(KEY)
    except (OSError, ValueError, AttributeError):
        return None
    return there if isinstance(there, dict) else None
