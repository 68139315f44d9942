"""Who a process is: a bare pid may belong to anybody by now."""

from functools import cache


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
