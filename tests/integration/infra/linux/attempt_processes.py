"""Guardian and child of an attempt, with one vice each.

Usage: attempt_processes.py LOG VICE; prints one JSON line {guardian, child, others} of pids.
"""

import ctypes
import json
import os
import signal
import sys
import time

log, vice = sys.argv[1:]
OTHERS = ("workers", "workers_left", "leaves", "leaves_all")
reader, writer = os.pipe()


def tell(key: str) -> None:
    os.write(writer, f"{key} {os.getpid()}\n".encode())


def wait_for_ever() -> None:
    while True:
        signal.pause()


def ignore_term() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def child() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setpgid(0, 0)
    if vice == "ignores_term":
        ignore_term()
    if vice in OTHERS and os.fork() == 0:
        if vice in ("leaves", "leaves_all"):
            os.setsid()
        if vice == "leaves_all":
            # No file of the attempt is left open, and its parent goes: only the guardian knows it.
            os.dup2(os.open(os.devnull, os.O_RDWR), 1)
            os.dup2(1, 2)
            if os.fork():
                os._exit(0)
        ignore_term()
        tell("other")
        wait_for_ever()
    if vice == "stopped":
        tell("child")
        os.kill(os.getpid(), signal.SIGSTOP)
    tell("child")
    if vice == "workers_left":
        signal.sigwait([signal.SIGUSR1])
        os._exit(1)
    wait_for_ever()


def guardian() -> None:
    os.setsid()
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # Orphans come to this process.
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    pid = os.fork()
    if pid == 0:
        child()
    tell("guardian")
    ignore_term()
    os.waitpid(pid, 0)
    if vice == "workers_left":
        os._exit(0)
    time.sleep(0.3)
    with open(log + ".exit", "w") as file:
        file.write("written by the guardian")
    if vice == "guardian_stays":
        wait_for_ever()
    os._exit(0)


if os.fork() == 0:
    guardian()
os.close(writer)
expected = 3 if vice in OTHERS else 2
said: dict = {}
text = b""
while text.count(b"\n") < expected:
    text += os.read(reader, 1000)
for line in text.decode().splitlines():
    key, pid = line.split()
    said[key] = int(pid)
print(json.dumps(said), flush=True)
# Nobody reaps the guardian before the end of the test, as after a manager's death.
sys.stdin.read()
