"""The files and lines shared with the manager, checked against the one schema of both sides."""

import json
import os
from functools import cache

VERSION = 1

# Exit code of a child that ended itself: orphaned, or superseded by another attempt.
EXIT_ORPHANED = 75
# Exit code of a child that could not write its result: the disk is full, or worse.
EXIT_NO_RESULT = 74

PHASES = ("preparing", "waiting_for_data", "processing", "post_processing", "finishing")


class ProtocolError(ValueError):
    """A file or line that does not follow the protocol."""


@cache
def _validator(name: str):
    # Imported here: the guardian of a cold start never needs it and stays small.
    from jsonschema import Draft202012Validator

    path = os.path.join(os.path.dirname(__file__), "protocol.schema.json")
    with open(path) as file:
        definitions = json.load(file)["$defs"]
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions})


def check(name: str, document: object) -> None:
    """Raise ProtocolError, naming the field, unless the document follows the named schema."""
    from jsonschema.exceptions import best_match

    error = best_match(_validator(name).iter_errors(document))
    if error is not None:
        where = ".".join(str(part) for part in error.absolute_path) or "the whole document"
        raise ProtocolError(f"{name}: {where}: {error.message}")


def read_plan(directory: str) -> dict:
    """Read and check `plan.json` of an attempt directory."""
    path = os.path.join(directory, "plan.json")
    try:
        with open(path) as file:
            plan = json.load(file)
    except OSError as error:
        raise ProtocolError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ProtocolError(f"{path} is not JSON: {error}") from error
    version = plan.get("version") if isinstance(plan, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise ProtocolError(
            f"{path} was written by a later release: it has version {version}, "
            f"this one understands up to {VERSION}"
        )
    check("plan", plan)
    return plan
