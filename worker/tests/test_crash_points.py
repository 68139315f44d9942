"""Crash points of guardian and child."""

import json
import os
import signal
import subprocess
import sys

import pytest

from bootstrax_worker import crash_points, durable

WRITER = """
import sys
from bootstrax_worker import durable
for _ in range(3):
    durable.write_json(sys.argv[1], {"whole": True})
    durable.sync_file_system("/tmp")
"""


def write(path, cut=None):
    environment = {**os.environ, crash_points.VARIABLE: cut or ""}
    return subprocess.run(
        [sys.executable, "-c", WRITER, path], env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("moment", "left"),
    [("before", []), ("temporary", [".tmp"]), ("after", [".json"])],
)
def test_a_file_is_there_in_full_or_not_at_all(tmp_path, moment, left):
    done = write(str(tmp_path / "exit.json"), f"exit.json:{moment}")
    assert done.returncode == -signal.SIGKILL
    assert done.stderr == f"crash point exit.json:{moment}: killed here\n"
    assert [path.suffix for path in tmp_path.iterdir()] == left
    for path in tmp_path.iterdir():
        assert json.loads(path.read_text()) == {"whole": True}


def test_the_passage_is_counted(tmp_path):
    assert write(str(tmp_path / "exit.json"), "syncfs:after#3").returncode == -signal.SIGKILL
    assert write(str(tmp_path / "exit.json"), "syncfs:after#4").returncode == 0
    assert write(str(tmp_path / "exit.json")).returncode == 0


def test_a_write_without_a_listed_name_is_an_error(tmp_path):
    with pytest.raises(crash_points.UnknownPoint, match=r"unlisted\.json"):
        durable.write_json(str(tmp_path / "unlisted.json"), {})


@pytest.mark.parametrize("text", ["nonsense", "exit.json", "exit.json:after#0", "#2"])
def test_a_misspelt_point_ends_the_worker_at_its_start(text):
    done = subprocess.run(
        [sys.executable, "-m", "bootstrax_worker", "attempt", "/nowhere"],
        env={**os.environ, crash_points.VARIABLE: text},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr == f"BOOTSTRAX_CRASH_AT is {text!r}, which is no crash point\n"


def test_the_names_of_the_manager_are_known():
    assert crash_points.cut_of("runs.claim:before#2") == ("runs.claim:before", 2)
    assert crash_points.cut_of("") is None
    assert crash_points.WORKER < crash_points.ALL
