"""Channels, readout threads and the binary layout of what the DAQ writes."""

from dataclasses import dataclass

import numpy as np

DETECTORS = ("tpc", "neutron_veto", "muon_veto")


@dataclass(frozen=True)
class ChannelGroup:
    """Channels with the same digitisation: first and last channel, and ns per sample."""

    first: int
    last: int
    dt: int

    @property
    def count(self) -> int:
        """Number of channels."""
        return self.last - self.first + 1


# The ranges are those of straxen's `channel_map`.
TPC = ChannelGroup(0, 493, 10)
HIGH_ENERGY = ChannelGroup(500, 752, 10)
ACQUISITION_MONITOR = ChannelGroup(790, 807, 10)
ACQUISITION_MONITOR_NV = ChannelGroup(808, 815, 2)
MUON_VETO = ChannelGroup(1000, 1083, 2)
NEUTRON_VETO = ChannelGroup(2000, 2119, 2)

BUSY_STOP_CHANNEL = 806
BUSY_START_CHANNEL = 807
GPS_SYNC_NV_CHANNEL = 813

# Readout programs of each detector and their numbers of threads.
READERS: dict[str, dict[str, int]] = {
    "tpc": {"reader0_reader_0": 2, "reader1_reader_0": 2},
    "neutron_veto": {"reader5_reader_0": 2},
    "muon_veto": {"reader6_reader_0": 1},
}


@dataclass(frozen=True)
class OtherDetector:
    """A detector that is none of XENONnT's, read out by one program with some threads."""

    name: str
    channels: ChannelGroup
    threads: int


def readers(detector: str, others: tuple[OtherDetector, ...] = ()) -> dict[str, int]:
    """Readout programs of a detector, and their numbers of threads."""
    for other in others:
        if other.name == detector:
            return {f"{detector}_reader_0": other.threads}
    return READERS[detector]


def processing_threads(
    detectors: tuple[str, ...], others: tuple[OtherDetector, ...] = ()
) -> dict[str, int]:
    """Threads by reader of all `detectors`, as in `daq_config.processing_threads`."""
    return {
        reader: threads
        for detector in detectors
        for reader, threads in readers(detector, others).items()
    }


def reader_files(detector: str, others: tuple[OtherDetector, ...] = ()) -> list[str]:
    """Names of the files that the readers of `detector` write into each chunk directory."""
    return [
        f"{reader}_{thread}"
        for reader, threads in readers(detector, others).items()
        for thread in range(threads)
    ]


def record_dtype(samples: int) -> np.dtype:
    """Layout of one fragment with room for `samples` samples: strax's `raw_record_dtype`.

    Written out here so that the simulator starts without importing strax; a test compares the two.
    """
    return np.dtype(
        [
            ("time", np.int64),
            ("length", np.int32),
            ("dt", np.int16),
            ("channel", np.int16),
            ("pulse_length", np.int32),
            ("record_i", np.int16),
            ("baseline", np.int16),
            ("data", np.int16, (samples,)),
        ]
    )
