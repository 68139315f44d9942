"""The client against a small server that answers as a test wants."""

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import bootstrax_client
import pytest
from bootstrax_client import Dashboard, Preview
from bootstrax_client.answers import Effect, NextStep, RunsPage
from bootstrax_client.connection import Account
from bootstrax_client.decoding import decode
from bootstrax_client.events import events_of

EFFECT = Effect(run=7, host=None, item=None, seen="x", possible=True, effect="It is held.")
HOLD = Preview("hold", [EFFECT], keep=None, on=None)
CUT = "cut"
"""The connection ends without an answer."""


@dataclass
class Answer:
    status: int = 200
    body: object = None
    type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@contextmanager
def serving(answer):
    """A server at a free port; `answer(method, path, headers)` gives an Answer or CUT."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self):
            length = int(self.headers.get("content-length", 0))
            self.rfile.read(length)
            asked.append(f"{self.command} {self.path}")
            given = answer(self.command, self.path, self.headers)
            if given == CUT:
                self.close_connection = True
                return
            body = given.body if isinstance(given.body, str) else json.dumps(given.body)
            self.send_response(given.status)
            self.send_header("content-type", given.type)
            self.send_header("content-length", str(len(body.encode())))
            for name, value in given.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = do_DELETE = handle_any

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def session(csrf="token"):
    return Answer(body={"name": "anna", "role": "operator", "via": "account", "csrf": csrf})


def answers_in_turn(*answers):
    """Answers to everything but the session, one after the other; the last one again and again."""
    left = list(answers)

    def answer(_method, path, _headers):
        if path == "/api/session":
            return session()
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


PAGE = Answer(body={"runs": [], "before": None, "total": 0})


def test_events_are_read_whatever_their_lines_and_one_that_was_cut_is_left_out():
    lines = [
        *(b": a comment\n", b"retry: 1000\n", b"\n"),
        *(b"event: panel\r\n", b"data: one\r\n", b"data:two\r\n", b"id: 3\r\n", b"\r\n"),
        *(b"data: bare\n", b"\n", b"event: cut\n", b"data: of"),
    ]
    found = [(each.name, each.data, each.id) for each in events_of(lines)]
    assert found == [("panel", "one\ntwo", "3"), ("message", "bare", "3")]


def test_an_answer_is_read_although_it_says_more_or_leaves_out_what_may_be_unknown():
    step = decode(NextStep, {"what": "a retry", "who": None, "new": [1]}, "next")
    assert (step.what, step.at, step.who) == ("a retry", None, None)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"runs": [], "total": 1}, None),
        ({"before": None}, "page.runs is missing"),
        ({"runs": {}, "before": None}, "page.runs is {}, not of type list"),
        ({"runs": [], "before": "1"}, "page.before is '1', not of type int"),
        ({"runs": [], "before": True}, "page.before is True, not of type int"),
        ([], "page is [], not of type dict"),
    ],
)
def test_an_answer_that_is_unlike_what_is_known_says_where(value, told):
    if told is None:
        assert decode(RunsPage, value, "page").before is None
        return
    with pytest.raises(bootstrax_client.AnswerNotUnderstood) as raised:
        decode(RunsPage, value, "page")
    assert told in str(raised.value)


def test_a_password_is_in_no_text_of_the_client():
    assert "secret" not in repr(Account("anna", "secret"))
    assert "secret" not in repr(Dashboard(name="anna", password="secret"))


@pytest.mark.parametrize("url", ["eb0:8580", "ftp://eb0", "", "http://"])
def test_an_address_that_is_none_is_refused_at_once(url):
    with pytest.raises(ValueError, match="is no address of a dashboard"):
        Dashboard(url)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, bootstrax_client.RequestNotUnderstood),
        (401, bootstrax_client.NotLoggedIn),
        (403, bootstrax_client.NotAllowed),
        (404, bootstrax_client.NotFound),
        (413, bootstrax_client.RequestNotUnderstood),
        (421, bootstrax_client.UnknownServerName),
        (429, bootstrax_client.TooManyTries),
        (500, bootstrax_client.DashboardFailed),
        (503, bootstrax_client.DatabaseAway),
    ],
)
def test_each_refusal_is_an_error_of_its_own_with_the_servers_words(status, error):
    refusal = Answer(status, {"error": "no such luck"}, headers=(("retry-after", "7"),))
    with serving(answers_in_turn(refusal)) as (url, asked):
        with pytest.raises(error, match="no such luck") as raised:
            Dashboard(url, retry_seconds=0).run(7)
        assert type(raised.value) is error
        assert getattr(raised.value, "retry_after_seconds", 7) == 7
        assert asked == ["GET /api/runs/7"]


@pytest.mark.parametrize(
    "away",
    [
        CUT,
        Answer(503, {"error": "the runs database does not answer"}),
        Answer(502, "<html>", "text/html"),
    ],
)
def test_what_reads_is_repeated_while_the_dashboard_is_away(away):
    with serving(answers_in_turn(away, away, PAGE)) as (url, asked):
        assert list(Dashboard(url).runs()) == []
        assert len(asked) == 3


@pytest.mark.parametrize(
    "lost", [CUT, Answer(503, {"error": "away"}), Answer(500, {"error": "an error of its own"})]
)
def test_an_action_that_may_have_arrived_is_not_sent_again(lost):
    with serving(answers_in_turn(lost)) as (url, asked):
        with pytest.raises(bootstrax_client.ActionUnknown, match=r"read Dashboard\.actions"):
            Dashboard(url).act(HOLD, "why not")
        assert asked.count("POST /api/actions") == 1


def test_an_action_is_sent_again_where_a_login_or_a_token_has_ended():
    told = []

    def answer(method, path, headers):
        if path == "/api/session":
            return session(csrf=f"token {len(told)}")
        told.append(headers["x-bootstrax-csrf"])
        if len(told) == 1:
            return Answer(401, {"error": "log in first"})
        if len(told) == 2:
            return Answer(403, {"error": "the header x-bootstrax-csrf is not what ... gives"})
        return Answer(body={"actions": []})

    with serving(answer) as (url, _):
        assert Dashboard(url, name="anna", password="secret").act(HOLD, "why not") == []
    assert told == ["token 0", "token 1", "token 2"]


def test_where_nobody_listens_the_error_says_what_to_look_at():
    with serving(answers_in_turn(PAGE)) as (url, _):
        pass
    for call in (lambda d: d.run(7), lambda d: d.act(HOLD, "why not")):
        with pytest.raises(bootstrax_client.DashboardAway, match="Is it running there"):
            call(Dashboard(url, retry_seconds=0))


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (Answer(200, "<html>", "text/html"), "answers with text/html"),
        (Answer(302, "", headers=(("location", "https://sso.example.org"),)), "sso.example.org"),
        (Answer(404, "<html>", "text/html"), "answers 404 without JSON"),
    ],
)
def test_a_page_of_a_sign_on_is_not_taken_for_the_dashboard(page, told):
    with serving(answers_in_turn(page)) as (url, asked):
        with pytest.raises(bootstrax_client.NotTheDashboard, match=told):
            Dashboard(url).run(7)
        assert len(asked) == 1


def test_headers_for_a_proxy_go_with_every_request():
    sent = []

    def answer(_method, path, headers):
        sent.append(headers["authorization"])
        return session() if path == "/api/session" else Answer(body={"actions": []})

    with serving(answer) as (url, _):
        Dashboard(url, headers={"Authorization": "Bearer x"}).act(HOLD, "why not")
    assert sent == ["Bearer x"] * 2


def test_a_login_is_ended_at_the_close():
    with serving(answers_in_turn(PAGE)) as (url, asked):
        with Dashboard(url, name="anna", password="secret") as dashboard:
            assert list(dashboard.runs()) == []
        expected = ["POST /api/session", "GET /api/runs?limit=200", "DELETE /api/session"]
        assert asked == expected


def test_a_preview_leaves_out_the_targets_at_which_it_is_not_possible():
    impossible = Effect(None, "eb0", None, "y", possible=False, effect="It is silent.")
    preview = Preview("drain", [EFFECT, impossible], keep=None, on=None)
    assert not preview.possible
    assert preview.only_possible().effects == [EFFECT]
    assert "drain host eb0: not possible: It is silent." in str(preview)
    with pytest.raises(bootstrax_client.ActionNotPossible, match="host eb0: It is silent"):
        Dashboard().act(preview, "why not")
    with pytest.raises(bootstrax_client.ActionNotPossible, match="has no target"):
        Dashboard().act(Preview("drain", [], keep=None, on=None), "why not")
