"""Pictures of XENONnT's data types, in the order in which a shifter needs them."""

import numpy as np

from ..pictures import (
    Axis,
    Channels,
    Histogram,
    Histogram2D,
    Result,
    Scalar,
    Series,
    Shares,
    Value,
)

_CHANNELS = 494
_PER_S = "1/s"
# Of a channel without pulses straxen stores this as its baseline.
_NO_BASELINE = -9999
# The drift time at the cathode of XENONnT, ns; the context may know better.
_LONGEST_DRIFT_NS = 2.3e6
_KINDS_OF_DEAD_TIME = ("busy", "hev", "straxen_deadtime")


def pictures(context) -> list:
    """Those of which the context makes the data type."""
    known = context._plugin_class_registry
    every = [
        _area_width(),
        *_channel_health(),
        _rates(),
        _event_rates("event_basics", "events", "Events over the run"),
        _event_rates("events_mv", "events_mv", "Muon-veto events over the run"),
        _event_rates("events_nv", "events_nv", "Neutron-veto events over the run"),
        _live_time(),
        _single_electrons(),
        _area_fraction_top(),
        _muon_veto_tubes(),
        _s2_against_s1(),
        _drift_time(context),
    ]
    return [picture for picture in every if picture.of in known]


def _area_width() -> Histogram2D:
    return Histogram2D(
        "area_width",
        of="online_peak_monitor",
        title="Area against width of all peaks",
        normal="islands at their places: single electrons at 30 PE and 200 ns, S1s narrow and "
        "below, S2s wide and large.",
        otherwise="an island that is new, gone or elsewhere is news: compare with the last run, "
        "then area fraction top and rates; ask the TPC expert.",
        value=Value("peaks", _PER_S, log=True),
        scaled=True,
        minimum=1000,
        x=Axis("area", "PE", 1e-2, 1e5, 60, log=True),
        y=Axis("50 % width", "ns", 1, 1e5, 60, log=True),
        # straxen stores it with the width first.
        counts=lambda rows: rows["area_vs_width_hist"].sum(axis=0).T,
        scalars={
            "peak_rate": Scalar("peaks", _PER_S, lambda result: float(result.lines["all"].sum()))
        },
    )


def _channel_health() -> list[Channels]:
    def strip(name: str, title: str, value: Value, sums, **more) -> Channels:
        return Channels(
            name,
            of="pulse_counts",
            title=title,
            normal=more.pop("normal"),
            otherwise=more.pop("otherwise"),
            value=value,
            channels=_CHANNELS,
            sums=sums,
            version=1,
            **more,
        )

    def with_pulses(rows: np.ndarray, field: str) -> tuple[np.ndarray, np.ndarray]:
        has = rows["pulse_count"] > 0
        return np.where(has, rows[field], 0).sum(axis=0), has.sum(axis=0)

    return [
        strip(
            "pulses",
            "Pulses by channel",
            Value("pulses", _PER_S, log=True),
            lambda rows: {"pulses": rows["pulse_count"].sum(axis=0)},
            normal="a smooth line; neighbours differ by less than a factor of a few.",
            otherwise="zero is a dead channel; one far above its neighbours is hot; a whole board "
            "at once is its supply or its link.",
            scaled=True,
            dead=0,
            hot=10,
            scalars={
                "pulse_rate": Scalar(
                    "pulses", _PER_S, lambda result: float(result.lines["pulses"].sum())
                ),
                "silent_channels": Scalar(
                    "channels without a pulse",
                    "",
                    lambda result: float((result.lines["pulses"] == 0).sum()),
                ),
            },
        ),
        strip(
            "lone_pulses",
            "Lone pulses by channel",
            Value("lone pulses", _PER_S, log=True),
            lambda rows: {"lone pulses": rows["lone_pulse_count"].sum(axis=0)},
            normal="dark counts: smooth, some tens per second.",
            otherwise="one channel up: a tube that glows or makes noise; all up: a light leak.",
            scaled=True,
            hot=10,
        ),
        strip(
            "baseline",
            "Baseline by channel",
            Value("baseline", "ADC counts"),
            lambda rows: {"baseline": _baselines(rows)},
            normal="near the value the digitisers are set to; a gap is a channel without pulses.",
            otherwise="a step of a whole board: check what has changed of its settings.",
        ),
        strip(
            "baseline_rms",
            "Noise by channel",
            Value("baseline RMS", "ADC counts"),
            lambda rows: {"baseline RMS": with_pulses(rows, "baseline_rms_mean")},
            normal="flat; a gap is a channel without pulses.",
            otherwise="up for a board, a link or an amplifier at once: electronic noise there.",
            hot=3,
        ),
    ]


def _baselines(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    has = rows["baseline_mean"] != _NO_BASELINE
    return np.where(has, rows["baseline_mean"], 0).sum(axis=0), has.sum(axis=0)


def _is_single_electron(rows: np.ndarray) -> np.ndarray:
    return (rows["type"] == 2) & (rows["area"] < 70)


def _median_of(label: str):
    def median(result: Result) -> float | None:
        rates = result.lines[label]
        return float(np.median(rates)) if len(rates) else None

    return median


def _rates() -> Series:
    return Series(
        "rates",
        of="peak_basics",
        title="Peaks over the run",
        normal="flat lines.",
        otherwise="a spike is a flash; a slow climb a hot spot or a ramp; a step a source that "
        "moved; zero a part of the detector that is gone.",
        value=Value("rate", "Hz", log=True),
        times=lambda rows: {
            "S1": rows["time"][rows["type"] == 1],
            "S2": rows["time"][rows["type"] == 2],
            "single electrons": rows["time"][_is_single_electron(rows)],
        },
        scalars={
            "s1_rate": Scalar("S1", "Hz", _median_of("S1")),
            "s2_rate": Scalar("S2", "Hz", _median_of("S2")),
        },
    )


def _event_rates(data_type: str, name: str, title: str) -> Series:
    return Series(
        f"rate_{name}",
        of=data_type,
        title=title,
        normal="flat.",
        otherwise="zero: this part gives nothing; a step: trigger, threshold or source changed.",
        value=Value("rate", "Hz"),
        minimum=20,
        times=lambda rows: {name: rows["time"]},
        scalars={f"rate_{name}": Scalar(title.removesuffix(" over the run"), "Hz", _mean_of(name))},
    )


def _mean_of(label: str):
    def mean(result: Result) -> float | None:
        rates = result.lines[label]
        return float(np.mean(rates)) if len(rates) else None

    return mean


def _live_time() -> Shares:
    def intervals(rows: np.ndarray) -> dict:
        kinds = [kind for kind in np.unique(rows["veto_type"]) if kind != "hev_tag"][:7]
        return {
            str(kind): (
                rows["time"][rows["veto_type"] == kind],
                rows["endtime"][rows["veto_type"] == kind],
            )
            for kind in kinds
        }

    return Shares(
        "dead_time",
        of="veto_intervals",
        title="Dead time by kind",
        normal="below 1 % in all; some 10 % in calibrations of high rate.",
        otherwise="busy: the rate is too high for the readers; hev: large signals; "
        "straxen_deadtime: data is missing.",
        value=Value("share of the run", "%"),
        minimum=0,
        kinds=_KINDS_OF_DEAD_TIME,
        intervals=intervals,
        scalars={
            "live_percent": Scalar(
                "live time", "%", lambda result: 100 * (1 - float(result.lines["any"][0]))
            )
        },
    )


def _single_electrons() -> Histogram:
    def fullest(result: Result) -> float | None:
        counts = result.lines["single electrons"]
        inside = result.centres > 15
        if counts[inside].sum() < 100 / max(result.seconds, 1):
            return None
        # The median is steadier than the fullest bin, and moves with it.
        share = np.cumsum(counts * inside) / (counts * inside).sum()
        return float(np.interp(0.5, share, result.centres))

    return Histogram(
        "single_electrons",
        of="peak_basics",
        title="Single-electron gain",
        normal="one bump near 30 PE.",
        otherwise="the bump moves: gas level, anode voltage or gains of the tubes.",
        value=Value("peaks", _PER_S),
        scaled=True,
        minimum=500,
        x=Axis("area", "PE", 0, 70, 70),
        values=lambda rows: {"single electrons": rows["area"][_is_single_electron(rows)]},
        scalars={"se_gain": Scalar("single-electron gain (median)", "PE", fullest)},
    )


def _area_fraction_top() -> Histogram:
    return Histogram(
        "area_fraction_top",
        of="peak_basics",
        title="Area fraction top",
        normal="two separate bumps: S1 low, S2 high.",
        otherwise="bumps that meet or move: wrong types, gas level, or a part of an array is dead.",
        value=Value("peaks", _PER_S, log=True),
        scaled=True,
        minimum=1000,
        x=Axis("area fraction top", "", 0, 1, 100),
        values=lambda rows: {
            label: rows["area_fraction_top"][rows["type"] == number]
            for label, number in (("S1", 1), ("S2", 2), ("unknown", 0))
        },
    )


def _muon_veto_tubes() -> Histogram:
    return Histogram(
        "mv_tubes",
        of="events_mv",
        title="Muon veto: tubes in an event",
        normal="falls steeply; muons are the tail at many tubes.",
        otherwise="the rate of many tubes is a constant of nature: if it falls, trigger or live "
        "time of the veto is at fault.",
        value=Value("events", _PER_S, log=True),
        scaled=True,
        minimum=50,
        x=Axis("contributing tubes", "", 0, 85, 85),
        values=lambda rows: {"events": rows["n_contributing_pmt"].astype(float)},
        scalars={
            "mv_rate_8": Scalar(
                "muon-veto events of 8 tubes or more",
                "Hz",
                lambda result: float(result.lines["events"][result.centres > 8].sum()),
            )
        },
    )


def _s2_against_s1() -> Histogram2D:
    return Histogram2D(
        "s2_s1",
        of="event_basics",
        title="S2 against S1",
        normal="the band of electron recoils; lines of a calibration source are spots in it.",
        otherwise="a band that is lower: electron lifetime or gas gain; events off it: mis-paired.",
        value=Value("events", _PER_S, log=True),
        scaled=True,
        minimum=100,
        x=Axis("S1 area", "PE", 1, 1e5, 60, log=True),
        y=Axis("S2 area", "PE", 10, 1e7, 60, log=True),
        values=lambda rows: (rows["s1_area"], rows["s2_area"]),
    )


def _drift_time(context) -> Histogram:
    longest = _longest_drift_ns(context)
    return Histogram(
        "drift_time",
        of="event_basics",
        title="Drift time",
        normal="flat, with a sharp end at the cathode.",
        otherwise="an end that moves: the field has changed; excess at 0 or at the end: events of "
        "gate or cathode, or accidental pairs.",
        value=Value("events", _PER_S),
        scaled=True,
        minimum=100,
        x=Axis("drift time", "µs", 0, 1.1 * longest / 1e3, 100),
        values=lambda rows: {"events": rows["drift_time"][rows["drift_time"] >= 0] / 1e3},
    )


def _longest_drift_ns(context) -> float:
    # Values that are addresses of a corrections database are not resolved here.
    length, velocity = (
        context.config.get(name) for name in ("max_drift_length", "electron_drift_velocity")
    )
    if isinstance(length, int | float) and isinstance(velocity, int | float) and velocity > 0:
        return length / velocity
    return _LONGEST_DRIFT_NS
