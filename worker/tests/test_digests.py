"""What strax stores says the digest of each of its files, however it is stored."""

import errno
import hashlib
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import strax

from bootstrax_worker import digests
from bootstrax_worker.folders import Place

RUN = "000007"
CHUNKS = 6
SECOND = 1_000_000_000
STAMP = {"attempt": "a" * 24, "document": "run-7", "host": "here.test"}
COMPRESSORS = ("blosc", "zstd", "lz4", "bz2")


class Rows(strax.Plugin):
    """Chunks of a second each; the third has no rows, and so no file."""

    provides = "rows"
    depends_on = ()
    data_kind = "rows"
    dtype = (*strax.time_fields, (("Some number", "value"), np.float64))
    rechunk_on_save = False
    parallel = "process"

    def source_finished(self):
        return True

    def is_ready(self, chunk_i):
        return chunk_i < CHUNKS

    def compute(self, chunk_i):
        rows = np.zeros(0 if chunk_i == 2 else 2000, self.dtype)
        rows["time"] = chunk_i * SECOND + np.arange(len(rows))
        rows["endtime"] = rows["time"] + 1
        rows["value"] = np.random.default_rng(chunk_i).random(len(rows))
        return self.chunk(start=chunk_i * SECOND, end=(chunk_i + 1) * SECOND, data=rows)


class Halves(strax.Plugin):
    """Stored by the process that makes it, as `rows` is."""

    provides = "halves"
    depends_on = "rows"
    data_kind = "halves"
    dtype = Rows.dtype
    rechunk_on_save = False
    parallel = "process"

    def compute(self, rows):
        return rows[::2].copy()


class Together(Halves):
    """Its chunks are put together before they are stored."""

    provides = "together"
    depends_on = "halves"
    data_kind = "together"
    rechunk_on_save = True
    chunk_target_size_mb = 0.06

    def compute(self, halves):
        return halves.copy()


TYPES = ("rows", "halves", "together")


def context(storage, compressor="blosc", **options) -> strax.Context:
    plugins = []
    for plugin in (Rows, Halves, Together):
        plugin.compressor = compressor
        plugins.append(plugin)
    return strax.Context(storage=[storage], register=plugins, allow_lazy=False, **options)


def ours(directory) -> Place:
    return Place(str(directory), lambda _: None, STAMP)


def make(storage, compressor="blosc", processor="threaded_mailbox", cores=1, multiprocess=False):
    made = context(storage, compressor, allow_multiprocess=multiprocess, timeout=60)
    for target in TYPES if processor == "single_thread" else [TYPES]:
        made.make(
            RUN,
            target,
            save=TYPES,
            processor=processor,
            max_workers=cores,
            progress_bar=False,
            allow_multiple=True,
        )
    return made


def plugin_key(storage) -> strax.DataKey:
    return context(storage).key_for(RUN, "rows")


def folder_of(directory, data_type) -> str:
    (name,) = (name for name in os.listdir(directory) if name.split("-")[1] == data_type)
    return os.path.join(directory, name)


def metadata_of(folder: str) -> dict:
    (name,) = (name for name in os.listdir(folder) if name.endswith(".json"))
    with open(os.path.join(folder, name)) as file:
        return json.load(file)


def assert_digests(folder: str) -> None:
    chunks = metadata_of(folder)["chunks"]
    assert sum(chunk["n"] for chunk in chunks) > 0
    for chunk in chunks:
        if not chunk["n"]:
            assert "sha256" not in chunk
            continue
        with open(os.path.join(folder, chunk["filename"]), "rb") as file:
            content = file.read()
        assert chunk["sha256"] == hashlib.sha256(content).hexdigest()
        assert chunk["filesize"] == len(content)
    files = {chunk["filename"] for chunk in chunks if chunk["n"]}
    assert {name for name in os.listdir(folder) if not name.endswith(".json")} == files


WAYS = {
    "mailboxes, one core": {"cores": 1},
    "mailboxes, threads": {"cores": 2},
    "mailboxes, processes": {"cores": 2, "multiprocess": True},
    "single thread": {"processor": "single_thread"},
}


@pytest.mark.parametrize("compressor", COMPRESSORS)
@pytest.mark.parametrize("way", WAYS)
def test_each_entry_says_size_and_digest_of_its_file(tmp_path, way, compressor, forked):
    make(ours(tmp_path), compressor, **WAYS[way])
    for data_type in TYPES:
        assert_digests(folder_of(tmp_path, data_type))
    assert forked == ({"rows", "halves"} if way == "mailboxes, processes" else set())
    assert len(metadata_of(folder_of(tmp_path, "together"))["chunks"]) == 2


@pytest.fixture
def forked(monkeypatch) -> set[str]:
    """Types that were stored by the processes that made them."""
    types = set()
    close = digests.FileSaver._close

    def noting(self):
        if self.is_forked:
            types.add(self.md["data_type"])
        close(self)

    monkeypatch.setattr(digests.FileSaver, "_close", noting)
    return types


@pytest.fixture
def written(monkeypatch) -> list[int]:
    """How many chunks the metadata listed each time that they were written."""
    numbers = []
    flush = digests.FileSaver._flush_metadata

    def comparing(self):
        # In the lineage of a plugin there may be anything.
        self.md["lineage"] = {"rows": ["Rows", "0", {"chunks": [], "text": '\n    "chunks": []'}]}
        flush(self)
        with open(os.path.join(self.tempdirname, self.metadata_json)) as file:
            assert file.read() == json.dumps(self.md, **strax.FileSaver.json_options)
        numbers.append(len(self.md["chunks"]))

    monkeypatch.setattr(digests.FileSaver, "_flush_metadata", comparing)
    return numbers


@pytest.mark.parametrize("way", WAYS)
def test_the_metadata_are_word_for_word_what_strax_would_write(tmp_path, way, written):
    make(ours(tmp_path), **WAYS[way])
    assert written.count(CHUNKS) > 1
    assert 0 in written


def test_metadata_are_whole_whenever_they_are_read(tmp_path):
    storage = ours(tmp_path)
    plugin = context(storage).get_single_plugin(RUN, "rows")
    saver = storage.saver(plugin_key(storage), metadata=plugin.metadata(RUN, "rows"))
    path = os.path.join(saver.tempdirname, saver.metadata_json)
    done = threading.Event()
    seen = set()

    def look():
        while not done.is_set():
            with open(path) as file:
                seen.add(len(json.load(file)["chunks"]))

    with ThreadPoolExecutor(1) as executor:
        looking = executor.submit(look)
        try:
            for index in range(300):
                saver.save(plugin.compute(2), index)
        finally:
            done.set()
        looking.result()
    assert seen <= set(range(301))


@pytest.mark.parametrize("way", WAYS)
def test_data_and_lineage_are_those_of_strax_itself_which_reads_them(tmp_path, way):
    cold = make(strax.DataDirectory(str(tmp_path / "cold")))
    with_digests = make(ours(tmp_path / "ours"), **WAYS[way])
    reading = context(strax.DataDirectory(str(tmp_path / "ours"), readonly=True))
    reading.set_context_config({"forbid_creation_of": "*"})
    for data_type in TYPES:
        assert str(cold.key_for(RUN, data_type)) == str(with_digests.key_for(RUN, data_type))
        expected = cold.get_array(RUN, data_type, progress_bar=False)
        read = reading.get_array(RUN, data_type, progress_bar=False)
        assert len(read)
        assert read.tobytes() == expected.tobytes()
        plain, digested = (
            metadata_of(folder_of(tmp_path / name, data_type)) for name in ("cold", "ours")
        )
        assert plain["lineage"] == digested["lineage"]
        assert plain["lineage_hash"] == digested["lineage_hash"]


def test_the_folder_is_read_while_it_is_written(tmp_path):
    storage = ours(tmp_path)
    made = context(storage)
    metadata = made.get_single_plugin(RUN, "rows").metadata(RUN, "rows")
    saver = storage.saver(plugin_key(storage), metadata=metadata)
    chunk = made.get_single_plugin(RUN, "rows").compute(0)
    saver.save(chunk, 0)
    reading = context(strax.DataDirectory(str(tmp_path), readonly=True))
    reading.set_context_config({"allow_incomplete": True, "forbid_creation_of": "*"})
    assert len(reading.get_array(RUN, "rows", progress_bar=False)) == len(chunk)


@pytest.mark.parametrize("way", ["mailboxes, one core", "mailboxes, threads", "single thread"])
def test_what_cannot_be_stored_is_the_error_of_the_run(tmp_path, monkeypatch, way):
    save = digests._save

    def full(path, data, compressor):
        if path.endswith("-000005"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        return save(path, data, compressor)

    monkeypatch.setattr(digests, "_save", full)
    with pytest.raises(OSError, match="No space left"):
        make(ours(tmp_path), **WAYS[way])
    for name in os.listdir(tmp_path):
        if not name.endswith("_temp") and "-rows-" in name:
            assert "No space left" in metadata_of(os.path.join(tmp_path, name))["exception"]


def test_the_digest_of_a_product_tells_its_chunks_apart():
    entries = [
        {"chunk_i": 0, "n": 5, "sha256": "0" * 64},
        {"chunk_i": 1, "n": 0},
        {"chunk_i": 2, "n": 7, "sha256": "1" * 64},
    ]
    whole = digests.of_product(entries)
    assert whole == digests.of_product(reversed(entries))
    for index, change in [
        (0, {"sha256": "2" * 64}),
        (0, {"n": 6}),
        (1, {"n": 1, "sha256": "0" * 64}),
        (2, {"sha256": "0" * 64}),
    ]:
        other = [dict(entry) for entry in entries]
        other[index].update(change)
        assert digests.of_product(other) not in (whole, None)
    assert digests.of_product([entries[0], {"chunk_i": 1, "n": 1}]) is None
    assert digests.of_product([{"chunk_i": 0, "n": 1}]) is None
