"""Attempts carried out by real processes: fork server, guardian, child."""

import itertools
import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import strax
import tiny_context
from worker_support import Attempt, Server, alive, wait_for

from bootstrax_worker import protocol


@pytest.fixture(scope="module")
def server():
    server = Server()
    ready = server.until("ready")
    assert ready["warm"], ready["why"]
    yield server
    server.close()


@pytest.fixture
def run(server, tmp_path):
    """Start an attempt on the warm server."""

    def start(**changes) -> Attempt:
        attempt = Attempt(tmp_path, **changes)
        answer = server.fork(attempt)
        assert answer["type"] == "forked" and answer["warm"], answer
        return attempt

    return start


def gone(attempt: Attempt) -> None:
    """Wait until nothing of the attempt runs."""
    started = attempt.wait("started.json")
    for who in ("guardian", "child"):
        wait_for(lambda pid=started[who]["pid"]: not alive(pid))


def check_files(attempt: Attempt) -> None:
    """All files follow the protocol."""
    for name in ("started", "result", "exit"):
        document = attempt.read(f"{name}.json")
        if document is not None:
            protocol.check(name, document)
            assert document["attempt"] == attempt.id
    for line in attempt.progress():
        protocol.check("progress", line)


def load(output: Path, target: str) -> np.ndarray:
    context = tiny_context.tiny()
    context.storage = [strax.DataDirectory(str(output), readonly=True)]
    context.set_context_config({"forbid_creation_of": "*"})
    return context.get_array("000007", target, progress_bar=False)


@pytest.mark.parametrize(
    ("processor", "cores"),
    [("threaded_mailbox", 1), ("threaded_mailbox", 2), ("single_thread", 1)],
)
def test_a_run_becomes_data(run, tmp_path, processor, cores):
    attempt = run(
        processor=processor,
        cores=cores,
        targets=["tiny_double", "tiny_sum", "tiny_extra"],
        postProcessing=["tiny_late", "unheard_of", "tiny_sum"],
        runDocument="65f000000000000000000007",
    )
    ended = attempt.wait("exit.json")
    assert (ended["code"], ended["signal"], ended["orphaned"]) == (0, None, False), attempt.log()
    check_files(attempt)
    result = attempt.read("result.json")
    assert result["ok"] and result["error"] is None
    assert result["skipped"] == ["unheard_of"]
    assert result["versions"]["strax"] == strax.__version__
    products = {product["type"]: product for product in result["products"]}
    assert set(products) == {"tiny_raw", "tiny_double", "tiny_extra", "tiny_sum", "tiny_late"}
    raw = products["tiny_raw"]
    assert (raw["chunks"], raw["rows"]) == (3, 300)
    assert (raw["startNs"], raw["endNs"]) == ("0", "3000000000")
    assert {p["location"] for p in products.values()} == {
        str(attempt.output / name) for name in os.listdir(attempt.output)
    }
    lines = attempt.progress()
    phases = list(dict.fromkeys(line["phase"] for line in lines))
    assert phases == [*protocol.PHASES]
    announced = [line["folder"] for line in lines if "folder" in line]
    assert sorted(f["type"] for f in announced) == sorted(products)
    assert all(f["lineage"] == products[f["type"]]["lineage"] for f in announced)
    assert any("unheard_of" in line.get("warning", "") for line in lines)
    last = lines[-1]
    assert (last["chunks"], last["coveredSeconds"]) == (3, 3.0)
    assert last["bytes"] == sum(product["bytes"] for product in products.values())
    assert last["memoryBytes"] > 0 and ended["peakMemoryBytes"] >= last["memoryBytes"]
    stamp = {"attempt": attempt.id, "document": "65f000000000000000000007", "host": "here.test"}
    for path in attempt.output.glob("*/*-metadata.json"):
        assert json.loads(path.read_text())["bootstrax"] == stamp
    plain_output = tmp_path / "plain"
    plain = tiny_context.tiny()
    plain.storage = [strax.DataDirectory(str(plain_output))]
    for target in products:
        plain.make("000007", target)
        assert np.array_equal(load(attempt.output, target), load(plain_output, target))
        assert products[target]["lineageHash"] == plain.key_for("000007", target).lineage_hash
    gone(attempt)


def test_the_cold_way_is_the_same(tmp_path):
    attempt = Attempt(tmp_path)
    assert attempt.run_cold().returncode == 0, attempt.log()
    check_files(attempt)
    assert attempt.read("result.json")["ok"]
    assert attempt.read("exit.json")["code"] == 0
    assert attempt.read("started.json")["warm"] is False


def test_what_is_stored_is_not_made_again(run):
    first = run()
    first.wait("exit.json")
    second = run(targets=["tiny_sum"], postProcessing=["tiny_late"])
    second.wait("exit.json")
    result = second.read("result.json")
    assert result["ok"] and [p["type"] for p in result["products"]] == ["tiny_late"]


@pytest.mark.parametrize("cores", [1, 2])
def test_a_plugin_that_raises_is_named(run, cores):
    attempt = run(cores=cores, runConfig={"tiny_double_fault": "raise"})
    ended = attempt.wait("exit.json")
    assert (ended["code"], ended["signal"]) == (1, None)
    check_files(attempt)
    error = attempt.read("result.json")["error"]
    assert (error["type"], error["plugin"], error["origin"]) == ("ValueError", "tiny_double", "run")
    assert "the data is bad" in error["message"] and "misbehave" in error["traceback"]


def test_a_chunk_that_never_comes_is_named(run):
    attempt = run(runConfig={"tiny_fault": "no_data", "daq_input_dir": "/live/000007"})
    attempt.wait("exit.json")
    error = attempt.read("result.json")["error"]
    assert error["type"] == "InputTimeoutExceeded"
    assert (error["plugin"], error["file"]) == ("tiny_raw", "/live/000007/000001")


def test_a_full_disk_is_the_hosts_fault(run):
    attempt = run(cores=2, runConfig={"tiny_double_fault": "oserror:28"})
    attempt.wait("exit.json")
    assert attempt.read("result.json")["error"]["origin"] == "host"


def test_an_output_folder_that_cannot_be_is_the_hosts_fault(run, tmp_path):
    (tmp_path / "a-file").write_text("")
    attempt = run(outputDirectory=str(tmp_path / "a-file" / "output"))
    attempt.wait("exit.json")
    error = attempt.read("result.json")["error"]
    assert error["origin"] == "host" and "a-file" in error["message"]


def test_a_target_the_context_does_not_know_is_named(run):
    attempt = run(targets=["tiny_sum", "tiny_nonsense"])
    assert attempt.wait("exit.json")["code"] == 1
    assert "tiny_nonsense" in attempt.read("result.json")["error"]["message"]


@pytest.mark.parametrize("code", [0, 3, 75])
def test_exit_codes_are_recorded_and_nothing_else_is_believed(run, code):
    attempt = run(runConfig={"tiny_fault": f"exit:{code}"})
    ended = attempt.wait("exit.json")
    assert (ended["code"], ended["signal"]) == (code, None)
    assert ended["orphaned"] == (code == 75)
    assert attempt.read("result.json") is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM])
def test_signals_are_recorded(run, number):
    attempt = run(runConfig={"tiny_fault": f"signal:{int(number)}"})
    ended = attempt.wait("exit.json")
    assert (ended["code"], ended["signal"]) == (None, number)
    # A kill alone is no want of memory.
    assert ended["outOfMemory"] is False
    assert attempt.read("result.json") is None


def test_a_worker_process_of_strax_that_is_killed_fails_the_attempt(run):
    attempt = run(cores=2, runConfig={"tiny_double_fault": "signal:9"})
    ended = attempt.wait("exit.json")
    assert ended["code"] == 1
    assert attempt.read("result.json")["error"]["type"] == "BrokenProcessPool"


def test_what_the_child_leaves_behind_goes_with_it(run):
    attempt = run(runConfig={"tiny_fault": "fork_and_leave", "tiny_pause_seconds": 0.3})
    child = attempt.wait("started.json")["child"]["pid"]

    def stray():
        found = [int(p) for p in os.listdir("/proc") if p.isdigit()]
        return [p for p in found if p != child and group_of(p) == child]

    strays = wait_for(stray)
    assert attempt.wait("exit.json")["code"] == 0
    assert not any(alive(pid) for pid in strays)


@pytest.mark.parametrize("end", [None, 9])
def test_who_left_session_and_log_behind_goes_too(run, tmp_path, end):
    note = tmp_path / "stray"
    attempt = run(runConfig={"tiny_fault": f"fork_twice_and_leave:{note},{end or ''}"})
    assert attempt.wait("exit.json")["signal"] == end
    for file in (note, tmp_path / "stray.other"):
        assert not alive(int(file.read_text()))


def group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def hanging(run, fault="hang", **changes) -> tuple[Attempt, dict]:
    attempt = run(runConfig={"tiny_fault": fault}, **changes)
    wait_for(lambda: any(line["chunks"] == 1 for line in attempt.progress()))
    return attempt, attempt.wait("started.json")


def test_term_to_the_guardian_ends_the_child(run):
    attempt, started = hanging(run)
    os.kill(started["guardian"]["pid"], signal.SIGTERM)
    ended = attempt.wait("exit.json")
    assert (ended["code"], ended["signal"]) == (None, signal.SIGTERM)
    gone(attempt)


def test_a_child_that_ignores_term_is_killed(run):
    attempt, started = hanging(run, "ignore_term")
    # The chunk before the fault is read; give the fault itself its turn.
    wait_for(lambda: ignores_term(started["child"]["pid"]))
    os.kill(started["guardian"]["pid"], signal.SIGTERM)
    begin = time.monotonic()
    ended = attempt.wait("exit.json")
    assert ended["signal"] == signal.SIGKILL
    assert 2.5 < time.monotonic() - begin < 10
    gone(attempt)


def ignores_term(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    ignored = int(
        next(line for line in status.splitlines() if line.startswith("SigIgn")).split()[1], 16
    )
    return bool(ignored & (1 << (signal.SIGTERM - 1)))


def test_ctrl_c_reaches_neither(run):
    attempt, started = hanging(run)
    for who in ("guardian", "child"):
        os.kill(started[who]["pid"], signal.SIGINT)
    lines = len(attempt.progress())
    wait_for(lambda: len(attempt.progress()) > lines + 1)
    assert alive(started["guardian"]["pid"]) and alive(started["child"]["pid"])
    assert os.getsid(started["guardian"]["pid"]) == started["guardian"]["pid"]
    assert os.getpgid(started["child"]["pid"]) == started["child"]["pid"]
    assert os.getsid(started["child"]["pid"]) == started["guardian"]["pid"]
    assert Path(f"/proc/{started['child']['pid']}/oom_score_adj").read_text().strip() == "500"
    os.kill(started["guardian"]["pid"], signal.SIGTERM)
    gone(attempt)


def test_a_child_without_its_guardian_ends(run):
    attempt, started = hanging(run)
    os.kill(started["guardian"]["pid"], signal.SIGKILL)
    gone(attempt)
    assert attempt.read("exit.json") is None


def test_stacks_on_request(run):
    attempt, started = hanging(run)
    stacks = attempt.directory / "stacks.txt"

    def asked():
        # The child may not have come to the plugin that hangs when it is asked first.
        os.kill(started["child"]["pid"], signal.SIGUSR1)
        return "misbehave" in stacks.read_text()

    wait_for(asked)
    os.kill(started["guardian"]["pid"], signal.SIGTERM)
    gone(attempt)


def test_an_attempt_that_lost_its_run_ends_itself(run):
    attempt, _ = hanging(run)
    (attempt.directory / "superseded").touch()
    ended = attempt.wait("exit.json")
    assert (ended["code"], ended["orphaned"]) == (75, True)
    assert "lost its run" in attempt.log()


def test_an_orphan_ends_itself_and_a_followed_one_does_not(run, tmp_path):
    followed, _ = hanging(run, orphanLimitSeconds=2)
    elsewhere = str(tmp_path / "elsewhere")
    orphan, started = hanging(run, orphanLimitSeconds=2, outputDirectory=elsewhere)
    begin = time.monotonic()
    moment = 0

    def follow() -> bool:
        nonlocal moment
        moment += 1
        # Any change counts, whatever time it says.
        (followed.directory / "followed").touch()
        os.utime(followed.directory / "followed", (moment, moment))
        return orphan.read("exit.json") is not None

    wait_for(follow)
    assert orphan.read("exit.json")["orphaned"] is True
    assert not alive(started["child"]["pid"])
    wait_for(lambda: follow() and time.monotonic() - begin > 5)
    assert followed.read("exit.json") is None
    os.kill(followed.wait("started.json")["guardian"]["pid"], signal.SIGTERM)
    gone(followed)


def test_lines_come_every_second_while_nothing_happens(run):
    attempt, started = hanging(run)
    wait_for(lambda: attempt.progress()[-1]["t"] > 4)
    times = [line["t"] for line in attempt.progress()]
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < 2.5
    os.kill(started["guardian"]["pid"], signal.SIGTERM)
    gone(attempt)


def test_a_flood_of_output_goes_to_the_log(run):
    attempt = run(runConfig={"tiny_fault": "flood"})
    assert attempt.wait("exit.json")["code"] == 0
    assert attempt.log().count("x" * 79) == 200_000


def test_attempts_that_cannot_be_started_are_refused(server, tmp_path):
    wrong = Attempt(tmp_path, cores=0)
    answer = server.fork(wrong)
    assert answer["type"] == "refused" and "cores" in answer["reason"]
    absent = Attempt(tmp_path)
    (absent.directory / "plan.json").unlink()
    assert "plan.json" in server.fork(absent)["reason"]
    other = Attempt(tmp_path)
    (other.directory / "plan.json").write_text(json.dumps({**other.plan, "attempt": "0" * 24}))
    assert "belongs to attempt" in server.fork(other)["reason"]
    again = Attempt(tmp_path)
    forked = server.fork(again)
    again.wait("exit.json")
    # Not started a second time, but no stranger either.
    assert server.fork(again) == forked
    unknown = Attempt(tmp_path)
    (unknown.directory / "exit.json").write_text("{}")
    assert "started before" in server.fork(unknown)["reason"]


def test_a_garbled_request_harms_nobody(server, run):
    for line in (b"{", b'{"type": "fork"}', b"\xff\xfe", b"[]"):
        server.send(line)
    assert run().wait("exit.json")["code"] == 0


def test_another_context_than_the_warm_one_starts_cold(server, tmp_path):
    attempt = Attempt(tmp_path, contextOptions={"lingering_thread": False})
    answer = server.fork(attempt)
    assert answer["warm"] is False and "context" in answer["why"]
    assert attempt.wait("exit.json")["code"] == 0
