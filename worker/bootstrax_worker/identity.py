"""The identity of a process: a bare pid may belong to another process by now."""

import re
from functools import cache

_NAME = re.compile(r"([0-9a-f-]+)_(\d+)_(\d+)")


@cache
def boot_id() -> str:
    """The kernel's random identifier of this boot."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def start_ticks(pid: int) -> int:
    """Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat)."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        stat = file.read()
    # The second field is the command's name in brackets; it may itself contain spaces and brackets.
    return int(stat[stat.rindex(b")") + 1 :].split()[19])


def identity(pid: int) -> dict:
    """Identity of a process that exists: pid, startTicks, bootId."""
    return {"pid": pid, "startTicks": start_ticks(pid), "bootId": boot_id()}


def name_of(process: dict) -> str:
    """Name of a file or folder that belongs to a process."""
    return f"{process['bootId']}_{process['pid']}_{process['startTicks']}"


def is_of_dead_process(name: str) -> bool:
    """Whether this is the name of a file whose process is gone; false for any other name."""
    match = _NAME.fullmatch(name)
    if match is None:
        return False
    boot, pid, ticks = match[1], int(match[2]), int(match[3])
    try:
        return boot != boot_id() or start_ticks(pid) != ticks
    except OSError:
        return True
