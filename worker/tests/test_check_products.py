"""Loading all of what is to stand in for live data."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import strax
from worker_support import environment

from bootstrax_worker.check_products import check

RUN = "051230"
START = 1_700_000_000_123_456_789
SECOND = 1_000_000_000
# The second chunk has no rows, and so no file.
ROWS = [1000, 0, 500]


class Source(strax.Plugin):
    """Three chunks of a second each."""

    provides = "raw_records"
    depends_on = ()
    data_kind = "raw_records"
    dtype = (*strax.interval_dtype, (("Some number", "value"), np.float64))
    rechunk_on_save = False

    def source_finished(self):
        return True

    def is_ready(self, chunk_i):
        return chunk_i < len(ROWS)

    def compute(self, chunk_i):
        start = START + chunk_i * SECOND
        data = np.zeros(ROWS[chunk_i], self.dtype)
        data["time"] = start + np.arange(len(data))
        data["length"] = data["dt"] = 1
        data["value"] = np.random.default_rng(chunk_i).random(len(data))
        return self.chunk(start=start, end=start + SECOND, data=data)


@pytest.fixture(params=["lz4", "zstd", "blosc", "bz2"])
def product(request, tmp_path):
    """A product as the manager names it."""
    plugin = type("Source", (Source,), {"compressor": request.param, "__module__": __name__})
    context = strax.Context(storage=strax.DataDirectory(str(tmp_path)), register=[plugin])
    context.make(RUN, "raw_records", progress_bar=False)
    key = context.key_for(RUN, "raw_records")
    return {
        "type": "raw_records",
        "location": str(tmp_path / str(key)),
        "lineageHash": key.lineage_hash,
    }


def _metadata(product):
    name = f"raw_records-{product['lineageHash']}-metadata.json"
    return os.path.join(product["location"], name)


def _edit(product, edit):
    with open(_metadata(product)) as file:
        metadata = json.load(file)
    edit(metadata)
    with open(_metadata(product), "w") as file:
        json.dump(metadata, file)


def _chunk(product, index=0):
    return os.path.join(product["location"], f"raw_records-{product['lineageHash']}-{index:06d}")


def test_a_whole_product_is_counted(product):
    found = check(product, RUN)
    assert found == {
        "type": "raw_records",
        "location": product["location"],
        "chunks": 3,
        "rows": 1500,
        "bytes": sum(entry.stat().st_size for entry in os.scandir(product["location"])),
        "startNs": str(START),
        "endNs": str(START + 3 * SECOND),
        "firstTimeNs": str(START),
        "lastTimeNs": str(START + 2 * SECOND + 500),
        "problem": None,
    }


def test_a_chunk_that_is_cut_off_or_overwritten_is_noticed(product):
    path = _chunk(product)
    with open(path, "rb") as file:
        content = file.read()
    half = len(content) // 2
    spoilt = [
        content[:half],
        content[:half] + b"\xff" * 64 + content[half + 64 :],
        b"\0" * len(content),
        b"",
    ]
    for data in spoilt:
        with open(path, "wb") as file:
            file.write(data)
        assert path in check(product, RUN)["problem"]


def test_files_and_folders_that_are_missing_are_named(product):
    os.remove(_chunk(product, 2))
    assert _chunk(product, 2) in check(product, RUN)["problem"]
    os.remove(_metadata(product))
    assert _metadata(product) in check(product, RUN)["problem"]
    gone = {**product, "location": product["location"] + "x"}
    assert check(gone, RUN)["problem"] == f"{gone['location']} is no folder"


def test_a_link_is_no_product(product):
    os.rename(product["location"], product["location"] + "x")
    os.symlink(product["location"] + "x", product["location"])
    assert "is no folder" in check(product, RUN)["problem"]


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda md: md["chunks"][0].update(n=999), "has 1000 rows, and 999 are listed"),
        (lambda md: md["chunks"].pop(1), "chunk 1 is not listed exactly once"),
        (lambda md: md["chunks"][1].update(start=START), "does not begin where the one before"),
        (lambda md: md["chunks"][0].update(start=START + 5), "rows outside the time"),
        (lambda md: md["chunks"][0].update(n="1000"), "without numbers"),
        (lambda md: md["chunks"][0].pop("end"), "cannot be read"),
        (lambda md: md.update(run_id="051231"), "is of 051231, not of 051230"),
        (lambda md: md.update(data_type="peaks"), "is of peaks, not of raw_records"),
        (lambda md: md.update(dtype="import os"), "cannot be read"),
        (lambda md: md.update(exception="no luck"), "never finished"),
        (lambda md: md.pop("writing_ended"), "never finished"),
    ],
)
def test_metadata_that_do_not_fit_are_noticed(product, edit, problem):
    _edit(product, edit)
    assert problem in check(product, RUN)["problem"]


def test_chunks_may_be_listed_in_any_order_and_names_lead_nowhere_else(product):
    _edit(product, lambda md: md["chunks"].reverse())
    assert check(product, RUN)["problem"] is None
    path = "../../" + os.path.basename(_chunk(product))
    _edit(product, lambda md: md["chunks"][2].update(filename=path))
    assert check(product, RUN)["rows"] == 1500


def _command(request, **options):
    return subprocess.run(
        [sys.executable, "-m", "bootstrax_worker", "check-products"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env=environment(),
        **options,
    )


def test_the_command_answers_in_one_line(product):
    missing = {**product, "type": "raw_records_he"}
    done = _command({"runId": RUN, "products": [product, missing]})
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert [each["problem"] is None for each in answer["products"]] == [True, False]
    assert answer["how"].startswith("every chunk decompressed, with strax ")


def test_what_cannot_be_read_now_is_no_answer(product):
    # A folder in the place of a file stands in for a disk that fails.
    os.remove(_chunk(product))
    os.mkdir(_chunk(product))
    done = _command({"runId": RUN, "products": [product]})
    assert done.returncode != 0
    assert done.stdout == ""
    assert "IsADirectoryError" in done.stderr
