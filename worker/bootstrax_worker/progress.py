"""Lines of `progress.ndjson`, written by the child and by strax's own worker processes."""

import json
import os
import time

from . import durable
from .crash_points import crash_point
from .protocol import PHASES
from .shared_state import SharedState


class Progress:
    """Appends the whole present state as one line; all that is shared survives a fork."""

    def __init__(self, directory: str, state: SharedState, targets: list[str]) -> None:
        """`targets`: the post-processing targets of the plan, in their order."""
        self._started = time.monotonic()
        self._state = state
        self._targets = targets
        self._fd = os.open(
            os.path.join(directory, "progress.ndjson"),
            os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC,
            0o644,
        )

    def seconds(self) -> float:
        """Seconds since the child's start, monotonic."""
        return time.monotonic() - self._started

    @property
    def phase(self) -> str:
        """Present phase, as the protocol names it."""
        return PHASES[self._state.phase]

    def enter(self, phase: str, target: str | None = None) -> None:
        """Change the phase and say so at once."""
        self._state.phase = PHASES.index(phase)
        if target is not None:
            self._state.target = self._targets.index(target)
        self.write()

    def chunk_read(self, chunk: int, duration_ns: int) -> None:
        """The source delivered a chunk that covers this much detector time."""
        self._state.chunk_read(chunk, duration_ns)
        if not self._state.first_chunk:
            self._state.first_chunk = self._microseconds()
        if self.phase == "waiting_for_data":
            self._state.phase = PHASES.index("processing")
        self.write()

    def output_seen(self) -> None:
        """Strax has stored a chunk of a product."""
        if not self._state.first_output:
            self._state.first_output = self._microseconds()

    def _microseconds(self) -> int:
        return max(1, round(self.seconds() * 1e6))

    def write(self, **extra: object) -> None:
        """Append one line: `folder` or `warning` besides the present state."""
        chunks, covered = self._state.covered()
        line = {
            "t": round(self.seconds(), 6),
            "phase": self.phase,
            "chunks": chunks,
            "coveredSeconds": covered,
            "bytes": self._state.bytes_written,
            "memoryBytes": self._state.memory,
            "firstChunk": self._state.first_chunk / 1e6 or None,
            "firstOutput": self._state.first_output / 1e6 or None,
            **extra,
        }
        if self.phase == "post_processing":
            line["target"] = self._targets[self._state.target]
        data = (json.dumps(line, allow_nan=False) + "\n").encode()
        crash_point("progress.ndjson:before")
        try:
            # One write: lines of several processes never mix.
            os.write(self._fd, data)
        except OSError as error:
            durable.say(f"cannot write progress: {error}")
        crash_point("progress.ndjson:after")
