"""Plugins that read live data in a way of their own, in real attempts."""

import pytest
from worker_support import Attempt, Server


@pytest.fixture(scope="module")
def server():
    server = Server()
    assert server.until("ready")["warm"]
    yield server
    server.close()


@pytest.fixture(params=["forked", "cold"])
def read_input(request, server, tmp_path):
    """What the result of an attempt says of its input."""

    def run(reader: str) -> dict:
        live = tmp_path / "live" / "000007"
        for chunk in range(3):
            (live / f"{chunk:06d}").mkdir(parents=True)
            (live / f"{chunk:06d}" / "reader0_0").write_text("pulse\n" * (chunk + 1))
        config = {
            "tiny_reader": reader,
            "daq_input_dir": str(live),
            "readout_threads": {"reader0": 1},
        }
        attempt = Attempt(tmp_path, runConfig=config, liveDataDirectory=str(live))
        if request.param == "cold":
            attempt.run_cold()
        else:
            server.fork(attempt)
            attempt.wait("exit.json")
        result = attempt.read("result.json")
        assert result["ok"], result["error"]
        return result["input"]

    return run


def test_one_that_tells_of_each_file_is_accounted_for(read_input):
    found = read_input("telling")
    assert found["accounted"]
    assert (found["chunks"], found["files"], found["bytes"], found["rows"]) == (3, 3, 36, 6)
    assert (found["missingCount"], found["unreadCount"]) == (0, 0)


def test_one_that_tells_nothing_is_not_and_the_result_says_so(read_input):
    found = read_input("silent")
    assert not found["accounted"]
    assert (found["chunks"], found["files"]) == (0, 0)
