"""The guardian of one attempt: starts the child, waits for it and records how it ended.

It is forked from the warm server: every object that it touches becomes private memory, so it does
little and imports nothing. It records the cause of the child's death even if all others die.
"""

import contextlib
import json
import os
import signal
import sys
import time
import traceback

from . import durable, protocol
from .identity import identity
from .shared_state import SharedState

# Seconds between TERM and KILL.
GRACE_SECONDS = 3
# Limit of the wait for killed processes that are stuck in the kernel, seconds: then the end is
# recorded.
_REAP_SECONDS = 5
_PR_SET_CHILD_SUBREAPER = 36
# Blocked until the guardian can answer them. Who starts a guardian blocks them before: one that
# came sooner would end it without its last words.
HELD_SIGNALS = frozenset({signal.SIGTERM, signal.SIGALRM, signal.SIGUSR2})


def oom_kills() -> int:
    """Processes killed for memory so far, in this control group and on this machine."""
    total = 0
    for path in _oom_counters():
        try:
            with open(path) as file:
                for line in file:
                    if line.startswith("oom_kill "):
                        total += int(line.split()[1])
        except OSError:
            continue
    return total


def _oom_counters() -> list[str]:
    paths = ["/proc/vmstat"]
    try:
        with open("/proc/self/cgroup") as file:
            for line in file:
                _, controllers, group = line.rstrip("\n").split(":", 2)
                if not controllers:
                    paths.append(f"/sys/fs/cgroup{group}/memory.events")
                elif controllers == "memory":
                    paths.append(f"/sys/fs/cgroup/memory{group}/memory.oom_control")
    except OSError:
        pass
    return paths


def open_standard_streams(directory: str) -> None:
    """Redirect output to `log.txt` of the attempt, and input from /dev/null."""
    sys.stdout.flush()
    sys.stderr.flush()
    log = os.open(os.path.join(directory, "log.txt"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(nothing)
    os.close(log)


def close_standard_streams() -> None:
    """Read and write nothing: of a process whose words nobody needs."""
    sys.stdout.flush()
    sys.stderr.flush()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


def prctl(option: int, value: int) -> None:
    """Set a property of this process in the kernel (Linux prctl)."""
    import ctypes

    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def guard(directory: str, attempt: str, warm: bool, run_child) -> int:
    """Run `run_child(state, guardian_pid)` in a child process; return the guardian's exit code.

    The caller is alone in its session, has one thread, and ends with `os._exit` afterwards.
    """
    if os.path.exists(os.path.join(directory, "superseded")):
        print("this attempt lost its run before it began: not started", file=sys.stderr)
        return protocol.EXIT_ORPHANED
    state = SharedState()
    kills_before = oom_kills()
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    # No signal may arrive between the fork and the child's own process group.
    signal.pthread_sigmask(signal.SIG_BLOCK, HELD_SIGNALS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    guardian = os.getpid()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setpgid(0, 0)
            signal.signal(signal.SIGUSR2, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_SIGNALS)
            code = run_child(state, guardian)
        except BaseException:
            traceback.print_exc()
        finally:
            leave(code)
    # The child may have been faster, or be gone.
    with contextlib.suppress(OSError):
        os.setpgid(child, child)
    signal.signal(signal.SIGTERM, lambda *_: _terminate(child))
    signal.signal(signal.SIGALRM, lambda *_: _signal_group(child, signal.SIGKILL))
    # From where no manager reaches the child: it writes where its threads are.
    signal.signal(signal.SIGUSR2, lambda *_: _signal(child, signal.SIGUSR1))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_SIGNALS)
    _record(
        directory,
        "started.json",
        {
            "version": protocol.VERSION,
            "attempt": attempt,
            "guardian": identity(guardian),
            "child": identity(child),
            "warm": warm,
        },
    )
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    # Not reaped yet, so the number of its group cannot belong to another process.
    _kill_group(child)
    _, status, usage = os.wait4(child, 0)
    _end_the_rest()
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    signal_number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    killed = signal_number == signal.SIGKILL or state.pool_broken
    _record(
        directory,
        "exit.json",
        {
            "version": protocol.VERSION,
            "attempt": attempt,
            "code": code,
            "signal": signal_number,
            "outOfMemory": bool(killed and oom_kills() > kills_before),
            "orphaned": code == protocol.EXIT_ORPHANED,
            "peakMemoryBytes": state.peak_memory or usage.ru_maxrss * 1024,
        },
    )
    return 0


def leave(code: int) -> None:
    """End this process at once, without the exit handlers of its parent."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _record(directory: str, name: str, document: dict) -> None:
    path = os.path.join(directory, name)
    for wait_seconds in (0.1, 1, 5, 30, None):
        try:
            durable.write_json(path, document)
            return
        except OSError as error:
            durable.say(f"cannot write {path}: {error}: {json.dumps(document)}")
            if wait_seconds is None or durable.is_gone(directory):
                return
            time.sleep(wait_seconds)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _signal(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _terminate(child: int) -> None:
    _signal_group(child, signal.SIGTERM)
    signal.alarm(GRACE_SECONDS)


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def _kill_group(child: int) -> None:
    """Kill the processes of a dead child: strax's own workers do not notice its death."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.alarm(0)
    _signal_group(child, signal.SIGKILL)


def _end_the_rest() -> None:
    """Kill and reap all descendants. Orphans become children of this process, generation by
    generation, and the number of a child that is not reaped cannot belong to another process.
    """
    deadline = time.monotonic() + _REAP_SECONDS
    while time.monotonic() < deadline:
        for child in _children():
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGKILL)
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            time.sleep(0.01)
