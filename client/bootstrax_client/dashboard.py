"""The dashboard as an object."""

from __future__ import annotations

import json
import ssl
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from . import panels, waiting
from .answers import (
    Action,
    ActionKind,
    Attempt,
    AttentionItem,
    Condition,
    Effect,
    Explanation,
    FailureGroup,
    Host,
    HostHistory,
    Preview,
    Run,
    RunRow,
    RunsPage,
    Session,
    target_of,
)
from .connection import Account, Connection, Limits, StreamLost
from .decoding import decode
from .errors import ActionNotPossible, ActionRefused, DashboardAway

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8580"
MOST_PER_PAGE = 200


class Dashboard:
    """A bootstrax dashboard, by its HTTP API.

    `name` and `password` are those of an account (`bootstrax user add`); on a dashboard that asks
    for no login they are left out. `headers` go with every request, for a proxy that wants a token.
    What only reads is repeated for `retry_seconds` while the dashboard or its database is away; an
    action is sent once. One object is for one thread.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        name: str | None = None,
        password: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 30.0,
        retry_seconds: float = 15.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        if (name is None) != (password is None):
            raise ValueError("an account has a name and a password: give both, or neither")
        account = None if name is None or password is None else Account(name, password)
        limits = Limits(timeout_seconds, retry_seconds)
        self._connection = Connection(url, account, limits, headers or {}, ssl_context)

    def __enter__(self) -> Dashboard:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the login, if there was one."""
        self._connection.close()

    def session(self) -> Session:
        """The account behind the requests, and its role."""
        return self._connection.session()

    # Runs

    def runs(
        self,
        *,
        condition: Condition | None = None,
        mode: str | None = None,
        detector: str | None = None,
        host: str | None = None,
        tag: str | None = None,
        first: int | None = None,
        last: int | None = None,
        most: int | None = None,
    ) -> Iterator[RunRow]:
        """Runs, highest number first, page by page as they are needed.

        `first` and `last` are run numbers; `most` ends it after this number of runs.
        """
        given = 0
        before: int | None = None
        while most is None or given < most:
            limit = MOST_PER_PAGE if most is None else min(MOST_PER_PAGE, most - given)
            query: dict[str, str | int | None] = {
                **{"condition": condition, "mode": mode, "detector": detector, "host": host},
                **{"tag": tag, "from": first, "to": last, "before": before, "limit": limit},
            }
            page = decode(RunsPage, self._connection.get("/api/runs", query), "runs")
            yield from page.runs
            given += len(page.runs)
            before = page.before
            if before is None:
                return

    def run(self, number: int) -> Run:
        """All about one run; `NotFound` if there is none of this number."""
        return decode(Run, self._connection.get(f"/api/runs/{int(number)}"), "run")

    def explain(self, number: int) -> Explanation:
        """Why a run is, or is not, being processed, and what comes next."""
        return self.run(number).explanation

    def attempts(self, number: int) -> list[Attempt]:
        """Every attempt at a run, oldest first; of more than fifty the newest."""
        return self.run(number).attempts

    def document(self, number: int) -> Any:
        """The run document as it is stored, as relaxed Extended JSON, without passwords.

        Several documents with the number are a list.
        """
        return json.loads(self._connection.get(f"/api/runs/{int(number)}/document")["text"])

    def report(self, number: int) -> dict[str, Any]:
        """What a maintainer asks for about a run, without secrets."""
        return decode(
            dict[str, Any], self._connection.get("/api/report", {"run": int(number)}), "report"
        )

    def wait_for_run(
        self,
        number: int,
        until: Condition | Collection[Condition] = "done",
        *,
        timeout_seconds: float,
    ) -> Run:
        """Waits until the run has one of these conditions, also if it does not exist yet.

        Raises `RunTimeout` with the state in which it still is, and `RunEndedOtherwise` as soon as
        it will not get there without a person. A dashboard that is away meanwhile is waited for. It
        follows the dashboard's stream of events, as the page does.
        """
        conditions = (until,) if isinstance(until, str) else tuple(until)
        return waiting.wait_for_run(self._connection, int(number), conditions, timeout_seconds)

    def log(self, attempt: str, lines: int = 500) -> str:
        """The end of the log of an attempt (`Attempt.attempt`).

        `NotFound` if it lies out of the dashboard's reach: `Attempt.files_here` says so before.
        """
        with self._connection.stream(_log_path(attempt), {"lines": lines}) as events:
            for event in events:
                if event.name == "end":
                    return str(json.loads(event.data))
        raise DashboardAway(f"the log of attempt {attempt} has ended before its text: ask again")

    def follow_log(self, attempt: str, lines: int = 500) -> Iterator[str]:
        """The end of the log of an attempt, and then what is added, until the attempt has ended."""
        last_id: str | None = None
        while True:
            try:
                with self._connection.stream(
                    _log_path(attempt), {"lines": lines}, last_id
                ) as events:
                    for event in events:
                        if event.name == "over":
                            return
                        last_id = event.id
                        yield str(json.loads(event.data))
            except StreamLost:
                # A log may be silent for longer than the other streams.
                continue

    # The fleet

    def hosts(self) -> list[Host]:
        """All hosts as they are now."""
        return self._panel(list[Host], "hosts")

    def attention(self) -> list[AttentionItem]:
        """What does not become well by itself, as the page *Now* shows it."""
        return self._panel(list[AttentionItem], "attention")

    def host_history(self, host: str, hours: Literal[1, 6, 24] = 6) -> HostHistory:
        """Curves of a host."""
        path = f"/api/hosts/{_quoted(host)}/history"
        return decode(HostHistory, self._connection.get(path, {"hours": hours}), "history")

    def failures(self, days: Literal[1, 7, 30] = 7) -> list[FailureGroup]:
        """Counted failures of the last days, those that are alike in one group."""
        answer = self._connection.get("/api/failures", {"days": days})
        return decode(list[FailureGroup], answer["groups"], "failures")

    def handover(self, hours: Literal[8, 12, 24] = 8) -> str:
        """What happened in the last hours, as text for a log book."""
        return str(self._connection.get("/api/handover", {"hours": hours})["text"])

    def schema(self) -> dict[str, Any]:
        """The API's description of itself, OpenAPI 3.1."""
        return decode(dict[str, Any], self._connection.get("/api/schema"), "schema")

    # Actions

    def preview(
        self,
        kind: ActionKind,
        *,
        run: int | None = None,
        runs: Sequence[int] = (),
        host: str | None = None,
        item: str | None = None,
        keep: bool | None = None,
        on: Literal["local", "slurm"] | None = None,
    ) -> Preview:
        """What an action would do to a run, several runs, a host or an item. Changes nothing.

        `keep` and `on` are for `reprocess`. Only for operators, as the action itself.
        """
        targets: list[dict[str, Any]] = [{"run": int(each)} for each in runs]
        targets += [] if run is None else [{"run": int(run)}]
        targets += [] if host is None else [{"host": host}]
        targets += [] if item is None else [{"item": item}]
        body = {"kind": kind, "targets": targets, **_requests(keep, on)}
        answer = self._connection.ask("/api/actions/preview", body)
        return Preview(kind, decode(list[Effect], answer["effects"], "effects"), keep, on)

    def act(self, preview: Preview, reason: str, *, hours: float | None = None) -> list[Action]:
        """Carries out what the preview shows, each target only if it is still as it was seen.

        `reason` is what others read later: it confirms the action, and is never empty. `hours`: a
        drain or an acknowledgement ends by itself after this time. What a host carries out is
        `requested` at first: see `wait_for_action`.
        """
        if not reason.strip():
            raise ValueError("an action needs a reason, for those who read it later")
        _refuse_impossible(preview)
        targets = [{**_target(each), "seen": each.seen} for each in preview.effects]
        body = {
            **{"kind": preview.kind, "reason": reason, "targets": targets},
            **({} if hours is None else {"hours": hours}),
            **_requests(preview.keep, preview.on),
        }
        answer = self._connection.act("/api/actions", body)
        actions = decode(list[Action], answer["actions"], "actions")
        refused = [each for each in actions if each.state == "refused"]
        if refused:
            said = "; ".join(f"{target_of(each)}: {each.message}" for each in refused)
            rest = len(actions) - len(refused)
            raise ActionRefused(
                f"{preview.kind} was refused: {said}. {_carried_out(rest)}Make a new preview, "
                "and act on that if it still fits",
                actions,
            )
        return actions

    def actions(
        self,
        *,
        run: int | None = None,
        host: str | None = None,
        item: str | None = None,
        most: int | None = None,
    ) -> Iterator[Action]:
        """What people have asked for, and what became of it; newest first."""
        given = 0
        before: str | None = None
        while most is None or given < most:
            limit = MOST_PER_PAGE if most is None else min(MOST_PER_PAGE, most - given)
            query = {"run": run, "host": host, "item": item, "before": before, "limit": limit}
            answer = self._connection.get("/api/actions", query)
            page = decode(list[Action], answer["actions"], "actions")
            yield from page
            given += len(page)
            before = answer["before"]
            if before is None:
                return

    def wait_for_action(self, action: Action, *, timeout_seconds: float) -> Action:
        """Waits until a host has carried out an action, or refused it: its `message` says which.

        Raises `ActionTimeout` if it is still under way.
        """
        return waiting.wait_for_action(self.actions, action, timeout_seconds)

    def _panel(self, kind: type[T], name: str) -> T:
        return decode(kind, panels.read_panel(self._connection, name), name)


def _requests(keep: bool | None, on: str | None) -> dict[str, Any]:
    return {**({} if keep is None else {"keep": keep}), **({} if on is None else {"on": on})}


def _target(effect: Effect) -> dict[str, Any]:
    about = {"run": effect.run, "host": effect.host, "item": effect.item}
    return {name: value for name, value in about.items() if value is not None}


def _refuse_impossible(preview: Preview) -> None:
    not_possible = [each for each in preview.effects if not each.possible]
    if not preview.effects:
        raise ActionNotPossible(f"{preview.kind} has no target", [])
    if not_possible:
        said = "; ".join(f"{target_of(each)}: {each.effect}" for each in not_possible)
        others = len(preview.effects) - len(not_possible)
        hint = ". Preview.only_possible() leaves these targets out" if others else ""
        raise ActionNotPossible(f"{preview.kind} is not possible: {said}{hint}", not_possible)


def _carried_out(count: int) -> str:
    return (
        ""
        if count == 0
        else f"At {count} other target{'' if count == 1 else 's'} it was carried out. "
    )


def _log_path(attempt: str) -> str:
    return f"/api/attempts/{_quoted(attempt)}/log"


def _quoted(text: str) -> str:
    return quote(text, safe="")
