"""Run documents as the DAQ dispatcher inserts them."""

from datetime import datetime, timedelta
from typing import Any

from . import layout
from .live_data import RunShape, Written

DEFAULT_MODES = {"tpc": "tpc_bkg", "neutron_veto": "nveto_bkg", "muon_veto": "mveto_bkg"}


def run_id(number: int) -> str:
    """Run number as strax names it: six digits, zero-padded."""
    return f"{number:06d}"


def default_mode(detectors: tuple[str, ...]) -> str:
    """Run mode of a plain run of these detectors."""
    return DEFAULT_MODES.get(detectors[0], f"{detectors[0]}_bkg")


def to_milliseconds(moment: datetime) -> datetime:
    """The moment at the resolution of a BSON date."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def run_document(
    *, number: int, shape: RunShape, mode: str, start: datetime, output_path: str
) -> dict[str, Any]:
    """The document of a run that has just begun.

    :param start: when the crate controller acknowledged the start, UTC.
    :param output_path: where the readers write; the run's data lies in `<output_path>/<run id>`.
    """
    document: dict[str, Any] = {
        "number": number,
        "detectors": list(shape.detectors),
        "user": "simulator",
        "mode": mode,
        "bootstrax": {"state": None},
        "start": to_milliseconds(start),
        "end": None,
        "daq_config": {
            "name": mode,
            "processing_threads": layout.processing_threads(shape.detectors, shape.others),
            "strax_chunk_length": float(shape.chunk_seconds),
            "strax_chunk_overlap": float(shape.overlap_seconds),
            "strax_fragment_payload_bytes": shape.payload_bytes,
            "compressor": "lz4",
            "strax_output_path": output_path,
        },
    }
    if shape.fault != "no-data-field":
        document["data"] = [{"type": "live", "host": "daq", "location": output_path}]
    return document


def end_of_run(document: dict[str, Any], shape: RunShape) -> datetime:
    """Value of `end`: the start plus the length of the run, UTC."""
    return to_milliseconds(document["start"] + timedelta(seconds=shape.seconds))


def rates(shape: RunShape, written: Written) -> dict[str, dict[str, float]]:
    """Value of `rate`: MB/s by detector, average and maximum."""
    return {
        detector: {"avg": rate, "max": rate}
        for detector, rate in data_rates(shape, written).items()
    }


def data_rates(shape: RunShape, written: Written) -> dict[str, float]:
    """Uncompressed MB/s by detector over what has been prepared so far."""
    seconds = max(written.covered_seconds, 1e-3)
    return {
        detector: round(written.bytes.get(detector, 0) / 1e6 / seconds, 3)
        for detector in shape.detectors
    }
