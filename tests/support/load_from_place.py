"""Loads a run of the example experiment that is in work; prints rows by data type as JSON."""

import json
import sys

import paddles
import strax

place, run = sys.argv[1:]
st = paddles.context(min_paddles=3)
st.storage = [strax.DataDirectory(place, readonly=True)]
st.set_context_config({"allow_incomplete": True, "forbid_creation_of": "*"})
rows = {}
for name in ("hits", "muons", "rate_monitor"):
    if st.is_stored(run, name):
        data = st.get_array(run, name, progress_bar=False)
        rows[name] = [len(data), data.tobytes().hex()]
print(json.dumps(rows))
