"""Live data on disk, sound and faulty."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime
from itertools import pairwise

import lz4.frame
import numpy as np
import pytest

from bootstrax_worker.simulator import RunShape, run_document, write_live_data
from bootstrax_worker.simulator.__main__ import other_detector
from bootstrax_worker.simulator.layout import reader_files, record_dtype
from bootstrax_worker.simulator.live_data import intervals

DETECTORS = ("tpc", "muon_veto")
FILES = {name for detector in DETECTORS for name in reader_files(detector)}


def shape(**changes) -> RunShape:
    """A short run of two detectors."""
    given = {
        "detectors": DETECTORS,
        "seconds": 3.0,
        "chunk_seconds": 1.0,
        "overlap_seconds": 0.2,
        **changes,
    }
    return RunShape(**given)


def folders(directory) -> set[str]:
    """Names of the folders in a run's live data."""
    return {path.name for path in directory.iterdir()}


def test_chunks_and_overlaps_are_laid_out_as_redax_does(tmp_path):
    written = write_live_data(tmp_path, shape())
    assert folders(tmp_path) == {
        "000000",
        "000000_post",
        "000001_pre",
        "000001",
        "000001_post",
        "000002_pre",
        "000002",
        "THE_END",
    }
    assert written.chunks == 3
    for folder in tmp_path.iterdir():
        assert {path.name for path in folder.iterdir()} == FILES
    for name in FILES:
        post = (tmp_path / "000000_post" / name).read_bytes()
        assert post == (tmp_path / "000001_pre" / name).read_bytes()


@pytest.mark.parametrize("seconds", [0.0, 0.4, 1.0, 1.1, 1.2, 1.3, 2.4, 7.77])
def test_intervals_cover_the_run_without_gap(seconds):
    found = intervals(shape(seconds=seconds))
    assert found[0].start == 0
    assert found[-1].end == round(seconds * 1e9)
    assert found[-1].last
    for one, following in pairwise(found):
        assert one.end == following.start


def test_a_channel_is_always_read_by_the_same_thread(tmp_path):
    import strax

    from bootstrax_worker.simulator.layout import record_dtype

    write_live_data(tmp_path, shape())
    threads: dict[int, set[str]] = {}
    for name in FILES:
        records = strax.load_file(str(tmp_path / "000000" / name), "lz4", record_dtype(110))
        for channel in set(records["channel"].tolist()):
            threads.setdefault(channel, set()).add(name)
    assert threads
    assert all(len(names) == 1 for names in threads.values())


def test_corrupt_chunk_spoils_one_file(tmp_path):
    write_live_data(tmp_path / "sound", shape())
    write_live_data(tmp_path / "faulty", shape(fault="corrupt-chunk"))
    different = [
        path.relative_to(tmp_path / "sound")
        for path in (tmp_path / "sound").rglob("*_*_*")
        if path.is_file()
        and path.read_bytes()
        != (tmp_path / "faulty" / path.relative_to(tmp_path / "sound")).read_bytes()
    ]
    assert len(different) == 1
    assert different[0].parts[0] == "000001"


def test_missing_reader_file_means_that_a_thread_fell_silent(tmp_path):
    write_live_data(tmp_path, shape(fault="missing-reader-file"))
    assert len(list((tmp_path / "000000").iterdir())) == len(FILES)
    assert len(list((tmp_path / "000001").iterdir())) == len(FILES) - 1
    assert len(list((tmp_path / "THE_END").iterdir())) == len(FILES) - 1


@pytest.mark.parametrize("fault", ["never-ends", "no-the-end"])
def test_without_the_end(tmp_path, fault):
    write_live_data(tmp_path, shape(fault=fault))
    assert "000002" in folders(tmp_path)
    assert "THE_END" not in folders(tmp_path)


def test_an_empty_run_has_files_without_records(tmp_path):
    written = write_live_data(tmp_path, shape(fault="empty-run"))
    assert sum(written.records.values()) == 0
    assert {path.name for path in (tmp_path / "000001").iterdir()} == FILES


@pytest.mark.parametrize(
    "wrong", [{"detectors": ("tcp",)}, {"detectors": ()}, {"chunk_seconds": 0}, {"seconds": -1}]
)
def test_senseless_runs_are_refused(wrong):
    with pytest.raises(ValueError):
        shape(**wrong)


@pytest.mark.parametrize(("first", "last", "dt", "threads"), [(0, 7, 10, 2), (30, 30, 2, 1)])
def test_a_detector_of_another_experiment(tmp_path, first, last, dt, threads):
    telescope = other_detector(f"telescope:{first}:{last}:{dt}:{threads}")
    ours = shape(detectors=("telescope",), others=(telescope,), rate_hz=20)
    written = write_live_data(tmp_path, ours)
    files = {f"telescope_reader_0_{thread}" for thread in range(threads)}
    assert {path.name for path in (tmp_path / "THE_END").iterdir()} == files
    document = run_document(
        number=1, shape=ours, mode="cosmics", start=datetime.now(UTC), output_path="/live"
    )
    assert document["daq_config"]["processing_threads"] == {"telescope_reader_0": threads}
    pulses = np.concatenate(
        [
            np.frombuffer(lz4.frame.decompress(path.read_bytes()), record_dtype(110))
            for path in tmp_path.glob("00000[0-2]*/*")
        ]
    )
    assert set(pulses["dt"]) == {dt}
    assert set(pulses["channel"]) == set(range(first, last + 1))
    assert written.records["telescope"] > 60


def test_a_detector_that_cannot_be():
    for text in ("tpc:0:7:10:1", "telescope:7:0:10:1", "telescope:0:7:4:1", "telescope:0:7:10:0"):
        with pytest.raises(ArgumentTypeError):
            other_detector(text)
