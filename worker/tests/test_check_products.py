"""Loading all of what is to stand in for live data."""

import json
import os
import random
import subprocess
import sys

import numpy as np
import pytest
import strax
from worker_support import environment

from bootstrax_worker import digests
from bootstrax_worker.check_products import check
from bootstrax_worker.folders import Place

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


COMPRESSORS = ["lz4", "zstd", "blosc", "bz2"]
STAMP = {"attempt": "a" * 24, "document": "run-51230", "host": "here.test"}


def _stored(storage, directory, compressor):
    """A product as the manager names it."""
    plugin = type("Source", (Source,), {"compressor": compressor, "__module__": __name__})
    context = strax.Context(storage=storage, register=[plugin])
    context.make(RUN, "raw_records", progress_bar=False)
    key = context.key_for(RUN, "raw_records")
    return {
        "type": "raw_records",
        "location": str(directory / str(key)),
        "lineageHash": key.lineage_hash,
    }


def _ours(directory):
    return Place(directory, lambda _: None, STAMP)


@pytest.fixture(params=COMPRESSORS)
def product(request, tmp_path):
    """As an attempt stores it."""
    return _stored(_ours(str(tmp_path)), tmp_path, request.param)


@pytest.fixture(params=COMPRESSORS)
def plain(request, tmp_path):
    """As strax itself stores it: without digests."""
    return _stored(strax.DataDirectory(str(tmp_path)), tmp_path, request.param)


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


def _counted(product, digest):
    return {
        "type": "raw_records",
        "location": product["location"],
        "chunks": 3,
        "rows": 1500,
        "bytes": sum(entry.stat().st_size for entry in os.scandir(product["location"])),
        "startNs": str(START),
        "endNs": str(START + 3 * SECOND),
        "firstTimeNs": str(START),
        "lastTimeNs": str(START + 2 * SECOND + 500),
        "digest": digest,
        "problem": None,
    }


def test_a_whole_product_is_counted_and_has_the_digest_of_its_entries(product):
    with open(_metadata(product)) as file:
        digest = digests.of_product(json.load(file)["chunks"])
    assert len(digest) == 64
    assert check(product, RUN) == _counted(product, digest)


def test_a_whole_product_without_digests_is_counted(plain):
    assert check(plain, RUN) == _counted(plain, None)


@pytest.mark.parametrize("index", [0, 2])
def test_a_single_bit_anywhere_in_the_file_of_a_chunk_is_noticed_and_named(product, index):
    path = _chunk(product, index)
    with open(path, "rb") as file:
        content = file.read()
    chance = random.Random(f"{index}")
    for _ in range(200):
        spoilt = bytearray(content)
        spoilt[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        with open(path, "wb") as file:
            file.write(spoilt)
        assert check(product, RUN)["problem"] == (
            f"{path} is not as it was stored: its sha256 is {digests.sha256(bytes(spoilt))}, "
            f"and its entry says {digests.sha256(content)}"
        )
    with open(path, "wb") as file:
        file.write(content)
    assert check(product, RUN)["problem"] is None


ODD = {
    "missing": lambda entry: entry.pop("sha256"),
    "of another algorithm": lambda entry: entry.update(md5="0" * 32, sha512=entry.pop("sha256")),
    "empty": lambda entry: entry.update(sha256=""),
    "in capitals": lambda entry: entry.update(sha256=entry["sha256"].upper()),
    "with a line end": lambda entry: entry.update(sha256=entry["sha256"] + "\n"),
    "cut": lambda entry: entry.update(sha256=entry["sha256"][:-1]),
    "of another length": lambda entry: entry.update(sha256=entry["sha256"] * 2),
    "with its name": lambda entry: entry.update(sha256=f"sha256:{entry['sha256']}"),
    "null": lambda entry: entry.update(sha256=None),
    "true": lambda entry: entry.update(sha256=True),
    "a number": lambda entry: entry.update(sha256=int(entry["sha256"], 16)),
    "a list": lambda entry: entry.update(sha256=[entry["sha256"]]),
    "an object": lambda entry: entry.update(sha256={"value": entry["sha256"]}),
    "megabytes": lambda entry: entry.update(sha256="0" * 5_000_000),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_digest_never_passes_for_the_one_of_the_file(product, odd):
    _edit(product, lambda md: ODD[odd](md["chunks"][2]))
    found = check(product, RUN)
    path = _chunk(product, 2)
    assert found["problem"].startswith(f"{path} cannot be compared: its entry says sha256 ")
    assert len(found["problem"]) < len(path) + 300
    assert found["digest"] is None


def test_the_digest_of_another_chunk_is_another(product):
    def swap(metadata):
        first, _, last = metadata["chunks"]
        first["sha256"], last["sha256"] = last["sha256"], first["sha256"]

    _edit(product, swap)
    assert "is not as it was stored" in check(product, RUN)["problem"]


def test_a_product_that_was_written_anew_has_no_digests_or_other_ones(product, tmp_path):
    made = check(product, RUN)["digest"]
    strax.rechunker(product["location"], str(tmp_path / "anew"))
    (folder,) = (tmp_path / "anew").iterdir()
    again = check({**product, "location": str(folder)}, RUN)
    assert again["problem"] is None
    assert again["digest"] is None
    # All digests taken out, which nothing in the folder tells: what it was made with does.
    _edit(product, lambda md: [chunk.pop("sha256", None) for chunk in md["chunks"]])
    assert made is not None
    assert check(product, RUN)["digest"] is None


@pytest.mark.parametrize("compressor", COMPRESSORS)
@pytest.mark.parametrize("storage", [_ours, strax.DataDirectory])
def test_a_chunk_that_is_cut_off_or_overwritten_is_noticed(tmp_path, storage, compressor):
    product = _stored(storage(str(tmp_path)), tmp_path, compressor)
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
        (lambda md: md["chunks"][0].pop("filename"), "chunk 0 has no file"),
        (lambda md: md["chunks"][0].update(filename=7), "chunk 0 has no file"),
        (lambda md: md["chunks"][0].update(filename="a\0b"), "chunk 0 has no file"),
        (lambda md: md.update(dtype="[('value', '<f8')]"), "no time"),
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
    assert answer["how"].endswith(", its file compared with its digest")


def test_the_command_says_which_product_has_no_digests(product, tmp_path):
    other = _stored(strax.DataDirectory(str(tmp_path / "plain")), tmp_path / "plain", "lz4")
    request = {"runId": RUN, "products": [product, other]}
    answer = json.loads(_command(request).stdout)
    assert answer["how"].endswith("compared with its digest, but of raw_records: without digests")
    answer = json.loads(_command({**request, "products": [other]}).stdout)
    assert answer["how"].endswith("; there are no digests to compare the files with")


def test_what_cannot_be_read_now_is_no_answer(product):
    # A folder in the place of a file stands in for a disk that fails.
    os.remove(_chunk(product))
    os.mkdir(_chunk(product))
    done = _command({"runId": RUN, "products": [product]})
    assert done.returncode != 0
    assert done.stdout == ""
    assert "IsADirectoryError" in done.stderr
