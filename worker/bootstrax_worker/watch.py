"""A watch in the child: measures memory, and checks whether the attempt should go on."""

import os
import signal
import threading
import time

from . import durable
from .folders import WrittenBytes
from .memory import descendants, proportional_bytes, resident_bytes
from .progress import Progress
from .protocol import EXIT_ORPHANED
from .shared_state import SharedState

_INTERVAL_SECONDS = 1.0
# The exact measure walks all pages and blocks allocations meanwhile: with gigabytes of memory, one
# measure per second cost 7 % of the processing. It may take at most this fraction of the time.
_MEASURING_SHARE = 0.002


class Watch:
    """A thread that writes a line per second, and ends the process when nobody wants its work."""

    def __init__(
        self,
        directory: str,
        plan: dict,
        guardian: int,
        state: SharedState,
        progress: Progress,
        written: WrittenBytes,
    ) -> None:
        self._directory = directory
        self._followed = os.path.join(directory, "followed")
        self._superseded = os.path.join(directory, "superseded")
        self._orphan_limit_seconds = plan["orphanLimitSeconds"]
        self._attempt = plan["attempt"]
        self._guardian = guardian
        self._state = state
        self._progress = progress
        self._written = written
        self._sign = self._look_for_sign()
        self._sign_seen = time.monotonic()
        self._shared_bytes = 0
        self._measure_again = 0.0

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="bootstrax-watch", daemon=True).start()

    def measure(self) -> None:
        """Take memory and bytes written now.

        Between two exact measures the resident size is corrected by the shared size of the last
        one.
        """
        now = time.monotonic()
        processes = descendants(os.getpid())
        resident = resident_bytes(processes)
        if now >= self._measure_again:
            begin = time.monotonic()
            self._shared_bytes = resident - proportional_bytes(processes)
            self._measure_again = now + (time.monotonic() - begin) / _MEASURING_SHARE
        memory = max(0, resident - self._shared_bytes)
        self._state.memory = memory
        self._state.peak_memory = max(self._state.peak_memory, memory)
        self._state.bytes_written = self._written.count()
        if self._written.any_chunk:
            self._progress.output_seen()

    def _run(self) -> None:
        while True:
            now = time.monotonic()
            self._go_on_or_end(now)
            self.measure()
            self._progress.write()
            time.sleep(_INTERVAL_SECONDS)

    def _go_on_or_end(self, now: float) -> None:
        if os.getppid() != self._guardian:
            # Without the guardian nobody would record the end or remove the remaining processes.
            durable.say("the guardian of this attempt is gone: ending")
            os.killpg(0, signal.SIGKILL)
        if os.path.exists(self._superseded):
            self._end("it lost its run to another attempt")
        if durable.is_gone(self._directory):
            self._end("its directory is gone, so nobody could learn what it makes")
        # Judged by change, on this process's own clock: file times may jump.
        sign = self._look_for_sign()
        if sign != self._sign:
            self._sign, self._sign_seen = sign, now
        elif now - self._sign_seen > self._orphan_limit_seconds:
            self._end(f"no manager was seen for {self._orphan_limit_seconds:g} s")

    def _look_for_sign(self) -> int | None:
        try:
            return os.stat(self._followed).st_mtime_ns
        except OSError:
            return None

    def _end(self, why: str) -> None:
        durable.say(f"attempt {self._attempt} ends itself: {why}")
        os._exit(EXIT_ORPHANED)
