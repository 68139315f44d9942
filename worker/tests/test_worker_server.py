"""The fork server itself: its lines, its end, and when it does not fork."""

import os
import signal

import pytest
from worker_support import Attempt, Server, alive, wait_for

from bootstrax_worker import protocol


@pytest.fixture
def serve():
    """Start fork servers that end with the test."""
    servers: list[Server] = []

    def start(*arguments, **options) -> Server:
        servers.append(Server(*arguments, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def test_hello_graph_ready_then_the_end(serve):
    server = serve()
    server.until("ready")
    assert [message["type"] for message in server.messages] == ["hello", "graph", "ready"]
    for message in server.messages:
        protocol.check("serverMessage", message)
    assert server.messages[0]["identity"]["pid"] == server.process.pid
    server.retire()
    assert server.process.returncode == 0
    assert server.receive() is None
    assert list(server.folder.iterdir()) == []


def test_the_next_manager_is_told_the_same_and_replaces_the_first(serve):
    server = serve()
    server.until("ready")
    second = server.connect()
    second.until("ready")
    assert second.messages == server.messages
    assert server.receive() == {"type": "replaced"}
    assert server.receive() is None
    second.close()
    third = server.connect()
    third.until("ready")
    third.close()
    assert server.process.poll() is None


def test_a_retired_server_refuses_attempts_and_ends_with_those_it_has(serve, tmp_path):
    server = serve()
    server.until("ready")
    running = Attempt(tmp_path / "a", runConfig={"tiny_fault": "hang"})
    guardian = server.fork(running)["guardian"]
    server.manager.send({"type": "retire"})
    refused = server.fork(Attempt(tmp_path / "b"))
    assert refused["type"] == "refused" and "takes no attempts" in refused["reason"]
    # Asked again for one that it has, it says the same.
    assert server.fork(running)["guardian"] == guardian
    with pytest.raises(FileNotFoundError):
        server.connect()
    server.manager.close()
    assert server.process.poll() is None
    os.kill(guardian["pid"], signal.SIGTERM)
    assert server.process.wait(30) == 0
    assert running.wait("exit.json")["signal"] == signal.SIGTERM


def test_a_guardian_that_is_told_to_end_at_once_records_its_end(serve, tmp_path):
    server = serve()
    server.until("ready")
    for i in range(10):
        attempt = Attempt(tmp_path / str(i), runConfig={"tiny_fault": "hang"})
        os.kill(server.fork(attempt)["guardian"]["pid"], signal.SIGTERM)
        assert attempt.wait("exit.json")["signal"] == signal.SIGTERM


def test_the_data_of_the_warm_up_goes_also_that_of_a_server_that_was_killed(serve, tmp_path):
    scratch = tmp_path / "cache" / "warm-up"
    killed = serve(scratch=scratch, options={"hanging_warm_up": True})
    wait_for(lambda: scratch.exists() and any(scratch.iterdir()))
    killed.process.kill()
    killed.process.wait(30)
    assert any(scratch.iterdir())
    (scratch / "not-ours").mkdir()
    serve(scratch=scratch).until("ready")
    assert [path.name for path in scratch.iterdir()] == ["not-ours"]


def test_without_a_folder_for_the_warm_up_attempts_start_cold(serve, tmp_path):
    (tmp_path / "file").touch()
    ready = serve(scratch=tmp_path / "file" / "warm-up").until("ready")
    assert not ready["warm"]
    assert "no folder for the warm-up run" in ready["why"]


def test_attempts_survive_their_server(serve, tmp_path):
    for end in (signal.SIGKILL, signal.SIGTERM, "retire"):
        server = serve()
        server.until("ready")
        attempt = Attempt(tmp_path / str(end), runConfig={"tiny_pause_seconds": 0.5})
        server.fork(attempt)
        started = attempt.wait("started.json")
        if end == "retire":
            server.manager.send({"type": "retire"})
            assert attempt.wait("exit.json")["code"] == 0
            server.process.wait(30)
            continue
        server.process.send_signal(end)
        server.process.wait(30)
        # End of file, although guardian and child still run: they keep nothing of the server's.
        assert server.receive() is None
        assert alive(started["guardian"]["pid"]) and alive(started["child"]["pid"])
        assert attempt.wait("exit.json")["code"] == 0
        assert attempt.read("result.json")["ok"]


def test_the_end_of_an_attempt_is_told_and_nothing_is_left(serve, tmp_path):
    server = serve()
    server.until("ready")
    attempt = Attempt(tmp_path)
    guardian = server.fork(attempt)["guardian"]
    assert server.until("ended")["attempt"] == attempt.id
    assert attempt.read("exit.json")["code"] == 0
    # Reaped, not merely dead.
    assert not os.path.exists(f"/proc/{guardian['pid']}")


def test_ctrl_c_does_not_end_the_server(serve, tmp_path):
    server = serve()
    server.until("ready")
    server.process.send_signal(signal.SIGINT)
    attempt = Attempt(tmp_path)
    assert server.fork(attempt)["warm"]
    attempt.wait("exit.json")


def test_a_context_that_cannot_be_built_is_told(serve):
    server = serve(options={"broken": True})
    message = server.until("context_failed")
    protocol.check("serverMessage", message)
    assert "the calibration file is missing" in message["summary"]
    assert "RuntimeError" in message["traceback"]
    assert server.process.wait(30) == 1


@pytest.mark.parametrize(
    ("options", "arguments", "why"),
    [
        ({"lingering_thread": True}, (), "lingerer"),
        ({}, ("--no-warm-up",), "switched off"),
    ],
)
def test_a_server_that_must_not_fork_starts_cold(serve, tmp_path, options, arguments, why):
    server = serve(options=options, arguments=arguments)
    ready = server.until("ready")
    assert ready["warm"] is False and why in ready["why"]
    attempt = Attempt(tmp_path, contextOptions=options, runConfig={"tiny_pause_seconds": 0.5})
    answer = server.fork(attempt)
    assert answer["warm"] is False and why in answer["why"]
    started = attempt.wait("started.json")
    assert started["guardian"] == answer["guardian"] and started["warm"] is False
    server.process.kill()
    server.process.wait(30)
    assert attempt.wait("exit.json")["code"] == 0, attempt.log()
    assert attempt.read("result.json")["ok"]


def test_a_guardian_is_small(serve, tmp_path):
    server = serve()
    server.until("ready")
    attempt = Attempt(tmp_path, runConfig={"tiny_fault": "hang"})
    server.fork(attempt)
    started = attempt.wait("started.json")
    wait_for(lambda: any(line["chunks"] for line in attempt.progress()))
    pid = started["guardian"]["pid"]
    with open(f"/proc/{pid}/smaps_rollup") as file:
        private = sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty"))
    assert private < 4096, f"guardian's private memory: {private} kB"
    os.kill(pid, signal.SIGTERM)
    attempt.wait("exit.json")


def test_settings_of_one_attempt_do_not_reach_the_next(serve, tmp_path):
    # Nothing that one attempt sets reaches the next: each is a fork of the untouched parent.
    server = serve()
    server.until("ready")
    many = Attempt(tmp_path / "a", runConfig={"tiny_chunks": 5})
    few = Attempt(tmp_path / "b")
    for attempt in (many, few):
        server.fork(attempt)
        attempt.wait("exit.json")
    assert many.progress()[-1]["chunks"] == 5
    assert few.progress()[-1]["chunks"] == 3
