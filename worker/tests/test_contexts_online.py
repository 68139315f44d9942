"""straxen's own context where the experiment's databases are not."""

import subprocess
import sys
import time

from worker_support import environment

BUILD = (
    "from bootstrax_worker.contexts.online import DatabasesUnreachable, xenonnt_online\n"
    "try:\n    xenonnt_online()\n"
    "except DatabasesUnreachable as error:\n    print('SAID', error)\n"
)


def what_it_says(configuration: str | None, tmp_path) -> str:
    """The error of building the context with this utilix configuration, or without any."""
    env = {**environment(), "HOME": str(tmp_path)}
    env.pop("XENON_CONFIG", None)
    if configuration is not None:
        (tmp_path / "utilix.ini").write_text(configuration)
        env["XENON_CONFIG"] = str(tmp_path / "utilix.ini")
    done = subprocess.run(
        [sys.executable, "-c", BUILD],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    (said,) = [line for line in done.stdout.splitlines() if line.startswith("SAID")]
    return said


def test_without_a_configuration(tmp_path):
    said = what_it_says(None, tmp_path)
    assert "XENON_CONFIG" in said
    assert "local_xenonnt" in said


def test_with_a_server_that_does_not_answer(tmp_path):
    began = time.monotonic()
    said = what_it_says("[RunDB]\nxent_url = 127.0.0.1:1\n", tmp_path)
    assert "127.0.0.1:1" in said
    assert "xent_url" in said
    assert time.monotonic() - began < 60


def test_with_an_incomplete_configuration(tmp_path):
    assert "no xent_url below [RunDB]" in what_it_says("[RunDB]\nother = 1\n", tmp_path)
