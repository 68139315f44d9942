"""The files that this process has loaded, and whether they have changed.

The state of a file is noted before it is read, so that a file that is replaced meanwhile counts as
changed.
"""

import importlib.util
import os
import stat
import sys

# Files of the kernel differ at each reading.
_KERNEL = ("/proc/", "/sys/", "/dev/", "/memfd:", "/SYSV")
# Compiled functions of numba: rewritten whenever another process has compiled more.
_CACHES = (".nbi", ".nbc")
_MOST_NAMED = 10

# The state of a file, by which a replacement is noticed; None: there is no file.
_Seen = tuple[int, int, int] | None


def look_at(path: str) -> _Seen:
    """Size, time of the last change and inode number of the file at a path."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


class Imported:
    """Modules, native libraries, and all files that Python opens for reading until `settle`."""

    def __init__(self, ignored: str | None = None) -> None:
        """`ignored`: a folder of this process's own, whose files may change."""
        self._ignored = None if ignored is None else os.path.join(os.path.abspath(ignored), "")
        self._seen: dict[str, _Seen] = {}
        self._written: set[str] = set()
        self._objection: str | None = None
        self._watching = True
        self._add_modules()
        sys.addaudithook(self._audit)

    def settle(self) -> None:
        """Stop recording: files that are read later belong to attempts."""
        self._watching = False
        self._add_modules()
        for path, inode in _mapped_code():
            found = look_at(path)
            # This process still uses the old version of a replaced library.
            self._seen.setdefault(path, found if found and found[2] == inode else (0, 0, inode))
        self._add(os.path.realpath(sys.executable))
        for path in self._written:
            self._seen.pop(path, None)

    def add_reported(self, files) -> None:
        """Add files that a context names, and all files below folders; `files()` may fail."""
        try:
            for name in files():
                path = os.path.abspath(os.fspath(name))
                self._seen.setdefault(path, look_at(path))
                for folder, _, names in os.walk(path):
                    self._seen.setdefault(folder, look_at(folder))
                    for each in names:
                        file = os.path.join(folder, each)
                        self._seen.setdefault(file, look_at(file))
        except Exception as error:
            self._objection = f"watched_files of the context failed: {error!r}"

    def changed(self) -> list[str]:
        """The changed files, in words; at most a few. Takes milliseconds."""
        found = [] if self._objection is None else [self._objection]
        more = 0
        for path, before in self._seen.items():
            now = look_at(path)
            if now == before:
                continue
            if len(found) == _MOST_NAMED:
                more += 1
                continue
            what = "is there now" if before is None else "has changed" if now else "is gone"
            found.append(f"{path} {what}")
        return found + ([f"{more} more files have changed"] if more else [])

    def _audit(self, event: str, arguments: tuple) -> None:
        if not self._watching or event != "open":
            return
        # An error here would fail the caller that opens the file.
        try:
            path, _, flags = arguments
            path = os.path.abspath(os.fsdecode(path))
            if flags & os.O_ACCMODE == os.O_RDONLY:
                self._add(path)
            else:
                self._written.add(path)
        except Exception:
            return

    def _add_modules(self) -> None:
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str):
                self._add(os.path.abspath(file))

    def _add(self, path: str) -> None:
        if path.endswith(".pyc"):
            path = _source_of(path)
        if path in self._seen or path.startswith(_KERNEL) or path.endswith(_CACHES):
            return
        if self._ignored is not None and path.startswith(self._ignored):
            return
        try:
            mode = os.stat(path).st_mode
        except OSError:
            mode = stat.S_IFREG
        if stat.S_ISREG(mode):
            self._seen[path] = look_at(path)


def _source_of(compiled: str) -> str:
    """The source of a compiled module."""
    try:
        return importlib.util.source_from_cache(compiled)
    except (ValueError, NotImplementedError):
        return compiled


def _mapped_code() -> list[tuple[str, int]]:
    """Path and number of each file whose machine code this process runs."""
    found = set()
    try:
        with open("/proc/self/maps") as file:
            for line in file:
                fields = line.rstrip("\n").split(maxsplit=5)
                if len(fields) < 6 or "x" not in fields[1] or fields[5].startswith(_KERNEL):
                    continue
                if fields[5].startswith("/"):
                    found.add((fields[5].removesuffix(" (deleted)"), int(fields[4])))
    except OSError:
        return []
    return sorted(found)
