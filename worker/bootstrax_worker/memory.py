"""Memory of a process and its descendants."""

import os

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> list[int]:
    """The process and its living descendants."""
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


def proportional_bytes(processes: list[int]) -> int:
    """Proportional set size of processes, bytes: shared pages count once. Walks all pages."""
    return sum(_proportional_bytes_of_one(process) for process in processes)


def resident_bytes(processes: list[int]) -> int:
    """Resident size of processes, bytes: shared pages count once for each. Costs nothing."""
    return sum(_resident_bytes_of_one(process) for process in processes)


def _resident_bytes_of_one(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0


def _proportional_bytes_of_one(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
