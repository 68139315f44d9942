"""Folders of one process for what it tries out; those of processes that were killed are removed."""

import os
import re
import shutil

from .identity import identity, start_ticks

_NAME = "{bootId}_{pid}_{startTicks}"
_PATTERN = re.compile(r"([0-9a-f-]+)_(\d+)_(\d+)")


def make_folder(parent: str) -> str:
    """Make the folder of this process below `parent`; those of processes that are gone go."""
    os.makedirs(parent, exist_ok=True)
    for name in os.listdir(parent):
        if _is_orphan(name):
            shutil.rmtree(os.path.join(parent, name), ignore_errors=True)
    folder = os.path.join(parent, _NAME.format(**identity(os.getpid())))
    os.makedirs(folder, exist_ok=True)
    return folder


def _is_orphan(name: str) -> bool:
    match = _PATTERN.fullmatch(name)
    if match is None:
        return False
    boot, pid, ticks = match[1], int(match[2]), int(match[3])
    try:
        return boot != identity(os.getpid())["bootId"] or start_ticks(pid) != ticks
    except OSError:
        return True
