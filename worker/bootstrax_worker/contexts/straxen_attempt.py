"""What each attempt changes in straxen's plugins, whatever context they come from."""

from typing import Any

import strax
import straxen

# Chunk sizes (MB) that keep the memory of an event builder within bounds.
CHUNK_TARGET_MB = {"raw_records": 50, "peaklets": 200, "hitlets_nv": 200}
NEVER_RECHUNKED_ON_LOAD = ("raw_records", "peaklets")
RECORD_TYPES = ("raw_records", "records", "records_nv", "hitlets_nv")
IN_THREADS = (
    "peaklet_positions_cnf",
    "peaklet_classification",
    "peaks",
    "peak_basics",
)
IN_PROCESSES = ("peaklets", "lone_hits")
# Practically unlimited: chunks in the mailbox of a type that waits for the end of the run.
WHOLE_RUN_MESSAGES = 100_000


def patch_classes(context, plan: dict[str, Any]) -> None:
    """Set chunk sizes, compressors and parallelism of the registered plugins for `plan`.

    None of this is part of a lineage. It changes classes: call it in the process of the attempt.
    """
    registry = context._plugin_class_registry

    def patch(data_types, **attributes) -> None:
        for data_type in data_types:
            if data_type in registry:
                for name, value in attributes.items():
                    setattr(registry[data_type], name, value)

    for data_type, megabytes in CHUNK_TARGET_MB.items():
        patch([data_type], chunk_target_size_mb=megabytes)
    patch(NEVER_RECHUNKED_ON_LOAD, rechunk_on_load=False)
    if plan["cores"] > 1:
        # With more than one worker strax cannot rechunk what it loads:
        # 'Future' object has no attribute 'data'.
        patch(registry, rechunk_on_load=False)
    patch(RECORD_TYPES, compressor=plan["recordsCompressor"])
    patch(IN_THREADS, parallel=True)
    patch(IN_PROCESSES, parallel="process")
    patch(_kept_until_the_end(registry), max_messages=WHOLE_RUN_MESSAGES)


def _kept_until_the_end(registry) -> set[str]:
    """Types that pile up in memory until the run ends.

    An exhaust plugin (veto_intervals) returns nothing before it has read the whole run. A type that
    is read together with its output (event_basics, by veto_proximity) has to wait as long. With a
    limited mailbox the chain stands still, and the run ends in a timeout, if the run has more
    chunks than the mailbox can hold.
    """
    at_the_end = {
        name for name, plugin in registry.items() if issubclass(plugin, strax.ExhaustPlugin)
    }
    kept: set[str] = set()
    for plugin in registry.values():
        needed = set(strax.to_str_tuple(plugin.depends_on))
        if needed & at_the_end:
            kept |= needed - at_the_end
    return kept


def forget_calibration(context) -> None:
    """Empty every cache that keeps values from files or databases from run to run."""
    straxen.common._resource_cache.clear()
    straxen.clear_config_caches()
    context._fixed_plugin_cache = None
