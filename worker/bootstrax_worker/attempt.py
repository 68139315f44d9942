"""One attempt in a process of its own, without a fork server: the cold way."""

import json
import os
import sys

from . import guardian
from .shared_state import SharedState


def run_cold(directory: str) -> int:
    """Be the guardian of the attempt in this directory; return its exit code.

    Nothing heavy is imported here: it would stay in the guardian's memory for hours.
    """
    directory = os.path.abspath(directory)
    try:
        with open(os.path.join(directory, "plan.json")) as file:
            attempt = json.load(file)["attempt"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"cannot read plan.json in {directory}: {error!r}", file=sys.stderr)
        return 2

    def run_child(state: SharedState, guardian_pid: int) -> int:
        from . import child

        return child.run(directory, None, _build_context, state, guardian_pid)

    return guardian.guard(directory, attempt, False, run_child)


def _build_context(plan: dict):
    from .context import LoadedContext

    return LoadedContext(plan["context"], plan["contextOptions"])
