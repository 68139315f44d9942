"""Files that are either complete or absent, also after a power cut."""

import contextlib
import ctypes
import json
import os
import sys

from .crash_points import crash_point

# renameat2(2)
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)


def write_json(path: str, document: dict) -> None:
    """Write a document by temporary file, fsync, rename and fsync of the directory.

    The file's name is the name of its crash points.
    """
    name = os.path.basename(path)
    crash_point(f"{name}:before")
    temporary = f"{path}.{os.getpid()}.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        write_all(fd, json.dumps(document, allow_nan=False).encode())
        os.fsync(fd)
    finally:
        os.close(fd)
    crash_point(f"{name}:temporary")
    os.rename(temporary, path)
    sync_directory(os.path.dirname(path))
    crash_point(f"{name}:after")


def replace(temporary: str, path: str) -> None:
    """Give a file its name; readers meanwhile find the earlier file or this one, complete.

    Nothing is forced to disk. At a rename onto a file that is there ext4 begins to write the new
    one to disk at once, which is dear where that is repeated with each chunk: the two exchange
    their names instead, where the file system can do that.
    """
    if _exchange(temporary, path):
        os.unlink(temporary)
    else:
        os.replace(temporary, path)


def _exchange(one: str, other: str) -> bool:
    if _renameat2 is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    return _renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0


def say(text: str) -> None:
    """Write a line to the log; a full disk must not stop the process."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


class PatientLog:
    """A stream that accepts text although its disk is full: strax must not fail for that."""

    def __init__(self, stream) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Pass the text on, or lose it."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Pass on the buffered text, as far as possible."""
        with contextlib.suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str):
        return getattr(self._stream, name)


def is_gone(directory: str) -> bool:
    """Whether a directory has been removed; false if that is unknown."""
    try:
        os.stat(directory)
    except FileNotFoundError:
        return True
    except OSError:
        pass
    return False


def write_all(fd: int, data: bytes) -> None:
    """Write every byte; a pipe or a full disk may take only a part at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_directory(directory: str) -> None:
    """Force the names in a directory to disk."""
    fd = os.open(directory or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_file_system(directory: str) -> None:
    """Force everything on the file system of a directory to disk: strax itself never syncs."""
    crash_point("syncfs:before")
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if libc.syncfs(fd) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), directory)
    finally:
        os.close(fd)
    crash_point("syncfs:after")
