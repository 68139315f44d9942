"""Loads the runs of the example experiment with plain strax; prints what it finds as JSON."""

import json
import sys

import numpy as np
import paddles
import strax

output, *runs = sys.argv[1:]
context = paddles.context(min_paddles=3)
context.storage = [strax.DataDirectory(output, readonly=True)]
found = {}
for run in runs:
    hits = context.get_array(run, "hits", progress_bar=False)
    pulses = context.get_array(run, "raw_pulses", progress_bar=False)
    muons = context.get_array(run, "muons", progress_bar=False)
    monitor = context.get_array(run, "rate_monitor", progress_bar=False)
    seconds = (monitor["endtime"] - monitor["time"]) / 1e9
    found[run] = {
        "stored": [
            name for name in ("raw_pulses", "hits", "muons") if context.is_stored(run, name)
        ],
        "pulses": len(np.unique(pulses[["time", "channel"]])),
        "pulsesTwice": len(pulses) - len(np.unique(pulses[["time", "channel"]])),
        "hits": len(hits),
        "paddles": sorted(set(hits["paddle"].tolist())),
        "muons": len(muons),
        "fewestPaddles": int(muons["n_paddles"].min()),
        "muonsByMonitor": round(float((monitor["rate"] * seconds).sum())),
        "seconds": float(seconds.sum()),
    }
print(json.dumps(found))
