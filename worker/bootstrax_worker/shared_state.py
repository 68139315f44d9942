"""Numbers that guardian, child and the child's own worker processes share.

They are in one anonymous shared mapping, made before the forks. Each slot has one writer at a time,
or all write the same value, so there is no lock that a killed process could keep.
"""

import mmap

(
    _PHASE,
    _TARGET,
    _BYTES,
    _MEMORY,
    _PEAK_MEMORY,
    _POOL_BROKEN,
    _FIRST_CHUNK,
    _FIRST_OUTPUT,
    _UNACCOUNTED,
    _HEADER,
) = range(10)

# 182 hours of 5-second chunks; strax itself counts chunks in six digits.
_CHUNKS = 1 << 17
# Stretches of live data: before, of and after each chunk. Untouched pages take no memory.
STRETCHES = 3 << 20


class SharedState:
    """Numbers shared by fork. Bytes and memory in bytes, durations in ns.

    `first_chunk` and `first_output`: their times, in µs since the child's start; 0 before.
    `unaccounted`: 1 once a file that was read could not be recorded.
    """

    def __init__(self) -> None:
        self._slots = memoryview(mmap.mmap(-1, 8 * (_HEADER + _CHUNKS))).cast("q")
        self._stretches = mmap.mmap(-1, STRETCHES)
        self._read_up_to = 0
        # Where the child sends copies of its results for pictures; None: nowhere.
        self.tap = None

    def _slot(index: int) -> property:
        def get(self) -> int:
            return self._slots[index]

        def put(self, value: int) -> None:
            self._slots[index] = value

        return property(get, put)

    phase = _slot(_PHASE)
    target = _slot(_TARGET)
    bytes_written = _slot(_BYTES)
    memory = _slot(_MEMORY)
    peak_memory = _slot(_PEAK_MEMORY)
    pool_broken = _slot(_POOL_BROKEN)
    first_chunk = _slot(_FIRST_CHUNK)
    first_output = _slot(_FIRST_OUTPUT)
    unaccounted = _slot(_UNACCOUNTED)

    def chunk_read(self, chunk: int, duration_ns: int) -> None:
        """Record that the source delivered a chunk; reading it again changes nothing."""
        if 0 <= chunk < _CHUNKS:
            self._slots[_HEADER + chunk] = max(1, duration_ns)

    def stretch_read(self, slot: int) -> None:
        """Record that all files read of a stretch are accounted for."""
        self._stretches[slot] = 1

    def is_read(self, slot: int) -> bool:
        """Whether any process has accounted for a stretch."""
        return self._stretches[slot] == 1

    def covered(self) -> tuple[int, float]:
        """Number of chunks read and the detector time they cover, in seconds."""
        # Workers finish chunks out of order, but within this distance.
        window = 4096
        end = self._read_up_to
        for chunk in range(end, min(end + window, _CHUNKS)):
            if self._slots[_HEADER + chunk]:
                end = chunk + 1
        self._read_up_to = end
        durations = [d for d in self._slots[_HEADER : _HEADER + end] if d]
        return len(durations), sum(durations) / 1e9
