"""Real worker processes for tests: fork server, attempt directories, waiting for conditions."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
WORKER = HERE.parent
SCRATCH = Path(tempfile.gettempdir(), "bootstrax-test-cache", "warm-up")


def environment() -> dict[str, str]:
    """Environment in which the worker and the contexts of the tests can be imported."""
    return {**os.environ, "PYTHONPATH": f"{WORKER}:{HERE}", "PYTHONDONTWRITEBYTECODE": "1"}


def wait_for(condition, seconds: float = 60.0):
    """Poll until the condition gives something true; return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {condition}")


def alive(pid: int) -> bool:
    """Does the process exist and is it more than a zombie?"""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat[stat.rindex(")") + 2] not in "ZX"


class Attempt:
    """An attempt directory with its plan, and what the worker left in it."""

    def __init__(self, root: Path, **changes) -> None:
        self.id = secrets.token_hex(12)
        self.directory = root / "attempts" / self.id
        self.directory.mkdir(parents=True)
        self.output = root / "output"
        self.plan = {
            "version": 1,
            "attempt": self.id,
            "run": 7,
            "runId": "000007",
            "host": "here.test",
            "context": "tiny_context:tiny",
            "contextOptions": {},
            "targets": ["tiny_sum"],
            "postProcessing": [],
            "processor": "threaded_mailbox",
            "cores": 1,
            "maxMessages": 4,
            "timeoutSeconds": 60,
            "recordsCompressor": "lz4",
            "runConfig": {},
            "liveDataDirectory": str(root / "live"),
            "outputDirectory": str(self.output),
            "failures": 0,
            "dropped": [],
            "orphanLimitSeconds": 900,
            "reasons": [],
            **changes,
        }
        (self.directory / "plan.json").write_text(json.dumps(self.plan))

    def read(self, name: str) -> dict | None:
        """A JSON file of the attempt, or None while it is not there."""
        try:
            return json.loads((self.directory / name).read_text())
        except FileNotFoundError:
            return None

    def wait(self, name: str) -> dict:
        """Wait for a JSON file of the attempt."""
        return wait_for(lambda: self.read(name))

    def progress(self) -> list[dict]:
        """Complete lines of progress.ndjson so far."""
        try:
            text = (self.directory / "progress.ndjson").read_text()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def log(self) -> str:
        """What guardian and child printed."""
        return (self.directory / "log.txt").read_text()

    def run_cold(self) -> subprocess.CompletedProcess:
        """Carry out the attempt without a fork server."""
        with open(self.directory / "log.txt", "a") as log:
            return subprocess.run(
                [sys.executable, "-m", "bootstrax_worker", "attempt", str(self.directory)],
                env=environment(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                timeout=120,
            )


class Server:
    """A fork server and its lines, as the manager that has started it sees them."""

    def __init__(
        self,
        context="tiny_context:tiny",
        options=None,
        arguments=(),
        scratch=SCRATCH,
        folder: Path | None = None,
        orphan_limit: float = 900,
    ) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="bootstrax-servers-"))
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "bootstrax_worker", "serve", "--context", context),
                    *("--context-options", json.dumps(options or {})),
                    *("--scratch", str(scratch), "--folder", str(self.folder)),
                    *("--orphan-limit", str(orphan_limit)),
                    *("--manager-fd", str(theirs.fileno()), *arguments),
                ],
                env=environment(),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self.manager = Manager(ours)
        self.manager.send({"type": "start", "terms": {"context": context}})

    @property
    def messages(self) -> list[dict]:
        """Those to the manager that has started it."""
        return self.manager.messages

    def until(self, kind: str) -> dict:
        """Read lines up to one of this type."""
        return self.manager.until(kind)

    def receive(self) -> dict | None:
        """The next line, or None at the end."""
        return self.manager.receive()

    def fork(self, attempt: Attempt) -> dict:
        """Ask for an attempt; return the answer."""
        return self.manager.fork(attempt)

    def connect(self) -> "Manager":
        """Be the next manager."""
        (folder,) = self.folder.iterdir()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(folder / "socket"))
        return Manager(connection)

    def send(self, message: dict | bytes) -> None:
        """Write one line."""
        self.manager.send(message)

    def retire(self) -> None:
        """End the server and wait for it."""
        self.send({"type": "retire"})
        self.process.wait(30)

    def close(self) -> None:
        """Let nothing of it be left, however it does."""
        self.process.kill()
        self.process.wait(30)
        self.manager.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Manager:
    """The manager's end of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._file = connection.makefile("rb")
        self.messages: list[dict] = []

    def receive(self) -> dict | None:
        """The next line, or None at the end."""
        try:
            line = self._file.readline()
        except ConnectionResetError:
            return None
        if not line:
            return None
        self.messages.append(json.loads(line))
        return self.messages[-1]

    def until(self, kind: str) -> dict:
        """Read lines up to one of this type."""
        while True:
            message = self.receive()
            assert message is not None, f"the server ended before {kind}: {self.messages}"
            if message["type"] == kind:
                return message

    def send(self, message: dict | bytes) -> None:
        """Write one line."""
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.connection.sendall(line + b"\n")

    def fork(self, attempt: Attempt) -> dict:
        """Ask for an attempt; return the answer."""
        self.send({"type": "fork", "attempt": attempt.id, "directory": str(attempt.directory)})
        while True:
            message = self.receive()
            assert message is not None
            if message["type"] in ("forked", "refused") and message["attempt"] == attempt.id:
                return message

    def close(self) -> None:
        """Be gone."""
        self._file.close()
        self.connection.close()
