"""Keeps a context warm and forks a guardian for each attempt that a manager requests.

It belongs to a state folder, not to a manager: the manager that started it may die, and the next
one connects and uses it, or requests it to retire. It serves one manager at a time, the newest.
"""

import collections
import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import time
import traceback

from . import bounded, guardian, protocol, scratch, spawning
from .fork_safety import ForkSafety, switch_off_progress_monitor
from .identity import identity
from .imported import Imported
from .manager_link import ManagerLink, is_ours
from .pictures.ends import Ends
from .server_folder import ServerFolder
from .versions import versions

# Interval of checks, without a manager, whether anything is left to wait for, seconds.
_ALONE_SECONDS = 1
# Attempts whose answer and end are kept, for managers that ask again.
_MOST_REMEMBERED = 1000


class ForkServer:
    """One thread, no polling while there is a manager."""

    def __init__(self, arguments) -> None:
        """`arguments`: those of the command line, see `__main__`."""
        self._context_name: str = arguments.context
        self._options: dict = arguments.context_options
        self._warm_up_wanted = not arguments.no_warm_up
        self._scratch: str = arguments.scratch
        self._orphan_limit_seconds: float = arguments.orphan_limit
        self._loaded = None
        self._cold_why: str | None = None
        self._safety = ForkSafety()
        self._imported = Imported(ignored=self._scratch)
        self._attempts: dict[int, str] = {}
        self._answers: collections.OrderedDict[str, dict] = collections.OrderedDict()
        self._untold: collections.deque[str] = collections.deque(maxlen=_MOST_REMEMBERED)
        self._terms: dict = {}
        self._introduction: list[dict] = []
        self._retired = False
        self._alone_since = time.monotonic()
        self._link: ManagerLink | None = ManagerLink(socket.socket(fileno=arguments.manager_fd))
        self._folder = self._make_folder(arguments.folder)
        self._listener: socket.socket | None = None
        self._selector = selectors.PollSelector()
        self._to_close: tuple[int, ...] = ()

    def serve(self) -> int:
        """Run until no manager and no attempt needs the server; return the exit code."""
        # Ctrl-C on the terminal reaches the whole foreground group; only the manager acts on it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            os.setsid()
        try:
            return self._serve()
        finally:
            if self._folder is not None:
                self._folder.remove()

    def _serve(self) -> int:
        first = self._link.receive_one()
        if first is None or first["type"] != "start":
            print("nobody has said what this server is for", file=sys.stderr)
            return 1
        self._terms = first["terms"]
        self._send(self._hello([]))
        started = time.monotonic()
        if not self._load():
            return 1
        self._warm_up()
        self._imported.settle()
        if self._loaded.watched_files is not None:
            watched = self._loaded.watched_files
            self._imported.add_reported(lambda: watched(self._loaded.context))
        self._safety.settle()
        why = self._cold_why or self._safety.objection()
        seconds = time.monotonic() - started
        # The manager that reads this may die at once; the next one must find the server.
        self._listen()
        self._introduce({"type": "ready", "warm": why is None, "seconds": seconds, "why": why})
        self._loop()
        return 0

    def _hello(self, changed: list[str]) -> dict:
        return {
            "type": "hello",
            "identity": identity(os.getpid()),
            "versions": versions(),
            "terms": self._terms,
            "changed": [bounded.text(what) for what in changed],
        }

    @staticmethod
    def _make_folder(parent: str) -> ServerFolder | None:
        try:
            return ServerFolder(parent)
        except OSError as error:
            print(f"no later manager can use this server: {error}", file=sys.stderr)
            return None

    def _listen(self) -> None:
        if self._folder is None:
            return
        try:
            self._listener = self._folder.listen()
        except OSError as error:
            print(f"no later manager can use this server: {error}", file=sys.stderr)

    def _load(self) -> bool:
        from . import child, input_account, processing, products  # noqa: F401  each child has them already
        from .context import ContextUnusable, LoadedContext, last_lines
        from .pictures import reader  # noqa: F401  so has the process that makes pictures

        switch_off_progress_monitor()
        try:
            self._loaded = LoadedContext(self._context_name, self._options)
            self._introduce({"type": "graph", "graph": self._loaded.graph()})
        except Exception as error:
            summary = (
                str(error)
                if isinstance(error, ContextUnusable)
                else f"the plugins of {self._context_name} cannot be read: {error!r}"
            )
            self._send(
                {
                    "type": "context_failed",
                    "summary": bounded.text(summary),
                    "traceback": last_lines(error),
                }
            )
            return False
        return True

    def _warm_up(self) -> None:
        if not self._warm_up_wanted:
            self._cold_why = "warm-up is switched off"
            return
        if self._loaded.warm_up is None:
            module = self._context_name.partition(":")[0]
            self._cold_why = f"{module} offers no warm_up function"
            return
        try:
            directory = scratch.make_folder(self._scratch)
        except OSError as error:
            self._cold_why = f"there is no folder for the warm-up run: {error}"
            return
        try:
            self._loaded.warm_up(self._loaded.context, directory)
        except Exception as error:
            traceback.print_exc()
            self._cold_why = f"the warm-up run failed: {type(error).__name__}: {error}"
        finally:
            shutil.rmtree(directory, ignore_errors=True)
            self._loaded.forget_storage()

    def _loop(self) -> None:
        woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._to_close = (woken, wake)
        self._selector.register(woken, selectors.EVENT_READ, lambda: self._wake(woken))
        if self._link is not None:
            self._selector.register(self._link, selectors.EVENT_READ, self._hear)
        if self._listener is not None:
            self._selector.register(self._listener, selectors.EVENT_READ, self._meet)
        while not self._is_over():
            ready = self._selector.select(_ALONE_SECONDS if self._link is None else None)
            for key, _ in ready:
                # An earlier message may have ended this connection.
                if self._selector.get_map().get(key.fd) is key:
                    key.data()

    def _is_over(self) -> bool:
        if self._attempts:
            return False
        if self._retired:
            return True
        if self._link is not None:
            return False
        if self._listener is None or self._folder.is_gone():
            return True
        return time.monotonic() - self._alone_since >= self._orphan_limit_seconds

    def _wake(self, woken: int) -> None:
        os.read(woken, 4096)
        self._reap()

    def _meet(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        if not is_ours(connection):
            connection.close()
            return
        if self._send({"type": "replaced"}):
            self._part()
        self._link = ManagerLink(connection)
        self._selector.register(self._link, selectors.EVENT_READ, self._hear)
        for message in (self._hello(self._imported.changed()), *self._introduction):
            self._send(message)
        while self._untold and self._link is not None:
            self._tell_end(self._untold.popleft())

    def _hear(self) -> None:
        messages = self._link.receive()
        if messages is None:
            self._part()
            return
        for message in messages:
            if message["type"] == "fork":
                self._request(message["attempt"], os.path.abspath(message["directory"]))
            elif message["type"] == "retire":
                self._retire()

    def _retire(self) -> None:
        if self._retired:
            return
        self._retired = True
        if self._listener is None:
            return
        self._selector.unregister(self._listener)
        self._listener.close()
        self._listener = None
        with contextlib.suppress(OSError):
            self._folder.retire()

    def _request(self, attempt: str, directory: str) -> None:
        answer = self._answers.get(attempt)
        if answer is None:
            answer = self._answer(attempt, directory)
        self._send({"attempt": attempt, **answer})

    def _answer(self, attempt: str, directory: str) -> dict:
        try:
            if self._retired:
                raise protocol.ProtocolError("this worker takes no attempts any more")
            plan = protocol.read_plan(directory)
            if plan["attempt"] != attempt:
                raise protocol.ProtocolError(
                    f"{directory}/plan.json belongs to attempt {plan['attempt']}, not to {attempt}"
                )
            answer = _started_before(directory) or self._start(directory, plan)
        except (protocol.ProtocolError, OSError) as error:
            return {"type": "refused", "reason": str(error)}
        self._answers[attempt] = answer
        if len(self._answers) > _MOST_REMEMBERED + len(self._attempts):
            self._answers.popitem(last=False)
        return answer

    def _start(self, directory: str, plan: dict) -> dict:
        why = self._cold_why or self._safety.objection() or self._other_context(plan)
        ends = Ends.of(plan) if why is None else None
        pid = self._fork(directory, plan, ends) if why is None else spawning.spawn_cold(directory)
        self._attempts[pid] = plan["attempt"]
        self._start_pictures(directory, plan, ends, warm=why is None)
        return {"type": "forked", "guardian": identity(pid), "warm": why is None, "why": why}

    def _other_context(self, plan: dict) -> str | None:
        if (plan["context"], plan["contextOptions"]) == (self._context_name, self._options):
            return None
        return f"the plan asks for context {plan['context']} with options of its own"

    def _start_pictures(self, directory: str, plan: dict, ends: Ends | None, *, warm: bool) -> None:
        """Start the process that makes pictures; an attempt goes on without it."""
        try:
            if warm and ends is not None:
                self._fork_process(lambda: self._be_reader(directory, plan, ends))
            elif not warm and plan.get("pictures") is not False:
                spawning.spawn(directory, "pictures", os.devnull)
        except OSError as error:
            print(f"no pictures of attempt {plan['attempt']}: {error}", file=sys.stderr)
        finally:
            if ends is not None:
                ends.close()

    def _fork(self, directory: str, plan: dict, ends: Ends | None) -> int:
        return self._fork_process(lambda: self._be_guardian(directory, plan, ends))

    def _fork_process(self, work) -> int:
        self._safety.freeze()
        sys.stdout.flush()
        sys.stderr.flush()
        signal.pthread_sigmask(signal.SIG_BLOCK, guardian.HELD_SIGNALS)
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, guardian.HELD_SIGNALS)
            return pid
        code = 1
        try:
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            guardian.leave(code)

    def _leave_server(self) -> None:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # With these open, no manager would see the end of a dead server.
        for kept in (self._link, self._listener, self._folder):
            if kept is not None:
                kept.close()
        for fd in self._to_close:
            os.close(fd)

    def _be_reader(self, directory: str, plan: dict, ends: Ends) -> int:
        self._leave_server()
        guardian.close_standard_streams()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, guardian.HELD_SIGNALS)
        from .pictures import reader

        return reader.run(directory, plan, self._loaded.declared_pictures, ends.receiver())

    def _be_guardian(self, directory: str, plan: dict, ends: Ends | None) -> int:
        self._leave_server()
        guardian.open_standard_streams(directory)
        loaded = self._loaded
        tap = None if ends is None else ends.sender()

        def run_child(state, guardian_pid: int) -> int:
            from . import child

            state.tap = tap
            return child.run(directory, plan, lambda _: loaded, state, guardian_pid)

        return guardian.guard(directory, plan["attempt"], True, run_child)

    def _reap(self) -> None:
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            attempt = self._attempts.pop(pid, None)
            if attempt is not None:
                self._tell_end(attempt)

    def _tell_end(self, attempt: str) -> None:
        if not self._send({"type": "ended", "attempt": attempt}):
            self._untold.append(attempt)

    def _introduce(self, message: dict) -> None:
        """Send a message to this manager, and to each later one when it connects."""
        self._introduction.append(message)
        self._send(message)

    def _send(self, message: dict) -> bool:
        if self._link is None:
            return False
        if self._link.send(message):
            return True
        self._part()
        return False

    def _part(self) -> None:
        if self._link.fileno() in self._selector.get_map():
            self._selector.unregister(self._link)
        self._link.close()
        self._link = None
        self._alone_since = time.monotonic()


def _started_before(directory: str) -> dict | None:
    """The answer for an attempt that another server has started; ProtocolError if unreadable."""
    try:
        with open(os.path.join(directory, "started.json")) as file:
            started = json.load(file)
        return {
            "type": "forked",
            "guardian": started["guardian"],
            "warm": started["warm"],
            "why": None,
        }
    except FileNotFoundError:
        if os.path.exists(os.path.join(directory, "exit.json")):
            raise protocol.ProtocolError(
                f"this attempt was started before: {directory}/exit.json"
            ) from None
        return None
    except (ValueError, KeyError) as error:
        raise protocol.ProtocolError(f"{directory}/started.json cannot be read: {error}") from error
