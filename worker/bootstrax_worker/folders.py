"""The folders that strax writes for this attempt."""

import os
from collections.abc import Callable, Iterable

import strax

from . import digests
from . import stamp as stamps
from .plain import plain


def place_of(plan: dict) -> str:
    """The folder to which strax writes; plans of earlier releases name no place."""
    return plan.get("place") or plan["outputDirectory"]


class Place(strax.DataDirectory):
    """The place of this attempt; it announces each data folder when strax has created it.

    The metadata of each folder says from the start who made it (`stamp`), and none is made where a
    folder of another attempt lies. Folders named in `keep` exist already and are never written
    again.
    """

    def __init__(
        self,
        path: str,
        announce: Callable[[dict], None],
        stamp: dict,
        keep: Iterable[str] = (),
    ) -> None:
        self._announce = announce
        self._stamp = stamp
        self._keep = {os.path.basename(os.path.abspath(location)) for location in keep}
        super().__init__(path)
        self.backends = [digests.FileSytemBackend()]

    def saver(self, key, metadata, **kwargs):
        location = os.path.abspath(os.path.join(self.path, str(key)))
        if str(key) in self._keep:
            # A plugin with several outputs would make some again that exist: strax goes on without
            # them.
            raise strax.DataNotAvailable(f"{key} stays as it is")
        stamps.refuse_foreign(location, self._stamp)
        # The stamp is no part of the lineage: hash and loaders do not see it.
        metadata = {**metadata, stamps.KEY: self._stamp}
        saver = super().saver(key, metadata, **kwargs)
        self._announce(
            {
                "type": key.data_type,
                "location": os.path.abspath(saver.dirname),
                "lineageHash": key.lineage_hash,
                "lineage": plain(saver.md["lineage"]),
            }
        )
        return saver


class Kept(strax.DataDirectory):
    """Reads exactly these folders of the output folder: others were not checked."""

    def __init__(self, path: str, locations: Iterable[str]) -> None:
        output = os.path.abspath(path)
        within = (os.path.split(os.path.abspath(location)) for location in locations)
        self._names = {name for parent, name in within if parent == output}
        super().__init__(output, readonly=True)

    def _find(self, key, write, allow_incomplete, fuzzy_for, fuzzy_for_options):
        if write or str(key) not in self._names:
            raise strax.DataNotAvailable
        return super()._find(key, write, False, {}, {})


class WrittenBytes:
    """Bytes on disk below folders. Counting again is cheap: strax never changes a chunk."""

    def __init__(self) -> None:
        self._folders: dict[str, dict[str, int]] = {}

    def add(self, location: str) -> None:
        """Count the folder with this final name, also under its temporary name."""
        self._folders[location] = {}

    @property
    def any_chunk(self) -> bool:
        """Whether a chunk of data was there when it was counted last."""
        return any(not name.endswith(".json") for known in self._folders.values() for name in known)

    def count(self) -> int:
        """Total bytes of all folders now."""
        for location, known in list(self._folders.items()):
            for path in (location, f"{location}_temp"):
                try:
                    with os.scandir(path) as entries:
                        self._look(entries, known)
                except OSError:
                    continue
        return sum(sum(known.values()) for known in self._folders.values())

    @staticmethod
    def _look(entries, known: dict[str, int]) -> None:
        for entry in entries:
            changing = entry.name.endswith((".json", "_temp"))
            if changing or entry.name not in known:
                try:
                    size = entry.stat().st_size
                except OSError:
                    continue
                if not entry.name.endswith("_temp"):
                    known[entry.name] = size
