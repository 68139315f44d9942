"""Segments of shared memory carry the attempt's id."""

import os
import subprocess
import sys

import pytest
from worker_support import Attempt, environment

SHARED_MEMORY = "/dev/shm"


def segments(attempt: str) -> list[str]:
    return [name for name in os.listdir(SHARED_MEMORY) if attempt in name]


def beginning(name: str) -> bytes:
    with open(os.path.join(SHARED_MEMORY, name), "rb") as file:
        return file.read(4)


@pytest.mark.parametrize("cores", [1, 2])
def test_what_a_killed_process_leaves_is_named_after_its_attempt(tmp_path, cores):
    fault = "leak_shared_memory"
    key = "tiny_fault" if cores == 1 else "tiny_double_fault"
    attempt = Attempt(tmp_path, cores=cores, runConfig={key: fault})
    attempt.run_cold()
    left = segments(attempt.id)
    try:
        ours, npshmex = f"bootstrax_{attempt.id}_", "npshmex_"
        assert left and all(name.startswith((ours, npshmex)) for name in left)
        # Another process of the attempt may have been killed before it had filled its own.
        assert b"data" in {beginning(name) for name in left}
    finally:
        for name in left:
            os.unlink(os.path.join(SHARED_MEMORY, name))


def test_npshmex_names_its_segments_so_too():
    pytest.importorskip("npshmex")
    attempt = "0123456789abcdef01234567"
    program = f"""
import numpy as np
from bootstrax_worker import shared_memory
shared_memory.label("{attempt}")
import npshmex
rows = np.zeros(3, dtype=[("time", np.int64), ("area", np.float32)])
rows["area"] = 7
keys = [npshmex.shm_put(array, temp=True) for array in (rows, np.arange(5))]
assert all("{attempt}" in key for key in keys), keys
assert len(set(keys)) == 2
import os
named = [name for name in os.listdir("/dev/shm") if "{attempt}" in name]
assert len(named) == 3, named
assert (npshmex.shm_pop(keys[0])["area"] == 7).all()
assert (npshmex.shm_pop(keys[1]) == np.arange(5)).all()
assert not [name for name in os.listdir("/dev/shm") if "{attempt}" in name]
"""
    subprocess.run([sys.executable, "-c", program], env=environment(), check=True)
