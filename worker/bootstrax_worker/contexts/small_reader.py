"""A reader of redax live data in plain numpy.

It reads what straxen's DAQReader reads, with the same options and the same rules of waiting, and
without a numba function to compile.
"""

import glob
import os
from collections import Counter

import numpy as np
import strax
from immutabledict import immutabledict

CHANNEL_RANGES = {
    "raw_records": (0, 493),
    "raw_records_he": (500, 752),
    "raw_records_aqmon": (790, 807),
    "raw_records_aqmon_nv": (808, 815),
    "raw_records_nv": (2000, 2119),
    "raw_records_mv": (1000, 1083),
}
# A cut within a gap of this length separates nothing that belongs together.
SAFE_BREAK_NS = 1_000


def record_ends(records: np.ndarray) -> np.ndarray:
    """Exclusive end of each record, ns."""
    return records["time"] + records["length"].astype(np.int64) * records["dt"]


def check_no_overlap(records: np.ndarray) -> None:
    """Raise ValueError if two records overlap in time within one channel."""
    order = np.lexsort((records["time"], records["channel"]))
    ordered = records[order]
    same = ordered["channel"][1:] == ordered["channel"][:-1]
    overlap = same & (ordered["time"][1:] < record_ends(ordered)[:-1])
    if overlap.any():
        first = ordered[1:][overlap][0]
        raise ValueError(
            f"Bad data: pulses overlap in channel {first['channel']} at {first['time']} ns"
        )


@strax.takes_config(
    strax.Option("record_length", default=110, track=False, type=int, help="samples per record"),
    strax.Option("max_digitizer_sampling_time", default=10, track=False, type=int, help="ns"),
    strax.Option("run_start_time", default=0.0, track=False, type=float, help="s since 1970, UTC"),
    strax.Option("daq_chunk_duration", default=int(5e9), track=False, type=int, help="ns"),
    strax.Option("daq_overlap_chunk_duration", default=int(5e8), track=False, type=int, help="ns"),
    strax.Option("daq_compressor", default="lz4", track=False, help="as strax names it"),
    strax.Option("readout_threads", type=dict, track=False, help="threads by reader"),
    strax.Option("daq_input_dir", type=str, track=False, help="live data of this run"),
    strax.Option("check_raw_record_overlaps", default=True, track=False, type=bool, help=""),
    strax.Option("input_timeout", default=300, track=False, type=int, help="s without a chunk"),
)
class SmallReader(strax.Plugin):
    """Turns live data into raw records, by range of channels."""

    provides = tuple(CHANNEL_RANGES)
    data_kind = immutabledict(zip(provides, provides, strict=True))
    depends_on = ()
    parallel = "process"
    rechunk_on_save = False
    compressor = "lz4"
    __version__ = "0.1.0"

    def infer_dtype(self):
        dtype = strax.raw_record_dtype(samples_per_record=self.config["record_length"])
        return dict.fromkeys(self.provides, dtype)

    def setup(self):
        self.input_timeout = self.config["input_timeout"]
        self.t0 = int(self.config["run_start_time"]) * 1_000_000_000
        self.n_threads = sum(self.config["readout_threads"].values())
        self.ended = False

    def is_ready(self, chunk_i):
        # `THE_END` is checked first: it is written last, so a chunk that is missing after it will
        # never come.
        self.ended = self._the_end()
        pre, current, post = self._chunk_paths(chunk_i)
        if not current:
            return False
        next_ahead = os.path.exists(self._path(chunk_i + 1))
        return bool(
            (pre and post) or (chunk_i == 0 and post) or (self.ended and pre and not next_ahead)
        )

    def source_finished(self):
        return self.ended

    def _path(self, chunk_i):
        return os.path.join(self.config["daq_input_dir"], f"{chunk_i:06d}")

    def _the_end(self):
        path = os.path.join(self.config["daq_input_dir"], "THE_END")
        return os.path.exists(path) and self._count_files(path) >= self.n_threads

    def _chunk_paths(self, chunk_i):
        path = self._path(chunk_i)
        return [
            p
            if os.path.exists(p) and (self._count_files(p) >= self.n_threads or self.ended)
            else None
            for p in (f"{path}_pre", path, f"{path}_post")
        ]

    def _count_files(self, path):
        counted = Counter(name.rsplit("_", 1)[0] for name in os.listdir(path))
        for reader, n in counted.items():
            expected = self.config["readout_threads"].get(reader)
            if expected is None:
                raise ValueError(f"Bad data for {path}. Got {reader}")
            if n > expected:
                raise ValueError(f"{reader} wrote {n} files into {path}, expected {expected}")
        return sum(counted.values())

    def compute(self, chunk_i):
        chunk = self.config["daq_chunk_duration"]
        overlap = self.config["daq_overlap_chunk_duration"]
        start = chunk_i * (chunk + overlap)
        end = start + chunk
        first, last = start, end
        pre, current, post = self._chunk_paths(chunk_i)
        parts = []
        if pre and chunk_i > 0:
            records = self._load(pre, start - overlap, start)
            first, cut = self._break(records, start - overlap, start)
            parts.append(records[cut:])
        parts.append(self._load(current, start, end))
        if post:
            records = self._load(post, end, end + overlap)
            last, cut = self._break(records, end, end + overlap)
            parts.append(records[:cut])
        return self._split(np.concatenate(parts), self.t0 + first, self.t0 + last)

    def _split(self, records, start, end):
        if self.config["check_raw_record_overlaps"]:
            check_no_overlap(records)
        records["time"] += self.t0
        result = {}
        for data_type, (first, last) in CHANNEL_RANGES.items():
            mask = (records["channel"] >= first) & (records["channel"] <= last)
            result[data_type] = self.chunk(
                start=start, end=end, data=records[mask], data_type=data_type
            )
        return result

    def _load(self, path, start, end):
        files = [self._load_file(name) for name in sorted(glob.glob(f"{path}/*"))]
        records = np.concatenate([np.empty(0, self.dtype_for("raw_records")), *files])
        records = records[np.lexsort((records["channel"], records["time"]))]
        if len(records) and (records["time"][0] < start or records["time"][-1] >= end):
            raise ValueError(
                f"Bad data from DAQ: {path} should start in [{start}, {end}) ns, but starts range "
                f"from {records['time'][0]} to {records['time'][-1]}"
            )
        return records

    def _load_file(self, name):
        return strax.load_file(name, self.config["daq_compressor"], self.dtype_for("raw_records"))

    def _break(self, records, start, end):
        """Time of a safe cut within [start, end), and the index of the first record after it.

        Both chunks that share an overlap find the same cut, since both read the same records.
        """
        ends = np.maximum.accumulate(record_ends(records))
        if not len(records) or ends[-1] + SAFE_BREAK_NS < end:
            return end - SAFE_BREAK_NS, len(records)
        longest = self.config["record_length"] * self.config["max_digitizer_sampling_time"]
        latest = np.maximum(ends[:-1], start + longest)
        gaps = np.flatnonzero(records["time"][1:] >= latest + SAFE_BREAK_NS)
        if not len(gaps):
            raise ValueError(
                f"Bad data from DAQ: no gap of {SAFE_BREAK_NS} ns between {start} and {end} ns "
                f"of {self.config['daq_input_dir']}"
            )
        cut = int(gaps[0]) + 1
        return int(records["time"][cut]), cut
