"""A context in plain numpy for tests and trials that need no physics.

It reads real redax live data and has data types by the names of XENONnT, a few levels deep, so that
targets, post-processing and the ladder of dropped plugins can be exercised. Its results have no
meaning, but are reproducible.

It can misbehave on request; none of that is part of the lineage:

- `fail_in`: data types (a string or a list) whose plugin raises;
- `kill_in`: data types whose plugin kills its process, as the kernel does when memory runs out;
- `sleep_seconds`: pause in every chunk of every plugin below, or by data type if an object;
- `allocate_mb`: memory that each plugin keeps allocated, or by data type if an object;
- `input_timeout`: seconds the reader waits for a chunk (300);
- `fail_build`: the context itself cannot be built.
"""

import os
import signal
import time
from typing import Any

import numpy as np
import strax

from ..pictures import Axis, Histogram, Result, Scalar, Value
from .small_reader import SmallReader, record_ends
from .warming import make_warm_up_run, no_monitor_thread

MISBEHAVIOUR = ("fail_in", "kill_in", "sleep_seconds", "allocate_mb")
PEAK_GAP_NS = 700
EVENT_GAP_NS = 1_000_000


class AskedToFail(RuntimeError):
    """The plugin was told to fail."""


@strax.takes_config(
    *(
        strax.Option(name, default=None, track=False, infer_type=False, help="see the module")
        for name in MISBEHAVIOUR
    )
)
class SmallPlugin(strax.Plugin):
    """The common parts of the plugins below: times, a size, a number of parts; misbehaviour."""

    rechunk_on_save = False
    compressor = "lz4"
    __version__ = "0.1.0"

    def infer_dtype(self):
        return [
            *strax.time_fields,
            (("Sum over all parts", "area"), np.float64),
            (("Number of parts", "n_parts"), np.int32),
        ]

    def _misbehave(self):
        name = self.provides[0]
        if name in strax.to_str_tuple(self.config["fail_in"] or ()):
            raise AskedToFail(f"{name} was asked to fail in run {self.run_id}")
        if name in strax.to_str_tuple(self.config["kill_in"] or ()):
            os.kill(os.getpid(), signal.SIGKILL)
        self.hoard = np.ones(int(self._amount("allocate_mb", name) * 1e6 // 8))
        time.sleep(self._amount("sleep_seconds", name))

    def _amount(self, option, name):
        value = self.config[option] or 0
        return value.get(name, 0) if isinstance(value, dict) else value

    def compute(self, start, end, **inputs):
        self._misbehave()
        parts = np.concatenate([_as_parts(array, self.dtype) for array in inputs.values()])
        parts = parts[np.argsort(parts["time"], kind="stable")]
        return self.combine(parts, start, end)

    def combine(self, parts, start, end):
        """From parts (of this plugin's dtype, in order of time) to this plugin's rows."""
        return parts


def _as_parts(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    parts = np.zeros(len(array), dtype)
    parts["time"] = array["time"]
    if "data" in (array.dtype.names or ()):
        parts["endtime"] = record_ends(array)
        parts["area"] = array["data"].sum(axis=1)
        parts["n_parts"] = 1
    else:
        for name in ("endtime", "area", "n_parts"):
            parts[name] = array[name]
    return parts


def cluster(parts: np.ndarray, gap_ns: int) -> np.ndarray:
    """Join parts with less than `gap_ns` between them."""
    if not len(parts):
        return parts
    latest = np.maximum.accumulate(parts["endtime"])
    first = np.flatnonzero(np.r_[True, parts["time"][1:] >= latest[:-1] + gap_ns])
    joined = np.zeros(len(first), parts.dtype)
    joined["time"] = parts["time"][first]
    joined["endtime"] = np.maximum.reduceat(parts["endtime"], first)
    joined["area"] = np.add.reduceat(parts["area"], first)
    joined["n_parts"] = np.add.reduceat(parts["n_parts"], first)
    return joined


class _Peaks(SmallPlugin):
    def combine(self, parts, start, end):
        return cluster(parts, PEAK_GAP_NS)


class _Events(SmallPlugin):
    def combine(self, parts, start, end):
        return cluster(parts, EVENT_GAP_NS)


class _Monitor(SmallPlugin):
    """One row per chunk."""

    def combine(self, parts, start, end):
        row = np.zeros(1, parts.dtype)
        row["time"], row["endtime"] = start, end
        row["area"], row["n_parts"] = parts["area"].sum(), len(parts)
        return row


class _Lone(SmallPlugin):
    def combine(self, parts, start, end):
        return parts[parts["n_parts"] == 1]


# Data type: what it depends on, and how it is made.
_PLUGINS: dict[str, tuple[tuple[str, ...], type[SmallPlugin]]] = {
    "records": (("raw_records",), SmallPlugin),
    "lone_hits": (("peaklets",), _Lone),
    "peaklets": (("records",), _Peaks),
    "peak_basics": (("peaklets",), SmallPlugin),
    "online_peak_monitor": (("peak_basics",), _Monitor),
    "event_basics": (("peak_basics",), _Events),
    "event_info": (("event_basics",), SmallPlugin),
    "event_info_double": (("event_info",), SmallPlugin),
    "veto_intervals": (("raw_records_aqmon",), SmallPlugin),
    "veto_proximity": (("event_basics", "veto_intervals"), SmallPlugin),
    "hitlets_nv": (("raw_records_nv",), _Peaks),
    "events_nv": (("hitlets_nv",), _Events),
    "online_monitor_nv": (("hitlets_nv",), _Monitor),
    "ref_mon_nv": (("raw_records_nv",), _Monitor),
    "hitlets_mv": (("raw_records_mv",), _Peaks),
    "events_mv": (("hitlets_mv",), _Events),
    "online_monitor_mv": (("hitlets_mv",), _Monitor),
    "led_calibration": (("raw_records",), _Monitor),
    "afterpulses": (("raw_records",), _Monitor),
}


def _plugin(data_type: str, depends_on: tuple[str, ...], base: type[SmallPlugin]) -> type:
    name = "Small" + "".join(part.capitalize() for part in data_type.split("_"))
    attributes = {
        "__module__": __name__,
        "provides": (data_type,),
        "depends_on": depends_on,
        "data_kind": data_type,
    }
    return type(name, (base,), attributes)


PLUGINS = [_plugin(name, *how) for name, how in _PLUGINS.items()]
# Plugins that are sent to worker processes are found by name in their module.
globals().update({plugin.__name__: plugin for plugin in PLUGINS})


def small(*, fail_build: bool = False, input_timeout: int = 300, **misbehaviour: Any):
    """The context; see the module for the options."""
    unknown = set(misbehaviour) - set(MISBEHAVIOUR)
    if unknown:
        raise ValueError(f"unknown options of the small context: {', '.join(sorted(unknown))}")
    if fail_build:
        raise AskedToFail("the small context was asked not to be built")
    return strax.Context(
        storage=[],
        register=[SmallReader, *PLUGINS],
        config={"input_timeout": input_timeout, **misbehaviour},
        use_per_run_defaults=False,
        allow_lazy=False,
        timeout=500,
    )


def prepare(context, plan: dict[str, Any]) -> None:
    """Settings of one attempt; called in the child before processing."""
    SmallReader.compressor = plan["recordsCompressor"]
    globals()["SmallRecords"].compressor = plan["recordsCompressor"]


def _sum_of_peaks(result: Result) -> float:
    return float(result.lines["peaks"].sum())


def pictures() -> list[Histogram]:
    """One, of no meaning."""
    return [
        Histogram(
            "peak_area",
            of="peak_basics",
            title="Area of peaks",
            normal="one bump.",
            otherwise="check the simulated DAQ.",
            value=Value("peaks", "1/s"),
            scaled=True,
            minimum=50,
            x=Axis("area", "ADC counts", 1, 1e6, 60, log=True),
            values=lambda peaks: {"peaks": peaks["area"]},
            scalars={"peaks": Scalar("peaks", "1/s", _sum_of_peaks)},
        )
    ]


def warm_up(context, directory: str) -> None:
    """Process a tiny run below `directory`: strax compiles on first use."""
    no_monitor_thread()
    run_id, config = make_warm_up_run(directory)
    trial = context.new_context(
        storage=[strax.DataDirectory(f"{directory}/strax_data")],
        config={**context.config, **config, **dict.fromkeys(MISBEHAVIOUR)},
    )
    targets = ("event_info", "events_nv", "events_mv", "online_peak_monitor", "veto_proximity")
    trial.make(
        run_id, targets, allow_multiple=True, processor="threaded_mailbox", progress_bar=False
    )
