"""What takes the place of Python where strax is imported once for all: see `warm_python.py`.

Arguments: the socket, the real Python, and those of Python. Takes a few milliseconds.
"""

import ctypes
import os
import signal
import sys

path, python, *arguments = sys.argv[1:]
PROGRAMS = (
    ["-m", "bootstrax_worker", "serve"],
    ["-m", "bootstrax_worker", "check-products"],
    ["-m", "bootstrax_worker.simulator"],
)
if not any(arguments[: len(program)] == program for program in PROGRAMS):
    os.execv(python, [python, *arguments])

import json  # noqa: E402
import socket  # noqa: E402

PR_SET_PDEATHSIG = 1
# A fork server outlives whoever has started it.
is_server = arguments[2:3] == ["serve"]
if not is_server:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
nursery = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
nursery.connect(path)
request = {
    "module": arguments[1],
    "arguments": arguments[2:],
    "environment": dict(os.environ),
    "directory": os.getcwd(),
}
files = [0, 1, 2, 3] if is_server else [0, 1, 2]
socket.send_fds(nursery, [json.dumps(request).encode()], files)
if is_server:
    # With it open here, nobody would see the end of a dead server.
    os.close(3)
answer = nursery.recv(64)
code = int(answer) if answer else 1
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code)
