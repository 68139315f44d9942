"""Requests to the dashboard: login, token, refusals, and the repetition of what is harmless."""

from __future__ import annotations

import http.client
import ipaddress
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any, TypeVar

from .answers import Session
from .decoding import decode
from .errors import (
    ActionUnknown,
    AnswerNotUnderstood,
    BootstraxError,
    DashboardAway,
    DashboardFailed,
    DatabaseAway,
    NotAllowed,
    NotFound,
    NotLoggedIn,
    NotTheDashboard,
    RequestNotUnderstood,
    RequestRefused,
    TooManyTries,
    UnknownServerName,
)
from .events import Event, events_of

T = TypeVar("T")
Query = Mapping[str, "str | int | None"]

SESSION_PATH = "/api/session"
CSRF_HEADER = "x-bootstrax-csrf"
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 2.0
STREAM_SILENCE_SECONDS = 15.0
"""The dashboard's stream says something every two seconds."""

# What the network and the protocol raise; of them an HTTPError is an answer.
_CONNECTION_ERRORS = (OSError, http.client.HTTPException)
_REFUSALS: Mapping[int, type[RequestRefused]] = {
    401: NotLoggedIn,
    403: NotAllowed,
    404: NotFound,
    421: UnknownServerName,
}


class StreamLost(DashboardAway):
    """A stream of events was silent for too long, or was cut: it may be opened again."""


@dataclass(frozen=True)
class Account:
    """Name and password of an account of the dashboard (`bootstrax user add`)."""

    name: str
    password: str

    def __repr__(self) -> str:
        return f"Account(name={self.name!r})"


@dataclass(frozen=True)
class Limits:
    """How long is waited."""

    timeout_seconds: float
    """For one answer."""
    retry_seconds: float
    """For a dashboard or database that is away, where repeating is harmless."""


class Connection:
    """The one way to the dashboard; not for several threads at a time."""

    def __init__(
        self,
        url: str,
        account: Account | None,
        limits: Limits,
        headers: Mapping[str, str],
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a dashboard: http://HOST:8580")
        self.url = url.rstrip("/")
        self.limits = limits
        self._account = account
        self._headers = dict(headers)
        self._csrf: str | None = None
        self._is_logged_in = False
        # A proxy of the environment cannot reach this machine's own loopback.
        proxies = [urllib.request.ProxyHandler({})] if _is_loopback(parts.hostname) else []
        self._opener = urllib.request.build_opener(
            _NoRedirects(),
            urllib.request.HTTPCookieProcessor(CookieJar()),
            urllib.request.HTTPSHandler(context=ssl_context),
            *proxies,
        )

    def session(self) -> Session:
        """The account behind the requests."""
        return decode(Session, self.get(SESSION_PATH), "session")

    def get(self, path: str, query: Query | None = None) -> Any:
        """The JSON at an address; repeated while the dashboard is away."""
        return self._repeatedly(lambda: self.get_once(path, query))

    def get_once(self, path: str, query: Query | None = None) -> Any:
        """The JSON at an address."""
        return self._as_known(lambda: self._json("GET", _with(path, query)))

    def ask(self, path: str, body: object) -> Any:
        """The answer to a body that changes nothing; repeated while the dashboard is away."""
        return self._repeatedly(lambda: self._with_token("POST", path, body))

    def act(self, path: str, body: object) -> Any:
        """The answer to a body that changes something: sent once.

        It is repeated only where nothing can have arrived: nobody listened, or it was refused.
        """
        self._token()
        try:
            return self._repeatedly(
                lambda: self._with_token("POST", path, body), while_=_nobody_listened
            )
        except (DatabaseAway, DashboardFailed) as error:
            raise _unknown(error) from error
        except DashboardAway as error:
            if _nobody_listened(error):
                raise
            raise _unknown(error) from error

    @contextmanager
    def stream(
        self, path: str, query: Query | None = None, last_id: str | None = None
    ) -> Iterator[Iterator[Event]]:
        """The events at an address; opening it is repeated while the dashboard is away."""
        silence = STREAM_SILENCE_SECONDS
        with self._repeatedly(lambda: self._opened(path, query, last_id, silence)) as response:
            yield self._events(response)

    @contextmanager
    def stream_once(self, path: str, silence_seconds: float) -> Iterator[Iterator[Event]]:
        """The events at an address, until nothing has come for this time."""
        with self._opened(path, None, None, silence_seconds) as response:
            yield self._events(response)

    def close(self) -> None:
        """Logs out, if this connection has logged in."""
        if not self._is_logged_in:
            return
        self._is_logged_in = False
        try:
            self._json("DELETE", SESSION_PATH, headers={CSRF_HEADER: self._csrf or ""})
        except BootstraxError:
            # The login ends by itself, and there is nothing that a caller could do.
            return

    def _opened(
        self, path: str, query: Query | None, last_id: str | None, silence_seconds: float
    ) -> http.client.HTTPResponse:
        headers = {} if last_id is None else {"last-event-id": last_id}

        def opened() -> http.client.HTTPResponse:
            return self._open("GET", _with(path, query), headers=headers, timeout=silence_seconds)

        return self._as_known(opened)

    def _events(self, response: http.client.HTTPResponse) -> Iterator[Event]:
        _refuse_unless(response, "text/event-stream", self.url)
        try:
            yield from events_of(response)
        except _CONNECTION_ERRORS as error:
            raise StreamLost(str(self._away(error))) from error

    def _with_token(self, method: str, path: str, body: object) -> Any:
        def send() -> Any:
            return self._json(method, path, body, {CSRF_HEADER: self._token()})

        sent = self._token()
        try:
            return self._as_known(send)
        except NotAllowed:
            # The token of a server whose state folder was replaced since.
            self._csrf = None
            if self._token() == sent:
                raise
        return send()

    def _token(self) -> str:
        if self._csrf is None:
            if self._account is not None and not self._is_logged_in:
                self._log_in(self._account)
            else:
                self._csrf = str(self.get(SESSION_PATH)["csrf"] or "")
        return self._csrf or ""

    def _as_known(self, send: Callable[[], T]) -> T:
        """Logs in where that is wanted, and again where a login has ended."""
        if self._account is None:
            return send()
        if not self._is_logged_in:
            self._log_in(self._account)
            return send()
        try:
            return send()
        except NotLoggedIn:
            self._log_in(self._account)
            return send()

    def _log_in(self, account: Account) -> None:
        body = {"name": account.name, "password": account.password}
        self._csrf = str(self._json("POST", SESSION_PATH, body)["csrf"])
        self._is_logged_in = True

    def _repeatedly(
        self, send: Callable[[], T], while_: Callable[[BootstraxError], bool] = lambda _: True
    ) -> T:
        deadline = time.monotonic() + self.limits.retry_seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return send()
            except (DashboardAway, DatabaseAway) as error:
                if not while_(error) or time.monotonic() + pause > deadline:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _json(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        with self._open(method, path, body, headers) as response:
            _refuse_unless(response, "application/json", self.url)
            try:
                return json.loads(response.read())
            except ValueError as error:
                raise AnswerNotUnderstood(f"{self.url}{path} answers what is no JSON") from error
            except _CONNECTION_ERRORS as error:
                raise self._away(error) from error

    def _open(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> http.client.HTTPResponse:
        request = urllib.request.Request(self.url + path, method=method)
        for name, value in {**self._headers, **(headers or {})}.items():
            request.add_header(name, value)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("content-type", "application/json")
        try:
            response = self._opener.open(request, timeout=timeout or self.limits.timeout_seconds)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error, path) from error
        except _CONNECTION_ERRORS as error:
            raise self._away(error) from error
        assert isinstance(response, http.client.HTTPResponse)
        return response

    def _away(self, error: Exception) -> DashboardAway:
        reason = getattr(error, "reason", error)
        return DashboardAway(
            f"the dashboard at {self.url} does not answer ({reason or type(error).__name__}). "
            "Is it running there (bootstrax dashboard), and is the tunnel open that leads to it?"
        )

    def _refusal(self, answer: urllib.error.HTTPError, path: str) -> BootstraxError:
        status = answer.code
        said = _error_of(answer)
        if said is None and status in (502, 503, 504):
            return self._away(OSError(f"a proxy in front of it answers {status}"))
        if said is None:
            return _not_the_dashboard(self.url, f"answers {status} without JSON to {path}", answer)
        if status == 503:
            return DatabaseAway(f"{said}. The dashboard at {self.url} runs; check its databases")
        if status >= 500:
            return DashboardFailed(f"{said} ({self.url}{path})")
        if status == 401 and self._account is None:
            said = (
                f"{said}: give Dashboard(...) name and password of an account (bootstrax user add)"
            )
        if status == 429:
            after = answer.headers.get("retry-after")
            return TooManyTries(said, status, None if after is None else float(after))
        return _REFUSALS.get(status, RequestNotUnderstood)(said, status)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect leads to a login page, and a body would be lost on the way."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _refuse_unless(response: http.client.HTTPResponse, kind: str, url: str) -> None:
    found = response.headers.get_content_type()
    if found != kind:
        raise _not_the_dashboard(url, f"answers with {found}", response)


def _not_the_dashboard(url: str, what: str, answer: Any) -> NotTheDashboard:
    to = answer.headers.get("location")
    leads = "" if to is None else f" and leads on to {to}"
    return NotTheDashboard(
        f"{url} {what}{leads}: that is not the dashboard. Behind a single sign-on give "
        "Dashboard(...) the headers that its proxy takes from programs, or use a tunnel"
    )


def _error_of(answer: urllib.error.HTTPError) -> str | None:
    try:
        said = json.loads(answer.read())["error"]
    except (ValueError, KeyError, TypeError, *_CONNECTION_ERRORS):
        return None
    return said if isinstance(said, str) else None


def _nobody_listened(error: BootstraxError) -> bool:
    cause = error.__cause__
    reason = getattr(cause, "reason", cause)
    return isinstance(error, DashboardAway) and isinstance(reason, ConnectionRefusedError)


def _unknown(error: BootstraxError) -> ActionUnknown:
    return ActionUnknown(
        f"{error}. The action was sent and may have been carried out: read Dashboard.actions() "
        "before you send it again"
    )


def _with(path: str, query: Query | None) -> str:
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return f"{path}?{urllib.parse.urlencode(given)}" if given else path


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
