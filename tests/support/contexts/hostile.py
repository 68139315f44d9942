"""The small context, in which a run misbehaves at its first attempt.

`BOOTSTRAX_HOSTILE` names a folder with a file for each such run: its name is the number of the run,
its content the vice. The file goes with the first attempt, so that the second one is well-behaved.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from multiprocessing import shared_memory

import strax
from bootstrax_worker.contexts import small as _small

small = _small.small
warm_up = _small.warm_up

_GRIP = 20_000_000


def prepare(context, plan):
    _small.prepare(context, plan)
    vice = _vice_of(plan["run"])
    if vice is None:
        return
    print(f"run {plan['run']} {vice}", flush=True)
    _misbehave_at_first_chunk(vice)


def _vice_of(run):
    path = os.path.join(os.environ["BOOTSTRAX_HOSTILE"], str(run))
    try:
        with open(path) as file:
            vice = file.read().strip()
    except FileNotFoundError:
        return None
    os.unlink(path)
    return vice


def _misbehave_at_first_chunk(vice):
    compute = strax.Plugin.do_compute
    held = []

    def do_compute(self, chunk_i=None, **kwargs):
        result = compute(self, chunk_i=chunk_i, **kwargs)
        if self.depends_on and not held:
            held.append(self)
            misbehave(vice)
        return result

    strax.Plugin.do_compute = do_compute


def misbehave(vice):
    match vice:
        case "hangs":
            hangs_here()
        case "hangs_deaf":
            libc = ctypes.CDLL(None)
            for number in (signal.SIGTERM, signal.SIGUSR1):
                libc.signal(number, ctypes.c_void_p(1))
            hangs_here()
        case "hangs_in_c":
            # Keeps the interpreter's lock: no Python thread of this process runs any more.
            ctypes.PyDLL(None).sleep(3600)
        case "allocates":
            allocates()
        case "allocates_in_c":
            # One call that holds the interpreter's lock takes it all, piece by piece.
            _take_in_c(2_000_000_000)
        case "forks_and_leaves":
            leave_somebody_behind()
        case "leaves_shared_memory":
            left = shared_memory.SharedMemory(create=True, size=1000)
            left.buf[:4] = b"data"
            hangs_here()
        case "talks":
            raise ValueError("w" * 9_000_000)
        case "forks_and_dies":
            leave_somebody_behind()
            os.kill(os.getpid(), signal.SIGKILL)


def hangs_here():
    while True:
        time.sleep(3600)


def allocates():
    taken = []
    while True:
        taken.append(bytearray(os.urandom(1000) * (_GRIP // 1000)))
        time.sleep(0.1)


def _take_in_c(size):
    libc = ctypes.PyDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.memset.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
    piece = libc.malloc(size)
    libc.memset(piece, 1, size)
    libc.sleep(3600)


def leave_somebody_behind():
    """Orphans that ignore TERM: in the session, out of it, and without any file open besides."""
    folder = os.environ["BOOTSTRAX_HOSTILE"]
    for how in ("stays", "leaves", "closes"):
        program = (
            "import os, signal, sys, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "if os.fork(): os._exit(0)\n"
            f"if {how != 'stays'}: os.setsid()\n"
            "if os.fork(): os._exit(0)\n"
            "note = sys.argv[1]\n"
            "open(note + '.part', 'w').write(str(os.getpid()))\n"
            "os.rename(note + '.part', note)\n"
            f"if {how == 'closes'}: os.closerange(0, 100)\n"
            "time.sleep(3600)\n"
        )
        note = os.path.join(folder, f"{how}.pid")
        subprocess.run([sys.executable, "-c", program, note], check=True)
        while not os.path.exists(note):
            time.sleep(0.01)
