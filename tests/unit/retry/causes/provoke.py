"""Provokes real failures and keeps what the manager would see of each: `samples/<class>.json`.

    PYTHONPATH=worker .venv/bin/python tests/unit/retry/causes/provoke.py

Each sample is the end of an attempt as `attempt/outcome.pure` takes it (`exit.json`, `result.json`,
what a manager had ended it for, stacks), with the class it is to be given. Exceptions are raised by
the libraries themselves wherever that can be brought about by a process without rights; those that
need a broken machine are raised by hand in the place where they would appear, and say so
(`by_hand`). Paths, addresses, numbers of processes and ports of this machine do not get into the
samples."""

import bz2
import concurrent.futures
import errno
import faulthandler
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from unittest import mock

import lz4.frame
import numba
import numpy as np
import pymongo
import requests
import strax
import straxen
import xedocs
import zstandard
from bootstrax_worker.context import LoadedContext
from bootstrax_worker.errors import OutputUnusable, describe, observed
from bootstrax_worker.processing import UnknownTarget
from bootstrax_worker.products import read_product

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[3]
SAMPLES = []
# Of this process, to be cut out of what is kept.
WORK = Path(tempfile.mkdtemp(prefix="provoke-"))
LIVE, OUTPUT = WORK / "live", WORK / "out"
LIVE.mkdir()
OUTPUT.mkdir()

ENDED_WELL = {"version": 1, "attempt": "a" * 24, "run": 7, "code": 1, "signal": None}
ENDED_WELL |= {
    "outOfMemory": False,
    "orphaned": False,
    "peakMemoryBytes": 2_000_000_000,
}


def sample(cause_class, *, by_hand=False, plugin=None, shedding=None, memory=None, whose=None):
    """Register a function that raises; the exception becomes a result with an error."""

    def register(function):
        error = in_a_fork(lambda: describe(provoke(function), str(OUTPUT)))
        end = {"exit": ENDED_WELL, "result": failed_result(error)}
        keep(
            function.__name__,
            cause_class,
            end,
            by_hand,
            plugin,
            shedding,
            memory,
            whose,
        )
        return function

    return register


def in_a_fork(work):
    """What `work` returns, from a process of its own: some of what is provoked leaves damage."""
    sys.stdout.flush()
    path = WORK / "answer.json"
    pid = os.fork()
    if pid == 0:
        try:
            path.write_text(json.dumps(work()))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    status = os.waitpid(pid, 0)[1]
    if status != 0:
        raise SystemExit(f"a sample failed: see above ({status})")
    return json.loads(path.read_text())


def provoke(function):
    try:
        function()
    except BaseException as error:
        return error
    raise SystemExit(f"{function.__name__} raised nothing")


def failed_result(error):
    return {
        "version": 1,
        "attempt": "a" * 24,
        "run": 7,
        "ok": False,
        "error": error,
        "products": [],
        "skipped": [],
        "seconds": 12,
        "peakMemoryBytes": 2_000_000_000,
        "versions": {},
    }


def keep(
    name,
    cause_class,
    end,
    by_hand=False,
    plugin=None,
    shedding=None,
    memory=None,
    whose=None,
):
    expected = {"class": cause_class, "plugin": plugin}
    expected |= {"sheddingHelps": shedding, "lessMemory": memory, "whose": whose}
    given = {
        "run": 7,
        "started": True,
        "exit": None,
        "result": None,
        "ended": None,
        "stacks": None,
    }
    SAMPLES.append(
        {
            "name": name,
            "expected": {key: value for key, value in expected.items() if value is not None},
            "byHand": by_hand,
            "verification": end.pop("verification", {"kind": "ok"}),
            "progress": end.pop("progress", None),
            "end": {**given, **end},
        }
    )


# --- strax in small -------------------------------------------------------------------------------


class Source(strax.Plugin):
    provides = "raw_records"
    depends_on = ()
    dtype = strax.time_fields
    data_kind = "raw_records"
    __version__ = "0"
    compressor = "lz4"

    def is_ready(self, chunk_i):
        return chunk_i < 3

    def source_finished(self):
        return True

    def compute(self, chunk_i):
        data = np.zeros(10, self.dtype)
        data["time"] = 1000 * chunk_i + np.arange(10)
        data["endtime"] = data["time"] + 1
        return self.chunk(start=1000 * chunk_i, end=1000 * (chunk_i + 1), data=data)


class Peaks(strax.Plugin):
    provides = "peaks"
    depends_on = ("raw_records",)
    dtype = strax.time_fields
    data_kind = "peaks"
    __version__ = "0"
    compressor = "zstd"

    def compute(self, raw_records):
        return raw_records


def make(
    *plugins,
    target="peaks",
    storage=None,
    processor="single_thread",
    workers=1,
    **config,
):
    context = strax.Context(
        storage=[strax.DataDirectory(str(storage or tempfile.mkdtemp(dir=OUTPUT)))],
        register=[*plugins],
        config={"timeout": 2, **config},
        **({"allow_multiprocess": True} if workers > 1 else {}),
        timeout=3,
        allow_lazy=False,
    )
    compute = observed(ORIGINAL_COMPUTE, str(OUTPUT))
    with mock.patch.object(strax.Plugin, "do_compute", compute):
        context.make(
            "000007",
            target,
            processor=processor,
            max_workers=workers,
            progress_bar=False,
        )


ORIGINAL_COMPUTE = strax.Plugin.do_compute
ORIGINAL_SAVE = strax.save_file


def peaks_that(act):
    """A plugin `peaks` whose computing does this."""

    class Acting(Peaks):
        def compute(self, raw_records):
            act(raw_records)
            return raw_records

    return Acting


def in_peaks(act, **options):
    make(Source, peaks_that(act), **options)


# --- want of memory -------------------------------------------------------------------------------


def limited(megabytes, function):
    """With so much address space beyond what is used now."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + megabytes * 1_000_000, before[1]))
    try:
        function()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


MEMORY = {"shedding": True, "memory": True, "whose": "run"}


@sample("out_of_memory", plugin="peaks", **MEMORY)
def numpy_cannot_allocate():
    in_peaks(lambda _: np.zeros(1 << 47, np.int8))


@sample("out_of_memory", plugin="peaks", **MEMORY)
def python_cannot_allocate():
    in_peaks(lambda _: bytearray(1 << 60))


@sample("out_of_memory", plugin="peaks", **MEMORY)
def list_too_long():
    in_peaks(lambda _: [0] * (1 << 59))


@sample("out_of_memory", plugin="peaks", **MEMORY)
def out_of_address_space():
    in_peaks(lambda _: limited(200, lambda: np.ones(1 << 28)))


@sample("out_of_memory", plugin="peaks", **MEMORY)
def mapping_refused():
    import mmap

    in_peaks(lambda _: limited(100, lambda: mmap.mmap(-1, 1 << 33)))


@sample("out_of_memory", plugin="peaks", **MEMORY)
def numba_cannot_allocate():
    allocate = numba.njit(lambda n: np.zeros(n).sum())
    in_peaks(lambda _: allocate(1 << 46))


@sample("out_of_memory", by_hand=True, plugin="peaks", **MEMORY)
def fork_refused():
    def act(_):
        refused = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        with mock.patch("os.fork", side_effect=refused):
            concurrent.futures.ProcessPoolExecutor(1).submit(abs, 1)

    in_peaks(act)


@sample("out_of_memory", plugin="peaks", **MEMORY)
def memory_error_in_a_mailbox_thread():
    in_peaks(lambda _: np.zeros(1 << 47, np.int8), processor="threaded_mailbox")


@sample("out_of_memory", by_hand=True, **MEMORY)
def no_memory_for_reading():
    path = WORK / "chunk"
    path.write_bytes(lz4.frame.compress(b"\0" * 160))
    decompress = {
        **strax.io.COMPRESSORS["lz4"],
        "_decompress": lambda f: bytearray(1 << 60),
    }
    with mock.patch.dict(strax.io.COMPRESSORS, {"lz4": decompress}):
        strax.load_file(str(path), "lz4", np.int64)


@sample("out_of_memory", by_hand=True, shedding=True, memory=True)
def shared_memory_full():
    path = "/dev/shm/psm_4f9a2c31"
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


def oom(name, **exit_fields):
    end = {
        "exit": {
            **ENDED_WELL,
            "code": None,
            "signal": 9,
            "outOfMemory": True,
            **exit_fields,
        }
    }
    keep(name, "out_of_memory", end, True, **MEMORY)


oom("kernel_ended_the_child")
oom("kernel_ended_it_in_a_group", peakMemoryBytes=64_000_000_000)


def kill_self(number):
    os.kill(os.getpid(), number)


def pool_broken(number):
    def act(_):
        with concurrent.futures.ProcessPoolExecutor(1) as pool:
            pool.submit(kill_self, number).result()

    error = provoke(lambda: in_peaks(act))
    assert isinstance(error, BrokenProcessPool)
    return failed_result(describe(error, str(OUTPUT)))


killed = pool_broken(signal.SIGKILL)
keep(
    "kernel_ended_a_worker_process",
    "out_of_memory",
    {"exit": {**ENDED_WELL, "outOfMemory": True}, "result": killed},
    True,
    **MEMORY,
    plugin="peaks",
)
limit = {"bytes": 61e9, "limitBytes": 57e9, "availableBytes": 3e9}
keep(
    "above_its_limit",
    "out_of_memory",
    {
        "exit": {**ENDED_WELL, "code": None, "signal": 15},
        "ended": {"kind": "memory_limit", **limit},
    },
    True,
    **MEMORY,
)
keep(
    "others_use_the_memory",
    "out_of_memory",
    {
        "exit": {**ENDED_WELL, "code": None, "signal": 15},
        "ended": {
            "kind": "host_problem",
            "reason": "the machine has 0.9 GB of memory left of 64.0 GB, of which this attempt "
            "used 4.1 GB: other programs use the rest",
        },
    },
    True,
    shedding=False,
    memory=False,
    whose="host",
)


def died(code):
    """How a process of its own ended that ran this."""
    status = subprocess.run(
        [sys.executable, "-c", code], stderr=subprocess.DEVNULL, check=False, cwd=WORK
    ).returncode
    gone = {"code": None, "signal": -status} if status < 0 else {"code": status, "signal": None}
    return {"exit": {**ENDED_WELL, **gone}}


# Beyond the end of the file behind a mapping, as with a full /dev/shm.
BUS = """
import mmap, os, tempfile
file = tempfile.TemporaryFile(dir='/dev/shm')
os.ftruncate(file.fileno(), 8192)
mapped = mmap.mmap(file.fileno(), 8192)
os.ftruncate(file.fileno(), 0)
mapped[4096]
"""
keep("bus_error", "out_of_memory", died(BUS), **MEMORY)


# --- hangs ----------------------------------------------------------------------------------------

HANG = {"shedding": True, "memory": False, "whose": "run"}


def stacks_of(work, seconds=0.3):
    """faulthandler's stacks of a thread that is stuck there."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    time.sleep(seconds)
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        text = file.read()
    return text


def stacks_in_a_fork(work, seconds=0.3):
    return in_a_fork(lambda: stacks_of(work, seconds))


def hung(name, cause_class, stacks, ended, progress=None, **expected):
    exit_fields = {**ENDED_WELL, "code": None, "signal": 9}
    end = {
        "exit": exit_fields,
        "ended": ended,
        "rawStacks": stacks,
        "progress": progress,
    }
    keep(name, cause_class, end, **expected)


BUSY = {"phase": "processing", "chunks": 3}
NO_PROGRESS = {"kind": "no_progress"}


def stuck_in_a_lock():
    lock = threading.Lock()
    lock.acquire()
    in_peaks(lambda _: lock.acquire())


def busy_for_ever():
    def act(_):
        while True:
            np.sqrt(np.arange(1000)).sum()

    in_peaks(act)


def silent_server():
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, listener.getsockname()[1]


LISTENER, SILENT = silent_server()


def stuck_at_a_correction_service():
    in_peaks(lambda _: requests.get(f"http://127.0.0.1:{SILENT}/pmt_gains"))


def stuck_at_a_database():
    def act(_):
        client = pymongo.MongoClient(
            "127.0.0.1",
            SILENT,
            serverSelectionTimeoutMS=600_000,
            connectTimeoutMS=600_000,
        )
        client.corrections.pmt_gains.find_one({})

    in_peaks(act)


hung(
    "stuck_in_a_lock",
    "hang",
    stacks_in_a_fork(stuck_in_a_lock),
    NO_PROGRESS,
    BUSY,
    **HANG,
)
hung(
    "too_long_in_a_plugin",
    "hang",
    stacks_in_a_fork(busy_for_ever),
    {"kind": "timed_out", "which": "processing"},
    BUSY,
    **HANG,
)
hung(
    "too_long_after_the_end",
    "hang",
    None,
    {"kind": "timed_out", "which": "after_end"},
    BUSY,
    **HANG,
)
hung("nothing_known_of_where", "hang", None, NO_PROGRESS, BUSY, **HANG)
hung(
    "hangs_at_a_correction_service",
    "calibration_or_database",
    stacks_in_a_fork(stuck_at_a_correction_service, 2),
    NO_PROGRESS,
    BUSY,
    whose="site",
)
hung(
    "hangs_at_a_database",
    "calibration_or_database",
    stacks_in_a_fork(stuck_at_a_database, 2),
    NO_PROGRESS,
    BUSY,
    whose="site",
)
hung(
    "no_first_chunk_before_the_limit",
    "input_not_ready",
    None,
    NO_PROGRESS,
    {"phase": "waiting_for_data", "chunks": 0},
    shedding=False,
    whose="run",
)


@sample("hang", **HANG)
def mailbox_read_timeout():
    mailbox = strax.Mailbox(timeout=0.2, lazy=False, name="peaks_mailbox")
    source = mailbox.subscribe()
    mailbox.start()
    next(source)


@sample("hang", **HANG)
def mailbox_full():
    mailbox = strax.Mailbox(timeout=0.2, lazy=False, name="peaks_mailbox", max_messages=2)
    mailbox.subscribe()
    for i in range(4):
        mailbox.send(i)


@sample("hang", **HANG)
def slow_plugin_times_its_readers_out():
    class Slow(Peaks):
        def compute(self, raw_records):
            time.sleep(8)
            return raw_records

    class Last(Peaks):
        provides = "events"
        depends_on = ("peaks",)
        data_kind = "events"

        def compute(self, peaks):
            return peaks

    make(Source, Slow, Last, target="events", processor="threaded_mailbox")


# --- input that is not there ----------------------------------------------------------------------

WAITING = {"shedding": False, "memory": False, "whose": "run"}


@sample("input_not_ready", plugin="raw_records", **WAITING)
def chunk_never_comes():
    class Waiting(Source):
        input_timeout = 0.1

        def is_ready(self, chunk_i):
            return chunk_i < 1

        def source_finished(self):
            return False

    make(Waiting, Peaks)


@sample("input_not_ready", plugin="raw_records", **WAITING)
def chunk_never_comes_to_mailboxes():
    class Waiting(Source):
        input_timeout = 0.1

        def is_ready(self, chunk_i):
            return chunk_i < 1

        def source_finished(self):
            return False

    make(Waiting, Peaks, processor="threaded_mailbox")


def reader(directory):
    """straxen's DAQ reader as it is, over a live-data directory."""
    plugin = straxen.DAQReader()
    plugin.config = {
        "daq_input_dir": str(directory),
        "readout_threads": {"reader0_reader_0": 1},
        "daq_compressor": "lz4",
        "record_length": 110,
        "safe_break_in_pulses": 1000,
        "daq_chunk_duration": int(5e9),
        "daq_overlap_chunk_duration": int(5e8),
        "run_start_time": 0.0,
        "channel_map": {"tpc": (0, 493)},
    }
    plugin.dtype = plugin.infer_dtype()
    plugin.dt_max = int(1e9)
    plugin.n_readout_threads = 1
    return plugin


def live_run(name, files):
    directory = LIVE / name
    for path, content in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)
    return directory


@sample("input_not_ready", **WAITING)
def live_chunk_is_gone():
    directory = live_run("000007", {"000000/reader0_reader_0_140": b""})
    plugin = reader(directory)
    plugin._count_files_per_chunk(str(directory / "000001"))


@sample("input_not_ready", **WAITING)
def live_file_is_gone():
    strax.load_file(str(LIVE / "000007/000000/reader0_reader_0_139"), "lz4", np.int64)


@sample("input_not_ready", **WAITING)
def input_not_stored():
    context = strax.Context(
        storage=[strax.DataDirectory(str(OUTPUT), readonly=True)],
        register=[Source, Peaks],
        forbid_creation_of=("raw_records",),
    )
    context.make("000007", "peaks", progress_bar=False)


@sample("input_not_ready", **WAITING)
def run_metadata_missing():
    strax.DataDirectory(str(OUTPUT), provide_run_metadata=True).run_metadata("000007")


keep(
    "the_daq_wrote_no_end",
    "input_not_ready",
    {
        "exit": {**ENDED_WELL, "code": 0},
        "result": {**failed_result(None), "ok": True},
        "verification": {"kind": "not_ended"},
    },
    True,
    **WAITING,
)


# --- corrupt data ---------------------------------------------------------------------------------

CORRUPT = {"shedding": False, "memory": False, "whose": "run"}
RECORDS = np.zeros(40, strax.raw_record_dtype(110)).tobytes()
COMPRESSED = lz4.frame.compress(os.urandom(5000) + RECORDS)


def load(content, compressor, dtype=np.int64):
    path = live_run("000008", {"000003/reader0_reader_0_140": content})
    file = path / "000003/reader0_reader_0_140"
    return strax.load_file(str(file), compressor, dtype)


@sample("corrupt_data", **CORRUPT)
def lz4_not_lz4():
    load(b"this is no frame of lz4 at all, not even by its first bytes", "lz4")


@sample("corrupt_data", **CORRUPT)
def lz4_bytes_flipped():
    broken = bytearray(COMPRESSED)
    broken[60:90] = os.urandom(30)
    broken[7:11] = b"\xff\xff\xff\x7f"
    load(bytes(broken), "lz4")


@sample("corrupt_data", **CORRUPT)
def live_file_cut_off():
    load(lz4.frame.compress(RECORDS)[:-1] + b"", "lz4", strax.raw_record_dtype(111))


@sample("corrupt_data", **CORRUPT)
def zstd_bytes_flipped():
    broken = bytearray(zstandard.compress(RECORDS + os.urandom(500)))
    broken[10:60] = os.urandom(50)
    load(bytes(broken), "zstd")


@sample("corrupt_data", **CORRUPT)
def zstd_not_zstd():
    load(b"no zstandard", "zstd")


@sample("corrupt_data", **CORRUPT)
def blosc_not_blosc():
    load(b"no blosc either, but longer than its header of bytes", "blosc")


@sample("corrupt_data", **CORRUPT)
def bz2_not_bz2():
    load(b"nor any bz2", "bz2")


@sample("corrupt_data", **CORRUPT)
def bz2_flipped():
    broken = bytearray(bz2.compress(os.urandom(3000)))
    broken[100:120] = bytes(20)
    load(bytes(broken), "bz2")


@sample("corrupt_data", **CORRUPT)
def rows_do_not_fit():
    load(lz4.frame.compress(b"1234567"), "lz4", strax.raw_record_dtype(110))


@sample("corrupt_data", **CORRUPT)
def foreign_thread_in_live_data():
    directory = live_run("000009", {"000000/reader7_reader_0_140": b""})
    reader(directory)._count_files_per_chunk(str(directory / "000000"))


@sample("corrupt_data", **CORRUPT)
def too_many_files_of_a_thread():
    files = {f"000000/reader0_reader_0_{i}": b"" for i in (1, 2)}
    directory = live_run("000010", files)
    reader(directory)._count_files_per_chunk(str(directory / "000000"))


@sample("corrupt_data", **CORRUPT)
def times_outside_the_chunk():
    records = np.zeros(3, strax.raw_record_dtype(110))
    records["time"] = [5, 6, 10**15]
    records["dt"], records["length"] = 10, 110
    content = lz4.frame.compress(records.tobytes())
    directory = live_run("000011", {"000000/reader0_reader_0_1": content})
    reader(directory)._load_chunk(str(directory / "000000"), 0, 10**10)


@sample("corrupt_data", **CORRUPT)
def unknown_channel():
    from straxen.plugins.raw_records import daqreader

    records = np.zeros(3, strax.raw_record_dtype(110))
    records["channel"] = 999
    daqreader.split_channel_ranges(records, np.array([[1000, 1083]]))


def stored_peaks():
    folder = Path(tempfile.mkdtemp(dir=OUTPUT))
    make(Source, Peaks, target="raw_records", storage=folder)
    (stored,) = folder.glob("000007-raw_records-*")
    return folder, stored


@sample("corrupt_data", **CORRUPT)
def stored_chunk_overwritten():
    folder, stored = stored_peaks()
    (stored / f"{stored.name[7:]}-000000").write_bytes(b"something else entirely")
    make(Source, Peaks, storage=folder)


@sample("corrupt_data", **CORRUPT)
def stored_chunk_gone():
    folder, stored = stored_peaks()
    (stored / f"{stored.name[7:]}-000000").unlink()
    make(Source, Peaks, storage=folder)


@sample("corrupt_data", **CORRUPT)
def stored_metadata_gone():
    folder, stored = stored_peaks()
    (stored / f"{stored.name[7:]}-metadata.json").unlink()
    backend = strax.DataDirectory(str(folder)).backends[0]
    backend.get_metadata(str(stored))


@sample("corrupt_data", **CORRUPT)
def stored_metadata_cut_off():
    _, stored = stored_peaks()
    path = stored / f"{stored.name[7:]}-metadata.json"
    path.write_text(path.read_text()[:100])
    read_product(
        {
            "type": "raw_records",
            "location": str(stored),
            "lineageHash": stored.name[19:],
        }
    )


@sample("corrupt_data", **CORRUPT)
def product_with_a_missing_chunk():
    _, stored = stored_peaks()
    (stored / f"{stored.name[7:]}-000000").unlink()
    read_product(
        {
            "type": "raw_records",
            "location": str(stored),
            "lineageHash": stored.name[19:],
        }
    )


keep(
    "products_do_not_cover_the_run",
    "corrupt_data",
    {
        "exit": {**ENDED_WELL, "code": 0},
        "result": {**failed_result(None), "ok": True},
        "verification": {
            "kind": "bad",
            "problem": "raw_records covers 30.0 s of a run of 60.0 s.",
        },
    },
    True,
    **CORRUPT,
)


# --- plugins --------------------------------------------------------------------------------------

PLUGIN = {"plugin": "peaks", "shedding": True, "memory": False, "whose": "run"}


@sample("plugin_error", **PLUGIN)
def key_error():
    in_peaks(lambda _: {}["area"])


@sample("plugin_error", **PLUGIN)
def no_such_field():
    in_peaks(lambda records: records["area"])


@sample("plugin_error", **PLUGIN)
def index_error():
    in_peaks(lambda records: records[1000])


@sample("plugin_error", **PLUGIN)
def shapes_do_not_fit():
    in_peaks(lambda records: records["time"] + np.zeros(3))


@sample("plugin_error", **PLUGIN)
def division_by_zero():
    in_peaks(lambda records: 1 // (len(records) - 10))


@sample("plugin_error", **PLUGIN)
def assertion():
    def act(records):
        assert len(records) == 0, "there are records"

    in_peaks(act)


@sample("plugin_error", **PLUGIN)
def numba_typing():
    act = numba.njit(lambda records: records + "text")
    in_peaks(act)


@sample("plugin_error", **PLUGIN)
def numba_index():
    act = numba.njit(lambda array: array.reshape(7, 7))
    in_peaks(lambda records: act(np.zeros(10)))


@sample("plugin_error", **PLUGIN)
def wrong_output():
    class Wrong(Peaks):
        def compute(self, raw_records):
            return np.zeros(3)

    make(Source, Wrong)


@sample("plugin_error", **PLUGIN)
def output_outside_its_chunk():
    class Wrong(Peaks):
        def compute(self, raw_records):
            late = raw_records.copy()
            late["endtime"] += 10**12
            return late

    make(Source, Wrong)


@sample("plugin_error", **PLUGIN)
def error_in_a_mailbox_thread():
    in_peaks(lambda _: {}["area"], processor="threaded_mailbox")


class PoolPeaks(Peaks):
    parallel = "process"

    def compute(self, raw_records):
        return raw_records["no_such_field"]


@sample("plugin_error", **PLUGIN)
def error_in_a_worker_process():
    make(Source, PoolPeaks, processor="threaded_mailbox", workers=2)


@sample("plugin_error", **PLUGIN)
def error_that_times_others_out():
    class Failing(Peaks):
        def compute(self, raw_records):
            time.sleep(2.5)
            raise IndexError("index 14 is out of bounds for axis 0 with size 14")

    class Last(Peaks):
        provides = "events"
        depends_on = ("peaks",)
        data_kind = "events"

        def compute(self, peaks):
            return peaks

    make(Source, Failing, Last, target="events", processor="threaded_mailbox")


@sample("plugin_error", plugin="peaks", shedding=True, whose="run")
def mailbox_killed_by_another_thread():
    try:
        in_peaks(lambda _: {}["area"])
    except KeyError as error:
        reason = (type(error), error, error.__traceback__)
    mailbox = strax.Mailbox(timeout=2, lazy=False, name="events_mailbox")
    source = mailbox.subscribe()
    mailbox.kill(upstream=False, reason=reason)
    next(source)


@sample("plugin_error", plugin="peaks", shedding=True, whose="run")
def timeout_while_handling_an_error():
    try:
        in_peaks(lambda _: {}["area"])
    except KeyError:
        raise strax.MailboxReadTimeout("events_mailbox did not get 3 in time.")  # noqa: B904


@sample("plugin_error", plugin="raw_records", shedding=False, whose="run")
def the_source_itself_fails():
    class Failing(Source):
        def compute(self, chunk_i):
            raise ZeroDivisionError("division by zero")

    make(Failing, Peaks)


@sample("plugin_error", **PLUGIN)
def key_error_looked_up_twice():
    def act(_):
        try:
            {}["cached"]
        except KeyError:
            raise ValueError("operands could not be broadcast together") from None

    in_peaks(act)


@sample("plugin_error", **PLUGIN)
def file_of_its_own_missing_is_no_input():
    def act(_):
        try:
            open("/nowhere/cache.json").close()
        except FileNotFoundError:
            np.zeros(3)[7]

    in_peaks(act)


# --- calibrations and databases -------------------------------------------------------------------

SITE = {"whose": "site", "memory": False}


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def quick_client(port, **options):
    return pymongo.MongoClient("127.0.0.1", port, serverSelectionTimeoutMS=150, **options)


@sample("calibration_or_database", plugin="peaks", shedding=True, **SITE)
def database_does_not_answer():
    in_peaks(lambda _: quick_client(closed_port()).corrections.gains.find_one({}))


@sample("calibration_or_database", plugin="peaks", shedding=True, **SITE)
def database_closes_the_connection():
    def hang_up(listener):
        while True:
            connection, _ = listener.accept()
            connection.recv(1)
            connection.close()

    listener, port = silent_server()
    threading.Thread(target=hang_up, args=(listener,), daemon=True).start()
    in_peaks(lambda _: quick_client(port).corrections.gains.find_one({}))


@sample("calibration_or_database", plugin="raw_records", shedding=False, **SITE)
def database_missing_for_the_source():
    class Failing(Source):
        def compute(self, chunk_i):
            quick_client(closed_port()).xenonnt.runs.find_one({})

    make(Failing, Peaks)


@sample("calibration_or_database", by_hand=True, plugin="peaks", shedding=True, **SITE)
def authentication_failed():
    def act(_):
        details = {"ok": 0.0, "errmsg": "Authentication failed.", "code": 18}
        raise pymongo.errors.OperationFailure("Authentication failed.", 18, details)

    in_peaks(act)


@sample("calibration_or_database", by_hand=True, plugin="peaks", **SITE)
def primary_stepped_down():
    def act(_):
        raise pymongo.errors.NotPrimaryError("not primary", {"ok": 0.0, "code": 10107})

    in_peaks(act)


@sample("calibration_or_database", plugin="peaks", **SITE)
def database_reset():
    def act(_):
        try:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        except OSError as error:
            raise pymongo.errors.AutoReconnect("127.0.0.1:27017: connection closed") from error

    in_peaks(act)


@sample("calibration_or_database", plugin="peaks", shedding=True, **SITE)
def correction_service_refuses():
    in_peaks(lambda _: requests.get(f"http://127.0.0.1:{closed_port()}/pmt_gains", timeout=1))


@sample("calibration_or_database", plugin="peaks", **SITE)
def correction_service_is_slow():
    in_peaks(lambda _: requests.get(f"http://127.0.0.1:{SILENT}/pmt_gains", timeout=0.2))


@sample("calibration_or_database", plugin="peaks", **SITE)
def correction_service_not_found():
    response = requests.Response()
    response.status_code, response.reason = 404, "Not Found"
    response.url = "http://cmt.invalid/pmt_gains"
    in_peaks(lambda _: response.raise_for_status())


@sample("calibration_or_database", plugin="peaks", **SITE)
def urllib_refused():
    in_peaks(lambda _: urllib.request.urlopen(f"http://127.0.0.1:{closed_port()}/", timeout=1))


@sample("calibration_or_database", by_hand=True, plugin="peaks", **SITE)
def name_not_resolved():
    def act(_):
        failure = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        with mock.patch("socket.getaddrinfo", side_effect=failure):
            urllib.request.urlopen("http://xenon1t-daq.lngs.infn.it/", timeout=1)

    in_peaks(act)


CORRECTION = "xedocs://pmt_area_to_pes?version=ONLINE&run_id=000007&detector=tpc"


@sample("calibration_or_database", **SITE)
def no_settings_of_the_corrections_database():
    straxen.URLConfig.evaluate_dry(CORRECTION)


@sample("calibration_or_database", plugin="peaks", shedding=True, **SITE)
def no_correction_for_this_run():
    accessor = mock.Mock(schema=xedocs.find_schema("pmt_area_to_pes"), find_docs=lambda **_: [])
    with mock.patch("xedocs._straxen_plugin.get_accessor", return_value=accessor):
        in_peaks(lambda _: straxen.URLConfig.evaluate_dry(CORRECTION))


@sample("calibration_or_database", **SITE)
def databases_of_the_site_unreachable():
    from bootstrax_worker.contexts.online import xenonnt_online

    xenonnt_online()


@sample("calibration_or_database", **SITE)
def resource_file_missing():
    straxen.URLConfig.evaluate_dry("resource:///nowhere/se_gain_map.json?fmt=json")


@sample("calibration_or_database", **SITE)
def resource_not_in_its_store():
    straxen.get_resource("XENONnT_no_such_map_v1.json", fmt="json")


@sample(
    "calibration_or_database",
    plugin="peaks",
    shedding=True,
    whose="site",
    by_hand=False,
)
def document_of_the_online_monitor_too_large():
    import bson

    def act(_):
        bson.encode({"a": 1})
        raise pymongo.errors.DocumentTooLarge(
            "'update' command document too large: BSON document too large (24830127 bytes) - the "
            "connected server supports BSON document sizes up to 16777216 bytes."
        )

    in_peaks(act)


@sample("calibration_or_database", **SITE)
def context_without_its_database():
    def build(**_):
        return quick_client(closed_port()).corrections.gains.find_one({})

    module = type(sys)("provoked_context")
    module.build = build
    with mock.patch.dict(sys.modules, {"provoked_context": module}):
        LoadedContext("provoked_context:build", {})


# --- disks ----------------------------------------------------------------------------------------

DISK = {"shedding": False, "memory": False, "whose": "host"}


@sample("disk", **DISK)
def no_space_left():
    with open("/dev/full", "wb", buffering=0) as file:
        strax.save_file(file, np.zeros(1000), "lz4")


@sample("disk", **DISK)
def no_space_left_in_a_mailbox_thread():
    def full(path, data, compressor):
        with open("/dev/full", "wb", buffering=0) as file:
            return ORIGINAL_SAVE(file, data, compressor)

    with mock.patch.object(strax, "save_file", full):
        make(Source, Peaks, processor="threaded_mailbox")


def raised_by(call, number, path):
    """What the system call gives on a broken machine."""

    def fail(*_, **__):
        raise OSError(number, os.strerror(number), str(path))

    with mock.patch(call, fail):
        strax.save_file(str(OUTPUT / "000007-peaks-abc/000000"), np.zeros(3), "lz4")


for name, number in {
    "read_only_file_system": errno.EROFS,
    "quota_exceeded": errno.EDQUOT,
    "write_error": errno.EIO,
    "permission_denied": errno.EACCES,
    "stale_file_handle": errno.ESTALE,
}.items():

    def broken(number=number):
        raised_by("builtins.open", number, OUTPUT / "000007-peaks-abc/000000_temp")

    broken.__name__ = name
    sample("disk", by_hand=True, **DISK)(broken)


@sample("disk", **DISK)
def read_error():
    # Address 0 of a process is not mapped: a real EIO, in the place where a chunk is read.
    strax.load_file("/proc/self/mem", "lz4", np.int64)


@sample("disk", **DISK)
def output_not_writable():
    raise OutputUnusable(f"output folder {OUTPUT} is not writable")


keep(
    "no_result_could_be_written",
    "disk",
    {"exit": {**ENDED_WELL, "code": 74}},
    True,
    **DISK,
)
NODE_FULL = "its folders cannot be written: ENOSPC: no space left on device, mkdir '/state/a'"
keep(
    "manager_cannot_write",
    "disk",
    {"started": False, "ended": {"kind": "host_problem", "reason": NODE_FULL}},
    True,
    **DISK,
)


# --- what people and managers do ------------------------------------------------------------------

keep(
    "stopped_by_a_person",
    "operator",
    {
        "exit": {**ENDED_WELL, "signal": 15},
        "ended": {"kind": "operator", "reason": "tagged abandon"},
    },
    True,
    whose="operator",
    shedding=False,
)
keep(
    "stopped_by_its_manager",
    "manager",
    {
        "exit": {**ENDED_WELL, "signal": 15},
        "ended": {"kind": "manager", "reason": "stop --children"},
    },
    True,
    whose="host",
    shedding=False,
)
keep("never_started", "manager", {"started": False}, True, whose="host", shedding=False)
keep(
    "saw_no_manager",
    "manager",
    {"exit": {**ENDED_WELL, "orphaned": True}},
    True,
    whose="host",
)
keep("all_vanished", "vanished", {}, True, whose="host")


# --- settings -------------------------------------------------------------------------------------


@sample("configuration", shedding=False, whose="site")
def context_does_not_exist():
    LoadedContext("no_such_module:context", {})


@sample("configuration", whose="site")
def context_without_such_a_target():
    raise UnknownTarget("context straxen.contexts:xenonnt makes no peaks_of_the_moon")


@sample("configuration", whose="site")
def option_not_known():
    @strax.takes_config(strax.Option("needed", infer_type=False))
    class Needy(Peaks):
        pass

    make(Source, Needy)


OUTSIDE = (
    "the live data of run 7 is said to be in /elsewhere, but this host is configured to find it in "
    "/live_data. Correct the setting for live data, or the run document."
)
keep(
    "live_data_outside",
    "configuration",
    {"started": False, "ended": {"kind": "host_problem", "reason": OUTSIDE}},
    True,
    whose="site",
)


# --- hosts ----------------------------------------------------------------------------------------


@sample("host", plugin="peaks", shedding=False)
def too_many_open_files():
    def act(_):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        files = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 20, hard))
        try:
            while True:
                files.append(open(os.devnull))  # noqa: SIM115
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    in_peaks(act)


@sample("host", by_hand=True, plugin="peaks", shedding=False)
def no_more_threads():
    def act(_):
        failure = RuntimeError("can't start new thread")
        with mock.patch.object(threading, "_start_new_thread", side_effect=failure):
            threading.Thread(target=print).start()

    in_peaks(act)


# --- not known ------------------------------------------------------------------------------------

UNKNOWN = {"shedding": True, "whose": "run"}
NULL = "import ctypes; ctypes.string_at(0)"
keep("segmentation_fault", "unknown", died(NULL), **UNKNOWN)
keep("aborted", "unknown", died("import os; os.abort()"), **UNKNOWN)
keep(
    "killed_from_outside",
    "unknown",
    died("import os; os.kill(os.getpid(), 9)"),
    **UNKNOWN,
)
ILLEGAL = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
keep("illegal_instruction", "unknown", died(ILLEGAL), **UNKNOWN)
keep("left_without_a_word", "unknown", died("import os; os._exit(3)"), **UNKNOWN)
keep("exit_in_the_middle", "unknown", died("raise SystemExit(1)"), **UNKNOWN)
keep(
    "a_worker_process_crashed",
    "unknown",
    {"exit": ENDED_WELL, "result": pool_broken(signal.SIGSEGV)},
    plugin="peaks",
    **UNKNOWN,
)


@sample("unknown", **UNKNOWN)
def error_of_strax_itself():
    strax.Mailbox(timeout=1, lazy=False, name="m").start()


# --------------------------------------------------------------------------------------------------


def scrub(text):
    site = str(Path(strax.__file__).parents[1])
    standard = str(Path(os.__file__).parent)
    for path, instead in (
        (str(OUTPUT), "/data/pre_processed"),
        (str(LIVE), "/live_data/xenonnt"),
        (str(WORK), "/scratch"),
        (str(HERE / "provoke.py"), "/opt/site/plugins/provoked.py"),
        (site, "/opt/python/lib/python3.11/site-packages"),
        (standard, "/opt/python/lib/python3.11"),
        (str(PACKAGE), "/opt/bootstrax"),
        (socket.gethostname(), "eb3"),
    ):
        text = text.replace(path, instead)
    text = re.sub(r"/tmp/[\w./-]+", "/scratch/temporary", text)
    text = re.sub(r"\b0x[0-9a-f]{6,}", "0x7f0000000000", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "10.0.0.7:27017", text)
    text = re.sub(r"\('127\.0\.0\.1', \d+\)", "('10.0.0.7', 27017)", text)
    text = re.sub(r"(port=)\d+", r"\g<1>27017", text)
    text = text.replace("127.0.0.1", "10.0.0.7")
    text = re.sub(r"TopologyDescription id: \w+", "TopologyDescription id: 0", text)
    text = re.sub(r"ObjectId\('[0-9a-f]+'\)", "ObjectId('000000000000000000000000')", text)
    text = re.sub(r"pid=\d+|process \d+", "process 4711", text)
    return text


def main():
    names = [each["name"] for each in SAMPLES]
    assert len(names) == len(set(names)), "two samples of one name"
    folder = HERE / "samples"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    for cause_class in sorted({each["expected"]["class"] for each in SAMPLES}):
        chosen = [each for each in SAMPLES if each["expected"]["class"] == cause_class]
        text = scrub(json.dumps(chosen, indent=1, ensure_ascii=False))
        (folder / f"{cause_class}.json").write_text(text + "\n")
        print(f"{cause_class}: {len(chosen)}")
    print(f"{len(SAMPLES)} samples")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
