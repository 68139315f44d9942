"""Python that has imported strax already, for tests that start many managers.

Each fork server of a manager, check of products and simulator imports and compiles for a second and
more, which is most of what such a test costs. Behind this process they are forks of it: the program
is the same, its environment, arguments and open files are those that were given, and it ends when
whoever asked for it ends, unless it is a fork server; all end with this process. Everything else is
left to the real Python. It ends with the process that owns it. Used by `warm-python.ts`;
`warm_python_client.py` is what managers take for Python.
"""

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import tempfile
import traceback

from bootstrax_worker.fork_safety import switch_off_thread_pools

switch_off_thread_pools()

from bootstrax_worker import __main__ as program  # noqa: E402
from bootstrax_worker import check_products, child, fork_server, processing, products  # noqa: E402, F401
from bootstrax_worker.context import LoadedContext  # noqa: E402
from bootstrax_worker.contexts import small  # noqa: E402
from bootstrax_worker.simulator import __main__ as simulator  # noqa: E402

PROGRAMS = {"bootstrax_worker": program.main, "bootstrax_worker.simulator": simulator.main}
CONTEXT = "bootstrax_worker.contexts.small:small"
LONGEST_REQUEST = 1 << 20


def warm_up() -> None:
    loaded = LoadedContext(CONTEXT, {})
    with tempfile.TemporaryDirectory() as directory:
        loaded.warm_up(loaded.context, directory)
    # What was compiled here is compiled in each fork.
    small.warm_up = lambda context, directory: None


class Nursery:
    """Forks on request; answers with the exit status, and ends what nobody waits for any more."""

    def __init__(self, path: str, owner: int) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(path)
        self._listener.listen(64)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._owner = os.pidfd_open(owner)
        self._selector.register(self._owner, selectors.EVENT_READ)
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._woken, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self._end())
        self._asked_by: dict[int, socket.socket] = {}
        self._servers: set[int] = set()

    def serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._fork(self._listener.accept()[0])
                elif key.fileobj == self._owner:
                    self._end()
                elif key.fileobj == self._woken:
                    os.read(self._woken, 4096)
                    self._reap()
                else:
                    self._deserted(key.fileobj)

    def _fork(self, asking: socket.socket) -> None:
        message, files, _, _ = socket.recv_fds(asking, LONGEST_REQUEST, 4)
        if not message:
            asking.close()
            return
        request = json.loads(message)
        pid = os.fork()
        if pid == 0:
            self._be_program(request, files)
        for fd in files:
            os.close(fd)
        self._asked_by[pid] = asking
        if request["arguments"][:1] == ["serve"]:
            self._servers.add(pid)
        self._selector.register(asking, selectors.EVENT_READ)

    def _be_program(self, request: dict, files: list[int]) -> None:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            for target, fd in enumerate(files):
                os.dup2(fd, target)
            os.closerange(len(files), 1024)
            os.environ.clear()
            os.environ.update(request["environment"])
            os.chdir(request["directory"])
            sys.argv = [request["module"], *request["arguments"]]
            sys.path[:0] = os.environ.get("PYTHONPATH", "").split(os.pathsep)
            code = PROGRAMS[request["module"]]()
        except SystemExit as exit:
            code = exit.code
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else 1)

    def _reap(self) -> None:
        while self._asked_by:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            asking = self._asked_by.pop(pid)
            self._servers.discard(pid)
            if asking.fileno() < 0:
                continue
            self._selector.unregister(asking)
            with contextlib.suppress(OSError):
                asking.send(str(os.waitstatus_to_exitcode(status)).encode())
            asking.close()

    def _deserted(self, asking: socket.socket) -> None:
        """Who asked has ended."""
        self._selector.unregister(asking)
        asking.close()
        for pid, other in self._asked_by.items():
            if other is asking and pid not in self._servers:
                os.kill(pid, signal.SIGKILL)

    def _end(self) -> None:
        for pid in self._asked_by:
            os.kill(pid, signal.SIGKILL)
        os._exit(0)


if __name__ == "__main__":
    warm_up()
    nursery = Nursery(sys.argv[1], int(sys.argv[2]))
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    nursery.serve()
