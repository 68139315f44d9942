"""The real straxen online plugins without the experiment's databases.

The plugins are those of `straxen.contexts.xenonnt_online`. What they would fetch from the
corrections database, the run database or a file server is constant here and lies in JSON files,
beside this module or in a folder of your own (`calibration`). `docs/local-xenonnt.md` lists
the stand-ins.
"""

import contextlib
import io
from pathlib import Path
from typing import Any

import strax
import straxen

from .positions import CENTROID_PROTOCOL
from .straxen_attempt import forget_calibration, patch_classes
from .straxen_pictures import pictures
from .warming import make_warm_up_run, no_monitor_thread

__all__ = ["CALIBRATION", "local_xenonnt", "pictures", "prepare", "warm_up"]

CALIBRATION = Path(__file__).parent / "calibration"

# Cheap data types of the online chain beyond the default targets are warmed too.
WARM_UP_TARGETS = (
    "event_info",
    "events_nv",
    "events_mv",
    "online_peak_monitor",
    "online_monitor_nv",
    "online_monitor_mv",
    "veto_proximity",
)


def local_xenonnt(*, calibration: str | None = None):
    """The context, without storage.

    :param calibration: folder with the calibration files; by default those shipped.
    """
    folder = CALIBRATION if calibration is None else Path(calibration).resolve()
    if not (folder / "numbers.json").exists():
        raise FileNotFoundError(f"no calibration files in {folder}: numbers.json is missing")
    if any(mark in str(folder) for mark in ("?", "&", "://", "cmt")):
        raise ValueError(f"straxen cannot read calibration from a path like {folder}: rename it")
    with contextlib.redirect_stdout(io.StringIO()):
        context = straxen.contexts.xenonnt(
            # By default strax makes a folder `strax_data` in the working directory, or fails to.
            storage=[],
            config={**straxen.contexts.common_config_vanilla, **_calibration(folder)},
            we_are_the_daq=True,
            _database_init=False,
            _auto_append_rucio_local=False,
            _vanilla=True,
            _peak_only_positions=True,
            # Several targets in one call need processing that is not lazy.
            allow_lazy=False,
            timeout=500,
        )
    # On loading straxen remaps channels, for runs before 8797 of the real detector.
    context.set_context_config({"apply_data_function": ()})
    return context


def prepare(context, plan: dict[str, Any]) -> None:
    """Settings of one attempt; called in the child before processing."""
    patch_classes(context, plan)
    forget_calibration(context)


def warm_up(context, directory: str) -> None:
    """Compile the numba functions of the chain by processing a tiny run below `directory`."""
    no_monitor_thread()
    run_id, config = make_warm_up_run(directory)
    # Threads wait for each other for a limited time, and compiling on a busy machine takes longer:
    # so it is done without threads first.
    for processor in ("single_thread", "threaded_mailbox"):
        trial = context.new_context(
            storage=[strax.DataDirectory(f"{directory}/{processor}")],
            config=config,
        )
        if processor == "threaded_mailbox":
            trial.make(
                run_id, WARM_UP_TARGETS, allow_multiple=True, processor=processor, **_QUIETLY
            )
        else:
            for target in WARM_UP_TARGETS:
                trial.make(run_id, target, processor=processor, **_QUIETLY)
    forget_calibration(context)


_QUIETLY = {"progress_bar": False}


def _calibration(folder: Path) -> dict[str, Any]:
    def content(name: str) -> str:
        # straxen's own reader of JSON files (fmt=json) is one for files with comments: it takes
        # half a second for the gains, in every run.
        return f"json://resource://{folder}/{name}.json?fmt=text"

    def array(name: str) -> str:
        return f"list-to-array://{content(name)}"

    def padded(name: str, first_channel: int) -> str:
        return f"list-to-array://pad-array://{content(name)}&pad_left={first_channel}"

    def number(name: str) -> str:
        return f"take://{content('numbers')}&take={name}"

    def interpolation(name: str) -> str:
        return f"itp_map://{content(f'map_{name}')}"

    return {
        "gain_model": array("gains_tpc"),
        "gain_model_nv": array("gains_neutron_veto"),
        "gain_model_mv": array("gains_muon_veto"),
        "hit_min_amplitude": array("hit_thresholds_tpc"),
        "hit_min_amplitude_nv": padded("hit_thresholds_neutron_veto", 2000),
        "hit_min_amplitude_mv": padded("hit_thresholds_muon_veto", 1000),
        "electron_drift_velocity": number("electron_drift_velocity"),
        "electron_drift_time_gate": number("electron_drift_time_gate"),
        "elife": number("electron_lifetime"),
        "se_gain": number("single_electron_gain"),
        "avg_se_gain": number("single_electron_gain"),
        "rel_extraction_eff": number("relative_extraction_efficiency"),
        "rel_light_yield": number("relative_light_yield"),
        "g1": number("g1"),
        "g2": number("g2"),
        "s1_xyz_map": interpolation("s1_xyz"),
        "s2_xy_map": interpolation("s2_xy"),
        "fdc_map": interpolation("field_distortion"),
        "z_bias_map": interpolation("z_bias"),
        "s1_bias_map": interpolation("reconstruction_bias"),
        "s2_bias_map": interpolation("reconstruction_bias"),
        "cnf_pred_function": (
            f"{CENTROID_PROTOCOL}://{content('positions_top_array')}&n_poly=plugin.n_poly"
        ),
        "v1495_config": {"firmware_version": 9},
        # As if the run had begun in 1970: the first seconds of the neutron veto, which straxen
        # keeps without coincidence for monitoring, have passed.
        "run_start": 0,
        # The script of a gain calibration writes this into a run document when the LED is on.
        "run_doc_comments": [
            {
                "user": "simulator",
                "date": "2020-01-01",
                "comment": "auto, SC user: simulator, pulserScript: constant",
            }
        ],
        "event_info_function": "disabled",
    }
