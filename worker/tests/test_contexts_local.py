"""The real straxen plugins with calibration from files, on simulated live data.

The module compiles straxen's numba functions once, in its own process, and forks like the worker.
"""

import json
import os
import shutil
import threading
import traceback
from pathlib import Path

import numpy as np
import pytest
import strax
import straxen
from simulated_runs import ALL, assert_nothing_lost, strax_config

from bootstrax_worker.contexts import local_xenonnt as module
from bootstrax_worker.contexts.local_xenonnt import CALIBRATION, local_xenonnt
from bootstrax_worker.simulator import RunShape, write_live_data

TARGETS = (
    "event_info",
    "events_nv",
    "events_mv",
    "online_peak_monitor",
    "online_monitor_nv",
    "online_monitor_mv",
    "veto_proximity",
)
# More chunks than a mailbox holds by default.
SHAPE = RunShape(detectors=ALL, seconds=9.0, chunk_seconds=1.0, overlap_seconds=0.2, rate_hz=10)
RAW_TYPES = {
    "raw_records": (0, 493),
    "raw_records_he": (500, 752),
    "raw_records_aqmon": (790, 807),
    "raw_records_aqmon_nv": (808, 815),
    "raw_records_mv": (1000, 1083),
    "raw_records_nv": (2000, 2119),
}


@pytest.fixture(scope="module")
def live_data(tmp_path_factory):
    """Folder with the live data of run 7."""
    folder = tmp_path_factory.mktemp("live")
    write_live_data(folder / "000007", SHAPE)
    return folder


@pytest.fixture(scope="module")
def calibration(tmp_path_factory):
    """A copy of the calibration files, to change."""
    folder = tmp_path_factory.mktemp("constants") / "files"
    shutil.copytree(CALIBRATION, folder)
    return folder


@pytest.fixture(scope="module")
def warm(calibration, tmp_path_factory):
    """The context as the fork server holds it."""
    context = local_xenonnt(calibration=str(calibration))
    module.warm_up(context, str(tmp_path_factory.mktemp("warm")))
    return context


def set_up(context, live_data: Path, output: Path, cores: int = 1) -> None:
    """What the worker does between fork and processing."""
    module.prepare(context, {"cores": cores, "recordsCompressor": "lz4"})
    context.set_config(strax_config(live_data, SHAPE))
    context.set_context_config({"timeout": 120, "max_messages": 4, "allow_multiprocess": cores > 1})
    context.storage = [strax.DataDirectory(str(output))]


def make(context, targets=TARGETS, cores: int = 1, processor: str = "threaded_mailbox") -> None:
    """Make the targets as the worker does for this processor."""
    if processor == "threaded_mailbox":
        context.make(
            "000007",
            targets,
            allow_multiple=len(targets) > 1,
            processor=processor,
            max_workers=cores,
            progress_bar=False,
        )
    else:
        for target in targets:
            context.make("000007", target, processor=processor, progress_bar=False)


def in_child(work) -> None:
    """Do the work in a forked process; fails with what was raised there."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os.write(writing, b"ok")
        except BaseException:
            os.write(writing, traceback.format_exc()[-3000:].encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        outcome = said.read()
    os.waitpid(pid, 0)
    assert outcome == "ok", outcome


def in_child_made(warm, live_data, output, **how) -> None:
    """Make the targets in a child forked from the warm context."""

    def work():
        set_up(warm, live_data, output, how.get("cores", 1))
        make(warm, **how)

    in_child(work)


def reader(calibration: Path, live_data: Path, output: Path):
    """A fresh context to load what lies in `output`."""
    context = local_xenonnt(calibration=str(calibration))
    context.set_config(strax_config(live_data, SHAPE))
    context.storage = [strax.DataDirectory(str(output))]
    context.set_context_config({"forbid_creation_of": "*"})
    return context


def arrays(context, targets=TARGETS) -> dict[str, np.ndarray]:
    """All rows of each target."""
    return {t: context.get_array("000007", t, progress_bar=False) for t in targets}


@pytest.fixture(scope="module")
def made(warm, live_data, calibration, tmp_path_factory):
    """The default targets of run 7, made in a forked child."""
    output = tmp_path_factory.mktemp("made")
    in_child_made(warm, live_data, output)
    return reader(calibration, live_data, output)


def test_after_the_warm_up_the_process_is_safe_to_fork(warm):
    assert threading.active_count() == 1
    assert warm.storage == []
    assert "daq_input_dir" not in warm.config
    assert not straxen.common._resource_cache


def test_nothing_is_lost_between_live_data_and_raw_records(made, live_data):
    assert_nothing_lost(made, 7, live_data / "000007", RAW_TYPES)


def test_every_target_has_rows(made):
    for target, rows in arrays(made).items():
        assert len(rows), target


def test_events_have_both_signals(made):
    events = made.get_array("000007", "event_info", progress_bar=False)
    whole = events[np.isfinite(events["drift_time"])]
    assert len(whole) > len(events) / 2
    assert (whole["e_ces"] > 0).all()
    assert np.isfinite(whole["x"]).all()


def test_single_thread_makes_the_same(warm, made, live_data, calibration, tmp_path):
    in_child_made(warm, live_data, tmp_path, processor="single_thread")
    # The monitors have a row for each chunk they are given; made one after the other, they are
    # given what was stored before, in other chunks.
    targets = [target for target in TARGETS if not target.startswith("online")]
    expected = arrays(made, targets)
    for target, rows in arrays(reader(calibration, live_data, tmp_path), targets).items():
        assert rows.tobytes() == expected[target].tobytes(), target


def test_several_processes_make_the_same(warm, made, live_data, calibration, tmp_path):
    in_child_made(warm, live_data, tmp_path, cores=2)
    expected = arrays(made)
    for target, rows in arrays(reader(calibration, live_data, tmp_path)).items():
        assert rows.tobytes() == expected[target].tobytes(), target


def test_a_changed_calibration_file_counts_from_the_next_run_on(
    warm, made, live_data, calibration, tmp_path
):
    targets = ("peak_basics",)
    before = made.get_array("000007", "peak_basics", progress_bar=False)
    gains = calibration / "gains_tpc.json"
    original = gains.read_text()
    # Somebody has read the file before, in the process that forks.
    assert straxen.get_resource(str(gains), fmt="text")
    try:
        gains.write_text(json.dumps([2 * gain for gain in json.loads(original)]))
        in_child_made(warm, live_data, tmp_path / "after", targets=targets)
        elsewhere = tmp_path / "elsewhere"
        shutil.copytree(calibration, elsewhere)
    finally:
        gains.write_text(original)
        straxen.common._resource_cache.clear()
    # A context that has never seen the old values, since its files have another name.
    cold = local_xenonnt(calibration=str(elsewhere))

    def work():
        set_up(cold, live_data, tmp_path / "cold")
        make(cold, targets)

    in_child(work)
    after = reader(calibration, live_data, tmp_path / "after").get_array(
        "000007", "peak_basics", progress_bar=False
    )
    expected = reader(elsewhere, live_data, tmp_path / "cold").get_array(
        "000007", "peak_basics", progress_bar=False
    )
    assert after.tobytes() == expected.tobytes()
    assert after["area"].sum() > 1.5 * before["area"].sum()


def test_plans_change_classes_but_no_lineage(warm, made, live_data, tmp_path):
    hashes = {t: made.key_for("000007", t).lineage_hash for t in TARGETS}

    def work():
        module.prepare(warm, {"cores": 2, "recordsCompressor": "zstd"})
        warm.set_config(strax_config(live_data, SHAPE))
        registry = warm._plugin_class_registry
        assert registry["raw_records"].compressor == "zstd"
        assert registry["raw_records"].chunk_target_size_mb == 50
        assert registry["peaklets"].parallel == "process"
        assert registry["peak_basics"].parallel is True
        assert not any(plugin.rechunk_on_load for plugin in registry.values())
        assert {t: warm.key_for("000007", t).lineage_hash for t in TARGETS} == hashes

    in_child(work)


@pytest.mark.parametrize("target", ["led_calibration", "afterpulses", "ref_mon_nv"])
def test_targets_of_calibration_modes(warm, live_data, calibration, tmp_path, target):
    in_child_made(warm, live_data, tmp_path, targets=(target,))
    context = reader(calibration, live_data, tmp_path)
    assert context.is_stored("000007", target)


def test_a_corrupt_file_is_named(warm, tmp_path):
    shape = RunShape(seconds=3.0, chunk_seconds=1.0, overlap_seconds=0.2, fault="corrupt-chunk")
    write_live_data(tmp_path / "live" / "000007", shape)

    def work():
        module.prepare(warm, {"cores": 1, "recordsCompressor": "lz4"})
        warm.set_config(strax_config(tmp_path / "live", shape))
        warm.storage = [strax.DataDirectory(str(tmp_path / "output"))]
        with pytest.raises(strax.DataCorrupted, match="000007/000001/reader0_reader_0_0"):
            warm.make("000007", "raw_records", processor="single_thread", progress_bar=False)

    in_child(work)


def test_a_folder_without_calibration_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"numbers\.json is missing"):
        local_xenonnt(calibration=str(tmp_path))
