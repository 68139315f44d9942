"""The small context, with more veto intervals in a chunk than one document of MongoDB can hold."""

import numpy as np
from bootstrax_worker.contexts import small
from bootstrax_worker.contexts.small import prepare  # noqa: F401

ROWS = 250_000


class HugeVetoIntervals(small.SmallPlugin):
    provides = ("veto_intervals",)
    depends_on = ("raw_records_aqmon",)
    data_kind = "veto_intervals"
    __version__ = "0.0.0"

    def combine(self, parts, start, end):
        rows = np.zeros(ROWS, self.dtype)
        rows["time"] = start + np.arange(ROWS) * ((end - start) // ROWS)
        rows["endtime"] = rows["time"] + 1
        return rows


def huge_vetoes():
    """The context."""
    context = small.small()
    context.register(HugeVetoIntervals)
    return context
