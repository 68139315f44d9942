"""A strax context of three plugins for tests of the worker, each with its vice on request."""

import ctypes
import os
import signal
import threading
import time
from multiprocessing import resource_tracker, shared_memory

import numpy as np
import strax
from immutabledict import immutabledict

from bootstrax_worker.input_account import count_file

CHUNK_NS = 1_000_000_000


@strax.takes_config(
    strax.Option("tiny_chunks", default=3, track=False),
    strax.Option("tiny_pause_seconds", default=0.0, track=False),
    strax.Option("tiny_fault", default="", track=False),
    strax.Option("tiny_reader", default="", track=False),
    strax.Option("daq_input_dir", default="", track=False, type=str),
)
class Source(strax.Plugin):
    depends_on = ()
    provides = "tiny_raw"
    data_kind = "tiny_raw"
    dtype = strax.time_fields
    rechunk_on_save = False
    input_timeout = 1

    def source_finished(self):
        return self.config["tiny_fault"] != "no_data"

    def is_ready(self, chunk_i):
        if self.config["tiny_fault"] == "no_data" and chunk_i == 1:
            return False
        return chunk_i < self.config["tiny_chunks"]

    def compute(self, chunk_i):
        time.sleep(self.config["tiny_pause_seconds"])
        if chunk_i == 1:
            misbehave(self.config["tiny_fault"])
        if self.config["tiny_reader"]:
            self.read(f"{self.config['daq_input_dir']}/{chunk_i:06d}/reader0_0")
        start = chunk_i * CHUNK_NS
        rows = np.zeros(100, dtype=self.dtype)
        rows["time"] = start + np.arange(100)
        rows["endtime"] = rows["time"] + 1
        return self.chunk(start=start, end=start + CHUNK_NS, data=rows)

    def read(self, path):
        """Read a file in a format of its own, in a thread of its own, and perhaps tell of it."""

        def work():
            with open(path) as file:
                rows = len(file.readlines())
            if self.config["tiny_reader"] == "telling":
                count_file(path, rows)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()


def misbehave(fault: str) -> None:
    """Do what a faulty plugin might: `exit:N`, `signal:N`, `raise`, `hang`, `ignore_term`..."""
    kind, _, argument = fault.partition(":")
    match kind:
        case "exit":
            os._exit(int(argument))
        case "signal":
            os.kill(os.getpid(), int(argument))
            time.sleep(60)
        case "raise":
            raise ValueError("the data is bad")
        case "oserror":
            raise OSError(int(argument), os.strerror(int(argument)), "/somewhere/else")
        case "hang":
            time.sleep(3600)
        case "ignore_term":
            # Python allows this only in the main thread, and plugins run in others.
            ctypes.CDLL(None).signal(signal.SIGTERM, ctypes.c_void_p(1))
            time.sleep(3600)
        case "fork_and_leave":
            if os.fork() == 0:
                time.sleep(3600)
        case "fork_twice_and_leave":
            note, _, then = argument.partition(",")
            leave_out_of_reach(note)
            if then:
                os.kill(os.getpid(), int(then))
        case "leak_shared_memory":
            leaked = shared_memory.SharedMemory(create=True, size=1000)
            leaked.buf[:4] = b"data"
            # As if Python's own tracker, which is killed with the rest, had had no time.
            resource_tracker.unregister(leaked._name, "shared_memory")
            os.kill(os.getpid(), signal.SIGKILL)
        case "flood":
            for _ in range(200_000):
                print("x" * 79)


def leave_out_of_reach(note: str) -> None:
    """Leave two grandchildren in a session of their own, with no file open, deaf to TERM."""
    notes = (note, f"{note}.other")
    if os.fork() == 0:
        os.setsid()
        for name in notes:
            if os.fork() == 0:
                ctypes.CDLL(None).signal(signal.SIGTERM, ctypes.c_void_p(1))
                with open(f"{name}.part", "w") as file:
                    file.write(str(os.getpid()))
                os.rename(f"{name}.part", name)
                os.closerange(0, 100)
                time.sleep(3600)
        os._exit(0)
    while not all(os.path.exists(name) for name in notes):
        time.sleep(0.01)


@strax.takes_config(strax.Option("tiny_double_fault", default="", track=False))
class Double(strax.Plugin):
    depends_on = "tiny_raw"
    provides = ("tiny_double", "tiny_extra")
    data_kind = immutabledict(tiny_double="tiny_double", tiny_extra="tiny_extra")
    parallel = "process"
    save_when = immutabledict(
        tiny_double=strax.SaveWhen.ALWAYS,
        tiny_extra=strax.SaveWhen.TARGET,
    )

    def infer_dtype(self):
        return dict.fromkeys(self.provides, np.dtype(strax.time_fields))

    def compute(self, tiny_raw):
        misbehave(self.config["tiny_double_fault"])
        rows = np.zeros(len(tiny_raw), dtype=strax.time_fields)
        rows["time"], rows["endtime"] = tiny_raw["time"], tiny_raw["endtime"]
        return {"tiny_double": rows, "tiny_extra": rows[:10]}


class Sum(strax.Plugin):
    depends_on = "tiny_double"
    provides = "tiny_sum"
    data_kind = "tiny_sum"
    dtype = strax.time_fields
    parallel = "process"

    def compute(self, tiny_double):
        return tiny_double[tiny_double["time"] % CHUNK_NS == 0]


class Late(strax.Plugin):
    depends_on = "tiny_sum"
    provides = "tiny_late"
    data_kind = "tiny_late"
    dtype = strax.time_fields

    def compute(self, tiny_sum):
        return tiny_sum


_hanging_warm_up = False


def tiny(
    lingering_thread: bool = False, broken: bool = False, hanging_warm_up: bool = False
) -> strax.Context:
    """The context; it may leave a thread running, fail to build, or never get warm."""
    global _hanging_warm_up
    _hanging_warm_up = hanging_warm_up
    if broken:
        raise RuntimeError("the calibration file is missing")
    if lingering_thread:
        threading.Thread(target=time.sleep, args=(3600,), name="lingerer", daemon=True).start()
    return strax.Context(register=[Source, Double, Sum, Late])


def warm_up(context: strax.Context, directory: str) -> None:
    """Make all types of a tiny run once."""
    if _hanging_warm_up:
        time.sleep(3600)
    context.storage = [strax.DataDirectory(directory)]
    context.make("999999", "tiny_late")
