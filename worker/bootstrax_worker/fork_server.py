"""Keeps a context warm and forks a guardian for each attempt the manager asks for."""

import json
import os
import selectors
import shutil
import signal
import sys
import time
import traceback

from . import bounded, durable, guardian, protocol, scratch
from .fork_safety import ForkSafety, switch_off_progress_monitor
from .identity import identity
from .versions import versions

_PR_SET_PDEATHSIG = 1


class ForkServer:
    """Reads requests from stdin, writes answers to what was stdout. One thread, no polling."""

    def __init__(self, context: str, options: dict, warm_up: bool, scratch: str) -> None:
        """`scratch`: where the warm-up may write; what others left there is removed."""
        self._context_name = context
        self._options = options
        self._warm_up_wanted = warm_up
        self._scratch = scratch
        self._loaded = None
        self._cold_why: str | None = None
        self._safety = ForkSafety()
        self._attempts: dict[int, str] = {}
        # What libraries print must not end up between the lines to the manager.
        self._out = os.dup(1)
        os.dup2(2, 1)

    def serve(self) -> int:
        """Run until stdin ends; return the exit code."""
        # Ctrl-C on the terminal reaches the whole foreground group; only the manager acts on it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        guardian.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        self._send({"type": "hello", "identity": identity(os.getpid()), "versions": versions()})
        started = time.monotonic()
        if not self._load():
            return 1
        self._warm_up()
        self._safety.settle()
        why = self._cold_why or self._safety.objection()
        seconds = time.monotonic() - started
        self._send({"type": "ready", "warm": why is None, "seconds": seconds, "why": why})
        self._loop()
        return 0

    def _load(self) -> bool:
        from . import child, input_account, processing, products  # noqa: F401  each child has them already
        from .context import ContextUnusable, LoadedContext, last_lines

        switch_off_progress_monitor()
        try:
            self._loaded = LoadedContext(self._context_name, self._options)
            self._send({"type": "graph", "graph": self._loaded.graph()})
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
        # Not epoll: stdin may be a file.
        selector = selectors.PollSelector()
        selector.register(0, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        self._to_close = (woken, wake)
        pending = b""
        while True:
            for key, _ in selector.select():
                if key.fd == woken:
                    os.read(woken, 4096)
                    self._reap()
                    continue
                data = os.read(0, 65536)
                if not data:
                    return
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    self._request(line)

    def _request(self, line: bytes) -> None:
        try:
            request = json.loads(line)
            protocol.check("managerMessage", request)
        except ValueError as error:
            print(f"ignored a line from the manager: {error}: {line[:200]!r}", file=sys.stderr)
            return
        attempt, directory = request["attempt"], os.path.abspath(request["directory"])
        try:
            plan = protocol.read_plan(directory)
            self._check_request(attempt, directory, plan)
            answer = self._start(directory, plan)
        except (protocol.ProtocolError, OSError) as error:
            answer = {"type": "refused", "reason": str(error)}
        self._send({"attempt": attempt, **answer})

    @staticmethod
    def _check_request(attempt: str, directory: str, plan: dict) -> None:
        if plan["attempt"] != attempt:
            raise protocol.ProtocolError(
                f"{directory}/plan.json belongs to attempt {plan['attempt']}, not to {attempt}"
            )
        for name in ("started.json", "exit.json"):
            if os.path.exists(os.path.join(directory, name)):
                raise protocol.ProtocolError(f"this attempt was started before: {directory}/{name}")

    def _start(self, directory: str, plan: dict) -> dict:
        why = self._cold_why or self._safety.objection() or self._other_context(plan)
        pid = self._fork(directory, plan) if why is None else self._spawn(directory)
        self._attempts[pid] = plan["attempt"]
        return {"type": "forked", "guardian": identity(pid), "warm": why is None, "why": why}

    def _other_context(self, plan: dict) -> str | None:
        if (plan["context"], plan["contextOptions"]) == (self._context_name, self._options):
            return None
        return f"the plan asks for context {plan['context']} with options of its own"

    def _fork(self, directory: str, plan: dict) -> int:
        self._safety.freeze()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            code = self._be_guardian(directory, plan)
        except BaseException:
            traceback.print_exc()
        finally:
            guardian.leave(code)

    def _be_guardian(self, directory: str, plan: dict) -> int:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # With these open, the manager would never see the end of a dead server.
        for fd in (self._out, *self._to_close):
            os.close(fd)
        guardian.open_standard_streams(directory)
        loaded = self._loaded

        def run_child(state, guardian_pid: int) -> int:
            from . import child

            return child.run(directory, plan, lambda _: loaded, state, guardian_pid)

        return guardian.guard(directory, plan["attempt"], True, run_child)

    @staticmethod
    def _spawn(directory: str) -> int:
        log = os.path.join(directory, "log.txt")
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "bootstrax_worker", "attempt", directory],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigdef=[signal.SIGCHLD, signal.SIGTERM],
        )

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
                self._send({"type": "ended", "attempt": attempt})

    def _send(self, message: dict) -> None:
        durable.write_all(self._out, json.dumps(message, allow_nan=False).encode() + b"\n")
