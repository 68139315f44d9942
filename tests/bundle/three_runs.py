"""Takes three runs with an installed bundle and prints what it saw as JSON.

    three_runs.py INSTALLED WORK

INSTALLED is a version in use (`PREFIX/current`), WORK a folder of this user's with a file
`password` (0600). Starts a database that wants that password, a manager that is given it in a
credentials file, lets it process three runs, with an outage of the database and a second manager
on the way, and calls every command that prints much. All output goes to files below WORK/outputs.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from bson import json_util
from pymongo import MongoClient
from pymongo.errors import PyMongoError

INSTALLED, WORK = Path(sys.argv[1]), Path(sys.argv[2])
PASSWORD = (WORK / "password").read_text()
PATIENCE_SECONDS = 150
HOST = "bundle.test.local"

outputs = WORK / "outputs"
command_lines: set[str] = set()
stop_looking = threading.Event()


def look_at_command_lines() -> None:
    """Every command line on this machine, again and again."""
    while not stop_looking.wait(0.05):
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/cmdline", "rb") as file:
                        command_lines.add(file.read().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    continue


def until(what: str, look, patience: float = PATIENCE_SECONDS):
    """What `look` gives once it gives something."""
    limit = time.monotonic() + patience
    while True:
        try:
            if found := look():
                return found
        except (PyMongoError, ConnectionError):
            pass
        if time.monotonic() > limit:
            raise TimeoutError(f"waited {patience} s in vain for {what}")
        time.sleep(0.1)


class Database:
    """The embedded database's server, started by hand: with accounts."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.process = None

    def start(self, *flags: str) -> None:
        log = (outputs / "database.log").open("a")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "secantus", "--host", "127.0.0.1"),
                *("--port", str(self.port), "--storage-path", str(WORK / "database")),
                *("--log-level", "INFO", *flags),
            ],
            cwd=WORK,
            stdout=log,
            stderr=log,
        )
        until("the database", self.answers, 60)

    def answers(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()

    def client(self, **account) -> MongoClient:
        return MongoClient("127.0.0.1", self.port, directConnection=True, **account)


def bootstrax(*arguments: str, name: str) -> tuple[int, str]:
    """A command of the installed program, with what it prints in a file."""
    done = subprocess.run(
        [str(INSTALLED / "bin/bootstrax"), "--config", str(WORK / "config.toml"), *arguments],
        cwd=WORK,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    (outputs / f"{name}.txt").write_text(done.stdout + done.stderr)
    return done.returncode, done.stdout


def start_manager(number: int) -> subprocess.Popen:
    log = (outputs / f"manager-{number}.log").open("w")
    return subprocess.Popen(
        [str(INSTALLED / "bin/bootstrax"), "--config", str(WORK / "config.toml"), "run"],
        # As a service has it.
        cwd="/",
        stdout=log,
        stderr=log,
    )


def take_run(client: MongoClient, number: int) -> None:
    """A run that has been taken: its live data, and then its document."""
    code, printed = bootstrax(
        *("simulate-daq", "--no-database", "--number", str(number), "--seconds", "8"),
        *("--detectors", "tpc", "--rate", "5"),
        name=f"simulate-{number}",
    )
    if code != 0:
        raise RuntimeError(f"simulate-daq ended with {code}")
    client["runs"]["runs"].insert_one(json_util.loads(printed))


def state_of(client: MongoClient, number: int) -> str | None:
    found = client["runs"]["runs"].find_one({"number": number}, {"bootstrax.state": 1})
    return found["bootstrax"]["state"]


def is_settled(client: MongoClient, number: int) -> bool:
    return state_of(client, number) in ("done", "failed")


def main() -> dict:
    outputs.mkdir()
    for folder in ("live", "processed"):
        (WORK / folder).mkdir()
    database = Database()
    database.start()
    database.client().admin.command(
        "createUser", "daq", pwd=PASSWORD, roles=[{"role": "readWriteAnyDatabase", "db": "admin"}]
    )
    database.end()
    database.start("--auth")
    with open(os.open(WORK / "credentials", os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
        file.write(f"username = daq\npassword = {PASSWORD}\n")
    (WORK / "config.toml").write_text(CONFIGURATION.format(port=database.port, work=WORK))

    managers = [start_manager(1)]
    client = database.client(username="daq", password=PASSWORD)
    host = client["runs"]["bootstrax"]
    try:
        until("the manager", lambda: host.find_one({"host": HOST, "worker_ready": True}))
        take_run(client, 1)
        until("run 1", lambda: is_settled(client, 1))
        # While it is away, everybody has something to complain about.
        database.end()
        take_run_later = threading.Timer(3, database.start, ["--auth"])
        take_run_later.start()
        bootstrax("status", "--json", name="status-in-outage")
        take_run_later.join()
        take_run(client, 2)
        until("a child of run 2", lambda: state_of(client, 2) in ("busy", "done"))
        # Its child goes on and is adopted.
        managers[0].kill()
        managers[0].wait()
        managers.append(start_manager(2))
        until("run 2", lambda: is_settled(client, 2))
        take_run(client, 3)
        until("run 3", lambda: is_settled(client, 3))
        commands = {
            name: bootstrax(*arguments, name=name)[0]
            for name, arguments in {
                "status": ["status", "--json"],
                "runs": ["runs", "--json"],
                "hosts": ["hosts", "--json"],
                "explain": ["explain", "1", "--json"],
                "history": ["history", "2", "--json"],
                "logs": ["logs", "3", "--json"],
                "config": ["config", "--json"],
                "doctor": ["doctor", "--json"],
                "report": ["report", "--json"],
                "report-of-run": ["report", "2", "--out", str(WORK / "report.json")],
            }.items()
        }
        # A password that is not the right one is no more to be seen than the right one.
        (WORK / "config-wrong.toml").write_text(
            (WORK / "config.toml").read_text().replace("/credentials", "/credentials-wrong")
        )
        with open(os.open(WORK / "credentials-wrong", os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
            f.write(f"username = nobody\npassword = {PASSWORD}\n")
        refused, _ = bootstrax(
            *("--config", str(WORK / "config-wrong.toml"), "status"), name="status-refused"
        )
        collections = {
            f"{name}.{collection}": list(client[name][collection].find())
            for name in ("runs", "daq")
            for collection in client[name].list_collection_names()
        }
    finally:
        for manager in managers:
            manager.send_signal(signal.SIGTERM)
            manager.wait()
        bootstrax("stop", "--children", name="stop")
        database.end()
    builds_straxen = subprocess.run(
        [sys.executable, "-c", BUILD_STRAXEN],
        env={
            **os.environ,
            "PYTHONPATH": str(INSTALLED / "worker"),
            "XDG_CACHE_HOME": str(WORK / "state/cache"),
        },
        cwd="/",
        capture_output=True,
        text=True,
    )
    (outputs / "straxen.txt").write_text(builds_straxen.stdout + builds_straxen.stderr)
    (outputs / "documents.json").write_text(json_util.dumps(collections))
    return {
        "uids": os.getresuid(),
        "groups": os.getgroups(),
        "network": [name for _, name in socket.if_nameindex()],
        "homeIsWritable": os.access(os.environ["HOME"], os.W_OK),
        "programIsWritable": os.access(INSTALLED / "dist", os.W_OK),
        "runs": [
            {
                "number": run["number"],
                "state": run["bootstrax"]["state"],
                "reason": run["bootstrax"].get("reason"),
                "types": sorted(d["type"] for d in run["data"] if d["type"] != "live"),
            }
            for run in sorted(collections["runs.runs"], key=lambda run: run["number"])
        ],
        "collections": {name: len(documents) for name, documents in collections.items()},
        "commands": commands,
        "refused": refused,
        "buildsStraxen": builds_straxen.returncode == 0,
    }


# The real straxen, which fetches what it can from the network, and from a home.
BUILD_STRAXEN = """
from bootstrax_worker.context import LoadedContext

name = "bootstrax_worker.contexts.local_xenonnt:local_xenonnt"
assert "event_info" in LoadedContext(name, {}).registry()
"""

CONFIGURATION = """
[database]
url = "mongodb://127.0.0.1:{port}/"
runs_db = "runs"
daq_db = "daq"
credentials_file = "{work}/credentials"
manage = true

[host]
name = "bundle.test.local"
role = "primary"

[paths]
live_data = "{work}/live"
output = "{work}/processed"
state_dir = "{work}/state"

[worker]
context = "bootstrax_worker.contexts.small:small"

[targets]
default = ["peak_basics"]
post_processing = ["raw_records"]

[resources]
tables = {{ new = [{{ rate_mbps = 0, cores = 1, max_messages = 10, timeout_seconds = 200 }}] }}

[resources.fallback]
cores = 1

[resources.clips.cores]
min = 1

[disk]
max_used_percent = 100
min_free_bytes = 0

[limits]
min_rate_age_seconds = 0
max_rate_seconds = 2
idle_poll_seconds = 1
renew_seconds = 1

[retry]
base_seconds = 1
growth = 1
"""

looking = threading.Thread(target=look_at_command_lines)
looking.start()
try:
    seen = main()
finally:
    stop_looking.set()
    looking.join()
    (outputs / "command-lines.txt").write_text("\n".join(sorted(command_lines)))
print(json.dumps(seen))
