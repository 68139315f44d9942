"""Stores data of run 051230 with strax. Usage: make_products.py OUTPUT"""

import sys

import numpy as np
import strax

output = sys.argv[1]
START = 1_700_000_000_123_456_789
SECOND = 1_000_000_000


class Source(strax.Plugin):
    provides = "numbers"
    depends_on = ()
    dtype = strax.time_fields + [(("Some number", "value"), np.float64)]  # noqa: RUF005
    data_kind = "numbers"
    rechunk_on_save = False
    compressor = "zstd"

    def source_finished(self):
        return True

    def is_ready(self, chunk_i):
        return chunk_i < 3

    def compute(self, chunk_i):
        start = START + chunk_i * SECOND
        # The second chunk has no rows.
        data = np.zeros([100, 0, 50][chunk_i], self.dtype)
        data["time"] = start + np.arange(len(data))
        data["endtime"] = data["time"] + 1
        return self.chunk(start=start, end=start + SECOND, data=data)


class Doubled(strax.Plugin):
    provides = "doubled"
    depends_on = "numbers"
    dtype = Source.dtype
    data_kind = "numbers"
    rechunk_on_save = False
    __version__ = "0.1"

    def compute(self, numbers):
        return numbers


class Failing(strax.Plugin):
    provides = "failing"
    depends_on = "numbers"
    dtype = Source.dtype
    data_kind = "numbers"
    rechunk_on_save = False

    def compute(self, numbers, start, end):
        if start > START:
            raise ValueError("no luck")
        return numbers


st = strax.Context(
    storage=strax.DataDirectory(output), register=[Source, Doubled, Failing], timeout=20
)
st.make("051230", "doubled")
try:
    st.make("051230", "failing")
except ValueError as error:
    print(error)
