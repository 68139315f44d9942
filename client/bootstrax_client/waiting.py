"""Waiting for a run or an action."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator

from .answers import Action, Run, target_of
from .connection import STREAM_SILENCE_SECONDS, Connection, StreamLost
from .decoding import decode
from .errors import (
    ActionTimeout,
    BootstraxError,
    DashboardAway,
    DatabaseAway,
    NotFound,
    RunEndedOtherwise,
    RunTimeout,
)

POLL_SECONDS = 30.0
"""A run is read at least this often: also its time goes on, without a change of its document."""
AWAY_PAUSE_SECONDS = 2.0
LEAST_SILENCE_SECONDS = 3.0
"""The stream says something every two seconds."""
ACTION_POLL_SECONDS = 1.0

LASTING = frozenset({"done", "debt", "given_up", "set_aside", "abandoned"})
"""Conditions that a run keeps until a person, or a later debt attempt, changes it."""


def wait_for_run(
    connection: Connection, number: int, until: Collection[str], timeout_seconds: float
) -> Run:
    """See `Dashboard.wait_for_run`."""
    watch = _RunWatch(connection, number, time.monotonic() + timeout_seconds)
    for run in watch.looks():
        if run.condition in until:
            return run
        if run.condition in LASTING:
            raise RunEndedOtherwise(
                f"{_state_of(run)}. It will not become {_or(until)} by itself. {_help(run)}", run
            )
    raise RunTimeout(_timeout_text(watch, number, until, timeout_seconds), watch.last)


class _RunWatch:
    """Looks at a run each time that it may have changed."""

    def __init__(self, connection: Connection, number: int, deadline: float) -> None:
        self.last: Run | None = None
        self.away: BootstraxError | None = None
        """Why the last look has failed."""
        self._connection = connection
        self._number = number
        self._deadline = deadline

    def looks(self) -> Iterator[Run]:
        """The run, once for each look; ends at the deadline, after a last one."""
        while True:
            try:
                for _ in self._moments():
                    yield from self._look()
            except StreamLost:
                # A proxy that holds events back leaves the looks now and then.
                pass
            except (DashboardAway, DatabaseAway) as error:
                self.away = error
            left = self._left()
            if left <= 0:
                return
            time.sleep(min(AWAY_PAUSE_SECONDS, left))

    def _left(self) -> float:
        return self._deadline - time.monotonic()

    def _look(self) -> Iterator[Run]:
        try:
            answer = self._connection.get_once(f"/api/runs/{self._number}")
        except NotFound:
            self.away = None
            return
        self.away = None
        self.last = decode(Run, answer, "run")
        yield self.last

    def _moments(self) -> Iterator[None]:
        """One at the start, one for each change, one now and then, one at the deadline."""
        silence = min(STREAM_SILENCE_SECONDS, max(LEAST_SILENCE_SECONDS, self._left()))
        with self._connection.stream_once("/api/stream", silence) as events:
            yield
            looked = time.monotonic()
            for event in events:
                now = time.monotonic()
                is_over = now >= self._deadline
                is_changed = event.name == "changed" and self._concerns(event.data)
                if is_over or is_changed or now - looked > POLL_SECONDS:
                    yield
                    looked = time.monotonic()
                if is_over:
                    return

    def _concerns(self, data: str) -> bool:
        ids = json.loads(data)["ids"]
        return ids is None or self.last is None or self.last.row.id in ids


def wait_for_action(
    find: Callable[..., Iterator[Action]], action: Action, timeout_seconds: float
) -> Action:
    """See `Dashboard.wait_for_action`; `find` is `Dashboard.actions`."""
    deadline = time.monotonic() + timeout_seconds
    newest = action
    while not newest.is_over:
        left = deadline - time.monotonic()
        if left <= 0:
            by = "its host has not read it" if newest.seen_by is None else "its host has read it"
            raise ActionTimeout(
                f"{newest.kind} {target_of(newest)} is not carried out after {timeout_seconds:g} s:"
                f" {by}. Does the manager there run? It may still carry it out"
            )
        time.sleep(min(ACTION_POLL_SECONDS, left))
        about = {"run": action.run, "host": action.host, "item": action.item}
        for each in find(**about):
            if each.id == action.id:
                newest = each
            if each.requested <= action.requested:
                break
    return newest


def _timeout_text(
    watch: _RunWatch, number: int, until: Collection[str], timeout_seconds: float
) -> str:
    after = f"after {timeout_seconds:g} s"
    if watch.away is not None:
        return f"run {number} is not known to be {_or(until)} {after}: {watch.away}"
    if watch.last is None:
        return f"there is no run {number} {after}: is the number right, and does the DAQ run?"
    return f"{_state_of(watch.last)}, and not {_or(until)} {after}. {_help(watch.last)}"


def _state_of(run: Run) -> str:
    row = run.row
    where = "" if row.host is None else f" at {row.host}"
    why = "" if row.why is None else f": {row.why.rstrip('.')}"
    return f"run {row.run} is {row.condition.replace('_', ' ')}{where}{why}"


def _help(run: Run) -> str:
    explanation = run.explanation
    next_step = "" if explanation.next is None else f"Next: {explanation.next.what}. "
    return f"{next_step}Why: Dashboard.explain({run.row.run})"


def _or(conditions: Collection[str]) -> str:
    return " or ".join(each.replace("_", " ") for each in conditions)
