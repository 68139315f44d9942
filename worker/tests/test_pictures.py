"""Pictures of the data: what they sum, and that nothing they do reaches the run."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from worker_support import Attempt, Server, wait_for

from bootstrax_worker import crash_points
from bootstrax_worker.memory import descendants
from bootstrax_worker.pictures import Axis, Channels, Histogram, Histogram2D, Shares, Value
from bootstrax_worker.pictures.reader import MOST_BYTES, checked
from bootstrax_worker.pictures.shapes import OddPicture
from bootstrax_worker.pictures.sums import PictureSum, TypeSum
from bootstrax_worker.pictures.time_bins import SECOND_NS, TimeBins

COMMON = {
    "of": "things",
    "title": "Things",
    "normal": "flat.",
    "otherwise": "look again.",
    "value": Value("things", "1/s"),
}
THINGS = np.array([(1.0, 2.0), (3.0, 9.0), (np.nan, 1.0), (50.0, 1.0)], [("a", "f8"), ("b", "f8")])


def lines_of(picture, *chunks):
    """What a picture says of these chunks of a second each."""
    total = PictureSum(picture)
    for number, rows in enumerate(chunks):
        total.add(rows, number * SECOND_NS, (number + 1) * SECOND_NS)
    said = total.said()
    json.dumps(said, allow_nan=False)
    return said, {line["label"]: line for line in said["lines"]}


def test_a_histogram_counts_what_is_inside_and_what_is_outside_of_its_axis():
    picture = Histogram(
        "things", x=Axis("a", "", 0, 10, 10), values=lambda rows: {"all": rows["a"]}, **COMMON
    )
    said, lines = lines_of(picture, THINGS, THINGS, None)
    assert lines["all"]["sums"] == [0, 2, 0, 2, 0, 0, 0, 0, 0, 0]
    assert (said["entries"], said["outside"], said["seconds"]) == (4, 2, 3)


def test_a_histogram_of_two_axes_has_the_first_axis_first():
    axes = {"x": Axis("a", "", 0, 10, 2), "y": Axis("b", "", 0, 10, 2)}
    picture = Histogram2D("map", values=lambda rows: (rows["a"], rows["b"]), **axes, **COMMON)
    said, lines = lines_of(picture, THINGS)
    # (1, 2) is low in both; (3, 9) is low in x and high in y.
    assert lines["all"]["sums"] == [1, 1, 0, 0]
    assert (said["entries"], said["outside"]) == (2, 1)
    ready = Histogram2D("map", counts=lambda rows: np.arange(4).reshape(2, 2), **axes, **COMMON)
    assert lines_of(ready, THINGS)[1]["all"]["sums"] == [0, 1, 2, 3]


def test_a_mean_by_channel_is_weighted_and_a_channel_without_weight_has_none():
    picture = Channels(
        "noise",
        channels=3,
        sums=lambda rows: {"rms": (np.array([2.0, 0, 9]), np.array([1, 0, 3]))},
        **COMMON,
    )
    said, lines = lines_of(picture, THINGS, THINGS)
    assert lines["rms"]["sums"] == [4, 0, 18] and lines["rms"]["weights"] == [2, 0, 6]
    assert said["entries"] == 8


def test_intervals_of_dead_time_that_overlap_count_once():
    def of(*pairs):
        return tuple(np.array(each) * SECOND_NS for each in zip(*pairs, strict=True))

    found = {"busy": of((0, 4), (1, 2), (3, 5)), "hev": of((4, 6), (8, 9))}
    picture = Shares("dead", intervals=lambda rows: found, kinds=("busy", "other"), **COMMON)
    _, lines = lines_of(picture, THINGS)
    seconds = {label: line["sums"][0] for label, line in lines.items()}
    assert seconds == {"busy": 5, "other": 0, "hev": 3, "any": 7}
    # A run without any: all of it is live.
    _, lines = lines_of(picture, None)
    assert {label: line["sums"][0] for label, line in lines.items()} == {
        "busy": 0,
        "other": 0,
        "any": 0,
    }


def test_a_function_that_raises_ends_its_own_picture_only():
    def fails(rows):
        raise KeyError("no such field")

    picture = Histogram("things", x=Axis("a", "", 0, 1, 1), values=fails, **COMMON)
    said, _ = lines_of(picture, THINGS, THINGS)
    assert said["problem"] == "KeyError: 'no such field'" and said["lines"] == []


@pytest.mark.parametrize("chunks", [[0, 1, 2, 3], [3, 2, 1, 0], [700, 5, 0, 1300]])
def test_time_bins_keep_every_amount_in_any_order(chunks):
    bins = TimeBins(60)
    begin = 1_700_000_000
    for chunk in chunks:
        start = (begin + 5 * chunk) * SECOND_NS
        bins.cover(start, start + 5 * SECOND_NS)
        bins.add("a", np.array([start, start + 4 * SECOND_NS]))
        bins.spread("b", start, start + 5 * SECOND_NS, 10)
    said = bins.said()
    assert len(said["live"]) <= 60
    assert sum(said["live"]) == pytest.approx(20)
    assert sum(said["lines"]["a"]) == 8
    assert sum(said["lines"]["b"]) == pytest.approx(40, rel=1e-3)
    first = begin + 5 * min(chunks)
    assert said["start"] <= first < said["start"] + said["step"]


def test_a_run_of_a_week_has_as_many_points_as_one_of_an_hour():
    total = TypeSum()
    for chunk in range(0, 7 * 86_400, 5):
        total.add(10, 1000, chunk * SECOND_NS, (chunk + 5) * SECOND_NS)
    series = total.series()
    assert 30 <= len(series["rows"]) <= 60
    assert len(json.dumps(series)) < 2000
    assert sum(series["live"]) == pytest.approx(7 * 86_400)


def test_pictures_that_cannot_be_drawn_are_refused_by_name():
    def histogram(**changes):
        fields = {"x": Axis("a", "", 0, 1, 1), "values": lambda rows: {}, **COMMON, **changes}
        return Histogram("things", **fields)

    with pytest.raises(OddPicture, match="two pictures are named things"):
        checked([histogram(), histogram()])
    with pytest.raises(OddPicture, match="more than 20000 cells"):
        checked([histogram(x=Axis("a", "", 0, 1, 20_001))])
    with pytest.raises(OddPicture, match="normal is empty"):
        checked([histogram(normal="")])
    with pytest.raises(OddPicture, match="int is no picture"):
        checked([7])


class Pictured:
    """A warm fork server of the context with pictures."""

    def __init__(self, folder: Path) -> None:
        self.faults = folder / "faults"
        self.server = Server("pictured_context:pictured", {"faults": str(self.faults)})
        self.server.until("ready")

    def take(self, root: Path, fault="", **changes) -> Attempt:
        """An attempt that has been forked, whose pictures have this fault."""
        self.faults.write_text(fault)
        options = {"faults": str(self.faults), **changes.pop("contextOptions", {})}
        context = "pictured_context:pictured"
        attempt = Attempt(root, context=context, contextOptions=options, **changes)
        self.answer = self.server.fork(attempt)
        return attempt

    def end_readers(self) -> None:
        """End those that hang: they would do so by themselves, in a minute."""
        for pid in descendants(self.server.process.pid)[1:]:
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def pictured(tmp_path_factory):
    """Ends with the tests of this file."""
    started = Pictured(tmp_path_factory.mktemp("pictured"))
    yield started
    started.end_readers()
    started.server.close()


def final_pictures(attempt: Attempt) -> dict:
    def final():
        said = attempt.read("pictures.json")
        return said if said is not None and said["final"] else None

    return wait_for(final)


def test_the_final_pictures_show_exactly_what_is_stored(pictured, tmp_path):
    attempt = pictured.take(tmp_path, runConfig={"tiny_chunks": 5})
    said = final_pictures(attempt)
    assert len((attempt.directory / "pictures.json").read_bytes()) <= MOST_BYTES
    stored = {each["type"]: each for each in said["stored"]}
    products = {each["type"]: each["rows"] for each in attempt.read("result.json")["products"]}
    assert {name: each["rows"] for name, each in stored.items()} == products
    # Stored in one chunk, but counted as it was made.
    assert stored["tiny_double"]["series"]["rows"] == [100] * 5
    places, rate = said["pictures"]
    assert places["lines"][0]["sums"] == [50] * 10 and places["seconds"] == 5
    assert rate["lines"][0]["sums"] == [100] * 5 and rate["time"]["live"] == [1] * 5


@pytest.mark.parametrize("cores", [1, 2])
def test_a_run_in_work_has_pictures_of_types_that_are_stored_at_its_end(pictured, tmp_path, cores):
    config = {"tiny_chunks": 400, "tiny_pause_seconds": 0.1}
    attempt = pictured.take(tmp_path, runConfig=config, cores=cores)

    def seen():
        said = attempt.read("pictures.json")
        return said is not None and said["pictures"] and said["pictures"][0]["entries"] > 100

    wait_for(seen)
    assert attempt.read("exit.json") is None
    os.kill(pictured.answer["guardian"]["pid"], signal.SIGTERM)
    assert final_pictures(attempt)["pictures"][0]["entries"] > 100


FAULTS = [f"declare:{what}" for what in ("raise", "hang", "kill", "memory", "exit")] + [
    f"fill:{what}" for what in ("raise", "hang", "spin", "kill", "memory", "exit")
]


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_a_picture_does_the_run_is_as_it_was(pictured, tmp_path, fault):
    chunks = {"tiny_chunks": 20}
    without = pictured.take(tmp_path / "without", pictures=False, runConfig=chunks)
    expected = products_of(without)
    assert without.wait("exit.json")["code"] == 0
    assert without.read("pictures.json") is None
    attempt = pictured.take(tmp_path / "with", fault, runConfig=chunks)
    assert attempt.wait("exit.json")["code"] == 0
    assert products_of(attempt) == expected
    if fault == "declare:raise":
        said = final_pictures(attempt)
        assert "this picture cannot be made" in said["problem"] and said["stored"]
    if fault == "fill:raise":
        said = final_pictures(attempt)
        assert [each["problem"] is None for each in said["pictures"]] == [False, True]
    pictured.end_readers()


@pytest.mark.parametrize("cut", ["pictures.json:before", "pictures.json:after#2"])
def test_a_power_cut_of_the_pictures_is_none_of_the_run(monkeypatch, tmp_path, cut):
    monkeypatch.setenv(crash_points.VARIABLE, cut)
    cutting = Pictured(tmp_path)
    try:
        attempt = cutting.take(tmp_path, runConfig={"tiny_chunks": 3, "tiny_pause_seconds": 0.5})
        assert attempt.wait("exit.json")["code"] == 0
        products_of(attempt)
        wait_for(lambda: len(descendants(cutting.server.process.pid)) == 1)
        assert "killed here" not in attempt.log()
    finally:
        cutting.server.close()


def products_of(attempt: Attempt) -> list:
    result = attempt.wait("result.json")
    assert result["ok"]
    return [(each["type"], each["rows"], each["digest"]) for each in result["products"]]


def test_an_attempt_in_a_cold_process_has_pictures_of_what_it_has_stored(pictured, tmp_path):
    other = {"faults": str(tmp_path / "none")}
    attempt = pictured.take(tmp_path, contextOptions=other, runConfig={"tiny_chunks": 5})
    assert not pictured.answer["warm"]
    said = final_pictures(attempt)
    assert said["pictures"][0]["lines"][0]["sums"] == [50] * 10
