"""What attempts read of live data that is damaged: real straxen, in real processes."""

import json
import shutil
from pathlib import Path

import lz4.frame
import numpy as np
import pytest
import strax
from simulated_runs import strax_config
from worker_support import Attempt, Server

from bootstrax_worker import protocol
from bootstrax_worker.contexts.local_xenonnt import local_xenonnt
from bootstrax_worker.simulator import RunShape, write_live_data
from bootstrax_worker.simulator.layout import record_dtype

CONTEXT = "bootstrax_worker.contexts.local_xenonnt:local_xenonnt"
# With this seed the cut in each overlap is the same whether or not one reader's file is there.
SHAPE = RunShape(
    detectors=("tpc", "muon_veto"),
    seconds=9.5,
    chunk_seconds=2.0,
    overlap_seconds=0.5,
    rate_hz=10,
    seed=2,
)
# One reader reads both halves of the TPC.
TPC = ("raw_records", "raw_records_he")
RAW = (*TPC, "raw_records_mv")
ROW = record_dtype(SHAPE.record_length).itemsize
LAST = "000003"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pristine")
    write_live_data(folder / "000007", SHAPE)
    assert (folder / "000007" / LAST).is_dir()
    assert not (folder / "000007" / f"{int(LAST) + 1:06d}").exists()
    return folder


@pytest.fixture
def live(pristine, tmp_path) -> Path:
    """Live data of run 7, to damage."""
    shutil.copytree(pristine, tmp_path / "live")
    return tmp_path / "live" / "000007"


@pytest.fixture(scope="module")
def server():
    server = Server(CONTEXT)
    assert server.until("ready")["warm"]
    yield server
    server.close()


@pytest.fixture
def process(server, tmp_path):
    def start(targets=("raw_records",), **changes) -> tuple[dict, Path]:
        attempt = Attempt(
            tmp_path,
            context=CONTEXT,
            targets=list(targets),
            runConfig=strax_config(tmp_path / "live", SHAPE),
            liveDataDirectory=str(tmp_path / "live" / "000007"),
            **changes,
        )
        server.fork(attempt)
        attempt.wait("exit.json")
        result = attempt.read("result.json")
        protocol.check("result", result)
        return result, attempt.directory

    return start


def loaded(output: Path) -> dict[str, np.ndarray]:
    context = local_xenonnt()
    context.storage = [strax.DataDirectory(str(output), readonly=True)]
    context.set_context_config({"forbid_creation_of": "*"})
    return {t: context.get_array("000007", t, progress_bar=False) for t in RAW}


def plainly_made(tmp_path) -> dict[str, np.ndarray]:
    """What strax by itself makes of the same live data."""
    context = local_xenonnt()
    context.storage = [strax.DataDirectory(str(tmp_path / "plain"))]
    context.set_config(strax_config(tmp_path / "live", SHAPE))
    context.make("000007", "raw_records", progress_bar=False)
    return loaded(tmp_path / "plain")


def assert_same(made: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    for data_type in RAW:
        assert len(expected[data_type])
        assert made[data_type].tobytes() == expected[data_type].tobytes(), data_type


def tpc_rows(made: dict[str, np.ndarray]) -> int:
    return sum(len(made[data_type]) for data_type in TPC)


def files_of(folder: Path, reader: str) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.startswith(f"{reader}_"))


def cut(path: Path, length: int) -> None:
    content = path.read_bytes()
    # More than a block of lz4, so that a cut may lie in a later one.
    assert len(lz4.frame.decompress(content)) > 4 * 65536
    path.write_bytes(content[:length])


def first_file(live: Path, chunk: str = "000001") -> Path:
    return files_of(live / chunk, "reader0_reader_0")[0]


def nothing_wrong(result: dict) -> bool:
    read = result["input"]
    counts = ("missingCount", "unreadableCount", "unreadCount")
    return read["accounted"] and not any(read[name] for name in counts)


@pytest.mark.parametrize(
    ("processor", "cores"),
    [("threaded_mailbox", 1), ("threaded_mailbox", 2), ("single_thread", 1)],
)
def test_input_that_is_whole_is_accounted_for(process, live, tmp_path, processor, cores):
    result, directory = process(processor=processor, cores=cores)
    assert result["ok"], result["error"]
    assert nothing_wrong(result), result["input"]
    assert_same(loaded(tmp_path / "output"), plainly_made(tmp_path))
    pieces = [path for path in live.iterdir() if path.name != "THE_END"]
    # The stretch before chunk 0 and the one after the last are not there.
    lines = [
        json.loads(line)
        for ledger in directory.glob("input-*.ndjson")
        for line in ledger.read_text().splitlines()
    ]
    stretches = [each for line in lines for each in line["stretches"].items()]
    assert sorted(name for name, _ in stretches) == sorted(path.name for path in pieces)
    for name, readers in stretches:
        there = list((live / name).iterdir())
        for reader, (files, empty, size, rows) in readers.items():
            mine = [path for path in there if path.name.rpartition("_")[0] == reader]
            assert files == len(mine) == strax_config(live, SHAPE)["readout_threads"][reader]
            assert empty == sum(path.stat().st_size == 0 for path in mine)
            assert size == sum(path.stat().st_size for path in mine)
            expected = sum(len(lz4.frame.decompress(p.read_bytes() or _NOTHING)) for p in mine)
            assert rows * ROW == expected
    for field, index in (("files", 0), ("bytes", 2), ("rows", 3)):
        sums = [each[index] for _, readers in stretches for each in readers.values()]
        assert result["input"][field] == sum(sums)
    assert result["input"]["chunks"] == int(LAST) + 1
    assert result["input"]["files"] == sum(len(list(piece.iterdir())) for piece in pieces)


_NOTHING = lz4.frame.compress(b"")
CUTS = {
    "after one byte": lambda size: 1,
    "after 20 bytes": lambda size: 20,
    "in the first block": lambda size: 3000,
    "in a later block": lambda size: size // 2,
    "by one byte": lambda size: size - 1,
}


@pytest.mark.parametrize("where", CUTS)
def test_a_file_that_is_cut_is_an_error_that_names_it(process, live, where):
    path = first_file(live)
    length = CUTS[where](path.stat().st_size)
    cut(path, length)
    # strax by itself sees nothing wrong with all but those that end within a row.
    if where in ("after one byte", "after 20 bytes", "in the first block"):
        assert len(strax.load_file(str(path), "lz4", record_dtype(110))) == 0
    result, _ = process()
    assert not result["ok"]
    assert result["error"]["type"] == "DataCorrupted"
    assert result["error"]["file"] == str(path)
    assert f"{path} is cut: its lz4 data goes on after {length} bytes" in result["error"]["message"]


@pytest.mark.parametrize("where", CUTS)
def test_all_that_can_be_read_of_a_cut_file_is_made_in_the_end(process, live, tmp_path, where):
    expected = plainly_made(tmp_path)
    path = first_file(live)
    whole = lz4.frame.decompress(path.read_bytes())
    length = CUTS[where](path.stat().st_size)
    cut(path, length)
    result, _ = process(salvage=True)
    assert result["ok"], result["error"]
    (bad,) = result["input"]["unreadable"]
    assert {key: bad[key] for key in ("chunk", "reader", "file", "bytes")} == {
        "chunk": "000001",
        "reader": "reader0_reader_0",
        "file": path.name,
        "bytes": length,
    }
    assert (result["input"]["unreadableCount"], result["input"]["missingCount"]) == (1, 0)
    kept = bad["rows"]
    if where in ("after one byte", "after 20 bytes", "in the first block"):
        assert kept == 0
    else:
        assert 65536 // ROW <= kept <= len(whole) // ROW
        assert (kept == len(whole) // ROW) == (where == "by one byte")
    made = loaded(tmp_path / "output")
    lost = len(whole) // ROW - kept
    assert tpc_rows(made) == tpc_rows(expected) - lost
    assert np.isin(made["raw_records"]["time"], expected["raw_records"]["time"]).all()
    assert made["raw_records_mv"].tobytes() == expected["raw_records_mv"].tobytes()


@pytest.mark.parametrize("chunk", ["000001_pre", "000000_post"])
def test_a_cut_file_of_an_overlap_is_an_error_as_well(process, live, chunk):
    path = next(p for p in files_of(live / chunk, "reader0_reader_0") if p.stat().st_size)
    path.write_bytes(path.read_bytes()[:-1])
    result, _ = process()
    assert result["error"]["file"] == str(path)


def test_a_thread_without_data_is_quiet_and_nothing_is_wrong(process, live, tmp_path):
    first_file(live).write_bytes(b"")
    result, _ = process()
    assert result["ok"] and nothing_wrong(result), result
    assert [
        each["reader"] for each in result["input"]["quiet"] if "reader0" in each["reader"]
    ] == []
    assert_same(loaded(tmp_path / "output"), plainly_made(tmp_path))


def test_a_reader_of_which_all_threads_are_quiet_is_named(process, live, tmp_path):
    for chunk in ("000001", "000002"):
        for path in files_of(live / chunk, "reader0_reader_0"):
            path.write_bytes(b"")
    result, _ = process()
    assert result["ok"] and nothing_wrong(result), result
    assert {"reader": "reader0_reader_0", "chunks": 2, "first": "000001"} in result["input"][
        "quiet"
    ]
    assert_same(loaded(tmp_path / "output"), plainly_made(tmp_path))


@pytest.mark.parametrize("chunk", ["000000", "000002", "000002_post", LAST])
def test_a_reader_without_a_file_is_told(process, live, tmp_path, chunk):
    absent = files_of(live / chunk, "reader0_reader_0")
    for path in absent:
        path.unlink()
    result, _ = process()
    assert result["ok"], result["error"]
    assert result["input"]["missing"] == [
        {"chunk": chunk, "reader": "reader0_reader_0", "files": len(absent)}
    ]
    assert result["input"]["missingCount"] == 1
    assert_same(loaded(tmp_path / "output"), plainly_made(tmp_path))


@pytest.mark.parametrize("salvage", [False, True])
def test_chunks_behind_one_that_is_missing_are_told(process, live, salvage):
    shutil.rmtree(live / "000002")
    result, _ = process(salvage=salvage)
    assert result["ok"], result["error"]
    assert result["input"]["chunks"] == 2
    assert {each["chunk"] for each in result["input"]["unread"]} >= {LAST, f"{LAST}_pre"}


def test_rows_of_every_frame_are_read(process, live, tmp_path):
    expected = plainly_made(tmp_path)
    path = first_file(live)
    rows = lz4.frame.decompress(path.read_bytes())
    half = len(rows) // ROW // 2 * ROW
    path.write_bytes(lz4.frame.compress(rows[:half]) + lz4.frame.compress(rows[half:]))
    assert len(strax.load_file(str(path), "lz4", record_dtype(110))) == half // ROW
    result, _ = process()
    assert result["ok"] and nothing_wrong(result), result["error"]
    assert_same(loaded(tmp_path / "output"), expected)


def other_times(content: bytes) -> bytes:
    rows = np.frombuffer(lz4.frame.decompress(content), record_dtype(110)).copy()
    rows["time"] += 3_600_000_000_000
    return lz4.frame.compress(rows)


def other_channels(content: bytes) -> bytes:
    rows = np.frombuffer(lz4.frame.decompress(content), record_dtype(110)).copy()
    rows["channel"] = -5
    return lz4.frame.compress(rows)


DAMAGE = {
    "no frame": (lambda content: b"this was never sent by a digitiser", False),
    "nothing but zeros": (lambda content: bytes(len(content)), False),
    "garbage behind its frame": (lambda content: content + b"garbage and more of it", True),
    "zeros behind its frame": (lambda content: content + bytes(512), True),
    "no whole rows": (
        lambda content: lz4.frame.compress(lz4.frame.decompress(content) + b"x"),
        True,
    ),
    "times of another chunk": (other_times, False),
    "channels that do not exist": (other_channels, False),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_other_damage_is_an_error_and_left_out_in_the_end(process, live, tmp_path, what):
    expected = plainly_made(tmp_path)
    spoil, rows_stay = DAMAGE[what]
    path = first_file(live)
    content = path.read_bytes()
    path.write_bytes(spoil(content))
    result, _ = process()
    assert not result["ok"]
    shutil.rmtree(tmp_path / "output")
    result, _ = process(salvage=True)
    assert result["ok"], result["error"]
    (bad,) = result["input"]["unreadable"]
    assert (bad["file"], bad["bytes"]) == (path.name, path.stat().st_size)
    rows = len(lz4.frame.decompress(content)) // ROW
    assert bad["rows"] == (rows if rows_stay else 0)
    made = loaded(tmp_path / "output")
    assert tpc_rows(made) == tpc_rows(expected) - rows + bad["rows"]


def test_a_run_of_which_nothing_can_be_read_fails(process, live):
    for path in live.glob("0*/*"):
        path.write_bytes(b"this was never sent by a digitiser")
    result, _ = process(salvage=True)
    assert not result["ok"]
    assert result["error"]["type"] == "NothingReadable"


def test_an_error_that_is_none_of_the_input_still_fails(process, live):
    first_file(live).chmod(0)
    path = first_file(live)
    if _may_read(path):
        path.unlink()
        path.mkdir()
    result, _ = process(salvage=True)
    assert not result["ok"]


def _may_read(path: Path) -> bool:
    try:
        path.read_bytes()
    except PermissionError:
        return False
    return True
