"""A physicist finds a dual-phase time projection chamber in the simulated data, and its faults."""

from dataclasses import dataclass

import numpy as np
import pytest
import strax
from reconstruction import TOP_TUBES, TPC_CHANNELS, Events, Peaks, find_events, find_peaks
from simulated_runs import strax_config

from bootstrax_worker.contexts.small import small
from bootstrax_worker.simulator import RunShape, conditions, write_live_data
from bootstrax_worker.simulator.layout import processing_threads
from bootstrax_worker.simulator.light import Arrays
from bootstrax_worker.simulator.live_data import intervals
from bootstrax_worker.simulator.pulses import PulseGenerator
from bootstrax_worker.simulator.xenon import SOURCES, source_of

POSITIONS = Arrays().positions
LONGEST_DRIFT_NS = conditions.longest_drift_ns()


@dataclass(frozen=True)
class Seen:
    """What the reconstruction sees of a run."""

    records: np.ndarray
    peaks: Peaks

    def pulses(self) -> np.ndarray:
        """Pulses of each tube."""
        first = self.records[self.records["record_i"] == 0]
        return np.bincount(first["channel"], minlength=TPC_CHANNELS)

    def noise(self) -> np.ndarray:
        """Spread of each tube's baseline, ADC counts."""
        first = self.records[self.records["record_i"] == 0]
        quiet = first["data"][:, :40].astype(np.float64).std(axis=1)
        channel = first["channel"]
        counts = np.maximum(np.bincount(channel, minlength=TPC_CHANNELS), 1)
        return np.bincount(channel, quiet, minlength=TPC_CHANNELS) / counts

    def events(self) -> Events:
        """S1s with their S2s."""
        return find_events(self.peaks, LONGEST_DRIFT_NS)

    def single_electrons(self) -> Peaks:
        """Peaks of one electron."""
        peaks = self.peaks
        return peaks.where((peaks.area > 12) & (peaks.area < 45) & (peaks.width > 150))


def shape(**changes) -> RunShape:
    """A short run with many events."""
    given = {"seconds": 6.0, "chunk_seconds": 2.0, "overlap_seconds": 0.5, "rate_hz": 30, **changes}
    return RunShape(**given)


def read(directory, **changes) -> Seen:
    """A run through the reader of the small context."""
    run = shape(**changes)
    write_live_data(directory / "live" / "000007", run)
    context = small()
    context.set_config(strax_config(directory / "live", run))
    context.storage = [strax.DataDirectory(str(directory / "output"))]
    context.make("000007", "raw_records", processor="single_thread", progress_bar=False)
    records = context.get_array("000007", "raw_records", progress_bar=False)
    return Seen(records, find_peaks(records, POSITIONS))


def seen(**changes) -> Seen:
    """A run that stays in memory."""
    run = shape(**changes)
    pulses = PulseGenerator(
        rate_hz=run.rate_hz,
        record_length=run.record_length,
        seed=run.seed,
        conditions=run.conditions,
    )
    records = np.concatenate(
        [pulses.records("tpc", i.index, i.start, i.end, last=i.last) for i in intervals(run)]
    )
    records = records[records["channel"] < TPC_CHANNELS]
    return Seen(records, find_peaks(records, POSITIONS))


@pytest.fixture(scope="module")
def background(tmp_path_factory) -> Seen:
    """A run without a source."""
    return read(tmp_path_factory.mktemp("background"))


@pytest.fixture(scope="module")
def krypton(tmp_path_factory) -> Seen:
    """A calibration with a line."""
    return read(tmp_path_factory.mktemp("krypton"), source="kr83m", rate_hz=90)


@pytest.fixture(scope="module")
def faulty() -> Seen:
    """A run with all faults of tubes, and one place that glows."""
    faults = ("dead-tube", "hot-tube", "noisy-board", "flash", "hot-spot")
    return seen(detector_faults=faults)


def line(run: Seen, least_s2_pe: float = 4_000) -> Events:
    """The events of the krypton line."""
    found = run.events()
    keep = (found.s1.area > 180) & (found.s2.area > least_s2_pe)
    return Events(found.drift[keep], found.s1.where(keep), found.s2.where(keep))


def slope_and_error(events: Events, part=slice(None)) -> tuple[float, float]:
    """How ln(S2 area) changes with drift time, per ns; it is -1 / lifetime."""
    area = np.log(events.s2.area[part])
    (slope, _), covariance = np.polyfit(events.drift[part], area, 1, cov=True)
    return slope, np.sqrt(covariance[0, 0])


def test_s1s_and_s2s_are_two_islands(background):
    peaks = background.peaks
    s1s, s2s = peaks.where(peaks.width < 120), peaks.where(peaks.width > 150)
    assert len(s1s.area) > 50
    assert len(s2s.area) > 300
    large = s1s.where(s1s.area > 20)
    assert 0.1 < np.median(large.top_share) < 0.3
    assert 0.7 < np.median(s2s.top_share) < 0.8
    assert np.quantile(s2s.where(s2s.area > 300).top_share, 0.02) > 0.6
    assert np.quantile(large.top_share, 0.98) < 0.45


def test_s2s_grow_with_the_square_root_of_their_drift_time(krypton):
    events = line(krypton)
    spread = events.s2.width / (2 * 0.6745)
    own = conditions.GAS_NS / 2 / (2 * 0.6745)
    expected = np.hypot(conditions.diffusion_ns(events.drift), own)
    ratio = spread / expected
    assert np.corrcoef(events.drift, events.s2.width)[0, 1] > 0.85
    low, middle, high = np.quantile(ratio, [0.16, 0.5, 0.84])
    assert 0.9 < middle < 1.1
    assert high - low < 0.3


def test_drift_times_fill_the_whole_depth_and_end_at_the_cathode(krypton):
    drift = line(krypton).drift
    counts, _ = np.histogram(drift, bins=5, range=(0, LONGEST_DRIFT_NS))
    assert counts.min() > 0.5 * counts.mean()
    assert 0.95 * LONGEST_DRIFT_NS < drift.max() < 1.02 * LONGEST_DRIFT_NS


def test_the_line_is_a_peak_and_light_goes_against_charge(krypton):
    events = line(krypton)
    assert len(events.drift) > 100
    corrected = events.s2.area * np.exp(events.drift / conditions.LIFETIME_NS)
    for area, resolution in ((events.s1.area, 0.09), (corrected, 0.17)):
        low, middle, high = np.quantile(area, [0.16, 0.5, 0.84])
        assert (high - low) / 2 / middle < resolution
    assert np.corrcoef(events.s1.area, corrected)[0, 1] < -0.2


def test_a_falling_lifetime_is_recovered():
    events = line(seen(source="kr83m", rate_hz=160, detector_faults=("falling-lifetime",)), 500)
    began = events.s2.time - events.s2.time.min()
    slopes = [slope_and_error(events, part)[0] for part in (began < 2e9, began > 4e9)]
    # From 5 s on of 6 s the lifetime is below a tenth of 15 ms.
    assert 0.8e6 < -1 / slopes[1] < 2.5e6
    assert slopes[0] > slopes[1] / 3


def test_the_electron_lifetime_is_that_of_the_calibration_files(krypton):
    # A lifetime that is long beside the drift time is measured by its inverse.
    slope, error = slope_and_error(line(krypton))
    assert abs(slope + 1 / conditions.LIFETIME_NS) < 4 * error


def test_single_electrons_follow_s2s(krypton):
    single = krypton.single_electrons()
    assert 24 < np.median(single.area) < 34
    s2s = krypton.peaks.where(krypton.peaks.area > 4_000)
    later = np.searchsorted(single.time, s2s.time + int(LONGEST_DRIFT_NS))
    after = later - np.searchsorted(single.time, s2s.time + 20_000)
    before = np.searchsorted(single.time, s2s.time - 20_000)
    before -= np.searchsorted(single.time, s2s.time - int(LONGEST_DRIFT_NS))
    assert after.mean() > 3 * before.mean()


def test_s2s_are_seen_where_they_happen(krypton):
    events = line(krypton)
    radius = np.hypot(*events.s2.xy.T)
    # The centre of the light is nearer to the middle than the event.
    assert radius.max() > 40
    within = (radius < radius.max() / np.sqrt(2)).mean()
    assert 0.35 < within < 0.65, "half of the events are within half of the area"
    assert np.median(events.s2.largest_share) > 0.05


def test_tubes_have_dark_counts_and_some_are_off_or_warm(background):
    pulses = background.pulses()
    assert set(np.flatnonzero(pulses == 0)) == set(conditions.OFF_TUBES)
    neighbours = np.median(pulses)
    assert all(pulses[tube] > 1.2 * neighbours for tube in conditions.WARM_TUBES)


def test_the_rate_changes_over_the_run():
    moments = np.array([0.0, 10e9, 30e9])
    state = conditions.Conditions()
    assert np.ptp(state.relative_rate(moments)) > 0.3
    assert state.relative_rate(np.linspace(0, 80e9, 1000)).max() <= 1


def test_a_dead_and_a_hot_tube(faulty):
    pulses = faulty.pulses()
    assert pulses[conditions.FAULTY_DEAD_TUBE] == 0
    assert pulses.argmax() == conditions.FAULTY_HOT_TUBE
    assert pulses.max() > 4 * np.median(pulses)


def test_a_noisy_board(faulty, background):
    board = list(conditions.FAULTY_BOARD)
    assert faulty.noise()[board].min() > 3 * np.median(faulty.noise())
    assert background.noise()[board].max() < 1.5 * np.median(background.noise())


def test_a_flash_is_many_peaks_of_one_tube_in_a_burst(faulty, background):
    ours, quiet = (run.peaks.where(run.peaks.largest_share > 0.5) for run in (faulty, background))
    assert len(ours.time) > len(quiet.time) + 25
    assert np.ptp(np.quantile(ours.time, [0.2, 0.8])) < 0.5e9


def test_a_hot_spot_glows_in_one_place(faulty, background):
    here = POSITIONS[np.hypot(*(POSITIONS - conditions.HOT_SPOT_CM).T).argmin()]

    def near(run: Seen) -> float:
        few = run.peaks.where((run.peaks.area < 200) & (run.peaks.width > 150))
        return (np.hypot(*(few.xy - 0.75 * here).T) < 8).mean()

    assert near(faulty) > 5 * near(background)


def test_a_step_of_the_gas_level_changes_the_single_electrons():
    single = seen(detector_faults=("gas-level",), rate_hz=40).single_electrons()
    began = single.time - single.time.min()
    before, after = single.where(began < 2.9e9), single.where(began > 3.1e9)
    assert np.median(after.area) < 0.85 * np.median(before.area)
    assert np.median(after.width) > 1.2 * np.median(before.width)


def test_bright_light_reaches_the_high_energy_boards():
    run = shape(seconds=2.0, rate_hz=60, source="kr83m")
    pulses = PulseGenerator(rate_hz=60, record_length=110, seed=1, conditions=run.conditions)
    channels = pulses.records("tpc", 0, 0, 2_000_000_000, last=True)["channel"]
    assert ((channels >= 500) & (channels < 500 + TOP_TUBES)).any()


def test_nuclear_recoils_have_less_charge_than_electronic_recoils():
    events = seen(source="ambe").events()
    paired = (events.s1.area > 10) & (events.s1.area < 60)
    ratio = events.s2.area[paired] / events.s1.area[paired]
    assert 10 < np.median(ratio) < 60


def test_the_mode_names_the_source():
    assert source_of("tpc_kr83m") == "kr83m"
    assert source_of("tpc_bkg") == "background"
    assert {source_of(f"tpc_{name}") for name in SOURCES} == set(SOURCES)


def test_unknown_faults_are_refused():
    with pytest.raises(ValueError, match="dead-tub"):
        RunShape(detector_faults=("dead-tub",))


@pytest.mark.parametrize("fault", conditions.DETECTOR_FAULTS)
def test_the_same_seed_makes_the_same_bytes(tmp_path, fault):
    run = shape(seconds=1.0, chunk_seconds=0.4, overlap_seconds=0.1, detector_faults=(fault,))
    for name in ("one", "other"):
        write_live_data(tmp_path / name, run)
    files = [path for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(files) > 4 * sum(processing_threads(("tpc",)).values())
    for path in files:
        other = tmp_path / "other" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == other.read_bytes()
