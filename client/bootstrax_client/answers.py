"""What the dashboard answers, as dataclasses. Times are datetimes in UTC; `None`: not known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

Condition = Literal[
    "new",
    "considering",
    "busy",
    "stalled",
    "done",
    "debt",
    "retrying",
    "requeued",
    "given_up",
    "set_aside",
    "held",
    "abandoned",
]
"""Each run has exactly one. `debt`: done with fewer targets than wanted."""

ActionKind = Literal[
    "fail",
    "abandon",
    "retry",
    "reprocess",
    "hold",
    "release",
    "renumber",
    "drain",
    "undrain",
    "acknowledge",
]


@dataclass(frozen=True)
class Session:
    """The account behind the requests, and what it may do."""

    name: str | None
    role: str | None
    """`viewer` or `operator`; None: not logged in, or with nothing to do here."""
    via: str | None


@dataclass(frozen=True)
class Progress:
    """How far a run in work is read."""

    phase: str
    chunks: int
    covered_seconds: float
    fraction: float | None
    """0 to 1; of a run that is being taken, of its data until now."""
    mb_per_second: float | None
    memory_bytes: int | None
    estimated_end: datetime | None
    behind_seconds: float | None
    """How far the reading is behind the detector while the run is being taken."""


@dataclass(frozen=True)
class RunRow:
    """One run in the list of runs."""

    run: int | None
    """None: the document has no number that can be one."""
    id: str
    """Of the run document."""
    condition: str
    """One of `Condition`, or a word of a newer dashboard."""
    state: str | None
    """`bootstrax.state` as it is stored."""
    host: str | None
    mode: str | None
    detectors: list[str]
    start: datetime | None
    end: datetime | None
    seconds: float | None
    rate_mb_per_second: float | None = field(metadata={"json": "rateMBps"})
    failures: int
    """Counted failures."""
    give_up_after: int
    next_retry: datetime | None
    why: str | None
    """First meaningful line of the reason."""
    tags: list[str]
    targets: list[str]
    dropped: list[str]
    stored: list[str]
    """Data types that the run document lists, live data aside."""
    incomplete: list[str]
    """Parts of the run that the data lacks, one sentence each."""
    place: str | None
    """Folder on `host` that the attempt in work writes to."""
    progress: Progress | None


@dataclass(frozen=True)
class RunsPage:
    """One page of runs, highest number first."""

    runs: list[RunRow]
    before: int | None
    """For the next page; None at the end."""
    total: int | None
    """Runs on all pages together; None while they are being counted."""


@dataclass(frozen=True)
class AppliedRule:
    """One rule as it was applied to the run."""

    rule: str
    value: str
    holds: bool


@dataclass(frozen=True)
class NextStep:
    """What happens next with the run."""

    what: str
    at: datetime | None
    who: str | None


@dataclass(frozen=True)
class Explanation:
    """Why the run is, or is not, being processed, from the functions that decide."""

    run: int | None
    verdict: str
    rules: list[AppliedRule]
    next: NextStep | None
    commands: list[str]
    """Commands that may help."""
    seen_from: str
    """The host whose view this is."""

    def __str__(self) -> str:
        lines = [f"run {self.run}: {self.verdict}"]
        lines += [
            f"  {'yes' if each.holds else 'no ':3} {each.rule}: {each.value}" for each in self.rules
        ]
        if self.next is not None:
            lines.append(f"next: {self.next.what}")
        return "\n".join(lines + self.commands)


@dataclass(frozen=True)
class Attempt:
    """One attempt at a run."""

    attempt: str
    """Its id."""
    host: str
    started: datetime
    ended: datetime | None
    outcome: str | None
    """None: it is in work."""
    cause: str | None
    counted: bool
    """Whether it counts as a failure of the run."""
    rung: int
    """Counted failures before it."""
    reason: str | None
    traceback: str | None
    fingerprint: str | None
    seconds: float | None
    peak_memory_bytes: int | None
    bytes: int | None
    cores: float | None
    reasons: list[str]
    """The reasons for its plan, one sentence each."""
    versions: dict[str, str]
    files_here: bool
    """Whether its log can be read at the machine of the dashboard."""


@dataclass(frozen=True)
class StoredData:
    """A product that the run document lists."""

    type: str
    host: str
    location: str | None


@dataclass(frozen=True)
class DeletedData:
    """A product that was deleted."""

    type: str
    host: str
    at: datetime | None
    by: str | None


@dataclass(frozen=True)
class Note:
    """A tag or comment of a person or a program."""

    text: str
    by: str | None
    at: datetime | None


@dataclass(frozen=True)
class SeenBy:
    """The host that has read an action."""

    host: str
    at: datetime


@dataclass(frozen=True)
class Action:
    """What somebody asked for, and what became of it."""

    id: str
    kind: str
    by: str
    via: str
    reason: str
    state: str
    """`requested`, `seen`, `done` or `refused`."""
    requested: datetime
    seen_by: SeenBy | None
    ended: datetime | None
    message: str | None
    """What has been done, or why it was refused."""
    expires: datetime | None
    run: int | None
    host: str | None
    item: str | None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen with it."""
        return self.state in ("done", "refused")


@dataclass(frozen=True)
class Run:
    """All about one run."""

    now: datetime
    """By the clock of the database."""
    row: RunRow
    reason: str | None
    """The whole reason, with traceback."""
    explanation: Explanation
    attempts: list[Attempt]
    """Oldest first; the newest fifty."""
    data: list[StoredData]
    deleted: list[DeletedData]
    tags: list[Note]
    comments: list[Note]
    actions: list[Action]
    """Newest first."""
    raw: dict[str, Any] = field(repr=False)
    """The answer as it came."""

    @property
    def condition(self) -> str:
        """The condition of the run; one of `Condition`."""
        return self.row.condition


@dataclass(frozen=True)
class Drained:
    """A person wants no new run on a host."""

    reason: str
    expires: datetime | None


@dataclass(frozen=True)
class Host:
    """A host and its manager."""

    host: str
    condition: str
    """`busy`, `idle`, `blocked`, `drained`, `quarantined` or `silent`."""
    last_sign: datetime
    """Its newest heartbeat."""
    role: str | None
    slots: int | None
    runs: list[int]
    accepting: bool
    why_not: str | None
    """Why it would take no run."""
    drained: Drained | None
    cpu_percent: float | None
    memory_percent: float | None
    swap_percent: float | None
    disk_percent: float | None
    live_disk_percent: float | None
    versions: dict[str, str]
    thinking: str | None
    """What it says it is doing."""


@dataclass(frozen=True)
class HostHistory:
    """Curves of a host; lists of equal length, percent, None where it is not known."""

    at: list[int]
    """Seconds since 1970 UTC."""
    cpu: list[float | None]
    memory: list[float | None]
    swap: list[float | None]
    disk: list[float | None]
    live_disk: list[float | None]
    load: list[float | None]
    """Processes that run or wait for a core."""


@dataclass(frozen=True)
class AttentionItem:
    """Something that does not become well by itself."""

    kind: str
    run: int | None
    host: str | None
    what: str
    since: datetime | None
    todo: str
    """What a person can do."""
    key: str
    """For `preview("acknowledge", item=key)`."""


@dataclass(frozen=True)
class FailureGroup:
    """Counted failures that are alike."""

    fingerprint: str
    count: int
    first_seen: datetime
    last_seen: datetime
    is_new: bool
    runs: list[int]
    """Newest first."""
    hosts: list[str]
    plugin: str | None
    cause: str | None
    reason: str
    traceback: str | None
    only_host: str | None
    """The only host on which it occurs, although others worked too."""
    key: str
    """For `preview("acknowledge", item=key)`."""


@dataclass(frozen=True)
class Effect:
    """What an action would do to one target."""

    run: int | None
    host: str | None
    item: str | None
    seen: str
    """What was seen of the target: the action lands only while it is still the same."""
    possible: bool
    effect: str
    """What will happen, or why it cannot."""


@dataclass(frozen=True)
class Preview:
    """An action with its effects, not carried out: see `Dashboard.act`."""

    kind: str
    effects: list[Effect]
    keep: bool | None
    on: str | None

    @property
    def possible(self) -> bool:
        """Whether it can be carried out at every target."""
        return bool(self.effects) and all(each.possible for each in self.effects)

    def only_possible(self) -> Preview:
        """The same without the targets at which it cannot be carried out."""
        return replace(self, effects=[each for each in self.effects if each.possible])

    def __str__(self) -> str:
        return "\n".join(
            f"{self.kind} {target_of(each)}: {_possibly(each)}{each.effect}"
            for each in self.effects
        )


def target_of(about: Effect | Action) -> str:
    """`run 7`, `host eb0` or the key of an item."""
    if about.run is not None:
        return f"run {about.run}"
    return f"host {about.host}" if about.host is not None else str(about.item)


def _possibly(effect: Effect) -> str:
    return "" if effect.possible else "not possible: "
