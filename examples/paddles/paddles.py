"""A telescope of eight scintillator paddles that counts cosmic muons: reader, plugins, context.

The detector is invented; the file is complete. `docs/your-experiment.md` goes through it.
"""

import os
from pathlib import Path

import lz4.frame
import numpy as np
import strax

SECOND = 1_000_000_000
SAMPLE_NS = 10
# Hits in different paddles within this time belong to one muon.
COINCIDENCE_NS = 200
# Chunks are cut where nothing happens for this time, which is longer than any coincidence: so no
# muon is cut in two.
QUIET_NS = 1_000


def ends(records):
    """Exclusive end of each record, ns."""
    return records["time"] + records["length"].astype(np.int64) * records["dt"]


class BadLiveData(Exception):
    """The live data is unusable; the message says where."""


@strax.takes_config(
    # The manager sets these for each run, from the run document. They are not tracked, because the
    # origin of the data does not change the results.
    strax.Option("daq_input_dir", type=str, track=False, help="folder of this run's live data"),
    strax.Option("readout_threads", type=dict, track=False, help="threads by readout program"),
    strax.Option("run_start_time", default=0.0, type=float, track=False, help="s since 1970, UTC"),
    strax.Option("daq_chunk_duration", default=5 * SECOND, track=False, type=int, help="ns"),
    strax.Option("daq_overlap_chunk_duration", default=SECOND // 2, track=False, type=int, help=""),
    strax.Option("record_length", default=110, track=False, type=int, help="samples per record"),
)
class PaddleReader(strax.Plugin):
    """The DAQ reader: live data of redax to raw records, while the run is being taken."""

    provides = "raw_pulses"
    depends_on = ()
    data_kind = "raw_pulses"
    parallel = "process"
    rechunk_on_save = False
    compressor = "lz4"
    # strax gives up when no chunk has come for this time, seconds.
    input_timeout = 300
    __version__ = "1.0.0"

    def infer_dtype(self):
        return strax.raw_record_dtype(samples_per_record=self.config["record_length"])

    def setup(self):
        self.folder = Path(self.config["daq_input_dir"])
        self.files = sum(self.config["readout_threads"].values())
        self.overlap = self.config["daq_overlap_chunk_duration"]
        self.step = self.config["daq_chunk_duration"] + self.overlap
        self.ended = False

    def is_ready(self, chunk_i):
        """Whether the DAQ has finished this chunk: its readers rename files when they are whole."""
        # Checked first: the readers write THE_END last, so a chunk that is missing after it will
        # never come.
        self.ended = self._is_whole("THE_END")
        if self._is_whole(f"{chunk_i:06d}") and self._is_whole(f"{chunk_i:06d}_post"):
            return True
        # A run may end within an overlap: then only `_pre` of its last chunk exists.
        return self.ended and (self._exists(f"{chunk_i:06d}") or self._exists(f"{chunk_i:06d}_pre"))

    def source_finished(self):
        return self.ended

    def compute(self, chunk_i):
        begin = chunk_i * self.step
        end = begin + self.config["daq_chunk_duration"]
        before = self._load(f"{chunk_i:06d}_pre") if chunk_i else self._load(None)
        after = self._load(f"{chunk_i:06d}_post")
        # The overlap of two chunks is stored with both of them: each finds the same cut in it.
        first = self._cut(before, begin - self.overlap) if chunk_i else begin
        if self._exists(f"{chunk_i:06d}_post"):
            last = self._cut(after, end)
        else:
            last = end if self._exists(f"{chunk_i:06d}") else begin
        pulses = np.concatenate(
            [
                before[before["time"] >= first],
                self._load(f"{chunk_i:06d}"),
                after[after["time"] < last],
            ]
        )
        start = int(self.config["run_start_time"]) * SECOND
        pulses["time"] += start
        return self.chunk(start=start + first, end=start + last, data=pulses)

    def _exists(self, name):
        return (self.folder / name).exists()

    def _is_whole(self, name):
        try:
            return len(os.listdir(self.folder / name)) >= self.files
        except FileNotFoundError:
            return False

    def _load(self, name):
        pulses = [np.empty(0, self.dtype)]
        for file in sorted((self.folder / name).glob("*")) if name else ():
            # In an attempt this refuses truncated files, and counts what was read.
            pulses.append(strax.load_file(str(file), compressor="lz4", dtype=self.dtype))
        pulses = np.concatenate(pulses)
        return pulses[np.argsort(pulses["time"], kind="stable")]

    def _cut(self, pulses, start):
        """Time of the cut within the overlap that begins at `start`: in its first quiet stretch."""
        # A pulse that began before the overlap is not among these, but is not longer than a record.
        busy_until = start + self.config["record_length"] * SAMPLE_NS
        for begin, end in zip(pulses["time"], ends(pulses), strict=True):
            if begin >= busy_until + QUIET_NS:
                break
            busy_until = max(busy_until, int(end))
        if busy_until + QUIET_NS > start + self.overlap:
            raise BadLiveData(f"nowhere {QUIET_NS} ns of quiet from {start} ns in {self.folder}")
        return busy_until + QUIET_NS // 2


@strax.takes_config(
    strax.Option("hit_threshold", default=20, type=int, help="ADC counts above the baseline"),
)
class Hits(strax.Plugin):
    """One hit for each record whose pulse rises above the threshold."""

    provides = "hits"
    depends_on = "raw_pulses"
    data_kind = "hits"
    parallel = True
    rechunk_on_save = False
    __version__ = "1.0.0"
    dtype = (
        *strax.time_fields,
        (("Paddle", "paddle"), np.int16),
        (("Area, ADC counts times ns", "area"), np.float32),
        (("Height above the baseline, ADC counts", "height"), np.float32),
    )

    def compute(self, raw_pulses):
        inside = np.arange(raw_pulses["data"].shape[1]) < raw_pulses["length"][:, np.newaxis]
        baseline = raw_pulses["data"][:, :20].mean(axis=1, keepdims=True)
        # Pulses are negative.
        signal = np.where(inside, baseline - raw_pulses["data"], 0)
        height = signal.max(axis=1, initial=0)
        chosen = height > self.config["hit_threshold"]
        hits = np.zeros(np.count_nonzero(chosen), self.dtype)
        pulses = raw_pulses[chosen]
        hits["time"] = pulses["time"]
        hits["endtime"] = ends(pulses)
        hits["paddle"] = pulses["channel"]
        hits["area"] = signal[chosen].sum(axis=1) * pulses["dt"]
        hits["height"] = height[chosen]
        return hits


@strax.takes_config(
    strax.Option("min_paddles", default=2, type=int, help="paddles that must see a muon"),
)
class Muons(strax.Plugin):
    """Hits in several paddles at the same time."""

    provides = "muons"
    depends_on = "hits"
    data_kind = "muons"
    rechunk_on_save = False
    __version__ = "1.0.0"
    dtype = (
        *strax.time_fields,
        (("Paddles hit", "n_paddles"), np.int16),
        (("Sum of the areas", "area"), np.float32),
    )

    def compute(self, hits):
        groups = np.split(hits, np.flatnonzero(np.diff(hits["time"]) > COINCIDENCE_NS) + 1)
        paddles = [len(np.unique(group["paddle"])) for group in groups]
        found = [
            (group["time"].min(), group["endtime"].max(), n, group["area"].sum())
            for group, n in zip(groups, paddles, strict=True)
            if n >= self.config["min_paddles"]
        ]
        return np.array(found, self.dtype)


class RateMonitor(strax.Plugin):
    """Muons per chunk: one row each, to look at while the run is being taken."""

    provides = "rate_monitor"
    depends_on = "muons"
    data_kind = "rate_monitor"
    rechunk_on_save = False
    __version__ = "1.0.0"
    dtype = (*strax.time_fields, (("Muons per second", "rate"), np.float32))

    def compute(self, muons, start, end):
        return np.array([(start, end, len(muons) * SECOND / (end - start))], self.dtype)


PLUGINS = [PaddleReader, Hits, Muons, RateMonitor]


def context(**options):
    """The context of this experiment; `options` are those of the plugins."""
    # Without storage: by default strax makes a folder `strax_data` in the working directory.
    return strax.Context(storage=[], register=PLUGINS, config=options)


def pictures():
    """What the page of a run shows of its muons."""
    from bootstrax_worker.pictures import Axis, Histogram, Value

    return [
        Histogram(
            "muon_area",
            of="muons",
            title="Area of muons",
            normal="one bump, the energy that a muon leaves in the paddles.",
            otherwise="a bump at half its place: a paddle has lost its high voltage.",
            value=Value("muons", "1/s"),
            scaled=True,
            minimum=50,
            x=Axis("area", "ADC counts ns", 10, 1e6, 60, log=True),
            values=lambda muons: {"muons": muons["area"]},
        )
    ]


def warm_up(context, directory):
    """Process a tiny run below `directory`, so that strax compiles its functions."""
    live_data = Path(directory) / "live_data"
    pulses = np.zeros(2, strax.raw_record_dtype(110))
    pulses["time"], pulses["dt"], pulses["length"] = SECOND // 2, 10, 110
    pulses["channel"] = [0, 1]
    pulses["data"][:, 50:60] = -100
    for name, content in [("000000", lz4.frame.compress(pulses)), ("THE_END", b"end")]:
        (live_data / name).mkdir(parents=True)
        (live_data / name / "reader_0").write_bytes(content)
    trial = context.new_context(
        storage=[strax.DataDirectory(f"{directory}/processed")],
        config={
            **context.config,
            "daq_input_dir": str(live_data),
            "readout_threads": {"reader": 1},
            "daq_chunk_duration": SECOND,
        },
    )
    trial.make("000000", "rate_monitor", progress_bar=False)
