"""What can go wrong, one class for each thing that a caller may do something about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .answers import Action, Effect, Run


class BootstraxError(Exception):
    """Any error of this package. Its message says what happened and what to do next."""


class DashboardAway(BootstraxError):
    """Nothing answers at the address of the dashboard."""


class DatabaseAway(BootstraxError):
    """The dashboard answers, but its databases do not."""


class DashboardFailed(BootstraxError):
    """The dashboard met an error of its own; its log says more."""


class NotTheDashboard(BootstraxError):
    """Something else answers at this address: a page of a sign-on, another program."""


class AnswerNotUnderstood(BootstraxError):
    """The answer is not as this version of the package knows it."""


class RequestRefused(BootstraxError):
    """The dashboard refused a request, and nothing was changed by it."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class RequestNotUnderstood(RequestRefused):
    """A parameter is not as it must be (400, 405, 413, 415)."""


class NotLoggedIn(RequestRefused):
    """The dashboard wants a login, or name or password is not right (401)."""


class NotAllowed(RequestRefused):
    """The account may not do this (403)."""


class NotFound(RequestRefused):
    """There is no such run, attempt or address (404)."""


class UnknownServerName(RequestRefused):
    """The dashboard does not know itself by the name in the address (421)."""


class TooManyTries(RequestRefused):
    """Too many logins have failed (429)."""

    def __init__(self, message: str, status: int, retry_after_seconds: float | None) -> None:
        super().__init__(message, status)
        self.retry_after_seconds = retry_after_seconds


class ActionNotPossible(BootstraxError):
    """The preview says that the action cannot be carried out; nothing was sent."""

    def __init__(self, message: str, effects: Sequence[Effect]) -> None:
        super().__init__(message)
        self.effects = list(effects)


class ActionRefused(BootstraxError):
    """At least one target was refused, mostly because it has changed since the preview.

    `actions` has all of them, also those that were carried out.
    """

    def __init__(self, message: str, actions: Sequence[Action]) -> None:
        super().__init__(message)
        self.actions = list(actions)


class ActionUnknown(BootstraxError):
    """The connection was lost after the action was sent: it may have been carried out."""


class ActionTimeout(BootstraxError, TimeoutError):
    """The host has not carried out the action in the given time; it may still do it."""


class RunTimeout(BootstraxError, TimeoutError):
    """The run has not become what was waited for in the given time."""

    def __init__(self, message: str, run: Run | None) -> None:
        super().__init__(message)
        self.run = run


class RunEndedOtherwise(BootstraxError):
    """The run will not become what was waited for without a person."""

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run
