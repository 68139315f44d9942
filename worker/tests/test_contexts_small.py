"""The small context on simulated live data."""

import threading

import pytest
import strax
from simulated_runs import ALL, assert_nothing_lost, strax_config

from bootstrax_worker.contexts import small as module
from bootstrax_worker.contexts.small import AskedToFail, small
from bootstrax_worker.contexts.small_reader import CHANNEL_RANGES
from bootstrax_worker.simulator import LiveData, RunShape, write_live_data

DEFAULT_TARGETS = ("event_info", "events_nv", "events_mv", "online_peak_monitor", "veto_proximity")
SHAPE = RunShape(detectors=ALL, seconds=5.0, chunk_seconds=1.0, overlap_seconds=0.2, rate_hz=10)


def context_for(tmp_path, shape: RunShape = SHAPE, **options):
    """The small context, set up for the run 7 below `tmp_path`."""
    context = small(**options)
    context.set_config(strax_config(tmp_path / "live", shape))
    context.set_context_config({"timeout": 60})
    context.storage = [strax.DataDirectory(str(tmp_path / "output"))]
    return context


@pytest.fixture
def run(tmp_path):
    """A run's live data below `tmp_path`."""
    write_live_data(tmp_path / "live" / "000007", SHAPE)
    return tmp_path


def make_all(context, targets=DEFAULT_TARGETS):
    """Make the targets together."""
    context.make(
        "000007", targets, allow_multiple=True, processor="threaded_mailbox", progress_bar=False
    )


def test_nothing_is_lost_or_read_twice(run):
    context = context_for(run)
    make_all(context)
    assert_nothing_lost(context, 7, run / "live" / "000007", CHANNEL_RANGES)
    for target in DEFAULT_TARGETS:
        assert len(context.get_array("000007", target, progress_bar=False)), target


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.0, 1.1, 1.2, 2.4, 2.5])
def test_runs_of_any_length_are_read_to_their_end(tmp_path, seconds):
    shape = RunShape(detectors=ALL, seconds=seconds, chunk_seconds=1.0, overlap_seconds=0.2)
    write_live_data(tmp_path / "live" / "000007", shape)
    context = context_for(tmp_path, shape)
    context.make("000007", "raw_records", processor="single_thread", progress_bar=False)
    assert_nothing_lost(context, 7, tmp_path / "live" / "000007", CHANNEL_RANGES)


def test_both_processors_make_the_same(run):
    threaded, single = context_for(run), context_for(run)
    make_all(threaded)
    single.storage = [strax.DataDirectory(str(run / "single"))]
    for target in DEFAULT_TARGETS:
        single.make("000007", target, processor="single_thread", progress_bar=False)
        one = threaded.get_array("000007", target, progress_bar=False)
        other = single.get_array("000007", target, progress_bar=False)
        assert one.tobytes() == other.tobytes(), target


def test_a_run_is_read_while_it_is_taken(tmp_path):
    live = LiveData(tmp_path / "live" / "000007", SHAPE)
    context = context_for(tmp_path)
    first, *others = live.intervals
    live.publish(first, live.prepare(first))
    failures: list[BaseException] = []

    def process():
        try:
            context.make("000007", "raw_records", processor="single_thread", progress_bar=False)
        except BaseException as error:
            failures.append(error)

    reader = threading.Thread(target=process)
    reader.start()
    for interval in others:
        live.publish(interval, live.prepare(interval))
    live.finish()
    reader.join(60)
    assert not reader.is_alive()
    assert not failures
    assert_nothing_lost(context, 7, tmp_path / "live" / "000007", CHANNEL_RANGES)


def test_an_unreadable_file_is_named(tmp_path):
    shape = RunShape(seconds=3.0, chunk_seconds=1.0, overlap_seconds=0.2, fault="corrupt-chunk")
    write_live_data(tmp_path / "live" / "000007", shape)
    context = context_for(tmp_path, shape)
    with pytest.raises(strax.DataCorrupted, match="000007/000001/reader0_reader_0_0"):
        context.make("000007", "raw_records", processor="single_thread", progress_bar=False)


@pytest.mark.parametrize("fault", ["missing-reader-file", "no-the-end", "never-ends"])
def test_waiting_for_what_never_comes_ends(tmp_path, fault):
    shape = RunShape(seconds=3.0, chunk_seconds=1.0, overlap_seconds=0.2, fault=fault)
    write_live_data(tmp_path / "live" / "000007", shape)
    context = context_for(tmp_path, shape, input_timeout=1)
    with pytest.raises(strax.InputTimeoutExceeded):
        context.make("000007", "raw_records", processor="single_thread", progress_bar=False)


def test_an_empty_run_gives_empty_data(tmp_path):
    shape = RunShape(
        detectors=ALL, seconds=3.0, chunk_seconds=1.0, overlap_seconds=0.2, fault="empty-run"
    )
    write_live_data(tmp_path / "live" / "000007", shape)
    context = context_for(tmp_path, shape)
    make_all(context)
    assert len(context.get_array("000007", "event_info", progress_bar=False)) == 0


def test_a_plugin_fails_on_request(run):
    context = context_for(run, fail_in="peak_basics")
    with pytest.raises(AskedToFail, match="peak_basics was asked to fail in run 000007"):
        context.make("000007", "event_info", processor="single_thread", progress_bar=False)


def test_misbehaviour_leaves_no_trace_in_the_lineage(run):
    plain, odd = context_for(run), context_for(run, fail_in="event_info", allocate_mb=1)
    for target in DEFAULT_TARGETS:
        assert plain.key_for("000007", target).lineage_hash == (
            odd.key_for("000007", target).lineage_hash
        )


def test_requests_that_cannot_be_met():
    with pytest.raises(ValueError, match="fail_inn"):
        small(fail_inn="event_info")
    with pytest.raises(AskedToFail):
        small(fail_build=True)


def test_warm_up_leaves_the_context_as_it_was(tmp_path):
    context = small()
    module.warm_up(context, str(tmp_path))
    assert context.storage == []
    assert "daq_input_dir" not in context.config
    assert threading.active_count() == 1


def test_prepare_sets_the_compressor_of_records(run, monkeypatch):
    for plugin in (module.SmallReader, module.SmallRecords):
        monkeypatch.setattr(plugin, "compressor", "lz4")
    context = context_for(run)
    module.prepare(context, {"recordsCompressor": "zstd"})
    context.make("000007", "records", processor="single_thread", progress_bar=False)
    for data_type in ("raw_records", "records"):
        assert context.get_metadata("000007", data_type)["compressor"] == "zstd"
