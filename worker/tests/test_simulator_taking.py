"""Runs taken by the simulator on a real database server."""

import json
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bson import json_util
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from worker_support import environment, wait_for


class Server:
    """A database server of its own, which may be killed and started again."""

    def __init__(self, storage: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._storage = storage
        self.url = f"mongodb://127.0.0.1:{self._port}"
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                str(Path(sys.executable).parent / "secantusd-py"),
                *("--port", str(self._port), "--storage-path", str(self._storage)),
                *("--cache-size", "64M", "--sync-on-commit"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._answers)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            with MongoClient(self.url, serverSelectionTimeoutMS=500) as client:
                return bool(client.admin.command("ping"))
        except PyMongoError:
            return False


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """URL of a database server of its own."""
    started = Server(tmp_path_factory.mktemp("database"))
    started.start()
    yield started.url
    started.kill()


@pytest.fixture
def databases(server, tmp_path):
    """The simulator's databases, of this test only."""
    name = tmp_path.name.replace("-", "_")[-40:]
    with MongoClient(server, tz_aware=True) as client:
        yield client, f"runs_{name}", f"daq_{name}"


def simulator(*arguments: str, **options) -> subprocess.CompletedProcess:
    """Run the simulator to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bootstrax_worker.simulator", *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


@pytest.fixture
def take(databases, tmp_path):
    """Take short runs as fast as possible; gives the events that were printed."""
    client, runs_db, daq_db = databases
    client.admin.command("ping")
    url = "mongodb://{}:{}".format(*client.address)

    def run(*arguments: str, speed: str = "0") -> list[dict]:
        done = simulator(
            *("--mongo-url", url, "--runs-db", runs_db, "--daq-db", daq_db),
            *("--live-data", str(tmp_path / "live"), "--seconds", "3", "--rate", "2"),
            *("--chunk-seconds", "1", "--overlap-seconds", "0.2", "--gap-seconds", "0"),
            *("--speed", speed, "--json", *arguments),
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    run.documents = lambda: list(client[runs_db].runs.find({}, {"_id": 0}).sort("number", 1))
    run.statuses = lambda: list(client[daq_db].aggregate_status.find({}, {"_id": 0}))
    return run


def test_a_run_as_the_daq_leaves_it(take, tmp_path):
    events = take()
    (run,) = take.documents()
    live = str(tmp_path / "live")
    assert run["number"] == 1
    assert run["detectors"] == ["tpc"]
    assert run["mode"] == "tpc_bkg"
    assert run["bootstrax"] == {"state": None}
    assert run["end"] - run["start"] == timedelta(seconds=3)
    assert abs(run["end"] - datetime.now(UTC)) < timedelta(seconds=60)
    assert run["data"] == [{"type": "live", "host": "daq", "location": live}]
    assert run["rate"]["tpc"]["avg"] > 0
    assert run["daq_config"] == {
        "name": "tpc_bkg",
        "processing_threads": {"reader0_reader_0": 2, "reader1_reader_0": 2},
        "strax_chunk_length": 1.0,
        "strax_chunk_overlap": 0.2,
        "strax_fragment_payload_bytes": 220,
        "compressor": "lz4",
        "strax_output_path": live,
    }
    assert (tmp_path / "live" / "000001" / "THE_END").is_dir()
    assert [event["event"] for event in events if event["event"] != "chunk"] == [
        *("start", "document", "the_end", "end", "rate", "taken")
    ]
    *running, idle = take.statuses()
    assert {status["number"] for status in running} == {1}
    assert all(status["rate"] > 0 and status["status"] == 3 for status in running)
    assert (idle["number"], idle["status"]) == (None, 0)


def test_numbers_go_on_from_the_highest(take):
    take("--runs", "2")
    take()
    assert [run["number"] for run in take.documents()] == [1, 2, 3]


def test_unlinked_detectors_take_runs_at_the_same_time(take):
    events = take(
        *("--detectors", "tpc", "--detectors", "neutron_veto", "--detectors", "muon_veto"),
        speed="2",
    )
    assert {tuple(run["detectors"]) for run in take.documents()} == {
        ("tpc",),
        ("neutron_veto",),
        ("muon_veto",),
    }
    order = [event["event"] for event in events]
    assert order[:3] == ["start"] * 3, "each began before any was over"


def test_linked_detectors_share_a_run(take):
    take("--detectors", "tpc,neutron_veto,muon_veto", "--mode", "tpc_kr83m")
    (run,) = take.documents()
    assert run["detectors"] == ["tpc", "neutron_veto", "muon_veto"]
    assert run["mode"] == "tpc_kr83m"
    assert sum(run["daq_config"]["processing_threads"].values()) == 7
    assert set(run["rate"]) == set(run["detectors"])


def test_runs_take_several_modes_by_turns(take):
    take("--runs", "3", "--mode", "tpc_bkg, tpc_kr83m", "--detector-fault", "hot-tube")
    assert [run["mode"] for run in take.documents()] == ["tpc_bkg", "tpc_kr83m", "tpc_bkg"]


def test_faults_of_the_document(take, tmp_path):
    take("--fault", "no-data-field")
    take("--fault", "never-ends")
    take("--fault", "no-live-data")
    no_data, endless, no_files = take.documents()
    assert "data" not in no_data
    assert endless["end"] is None
    assert "rate" not in endless
    assert no_files["end"] is not None
    assert not (tmp_path / "live" / "000003").exists()


def test_live_data_without_a_document(take, tmp_path):
    take("--fault", "no-document")
    assert take.documents() == []
    assert (tmp_path / "live" / "000001" / "THE_END").is_dir()


def test_a_silent_status_speaks_up_after_nine_seconds(take):
    take("--fault", "silent-status", "--seconds", "13", "--reported-rate", "400")
    running = [status for status in take.statuses() if status["number"] == 1]
    assert len(running) == 1
    assert running[0]["rate"] == 400


def test_a_late_end(take):
    events = take("--fault", "late-end", speed="20")
    at = {event["event"]: datetime.fromisoformat(event["time"]) for event in events}
    assert at["end"] - at["the_end"] > timedelta(seconds=2)


def test_chunks_come_in_real_time(take):
    events = take(speed="4")
    at = [datetime.fromisoformat(e["time"]) for e in events if e["event"] in ("chunk", "start")]
    assert at[-1] - at[0] >= timedelta(seconds=3 / 4)


def test_without_a_database(tmp_path):
    done = simulator(
        *("--no-database", "--number", "12", "--live-data", str(tmp_path), "--seconds", "2"),
    )
    assert done.returncode == 0, done.stderr
    document = json_util.loads(done.stdout)
    assert document["number"] == 12
    assert document["end"] - document["start"] == timedelta(seconds=2)
    assert (tmp_path / "000012" / "THE_END").is_dir()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "--mongo-url is needed"),
        (("--no-database", "--detectors", "tcp"), "unknown detectors"),
        (("--no-database", "--detectors", "tpc", "--detectors", "tpc"), "one run at a time"),
        (("--no-database", "--fault", "late-end"), "needs a database"),
        (("--no-database", "--rate", "1000000"), "lower rate"),
    ],
)
def test_wrong_usage_ends_with_2(tmp_path, arguments, says):
    done = simulator("--live-data", str(tmp_path / "live"), *arguments)
    assert done.returncode == 2
    assert says in done.stderr


def test_an_unreachable_database_is_said(tmp_path):
    done = simulator(
        *("--live-data", str(tmp_path), "--mongo-url"),
        "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300",
    )
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr


def test_told_to_stop_it_stops(server, tmp_path):
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "bootstrax_worker.simulator", "--mongo-url", server),
            *("--runs-db", "stopped", "--live-data", str(tmp_path), "--runs", "0", "--json"),
        ],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert json.loads(process.stdout.readline())["event"] == "start"
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "it has no end" in errors


def test_an_outage_of_the_database_is_waited_for(tmp_path):
    server = Server(tmp_path / "database")
    server.start()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "bootstrax_worker.simulator", "--mongo-url", server.url),
            *("--live-data", str(tmp_path / "live"), "--seconds", "4", "--chunk-seconds", "1"),
            *("--rate", "2", "--json"),
        ],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def reads(event: str) -> None:
        for line in process.stdout:
            if json.loads(line)["event"] == event:
                return
        raise AssertionError(f"it ended before {event}: {process.stderr.read()}")

    try:
        reads("document")
        server.kill()
        # The readers do not need the database.
        reads("the_end")
        server.start()
        reads("taken")
        assert process.wait(30) == 0
        with MongoClient(server.url) as client:
            (run,) = client["xenonnt"].runs.find()
        assert run["end"] - run["start"] == timedelta(seconds=4)
        assert run["rate"]["tpc"]["avg"] > 0
    finally:
        process.kill()
        server.kill()
