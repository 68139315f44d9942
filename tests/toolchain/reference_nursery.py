"""Runs straxen's own bootstrax, as installed, many times over.

One process imports straxen and compiles what strax compiles on first use; each manager of the
reference is a fork of it, which only then imports the program, so that flags, host name and
connections are its own. The program is not edited. From outside come: the host's name, the free
disk, the folder for processed data, a light context in place of the physics, a logger in place of
`daqnt` (which is in no registry), and time constants that suit a test of seconds. It connects
through utilix, by the file that XENON_CONFIG names.

Requests and answers are JSON lines on stdin and stdout; see `_start` for a request's fields.
"""

import ctypes
import importlib
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
import types

import numpy as np
import strax
import straxen
from bootstrax_worker.contexts import small
from outside import event_builder

ONLINE_TYPES = (
    "veto_intervals",
    "online_peak_monitor",
    "event_basics",
    "online_monitor_nv",
    "online_monitor_mv",
    "individual_peak_monitor",
)
PR_SET_PDEATHSIG = 1
# In every chunk of every plugin, so that there is something to be killed in the middle of.
PAUSE_SECONDS = 0.12
RecordsNv = small._plugin("records_nv", ("raw_records_nv",), small.SmallPlugin)
# Pauses written into the program as numbers are this much shorter.
TIME_SCALE = 0.02


def light_online_context(output_folder, we_are_the_daq, **options):
    """The small context with the storage that straxen's online context gives a DAQ machine."""
    options.pop("_rucio_path", None)
    context = small.small(sleep_seconds=PAUSE_SECONDS)
    # The program sets the compressor of this type, which nothing else needs.
    context.register(RecordsNv)
    context.set_context_config(options)
    context.storage = [
        straxen.RunDB(
            readonly=not we_are_the_daq,
            minimum_run_number=0,
            runid_field="number",
            new_data_path=output_folder,
            rucio_path=None,
        ),
        straxen.OnlineMonitor(readonly=not we_are_the_daq, take_only=ONLINE_TYPES),
    ]
    return context


def hurried(module) -> None:
    """Shorten the pauses that a module has written into it."""
    shim = types.ModuleType("time")
    shim.__dict__.update(time.__dict__)
    shim.sleep = lambda seconds: time.sleep(seconds if seconds < 1 else seconds * TIME_SCALE)
    module.time = shim


def die_between_two_writes(module, where: str) -> None:
    """As kill -9 would, at a place that chance seldom finds.

    claimed: a claim's first write is done, its second is not; done: the run is done, its status
    is not written.
    """
    write = module.set_run_state

    def set_run_state(rd, state, *args, **kwargs):
        if where == "claimed" and state == "considering":
            os.kill(os.getpid(), signal.SIGKILL)
        result = write(rd, state, *args, **kwargs)
        if where == "done" and state == "done":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    module.set_run_state = set_run_state


def be_the_reference(request: dict) -> None:
    """Import the program and run it as its command does."""
    event_builder(request["host"], request["output"])
    straxen.contexts.xenonnt_online = light_online_context
    sys.argv = ["bootstrax", *request["argv"]]
    program = importlib.import_module("straxen.scripts.bootstrax")
    hurried(program)
    program.clear_shm = lambda: None
    program.timeouts.update(request["timeouts"])
    program.all_files_saved.__defaults__ = (10, 0.2)
    if request.get("dieAt"):
        die_between_two_writes(program, request["dieAt"])
    program.main()


def _start(request: dict) -> int:
    """Fork one manager; return its pid.

    A request names: id, host, argv, output (folder for processed data), directory (to work in),
    log (file), seed, timeouts (of the program's table), dieAt (or null).
    """
    pid = os.fork()
    if pid:
        return pid
    # A session of its own: whatever it leaves behind when killed is found by it.
    os.setsid()
    # The nursery ends with the test, however that ends.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    code = 1
    try:
        os.makedirs(request["directory"], exist_ok=True)
        os.chdir(request["directory"])
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for descriptor, wanted in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(descriptor, wanted)
        random.seed(request["seed"])
        np.random.seed(request["seed"] % 2**32)
        be_the_reference(request)
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def say(**fields) -> None:
    print(json.dumps(fields), flush=True)


def main() -> None:
    strax.utils.tqdm.monitor_interval = 0
    with tempfile.TemporaryDirectory() as folder:
        small.warm_up(small.small(), folder)
    say(event="ready")
    managers: dict[int, int] = {}
    buffer = b""
    while True:
        readable, _, _ = select.select([0], [], [], 0.05)
        if readable:
            piece = os.read(0, 65536)
            if not piece:
                return
            *lines, buffer = (buffer + piece).split(b"\n")
            for line in lines:
                request = json.loads(line)
                pid = _start(request)
                managers[pid] = request["id"]
                say(event="started", id=request["id"], pid=pid)
        while managers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid in managers:
                code = os.waitstatus_to_exitcode(status)
                say(event="ended", id=managers.pop(pid), code=code)


if __name__ == "__main__":
    main()
