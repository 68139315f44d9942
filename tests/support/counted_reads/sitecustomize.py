"""Counts the documents that the embedded server reads, where BOOTSTRAX_COUNTED_READS names a file.

Python imports this module at its start if its folder is in PYTHONPATH. The count is kept in the
file, as eight bytes.
"""

import mmap
import os
import struct
import sys
from functools import wraps

_VARIABLE = "BOOTSTRAX_COUNTED_READS"
_COUNT = struct.Struct("<q")


def _count(path: str) -> None:
    from secantus import storage

    with open(path, "r+b") as file:
        shared = mmap.mmap(file.fileno(), _COUNT.size)

    def add(documents: int) -> None:
        _COUNT.pack_into(shared, 0, _COUNT.unpack_from(shared, 0)[0] + documents)

    def by_index(read):
        @wraps(read)
        def counted(self, db, coll, recordids):
            found = read(self, db, coll, recordids)
            add(len(found))
            return found

        return counted

    def by_scan(read):
        @wraps(read)
        def counted(self, db, coll):
            for row in read(self, db, coll):
                add(1)
                yield row

        return counted

    for kind in vars(storage).values():
        if isinstance(kind, type) and hasattr(kind, "_docs_by_recordids"):
            kind._docs_by_recordids = by_index(kind._docs_by_recordids)
            kind._scan_docs = by_scan(kind._scan_docs)


if os.environ.get(_VARIABLE) and "secantus" in sys.orig_argv:
    _count(os.environ[_VARIABLE])
