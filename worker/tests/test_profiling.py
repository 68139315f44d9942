"""Profiles and mailbox logs of attempts, as real processes make them."""

import pstats
import sys
import threading
from types import SimpleNamespace

import pytest
from worker_support import Attempt, Server

from bootstrax_worker import debugging, profiling


@pytest.fixture(scope="module")
def server():
    server = Server()
    assert server.until("ready")["warm"]
    yield server
    server.close()


@pytest.fixture
def run(server, tmp_path):
    """Carry out an attempt on the warm server, to its end."""

    def carry_out(**changes) -> Attempt:
        attempt = Attempt(tmp_path, **changes)
        assert server.fork(attempt)["type"] == "forked"
        attempt.wait("exit.json")
        return attempt

    return carry_out


def names(path) -> set[str]:
    """Functions that a profile has seen, without their classes."""
    return {name.rpartition(".")[2] for _, _, name in pstats.Stats(str(path)).stats}


@pytest.mark.parametrize("name", ["night", "night.prof"])
def test_profile_sees_what_the_plugins_do(run, name):
    attempt = run(profile=name)
    assert attempt.read("result.json")["ok"]
    # Plugins compute in threads of strax, not in the one that called it.
    assert {"compute", "make"} <= names(attempt.directory / "run000007_night.prof")


def test_a_failed_attempt_has_its_profile_too(run):
    attempt = run(profile="x", runConfig={"tiny_fault": "raise"})
    assert not attempt.read("result.json")["ok"]
    assert "misbehave" in names(attempt.directory / "run000007_x.prof")


def test_no_profile_unless_asked_for(run):
    attempt = run()
    assert attempt.read("result.json")["ok"]
    assert not list(attempt.directory.glob("*.prof"))
    assert "DEBUG" not in (attempt.directory / "log.txt").read_text()


def test_a_profile_that_cannot_be_written_fails_nothing(tmp_path, capsys):
    with profiling.profiled(str(tmp_path / "nowhere" / "run.prof")):
        pass
    assert "cannot write the profile" in capsys.readouterr().err


def test_without_yappi_the_log_says_why_there_is_no_profile(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "yappi", None)
    with profiling.profiled(str(tmp_path / "run.prof")):
        pass
    assert "no profile" in capsys.readouterr().err
    assert not (tmp_path / "run.prof").exists()


def test_every_thread_is_profiled(tmp_path):
    def in_a_thread():
        sum(range(10))

    path = tmp_path / "run.prof"
    with profiling.profiled(str(path)):
        thread = threading.Thread(target=in_a_thread)
        thread.start()
        thread.join()
    assert "in_a_thread" in names(path)


def test_debug_shows_how_full_the_mailboxes_are(run):
    attempt = run(debug=True, runConfig={"tiny_chunks": 8, "tiny_pause_seconds": 1.0})
    assert attempt.read("result.json")["ok"]
    log = (attempt.directory / "log.txt").read_text()
    assert "DEBUG" in log
    assert "DEBUG bootstrax.mailboxes: " in log
    assert "/4" in log


def test_fullest_mailboxes_come_first():
    def mailbox(name, messages, most):
        return SimpleNamespace(name=name, _mailbox=[0] * messages, max_messages=most)

    boxes = [mailbox("a", 0, 4), mailbox("b", 4, 4), mailbox("c", 3, float("inf"))]
    assert debugging.fill_of(boxes) == "b 4/4 FULL | a 0/4 | c 3/inf"
