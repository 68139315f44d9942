"""Memory of a process and its descendants."""

import os


def descendants(pid: int) -> list[int]:
    """The process and all that descend from it, as far as they still exist."""
    found = [pid]
    for parent in found:
        try:
            tasks = os.listdir(f"/proc/{parent}/task")
        except OSError:
            continue
        for task in tasks:
            try:
                with open(f"/proc/{parent}/task/{task}/children") as file:
                    found.extend(int(child) for child in file.read().split())
            except OSError:
                continue
    return found


def proportional_bytes(pid: int) -> int:
    """Proportional set size of a process and its descendants, bytes: shared pages count once."""
    return sum(_proportional_bytes_of_one(process) for process in descendants(pid))


def _proportional_bytes_of_one(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
