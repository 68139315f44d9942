"""The parts of the worker that need no process of their own."""

import errno
import json
import os
import pickle
import subprocess
import sys
import time

import numpy as np
import pytest
import strax
from worker_support import Attempt, environment

from bootstrax_worker import durable, protocol
from bootstrax_worker.context import ContextUnusable, LoadedContext
from bootstrax_worker.errors import describe, note_blame, original_error
from bootstrax_worker.folders import WrittenBytes
from bootstrax_worker.identity import identity
from bootstrax_worker.memory import descendants, proportional_bytes, resident_bytes
from bootstrax_worker.plain import plain
from bootstrax_worker.products import IncompleteProduct, read_product
from bootstrax_worker.progress import Progress
from bootstrax_worker.shared_state import SharedState


def test_json_files_appear_whole_and_leave_nothing_beside_them(tmp_path):
    path = tmp_path / "result.json"
    durable.write_json(str(path), {"a": 1})
    durable.write_json(str(path), {"a": 2})
    assert json.loads(path.read_text()) == {"a": 2}
    assert os.listdir(tmp_path) == ["result.json"]


def test_numbers_that_json_lacks_are_refused_before_anything_is_replaced(tmp_path):
    path = tmp_path / "result.json"
    durable.write_json(str(path), {"a": 1})
    with pytest.raises(ValueError):
        durable.write_json(str(path), {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}


def test_the_file_system_of_a_folder_can_be_forced_to_disk(tmp_path):
    durable.sync_file_system(str(tmp_path))
    with pytest.raises(FileNotFoundError):
        durable.sync_file_system(str(tmp_path / "absent"))


@pytest.mark.parametrize("file_system", ["exchanges names", "refuses to", "never heard of it"])
def test_a_file_is_replaced_whole_wherever_names_can_be_exchanged_or_not(
    tmp_path, monkeypatch, file_system
):
    if file_system == "refuses to":
        monkeypatch.setattr(durable, "_renameat2", lambda *_: -1)
    elif file_system == "never heard of it":
        monkeypatch.setattr(durable, "_renameat2", None)
    path, temporary = tmp_path / "metadata.json", tmp_path / "metadata.json_temp"
    for text in ("first", "second", "third"):
        temporary.write_text(text)
        durable.replace(str(temporary), str(path))
        assert path.read_text() == text
        assert os.listdir(tmp_path) == ["metadata.json"]
    with pytest.raises(FileNotFoundError):
        durable.replace(str(temporary), str(path))
    assert path.read_text() == "third"


def test_a_plan_is_checked_and_the_wrong_field_named(tmp_path):
    attempt = Attempt(tmp_path)
    assert protocol.read_plan(str(attempt.directory)) == attempt.plan
    wrong = Attempt(tmp_path, cores=0)
    with pytest.raises(protocol.ProtocolError, match="cores"):
        protocol.read_plan(str(wrong.directory))


def test_unknown_fields_of_a_plan_are_accepted(tmp_path):
    attempt = Attempt(tmp_path, fromALaterRelease={"x": 1})
    assert protocol.read_plan(str(attempt.directory))["fromALaterRelease"] == {"x": 1}


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_broken_plan_is_an_error_with_its_path(tmp_path, text):
    attempt = Attempt(tmp_path)
    (attempt.directory / "plan.json").write_text(text)
    with pytest.raises(protocol.ProtocolError):
        protocol.read_plan(str(attempt.directory))


def test_identity_survives_odd_process_names():
    own = identity(os.getpid())
    assert own["pid"] == os.getpid() and own["startTicks"] > 0
    with open("/proc/self/comm") as file:
        before = file.read().strip()
    with open("/proc/self/comm", "w") as file:
        file.write("a) (b c")
    try:
        assert identity(os.getpid()) == own
    finally:
        with open("/proc/self/comm", "w") as file:
            file.write(before)


def test_chunks_are_counted_once_in_any_order():
    state = SharedState()
    assert state.covered() == (0, 0.0)
    for chunk in (2, 0, 2):
        state.chunk_read(chunk, 5_000_000_000)
    assert state.covered() == (2, 10.0)
    state.chunk_read(1, 5_500_000_000)
    assert state.covered() == (3, 15.5)
    state.chunk_read(10**9, 1)
    assert state.covered() == (3, 15.5)


def test_shared_state_is_shared_by_fork():
    state = SharedState()
    pid = os.fork()
    if pid == 0:
        state.chunk_read(0, 7_000_000_000)
        state.phase = 3
        os._exit(0)
    os.waitpid(pid, 0)
    assert state.covered() == (1, 7.0)
    assert state.phase == 3


def test_progress_lines_follow_the_protocol(tmp_path):
    progress = Progress(str(tmp_path), SharedState(), ["event_basics"])
    progress.enter("preparing")
    progress.enter("waiting_for_data")
    progress.chunk_read(0, 5_000_000_000)
    progress.enter("post_processing", "event_basics")
    progress.write(warning="something")
    lines = [json.loads(line) for line in (tmp_path / "progress.ndjson").read_text().splitlines()]
    for line in lines:
        protocol.check("progress", line)
    assert [line["phase"] for line in lines] == [
        "preparing",
        "waiting_for_data",
        "processing",
        "post_processing",
        "post_processing",
    ]
    assert lines[2]["chunks"] == 1 and lines[2]["coveredSeconds"] == 5.0
    assert lines[3]["target"] == "event_basics"


def test_progress_lines_tell_when_the_first_steps_came(tmp_path):
    progress = Progress(str(tmp_path), SharedState(), [])
    progress.enter("waiting_for_data")
    progress.chunk_read(0, 5_000_000_000)
    progress.output_seen()
    progress.chunk_read(1, 5_000_000_000)
    progress.output_seen()
    progress.enter("finishing")
    lines = [json.loads(line) for line in (tmp_path / "progress.ndjson").read_text().splitlines()]
    assert [line["firstChunk"] is None for line in lines] == [True, False, False, False]
    assert [line["firstOutput"] is None for line in lines] == [True, True, False, False]
    assert 0 < lines[3]["firstChunk"] == lines[1]["firstChunk"] <= lines[1]["t"]
    assert lines[1]["t"] <= lines[3]["firstOutput"] == lines[2]["firstOutput"] <= lines[2]["t"]


def test_a_full_disk_does_not_end_the_attempt_through_its_progress():
    progress = Progress.__new__(Progress)
    progress._started, progress._state, progress._targets = time.monotonic(), SharedState(), []
    progress._fd = os.open("/dev/full", os.O_WRONLY)
    progress.enter("preparing")
    os.close(progress._fd)


def test_plain_values():
    value = {"a": (1, np.float64("nan")), "b": np.arange(2), 3: {"c": None}, "d": np.int64(4)}
    assert plain(value) == {"a": [1, None], "b": [0, 1], "3": {"c": None}, "d": 4}


def test_memory_of_a_tree_includes_descendants():
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        block = bytearray(64 << 20)
        block[::4096] = b"x" * len(block[::4096])
        os.write(write, b"x")
        time.sleep(60)
        os._exit(0)
    os.read(read, 1)
    try:
        assert pid in descendants(os.getpid())
        assert proportional_bytes([pid]) > 64 << 20
        tree = descendants(os.getpid())
        assert pid in tree
        assert resident_bytes(tree) >= proportional_bytes(tree) > proportional_bytes([pid])
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(read)
        os.close(write)
    assert proportional_bytes([pid]) == resident_bytes([pid]) == 0


def test_what_strax_notes_before_the_first_chunk_is_no_output(tmp_path):
    written = WrittenBytes()
    temporary = tmp_path / "000007-type-hash_temp"
    temporary.mkdir()
    (temporary / "metadata.json").write_bytes(b"x" * 10)
    (temporary / "chunk-000000_temp").write_bytes(b"x" * 1000)
    written.add(str(tmp_path / "000007-type-hash"))
    assert written.count() == 10
    assert not written.any_chunk
    (temporary / "chunk-000000_temp").rename(temporary / "chunk-000000")
    written.count()
    assert written.any_chunk


def test_written_bytes_follow_a_folder_through_its_rename(tmp_path):
    written = WrittenBytes()
    final = tmp_path / "000007-type-hash"
    temporary = tmp_path / "000007-type-hash_temp"
    written.add(str(final))
    assert written.count() == 0
    temporary.mkdir()
    (temporary / "chunk-000000").write_bytes(b"x" * 100)
    (temporary / "chunk-000001_temp").write_bytes(b"x" * 1000)
    (temporary / "metadata.json").write_bytes(b"x" * 10)
    assert written.count() == 110
    assert written.any_chunk
    (temporary / "metadata.json").write_bytes(b"x" * 20)
    assert written.count() == 120
    temporary.rename(final)
    assert written.count() == 120


class Faulty(strax.Plugin):
    depends_on = ()
    provides = ("faulty", "faulty_too")
    data_kind = "faulty"
    dtype = strax.time_fields

    def compute(self, chunk_i):
        raise ValueError("bad")


def _raised(function) -> BaseException:
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("nothing raised")


def _in_plugin(error: BaseException):
    plugin = Faulty.__new__(Faulty)
    plugin.config = {"daq_input_dir": "/live/000007"}
    plugin.provides, plugin.depends_on = ("faulty", "faulty_too"), ()

    def inside(self, chunk_i):
        raise error

    return lambda: inside(plugin, 3)


def test_the_plugin_and_the_chunk_folder_are_found_in_the_frames():
    described = describe(_raised(_in_plugin(ValueError("bad"))), "/output")
    assert described["plugin"] == "faulty"
    assert described["file"] == "/live/000007/000003"
    assert described["origin"] == "run"
    assert "ValueError: bad" in described["traceback"]


def test_an_exception_that_killed_mailboxes_is_the_original_one():
    error = _raised(_in_plugin(ValueError("bad")))
    killed = strax.MailboxKilled((ValueError, error, error.__traceback__))
    again = strax.MailboxKilled((strax.MailboxKilled, killed, None))
    assert original_error(again) is error
    assert describe(again, "/output")["type"] == "ValueError"
    assert describe(strax.MailboxKilled("no reason"), "/output")["type"] == "MailboxKilled"


def test_a_corrupt_file_is_named(tmp_path):
    path = tmp_path / "000003" / "reader_0"
    path.parent.mkdir()
    path.write_bytes(b"not lz4")
    error = _raised(lambda: strax.load_file(str(path), "lz4", np.dtype("u1")))
    described = describe(error, "/output")
    assert described["file"] == str(path) and described["origin"] == "run"


def test_what_was_noted_in_a_worker_process_survives_the_way_back():
    error = _raised(_in_plugin(ValueError("bad")))
    note_blame(error, "/output")
    described = describe(pickle.loads(pickle.dumps(error)), "/output")
    assert (described["plugin"], described["file"]) == ("faulty", "/live/000007/000003")


@pytest.mark.parametrize(
    ("number", "path", "origin"),
    [
        (errno.ENOSPC, "/output/x", "host"),
        (errno.EROFS, "/output/x", "host"),
        (errno.EDQUOT, None, "host"),
        (errno.EIO, "/live/x", "host"),
        (errno.EACCES, "/output/x", "host"),
        (errno.EPERM, "/output/x", "host"),
        (errno.EACCES, "/live/x", "run"),
        (errno.ENOENT, "/live/x", "run"),
    ],
)
def test_whose_fault_an_error_of_the_system_is(number, path, origin):
    error = _raised(_in_plugin(OSError(number, os.strerror(number), path)))
    assert describe(error, "/output")["origin"] == origin


def test_a_disk_error_below_another_exception_is_still_the_hosts():
    def wrapped():
        try:
            raise OSError(errno.ENOSPC, "full", "/output/x")
        except OSError as error:
            raise RuntimeError("saving failed") from error

    described = describe(_raised(wrapped), "/output")
    assert (described["type"], described["origin"]) == ("RuntimeError", "host")
    assert described["file"] == "/output/x"


def _folder(tmp_path, **metadata):
    location = tmp_path / "000007-faulty-abc"
    location.mkdir(exist_ok=True)
    document = {"chunks": [], **metadata}
    (location / "faulty-abc-metadata.json").write_text(json.dumps(document))
    return {
        "type": "faulty",
        "location": str(location),
        "lineageHash": "abc",
        "lineage": {},
    }


def _chunk(**changes):
    return {"n": 2, "start": 10**18, "end": 10**18 + 5, "filename": "faulty-abc-000000", **changes}


def test_a_product_is_what_lies_on_disk(tmp_path):
    empty = _chunk(n=0, start=10**18 + 5, end=10**18 + 9)
    del empty["filename"]
    folder = _folder(tmp_path, chunks=[_chunk(), empty])
    (tmp_path / "000007-faulty-abc" / "faulty-abc-000000").write_bytes(b"12345")
    product = read_product(folder)
    assert product["chunks"] == 2 and product["rows"] == 2
    assert product["startNs"] == str(10**18) and product["endNs"] == str(10**18 + 9)
    assert product["bytes"] > 5


def test_a_product_that_is_not_whole_is_an_error(tmp_path):
    folder = _folder(tmp_path, chunks=[_chunk()])
    with pytest.raises(IncompleteProduct, match="missing or empty"):
        read_product(folder)
    with pytest.raises(IncompleteProduct, match="after an exception"):
        read_product(_folder(tmp_path, exception="boom"))
    with pytest.raises(IncompleteProduct, match="never finished"):
        read_product({**folder, "location": str(tmp_path / "absent")})


FORBIDDEN = """
import threading
from bootstrax_worker.fork_safety import ForkSafety, switch_off_thread_pools
switch_off_thread_pools()
import numpy, strax, pymongo
safety = ForkSafety()
safety.settle()
assert safety.objection() is None, safety.objection()
stop = threading.Event()
thread = threading.Thread(target=stop.wait, name="lingerer")
thread.start()
assert "lingerer" in safety.objection()
stop.set()
thread.join()
assert safety.objection() is None, safety.objection()
client = pymongo.MongoClient("mongodb://127.0.0.1:1", connect=False)
assert "MongoClient" in safety.objection()
client.close()
assert safety.objection() is None, safety.objection()
lasting = pymongo.MongoClient("mongodb://127.0.0.1:1", connect=False)
settled = ForkSafety()
settled.settle()
assert "MongoClient" in settled.objection()
"""


def test_threads_and_open_clients_forbid_a_fork():
    # In a process of its own: pytest and numpy have threads here.
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDEN], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("no_such_module:f", {}, "ModuleNotFoundError"),
        ("tiny_context:absent", {}, "AttributeError"),
        ("tiny_context", {}, "module:function"),
        ("tiny_context:tiny", {"broken": True}, "calibration file is missing"),
        ("tiny_context:tiny", {"wrong_option": 1}, "TypeError"),
        ("os:getcwd", {}, "not a strax context"),
    ],
)
def test_a_context_that_cannot_be_built_says_why(name, options, expected):
    with pytest.raises(ContextUnusable, match=expected):
        LoadedContext(name, options)


def test_the_graph_names_dependencies_and_when_a_type_is_saved():
    graph = LoadedContext("tiny_context:tiny", {}).graph()
    protocol.check("pluginGraph", graph)
    assert graph["types"]["tiny_extra"] == {
        "plugin": "Double",
        "dependsOn": ["tiny_raw"],
        "saved": "target",
    }
    assert graph["types"]["tiny_raw"]["dependsOn"] == []
